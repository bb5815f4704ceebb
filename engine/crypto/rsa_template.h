/*
 * The RSA kernels: signature^65537 mod n in every lane, compared with the lane's block.
 *
 * Included once by each file that has defined its vocabulary: `vec` (LANES lanes of 64 bits) and
 *
 *   HALVES       2: a product's lower and upper half go to neighbouring columns (52-bit digits);
 *                1: all of it goes to one (digits of 28 bits or fewer)
 *   mac_low      accumulator + lower half of a * b; with one half: + a * b
 *   mac_high     accumulator + upper half of a * b; only with two halves
 *   load_lanes   where LOAD_LANES_DEFINED: the function of this name below, in a faster way
 *   vec_add vec_and vec_or vec_xor vec_zero vec_all vec_shift_right vec_shift_left vec_zero_lanes
 *
 * Montgomery arithmetic with R = 2^(D L), L digits of D bits ("almost Montgomery": Gueron,
 * Efficient software implementations of modular exponentiation, 2012). R is at least 2^8 n, so a
 * value below (2 + e) n with e < 1/50 goes through a product and its reduction to another such
 * value, and nothing is subtracted between steps. A product's columns are 64-bit sums, whose
 * carries are resolved where digits are needed: 4 L halves of 52 bits, or 2 L products, which MATCH
 * checks not to overflow.
 *
 * A reduction takes BLOCK digits from below in each step, by T = T_high + T_low * (2^(-D BLOCK) mod
 * n): a product like any other, without quotient digits that wait for each other. This leaves BLOCK
 * digits too many, which the last step takes away in Montgomery's way.
 *
 * The inner loop is a rectangle: BLOCK digits of one factor stay in registers, the other factor
 * streams by, and a window of the columns that BLOCK digits reach slides along.
 */
#include "crypto/rsa_lanes.h"

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define WINDOW (BLOCK + HALVES - 1)

/* A shape as constants of the calls it is inlined into. */
#define SHAPE const unsigned D, const unsigned L
#define SHAPE_OF D, L

/* Column k is window[(u + k) % WINDOW]: all the products of digit b with the block. All lower
 * halves come first, so that no sum waits for the one just before it. */
INLINE void window_add(vec *window, unsigned u, const vec *block, vec b)
{
    UNROLL for (unsigned k = 0; k < BLOCK; k++) window[(u + k) % WINDOW] =
        mac_low(window[(u + k) % WINDOW], block[k], b);
#if HALVES == 2
    UNROLL for (unsigned k = 0; k < BLOCK; k++) window[(u + k + 1) % WINDOW] =
        mac_high(window[(u + k + 1) % WINDOW], block[k], b);
#endif
}

/* After BLOCK steps. Written out: clang 14 makes a memmove of a loop, and the window then lives in
 * memory, which costs three quarters of the speed. */
INLINE void window_rotate(vec *window)
{
#if HALVES == 2
    STATIC_ASSERT(BLOCK == 4);
    vec first = window[4];
    window[4] = window[3];
    window[3] = window[2];
    window[2] = window[1];
    window[1] = window[0];
    window[0] = first;
#else
    (void)window;
#endif
}

/* columns += block * b[0..digits). The window holds the first WINDOW - 1 columns. `fresh`: columns
 * are not read but taken to be zero. */
INLINE void rectangle(vec *columns, vec *window, const vec *block, const vec *b, unsigned digits,
                      const bool fresh)
{
    for (unsigned j = 0; j < digits; j += BLOCK) {
        UNROLL for (unsigned u = 0; u < BLOCK; u++)
        {
            window[(u + WINDOW - 1) % WINDOW] = fresh ? vec_zero() : columns[j + u + WINDOW - 1];
            window_add(window, u, block, b[j + u]);
            columns[j + u] = window[u];
        }
        window_rotate(window);
    }
    UNROLL for (unsigned k = 0; k + 1 < WINDOW; k++) columns[digits + k] = window[k];
}

INLINE void clear(vec *columns)
{
    UNROLL for (unsigned k = 0; k < BLOCK; k++) columns[k] = vec_zero();
}

INLINE void load_block(vec *block, const vec *digits)
{
    UNROLL for (unsigned k = 0; k < BLOCK; k++) block[k] = digits[k];
}

/* t = a * b in 2 L columns. BLOCK columns beyond them are written. */
INLINE void multiply(vec *t, const vec *a, const vec *b, SHAPE)
{
    (void)D;
    vec block[BLOCK], window[WINDOW];
    load_block(block, a);
    UNROLL for (unsigned k = 0; k < WINDOW; k++) window[k] = vec_zero();
    rectangle(t, window, block, b, L, true);
    clear(t + L + WINDOW - 1);
    for (unsigned i = BLOCK; i < L; i += BLOCK) {
        load_block(block, a + i);
        UNROLL for (unsigned k = 0; k + 1 < WINDOW; k++) window[k] = t[i + k];
        rectangle(t + i, window, block, b, L, false);
        clear(t + i + L + WINDOW - 1);
    }
}

/* The products of different digits within a block, once each; sum[0] is column 0 of the block. */
INLINE void triangle(vec *sum, const vec *block)
{
    UNROLL for (unsigned k = 1; k < BLOCK; k++)
    {
        UNROLL for (unsigned i = 0; i < k; i++) sum[i + k] =
            mac_low(sum[i + k], block[i], block[k]);
#if HALVES == 2
        UNROLL for (unsigned i = 0; i < k; i++) sum[i + k + 1] =
            mac_high(sum[i + k + 1], block[i], block[k]);
#endif
    }
}

/* A column whose products of different digits are complete: twice that, and the square that
 * belongs there. `digit` is at half the column's place. */
INLINE vec with_square(vec sum, unsigned column, vec digit)
{
    sum = vec_add(sum, sum);
    if (column % 2 == 0)
        return mac_low(sum, digit, digit);
#if HALVES == 2
    return mac_high(sum, digit, digit);
#else
    return sum;
#endif
}

/* One block of a square: `t` is at the block's own columns, `a` at its digits, `left` digits come
 * after it. */
INLINE void square_block(vec *t, const vec *a, unsigned left, const bool fresh)
{
    vec block[BLOCK], sum[2 * BLOCK], window[WINDOW];
    load_block(block, a);
    UNROLL for (unsigned k = 0; k < 2 * BLOCK; k++) sum[k] = fresh ? vec_zero() : t[k];
    triangle(sum, block);
    UNROLL for (unsigned k = 0; k < BLOCK; k++) t[k] = with_square(sum[k], k, block[k / 2]);
    if (left == 0) {
        UNROLL for (unsigned k = BLOCK; k < 2 * BLOCK; k++) t[k] =
            with_square(sum[k], k, block[k / 2]);
        return;
    }
    UNROLL for (unsigned k = 0; k + 1 < WINDOW; k++) window[k] = sum[BLOCK + k];
    rectangle(t + BLOCK, window, block, a + BLOCK, left, fresh);
    clear(t + BLOCK + left + WINDOW - 1);
    UNROLL for (unsigned k = BLOCK; k < 2 * BLOCK; k++) t[k] = with_square(t[k], k, block[k / 2]);
}

/* t = a * a in 2 L columns. BLOCK columns beyond them are written. */
INLINE void square(vec *t, const vec *a, SHAPE)
{
    (void)D;
#if HALVES == 1
    t[2 * L - 1] = vec_zero(); /* no product reaches it */
#endif
    square_block(t, a, L - BLOCK, true);
    for (unsigned i = BLOCK; i < L; i += BLOCK)
        square_block(t + 2 * i, a + i, L - BLOCK - i, false);
}

/* Digits out of the lowest BLOCK columns; returns what goes to the next one. */
INLINE vec take_digits(vec *digits, const vec *t, const unsigned D, vec mask)
{
    vec carry = vec_zero();
    UNROLL for (unsigned k = 0; k < BLOCK; k++)
    {
        vec sum = vec_add(t[k], carry);
        digits[k] = vec_and(sum, mask);
        carry = vec_shift_right(sum, D);
    }
    return carry;
}

/* The quotient digits of one Montgomery step over BLOCK digits: t + m * n ends in BLOCK zeros. */
INLINE void quotient_digits(vec *m, const vec *t, const vec *n, vec inverse, const unsigned D,
                            vec mask)
{
    vec sum[BLOCK + 1];
    UNROLL for (unsigned k = 0; k < BLOCK; k++) sum[k] = t[k];
    UNROLL for (unsigned k = 0; k < BLOCK; k++)
    {
        m[k] = vec_and(mac_low(vec_zero(), sum[k], inverse), mask);
        UNROLL for (unsigned i = k; i < BLOCK; i++) sum[i] = mac_low(sum[i], m[k], n[i - k]);
#if HALVES == 2
        UNROLL for (unsigned i = k; i + 1 < BLOCK; i++) sum[i + 1] =
            mac_high(sum[i + 1], m[k], n[i - k]);
#endif
        if (k + 1 < BLOCK)
            sum[k + 1] = vec_add(sum[k + 1], vec_shift_right(sum[k], D));
    }
}

/*
 * out = (t + m * n) / 2^(D BLOCK) in digits. The same rectangle once more, with the carries
 * resolved as the columns leave it; the first BLOCK digits are zero and are left out.
 */
INLINE void last_step(vec *out, const vec *t, const vec *m, const vec *n, SHAPE, vec mask)
{
    vec window[WINDOW], carry = vec_zero();
    UNROLL for (unsigned k = 0; k + 1 < WINDOW; k++) window[k] = t[k];
    for (unsigned j = 0; j < L; j += BLOCK) {
        UNROLL for (unsigned u = 0; u < BLOCK; u++)
        {
            window[(u + WINDOW - 1) % WINDOW] = t[j + u + WINDOW - 1];
            window_add(window, u, m, n[j + u]);
            vec sum = vec_add(window[u], carry);
            if (j >= BLOCK)
                out[j + u - BLOCK] = vec_and(sum, mask);
            carry = vec_shift_right(sum, D);
        }
        window_rotate(window);
    }
    UNROLL for (unsigned k = 0; k < BLOCK; k++)
    {
        vec sum = vec_add(k + 1 < WINDOW ? window[k] : t[L + k], carry);
        out[L - BLOCK + k] = vec_and(sum, mask);
        carry = vec_shift_right(sum, D);
    }
}

struct modulus
{
    const vec *n, *down; /* digits of n and of 2^(-D BLOCK) mod n */
    vec inverse;
};

/* out = t / R mod n, in digits; t is used up. */
INLINE void reduce(vec *out, vec *t, const struct modulus *modulus, SHAPE)
{
    const vec mask = vec_all(((uint64_t)1 << D) - 1);
    vec block[BLOCK], window[WINDOW];
    for (unsigned i = 0; i < L - BLOCK; i += BLOCK) {
        vec carry = take_digits(block, t + i, D, mask);
        UNROLL for (unsigned k = 0; k + 1 < WINDOW; k++) window[k] = t[i + BLOCK + k];
        window[0] = vec_add(window[0], carry);
        rectangle(t + i + BLOCK, window, block, modulus->down, L, false);
    }
    t += L - BLOCK;
    quotient_digits(block, t, modulus->n, modulus->inverse, D, mask);
    last_step(out, t, block, modulus->n, SHAPE_OF, mask);
}

#ifndef LOAD_LANES_DEFINED
/* Digits of the numbers, each given as limbs with least first. */
INLINE void load_lanes(vec *out, const uint64_t *const *limbs, SHAPE)
{
    uint64_t mask = ((uint64_t)1 << D) - 1;
    for (unsigned lane = 0; lane < LANES; lane++) {
        const uint8_t *bytes = (const uint8_t *)limbs[lane];
        for (unsigned i = 0; i < L; i++) {
            uint64_t word;
            memcpy(&word, bytes + D * i / 8, sizeof word);
            ((uint64_t *)(out + i))[lane] = word >> (D * i % 8) & mask;
        }
    }
}
#endif

INLINE void load_numbers(vec *out, const struct rsa_work *work, enum rsa_number which, SHAPE)
{
    const uint64_t *limbs[LANES];
    for (unsigned lane = 0; lane < LANES; lane++)
        limbs[lane] = rsa_number(work->lanes[lane]->constants, which);
    load_lanes(out, limbs, SHAPE_OF);
}

/*
 * The lanes where x is the block, the block + n or the block + 2 n: all there is below (2 + e) n.
 * Sums are resolved to digits and compared whole.
 */
INLINE uint32_t compare(const vec *x, const vec *block, const vec *n, SHAPE)
{
    const vec mask = vec_all(((uint64_t)1 << D) - 1);
    vec differs[3], carry[3];
    UNROLL for (unsigned k = 0; k < 3; k++) differs[k] = carry[k] = vec_zero();
    for (unsigned i = 0; i < L; i++) {
        vec sum = block[i];
        UNROLL for (unsigned k = 0; k < 3; k++)
        {
            vec resolved = vec_add(sum, carry[k]);
            carry[k] = vec_shift_right(resolved, D);
            differs[k] = vec_or(differs[k], vec_xor(vec_and(resolved, mask), x[i]));
            sum = vec_add(sum, n[i]);
        }
    }
    return vec_zero_lanes(differs[0]) | vec_zero_lanes(differs[1]) | vec_zero_lanes(differs[2]);
}

INLINE uint32_t match(struct rsa_work *work, SHAPE)
{
    const uint64_t *limbs[LANES];
    vec *t = (vec *)work->vectors, *x = t + 2 * L + 2 * BLOCK, *s = x + L, *n = s + L;
    vec *down = n + L, *other = down + L;
    struct modulus modulus = {.n = n, .down = down};
    load_numbers(n, work, RSA_MODULUS, SHAPE_OF);
    load_numbers(down, work, RSA_SHIFT_DOWN, SHAPE_OF);
    load_numbers(other, work, RSA_SQUARE, SHAPE_OF);
    uint64_t inverses[LANES];
    for (unsigned lane = 0; lane < LANES; lane++)
        inverses[lane] = work->lanes[lane]->constants->inverse & (((uint64_t)1 << D) - 1);
    memcpy(&modulus.inverse, inverses, sizeof inverses);
    for (unsigned lane = 0; lane < LANES; lane++)
        limbs[lane] = work->lanes[lane]->signature;
    load_lanes(s, limbs, SHAPE_OF);

    /* s^65537 = ((s R)^(2^16) / R^(2^16 - 1)) * s / R: the last factor is s itself, so no step is
     * needed to come back out of Montgomery's form. */
    for (unsigned i = 0; i < 18; i++) {
        bool first = i == 0, last = i == 17;
        if (first || last)
            multiply(t, s, first ? other : x, SHAPE_OF);
        else
            square(t, x, SHAPE_OF);
        reduce(x, t, &modulus, SHAPE_OF);
    }

    for (unsigned lane = 0; lane < LANES; lane++)
        limbs[lane] = work->lanes[lane]->block;
    load_lanes(other, limbs, SHAPE_OF);
    return compare(x, other, n, SHAPE_OF);
}

#define MATCH(bits, D, L, block)                                                                   \
    STATIC_ASSERT((block) == BLOCK && (L) % BLOCK == 0 && (D) * (L) >= (bits) + 8);                \
    STATIC_ASSERT(HALVES == 2 ? 4 * (L) < 1 << 12 : 2 * (L) + 1 < 1ull << (64 - 2 * (D)));         \
    STATIC_ASSERT((7 * (L) + 2 * BLOCK) * sizeof(vec) <= sizeof((struct rsa_work *)0)->vectors);   \
    static uint32_t match_##bits(struct rsa_work *work)                                            \
    {                                                                                              \
        return match(work, D, L);                                                                  \
    }
