/*
 * An Authentication-Results field that somebody else wrote, for showing it beside ours (RFC 8601
 * 2.2). It is never an input of a judge (AR-18, J05).
 *
 *   authres-header-field = authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo )
 *   resinfo  = ";" method [ "/" version ] "=" result [ reason ] *( ptype "." property "=" pvalue )
 *
 * Values are tokens, quoted strings or addresses: all up to a blank or semicolon. A resinfo that
 * does not read so is left out; a field without an authserv-id is not `readable`. Bounded: what is
 * over RESULTS_MAX or RESULT_PROPERTIES_MAX is left out (J03).
 */
#ifndef DIAGNOSE_RESULTS_READ_H
#define DIAGNOSE_RESULTS_READ_H

#include "base/attributes.h"
#include "base/span.h"

enum
{
    RESULTS_MAX = 64,
    RESULT_PROPERTIES_MAX = 12,
};

struct result_property
{
    struct span name;  /* "header.d" */
    struct span value; /* without quotes; escapes are left in */
};

struct result_read
{
    struct span method, result, reason;
    struct result_property properties[RESULT_PROPERTIES_MAX];
    unsigned property_count;
};

struct results_read
{
    bool readable;
    struct span authserv_id; /* borrowed, as all */
    unsigned count;
    struct result_read results[RESULTS_MAX];
};

void results_read(struct span value, struct results_read *results);
/* Of the property `name`, any case; empty where there is none. */
struct span result_property(const struct result_read *result, struct span name);

#endif
