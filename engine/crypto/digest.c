/*
 * SHA-256 on OpenSSL's EVP calls.
 *
 * The algorithm is fetched once per process: a fetch per hash costs a lock and a search in the
 * provider store, more than hashing a short header. A state holds two contexts, the running one and
 * one that digest_peek finishes in its place, so that a peek allocates once per state at most.
 *
 * BUGS: no other digest. rsa-sha1 is reported by its name and never computed (DV-9).
 */
#include "crypto/digest.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "crypto/openssl.h"

struct digest_state
{
    EVP_MD_CTX *running; /* owned */
    EVP_MD_CTX *scratch; /* owned; NULL until the first peek */
};

static struct digest_state *digest_state_new(void)
{
    struct digest_state *state = calloc(1, sizeof *state);
    if (!state)
        return NULL;
    state->running = EVP_MD_CTX_new();
    if (state->running && EVP_DigestInit_ex(state->running, openssl_sha256(), NULL) == 1)
        return state;
    EVP_MD_CTX_free(state->running);
    free(state);
    return NULL;
}

bool digest_init(struct digest *digest)
{
    digest->context = openssl_sha256() ? digest_state_new() : NULL;
    digest->failed = !digest->context;
    if (digest->failed)
        openssl_forget_errors();
    return !digest->failed;
}

static void digest_check(struct digest *digest, int status)
{
    if (status == 1)
        return;
    digest->failed = true;
    openssl_forget_errors();
}

void digest_update(struct digest *digest, struct span bytes)
{
    struct digest_state *state = digest->context;
    if (digest->failed || bytes.n == 0)
        return;
    digest_check(digest, EVP_DigestUpdate(state->running, bytes.p, bytes.n));
}

static bool digest_finish_copy(struct digest_state *state, struct span tail,
                               uint8_t out[SHA256_BYTES])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!state->scratch)
        state->scratch = EVP_MD_CTX_new();
    if (!state->scratch || EVP_MD_CTX_copy_ex(state->scratch, state->running) != 1)
        return false;
    if (tail.n && EVP_DigestUpdate(state->scratch, tail.p, tail.n) != 1)
        return false;
    if (EVP_DigestFinal_ex(state->scratch, hash, &n) != 1 || n != SHA256_BYTES)
        return false;
    memcpy(out, hash, SHA256_BYTES);
    return true;
}

bool digest_peek_with(const struct digest *digest, struct span tail, uint8_t out[SHA256_BYTES])
{
    if (digest->failed)
        return false;
    if (digest_finish_copy(digest->context, tail, out))
        return true;
    openssl_forget_errors();
    return false;
}

bool digest_peek(const struct digest *digest, uint8_t out[SHA256_BYTES])
{
    return digest_peek_with(digest, (struct span){NULL, 0}, out);
}

bool digest_copy(const struct digest *from, struct digest *to)
{
    const struct digest_state *source = from->context;
    struct digest_state *state = to->context;
    if (from->failed || !state)
        return false;
    to->failed = false;
    digest_check(to, EVP_MD_CTX_copy_ex(state->running, source->running));
    return !to->failed;
}

void digest_reset(struct digest *digest)
{
    struct digest_state *state = digest->context;
    if (!state)
        return;
    digest->failed = false;
    digest_check(digest, EVP_DigestInit_ex(state->running, openssl_sha256(), NULL));
}

void digest_fini(struct digest *digest)
{
    struct digest_state *state = digest->context;
    if (state) {
        EVP_MD_CTX_free(state->running);
        EVP_MD_CTX_free(state->scratch);
        free(state);
    }
    *digest = (struct digest){.context = NULL, .failed = true};
}

bool digest_sha256(struct span bytes, uint8_t out[SHA256_BYTES])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    const EVP_MD *md = openssl_sha256();
    if (md && EVP_Digest(bytes.p, bytes.n, hash, &n, md, NULL) == 1 && n == SHA256_BYTES) {
        memcpy(out, hash, SHA256_BYTES);
        return true;
    }
    openssl_forget_errors();
    return false;
}
