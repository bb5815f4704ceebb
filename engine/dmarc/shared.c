/*
 * In the table, names are numbers of labels: every name of a discovery is the author domain or one
 * above it. Records stand behind the steps, each with its text, and point to it where it stands:
 * entries do not move.
 */
#include "dmarc/shared.h"

#include "dmarc/discover.h"

enum
{
    WORD = 8,
};

struct shared_step
{
    const char *reason;    /* static */
    uint16_t record_words; /* of its record and the text; 0: none */
    uint8_t labels, outcome, unknown;
};

struct shared
{
    const char *reason, *policy_tag, *psl_difference; /* static */
    uint8_t result, published, policy;
    uint8_t author_exists, existence_known, used_psl, psl_differs;
    uint8_t org, policy_domain, psl_org; /* labels; 0: cleared */
    uint8_t permfail;
    uint8_t questions;
    uint8_t count;
    struct shared_step steps[]; /* then the records */
};

/* The options are immutable while a table lives; those that it might be used with differ in this.
 */
static void key_write(const struct dns_name *author, const struct dmarc_options *options,
                      struct result_key *key)
{
    key->facts[0] = (uint64_t)options->psd_count << 32 | (unsigned)options->mode << 1 |
                    options->always_ask_existence;
    key->facts[1] = (uintptr_t)options->psd_names;
    key->facts[2] = (uintptr_t)options->psl;
    key->name.p = author->wire;
    key->name.n = author->length;
}

/* --- taking --- */

static void name_take(const struct dns_name *author, uint8_t labels, struct dns_name *name)
{
    if (labels == author->labels)
        dns_name_copy(name, author);
    else if (labels)
        *name = dns_name_ancestor(author, (unsigned)(author->labels - labels));
    else
        name->length = name->labels = 0;
}

/* False without memory. The deciding record is one of the policy domain's level. */
static bool steps_take(const struct shared *shared, struct arena *arena,
                       struct dmarc_discovery *discovery)
{
    const uint64_t *at = (const void *)&shared->steps[shared->count];
    struct dmarc_walk *walk = &discovery->walk;
    for (uint32_t i = 0; i < shared->count; i++) {
        const struct shared_step *from = &shared->steps[i];
        struct dmarc_step *step = &walk->steps[i];
        *step = (struct dmarc_step){
            .labels = from->labels,
            .outcome = from->outcome,
            .reason = from->reason,
            .unknown = from->unknown,
        };
        if (!from->record_words)
            continue;
        step->record = dmarc_record_copy((const void *)at, arena);
        if (!step->record)
            return false;
        if (shared->policy_domain == from->labels)
            discovery->record = step->record;
        at += from->record_words;
    }
    walk->count = shared->count;
    return true;
}

bool dmarc_shared_take(struct result_cache *cache, const struct dns_name *author,
                       const struct dmarc_options *options, struct arena *arena,
                       struct dmarc_discovery *discovery)
{
    struct result_key key;
    key_write(author, options, &key);
    struct span value = result_cache_find(cache, &key, result_key_hash(&key, cache->seed));
    const struct shared *shared = (const void *)value.p;
    dmarc_discovery_init(discovery);
    if (!shared || !steps_take(shared, arena, discovery))
        return false;
    discovery->result = shared->result;
    discovery->reason = shared->reason;
    discovery->author_exists = shared->author_exists;
    discovery->existence_known = shared->existence_known;
    discovery->published = shared->published;
    discovery->policy = shared->policy;
    discovery->policy_tag = shared->policy_tag;
    discovery->used_psl = shared->used_psl;
    discovery->psl_differs = shared->psl_differs;
    discovery->psl_difference = shared->psl_difference;
    discovery->spared = shared->questions;
    dns_name_copy(&discovery->from_domain, author);
    name_take(author, shared->org, &discovery->org_domain);
    name_take(author, shared->policy_domain, &discovery->policy_domain);
    name_take(author, shared->psl_org, &discovery->psl_org_domain);
    dns_name_copy(&discovery->walk.start, author);
    discovery->walk.permfail = shared->permfail;
    discovery->walk.complete = true;
    return true;
}

/* --- keeping --- */

static size_t record_words(const struct dmarc_record *record)
{
    return record ? (sizeof *record + record->text.n + WORD - 1) / WORD : 0;
}
STATIC_ASSERT(_Alignof(struct dmarc_record) <= WORD);

static size_t value_bytes(const struct dmarc_walk *walk)
{
    size_t words = 0;
    for (uint32_t i = 0; i < walk->count; i++)
        words += record_words(walk->steps[i].record);
    return offsetof(struct shared, steps) + walk->count * sizeof(struct shared_step) + words * WORD;
}

/* A name that is not at or above the author domain has no number. */
static bool has_level(const struct dns_name *author, const struct dns_name *name)
{
    return name->length == 0 || (name->labels && dns_name_is_at_or_below(author, name));
}

static bool may_share(const struct dmarc_discovery *discovery, const struct dmarc_asked *asked)
{
    const struct dns_name *author = &discovery->from_domain;
    return asked->questions <= UINT8_MAX && discovery->result != RESULT_TEMPERROR &&
           !discovery->walk.tempfail && has_level(author, &discovery->org_domain) &&
           has_level(author, &discovery->policy_domain) &&
           has_level(author, &discovery->psl_org_domain);
}

static void steps_write(const struct dmarc_discovery *discovery, struct shared *shared)
{
    const struct dmarc_walk *walk = &discovery->walk;
    uint64_t *at = (void *)&shared->steps[walk->count];
    for (uint32_t i = 0; i < walk->count; i++) {
        const struct dmarc_step *step = &walk->steps[i];
        shared->steps[i] = (struct shared_step){
            .reason = step->reason,
            .record_words = (uint16_t)record_words(step->record),
            .labels = step->labels,
            .outcome = (uint8_t)step->outcome,
            .unknown = step->unknown,
        };
        if (!step->record)
            continue;
        assert(step->labels != discovery->policy_domain.labels ||
               step->record == discovery->record);
        dmarc_record_place(step->record, (void *)at);
        at += record_words(step->record);
    }
}

void dmarc_shared_keep(struct result_cache *cache, const struct dmarc_options *options,
                       const struct dmarc_discovery *discovery, const struct dmarc_asked *asked)
{
    const struct dmarc_walk *walk = &discovery->walk;
    if (!may_share(discovery, asked))
        return;
    struct result_key key;
    key_write(&discovery->from_domain, options, &key);
    struct shared *shared = result_cache_keep(cache, &key, result_key_hash(&key, cache->seed),
                                              asked->shared_until_ms, value_bytes(walk));
    if (!shared)
        return;
    *shared = (struct shared){
        .reason = discovery->reason,
        .policy_tag = discovery->policy_tag,
        .psl_difference = discovery->psl_difference,
        .result = (uint8_t)discovery->result,
        .published = (uint8_t)discovery->published,
        .policy = (uint8_t)discovery->policy,
        .author_exists = discovery->author_exists,
        .existence_known = discovery->existence_known,
        .used_psl = discovery->used_psl,
        .psl_differs = discovery->psl_differs,
        .org = discovery->org_domain.labels,
        .policy_domain = discovery->policy_domain.labels,
        .psl_org = discovery->psl_org_domain.labels,
        .permfail = walk->permfail,
        .questions = (uint8_t)asked->questions,
        .count = (uint8_t)walk->count,
    };
    steps_write(discovery, shared);
}
