/*
 * Reads in one pass, with one allocation for all rows; a file is found by a hash, patterns are
 * tried in their order.
 */
#include "sign/data_set.h"

#include <stdio.h>

#include "base/chars.h"

static const char *const not_read[] = {
    "csl:", "db:",       "dsn:",    "ldap:",   "ldaps:", "ldapi:",
    "lua:", "memcache:", "repute:", "socket:", "mdb:",   "erlang:"};

bool data_set_spec(const char *spec, enum data_set_kind *kind, const char **path,
                   char error[DATA_SET_ERROR_MAX])
{
    *kind = DATA_SET_FILE;
    *path = spec;
    for (size_t i = 0; i < COUNT_OF(not_read); i++) {
        if (!span_starts_fold(span_from_string(spec), span_from_string(not_read[i])))
            continue;
        snprintf(error, DATA_SET_ERROR_MAX, "%.150s: only file: and refile: tables are read", spec);
        return false;
    }
    if (span_starts_fold(span_from_string(spec), SPAN("file:")))
        *path = spec + strlen("file:");
    if (!span_starts_fold(span_from_string(spec), SPAN("refile:")))
        return true;
    *kind = DATA_SET_REFILE;
    *path = spec + strlen("refile:");
    return true;
}

enum key_file_status data_set_read(const char *path, struct buffer *text,
                                   char error[DATA_SET_ERROR_MAX])
{
    return key_file_bytes(path, DATA_SET_BYTES_MAX, text, error);
}

static bool say(char error[DATA_SET_ERROR_MAX], const char *label, uint32_t line, const char *what)
{
    snprintf(error, DATA_SET_ERROR_MAX, "%.150s:%u: %s", label, line, what);
    return false;
}

static bool is_blank(uint8_t c)
{
    return char_is_wsp(c) || c == '\r' || c == '\v' || c == '\f';
}

static struct span trim(struct span s)
{
    while (s.n && is_blank(s.p[0]))
        s = span_skip(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The next line without its LF, comment and blanks around. False at the end. */
static bool next_line(struct span *rest, struct span *line, struct span *raw)
{
    if (rest->n == 0)
        return false;
    size_t end = span_find(*rest, '\n');
    *raw = span_slice(*rest, 0, end);
    *rest = span_skip(*rest, end < rest->n ? end + 1 : end);
    *line = trim(span_slice(*raw, 0, span_find(*raw, '#')));
    return true;
}

static uint32_t count_lines(struct span text)
{
    uint32_t lines = 1;
    for (size_t at = span_find(text, '\n'); at < text.n;
         at += 1 + span_find(span_skip(text, at + 1), '\n'))
        lines++;
    return lines;
}

static const char *read_row(struct span line, struct data_set_row *row)
{
    size_t end = 0;
    while (end < line.n && !is_blank(line.p[end]))
        end++;
    row->key = span_slice(line, 0, end);
    row->value = trim(span_skip(line, end));
    return row->value.n ? NULL : "a key without a value";
}

static uint64_t hash_of(const struct data_set *set, struct span key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: the operator's own keys */
    for (size_t i = 0; i < key.n; i++)
        hash = (hash ^ (set->fold ? ascii_lower(key.p[i]) : key.p[i])) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static bool equal(const struct data_set *set, struct span a, struct span b)
{
    return set->fold ? span_equal_fold(a, b) : span_equal(a, b);
}

/* The bucket of this key, or the free one where it would go. A bucket holds a row's index + 1. */
static uint32_t *find_bucket(const struct data_set *set, struct span key)
{
    uint32_t mask = set->bucket_count - 1;
    uint32_t at = (uint32_t)hash_of(set, key) & mask;
    while (set->buckets[at] && !equal(set, set->rows[set->buckets[at] - 1].key, key))
        at = (at + 1) & mask;
    return &set->buckets[at];
}

static bool build_index(struct data_set *set, struct arena *arena)
{
    if (set->kind == DATA_SET_REFILE)
        return true;
    set->bucket_count = 8;
    while (set->bucket_count < 2 * set->count)
        set->bucket_count *= 2;
    set->buckets = ARENA_ARRAY(arena, set->bucket_count, uint32_t);
    for (uint32_t i = 0; set->buckets && i < set->count; i++) {
        uint32_t *bucket = find_bucket(set, set->rows[i].key);
        if (*bucket == 0) /* the first line of a key is the one that counts */
            *bucket = i + 1;
    }
    return set->buckets != NULL;
}

bool data_set_parse(struct span text, enum data_set_kind kind, bool fold, const char *label,
                    struct arena *arena, struct data_set *set, char error[DATA_SET_ERROR_MAX])
{
    *set = (struct data_set){.kind = kind, .fold = fold};
    if (text.n > DATA_SET_BYTES_MAX)
        return say(error, label, 1, "the table is over 64 MiB");
    struct data_set_row *rows = ARENA_ARRAY(arena, count_lines(text), struct data_set_row);
    if (!rows)
        return say(error, label, 1, "no memory");
    struct span rest = text, line, raw;
    for (uint32_t number = 1; next_line(&rest, &line, &raw); number++) {
        if (raw.n > DATA_SET_LINE_MAX || span_find(raw, '\0') < raw.n)
            return say(error, label, number, "a line that is no text");
        if (line.n == 0)
            continue;
        const char *fault = read_row(line, &rows[set->count]);
        if (fault)
            return say(error, label, number, fault);
        rows[set->count++].line = number;
    }
    set->rows = rows;
    return build_index(set, arena) || say(error, label, 1, "no memory");
}

/* The classic loop with one place to come back to: a later "*" makes an earlier one final. */
bool data_set_pattern_fits(struct span pattern, struct span text, bool fold)
{
    size_t p = 0, t = 0, star = pattern.n, star_text = 0;
    while (t < text.n) {
        bool same = p < pattern.n && (fold ? ascii_lower(pattern.p[p]) == ascii_lower(text.p[t])
                                           : pattern.p[p] == text.p[t]);
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            star_text = t;
        } else if (same) {
            p++;
            t++;
        } else if (star < pattern.n) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

const struct data_set_row *data_set_next(const struct data_set *set, struct span key,
                                         uint32_t *from)
{
    if (set->kind == DATA_SET_FILE) {
        uint32_t bucket = *find_bucket(set, key);
        if (bucket == 0 || bucket - 1 < *from)
            return NULL;
        *from = bucket;
        return &set->rows[bucket - 1];
    }
    for (; *from < set->count; ++*from)
        if (data_set_pattern_fits(set->rows[*from].key, key, set->fold))
            return &set->rows[(*from)++];
    return NULL;
}
