/* DS-8: what a verifier would find, before it finds it. */
#include "published.h"

#include "dkim/key_record.h"

static const struct
{
    const char *word, *text;
} texts[] = {
    {"no_record", "there is no TXT record"},
    {"bad_key_record", "the TXT record is no key record"},
    {"bad_key_data", "p= is no base64"},
    {"unknown_key_version", "v= is not DKIM1, or not the first tag"},
    {"unknown_key_type", "k= is neither rsa nor ed25519"},
    {"key_service", "s= does not allow mail"},
    {"key_hash", "h= does not allow sha256"},
    {"revoked", "the key is revoked: p= is empty"},
    {"key_bad_encoding", "p= holds no public key"},
    {"key_too_small", "the key has less than 1024 bits: verifiers refuse it (RFC 8301)"},
    {"key_too_large", "the key has more than 8192 bits"},
    {"key_record_too_long", "the record is over 4 KiB"},
    {"key_mismatch", "the published key is not that of the private key"},
    {"dns_timeout", "no answer from the DNS"},
    {"testing", "testing (t=y): receivers treat its mail as not signed"},
    {"several_records", "several TXT records: receivers may try another one"},
    {"short_key", "less than 2048 bits (RFC 8301 recommends 2048)"},
};

const char *published_text(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (strcmp(texts[i].word, word) == 0)
            return texts[i].text;
    return word;
}

static void warn(struct published *published, const char *word)
{
    published->warnings[published->warning_count++] = word;
}

static void keep_record(struct published *published, const struct dkim_key_record *record,
                        struct span text)
{
    published->has_record = true;
    published->type = record->type;
    published->bits = record->bits;
    published->testing = record->testing;
    published->no_subdomains = record->no_subdomains;
    published->text = text;
    published->problem = record->reason;
    if (!published->problem && !record->hash_sha256)
        published->problem = "key_hash";
}

/* The first key record counts, until one matches. */
static void read_record(struct published *published, struct span text,
                        const struct private_key *key)
{
    struct limit_hits hits = {.set = 0};
    struct dkim_key_record record;
    dkim_key_record_parse(text, &hits, &record);
    bool matches = key && record.key && private_key_matches(key, record.key);
    bool better = record.is_key_record && !published->has_record;
    if (better || (matches && !published->matches))
        keep_record(published, &record, text);
    if (!published->has_record && !published->problem) {
        published->problem = record.reason;
        published->text = text;
    }
    published->matches |= matches;
    dkim_key_record_fini(&record);
}

static void read_records(struct published *published, const struct dns_answer *answer,
                         const struct private_key *key)
{
    published->records = answer->count;
    published->ttl = answer->ttl;
    for (uint32_t i = 0; i < answer->count; i++)
        read_record(published, answer->records[i].text, key);
    if (!published->problem && key && !published->matches)
        published->problem = "key_mismatch";
    published->compared = key && published->has_record;
    published->status = published->problem ? STATUS_PROBLEM : STATUS_OK;
    if (published->has_record && published->testing)
        warn(published, "testing");
    if (published->records > 1)
        warn(published, "several_records");
    if (published->type == KEY_RSA && published->bits && published->bits < 2048)
        warn(published, "short_key");
}

static const struct dns_answer *ask(struct assay_engine *engine, const struct dns_name *name,
                                    struct dns_answers *answers)
{
    int64_t deadline_ms = engine_clock_ms() + engine->timeout_ms;
    const struct dns_answer *answer = dns_lookup(answers, name, DNS_TXT);
    if (answer)
        return answer;
    dns_source_resolve(engine->source, answers, deadline_ms);
    return dns_lookup(answers, name, DNS_TXT);
}

static void fail(struct published *published, enum exit_status status, const char *problem)
{
    published->status = status;
    published->problem = problem;
}

static const char *failure_word(const char *reason)
{
    if (reason && strcmp(reason, "timeout") == 0)
        return "dns_timeout";
    return reason ? reason : "dns_error";
}

void published_look_up(struct assay_engine *engine, const struct dns_name *name,
                       const struct private_key *key, struct arena *arena,
                       struct published *published)
{
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    *published = (struct published){.name = *name};
    dns_answers_init(&answers, arena, &hits);
    const struct dns_answer *answer = ask(engine, name, &answers);
    if (!answer) {
        fail(published, STATUS_UNAVAILABLE, "no_memory");
        return;
    }
    switch (answer->outcome) {
    case DNS_ANSWER:
        read_records(published, answer, key);
        break;
    case DNS_EMPTY:
    case DNS_NXDOMAIN:
        fail(published, STATUS_PROBLEM, "no_record");
        break;
    case DNS_UNANSWERED:
    case DNS_TEMPFAIL:
        fail(published, STATUS_UNAVAILABLE, failure_word(answer->reason));
        break;
    }
}
