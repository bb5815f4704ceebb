/*
 * The head of an ARC-Authentication-Results field.
 *
 * Comments deeper than COMMENT_DEPTH end it; one pass, no recursion.
 */
#include "arc/results_field.h"

#include "base/chars.h"
#include "base/cursor.h"
#include "base/number.h"

static bool next_is(const struct cursor *c, uint8_t octet)
{
    return !c->failed && cursor_left(c) > 0 && *c->p == octet;
}

static bool next_is_blank(const struct cursor *c)
{
    return cursor_left(c) > 0 && (char_is_wsp(*c->p) || *c->p == '\r' || *c->p == '\n');
}

/* comment = "(" *([FWS] ccontent) [FWS] ")"; ccontent = ctext / quoted-pair / comment */
static void skip_comment(struct cursor *c, struct limit_hits *hits)
{
    unsigned depth = 0;
    do {
        uint8_t octet = cursor_u8(c);
        if (octet == '\\')
            cursor_u8(c);
        depth += octet == '(';
        depth -= octet == ')';
        if (depth > MAX_COMMENT_DEPTH) {
            limit_hit(hits, LIMIT_COMMENT_DEPTH);
            c->failed = true;
        }
    } while (depth > 0 && !c->failed);
}

/* CFWS = 1*([FWS] comment) [FWS] / FWS                                      RFC 5322 3.2.2 */
static void skip_cfws(struct cursor *c, struct limit_hits *hits)
{
    while (!c->failed && (next_is_blank(c) || next_is(c, '('))) {
        if (next_is(c, '('))
            skip_comment(c, hits);
        else
            cursor_u8(c);
    }
}

static struct span take_digits(struct cursor *c)
{
    const uint8_t *from = c->p;
    while (!c->failed && cursor_left(c) > 0 && char_is_digit(*c->p))
        cursor_u8(c);
    return span_of(from, (size_t)(c->p - from));
}

static void expect(struct cursor *c, uint8_t octet)
{
    if (!next_is(c, octet))
        c->failed = true;
    else
        cursor_u8(c);
}

/*
 *   arc-info = instance [CFWS] ";" authres-payload                          RFC 8617 4.1.1
 *   instance = [CFWS] %s"i" [CFWS] "=" [CFWS] position                      RFC 8617 4.2.1
 *   position = 1*2DIGIT                          ; 1 - 50, here without leading zeros (13.33)
 */
bool arc_results_parse(struct span value, struct limit_hits *hits, uint32_t *instance,
                       struct span *payload)
{
    struct cursor c = cursor_of(value);
    uint64_t position;
    skip_cfws(&c, hits);
    expect(&c, 'i');
    skip_cfws(&c, hits);
    expect(&c, '=');
    skip_cfws(&c, hits);
    struct span digits = take_digits(&c);
    skip_cfws(&c, hits);
    expect(&c, ';');
    if (c.failed || !number_parse(digits, 2, &position))
        return false;
    if (digits.p[0] == '0' || position > MAX_ARC_SETS)
        return false;
    *instance = (uint32_t)position;
    *payload = span_of(c.p, cursor_left(&c));
    return true;
}
