#include "diagnose/cause.h"

#include "base/attributes.h"

static const struct diagnose_cause_row rows[CAUSE_COUNT] = {
#define DIAGNOSE_CAUSE_ROW(name, word, part, sentence, advice)                                     \
    [CAUSE_##name] = {word, PART_##part, sentence, advice},
    DIAGNOSE_CAUSE_TABLE(DIAGNOSE_CAUSE_ROW)
#undef DIAGNOSE_CAUSE_ROW
};

const struct diagnose_cause_row *diagnose_cause(enum diagnose_cause cause)
{
    assert(cause < CAUSE_COUNT);
    return &rows[cause];
}

const char *diagnose_part_word(enum diagnose_part part)
{
    static const char *const words[] = {
        [PART_BODY] = "body",
        [PART_HEADER] = "header",
        [PART_KEY] = "key",
        [PART_SIGNATURE] = "signature",
    };
    return words[part];
}
