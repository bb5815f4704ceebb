/*
 * The document of explain.h for people: lights, the way, what others said, why signatures fail,
 * what to do. Made from the document alone. Wrapped at the terminal's width; what comes from the
 * message is escaped as everywhere (security.md J08).
 */
#include <time.h>

#include "explain_parts.h"
#include "page.h"
#include "show.h"

static const char *colour(const char *word)
{
    static const struct
    {
        const char *word;
        enum result result;
    } colours[] = {{"green", RESULT_PASS}, {"yellow", RESULT_POLICY}, {"red", RESULT_FAIL}};
    for (size_t i = 0; i < COUNT_OF(colours); i++)
        if (strcmp(word, colours[i].word) == 0)
            return colour_of_result(colours[i].result);
    return colour_of_result(RESULT_NONE);
}

/* --- parts --- */

static void print_head(struct page *page, const json_t *document)
{
    static const struct
    {
        const char *label, *path;
    } rows[] = {{"From", "message.from"},
                {"To", "message.to"},
                {"Subject", "message.subject"},
                {"Date", "message.date"}};
    page_put_json(page, explain_member(document, "file"));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!*explain_at(document, rows[i].path))
            continue;
        page_row(page, 11, rows[i].label);
        page_put_json(page, explain_member(document, rows[i].path));
    }
    page_blank_line(page);
    page->margin = 0;
    page_put_json(page, explain_member(document, "summary"));
    page_blank_line(page);
}

static void print_lights(struct page *page, const json_t *document)
{
    static const struct
    {
        const char *label, *path;
    } lights[] = {{"SPF", "lights.spf"},
                  {"DKIM", "lights.dkim"},
                  {"DMARC", "lights.dmarc"},
                  {"ARC", "lights.arc"}};
    for (size_t i = 0; i < COUNT_OF(lights); i++) {
        const json_t *light = explain_member(document, lights[i].path);
        const char *word = explain_at(light, "colour");
        page_end_line(page);
        page->margin = 27;
        fprintf(page->out, "  %s%-6s  %-6s %-9s%s ", colour(word), word, lights[i].label,
                explain_at(light, "result"), colour_off());
        page->column = page->margin;
        page_put_json(page, explain_member(light, "sentence"));
    }
    page_end_line(page);
    const json_t *guess = explain_member(document, "envelope.sentence");
    if (json_is_string(guess)) {
        page_blank_line(page);
        page->margin = 2;
        page_put_json(page, guess);
        page_end_line(page);
    }
}

static void put_time(struct page *page, const json_t *hop)
{
    char text[64];
    struct tm parts;
    time_t time = (time_t)json_integer_value(explain_member(hop, "time"));
    if (!json_is_integer(explain_member(hop, "time"))) {
        page_put(page, "(no date)");
        return;
    }
    if (gmtime_r(&time, &parts) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts))
        page_put(page, text);
}

static void put_delay(struct page *page, const json_t *delay)
{
    char text[64];
    json_int_t seconds = json_integer_value(delay);
    if (!json_is_integer(delay))
        return;
    if (seconds > -120 && seconds < 120)
        snprintf(text, sizeof text, "%+lld s", seconds);
    else
        snprintf(text, sizeof text, "%+lld min", seconds / 60);
    page_put(page, text);
}

static void put_known(struct page *page, const char *before, const json_t *object, const char *key)
{
    const json_t *value = explain_member(object, key);
    if (!json_is_string(value))
        return;
    page_put(page, before);
    page_put_json(page, value);
}

static void print_hop(struct page *page, const json_t *hop)
{
    char number[32];
    const json_t *anomaly;
    size_t i;
    snprintf(number, sizeof number, "%lld%s", json_integer_value(explain_member(hop, "number")),
             json_is_true(explain_member(hop, "receiving")) ? " >" : "");
    page_row(page, 8, number);
    put_time(page, hop);
    put_delay(page, explain_member(hop, "delay"));
    put_known(page, "from", hop, "from");
    put_known(page, "at", hop, "ip");
    put_known(page, "by", hop, "by");
    put_known(page, "with", hop, "with");
    put_known(page, "over", hop, "tls_text");
    json_array_foreach(explain_member(hop, "anomalies"), i, anomaly)
    {
        page_end_line(page);
        page->margin = 10;
        page_put_json(page, explain_member(anomaly, "sentence"));
    }
}

static void print_hops(struct page *page, const json_t *document)
{
    const json_t *hops = explain_member(document, "hops"), *hop;
    size_t i;
    bool border = false;
    page_heading(page, "The way (UTC, oldest hop first)");
    json_array_foreach(hops, i, hop)
    {
        border = border || json_is_true(explain_member(hop, "receiving"));
        print_hop(page, hop);
    }
    page_end_line(page);
    page->margin = 2;
    if (json_array_size(hops) == 0)
        page_put(page, "There is no Received field.");
    if (border)
        page_put(page,
                 "> took the message from outside: what stands above it is a stranger's word.");
    page_end_line(page);
}

static void print_result_words(struct page *page, const json_t *field)
{
    const json_t *result;
    size_t i;
    json_array_foreach(explain_member(field, "results"), i, result)
    {
        char text[128];
        snprintf(text, sizeof text, "%.40s=%.40s", explain_at(result, "method"),
                 explain_at(result, "result"));
        page_put(page, text);
    }
}

static void print_results(struct page *page, const json_t *document)
{
    const json_t *list = explain_member(document, "authentication_results"), *field, *difference;
    size_t i, k;
    if (json_array_size(list))
        page_heading(page, "What others have found");
    json_array_foreach(list, i, field)
    {
        page_end_line(page);
        page->margin = 2;
        bool trusted = json_is_true(explain_member(field, "trusted"));
        bool forged = json_is_true(explain_member(field, "forged"));
        page_put(page, trusted ? "trusted:" : forged ? "FORGED:" : "not trusted:");
        page_put_json(page, *explain_at(field, "authserv_id") ? explain_member(field, "authserv_id")
                                                              : explain_member(field, "field"));
        print_result_words(page, field);
        page_end_line(page);
        page->margin = 4;
        page_put_json(page, explain_member(field, "why"));
        json_array_foreach(explain_member(field, "differences"), k, difference)
        {
            page_end_line(page);
            page_put_json(page, explain_member(difference, "sentence"));
        }
    }
    page_end_line(page);
}

/* Text of several lines, each on its own. */
static void put_lines(struct page *page, const char *before, const json_t *text)
{
    struct span rest = span_of(json_string_value(text), json_string_length(text));
    if (!json_is_string(text))
        return;
    page_end_line(page);
    page_put(page, before);
    while (rest.n) {
        size_t end = span_find(rest, '\n');
        size_t cr = end && rest.p[end - 1] == '\r' ? 1 : 0;
        page_put_span(page, span_slice(rest, 0, end - cr));
        page_end_line(page);
        rest = span_skip(rest, end < rest.n ? end + 1 : end);
    }
}

/* "18 octets, 2 lines, at octet 68 of the body" */
static void put_place(struct page *page, const json_t *evidence)
{
    static const struct
    {
        const char *key, *before, *after;
    } numbers[] = {{"bytes", "", "octets"},
                   {"lines", ", ", "line(s)"},
                   {"offset", ", at octet ", "of the body"}};
    char text[160] = "";
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        const json_t *number = explain_member(evidence, numbers[i].key);
        if (json_is_integer(number))
            n +=
                (size_t)snprintf(text + n, sizeof text - n, "%s%lld %s", n ? numbers[i].before : "",
                                 json_integer_value(number), numbers[i].after);
    }
    page_put(page, text);
}

static void print_evidence(struct page *page, const json_t *evidence)
{
    page_end_line(page);
    page->margin = 8;
    put_place(page, evidence);
    put_lines(page, "added:", explain_member(evidence, "text"));
    page_end_line(page);
    put_known(page, "signed:", evidence, "before");
    page_end_line(page);
    put_known(page, "now:", evidence, "after");
    page_end_line(page);
    put_known(page, "key of", evidence, "selector");
    put_known(page, "at", evidence, "domain");
    page_end_line(page);
}

static void put_pair(struct page *page, const char *what, const json_t *part)
{
    page_end_line(page);
    page->margin = 6;
    page_put(page, what);
    if (strcmp(explain_at(part, "state"), "changed") != 0) {
        page_put(page, explain_at(part, "state"));
        return;
    }
    page_put(page, "changed,");
    page_put_number(page, json_integer_value(explain_member(part, "canonical_bytes")));
    page_put(page, "octets in canonical form");
    page->margin = 8;
    page_end_line(page);
    put_known(page, "hash signed:", part, "expected");
    page_end_line(page);
    put_known(page, "hash found:", part, "found");
}

static void print_diagnosis(struct page *page, const json_t *diagnosis)
{
    const json_t *cause;
    size_t i;
    if (!json_is_object(diagnosis))
        return;
    json_array_foreach(explain_member(diagnosis, "causes"), i, cause)
    {
        page_end_line(page);
        page->margin = 6;
        if (i > 0) /* the first is in the signature's sentence */
            page_put_json(page, explain_member(cause, "sentence"));
        print_evidence(page, explain_member(cause, "evidence"));
    }
    put_pair(page, "Header:", explain_member(diagnosis, "header"));
    put_pair(page, "Body:", explain_member(diagnosis, "body"));
    page_end_line(page);
    page->margin = 6;
    page_put(page, "Key:");
    page_put_json(page, explain_member(diagnosis, "key.sentence"));
    if (*explain_at(diagnosis, "limit")) {
        page_end_line(page);
        page_put(page, "The search ended at a limit:");
        page_put(page, explain_at(diagnosis, "limit"));
    }
}

static void print_signature(struct page *page, const json_t *signature)
{
    const char *result = explain_at(signature, "result");
    page_end_line(page);
    page->margin = 2;
    page_indent(page);
    const json_t *word = explain_member(signature, "result");
    fprintf(page->out, "%s%s%s", word ? colour_of_result(show_result(word)) : "",
            *result ? result : "-", colour_off());
    page->column += strlen(result);
    page_put(page, strcmp(explain_at(signature, "kind"), "arc") == 0 ? "ARC, " : "DKIM,");
    page_put_json(page, explain_member(signature, "domain"));
    put_known(page, "selector", signature, "selector");
    page_put(page, explain_at(signature, "algorithm"));
    page_put(page, explain_at(signature, "canonicalization"));
    page_end_line(page);
    page->margin = 4;
    page_put_json(page, explain_member(signature, "sentence"));
    print_diagnosis(page, explain_member(signature, "diagnosis"));
}

static void print_signatures(struct page *page, const json_t *document)
{
    const json_t *list = explain_member(document, "signatures"), *signature;
    size_t i;
    if (json_array_size(list))
        page_heading(page, "Signatures");
    json_array_foreach(list, i, signature) print_signature(page, signature);
    page_end_line(page);
}

static void print_advice(struct page *page, const json_t *document)
{
    const json_t *list = explain_member(document, "advice"), *advice;
    size_t i;
    if (json_array_size(list))
        page_heading(page, "What to do");
    json_array_foreach(list, i, advice)
    {
        page_row(page, 11, explain_at(advice, "level"));
        page_put_json(page, explain_member(advice, "sentence"));
    }
    page_end_line(page);
}

void explain_print(const json_t *document, FILE *out)
{
    struct page page;
    page_begin(&page, out);
    print_head(&page, document);
    print_lights(&page, document);
    print_hops(&page, document);
    print_results(&page, document);
    print_signatures(&page, document);
    print_advice(&page, document);
    explain_print_profile(&page, document);
}
