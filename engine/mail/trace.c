#include "mail/trace.h"

static bool is_wsp(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* FWS, and more of it than the grammar has: trace fields are folded in odd ways. */
static bool is_blank(uint8_t c)
{
    return is_wsp(c) || c == '\r' || c == '\n';
}

static void skip_blanks(struct span *rest)
{
    while (rest->n && is_blank(rest->p[0]))
        *rest = span_skip(*rest, 1);
}

static bool take(struct span *rest, uint8_t c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = span_skip(*rest, 1);
    return true;
}

/* Octets up to a blank or a parenthesis. */
static struct span take_word(struct span *rest)
{
    size_t n = 0;
    while (n < rest->n && !is_blank(rest->p[n]) && rest->p[n] != '(' && rest->p[n] != ')')
        n++;
    struct span word = span_slice(*rest, 0, n);
    *rest = span_skip(*rest, n);
    return word;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" */
static bool take_address(struct span *rest, struct ip *client)
{
    if (!take(rest, '['))
        return false;
    size_t end = span_find(*rest, ']');
    if (end == rest->n || !ip_parse(span_slice(*rest, 0, end), client)) {
        *client = (struct ip){.family = IP_NONE};
        return false;
    }
    *rest = span_skip(*rest, end + 1);
    return true;
}

/*
 * "(" [NAME] "[" ADDR "]" [" (may be forged)"] ")". Another word behind the address ("helo=..." of
 * Exim) makes the form another one, in which the first word is not the HELO.
 */
static bool read_client(struct span rest, struct ip *client)
{
    if (!take(&rest, '('))
        return false;
    skip_blanks(&rest);
    if (rest.n && rest.p[0] != '[') {
        take_word(&rest);
        skip_blanks(&rest);
    }
    if (!take_address(&rest, client))
        return false;
    skip_blanks(&rest);
    if (rest.n && (rest.p[0] == ')' || rest.p[0] == '('))
        return true;
    *client = (struct ip){.family = IP_NONE};
    return false;
}

static void read_received(struct span value, struct mail_trace *trace)
{
    struct ip client;
    skip_blanks(&value);
    struct span from = take_word(&value);
    if (!span_equal_fold(from, SPAN("from")))
        return;
    skip_blanks(&value);
    struct span helo = take_word(&value);
    skip_blanks(&value);
    if (helo.n == 0 || !read_client(value, &client))
        return;
    trace->helo = helo;
    trace->client = client;
}

/* path = "<" *octet ">"; what else the field may hold is not the reverse-path. */
static void read_return_path(struct span value, struct mail_trace *trace)
{
    while (value.n && is_blank(value.p[0]))
        value = span_skip(value, 1);
    while (value.n && is_blank(value.p[value.n - 1]))
        value.n--;
    if (value.n < 2 || value.p[0] != '<' || value.p[value.n - 1] != '>')
        return;
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '\r' || value.p[i] == '\n')
            return;
    trace->mail_from = value;
}

/* Splits off a field with its continuation lines; false at the header's end or where it is cut. */
static bool next_field(struct span *rest, struct span *field)
{
    size_t end = 0;
    do {
        size_t lf = end + span_find(span_skip(*rest, end), '\n');
        if (lf >= rest->n)
            return false;
        end = lf + 1;
        if (end == rest->n)
            return false; /* whether the field goes on is not known */
    } while (is_wsp(rest->p[end]));
    *field = span_slice(*rest, 0, end);
    *rest = span_skip(*rest, end);
    return field->p[0] != '\n' && !(field->n == 2 && field->p[0] == '\r');
}

static bool is_field(struct span field, struct span name, struct span *value)
{
    if (!span_starts_fold(field, name))
        return false;
    *value = span_skip(field, name.n);
    return true;
}

void mail_trace_read(struct span header, unsigned hop, struct mail_trace *trace)
{
    struct span field, value;
    unsigned received = 0;
    bool return_path = false;
    *trace = (struct mail_trace){.mail_from = {NULL, 0}};
    while (received < hop || !return_path) {
        if (!next_field(&header, &field))
            return;
        if (is_field(field, SPAN("Received:"), &value) && ++received == hop)
            read_received(value, trace);
        if (is_field(field, SPAN("Return-Path:"), &value) && !return_path) {
            return_path = true;
            read_return_path(value, trace);
        }
    }
}
