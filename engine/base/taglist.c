/*
 * RFC 6376 section 3.2 in one pass over the text; duplicates are found through a small hash table
 * on the stack. Names chosen to collide cost at most MAX_TAGS comparisons each.
 *
 * FWS is taken as any run of SP, HTAB, CR and LF: header fields come with their folds, and a bare
 * CR or LF inside has been flagged by the header index before.
 */
#include "base/taglist.h"

#include "base/bytes16.h"
#include "base/chars.h"

static bool is_fws(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
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
    if (name.n == 0 || !char_is(name.p[0], CHAR_ALPHA))
        return false;
    for (size_t i = 1; i < name.n; i++)
        if (!char_is(name.p[i], CHAR_ALPHA | CHAR_DIGIT) && name.p[i] != '_')
            return false;
    return true;
}

/* What no value may hold: of ASCII all that is neither CHAR_TVAL nor FWS nor ";". */
static bool is_odd(uint8_t c)
{
    return (c < ' ' && !is_fws(c)) || c == 0x7f;
}

/* Offset of the first ";" or odd character at or behind `from`, or text.n. */
static size_t find_stop(struct span text, size_t from)
{
    size_t i = from;
    for (; text.n - i >= BYTES16; i += BYTES16) {
        bytes16 v = bytes16_load(text.p + i);
        bytes16 blank = bytes16_equal(v, '\t') | bytes16_equal(v, '\r') | bytes16_equal(v, '\n');
        bytes16 control = (bytes16)(v < ' ') & ~blank;
        bytes16 stop = bytes16_equal(v, ';') | control | bytes16_equal(v, 0x7f);
        if (bytes16_any(stop))
            return i + bytes16_first(stop);
    }
    while (i < text.n && text.p[i] != ';' && !is_odd(text.p[i]))
        i++;
    return i;
}

/* A tag-spec on its way: where it ends, and where its first odd character stands (its end: none).
 */
struct spec
{
    size_t begin, end, odd;
};

static struct spec find_spec(struct span text, size_t begin)
{
    struct spec spec = {.begin = begin};
    spec.end = spec.odd = find_stop(text, begin);
    if (spec.end < text.n && text.p[spec.end] != ';')
        spec.end += span_find(span_skip(text, spec.end), ';');
    return spec;
}

/* Case folded, so that it serves both modes: all of a short name at once, FNV-1a of a longer one.
 */
static uint32_t name_hash(struct span name, uint32_t key)
{
    uint32_t hash = 2166136261u;
    if (key)
        return ((key | 0x20202020u) * 0x9e3779b1u) >> 24;
    for (size_t i = 0; i < name.n; i++)
        hash = (hash ^ ascii_lower(name.p[i])) * 16777619u;
    return hash;
}

/* Names seen so far, open addressing; a slot holds 1 + the tag's index, 0 is free. */
struct name_table
{
    uint8_t slots[2 * MAX_TAGS];
};
STATIC_ASSERT(MAX_TAGS < 255 && (MAX_TAGS & (MAX_TAGS - 1)) == 0);

/* Enters the name of the tag that comes next in `list`; false where it is there already. */
static bool name_enter(struct name_table *table, const struct taglist *list, const struct tag *tag,
                       enum taglist_mode mode)
{
    struct span name = tag->name;
    uint32_t mask = COUNT_OF(table->slots) - 1, at = name_hash(name, tag->key) & mask;
    for (; table->slots[at]; at = (at + 1) & mask) {
        struct span other = list->tags[table->slots[at] - 1].name;
        if (mode == TAGLIST_STRICT ? span_equal(other, name) : span_equal_fold(other, name))
            return false;
    }
    table->slots[at] = (uint8_t)(list->count + 1);
    return true;
}

static enum taglist_error read_spec(struct span text, const struct spec *spec, struct tag *tag)
{
    size_t equals = spec->begin;
    while (equals < spec->end && text.p[equals] != '=')
        equals++;
    if (equals == spec->end)
        return taglist_trim(span_slice(text, spec->begin, spec->end)).n ? TAGLIST_NO_EQUALS
                                                                        : TAGLIST_EMPTY_SPEC;
    struct span name = taglist_trim(span_slice(text, spec->begin, equals));
    *tag = (struct tag){
        .name = name,
        .value = taglist_trim(span_slice(text, equals + 1, spec->end)),
        .begin = (uint32_t)equals + 1,
        .end = (uint32_t)spec->end,
        .name_at = (uint32_t)(name.p - text.p),
        .key = taglist_key(name),
    };
    if (!is_name(name))
        return TAGLIST_BAD_NAME;
    return spec->odd == spec->end ? TAGLIST_OK : TAGLIST_BAD_VALUE;
}

static void note_error(struct taglist *list, enum taglist_error error, size_t at)
{
    if (list->error)
        return;
    list->error = error;
    list->error_at = (uint32_t)at;
}

bool taglist_parse(struct span text, enum taglist_mode mode, struct taglist *list)
{
    struct name_table names = {{0}};
    list->count = 0;
    list->dropped = 0;
    list->error = TAGLIST_OK;
    list->error_at = 0;
    if (text.n > MAX_TAG_LIST_BYTES) {
        note_error(list, TAGLIST_TOO_LONG, MAX_TAG_LIST_BYTES);
        return false;
    }
    size_t at = 0;
    while (at < text.n) {
        struct spec spec = find_spec(text, at);
        bool last = spec.end >= text.n;
        struct tag tag;
        enum taglist_error error = read_spec(text, &spec, &tag);
        if (error == TAGLIST_EMPTY_SPEC && last && at > 0)
            break; /* what follows the optional last ";" */
        if (!error && !name_enter(&names, list, &tag, mode))
            error = TAGLIST_DUPLICATE;
        if (!error && list->count == MAX_TAGS) {
            note_error(list, TAGLIST_TOO_MANY, at);
            return false;
        }
        if (error)
            note_error(list, error, at);
        if (error && mode == TAGLIST_STRICT)
            return false;
        if (error)
            list->dropped++;
        else
            list->tags[list->count++] = tag;
        at = spec.end + 1;
    }
    if (list->count == 0 && mode == TAGLIST_STRICT) {
        note_error(list, TAGLIST_EMPTY_SPEC, 0);
        return false;
    }
    return true;
}

const struct tag *taglist_find_key(const struct taglist *list, uint32_t key)
{
    assert(key);
    for (uint32_t i = 0; i < list->count; i++)
        if (list->tags[i].key == key)
            return &list->tags[i];
    return NULL;
}

const struct tag *taglist_find(const struct taglist *list, struct span name)
{
    uint32_t key = taglist_key(name);
    if (key)
        return taglist_find_key(list, key);
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
