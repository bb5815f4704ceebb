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
 * empty span to drop nothing. `relaxed` of an empty value gives "name:" CRLF (DV-24).
 */
void canon_field(enum canon canon, const struct mail_field *field, struct span cut,
                 struct buffer *out);

/* Receives canonical body bytes in pieces. */
typedef void canon_sink(void *context, struct span bytes);

/*
 * Streaming body canonicalization: state for a CR split from its LF, blanks that may turn out to be
 * trailing, and empty lines that may turn out to be the last (DV-28). Constant memory.
 */
struct canon_body
{
    enum canon canon;
    canon_sink *sink;
    void *context;
    uint64_t empty_lines; /* CRLFs held back */
    bool held_cr;
    bool held_wsp; /* relaxed: blanks seen, not yet known to be inside a line */
    bool in_line;  /* bytes of an unfinished line have gone out */
    bool wrote_any;
};

void canon_body_init(struct canon_body *body, enum canon canon, canon_sink *sink, void *context);
void canon_body_feed(struct canon_body *body, struct span bytes);
/* Ends the body: simple gives at least one CRLF (DV-25), relaxed leaves an empty body empty
 * (DV-26). */
void canon_body_end(struct canon_body *body);

#endif
