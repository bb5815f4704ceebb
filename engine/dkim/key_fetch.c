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

static void read_records(const struct dkim_signature *signature, const struct dns_answer *answer,
                         struct limit_hits *hits, struct dkim_keys *keys)
{
    const char *other = NULL; /* why the first record is no key record */
    for (uint32_t i = 0; i < answer->count; i++) {
        struct dkim_key_record record;
        if (keys->count == MAX_SIGNATURE_KEYS) {
            limit_hit(hits, LIMIT_SIGNATURE_KEYS);
            break;
        }
        dkim_key_record_parse(answer->records[i].text, hits, &record);
        if (record.is_key_record)
            keep_record(keys, &record, signature);
        else if (!other)
            other = record.reason;
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

enum judge dkim_keys_fetch(const struct dkim_signature *signature, struct dns_answers *answers,
                           struct limit_hits *hits, struct dkim_keys *keys)
{
    struct dns_name below;
    struct dns_name name;
    *keys = (struct dkim_keys){.result = RESULT_UNSET};
    if (dns_name_prepend(&below, "_domainkey", &signature->domain) != DNS_NAME_OK ||
        dns_name_join(&name, &signature->selector, &below) != DNS_NAME_OK) {
        refuse(keys, RESULT_PERMERROR, "key_name_too_long");
        return JUDGE_DONE;
    }
    const struct dns_answer *answer = dns_lookup(answers, &name, DNS_TXT);
    if (!answer)
        return JUDGE_WAITING;
    switch (answer->outcome) {
    case DNS_ANSWER:
        read_records(signature, answer, hits, keys);
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
    for (uint32_t i = 0; i < keys->count; i++)
        dkim_key_record_fini(&keys->records[i]);
    keys->count = 0;
    keys->usable = 0;
}
