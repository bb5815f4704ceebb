/* SHA-256 states: known answers, peeking, splitting, failure. */
#include <criterion/criterion.h>

#include "crypto/digest.h"
#include "support/hex.h"

/* FIPS 180-4 example messages, and the edges of a 64-byte block (55 is the last that fits padding).
 */
static const struct
{
    const char *name, *text, *hash;
} known[] = {
    {"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"four blocks",
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnop"
     "q"
     "rsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

static void expect_hash(const char *name, const uint8_t got[SHA256_BYTES], const char *want)
{
    char text[2 * SHA256_BYTES + 1];
    hex_text(span_of(got, SHA256_BYTES), text);
    cr_expect(strcmp(text, want) == 0, "%s: got %s want %s", name, text, want);
}

Test(digest, known_answers)
{
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        uint8_t hash[SHA256_BYTES];
        cr_assert(digest_sha256(span_from_string(known[i].text), hash));
        expect_hash(known[i].name, hash, known[i].hash);
    }
}

/* Whole, every split in two, byte by byte: the same hash; a peek in the middle disturbs nothing. */
Test(digest, split_anywhere)
{
    struct span text = span_from_string(known[3].text);
    struct digest digest;
    uint8_t hash[SHA256_BYTES], part[SHA256_BYTES], want_part[SHA256_BYTES];
    cr_assert(digest_init(&digest));
    for (size_t at = 0; at <= text.n; at++) {
        digest_reset(&digest);
        digest_update(&digest, span_slice(text, 0, at));
        cr_assert(digest_peek(&digest, part));
        cr_assert(digest_sha256(span_slice(text, 0, at), want_part));
        cr_expect(memcmp(part, want_part, sizeof part) == 0, "peek after %zu bytes", at);
        cr_assert(digest_peek_with(&digest, span_skip(text, at), hash));
        expect_hash("with a tail", hash, known[3].hash);
        digest_update(&digest, span_skip(text, at));
        cr_assert(digest_peek(&digest, hash));
        expect_hash("split", hash, known[3].hash);
    }
    digest_reset(&digest);
    for (size_t at = 0; at < text.n; at++)
        digest_update(&digest, span_slice(text, at, at + 1));
    cr_assert(digest_peek(&digest, hash));
    expect_hash("byte by byte", hash, known[3].hash);
    digest_fini(&digest);
}

/* A failed or finished state gives no hash, and nothing that could be compared as one. */
Test(digest, failed_state_gives_nothing)
{
    struct digest digest;
    uint8_t hash[SHA256_BYTES] = {0x77};
    cr_assert(digest_init(&digest));
    digest.failed = true;
    digest_update(&digest, SPAN("abc"));
    cr_expect(!digest_peek(&digest, hash));
    cr_expect(hash[0] == 0x77, "output was touched");
    digest_fini(&digest);
    cr_expect(!digest_peek(&digest, hash));
    digest_fini(&digest); /* twice is fine */
    cr_expect(hash[0] == 0x77, "output was touched");
}
