#include "near_source.h"

#include <criterion/criterion.h>

#include "dkim/key_record.h"
#include "dmarc/record.h"
#include "spf/record.h"

/* The zone's answer as an object of its own. */
static struct dns_shared *answer_of(struct near_source *source, const struct dns_name *name,
                                    enum dns_type type)
{
    struct arena arena;
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    (void)!dns_lookup(&answers, name, type);
    dns_source_resolve(source->zone, &answers, INT64_MAX);
    const struct dns_answer *answer = dns_lookup(&answers, name, type);
    cr_assert(answer != NULL);
    struct dns_shared *shared = dns_shared_new(name, type, answer, source->prepare);
    cr_assert(shared != NULL);
    arena_fini(&arena);
    return shared;
}

static bool find(void *context, const struct dns_question *question, struct dns_answer *answer)
{
    struct near_source *source = context;
    source->finds++;
    if (source->miss_every && source->finds % source->miss_every == 0)
        return false;
    cr_assert(source->lent_count < NEAR_LENT_MAX);
    struct dns_shared *shared = answer_of(source, &question->name, question->type);
    source->lent_texts[source->lent_count] = question->type == DNS_TXT;
    source->lent[source->lent_count++] = shared;
    *answer = shared->answer;
    return true;
}

static bool may_renew(void *context, const struct dns_name *name, enum dns_type type)
{
    struct near_source *source = context;
    (void)name;
    (void)type;
    source->renewals++;
    return source->may_renew;
}

void near_source_init(struct near_source *source, struct dns_source *zone, dns_prepare *prepare)
{
    *source = (struct near_source){.zone = zone, .prepare = prepare};
    source->near = (struct dns_near){.find = find, .may_renew = may_renew, .context = source};
}

static void overwrite(const void *bytes, size_t n)
{
    memset((void *)(uintptr_t)bytes, 0xdb, n); /* lent as const, owned here */
}

/* All but the list of keys, which is needed to let go of them. */
static void poison(const struct dns_answer *answer, bool texts)
{
    const struct dns_prepared *prepared = answer->prepared;
    for (uint32_t i = 0; texts && i < answer->count; i++)
        overwrite(answer->records[i].text.p, answer->records[i].text.n);
    if (!prepared)
        return;
    if (prepared->kind == DNS_PREPARED_SPF)
        overwrite(prepared + 1, sizeof(struct spf_prepared) - sizeof *prepared);
    if (prepared->kind == DNS_PREPARED_DMARC)
        overwrite(prepared + 1, sizeof(struct dmarc_prepared) - sizeof *prepared);
}

void near_source_end_round(struct near_source *source)
{
    for (unsigned i = 0; i < source->lent_count; i++) {
        poison(&source->lent[i]->answer, source->lent_texts[i]);
        dns_shared_unref(&source->lent[i]);
    }
    source->lent_count = 0;
}
