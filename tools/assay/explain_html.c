/*
 * assay explain --html: the document as one page. It loads nothing and runs nothing: no script, no
 * link, no image; the policy in its head forbids them all but the one style sheet, by its hash. All
 * text from outside goes through html_span.
 *
 * Here are the frame, the head and the lights; explain_html_*.c have the other parts.
 */
#include "explain_html_parts.h"

#include <time.h>

#include "base/base64.h"
#include "crypto/sha256.h"

void page_section(struct buffer *out, const char *id, const char *title)
{
    buffer_printf(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id, title);
}

void page_section_end(struct buffer *out)
{
    html_raw(out, "</section>\n");
}

const char *page_colour_of_result(const char *result)
{
    static const struct
    {
        const char *result, *colour;
    } colours[] = {{"pass", "green"},       {"fail", "red"},      {"permerror", "red"},
                   {"softfail", "yellow"},  {"policy", "yellow"}, {"neutral", "yellow"},
                   {"temperror", "yellow"}, {"hardfail", "red"}};
    for (size_t i = 0; i < COUNT_OF(colours); i++)
        if (strcmp(result, colours[i].result) == 0)
            return colours[i].colour;
    return "grey";
}

/* Shapes that differ without their colours. */
static const char *shape(const char *colour)
{
    if (strcmp(colour, "green") == 0)
        return "<path d=\"M3 8.5l3.2 3.2L13 4.8\"/>";
    if (strcmp(colour, "red") == 0)
        return "<path d=\"M4 4l8 8M12 4l-8 8\"/>";
    if (strcmp(colour, "yellow") == 0)
        return "<path d=\"M8 3v6.5M8 12.4v.4\"/>";
    return "<path d=\"M3.5 8h9\"/>";
}

static const char *known_colour(const char *colour)
{
    static const char *const colours[] = {"green", "yellow", "red"};
    for (size_t i = 0; i < COUNT_OF(colours); i++)
        if (strcmp(colour, colours[i]) == 0)
            return colours[i];
    return "grey";
}

void page_badge(struct buffer *out, const char *colour, const char *word)
{
    colour = known_colour(colour);
    buffer_printf(
        out, "<span class=\"badge %s\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\">%s</svg>",
        colour, shape(colour));
    html_text(out, word);
    html_raw(out, "</span>\n");
}

void page_fact(struct buffer *out, const char *name, const json_t *value)
{
    if (!json_is_string(value) && !json_is_integer(value))
        return;
    buffer_printf(out, "<div><dt>%s</dt>", name);
    html_element(out, "dd", NULL, value);
    html_raw(out, "</div>\n");
}

void page_table(struct buffer *out, const char *caption, const char *headers)
{
    buffer_printf(out, "<table>\n<caption>%s</caption>\n<thead><tr>", caption);
    while (*headers) {
        size_t n = strcspn(headers, "|");
        buffer_printf(out, "<th scope=\"col\">%.*s</th>", (int)n, headers);
        headers += n + (headers[n] == '|');
    }
    html_raw(out, "</tr></thead>\n<tbody>\n");
}

void page_table_end(struct buffer *out)
{
    html_raw(out, "</tbody>\n</table>\n");
}

/* --- head --- */

static void put_policy(struct buffer *out)
{
    uint8_t digest[SHA256_BYTES];
    char text[64] = "";
    sha256_of(span_from_string(explain_html_style), digest);
    base64_encode(span_of(digest, sizeof digest), text);
    buffer_printf(out,
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
                  text);
}

static void put_head(struct buffer *out, const json_t *document)
{
    html_raw(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put_policy(out);
    html_raw(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<meta name=\"referrer\" content=\"no-referrer\">\n<title>assay: ");
    const char *subject = explain_at(document, "message.subject");
    html_text(out, *subject ? subject : explain_at(document, "file"));
    html_raw(out, "</title>\n<style>");
    html_raw(out, explain_html_style);
    html_raw(out, "</style>\n</head>\n<body>\n<main>\n");
}

static const char *summary_colour(const json_t *document)
{
    return known_colour(explain_at(document, "lights.dmarc.colour"));
}

static void put_message(struct buffer *out, const json_t *document)
{
    const json_t *subject = explain_member(document, "message.subject");
    html_raw(out, "<header>\n<p class=\"tool\">assay explain</p>\n");
    if (json_is_string(subject))
        html_element(out, "h1", NULL, subject);
    else
        html_raw(out, "<h1>A message without a subject</h1>\n");
    html_raw(out, "<dl class=\"facts\">\n");
    page_fact(out, "From", explain_member(document, "message.from"));
    page_fact(out, "To", explain_member(document, "message.to"));
    page_fact(out, "Date", explain_member(document, "message.date"));
    page_fact(out, "Message-ID", explain_member(document, "message.message_id"));
    html_raw(out, "</dl>\n</header>\n");
    buffer_printf(out, "<div class=\"summary %s\">\n", summary_colour(document));
    page_badge(out, summary_colour(document), explain_at(document, "lights.dmarc.result"));
    html_element(out, "p", NULL, explain_member(document, "summary"));
    html_raw(out, "</div>\n");
    html_element(out, "p", "note", explain_member(document, "envelope.sentence"));
}

/* --- lights --- */

static void put_light(struct buffer *out, const char *label, const json_t *light)
{
    const json_t *aligned = explain_member(light, "aligned");
    buffer_printf(out, "<li class=\"card\">\n<h3>%s</h3>\n", label);
    page_badge(out, explain_at(light, "colour"), explain_at(light, "result"));
    html_element(out, "p", "domain", explain_member(light, "domain"));
    html_element(out, "p", NULL, explain_member(light, "sentence"));
    if (json_is_boolean(aligned) && strcmp(label, "DMARC") != 0)
        html_element_text(out, "p", "muted",
                          json_is_true(aligned) ? "The domain in From."
                                                : "Not the domain in From.");
    html_raw(out, "</li>\n");
}

static void put_lights(struct buffer *out, const json_t *document)
{
    page_section(out, "checks", "Four checks");
    html_raw(out, "<ul class=\"lights\">\n");
    put_light(out, "SPF", explain_member(document, "lights.spf"));
    put_light(out, "DKIM", explain_member(document, "lights.dkim"));
    put_light(out, "DMARC", explain_member(document, "lights.dmarc"));
    put_light(out, "ARC", explain_member(document, "lights.arc"));
    html_raw(out, "</ul>\n");
    page_section_end(out);
}

static void put_advice(struct buffer *out, const json_t *document)
{
    const json_t *list = explain_member(document, "advice"), *advice;
    size_t i;
    if (json_array_size(list) == 0)
        return;
    page_section(out, "advice", "What to do");
    html_raw(out, "<ul class=\"advice\">\n");
    json_array_foreach(list, i, advice)
    {
        const char *level = explain_at(advice, "level");
        html_raw(out, "<li>");
        page_badge(out,
                   strcmp(level, "error") == 0     ? "red"
                   : strcmp(level, "warning") == 0 ? "yellow"
                                                   : "grey",
                   level);
        html_element(out, "p", NULL, explain_member(advice, "sentence"));
        html_raw(out, "</li>\n");
    }
    html_raw(out, "</ul>\n");
    page_section_end(out);
}

static void put_foot(struct buffer *out, const json_t *document)
{
    char text[64] = "";
    struct tm parts;
    time_t time = (time_t)json_integer_value(explain_member(document, "judged_at.value"));
    if (gmtime_r(&time, &parts) && !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts))
        text[0] = '\0';
    html_raw(out, "</main>\n<footer>\n<p>");
    html_json(out, explain_member(document, "file"));
    html_raw(out, ", judged as of ");
    html_text(out, text);
    html_raw(out, " by assay ");
    html_json(out, explain_member(document, "assay"));
    html_raw(out, ".</p>\n</footer>\n</body>\n</html>\n");
}

void explain_html(const json_t *document, struct buffer *out)
{
    put_head(out, document);
    put_message(out, document);
    put_lights(out, document);
    page_story(out, document);
    put_advice(out, document);
    page_profile(out, document);
    page_signatures(out, document);
    page_hops(out, document);
    page_results(out, document);
    page_evidence(out, document);
    put_foot(out, document);
}
