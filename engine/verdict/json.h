/*
 * An append-only JSON writer for the hot path: no tree, no allocation but the buffer's own.
 * Commas are its business; keys are constants. Bytes that are no valid UTF-8 become U+FFFD,
 * control characters are escaped: the output is always valid JSON (RFC 8259), whatever came in.
 */
#ifndef VERDICT_JSON_H
#define VERDICT_JSON_H

#include "base/buffer.h"
#include "dns/name.h"

struct json
{
    struct buffer *out;
    bool comma; /* a value stands before at this level */
};

void json_begin(struct json *json, struct buffer *out);
void json_object_open(struct json *json, const char *key); /* key NULL: in an array or on top */
void json_object_close(struct json *json);
void json_array_open(struct json *json, const char *key);
void json_array_close(struct json *json);
void json_span(struct json *json, const char *key, struct span value);
void json_string(struct json *json, const char *key, const char *value);         /* NULL: null */
void json_name(struct json *json, const char *key, const struct dns_name *name); /* cleared: null */
void json_uint(struct json *json, const char *key, uint64_t value);
void json_int(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
