/* DMARC records: tolerant, but never more than the text says. */
#include "dmarc/record.h"
#include "fuzz/support/fuzz.h"

FUZZ_TARGET(dmarc_record)
{
    struct span text = span_of(data, size);
    struct limit_hits hits = {.set = 0};
    struct dmarc_record record;
    struct arena arena;
    const char *reason = NULL;
    arena_init(&arena, MAX_ARENA_BYTES);
    bool parsed = dmarc_record_parse(text, &arena, &hits, &record, &reason);
    FUZZ_CHECK(parsed || reason != NULL);
    FUZZ_CHECK(!parsed || dmarc_is_record(text));
    if (parsed) {
        FUZZ_CHECK(fuzz_inside(record.rua, text) && fuzz_inside(record.ruf, text) &&
                   fuzz_inside(record.fo, text));
        FUZZ_CHECK(record.tag_count > 0 && record.p <= DMARC_POLICY_INVALID);
        const struct dmarc_record *copy = dmarc_record_copy(&record, &arena);
        FUZZ_CHECK(copy && copy->p == record.p && copy->tag_count == record.tag_count &&
                   span_equal(copy->rua, record.rua));
    }
    arena_fini(&arena);
    return 0;
}
