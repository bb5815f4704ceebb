/*
 * Fast paths over the text of mail: one table of functions for each kernel level (kernel.h). The
 * logic is written once (simd/logic/) in terms of 64 octets and bit masks, and compiled for each
 * level with that level's vocabulary (simd/LEVEL/block.h) and flags. All levels give the same
 * octets and numbers for every input (tests/simd/).
 *
 * Pure functions of bytes; no allocation, any thread, any alignment. Reads stay inside what the
 * call names; writes too, but for the slack that it states.
 */
#ifndef SIMD_TEXT_H
#define SIMD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simd/kernel.h"
#include "simd/words.h"

enum
{
    SIMD_BLOCK = 64,     /* octets a step */
    SIMD_PIECES = 128,   /* pieces at a time */
    SIMD_PARTS = 96,     /* parts of a list at a time */
    SIMD_NAMES = 256,    /* names of a list */
    SIMD_LOOK_AHEAD = 2, /* octets behind the input that relax_body() reads */
    SIMD_SLACK = 64,     /* octets behind their result that relax_...() may overwrite */
    SIMD_FETCH = 8192,   /* octets that relax_body() fetches ahead */
};

struct simd_octets /* running totals; a CR and its LF may come in different calls */
{
    uint64_t nul, cr, lf, crlf;
    uint64_t high; /* above 127 */
    bool after_cr; /* the last octet was a CR */
};

/*
 * Passes over octets that somebody has looked at: no NUL, and in the text around them a LF stands
 * behind each CR and a CR before each LF but the first octet. Bare ones and NUL come out as if all
 * had been counted; cr, lf, crlf and high lack what is inside. n is not 0.
 */
static inline void simd_octets_pass(struct simd_octets *octets, const uint8_t *in, size_t n)
{
    bool lf = in[0] == '\n';
    octets->lf += lf;
    octets->crlf += lf && octets->after_cr;
    octets->after_cr = in[n - 1] == '\r';
    octets->cr += octets->after_cr; /* its LF is counted with what follows */
}

struct simd_header /* where reading a header stands; begin with SIMD_HEADER_BEGIN */
{
    struct simd_octets octets; /* see header_end */
    uint64_t taken;            /* octets */
    uint8_t crlf;              /* bit 1: a CRLF ended at the last octet; bit 0: at the one before */
    bool ended;                /* by an empty line */
};
/* The first line begins as if a CRLF stood in front of it. */
#define SIMD_HEADER_BEGIN ((struct simd_header){.crlf = 2})

struct simd_piece /* a line with the lines that fold onto it */
{
    uint32_t end;    /* just behind it */
    uint16_t name;   /* octets in front of the first colon where they are 1 to 63, all of ftext
                        (RFC 5322 3.6.8); otherwise 0: look closely */
    uint16_t number; /* the name's among the words, or 0 */
};

struct simd_names /* of a list */
{
    uint32_t edges[2 * (SIMD_NAMES + SIMD_BLOCK)]; /* where each name begins, and where it ends */
    uint8_t number[SIMD_NAMES];                    /* among the words, or 0 */
    uint32_t count; /* above SIMD_NAMES where there are more: nothing else is told then */
    bool bad;       /* likewise nothing but the count */
};

struct simd_text
{
    enum kernel_level level;
    /*
     * RFC 6376 3.4.4 inside a body: drops a blank in front of a blank or CRLF, other blanks become
     * SP. `n` is a multiple of SIMD_BLOCK; in[n] and in[n + 1] are read and decide about the last
     * octets. Returns octets written, n at most, and may overwrite SIMD_SLACK behind them. The
     * `ahead` octets behind in[0..n) come next: what lies SIMD_FETCH ahead is called to the cache.
     * *unusual: in[0..n) has a NUL, or for some i < n one of "in[i] is CR" and "in[i + 1] is LF"
     * holds without the other.
     */
    size_t (*relax_body)(const uint8_t *in, size_t n, size_t ahead, uint8_t *out, bool *unusual);
    /*
     * RFC 6376 3.4.2: of in[0..head), a field's name and its colon, letters become small; behind
     * that a run of blanks and CRLFs becomes SP, but nothing at the beginning and at the end. With
     * `head` 0, at most 63, it is a value or the rest of one. Returns octets written, n at most,
     * and may overwrite out[0..n + SIMD_SLACK); or SIZE_MAX where a CR or LF is bare, or behind a
     * CRLF comes something else than a blank or the end: no fold, look closely.
     */
    size_t (*relax_field)(const uint8_t *in, size_t n, size_t head, uint8_t *out);
    void (*count)(struct simd_octets *octets, const uint8_t *in, size_t n);
    /*
     * Takes octets of a header up to the empty line that ends it. Returns how many it took: fewer
     * than n where the header has ended, or where `pieces` might not have room for more; go on with
     * the rest then. Each line that begins and is no fold ends a piece: its place, counted from the
     * header's first octet, goes to `end` of the next of pieces[0..*count), the others' memory may
     * be overwritten. So the first line, unless it looks like a fold, stands there with 0, and the
     * empty line stands there last.
     * octets: cr - crlf, lf - crlf, nul and high are right; CRLFs may be left out of cr, lf, crlf.
     */
    size_t (*header_end)(struct simd_header *header, const uint8_t *in, size_t n,
                         struct simd_piece pieces[SIMD_PIECES], size_t *count);
    /* Sets `name` and `number` of pieces in in[0..n), the first of which begins at in[from]; each
     * one's end is the next one's beginning, and below n but for the last. */
    void (*names)(const uint8_t *in, size_t n, size_t from, const struct simd_words *words,
                  struct simd_piece *pieces, size_t count);
    /*
     * Tag-specs of RFC 6376 3.2: each ";" of in[from..n) ends one, and n where something is behind
     * the last. n is below 2^32, room >= SIMD_PARTS. Returns how many ends it told, none where from
     * is n; go on behind the last one while that is below n. *odd: a control, DEL among them, other
     * than HTAB, CR and LF stands in front of the last end, or not far behind it.
     */
    size_t (*tag_ends)(const uint8_t *in, size_t n, size_t from, uint32_t *ends, size_t room,
                       bool *odd);
    /*
     * Names of h= in in[0..n): what stands between ":" and the blanks, CR and LF around them. Empty
     * ones are left out. n is below 2^32. bad: one holds an octet that is not of ftext (RFC 5322
     * 3.6.8). Of more than SIMD_NAMES it looks at so many as it takes to know that.
     */
    void (*name_list)(const uint8_t *in, size_t n, const struct simd_words *words,
                      struct simd_names *names);
    /* Octets that are not SP, HTAB, CR, LF. */
    size_t (*base64_count)(const uint8_t *in, size_t n);
    /*
     * Decodes base64 (RFC 4648 4), SP, HTAB, CR and LF passed over, into out[0..capacity). False: a
     * character outside the alphabet, "=" but to fill the last group, bits left over that are not
     * zero, or more than `capacity` octets.
     */
    bool (*base64)(const uint8_t *in, size_t n, uint8_t *out, size_t capacity, size_t *written);
};

/* The functions of the level in use. */
const struct simd_text *simd_text(void);

#endif
