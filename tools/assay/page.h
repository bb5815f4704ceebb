/*
 * Text for people, wrapped at the terminal's width: 80 columns where nothing says, COLUMNS for a
 * pipe. A word that is longer than a line stands alone on its own.
 */
#ifndef ASSAY_PAGE_H
#define ASSAY_PAGE_H

#include <jansson.h>
#include <stdio.h>

#include "base/span.h"

/* Text that is being set: words go where they fit, lines begin behind the margin. */
struct page
{
    FILE *out;
    size_t width, margin, column;
};

void page_begin(struct page *page, FILE *out);
/* Ends the line, if one has begun. */
void page_end_line(struct page *page);
void page_blank_line(struct page *page);
/* To the margin, for who writes to page->out himself and counts page->column. */
void page_indent(struct page *page);
/* Words, each where it fits. */
void page_put_span(struct page *page, struct span text);
void page_put(struct page *page, const char *text);
void page_put_json(struct page *page, const json_t *text);
void page_put_number(struct page *page, json_int_t number);
/* A label in a column of its own; what follows is set behind it. */
void page_row(struct page *page, size_t margin, const char *label);
void page_heading(struct page *page, const char *text);

#endif
