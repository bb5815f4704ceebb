#include "diff/rsa_cases.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/bn.h>

enum
{
    WALKERS = 3,    /* known numbers that a walk is multiplied with */
    STRUCTURED = 5, /* of a lane and round, and as many negatives */
    BITS_MIN = 1024,
};

struct lane
{
    BIGNUM *n, *number, *power;
    BIGNUM *step_number[WALKERS], *step_power[WALKERS]; /* in Montgomery's form */
    BN_MONT_CTX *mont;
    uint8_t modulus[RSA_CASES_BYTES_MAX];
    size_t modulus_bytes;
};

struct rsa_cases
{
    unsigned bits;
    uint64_t seed, state;
    unsigned step;
    BN_CTX *context;
    BIGNUM *exponent;
    struct lane lanes[RSA_LANES_MAX];
};

bool rsa_cases_quiet;

static void must(bool done)
{
    if (done)
        return;
    fprintf(stderr, "rsa cases: OpenSSL failed, memory?\n");
    exit(1);
}

static BIGNUM *number_new(void)
{
    BIGNUM *number = BN_new();
    must(number != NULL);
    return number;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
    return next(state) % bound;
}

/* Bits [from, from + count) of `out` become ones. */
static void set_bits(uint8_t *out, unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++)
        out[i / 8] |= (uint8_t)(1 << i % 8);
}

static void fill_digits(uint8_t *out, unsigned bits, uint64_t *state)
{
    static const unsigned sizes[] = {52, 28, 27, 64, 208, 140, 135};
    unsigned size = sizes[below(state, COUNT_OF(sizes))];
    for (unsigned i = 0; i < bits; i += size)
        if (next(state) % 2)
            set_bits(out, i, i + size > bits ? bits - i : size);
}

static void fill_runs(uint8_t *out, unsigned bits, uint64_t *state)
{
    unsigned i = 0;
    while (i < bits) {
        unsigned run = 1 + (unsigned)below(state, 120);
        run = i + run > bits ? bits - i : run;
        if (next(state) % 2)
            set_bits(out, i, run);
        i += run;
    }
}

enum kind
{
    RANDOM,
    ONES,
    DIGITS,
    RUNS,
    ONE_BIT,
    SMALL,
    NEAR_ABOVE, /* 2^k + small */
    NEAR_BELOW, /* 2^k - small */
    KINDS,
};

/* A number below 2^bits, least octet first. */
static void fill(uint8_t out[RSA_CASES_BYTES_MAX], enum kind kind, unsigned bits, uint64_t *state)
{
    memset(out, 0, RSA_CASES_BYTES_MAX);
    uint64_t small = next(state) >> below(state, 64);
    switch (kind) {
    case RANDOM:
        for (unsigned i = 0; i < bits / 8; i++)
            out[i] = (uint8_t)next(state);
        break;
    case ONES:
        set_bits(out, 0, bits);
        break;
    case DIGITS:
        fill_digits(out, bits, state);
        break;
    case RUNS:
        fill_runs(out, bits, state);
        break;
    case ONE_BIT:
        set_bits(out, (unsigned)below(state, bits), 1);
        break;
    case SMALL:
        memcpy(out, &small, sizeof small);
        break;
    case NEAR_ABOVE:
        set_bits(out, bits - 1, 1);
        memcpy(out, &small, sizeof small);
        break;
    case NEAR_BELOW:
    case KINDS:
        set_bits(out, 0, bits);
        small = ~small;
        memcpy(out, &small, sizeof small);
        break;
    }
}

static void choose_modulus(struct rsa_cases *cases, struct lane *lane)
{
    static const enum kind kinds[] = {RANDOM, RANDOM,     RANDOM,     RANDOM, ONES,
                                      DIGITS, NEAR_ABOVE, NEAR_BELOW, RUNS};
    uint8_t out[RSA_CASES_BYTES_MAX];
    uint64_t *state = &cases->state, end = next(state) % 4;
    unsigned bits = cases->bits, least = bits == BITS_MIN ? BITS_MIN : bits - 1023;
    if (next(state) % 4 == 0)
        bits = least + (unsigned)below(state, bits - least + 1);
    fill(out, kinds[below(state, COUNT_OF(kinds))], bits, state);
    if (end <
        2) /* the quotient digits of a reduction are then those of what is reduced, or minus */
        memset(out, end ? 0xff : 0, 8);
    out[0] |= 1;
    set_bits(out, bits - 1, 1);
    must(BN_lebin2bn(out, (int)sizeof out, lane->n) != NULL);
    lane->modulus_bytes = (size_t)BN_bn2bin(lane->n, lane->modulus);
    must(BN_MONT_CTX_set(lane->mont, lane->n, cases->context) == 1);
}

static void choose_number(struct rsa_cases *cases, const struct lane *lane, BIGNUM *number,
                          enum kind kind)
{
    uint8_t out[RSA_CASES_BYTES_MAX];
    fill(out, kind, (unsigned)BN_num_bits(lane->n), &cases->state);
    must(BN_lebin2bn(out, (int)sizeof out, number) != NULL);
    must(BN_nnmod(number, number, lane->n, cases->context) == 1);
}

/* number * 2^-(digits of a family) mod n: what looks like `number` once it is in Montgomery's form.
 */
static void out_of_form(struct rsa_cases *cases, const struct lane *lane, BIGNUM *number)
{
    unsigned class = rsa_class_of(&rsa_family_ifma, cases->bits);
    const struct rsa_family *family = next(&cases->state) % 2 ? &rsa_family_ifma : &rsa_family_avx2;
    const struct rsa_shape *shape = &family->shapes[class];
    BIGNUM *r = number_new();
    must(BN_set_bit(r, (int)(shape->digit_bits * shape->digits)) == 1);
    must(BN_mod_inverse(r, r, lane->n, cases->context) != NULL);
    must(BN_mod_mul(number, number, r, lane->n, cases->context) == 1);
    BN_free(r);
}

static void raise(struct rsa_cases *cases, const struct lane *lane, const BIGNUM *number,
                  BIGNUM *power)
{
    must(BN_mod_exp_mont(power, number, cases->exponent, lane->n, cases->context, lane->mont) == 1);
}

/* 0, 1, n - 1, n / 2 (both halves by the negative) now and then, the kinds for the rest. */
static void choose_structured(struct rsa_cases *cases, const struct lane *lane, BIGNUM *number)
{
    uint64_t what = below(&cases->state, 16);
    if (what < 2) {
        must(BN_set_word(number, what) == 1);
        return;
    }
    if (what == 2) {
        must(BN_rshift1(number, lane->n) == 1);
        return;
    }
    choose_number(cases, lane, number, (enum kind)below(&cases->state, KINDS));
    if (what >= 10)
        out_of_form(cases, lane, number);
}

/* x = n - x mod n */
static void negate(const struct lane *lane, BIGNUM *x)
{
    if (!BN_is_zero(x))
        must(BN_sub(x, lane->n, x) == 1);
}

static void begin_walk(struct rsa_cases *cases, struct lane *lane)
{
    choose_number(cases, lane, lane->number, RANDOM);
    raise(cases, lane, lane->number, lane->power);
    for (unsigned i = 0; i < WALKERS; i++) {
        BIGNUM *number = lane->step_number[i], *power = lane->step_power[i];
        choose_number(cases, lane, number, RANDOM);
        raise(cases, lane, number, power);
        must(BN_to_montgomery(number, number, lane->mont, cases->context) == 1);
        must(BN_to_montgomery(power, power, lane->mont, cases->context) == 1);
    }
}

static void walk(struct rsa_cases *cases, struct lane *lane)
{
    unsigned by = (unsigned)below(&cases->state, WALKERS);
    must(BN_mod_mul_montgomery(lane->number, lane->number, lane->step_number[by], lane->mont,
                               cases->context) == 1);
    must(BN_mod_mul_montgomery(lane->power, lane->power, lane->step_power[by], lane->mont,
                               cases->context) == 1);
}

static void check_walk(struct rsa_cases *cases, const struct lane *lane)
{
    BIGNUM *again = number_new();
    raise(cases, lane, lane->number, again);
    if (BN_cmp(again, lane->power) != 0) {
        fprintf(stderr, "rsa cases: OpenSSL's product and power disagree\n");
        exit(1);
    }
    BN_free(again);
}

/* Structured numbers and their negatives by turns, then the walk. */
static void lane_step(struct rsa_cases *cases, struct lane *lane)
{
    if (cases->step == 2 * STRUCTURED)
        begin_walk(cases, lane);
    if (cases->step >= 2 * STRUCTURED) {
        walk(cases, lane);
    } else if (cases->step % 2) {
        negate(lane, lane->number);
        negate(lane, lane->power);
    } else {
        choose_structured(cases, lane, lane->number);
        raise(cases, lane, lane->number, lane->power);
    }
    if (cases->step == RSA_ROUND_STEPS - 1)
        check_walk(cases, lane);
}

struct rsa_cases *rsa_cases_new(unsigned bits, uint64_t seed)
{
    struct rsa_cases *cases = calloc(1, sizeof *cases);
    must(cases != NULL);
    cases->bits = bits;
    cases->seed = seed;
    cases->context = BN_CTX_new();
    must(cases->context != NULL);
    cases->exponent = number_new();
    must(BN_set_word(cases->exponent, RSA_LANES_EXPONENT) == 1);
    for (unsigned i = 0; i < RSA_LANES_MAX; i++) {
        struct lane *lane = &cases->lanes[i];
        lane->mont = BN_MONT_CTX_new();
        must(lane->mont != NULL);
        lane->n = number_new(), lane->number = number_new(), lane->power = number_new();
        for (unsigned k = 0; k < WALKERS; k++)
            lane->step_number[k] = number_new(), lane->step_power[k] = number_new();
    }
    return cases;
}

void rsa_cases_free(struct rsa_cases **freed)
{
    struct rsa_cases *cases = *freed;
    *freed = NULL;
    if (!cases)
        return;
    for (unsigned i = 0; i < RSA_LANES_MAX; i++) {
        struct lane *lane = &cases->lanes[i];
        BN_MONT_CTX_free(lane->mont);
        BN_free(lane->n), BN_free(lane->number), BN_free(lane->power);
        for (unsigned k = 0; k < WALKERS; k++)
            BN_free(lane->step_number[k]), BN_free(lane->step_power[k]);
    }
    BN_free(cases->exponent);
    BN_CTX_free(cases->context);
    free(cases);
}

void rsa_cases_round(struct rsa_cases *cases, uint64_t round)
{
    cases->state = cases->seed ^ (uint64_t)cases->bits << 48;
    cases->state = next(&cases->state) ^ round;
    cases->step = 0;
    for (unsigned i = 0; i < RSA_LANES_MAX; i++)
        choose_modulus(cases, &cases->lanes[i]);
}

struct span rsa_cases_modulus(const struct rsa_cases *cases, unsigned lane)
{
    return span_of(cases->lanes[lane].modulus, cases->lanes[lane].modulus_bytes);
}

static void put(const BIGNUM *number, uint64_t out[RSA_LIMBS_MAX])
{
    must(BN_bn2lebinpad(number, (uint8_t *)out, 8 * RSA_LIMBS_MAX) == 8 * RSA_LIMBS_MAX);
}

void rsa_cases_step(struct rsa_cases *cases, struct rsa_case out[RSA_LANES_MAX])
{
    for (unsigned i = 0; i < RSA_LANES_MAX; i++) {
        lane_step(cases, &cases->lanes[i]);
        put(cases->lanes[i].number, out[i].number);
        put(cases->lanes[i].power, out[i].power);
    }
    cases->step++;
}

void rsa_round_keys_make(struct rsa_round_keys *keys, const struct rsa_family *family,
                         const struct rsa_cases *cases)
{
    const struct rsa_shape *shape = &family->shapes[rsa_class_of(family, cases->bits)];
    for (unsigned i = 0; i < RSA_LANES_MAX; i++) {
        keys->lanes[i] = malloc(rsa_constants_bytes(shape));
        must(keys->lanes[i] != NULL);
        rsa_constants_make(shape, rsa_cases_modulus(cases, i), keys->lanes[i]);
    }
}

void rsa_round_keys_free(struct rsa_round_keys *keys)
{
    for (unsigned i = 0; i < RSA_LANES_MAX; i++)
        free(keys->lanes[i]);
}

/* One bit of the number or of the block, below the modulus's top bit: both stay below it or are at
 * least no longer. Returns whether it was changed. */
static bool damage(struct rsa_lane *lane, uint64_t salt)
{
    const uint64_t *n = rsa_number(lane->constants, RSA_MODULUS);
    unsigned limbs = rsa_shape_limbs(lane->constants->shape), top = limbs;
    while (n[--top] == 0)
        continue;
    if (salt % 3)
        return false;
    salt /= 3;
    uint64_t *damaged = salt % 4 ? lane->block : lane->signature;
    unsigned bit = (unsigned)(salt / 4 % (64 * top));
    damaged[bit / 64] ^= (uint64_t)1 << bit % 64;
    return true;
}

static void tell(const struct rsa_kernel *kernel, const struct rsa_lane *lane, unsigned at,
                 bool got)
{
    const uint64_t *n = rsa_number(lane->constants, RSA_MODULUS);
    unsigned limbs = rsa_shape_limbs(lane->constants->shape);
    fprintf(stderr, "rsa cases: %s lane %u: got %s\n", kernel->name, at,
            got ? "match" : "no match");
    for (unsigned i = limbs; i-- > 0;)
        fprintf(stderr, "  n %016llx  s %016llx  block %016llx\n", (unsigned long long)n[i],
                (unsigned long long)lane->signature[i], (unsigned long long)lane->block[i]);
}

/* One call: cases and keys from `first` on. */
static unsigned run_call(const struct rsa_kernel *kernel, unsigned class,
                         const struct rsa_round_keys *keys, const struct rsa_case *step,
                         unsigned first, uint64_t *salt, struct rsa_work *work)
{
    uint32_t want = 0;
    for (unsigned i = 0; i < kernel->lanes; i++) {
        struct rsa_lane *lane = &work->storage[i];
        lane->constants = keys->lanes[first + i];
        memcpy(lane->signature, step[first + i].number, sizeof lane->signature);
        memcpy(lane->block, step[first + i].power, sizeof lane->block);
        want |= (uint32_t)!damage(lane, next(salt)) << i;
        work->lanes[i] = lane;
    }
    uint32_t wrong = kernel->match[class](work) ^ want;
    if (wrong && !rsa_cases_quiet) {
        unsigned at = (unsigned)__builtin_ctz(wrong);
        tell(kernel, &work->storage[at % RSA_LANES_MAX], at, !(want >> at & 1));
    }
    return (unsigned)__builtin_popcount(wrong);
}

unsigned rsa_cases_run(const struct rsa_kernel *kernel, unsigned class,
                       const struct rsa_round_keys *keys, const struct rsa_case step[RSA_LANES_MAX],
                       uint64_t salt, struct rsa_work *work)
{
    unsigned wrong = 0;
    for (unsigned first = 0; first < RSA_LANES_MAX; first += kernel->lanes)
        wrong += run_call(kernel, class, keys, step, first, &salt, work);
    return wrong;
}
