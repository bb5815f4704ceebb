/*
 * Hashing many: random queues of texts and sources give what each gives by itself, at every level.
 */
#include <criterion/criterion.h>

#include "crypto/hash_queue.h"
#include "simd/kernel.h"

enum
{
    QUEUES = 1000, /* of each level: 4,000 and more in all */
    JOBS_MAX = 12,
    BYTES_MAX = 3 * HASH_ROOM,
};

static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * n >> 32);
}

static const uint8_t *noise(void)
{
    static uint8_t bytes[2 * BYTES_MAX];
    uint32_t x = 7;
    for (size_t i = 0; bytes[0] == 0 && i < sizeof bytes; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24 | 1);
    }
    return bytes;
}

/* Gives `text` in pieces of at most `piece`, as far as `have`; reads the hash off at `stop`. */
struct job
{
    struct hash_source source; /* or a text, where `piece` is 0 */
    struct span text;
    size_t given, have, piece, stop;
    bool stopped;
    uint8_t at_stop[SHA256_BYTES];
    uint8_t got[SHA256_BYTES];
    unsigned ended;
};

static size_t job_more(struct hash_source *source, uint8_t *out, size_t room)
{
    struct job *job = (struct job *)(void *)source;
    cr_assert(source->state.bytes == job->given, "the state is not behind what was given");
    if (job->given == job->stop && !job->stopped) {
        sha256_peek(&source->state, job->at_stop);
        job->stopped = true;
    }
    size_t n = job->have - job->given;
    n = n < job->piece ? n : job->piece;
    n = n < room ? n : room;
    if (!job->stopped && n > job->stop - job->given)
        n = job->stop - job->given;
    if (n)
        memcpy(out, job->text.p + job->given, n);
    job->given += n;
    source->last = job->given == job->text.n && job->stopped;
    return n;
}

static void job_ended(struct hash_source *source, const uint8_t digest[SHA256_BYTES])
{
    struct job *job = (struct job *)(void *)source;
    memcpy(job->got, digest, SHA256_BYTES);
    job->ended++;
}

static void make_job(struct job *job)
{
    static const size_t pieces[] = {0, 0, 1, 63, 64, 65, 700, SIZE_MAX};
    static const uint32_t most[] = {2000, 2000, 2000, 2000, 2000, 2000, 12 * 1024, BYTES_MAX};
    size_t n = random_below(most[random_below(COUNT_OF(most))]);
    *job = (struct job){
        .text = span_of(noise() + random_below(BYTES_MAX), n),
        .piece = pieces[random_below(COUNT_OF(pieces))],
        .stop = random_below((uint32_t)n + 1),
    };
    job->source.more = job_more;
    job->source.ended = job_ended;
    sha256_init(&job->source.state);
}

static void queue_text(struct hash_queue *queue, struct job *job)
{
    buffer_append(hash_queue_text(queue), job->text);
    cr_assert(hash_queue_text_end(queue, job->got));
    job->ended = 1;
}

/* Sources come in two goes: what they have when the queue runs first, and the rest. */
static void run_jobs(struct hash_queue *queue, struct job *jobs, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        make_job(&jobs[i]);
        jobs[i].have = random_below((uint32_t)jobs[i].text.n + 1);
        if (jobs[i].piece == 0)
            queue_text(queue, &jobs[i]);
        else
            hash_queue_add(queue, &jobs[i].source);
    }
    hash_queue_run(queue);
    for (unsigned i = 0; i < count; i++) {
        jobs[i].have = jobs[i].text.n;
        if (!jobs[i].ended)
            hash_queue_add(queue, &jobs[i].source);
    }
    hash_queue_run(queue);
}

static void check_jobs(const struct job *jobs, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t want[SHA256_BYTES];
        sha256_of(jobs[i].text, want);
        cr_expect(jobs[i].ended == 1, "job %u ended %u times", i, jobs[i].ended);
        cr_expect(memcmp(jobs[i].got, want, sizeof want) == 0, "job %u: %zu octets by %zu", i,
                  jobs[i].text.n, jobs[i].piece);
        if (jobs[i].piece == 0)
            continue;
        sha256_of(span_slice(jobs[i].text, 0, jobs[i].stop), want);
        cr_expect(memcmp(jobs[i].at_stop, want, sizeof want) == 0, "job %u at its stop", i);
    }
}

Test(hash_queue, random_queues_equal_one_by_one)
{
    static struct hash_queue queue;
    struct job jobs[JOBS_MAX];
    unsigned queues = 0;
    hash_queue_init(&queue);
    for (enum kernel_level level = 0; level < KERNEL_LEVELS; level++) {
        if (!kernel_force(level))
            continue;
        for (unsigned i = 0; i < QUEUES; i++, queues++) {
            unsigned count = random_below(JOBS_MAX + 1);
            run_jobs(&queue, jobs, count);
            check_jobs(jobs, count);
        }
    }
    cr_expect(queues >= 2 * QUEUES);
    hash_queue_fini(&queue);
}

/* By itself a source gives the same. */
Test(hash_queue, source_alone)
{
    for (unsigned i = 0; i < QUEUES; i++) {
        struct job job;
        do
            make_job(&job);
        while (job.piece == 0);
        job.have = random_below((uint32_t)job.text.n + 1);
        hash_source_run(&job.source);
        job.have = job.text.n;
        if (!job.ended)
            hash_source_run(&job.source);
        check_jobs(&job, 1);
    }
}

static bool add_text(struct hash_queue *queue, size_t n, uint8_t out[SHA256_BYTES])
{
    struct buffer *text = hash_queue_text(queue);
    for (size_t left = n; left;) {
        size_t piece = left < BYTES_MAX ? left : BYTES_MAX;
        buffer_append(text, span_of(noise(), piece));
        left -= piece;
    }
    return hash_queue_text_end(queue, out);
}

static void hash_noise(size_t n, uint8_t out[SHA256_BYTES])
{
    struct sha256 state;
    sha256_init(&state);
    for (size_t left = n; left;) {
        size_t piece = left < BYTES_MAX ? left : BYTES_MAX;
        sha256_update(&state, span_of(noise(), piece));
        left -= piece;
    }
    sha256_peek(&state, out);
}

/* Limit: room for text, with its padding, at its edge, and more texts than there are places. */
Test(hash_queue, limits_of_texts)
{
    static struct hash_queue queue;
    static uint8_t got[HASH_TEXTS + 2][SHA256_BYTES];
    uint8_t want[SHA256_BYTES];
    hash_queue_init(&queue);
    for (size_t over = 0; over <= 2; over++) {
        size_t n = HASH_TEXT_BYTES - SHA256_PADDING_MAX - 1 + over;
        memset(got[0], 0, sizeof got[0]);
        cr_expect(add_text(&queue, n, got[0]) == (over < 2), "%zu octets", n);
        hash_queue_run(&queue);
        hash_noise(n, want);
        cr_expect((memcmp(got[0], want, sizeof want) == 0) == (over < 2), "%zu octets", n);
    }
    /* One that does not fit behind the others: those are done, and it fits the second time. */
    uint64_t runs = queue.runs;
    cr_assert(add_text(&queue, 1000, got[0]));
    cr_expect(!add_text(&queue, HASH_TEXT_BYTES - 1000, got[1]));
    cr_expect(queue.runs == runs + 1);
    hash_noise(1000, want);
    cr_expect(memcmp(got[0], want, sizeof want) == 0);
    cr_expect(add_text(&queue, HASH_TEXT_BYTES - 1000, got[1]));
    hash_queue_run(&queue);
    hash_noise(HASH_TEXT_BYTES - 1000, want);
    cr_expect(memcmp(got[1], want, sizeof want) == 0);

    runs = queue.runs;
    for (size_t i = 0; i < HASH_TEXTS + 2; i++)
        cr_assert(add_text(&queue, i, got[i]));
    cr_expect(queue.runs == runs + 1, "%zu texts do not fit", (size_t)HASH_TEXTS + 2);
    hash_queue_run(&queue);
    for (size_t i = 0; i < HASH_TEXTS + 2; i++) {
        hash_noise(i, want);
        cr_expect(memcmp(got[i], want, sizeof want) == 0, "text %zu", i);
    }
    hash_queue_fini(&queue);
}
