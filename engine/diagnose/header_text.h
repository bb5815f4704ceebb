/*
 * The signed header as canonical pieces: one for each name in h=, the signature field last. A
 * change of the header is a few pieces that read otherwise.
 */
#ifndef DIAGNOSE_HEADER_TEXT_H
#define DIAGNOSE_HEADER_TEXT_H

#include "diagnose/search.h"

struct header_piece
{
    struct span name;               /* as h= has it; of the signature field its own */
    const struct mail_field *field; /* NULL: no instance is left (DV-20) */
    struct span canonical;          /* arena; empty where there is no field */
};

struct header_text
{
    enum canon canon;
    struct header_piece *pieces; /* arena */
    uint32_t count;              /* the signature field included */
};

/* False without memory. */
bool header_text_read(struct search *search, enum canon canon, struct header_text *text) MUST_CHECK;
/* The nth instance from the bottom of the fields that may be chosen for `name`, or NULL. */
const struct mail_field *header_text_instance(const struct search *search, struct span name,
                                              uint32_t nth);
/* One field in canonical form, in the arena; p == NULL without memory. */
struct span header_text_field(struct search *search, enum canon canon,
                              const struct mail_field *field) MUST_CHECK;
/* Behind the colon and blanks, without the CRLF. */
struct span header_text_value(struct span canonical);

#endif
