/* The walk through an SPF tree, as its parts share it. Internal to the folder. */
#ifndef LINT_SPF_WALK_H
#define LINT_SPF_WALK_H

#include "lint/parts.h"
#include "lint/spf.h"

struct lint_spf_frame
{
    struct lint_spf_row *row; /* in the report */
    struct dns_name domain;
    struct spf_record record;
    size_t at;       /* spf_record_next()'s place */
    bool included;   /* only its pass counts, or it is below such a record */
    bool ended;      /* at "all" */
    bool redirected; /* redirect= was taken */
};

/* Where a limit was passed first. */
struct lint_spf_mark
{
    bool set;
    struct dns_name domain;
    struct span record, term;
};

struct lint_spf_walk
{
    struct lint_run *run;
    bool full; /* over a limit of ours: the walk ends */
    struct lint_spf_mark over_lookups, over_voids4, over_voids6, over_possible;
    uint32_t possible; /* terms whose question a message makes: some find nothing for some mail */
    uint32_t depth;    /* frames in use */
    struct lint_spf_frame frames[LINT_SPF_DEPTH_MAX];
};

/* spf_tree.c */
struct lint_place lint_spf_place(const struct lint_spf_walk *walk);
void lint_spf_count_void(struct lint_spf_walk *walk, struct lint_spf_row *row, bool for4,
                         bool for6);

/* spf_ask.c: the record of row->target; false where there is none to go into, with the finding. */
bool lint_spf_record_find(struct lint_spf_walk *walk, struct lint_spf_row *row, bool included,
                          struct spf_found *found) MUST_CHECK;
/* exp=: its text, where the name can be told (SP-37). */
void lint_spf_explanation(struct lint_spf_walk *walk, const struct lint_spf_frame *frame);
/* What a, mx and exists find. */
void lint_spf_mechanism(struct lint_spf_walk *walk, struct lint_spf_row *row,
                        const struct spf_term *term);
/* spf_totals.c: the findings about sums. */
void lint_spf_totals(const struct lint_spf_walk *walk);

#endif
