/*
 * DER reader for public keys (X.690 8.1, 8.3, 10.1).
 *
 * BUGS: no tags above 30, no lengths above 32 bits: a key has neither.
 */
#include "crypto/der.h"

static struct span der_fail(struct cursor *c)
{
    c->failed = true;
    return (struct span){NULL, 0};
}

/*
 * Length octets: 0x00-0x7f, or 0x81-0x84 and that many octets. DER takes the shortest form only:
 * no long form below 128, no leading zero octet (X.690 10.1). 0x80 (indefinite) is BER.
 */
static size_t der_read_length(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    if (first < 0x80)
        return first;
    size_t octets = first & 0x7f;
    if (octets == 0 || octets > 4)
        return der_fail(c).n;
    struct span digits = cursor_take(c, octets);
    if (c->failed || digits.p[0] == 0)
        return der_fail(c).n;
    size_t length = 0;
    for (size_t i = 0; i < digits.n; i++)
        length = length << 8 | digits.p[i];
    if (length < 0x80)
        return der_fail(c).n;
    return length;
}

bool der_next_is(const struct cursor *c, enum der_tag tag)
{
    return !c->failed && cursor_left(c) > 0 && *c->p == tag;
}

struct span der_read(struct cursor *c, enum der_tag tag)
{
    if (!der_next_is(c, tag))
        return der_fail(c);
    cursor_u8(c);
    size_t length = der_read_length(c);
    return cursor_take(c, length);
}

struct cursor der_enter(struct cursor *c, enum der_tag tag)
{
    struct cursor inner = cursor_of(der_read(c, tag));
    inner.failed = c->failed;
    return inner;
}

struct span der_read_integer(struct cursor *c)
{
    struct span contents = der_read(c, DER_INTEGER);
    if (c->failed || contents.n == 0)
        return der_fail(c);
    /* Shortest form (8.3.2): the first nine bits are not all equal. */
    if (contents.n > 1 && contents.p[0] == 0x00 && contents.p[1] < 0x80)
        return der_fail(c);
    if (contents.n > 1 && contents.p[0] == 0xff && contents.p[1] >= 0x80)
        return der_fail(c);
    return contents;
}

bool der_integer_negative(struct span contents)
{
    return contents.n > 0 && contents.p[0] >= 0x80;
}

struct span der_integer_magnitude(struct span contents)
{
    /* The shortest form has one zero octet at most, before a digit of 0x80 or more, or alone. */
    if (contents.n > 0 && contents.p[0] == 0)
        return span_skip(contents, 1);
    return contents;
}
