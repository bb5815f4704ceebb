/*
 * From selector._domainkey.domain to the keys that may verify a signature (RFC 6376 3.6.2, 6.1.2).
 *
 * No record is a permanent error, no answer a temporary one (DV-30). Of several records those that
 * look like keys are tried, MAX_SIGNATURE_KEYS of them (DV-31); a wildcard's SPF text is skipped.
 */
#include "dkim/key_record.h"

#include "dkim/signature_value.h"

static void refuse(struct dkim_keys *keys, enum result result, const char *reason)
{
    keys->result = result;
    keys->reason = reason;
}

static const struct
{
    const char *from;
    const char *to;
} failures[] = {
    {"timeout", "dns_timeout"},
    {"servfail", "dns_servfail"},
    {"refused", "dns_refused"},
    {"formerr", "dns_formerr"},
    {"notimp", "dns_notimp"},
    {"error_code", "dns_error_code"},
    {"bogus", "dns_bogus"},
    {"truncated", "dns_truncated"},
    {"malformed", "dns_malformed"},
    {"cname_loop", "dns_cname_loop"},
    {"resolver_error", "dns_resolver_error"},
};

static const char *failure_reason(const char *reason)
{
    if (!reason)
        return "dns_error";
    for (size_t i = 0; i < COUNT_OF(failures); i++)
        if (strcmp(failures[i].from, reason) == 0)
            return failures[i].to;
    return reason;
}

/* Keeps a record that looks like a key; the first one speaks for all where none may be used. */
static void keep_record(struct dkim_keys *keys, const struct dkim_key_record *record,
                        const struct dkim_signature *signature)
{
    struct dkim_key_record *kept = &keys->records[keys->count];
    *kept = *record;
    if (!kept->reason)
        kept->reason = dkim_key_record_misfit(kept, signature);
    if (keys->count == 0) {
        keys->testing = kept->testing;
        keys->bits = kept->bits;
        keys->reason = kept->reason;
    }
    keys->usable += kept->reason == NULL;
    keys->count++;
    if (kept->reason == dkim_word_no_memory)
        refuse(keys, RESULT_TEMPERROR, kept->reason);
}

static const struct dkim_prepared *prepared_of(const struct dns_answer *answer)
{
    const struct dns_prepared *prepared = answer->prepared;
    if (!prepared || prepared->kind != DNS_PREPARED_DKIM)
        return NULL;
    return (const struct dkim_prepared *)(const void *)prepared;
}

static const struct dkim_key_record *prepared_record(const struct dkim_prepared *prepared,
                                                     uint32_t at, struct limit_hits *hits)
{
    assert(at < prepared->count);
    limit_hit_over(hits, prepared->records[at].over);
    return &prepared->records[at];
}

static void read_records(const struct dkim_signature *signature, const struct dns_answer *answer,
                         struct limit_hits *hits, struct dkim_keys *keys)
{
    const struct dkim_prepared *prepared = prepared_of(answer);
    const char *other = NULL; /* why the first record is no key record */
    keys->borrowed = prepared != NULL;
    for (uint32_t i = 0; i < answer->count; i++) {
        struct dkim_key_record parsed;
        const struct dkim_key_record *record = &parsed;
        if (keys->count == MAX_SIGNATURE_KEYS) {
            limit_hit(hits, LIMIT_SIGNATURE_KEYS);
            break;
        }
        if (prepared)
            record = prepared_record(prepared, i, hits);
        else
            dkim_key_record_parse(answer->records[i].text, hits, &parsed);
        if (record->is_key_record)
            keep_record(keys, record, signature);
        else if (!other)
            other = record->reason;
    }
    if (keys->result == RESULT_TEMPERROR)
        keys->usable = 0; /* a key that could not be tried might have been the one */
    else if (keys->count == 0)
        refuse(keys, RESULT_PERMERROR, other ? other : "no_key");
    else if (keys->usable == 0)
        refuse(keys, RESULT_PERMERROR, keys->reason);
    else
        keys->reason = NULL;
}

/* Once more: what is over a limit was counted the first time. */
static void read_again(const struct dkim_signature *signature, const struct dns_answer *answer,
                       struct dkim_keys *keys)
{
    struct limit_hits known = {.set = 0};
    read_records(signature, answer, &known, keys);
}

enum judge dkim_keys_fetch(const struct dkim_signature *signature, struct dns_answers *answers,
                           struct limit_hits *hits, struct dkim_keys *keys)
{
    dkim_keys_forget(keys);
    const struct dns_answer *answer = dns_lookup(answers, &signature->key_name, DNS_TXT);
    if (!answer)
        return JUDGE_WAITING;
    switch (answer->outcome) {
    case DNS_ANSWER:
        if (keys->counted)
            read_again(signature, answer, keys);
        else
            read_records(signature, answer, hits, keys);
        keys->counted = true;
        break;
    case DNS_NXDOMAIN:
    case DNS_EMPTY:
        refuse(keys, RESULT_PERMERROR, "no_key");
        break;
    case DNS_UNANSWERED:
    case DNS_TEMPFAIL:
        refuse(keys, RESULT_TEMPERROR, failure_reason(answer->reason));
        break;
    }
    return JUDGE_DONE;
}

void dkim_keys_fini(struct dkim_keys *keys)
{
    for (uint32_t i = 0; !keys->borrowed && i < keys->count; i++)
        dkim_key_record_fini(&keys->records[i]);
    keys->count = 0;
    keys->usable = 0;
}

void dkim_keys_forget(struct dkim_keys *keys)
{
    dkim_keys_fini(keys);
    keys->result = RESULT_UNSET;
    keys->reason = NULL;
    keys->bits = 0;
    keys->testing = keys->borrowed = false;
}

void dkim_keys_hold(struct dkim_keys *keys)
{
    for (uint32_t i = 0; keys->borrowed && i < keys->count; i++)
        if (keys->records[i].key)
            (void)public_key_ref(keys->records[i].key);
    keys->borrowed = false;
}

static void release_prepared(const struct dns_prepared *base)
{
    const struct dkim_prepared *prepared = (const struct dkim_prepared *)(const void *)base;
    for (uint32_t i = 0; i < prepared->count; i++) {
        struct public_key *key = prepared->records[i].key;
        public_key_unref(&key);
    }
}

/* Up to and with the record at which read_records() stops; false without memory. */
static bool parse_all(const struct dns_answer *answer, struct dkim_key_record *records,
                      struct dkim_prepared *prepared)
{
    struct limit_hits nobodys = {.set = 0};
    uint32_t keys = 0;
    for (uint32_t i = 0; i < answer->count && keys < MAX_SIGNATURE_KEYS; i++) {
        dkim_key_record_parse(answer->records[i].text, &nobodys, &records[i]);
        prepared->count++;
        keys += records[i].is_key_record;
        if (records[i].key)
            prepared->base.outside_bytes += (uint32_t)public_key_bytes(records[i].key);
        if (records[i].reason == dkim_word_no_memory)
            return false;
    }
    return true;
}

const struct dns_prepared *dkim_keys_prepare(const struct dns_answer *answer, struct arena *arena)
{
    struct dkim_prepared *prepared = ARENA_NEW(arena, struct dkim_prepared);
    struct dkim_key_record *records = ARENA_ARRAY(arena, answer->count, struct dkim_key_record);
    if (!prepared || !records)
        return NULL;
    *prepared = (struct dkim_prepared){
        .base = {.kind = DNS_PREPARED_DKIM, .release = release_prepared},
        .records = records,
    };
    if (parse_all(answer, records, prepared))
        return &prepared->base;
    release_prepared(&prepared->base);
    return NULL;
}
