/* What the sums of an SPF tree come to. */
#include "lint/spf_walk.h"

static const struct span nothing = {NULL, 0};

static struct lint_place mark_place(const struct lint_spf_walk *walk,
                                    const struct lint_spf_mark *mark)
{
    return (struct lint_place){&walk->run->report->findings, LINT_SPF, &mark->domain, mark->record};
}

static void check_lookups(const struct lint_spf_walk *walk, uint32_t lookups)
{
    struct lint_place root = {&walk->run->report->findings, LINT_SPF, &walk->run->request->domain,
                              nothing};
    if (lookups == MAX_SPF_LOOKUPS) {
        (void)lint_find(&root, LINT_NOTE, "at_lookup_limit", nothing,
                        "all %d lookups are used: the next term, or the next one in somebody "
                        "else's record, makes it a permerror",
                        MAX_SPF_LOOKUPS);
        return;
    }
    if (!walk->over_lookups.set)
        return;
    struct lint_place place = mark_place(walk, &walk->over_lookups);
    lint_instead(&place,
                 lint_find(&place, LINT_ERROR, limit_word(LIMIT_SPF_LOOKUPS),
                           walk->over_lookups.term,
                           "this is lookup %d of %u, and %d are allowed: mail that no earlier term "
                           "matches gets a permerror",
                           MAX_SPF_LOOKUPS + 1, (unsigned)lookups, MAX_SPF_LOOKUPS),
                 "leave out what you do not use; ip4: and ip6: for hosts of your own");
}

/* Where it is the message that makes one void too many. */
static void check_possible(const struct lint_spf_walk *walk)
{
    if (!walk->over_possible.set)
        return;
    struct lint_place place = mark_place(walk, &walk->over_possible);
    lint_instead(&place,
                 lint_find(&place, LINT_WARNING, "void_lookups_possible", walk->over_possible.term,
                           "with %u terms that ask for names of the message's making, mail from "
                           "elsewhere finds nothing more than %u times: permerror and not the "
                           "record's last word",
                           (unsigned)walk->possible, (unsigned)walk->run->request->void_limit),
                 "fewer terms with macros or ptr");
}

static void check_voids(const struct lint_spf_walk *walk, const struct lint_spf_row *root)
{
    bool both = walk->over_voids4.set;
    const struct lint_spf_mark *mark = both ? &walk->over_voids4 : &walk->over_voids6;
    if (!walk->over_voids4.set && walk->possible)
        check_possible(walk);
    if (!mark->set)
        return;
    struct lint_place place = mark_place(walk, mark);
    lint_instead(
        &place,
        lint_find(&place, both ? LINT_ERROR : LINT_WARNING,
                  both ? limit_word(LIMIT_SPF_VOID_LOOKUPS) : "too_many_void_lookups_ipv6",
                  mark->term,
                  "%u terms find nothing%s, and %u may: mail that no earlier term matches gets a "
                  "permerror",
                  (unsigned)(both ? root->voids4 : root->voids6), both ? "" : " for IPv6 clients",
                  (unsigned)walk->run->request->void_limit),
        both ? "leave out what finds nothing" : "ip4: in place of names without an AAAA record");
}

void lint_spf_totals(const struct lint_spf_walk *walk)
{
    const struct lint_spf_row *root = &walk->run->report->rows[0];
    check_lookups(walk, root->lookups);
    check_voids(walk, root);
}
