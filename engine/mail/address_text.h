/*
 * The lexical layer of addresses (RFC 5322 3.2): white space, comments, words. Internal.
 *
 * A reader stops at the first error and remembers where; `out` collects what belongs to addresses,
 * without comments, folding and quotes.
 */
#ifndef MAIL_ADDRESS_TEXT_H
#define MAIL_ADDRESS_TEXT_H

#include "mail/address.h"

struct address_text
{
    struct span in;
    size_t at;
    uint8_t *out; /* arena: room for in.n bytes */
    size_t out_n;
    struct limit_hits *hits;
    enum mail_address_error error; /* of the first that failed */
};

/* What stands in front of "@", "<" or ":": a local part or a display name, not known yet. */
struct address_words
{
    size_t out_begin;
    uint32_t count;
    bool is_local_part; /* word *("." word) */
    bool has_high;      /* 8-bit octets */
    bool has_control;   /* control characters, in a quoted string */
};

/* Sets the error, unless there is one. Always false. */
bool address_text_fail(struct address_text *text, enum mail_address_error error);
/* The next octet is `c`. */
bool address_text_is(const struct address_text *text, uint8_t c);
/* Skips blanks, folds and comments. */
bool address_text_skip(struct address_text *text) MUST_CHECK;
bool address_text_words(struct address_text *text, struct address_words *words) MUST_CHECK;
/* A domain or a domain literal; *domain is a part of out. */
bool address_text_domain(struct address_text *text, struct mail_address *address) MUST_CHECK;

#endif
