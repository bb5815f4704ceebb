#include "dkim/signing.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/base64.h"
#include "dkim/header_hash.h"
#include "mail/body.h"
#include "mail/header.h"

static struct made_key
{
    enum key_type type;
    unsigned bits;
    struct private_key *key;
    char *text;
} made[8];

static char *base64_text(struct span bytes)
{
    size_t n = BASE64_ENCODED_LENGTH(bytes.n);
    char *text = malloc(n + 1);
    cr_assert(text);
    base64_encode(bytes, text);
    text[n] = '\0';
    return text;
}

static struct made_key *make_key(enum key_type type, unsigned bits)
{
    size_t i = 0;
    while (made[i].key && (made[i].type != type || made[i].bits != bits))
        cr_assert(++i < COUNT_OF(made));
    if (made[i].key)
        return &made[i];
    struct buffer public;
    buffer_init(&public, 4096);
    made[i] = (struct made_key){type, bits, private_key_generate(type, bits), NULL};
    cr_assert(made[i].key && private_key_public(made[i].key, &public));
    made[i].text = base64_text(buffer_span(&public));
    buffer_fini(&public);
    return &made[i];
}

const struct private_key *signing_key(enum key_type type, unsigned bits)
{
    return make_key(type, bits)->key;
}

const char *signing_public(enum key_type type, unsigned bits)
{
    return make_key(type, bits)->text;
}

void zone_add_txt(struct buffer *zone, struct span name, struct span text)
{
    buffer_append(zone, name);
    buffer_append_string(zone, " TXT \"");
    for (size_t i = 0; i < text.n; i++) {
        if (i && i % 200 == 0)
            buffer_append_string(zone, "\" \"");
        uint8_t c = text.p[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            buffer_printf(zone, "\\%03u", c);
        else
            buffer_append_byte(zone, c);
    }
    buffer_append_string(zone, "\"\n");
}

void zone_add_key(struct buffer *zone, const char *domain, const char *selector, const char *more,
                  enum key_type type, unsigned bits)
{
    struct buffer name;
    struct buffer text;
    buffer_init(&name, 4096);
    buffer_init(&text, 8192);
    buffer_printf(&name, "%s._domainkey.%s", selector, domain);
    buffer_printf(&text, "v=DKIM1; k=%s; %sp=", type == KEY_RSA ? "rsa" : "ed25519", more);
    buffer_append_string(&text, signing_public(type, bits));
    zone_add_txt(zone, buffer_span(&name), buffer_span(&text));
    buffer_fini(&name);
    buffer_fini(&text);
}

/* "…@…" with the first "@" behind `tag` replaced by `value`. */
static void fill_in(struct buffer *out, struct span text, const char *tag, struct span value)
{
    uint8_t *place = memmem(text.p, text.n, tag, strlen(tag));
    cr_assert(place, "the tags have no %s", tag);
    size_t at = (size_t)(place - text.p) + strlen(tag);
    buffer_append(out, span_slice(text, 0, at));
    buffer_append(out, value);
    buffer_append(out, span_skip(text, at + 1));
}

struct reading
{
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_reader reader;
    struct body_hasher hasher;
    struct dkim_signature signature;
};

static void read_message(struct reading *r, struct span message, enum dkim_kind kind)
{
    memset(r, 0, sizeof *r);
    arena_init(&r->arena, MAX_ARENA_BYTES);
    mail_reader_init(&r->reader, &r->arena, &r->hits, &r->anomalies);
    size_t used = mail_reader_feed(&r->reader, message);
    mail_reader_end(&r->reader);
    cr_assert(!r->reader.refused && r->reader.header.count > 0);
    dkim_signature_parse(&r->reader.header.fields[0], kind, &r->arena, &r->hits, NULL,
                         &r->signature);
    cr_assert(r->signature.result == RESULT_UNSET, "cannot sign: %s", r->signature.reason);
    body_hasher_init(&r->hasher, &r->anomalies, &r->hits);
    uint64_t limit = r->signature.has_l ? r->signature.l : BODY_WHOLE;
    cr_assert(body_hasher_want(&r->hasher, r->signature.body_canon, limit) == 0);
    body_hasher_feed(&r->hasher, span_skip(message, used));
    body_hasher_end(&r->hasher);
}

static void close_message(struct reading *r)
{
    body_hasher_fini(&r->hasher);
    arena_fini(&r->arena);
}

static void put_together(struct buffer *out, const char *field, struct span tags,
                         struct span message)
{
    buffer_append_string(out, field);
    buffer_append_string(out, ": ");
    buffer_append(out, tags);
    buffer_append_string(out, "\r\n");
    buffer_append(out, message);
    cr_assert(!out->failed);
}

static enum dkim_kind kind_of(const char *field)
{
    return field[0] == 'A' ? DKIM_ARC_MESSAGE_SIGNATURE : DKIM_SIGNATURE;
}

/* The body hash that these tags ask for: of the text with a bh= of the right length in it. */
static char *body_hash_text(const char *field, const char *tags, struct span message)
{
    struct reading r;
    struct buffer with_bh;
    struct buffer with_both;
    struct buffer whole;
    buffer_init(&with_bh, 1 << 20);
    buffer_init(&with_both, 1 << 20);
    buffer_init(&whole, 1 << 28);
    fill_in(&with_bh, span_from_string(tags),
            "bh=", SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    fill_in(&with_both, buffer_span(&with_bh), " b=", SPAN("AAAA"));
    put_together(&whole, field, buffer_span(&with_both), message);
    read_message(&r, buffer_span(&whole), kind_of(field));
    char *text = base64_text(span_of(r.hasher.hashes[0].sha256, SHA256_BYTES));
    close_message(&r);
    buffer_fini(&with_bh);
    buffer_fini(&with_both);
    buffer_fini(&whole);
    return text;
}

static char *signature_text(const char *field, struct span tags, const struct private_key *key,
                            struct span message)
{
    struct reading r;
    struct buffer whole;
    struct buffer scratch;
    struct buffer signature;
    uint8_t digest[SHA256_BYTES];
    buffer_init(&whole, 1 << 28);
    buffer_init(&scratch, 1 << 28);
    buffer_init(&signature, 4096);
    put_together(&whole, field, tags, message);
    read_message(&r, buffer_span(&whole), kind_of(field));
    cr_assert(dkim_header_hash(&r.reader.header, &r.signature, &r.arena, &scratch, digest));
    cr_assert(private_key_sign(key, digest, &signature));
    char *text = base64_text(buffer_span(&signature));
    close_message(&r);
    buffer_fini(&whole);
    buffer_fini(&scratch);
    buffer_fini(&signature);
    return text;
}

void sign_message(struct buffer *out, const char *field, const char *tags,
                  const struct private_key *key, struct span message)
{
    struct buffer with_bh;
    struct buffer unsigned_tags;
    struct buffer signed_tags;
    buffer_init(&with_bh, 1 << 20);
    buffer_init(&unsigned_tags, 1 << 20);
    buffer_init(&signed_tags, 1 << 20);
    char *bh = body_hash_text(field, tags, message);
    fill_in(&with_bh, span_from_string(tags), "bh=", span_from_string(bh));
    fill_in(&unsigned_tags, buffer_span(&with_bh), " b=", SPAN("AAAA"));
    char *b = signature_text(field, buffer_span(&unsigned_tags), key, message);
    fill_in(&signed_tags, buffer_span(&with_bh), " b=", span_from_string(b));
    put_together(out, field, buffer_span(&signed_tags), message);
    free(bh);
    free(b);
    buffer_fini(&with_bh);
    buffer_fini(&unsigned_tags);
    buffer_fini(&signed_tags);
}
