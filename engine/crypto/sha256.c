/*
 * SHA-256 (FIPS 180-4) as it streams: whole blocks go to the chosen kernel where they lie, what is
 * left over waits in the state. Padding is written here and nowhere else.
 */
#include "crypto/sha256.h"

#include "crypto/sha256_kernel.h"

const uint32_t sha256_start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

const uint32_t sha256_constants[64] __attribute__((aligned(64))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

void sha256_init(struct sha256 *state)
{
    memcpy(state->h, sha256_start, sizeof state->h);
    state->bytes = 0;
}

static void hash_blocks(uint32_t h[8], const uint8_t *p, size_t blocks)
{
    if (blocks)
        sha256_chosen()->blocks[1](&h, &p, blocks);
}

/* Fills the begun block; returns how many octets it took. */
static size_t fill_block(struct sha256 *state, struct span bytes)
{
    size_t begun = state->bytes % SHA256_BLOCK_BYTES;
    size_t n = begun ? SHA256_BLOCK_BYTES - begun : 0;
    if (n > bytes.n)
        n = bytes.n;
    if (n == 0)
        return 0;
    memcpy(state->block + begun, bytes.p, n);
    if (begun + n == SHA256_BLOCK_BYTES)
        hash_blocks(state->h, state->block, 1);
    return n;
}

void sha256_update(struct sha256 *state, struct span bytes)
{
    size_t taken = fill_block(state, bytes);
    state->bytes += bytes.n;
    bytes = span_skip(bytes, taken);
    if (bytes.n == 0)
        return;
    size_t left = bytes.n % SHA256_BLOCK_BYTES;
    hash_blocks(state->h, bytes.p, bytes.n / SHA256_BLOCK_BYTES);
    if (left)
        memcpy(state->block, bytes.p + bytes.n - left, left);
}

size_t sha256_pad(uint8_t *out, uint64_t bytes)
{
    size_t begun = bytes % SHA256_BLOCK_BYTES;
    size_t n = SHA256_BLOCK_BYTES - begun;
    if (n < 1 + sizeof bytes)
        n += SHA256_BLOCK_BYTES;
    uint64_t bits = __builtin_bswap64(bytes * 8);
    memset(out, 0, n);
    out[0] = 0x80;
    memcpy(out + n - sizeof bits, &bits, sizeof bits);
    return n;
}

void sha256_give(const uint32_t h[8], uint8_t out[SHA256_BYTES])
{
    for (size_t i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(h[i]);
        memcpy(out + 4 * i, &word, sizeof word);
    }
}

void sha256_peek(const struct sha256 *state, uint8_t out[SHA256_BYTES])
{
    uint8_t last[2 * SHA256_BLOCK_BYTES];
    uint32_t h[8];
    size_t begun = state->bytes % SHA256_BLOCK_BYTES;
    memcpy(h, state->h, sizeof h);
    memcpy(last, state->block, begun);
    size_t n = begun + sha256_pad(last + begun, state->bytes);
    hash_blocks(h, last, n / SHA256_BLOCK_BYTES);
    sha256_give(h, out);
}

void sha256_peek_with(const struct sha256 *state, struct span tail, uint8_t out[SHA256_BYTES])
{
    struct sha256 copy = *state;
    sha256_update(&copy, tail);
    sha256_peek(&copy, out);
}

void sha256_of(struct span bytes, uint8_t out[SHA256_BYTES])
{
    struct sha256 state;
    sha256_init(&state);
    sha256_update(&state, bytes);
    sha256_peek(&state, out);
}

const char *sha256_kernel_name(void)
{
    return sha256_chosen()->name;
}
