/*
 * The worker pool in-process: signed messages of 10 KB through 1 and 2 workers, warm cache.
 *
 *   pool_bench [MESSAGES]      of one round; default 20,000
 *
 * Messages have one DKIM signature (RSA-2048, relaxed/relaxed) of one of 16 domains, an SPF record
 * and a DMARC policy; every verdict is checked: spf, dkim and dmarc pass. One thread feeds, at most
 * 512 in flight. Rounds of 1 and 2 workers alternate, so that what else the machine does meets
 * both.
 *
 * Two ratios: by wall time (the feeding thread needs a core too: on two cores it takes its part
 * from the second worker), and by what the engine alone could do, 2 * CPU of a message with one
 * worker / CPU of a message with two: what sharing costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/mail_text.h"
#include "run/run.h"
#include "sign/sign.h"

enum
{
    DOMAINS = 16,
    BODY_BYTES = 9500,
    IN_FLIGHT = 512,
    ROUNDS = 5,
    NOW = 1792972860,
};

static struct chunk *chunks[DOMAINS];
static size_t lengths[DOMAINS];
static char senders[DOMAINS][64];
static _Atomic uint64_t finished, passed;

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "pool_bench: %s\n", what);
    exit(1);
}

/* --- messages and their zone --- */

static void write_plain(struct buffer *out, unsigned domain)
{
    static const char line[] =
        "The quick brown fox jumps over the lazy dog, and  does so again.\r\n";
    buffer_printf(out,
                  "From: Sender <news@d%u.example>\r\nTo: reader@receiver.example\r\n"
                  "Subject: number %u\r\nDate: Mon, 26 Oct 2026 10:00:00 +0000\r\n"
                  "Message-ID: <%u@d%u.example>\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: text/plain\r\n\r\n",
                  domain, domain, domain, domain);
    for (size_t n = 0; n < BODY_BYTES; n += sizeof line - 1)
        buffer_append_string(out, line);
}

static void make_message(unsigned domain, const struct private_key *key)
{
    struct arena arena;
    struct buffer plain, text;
    struct sign_message message;
    char name[32];
    snprintf(name, sizeof name, "d%u.example", domain);
    snprintf(senders[domain], sizeof senders[domain], "news@%s", name);
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&plain, 1 << 20);
    buffer_init(&text, 1 << 20);
    write_plain(&plain, domain);
    struct sign_options options = {
        .domain = span_from_string(name),
        .selector = SPAN("s1"),
        .key = key,
        .header_canon = CANON_RELAXED,
        .body_canon = CANON_RELAXED,
        .t = NOW - 60,
    };
    const char *fault = sign_message_read(&message, buffer_span(&plain), &arena);
    if (!fault)
        fault = sign_dkim(&message, &options, &text);
    must(!fault, fault);
    buffer_append(&text, buffer_span(&plain));
    chunks[domain] = chunk_new((uint32_t)text.n);
    must(!text.failed && chunks[domain], "no memory");
    memcpy(chunks[domain]->bytes, text.p, text.n);
    lengths[domain] = text.n;
    buffer_fini(&plain);
    buffer_fini(&text);
    arena_fini(&arena);
}

static void write_records(FILE *zone, unsigned domain, const struct private_key *key)
{
    char text[MAIL_TEXT_PUBLIC_MAX];
    must(mail_text_public(key, text), "no public key");
    fprintf(zone, "s1._domainkey.d%u.example 3600 TXT \"v=DKIM1; p=%.*s\" \"%s\"\n", domain,
            MAIL_TEXT_STRING, text, text + MAIL_TEXT_STRING);
    fprintf(zone, "d%u.example 3600 TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n", domain);
    fprintf(zone, "_dmarc.d%u.example 3600 TXT \"v=DMARC1; p=reject\"\n", domain);
}

static void make_all(const char *path)
{
    FILE *zone = fopen(path, "w");
    must(zone, "cannot write the zone");
    for (unsigned i = 0; i < DOMAINS; i++) {
        struct private_key *key = private_key_generate(KEY_RSA, 2048);
        must(key, "no key");
        make_message(i, key);
        write_records(zone, i, key);
        private_key_free(&key);
    }
    must(fclose(zone) == 0, "cannot write the zone");
}

/* --- measuring --- */

static void done(void *context, enum task_outcome outcome, const struct message *message)
{
    (void)context;
    if (outcome == TASK_JUDGED && message->spf.checked.result == RESULT_PASS &&
        engine_dkim_result(&message->dkim) == RESULT_PASS && message->dmarc.result == RESULT_PASS)
        atomic_fetch_add_explicit(&passed, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&finished, 1, memory_order_release);
}

static void feed(struct run *run, uint64_t count)
{
    uint64_t begun = 0;
    while (begun < count) {
        if (begun - atomic_load_explicit(&finished, memory_order_acquire) >= IN_FLIGHT) {
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
            continue;
        }
        unsigned i = (unsigned)(begun++ % DOMAINS);
        struct task_request request = {
            .envelope = {.helo = SPAN("mx.example"),
                         .mail_from = span_from_string(senders[i]),
                         .now = NOW},
            .without_evidence = true, /* as a request that wants results, not JSON */
            .done = done,
        };
        must(ip_parse(SPAN("192.0.2.10"), &request.envelope.client), "no address");
        struct task *task = pool_submit(run->pool, &request);
        must(task, "the pool is busy");
        task_feed(task, chunks[i], span_of(chunks[i]->bytes, lengths[i]));
        task_end(task);
    }
    while (atomic_load_explicit(&finished, memory_order_acquire) < count)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

struct figures
{
    double wall_us, cpu_us, rounds; /* of a message; messages of a round */
};

static struct figures measure(const char *zone, unsigned workers, uint64_t count)
{
    char error[ASSAY_ERROR_MAX], note[ASSAY_ERROR_MAX];
    struct run_config config = {
        .judge = {.size = sizeof config.judge, .zone_file = zone, .authserv_id = "mx.example"},
        .workers = workers,
        .resolver_threads = 1,
    };
    struct pool_stats before, after;
    struct run *run = run_start(&config, error, note);
    must(run, error);
    atomic_store(&finished, 0);
    atomic_store(&passed, 0);
    feed(run, 1000); /* the cache is warm then */
    pool_stats(run->pool, &before);
    uint64_t start = bench_now_ns();
    atomic_store(&finished, 0);
    feed(run, count);
    uint64_t wall = bench_now_ns() - start;
    pool_stats(run->pool, &after);
    must(atomic_load(&passed) == count + 1000, "not every message passed");
    run_stop(&run, NULL);
    return (struct figures){
        .wall_us = (double)wall / 1e3 / (double)count,
        .cpu_us = (double)(after.cpu_ns - before.cpu_ns) / 1e3 / (double)count,
        .rounds =
            (double)(after.messages - before.messages) / (double)(after.rounds - before.rounds + 1),
    };
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_size);
    return values[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
    double wall[2][ROUNDS], cpu[2][ROUNDS], median_wall[2], median_cpu[2], filled[2] = {0, 0};
    char path[] = "/tmp/pool_bench.XXXXXX";
    int fd = mkstemp(path);
    must(fd >= 0, "no temporary file");
    close(fd);
    make_all(path);
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned w = 0; w < 2; w++) {
            struct figures f = measure(path, w + 1, count);
            wall[w][i] = f.wall_us;
            cpu[w][i] = f.cpu_us;
            filled[w] += f.rounds / ROUNDS;
        }
    }
    unlink(path);
    printf("\npool: signed messages of %zu bytes, RSA-2048, warm cache; %lu a round, %d rounds\n",
           lengths[0], count, ROUNDS);
    printf("%-10s %12s %16s %14s %18s\n", "workers", "messages", "messages/s", "CPU us each",
           "messages a round");
    for (unsigned w = 0; w < 2; w++) {
        median_wall[w] = median(wall[w]);
        median_cpu[w] = median(cpu[w]);
        printf("%-10u %12lu %16.0f %14.2f %18.1f   (wall %.2f..%.2f, CPU %.2f..%.2f us)\n", w + 1,
               count * ROUNDS, 1e6 / median_wall[w], median_cpu[w], filled[w], wall[w][0],
               wall[w][ROUNDS - 1], cpu[w][0], cpu[w][ROUNDS - 1]);
    }
    printf("two workers to one: %.2f by wall time, %.2f by the workers' CPU\n",
           median_wall[0] / median_wall[1], 2 * median_cpu[0] / median_cpu[1]);
    for (unsigned i = 0; i < DOMAINS; i++)
        chunk_unref(&chunks[i]);
    return 0;
}
