#include "diagnose/date.h"

#include "base/chars.h"
#include "base/number.h"

static bool is_blank(uint8_t c)
{
    return char_is_wsp(c) || c == '\r' || c == '\n' || c == ',';
}

/* The next word between blanks and commas; empty at the end or where a comment begins. */
static struct span next_word(struct span *rest)
{
    size_t at = 0;
    while (at < rest->n && is_blank(rest->p[at]))
        at++;
    size_t end = at;
    while (end < rest->n && !is_blank(rest->p[end]) && rest->p[end] != '(')
        end++;
    struct span word = span_slice(*rest, at, end);
    *rest = span_skip(*rest, end);
    return word;
}

static bool read_month(struct span word, int *month)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; word.n == 3 && i < 12; i++) {
        if (span_equal_fold(word, span_of(names + 3 * (size_t)i, 3))) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* year = 4*DIGIT; obsolete: 00-49 is 20xx, other two and three digits 19xx      RFC 5322 4.3 */
static bool read_year(struct span word, int64_t *year)
{
    uint64_t number;
    if (word.n < 2 || !number_parse(word, 4, &number))
        return false;
    *year = (int64_t)number;
    if (word.n == 2)
        *year += number < 50 ? 2000 : 1900;
    if (word.n == 3)
        *year += 1900;
    return *year >= 1970;
}

/* time-of-day = hour ":" minute [ ":" second ]; 60 is a leap second */
static bool read_clock(struct span word, int64_t *seconds)
{
    static const uint64_t most[] = {23, 59, 60};
    int64_t total = 0;
    unsigned parts = 0;
    while (parts < 3 && word.n) {
        uint64_t number;
        size_t end = span_find(word, ':');
        if (!number_parse(span_slice(word, 0, end), 2, &number) || number > most[parts])
            return false;
        total = total * 60 + (int64_t)number;
        parts++;
        word = span_skip(word, end < word.n ? end + 1 : end);
    }
    *seconds = parts == 2 ? total * 60 : total;
    return parts >= 2 && word.n == 0;
}

/* zone = ("+" / "-") 4DIGIT, or the names of RFC 822; an unknown name is UTC (RFC 5322 4.3) */
static bool read_zone(struct span word, int64_t *offset)
{
    static const struct
    {
        struct span name;
        int hours;
    } names[] = {{SPAN("EST"), -5}, {SPAN("EDT"), -4}, {SPAN("CST"), -6}, {SPAN("CDT"), -5},
                 {SPAN("MST"), -7}, {SPAN("MDT"), -6}, {SPAN("PST"), -8}, {SPAN("PDT"), -7}};
    uint64_t number;
    *offset = 0;
    if (word.n == 5 && (word.p[0] == '+' || word.p[0] == '-')) {
        if (!number_parse(span_skip(word, 1), 4, &number))
            return false;
        *offset = (int64_t)(number / 100 * 3600 + number % 100 * 60);
        *offset = word.p[0] == '-' ? -*offset : *offset;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (span_equal_fold(word, names[i].name))
            *offset = names[i].hours * 3600;
    return true;
}

/* Days since 1970 in the Gregorian calendar. */
static int64_t days(int64_t year, int month, int64_t day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = year - 1;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t total = 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 19 + 4);
    return total + before[month - 1] + (leap && month > 2) + day - 1;
}

bool date_parse(struct span text, int64_t *time)
{
    uint64_t day;
    int64_t year, clock, zone;
    int month;
    struct span word = next_word(&text);
    if (word.n && !char_is_digit(word.p[0]))
        word = next_word(&text);
    if (!number_parse(word, 2, &day) || day < 1 || day > 31 ||
        !read_month(next_word(&text), &month) || !read_year(next_word(&text), &year) ||
        !read_clock(next_word(&text), &clock) || !read_zone(next_word(&text), &zone))
        return false;
    int64_t seconds = days(year, month, (int64_t)day) * 86400 + clock - zone;
    if (seconds < 0)
        return false;
    *time = seconds;
    return true;
}
