/*
 * One address, and nothing that could be read in two ways: printable ASCII and blanks, no comment,
 * no fold, no quoted-pair, no encoded-word, one "@".
 *
 *   plain        = *WSP [plain-name *WSP] "<" plain-spec ">" *WSP / *WSP plain-spec *WSP
 *   plain-name   = atom *(atom / WSP / ".") / DQUOTE *(qtext / WSP) DQUOTE      ; no "@" in qtext
 *   plain-spec   = dot-atom-text "@" dot-atom-text                     ; RFC 5322 3.2.3, 3.4.1
 *
 * and no "=" anywhere, with which encoded-words begin. Everything else is left to address_list.c,
 * which comes to the same for these forms (tests/mail/plain_test.c). Nothing is allocated.
 */
#include "mail/address_plain.h"

#include "base/chars.h"

static bool is_at(struct span in, size_t at, uint8_t c)
{
    return at < in.n && in.p[at] == c;
}

static size_t skip_class(struct span in, size_t at, unsigned classes)
{
    while (at < in.n && char_is(in.p[at], classes))
        at++;
    return at;
}

/* Behind the name and its blanks, or `at` where there is none of the two kinds. */
static size_t skip_name(struct span in, size_t at)
{
    size_t end = at;
    if (is_at(in, at, '"')) {
        end++;
        while (end < in.n && char_is(in.p[end], CHAR_VCHAR | CHAR_WSP) && in.p[end] != '"' &&
               in.p[end] != '\\' && in.p[end] != '@')
            end++;
        return is_at(in, end, '"') ? skip_class(in, end + 1, CHAR_WSP) : at;
    }
    for (;;) {
        size_t begin = end;
        end = skip_class(in, begin, CHAR_ATEXT | CHAR_WSP);
        if (end == begin)
            return end;
        while (is_at(in, end, '.'))
            end++;
    }
}

/*  dot-atom-text = 1*atext *("." 1*atext) ; returns its end, or `at` where there is none */
static size_t skip_dot_atom(struct span in, size_t at)
{
    size_t end = at;
    for (;;) {
        size_t begin = end;
        end = skip_class(in, begin, CHAR_ATEXT);
        if (end == begin)
            return at;
        if (!is_at(in, end, '.'))
            return end;
        end++;
    }
}

/* *at goes behind it. */
static bool read_spec(struct span in, size_t *at, struct mail_address *address)
{
    size_t at_sign = skip_dot_atom(in, *at);
    if (at_sign == *at || !is_at(in, at_sign, '@'))
        return false;
    size_t end = skip_dot_atom(in, at_sign + 1);
    if (end == at_sign + 1)
        return false;
    address->local = span_slice(in, *at, at_sign);
    address->domain = span_slice(in, at_sign + 1, end);
    address->literal = address->non_ascii = false;
    *at = end;
    return true;
}

bool address_plain(struct span value, struct mail_address *address)
{
    size_t begin = skip_class(value, 0, CHAR_WSP);
    size_t at = skip_name(value, begin);
    if (span_find(value, '=') < value.n)
        return false;
    bool angle = is_at(value, at, '<');
    at = angle ? at + 1 : begin;
    if (!read_spec(value, &at, address))
        return false;
    if (angle && !is_at(value, at++, '>'))
        return false;
    return skip_class(value, at, CHAR_WSP) == value.n;
}
