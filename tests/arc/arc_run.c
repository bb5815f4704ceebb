#include "arc/arc_run.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#include "arc/seal_hash.h"

static void fetch(struct arc_run *run, struct span zone)
{
    struct dns_error error;
    struct dns_source *source = dns_zone_parse(zone, "zone", &error);
    cr_assert(source != NULL, "%s", error.text);
    unsigned rounds = 0;
    while (arc_fetch(&run->arc, &run->answers) == JUDGE_WAITING) {
        cr_assert(++rounds < 3, "the judge does not stop asking");
        dns_source_resolve(source, &run->answers, INT64_MAX);
    }
    dns_source_free(&source);
}

static void run_init(struct arc_run *run, struct arc_shortage shortage)
{
    memset(run, 0, sizeof *run);
    arena_init(&run->arena, shortage.arena_bytes ? shortage.arena_bytes : MAX_ARENA_BYTES);
    mail_reader_init(&run->reader, &run->arena, &run->hits, &run->anomalies);
    body_hasher_init(&run->hasher, &run->anomalies, &run->hits);
    dns_answers_init(&run->answers, &run->arena, &run->hits);
    buffer_init(&run->scratch,
                shortage.scratch_bytes ? shortage.scratch_bytes : 2 * (size_t)MAX_HEADER_BYTES);
    for (uint32_t i = 0; i < shortage.body_hashes; i++)
        cr_assert(body_hasher_want(&run->hasher, CANON_SIMPLE, 1 + i) >= 0);
}

/* The hashes by way of a queue are those one by one. */
static void check_hashes(struct arc_run *run)
{
    struct arc_seal_hash hash;
    uint8_t want[SHA256_BYTES];
    arc_seal_hash_init(&hash, &run->scratch);
    for (uint32_t i = 0; run->arc.seals_queued && i < run->arc.count; i++) {
        const struct arc_set *set = &run->arc.sets[i];
        cr_assert(arc_seal_hash_next(&hash, set, want));
        cr_expect(memcmp(set->seal_hash, want, sizeof want) == 0, "seal %u of %u", i + 1,
                  run->arc.count);
    }
    for (uint32_t i = 0; i < run->arc.count; i++) {
        const struct arc_set *set = &run->arc.sets[i];
        if (!set->ams_queued)
            continue;
        cr_assert(
            dkim_header_hash(&run->reader.header, &set->ams, &run->arena, &run->scratch, want));
        cr_expect(memcmp(set->ams_hash, want, sizeof want) == 0, "AMS %u of %u", i + 1,
                  run->arc.count);
    }
}

static void queue_hashes(struct arc_run *run)
{
    static struct hash_queue queue;
    hash_queue_init(&queue);
    bool queued = arc_queue_hashes(&run->arc, &run->reader.header, &queue);
    hash_queue_run(&queue);
    if (queued)
        check_hashes(run);
    hash_queue_fini(&queue);
}

bool arc_run_short(struct arc_run *run, struct span message, struct span zone,
                   const struct arc_options *options, struct arc_shortage shortage)
{
    static const struct arc_options plain = {.now = ARC_RUN_NOW};
    options = options ? options : &plain;
    run_init(run, shortage);
    size_t used = mail_reader_feed(&run->reader, message);
    mail_reader_end(&run->reader);
    if (!arc_begin(&run->arc, &run->reader.header, run->reader.refused, options, &run->hasher,
                   &run->arena, &run->hits))
        return false;
    body_hasher_feed(&run->hasher, span_skip(message, used));
    body_hasher_end(&run->hasher);
    fetch(run, zone);

    run->list.capacity = arc_job_ceiling(&run->arc);
    run->list.jobs = calloc(run->list.capacity + 1, sizeof *run->list.jobs);
    cr_assert(run->list.jobs != NULL);
    if (!shortage.scratch_bytes && !shortage.arena_bytes)
        queue_hashes(run);
    arc_jobs(&run->arc, &run->reader.header, &run->hasher, options, &run->scratch, &run->list);
    verify_many(run->list.jobs, run->list.count);
    arc_finish(&run->arc, options, mail_anomalies_forbid_pass(&run->anomalies));
    return true;
}

void arc_run(struct arc_run *run, struct span message, struct span zone,
             const struct arc_options *options)
{
    cr_assert(arc_run_short(run, message, zone, options, (struct arc_shortage){0}));
}

void arc_run_fini(struct arc_run *run)
{
    arc_fini(&run->arc);
    free(run->list.jobs);
    body_hasher_fini(&run->hasher);
    buffer_fini(&run->scratch);
    arena_fini(&run->arena);
}

static const char *shown(const char *word)
{
    return word ? word : "(none)";
}

void arc_expect(const char *name, const struct arc_run *run, enum result result, const char *reason)
{
    const struct arc_judgement *arc = &run->arc;
    cr_expect(arc->result == result && strcmp(shown(arc->reason), shown(reason)) == 0,
              "%s: got %s %s at %u, want %s %s", name, result_word(arc->result), shown(arc->reason),
              arc->fault_instance, result_word(result), shown(reason));
    cr_expect((arc->oldest_pass >= 0) == (arc->result == RESULT_PASS), "%s: oldest-pass %d", name,
              arc->oldest_pass);
    cr_expect(arc->result == RESULT_PASS || arc->trusted_sealer == 0, "%s: trusted though failed",
              name);
}
