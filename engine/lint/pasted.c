/*
 * A record as a person pastes it: bare, as quoted strings, or as the whole line of a zone file
 * (RFC 1035 5.1), whose strings may stand on several lines between parentheses.
 *
 *   *blank DQUOTE *( character / "\" character / "\" 3DIGIT ) DQUOTE *( 1*blank another such )
 *   NAME [TTL] [CLASS] "TXT" [ "(" ] these strings [ ")" ] [ ";" comment ]
 *
 * What is not all of that form is taken as it is, quotes and all: then it was meant to be bare.
 */
#include "lint/finding.h"

#include "base/chars.h"

struct joining
{
    uint8_t *out;
    size_t n;
    size_t begin;        /* of the string being read */
    struct span longest; /* the first string that is too long */
    size_t lost;         /* where two strings meet without a blank; 0: nowhere */
};

static bool is_blank(uint8_t c)
{
    return char_is_wsp(c) || c == '\r' || c == '\n';
}

static struct span skip_blanks(struct span s)
{
    while (s.n && is_blank(s.p[0]))
        s = span_skip(s, 1);
    return s;
}

/* What may stand between and behind the strings: in a zone file parentheses and comments, too. */
static struct span skip_gap(struct span s, bool zone_line)
{
    for (s = skip_blanks(s); zone_line && s.n; s = skip_blanks(s)) {
        if (s.p[0] == '(' || s.p[0] == ')')
            s = span_skip(s, 1);
        else if (s.p[0] == ';')
            s = span_skip(s, span_find(s, '\n'));
        else
            return s;
    }
    return s;
}

static struct span next_word(struct span *rest)
{
    size_t n = 0;
    *rest = skip_blanks(*rest);
    while (n < rest->n && !is_blank(rest->p[n]))
        n++;
    struct span word = span_slice(*rest, 0, n);
    *rest = span_skip(*rest, n);
    return word;
}

/* What stands in front of the first quote ends in "TXT", or "TXT (". */
static bool is_zone_head(struct span head)
{
    bool type = false;
    for (struct span word; (word = next_word(&head)).n;)
        type = (type && span_equal(word, SPAN("("))) || span_equal_fold(word, SPAN("TXT"));
    return type;
}

/* One string behind its first quote; false where it does not end. */
static bool read_string(struct span *rest, struct joining *join)
{
    while (rest->n && rest->p[0] != '"') {
        uint8_t c = rest->p[0];
        size_t took = 1;
        if (c == '\\') {
            took = 1 + dns_escape_read(span_skip(*rest, 1), &c);
            if (took == 1)
                return false;
        }
        join->out[join->n++] = c;
        *rest = span_skip(*rest, took);
    }
    if (rest->n == 0)
        return false;
    *rest = span_skip(*rest, 1);
    return true;
}

static void end_string(struct joining *join)
{
    struct span string = span_of(join->out + join->begin, join->n - join->begin);
    if (string.n > LINT_STRING_BYTES_MAX && join->longest.n == 0)
        join->longest = string;
    bool meets = join->begin > 0 && string.n > 0;
    if (meets && join->lost == 0 && join->out[join->begin - 1] != ' ' && string.p[0] != ' ')
        join->lost = join->begin;
    join->begin = join->n;
}

/* False where the text is not of that form. */
static bool join_strings(struct span text, struct joining *join)
{
    size_t quote = span_find(text, '"');
    bool zone_line = is_zone_head(span_slice(text, 0, quote));
    struct span rest = zone_line ? span_skip(text, quote) : skip_blanks(text);
    if (rest.n == 0)
        return false;
    while (rest.n) {
        if (rest.p[0] != '"')
            return false;
        rest = span_skip(rest, 1);
        if (!read_string(&rest, join))
            return false;
        end_string(join);
        rest = skip_gap(rest, zone_line);
    }
    return true;
}

static void check_strings(const struct lint_place *place, const struct joining *join)
{
    if (join->longest.n)
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "string_over_255", join->longest,
                               "one string of %zu octets: 255 are the most (RFC 1035 3.3)",
                               join->longest.n),
                     "several strings of at most 255 octets: they are joined again");
    if (join->lost && place->kind == LINT_SPF)
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "lost_space",
                               span_slice(place->text, join->lost - 1, join->lost + 1),
                               "two strings meet here without a blank (RFC 7208 3.3)"),
                     "a blank at the end of the first string");
}

void lint_pasted_record(enum lint_kind kind, const struct dns_name *name, struct span *text,
                        struct lint_findings *findings)
{
    struct joining join = {.out = arena_alloc(findings->arena, text->n)};
    if (!join.out) {
        findings->failed = true;
        return;
    }
    if (!join_strings(*text, &join)) {
        lint_record(kind, name, *text, findings);
        return;
    }
    *text = span_of(join.out, join.n);
    struct lint_place place = {findings, kind ? kind : lint_kind_of(*text), name, *text};
    check_strings(&place, &join);
    lint_text(&place);
}
