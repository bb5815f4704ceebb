/*
 * Whole messages. Parts of the input, between lines "===": ip, HELO and MAIL FROM on a line each;
 * the zone; the message. R2: with questions failing nothing new passes, with all failing nothing
 * at all. R3: pieces and parking change nothing.
 */
#include "fuzz/support/fuzz.h"
#include "fuzz/support/judge.h"

static void check_faults(struct fuzz_case *input, const struct fuzz_verdict *good)
{
    struct fuzz_verdict faulty;
    input->faults = UINT64_MAX;
    fuzz_judge(input, &faulty);
    FUZZ_CHECK(faulty.spf != RESULT_PASS && faulty.dmarc != RESULT_PASS &&
               faulty.arc != RESULT_PASS && !faulty.dkim_passes);
    fuzz_check_written(&faulty);
    fuzz_verdict_free(&faulty);
    if (good->asked_ptr)
        return;
    input->faults = UINT64_C(0x9e3779b97f4a7c15) * (input->mail.n + input->zone.n);
    fuzz_judge(input, &faulty);
    if (!faulty.asked_ptr)
        fuzz_check_no_new_pass(good, &faulty);
    fuzz_verdict_free(&faulty);
}

FUZZ_TARGET(message)
{
    struct span rest = span_of(data, size);
    struct span envelope = fuzz_part(&rest);
    struct fuzz_case input = {.client = fuzz_line(&envelope), .helo = fuzz_line(&envelope)};
    struct fuzz_verdict good, split;
    input.mail_from = fuzz_line(&envelope);
    input.zone = fuzz_part(&rest);
    input.mail = rest;
    fuzz_judge(&input, &good);
    fuzz_check_written(&good);
    input.split = 1 + size % 61;
    input.park = true;
    fuzz_judge(&input, &split);
    fuzz_check_equal(&good, &split);
    input.split = 0;
    check_faults(&input, &good);
    fuzz_verdict_free(&good);
    fuzz_verdict_free(&split);
    return 0;
}
