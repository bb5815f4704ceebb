/*
 * A strict reader of Authentication-Results for the tests: RFC 8601 section 2.2 and nothing else.
 * It shares no code with the writer, so that a slip in one is not repaired by the same slip in the
 * other.
 */
#ifndef VERDICT_READER_H
#define VERDICT_READER_H

#include "base/arena.h"

struct ar_property
{
    struct span name;  /* "header.d"; arena */
    struct span value; /* unquoted; arena */
};

struct ar_result
{
    struct span method, result; /* borrowed */
    struct span reason;         /* arena; p == NULL where absent */
    struct ar_property properties[16];
    size_t count;
};

struct ar
{
    struct span authserv_id; /* arena */
    bool none;
    struct ar_result results[64];
    size_t count;
    size_t comments;
    size_t error_at; /* where the grammar ended, on error */
};

/* Reads a payload: what stands behind "Authentication-Results:", with or without final CRLF. */
bool ar_read(struct span text, struct arena *arena, struct ar *ar) MUST_CHECK;
/* The value of a property, or a span with p == NULL. */
struct span ar_value(const struct ar_result *result, const char *name);
/* The nth result of a method, or NULL. */
const struct ar_result *ar_find(const struct ar *ar, const char *method, size_t nth);

#endif
