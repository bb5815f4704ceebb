/*
 * What the kernels need to know of a modulus, computed once when a key is made.
 *
 * Little-endian machines: the kernels are for x86-64. Plain 64-bit arithmetic, variable in time:
 * the numbers are public. 2048 bits take about 1,100 products: 1 µs.
 */
#include "crypto/rsa_lanes.h"

STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

enum
{
    LIMB = 64,
};

typedef unsigned __int128 wide;

size_t rsa_constants_bytes(const struct rsa_shape *shape)
{
    return sizeof(struct rsa_constants) + RSA_NUMBERS * 8u * rsa_shape_limbs(shape);
}

/* -1/n mod 2^64 of an odd n: n is its own inverse mod 8, each step doubles the bits (Newton). */
static uint64_t inverse_negated(uint64_t n)
{
    uint64_t x = n;
    for (unsigned bits = 3; bits < LIMB; bits *= 2)
        x *= 2 - n * x;
    return -x;
}

void rsa_limbs_read(struct span big_endian, uint64_t *limbs, unsigned count)
{
    unsigned whole = (unsigned)big_endian.n / 8, left = (unsigned)big_endian.n % 8;
    const uint8_t *from = big_endian.p + big_endian.n;
    uint64_t limb;
    assert(big_endian.n <= 8 * (size_t)count);
    for (unsigned i = 0; i < whole; i++) {
        from -= sizeof limb;
        memcpy(&limb, from, sizeof limb);
        limbs[i] = __builtin_bswap64(limb);
    }
    memset(limbs + whole, 0, (count - whole) * sizeof *limbs);
    for (unsigned i = 0; i < left; i++)
        limbs[whole] = limbs[whole] << 8 | big_endian.p[i];
}

/* x -= q * n over `count` limbs; what is to be taken from the limb above. */
static uint64_t subtract_product(uint64_t *x, uint64_t q, const uint64_t *n, unsigned count)
{
    uint64_t above = 0;
    for (unsigned i = 0; i < count; i++) {
        wide product = (wide)q * n[i] + above;
        above = (uint64_t)(product >> LIMB) + (x[i] < (uint64_t)product);
        x[i] -= (uint64_t)product;
    }
    return above;
}

static uint64_t add(uint64_t *x, const uint64_t *n, unsigned count)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < count; i++) {
        wide sum = (wide)x[i] + n[i] + carry;
        x[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> LIMB);
    }
    return carry;
}

/*
 * x = x * 2^shift mod n for 1 <= shift <= 64 and x < n, where the top bit of n is set. The quotient
 * is estimated from the top two limbs against the top one, which is at most two too large (Knuth
 * 4.3.1, theorem B), and then put right.
 */
static void shift_up(uint64_t *x, unsigned shift, const uint64_t *n, unsigned count)
{
    uint64_t top = 0;
    for (unsigned i = count; i-- > 0;) {
        uint64_t below = i ? x[i - 1] : 0;
        uint64_t moved = shift == LIMB ? x[i] : x[i] >> (LIMB - shift);
        if (i == count - 1)
            top = moved;
        x[i] = shift == LIMB ? below : x[i] << shift | below >> (LIMB - shift);
    }
    uint64_t q = top >= n[count - 1]
                     ? UINT64_MAX
                     : (uint64_t)(((wide)top << LIMB | x[count - 1]) / n[count - 1]);
    uint64_t taken = subtract_product(x, q, n, count);
    for (uint64_t left = top - taken; left != 0;) /* below zero: one n too many */
        left += add(x, n, count);
}

static void shift_right(uint64_t *x, unsigned shift, unsigned count)
{
    for (unsigned i = 0; shift && i < count; i++)
        x[i] = x[i] >> shift | (i + 1 < count ? x[i + 1] << (LIMB - shift) : 0);
}

/*
 * out = 2^exponent mod n, by division of what is left of it again and again. n is first moved up
 * until its top bit is set, and the remainder moved down by as much at the end.
 */
static void power_of_two(unsigned exponent, const uint64_t *n, unsigned count, uint64_t *out)
{
    uint64_t moved[RSA_LIMBS_MAX] = {0};
    unsigned up = (unsigned)__builtin_clzll(n[count - 1]);
    for (unsigned i = 0; i < count; i++)
        moved[i] = n[i] << up | (up && i ? n[i - 1] >> (LIMB - up) : 0);
    /* 2^(bits of moved - 1) is below moved, which is odd or ends in `up` zeros but is no power. */
    memset(out, 0, count * sizeof *out);
    out[count - 1] = (uint64_t)1 << (LIMB - 1);
    unsigned left = exponent + up - (LIMB * count - 1);
    for (; left > LIMB; left -= LIMB)
        shift_up(out, LIMB, moved, count);
    shift_up(out, left, moved, count);
    shift_right(out, up, count);
}

/* x = (x + m * n) / 2^bits where m makes the division exact: x * 2^-bits mod n. x <= n stays so. */
static void divide(uint64_t *x, unsigned bits, const uint64_t *n, uint64_t inverse, unsigned count)
{
    uint64_t mask = bits == LIMB ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    uint64_t m = x[0] * inverse & mask;
    uint64_t carry = 0;
    for (unsigned i = 0; i < count; i++) {
        wide sum = (wide)m * n[i] + x[i] + carry;
        x[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> LIMB);
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t above = i + 1 < count ? x[i + 1] : carry;
        x[i] = bits == LIMB ? above : x[i] >> bits | above << (LIMB - bits);
    }
}

void rsa_constants_make(const struct rsa_shape *shape, struct span modulus,
                        struct rsa_constants *made)
{
    unsigned limbs = rsa_shape_limbs(shape);
    unsigned count = (unsigned)(modulus.n + 7) / 8;
    assert(modulus.n >= 128 && shape->bits <= 4096 && 8 * modulus.n <= shape->bits &&
           modulus.p[0] != 0);
    assert(modulus.p[modulus.n - 1] % 2 == 1 && count < limbs);
    memset(made, 0, rsa_constants_bytes(shape));
    uint64_t *n = made->numbers, *down = n + limbs, *square = down + limbs;
    rsa_limbs_read(modulus, n, limbs);
    made->shape = shape;
    made->inverse = inverse_negated(n[0]);
    power_of_two(2 * shape->digit_bits * shape->digits, n, count, square);
    down[0] = 1;
    unsigned left = shape->digit_bits * shape->block;
    for (; left > LIMB; left -= LIMB)
        divide(down, LIMB, n, made->inverse, count);
    divide(down, left, n, made->inverse, count);
}
