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
 * raw length, 2 octets and for relaxed SIMD_SLACK more is reserved first: a buffer without it fails,
 * also where the result would have fitted.
 */
void canon_field(enum canon canon, const struct mail_field *field, struct span cut,
                 struct buffer *out);

/* Receives canonical body bytes in pieces. */
typedef void canon_sink(void *context, struct span bytes);

/*
 * Streaming body canonicalization, pulled: the caller owns the output and says when. Constant
 * memory: what is held back may turn out to be the end of the body, and is a count and two flags.
 * The end of the body ends its last line: relaxed drops blanks there, as if CRLF had followed.
 *
 *   canon_body_init -> canon_body_step ... -> canon_body_finish until it returns 0
 *
 * A struct may be copied or moved between calls; it owns nothing. The input is not kept.
 */
struct canon_body
{
    enum canon canon;
    uint64_t held_lines; /* CRLFs held back: they go out when content follows */
    bool held_wsp;       /* relaxed: blanks behind them, not yet known to be inside a line */
    bool held_cr;        /* the last octet, behind all that: half a CRLF, or content */
    bool wrote_any;
    bool ended;
    struct span plain; /* borrowed: of the last step's input, or empty: here is no NUL, behind each
                          CR is a LF, and before each LF but the first octet a CR. Octets that need
                          not be counted (mail_octets_pass) */
};

enum
{
    CANON_STEP_ROOM = 512, /* the least `room`; 4 KB keep the cost of a call small */
};

void canon_body_init(struct canon_body *body, enum canon canon);
/*
 * Canonicalizes from the front of *in, which it advances over what it used, and writes what is
 * certain to out[0..room); returns how many octets that is. Up to 64 octets behind them, never
 * behind `room`, hold anything. Octets left in *in: call again. It returns 0 only with *in used up.
 * Requires room >= CANON_STEP_ROOM.
 */
size_t canon_body_step(struct canon_body *body, struct span *in, uint8_t *out, size_t room);
/*
 * Ends the body: what was held and counts, and the last CRLF; simple gives at least one CRLF
 * (DV-25), relaxed leaves an empty body empty (DV-26). Returns octets written as above; call it
 * until it returns 0.
 */
size_t canon_body_finish(struct canon_body *body, uint8_t *out, size_t room);

/*
 * The same with the output pushed into a sink, in pieces of at most 4 KB; `sink` must not keep
 * them. Nothing is written behind the last feed until the end.
 */
struct canon_pipe
{
    struct canon_body body;
    canon_sink *sink;
    void *context;
};

void canon_pipe_init(struct canon_pipe *pipe, enum canon canon, canon_sink *sink, void *context);
void canon_pipe_feed(struct canon_pipe *pipe, struct span bytes);
void canon_pipe_end(struct canon_pipe *pipe);

#endif
