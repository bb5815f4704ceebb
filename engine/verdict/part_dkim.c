/* The dkim array: one object for each signature that was looked at, top of the message first. */
#include "verdict/method.h"
#include "verdict/part.h"

static void write_canonicalization(struct jsonw *json, const struct dkim_signature *signature)
{
    static const char *const words[2][2] = {
        [CANON_SIMPLE] = {[CANON_SIMPLE] = "simple/simple", [CANON_RELAXED] = "simple/relaxed"},
        [CANON_RELAXED] = {[CANON_SIMPLE] = "relaxed/simple", [CANON_RELAXED] = "relaxed/relaxed"},
    };
    jsonw_string(json, "canonicalization", words[signature->header_canon][signature->body_canon]);
}

/* i= as written; RFC 6376 3.5: "@" followed by the domain where the tag is absent. */
static void write_identity(struct jsonw *json, const struct dkim_signature *signature)
{
    char text[1 + DNS_NAME_TEXT_MAX];
    if (signature->identity.n || !signature->domain.length) {
        part_text(json, "identity", signature->identity);
        return;
    }
    text[0] = '@';
    dns_name_text(&signature->domain, text + 1);
    jsonw_string(json, "identity", text);
}

/* Only a signature that DMARC was given as an identifier can have aligned (DP-29). */
static bool is_aligned(const struct dkim_verified *verified, const struct dmarc_judgement *dmarc)
{
    uint32_t identifier = verified->dmarc_identifier;
    if (!dmarc || !dmarc->dkim_alignment || verified->result != RESULT_PASS)
        return false;
    return identifier > 0 && identifier <= dmarc->dkim_count &&
           dmarc->dkim_alignment[identifier - 1];
}

static void write_optional_uint(struct jsonw *json, const char *key, bool known, uint64_t value)
{
    if (known)
        jsonw_uint(json, key, value);
    else
        jsonw_null(json, key);
}

/* The first half of the SHA-256 of b= decoded: what counts copies of one signed message (C12). */
static void write_fingerprint(struct jsonw *json, const struct dkim_signature *signature)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t hash[SHA256_BYTES];
    char text[SHA256_BYTES];
    if (signature->signature.n == 0) {
        jsonw_null(json, "fingerprint");
        return;
    }
    sha256_of(signature->signature, hash);
    for (size_t i = 0; i < SHA256_BYTES / 2; i++) {
        text[2 * i] = hex[hash[i] >> 4];
        text[2 * i + 1] = hex[hash[i] & 15];
    }
    jsonw_span(json, "fingerprint", span_of((const uint8_t *)text, sizeof text));
}

static void write_signed_fields(struct jsonw *json, const struct dkim_signature *signature)
{
    jsonw_array_open(json, "signed_fields");
    for (uint32_t i = 0; signature->items && i < signature->item_count; i++)
        jsonw_span(json, NULL, signature->items[i]);
    jsonw_array_close(json);
}

static void write_unsigned_fields(struct jsonw *json, const struct dkim_verified *verified)
{
    jsonw_array_open(json, "unsigned_fields");
    for (uint32_t i = 0; verified->unsigned_fields && i < verified->unsigned_field_count; i++)
        jsonw_string(json, NULL, verified->unsigned_fields[i]);
    jsonw_array_close(json);
}

/* Keys beyond the contract of the command line: what was signed, what was not, and why. */
static void write_evidence(struct jsonw *json, const struct dkim_verified *verified)
{
    const struct dkim_signature *signature = &verified->signature;
    jsonw_bool(json, "skipped", verified->skipped);
    jsonw_bool(json, "usable_for_dmarc", verified->usable_for_dmarc);
    if (verified->body_hash >= 0 && !verified->skipped)
        jsonw_bool(json, "body_hash_matches", verified->body_hash_matches);
    else
        jsonw_null(json, "body_hash_matches");
    write_optional_uint(json, "length", signature->has_l, signature->l);
    write_optional_uint(json, "signed_at", signature->has_t, signature->t);
    write_optional_uint(json, "expires", signature->has_x, signature->x);
    write_fingerprint(json, signature);
    write_signed_fields(json, signature);
    write_unsigned_fields(json, verified);
    write_optional_uint(json, "reason_at",
                        signature->result != RESULT_UNSET && signature->reason != NULL,
                        signature->reason_at);
}

static void write_body_bytes(struct jsonw *json, const struct dkim_verified *verified)
{
    jsonw_object_open(json, "body_bytes");
    jsonw_uint(json, "signed", verified->body_signed);
    jsonw_uint(json, "total", verified->body_total);
    jsonw_object_close(json);
}

static void write_signature(struct jsonw *json, const struct dkim_verified *verified,
                            const struct dmarc_judgement *dmarc)
{
    const struct dkim_signature *signature = &verified->signature;
    jsonw_object_open(json, NULL);
    jsonw_string(json, "result", verdict_method_word(METHOD_DKIM, verified->result));
    jsonw_name(json, "domain", &signature->domain);
    jsonw_name(json, "selector", &signature->selector);
    jsonw_string(json, "algorithm", dkim_algorithm_word(signature->algorithm));
    part_known_uint(json, "key_bits", verified->keys.bits);
    write_canonicalization(json, signature);
    write_identity(json, signature);
    jsonw_bool(json, "aligned", is_aligned(verified, dmarc));
    jsonw_bool(json, "testing", verified->keys.testing);
    jsonw_string(json, "reason", verified->reason);
    write_body_bytes(json, verified);
    write_evidence(json, verified);
    jsonw_object_close(json);
}

void part_dkim(struct jsonw *json, const char *key, const struct dkim_judgement *dkim,
               const struct dmarc_judgement *dmarc)
{
    jsonw_array_open(json, key);
    for (uint32_t i = 0; dkim && i < dkim->count; i++)
        write_signature(json, &dkim->verified[i], dmarc);
    jsonw_array_close(json);
}
