/*
 * RFC 6376 section 3.2: a kernel finds the ends of the tag-specs and their first "=" (simd/text.h),
 * what stands between is read spec by spec. Duplicates are looked for where a name's bit is taken:
 * names chosen to collide cost at most MAX_TAGS comparisons each.
 *
 * FWS is taken as any run of SP, HTAB, CR and LF: header fields come with their folds, and a bare
 * CR or LF inside has been flagged by the header index before.
 */
#include "base/taglist.h"

#include "base/chars.h"
#include "simd/text.h"

/* One compare for nearly all that stands at the ends of values. */
static inline bool is_fws(uint8_t c)
{
    static const uint64_t fws =
        UINT64_C(1) << ' ' | UINT64_C(1) << '\t' | UINT64_C(1) << '\r' | UINT64_C(1) << '\n';
    return c <= ' ' && (fws >> c & 1);
}

struct span taglist_trim(struct span s)
{
    while (s.n && is_fws(s.p[0]))
        s = span_skip(s, 1);
    while (s.n && is_fws(s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool is_name(struct span name)
{
    if (!char_is(name.p[0], CHAR_ALPHA))
        return false;
    for (size_t i = 1; i < name.n; i++)
        if (!char_is(name.p[i], CHAR_ALPHA | CHAR_DIGIT) && name.p[i] != '_')
            return false;
    return true;
}

/* Of ASCII all that is neither CHAR_TVAL nor FWS nor ";": no value may hold it. */
static bool has_odd(struct span value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((value.p[i] < ' ' && !is_fws(value.p[i])) || value.p[i] == 0x7f)
            return true;
    return false;
}

/* Equal names have the same bit, in both modes. Names of one letter have their own. */
static inline uint64_t name_bit(struct span name)
{
    unsigned first = name.p[0] & 31, last = name.p[name.n - 1] & 31;
    if (name.n == 1)
        return UINT64_C(1) << first;
    return UINT64_C(1) << (32 + ((3 * first + 5 * last + (unsigned)name.n) & 31));
}

static bool has_name(const struct taglist *list, struct span name, enum taglist_mode mode)
{
    if (mode == TAGLIST_STRICT)
        return taglist_find(list, name) != NULL;
    return taglist_find_fold(list, name) != NULL;
}

/* What stands in text[begin..spec->end) in front of the "=" and behind it, which also ends the
 * search for the name's first octet and for the value's last one. */
static inline enum taglist_error read_spec(struct span text, size_t begin,
                                           const struct simd_part *spec, struct tag *tag)
{
    const uint8_t *equals = text.p + spec->mark, *end = text.p + spec->end;
    const uint8_t *name = text.p + begin, *name_end = equals, *value = equals + 1;
    if (equals == end)
        return taglist_trim(span_slice(text, begin, spec->end)).n ? TAGLIST_NO_EQUALS
                                                                  : TAGLIST_EMPTY_SPEC;
    while (is_fws(*name))
        name++;
    if (name == equals)
        return TAGLIST_BAD_NAME;
    while (is_fws(name_end[-1]))
        name_end--;
    while (is_fws(end[-1]))
        end--;
    while (value < end && is_fws(*value))
        value++;
    tag->name = span_of(name, (size_t)(name_end - name));
    tag->value = span_of(value, (size_t)(end - value));
    tag->begin = spec->mark + 1;
    tag->end = spec->end;
    tag->name_at = (uint32_t)(name - text.p);
    tag->key = taglist_key(tag->name);
    return is_name(tag->name) ? TAGLIST_OK : TAGLIST_BAD_NAME;
}

static void note_error(struct taglist *list, enum taglist_error error, size_t at)
{
    if (list->error)
        return;
    list->error = error;
    list->error_at = (uint32_t)at;
}

/* A spec that is no tag of the list. False: the list ends there. */
static bool leave_out(struct span text, size_t begin, const struct simd_part *spec,
                      enum taglist_error error, enum taglist_mode mode, struct taglist *list)
{
    if (error == TAGLIST_EMPTY_SPEC && spec->end == text.n && begin > 0)
        return true; /* what follows the optional last ";" */
    note_error(list, error, begin);
    if (error == TAGLIST_TOO_MANY || mode == TAGLIST_STRICT)
        return false;
    list->dropped++;
    return true;
}

static bool read_specs(struct span text, enum taglist_mode mode, struct taglist *list)
{
    struct simd_part specs[SIMD_PARTS];
    uint64_t names = 0; /* bits of those that were seen */
    size_t at = 0;
    bool odd; /* some value may hold what it must not */
    while (at < text.n) {
        size_t count = simd_text()->tag_specs(text.p, text.n, at, specs, SIMD_PARTS, &odd);
        for (size_t i = 0; i < count; at = specs[i++].end + (size_t)1) {
            struct tag *tag = &list->tags[list->count];
            enum taglist_error error = read_spec(text, at, &specs[i], tag);
            uint64_t bit = error ? 0 : name_bit(tag->name);
            if (!error && odd && has_odd(tag->value))
                error = TAGLIST_BAD_VALUE;
            if (!error && (names & bit) && has_name(list, tag->name, mode))
                error = TAGLIST_DUPLICATE;
            if (!error && list->count == MAX_TAGS)
                error = TAGLIST_TOO_MANY;
            if (error && !leave_out(text, at, &specs[i], error, mode, list))
                return false;
            list->count += error == TAGLIST_OK;
            names |= bit;
        }
    }
    return true;
}

bool taglist_parse(struct span text, enum taglist_mode mode, struct taglist *list)
{
    list->count = 0;
    list->dropped = 0;
    list->error = TAGLIST_OK;
    list->error_at = 0;
    if (text.n > MAX_TAG_LIST_BYTES) {
        note_error(list, TAGLIST_TOO_LONG, MAX_TAG_LIST_BYTES);
        return false;
    }
    if (!read_specs(text, mode, list))
        return false;
    if (list->count == 0 && mode == TAGLIST_STRICT) {
        note_error(list, TAGLIST_EMPTY_SPEC, 0);
        return false;
    }
    return true;
}

static const struct tag *find_key(const struct taglist *list, uint32_t key)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->tags[i].key == key)
            return &list->tags[i];
    return NULL;
}

const struct tag *taglist_find(const struct taglist *list, struct span name)
{
    uint32_t key = taglist_key(name);
    if (key)
        return find_key(list, key);
    for (uint32_t i = 0; i < list->count; i++)
        if (span_equal(list->tags[i].name, name))
            return &list->tags[i];
    return NULL;
}

const struct tag *taglist_find_fold(const struct taglist *list, struct span name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (span_equal_fold(list->tags[i].name, name))
            return &list->tags[i];
    return NULL;
}

const char *taglist_error_word(enum taglist_error error)
{
    switch (error) {
    case TAGLIST_OK:
        return "ok";
    case TAGLIST_TOO_LONG:
        return limit_word(LIMIT_TAG_LIST_BYTES);
    case TAGLIST_TOO_MANY:
        return limit_word(LIMIT_TAGS);
    case TAGLIST_NO_EQUALS:
        return "tag_without_equals";
    case TAGLIST_BAD_NAME:
        return "bad_tag_name";
    case TAGLIST_BAD_VALUE:
        return "bad_tag_value";
    case TAGLIST_EMPTY_SPEC:
        return "empty_tag";
    case TAGLIST_DUPLICATE:
        return "duplicate_tag";
    }
    return "bad_tag_list";
}
