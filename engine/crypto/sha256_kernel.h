/*
 * The functions that hash whole blocks, one stream or several side by side, and the choice among
 * them. Only for this folder, its tests and its bench.
 *
 * One stream is bound by the latency of the round instruction; the others fill the gaps. GB/s on a
 * Zen 4 server core (bench/hash_bench, 75 KB texts, gcc 12, 2026-11-22): OpenSSL's EVP 1.83, one
 * stream 1.83, two 3.64, three 4.43, four 4.65.
 */
#ifndef CRYPTO_SHA256_KERNEL_H
#define CRYPTO_SHA256_KERNEL_H

#include "crypto/sha256.h"

enum
{
    SHA256_LANES_MAX = 4,
};

/* Hashes `blocks` blocks of every lane, blocks > 0: h[i] over p[i]. Lanes are distinct. */
typedef void sha256_blocks(uint32_t *const h[], const uint8_t *const p[], size_t blocks);

struct sha256_kernel
{
    const char *name;
    unsigned lanes;                              /* side by side, where it is fastest */
    sha256_blocks *blocks[SHA256_LANES_MAX + 1]; /* by number of lanes; [0] is NULL */
};

extern const uint32_t sha256_start[8];
extern const uint32_t sha256_constants[64];

/* OpenSSL's, one lane after the other. Always there. */
extern const struct sha256_kernel sha256_openssl;
/* For processors with KERNEL_HAS_SHA_NI; the other one with KERNEL_HAS_AVX512VL as well. */
extern const struct sha256_kernel sha256_ni;
extern const struct sha256_kernel sha256_ni_avx512;

/* The one in use. */
const struct sha256_kernel *sha256_chosen(void);
/* It hashes one to four lanes of unequal texts as OpenSSL does. */
bool sha256_kernel_answers_right(const struct sha256_kernel *kernel) MUST_CHECK;

#endif
