/*
 * The reverse-path (RFC 5321 4.1.2, with RFC 6531's 8-bit octets). One parser for everybody: what
 * is not a path gives no SPF identifier to anybody (security.md A02, A05).
 *
 *   Reverse-path  = Path / "<>"
 *   Path          = "<" [ A-d-l ":" ] Mailbox ">"
 *   A-d-l         = "@" Domain *( "," "@" Domain )
 *   Mailbox       = Local-part "@" ( Domain / address-literal )
 *
 * Accepted beyond the grammar: no angle brackets (an MTA may hand the address alone), dots anywhere
 * in the local part (old addresses of Japanese carriers), quoted strings mixed with atoms, an
 * unquoted "@" in the local part (A05), underscores in the domain and a dot at its end.
 *
 * Limits: PATH_BYTES, before anything is looked at.
 */
#include "base/chars.h"
#include "mail/address.h"

static void path_refuse(struct mail_path *path, struct mail_anomalies *anomalies,
                        const char *reason)
{
    mail_anomaly_note(anomalies, ANOMALY_PATH_MALFORMED);
    *path = (struct mail_path){.kind = MAIL_PATH_MALFORMED, .reason = reason, .text = path->text};
}

/*  Domain = sub-domain *("." sub-domain) */
static bool is_domain(struct span text)
{
    bool label_due = true;
    for (size_t i = 0; i < text.n; i++) {
        bool dot = text.p[i] == '.';
        if (!dot && !char_is(text.p[i], CHAR_LDH) && text.p[i] < 0x80)
            return false;
        if (dot && label_due)
            return false;
        label_due = dot;
    }
    return text.n > 0;
}

/*  address-literal = "[" 1*dcontent "]"       ; what it says is for its reader to check */
static bool is_literal(struct span text)
{
    if (text.n < 3 || text.p[0] != '[' || text.p[text.n - 1] != ']')
        return false;
    for (size_t i = 1; i < text.n - 1; i++)
        if (!char_is(text.p[i], CHAR_VCHAR) || text.p[i] == '[' || text.p[i] == ']' ||
            text.p[i] == '\\')
            return false;
    return true;
}

/*
 * Without the angle brackets; false where only one is there. RFC 5321 leaves no room for blanks
 * around them.
 */
static bool unwrap(struct span text, struct span *inner)
{
    bool opened = text.n && text.p[0] == '<';
    bool closed = text.n && text.p[text.n - 1] == '>';
    *inner = opened && closed ? span_slice(text, 1, text.n - 1) : text;
    return opened == closed && (!opened || text.n >= 2);
}

/*  A-d-l ":" ; takes it off. False where what begins with "@" is no route. */
static bool drop_route(struct span *inner, bool *route)
{
    struct span rest = *inner;
    *route = rest.n && rest.p[0] == '@';
    while (*route) {
        size_t end = 1;
        while (end < rest.n && rest.p[end] != ',' && rest.p[end] != ':')
            end++;
        if (end == rest.n || !is_domain(span_slice(rest, 1, end)))
            return false;
        bool last = rest.p[end] == ':';
        rest = span_skip(rest, end + 1);
        if (last)
            break;
        if (rest.n == 0 || rest.p[0] != '@')
            return false;
    }
    *inner = rest;
    return true;
}

/*
 *   Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
 *   QcontentSMTP   = qtextSMTP / "\" %d32-126
 *
 * Takes one octet of a local part, and with it the quote or backslash in front. False at an octet
 * that may not stand there.
 */
struct local_reader
{
    struct span in;
    size_t at;
    bool quoted;
};

static bool local_next(struct local_reader *reader, uint8_t *c, bool *literal)
{
    *c = reader->in.p[reader->at++];
    *literal = reader->quoted;
    if (*c == '"') {
        reader->quoted = !reader->quoted;
        *literal = false;
        return true;
    }
    if (!reader->quoted)
        return char_is(*c, CHAR_ATEXT) || *c == '.' || *c == '@' || *c >= 0x80;
    if (*c == '\\') {
        if (reader->at == reader->in.n)
            return false;
        *c = reader->in.p[reader->at++];
    }
    return !char_is(*c, CHAR_CTL);
}

/* Offset of the last "@" outside of quotes, or in.n. Octets are not checked yet. */
static size_t find_last_at(struct span in)
{
    size_t found = in.n;
    bool quoted = false;
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '"')
            quoted = !quoted;
        else if (in.p[i] == '\\' && quoted)
            i++;
        else if (in.p[i] == '@' && !quoted)
            found = i;
    }
    return found;
}

/* Checks the local part and writes it without quotes to `out`. */
static bool read_local(struct span in, uint8_t *out, size_t *n)
{
    struct local_reader reader = {.in = in};
    uint8_t c;
    bool literal;
    *n = 0;
    while (reader.at < in.n) {
        if (!local_next(&reader, &c, &literal))
            return false;
        if (c != '"' || literal)
            out[(*n)++] = c;
    }
    return in.n > 0 && !reader.quoted;
}

/*
 *   Mailbox = Dot-string "@" Domain     ; nearly every mailbox, in ASCII
 *
 * Where it is one, its "@" is the last one too (a domain has none), and its local part stands as it
 * was written: the general way comes to the same.
 */
static bool read_plain(struct span inner, struct mail_path *path)
{
    size_t at = 0;
    while (at < inner.n && (char_is(inner.p[at], CHAR_ATEXT) || inner.p[at] == '.'))
        at++;
    if (at == 0 || at == inner.n || inner.p[at] != '@' || !is_domain(span_skip(inner, at + 1)))
        return false;
    path->local = span_slice(inner, 0, at);
    path->domain = span_skip(inner, at + 1);
    return true;
}

/* Any other; false where it is none, or without memory. */
static bool read_mailbox(struct span inner, struct arena *arena, struct mail_path *path,
                         const char **fault)
{
    size_t at = find_last_at(inner);
    size_t local_n = 0;
    uint8_t *local = arena_alloc_raw(arena, inner.n);
    *fault = local ? mail_anomaly_word(ANOMALY_PATH_MALFORMED) : limit_word(LIMIT_ARENA_BYTES);
    if (!local || at == inner.n || !read_local(span_slice(inner, 0, at), local, &local_n))
        return false;
    path->local = span_of(local, local_n);
    path->domain = span_skip(inner, at + 1);
    return is_domain(path->domain) || is_literal(path->domain);
}

void mail_path_parse(struct span text, struct arena *arena, struct mail_anomalies *anomalies,
                     struct limit_hits *hits, struct mail_path *path)
{
    struct span inner;
    *path = (struct mail_path){.kind = MAIL_PATH_ABSENT, .text = text};
    if (!text.p)
        return;
    if (text.n > MAX_PATH_BYTES) {
        limit_hit(hits, LIMIT_PATH_BYTES);
        path_refuse(path, anomalies, limit_word(LIMIT_PATH_BYTES));
        return;
    }
    const char *fault = mail_anomaly_word(ANOMALY_PATH_MALFORMED);
    bool route;
    if (!unwrap(text, &inner) || !drop_route(&inner, &route)) {
        path_refuse(path, anomalies, fault);
        return;
    }
    if (inner.n == 0 && !route) {
        path->kind = MAIL_PATH_NULL;
        return;
    }
    if (!read_plain(inner, path) && !read_mailbox(inner, arena, path, &fault)) {
        path_refuse(path, anomalies, fault);
        return;
    }
    if (route)
        mail_anomaly_note(anomalies, ANOMALY_PATH_ROUTE);
    path->kind = MAIL_PATH_ADDRESS;
    path->route = route;
}
