/*
 * Report URIs: a comma-separated list, each checked against the characters of RFC 3986 and, for
 * mailto, for an address with a host (RFC 6068). Linear in the list; no limit beyond the record's.
 *
 * BUGS
 *   The generic syntax is checked by characters: an IP literal in brackets or a port is not looked
 *   into, since only mailto is ever used. Of several mailto addresses in one URI there is none:
 *   their comma must be percent-encoded, and then it belongs to the local part.
 */
#include "dmarc/uri.h"

#include "base/chars.h"

/* unreserved / gen-delims / sub-delims of RFC 3986, without "," and "!" (RFC 9989 4.8) */
static bool is_uri_char(uint8_t c)
{
    return char_is(c, CHAR_UNRESERVED) || memchr(":/?#[]@$&'()*+;=", c, 16);
}

static bool is_uri_text(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (is_uri_char(s.p[i]))
            continue;
        bool encoded = s.p[i] == '%' && s.n - i > 2 && char_hex_value(s.p[i + 1]) >= 0 &&
                       char_hex_value(s.p[i + 2]) >= 0;
        if (!encoded)
            return false;
        i += 2;
    }
    return s.n > 0;
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )                       ; RFC 3986 3.1 */
static bool is_scheme(struct span s)
{
    if (s.n == 0 || !char_is(s.p[0], CHAR_ALPHA))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!char_is(s.p[i], CHAR_ALPHA | CHAR_DIGIT) && !memchr("+-.", s.p[i], 3))
            return false;
    return true;
}

/* obs-size = "!" 1*DIGIT [ "k" / "m" / "g" / "t" ]: read and ignored (RFC 9989 4.8) */
static struct span drop_size(struct span s)
{
    size_t mark = span_find_last(s, '!');
    size_t end = s.n;
    if (mark == s.n)
        return s;
    if (end > mark + 1 && char_is(s.p[end - 1], CHAR_ALPHA) &&
        memchr("kmgt", ascii_lower(s.p[end - 1]), 4))
        end--;
    if (end == mark + 1)
        return s;
    for (size_t i = mark + 1; i < end; i++)
        if (!char_is_digit(s.p[i]))
            return s;
    return span_slice(s, 0, mark);
}

static bool is_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is(s.p[i], CHAR_LDH) && s.p[i] != '.')
            return false;
    return s.n > 0 && s.p[0] != '.';
}

/* mailtoURI = "mailto:" [ to ] [ hfields ]                ; RFC 6068 2; here with one address */
static bool read_mailto(struct span rest, struct dmarc_uri *uri)
{
    struct span address = span_slice(rest, 0, span_find(rest, '?'));
    size_t at = span_find_last(address, '@');
    if (at == 0 || at == address.n)
        return false;
    uri->mailto = true;
    uri->address = address;
    uri->host = span_skip(address, at + 1);
    return is_host(uri->host);
}

static bool read_uri(struct span text, struct dmarc_uri *uri)
{
    *uri = (struct dmarc_uri){.text = drop_size(span_trim_wsp(text))};
    size_t colon = span_find(uri->text, ':');
    if (colon == uri->text.n || !is_scheme(span_slice(uri->text, 0, colon)))
        return false;
    struct span rest = span_skip(uri->text, colon + 1);
    if (!is_uri_text(rest))
        return false;
    if (!span_equal_fold(span_slice(uri->text, 0, colon), SPAN("mailto")))
        return true;
    return read_mailto(rest, uri);
}

bool dmarc_uri_next(struct span *list, struct dmarc_uri *uri)
{
    while (list->n) {
        size_t end = span_find(*list, ',');
        struct span item = span_slice(*list, 0, end);
        *list = span_skip(*list, end < list->n ? end + 1 : end);
        if (read_uri(item, uri))
            return true;
    }
    return false;
}
