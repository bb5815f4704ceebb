#include "support/fake_dns.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum entry_kind
{
    ENTRY_RECORD,
    ENTRY_NAME,
    ENTRY_FAILURE,
};

struct entry
{
    enum entry_kind kind;
    struct dns_name owner;
    enum dns_type type;
    struct dns_record record;
    const char *reason;
};

struct fake_dns
{
    struct dns_source source; /* first: the source is the fake */
    struct entry *entries;
    size_t count;
};

static struct fake_dns *fake_of(struct dns_source *source)
{
    return (struct fake_dns *)source;
}

/* The records of (name, type) into `records`; what came of it. */
static struct dns_answer look_up(const struct fake_dns *fake, const struct dns_name *name,
                                 enum dns_type type, struct dns_record *records)
{
    struct dns_answer answer = {.outcome = DNS_NXDOMAIN, .records = records};
    for (size_t i = 0; i < fake->count; i++) {
        const struct entry *entry = &fake->entries[i];
        if (!dns_name_is_at_or_below(&entry->owner, name))
            continue;
        if (answer.outcome == DNS_NXDOMAIN)
            answer.outcome = DNS_EMPTY; /* it exists, or something below it does */
        if (!dns_name_equal(&entry->owner, name))
            continue;
        if (entry->kind == ENTRY_FAILURE && answer.count == 0)
            return (struct dns_answer){.outcome = DNS_TEMPFAIL, .reason = entry->reason};
        if (entry->kind != ENTRY_RECORD || entry->type != type)
            continue;
        answer.outcome = DNS_ANSWER;
        records[answer.count++] = entry->record;
    }
    return answer;
}

static struct dns_answer look_up_through_cnames(const struct fake_dns *fake, struct dns_name name,
                                                enum dns_type type, struct dns_record *records)
{
    for (int links = 0; links <= MAX_DNS_CNAMES; links++) {
        struct dns_answer cname = look_up(fake, &name, DNS_CNAME, records);
        if (cname.outcome != DNS_ANSWER)
            return look_up(fake, &name, type, records);
        name = records[0].name;
    }
    return (struct dns_answer){.outcome = DNS_TEMPFAIL, .reason = "cname_loop"};
}

static void resolve(struct dns_source *source, struct dns_answers *answers, int64_t deadline_ms)
{
    struct fake_dns *fake = fake_of(source);
    struct dns_record *records = calloc(fake->count + 1, sizeof *records);
    (void)deadline_ms;
    cr_assert(records != NULL);
    for (struct dns_question *q = answers->first; q; q = q->next) {
        if (q->answer.outcome)
            continue;
        struct dns_answer answer = look_up_through_cnames(fake, q->name, q->type, records);
        dns_answers_put(answers, q, &answer);
    }
    free(records);
}

static void release(struct dns_source *source)
{
    free(fake_of(source)->entries);
    free(source);
}

struct dns_source *fake_dns_new(void)
{
    static const struct dns_source_ops ops = {resolve, release};
    struct fake_dns *fake = calloc(1, sizeof *fake);
    cr_assert(fake != NULL);
    fake->source.ops = &ops;
    return &fake->source;
}

static struct entry *entry_new(struct dns_source *source, struct span owner, enum entry_kind kind)
{
    struct fake_dns *fake = fake_of(source);
    fake->entries = realloc(fake->entries, (fake->count + 1) * sizeof *fake->entries);
    cr_assert(fake->entries != NULL);
    struct entry *entry = &fake->entries[fake->count++];
    *entry = (struct entry){.kind = kind};
    enum dns_name_error error = dns_name_from_raw(&entry->owner, owner);
    cr_assert(error == DNS_NAME_OK, "\"%.*s\": %s", (int)owner.n, (const char *)owner.p,
              dns_name_error_word(error));
    return entry;
}

void fake_dns_add(struct dns_source *source, struct span owner, enum dns_type type,
                  const struct dns_record *record)
{
    struct entry *entry = entry_new(source, owner, ENTRY_RECORD);
    entry->type = type;
    entry->record = *record;
}

void fake_dns_add_name(struct dns_source *source, struct span owner)
{
    (void)entry_new(source, owner, ENTRY_NAME);
}

void fake_dns_add_failure(struct dns_source *source, struct span owner, const char *reason)
{
    entry_new(source, owner, ENTRY_FAILURE)->reason = reason;
}
