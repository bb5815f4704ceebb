/*
 * Result words by method: RFC 8601 section 2.7 and RFC 8617 section 10 give each method its own
 * set. A result outside the set of its method is a fault of ours and prints as an error, never as
 * a pass (AR-9, AR-11, AR-13, AR-14).
 */
#ifndef VERDICT_METHOD_H
#define VERDICT_METHOD_H

#include "base/result.h"

enum verdict_method
{
    METHOD_SPF,
    METHOD_DKIM,
    METHOD_ARC,
    METHOD_DMARC,
};

/* "temperror" for RESULT_UNSET and for words the method does not have; ARC has no error words and
 * gives "fail". Static. */
const char *verdict_method_word(enum verdict_method method, enum result result);

#endif
