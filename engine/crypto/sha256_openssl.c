/*
 * SHA-256 blocks by OpenSSL.
 *
 * The low-level calls, which OpenSSL 3 calls deprecated: they work on memory of ours, cannot fail
 * and allocate nothing, where EVP needs two contexts per state. They choose the fastest assembly
 * for the processor themselves.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>

#include "crypto/sha256_kernel.h"

static void blocks_one(uint32_t *h, const uint8_t *p, size_t blocks)
{
    SHA256_CTX context = {.num = 0, .md_len = SHA256_DIGEST_LENGTH};
    STATIC_ASSERT(sizeof context.h == 8 * sizeof *h);
    memcpy(context.h, h, sizeof context.h);
    (void)SHA256_Update(&context, p, blocks * SHA256_BLOCK_BYTES); /* always 1 */
    memcpy(h, context.h, sizeof context.h);
}

static void blocks_1(uint32_t *const h[], const uint8_t *const p[], size_t blocks)
{
    blocks_one(h[0], p[0], blocks);
}

static void blocks_2(uint32_t *const h[], const uint8_t *const p[], size_t blocks)
{
    blocks_1(h, p, blocks);
    blocks_1(h + 1, p + 1, blocks);
}

static void blocks_3(uint32_t *const h[], const uint8_t *const p[], size_t blocks)
{
    blocks_2(h, p, blocks);
    blocks_1(h + 2, p + 2, blocks);
}

static void blocks_4(uint32_t *const h[], const uint8_t *const p[], size_t blocks)
{
    blocks_2(h, p, blocks);
    blocks_2(h + 2, p + 2, blocks);
}

const struct sha256_kernel sha256_openssl = {
    .name = "openssl",
    .lanes = 1,
    .blocks = {NULL, blocks_1, blocks_2, blocks_3, blocks_4},
};
