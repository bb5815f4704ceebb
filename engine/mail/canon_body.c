/*
 * Bodies in canonical form (RFC 6376 3.4.3, 3.4.4) as they stream past. Linear, constant memory,
 * no line buffer: a line of 20 MB is as good as any (security.md B09).
 *
 * What may turn out to be the end of the body is held: CRLFs, relaxed also one blank behind them,
 * then a CR that may be half of a CRLF. Nothing else is remembered: whether a blank stays is told
 * by the two octets behind it, so the text itself goes through a kernel without state. It stays
 * unless a blank or a CRLF follows.
 */
#include "base/attributes.h"
#include "base/chars.h"
#include "mail/canon.h"
#include "simd/text.h"

enum
{
    BLOCK = SIMD_BLOCK,
    LOOK_AHEAD = SIMD_LOOK_AHEAD,
    SLACK = SIMD_SLACK,
    TAIL_ROOM = 256, /* for a blank, a CR, the last octets of a piece and the slack */
};
STATIC_ASSERT(TAIL_ROOM > 2 + 2 * BLOCK + SLACK);
STATIC_ASSERT(CANON_STEP_ROOM >= 2 * TAIL_ROOM);

void canon_body_init(struct canon_body *body, enum canon canon)
{
    *body = (struct canon_body){.canon = canon};
}

static void take(struct span *in, size_t n)
{
    *in = span_skip(*in, n);
}

/* Passes over line ends and blanks, holding them. True: the held octets are followed by content. */
static bool find_content(struct canon_body *body, struct span *in)
{
    for (; in->n; take(in, 1)) {
        uint8_t c = in->p[0];
        if (body->held_cr && c != '\n')
            return true; /* the CR is content */
        if (body->held_cr) {
            body->held_cr = body->held_wsp = false;
            body->held_lines++;
        } else if (c == '\r') {
            body->held_cr = true;
        } else if (body->canon == CANON_RELAXED && char_is_wsp(c)) {
            body->held_wsp = true;
        } else {
            return true;
        }
    }
    return false;
}

static size_t write_held_lines(struct canon_body *body, uint8_t *out, size_t room)
{
    size_t lines = body->held_lines < room / 2 ? (size_t)body->held_lines : room / 2;
    for (size_t i = 0; i < lines; i++)
        memcpy(out + 2 * i, "\r\n", 2);
    body->held_lines -= lines;
    return 2 * lines;
}

/* What is held behind the lines. */
static size_t write_held_octets(struct canon_body *body, uint8_t *out)
{
    size_t n = 0;
    if (body->held_wsp)
        out[n++] = ' ';
    if (body->held_cr)
        out[n++] = '\r';
    body->held_wsp = body->held_cr = false;
    return n;
}

/* Without the octets whose meaning the next piece decides: a CR, relaxed the blanks before it. */
static struct span hold_end(struct canon_body *body, struct span s)
{
    if (s.n && s.p[s.n - 1] == '\r') {
        body->held_cr = true;
        s.n--;
    }
    if (body->canon == CANON_SIMPLE)
        return s;
    for (; s.n && char_is_wsp(s.p[s.n - 1]); s.n--)
        body->held_wsp = true;
    return s;
}

static bool is_crlf(const uint8_t *p)
{
    return p[0] == '\r' && p[1] == '\n';
}

/* The last octets of a piece, fewer than a block and its look-ahead; none of them is held. */
static size_t relax_tail(struct span tail, uint8_t *out)
{
    uint8_t padded[2 * BLOCK + LOOK_AHEAD];
    size_t n = tail.n > BLOCK ? 2 * BLOCK : BLOCK;
    assert(tail.n < BLOCK + LOOK_AHEAD);
    if (tail.n == 0)
        return 0;
    memset(padded, 'x', sizeof padded);
    memcpy(padded, tail.p, tail.n);
    bool unusual; /* of the padding too: whoever counts looks at these octets himself */
    return simd_text()->relax_body(padded, n, 0, out, &unusual) - (n - tail.n);
}

static size_t relaxed_content(struct canon_body *body, struct span *in, uint8_t *out, size_t room)
{
    size_t n = 0, blocks = in->n < LOOK_AHEAD ? 0 : (in->n - LOOK_AHEAD) / BLOCK;
    size_t fit = (room - TAIL_ROOM) / BLOCK;
    blocks = blocks < fit ? blocks : fit;
    if (blocks) {
        bool unusual;
        size_t whole = blocks * BLOCK;
        n = simd_text()->relax_body(in->p, whole, in->n - whole, out, &unusual);
        body->plain = span_slice(*in, 0, unusual ? 0 : whole);
        take(in, whole);
    }
    if (in->n >= BLOCK + LOOK_AHEAD)
        return n;
    n += relax_tail(hold_end(body, *in), out + n);
    take(in, in->n);
    return n;
}

static size_t simple_content(struct canon_body *body, struct span *in, uint8_t *out, size_t room)
{
    size_t n = in->n < room ? in->n : room;
    struct span piece = hold_end(body, span_slice(*in, 0, n));
    take(in, n);
    if (piece.n)
        memcpy(out, piece.p, piece.n);
    return piece.n;
}

/* Takes the CRLFs off the end of what was written, and holds them. */
static size_t hold_lines(struct canon_body *body, const uint8_t *out, size_t n)
{
    for (; n >= 2 && is_crlf(out + n - 2); n -= 2)
        body->held_lines++;
    return n;
}

size_t canon_body_step(struct canon_body *body, struct span *in, uint8_t *out, size_t room)
{
    assert(room >= CANON_STEP_ROOM && !body->ended);
    body->plain = span_slice(*in, 0, 0);
    if (!find_content(body, in))
        return 0;
    size_t n = write_held_lines(body, out, room - 2 * TAIL_ROOM + SLACK);
    body->wrote_any = true;
    if (body->held_lines)
        return n;
    n += write_held_octets(body, out + n);
    if (body->canon == CANON_RELAXED)
        n += relaxed_content(body, in, out + n, room - n);
    else
        n += simple_content(body, in, out + n, room - n);
    return hold_lines(body, out, n);
}

size_t canon_body_finish(struct canon_body *body, uint8_t *out, size_t room)
{
    size_t n = 0;
    assert(room >= CANON_STEP_ROOM);
    if (body->ended)
        return 0;
    if (body->held_cr) { /* no LF came: content */
        n = write_held_lines(body, out, room - TAIL_ROOM);
        body->wrote_any = true;
        if (body->held_lines)
            return n;
        n += write_held_octets(body, out + n);
    }
    /* DV-26: relaxed leaves an empty body empty. DV-25: simple makes it one CRLF. */
    body->ended = true;
    if (!body->wrote_any && body->canon == CANON_RELAXED)
        return n;
    memcpy(out + n, "\r\n", 2);
    return n + 2;
}
