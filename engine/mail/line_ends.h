/*
 * Files with LF line ends read as if they had CRLF (command line contract of design.md): the first
 * line end of the file decides. In an LF file every bare LF becomes CRLF and CRLF stays; in a CRLF
 * file nothing is changed, so a bare LF stays a bare LF. Streaming, any split.
 */
#ifndef MAIL_LINE_ENDS_H
#define MAIL_LINE_ENDS_H

#include "mail/canon.h"

struct line_ends
{
    canon_sink *sink;
    void *context;
    enum
    {
        LINE_ENDS_UNKNOWN = 0,
        LINE_ENDS_CRLF,
        LINE_ENDS_LF,
    } kind;
    bool previous_cr;
};

void line_ends_init(struct line_ends *ends, canon_sink *sink, void *context);
void line_ends_feed(struct line_ends *ends, struct span bytes);

#endif
