/*
 * Tag lists: "name=value; name=value" (RFC 6376 section 3.2), as in DKIM-Signature, ARC fields,
 * key records and DMARC records.
 *
 *   tag-list  =  tag-spec *( ";" tag-spec ) [ ";" ]
 *   tag-spec  =  [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
 *   tag-name  =  ALPHA *ALNUMPUNC            ; letters, digits, "_"
 *   tag-value =  [ tval *( 1*(WSP / FWS) tval ) ]
 *
 * The parser finds names, values and their offsets; what a value means is the caller's table.
 * Offsets matter: the b= value of a signature is blanked where it was found, never by searching
 * text (DV-22, security.md C15).
 */
#ifndef BASE_TAGLIST_H
#define BASE_TAGLIST_H

#include "base/attributes.h"
#include "base/limit.h"
#include "base/span.h"

enum taglist_error
{
    TAGLIST_OK = 0,
    TAGLIST_TOO_LONG,   /* over MAX_TAG_LIST_BYTES: nothing was looked at */
    TAGLIST_TOO_MANY,   /* over MAX_TAGS */
    TAGLIST_NO_EQUALS,  /* a tag-spec without "=" */
    TAGLIST_BAD_NAME,   /* a name that is empty or has other characters */
    TAGLIST_BAD_VALUE,  /* a character that tval and FWS do not allow */
    TAGLIST_EMPTY_SPEC, /* ";;": not in the grammar (DV-7) */
    TAGLIST_DUPLICATE,  /* a name twice: the whole list is invalid (DV-6) */
};

enum taglist_mode
{
    TAGLIST_STRICT,   /* DKIM and key records: the first error ends it */
    TAGLIST_TOLERANT, /* DMARC (RFC 9989 4.8): bad specs are left out and counted */
};

struct tag
{
    struct span name;  /* borrowed; exact case */
    struct span value; /* borrowed; without the FWS around it, inner folding kept */
    uint32_t begin;    /* offset of the first byte after "=" */
    uint32_t end;      /* offset just behind the value and its FWS: ";" or the end of the list */
    uint32_t name_at;  /* offset of the name: for carets */
    uint32_t key;      /* taglist_key(name) */
};

struct taglist
{
    struct tag tags[MAX_TAGS + 1]; /* the last one is the parser's own */
    uint32_t count;
    uint32_t dropped;         /* tolerant mode: specs left out, duplicates among them */
    enum taglist_error error; /* the first error, also in tolerant mode */
    uint32_t error_at;        /* its offset */
};

/*
 * Splits `text`. Strict: returns false at the first error, `list` then holds no tags to use.
 * Tolerant: returns false only for TOO_LONG and TOO_MANY; of a duplicate the first stays.
 * In tolerant mode values may hold any printable ASCII but ";" with WSP inside; names match
 * without case, so "P=" and "p=" are duplicates.
 */
bool taglist_parse(struct span text, enum taglist_mode mode, struct taglist *list) MUST_CHECK;

/* A name of up to four characters as a number, exact case: all that DKIM knows. 0: a longer one. */
static inline uint32_t taglist_key(struct span name)
{
    uint32_t key = 0;
    if (name.n == 1)
        return name.p[0];
    if (name.n > sizeof key)
        return 0;
    for (size_t i = name.n; i-- > 0;)
        key = key << 8 | name.p[i];
    return key;
}

/* The tag named exactly `name` (strict lists) or without regard to case (tolerant), or NULL. */
const struct tag *taglist_find(const struct taglist *list, struct span name);
const struct tag *taglist_find_fold(const struct taglist *list, struct span name);

/* Stable snake_case word, e.g. "duplicate_tag". Static. */
const char *taglist_error_word(enum taglist_error error);

/* Without FWS (SP, HTAB, CR, LF) at both ends. */
struct span taglist_trim(struct span s);

#endif
