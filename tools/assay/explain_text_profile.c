/* A provider's rules and the story, for people at a terminal. */
#include "explain_parts.h"
#include "page.h"

static const char *state_shown(const char *word)
{
    static const struct
    {
        const char *word, *shown;
    } states[] = {
        {"met", "met"}, {"not_met", "NOT MET"}, {"unknown", "unknown"}, {"not_applicable", "-"}};
    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (strcmp(word, states[i].word) == 0)
            return states[i].shown;
    return word;
}

static const char *state_colour(const char *word)
{
    return colour_of_result(strcmp(word, "met") == 0       ? RESULT_PASS
                            : strcmp(word, "not_met") == 0 ? RESULT_FAIL
                                                           : RESULT_NONE);
}

static void print_rule(struct page *page, const json_t *rule)
{
    const char *state = explain_at(rule, "state");
    page_end_line(page);
    page->margin = 11;
    fprintf(page->out, "  %s%-8s%s ", state_colour(state), state_shown(state), colour_off());
    page->column = page->margin;
    page_put_json(page, explain_member(rule, "title"));
    if (strcmp(explain_at(rule, "who"), "bulk") == 0)
        page_put(page, "(bulk senders)");
    if (strcmp(explain_at(rule, "level"), "advised") == 0)
        page_put(page, "(advised)");
    page_end_line(page);
    page->margin = 13;
    page_put_json(page, explain_member(rule, "sentence"));
    if (json_is_string(explain_member(rule, "advice"))) {
        page_end_line(page);
        page_put(page, "To do:");
        page_put_json(page, explain_member(rule, "advice"));
    }
}

/* A reply is shown as it goes over the wire: its lines are not set anew. */
static void print_reply(struct page *page, const json_t *reply)
{
    struct span rest = span_of(json_string_value(reply), json_string_length(reply));
    if (!json_is_string(reply))
        return;
    page_blank_line(page);
    while (rest.n) {
        size_t end = span_find(rest, '\n');
        fputs("    ", page->out);
        print_escaped(span_slice(rest, 0, end), page->out);
        fputc('\n', page->out);
        rest = span_skip(rest, end < rest.n ? end + 1 : end);
    }
}

void explain_print_profile(struct page *page, const json_t *document)
{
    const json_t *profile = explain_member(document, "profile"), *rule;
    char text[128];
    size_t i;
    if (!json_is_object(profile))
        return;
    snprintf(text, sizeof text, "What %.80s asks of senders", explain_at(profile, "title"));
    page_heading(page, text);
    page->margin = 2;
    page_put_json(page, explain_member(profile, "sentence"));
    page_end_line(page);
    print_reply(page, explain_member(profile, "reply"));
    page_blank_line(page);
    json_array_foreach(explain_member(profile, "rules"), i, rule) print_rule(page, rule);
    page_end_line(page);
    page->margin = 2;
    page_put_json(page, explain_member(profile, "bulk"));
    page_end_line(page);
    if (!json_is_string(explain_member(profile, "as_of")))
        return;
    page_put(page, "As of");
    page_put_json(page, explain_member(profile, "as_of"));
    page_put(page, "by");
    page_put_json(page, *explain_at(profile, "source") ? explain_member(profile, "source")
                                                       : explain_member(profile, "name"));
    page_end_line(page);
}

void explain_print_story(const json_t *document, FILE *out)
{
    const json_t *story = explain_member(document, "story"), *chapter, *paragraph;
    struct page page;
    size_t i, k;
    page_begin(&page, out);
    json_array_foreach(story, i, chapter)
    {
        char number[32];
        if (i > 0)
            page_blank_line(&page);
        page.margin = 0;
        snprintf(number, sizeof number, "%zu.", i + 1);
        page_put(&page, number);
        page_put_json(&page, explain_member(chapter, "heading"));
        json_array_foreach(explain_member(chapter, "paragraphs"), k, paragraph)
        {
            page_end_line(&page);
            page.margin = 3;
            page_put_json(&page, paragraph);
        }
        page_end_line(&page);
    }
}
