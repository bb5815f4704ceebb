#include "mail/octets.h"

#include "base/word.h"

static void count_byte(struct mail_octets *octets, uint8_t c)
{
    octets->nul += c == 0;
    octets->cr += c == '\r';
    octets->lf += c == '\n';
    octets->crlf += c == '\n' && octets->after_cr;
    octets->high += c >> 7;
    octets->after_cr = c == '\r';
}

static void count_word(struct mail_octets *octets, uint64_t word)
{
    uint64_t nul = word_equal(word, 0);
    uint64_t cr = word_equal(word, '\r');
    uint64_t lf = word_equal(word, '\n');
    uint64_t high = word & WORD_HIGH;
    if (nul | cr | lf | high) {
        uint64_t behind_cr = cr << 8 | (octets->after_cr ? 0x80 : 0);
        octets->nul += word_count(nul);
        octets->cr += word_count(cr);
        octets->lf += word_count(lf);
        octets->crlf += word_count(behind_cr & lf);
        octets->high += word_count(high);
    }
    octets->after_cr = cr >> 63;
}

void mail_octets_count(struct mail_octets *octets, struct span bytes)
{
    struct mail_octets counts = *octets; /* in registers */
    size_t i = 0;
    for (; bytes.n - i >= WORD_BYTES; i += WORD_BYTES)
        count_word(&counts, word_load(bytes.p + i));
    for (; i < bytes.n; i++)
        count_byte(&counts, bytes.p[i]);
    *octets = counts;
}
