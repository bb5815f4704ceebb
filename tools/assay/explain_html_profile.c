/* The page's parts about a provider's rules, the story, and the evidence. */
#include "explain_html_parts.h"

static void put_state(struct buffer *out, const char *state)
{
    if (strcmp(state, "met") == 0)
        page_badge(out, "green", "met");
    else if (strcmp(state, "not_met") == 0)
        page_badge(out, "red", "not met");
    else
        page_badge(out, "grey",
                   strcmp(state, "not_applicable") == 0 ? "does not apply" : "unknown");
}

static void put_rule(struct buffer *out, const json_t *rule)
{
    bool bulk = strcmp(explain_at(rule, "who"), "bulk") == 0;
    bool advised = strcmp(explain_at(rule, "level"), "advised") == 0;
    html_raw(out, "<li>\n<div>");
    put_state(out, explain_at(rule, "state"));
    html_raw(out, "</div>\n<div>");
    html_element(out, "p", NULL, explain_member(rule, "title"));
    html_raw(out, "<p class=\"muted\">");
    html_json(out, explain_member(rule, "sentence"));
    html_raw(out, "</p>\n");
    html_element(out, "p", NULL, explain_member(rule, "advice"));
    html_raw(out, "</div>\n<p class=\"muted\">");
    html_raw(out, bulk ? "For bulk senders" : "For everybody");
    html_raw(out, advised ? ", advised" : "");
    html_raw(out, "</p>\n</li>\n");
}

static const char *outcome_colour(const char *outcome)
{
    if (strcmp(outcome, "refused") == 0)
        return "red";
    return strcmp(outcome, "nothing_against") == 0 ? "green" : "yellow";
}

static const char *outcome_text(const char *outcome)
{
    static const struct
    {
        const char *word, *text;
    } texts[] = {{"refused", "refused"},
                 {"deferred", "put off"},
                 {"refused_if_bulk", "refused from bulk senders"},
                 {"deferred_if_bulk", "put off from bulk senders"},
                 {"lacking", "something is missing"},
                 {"undecided", "not all could be checked"},
                 {"nothing_against", "nothing against it"}};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (strcmp(outcome, texts[i].word) == 0)
            return texts[i].text;
    return "unknown";
}

void page_profile(struct buffer *out, const json_t *document)
{
    const json_t *profile = explain_member(document, "profile"), *rule;
    const char *outcome = explain_at(profile, "outcome");
    size_t i;
    if (!json_is_object(profile))
        return;
    html_raw(out, "<section aria-labelledby=\"profile\">\n<h2 id=\"profile\">What ");
    html_json(out, explain_member(profile, "title"));
    html_raw(out, " asks of senders</h2>\n<div class=\"card\">\n");
    page_badge(out, outcome_colour(outcome), outcome_text(outcome));
    html_element(out, "p", NULL, explain_member(profile, "sentence"));
    if (json_is_string(explain_member(profile, "reply")))
        html_raw(out, "<p class=\"label\">The reply it would get</p>\n");
    html_element(out, "pre", NULL, explain_member(profile, "reply"));
    html_raw(out,
             "<h3 id=\"rules\">Its rules</h3>\n<ul class=\"rules\" aria-labelledby=\"rules\">\n");
    json_array_foreach(explain_member(profile, "rules"), i, rule) put_rule(out, rule);
    html_raw(out, "</ul>\n");
    html_element(out, "p", "muted", explain_member(profile, "bulk"));
    html_raw(out, "<p class=\"muted\">As of ");
    html_text(out, *explain_at(profile, "as_of") ? explain_at(profile, "as_of") : "an unknown day");
    html_raw(out, ": ");
    html_text(out, *explain_at(profile, "source") ? explain_at(profile, "source")
                                                  : explain_at(profile, "name"));
    html_raw(out, "</p>\n</div>\n");
    page_section_end(out);
}

void page_story(struct buffer *out, const json_t *document)
{
    const json_t *story = explain_member(document, "story"), *chapter, *paragraph;
    size_t i, k;
    if (!json_is_array(story))
        return;
    page_section(out, "story", "The story");
    html_raw(out, "<div class=\"card story\">\n");
    json_array_foreach(story, i, chapter)
    {
        html_element(out, "h3", NULL, explain_member(chapter, "heading"));
        json_array_foreach(explain_member(chapter, "paragraphs"), k, paragraph)
            html_element(out, "p", NULL, paragraph);
    }
    html_raw(out, "</div>\n");
    page_section_end(out);
}

/* --- evidence --- */

static void put_questions(struct buffer *out, const json_t *list)
{
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        html_raw(out, "<tr><th scope=\"row\">");
        html_json(out, explain_member(one, "name"));
        html_raw(out, "</th><td>");
        html_json(out, explain_member(one, "type"));
        html_raw(out, "</td><td>");
        html_json(out, explain_member(one, "outcome"));
        html_raw(out, " ");
        html_json(out, explain_member(one, "reason"));
        html_raw(out, "</td><td>");
        html_json(out, explain_member(one, "records"));
        html_raw(out, "</td><td>");
        html_json(out, explain_member(one, "ttl"));
        html_raw(out, "</td></tr>\n");
    }
}

static void put_record(struct buffer *out, const char *label, const json_t *record)
{
    if (!json_is_string(record))
        return;
    buffer_printf(out, "<p class=\"label\">%s</p>\n", label);
    html_element(out, "pre", NULL, record);
}

void page_evidence(struct buffer *out, const json_t *document)
{
    const json_t *verdict = explain_member(document, "verdict");
    const json_t *more = explain_member(document, "profile.dns");
    page_section(out, "evidence", "Evidence");
    html_raw(out, "<details><summary>What the DNS answered</summary>\n");
    page_table(out, "Questions and answers", "Name|Type|Outcome|Records|TTL");
    put_questions(out, explain_member(verdict, "dns"));
    if (json_is_array(more))
        put_questions(out, more);
    page_table_end(out);
    put_record(out, "SPF record", explain_member(verdict, "spf.record"));
    put_record(out, "DMARC record", explain_member(verdict, "dmarc.record"));
    html_raw(out, "</details>\n<details><summary>Authentication-Results, as assay would write "
                  "it</summary>\n");
    html_element(out, "pre", NULL, explain_member(verdict, "authentication_results"));
    html_raw(out, "</details>\n");
    page_section_end(out);
}
