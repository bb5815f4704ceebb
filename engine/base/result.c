#include "base/result.h"

const char *result_word(enum result result)
{
    switch (result) {
    case RESULT_NONE:
        return "none";
    case RESULT_NEUTRAL:
        return "neutral";
    case RESULT_SOFTFAIL:
        return "softfail";
    case RESULT_FAIL:
        return "fail";
    case RESULT_POLICY:
        return "policy";
    case RESULT_PERMERROR:
        return "permerror";
    case RESULT_PASS:
        return "pass";
    case RESULT_UNSET:
    case RESULT_TEMPERROR:
        break;
    }
    return "temperror";
}
