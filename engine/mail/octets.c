/*
 * Comparisons give 255 where they hold, which is -1: subtracting them counts, byte by byte of the
 * vector, for as long as a byte can hold the count.
 */
#include "mail/octets.h"

#include "base/bytes16.h"

enum
{
    ROUND_MAX = 255 * BYTES16, /* octets until a byte of a count could overflow */
};

static void count_byte(struct mail_octets *octets, uint8_t c)
{
    octets->nul += c == 0;
    octets->cr += c == '\r';
    octets->lf += c == '\n';
    octets->crlf += c == '\n' && octets->after_cr;
    octets->high += c >> 7;
    octets->after_cr = c == '\r';
}

/* A multiple of 16 octets, ROUND_MAX at most; the octet in front of `p` can be read. */
static void count_round(struct mail_octets *octets, const uint8_t *p, size_t n)
{
    bytes16 nul = {0}, cr = {0}, lf = {0}, crlf = {0}, high = {0};
    for (size_t i = 0; i < n; i += BYTES16) {
        bytes16 v = bytes16_load(p + i);
        bytes16 is_lf = bytes16_equal(v, '\n');
        nul -= bytes16_equal(v, 0);
        cr -= bytes16_equal(v, '\r');
        lf -= is_lf;
        crlf -= is_lf & bytes16_equal(bytes16_load(p + i - 1), '\r');
        high += v >> 7;
    }
    octets->nul += bytes16_sum(nul);
    octets->cr += bytes16_sum(cr);
    octets->lf += bytes16_sum(lf);
    octets->crlf += bytes16_sum(crlf);
    octets->high += bytes16_sum(high);
    octets->after_cr = p[n - 1] == '\r';
}

void mail_octets_count(struct mail_octets *octets, struct span bytes)
{
    if (bytes.n == 0)
        return;
    count_byte(octets, bytes.p[0]);
    size_t at = 1;
    while (bytes.n - at >= BYTES16) {
        size_t n = (bytes.n - at) / BYTES16 * BYTES16;
        n = n < ROUND_MAX ? n : ROUND_MAX;
        count_round(octets, bytes.p + at, n);
        at += n;
    }
    for (; at < bytes.n; at++)
        count_byte(octets, bytes.p[at]);
}
