/* The page's parts about the way: hops with their delays, and what others found. */
#include <time.h>

#include "explain_html_parts.h"

enum
{
    BAR_WIDTH = 120, /* of the longest delay, in units of the drawing */
};

static json_int_t delay_of(const json_t *hop)
{
    return json_integer_value(explain_member(hop, "delay"));
}

static json_int_t longest_delay(const json_t *hops)
{
    const json_t *hop;
    json_int_t longest = 1;
    size_t i;
    json_array_foreach(hops, i, hop) longest = delay_of(hop) > longest ? delay_of(hop) : longest;
    return longest;
}

static void put_time(struct buffer *out, const json_t *hop)
{
    char text[64];
    struct tm parts;
    const json_t *value = explain_member(hop, "time");
    time_t time = (time_t)json_integer_value(value);
    if (!json_is_integer(value) || !gmtime_r(&time, &parts) ||
        !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts))
        html_element_text(out, "p", "time", "no date");
    else
        html_element_text(out, "p", "time", text);
}

static void delay_text(json_int_t seconds, char *text, size_t size)
{
    json_int_t size_of = seconds < 0 ? -seconds : seconds;
    const char *sign = seconds < 0 ? "-" : "+";
    if (size_of < 120)
        snprintf(text, size, "%s%lld s", sign, size_of);
    else if (size_of < 7200)
        snprintf(text, size, "%s%lld min", sign, size_of / 60);
    else if (size_of < 172800)
        snprintf(text, size, "%s%lld h", sign, size_of / 3600);
    else
        snprintf(text, size, "%s%lld days", sign, size_of / 86400);
}

static void put_delay(struct buffer *out, const json_t *hop, json_int_t longest)
{
    char text[64];
    json_int_t seconds = delay_of(hop);
    if (!json_is_integer(explain_member(hop, "delay")))
        return;
    delay_text(seconds, text, sizeof text);
    int width = seconds <= 0 ? 1 : (int)((double)seconds * BAR_WIDTH / (double)longest);
    buffer_printf(out,
                  "<p class=\"delay\"><svg class=\"bar\" viewBox=\"0 0 %d 8\" "
                  "preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"%s\" "
                  "width=\"%d\" height=\"8\"/></svg>%s</p>\n",
                  BAR_WIDTH, seconds < 0 ? "odd" : "even", width < 1 ? 1 : width, text);
}

static void put_word(struct buffer *out, const char *before, const json_t *hop, const char *key)
{
    const json_t *value = explain_member(hop, key);
    if (!json_is_string(value))
        return;
    html_raw(out, before);
    html_raw(out, "<b>");
    html_json(out, value);
    html_raw(out, "</b>");
}

static void put_hop(struct buffer *out, const json_t *hop, json_int_t longest)
{
    const json_t *anomaly, *tls = explain_member(hop, "tls");
    bool border = json_is_true(explain_member(hop, "receiving"));
    size_t i;
    html_raw(out, border ? "<li class=\"border\">\n" : "<li>\n");
    put_time(out, hop);
    html_raw(out, "<div>\n<p>");
    put_word(out, "from ", hop, "from");
    put_word(out, " at ", hop, "ip");
    put_word(out, " to ", hop, "by");
    html_raw(out, "</p>\n");
    put_delay(out, hop, longest);
    html_raw(out, "<p class=\"muted\">");
    put_word(out, "with ", hop, "with");
    put_word(out, " over ", hop, "tls_text");
    if (json_is_false(tls))
        html_raw(out, " in clear text");
    html_raw(out, "</p>\n");
    if (border)
        html_raw(out, "<p class=\"note\">Took the message from outside: what stands above it is a "
                      "stranger&#39;s word.</p>\n");
    json_array_foreach(explain_member(hop, "anomalies"), i, anomaly)
    {
        html_raw(out, "<p class=\"odd\">");
        page_badge(out, "yellow", "odd");
        html_json(out, explain_member(anomaly, "sentence"));
        html_raw(out, "</p>\n");
    }
    html_raw(out, "</div>\n</li>\n");
}

void page_hops(struct buffer *out, const json_t *document)
{
    const json_t *hops = explain_member(document, "hops"), *hop;
    json_int_t longest = longest_delay(hops);
    json_int_t total = json_integer_value(explain_member(document, "hops_total"));
    size_t i, shown = json_array_size(hops);
    page_section(out, "way", "The way, oldest hop first (UTC)");
    if (shown == 0)
        html_raw(out, "<p>There is no Received field.</p>\n");
    if (total > (json_int_t)shown)
        buffer_printf(out, "<p class=\"note\">The newest %zu of %lld hops.</p>\n", shown, total);
    if (shown)
        html_raw(out, "<ol class=\"hops\">\n");
    json_array_foreach(hops, i, hop) put_hop(out, hop, longest);
    if (shown)
        html_raw(out, "</ol>\n");
    page_section_end(out);
}

/* --- Authentication-Results of others --- */

static void put_properties(struct buffer *out, const json_t *properties)
{
    const char *name;
    const json_t *value;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)properties, name, value)
    {
        html_raw(out, first ? "" : ", ");
        html_text(out, name);
        html_raw(out, "=");
        html_json(out, value);
        first = false;
    }
}

static void put_others_results(struct buffer *out, const json_t *field)
{
    const json_t *list = explain_member(field, "results"), *result;
    size_t i;
    if (json_array_size(list) == 0)
        return;
    page_table(out, "Its results", "Method|Result|About");
    json_array_foreach(list, i, result)
    {
        html_raw(out, "<tr><th scope=\"row\">");
        html_json(out, explain_member(result, "method"));
        html_raw(out, "</th><td>");
        page_badge(out, page_colour_of_result(explain_at(result, "result")),
                   explain_at(result, "result"));
        html_raw(out, "</td><td>");
        put_properties(out, explain_member(result, "properties"));
        html_raw(out, "</td></tr>\n");
    }
    page_table_end(out);
}

static void put_differences(struct buffer *out, const json_t *field)
{
    const json_t *list = explain_member(field, "differences"), *one;
    size_t i;
    if (json_array_size(list) == 0)
        return;
    page_table(out, "Where it differs from what was found here", "Method|There|Here");
    json_array_foreach(list, i, one)
    {
        html_raw(out, "<tr><th scope=\"row\">");
        html_json(out, explain_member(one, "method"));
        html_raw(out, " ");
        html_json(out, explain_member(one, "domain"));
        html_raw(out, "</th><td>");
        html_json(out, explain_member(one, "theirs"));
        html_raw(out, "</td><td>");
        html_json(out, explain_member(one, "ours"));
        html_raw(out, "</td></tr>\n");
    }
    page_table_end(out);
}

static void put_field(struct buffer *out, const json_t *field)
{
    bool trusted = json_is_true(explain_member(field, "trusted"));
    bool forged = json_is_true(explain_member(field, "forged"));
    const char *id = explain_at(field, "authserv_id");
    html_raw(out, "<article class=\"card\">\n");
    html_element_text(out, "h3", NULL, *id ? id : explain_at(field, "field"));
    page_badge(out,
               forged    ? "red"
               : trusted ? "green"
                         : "grey",
               forged    ? "forged"
               : trusted ? "trusted"
                         : "not trusted");
    html_element(out, "p", NULL, explain_member(field, "why"));
    put_others_results(out, field);
    put_differences(out, field);
    html_raw(out, "<details><summary>The field as it stands there</summary>\n");
    html_element(out, "pre", NULL, explain_member(field, "raw"));
    html_raw(out, "</details>\n</article>\n");
}

void page_results(struct buffer *out, const json_t *document)
{
    const json_t *list = explain_member(document, "authentication_results"), *field;
    size_t i;
    if (json_array_size(list) == 0)
        return;
    page_section(out, "others", "What others have found");
    json_array_foreach(list, i, field) put_field(out, field);
    page_section_end(out);
}
