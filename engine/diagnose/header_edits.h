/* Changes of the signed header that may be undone: a list that several files add to. */
#ifndef DIAGNOSE_HEADER_EDITS_H
#define DIAGNOSE_HEADER_EDITS_H

#include "diagnose/header_text.h"

struct header_change
{
    uint32_t piece;
    struct span canonical; /* arena; empty: it was not there */
};

struct header_edit
{
    enum diagnose_cause cause;
    const struct header_change *changes; /* arena */
    uint32_t change_count;
    struct span field; /* what the finding says of it */
    int32_t position;
    struct span before, after;
    bool frequent; /* lists and gateways do it: tried together with others first */
};

struct header_edits
{
    struct search *search;
    const struct header_text *text;
    struct header_edit *edits; /* arena: room for MAX_DIAGNOSE_EDITS */
    uint32_t count;
};

/* The piece whose canonical text becomes `canonical`; nothing is added where that is what it is. */
void edit_piece(struct header_edits *edits, enum diagnose_cause cause, uint32_t piece,
                struct span canonical, bool frequent);
/* The same for its value alone: name, colon and blanks stay. A piece without a field gets one. */
void edit_value(struct header_edits *edits, enum diagnose_cause cause, uint32_t piece,
                struct span value, bool frequent);
void edit_add(struct header_edits *edits, const struct header_edit *edit);
/* The first piece named `name`, any case, or -1. */
int edit_find(const struct header_edits *edits, struct span name);

/* Lists and gateways: subject, From, fields that came or went, encodings (edits_lists.c). */
void edits_of_lists(struct header_edits *edits);
/* Fields added, and fields of one name in another order (edits_fields.c). */
void edits_of_fields(struct header_edits *edits);
/* What the signature field itself tells: bh=, z= (edits_self.c). */
void edits_of_self(struct header_edits *edits);
/* Folding, blanks, case (edits_form.c). */
void edits_of_form(struct header_edits *edits);

#endif
