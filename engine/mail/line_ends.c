#include "mail/line_ends.h"

void line_ends_init(struct line_ends *ends, canon_sink *sink, void *context)
{
    *ends = (struct line_ends){.sink = sink, .context = context};
}

static void emit(struct line_ends *ends, struct span bytes)
{
    if (bytes.n)
        ends->sink(ends->context, bytes);
}

void line_ends_feed(struct line_ends *ends, struct span bytes)
{
    size_t begin = 0, at = 0;
    while (ends->kind != LINE_ENDS_CRLF) {
        size_t lf = at + span_find(span_skip(bytes, at), '\n');
        if (lf == bytes.n)
            break;
        bool after_cr = lf ? bytes.p[lf - 1] == '\r' : ends->previous_cr;
        if (ends->kind == LINE_ENDS_UNKNOWN)
            ends->kind = after_cr ? LINE_ENDS_CRLF : LINE_ENDS_LF;
        at = lf + 1;
        if (after_cr)
            continue;
        emit(ends, span_slice(bytes, begin, lf));
        emit(ends, SPAN("\r"));
        begin = lf; /* the LF goes out with the next line */
    }
    emit(ends, span_skip(bytes, begin));
    if (bytes.n)
        ends->previous_cr = bytes.p[bytes.n - 1] == '\r';
}
