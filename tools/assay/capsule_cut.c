/* Finds where a capsule ends, and refuses what would cost more to parse than a capsule may. */
#include "capsule.h"

struct scan
{
    size_t depth, values;
    bool in_string, escaped;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void scan_string(struct scan *scan, uint8_t c)
{
    if (scan->escaped)
        scan->escaped = false;
    else if (c == '\\')
        scan->escaped = true;
    else if (c == '"')
        scan->in_string = false;
}

/* Everything that makes a value is counted: no value is without one of these in front of it. */
static void scan_octet(struct scan *scan, uint8_t c)
{
    if (scan->in_string) {
        scan_string(scan, c);
        return;
    }
    scan->in_string = c == '"';
    scan->values += c == '{' || c == '[' || c == ',' || c == ':';
    scan->depth += c == '{' || c == '[';
    scan->depth -= c == '}' || c == ']';
}

static bool refuse(char *error, const char *what)
{
    engine_say(error, "this is no capsule: %s", what);
    return false;
}

bool capsule_cut(struct span *rest, struct span *object, char error[ASSAY_ERROR_MAX])
{
    struct scan scan = {0};
    struct span text = *rest;
    while (text.n && is_space(text.p[0]))
        text = span_skip(text, 1);
    *object = (struct span){NULL, 0};
    *rest = text;
    if (text.n == 0)
        return true;
    if (text.p[0] != '{')
        return refuse(error, "it does not begin with \"{\"");
    size_t at = 0;
    do {
        if (at == text.n)
            return refuse(error, "it ends too early");
        if (at == CAPSULE_BYTES_MAX)
            return refuse(error, "it is too large");
        scan_octet(&scan, text.p[at++]);
        if (scan.depth > CAPSULE_DEPTH_MAX || scan.values > CAPSULE_VALUES_MAX)
            return refuse(error, "it has too many values");
    } while (scan.depth);
    *object = span_slice(text, 0, at);
    *rest = span_skip(text, at);
    return true;
}
