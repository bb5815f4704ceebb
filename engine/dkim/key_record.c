/*
 * RFC 6376 section 3.6.1 with RFC 8301 and 8463: the text of one record.
 *
 * Limits: KEY_RECORD_BYTES and TAGS for the record, P_CHARS for p=; the key itself is checked by
 * crypto/key.h. Unknown tags and flags are ignored (DV-41); g= was dropped by RFC 6376.
 *
 * BUGS: n= is not kept. bits of a key that was refused for its size are not known.
 */
#include "dkim/key_record.h"

#include "base/base64.h"
#include "dkim/signature_value.h"

static struct span tag_value(const struct taglist *list, struct span name, struct span absent)
{
    const struct tag *tag = taglist_find(list, name);
    return tag ? tag->value : absent;
}

/* key-v-tag: first, and exactly DKIM1, where it is there at all (DV-32, 13.23) */
static bool version_fits(const struct taglist *list)
{
    const struct tag *version = taglist_find(list, SPAN("v"));
    if (!version)
        return true;
    return version == &list->tags[0] && span_equal(version->value, SPAN("DKIM1"));
}

/* key-k-tag, default rsa (DV-34) */
static bool read_type(struct span value, enum key_type *type)
{
    if (span_equal(value, SPAN("rsa")))
        *type = KEY_RSA;
    else if (span_equal(value, SPAN("ed25519")))
        *type = KEY_ED25519;
    else
        return false;
    return true;
}

static enum key_error make_key(enum key_type type, struct span bytes, struct public_key **key)
{
    return type == KEY_RSA ? public_key_from_rsa(bytes, key) : public_key_from_ed25519(bytes, key);
}

static const char *key_refused(enum key_error error, struct limit_hits *hits)
{
    if (error == KEY_NO_MEMORY)
        return dkim_word_no_memory;
    if (error == KEY_TOO_SMALL)
        limit_hit(hits, LIMIT_RSA_BITS_MIN);
    if (error == KEY_TOO_LARGE)
        limit_hit(hits, LIMIT_RSA_BITS_MAX);
    return key_error_word(error);
}

/* key-p-tag = base64string of DER (RSA, DV-35) or of 32 bytes (Ed25519, DV-36) */
static const char *read_key(struct span value, struct limit_hits *hits,
                            struct dkim_key_record *record)
{
    uint8_t bytes[BASE64_DECODED_MAX(MAX_P_CHARS)];
    size_t n;
    if (value.n > MAX_P_CHARS && base64_count(value) > MAX_P_CHARS) {
        limit_hit(hits, LIMIT_P_CHARS);
        return limit_word(LIMIT_P_CHARS);
    }
    if (!base64_decode(value, bytes, sizeof bytes, &n))
        return "bad_key_data";
    enum key_error error = make_key(record->type, span_of(bytes, n), &record->key);
    if (error)
        return key_refused(error, hits);
    record->bits = public_key_bits(record->key);
    return NULL;
}

static const char *read_record(struct span text, struct limit_hits *hits,
                               struct dkim_key_record *record)
{
    struct taglist list;
    if (text.n > MAX_KEY_RECORD_BYTES) {
        limit_hit(hits, LIMIT_KEY_RECORD_BYTES);
        return limit_word(LIMIT_KEY_RECORD_BYTES);
    }
    if (!taglist_parse(text, TAGLIST_STRICT, &list))
        return "bad_key_record"; /* also a duplicate tag (C08) */
    const struct tag *p = taglist_find(&list, SPAN("p"));
    if (!p)
        return "bad_key_record";
    record->is_key_record = true;
    struct span flags = tag_value(&list, SPAN("t"), SPAN(""));
    record->testing = dkim_list_holds(flags, SPAN("y"));       /* DV-40 */
    record->no_subdomains = dkim_list_holds(flags, SPAN("s")); /* DV-40 */
    struct span hashes = tag_value(&list, SPAN("h"), SPAN("sha256"));
    record->hash_sha256 = dkim_list_holds(hashes, SPAN("sha256")); /* DV-38 */
    if (!version_fits(&list))
        return "unknown_key_version";
    struct span services = tag_value(&list, SPAN("s"), SPAN("*"));
    if (!dkim_list_holds(services, SPAN("*")) && !dkim_list_holds(services, SPAN("email")))
        return "key_service"; /* DV-39 */
    if (!read_type(tag_value(&list, SPAN("k"), SPAN("rsa")), &record->type))
        return "unknown_key_type";
    if (p->value.n == 0)
        return "revoked"; /* DV-33 */
    return read_key(p->value, hits, record);
}

void dkim_key_record_parse(struct span text, struct limit_hits *hits,
                           struct dkim_key_record *record)
{
    struct limit_hits counted = {.set = 0};
    *record = (struct dkim_key_record){.reason = NULL};
    record->reason = read_record(text, &counted, record);
    record->over = (uint8_t)limit_over(&counted);
    limit_hit_over(hits, record->over);
}

void dkim_key_record_fini(struct dkim_key_record *record)
{
    public_key_unref(&record->key);
}

static enum key_type type_wanted(enum dkim_algorithm algorithm)
{
    return algorithm == DKIM_ED25519_SHA256 ? KEY_ED25519 : KEY_RSA;
}

const char *dkim_key_record_misfit(const struct dkim_key_record *record,
                                   const struct dkim_signature *signature)
{
    if (record->type != type_wanted(signature->algorithm))
        return "key_type_mismatch"; /* DV-34, C09 */
    if (!record->hash_sha256)
        return "key_hash"; /* DV-38 */
    if (record->no_subdomains && signature->identity_below)
        return "subdomain_forbidden"; /* DV-40, C07 */
    return NULL;
}
