/*
 * A record with carets under its fault. Bytes that are not printable take four columns (J08); a
 * record wider than the terminal is shown around the fault, "..." for what is left out.
 */
#include "base/chars.h"
#include "lint.h"

enum
{
    INDENT = 6,
    LEAST_COLUMNS = 30,
    DOTS = 3,
};

static unsigned width_of(uint8_t c)
{
    return char_is(c, CHAR_VCHAR) || c == ' ' ? 1 : 4;
}

static size_t width(struct span text)
{
    size_t columns = 0;
    for (size_t i = 0; i < text.n; i++)
        columns += width_of(text.p[i]);
    return columns;
}

/* As much of the beginning as fits. */
static struct span fitting(struct span text, size_t columns)
{
    size_t n = 0, used = 0;
    while (n < text.n && used + width_of(text.p[n]) <= columns)
        used += width_of(text.p[n++]);
    return span_slice(text, 0, n);
}

/* As far before `end` as so many columns reach. */
static size_t columns_before(struct span text, size_t end, size_t columns)
{
    size_t begin = end, used = 0;
    while (begin > 0 && used + width_of(text.p[begin - 1]) <= columns)
        used += width_of(text.p[--begin]);
    return begin;
}

/* Where to begin so that the fault is in sight, with a third of the columns before it, and more
 * where the rest of the record is short. */
static size_t find_begin(struct span text, size_t at, size_t columns)
{
    size_t wanted = columns_before(text, at, columns / 3);
    size_t filled = columns_before(text, text.n, columns);
    return wanted < filled ? wanted : filled;
}

static void repeat(char c, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++)
        fputc(c, out);
}

void lint_print_record(struct span text, size_t at, size_t length, unsigned columns, FILE *out)
{
    size_t room = (columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns) - INDENT;
    size_t begin = 0;
    struct span shown = text;
    bool cut = width(text) > room;
    if (cut) {
        room -= 2 * (size_t)DOTS;
        begin = find_begin(text, at, room);
        shown = fitting(span_skip(text, begin), room);
    }
    bool before = begin > 0, behind = begin + shown.n < text.n;
    repeat(' ', INDENT, out);
    fputs(before ? "..." : "", out);
    print_escaped(shown, out);
    fputs(behind ? "...\n" : "\n", out);
    if (length == 0 || at < begin || at >= begin + shown.n)
        return;
    struct span part = span_slice(text, at, at + length);
    size_t left = begin + shown.n - at;
    part.n = part.n < left ? part.n : left;
    repeat(' ', INDENT + (before ? DOTS : 0) + width(span_slice(text, begin, at)), out);
    fputs(colour_of_result(RESULT_FAIL), out);
    repeat('^', width(part), out);
    fprintf(out, "%s\n", colour_off());
}
