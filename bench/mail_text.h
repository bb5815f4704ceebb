/* Text that the benches' made-up mail has in common. */
#ifndef BENCH_MAIL_TEXT_H
#define BENCH_MAIL_TEXT_H

#include "base/buffer.h"
#include "crypto/sign.h"

enum
{
    MAIL_TEXT_PUBLIC_MAX = 1024,
    MAIL_TEXT_STRING = 200, /* characters in one string of a TXT record */
};

/* Header of message `number` of d<domain>.example, 15 fields of 2.5 KB with its empty line. */
void mail_text_header(struct buffer *text, unsigned domain, unsigned number);

/* What a key record has in p=. False where the key has none or it is too long. */
bool mail_text_public(const struct private_key *key, char out[MAIL_TEXT_PUBLIC_MAX]) MUST_CHECK;

#endif
