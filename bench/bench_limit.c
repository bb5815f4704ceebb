/* Plain hashing and bare signature checks: what no verifier can go below. */
#include "bench/bench_limit.h"

#include <stdio.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "crypto/sha256_kernel.h"

enum
{
    HASH_BYTES = 2 * 1024 * 1024, /* of one batch, about */
    SIGNATURE_MAX = 512,
};

static struct public_key *public_of(const struct private_key *private)
{
    struct public_key *public = NULL;
    struct buffer raw;
    buffer_init(&raw, 4096);
    if (!private_key_public(private, &raw) ||
        (private_key_type(private) == KEY_RSA
             ? public_key_from_rsa(buffer_span(&raw), &public)
             : public_key_from_ed25519(buffer_span(&raw), &public)) != KEY_OK)
        load_stop("a key of ours is refused");
    buffer_fini(&raw);
    return public;
}

static void make_job(struct bench_limit *limit, const struct mail_set_kind *kind, unsigned i,
                     const char *keys)
{
    const struct private_key *private = mail_set_key(kind, i, keys);
    struct verify_job *job = &limit->jobs[i];
    char text[32];
    size_t begin = limit->signatures.n;
    int n = snprintf(text, sizeof text, "text number %u", i);
    sha256_of(span_of(text, (size_t)n), job->digest);
    if (!private_key_sign(private, job->digest, &limit->signatures))
        load_stop("cannot sign");
    limit->keys[i] = public_of(private);
    job->key = limit->keys[i];
    job->signature = span_of(limit->signatures.p + begin, limit->signatures.n - begin);
}

void bench_limit_open(struct bench_limit *limit, const struct mail_set *set, const char *keys)
{
    *limit = (struct bench_limit){.set = set};
    buffer_init(&limit->signatures, BENCH_LIMIT_JOBS * SIGNATURE_MAX);
    if (!buffer_reserve(&limit->signatures,
                        BENCH_LIMIT_JOBS * SIGNATURE_MAX)) /* jobs point into it */
        load_stop("no memory");
    for (unsigned i = 0; i < BENCH_LIMIT_JOBS; i++)
        make_job(limit, set->kind, i, keys);
}

void bench_limit_close(struct bench_limit *limit)
{
    for (unsigned i = 0; i < BENCH_LIMIT_JOBS; i++)
        public_key_unref(&limit->keys[i]);
    buffer_fini(&limit->signatures);
}

/* As many of the set's messages side by side as is fastest: the whole blocks that all of them have.
 * Returns how many octets. */
static uint64_t hash_lanes(struct bench_limit *limit)
{
    const struct sha256_kernel *kernel = sha256_chosen();
    uint32_t h[SHA256_LANES_MAX][8];
    uint32_t *h_at[SHA256_LANES_MAX];
    const uint8_t *p[SHA256_LANES_MAX];
    size_t blocks = SIZE_MAX;
    for (unsigned i = 0; i < kernel->lanes; i++) {
        const struct mail_set_message *message = &limit->set->messages[limit->next];
        limit->next = (limit->next + 1) % limit->set->count;
        memcpy(h[i], sha256_start, sizeof h[i]);
        h_at[i] = h[i];
        p[i] = message->text;
        blocks = message->bytes / SHA256_BLOCK_BYTES < blocks ? message->bytes / SHA256_BLOCK_BYTES
                                                              : blocks;
    }
    kernel->blocks[kernel->lanes](h_at, p, blocks);
    bench_keep(h);
    return (uint64_t)kernel->lanes * blocks * SHA256_BLOCK_BYTES;
}

uint64_t bench_limit_hash(void *context)
{
    uint64_t bytes = 0;
    while (bytes < HASH_BYTES)
        bytes += hash_lanes(context);
    return bytes;
}

uint64_t bench_limit_verify(void *context)
{
    struct bench_limit *limit = context;
    for (unsigned i = 0; i < BENCH_LIMIT_JOBS; i++)
        limit->jobs[i].result = VERIFY_UNSET;
    verify_many(limit->jobs, BENCH_LIMIT_JOBS);
    for (unsigned i = 0; i < BENCH_LIMIT_JOBS; i++)
        if (limit->jobs[i].result != VERIFY_PASS)
            load_stop("a signature of ours fails");
    return BENCH_LIMIT_JOBS;
}
