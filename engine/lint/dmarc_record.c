/*
 * DMARC records (RFC 9989 4.7, 4.8). A receiver's parser is tolerant: what it does not understand
 * falls to a default, so few faults are errors. Each tag is given to that parser alone, to see
 * whether it understands the value.
 */
#include "lint/dmarc.h"

static const struct span nothing = {NULL, 0};

struct known_tag
{
    struct span name;
    enum lint_severity severity;      /* of a bad value */
    const char *code, *what, *values; /* of a bad value; code NULL: not looked at by table */
};

static const struct known_tag known_tags[] = {
    {SPAN("v"), LINT_ERROR, NULL, NULL, NULL},
    {SPAN("p"), LINT_ERROR, "bad_policy_tag", "this is no policy: p=none at best",
     "none, quarantine or reject"},
    {SPAN("sp"), LINT_ERROR, "bad_policy_tag", "this is no policy: p=none at best for all names",
     "none, quarantine or reject"},
    {SPAN("np"), LINT_ERROR, "bad_policy_tag", "this is no policy: p=none at best for all names",
     "none, quarantine or reject"},
    {SPAN("psd"), LINT_WARNING, "bad_value", "not understood: u counts", "y, n or u"},
    {SPAN("t"), LINT_WARNING, "bad_value", "not understood: n counts", "y or n"},
    {SPAN("adkim"), LINT_WARNING, "bad_value", "not understood: r counts", "r or s"},
    {SPAN("aspf"), LINT_WARNING, "bad_value", "not understood: r counts", "r or s"},
    {SPAN("fo"), LINT_WARNING, "bad_value", "not understood: 0 counts", "0, 1, d, s or d:s"},
    {SPAN("rua"), LINT_ERROR, NULL, NULL, NULL},
    {SPAN("ruf"), LINT_ERROR, NULL, NULL, NULL},
};

static const struct known_tag *known_find(struct span name)
{
    for (size_t i = 0; i < COUNT_OF(known_tags); i++)
        if (span_equal_fold(known_tags[i].name, name))
            return &known_tags[i];
    return NULL;
}

/* The receiver's reading of this one tag: does it count a fault? The name is put in lower case,
 * since its case is a fault of its own. */
static bool value_is_understood(const struct lint_place *place, const struct known_tag *known,
                                const struct tag *tag)
{
    static const char version[] = "v=DMARC1;";
    struct limit_hits hits = {.set = 0};
    struct dmarc_record record;
    const char *reason;
    size_t n = sizeof version - 1;
    struct arena *arena = place->findings->arena;
    uint8_t *text = arena_alloc(arena, n + known->name.n + 1 + tag->value.n);
    if (!text) {
        place->findings->failed = true;
        return true;
    }
    memcpy(text, version, n);
    memcpy(text + n, known->name.p, known->name.n);
    n += known->name.n;
    text[n++] = '=';
    if (tag->value.n)
        memcpy(text + n, tag->value.p, tag->value.n);
    return dmarc_record_parse(span_of(text, n + tag->value.n), arena, &hits, &record, &reason) &&
           record.faults == 0;
}

static const struct removed_tag
{
    struct span name;
    const char *what;
} removed_tags[] = {
    {SPAN("pct"), "RFC 9989 removed pct=: receivers apply the policy to all mail"},
    {SPAN("rf"), "RFC 9989 removed rf=: receivers ignore it"},
    {SPAN("ri"), "RFC 9989 removed ri=: receivers ignore it"},
};

/* pct below 100 was a wish for less than the policy, which is now not heard. */
static void check_removed(const struct lint_place *place, const struct removed_tag *removed,
                          const struct tag *tag)
{
    bool weakens = span_equal(removed->name, SPAN("pct")) && !span_equal(tag->value, SPAN("100"));
    struct lint_finding *finding =
        lint_find(place, weakens ? LINT_WARNING : LINT_NOTE, "removed_tag",
                  lint_tag_text(place, tag), "%s", removed->what);
    if (weakens)
        lint_instead(place, finding, "t=y, which lowers the policy by one step while you test");
    else
        lint_instead(place, finding, "leave it out");
}

static void check_unknown(const struct lint_place *place, const struct tag *tag)
{
    for (size_t i = 0; i < COUNT_OF(removed_tags); i++) {
        if (!span_equal_fold(tag->name, removed_tags[i].name))
            continue;
        check_removed(place, &removed_tags[i], tag);
        return;
    }
    lint_instead(place,
                 lint_find(place, LINT_WARNING, "unknown_tag", lint_tag_text(place, tag),
                           "receivers ignore this tag"),
                 "one of v, p, sp, np, psd, t, adkim, aspf, rua, ruf, fo");
}

static void check_tag(const struct lint_place *place, const struct tag *tag)
{
    const struct known_tag *known = known_find(tag->name);
    if (!known) {
        check_unknown(place, tag);
        return;
    }
    if (!span_equal(known->name, tag->name))
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "tag_case", tag->name,
                               "names of tags are in lower case; some receivers ignore others"),
                     "%.*s", SPAN_ARGS(known->name));
    if (span_equal(known->name, SPAN("rua")) || span_equal(known->name, SPAN("ruf")))
        lint_dmarc_uris(place, tag->value);
    if (known->code && !value_is_understood(place, known, tag))
        lint_instead(place,
                     lint_find(place, known->severity, known->code, lint_tag_text(place, tag), "%s",
                               known->what),
                     "%s", known->values);
}

/* Receivers of RFC 7489 want p= right behind v=. */
static void check_order(const struct lint_place *place, const struct taglist *list)
{
    const struct tag *p = taglist_find_fold(list, SPAN("p"));
    if (p && list->count > 1 && p != &list->tags[1])
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "tag_order", lint_tag_text(place, p),
                               "older receivers (RFC 7489) want p= right behind v=DMARC1"),
                     "v=DMARC1; %.*s; and then the rest", SPAN_ARGS(lint_tag_text(place, p)));
}

static struct span tag_span(const struct lint_place *place, const struct taglist *list,
                            struct span name)
{
    const struct tag *tag = taglist_find_fold(list, name);
    return tag ? lint_tag_text(place, tag) : nothing;
}

/* DP-26 */
static void check_missing_policy(const struct lint_place *place, const struct dmarc_record *record)
{
    if (record->p != DMARC_POLICY_UNSET)
        return;
    struct lint_finding *finding = lint_find(
        place, record->has_usable_rua ? LINT_WARNING : LINT_ERROR, "no_policy_tag", nothing,
        record->has_usable_rua
            ? "there is no p=: p=none counts, and older receivers ignore the record"
            : "there is neither p= nor a report address: receivers ignore the record");
    lint_instead(place, finding, "v=DMARC1; p=none and then the rest");
}

static bool is_weaker(enum dmarc_policy a, enum dmarc_policy b)
{
    bool both = a >= DMARC_POLICY_NONE && a <= DMARC_POLICY_REJECT && b >= DMARC_POLICY_NONE &&
                b <= DMARC_POLICY_REJECT;
    return both && a < b;
}
STATIC_ASSERT(DMARC_POLICY_NONE < DMARC_POLICY_QUARANTINE &&
              DMARC_POLICY_QUARANTINE < DMARC_POLICY_REJECT);

static void check_policies(const struct lint_place *place, const struct dmarc_record *record,
                           const struct taglist *list)
{
    check_missing_policy(place, record);
    if (record->p == DMARC_POLICY_NONE)
        lint_instead(place,
                     lint_find(place, LINT_NOTE, "policy_none", tag_span(place, list, SPAN("p")),
                               "p=none asks for reports only: forged mail is treated like any"),
                     "p=quarantine or p=reject when the reports show no mail of yours failing");
    if (is_weaker(record->sp, record->p))
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "weaker_sp", tag_span(place, list, SPAN("sp")),
                               "names below the domain have a weaker policy: they can be forged"),
                     "sp=%s, or no sp= at all", dmarc_policy_word(record->p));
    if (is_weaker(record->np, record->p))
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "weaker_np", tag_span(place, list, SPAN("np")),
                               "names that do not exist have a weaker policy: they can be forged"),
                     "np=reject: no mail of yours comes from a name that does not exist");
}

static void check_reports(const struct lint_place *place, const struct dmarc_record *record,
                          const struct taglist *list)
{
    if (!taglist_find_fold(list, SPAN("rua")))
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "no_rua", nothing,
                               "without rua= nobody tells you what fails"),
                     "rua=mailto: and an address of yours");
    if (taglist_find_fold(list, SPAN("fo")) && record->ruf.n == 0)
        lint_instead(place,
                     lint_find(place, LINT_NOTE, "fo_without_ruf",
                               tag_span(place, list, SPAN("fo")), "fo= is ignored without ruf="),
                     "leave it out");
}

static void check_modes(const struct lint_place *place, const struct dmarc_record *record,
                        const struct taglist *list)
{
    if (record->testing)
        lint_instead(place,
                     lint_find(place, LINT_NOTE, "testing_mode", tag_span(place, list, SPAN("t")),
                               "t=y lowers the policy by one step"),
                     "leave t=y out when the test is over");
    if (record->psd == DMARC_PSD_YES)
        lint_instead(place,
                     lint_find(place, LINT_NOTE, "public_suffix",
                               tag_span(place, list, SPAN("psd")),
                               "psd=y says that strangers register names below this one"),
                     "leave psd= out unless this is a public suffix");
}

/* DP-7: nothing else in the record counts then. */
static void version_fault(const struct lint_place *place)
{
    struct span text = place->text;
    struct span head = span_slice(text, 0, span_find(text, ';'));
    const struct span trimmed = taglist_trim(text);
    struct lint_finding *finding =
        lint_find(place, LINT_ERROR, "bad_version", head.n ? taglist_trim(head) : nothing,
                  "the record does not begin with v=DMARC1 and \";\": receivers do not see it");
    if (trimmed.n && trimmed.n < text.n && dmarc_is_record(trimmed))
        lint_instead(place, finding, "nothing in front of v=DMARC1");
    else if (head.n == text.n && span_starts_fold(text, SPAN("v=DMARC1")))
        lint_instead(place, finding, "\";\" and not only a blank between the tags");
    else
        lint_instead(place, finding, "v=DMARC1; in front, DMARC in capitals");
}

void lint_dmarc_record(const struct lint_place *place)
{
    struct limit_hits hits = {.set = 0};
    struct taglist list;
    struct dmarc_record record;
    const char *reason;
    struct arena *arena = place->findings->arena;
    bool parsed = dmarc_record_parse(place->text, arena, &hits, &record, &reason);
    lint_escaped_semicolons(place);
    if (!parsed && strcmp(reason, "not_dmarc") == 0) {
        version_fault(place);
        return;
    }
    if (!parsed) {
        place->findings->failed |= arena->failed;
        (void)lint_find(place, LINT_ERROR, reason, nothing,
                        "no receiver reads a record so long or with so many tags");
        return;
    }
    lint_tags(place, LINT_WARNING, &list);
    for (uint32_t i = 0; i < list.count; i++)
        check_tag(place, &list.tags[i]);
    check_order(place, &list);
    check_policies(place, &record, &list);
    check_reports(place, &record, &list);
    check_modes(place, &record, &list);
    lint_size(place, LINT_NOTE);
}
