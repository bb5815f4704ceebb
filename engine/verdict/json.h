/*
 * An append-only JSON writer for the hot path: no tree, no allocation but the buffer's own.
 * Commas are its business; keys are constants. Bytes that are no valid UTF-8 become U+FFFD,
 * control characters are escaped: the output is always valid JSON (RFC 8259), whatever came in.
 * The names begin with jsonw_ because json_ is jansson's, which tools and tests link beside us.
 */
#ifndef VERDICT_JSON_H
#define VERDICT_JSON_H

#include "base/buffer.h"
#include "dns/name.h"

struct jsonw
{
    struct buffer *out;
    bool comma; /* a value stands before at this level */
};

void jsonw_begin(struct jsonw *json, struct buffer *out);
void jsonw_object_open(struct jsonw *json, const char *key); /* key NULL: in an array or on top */
void jsonw_object_close(struct jsonw *json);
void jsonw_array_open(struct jsonw *json, const char *key);
void jsonw_array_close(struct jsonw *json);
void jsonw_span(struct jsonw *json, const char *key, struct span value);
void jsonw_string(struct jsonw *json, const char *key, const char *value); /* NULL: null */
void jsonw_name(struct jsonw *json, const char *key,
                const struct dns_name *name); /* cleared: null */
/* Numbers saturate at 2^53 - 1 (and its negative): beyond, readers differ or refuse the whole text
 * (RFC 8259 section 6), and l= of a signature may be anybody's 2^64 - 1. */
void jsonw_uint(struct jsonw *json, const char *key, uint64_t value);
void jsonw_int(struct jsonw *json, const char *key, int64_t value);
void jsonw_bool(struct jsonw *json, const char *key, bool value);
void jsonw_null(struct jsonw *json, const char *key);

#endif
