/*
 * RFC 6376 section 3.2: a kernel finds the ends of the tag-specs (simd/text.h), what stands between
 * is read spec by spec. Duplicates are looked for where a name's bit is taken:
 * names chosen to collide cost at most MAX_TAGS comparisons each.
 *
 * FWS is taken as any run of SP, HTAB, CR and LF: header fields come with their folds, and a bare
 * CR or LF inside has been flagged by the header index before.
 */
#include "base/taglist.h"

#include <endian.h>

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

/* Of ASCII all that is neither CHAR_TVAL nor FWS nor ";": no value may hold it. */
static bool has_odd(struct span value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((value.p[i] < ' ' && !is_fws(value.p[i])) || value.p[i] == 0x7f)
            return true;
    return false;
}

/* Equal names have the same bit, in both modes. Names of one letter have their own. */
static inline uint64_t letter_bit(uint32_t letter)
{
    return UINT64_C(1) << (letter & 31);
}

static inline uint64_t name_bit(struct span name)
{
    unsigned first = name.p[0] & 31, last = name.p[name.n - 1] & 31;
    if (name.n == 1)
        return letter_bit(first);
    return UINT64_C(1) << (32 + ((3 * first + 5 * last + (unsigned)name.n) & 31));
}

static bool has_name(const struct taglist *list, struct span name, enum taglist_mode mode)
{
    if (mode == TAGLIST_STRICT)
        return taglist_find(list, name) != NULL;
    return taglist_find_fold(list, name) != NULL;
}

static inline const uint8_t *skip_fws(const uint8_t *p, const uint8_t *end)
{
    while (p < end && is_fws(*p))
        p++;
    return p;
}

static inline const uint8_t *skip_name(const uint8_t *p, const uint8_t *end)
{
    if (!char_is(*p, CHAR_ALPHA))
        return p;
    for (p++; p < end && (char_is(*p, CHAR_ALPHA | CHAR_DIGIT) || *p == '_'); p++)
        continue;
    return p;
}

/* The tag-spec text[begin..its_end), which has an octet. */
static enum taglist_error read_spec(struct span text, size_t begin, size_t its_end, struct tag *tag)
{
    const uint8_t *end = text.p + its_end, *name = skip_fws(text.p + begin, end);
    if (name == end)
        return TAGLIST_EMPTY_SPEC;
    const uint8_t *name_end = skip_name(name, end), *equals = skip_fws(name_end, end);
    if (name_end == name || equals == end || *equals != '=')
        return memchr(name, '=', (size_t)(end - name)) ? TAGLIST_BAD_NAME : TAGLIST_NO_EQUALS;
    const uint8_t *value = skip_fws(equals + 1, end);
    while (end > value && is_fws(end[-1]))
        end--;
    *tag = (struct tag){
        .name = span_of(name, (size_t)(name_end - name)),
        .value = span_of(value, (size_t)(end - value)),
        .begin = (uint32_t)(equals + 1 - text.p),
        .end = (uint32_t)its_end,
        .name_at = (uint32_t)(name - text.p),
        .key = taglist_key(span_of(name, (size_t)(name_end - name))),
    };
    return TAGLIST_OK;
}

/* How many of eight octets in front are not above SP, 7 at most. Blanks come by one or as a fold:
 * asked of all together there is no branch to guess. */
static inline unsigned blanks_in_front(const uint8_t eight[8])
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t octets;
    memcpy(&octets, eight, sizeof octets);
    octets = le64toh(octets);
    uint64_t above = (((octets & each * 0x7f) + each * (0x7f - ' ')) | octets) & each * 0x80;
    return (unsigned)__builtin_ctzll(above | UINT64_C(1) << 63) / 8;
}

/* The same for a name of one letter and a value, no white space around the "=" and in front of the
 * ";", as nearly all are. False: none of these. What is not above SP is FWS, the caller knows. */
static inline bool read_plain_spec(struct span text, size_t begin, size_t end, struct tag *tag)
{
    if (text.n - begin < 8)
        return false;
    size_t at = begin + blanks_in_front(text.p + begin);
    const uint8_t *name = text.p + at;
    if (end < at + 3 || name[1] != '=' || name[2] <= ' ' || text.p[end - 1] <= ' ' ||
        !char_is(name[0], CHAR_ALPHA))
        return false;
    tag->name = span_of(name, 1);
    tag->value = span_of(name + 2, end - at - 2);
    tag->begin = (uint32_t)at + 2;
    tag->end = (uint32_t)end;
    tag->name_at = (uint32_t)at;
    tag->key = name[0];
    return true;
}

static void note_error(struct taglist *list, enum taglist_error error, size_t at)
{
    if (list->error)
        return;
    list->error = error;
    list->error_at = (uint32_t)at;
}

/* A spec that is no tag of the list. False: the list ends there. */
static bool leave_out(struct span text, size_t begin, size_t its_end, enum taglist_error error,
                      enum taglist_mode mode, struct taglist *list)
{
    if (error == TAGLIST_EMPTY_SPEC && its_end == text.n && begin > 0)
        return true; /* what follows the optional last ";" */
    note_error(list, error, begin);
    if (error == TAGLIST_TOO_MANY || mode == TAGLIST_STRICT)
        return false;
    list->dropped++;
    return true;
}

struct specs /* being read */
{
    struct span text;
    enum taglist_mode mode;
    bool odd;       /* some value may hold what it must not */
    uint64_t names; /* bits of those that were seen */
    struct taglist *list;
};

/* Any spec. False: the list ends there. */
static NOINLINE bool take_spec(struct specs *specs, size_t begin, size_t end)
{
    struct taglist *list = specs->list;
    struct tag *tag = &list->tags[list->count];
    enum taglist_error error = read_spec(specs->text, begin, end, tag);
    uint64_t bit = error ? 0 : name_bit(tag->name);
    if (!error && specs->odd && has_odd(tag->value))
        error = TAGLIST_BAD_VALUE;
    if (!error && (specs->names & bit) && has_name(list, tag->name, specs->mode))
        error = TAGLIST_DUPLICATE;
    if (!error && list->count == MAX_TAGS)
        error = TAGLIST_TOO_MANY;
    specs->names |= bit;
    list->count += error == TAGLIST_OK;
    return !error || leave_out(specs->text, begin, end, error, specs->mode, list);
}

static inline bool take_plain_spec(struct specs *specs, size_t begin, size_t end)
{
    struct taglist *list = specs->list;
    if (specs->odd || list->count == MAX_TAGS ||
        !read_plain_spec(specs->text, begin, end, &list->tags[list->count]))
        return false;
    uint64_t bit = letter_bit(list->tags[list->count].key);
    if (specs->names & bit)
        return false;
    specs->names |= bit;
    list->count++;
    return true;
}

static bool read_specs(struct span text, enum taglist_mode mode, struct taglist *list)
{
    struct specs specs = {text, mode, false, 0, list};
    uint32_t ends[SIMD_PARTS];
    size_t at = 0;
    while (at < text.n) {
        size_t count = simd_text()->tag_ends(text.p, text.n, at, ends, SIMD_PARTS, &specs.odd);
        for (size_t i = 0; i < count; at = ends[i++] + (size_t)1)
            if (!take_plain_spec(&specs, at, ends[i]) && !take_spec(&specs, at, ends[i]))
                return false;
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
