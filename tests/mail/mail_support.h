/* What the mail tests share: text with a length, a message read in pieces, anomalies as text. */
#ifndef TESTS_MAIL_MAIL_SUPPORT_H
#define TESTS_MAIL_MAIL_SUPPORT_H

#include "mail/address.h"

/* A text that may hold NUL: TEXT("a\0b"). */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        (const uint8_t *)("" literal), sizeof(literal) - 1                                         \
    }

struct fixture
{
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_reader reader;
    size_t taken; /* bytes that belonged to the header */
};

/* Reads a message's header in pieces of `step` bytes, with an extra cut at `split`. */
void fixture_read(struct fixture *fixture, struct span message, size_t split, size_t step);
void fixture_fini(struct fixture *fixture);

/* The words of all anomalies that are set, with a blank between, in table order. Static storage. */
const char *anomalies_text(const struct mail_anomalies *anomalies);

/* The text `s` `times` times over; lives as long as the test. */
struct span repeated(const char *s, size_t times);
/* All three, one behind the other; lives as long as the test. */
struct span joined(struct span a, struct span b, struct span c);

/* A deterministic stream of pseudo-random numbers. */
uint32_t random_next(uint64_t *state);

#endif
