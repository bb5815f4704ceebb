/* ARC fields on top of a message that a sealed chain of three sets belongs to (seeds/arc). */
#include "fuzz/support/fuzz.h"
#include "fuzz/support/judge.h"

FUZZ_TARGET(arc)
{
    struct span rest = span_of(data, size);
    struct fuzz_case input = {.zone = fuzz_part(&rest)};
    struct fuzz_verdict good, split, faulty;
    input.mail = rest;
    fuzz_judge(&input, &good);
    input.split = 1 + size % 97;
    input.park = true;
    fuzz_judge(&input, &split);
    fuzz_check_equal(&good, &split);
    fuzz_check_written(&good);
    FUZZ_CHECK(good.arc == RESULT_NONE || good.arc == RESULT_FAIL || good.arc == RESULT_PASS);
    input.faults = size % 64 ? UINT64_C(1) << size % 64 : UINT64_MAX;
    fuzz_judge(&input, &faulty);
    fuzz_check_no_new_pass(&good, &faulty);
    fuzz_verdict_free(&good);
    fuzz_verdict_free(&split);
    fuzz_verdict_free(&faulty);
    return 0;
}
