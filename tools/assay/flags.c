/*
 * Reads "--name VALUE", "--name=VALUE", "-n VALUE" and "-nVALUE"; unlike getopt_long no
 * abbreviations, since a later option would make them ambiguous. "--" ends the options.
 */
#include "flags.h"

#include <assert.h>

#include "base/ip.h"
#include "base/number.h"

enum
{
    HELP_COLUMN = 24,
};

struct reading
{
    const char *command;
    const struct flag *flags;
    char **argv;
    int argc;
    int at;
    void *into;
};

static const struct flag *find(const struct flag *flags, const char *argument, size_t n)
{
    for (; flags->name; flags++) {
        if (argument[1] == '-' && strlen(flags->name) == n - 2 &&
            memcmp(flags->name, argument + 2, n - 2) == 0)
            return flags;
        if (argument[1] != '-' && flags->letter && flags->letter == argument[1])
            return flags;
    }
    return NULL;
}

static bool read_number(const struct flag *flag, const char *text, uint64_t *number)
{
    if (number_parse(span_from_string(text), MAX_TIME_DIGITS, number) && *number > 0 &&
        *number <= flag->max)
        return true;
    complain("--%s: \"%s\" is no number from 1 to %llu", flag->name, text,
             (unsigned long long)flag->max);
    return false;
}

static bool read_duration(const struct flag *flag, const char *text, uint64_t *seconds)
{
    static const struct
    {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    struct span number = span_from_string(text);
    uint64_t factor = 1;
    for (size_t i = 0; number.n && i < COUNT_OF(units); i++) {
        if (number.p[number.n - 1] != units[i].unit)
            continue;
        factor = units[i].seconds;
        number.n--;
        break;
    }
    if (number_parse(number, MAX_TIME_DIGITS, seconds) && *seconds > 0 &&
        *seconds <= flag->max / factor) {
        *seconds *= factor;
        return true;
    }
    complain("--%s: \"%s\" is no duration like 3600, 90m, 12h or 7d", flag->name, text);
    return false;
}

bool flag_word_next(struct span *rest, struct span *word)
{
    if (rest->n == 0)
        return false;
    size_t n = span_find(*rest, '|');
    *word = span_slice(*rest, 0, n);
    *rest = span_skip(*rest, n < rest->n ? n + 1 : n);
    return true;
}

static void refuse_word(const struct flag *flag, const char *text)
{
    char words[256] = "";
    size_t n = 0, count = 0;
    struct span rest = span_from_string(flag->argument), word;
    while (flag_word_next(&rest, &word) && n < sizeof words) {
        const char *before = count++ == 0 ? "" : ", ";
        n += (size_t)snprintf(words + n, sizeof words - n, "%s%.*s", before, (int)word.n,
                              (const char *)word.p);
    }
    complain("--%s: \"%s\" is %s%s", flag->name, text, count == 1 ? "not " : "none of ", words);
}

static bool read_word(const struct flag *flag, const char *text, const char **place)
{
    struct span rest = span_from_string(flag->argument), word;
    while (flag_word_next(&rest, &word)) {
        if (!span_equal(word, span_from_string(text)))
            continue;
        *place = text;
        return true;
    }
    refuse_word(flag, text);
    return false;
}

static bool read_address(const struct flag *flag, const char *text, const char **place)
{
    struct ip parsed;
    *place = text;
    if (ip_parse(span_from_string(text), &parsed))
        return true;
    complain("--%s: \"%s\" is no IPv4 or IPv6 address", flag->name, text);
    return false;
}

static bool add_text(const struct flag *flag, const char *text, struct flag_texts *texts)
{
    if (texts->count == MAX_OPTION_VALUES) {
        complain("--%s may stand %d times at most", flag->name, MAX_OPTION_VALUES);
        return false;
    }
    texts->texts[texts->count++] = text;
    return true;
}

static bool set_value(const struct flag *flag, const char *text, void *into)
{
    void *place = (char *)into + flag->offset;
    switch (flag->kind) {
    case FLAG_SET:
        *(bool *)place = true;
        return true;
    case FLAG_TEXT:
        *(const char **)place = text;
        return true;
    case FLAG_TEXTS:
        return add_text(flag, text, place);
    case FLAG_NUMBER:
        return read_number(flag, text, place);
    case FLAG_DURATION:
        return read_duration(flag, text, place);
    case FLAG_WORD:
        return read_word(flag, text, place);
    case FLAG_ADDRESS:
        return read_address(flag, text, place);
    }
    return false;
}

bool flags_set(const struct flag *flags, const char *name, const char *text, void *into)
{
    while (flags->name && strcmp(flags->name, name) != 0)
        flags++;
    assert(flags->name);
    return set_value(flags, text, into);
}

const char *flag_value(const struct flag *flag, const void *from, size_t nth)
{
    const void *place = (const char *)from + flag->offset;
    switch (flag->kind) {
    case FLAG_SET:
        return nth == 0 && *(const bool *)place ? "" : NULL;
    case FLAG_TEXTS: {
        const struct flag_texts *texts = place;
        return nth < texts->count ? texts->texts[nth] : NULL;
    }
    case FLAG_NUMBER:
    case FLAG_DURATION:
        return nth == 0 && *(const uint64_t *)place ? "" : NULL;
    case FLAG_TEXT:
    case FLAG_WORD:
    case FLAG_ADDRESS:
        break;
    }
    return nth == 0 ? *(const char *const *)place : NULL;
}

/* The value written with the option itself, or NULL. */
static const char *own_value(const char *argument, size_t n)
{
    if (argument[1] == '-')
        return argument[n] == '=' ? argument + n + 1 : NULL;
    return argument[2] ? argument + 2 : NULL;
}

static bool read_flag(struct reading *reading, const char *argument)
{
    size_t n = argument[1] == '-' ? strcspn(argument, "=") : 2;
    const struct flag *flag = find(reading->flags, argument, n);
    if (!flag) {
        complain("%s: unknown option; `assay help %s` lists them", argument, reading->command);
        return false;
    }
    const char *value = own_value(argument, n);
    if (flag->kind == FLAG_SET) {
        if (!value)
            return set_value(flag, NULL, reading->into);
        complain("%s: --%s takes no value", argument, flag->name);
        return false;
    }
    if (!value && reading->at + 1 < reading->argc)
        value = reading->argv[++reading->at];
    if (value)
        return set_value(flag, value, reading->into);
    complain("%s needs a value; `assay help %s` tells", argument, reading->command);
    return false;
}

bool flags_read(int argc, char **argv, const struct flag *flags, void *into,
                struct operands *operands)
{
    struct reading reading = {argv[0], flags, argv, argc, 1, into};
    int kept = 0; /* operands move to the front, as getopt does */
    bool ended = false;
    for (; reading.at < argc; reading.at++) {
        char *argument = argv[reading.at];
        if (ended || argument[0] != '-' || argument[1] == '\0') {
            argv[kept++] = argument;
            continue;
        }
        ended = strcmp(argument, "--") == 0;
        if (!ended && !read_flag(&reading, argument))
            return false;
    }
    *operands = (struct operands){argv, kept};
    return true;
}

static void print_help(const char *help, FILE *out)
{
    while (*help) {
        size_t length = strcspn(help, "\n");
        fprintf(out, "%.*s\n", (int)length, help);
        help += length + (help[length] == '\n');
        if (*help)
            fprintf(out, "%*s", HELP_COLUMN, "");
    }
}

void flags_print(const struct flag *flags, FILE *out)
{
    for (; flags->name; flags++) {
        char letter[5] = "";
        if (flags->letter)
            snprintf(letter, sizeof letter, "-%c, ", flags->letter);
        int n = fprintf(out, "  %s--%s%s%s", letter, flags->name, flags->argument ? " " : "",
                        flags->argument ? flags->argument : "");
        if (n > HELP_COLUMN - 2)
            n = fprintf(out, "\n") - 1;
        fprintf(out, "%*s", HELP_COLUMN - n, "");
        print_help(flags->help, out);
    }
}
