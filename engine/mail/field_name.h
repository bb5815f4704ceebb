/*
 * Names of fields that the judges ask for or count, or that signers list, told by one look
 * (simd/words.h): a number each. The table is fixed, so no sender can make it slow (security.md
 * L05).
 */
#ifndef MAIL_FIELD_NAME_H
#define MAIL_FIELD_NAME_H

#include "base/span.h"
#include "simd/words.h"

/* Number, place among the words (tests/mail/field_name_test.c tells what it must be) and name in
 * lower case. The first ones, up to FIELD_CRITICAL_END, change what a reader
 * sees or does (RFC 6376 5.4.1 names what signers should cover); of those up to FIELD_SINGLE_END,
 * them included, RFC 5322 3.6 and RFC 2045 allow one. */
#define FIELD_NAMES(X)                                                                             \
    X(FROM, 16, "from")                                                                            \
    X(SENDER, 41, "sender")                                                                        \
    X(REPLY_TO, 55, "reply-to")                                                                    \
    X(SUBJECT, 20, "subject")                                                                      \
    X(DATE, 61, "date")                                                                            \
    X(TO, 23, "to")                                                                                \
    X(CC, 4, "cc")                                                                                 \
    X(MESSAGE_ID, 36, "message-id")                                                                \
    X(MIME_VERSION, 34, "mime-version")                                                            \
    X(CONTENT_TYPE, 17, "content-type")                                                            \
    X(CONTENT_TRANSFER_ENCODING, 52, "content-transfer-encoding")                                  \
    X(BCC, 62, "bcc")                                                                              \
    X(IN_REPLY_TO, 58, "in-reply-to")                                                              \
    X(REFERENCES, 37, "references")                                                                \
    X(RECEIVED, 21, "received")                                                                    \
    X(RETURN_PATH, 31, "return-path")                                                              \
    X(DKIM_SIGNATURE, 12, "dkim-signature")                                                        \
    X(ARC_SEAL, 8, "arc-seal")                                                                     \
    X(ARC_MESSAGE_SIGNATURE, 0, "arc-message-signature")                                           \
    X(ARC_AUTHENTICATION_RESULTS, 1, "arc-authentication-results")                                 \
    X(AUTHENTICATION_RESULTS, 49, "authentication-results")                                        \
    X(RECEIVED_SPF, 47, "received-spf")                                                            \
    X(DELIVERED_TO, 27, "delivered-to")                                                            \
    X(LIST_ID, 46, "list-id")                                                                      \
    X(LIST_UNSUBSCRIBE, 15, "list-unsubscribe")                                                    \
    X(LIST_UNSUBSCRIBE_POST, 53, "list-unsubscribe-post")                                          \
    X(CONTENT_DISPOSITION, 9, "content-disposition")                                               \
    X(CONTENT_ID, 42, "content-id")                                                                \
    X(CONTENT_DESCRIPTION, 60, "content-description")                                              \
    X(LIST_HELP, 57, "list-help")                                                                  \
    X(LIST_SUBSCRIBE, 44, "list-subscribe")                                                        \
    X(LIST_OWNER, 39, "list-owner")                                                                \
    X(LIST_POST, 51, "list-post")                                                                  \
    X(LIST_ARCHIVE, 43, "list-archive")

enum field_name
{
    FIELD_UNKNOWN = 0,
#define X(number, place, name) FIELD_##number,
    FIELD_NAMES(X)
#undef X
        FIELD_NAME_COUNT,
    FIELD_CRITICAL_END = FIELD_BCC,
    FIELD_SINGLE_END = FIELD_RECEIVED,
};

/* Static, in lower case, with a NUL behind. */
extern const struct span field_names[FIELD_NAME_COUNT];
/* Static: the same for the kernels, a name's number being enum field_name. */
extern const struct simd_words field_words;

/* In upper or lower case; without the colon and what stands before it. */
static inline enum field_name field_name_find(struct span name)
{
    if (name.n == 0)
        return FIELD_UNKNOWN;
    const struct simd_word *word =
        simd_word_at(&field_words, name.n, name.p[name.n / 2], name.p[name.n - 1]);
    bool is = span_is_word(name, span_of(word->text, word->length));
    return is ? (enum field_name)word->number : FIELD_UNKNOWN;
}

#endif
