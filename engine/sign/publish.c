/*
 * Tags in the order v, k, s, t, n, p: the long one last, so that a person sees the others.
 *
 * BUGS: no h=: there is one hash (RFC 8301), and a record that lists it says nothing.
 */
#include "sign/publish.h"

#include "base/base64.h"
#include "base/chars.h"
#include "dkim/key_record.h"
#include "sign/dkim_field.h"

/* qp-section of n=, RFC 6376 2.11: what is not printable, and ";" and "=", as =XX */
static void append_note(struct span note, struct buffer *out)
{
    buffer_append_string(out, "n=");
    for (size_t i = 0; i < note.n; i++) {
        uint8_t c = note.p[i];
        bool inner_blank = c == ' ' && i > 0 && i + 1 < note.n && note.p[i - 1] != ' ';
        if (inner_blank || (char_is(c, CHAR_VCHAR) && c != ';' && c != '='))
            buffer_append_byte(out, c);
        else
            buffer_printf(out, "=%02X", c);
    }
    buffer_append_string(out, "; ");
}

/* What was written is what a verifier reads: a key of this type and these bytes in p=. */
static const char *read_back(enum key_type type, struct span bytes, struct span text)
{
    struct limit_hits hits = {.set = 0};
    struct dkim_key_record record;
    uint8_t read[BASE64_DECODED_MAX(MAX_P_CHARS)];
    size_t p = span_find_last(text, ';'), n = 0;
    dkim_key_record_parse(text, &hits, &record);
    const char *fault = record.reason;
    if (!fault && (record.type != type || p + 4 > text.n ||
                   !base64_decode(span_skip(text, p + 4), read, sizeof read, &n) ||
                   !span_equal(span_of(read, n), bytes)))
        fault = "key_mismatch";
    dkim_key_record_fini(&record);
    return fault;
}

static void append_flags(const struct publish_options *options, struct buffer *out)
{
    bool both = options->testing && options->no_subdomains;
    if (options->testing || options->no_subdomains)
        buffer_printf(out, "t=%s%s%s; ", options->testing ? "y" : "", both ? ":" : "",
                      options->no_subdomains ? "s" : "");
}

const char *publish_public(enum key_type type, struct span bytes,
                           const struct publish_options *options, struct buffer *out)
{
    size_t begin = out->n;
    if (options->note.n > PUBLISH_NOTE_MAX)
        return "note_too_long";
    buffer_printf(out, "v=DKIM1; k=%s; ", type == KEY_RSA ? "rsa" : "ed25519");
    if (options->only_email)
        buffer_append_string(out, "s=email; ");
    append_flags(options, out);
    if (options->note.n)
        append_note(options->note, out);
    buffer_append_string(out, "p=");
    sign_append_base64(bytes, out);
    if (out->failed)
        return "no_memory";
    return read_back(type, bytes, span_skip(buffer_span(out), begin));
}

const char *publish_record(const struct private_key *key, const struct publish_options *options,
                           struct buffer *out)
{
    struct buffer bytes;
    buffer_init(&bytes, SIGN_FIELD_BYTES);
    const char *fault = "no_memory";
    if (private_key_public(key, &bytes))
        fault = publish_public(private_key_type(key), buffer_span(&bytes), options, out);
    buffer_fini(&bytes);
    return fault;
}

bool publish_name(const struct dns_name *selector, const struct dns_name *domain,
                  struct dns_name *name)
{
    struct dns_name below;
    return dns_name_prepend(&below, "_domainkey", domain) == DNS_NAME_OK &&
           dns_name_join(name, selector, &below) == DNS_NAME_OK;
}
