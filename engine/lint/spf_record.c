/*
 * What can be said of an SPF record without asking the DNS: order, "all", ptr, modifiers. A record
 * with a fault of syntax is a permerror as a whole (SP-9), so nothing else is said of it.
 */
#include "lint/spf.h"

#include "spf/macro.h"

static const struct span nothing = {NULL, 0};

/* The first "all", or false. */
static bool find_all(const struct spf_record *record, struct spf_term *all)
{
    size_t at = 0;
    while (spf_record_next(record, &at, all))
        if (all->mechanism == SPF_ALL)
            return true;
    return false;
}

/* What "all" says where the record is the last word; in an include only a pass counts (SP-17). */
static void check_all(const struct lint_place *place, const struct spf_record *record,
                      bool included)
{
    struct spf_term all;
    if (!find_all(record, &all)) {
        if (!record->redirect.n && !included)
            lint_instead(
                place,
                lint_find(place, LINT_WARNING, "no_all", nothing,
                          "neither \"all\" nor redirect=: what nothing matches is neutral, "
                          "as if there were no record"),
                "-all or ~all at the end");
        return;
    }
    if (all.qualifier == '+')
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "pass_all", all.text,
                               "this lets the whole internet send as the domain"),
                     "-all or ~all");
    if (all.qualifier == '?' && !included)
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "neutral_all", all.text,
                               "neutral is treated like no record at all (RFC 7208 8.2)"),
                     "-all or ~all");
}

/* SP-12 */
static void check_behind_all(const struct lint_place *place, const struct spf_record *record)
{
    struct spf_term term;
    size_t at = 0;
    bool behind = false;
    while (spf_record_next(record, &at, &term)) {
        if (behind)
            lint_instead(place,
                         lint_find(place, LINT_WARNING, "after_all", term.text,
                                   "what stands behind \"all\" is never looked at"),
                         "%.*s in front of \"all\", or leave it out", SPAN_ARGS(term.text));
        behind |= term.mechanism == SPF_ALL;
    }
    if (record->has_all && record->redirect_text.n)
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "redirect_with_all", record->redirect_text,
                               "redirect= is ignored where there is an \"all\""),
                     "leave out one of the two");
}

/* RFC 7208 5.5: ptr SHOULD NOT be published; %{p} likewise (7.3) */
static void check_ptr(const struct lint_place *place, const struct spf_term *term)
{
    if (term->mechanism == SPF_PTR)
        lint_instead(
            place,
            lint_find(place, LINT_WARNING, "ptr_used", term->text,
                      "ptr is slow, fails when the client's DNS does, and is not to be used "
                      "(RFC 7208 5.5)"),
            "ip4: and ip6: of the hosts, or a:NAME");
    if (term->domain_spec.n && spf_macro_letters(term->domain_spec) & SPF_LETTER('p'))
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "ptr_macro", term->domain_spec,
                               "%%{p} costs lookups of the client's names and is not to be used "
                               "(RFC 7208 7.3)"),
                     "%%{i}, the address");
}

static struct span without_qualifier(struct span term)
{
    return span_skip(term, term.n && memchr("+-~?", term.p[0], 4) != NULL);
}

/* A term twice: networks are spf_range.c's. */
static void check_twice(const struct lint_place *place, const struct spf_record *record,
                        const struct spf_term *term)
{
    struct spf_term other;
    size_t at = 0;
    if (term->mechanism == SPF_IP4 || term->mechanism == SPF_IP6 || term->mechanism == SPF_ALL)
        return;
    while (spf_record_next(record, &at, &other) && other.text.p < term->text.p) {
        if (!span_equal_fold(without_qualifier(other.text), without_qualifier(term->text)))
            continue;
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "duplicate_term", term->text,
                               "the same term stands before: this one costs a lookup and never "
                               "matches"),
                     "leave it out");
        return;
    }
}

static bool is_modifier(struct span term)
{
    size_t i = 0;
    while (i < term.n && !memchr(":/=", term.p[i], 3))
        i++;
    return i < term.n && term.p[i] == '=';
}

/* Unknown modifiers are ignored (SP-10): mostly a mechanism with "=" for ":". */
static void check_modifier(const struct lint_place *place, struct span term)
{
    static const struct span mechanisms[] = {SPAN("include"), SPAN("a"),   SPAN("mx"),
                                             SPAN("ptr"),     SPAN("ip4"), SPAN("ip6"),
                                             SPAN("exists"),  SPAN("all")};
    size_t equals = span_find(term, '=');
    struct span name = span_slice(term, 0, equals), value = span_skip(term, equals + 1);
    if (span_equal_fold(name, SPAN("redirect")) || span_equal_fold(name, SPAN("exp")))
        return;
    for (size_t i = 0; i < COUNT_OF(mechanisms); i++) {
        if (!span_equal_fold(name, mechanisms[i]))
            continue;
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "mechanism_with_equals", term,
                               "with \"=\" this is an unknown modifier, which receivers ignore"),
                     "%.*s:%.*s", SPAN_ARGS(name), SPAN_ARGS(value));
        return;
    }
    if (span_equal_fold(name, SPAN("v"))) {
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "version_inside", term,
                               "a version inside a record is ignored: two records in one"),
                     "leave it out");
        return;
    }
    (void)lint_find(place, LINT_NOTE, "unknown_modifier", term,
                    "receivers ignore this modifier: RFC 7208 knows redirect= and exp=");
}

static void check_modifiers(const struct lint_place *place)
{
    size_t at = 0;
    struct span term;
    while (lint_spf_term(place->text, &at, &term))
        if (is_modifier(term) && term.p != place->text.p)
            check_modifier(place, term);
}

/* A domain-spec is looser than a name (SP-34): what can never be asked shows without the DNS only
 * where no macro is in it. `all_depends`: the result is a permerror then (SP-18). */
static void check_target(const struct lint_place *place, struct span spec, bool all_depends)
{
    static const struct spf_macro_values none;
    struct dns_name name;
    if (spec.n == 0 || span_find(spec, '%') < spec.n || spf_macro_name(spec, &none, &name))
        return;
    lint_instead(place,
                 lint_find(place, all_depends ? LINT_ERROR : LINT_WARNING, "bad_target", spec,
                           all_depends ? "no such name can be asked for: permerror"
                                       : "no such name can be asked for: this never matches"),
                 "labels of 1 to 63 octets with one dot between");
}

static void check_terms(const struct lint_place *place, const struct spf_record *record)
{
    struct spf_term term;
    size_t at = 0;
    while (spf_record_next(record, &at, &term)) {
        check_ptr(place, &term);
        check_twice(place, record, &term);
        check_target(place, term.domain_spec, false);
    }
    check_target(place, record->redirect, !record->has_all);
}

void lint_spf_record(const struct lint_place *place, bool included)
{
    struct limit_hits hits = {.set = 0};
    struct spf_record record;
    struct spf_syntax_error error;
    if (spf_record_parse(place->text, &hits, &record, &error)) {
        check_all(place, &record, included);
        check_behind_all(place, &record);
        check_terms(place, &record);
        lint_spf_ranges(place, &record);
        check_modifiers(place);
    } else {
        lint_spf_syntax(place, &error);
    }
    lint_size(place, LINT_WARNING);
}

static void check_loop(const struct lint_place *place, struct span spec, struct span term)
{
    static const struct spf_macro_values none;
    struct dns_name target;
    if (spec.n == 0 || span_find(spec, '%') < spec.n || !spf_macro_name(spec, &none, &target) ||
        !dns_name_equal(&target, place->name))
        return;
    lint_instead(
        place,
        lint_find(place, LINT_ERROR, "loop", term, "the record leads back to itself: permerror"),
        "leave it out");
}

void lint_spf_loop(const struct lint_place *place)
{
    struct limit_hits hits = {.set = 0};
    struct spf_record record;
    struct spf_syntax_error error;
    struct spf_term term;
    size_t at = 0;
    if (!spf_record_parse(place->text, &hits, &record, &error))
        return;
    while (spf_record_next(&record, &at, &term))
        if (term.mechanism == SPF_INCLUDE)
            check_loop(place, term.domain_spec, term.text);
    if (!record.has_all)
        check_loop(place, record.redirect, record.redirect_text);
}
