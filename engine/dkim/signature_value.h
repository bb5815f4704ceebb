/*
 * What the tags of a signature field may hold: one reader per tag, called from the table in
 * signature.c. Each takes the value as the tag list found it (without FWS around it), fills in its
 * part of the signature and returns NULL, or a static reason word and leaves its part cleared.
 */
#ifndef DKIM_SIGNATURE_VALUE_H
#define DKIM_SIGNATURE_VALUE_H

#include "dkim/signature.h"
#include "mail/name_lists.h"

struct dkim_reading
{
    struct dkim_signature *signature; /* caller's */
    struct arena *arena;              /* borrowed */
    struct limit_hits *hits;          /* borrowed */
    struct name_lists *lists;         /* borrowed; may be NULL */
};

typedef const char *dkim_value_reader(struct dkim_reading *reading, struct span value);

/* Returned, and compared by pointer, where the arena is full: temperror, not permerror. */
extern const char dkim_word_no_memory[];

dkim_value_reader dkim_read_version;
dkim_value_reader dkim_read_algorithm;
dkim_value_reader dkim_read_signature;
dkim_value_reader dkim_read_body_hash;
dkim_value_reader dkim_read_canonicalization;
dkim_value_reader dkim_read_domain;
dkim_value_reader dkim_read_selector;
dkim_value_reader dkim_read_fields;
dkim_value_reader dkim_read_identity; /* after the domain */
dkim_value_reader dkim_read_instance;
dkim_value_reader dkim_read_length;
dkim_value_reader dkim_read_query;
dkim_value_reader dkim_read_time;
dkim_value_reader dkim_read_expiration; /* after the time */
dkim_value_reader dkim_read_chain_value;

/* One of the parts between colons, FWS around them left out, equals `word` exactly. */
bool dkim_list_holds(struct span value, struct span word);

#endif
