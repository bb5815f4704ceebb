/* Words of results, dispositions and errors. */
#include "client/client.h"

const char *assay_client_version(void)
{
    return ASSAY_VERSION;
}

const char *assay_client_result_word(enum assay_client_result result)
{
    switch (result) {
    case ASSAY_CLIENT_NONE:
        return "none";
    case ASSAY_CLIENT_NEUTRAL:
        return "neutral";
    case ASSAY_CLIENT_SOFTFAIL:
        return "softfail";
    case ASSAY_CLIENT_FAIL:
        return "fail";
    case ASSAY_CLIENT_POLICY:
        return "policy";
    case ASSAY_CLIENT_PERMERROR:
        return "permerror";
    case ASSAY_CLIENT_PASS:
        return "pass";
    case ASSAY_CLIENT_UNSET:
    case ASSAY_CLIENT_TEMPERROR:
        break;
    }
    return "temperror";
}

const char *assay_client_disposition_word(enum assay_client_disposition disposition)
{
    if (disposition == ASSAY_CLIENT_DISPOSE_QUARANTINE)
        return "quarantine";
    return disposition == ASSAY_CLIENT_DISPOSE_REJECT ? "reject" : "none";
}

const char *client_error_word(unsigned code)
{
    static const char *const words[] = {
        [ASSAY_CLIENT_ERROR_VERSION] = "version",
        [ASSAY_CLIENT_ERROR_MALFORMED] = "malformed",
        [ASSAY_CLIENT_ERROR_TOO_LARGE] = "too_large",
        [ASSAY_CLIENT_ERROR_BUSY] = "busy",
        [ASSAY_CLIENT_ERROR_CANCELLED] = "cancelled",
        [ASSAY_CLIENT_ERROR_GOING_AWAY] = "going_away",
        [ASSAY_CLIENT_ERROR_FORBIDDEN] = "forbidden",
        [ASSAY_CLIENT_ERROR_NO_FILE] = "no_file",
        [ASSAY_CLIENT_ERROR_INTERNAL] = "internal",
        [ASSAY_CLIENT_ERROR_IDLE] = "idle",
    };
    bool known = code && code < sizeof words / sizeof *words;
    return known ? words[code] : "unknown";
}
