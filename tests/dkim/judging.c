#include "dkim/judging.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "mail/line_ends.h"

static void collect(void *context, struct span bytes)
{
    buffer_append(context, bytes);
}

struct span with_crlf(struct span file)
{
    struct buffer text;
    struct line_ends ends;
    buffer_init(&text, 2 * file.n + 1);
    line_ends_init(&ends, collect, &text);
    line_ends_feed(&ends, file);
    cr_assert(!text.failed);
    return buffer_span(&text);
}

static size_t piece_at(struct span rest, size_t piece)
{
    return piece && piece < rest.n ? piece : rest.n;
}

static struct span feed_header(struct judging *j, struct span rest, size_t piece)
{
    mail_reader_init(&j->reader, &j->arena, &j->hits, &j->anomalies);
    while (rest.n && !j->reader.done) {
        struct span part = span_slice(rest, 0, piece_at(rest, piece));
        rest = span_skip(rest, mail_reader_feed(&j->reader, part));
    }
    mail_reader_end(&j->reader);
    return rest;
}

static void feed_body(struct judging *j, struct span rest, size_t piece)
{
    while (rest.n) {
        size_t n = piece_at(rest, piece);
        body_hasher_feed(&j->hasher, span_slice(rest, 0, n));
        rest = span_skip(rest, n);
    }
    body_hasher_end(&j->hasher);
}

static void fetch_keys(struct judging *j, struct span zone)
{
    struct dns_error error;
    struct dns_source *source = dns_zone_parse(zone, "zone", &error);
    cr_assert(source, "%s", error.text);
    while (dkim_fetch(&j->judgement, &j->answers) == JUDGE_WAITING) {
        cr_assert(++j->rounds < 10, "the judge never ends");
        dns_source_resolve(source, &j->answers, INT64_MAX);
    }
    dns_source_free(&source);
}

/* The hashes by way of a queue are those one by one. */
static void queue_hashes(struct judging *j)
{
    static struct hash_queue queue;
    hash_queue_init(&queue);
    bool queued = dkim_queue_hashes(&j->judgement, &j->reader.header, &queue);
    hash_queue_run(&queue);
    for (uint32_t i = 0; queued && i < j->judgement.count; i++) {
        const struct dkim_verified *verified = &j->judgement.verified[i];
        uint8_t want[SHA256_BYTES];
        if (!verified->header_queued)
            continue;
        cr_assert(dkim_header_hash(&j->reader.header, &verified->signature, &j->arena, &j->scratch,
                                   want));
        cr_expect(memcmp(verified->header_hash, want, sizeof want) == 0, "signature %u", i);
    }
    hash_queue_fini(&queue);
}

static void make_jobs(struct judging *j, const struct dkim_options *options)
{
    j->list.capacity = dkim_job_ceiling(&j->judgement);
    j->list.jobs = ARENA_ARRAY(&j->arena, j->list.capacity, struct verify_job);
    cr_assert(j->list.jobs);
    queue_hashes(j);
    dkim_jobs(&j->judgement, &j->reader.header, &j->hasher, options, &j->scratch, &j->list);
}

void judging_to_jobs(struct judging *j, struct span message, size_t piece, struct span zone,
                     const struct dkim_options *options)
{
    memset(j, 0, sizeof *j);
    arena_init(&j->arena, MAX_ARENA_BYTES);
    buffer_init(&j->scratch, MAX_HEADER_BYTES + 2);
    struct span body = feed_header(j, message, piece);
    body_hasher_init(&j->hasher, &j->anomalies, &j->hits);
    dns_answers_init(&j->answers, &j->arena, &j->hits);
    cr_assert(dkim_begin(&j->judgement, &j->reader.header, j->reader.refused, options, &j->hasher,
                         &j->arena, &j->hits));
    feed_body(j, body, piece);
    fetch_keys(j, zone);
    make_jobs(j, options);
}

void judging_end(struct judging *j, const struct dkim_options *options)
{
    dkim_finish(&j->judgement, options, mail_anomalies_forbid_pass(&j->anomalies));
}

void judging_run(struct judging *j, struct span message, size_t piece, struct span zone,
                 const struct dkim_options *options)
{
    judging_to_jobs(j, message, piece, zone, options);
    verify_many(j->list.jobs, j->list.count);
    judging_end(j, options);
}

void judging_fini(struct judging *j)
{
    dkim_fini(&j->judgement);
    body_hasher_fini(&j->hasher);
    buffer_fini(&j->scratch);
    arena_fini(&j->arena);
}

const char *judging_word(const struct judging *j, uint32_t i)
{
    static char word[128];
    if (i >= j->judgement.count)
        return "(none)";
    const struct dkim_verified *verified = &j->judgement.verified[i];
    const char *reason = verified->reason;
    cr_assert(verified->result != RESULT_UNSET, "signature %u has no result", i);
    snprintf(word, sizeof word, "%s%s%s", result_word(verified->result), reason ? " " : "",
             reason ? reason : "");
    return word;
}
