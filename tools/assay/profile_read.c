/*
 * The data file of a profile: lines, sections, keys. The first fault ends it: one line with the
 * file's name and the line's number.
 *
 * Limits: PROFILE_BYTES_MAX, PROFILE_RULES_MAX rules, PROFILE_TEXT_MAX octets of a value.
 */
#include <stdarg.h>

#include "base/number.h"
#include "profile.h"

struct reading
{
    const char *label;
    struct arena *arena;
    struct profile *profile;
    struct profile_rule *rule; /* NULL: above the first one */
    unsigned line;             /* of the key that is being read */
};

struct key
{
    const char *name;
    size_t offset;
};

#define AT(member) offsetof(struct profile, member)
static const struct key profile_keys[] = {
    {"title", AT(title)}, {"as-of", AT(as_of)}, {"source", AT(source)}, {"bulk", AT(bulk)}, {0}};
#undef AT
#define AT(member) offsetof(struct profile_rule, member)
static const struct key rule_keys[] = {
    {"check", AT(argument)}, {"title", AT(title)},   {"who", AT(who)},
    {"level", AT(level)},    {"reply", AT(reply)},   {"retry", AT(retry)},
    {"note", AT(note)},      {"advice", AT(advice)}, {0},
};
#undef AT

static bool wrong(const struct reading *r, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);

static bool wrong(const struct reading *r, unsigned line, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    complain("--profile: %s:%u: %s", r->label, line, text);
    return false;
}

static bool is_word_of(const char *words, const char *text)
{
    size_t n = strlen(text);
    for (const char *at = words; *at; at += strspn(at, "|")) {
        size_t length = strcspn(at, "|");
        if (length == n && memcmp(at, text, n) == 0)
            return true;
        at += length;
    }
    return false;
}

/* --- values --- */

/* "550 5.7.26 Text" or "550 Text"; `first` is the digit that a reply of this kind begins with, 0:
 * 4 or 5. */
static bool is_reply(const char *text, char first)
{
    bool class = text[0] == '4' || text[0] == '5';
    return class && (!first || text[0] == first) && char_is_digit((uint8_t)text[1]) &&
           char_is_digit((uint8_t)text[2]) && text[3] == ' ' && text[4];
}

static bool has_unknown_macro(const char *text)
{
    static const char *const macros[] = {"{from_domain}", "{spf_domain}", "{mail_from}", "{ip}"};
    for (const char *at = strchr(text, '{'); at; at = strchr(at + 1, '{')) {
        bool known = false;
        for (size_t i = 0; i < COUNT_OF(macros); i++)
            known = known || strncmp(at, macros[i], strlen(macros[i])) == 0;
        if (!known)
            return true;
    }
    return false;
}

static bool check_reply(const struct reading *r, const char *key, const char *text, char first)
{
    if (!is_reply(text, first))
        return wrong(r, r->line, "%s: expected %s, a status and a text", key,
                     first ? "a code from 400 to 499" : "a code from 400 to 599");
    if (has_unknown_macro(text))
        return wrong(r, r->line,
                     "%s: \"{\" begins {from_domain}, {spf_domain}, {mail_from} or {ip}", key);
    return true;
}

static bool check_argument(const struct reading *r, const struct profile_check *check,
                           const char *argument)
{
    uint64_t number;
    switch (check->argument) {
    case ARGUMENT_NONE:
        return !*argument || wrong(r, r->line, "%s takes nothing behind it", check->name);
    case ARGUMENT_NUMBER:
        return number_parse(span_from_string(argument), 6, &number) ||
               wrong(r, r->line, "%s wants a number", check->name);
    case ARGUMENT_OPTIONAL:
    case ARGUMENT_WORD:
        if (check->argument == ARGUMENT_OPTIONAL && !*argument)
            return true;
        return is_word_of(check->words, argument) ||
               wrong(r, r->line, "%s wants %s", check->name, check->words);
    case ARGUMENT_DOMAINS:
        break;
    }
    return *argument || wrong(r, r->line, "%s wants domains", check->name);
}

/* "dkim_key_bits 1024": the argument takes the value's place. */
static bool set_check(struct reading *r, const char *value)
{
    size_t n = strcspn(value, " ");
    r->rule->check = profile_check_find(span_of(value, n));
    if (!r->rule->check)
        return wrong(r, r->line, "there is no check \"%.*s\"", (int)(n < 60 ? n : 60), value);
    r->rule->argument = value + n + strspn(value + n, " ");
    return check_argument(r, r->rule->check, r->rule->argument);
}

static bool check_value(struct reading *r, const char *key, const char *value)
{
    if (!r->rule)
        return true;
    if (strcmp(key, "check") == 0)
        return set_check(r, value);
    if (strcmp(key, "who") == 0)
        return is_word_of("all|bulk", value) || wrong(r, r->line, "who: expected all or bulk");
    if (strcmp(key, "level") == 0)
        return is_word_of("required|advised", value) ||
               wrong(r, r->line, "level: expected required or advised");
    if (strcmp(key, "reply") == 0)
        return check_reply(r, key, value, 0);
    return strcmp(key, "retry") != 0 || check_reply(r, key, value, '4');
}

static bool set_value(struct reading *r, struct span key, struct span value)
{
    const struct key *row = r->rule ? rule_keys : profile_keys;
    char *into = r->rule ? (char *)r->rule : (char *)r->profile;
    while (row->name && !span_equal(key, span_from_string(row->name)))
        row++;
    if (!row->name)
        return wrong(r, r->line, "there is no key \"%.*s\" %s", (int)(key.n < 60 ? key.n : 60),
                     (const char *)key.p, r->rule ? "in a rule" : "above the first rule");
    const char **slot = (const char **)(void *)(into + row->offset);
    if (*slot)
        return wrong(r, r->line, "%s stands there already", row->name);
    if (value.n == 0)
        return wrong(r, r->line, "%s has no value", row->name);
    *slot = arena_string(r->arena, value);
    if (!*slot)
        return wrong(r, r->line, "no memory");
    return check_value(r, row->name, *slot);
}

/* --- sections --- */

static bool end_section(const struct reading *r)
{
    struct profile_rule *rule = r->rule;
    if (!rule)
        return r->profile->title || wrong(r, r->line, "there is no title above the first rule");
    if (!rule->check)
        return wrong(r, rule->line, "[%s] has no check", rule->name);
    if (!rule->title)
        return wrong(r, rule->line, "[%s] has no title", rule->name);
    rule->who = rule->who ? rule->who : "all";
    rule->level = rule->level ? rule->level : "required";
    return true;
}

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!char_is(name.p[i], CHAR_LDH))
            return false;
    return name.n > 0 && name.n <= PROFILE_NAME_MAX;
}

static bool begin_rule(struct reading *r, struct span line)
{
    struct span name = span_slice(line, 1, line.n - 1);
    r->line = r->line ? r->line : 1;
    if (line.p[line.n - 1] != ']' || !is_name(name))
        return wrong(r, r->line, "expected [name], of letters, digits, \"-\" and \"_\"");
    if (!end_section(r))
        return false;
    for (size_t i = 0; i < r->profile->count; i++)
        if (span_equal(name, span_from_string(r->profile->rules[i].name)))
            return wrong(r, r->line, "[%s] stands in line %u already", r->profile->rules[i].name,
                         r->profile->rules[i].line);
    if (r->profile->count == PROFILE_RULES_MAX)
        return wrong(r, r->line, "more than %d rules", PROFILE_RULES_MAX);
    r->rule = &r->profile->rules[r->profile->count++];
    r->rule->name = arena_string(r->arena, name);
    r->rule->line = r->line;
    return r->rule->name || wrong(r, r->line, "no memory");
}

/* --- lines --- */

static struct span next_line(struct span *rest)
{
    size_t end = span_find(*rest, '\n');
    bool cr = end > 0 && rest->p[end - 1] == '\r';
    struct span line = span_slice(*rest, 0, end - cr);
    *rest = span_skip(*rest, end < rest->n ? end + 1 : end);
    return line;
}

static bool is_printable(struct span line)
{
    for (size_t i = 0; i < line.n; i++)
        if (!char_is(line.p[i], CHAR_VCHAR | CHAR_WSP))
            return false;
    return true;
}

/* The lines that begin with a blank, joined by one; *last is the number of the last of them. */
static bool read_value(struct reading *r, struct span first, struct span *rest, unsigned *last,
                       struct span *value)
{
    static const char blanks[] = " \t";
    uint8_t *text = arena_alloc(r->arena, PROFILE_TEXT_MAX);
    struct span piece = span_trim_wsp(first);
    size_t n = 0;
    if (!text)
        return wrong(r, r->line, "no memory");
    for (;;) {
        if (n + 1 + piece.n > PROFILE_TEXT_MAX)
            return wrong(r, r->line, "a value of more than %d octets", PROFILE_TEXT_MAX);
        if (n && piece.n)
            text[n++] = ' ';
        if (piece.n)
            memcpy(text + n, piece.p, piece.n);
        n += piece.n;
        if (!rest->n || !memchr(blanks, rest->p[0], 2))
            break;
        ++*last;
        piece = next_line(rest);
        if (!is_printable(piece))
            return wrong(r, *last, "an octet that is no printable ASCII");
        piece = span_trim_wsp(piece);
    }
    *value = span_of(text, n);
    return true;
}

static bool read_line(struct reading *r, struct span line, struct span *rest, unsigned *last)
{
    if (!is_printable(line))
        return wrong(r, r->line, "an octet that is no printable ASCII");
    struct span text = span_trim_wsp(line);
    if (text.n == 0 || line.p[0] == '#')
        return true;
    if (char_is_wsp(line.p[0]))
        return wrong(r, r->line, "a line that goes on, and nothing before it");
    if (text.p[0] == '[')
        return begin_rule(r, text);
    size_t equals = span_find(text, '=');
    if (equals == text.n)
        return wrong(r, r->line, "expected \"key = value\", \"[rule]\" or \"# comment\"");
    struct span value;
    return read_value(r, span_skip(text, equals + 1), rest, last, &value) &&
           set_value(r, span_trim_wsp(span_slice(text, 0, equals)), value);
}

bool profile_parse(struct span text, const char *label, struct arena *arena,
                   struct profile *profile)
{
    struct reading r = {label, arena, profile, NULL, 1};
    unsigned last = 0;
    while (text.n) {
        r.line = ++last;
        struct span line = next_line(&text);
        if (!read_line(&r, line, &text, &last))
            return false;
    }
    if (!end_section(&r))
        return false;
    return profile->count || wrong(&r, r.line, "there is no rule");
}
