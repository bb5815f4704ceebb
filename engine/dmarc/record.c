/*
 * DMARC records, RFC 9989 4.7 and 4.8: the version is strict, everything behind it is tolerant. A
 * tag that is not understood falls to its default and is counted in `faults`.
 *
 * Refused: a record over MAX_DMARC_RECORD_BYTES or with more than MAX_TAGS tags. Whoever meets one
 * must not take it for "no record" (walk.c).
 *
 * Choices where texts disagree: of a tag that stands twice the first counts, so that nobody can
 * append a weaker policy (DP-8, G05); names match without case (DP-10), as the ABNF has them; a CR
 * or LF at the end of a value is trimmed like WSP (taglist.h), which real records carry.
 *
 * BUGS
 *   psd=, t= and the others are read in records of any kind; which of them apply is the caller's
 *   business. Removed tags (pct, rf, ri: RFC 9989 9.3) are counted, never read.
 */
#include "dmarc/record.h"

#include "base/chars.h"
#include "dmarc/uri.h"

/* A value of a tag and what it stands for. */
struct word
{
    struct span text;
    int value;
};

static bool word_find(const struct word *words, size_t count, struct span text, int *value)
{
    for (size_t i = 0; i < count; i++) {
        if (!span_equal_fold(words[i].text, text))
            continue;
        *value = words[i].value;
        return true;
    }
    return false;
}
#define WORD_FIND(words, text, value) word_find(words, COUNT_OF(words), text, value)

/* dmarc-request = "none" / "quarantine" / "reject" (RFC 9989 4.8) */
static enum dmarc_policy read_policy(struct span value)
{
    static const struct word words[] = {
        {SPAN("none"), DMARC_POLICY_NONE},
        {SPAN("quarantine"), DMARC_POLICY_QUARANTINE},
        {SPAN("reject"), DMARC_POLICY_REJECT},
    };
    int policy = DMARC_POLICY_INVALID;
    (void)WORD_FIND(words, value, &policy);
    return (enum dmarc_policy)policy;
}

static bool set_p(struct dmarc_record *record, struct span value)
{
    record->p = read_policy(value);
    return record->p != DMARC_POLICY_INVALID;
}

static bool set_sp(struct dmarc_record *record, struct span value)
{
    record->sp = read_policy(value);
    return record->sp != DMARC_POLICY_INVALID;
}

static bool set_np(struct dmarc_record *record, struct span value)
{
    record->np = read_policy(value);
    return record->np != DMARC_POLICY_INVALID;
}

/* dmarc-psd = "y" / "n" / "u" */
static bool set_psd(struct dmarc_record *record, struct span value)
{
    static const struct word words[] = {
        {SPAN("y"), DMARC_PSD_YES},
        {SPAN("n"), DMARC_PSD_NO},
        {SPAN("u"), DMARC_PSD_UNKNOWN},
    };
    int psd = DMARC_PSD_UNKNOWN;
    bool known = WORD_FIND(words, value, &psd);
    record->psd = (enum dmarc_psd)psd;
    return known;
}

/* dmarc-yorn = "y" / "n" */
static bool set_t(struct dmarc_record *record, struct span value)
{
    record->testing = span_equal_fold(value, SPAN("y"));
    return record->testing || span_equal_fold(value, SPAN("n"));
}

/* dmarc-rors = "r" / "s" */
static bool read_strict(struct span value, bool *strict)
{
    *strict = span_equal_fold(value, SPAN("s"));
    return *strict || span_equal_fold(value, SPAN("r"));
}

static bool set_adkim(struct dmarc_record *record, struct span value)
{
    return read_strict(value, &record->adkim_strict);
}

static bool set_aspf(struct dmarc_record *record, struct span value)
{
    return read_strict(value, &record->aspf_strict);
}

static bool has_uri(struct span list)
{
    struct dmarc_uri uri;
    return dmarc_uri_next(&list, &uri);
}

static bool set_rua(struct dmarc_record *record, struct span value)
{
    record->rua = value;
    record->has_usable_rua = has_uri(value);
    return record->has_usable_rua;
}

static bool set_ruf(struct dmarc_record *record, struct span value)
{
    record->ruf = value;
    return has_uri(value);
}

/* dmarc-fo = "0" / "1" / "d" / "s" / "d:s" / "s:d"; anything else falls to the default (DP-12). */
static bool set_fo(struct dmarc_record *record, struct span value)
{
    static const struct word words[] = {{SPAN("0"), 0}, {SPAN("1"), 0},   {SPAN("d"), 0},
                                        {SPAN("s"), 0}, {SPAN("d:s"), 0}, {SPAN("s:d"), 0}};
    int unused;
    if (!WORD_FIND(words, value, &unused))
        return false;
    record->fo = value;
    return true;
}

/* v= was read before the tag list. */
static bool set_version(struct dmarc_record *record, struct span value)
{
    (void)record, (void)value;
    return true;
}

/* pct, rf, ri are Historic: ignored like unknown tags, but worth a note (RFC 9989 9.3). */
static bool set_removed(struct dmarc_record *record, struct span value)
{
    (void)record, (void)value;
    return false;
}

/* set: false where the value was not understood and the default stays. */
static const struct tag_rule
{
    struct span name;
    bool (*set)(struct dmarc_record *, struct span value);
} tag_rules[] = {
    {SPAN("v"), set_version},   {SPAN("p"), set_p},        {SPAN("sp"), set_sp},
    {SPAN("np"), set_np},       {SPAN("psd"), set_psd},    {SPAN("t"), set_t},
    {SPAN("adkim"), set_adkim}, {SPAN("aspf"), set_aspf},  {SPAN("rua"), set_rua},
    {SPAN("ruf"), set_ruf},     {SPAN("fo"), set_fo},      {SPAN("pct"), set_removed},
    {SPAN("rf"), set_removed},  {SPAN("ri"), set_removed},
};

/* An unknown tag is no fault: it may be of a later specification (DP-9). */
static void read_tag(struct dmarc_record *record, const struct tag *tag)
{
    for (size_t i = 0; i < COUNT_OF(tag_rules); i++) {
        if (!span_equal_fold(tag_rules[i].name, tag->name))
            continue;
        bool exact = span_equal(tag_rules[i].name, tag->name); /* DP-10: any case, but noted */
        if (!tag_rules[i].set(record, tag->value) || !exact)
            record->faults++;
        return;
    }
}

static struct span skip_wsp(struct span s)
{
    while (s.n && char_is_wsp(s.p[0]))
        s = span_skip(s, 1);
    return s;
}

/*
 *   dmarc-record  = dmarc-version *(dmarc-sep dmarc-tag) [dmarc-sep]
 *   dmarc-version = "v" equals %s"DMARC1"                  ; RFC 9989 4.8
 *   equals        = *WSP "=" *WSP
 *   dmarc-sep     = *WSP ";" *WSP
 */
bool dmarc_is_record(struct span text)
{
    if (text.n == 0 || ascii_lower(text.p[0]) != 'v')
        return false;
    struct span rest = skip_wsp(span_skip(text, 1));
    if (rest.n == 0 || rest.p[0] != '=')
        return false;
    rest = skip_wsp(span_skip(rest, 1));
    if (rest.n < 6 || !span_equal(span_slice(rest, 0, 6), SPAN("DMARC1")))
        return false;
    rest = skip_wsp(span_skip(rest, 6));
    return rest.n == 0 || rest.p[0] == ';';
}

static const struct tag *copy_tags(struct arena *arena, const struct taglist *list)
{
    struct tag *tags = ARENA_ARRAY(arena, list->count, struct tag);
    if (tags && list->count)
        memcpy(tags, list->tags, list->count * sizeof *tags);
    return tags;
}

bool dmarc_record_parse(struct span text, struct arena *arena, struct limit_hits *hits,
                        struct dmarc_record *record, const char **reason)
{
    struct taglist list;
    struct dmarc_record parsed = {.text = text};
    *reason = "not_dmarc";
    if (!dmarc_is_record(text))
        return false;
    *reason = limit_word(LIMIT_DMARC_RECORD_BYTES);
    if (text.n > MAX_DMARC_RECORD_BYTES) {
        limit_hit(hits, LIMIT_DMARC_RECORD_BYTES);
        return false;
    }
    *reason = limit_word(LIMIT_TAGS); /* the length was checked before */
    if (!taglist_parse(text, TAGLIST_TOLERANT, &list)) {
        limit_hit(hits, LIMIT_TAGS);
        return false;
    }
    parsed.faults = list.dropped;
    for (uint32_t i = 0; i < list.count; i++)
        read_tag(&parsed, &list.tags[i]);
    if (parsed.ruf.n == 0)
        parsed.fo = (struct span){0}; /* DP-12 */
    *reason = "no_memory";
    parsed.tags = copy_tags(arena, &list);
    if (!parsed.tags)
        return false;
    parsed.tag_count = list.count;
    *reason = NULL;
    *record = parsed;
    return true;
}

/* A part of `from` as the same part of its copy. */
static struct span moved(struct span part, struct span from, struct span copy)
{
    if (part.n == 0)
        return (struct span){copy.p, 0};
    size_t at = (size_t)(part.p - from.p);
    assert(at + part.n <= from.n);
    return span_slice(copy, at, at + part.n);
}

static bool move_tags(struct dmarc_record *copy, const struct dmarc_record *record,
                      struct arena *arena)
{
    struct tag *tags = ARENA_ARRAY(arena, record->tag_count, struct tag);
    for (uint32_t i = 0; tags && i < record->tag_count; i++) {
        tags[i] = record->tags[i];
        tags[i].name = moved(tags[i].name, record->text, copy->text);
        tags[i].value = moved(tags[i].value, record->text, copy->text);
    }
    copy->tags = tags;
    return tags != NULL;
}

const struct dmarc_record *dmarc_record_copy(const struct dmarc_record *record, struct arena *arena)
{
    struct dmarc_record *copy = ARENA_NEW(arena, struct dmarc_record);
    if (!copy)
        return NULL;
    *copy = *record;
    copy->text = arena_copy(arena, record->text);
    if (!copy->text.p || !move_tags(copy, record, arena))
        return NULL;
    copy->rua = moved(record->rua, record->text, copy->text);
    copy->ruf = moved(record->ruf, record->text, copy->text);
    copy->fo = moved(record->fo, record->text, copy->text);
    return copy;
}

void dmarc_record_place(const struct dmarc_record *record, struct dmarc_record *at)
{
    memcpy(at + 1, record->text.p, record->text.n);
    *at = *record;
    at->text = span_of(at + 1, record->text.n);
    at->rua = moved(record->rua, record->text, at->text);
    at->ruf = moved(record->ruf, record->text, at->text);
    at->fo = moved(record->fo, record->text, at->text);
    at->tags = NULL;
    at->tag_count = 0;
}

unsigned dmarc_records_count(const struct dns_answer *answer, uint32_t *found)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < answer->count && count < 2; i++) {
        if (!dmarc_is_record(answer->records[i].text))
            continue;
        *found = i;
        count++;
    }
    return count;
}

const struct dns_prepared *dmarc_prepare(const struct dns_answer *answer, struct arena *arena)
{
    uint32_t found = 0;
    struct limit_hits counted = {.set = 0};
    struct dmarc_prepared *prepared = ARENA_NEW(arena, struct dmarc_prepared);
    if (!prepared)
        return NULL;
    prepared->base.kind = DNS_PREPARED_DMARC;
    prepared->count = dmarc_records_count(answer, &found);
    if (prepared->count == 1 &&
        !dmarc_record_parse(answer->records[found].text, arena, &counted, &prepared->record,
                            &prepared->reason) &&
        arena->failed)
        return NULL;
    prepared->over = (uint8_t)limit_over(&counted);
    return &prepared->base;
}

const struct dmarc_prepared *dmarc_prepared_of(const struct dns_answer *answer)
{
    const struct dns_prepared *prepared = answer->prepared;
    if (!prepared || prepared->kind != DNS_PREPARED_DMARC)
        return NULL;
    return (const struct dmarc_prepared *)(const void *)prepared;
}

const char *dmarc_policy_word(enum dmarc_policy policy)
{
    switch (policy) {
    case DMARC_POLICY_NONE:
        return "none";
    case DMARC_POLICY_QUARANTINE:
        return "quarantine";
    case DMARC_POLICY_REJECT:
        return "reject";
    case DMARC_POLICY_UNSET:
    case DMARC_POLICY_INVALID:
        break;
    }
    return NULL;
}
