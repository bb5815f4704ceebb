#include "diagnose/received.h"

#include "base/chars.h"
#include "diagnose/date.h"

enum
{
    COMMENT_DEPTH = 32,
};

static bool is_blank(uint8_t c)
{
    return char_is_wsp(c) || c == '\r' || c == '\n';
}

/* --- pieces: words, comments, the semicolon --- */

enum piece_kind
{
    PIECE_END,
    PIECE_WORD,
    PIECE_COMMENT, /* without its parentheses */
    PIECE_DATE,    /* all behind a semicolon */
};

static struct span take(struct span *rest, size_t from, size_t to, size_t next)
{
    struct span taken = span_slice(*rest, from, to);
    *rest = span_skip(*rest, next < rest->n ? next : rest->n);
    return taken;
}

static struct span take_comment(struct span *rest)
{
    size_t at = 1;
    unsigned depth = 1;
    while (at < rest->n && depth > 0) {
        uint8_t c = rest->p[at];
        if (c == '\\' && at + 1 < rest->n)
            at++;
        depth += c == '(' && depth < COMMENT_DEPTH;
        depth -= c == ')';
        at++;
    }
    return take(rest, 1, depth ? at : at - 1, at);
}

static enum piece_kind next_piece(struct span *rest, struct span *piece)
{
    size_t at = 0;
    while (at < rest->n && is_blank(rest->p[at]))
        at++;
    *rest = span_skip(*rest, at);
    if (rest->n == 0)
        return PIECE_END;
    if (rest->p[0] == ';') {
        *piece = take(rest, 1, rest->n, rest->n);
        return PIECE_DATE;
    }
    if (rest->p[0] == '(') {
        *piece = take_comment(rest);
        return PIECE_COMMENT;
    }
    size_t end = 0;
    while (end < rest->n && !is_blank(rest->p[end]) && rest->p[end] != '(' && rest->p[end] != ';')
        end++;
    *piece = take(rest, 0, end, end);
    return PIECE_WORD;
}

/* --- what stands in them --- */

static struct span next_word(struct span *rest)
{
    struct span s = *rest;
    size_t at = 0;
    while (at < s.n && (is_blank(s.p[at]) || s.p[at] == ',' || s.p[at] == '('))
        at++;
    size_t end = at;
    while (end < s.n && !is_blank(s.p[end]) && s.p[end] != ',' && s.p[end] != ')')
        end++;
    *rest = span_skip(s, end < s.n ? end + 1 : end);
    return span_slice(s, at, end);
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]", "2001:db8::1", "[192.0.2.1]:4711" */
static bool read_ip(struct span word, struct ip *ip)
{
    if (word.n && word.p[0] == '[') {
        size_t end = span_find(word, ']');
        word = span_slice(word, 1, end < word.n ? end : word.n);
    }
    return ip_parse(word, ip);
}

static bool is_host(struct span word)
{
    bool dot = false;
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        dot = dot || c == '.';
        if (!char_is(c, CHAR_ALPHA | CHAR_DIGIT) && c != '-' && c != '.' && c != '_')
            return false;
    }
    return dot && word.n > 2;
}

static struct span without_dot(struct span host)
{
    return host.n && host.p[host.n - 1] == '.' ? span_slice(host, 0, host.n - 1) : host;
}

/* "NAME [ADDR]", "[ADDR] helo=NAME", "HELO NAME", "ADDR" */
static void read_client(struct span comment, struct received *received)
{
    bool helo = false;
    while (comment.n) {
        struct span word = next_word(&comment);
        struct ip ip;
        if (span_starts_fold(word, SPAN("helo=")))
            received->from = span_skip(word, 5);
        else if (helo)
            received->from = word;
        else if (received->client.family == IP_NONE && read_ip(word, &ip))
            received->client = ip;
        else if (received->from_host.n == 0 && is_host(word))
            received->from_host = without_dot(word);
        helo = span_equal_fold(word, SPAN("HELO")) || span_equal_fold(word, SPAN("EHLO"));
    }
}

/* "TLSv1.3", "version=TLS1_2", "TLS1.2" */
static bool read_tls_version(struct span word, struct span *version)
{
    if (span_starts_fold(word, SPAN("version=")))
        word = span_skip(word, 8);
    if (!span_starts_fold(word, SPAN("TLS")) && !span_starts_fold(word, SPAN("SSL")))
        return false;
    size_t n = 0;
    while (n < word.n &&
           (char_is(word.p[n], CHAR_ALPHA | CHAR_DIGIT) || word.p[n] == '.' || word.p[n] == '_'))
        n++;
    *version = span_slice(word, 0, n);
    return true;
}

static void read_tls(struct span comment, struct received *received)
{
    while (comment.n && received->tls != RECEIVED_TLS_YES) {
        struct span word = next_word(&comment);
        if (read_tls_version(word, &received->tls_text))
            received->tls = RECEIVED_TLS_YES;
    }
}

/* Protocols of RFC 3848: an S behind (E)SMTP or LMTP is TLS. */
static void read_protocol(struct span with, struct received *received)
{
    static const struct span clear[] = {SPAN("SMTP"),  SPAN("ESMTP"),    SPAN("ESMTPA"),
                                        SPAN("ASMTP"), SPAN("UTF8SMTP"), SPAN("UTF8SMTPA")};
    static const struct span secure[] = {SPAN("ESMTPS"),    SPAN("ESMTPSA"),    SPAN("SMTPS"),
                                         SPAN("UTF8SMTPS"), SPAN("UTF8SMTPSA"), SPAN("LMTPS"),
                                         SPAN("HTTPS"),     SPAN("LMTPSA")};
    for (size_t i = 0; i < COUNT_OF(secure); i++)
        if (span_equal_fold(with, secure[i]))
            received->tls = RECEIVED_TLS_YES;
    for (size_t i = 0; i < COUNT_OF(clear) && received->tls == RECEIVED_TLS_UNKNOWN; i++)
        if (span_equal_fold(with, clear[i]))
            received->tls = RECEIVED_TLS_NO;
}

static void read_from(struct span word, struct received *received)
{
    struct ip ip;
    received->from = without_dot(word);
    if (read_ip(word, &ip))
        received->client = ip;
}

static void read_date(struct span text, struct received *received)
{
    while (text.n && is_blank(text.p[0]))
        text = span_skip(text, 1);
    while (text.n && is_blank(text.p[text.n - 1]))
        text.n--;
    received->time_text = text;
    received->has_time = date_parse(text, &received->time);
}

static struct span *place_of(struct span word, struct received *received)
{
    const struct
    {
        struct span name;
        struct span *place;
    } clauses[] = {
        {SPAN("from"), &received->from},     {SPAN("by"), &received->by},
        {SPAN("with"), &received->with},     {SPAN("id"), &received->id},
        {SPAN("for"), &received->recipient},
    };
    for (size_t i = 0; i < COUNT_OF(clauses); i++)
        if (span_equal_fold(word, clauses[i].name))
            return clauses[i].place->n ? NULL : clauses[i].place;
    return NULL;
}

/* Clauses are keyword and value; comments belong to the clause before them. */
void received_read(struct span value, struct received *received)
{
    struct span piece = {NULL, 0}, *place = NULL;
    const struct span *clause = NULL;
    enum piece_kind kind;
    *received = (struct received){.tls = RECEIVED_TLS_UNKNOWN};
    while ((kind = next_piece(&value, &piece)) != PIECE_END) {
        if (kind == PIECE_DATE) {
            read_date(piece, received);
        } else if (kind == PIECE_COMMENT) {
            if (clause == &received->from)
                read_client(piece, received);
            read_tls(piece, received);
        } else if (place) {
            *place = piece;
            if (place == &received->from)
                read_from(piece, received);
            clause = place;
            place = NULL;
        } else {
            place = place_of(piece, received);
            if (!place)
                read_tls_version(piece, &received->tls_text);
        }
    }
    if (received->tls_text.n)
        received->tls = RECEIVED_TLS_YES;
    read_protocol(received->with, received);
}

bool received_ip_is_inside(const struct ip *ip)
{
    static const struct
    {
        struct ip network;
        unsigned prefix;
    } inside[] = {
        {{IP_V4, {127}}, 8},        {{IP_V4, {10}}, 8},        {{IP_V4, {172, 16}}, 12},
        {{IP_V4, {192, 168}}, 16},  {{IP_V4, {169, 254}}, 16}, {{IP_V4, {100, 64}}, 10},
        {{IP_V6, {[15] = 1}}, 128}, {{IP_V6, {0xfc}}, 7},      {{IP_V6, {0xfe, 0x80}}, 10},
    };
    for (size_t i = 0; i < COUNT_OF(inside); i++)
        if (ip_in_prefix(ip, &inside[i].network, inside[i].prefix))
            return true;
    return false;
}
