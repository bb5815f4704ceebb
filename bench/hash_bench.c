/*
 * SHA-256, GB/s: OpenSSL's EVP, then one to four streams of the kernel in use, by size of text; and
 * relaxed bodies with their hash, for one to eight messages through a queue.
 *
 * Best of many short batches: on a machine with neighbours everything else measures the neighbours.
 * The work done is printed, and a digest of it, which must be the same in every column of a row.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "bench/bench.h"
#include "crypto/hash_queue.h"
#include "mail/body.h"
#include "simd/kernel.h"

enum
{
    TEXT_BYTES = 1024 * 1024,
    MESSAGES_MAX = 8,
    BATCH_NS = 50 * 1000,
    FOR_MS = 150,
};

struct job
{
    size_t bytes;   /* of one text */
    unsigned lanes; /* 0: EVP */
    uint8_t digest[SHA256_BYTES];
    uint64_t hashed;
};

static uint8_t texts[SHA256_LANES_MAX][TEXT_BYTES + SHA256_PADDING_MAX];
static EVP_MD *evp_sha256;
static EVP_MD_CTX *evp_context;

/* --- texts --- */

static void hash_evp(struct job *job)
{
    unsigned n = 0;
    if (EVP_DigestInit_ex(evp_context, evp_sha256, NULL) != 1 ||
        EVP_DigestUpdate(evp_context, texts[0], job->bytes) != 1 ||
        EVP_DigestFinal_ex(evp_context, job->digest, &n) != 1)
        exit(1);
    job->hashed += job->bytes;
}

/* All texts hold the same octets, so the first lane's digest stands for all. */
static void hash_lanes(struct job *job)
{
    const struct sha256_kernel *kernel = sha256_chosen();
    uint32_t h[SHA256_LANES_MAX][8], *h_at[SHA256_LANES_MAX];
    const uint8_t *p[SHA256_LANES_MAX];
    size_t n = job->bytes;
    for (unsigned i = 0; i < job->lanes; i++) {
        memcpy(h[i], sha256_start, sizeof h[i]);
        h_at[i] = h[i];
        p[i] = texts[i];
    }
    kernel->blocks[job->lanes](h_at, p, n / SHA256_BLOCK_BYTES);
    uint8_t last[SHA256_PADDING_MAX]; /* sizes are whole blocks: padding is one more, the same */
    (void)sha256_pad(last, n);
    for (unsigned i = 0; i < job->lanes; i++)
        p[i] = last;
    kernel->blocks[job->lanes](h_at, p, 1);
    sha256_give(h[0], job->digest);
    job->hashed += job->lanes * n;
}

static void hash_text(void *context)
{
    struct job *job = context;
    if (job->lanes)
        hash_lanes(job);
    else
        hash_evp(job);
}

/* Best of many batches; GB/s. */
static double best_rate(bench_call *call, void *context, const uint64_t *bytes)
{
    double best = 0;
    uint64_t stop = bench_now_ns() + (uint64_t)FOR_MS * 1000000;
    while (bench_now_ns() < stop) {
        uint64_t begin = bench_now_ns(), before = *bytes, ns;
        do
            call(context);
        while ((ns = bench_now_ns() - begin) < BATCH_NS);
        double rate = (double)(*bytes - before) / (double)ns;
        best = rate > best ? rate : best;
    }
    return best;
}

static void run_texts(size_t bytes)
{
    uint8_t want[SHA256_BYTES];
    uint64_t hashed = 0;
    printf("%9zu octets", bytes);
    sha256_of(span_of(texts[0], bytes), want);
    for (unsigned lanes = 0; lanes <= SHA256_LANES_MAX; lanes++) {
        struct job job = {.bytes = bytes, .lanes = lanes};
        printf(" %6.2f", best_rate(hash_text, &job, &job.hashed));
        if (memcmp(job.digest, want, sizeof want) != 0)
            exit(1);
        hashed += job.hashed;
    }
    printf(" %9.1f MB  %02x%02x%02x%02x\n", (double)hashed / 1e6, want[0], want[1], want[2],
           want[3]);
    fflush(stdout);
}

/* --- bodies --- */

struct bodies
{
    unsigned count;
    bool queued;
    struct hash_queue queue;
    struct span text;
    size_t apart; /* from one message's text to the next one's; 0: all are the same */
    struct mail_anomalies anomalies;
    struct limit_hits hits;
    struct body_hasher hashers[MESSAGES_MAX];
    uint8_t digest[SHA256_BYTES];
    uint64_t bytes;
};

static void hash_bodies(void *context)
{
    struct bodies *bodies = context;
    for (unsigned i = 0; i < bodies->count; i++) {
        struct body_hasher *hasher = &bodies->hashers[i];
        body_hasher_init(hasher, &bodies->anomalies, &bodies->hits);
        if (bodies->queued)
            body_hasher_lend_queue(hasher, &bodies->queue);
        if (body_hasher_want(hasher, CANON_RELAXED, BODY_WHOLE) != 0)
            exit(1);
        body_hasher_feed(hasher, span_of(bodies->text.p + i * bodies->apart, bodies->text.n));
        body_hasher_end(hasher);
    }
    if (bodies->queued)
        hash_queue_run(&bodies->queue);
    for (unsigned i = 0; i < bodies->count; i++) {
        body_hasher_settle(&bodies->hashers[i]);
        memcpy(bodies->digest, bodies->hashers[i].hashes[0].sha256, SHA256_BYTES);
        bodies->bytes += bodies->text.n;
    }
}

static void run_bodies(const char *name, struct span text, size_t apart)
{
    static struct bodies bodies; /* large */
    printf("%-16s", name);
    for (unsigned count = 0; count <= MESSAGES_MAX; count++) {
        bodies = (struct bodies){
            .count = count ? count : 1, .queued = count > 0, .text = text, .apart = apart};
        hash_queue_init(&bodies.queue);
        printf(" %6.2f", best_rate(hash_bodies, &bodies, &bodies.bytes));
        hash_queue_fini(&bodies.queue);
    }
    printf("  %02x%02x%02x%02x\n", bodies.digest[0], bodies.digest[1], bodies.digest[2],
           bodies.digest[3]);
    fflush(stdout);
}

static struct span prose(size_t n, const char *line)
{
    static uint8_t text[MESSAGES_MAX][TEXT_BYTES];
    size_t length = strlen(line);
    for (unsigned k = 0; k < MESSAGES_MAX; k++) {
        for (size_t i = 0; i < n; i++)
            text[k][i] = (uint8_t)line[i % length];
        memcpy(text[k] + n - 2, "\r\n", 2);
    }
    return span_of(text[0], n);
}

int main(void)
{
    static const size_t sizes[] = {256, 2048, 10 * 1024, 75 * 1024, TEXT_BYTES};
    char level[KERNEL_TEXT_MAX];
    evp_sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    evp_context = EVP_MD_CTX_new();
    if (!evp_sha256 || !evp_context)
        return 1;
    for (unsigned i = 0; i < SHA256_LANES_MAX; i++)
        for (size_t k = 0; k < TEXT_BYTES; k++)
            texts[i][k] = (uint8_t)(k * 2654435761u >> 24);
    kernel_describe(level);
    printf("\nSHA-256, GB/s, best batch; level %s, %s\n%16s %6s %6s %6s %6s %6s\n", level,
           sha256_kernel_name(), "", "EVP", "x1", "x2", "x3", "x4");
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        run_texts(sizes[i]);
    printf(
        "\nrelaxed body and its hash, GB/s of raw body; at once, then queues of 1 to 8 messages\n"
        "%16s %6s %6d %6d %6d %6d %6d %6d %6d %6d\n",
        "", "alone", 1, 2, 3, 4, 5, 6, 7, 8);
    static const char clean[] =
        "The quick brown fox jumps over the lazy dog, and does so again.\r\n";
    static const char shrinks[] =
        "The quick brown fox jumps over the lazy dog, and does so again. \r\n";
    run_bodies("2 KB, shrinks", prose(2 * 1024, shrinks), 0);
    run_bodies("10 KB, shrinks", prose(10 * 1024, shrinks), 0);
    run_bodies("10 KB", prose(10 * 1024, clean), 0);
    run_bodies("75 KB", prose(75 * 1024, clean), 0);
    run_bodies("1 MB", prose(TEXT_BYTES, clean), 0);
    run_bodies("1 MB, each its", prose(TEXT_BYTES, clean), TEXT_BYTES);
    EVP_MD_CTX_free(evp_context);
    EVP_MD_free(evp_sha256);
    return 0;
}
