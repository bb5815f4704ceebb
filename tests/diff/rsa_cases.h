/*
 * Cases for the RSA kernels: odd moduli, numbers below them and what these are to the power 65537,
 * computed by OpenSSL's BN. The same seed, size and round give the same cases.
 *
 * A round has eight lanes with a modulus each (RSA_ROUND_STEPS cases to a modulus). Moduli are
 * random, all ones, 2^k - small, 2^k + small, of digits that are zero or all ones, of long runs of
 * ones and zeros, or end in 00..01 or ff..ff; three in four have the full size of the class.
 *
 * Cheap and still independent: only some powers of a lane are exponentiations (numbers of those
 * same kinds, numbers that are of those kinds in Montgomery's form, 0, 1, n-1, n/2 and others). For
 * the negative of a number the power is the negative. The rest is a walk: the number and its power
 * are multiplied by a known number and its power. The end of every walk is exponentiated again.
 */
#ifndef DIFF_RSA_CASES_H
#define DIFF_RSA_CASES_H

#include "crypto/rsa_lanes.h"

enum
{
    RSA_ROUND_STEPS = 256,
    RSA_ROUND_CASES = RSA_ROUND_STEPS * RSA_LANES_MAX,
    RSA_CASES_BYTES_MAX = 512,
};

struct rsa_case
{
    uint64_t number[RSA_LIMBS_MAX], power[RSA_LIMBS_MAX];
};

struct rsa_cases; /* opaque */

/* Of a class of 1024, 2048, 3072 or 4096 bits. Ends the process without memory. */
struct rsa_cases *rsa_cases_new(unsigned bits, uint64_t seed);
void rsa_cases_free(struct rsa_cases **cases);
/* Begins a round: new moduli. */
void rsa_cases_round(struct rsa_cases *cases, uint64_t round);
/* Of the running round; borrowed, big-endian. */
struct span rsa_cases_modulus(const struct rsa_cases *cases, unsigned lane);
/* The next case of every lane. Called RSA_ROUND_STEPS times a round. */
void rsa_cases_step(struct rsa_cases *cases, struct rsa_case out[RSA_LANES_MAX]);

/* A family's constants of the round's moduli. */
struct rsa_round_keys
{
    struct rsa_constants *lanes[RSA_LANES_MAX]; /* owned */
};
void rsa_round_keys_make(struct rsa_round_keys *keys, const struct rsa_family *family,
                         const struct rsa_cases *cases);
void rsa_round_keys_free(struct rsa_round_keys *keys);

/* Tests that expect faults: nothing is told. */
extern bool rsa_cases_quiet;

/*
 * Runs one step through a kernel: about a third of the lanes get a block or a number with one bit
 * changed, by `salt`. Returns how many lanes were judged wrong; the first is told to stderr.
 */
unsigned rsa_cases_run(const struct rsa_kernel *kernel, unsigned class,
                       const struct rsa_round_keys *keys, const struct rsa_case step[RSA_LANES_MAX],
                       uint64_t salt, struct rsa_work *work);

#endif
