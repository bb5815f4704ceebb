/*
 * The SPF records of a domain as a tree, evaluated as check_host() does for a client that nothing
 * matches (RFC 7208 4.6, 5): that one costs the most, so its counts are the domain's.
 *
 * Counted as the judge counts: a term that asks is one of MAX_SPF_LOOKUPS (SP-24); a void lookup is
 * a term whose question has no answer (SP-25, spf/mechanism.c), which for a and mx depends on the
 * family of the client, so there are two counts. Past a limit the judge ends; the tree goes on, to
 * show how much there is. A record that stands in the tree twice counts twice, its own faults are
 * told once.
 *
 * Iterative: include and redirect put a frame on a stack. Limits: LINT_SPF_ROWS_MAX rows,
 * LINT_SPF_DEPTH_MAX frames.
 *
 * BUGS: names with macros other than %{d} and %{o} depend on the message: they are counted, not
 * asked for; an include of such a name is taken to be good.
 */
#include "lint/spf_walk.h"

#include "spf/macro.h"

static const struct span nothing = {NULL, 0};

static struct lint_place frame_place(const struct lint_spf_walk *walk,
                                     const struct lint_spf_frame *frame)
{
    return (struct lint_place){&walk->run->report->findings, LINT_SPF, &frame->domain,
                               frame->record.text};
}

/* The record that the term on top stands in; the domain itself before there is one. */
struct lint_place lint_spf_place(const struct lint_spf_walk *walk)
{
    if (walk->depth == 0)
        return (struct lint_place){&walk->run->report->findings, LINT_SPF,
                                   &walk->run->request->domain, nothing};
    return frame_place(walk, &walk->frames[walk->depth - 1]);
}

/* NULL and an error, once, where the tree is too large. */
static struct lint_spf_row *row_add(struct lint_spf_walk *walk, struct span text)
{
    struct lint_report *report = walk->run->report;
    struct lint_place place = lint_spf_place(walk);
    if (report->row_count == LINT_SPF_ROWS_MAX || walk->depth == LINT_SPF_DEPTH_MAX) {
        if (!walk->full)
            (void)lint_find(&place, LINT_ERROR, "spf_tree_too_large", text,
                            "the tree has over %d terms or is over %d records deep; the rest is "
                            "left out",
                            LINT_SPF_ROWS_MAX, LINT_SPF_DEPTH_MAX);
        walk->full = true;
        return NULL;
    }
    struct lint_spf_row *row = &report->rows[report->row_count++];
    *row = (struct lint_spf_row){.depth = walk->depth, .text = text, .state = "ok"};
    return row;
}

static void add_counts(struct lint_spf_row *row, uint32_t lookups, uint32_t voids4, uint32_t voids6)
{
    row->lookups += lookups;
    row->voids4 += voids4;
    row->voids6 += voids6;
}

/* To the row itself and to all records that it is below. */
static void count(struct lint_spf_walk *walk, struct lint_spf_row *row, uint32_t lookups,
                  uint32_t voids4, uint32_t voids6)
{
    add_counts(row, lookups, voids4, voids6);
    for (uint32_t i = 0; i < walk->depth; i++)
        add_counts(walk->frames[i].row, lookups, voids4, voids6);
}

static void mark(struct lint_spf_mark *mark, const struct lint_spf_walk *walk, struct span term,
                 uint32_t now, uint32_t limit)
{
    if (mark->set || now <= limit)
        return;
    mark->set = true;
    mark->domain = walk->frames[walk->depth - 1].domain;
    mark->record = walk->frames[walk->depth - 1].record.text;
    mark->term = term;
}

static void count_lookup(struct lint_spf_walk *walk, struct lint_spf_row *row)
{
    count(walk, row, 1, 0, 0);
    mark(&walk->over_lookups, walk, row->text, walk->run->report->rows[0].lookups, MAX_SPF_LOOKUPS);
}

void lint_spf_count_void(struct lint_spf_walk *walk, struct lint_spf_row *row, bool for4, bool for6)
{
    count(walk, row, 0, for4, for6);
    mark(&walk->over_voids4, walk, row->text, walk->run->report->rows[0].voids4,
         walk->run->request->void_limit);
    mark(&walk->over_voids6, walk, row->text, walk->run->report->rows[0].voids6,
         walk->run->request->void_limit);
    mark(&walk->over_possible, walk, row->text, walk->run->report->rows[0].voids4 + walk->possible,
         walk->run->request->void_limit);
}

/* A term that asks for a name of the message's making: void for the mail that it is not about. */
static void count_possible(struct lint_spf_walk *walk, struct lint_spf_row *row)
{
    row->state = "macro";
    walk->possible++;
    lint_spf_count_void(walk, row, false, false);
}

/* False where only a message can tell, or where it is no name. */
static bool find_target(struct lint_spf_walk *walk, struct lint_spf_row *row, struct span spec)
{
    const struct lint_spf_frame *frame = &walk->frames[walk->depth - 1];
    char domain[DNS_NAME_TEXT_MAX], origin[DNS_NAME_TEXT_MAX];
    struct spf_macro_values values = {0};
    row->target = frame->domain;
    if (spec.n == 0)
        return true;
    row->target = (struct dns_name){0};
    if (spf_macro_letters(spec) & ~(SPF_LETTER('d') | SPF_LETTER('o'))) {
        row->state = "macro";
        return false;
    }
    values.of['d' - 'a'] = span_from_string(dns_name_text(&frame->domain, domain));
    values.of['o' - 'a'] = span_from_string(dns_name_text(&walk->run->request->domain, origin));
    if (spf_macro_name(spec, &values, &row->target))
        return true;
    row->state = "bad_target"; /* the record's own finding, where it is not the macro's doing */
    return false;
}

static bool is_in_itself(const struct lint_spf_walk *walk, const struct dns_name *domain)
{
    for (uint32_t i = 0; i < walk->depth; i++)
        if (dns_name_equal(&walk->frames[i].domain, domain))
            return true;
    return false;
}

/* The row that led to this record before, or NULL. */
static const struct lint_spf_row *seen_before(const struct lint_spf_walk *walk,
                                              const struct lint_spf_row *row)
{
    const struct lint_spf_row *other = walk->run->report->rows;
    for (; other < row; other++)
        if (other->record.n && dns_name_equal(&other->target, &row->target))
            return other;
    return NULL;
}

static void enter(struct lint_spf_walk *walk, struct lint_spf_row *row,
                  const struct spf_record *record, bool included)
{
    const struct lint_spf_row *before = seen_before(walk, row);
    struct lint_place parent = lint_spf_place(walk);
    row->record = record->text;
    if (before)
        lint_instead(&parent,
                     lint_find(&parent, LINT_WARNING, "duplicate_include", row->text,
                               "this record stands in the tree before, and its lookups count "
                               "once more"),
                     "leave one of the two out");
    struct lint_spf_frame *frame = &walk->frames[walk->depth++];
    *frame = (struct lint_spf_frame){
        .row = row, .domain = row->target, .record = *record, .included = included};
    struct lint_place place = frame_place(walk, frame);
    if (before)
        return;
    lint_spf_record(&place, included);
    if (!included)
        lint_spf_explanation(walk, frame);
}

/* include, redirect, or in row 0 the domain itself. */
static void record_load(struct lint_spf_walk *walk, struct lint_spf_row *row, bool included)
{
    struct spf_found found;
    if (lint_spf_record_find(walk, row, included, &found))
        enter(walk, row, &found.record, included);
}

static void term_descend(struct lint_spf_walk *walk, struct span text, struct span spec,
                         bool included)
{
    struct lint_spf_row *row = row_add(walk, text);
    if (!row)
        return;
    count_lookup(walk, row);
    if (!find_target(walk, row, spec))
        return;
    struct lint_place place = lint_spf_place(walk);
    if (is_in_itself(walk, &row->target)) {
        row->state = "loop";
        lint_instead(&place,
                     lint_find(&place, LINT_ERROR, "loop", text,
                               "the record leads back to itself: permerror"),
                     "leave it out");
        return;
    }
    bool inside = included || walk->frames[walk->depth - 1].included;
    record_load(walk, row, inside);
}

static void term_count(struct lint_spf_walk *walk, const struct spf_term *term)
{
    struct lint_spf_row *row = row_add(walk, term->text);
    if (!row)
        return;
    count_lookup(walk, row);
    bool known = term->mechanism != SPF_PTR && find_target(walk, row, term->domain_spec);
    if (known)
        lint_spf_mechanism(walk, row, term);
    else if (strcmp(row->state, "bad_target") != 0)
        count_possible(walk, row);
}

/* The frame on top: its next term that counts, or its end. */
static void step(struct lint_spf_walk *walk)
{
    struct lint_spf_frame *frame = &walk->frames[walk->depth - 1];
    struct spf_term term;
    if (!frame->ended && spf_record_next(&frame->record, &frame->at, &term)) {
        frame->ended = term.mechanism == SPF_ALL;
        if (term.mechanism == SPF_INCLUDE)
            term_descend(walk, term.text, term.domain_spec, true);
        else if (term.mechanism != SPF_ALL && term.mechanism != SPF_IP4 &&
                 term.mechanism != SPF_IP6)
            term_count(walk, &term);
        return;
    }
    if (!frame->redirected && frame->record.redirect.n && !frame->record.has_all) {
        frame->redirected = true;
        term_descend(walk, frame->record.redirect_text, frame->record.redirect, false);
        return;
    }
    walk->depth--;
}

void lint_spf_tree(struct lint_run *run)
{
    struct lint_report *report = run->report;
    struct lint_spf_walk *walk = ARENA_NEW(run->arena, struct lint_spf_walk);
    report->rows = ARENA_ARRAY(run->arena, LINT_SPF_ROWS_MAX, struct lint_spf_row);
    if (!walk || !report->rows)
        return;
    walk->run = run;
    struct lint_spf_row *root = row_add(walk, nothing);
    root->target = run->request->domain;
    record_load(walk, root, false);
    while (walk->depth > 0 && !walk->full)
        step(walk);
    lint_spf_totals(walk);
}
