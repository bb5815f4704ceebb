/* Authentication-Results: values of the input, one a line, written and read back by RFC 8601. */
#include <stdlib.h>

#include "fuzz/support/fuzz.h"
#include "verdict/reader.h"
#include "verdict/sample.h"

static void fill(struct sample *sample, struct span rest)
{
    struct dkim_verified *verified = sample->verified;
    verified->signature.domain_text = fuzz_line(&rest);
    verified->signature.selector_text = fuzz_line(&rest);
    verified->signature.identity = fuzz_line(&rest);
    verified->signature.b_text = fuzz_line(&rest);
    sample->path.local = fuzz_line(&rest);
    sample->spf.checked.domain_text = fuzz_line(&rest);
    sample->spf.checked.uses_local_part = true;
    sample->verdict.authserv_id = fuzz_line(&rest);
    sample->spf.checked.result = RESULT_FAIL;
    verified->result = RESULT_FAIL;
    sample->dmarc.result = RESULT_FAIL;
}

static void check_text(struct span text, bool folded)
{
    static struct ar ar;
    struct arena arena;
    arena_init(&arena, MAX_ARENA_BYTES);
    FUZZ_CHECK(ar_read(text, &arena, &ar));
    FUZZ_CHECK(ar_find(&ar, "dkim", 0) && !ar_find(&ar, "dkim", 1) && !ar_find(&ar, "spf", 1));
    for (size_t i = 0; i < ar.count; i++)
        FUZZ_CHECK(span_equal(ar.results[i].result, SPAN("fail")) ||
                   span_equal(ar.results[i].method, SPAN("arc")));
    for (size_t i = 0; i < text.n; i++)
        FUZZ_CHECK((text.p[i] >= 0x20 && text.p[i] < 0x7f) ||
                   (folded && strchr("\r\n\t", text.p[i])));
    arena_fini(&arena);
}

FUZZ_TARGET(results)
{
    struct sample *sample = sample_new();
    struct buffer out;
    buffer_init(&out, 2 * MAX_AR_FIELD_BYTES);
    fill(sample, span_of(data, size));
    verdict_write_results(&sample->verdict, &out);
    check_text(buffer_span(&out), false);
    buffer_reset(&out);
    verdict_write_results_field(&sample->verdict, &out);
    FUZZ_CHECK(!out.failed && out.n <= MAX_AR_FIELD_BYTES &&
               span_starts_fold(buffer_span(&out), SPAN("Authentication-Results: ")));
    check_text(span_skip(buffer_span(&out), 24), true);
    buffer_fini(&out);
    free(sample);
    return 0;
}
