#include "diagnose/results_read.h"

#include "base/chars.h"

enum
{
    COMMENT_DEPTH = 32,
};

static bool is_blank(uint8_t c)
{
    return char_is_wsp(c) || c == '\r' || c == '\n';
}

static size_t skip_comment(struct span s, size_t at)
{
    unsigned depth = 0;
    do {
        uint8_t c = s.p[at];
        if (c == '\\' && at + 1 < s.n)
            at++;
        depth += c == '(' && depth < COMMENT_DEPTH;
        depth -= c == ')';
        at++;
    } while (at < s.n && depth > 0);
    return at;
}

static void skip_cfws(struct span *rest)
{
    size_t at = 0;
    while (at < rest->n && (is_blank(rest->p[at]) || rest->p[at] == '('))
        at = rest->p[at] == '(' ? skip_comment(*rest, at) : at + 1;
    *rest = span_skip(*rest, at);
}

static struct span take_quoted(struct span *rest)
{
    size_t end = 1;
    while (end < rest->n && rest->p[end] != '"')
        end += rest->p[end] == '\\' ? 2 : 1;
    if (end > rest->n)
        end = rest->n;
    struct span text = span_slice(*rest, 1, end);
    *rest = span_skip(*rest, end < rest->n ? end + 1 : end);
    return text;
}

/* Up to a blank, a semicolon, or `stop`. */
static struct span take_word(struct span *rest, uint8_t stop)
{
    if (rest->n && rest->p[0] == '"')
        return take_quoted(rest);
    size_t end = 0;
    while (end < rest->n && !is_blank(rest->p[end]) && rest->p[end] != ';' && rest->p[end] != stop)
        end++;
    struct span word = span_slice(*rest, 0, end);
    *rest = span_skip(*rest, end);
    return word;
}

/* name [CFWS] "=" [CFWS] value; false where it is none. */
static bool take_pair(struct span *rest, struct span *name, struct span *value)
{
    skip_cfws(rest);
    *name = take_word(rest, '=');
    skip_cfws(rest);
    if (name->n == 0 || rest->n == 0 || rest->p[0] != '=')
        return false;
    *rest = span_skip(*rest, 1);
    skip_cfws(rest);
    *value = take_word(rest, ' ');
    return true;
}

static struct span without_version(struct span method)
{
    return span_slice(method, 0, span_find(method, '/'));
}

static void read_result(struct span *rest, struct results_read *results)
{
    struct result_read result = {.property_count = 0};
    struct span name, value;
    if (!take_pair(rest, &result.method, &result.result))
        return;
    result.method = without_version(result.method);
    while (take_pair(rest, &name, &value)) {
        if (span_equal_fold(name, SPAN("reason")))
            result.reason = value;
        else if (result.property_count < RESULT_PROPERTIES_MAX)
            result.properties[result.property_count++] = (struct result_property){name, value};
    }
    if (results->count < RESULTS_MAX)
        results->results[results->count++] = result;
}

/* To behind the next semicolon that is in no comment and no quotes. */
static bool next_result(struct span *rest)
{
    while (rest->n && rest->p[0] != ';') {
        skip_cfws(rest);
        if (rest->n && rest->p[0] == '"')
            take_quoted(rest);
        else if (rest->n && rest->p[0] != ';')
            *rest = span_skip(*rest, 1);
    }
    if (rest->n == 0)
        return false;
    *rest = span_skip(*rest, 1);
    return true;
}

void results_read(struct span value, struct results_read *results)
{
    *results = (struct results_read){.readable = false};
    skip_cfws(&value);
    results->authserv_id = take_word(&value, '(');
    results->readable = results->authserv_id.n > 0 &&
                        span_find(results->authserv_id, '=') == results->authserv_id.n;
    if (!results->readable)
        results->authserv_id.n = 0;
    while (results->readable && next_result(&value))
        read_result(&value, results);
}

struct span result_property(const struct result_read *result, struct span name)
{
    for (unsigned i = 0; i < result->property_count; i++)
        if (span_equal_fold(result->properties[i].name, name))
            return result->properties[i].value;
    return (struct span){NULL, 0};
}
