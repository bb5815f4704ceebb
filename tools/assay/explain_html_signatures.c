/* The page's part about signatures, and why one fails. */
#include "explain_html_parts.h"

static void put_evidence(struct buffer *out, const json_t *evidence)
{
    html_raw(out, "<dl class=\"facts\">\n");
    page_fact(out, "Octets", explain_member(evidence, "bytes"));
    page_fact(out, "Lines", explain_member(evidence, "lines"));
    page_fact(out, "At octet of the body", explain_member(evidence, "offset"));
    page_fact(out, "Field", explain_member(evidence, "field"));
    page_fact(out, "Key of", explain_member(evidence, "selector"));
    page_fact(out, "At", explain_member(evidence, "domain"));
    html_raw(out, "</dl>\n");
    if (json_is_string(explain_member(evidence, "text")))
        html_raw(out, "<p class=\"label\">Added</p>\n");
    html_element(out, "pre", NULL, explain_member(evidence, "text"));
    if (json_is_string(explain_member(evidence, "before")))
        html_raw(out, "<p class=\"label\">As it was signed</p>\n");
    html_element(out, "pre", NULL, explain_member(evidence, "before"));
    if (json_is_string(explain_member(evidence, "after")))
        html_raw(out, "<p class=\"label\">As it is now</p>\n");
    html_element(out, "pre", NULL, explain_member(evidence, "after"));
}

static void put_cause(struct buffer *out, const json_t *cause)
{
    html_raw(out, "<li>\n");
    page_badge(out, json_is_true(explain_member(cause, "proven")) ? "green" : "grey",
               json_is_true(explain_member(cause, "proven")) ? "proven" : "likely");
    html_element(out, "p", NULL, explain_member(cause, "sentence"));
    if (json_object_size(explain_member(cause, "evidence")))
        put_evidence(out, explain_member(cause, "evidence"));
    html_element(out, "p", "muted", explain_member(cause, "advice"));
    html_raw(out, "</li>\n");
}

static void put_part(struct buffer *out, const char *name, const json_t *part)
{
    buffer_printf(out, "<tr><th scope=\"row\" class=\"keep\">%s</th><td class=\"keep\">", name);
    html_json(out, explain_member(part, "state"));
    html_raw(out, "</td><td class=\"mono\">");
    html_json(out, explain_member(part, "expected"));
    html_raw(out, "</td><td class=\"mono\">");
    html_json(out, explain_member(part, "found"));
    html_json(out, explain_member(part, "sentence"));
    html_raw(out, "</td></tr>\n");
}

static void put_diagnosis(struct buffer *out, const json_t *diagnosis)
{
    const json_t *causes = explain_member(diagnosis, "causes"), *cause;
    size_t i;
    if (!json_is_object(diagnosis))
        return;
    if (json_array_size(causes))
        html_raw(out, "<h4>Why</h4>\n<ol class=\"causes\">\n");
    json_array_foreach(causes, i, cause) put_cause(out, cause);
    if (json_array_size(causes))
        html_raw(out, "</ol>\n");
    html_raw(out, "<details><summary>Hashes and sizes</summary>\n");
    page_table(out, "What was signed and what is there", "Part|State|Signed|Found");
    put_part(out, "Header", explain_member(diagnosis, "header"));
    put_part(out, "Body", explain_member(diagnosis, "body"));
    put_part(out, "Key", explain_member(diagnosis, "key"));
    page_table_end(out);
    html_raw(out, "<dl class=\"facts\">\n");
    page_fact(out, "Octets of the body", explain_member(diagnosis, "body.raw_bytes"));
    page_fact(out, "in canonical form", explain_member(diagnosis, "body.canonical_bytes"));
    page_fact(out, "signed of them", explain_member(diagnosis, "body.signed_bytes"));
    page_fact(out, "Octets of the signed header",
              explain_member(diagnosis, "header.canonical_bytes"));
    page_fact(out, "Changes that were tried", explain_member(diagnosis, "tries"));
    page_fact(out, "The search ended at", explain_member(diagnosis, "limit"));
    html_raw(out, "</dl>\n</details>\n");
}

static void put_signature(struct buffer *out, const json_t *signature)
{
    const char *domain = explain_at(signature, "domain");
    const char *result = explain_at(signature, "result");
    bool arc = strcmp(explain_at(signature, "kind"), "arc") == 0;
    html_raw(out, "<article class=\"card\">\n<h3>");
    html_raw(out, arc ? "ARC seal of " : "DKIM signature of ");
    html_text(out, *domain ? domain : "an unknown domain");
    html_raw(out, "</h3>\n");
    page_badge(out, page_colour_of_result(result), *result ? result : "not looked at");
    html_element(out, "p", NULL, explain_member(signature, "sentence"));
    html_raw(out, "<dl class=\"facts\">\n");
    page_fact(out, "Selector", explain_member(signature, "selector"));
    page_fact(out, "Algorithm", explain_member(signature, "algorithm"));
    page_fact(out, "Bits of the key", explain_member(signature, "key_bits"));
    page_fact(out, "Canonical form", explain_member(signature, "canonicalization"));
    html_raw(out, "</dl>\n");
    put_diagnosis(out, explain_member(signature, "diagnosis"));
    html_raw(out, "</article>\n");
}

void page_signatures(struct buffer *out, const json_t *document)
{
    const json_t *list = explain_member(document, "signatures"), *signature;
    size_t i;
    if (json_array_size(list) == 0)
        return;
    page_section(out, "signatures", "Signatures");
    json_array_foreach(list, i, signature) put_signature(out, signature);
    page_section_end(out);
}
