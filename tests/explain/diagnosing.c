#include "diagnosing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "diagnose/body_probe.h"
#include "dkim/header_hash.h"
#include "dkim/signing.h"

char *signed_text(const char *tags, const char *message, const struct private_key *key)
{
    struct buffer out;
    buffer_init(&out, MAX_MESSAGE_BYTES);
    sign_message(&out, "DKIM-Signature", tags, key, span_from_string(message));
    buffer_append_byte(&out, '\0');
    cr_assert(!out.failed);
    return (char *)out.p;
}

static char *filled(const char *tags, const char *bh, const char *b, const char *message)
{
    char *text = NULL;
    const char *bh_at = strchr(tags, '@'), *b_at = bh_at ? strrchr(tags, '@') : NULL;
    cr_assert(bh_at && b_at != bh_at);
    cr_assert(asprintf(&text, "DKIM-Signature: %.*s%s%.*s%s%s\r\n%s", (int)(bh_at - tags), tags, bh,
                       (int)(b_at - bh_at - 1), bh_at + 1, b, b_at + 1, message) > 0);
    return text;
}

static char *base64_of(struct span bytes)
{
    char *text = calloc(1, BASE64_ENCODED_LENGTH(bytes.n) + 1);
    cr_assert(text != NULL);
    base64_encode(bytes, text);
    return text;
}

static char *body_hash(const char *message, enum canon canon, uint64_t limit)
{
    struct body_probe probe;
    uint8_t hash[SHA256_BYTES];
    body_probe_init(&probe, canon, limit);
    body_probe_feed(&probe, span_from_string(strstr(message, "\r\n\r\n") + 4));
    cr_assert(body_probe_end(&probe, hash));
    return base64_of(span_of(hash, sizeof hash));
}

char *signed_oddly(const char *tags, const char *message, const struct private_key *key,
                   enum canon header, enum canon body, uint64_t limit)
{
    struct patient patient;
    struct buffer scratch, signature;
    uint8_t digest[SHA256_BYTES];
    buffer_init(&scratch, 1 << 20);
    buffer_init(&signature, 4096);
    char *bh = body_hash(message, body, limit);
    char *text = filled(tags, bh, "AAAA", message);
    examine(&patient, span_from_string(text), NULL, NULL, 0);
    patient.signature.header_canon = header;
    cr_assert(dkim_header_hash(&patient.reader.header, &patient.signature, &patient.arena, &scratch,
                               digest));
    cr_assert(private_key_sign(key, digest, &signature));
    examined(&patient);
    free(text);
    char *b = base64_of(buffer_span(&signature));
    text = filled(tags, bh, b, message);
    buffer_fini(&scratch);
    buffer_fini(&signature);
    free(bh);
    free(b);
    return text;
}

static char *replaced(const char *text, const char *find, const char *put)
{
    struct buffer out;
    const char *hit;
    buffer_init(&out, 2 * MAX_MESSAGE_BYTES);
    if (find && !*find)
        buffer_append_string(&out, put);
    while (find && *find && (hit = strstr(text, find)) != NULL) {
        buffer_append(&out, span_of(text, (size_t)(hit - text)));
        buffer_append_string(&out, put);
        text = hit + strlen(find);
    }
    buffer_append_string(&out, text);
    if (!find)
        buffer_append_string(&out, put);
    buffer_append_byte(&out, '\0');
    cr_assert(!out.failed);
    return (char *)out.p;
}

char *altered(const char *text, const struct alteration *alterations)
{
    char *now = strdup(text);
    for (size_t i = 0; i < ALTERATIONS_MAX && alterations[i].put; i++) {
        char *next = replaced(now, alterations[i].find, alterations[i].put);
        cr_assert(strcmp(next, now) != 0, "\"%s\" changes nothing",
                  alterations[i].find ? alterations[i].find : "(end)");
        free(now);
        now = next;
    }
    return now;
}

struct public_key *public_half(const struct private_key *key)
{
    struct buffer der;
    struct public_key *half = NULL;
    buffer_init(&der, 64 * 1024);
    cr_assert(private_key_public(key, &der));
    enum key_error error = private_key_type(key) == KEY_RSA
                               ? public_key_from_rsa(buffer_span(&der), &half)
                               : public_key_from_ed25519(buffer_span(&der), &half);
    buffer_fini(&der);
    cr_assert(error == KEY_OK);
    return half;
}

void examine(struct patient *patient, struct span text, struct public_key *key,
             const struct diagnose_key *others, size_t other_count)
{
    const struct public_key *keys[] = {key};
    *patient = (struct patient){.key = key};
    arena_init(&patient->arena, MAX_ARENA_BYTES);
    mail_reader_init(&patient->reader, &patient->arena, &patient->hits, &patient->anomalies);
    size_t header = mail_reader_feed(&patient->reader, text);
    if (!patient->reader.done)
        mail_reader_end(&patient->reader);
    patient->body = span_skip(text, header);
    const struct mail_field *field =
        mail_header_lowest(&patient->reader.header, SPAN("DKIM-Signature"));
    cr_assert(field != NULL);
    dkim_signature_parse(field, DKIM_SIGNATURE, &patient->arena, &patient->hits, NULL,
                         &patient->signature);
    struct diagnose_request request = {
        .header = &patient->reader.header,
        .body = patient->body,
        .signature = &patient->signature,
        .keys = keys,
        .key_count = key ? 1 : 0,
        .others = others,
        .other_count = other_count,
        .arena = &patient->arena,
        .hits = &patient->hits,
    };
    cr_assert(diagnose(&request, &patient->diagnosis));
}

void examined(struct patient *patient)
{
    arena_fini(&patient->arena);
}

const char *cause_words(const struct diagnosis *diagnosis)
{
    static char words[1024];
    size_t n = 0;
    words[0] = '\0';
    for (uint32_t i = 0; i < diagnosis->count; i++) {
        const struct diagnose_finding *finding = &diagnosis->findings[i];
        n += (size_t)snprintf(words + n, sizeof words - n, "%s%s%s", i ? " " : "",
                              finding->proven ? "" : "?", diagnose_cause(finding->cause)->word);
    }
    return words;
}

const struct diagnose_finding *finding_of(const struct diagnosis *diagnosis,
                                          enum diagnose_cause cause)
{
    for (uint32_t i = 0; i < diagnosis->count; i++)
        if (diagnosis->findings[i].cause == cause)
            return &diagnosis->findings[i];
    return NULL;
}
