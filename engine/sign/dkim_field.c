/*
 * A signature field is written as text with a stand-in for b=, then read and hashed by the
 * verifier's own code. Base64 goes into the field folded; b= is blanked before hashing, so folding
 * it after signing changes nothing (DS-7).
 */
#include "sign/dkim_field.h"

#include "base/base64.h"
#include "base/chars.h"
#include "sign/names.h"

enum
{
    FOLD_COLUMN = 72,
};

const char *sign_algorithm(const struct private_key *key)
{
    return private_key_type(key) == KEY_RSA ? "rsa-sha256" : "ed25519-sha256";
}

static bool hash_body(struct span body, enum canon canon, uint64_t limit, uint8_t out[SHA256_BYTES])
{
    struct mail_anomalies anomalies = {0};
    struct limit_hits hits = {.set = 0};
    struct body_hasher hasher;
    body_hasher_init(&hasher, &anomalies, &hits);
    int index = body_hasher_want(&hasher, canon, limit);
    body_hasher_feed(&hasher, body);
    body_hasher_end(&hasher);
    bool known = index >= 0 && !hasher.failed && hasher.hashes[index].known;
    if (known)
        memcpy(out, hasher.hashes[index].sha256, SHA256_BYTES);
    body_hasher_fini(&hasher);
    return known;
}

/* Hashes the body once for all signatures of one canonicalization; with l= each time. */
static bool body_hash(struct sign_message *message, const struct sign_options *options,
                      uint8_t out[SHA256_BYTES])
{
    struct sign_body_hash *whole = &message->bodies[options->body_canon];
    if (options->has_l)
        return hash_body(message->body, options->body_canon, options->l, out);
    if (!whole->known)
        whole->known = hash_body(message->body, options->body_canon, BODY_WHOLE, whole->sha256);
    memcpy(out, whole->sha256, SHA256_BYTES);
    return whole->known;
}

void sign_append_base64(struct span bytes, struct buffer *out)
{
    size_t n = BASE64_ENCODED_LENGTH(bytes.n);
    uint8_t *room = buffer_reserve(out, n);
    if (!room)
        return;
    base64_encode(bytes, (char *)room);
    buffer_commit(out, n);
}

void sign_append_b(struct span signature, struct buffer *out)
{
    struct buffer text;
    buffer_init(&text, SIGN_FIELD_BYTES);
    sign_append_base64(signature, &text);
    for (size_t at = 0; at < text.n; at += FOLD_COLUMN) {
        size_t n = text.n - at < FOLD_COLUMN ? text.n - at : FOLD_COLUMN;
        buffer_append_string(out, "\r\n\t");
        buffer_append(out, span_slice(buffer_span(&text), at, at + n));
    }
    buffer_append_string(out, "\r\n");
    out->failed = out->failed || text.failed;
    buffer_fini(&text);
}

/*
 * dkim-quoted-printable of an address, RFC 6376 2.11: what is not printable, and ";" and "=", as
 * =XX. An address cannot end its tag that way.
 */
static void append_identity(struct span identity, struct buffer *out)
{
    buffer_append_string(out, "; i=");
    for (size_t i = 0; i < identity.n; i++) {
        uint8_t c = identity.p[i];
        if (char_is(c, CHAR_VCHAR) && c != ';' && c != '=')
            buffer_append_byte(out, c);
        else
            buffer_printf(out, "=%02X", c);
    }
}

/* d= to l=, on a line of their own. */
static void append_line(const struct sign_options *options, enum dkim_kind kind, struct buffer *out)
{
    buffer_append_string(out, "\r\n\td=");
    buffer_append(out, options->domain);
    buffer_append_string(out, "; s=");
    buffer_append(out, options->selector);
    if (kind == DKIM_SIGNATURE && options->identity.n)
        append_identity(options->identity, out);
    if (options->t)
        buffer_printf(out, "; t=%lld", (long long)options->t);
    if (options->x)
        buffer_printf(out, "; x=%lld", (long long)options->x);
    if (options->has_l)
        buffer_printf(out, "; l=%llu", (unsigned long long)options->l);
    buffer_append_string(out, ";\r\n\t");
}

const char *sign_append_tags(struct sign_message *message, const struct sign_options *options,
                             enum dkim_kind kind, struct buffer *out)
{
    static const char *const words[] = {[CANON_SIMPLE] = "simple", [CANON_RELAXED] = "relaxed"};
    uint8_t bh[SHA256_BYTES];
    if (!body_hash(message, options, bh))
        return "cannot_hash";
    if (options->x && options->x <= options->t) /* DV-18 */
        return "expiration_before_signing";
    buffer_printf(out, "a=%s; c=%s/%s;", sign_algorithm(options->key), words[options->header_canon],
                  words[options->body_canon]);
    append_line(options, kind, out);
    const char *fault = sign_names_append(&message->header, options->names, kind, out);
    if (fault)
        return fault;
    buffer_append_string(out, ";\r\n\tbh=");
    sign_append_base64(span_of(bh, sizeof bh), out);
    buffer_append_string(out, ";\r\n\tb=");
    return out->failed ? "no_memory" : NULL;
}

struct mail_field sign_field_of(struct span raw)
{
    size_t colon = span_find(raw, ':');
    return (struct mail_field){
        .raw = raw,
        .name = span_slice(raw, 0, colon),
        .value = span_slice(raw, colon + 1, raw.n - 2),
        .position = UINT32_MAX,
        .above = -1,
        .same = 1,
    };
}

static const char *hash_field(const struct mail_header *header, struct span raw,
                              enum dkim_kind kind, struct arena *arena, uint8_t out[SHA256_BYTES])
{
    struct limit_hits hits = {.set = 0};
    struct dkim_signature signature;
    struct mail_field field = sign_field_of(raw);
    dkim_signature_parse(&field, kind, arena, &hits, NULL, &signature);
    if (signature.result != RESULT_UNSET)
        return signature.reason;
    struct buffer scratch;
    buffer_init(&scratch, SIGN_SCRATCH_BYTES);
    bool hashed = dkim_header_hash(header, &signature, arena, &scratch, out);
    buffer_fini(&scratch);
    return hashed ? NULL : "cannot_hash";
}

const char *sign_field(const struct mail_header *header, struct span prefix, enum dkim_kind kind,
                       const struct private_key *key, struct arena *arena, struct buffer *out)
{
    uint8_t digest[SHA256_BYTES];
    struct buffer draft, signature;
    buffer_init(&draft, SIGN_FIELD_BYTES);
    buffer_init(&signature, SIGN_FIELD_BYTES);
    buffer_append(&draft, prefix);
    buffer_append_string(&draft, "AAAA\r\n"); /* stands in for the signature; blanked when hashed */
    const char *fault = draft.failed ? "no_memory" : NULL;
    if (!fault)
        fault = hash_field(header, buffer_span(&draft), kind, arena, digest);
    if (!fault && !private_key_sign(key, digest, &signature))
        fault = "cannot_sign";
    if (!fault) {
        buffer_append(out, prefix);
        sign_append_b(buffer_span(&signature), out);
    }
    buffer_fini(&draft);
    buffer_fini(&signature);
    return fault ? fault : out->failed ? "no_memory" : NULL;
}
