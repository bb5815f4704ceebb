/* What the files of the page share: one part each, made from the document. */
#ifndef ASSAY_EXPLAIN_HTML_PARTS_H
#define ASSAY_EXPLAIN_HTML_PARTS_H

#include "explain_parts.h"
#include "html.h"

/* The page's only style sheet; its hash stands in the Content-Security-Policy. */
extern const char explain_html_style[];

/* "<section aria-labelledby=ID><h2 id=ID>TITLE</h2>"; both constants. */
void page_section(struct buffer *out, const char *id, const char *title);
void page_section_end(struct buffer *out);
/* A mark with a shape of its own and the word beside it: readable without colours. `colour` is
 * "green", "yellow", "red" or "grey". */
void page_badge(struct buffer *out, const char *colour, const char *word);
const char *page_colour_of_result(const char *result);
/* A row of a description list; nothing where there is no value. */
void page_fact(struct buffer *out, const char *name, const json_t *value);
/* A table's beginning with its header cells, "|" between them; and its end. */
void page_table(struct buffer *out, const char *caption, const char *headers);
void page_table_end(struct buffer *out);

/* explain_html_way.c */
void page_hops(struct buffer *out, const json_t *document);
void page_results(struct buffer *out, const json_t *document);
/* explain_html_signatures.c */
void page_signatures(struct buffer *out, const json_t *document);
/* explain_html_profile.c */
void page_profile(struct buffer *out, const json_t *document);
void page_story(struct buffer *out, const json_t *document);
void page_evidence(struct buffer *out, const json_t *document);

#endif
