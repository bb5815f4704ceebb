/*
 * DKIM-Signature, ARC-Message-Signature and ARC-Seal by one table of tags.
 *
 * The first error in the order of the table is the signature's reason; later tags are still read,
 * for display. Unknown tags are ignored (DV-5), z= with them: it is diagnostic only (DV-19, C14).
 *
 * BUGS: r= (RFC 6651) is ignored.
 */
#include "dkim/signature.h"

#include "dkim/signature_value.h"

enum
{
    DKIM = 1 << DKIM_SIGNATURE,
    AMS = 1 << DKIM_ARC_MESSAGE_SIGNATURE,
    SEAL = 1 << DKIM_ARC_SEAL,
};

/* The tags that are read. */
enum known
{
    KNOWN_NONE, /* all others */
    KNOWN_A,
    KNOWN_B,
    KNOWN_BH,
    KNOWN_C,
    KNOWN_CV,
    KNOWN_D,
    KNOWN_H,
    KNOWN_I,
    KNOWN_L,
    KNOWN_Q,
    KNOWN_S,
    KNOWN_T,
    KNOWN_V,
    KNOWN_X,
    KNOWN_COUNT,
};

/* Those of one letter, by it. */
static const uint8_t by_letter['z' + 1] = {
    ['a'] = KNOWN_A, ['b'] = KNOWN_B, ['c'] = KNOWN_C, ['d'] = KNOWN_D,
    ['h'] = KNOWN_H, ['i'] = KNOWN_I, ['l'] = KNOWN_L, ['q'] = KNOWN_Q,
    ['s'] = KNOWN_S, ['t'] = KNOWN_T, ['v'] = KNOWN_V, ['x'] = KNOWN_X,
};

/* A name of two letters as taglist_key() has it. */
#define TWO_LETTERS(first, second) ((uint32_t)(first) | (uint32_t)(second) << 8)

/* `key`: taglist_key() of a tag's name. */
static enum known known_of(uint32_t key)
{
    if (key < COUNT_OF(by_letter))
        return (enum known)by_letter[key];
    if (key == TWO_LETTERS('b', 'h'))
        return KNOWN_BH;
    return key == TWO_LETTERS('c', 'v') ? KNOWN_CV : KNOWN_NONE;
}

/* A list's tags by what they are; NULL where there is none. */
struct tags
{
    const struct tag *known[KNOWN_COUNT]; /* borrowed */
};

static void tags_sort(const struct taglist *list, struct tags *tags)
{
    memset(tags, 0, sizeof *tags);
    for (uint32_t i = 0; i < list->count; i++)
        tags->known[known_of(list->tags[i].key)] = &list->tags[i];
}

static const struct rule
{
    enum known name;
    unsigned required; /* kinds */
    unsigned allowed;
    unsigned forbidden;
    dkim_value_reader *read; /* NULL: presence is all that matters */
    const char *reason;      /* of a tag that misses or must not be there */
} rules[] = {
    /* RFC 6376 3.5, RFC 8617 4.1.2 and 4.1.3; d before i, t before x */
    {KNOWN_V, DKIM, 0, 0, dkim_read_version, "missing_tag_v"},
    {KNOWN_I, AMS | SEAL, 0, 0, dkim_read_instance, "missing_tag_i"},
    {KNOWN_A, DKIM | AMS | SEAL, 0, 0, dkim_read_algorithm, "missing_tag_a"},
    {KNOWN_D, DKIM | AMS | SEAL, 0, 0, dkim_read_domain, "missing_tag_d"},
    {KNOWN_S, DKIM | AMS | SEAL, 0, 0, dkim_read_selector, "missing_tag_s"},
    {KNOWN_H, DKIM | AMS, 0, 0, dkim_read_fields, "missing_tag_h"},
    {KNOWN_H, 0, 0, SEAL, NULL, "forbidden_tag_h"}, /* AV-11 */
    {KNOWN_BH, DKIM | AMS, 0, 0, dkim_read_body_hash, "missing_tag_bh"},
    {KNOWN_B, DKIM | AMS | SEAL, 0, 0, dkim_read_signature, "missing_tag_b"},
    {KNOWN_C, 0, DKIM | AMS, 0, dkim_read_canonicalization, NULL},
    {KNOWN_Q, 0, DKIM | AMS, 0, dkim_read_query, NULL},
    {KNOWN_I, 0, DKIM, 0, dkim_read_identity, NULL},
    {KNOWN_L, 0, DKIM | AMS, 0, dkim_read_length, NULL},
    {KNOWN_T, 0, DKIM | AMS | SEAL, 0, dkim_read_time, NULL},
    {KNOWN_X, 0, DKIM | AMS, 0, dkim_read_expiration, NULL},
    {KNOWN_CV, SEAL, 0, 0, dkim_read_chain_value, "missing_tag_cv"},
};

/* The first reason stays. */
static void refuse(struct dkim_signature *signature, const char *reason, uint32_t at)
{
    if (signature->result != RESULT_UNSET)
        return;
    signature->result = reason == dkim_word_no_memory ? RESULT_TEMPERROR : RESULT_PERMERROR;
    signature->reason = reason;
    signature->reason_at = at;
}

static void apply_rule(const struct rule *rule, const struct tag *tag, unsigned kind,
                       struct dkim_reading *reading)
{
    struct dkim_signature *signature = reading->signature;
    if (!((rule->required | rule->allowed | rule->forbidden) & kind))
        return;
    if (!tag && (rule->required & kind))
        refuse(signature, rule->reason, 0);
    if (!tag)
        return;
    const char *reason = rule->forbidden & kind ? rule->reason : rule->read(reading, tag->value);
    if (reason)
        refuse(signature, reason, tag->begin);
}

/* The name to ask for must exist before anybody asks: 253 octets in text (DV-13). */
static void make_key_name(struct dkim_signature *signature)
{
    struct dns_name *name = &signature->key_name;
    if (signature->domain.length == 0 || signature->selector.length == 0)
        return; /* refused before */
    if (dns_name_prepend(name, "_domainkey", &signature->domain) == DNS_NAME_OK &&
        dns_name_join(name, &signature->selector, name) == DNS_NAME_OK)
        return;
    name->length = name->labels = 0;
    refuse(signature, "key_name_too_long", 0);
}

static void count_list_limit(enum taglist_error error, struct limit_hits *hits)
{
    if (error == TAGLIST_TOO_LONG)
        limit_hit(hits, LIMIT_TAG_LIST_BYTES);
    if (error == TAGLIST_TOO_MANY)
        limit_hit(hits, LIMIT_TAGS);
}

static void signature_clear(struct dkim_signature *signature, enum dkim_kind kind,
                            const struct mail_field *field)
{
    memset(signature, 0, offsetof(struct dkim_signature, domain));
    signature->kind = kind;
    signature->field = field;
    signature->domain.length = signature->domain.labels = 0;
    signature->selector.length = signature->selector.labels = 0;
    signature->key_name.length = signature->key_name.labels = 0;
}

void dkim_signature_parse(const struct mail_field *field, enum dkim_kind kind, struct arena *arena,
                          struct limit_hits *hits, struct name_lists *lists,
                          struct dkim_signature *signature)
{
    signature_clear(signature, kind, field);
    if (kind == DKIM_ARC_SEAL)
        signature->header_canon = CANON_RELAXED; /* AV-9 */
    struct taglist list;
    struct tags tags;
    if (!taglist_parse(field->value, TAGLIST_STRICT, &list)) {
        count_list_limit(list.error, hits);
        refuse(signature, taglist_error_word(list.error), list.error_at);
        return;
    }
    struct dkim_reading reading = {signature, arena, hits, lists};
    tags_sort(&list, &tags);
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        apply_rule(&rules[i], tags.known[rules[i].name], 1U << kind, &reading);
    const struct tag *b = tags.known[KNOWN_B];
    if (b) /* DV-22, C15: cut where the tag list found it */
        signature->b_value = span_slice(field->value, b->begin, b->end);
    make_key_name(signature);
}

void dkim_signature_check_time(struct dkim_signature *signature, int64_t now,
                               struct limit_hits *hits)
{
    uint64_t time = now < 0 ? 0 : (uint64_t)now;
    if (signature->result != RESULT_UNSET)
        return;
    if (signature->has_x && time > signature->x) {
        signature->result = RESULT_FAIL;
        signature->reason = "expired";
    } else if (signature->has_t && signature->t > time + MAX_TIME_SKEW_SECONDS) {
        limit_hit(hits, LIMIT_TIME_SKEW_SECONDS);
        signature->result = RESULT_FAIL;
        signature->reason = "future";
    }
}

static const char *const algorithm_words[] = {
    [DKIM_ALGORITHM_UNSET] = "unknown",       [DKIM_RSA_SHA256] = "rsa-sha256",
    [DKIM_ED25519_SHA256] = "ed25519-sha256", [DKIM_RSA_SHA1] = "rsa-sha1",
    [DKIM_ALGORITHM_UNKNOWN] = "unknown",
};

const char *dkim_algorithm_word(enum dkim_algorithm algorithm)
{
    assert((size_t)algorithm < COUNT_OF(algorithm_words));
    return algorithm_words[algorithm];
}
