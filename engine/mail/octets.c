#include "mail/octets.h"

#include "simd/text.h"

void mail_octets_count(struct mail_octets *octets, struct span bytes)
{
    struct simd_octets sum = {octets->nul,  octets->cr,   octets->lf,
                              octets->crlf, octets->high, octets->after_cr};
    simd_text()->count(&sum, bytes.p, bytes.n);
    *octets = (struct mail_octets){sum.nul, sum.cr, sum.lf, sum.crlf, sum.high, sum.after_cr};
}

void mail_octets_pass(struct mail_octets *octets, struct span plain)
{
    if (plain.n == 0)
        return;
    bool lf = plain.p[0] == '\n';
    octets->lf += lf;
    octets->crlf += lf && octets->after_cr;
    octets->after_cr = plain.p[plain.n - 1] == '\r';
    octets->cr += octets->after_cr; /* its LF is counted with what follows */
}
