/*
 * AS-4. The text comes from our own verdict or from the operator; either way it must not end the
 * header field. Its grammar (RFC 8601) is not checked beyond the authserv-id.
 *
 *   payload = authserv-id [ CFWS authres-version ] *( ";" ... )
 */
#include "sign/results.h"

#include "base/chars.h"

enum
{
    FOLD_COLUMN = 78,
    FIRST_COLUMN = 33, /* behind "ARC-Authentication-Results: i=N; " */
};

static bool is_fold(struct span text, size_t at)
{
    return text.n - at > 2 && text.p[at] == '\r' && text.p[at + 1] == '\n' &&
           char_is_wsp(text.p[at + 2]);
}

static bool is_printable(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_fold(text, i))
            i += 2;
        else if (!char_is(text.p[i], CHAR_VCHAR | CHAR_WSP))
            return false;
    }
    return true;
}

static bool has_authserv_id(struct span text)
{
    struct span id = span_trim_wsp(span_slice(text, 0, span_find(text, ';')));
    return id.n && (char_is(id.p[0], CHAR_TOKEN) || id.p[0] == '"');
}

/* A word with the blanks before it, up to the next place where a line may be broken. */
static size_t word_length(struct span text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n && char_is_wsp(text.p[at + n]))
        n++;
    n++;
    while (at + n < text.n && !char_is_wsp(text.p[at + n]) && text.p[at + n] != '\r')
        n++;
    return n;
}

const char *sign_results_append(struct span results, struct buffer *out)
{
    size_t column = FIRST_COLUMN;
    while (results.n && results.p[results.n - 1] <= ' ')
        results.n--;
    results = span_trim_wsp(results);
    if (!is_printable(results) || !has_authserv_id(results))
        return "bad_results";
    for (size_t at = 0; at < results.n;) {
        size_t n = word_length(results, at);
        bool blank = char_is_wsp(results.p[at]);
        if (blank && column + n > FOLD_COLUMN) {
            buffer_append_string(out, "\r\n");
            column = 0;
        }
        buffer_append(out, span_slice(results, at, at + n));
        column = results.p[at] == '\r' ? 0 : column + n;
        at += n;
    }
    buffer_append_string(out, "\r\n");
    return out->failed ? "no_memory" : NULL;
}
