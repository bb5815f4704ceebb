/*
 * Encoded-words (RFC 2047) are never decoded to find an address. They are decoded to say that one
 * is hidden there (security.md A13), for whoever displays the decoded text.
 */
#ifndef MAIL_ENCODED_WORD_H
#define MAIL_ENCODED_WORD_H

#include "base/span.h"

/*
 * Some encoded-word in `text` decodes to octets with an "@". As tolerant as the most tolerant
 * reader: anywhere in the text, any charset, base64 with junk in it and without padding.
 */
bool encoded_words_hide_address(struct span text);

#endif
