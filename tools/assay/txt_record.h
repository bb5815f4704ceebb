/*
 * A TXT record in the forms that people publish it by: a zone file's line in strings of at most 255
 * bytes, one string for a panel, nsupdate's lines, JSON.
 */
#ifndef ASSAY_TXT_RECORD_H
#define ASSAY_TXT_RECORD_H

#include "command.h"
#include "verdict/json.h"

enum
{
    TXT_RECORD_TTL = 3600,
    TXT_RECORD_BYTES = 64 * 1024, /* ceiling for buffers with one of the forms */
};

/* For the option --format; NULL counts as all. */
#define TXT_FORMATS "zone|string|nsupdate|all"

struct txt_record
{
    const char *name; /* presentation form without the final dot; borrowed */
    uint64_t ttl;
    struct span text; /* borrowed */
    bool shared;      /* the name has TXT records of others, too: what is there stays */
};

/* NAME. TTL IN TXT "..." "...", without a line end. */
void txt_record_zone(const struct txt_record *record, struct buffer *out);
/* The lines for people in this form; nsupdate's take the place of what is there (two key or policy
 * records at one name are a fault), unless the name is shared; in `all` each form has a comment
 * above it. */
void txt_record_lines(const struct txt_record *record, const char *format, struct buffer *out);
/* The keys ttl, record, strings, zone, nsupdate of an open object. */
void txt_record_json(const struct txt_record *record, struct jsonw *json);

#endif
