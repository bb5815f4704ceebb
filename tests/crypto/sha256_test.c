/*
 * SHA-256: known answers, peeking, splitting, and every kernel against OpenSSL. Each test runs at
 * all levels of this machine.
 */
#include <criterion/criterion.h>
#include <openssl/evp.h>

#include "crypto/sha256_kernel.h"
#include "simd/kernel.h"
#include "support/guard.h"
#include "support/hex.h"

enum
{
    LENGTHS = 300,
    UNEVEN_CASES = 300,
    UNEVEN_BLOCKS = 40,
};

/* FIPS 180-4 and NIST's example messages, and the edges of a block (55 is the last that fits with
 * its padding). */
static const struct
{
    const char *name, *text;
    unsigned times;
    const char *hash;
} known[] = {
    {"empty", "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"four blocks",
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
     "lmnopqrsmnopqrstnopqrstu",
     1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"one million a", "aaaaaaaaaa", 100000,
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

/* Calls `test` at every level that this machine has. */
static void at_all_levels(void (*test)(const char *level))
{
    for (enum kernel_level level = 0; level < KERNEL_LEVELS; level++)
        if (kernel_force(level))
            test(kernel_level_name(level));
}

static void by_openssl(struct span bytes, uint8_t out[SHA256_BYTES])
{
    unsigned n = 0;
    cr_assert(EVP_Digest(bytes.p, bytes.n, out, &n, EVP_sha256(), NULL) == 1 && n == SHA256_BYTES);
}

static void expect_hash(const char *name, const uint8_t got[SHA256_BYTES], const char *want)
{
    char text[2 * SHA256_BYTES + 1];
    hex_text(span_of(got, SHA256_BYTES), text);
    cr_expect(strcmp(text, want) == 0, "%s: got %s want %s", name, text, want);
}

static void fill(uint8_t *bytes, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static void try_known(const char *level)
{
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        struct sha256 state;
        uint8_t hash[SHA256_BYTES];
        sha256_init(&state);
        for (unsigned k = 0; k < known[i].times; k++)
            sha256_update(&state, span_from_string(known[i].text));
        sha256_peek(&state, hash);
        expect_hash(known[i].name, hash, known[i].hash);
    }
    cr_log_info("%s: %s", level, sha256_kernel_name());
}

Test(sha256, known_answers)
{
    at_all_levels(try_known);
}

/* The level says who computes: scalar is OpenSSL alone. */
Test(sha256, kernel_follows_the_level)
{
    cr_assert(kernel_force(KERNEL_SCALAR));
    cr_expect(strcmp(sha256_kernel_name(), "openssl") == 0);
    if (!kernel_force(KERNEL_AVX2) || !kernel_has(KERNEL_HAS_SHA_NI))
        return;
    cr_expect(strcmp(sha256_kernel_name(), "sha-ni") == 0, "got %s", sha256_kernel_name());
    cr_expect(sha256_chosen() == &sha256_ni);
    if (!kernel_force(KERNEL_AVX512))
        return;
    cr_expect(strcmp(sha256_kernel_name(), "sha-ni") == 0, "got %s", sha256_kernel_name());
    cr_expect(sha256_chosen() == &sha256_ni_avx512);
}

/* Every length up to LENGTHS, from memory that ends at an inaccessible page. */
static void try_lengths(const char *level)
{
    uint8_t bytes[LENGTHS], got[SHA256_BYTES], want[SHA256_BYTES];
    fill(bytes, sizeof bytes, 1);
    struct span guarded = guard_copy(span_of(bytes, sizeof bytes));
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct span text = span_skip(guarded, sizeof bytes - n);
        sha256_of(text, got);
        by_openssl(text, want);
        cr_expect(memcmp(got, want, sizeof got) == 0, "%s, %zu octets", level, n);
    }
}

Test(sha256, every_length)
{
    at_all_levels(try_lengths);
}

/* Whole = every split in two = byte by byte; a peek in the middle disturbs nothing. */
static void try_splits(const char *level)
{
    uint8_t bytes[LENGTHS], hash[SHA256_BYTES], want[SHA256_BYTES], want_part[SHA256_BYTES];
    struct span text = span_of(bytes, sizeof bytes);
    struct sha256 state, copy;
    fill(bytes, sizeof bytes, 2);
    by_openssl(text, want);
    for (size_t at = 0; at <= text.n; at++) {
        sha256_init(&state);
        sha256_update(&state, span_slice(text, 0, at));
        sha256_peek(&state, hash);
        by_openssl(span_slice(text, 0, at), want_part);
        cr_expect(memcmp(hash, want_part, sizeof hash) == 0, "%s: peek after %zu", level, at);
        sha256_peek_with(&state, span_skip(text, at), hash);
        cr_expect(memcmp(hash, want, sizeof hash) == 0, "%s: tail after %zu", level, at);
        copy = state;
        sha256_update(&state, span_skip(text, at));
        sha256_peek(&state, hash);
        cr_expect(memcmp(hash, want, sizeof hash) == 0, "%s: split at %zu", level, at);
        sha256_peek(&copy, hash);
        cr_expect(memcmp(hash, want_part, sizeof hash) == 0, "%s: copy at %zu", level, at);
    }
    sha256_init(&state);
    for (size_t at = 0; at < text.n; at++)
        sha256_update(&state, span_slice(text, at, at + 1));
    sha256_peek(&state, hash);
    cr_expect(memcmp(hash, want, sizeof hash) == 0, "%s: byte by byte", level);
}

Test(sha256, split_anywhere)
{
    at_all_levels(try_splits);
}

/* Padding and text are whole blocks, the padding is the shortest, and nothing behind it is written.
 */
Test(sha256, padding)
{
    for (uint64_t n = 0; n < 200; n++) {
        uint8_t padding[SHA256_PADDING_MAX + 1];
        memset(padding, 0x5a, sizeof padding);
        size_t got = sha256_pad(padding, n);
        cr_expect((n + got) % SHA256_BLOCK_BYTES == 0, "%zu after %zu", got, (size_t)n);
        cr_expect(got >= 9 && got < 9 + SHA256_BLOCK_BYTES, "%zu after %zu", got, (size_t)n);
        cr_expect(padding[0] == 0x80 && padding[got] == 0x5a);
    }
}

/* Lanes of unequal lengths equal one stream after the other: each turn takes what all still have.
 */
static void hash_uneven(const struct sha256_kernel *kernel, unsigned lanes, uint32_t h[][8],
                        const uint8_t *const text[], const size_t blocks[])
{
    size_t done[SHA256_LANES_MAX] = {0};
    for (;;) {
        uint32_t *h_at[SHA256_LANES_MAX];
        const uint8_t *p[SHA256_LANES_MAX];
        size_t least = SIZE_MAX, at[SHA256_LANES_MAX];
        unsigned n = 0;
        for (unsigned i = 0; i < lanes; i++) {
            if (done[i] == blocks[i])
                continue;
            at[n] = i;
            h_at[n] = h[i];
            p[n++] = text[i] + done[i] * SHA256_BLOCK_BYTES;
            least = blocks[i] - done[i] < least ? blocks[i] - done[i] : least;
        }
        if (n == 0)
            return;
        kernel->blocks[n](h_at, p, least);
        while (n--)
            done[at[n]] += least;
    }
}

static void try_uneven(const struct sha256_kernel *kernel, uint32_t seed)
{
    uint8_t bytes[UNEVEN_BLOCKS * SHA256_BLOCK_BYTES];
    uint32_t got[SHA256_LANES_MAX][8], want[SHA256_LANES_MAX][8];
    const uint8_t *text[SHA256_LANES_MAX];
    size_t blocks[SHA256_LANES_MAX];
    unsigned lanes = 1 + seed % SHA256_LANES_MAX;
    for (unsigned i = 0; i < lanes; i++) {
        seed = seed * 1664525 + 1013904223;
        blocks[i] = 1 + (seed >> 16) % UNEVEN_BLOCKS;
        fill(bytes, sizeof bytes, seed);
        text[i] = guard_copy(span_of(bytes, blocks[i] * SHA256_BLOCK_BYTES)).p;
        fill((uint8_t *)got[i], sizeof got[i], ~seed);
        memcpy(want[i], got[i], sizeof want[i]);
        uint32_t *h = want[i];
        sha256_openssl.blocks[1](&h, &text[i], blocks[i]);
    }
    hash_uneven(kernel, lanes, got, text, blocks);
    cr_expect(memcmp(got, want, lanes * sizeof got[0]) == 0, "%s: %u lanes", kernel->name, lanes);
}

Test(sha256, lanes_of_unequal_lengths)
{
    for (uint32_t i = 0; i < UNEVEN_CASES; i++) {
        try_uneven(&sha256_openssl, i);
        if (kernel_has(KERNEL_HAS_SHA_NI))
            try_uneven(&sha256_ni, i);
        if (kernel_has(KERNEL_HAS_SHA_NI) && kernel_has(KERNEL_HAS_AVX512VL))
            try_uneven(&sha256_ni_avx512, i);
    }
}

static void one_wrong_block(uint32_t *const h[], const uint8_t *const p[], size_t blocks)
{
    sha256_openssl.blocks[3](h, p, blocks);
    h[2][7] ^= blocks == 16;
}

/* The check at the start tells a kernel that is wrong in one bit of one lane of a long text. */
Test(sha256, wrong_answers_are_noticed)
{
    struct sha256_kernel wrong = sha256_openssl;
    cr_expect(sha256_kernel_answers_right(&wrong));
    wrong.blocks[3] = one_wrong_block;
    cr_expect(!sha256_kernel_answers_right(&wrong));
}
