/* Which result words a method has. */
#include "verdict/method.h"

#include <stddef.h>

#include "base/attributes.h"

struct method_words
{
    enum result results[8]; /* ends with RESULT_UNSET, or is full */
    const char *otherwise;
};

static const struct method_words methods[] = {
    [METHOD_SPF] = {{RESULT_NONE, RESULT_PASS, RESULT_FAIL, RESULT_SOFTFAIL, RESULT_POLICY,
                     RESULT_NEUTRAL, RESULT_TEMPERROR, RESULT_PERMERROR},
                    "temperror"},
    [METHOD_DKIM] = {{RESULT_NONE, RESULT_PASS, RESULT_FAIL, RESULT_POLICY, RESULT_NEUTRAL,
                      RESULT_TEMPERROR, RESULT_PERMERROR},
                     "temperror"},
    [METHOD_ARC] = {{RESULT_NONE, RESULT_PASS, RESULT_FAIL}, "fail"},
    [METHOD_DMARC] = {{RESULT_NONE, RESULT_PASS, RESULT_FAIL, RESULT_TEMPERROR, RESULT_PERMERROR},
                      "temperror"},
};

const char *verdict_method_word(enum verdict_method method, enum result result)
{
    const struct method_words *words = &methods[method];
    for (size_t i = 0; i < COUNT_OF(words->results) && words->results[i] != RESULT_UNSET; i++)
        if (words->results[i] == result)
            return result_word(result);
    return words->otherwise;
}
