/*
 * Lists of field names that came before (h= of signatures), by their octets: who sends much signs
 * the same fields in every message, and most lists need not be cut once more. What is kept depends
 * on the octets alone, so it never ages, and is compared as a whole, so a sender who guesses places
 * costs others their places and nothing else.
 *
 * Of one thread. Of fixed size; a new list takes the place of the one before.
 */
#ifndef MAIL_NAME_LISTS_H
#define MAIL_NAME_LISTS_H

#include "mail/field_name.h"
#include "simd/text.h"

enum
{
    NAME_LISTS = 32,
    NAME_LIST_OCTETS_MIN = 48, /* shorter ones are cut as fast */
    NAME_LIST_OCTETS = 512,
    NAME_LIST_NAMES = 64,
};

struct name_list
{
    uint32_t octets; /* 0: nothing here */
    uint32_t count;
    uint8_t text[NAME_LIST_OCTETS];
    uint32_t edges[2 * NAME_LIST_NAMES]; /* as those of struct simd_names */
    uint8_t number[NAME_LIST_NAMES];
};

struct name_lists /* all zero: empty */
{
    struct name_list lists[NAME_LISTS];
    uint64_t hits;
};

/* As simd_text()->name_list does with the known names. `lists` may be NULL. */
void name_lists_read(struct name_lists *lists, struct span text, struct simd_names *names);

#endif
