/* check_host() over a zone taken from the input: ip, HELO, MAIL FROM on a line each, then the zone.
 */
#include "fuzz/support/fuzz.h"
#include "fuzz/support/judge.h"

FUZZ_TARGET(spf)
{
    struct span rest = span_of(data, size);
    struct fuzz_case input = {.mail = SPAN("From: a@a.example\r\n\r\n")};
    struct fuzz_verdict good, again, faulty;
    input.client = fuzz_line(&rest);
    input.helo = fuzz_line(&rest);
    input.mail_from = fuzz_line(&rest);
    input.zone = rest;
    fuzz_judge(&input, &good);
    input.park = true;
    fuzz_judge(&input, &again);
    fuzz_check_equal(&good, &again);
    fuzz_check_written(&good);
    input.faults = UINT64_MAX;
    fuzz_judge(&input, &faulty);
    FUZZ_CHECK(faulty.spf != RESULT_PASS && faulty.dmarc != RESULT_PASS);
    fuzz_verdict_free(&good);
    fuzz_verdict_free(&again);
    fuzz_verdict_free(&faulty);
    return 0;
}
