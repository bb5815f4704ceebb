/*
 * Limits: COMMENT_DEPTH, counted and not recursed (security.md A18). Every octet is read once.
 */
#include "mail/address_text.h"

#include "base/chars.h"

bool address_text_fail(struct address_text *text, enum mail_address_error error)
{
    if (text->error == MAIL_ADDRESS_OK)
        text->error = error;
    return false;
}

static bool malformed(struct address_text *text)
{
    return address_text_fail(text, MAIL_ADDRESS_MALFORMED);
}

static bool at_end(const struct address_text *text)
{
    return text->at == text->in.n;
}

bool address_text_is(const struct address_text *text, uint8_t c)
{
    return !at_end(text) && text->in.p[text->at] == c;
}

static void put(struct address_text *text, uint8_t c)
{
    assert(text->out_n < text->in.n);
    text->out[text->out_n++] = c;
}

/* atext, and 8-bit octets as in RFC 6532 3.2 or worse. */
static bool is_atom_byte(uint8_t c)
{
    return char_is(c, CHAR_ATEXT) || c >= 0x80;
}

static bool at_atom(const struct address_text *text)
{
    return !at_end(text) && is_atom_byte(text->in.p[text->at]);
}

/* CRLF in front of a blank; any other CR or LF is an error. The blank is left. */
static bool skip_fold(struct address_text *text)
{
    struct span rest = span_skip(text->in, text->at);
    if (rest.n < 3 || rest.p[0] != '\r' || rest.p[1] != '\n' || !char_is_wsp(rest.p[2]))
        return malformed(text);
    text->at += 2;
    return true;
}

/*
 *   quoted-pair = "\" (VCHAR / WSP) / obs-qp        RFC 5322 3.2.1, 4.1
 *
 * NUL, CR and LF, which obs-qp has, are refused. Gives the octet behind the backslash.
 */
static bool read_quoted_pair(struct address_text *text, uint8_t *c)
{
    text->at++;
    if (at_end(text))
        return malformed(text);
    *c = text->in.p[text->at];
    if (*c == '\0' || *c == '\r' || *c == '\n')
        return malformed(text);
    text->at++;
    return true;
}

/*
 *   comment  = "(" *([FWS] ccontent) [FWS] ")"      RFC 5322 3.2.2
 *   ccontent = ctext / quoted-pair / comment
 */
static bool skip_comment(struct address_text *text)
{
    unsigned depth = 0;
    do {
        if (at_end(text))
            return malformed(text);
        uint8_t c = text->in.p[text->at];
        if (c == '\\') {
            if (!read_quoted_pair(text, &c))
                return false;
            continue;
        }
        if (c == '\r') {
            if (!skip_fold(text))
                return false;
            continue;
        }
        if (c == '\n' || c == '\0')
            return malformed(text);
        if (c == '(' && depth == MAX_COMMENT_DEPTH) {
            limit_hit(text->hits, LIMIT_COMMENT_DEPTH);
            return address_text_fail(text, MAIL_ADDRESS_TOO_DEEP);
        }
        depth += c == '(';
        depth -= c == ')';
        text->at++;
    } while (depth);
    return true;
}

/*
 *   CFWS = (1*([FWS] comment) [FWS]) / FWS          RFC 5322 3.2.2, obs-FWS of 4.2
 */
bool address_text_skip(struct address_text *text)
{
    while (!at_end(text)) {
        uint8_t c = text->in.p[text->at];
        if (char_is_wsp(c))
            text->at++;
        else if (c == '\r' && !skip_fold(text))
            return false;
        else if (c == '(' && !skip_comment(text))
            return false;
        else if (c != '\r' && c != '(')
            return true;
    }
    return true;
}

static void read_atom(struct address_text *text, bool *has_high)
{
    for (; at_atom(text); text->at++) {
        uint8_t c = text->in.p[text->at];
        *has_high |= c >= 0x80;
        put(text, c);
    }
}

/*
 *   quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE     RFC 5322 3.2.4
 *   qcontent      = qtext / quoted-pair
 */
static bool read_quoted_string(struct address_text *text, struct address_words *words)
{
    text->at++;
    while (!address_text_is(text, '"')) {
        if (at_end(text))
            return malformed(text);
        uint8_t c = text->in.p[text->at];
        if (c == '\r') {
            if (!skip_fold(text))
                return false;
            continue;
        }
        if (c == '\n' || c == '\0')
            return malformed(text);
        if (c != '\\')
            text->at++;
        else if (!read_quoted_pair(text, &c))
            return false;
        words->has_high |= c >= 0x80;
        words->has_control |= char_is(c, CHAR_CTL) && c != '\t';
        put(text, c);
    }
    text->at++;
    return true;
}

/*
 *   phrase         = 1*word / obs-phrase                      RFC 5322 3.2.5
 *   obs-phrase     = word *(word / "." / CFWS)                RFC 5322 4.1 ("John Q. Public")
 *   local-part     = dot-atom / quoted-string / obs-local-part
 *   obs-local-part = word *("." word)                         RFC 5322 4.4
 *   word           = atom / quoted-string
 */
bool address_text_words(struct address_text *text, struct address_words *words)
{
    bool word_due = true; /* for a local part */
    *words = (struct address_words){.out_begin = text->out_n, .is_local_part = true};
    for (;;) {
        if (!address_text_skip(text))
            return false;
        bool quoted = address_text_is(text, '"');
        if (quoted || at_atom(text)) {
            words->is_local_part &= word_due;
            words->count++;
            word_due = false;
            if (quoted && !read_quoted_string(text, words))
                return false;
            if (!quoted)
                read_atom(text, &words->has_high);
        } else if (address_text_is(text, '.') && words->count) {
            words->is_local_part &= !word_due;
            word_due = true;
            put(text, '.');
            text->at++;
        } else {
            break;
        }
    }
    words->is_local_part &= !word_due;
    return true;
}

/*
 *   domain-literal = [CFWS] "[" *([FWS] dtext) [FWS] "]" [CFWS]    RFC 5322 3.4.1
 *   dtext          = %d33-90 / %d94-126
 */
static bool read_literal(struct address_text *text)
{
    put(text, '[');
    text->at++;
    while (!address_text_is(text, ']')) {
        if (at_end(text))
            return malformed(text);
        uint8_t c = text->in.p[text->at];
        if (c == '\r') {
            if (!skip_fold(text))
                return false;
            continue;
        }
        if (!char_is(c, CHAR_VCHAR | CHAR_WSP) || c == '[' || c == '\\')
            return malformed(text);
        if (!char_is_wsp(c))
            put(text, c);
        text->at++;
    }
    put(text, ']');
    text->at++;
    return true;
}

/*
 *   obs-domain = atom *("." atom)         RFC 5322 4.4; CFWS around atoms and dots
 *
 * and one dot at the end: a fully qualified name, which readers take for the same (DP-4).
 */
static bool read_dotted(struct address_text *text, bool *has_high)
{
    do {
        read_atom(text, has_high);
        if (!address_text_skip(text))
            return false;
        if (!address_text_is(text, '.'))
            return true;
        put(text, '.');
        text->at++;
        if (!address_text_skip(text))
            return false;
    } while (at_atom(text));
    return true;
}

bool address_text_domain(struct address_text *text, struct mail_address *address)
{
    bool has_high = false;
    size_t begin = text->out_n;
    if (!address_text_skip(text))
        return false;
    address->literal = address_text_is(text, '[');
    if (address->literal && !read_literal(text))
        return false;
    if (!address->literal && !at_atom(text))
        return malformed(text);
    if (!address->literal && !read_dotted(text, &has_high))
        return false;
    address->domain = span_of(text->out + begin, text->out_n - begin);
    address->non_ascii |= has_high;
    return address_text_skip(text);
}
