/* share/samples/samples.tsv: messages with their envelopes. */
#ifndef TESTS_CLIENT_SAMPLES_H
#define TESTS_CLIENT_SAMPLES_H

#include "base/span.h"

enum
{
    SAMPLES_MAX = 64,
};

struct sample
{
    char path[128], ip[64], helo[128], mail_from[128], now[32];
    struct span text; /* CRLF line ends, as over the wire; malloc'd */
};

/* How many there are; the test fails where they cannot be read. */
size_t samples_read(struct sample samples[SAMPLES_MAX]);

#endif
