/* DKIM-Signature, RFC 6376 section 5.4 to 5.6. */
#include "sign/dkim_field.h"

bool sign_dkim(struct sign_message *message, const struct sign_options *options, struct buffer *out)
{
    struct buffer prefix;
    buffer_init(&prefix, SIGN_FIELD_BYTES);
    buffer_append_string(&prefix, "DKIM-Signature: v=1; ");
    bool ok = sign_append_tags(message, options, true, &prefix) &&
              sign_field(&message->header, buffer_span(&prefix), DKIM_SIGNATURE, options->key,
                         message->arena, out);
    buffer_fini(&prefix);
    return ok;
}
