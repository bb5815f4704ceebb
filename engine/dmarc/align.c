/*
 * Identifier Alignment: equal names (strict), or equal Organizational Domains, each found by its
 * own walk (relaxed; DP-30, DP-32).
 *
 * Most identifiers cost no question (DP-33): equal names are aligned whatever the DNS says, and
 * since the Organizational Domain of x is x or a name above it, an x that is not at or below the
 * author's Organizational Domain cannot have the same one. For the rest the walk asks only what
 * the author's walk has not asked.
 *
 * A failed level is no error where it cannot change the answer (DP-28): every combination of what
 * the failed levels might hold is tried, and if all agree, that is the answer. Beyond
 * MAX_TRIED_LEVELS failed levels the answer is the error.
 */
#include "dmarc/align.h"

enum
{
    MAX_TRIED_LEVELS = 3, /* 4^3 trials */
    LEVEL_STATES = 4,     /* no record, psd=u, psd=y, psd=n */
};

struct unknown_levels
{
    struct dns_name names[MAX_TRIED_LEVELS];
    uint32_t count;
    bool too_many;
};

static void collect_unknown(struct unknown_levels *levels, const struct dmarc_walk *walk)
{
    for (uint32_t i = 0; i < walk->count; i++) {
        const struct dmarc_step *step = &walk->steps[i];
        struct dns_name domain = dmarc_step_domain(walk, step);
        bool listed = !step->unknown;
        for (uint32_t k = 0; k < levels->count && !listed; k++)
            listed = dns_name_equal(&levels->names[k], &domain);
        if (listed)
            continue;
        levels->too_many = levels->count == MAX_TRIED_LEVELS;
        if (levels->too_many)
            return;
        levels->names[levels->count++] = domain;
    }
}

/* Fills the unknown levels of `walk`: two bits of `trial` a level. */
static void suppose(struct dmarc_walk *walk, const struct unknown_levels *levels, unsigned trial)
{
    static const struct dmarc_record possible[] = {
        {.psd = DMARC_PSD_UNKNOWN}, {.psd = DMARC_PSD_YES}, {.psd = DMARC_PSD_NO}};
    for (uint32_t i = 0; i < walk->count; i++) {
        struct dmarc_step *step = &walk->steps[i];
        struct dns_name domain = dmarc_step_domain(walk, step);
        for (uint32_t k = 0; step->unknown && k < levels->count; k++) {
            unsigned state = trial >> (2 * k) & (LEVEL_STATES - 1);
            if (dns_name_equal(&levels->names[k], &domain))
                step->record = state ? &possible[state - 1] : NULL;
        }
    }
}

static bool same_org(const struct dmarc_walk *a, const struct dmarc_walk *b)
{
    struct dns_name org_a = dmarc_walk_org(a), org_b = dmarc_walk_org(b);
    return dns_name_equal(&org_a, &org_b);
}

/* `a` and `b` are working copies: unknown levels are overwritten. */
static enum dmarc_aligned try_all(struct dmarc_walk *a, struct dmarc_walk *b)
{
    struct unknown_levels levels = {.count = 0};
    enum dmarc_aligned error =
        a->tempfail || b->tempfail ? DMARC_ALIGNED_TEMPERROR : DMARC_ALIGNED_PERMERROR;
    collect_unknown(&levels, a);
    if (!levels.too_many)
        collect_unknown(&levels, b);
    if (levels.too_many)
        return error;
    unsigned aligned = 0, trials = 1u << (2 * levels.count);
    for (unsigned trial = 0; trial < trials; trial++) {
        suppose(a, &levels, trial);
        suppose(b, &levels, trial);
        aligned += same_org(a, b);
        if (aligned != 0 && aligned != trial + 1)
            return error;
    }
    return aligned ? DMARC_ALIGNED_YES : DMARC_ALIGNED_NO;
}

static bool is_whole(const struct dmarc_walk *walk)
{
    return !walk->tempfail && !walk->permfail;
}

static enum dmarc_aligned align_by_walk(const struct dmarc_walk *author,
                                        const struct dns_name *identifier,
                                        const struct dmarc_context *context)
{
    struct dmarc_walk walk;
    struct dns_name org = dmarc_walk_org(author);
    if (is_whole(author) && !dns_name_is_at_or_below(identifier, &org))
        return DMARC_ALIGNED_NO; /* DP-33 */
    if (dmarc_walk(identifier, context, &walk) == JUDGE_WAITING)
        return DMARC_ALIGNED_WAITING;
    if (is_whole(author) && is_whole(&walk))
        return same_org(author, &walk) ? DMARC_ALIGNED_YES : DMARC_ALIGNED_NO;
    struct dmarc_walk *copy = ARENA_NEW(context->arena, struct dmarc_walk);
    if (!copy)
        return DMARC_ALIGNED_TEMPERROR;
    *copy = *author;
    return try_all(copy, &walk);
}

/* Names in different top-level domains have no Organizational Domain in common. */
static bool share_top_label(const struct dns_name *a, const struct dns_name *b)
{
    struct dns_name top_a = dns_name_ancestor(a, a->labels - 1u);
    struct dns_name top_b = dns_name_ancestor(b, b->labels - 1u);
    return dns_name_equal(&top_a, &top_b);
}

enum dmarc_aligned dmarc_align(const struct dmarc_discovery *discovery,
                               const struct dns_name *identifier, bool strict,
                               const struct dmarc_options *options,
                               const struct dmarc_context *context)
{
    const struct dns_name *author = &discovery->from_domain;
    if (identifier->labels == 0)
        return DMARC_ALIGNED_NO; /* no name, or the root */
    if (dns_name_equal(identifier, author))
        return DMARC_ALIGNED_YES;
    if (strict || !share_top_label(identifier, author))
        return DMARC_ALIGNED_NO; /* G07 */
    if (!discovery->used_psl)
        return align_by_walk(&discovery->walk, identifier, context);
    struct dns_name org = dmarc_psl_org(options->psl, identifier);
    return dns_name_equal(&org, &discovery->psl_org_domain) ? DMARC_ALIGNED_YES : DMARC_ALIGNED_NO;
}
