/*
 * Which kernel hashes: SHA-NI, with as many registers as the level in use allows (simd/kernel.h),
 * where it gave right answers when it was first asked for; else OpenSSL's.
 */
#include <stdatomic.h>

#include "crypto/sha256_kernel.h"
#include "simd/kernel.h"

enum
{
    TEXT_BYTES = 16 * SHA256_BLOCK_BYTES,
};

/* Words of one kernel's lanes against OpenSSL's one after the other, from different starts. */
static bool lanes_answer_right(const struct sha256_kernel *kernel, unsigned lanes,
                               const uint8_t *text, size_t blocks)
{
    uint32_t got[SHA256_LANES_MAX][8], want[SHA256_LANES_MAX][8];
    uint32_t *got_at[SHA256_LANES_MAX], *want_at[SHA256_LANES_MAX];
    const uint8_t *p[SHA256_LANES_MAX];
    for (unsigned i = 0; i < lanes; i++) {
        for (unsigned k = 0; k < 8; k++)
            got[i][k] = want[i][k] = sha256_start[(k + i) % 8] * (i + 1);
        got_at[i] = got[i];
        want_at[i] = want[i];
        p[i] = text + i; /* not aligned */
    }
    kernel->blocks[lanes](got_at, p, blocks);
    sha256_openssl.blocks[lanes](want_at, p, blocks);
    return memcmp(got, want, lanes * sizeof got[0]) == 0;
}

bool sha256_kernel_answers_right(const struct sha256_kernel *kernel)
{
    /* FIPS 180-4: "abc". */
    static const uint32_t known[8] = {
        0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
        0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad,
    };
    uint8_t text[TEXT_BYTES + SHA256_LANES_MAX];
    uint32_t h[8], *h_at = h;
    const uint8_t *p = text;
    memcpy(h, sha256_start, sizeof h);
    memcpy(text, "abc", 3);
    (void)sha256_pad(text + 3, 3);
    kernel->blocks[1](&h_at, &p, 1);
    if (memcmp(h, known, sizeof h) != 0)
        return false;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 167 + (i >> 5));
    for (unsigned lanes = 1; lanes <= SHA256_LANES_MAX; lanes++)
        for (size_t blocks = 1; blocks <= TEXT_BYTES / SHA256_BLOCK_BYTES; blocks *= 4)
            if (!lanes_answer_right(kernel, lanes, text, blocks))
                return false;
    return true;
}

enum outcome
{
    UNTRIED = 0,
    RIGHT,
    WRONG,
};

/* The kernel has been tried: right, or never to be used. Threads that come first together find the
 * same. */
static bool is_right(const struct sha256_kernel *kernel, _Atomic int *outcome)
{
    int now = atomic_load_explicit(outcome, memory_order_relaxed);
    if (now == UNTRIED) {
        now = sha256_kernel_answers_right(kernel) ? RIGHT : WRONG;
        atomic_store_explicit(outcome, now, memory_order_relaxed);
    }
    return now == RIGHT;
}

const struct sha256_kernel *sha256_chosen(void)
{
    static _Atomic int avx512, sse; /* enum outcome */
    if (!kernel_has(KERNEL_HAS_SHA_NI))
        return &sha256_openssl;
    if (kernel_has(KERNEL_HAS_AVX512VL) && is_right(&sha256_ni_avx512, &avx512))
        return &sha256_ni_avx512;
    return is_right(&sha256_ni, &sse) ? &sha256_ni : &sha256_openssl;
}
