/*
 * Bodies in canonical form (RFC 6376 3.4.3, 3.4.4) as they stream past. Linear, constant memory,
 * no line buffer: a line of 20 MB is as good as any (security.md B09).
 *
 * Both algorithms hold back the CRLFs at the end of what they have seen, and a CR that may be half
 * of one. Simple needs nothing else: whatever is in front of that tail goes out as it is. Relaxed
 * looks for the blanks that change: a HTAB, or a SP in front of a SP, HTAB or CR. All else, single
 * blanks and line ends included, goes out in the piece it came in.
 */
#include "base/attributes.h"
#include "base/bytes16.h"
#include "base/chars.h"
#include "mail/canon.h"

#define CRLF8 "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
#define CRLF64 CRLF8 CRLF8 CRLF8 CRLF8 CRLF8 CRLF8 CRLF8 CRLF8
static const struct span many_crlf = SPAN(CRLF64 CRLF64 CRLF64 CRLF64);

void canon_body_init(struct canon_body *body, enum canon canon, canon_sink *sink, void *context)
{
    *body = (struct canon_body){.canon = canon, .sink = sink, .context = context};
}

static void emit(struct canon_body *body, struct span bytes)
{
    if (bytes.n)
        body->sink(body->context, bytes);
    body->wrote_any = true;
}

static void emit_held_lines(struct canon_body *body)
{
    while (body->held_lines) {
        uint64_t lines = body->held_lines;
        if (lines > many_crlf.n / 2)
            lines = many_crlf.n / 2;
        emit(body, span_slice(many_crlf, 0, (size_t)lines * 2));
        body->held_lines -= lines;
    }
}

/* Content follows: what was held in front of it counts. */
static void emit_held(struct canon_body *body)
{
    emit_held_lines(body);
    if (body->held_wsp)
        emit(body, SPAN(" "));
    body->held_wsp = false;
}

/* The CR at the end of the last piece: half a line end, or content. Returns bytes used up. */
static size_t settle_cr(struct canon_body *body, struct span bytes)
{
    if (!body->held_cr || bytes.n == 0)
        return 0;
    body->held_cr = false;
    if (bytes.p[0] == '\n') {
        body->held_wsp = false;
        body->held_lines++;
        return 1;
    }
    emit_held(body);
    emit(body, SPAN("\r"));
    return 0;
}

static bool is_crlf(struct span s, size_t at)
{
    return at + 1 < s.n && s.p[at] == '\r' && s.p[at + 1] == '\n';
}

/* Emits `content` but for the CRLFs at its end, which it holds. */
static void emit_content(struct canon_body *body, struct span content)
{
    uint64_t lines = 0;
    while (content.n >= 2 && is_crlf(content, content.n - 2)) {
        content.n -= 2;
        lines++;
    }
    if (content.n)
        emit_held(body);
    if (content.n)
        emit(body, content);
    body->held_lines += lines;
}

/* Takes a CR off the end and holds it. */
static struct span hold_last_cr(struct canon_body *body, struct span s)
{
    if (s.n && s.p[s.n - 1] == '\r') {
        body->held_cr = true;
        s.n--;
    }
    return s;
}

static void simple_feed(struct canon_body *body, struct span bytes)
{
    bytes = span_skip(bytes, settle_cr(body, bytes));
    emit_content(body, hold_last_cr(body, bytes));
}

/*
 * Where the next blank stands that changes, or s.n. The last byte is one if it is a blank: what
 * follows it is not known.
 */
static size_t find_blank(struct span s, size_t at)
{
    while (s.n - at > BYTES16) { /* 17 left: sixteen octets, and the same one octet further */
        bytes16 v = bytes16_load(s.p + at);
        bytes16 next = bytes16_load(s.p + at + 1);
        bytes16 changes =
            bytes16_equal(next, ' ') | bytes16_equal(next, '\t') | bytes16_equal(next, '\r');
        changes = bytes16_equal(v, '\t') | (bytes16_equal(v, ' ') & changes);
        if (bytes16_any(changes))
            return at + bytes16_first(changes);
        at += BYTES16;
    }
    for (; at < s.n; at++) {
        if (s.p[at] == '\t')
            return at;
        if (s.p[at] == ' ' && (at + 1 == s.n || char_is_wsp(s.p[at + 1]) || s.p[at + 1] == '\r'))
            return at;
    }
    return s.n;
}

static size_t skip_blanks(struct span s, size_t at)
{
    while (at < s.n && char_is_wsp(s.p[at]))
        at++;
    return at;
}

/*
 * Emits from `at`, where content or a CRLF in front of content stands, up to the next blank that
 * changes, and on over that run of blanks; returns where it stopped.
 */
static size_t relaxed_content(struct canon_body *body, struct span s, size_t at)
{
    size_t blank = find_blank(s, at);
    size_t next = skip_blanks(s, blank);
    bool inside = next < s.n && s.p[next] != '\r';
    if (inside && s.p[blank] == ' ') { /* the first blank is the one that stays */
        emit_content(body, span_slice(s, at, blank + 1));
        return next;
    }
    emit_content(body, span_slice(s, at, blank));
    body->held_wsp = next > blank;
    return next;
}

/* Holds the CRLFs at `at`, unless content follows them and nothing is held: then they stay part of
 * it. Returns where to go on; *content says whether content begins there. */
static size_t relaxed_lines(struct canon_body *body, struct span s, size_t at, bool *content)
{
    size_t next = at;
    while (is_crlf(s, next))
        next += 2;
    *content = next < s.n && !char_is_wsp(s.p[next]);
    if (next > at)
        body->held_wsp = false;
    if (*content)
        return at;
    body->held_lines += (next - at) / 2;
    return next;
}

static void relaxed_feed(struct canon_body *body, struct span bytes)
{
    size_t at = settle_cr(body, bytes);
    bytes = hold_last_cr(body, bytes);
    bool content;
    while (at < bytes.n) {
        size_t next = skip_blanks(bytes, at);
        if (next > at)
            body->held_wsp = true;
        at = relaxed_lines(body, bytes, next, &content);
        if (content)
            at = relaxed_content(body, bytes, at);
    }
}

void canon_body_feed(struct canon_body *body, struct span bytes)
{
    if (body->canon == CANON_RELAXED)
        relaxed_feed(body, bytes);
    else
        simple_feed(body, bytes);
}

void canon_body_end(struct canon_body *body)
{
    if (body->held_cr) { /* no LF came: content */
        emit_held(body);
        emit(body, SPAN("\r"));
    }
    /* DV-26: relaxed leaves an empty body empty. DV-25: simple makes it one CRLF. */
    if (body->wrote_any || body->canon == CANON_SIMPLE)
        emit(body, SPAN("\r\n"));
    body->held_cr = body->held_wsp = false;
    body->held_lines = 0;
}
