/*
 * HTML from anybody's text: what is put as text cannot end an element, an attribute or a line of
 * reading. Besides the five characters of markup, what is seen by nobody or turns the direction of
 * reading is written out as \u{202E} in a <span class="esc">.
 */
#ifndef ASSAY_HTML_H
#define ASSAY_HTML_H

#include <jansson.h>

#include "base/buffer.h"

/* Markup of ours: a constant, never text from outside. */
void html_raw(struct buffer *out, const char *markup);
/* UTF-8; octets that are none are written out as \x80. LF and HTAB stay, CRLF becomes LF. */
void html_span(struct buffer *out, struct span text);
void html_text(struct buffer *out, const char *text);
/* A string's or an integer's text; nothing for anything else. */
void html_json(struct buffer *out, const json_t *value);
/* "<p class=c>text</p>"; nothing where the value is no string. `tag` and `class` are constants,
 * class may be NULL. */
void html_element(struct buffer *out, const char *tag, const char *class, const json_t *value);
void html_element_text(struct buffer *out, const char *tag, const char *class, const char *text);

#endif
