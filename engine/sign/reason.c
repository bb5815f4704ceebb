/* What the reason words of signing mean, for a person. */
#include "sign/sign.h"

static const struct
{
    const char *word;
    const char *text;
} texts[] = {
    {"no_message", "this is no message: it has not one header field"},
    {"message_too_large", "the message is over 50 MiB"},
    {"header_too_large", "the header is over 256 KiB"},
    {"field_too_large", "a header field is over 100 KiB"},
    {"too_many_fields", "there are more than 1000 header fields"},
    {"hdr_bare_cr", "the header has a CR without its LF"},
    {"hdr_bare_lf", "the header has a LF without its CR"},
    {"hdr_nul", "the header has a NUL byte"},
    {"hdr_malformed", "the header has a line that is no field"},
    {"mbox_from_line", "there is an mbox \"From \" line in the header: this is a mailbox, or a "
                       "message taken from one"},
    {"bom", "the message begins with a byte order mark"},
    {"no_from", "the message has no From field"},
    {"several_from", "the message has several From fields"},
    {"no_memory", "no memory"},
    {"arena_full", "no memory"},
    {"cannot_hash", "the message could not be hashed"},
    {"cannot_sign", "the key could not sign"},
    {"bad_names", "the list of header fields to sign is no list of field names"},
    {"from_not_signed", "the list of header fields to sign lacks From (RFC 6376 5.4)"},
    {"too_many_h_items", "there are more than 256 header fields to sign"},
    {"expiration_before_signing", "the signature would expire before it is made"},
    {"bad_domain", "the signing domain is no domain name with two labels"},
    {"bad_selector", "the selector is no domain name"},
    {"bad_identity", "the identity (i=) is no address"},
    {"identity_outside_domain", "the identity (i=) is not within the signing domain"},
    {"bad_results", "the results are no text of an Authentication-Results field"},
    {"chain_field_signed", "an ARC-Message-Signature must not sign Authentication-Results or ARC "
                           "fields (RFC 8617 4.1.2)"},
    {"chain_failed", "the newest seal says cv=fail: nothing is sealed after that (RFC 8617 5.1)"},
    {"too_many_arc_sets", "there are 50 ARC sets, the most there may be (RFC 8617 4.2.1)"},
    {"chain_is_broken", "cv=pass is not true: the ARC sets are not complete and in order"},
    {"no_chain", "there is no ARC set, so cv can only be none"},
    {"chain_is_there", "there are ARC sets, so cv can only be pass or fail"},
};

const char *sign_reason_text(const char *reason)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (strcmp(texts[i].word, reason) == 0)
            return texts[i].text;
    return reason;
}
