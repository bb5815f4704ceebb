#include "mail/octets.h"

#include "simd/text.h"

void mail_octets_count(struct mail_octets *octets, struct span bytes)
{
    struct simd_octets sum = {octets->nul,  octets->cr,   octets->lf,
                              octets->crlf, octets->high, octets->after_cr};
    simd_text()->count(&sum, bytes.p, bytes.n);
    *octets = (struct mail_octets){sum.nul, sum.cr, sum.lf, sum.crlf, sum.high, sum.after_cr};
}
