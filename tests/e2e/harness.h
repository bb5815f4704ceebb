/* Whole messages through the public interface of libassay, answers from a zone that the test
 * writes. */
#ifndef E2E_HARNESS_H
#define E2E_HARNESS_H

#include <criterion/criterion.h>

#include "base/buffer.h"
#include "engine.h"
#include "support/corpora.h"

/* Appends "name TYPE data": TXT is quoted and cut into strings, an empty answer and failures get
 * the zone file's words ("!empty", "!timeout", "!servfail"). */
void zone_add(struct buffer *zone, struct span name, struct span type, struct span data);

/* An engine over the zone's text; p=reject rejects, exp= is fetched. */
struct assay_engine *engine_over(const struct buffer *zone);

struct judged
{
    enum assay_result spf, dkim, arc, dmarc;
    enum assay_disposition disposition;
    struct span json, results; /* malloc'd copies */
};

/* Feeds `text` (LF files are read as CRLF) in pieces of `piece` bytes; 0: whole. */
struct judged judge_text(struct assay_engine *engine, const struct assay_envelope *envelope,
                         struct span text, size_t piece);

#endif
