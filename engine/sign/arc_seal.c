/*
 * A new ARC set, RFC 8617 section 5.1: AAR, then AMS over the message, then AS over the sets so far
 * and the new one (AV-9); for cv=fail over the new one alone (AS-7).
 */
#include "base/number.h"
#include "sign/dkim_field.h"

static const struct mail_field *find_instance(const struct mail_header *header, struct span name,
                                              uint32_t instance)
{
    const struct mail_field *field = mail_header_lowest(header, name);
    for (; field; field = mail_header_above(header, field)) {
        struct taglist list;
        uint64_t i = 0;
        struct span value = field->value;
        if (span_equal_fold(name, SPAN("arc-authentication-results")))
            value = span_slice(value, 0, span_find(value, ';'));
        if (!taglist_parse(value, TAGLIST_STRICT, &list))
            continue;
        const struct tag *tag = taglist_find(&list, SPAN("i"));
        if (tag && number_parse(tag->value, 2, &i) && i == instance)
            return field;
    }
    return NULL;
}

/* Relaxed canonical text of the sets before the new one, in rising order. False where one is
 * missing. */
static bool append_sets(const struct mail_header *header, uint32_t below, struct buffer *out)
{
    static const char *const names[] = {"arc-authentication-results", "arc-message-signature",
                                        "arc-seal"};
    for (uint32_t instance = 1; instance < below; instance++) {
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            const struct mail_field *field =
                find_instance(header, span_from_string(names[i]), instance);
            if (!field)
                return false;
            canon_field(CANON_RELAXED, field, (struct span){NULL, 0}, out);
        }
    }
    return true;
}

static void append_canonical(struct span raw, struct buffer *out)
{
    size_t colon = span_find(raw, ':');
    struct mail_field field = {
        .raw = raw,
        .name = span_slice(raw, 0, colon),
        .value = span_slice(raw, colon + 1, raw.n - 2),
    };
    canon_field(CANON_RELAXED, &field, (struct span){NULL, 0}, out);
}

static bool sign_seal(struct sign_message *message, const struct seal_options *options,
                      struct span aar, struct span ams, struct buffer *out)
{
    uint8_t digest[SHA256_BYTES];
    struct buffer prefix, text, signature;
    buffer_init(&prefix, SIGN_FIELD_BYTES);
    buffer_init(&text, SIGN_SCRATCH_BYTES);
    buffer_init(&signature, SIGN_FIELD_BYTES);
    buffer_printf(&prefix, "ARC-Seal: i=%u; a=%s; cv=%s; d=", options->instance,
                  sign_algorithm(options->sign.key), options->cv);
    buffer_append(&prefix, options->sign.domain);
    buffer_append_string(&prefix, "; s=");
    buffer_append(&prefix, options->sign.selector);
    if (options->sign.t)
        buffer_printf(&prefix, "; t=%lld", (long long)options->sign.t);
    buffer_append_string(&prefix, ";\r\n\tb=");
    uint32_t below = strcmp(options->cv, "fail") == 0 ? 1 : options->instance;
    bool ok = append_sets(&message->header, below, &text);
    append_canonical(aar, &text);
    append_canonical(ams, &text);
    struct buffer draft;
    buffer_init(&draft, SIGN_FIELD_BYTES);
    buffer_append(&draft, buffer_span(&prefix));
    buffer_append_string(&draft, "\r\n");
    append_canonical(buffer_span(&draft), &text);
    ok = ok && !text.failed && !draft.failed && !prefix.failed &&
         digest_sha256(span_slice(buffer_span(&text), 0, text.n - 2), digest) &&
         private_key_sign(options->sign.key, digest, &signature);
    if (ok) {
        buffer_append(out, buffer_span(&prefix));
        sign_append_b(buffer_span(&signature), out);
    }
    buffer_fini(&prefix);
    buffer_fini(&text);
    buffer_fini(&signature);
    buffer_fini(&draft);
    return ok && !out->failed;
}

static bool sign_ams(struct sign_message *message, const struct seal_options *options,
                     struct buffer *out)
{
    struct buffer prefix;
    buffer_init(&prefix, SIGN_FIELD_BYTES);
    buffer_printf(&prefix, "ARC-Message-Signature: i=%u; ", options->instance);
    bool ok = sign_append_tags(message, &options->sign, false, &prefix) &&
              sign_field(&message->header, buffer_span(&prefix), DKIM_ARC_MESSAGE_SIGNATURE,
                         options->sign.key, message->arena, out);
    buffer_fini(&prefix);
    return ok;
}

bool sign_arc(struct sign_message *message, const struct seal_options *options, struct buffer *out)
{
    struct buffer aar, ams;
    buffer_init(&aar, SIGN_FIELD_BYTES);
    buffer_init(&ams, SIGN_FIELD_BYTES);
    buffer_printf(&aar, "ARC-Authentication-Results: i=%u; ", options->instance);
    buffer_append(&aar, options->results);
    buffer_append_string(&aar, "\r\n");
    bool ok = !aar.failed && sign_ams(message, options, &ams) &&
              sign_seal(message, options, buffer_span(&aar), buffer_span(&ams), out);
    buffer_append(out, buffer_span(&ams));
    buffer_append(out, buffer_span(&aar));
    buffer_fini(&aar);
    buffer_fini(&ams);
    return ok && !out->failed;
}
