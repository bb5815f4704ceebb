/*
 * Macros of RFC 7208 section 7: syntax check and expansion (SP-28 to SP-34).
 *
 * Expansion runs from right to left and stops when the output is full. A name is cut from its left
 * anyway (SP-34), so the work is bounded by the text and the output, however many macros stand in
 * the text and however long their values are (security.md E05).
 */
#ifndef SPF_MACRO_H
#define SPF_MACRO_H

#include "base/attributes.h"
#include "dns/name.h"

enum spf_macro_mode
{
    SPF_MACRO_DOMAIN,      /* visible characters; letters s l o d i p v h */
    SPF_MACRO_MODIFIER,    /* an unknown modifier's value: all letters */
    SPF_MACRO_EXPLANATION, /* also SP; all letters: c r t besides */
};

/* Values by letter: of['s' - 'a'] ... Borrowed. Bytes are taken as they are. */
struct spf_macro_values
{
    struct span of[26];
};

/* True where all of `text` is a macro-string (in explanations: explain-string). */
bool spf_macro_check(struct span text, enum spf_macro_mode mode) MUST_CHECK;

/* True where `text` is a domain-spec: a macro-string that ends in a macro or a top label (SP-13).
 */
bool spf_domain_spec_check(struct span text) MUST_CHECK;

/* The letters used in a checked text, as bits: 1 << (letter - 'a'), without regard to case. */
uint32_t spf_macro_letters(struct span text);
#define SPF_LETTER(letter) (1u << ((letter) - 'a'))

/*
 * Expands a checked text into out[0..capacity) and returns the part of `out` that holds the result.
 * Where there is not enough room, *cut is set and the result is the last `capacity` bytes.
 */
struct span spf_macro_expand(struct span text, const struct spf_macro_values *values, uint8_t *out,
                             size_t capacity, bool *cut);

/*
 * The name that a checked domain-spec stands for: expanded, one trailing dot dropped, cut by whole
 * labels from the left to 253 characters (SP-34). False, *name untouched, where that is no name:
 * an empty label, a label over 63 bytes, nothing at all.
 */
bool spf_macro_name(struct span text, const struct spf_macro_values *values,
                    struct dns_name *name) MUST_CHECK;

#endif
