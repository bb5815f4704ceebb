/*
 * Tags in the order v, k, s, t, n, p: the long one last, so that a person sees the others.
 *
 * BUGS: no h=: there is one hash (RFC 8301), and a record that lists it says nothing.
 */
#include "sign/publish.h"

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

static bool append_key(const struct private_key *key, struct buffer *out)
{
    struct buffer bytes;
    buffer_init(&bytes, SIGN_FIELD_BYTES);
    bool known = private_key_public(key, &bytes);
    if (known)
        sign_append_base64(buffer_span(&bytes), out);
    buffer_fini(&bytes);
    return known;
}

static const char *read_back(const struct private_key *key, struct span text)
{
    struct limit_hits hits = {{0}};
    struct dkim_key_record record;
    dkim_key_record_parse(text, &hits, &record);
    const char *fault = record.reason;
    if (!fault && !private_key_matches(key, record.key))
        fault = "key_mismatch";
    dkim_key_record_fini(&record);
    return fault;
}

const char *publish_record(const struct private_key *key, const struct publish_options *options,
                           struct buffer *out)
{
    size_t begin = out->n;
    if (options->note.n > PUBLISH_NOTE_MAX)
        return "note_too_long";
    buffer_printf(out, "v=DKIM1; k=%s; ", private_key_type(key) == KEY_RSA ? "rsa" : "ed25519");
    if (options->only_email)
        buffer_append_string(out, "s=email; ");
    if (options->testing || options->no_subdomains)
        buffer_printf(out, "t=%s%s%s; ", options->testing ? "y" : "",
                      options->testing && options->no_subdomains ? ":" : "",
                      options->no_subdomains ? "s" : "");
    if (options->note.n)
        append_note(options->note, out);
    buffer_append_string(out, "p=");
    if (!append_key(key, out) || out->failed)
        return "no_memory";
    return read_back(key, span_skip(buffer_span(out), begin));
}

bool publish_name(const struct dns_name *selector, const struct dns_name *domain,
                  struct dns_name *name)
{
    struct dns_name below;
    return dns_name_prepend(&below, "_domainkey", domain) == DNS_NAME_OK &&
           dns_name_join(name, selector, &below) == DNS_NAME_OK;
}
