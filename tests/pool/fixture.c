#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "run/prepare.h"
#include "support/corpora.h"

enum
{
    PATIENCE_MS = 20 * 1000,
    JSON_CEILING = 1024 * 1024,
};

static const char samples_zone[] = "share/samples/zone.txt";

/* --- samples --- */

static char *text_of(struct span s)
{
    return strndup((const char *)s.p, s.n);
}

static void read_row(struct span line, struct sample *sample)
{
    struct span cells[6];
    char path[256];
    cr_assert(line_cells(line, cells, 6) == 6, "samples.tsv: a row has six cells");
    snprintf(path, sizeof path, "share/samples/%.*s", (int)cells[0].n, cells[0].p);
    char *now = text_of(cells[4]);
    *sample = (struct sample){
        .file = cells[0],
        .text = file_read(path),
        .envelope = {.helo = cells[2], .mail_from = cells[3], .now = strtoll(now, NULL, 10)},
    };
    free(now);
    cr_assert(ip_parse(cells[1], &sample->envelope.client));
}

const struct samples *samples_read(void)
{
    static struct samples samples;
    struct span line, rest;
    if (samples.count)
        return &samples;
    rest = file_read("share/samples/samples.tsv");
    while (line_next(&rest, &line)) {
        if (line.n == 0 || line.p[0] == '#')
            continue;
        cr_assert(samples.count < SAMPLES_MAX);
        read_row(line, &samples.rows[samples.count++]);
    }
    cr_assert(samples.count > 20);
    return &samples;
}

const struct sample *sample_find(const char *file)
{
    const struct samples *samples = samples_read();
    for (size_t i = 0; i < samples->count; i++)
        if (span_equal(samples->rows[i].file, span_from_string(file)))
            return &samples->rows[i];
    cr_assert_fail("no sample %s", file);
    return NULL;
}

/* --- parts --- */

static void open_cache(struct fixture *fixture, const struct fixture_config *config)
{
    struct cache_error error = {""};
    struct cache_config cache = cache_config_default();
    cache.budget_bytes = config->cache_bytes ? config->cache_bytes : 64 * 1024 * 1024;
    cache.buckets = 1 << 12;
    if (config->ttl.answer_max_s)
        cache.ttl = config->ttl;
    fixture->cache = cache_new(&cache, &error);
    cr_assert(fixture->cache, "%s", error.text);
}

static void open_resolvers(struct fixture *fixture, const struct fixture_config *config)
{
    struct dns_error error = {""};
    struct resolvers_config resolvers = {
        .threads = 1,
        .resolver = config->resolver,
        .cache = fixture->cache,
        .prepare = run_prepare,
        .max_in_flight = config->max_in_flight,
        .max_per_zone = config->max_per_zone,
        .question_ms = config->question_ms,
    };
    if (!config->resolver)
        resolvers.zone_file = config->zone_file ? config->zone_file : samples_zone;
    fixture->resolvers = resolvers_start(&resolvers, &error);
    cr_assert(fixture->resolvers, "%s", error.text);
}

void fixture_open(struct fixture *fixture, const struct fixture_config *config)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_config judge = {.size = sizeof judge, .authserv_id = "mx.receiver.example"};
    *fixture = (struct fixture){.options = {.max_bytes = config->max_message_bytes}};
    arena_init(&fixture->arena, 1024 * 1024);
    cr_assert(engine_options_open(&fixture->options, &fixture->psl, &fixture->arena, &judge, error),
              "%s", error);
    open_cache(fixture, config);
    open_resolvers(fixture, config);
    struct pool_config pool = {
        .workers = config->workers,
        .options = &fixture->options,
        .cache = fixture->cache,
        .resolvers = fixture->resolvers,
        .max_messages = config->max_messages,
        .max_bytes = config->max_bytes,
        .timeout_ms = config->timeout_ms,
        .rouse = config->rouse,
        .host = config->host,
    };
    fixture->pool = pool_start(&pool, error);
    cr_assert(fixture->pool, "%s", error);
}

void fixture_close_now(struct fixture *fixture)
{
    pool_stop(&fixture->pool);
    resolvers_stop(&fixture->resolvers);
    cache_free(&fixture->cache);
    arena_fini(&fixture->arena);
}

void fixture_close(struct fixture *fixture)
{
    pool_drain(fixture->pool);
    fixture_close_now(fixture);
}

/* --- messages --- */

static void keep_json(struct judged *judged, const struct message *message)
{
    struct buffer json;
    buffer_init(&json, JSON_CEILING);
    verdict_write_json(&message->verdict, &json);
    buffer_append_byte(&json, '\0');
    if (!json.failed)
        judged->json = strdup((const char *)json.p);
    buffer_fini(&json);
}

/* No assertion here: a worker's thread is not the test's. */
static void done(void *context, enum task_outcome outcome, const struct message *message)
{
    struct judged *judged = context;
    judged->outcome = outcome;
    if (message) {
        judged->spf = message->verdict.spf_checked ? message->spf.checked.result : RESULT_NONE;
        judged->dkim = engine_dkim_result(&message->dkim);
        judged->arc = message->arc.result;
        judged->dmarc = message->dmarc.result;
        judged->failed = message->failed;
        judged->too_large = message->too_large;
        judged->bytes = message->bytes;
        if (judged->wants_json)
            keep_json(judged, message);
    }
    judged->done_at_ms = engine_clock_ms();
    atomic_fetch_add(&judged->calls, 1);
}

static void early(void *context, const struct message *message)
{
    struct judged *judged = context;
    judged->early_spf = message->spf.checked.result;
    atomic_fetch_add(&judged->early_calls, 1);
}

struct task_request request_of(const struct sample *sample, struct judged *judged)
{
    return (struct task_request){
        .envelope = sample->envelope,
        .done = done,
        .early = early,
        .context = judged,
    };
}

struct chunk *chunk_of(struct span text)
{
    struct chunk *chunk = chunk_new((uint32_t)text.n);
    cr_assert(chunk);
    memcpy(chunk->bytes, text.p, text.n);
    return chunk;
}

struct task *submit_and_feed(struct fixture *fixture, const struct sample *sample, size_t step,
                             struct judged *judged)
{
    struct task_request request = request_of(sample, judged);
    struct task *task = pool_submit(fixture->pool, &request);
    cr_assert(task, "the pool is busy");
    struct chunk *chunk = chunk_of(sample->text);
    step = step ? step : sample->text.n;
    for (size_t at = 0; at < sample->text.n; at += step) {
        size_t left = sample->text.n - at;
        task_feed(task, chunk, span_of(chunk->bytes + at, left < step ? left : step));
    }
    chunk_unref(&chunk);
    return task;
}

void wait_until(bool (*is_done)(void *context), void *context, const char *what)
{
    int64_t end = engine_clock_ms() + PATIENCE_MS;
    while (!is_done(context)) {
        cr_assert(engine_clock_ms() < end, "%s: not within %d s", what, PATIENCE_MS / 1000);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static bool was_called(void *context)
{
    return atomic_load(&((struct judged *)context)->calls) > 0;
}

void wait_for(struct judged *judged)
{
    wait_until(was_called, judged, "a verdict");
}

void judged_free(struct judged *judged, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(judged[i].json);
}

/* --- the blocking engine --- */

static struct assay_engine *blocking_engine(const char *zone_file)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_config config = {
        .size = sizeof config,
        .authserv_id = "mx.receiver.example",
        .zone_file = zone_file ? zone_file : samples_zone,
    };
    struct assay_engine *engine = assay_engine_open(&config, error);
    cr_assert(engine, "%s", error);
    return engine;
}

char *blocking_json(const char *zone_file, const struct sample *sample)
{
    char ip[IP_TEXT_MAX], error[ASSAY_ERROR_MAX] = "";
    struct assay_engine *engine = blocking_engine(zone_file);
    char *helo = text_of(sample->envelope.helo), *from = text_of(sample->envelope.mail_from);
    struct assay_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = ip_text(&sample->envelope.client, ip),
        .helo = helo,
        .mail_from = from,
        .received_at = sample->envelope.now,
    };
    struct assay_message *message = assay_message_begin(engine, &envelope, error);
    cr_assert(message, "%s", error);
    (void)!assay_message_feed(message, sample->text.p, sample->text.n);
    (void)!assay_message_end(message);
    char *json = strdup(assay_message_json(message));
    assay_message_free(&message);
    assay_engine_close(&engine);
    free(helo);
    free(from);
    return json;
}

void json_drop_dns(char *json)
{
    char *dns = strstr(json, "\"dns\":[");
    cr_assert(dns, "no dns in %s", json);
    char *end = strchr(dns, ']');
    cr_assert(end);
    memmove(dns, end + 1, strlen(end + 1) + 1);
}
