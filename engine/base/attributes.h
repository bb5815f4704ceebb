/* Compiler attributes under the names this code uses. */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

/* The caller must look at the result: a dropped status in a verifier is a forged pass. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(nth, args) __attribute__((format(printf, nth, args)))
/* For what is rare: its callers need not save registers for it. */
#define NOINLINE __attribute__((noinline))

/* A relation that holds by construction; its failure is our bug, never the input's. */
#include <assert.h>
#define STATIC_ASSERT(condition) _Static_assert(condition, #condition)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
