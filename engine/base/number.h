/* Decimal numbers in tags and records: digits only, no sign, no blank, overflow is an error. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/attributes.h"
#include "base/chars.h"
#include "base/span.h"

/*
 * Reads all of `s` as a decimal number of 1 to `max_digits` digits. Leading zeros are digits too.
 * False, *value untouched: empty, not a digit, too many digits, or above UINT64_MAX.
 */
static inline bool MUST_CHECK number_parse(struct span s, size_t max_digits, uint64_t *value)
{
    uint64_t number = 0;
    if (s.n == 0 || s.n > max_digits)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!char_is_digit(s.p[i]) || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, s.p[i] - '0', &number))
            return false;
    }
    *value = number;
    return true;
}

#endif
