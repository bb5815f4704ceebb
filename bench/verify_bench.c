/*
 * Verifying RSA signatures: µs a signature by kernel level, size of the key and jobs in one call of
 * verify_many, each beside OpenSSL in the same process; the kernels' own calls; what a key costs to
 * make.
 *
 * Batches are short (about half a millisecond) and many, by turns with OpenSSL's: the best of each
 * counts, since the machine may be shared. ASSAY_BENCH_BATCHES=N: how many (200). All jobs are
 * valid signatures of four keys; every result is checked. ASSAY_BENCH_ONLY=1024|2048|3072|4096:
 * this size only.
 *
 *   verify_bench [--json]
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "crypto/key_parts.h"
#include "crypto/rsa.h"
#include "crypto/sign.h"
#include "simd/kernel.h"

enum
{
    KEYS = 4, /* made anew: a large one takes seconds */
    JOBS = 16,
    SIGNATURE_BYTES = 512,
    BATCH_NS = 500000,
};

static const unsigned job_counts[] = {1, 2, 3, 4, 5, 6, 8, 12, 16};

struct set /* of one size */
{
    unsigned bits;
    struct buffer public[KEYS];
    struct buffer signature[KEYS];
    uint8_t digest[KEYS][SHA256_BYTES];
    struct public_key *keys[KEYS];
    struct verify_job jobs[JOBS];
};

typedef void measured(struct set *set, unsigned count);

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "verify_bench: %s\n", what);
    exit(1);
}

static void set_make(struct set *set, unsigned bits)
{
    *set = (struct set){.bits = bits};
    for (unsigned i = 0; i < KEYS; i++) {
        struct private_key *key = private_key_generate(KEY_RSA, bits);
        buffer_init(&set->public[i], 4096);
        buffer_init(&set->signature[i], 4096);
        memset(set->digest[i], (int)i + 1, SHA256_BYTES);
        must(key && private_key_public(key, &set->public[i]) &&
                 private_key_sign(key, set->digest[i], &set->signature[i]),
             "no key");
        private_key_free(&key);
    }
}

/* Keys as they are made at the level in use. */
static void set_keys(struct set *set)
{
    for (unsigned i = 0; i < KEYS; i++) {
        public_key_unref(&set->keys[i]);
        must(public_key_from_rsa(buffer_span(&set->public[i]), &set->keys[i]) == KEY_OK, "no key");
    }
    for (unsigned i = 0; i < JOBS; i++) {
        struct verify_job *job = &set->jobs[i];
        *job = (struct verify_job){.key = set->keys[i % KEYS],
                                   .signature = buffer_span(&set->signature[i % KEYS])};
        memcpy(job->digest, set->digest[i % KEYS], SHA256_BYTES);
    }
}

static void set_free(struct set *set)
{
    for (unsigned i = 0; i < KEYS; i++) {
        public_key_unref(&set->keys[i]);
        buffer_fini(&set->public[i]);
        buffer_fini(&set->signature[i]);
    }
}

static void by_verify_many(struct set *set, unsigned count)
{
    verify_many(set->jobs, count);
    for (unsigned i = 0; i < count; i++)
        must(set->jobs[i].result == VERIFY_PASS, "a signature does not verify");
}

static void by_openssl(struct set *set, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        must(rsa_verify(set->jobs[i].key, set->jobs[i].digest, set->jobs[i].signature) ==
                 VERIFY_PASS,
             "a signature does not verify");
}

static void make_key(struct set *set, unsigned count)
{
    struct public_key *key;
    (void)count;
    must(public_key_from_rsa(buffer_span(&set->public[0]), &key) == KEY_OK, "no key");
    public_key_unref(&key);
}

static void make_constants(struct set *set, unsigned count)
{
    static uint64_t made[4096 / 8];
    const struct public_key *key = set->keys[0];
    (void)count;
    if (key->lanes && rsa_constants_bytes(key->lanes->shape) <= sizeof made)
        rsa_constants_make(key->lanes->shape, key->modulus, (struct rsa_constants *)(void *)made);
    bench_keep(made);
}

static uint64_t time_batch(measured *call, struct set *set, unsigned count, unsigned calls)
{
    uint64_t begin = bench_now_ns();
    for (unsigned i = 0; i < calls; i++)
        call(set, count);
    return bench_now_ns() - begin;
}

/* Nanoseconds a call: the best batch of each, by turns. `second` may be NULL. */
static void compare(measured *first, measured *second, struct set *set, unsigned count,
                    double best[2])
{
    const char *text = getenv("ASSAY_BENCH_BATCHES");
    unsigned batches = text ? (unsigned)strtoul(text, NULL, 10) : 200;
    measured *const calls[2] = {first, second};
    unsigned repeat[2] = {1, 1};
    best[0] = best[1] = 1e18;
    for (unsigned k = 0; k < 2 && calls[k]; k++)
        repeat[k] = 1 + (unsigned)(BATCH_NS / (1 + time_batch(calls[k], set, count, 1)));
    for (unsigned i = 0; i < batches; i++) {
        for (unsigned k = 0; k < 2 && calls[k]; k++) {
            double ns = (double)time_batch(calls[k], set, count, repeat[k]) / repeat[k];
            best[k] = ns < best[k] ? ns : best[k];
        }
    }
}

static bool json;

static void row(const char *level, unsigned bits, unsigned count, const double best[2])
{
    double ours = best[0] / count / 1e3, theirs = best[1] / count / 1e3;
    if (json)
        printf("{\"level\":\"%s\",\"kernel\":\"%s\",\"bits\":%u,\"jobs\":%u,\"us_per_signature\":"
               "%.3f,\"us_per_call\":%.3f,\"openssl_us_per_signature\":%.3f}\n",
               level, verify_kernel_name(), bits, count, ours, best[0] / 1e3, theirs);
    else
        printf("%-8s %-8s %5u %5u %12.3f %12.2f %12.3f %8.2fx\n", level, verify_kernel_name(), bits,
               count, ours, best[0] / 1e3, theirs, theirs / ours);
    fflush(stdout);
}

static void key_row(const char *level, struct set *set)
{
    double key[2], constants[2];
    compare(make_key, NULL, set, 1, key);
    compare(make_constants, NULL, set, 1, constants);
    if (json)
        printf("{\"level\":\"%s\",\"bits\":%u,\"key_us\":%.3f,\"constants_us\":%.3f,\"key_bytes\":"
               "%zu}\n",
               level, set->bits, key[0] / 1e3, constants[0] / 1e3, public_key_bytes(set->keys[0]));
    else
        printf("%-8s key of %u bits: %.2f µs, of which constants %.2f µs; %zu bytes\n", level,
               set->bits, key[0] / 1e3, constants[0] / 1e3, public_key_bytes(set->keys[0]));
}

static void measure_level(enum kernel_level level, struct set *set)
{
    double best[2];
    if (!kernel_force(level))
        return;
    set_keys(set);
    for (size_t i = 0; i < COUNT_OF(job_counts); i++) {
        compare(by_verify_many, by_openssl, set, job_counts[i], best);
        row(kernel_level_name(level), set->bits, job_counts[i], best);
    }
    key_row(kernel_level_name(level), set);
}

static bool wanted(unsigned bits)
{
    const char *only = getenv("ASSAY_BENCH_ONLY");
    return !only || strtoul(only, NULL, 10) == bits;
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {1024, 2048, 3072, 4096};
    static struct set set;
    json = argc > 1 && strcmp(argv[1], "--json") == 0;
    verify_set_check(UINT32_MAX); /* kernels alone: the second look adds 1 in 1,024 of OpenSSL */
    if (!json)
        printf("\nRSA signatures\n%-8s %-8s %5s %5s %12s %12s %12s %9s\n", "level", "kernel",
               "bits", "jobs", "us/signature", "us/call", "OpenSSL", "");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        if (!wanted(sizes[i]))
            continue;
        set_make(&set, sizes[i]);
        measure_level(KERNEL_AVX512, &set);
        measure_level(KERNEL_AVX2, &set);
        measure_level(KERNEL_SCALAR, &set);
        set_free(&set);
    }
    return 0;
}
