/* Whole messages over a zone, for the targets and with the faults that they want. */
#ifndef FUZZ_SUPPORT_JUDGE_H
#define FUZZ_SUPPORT_JUDGE_H

#include "dns/source.h"
#include "message.h"

struct fuzz_case
{
    struct span mail;
    struct span zone;   /* zone file text; a bad one is an empty one */
    struct span client; /* text; what is no address is 192.0.2.1 */
    struct span helo;
    struct span mail_from; /* p == NULL: not known */
    size_t split;          /* the message comes in pieces of so many octets; 0: whole */
    bool park;             /* park it before every step */
    uint64_t faults;       /* bit i: the (i mod 64)th question fails */
};

struct fuzz_verdict
{
    enum result spf, arc, dmarc;
    uint32_t dkim_passes;
    bool asked_ptr; /* a PTR question: its failure is "no match" (RFC 7208 5.5), which may decide */
    struct span json, results; /* owned */
};

void fuzz_judge(const struct fuzz_case *input, struct fuzz_verdict *verdict);
void fuzz_verdict_free(struct fuzz_verdict *verdict);
/* R2: whatever passes in `faulty` passes in `good`. */
void fuzz_check_no_new_pass(const struct fuzz_verdict *good, const struct fuzz_verdict *faulty);
/* R3 */
void fuzz_check_equal(const struct fuzz_verdict *a, const struct fuzz_verdict *b);
/* The JSON is an object that jansson reads, the results parse by RFC 8601. */
void fuzz_check_written(const struct fuzz_verdict *verdict);

#endif
