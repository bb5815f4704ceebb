/* What kernels found that is found again by OpenSSL, and who hears of it when it differs. Only for
 * this folder; settings, counts and alarm are in verify.h. */
#ifndef CRYPTO_VERIFY_CHECK_H
#define CRYPTO_VERIFY_CHECK_H

#include "crypto/verify.h"

/* Counts a result of this thread; true for one pass and one failure in verify_check_interval(). */
bool verify_check_is_due(enum verify result) MUST_CHECK;
void verify_count_kernel(unsigned signatures);
/* After the kernels were turned off. */
void verify_raise_alarm(const char *kernel);

#endif
