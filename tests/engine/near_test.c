/*
 * Answers that are good for one round (design ideas 3 and 4): whatever the moment at which a
 * message is set aside, and in whatever form its answers come, the verdict is the same.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "driving.h"
#include "run/prepare.h"

enum
{
    SAMPLES_MAX = 64,
};

static const unsigned parks[] = {PARK_NEVER, PARK_FED, PARK_ASKED, PARK_ANSWERED, PARK_EVERYWHERE};

struct trial
{
    struct assay_engine *engine;
    dns_prepare *prepare;
    unsigned park;
    unsigned miss_every;
    size_t piece;
    bool lend;
};

static void expect_same(const struct trial *trial, const char *name,
                        const struct message_envelope *envelope, struct span text,
                        const char *wanted)
{
    struct near_source near;
    struct driving driving = {.engine = trial->engine,
                              .near = &near,
                              .park = trial->park,
                              .piece = trial->piece,
                              .lend = trial->lend};
    near_source_init(&near, trial->engine->source, trial->prepare);
    near.miss_every = trial->miss_every;
    char *got = drive(&driving, envelope, text);
    cr_expect(same_verdict(got, wanted), "%s: %s, park %u, miss %u%s", name,
              trial->prepare ? "prepared" : "plain", trial->park, trial->miss_every,
              verdict_difference(got, wanted));
    if (strcmp(name, "pass.eml") == 0)
        cr_expect(driving.steps_hashed == 1, "%s: hashed %u times", name, driving.steps_hashed);
    if (!trial->miss_every)
        cr_expect(driving.steps_waiting == 0, "%s: waited though every answer is near", name);
    free(got);
}

static void expect_same_in_every_way(struct assay_engine *engine, const char *name,
                                     const struct message_envelope *envelope, struct span text)
{
    struct driving plain = {.engine = engine};
    char *wanted = drive(&plain, envelope, text);
    for (size_t park = 0; park < COUNT_OF(parks); park++) {
        for (unsigned miss = 0; miss <= 4; miss++) {
            for (unsigned way = 0; way < 3; way++) {
                struct trial trial = {
                    .engine = engine,
                    .park = parks[park],
                    .miss_every = miss,
                    .prepare = way ? run_prepare : NULL,
                    .lend = way == 2,
                    .piece = 700,
                };
                expect_same(&trial, name, envelope, text, wanted);
            }
        }
    }
    free(wanted);
}

Test(near, every_sample_parked_at_every_step)
{
    static struct sample samples[SAMPLES_MAX];
    struct assay_engine *engine = driving_engine("share/samples/zone.txt");
    size_t count = samples_read(samples, COUNT_OF(samples));
    cr_assert(count >= 27, "%zu samples", count);
    for (size_t i = 0; i < count; i++)
        expect_same_in_every_way(engine, samples[i].file, &samples[i].envelope,
                                 sample_text(samples[i].file));
    assay_engine_close(&engine);
}

/* Whatever the moment at which memory ends: what fails with memory never passes without. */
Test(near, no_memory_never_makes_a_pass)
{
    static struct sample samples[SAMPLES_MAX];
    struct assay_engine *engine = driving_engine("share/samples/zone.txt");
    size_t count = samples_read(samples, COUNT_OF(samples));
    unsigned short_of_memory = 0;
    for (size_t i = 0; i < count; i++) {
        struct span text = sample_text(samples[i].file);
        struct message message;
        struct driving plain = {.engine = engine};
        drive_message(&plain, &samples[i].envelope, text, &message);
        bool passes = message.dmarc.result == RESULT_PASS;
        message_fini(&message);
        for (size_t bytes = 64; bytes < 12 * 1024; bytes += 192) {
            struct near_source near;
            struct driving driving = {
                .engine = engine, .near = &near, .park = PARK_EVERYWHERE, .arena_bytes = bytes};
            near_source_init(&near, engine->source, bytes % 128 ? run_prepare : NULL);
            near.miss_every = bytes % 3;
            drive_message(&driving, &samples[i].envelope, text, &message);
            short_of_memory += message.arena.failed;
            cr_expect(passes || message.dmarc.result != RESULT_PASS, "%s with %zu bytes",
                      samples[i].file, bytes);
            free(message_json(&message));
            message_fini(&message);
            near_source_end_round(&near);
        }
    }
    cr_expect(short_of_memory > 100, "%u", short_of_memory);
    assay_engine_close(&engine);
}
