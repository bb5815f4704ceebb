/*
 * Canonicalization of RFC 6376 section 3.4: two algorithms for fields, two for bodies.
 * WSP is SP and HTAB, a line ends in CRLF, everything else is content (DV-23 to DV-26).
 */
#ifndef MAIL_CANON_H
#define MAIL_CANON_H

#include "base/buffer.h"
#include "mail/header.h"

enum canon
{
    CANON_SIMPLE = 0,
    CANON_RELAXED = 1,
};

/*
 * Appends one field in canonical form with its CRLF. `value_cut` drops a part of the field first:
 * the bytes [cut.p, cut.p + cut.n) of field->raw, used to blank the value of b= (DV-22); pass an
 * empty span to drop nothing. `relaxed` of an empty value gives "name:" CRLF (DV-24). Room for the
 * raw length and 2 octets is reserved first: a buffer without it fails, also where the relaxed form
 * would have fitted.
 */
void canon_field(enum canon canon, const struct mail_field *field, struct span cut,
                 struct buffer *out);

/* Receives canonical body bytes in pieces. */
typedef void canon_sink(void *context, struct span bytes);

/*
 * Streaming body canonicalization: state for a CR split from its LF, blanks that may turn out to be
 * trailing, and empty lines that may turn out to be the last (DV-28). Constant memory.
 *
 * What the algorithm leaves unchanged reaches the sink as long pieces of the input. The end of the
 * body ends its last line: relaxed drops blanks there, as if CRLF had followed.
 */
struct canon_body
{
    enum canon canon;
    canon_sink *sink;
    void *context;
    uint64_t held_lines; /* CRLFs held back: they go out when content follows */
    bool held_wsp;       /* relaxed: blanks behind them, not yet known to be inside a line */
    bool held_cr;        /* the last octet, behind all that: half a CRLF, or content */
    bool wrote_any;
};

void canon_body_init(struct canon_body *body, enum canon canon, canon_sink *sink, void *context);
void canon_body_feed(struct canon_body *body, struct span bytes);
/* Ends the body: simple gives at least one CRLF (DV-25), relaxed leaves an empty body empty
 * (DV-26). */
void canon_body_end(struct canon_body *body);

#endif
