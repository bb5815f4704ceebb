/* DKIM-Signature, RFC 6376 section 5.4 to 5.6. */
#include "sign/dkim_field.h"

static const char *check_from(const struct mail_header *header)
{
    uint32_t count = mail_header_count(header, SPAN("from"));
    if (count == 0)
        return "no_from"; /* DS-3 */
    return count > 1 ? "several_from" : NULL;
}

const char *sign_dkim(struct sign_message *message, const struct sign_options *options,
                      struct buffer *out)
{
    struct buffer prefix;
    const char *fault = check_from(&message->header);
    if (fault)
        return fault;
    buffer_init(&prefix, SIGN_FIELD_BYTES);
    buffer_append_string(&prefix, "DKIM-Signature: v=1; ");
    fault = sign_append_tags(message, options, DKIM_SIGNATURE, &prefix);
    if (!fault)
        fault = sign_field(&message->header, buffer_span(&prefix), DKIM_SIGNATURE, options->key,
                           message->arena, out);
    buffer_fini(&prefix);
    return fault;
}
