/*
 * A batch gives the verdicts of the blocking engine (R3), cold and warm, in rounds that are full
 * and in one message at a time; what the cache has is not asked for again.
 */
#include "fixture.h"

#include <stdlib.h>

#include "cache/tsan.h"
#include "run/batch.h"
#include "run/round.h"

enum
{
    TIMES = 3, /* each sample in one call: more than two rounds */
};

struct setting
{
    struct arena arena;
    struct message_options options;
    struct dmarc_psl *psl;
    struct cache *cache;
    struct dns_source *source;
    struct batch *batch;
};

struct wanted
{
    const struct sample *sample;
    char *json;
    unsigned calls;
};

static void setting_open(struct setting *setting)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct dns_error dns_error = {""};
    struct cache_error cache_error = {""};
    struct assay_config judge = {.size = sizeof judge, .authserv_id = "mx.receiver.example"};
    struct cache_config cache = cache_config_default();
    *setting = (struct setting){.psl = NULL};
    arena_init(&setting->arena, 1024 * 1024);
    cr_assert(engine_options_open(&setting->options, &setting->psl, &setting->arena, &judge, error),
              "%s", error);
    cache.buckets = 1 << 12;
    cache_thread_register();
    setting->cache = cache_new(&cache, &cache_error);
    cr_assert(setting->cache, "%s", cache_error.text);
    setting->source = dns_zone_open("share/samples/zone.txt", &dns_error);
    cr_assert(setting->source, "%s", dns_error.text);
    struct batch_config config = {
        .options = &setting->options,
        .cache = setting->cache,
        .source = setting->source,
    };
    setting->batch = batch_open(&config);
    cr_assert(setting->batch);
}

static void setting_close(struct setting *setting)
{
    batch_close(&setting->batch);
    cr_expect_null(setting->batch);
    dns_source_free(&setting->source);
    cache_free(&setting->cache);
    cache_thread_unregister();
    arena_fini(&setting->arena);
}

static void compare(void *context, const struct message *message)
{
    struct wanted *wanted = context;
    struct buffer json;
    cr_assert(message);
    buffer_init(&json, 1024 * 1024);
    verdict_write_json(&message->verdict, &json);
    buffer_append_byte(&json, '\0');
    cr_assert(!json.failed);
    json_drop_dns((char *)json.p);
    cr_expect_str_eq((char *)json.p, wanted->json, "%.*s:\n got %s\nwant %s",
                     (int)wanted->sample->file.n, wanted->sample->file.p, (char *)json.p,
                     wanted->json);
    buffer_fini(&json);
    wanted->calls++;
}

static void judge_samples(struct setting *setting, struct wanted *wanted, unsigned times)
{
    const struct samples *samples = samples_read();
    struct batch_item items[SAMPLES_MAX * TIMES];
    size_t n = 0;
    for (unsigned t = 0; t < times; t++)
        for (size_t i = 0; i < samples->count; i++)
            items[n++] = (struct batch_item){
                .envelope = samples->rows[i].envelope,
                .text = samples->rows[i].text,
                .context = &wanted[i],
            };
    batch_judge(setting->batch, items, n, compare);
}

Test(batch, judges_as_the_blocking_engine)
{
    const struct samples *samples = samples_read();
    struct wanted wanted[SAMPLES_MAX] = {{0}};
    struct setting setting;
    setting_open(&setting);
    for (size_t i = 0; i < samples->count; i++) {
        wanted[i] = (struct wanted){&samples->rows[i], blocking_json(NULL, &samples->rows[i]), 0};
        json_drop_dns(wanted[i].json);
    }
    judge_samples(&setting, wanted, 1); /* cold */
    cr_expect(batch_counts(setting.batch).waited > 0);
    judge_samples(&setting, wanted, 1); /* what failed for good is in the cache by now */
    uint64_t waited = batch_counts(setting.batch).waited;
    judge_samples(&setting, wanted, TIMES);
    struct batch_counts counts = batch_counts(setting.batch);
    cr_expect_eq(counts.waited, waited, "%lu and %lu", counts.waited, waited);
    cr_expect_eq(counts.messages, samples->count * (TIMES + 2));
    for (size_t i = 0; i < samples->count; i++) {
        cr_expect_eq(wanted[i].calls, TIMES + 2, "%.*s: %u calls", (int)samples->rows[i].file.n,
                     samples->rows[i].file.p, wanted[i].calls);
        free(wanted[i].json);
    }
    setting_close(&setting);
}

/* L08: an answer is stored when it came, and not again when the message waits for another. */
Test(batch, an_answer_is_kept_once)
{
    const struct sample *sample = sample_find("pass-service.eml"); /* waits more than once */
    struct setting setting;
    struct wanted wanted = {sample, blocking_json(NULL, sample), 0};
    struct batch_item item = {
        .envelope = sample->envelope, .text = sample->text, .context = &wanted};
    struct cache_stats stats;
    json_drop_dns(wanted.json);
    setting_open(&setting);
    batch_judge(setting.batch, &item, 1, compare);
    cr_expect(batch_counts(setting.batch).waited > 1, "%lu", batch_counts(setting.batch).waited);
    cache_stats(setting.cache, &stats);
    cr_expect(stats.stored > 2 && stats.replaced == 0, "%lu of %lu", stats.replaced, stats.stored);
    setting_close(&setting);
    free(wanted.json);
}

Test(batch, of_nothing_and_of_one)
{
    struct setting setting;
    const struct sample *sample = &samples_read()->rows[0];
    struct wanted wanted = {sample, blocking_json(NULL, sample), 0};
    struct batch_item item = {
        .envelope = sample->envelope, .text = sample->text, .context = &wanted};
    json_drop_dns(wanted.json);
    setting_open(&setting);
    batch_judge(setting.batch, NULL, 0, compare);
    cr_expect_eq(batch_counts(setting.batch).messages, 0);
    batch_judge(setting.batch, &item, 1, compare);
    cr_expect_eq(wanted.calls, 1);
    cr_expect_eq(batch_counts(setting.batch).messages, 1);
    setting_close(&setting);
    free(wanted.json);
}
