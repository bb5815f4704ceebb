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

/* A name of one or two letters as taglist_key has it. */
#define TAG(first, second) ((uint32_t)(first) | (uint32_t)(second) << 8)

static const struct rule
{
    uint32_t name;     /* TAG() */
    unsigned required; /* kinds */
    unsigned allowed;
    unsigned forbidden;
    dkim_value_reader *read; /* NULL: presence is all that matters */
    const char *reason;      /* of a tag that misses or must not be there */
} rules[] = {
    /* RFC 6376 3.5, RFC 8617 4.1.2 and 4.1.3; d before i, t before x */
    {TAG('v', 0), DKIM, 0, 0, dkim_read_version, "missing_tag_v"},
    {TAG('i', 0), AMS | SEAL, 0, 0, dkim_read_instance, "missing_tag_i"},
    {TAG('a', 0), DKIM | AMS | SEAL, 0, 0, dkim_read_algorithm, "missing_tag_a"},
    {TAG('d', 0), DKIM | AMS | SEAL, 0, 0, dkim_read_domain, "missing_tag_d"},
    {TAG('s', 0), DKIM | AMS | SEAL, 0, 0, dkim_read_selector, "missing_tag_s"},
    {TAG('h', 0), DKIM | AMS, 0, 0, dkim_read_fields, "missing_tag_h"},
    {TAG('h', 0), 0, 0, SEAL, NULL, "forbidden_tag_h"}, /* AV-11 */
    {TAG('b', 'h'), DKIM | AMS, 0, 0, dkim_read_body_hash, "missing_tag_bh"},
    {TAG('b', 0), DKIM | AMS | SEAL, 0, 0, dkim_read_signature, "missing_tag_b"},
    {TAG('c', 0), 0, DKIM | AMS, 0, dkim_read_canonicalization, NULL},
    {TAG('q', 0), 0, DKIM | AMS, 0, dkim_read_query, NULL},
    {TAG('i', 0), 0, DKIM, 0, dkim_read_identity, NULL},
    {TAG('l', 0), 0, DKIM | AMS, 0, dkim_read_length, NULL},
    {TAG('t', 0), 0, DKIM | AMS | SEAL, 0, dkim_read_time, NULL},
    {TAG('x', 0), 0, DKIM | AMS, 0, dkim_read_expiration, NULL},
    {TAG('c', 'v'), SEAL, 0, 0, dkim_read_chain_value, "missing_tag_cv"},
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

static void apply_rule(const struct rule *rule, const struct taglist *list,
                       struct dkim_reading *reading)
{
    struct dkim_signature *signature = reading->signature;
    unsigned kind = 1U << signature->kind;
    if (!((rule->required | rule->allowed | rule->forbidden) & kind))
        return;
    const struct tag *tag = taglist_find_key(list, rule->name);
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

void dkim_signature_parse(const struct mail_field *field, enum dkim_kind kind, struct arena *arena,
                          struct limit_hits *hits, struct dkim_signature *signature)
{
    *signature = (struct dkim_signature){.kind = kind, .field = field};
    if (kind == DKIM_ARC_SEAL)
        signature->header_canon = CANON_RELAXED; /* AV-9 */
    struct taglist list;
    if (!taglist_parse(field->value, TAGLIST_STRICT, &list)) {
        count_list_limit(list.error, hits);
        refuse(signature, taglist_error_word(list.error), list.error_at);
        return;
    }
    struct dkim_reading reading = {signature, arena, hits};
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        apply_rule(&rules[i], &list, &reading);
    const struct tag *b = taglist_find_key(&list, taglist_key(SPAN("b")));
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
