/* The search for the signed body: what its files share. */
#ifndef DIAGNOSE_BODY_SEARCH_H
#define DIAGNOSE_BODY_SEARCH_H

#include "diagnose/body_probe.h"
#include "diagnose/mime.h"
#include "diagnose/search.h"

/* A piece that may have been put in: the body without it is tried. */
struct cut
{
    size_t from, to;
    enum diagnose_cause cause;
    uint32_t part; /* 1 + the MIME part it is in, 0: none */
};

struct cut_list
{
    struct cut *cuts; /* arena: room for MAX_DIAGNOSE_CUTS */
    uint32_t count;
};

struct body_search
{
    struct search *search;
    struct span body; /* as received, or with a change undone */
    struct mime mime;
    struct body_probe prefix, middle, probe;
    struct cut_list list;
};

/* The body put together of these pieces has the hash that was signed. Counts a try. */
bool body_pieces_match(struct body_search *bodies, const struct span *pieces, size_t count);

/* Fills the list; `body` and `mime` say of what. Sorted by `from`. */
void cuts_at_the_end(struct body_search *bodies);
void cuts_of_parts(struct body_search *bodies);
void cuts_at_the_beginning(struct body_search *bodies);

/* Tries each cut of the list, at most `bytes` octets of hashing; notes the smallest that fits. */
bool cuts_try(struct body_search *bodies, uint64_t bytes, bool received);
/* Two cuts of one kind in two parts. */
bool cuts_try_pairs(struct body_search *bodies);

/* Undoes changes of the whole body, one after the other, and looks for a footer behind each. */
bool changes_try(struct body_search *bodies);

/* How many lines `text` has; a last one without its end counts. */
uint64_t body_lines(struct span text);

#endif
