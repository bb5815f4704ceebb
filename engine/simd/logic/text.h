/*
 * Includes the logic and defines the table NAME. A level's text.c includes its own block.h first:
 *
 *   struct block                          64 octets
 *   block_load(p)                         from any address
 *   block_load_part(p, n, filler)         n of 0 to 63 octets, then filler; reads nothing else
 *   block_store(p, b)                     to any address
 *   block_equal(b, c)                     mask: octet i is c <=> bit i is set; as all masks
 *   block_blanks(b)                       mask: SP or HTAB
 *   block_fws(b)                          mask: SP, HTAB, CR or LF
 *   block_high(b)                         mask: above 127
 *   block_odd(b)                          mask: NUL or above 127
 *   block_outside(b, low, high)           mask: below low or above high; both below 128
 *   block_word(p, n, left)                of a word of n octets the first 32, what else may be
 *                                         anything; reads p[0..left), n is not above left
 *   block_unlike(b, n, word)              mask: of the first n octets, n of 0 to 31, octet i is
 *                                         neither word[i] nor its upper case; n above 31: anything
 *   block_may_shrink(p)                   false: of p[0..64) no octet is HTAB, none is SP with one
 *                                         of SP, HTAB, CR behind it; reads p[0..65)
 *   struct unusual, unusual_none()        a sum of blocks
 *   unusual_add(sum, p)                   adds p[0..64): is one NUL, or CR with no LF behind it, or
 *                                         is one of p[1..65) LF with no CR before it?
 *   unusual_any(sum)                      something was
 *   block_relax(p, out, sum)              instead of these two, where BLOCK_RELAXES is defined:
 *                                         drops of p[0..64) each blank with a blank or CR behind
 *                                         it, makes others SP, writes 64 octets; how many count
 *   struct seen, seen_none(),             where BLOCK_BEGINS is defined: a sum of blocks, unusual
 *   seen_high(sum), sum.unusual           ones and octets above 127
 *   block_begins(p, sum, cr)              mask: of p[0..64) no blank, and LF in front; *cr: one of
 *                                         them is CR, and nothing was added. Reads p[-1]
 *   block_spaces(b)                       HTAB becomes SP
 *   block_gaps_to_spaces(b)               HTAB, CR and LF become SP
 *   block_lower(b, n)                     letters of the first n octets, 63 at most, become small
 *   block_compress(b, keep, out)          octets in `keep` to out, 64 octets written; their count
 *   block_offsets(mask, at, out)          where BLOCK_PLACES is defined: at + index of each octet
 *                                         in `mask` to out, 64 may be written; their count
 *   block_base64(b, out)                  64 characters to 48 octets, 64 written; mask of
 *                                         characters outside the alphabet, "=" among them
 */
#ifndef SIMD_LOGIC_TEXT_H
#define SIMD_LOGIC_TEXT_H

#include "simd/logic/masks.h"
#include "simd/logic/octets.h"
#include "simd/logic/body.h"
#include "simd/logic/field.h"
#include "simd/logic/header.h"
#include "simd/logic/names.h"
#include "simd/logic/specs.h"
#include "simd/logic/base64.h"

#define SIMD_TEXT_TABLE(name, its_level)                                                           \
    extern const struct simd_text name;                                                            \
    const struct simd_text name = {                                                                \
        .level = its_level,                                                                        \
        .relax_body = relax_body,                                                                  \
        .relax_field = relax_field,                                                                \
        .count = count_octets,                                                                     \
        .header_end = header_end,                                                                  \
        .names = header_names,                                                                     \
        .tag_ends = tag_ends,                                                                      \
        .name_list = name_list,                                                                    \
        .base64_count = base64_count_chars,                                                        \
        .base64 = base64_text,                                                                     \
    }

#endif
