/*
 * Names of fields that the judges ask for or count, told by one look: a number each.
 *
 * A name's length and three of its octets say which known name alone it can be; it is then compared
 * as a whole. The table is fixed, so no sender can make it slow (security.md L05).
 */
#ifndef MAIL_FIELD_NAME_H
#define MAIL_FIELD_NAME_H

#include "base/span.h"

/* Number and name in lower case. The first ones, up to FIELD_CRITICAL_END, change what a reader
 * sees or does (RFC 6376 5.4.1 names what signers should cover); of those up to FIELD_SINGLE_END,
 * them included, RFC 5322 3.6 and RFC 2045 allow one. */
#define FIELD_NAMES(X)                                                                             \
    X(FROM, "from")                                                                                \
    X(SENDER, "sender")                                                                            \
    X(REPLY_TO, "reply-to")                                                                        \
    X(SUBJECT, "subject")                                                                          \
    X(DATE, "date")                                                                                \
    X(TO, "to")                                                                                    \
    X(CC, "cc")                                                                                    \
    X(MESSAGE_ID, "message-id")                                                                    \
    X(MIME_VERSION, "mime-version")                                                                \
    X(CONTENT_TYPE, "content-type")                                                                \
    X(CONTENT_TRANSFER_ENCODING, "content-transfer-encoding")                                      \
    X(BCC, "bcc")                                                                                  \
    X(IN_REPLY_TO, "in-reply-to")                                                                  \
    X(REFERENCES, "references")                                                                    \
    X(RECEIVED, "received")                                                                        \
    X(RETURN_PATH, "return-path")                                                                  \
    X(DKIM_SIGNATURE, "dkim-signature")                                                            \
    X(ARC_SEAL, "arc-seal")                                                                        \
    X(ARC_MESSAGE_SIGNATURE, "arc-message-signature")                                              \
    X(ARC_AUTHENTICATION_RESULTS, "arc-authentication-results")                                    \
    X(AUTHENTICATION_RESULTS, "authentication-results")                                            \
    X(RECEIVED_SPF, "received-spf")                                                                \
    X(DELIVERED_TO, "delivered-to")                                                                \
    X(LIST_ID, "list-id")                                                                          \
    X(LIST_UNSUBSCRIBE, "list-unsubscribe")                                                        \
    X(LIST_UNSUBSCRIBE_POST, "list-unsubscribe-post")

enum field_name
{
    FIELD_UNKNOWN = 0,
#define X(number, name) FIELD_##number,
    FIELD_NAMES(X)
#undef X
        FIELD_NAME_COUNT,
    FIELD_CRITICAL_END = FIELD_BCC,
    FIELD_SINGLE_END = FIELD_RECEIVED,
};

/* Static, in lower case, with a NUL behind. */
extern const struct span field_names[FIELD_NAME_COUNT];
/* By field_name_place: which name stands there, or FIELD_UNKNOWN. */
extern const uint8_t field_name_table[64];

/* `name` is not empty. */
static inline uint32_t field_name_place(struct span name)
{
    uint32_t octets = (uint32_t)name.p[0] | (uint32_t)name.p[name.n / 2] << 8 |
                      (uint32_t)name.p[name.n - 1] << 16;
    uint32_t key = (uint32_t)(uint8_t)name.n | (octets | 0x202020) << 8;
    return key * 0x14ed2049 >> 26; /* each known name in a place of its own */
}

/* In upper or lower case; without the colon and what stands before it. */
static inline enum field_name field_name_find(struct span name)
{
    if (name.n == 0)
        return FIELD_UNKNOWN;
    uint8_t number = field_name_table[field_name_place(name)];
    return span_is_word(name, field_names[number]) ? (enum field_name)number : FIELD_UNKNOWN;
}

#endif
