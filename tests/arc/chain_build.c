#include "arc/chain_build.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "base/base64.h"

static const char *const names[CHAIN_FIELDS] = {"ARC-Authentication-Results",
                                                "ARC-Message-Signature", "ARC-Seal"};
static const char *const relaxed_names[CHAIN_FIELDS] = {"arc-authentication-results",
                                                        "arc-message-signature", "arc-seal"};

static const struct
{
    const char *name, *relaxed, *value;
} base[] = {
    {"From", "from", "author@victim.test"},
    {"To", "to", "list@example.org"},
    {"Subject", "subject", "hello"},
    {"Date", "date", "Tue, 3 Jan 2017 12:22:54 -0800"},
};

void chain_init(struct chain *chain)
{
    memset(chain, 0, sizeof *chain);
    chain->key = private_key_generate(KEY_RSA, 1024);
    cr_assert(chain->key != NULL);
    for (size_t i = 0; i < CHAIN_SETS_MAX; i++)
        for (size_t k = 0; k < CHAIN_FIELDS; k++)
            buffer_init(&chain->value[i][k], 64 * 1024);
    buffer_init(&chain->extra, 1024 * 1024);
    buffer_init(&chain->body, 1024 * 1024);
    buffer_init(&chain->zone, 1024 * 1024);
    buffer_init(&chain->text, 4 * 1024 * 1024);
    buffer_append_string(&chain->body, "Hello.\r\n");
}

void chain_fini(struct chain *chain)
{
    private_key_free(&chain->key);
    for (size_t i = 0; i < CHAIN_SETS_MAX; i++)
        for (size_t k = 0; k < CHAIN_FIELDS; k++)
            buffer_fini(&chain->value[i][k]);
    buffer_fini(&chain->extra);
    buffer_fini(&chain->body);
    buffer_fini(&chain->zone);
    buffer_fini(&chain->text);
}

static void put_base64(struct buffer *out, struct span bytes)
{
    char text[BASE64_ENCODED_LENGTH(1024)];
    cr_assert(bytes.n <= 1024);
    base64_encode(bytes, text);
    buffer_append(out, span_of(text, BASE64_ENCODED_LENGTH(bytes.n)));
}

static void add_key(struct chain *chain, const struct private_key *key, const char *domain,
                    const char *selector)
{
    struct buffer p, text;
    char name[300];
    snprintf(name, sizeof name, "\n%s._domainkey.%s. TXT", selector, domain);
    if (chain->zone.n && memmem(chain->zone.p, chain->zone.n, name, strlen(name)))
        return;
    buffer_init(&p, 4096);
    buffer_init(&text, 4096);
    cr_assert(private_key_public(key, &p));
    put_base64(&text, buffer_span(&p));
    buffer_printf(&chain->zone, "%s \"v=DKIM1; k=%s; p=\"", name,
                  private_key_type(key) == KEY_RSA ? "rsa" : "ed25519");
    for (size_t i = 0; i < text.n; i += 200)
        buffer_printf(&chain->zone, " \"%.*s\"", (int)(text.n - i < 200 ? text.n - i : 200),
                      (const char *)text.p + i);
    buffer_append_string(&chain->zone, "\n");
    cr_assert(!chain->zone.failed);
    buffer_fini(&p);
    buffer_fini(&text);
}

static void put_relaxed(struct buffer *out, const char *name, struct span value, bool last)
{
    buffer_printf(out, "%s:", name);
    buffer_append(out, value);
    if (!last)
        buffer_append_string(out, "\r\n");
}

/* Appends the signature over `input` to a value that ends in "b=". */
static void sign(const struct private_key *key, struct buffer *input, struct buffer *value)
{
    uint8_t digest[SHA256_BYTES];
    struct buffer signature;
    buffer_init(&signature, 4096);
    cr_assert(!input->failed);
    sha256_of(buffer_span(input), digest);
    cr_assert(private_key_sign(key, digest, &signature));
    put_base64(value, buffer_span(&signature));
    cr_assert(!value->failed);
    buffer_fini(&signature);
    buffer_fini(input);
}

static const char * or (const char *text, const char *fallback)
{
    return text ? text : fallback;
}

static const char *algorithm(const struct private_key *key)
{
    return private_key_type(key) == KEY_RSA ? "rsa-sha256" : "ed25519-sha256";
}

static const char *base_value(struct span name)
{
    for (size_t i = 0; i < COUNT_OF(base); i++)
        if (span_equal_fold(name, span_from_string(base[i].relaxed)))
            return base[i].value;
    return NULL;
}

/* The fields of h= that the base header has; others add nothing, as if they were absent. */
static void put_signed_fields(struct buffer *input, const char *h)
{
    struct span rest = span_from_string(h);
    while (rest.n) {
        size_t colon = span_find(rest, ':');
        struct span name = span_slice(rest, 0, colon);
        const char *value = base_value(name);
        if (value)
            buffer_printf(input, "%.*s:%s\r\n", (int)name.n, (const char *)name.p, value);
        rest = span_skip(rest, colon < rest.n ? colon + 1 : colon);
    }
}

static void put_ams(struct chain *chain, const struct chain_hop *hop, const char *instance)
{
    struct buffer *value = &chain->value[chain->count - 1][CHAIN_AMS], input;
    const struct private_key *key = hop->ams_key ? hop->ams_key : chain->key;
    struct span body = hop->ams_body.p ? hop->ams_body : buffer_span(&chain->body);
    uint8_t bh[SHA256_BYTES];
    sha256_of(body, bh);
    buffer_printf(value, "i=%s; a=%s; c=relaxed/relaxed; d=%s; s=%s; h=%s; bh=", instance,
                  algorithm(key), or (hop->domain, "sealer.test"), or (hop->selector, "s"),
                  or (hop->h, "from:to:subject"));
    put_base64(value, span_of(bh, sizeof bh));
    buffer_printf(value, "; %sb=", or (hop->ams_more, ""));
    buffer_init(&input, 64 * 1024);
    put_signed_fields(&input, or (hop->h, "from:to:subject"));
    put_relaxed(&input, relaxed_names[CHAIN_AMS], buffer_span(value), true);
    sign(key, &input, value);
}

static void put_seal(struct chain *chain, const struct chain_hop *hop, const char *instance)
{
    struct buffer *value = &chain->value[chain->count - 1][CHAIN_AS], input;
    const struct private_key *key = hop->seal_key ? hop->seal_key : chain->key;
    buffer_printf(value, "i=%s; a=%s; t=12345; cv=%s; d=%s; s=%s; %sb=", instance, algorithm(key),
                  or (hop->cv, chain->count == 1 ? "none" : "pass"),
                  or (hop->domain, "sealer.test"), or (hop->selector, "s"),
                  or (hop->seal_more, ""));
    buffer_init(&input, 1024 * 1024);
    for (uint32_t i = 0; i < chain->count; i++)
        for (size_t k = 0; k < CHAIN_FIELDS; k++)
            put_relaxed(&input, relaxed_names[k], buffer_span(&chain->value[i][k]),
                        i == chain->count - 1 && k == CHAIN_AS);
    sign(key, &input, value);
}

void chain_seal(struct chain *chain, const struct chain_hop *hop)
{
    static const struct chain_hop plain;
    char number[16];
    hop = hop ? hop : &plain;
    cr_assert(chain->count < CHAIN_SETS_MAX);
    chain->count++;
    snprintf(number, sizeof number, "%u", chain->count);
    const char *instance = or (hop->instance, number);
    const struct private_key *key = hop->seal_key ? hop->seal_key : chain->key;
    add_key(chain, hop->published ? hop->published : key, or (hop->domain, "sealer.test"),
            or (hop->selector, "s"));
    buffer_printf(&chain->value[chain->count - 1][CHAIN_AAR], "i=%s; %s", instance,
                  or (hop->results, "mx.example.org; spf=pass smtp.mailfrom=victim.test"));
    put_ams(chain, hop, instance);
    put_seal(chain, hop, instance);
}

void chain_seal_many(struct chain *chain, uint32_t count)
{
    while (count--)
        chain_seal(chain, NULL);
}

struct span chain_message(struct chain *chain)
{
    struct buffer *out = &chain->text;
    buffer_reset(out);
    buffer_append(out, buffer_span(&chain->extra));
    for (uint32_t i = chain->count; i-- > 0;) {
        for (size_t k = CHAIN_FIELDS; k-- > 0;) {
            if (chain->value[i][k].n == 0)
                continue;
            buffer_printf(out, "%s: ", names[k]);
            buffer_append(out, buffer_span(&chain->value[i][k]));
            buffer_append_string(out, "\r\n");
        }
    }
    for (size_t i = 0; i < COUNT_OF(base); i++)
        buffer_printf(out, "%s: %s\r\n", base[i].name, base[i].value);
    buffer_append_string(out, "\r\n");
    buffer_append(out, buffer_span(&chain->body));
    cr_assert(!out->failed);
    return buffer_span(out);
}
