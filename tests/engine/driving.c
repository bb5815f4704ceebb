#include "driving.h"

#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "support/corpora.h"

enum
{
    HELD_MAX = 12,  /* more than a body hasher notes */
    STEPS_MAX = 64, /* more than any message needs: it does not come to an end */
    JSON_MAX = 16 * 1024 * 1024,
    LENT_MAX = 128,
};

struct assay_engine *driving_engine(const char *zone_file)
{
    char error[ASSAY_ERROR_MAX] = "";
    const struct assay_config config = {
        .size = sizeof config,
        .authserv_id = "mx.example.net",
        .zone_file = zone_file,
        .spf_explanation = 1,
    };
    struct assay_engine *engine = assay_engine_open(&config, error);
    cr_assert(engine != NULL, "%s", error);
    return engine;
}

size_t samples_read(struct sample *samples, size_t most)
{
    struct span rest = file_read("share/samples/samples.tsv");
    struct span line;
    size_t count = 0;
    while (count < most && line_next(&rest, &line)) {
        struct span cells[6] = {{0}};
        if (line.n == 0 || line.p[0] == '#' || line_cells(line, cells, 6) < 5)
            continue;
        struct sample *sample = &samples[count++];
        snprintf(sample->file, sizeof sample->file, "%.*s", (int)cells[0].n,
                 (const char *)cells[0].p);
        sample->envelope =
            (struct message_envelope){.helo = cells[2], .mail_from = cells[3], .now = 1792972860};
        cr_assert(ip_parse(cells[1], &sample->envelope.client), "%s", sample->file);
    }
    return count;
}

struct span sample_text(const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "share/samples/%s", file);
    return file_read(path);
}

static void end_round(struct driving *driving, struct message *message, unsigned when)
{
    if (!driving->near || !(driving->park & when))
        return;
    message_park(message);
    near_source_end_round(driving->near);
}

/* Everything of `shared` is kept until the message has ended, as the pool keeps references. */
static struct dns_shared *lent[LENT_MAX];
static size_t lent_count;

/* Answers by dns_answers_lend, prepared. */
static void lend_all(struct driving *driving, struct dns_answers *answers)
{
    for (struct dns_question *q = answers->first; q; q = q->next) {
        struct dns_answer found;
        struct near_source once;
        if (q->answer.outcome)
            continue;
        near_source_init(&once, driving->engine->source, driving->near->prepare);
        cr_assert(once.near.find(&once, q, &found));
        cr_assert(lent_count < LENT_MAX);
        lent[lent_count++] = once.lent[0];
        dns_answers_lend(answers, q, &found);
    }
}

/* What was fed is borrowed until the queue has run; then it ends, so nobody may look at it. */
static struct hash_queue queue;
static uint8_t *held[HELD_MAX];
static unsigned held_count;

static void run_queue(void)
{
    hash_queue_run(&queue);
    while (held_count)
        free(held[--held_count]);
}

static void do_what_is_asked(struct driving *driving, struct message *message,
                             enum message_step step)
{
    if (step == MESSAGE_NEEDS_HASH) {
        cr_assert(message->queue != NULL, "without a queue");
        driving->steps_hashed++;
        run_queue();
    }
    if (step == MESSAGE_NEEDS_VERIFY)
        verify_many(message->jobs.jobs, message->jobs.count);
    if (step != MESSAGE_NEEDS_ANSWERS)
        return;
    driving->steps_waiting++;
    cr_expect(message->answers.waiting > 0, "it waits for nothing");
    if (driving->lend)
        lend_all(driving, &message->answers);
    else
        dns_source_resolve(driving->engine->source, &message->answers, INT64_MAX);
}

static void feed_all(struct driving *driving, struct message *message, struct span text)
{
    size_t piece = driving->piece ? driving->piece : text.n;
    while (text.n) {
        size_t n = text.n < piece ? text.n : piece;
        uint8_t *copy = malloc(n);
        cr_assert(copy != NULL);
        memcpy(copy, text.p, n);
        held[held_count++] = copy;
        (void)message_feed(message, span_of(copy, n));
        if (!message->queue || held_count == HELD_MAX)
            run_queue();
        text = span_skip(text, n);
        end_round(driving, message, PARK_FED);
    }
}

void drive_message(struct driving *driving, const struct message_envelope *envelope,
                   struct span text, struct message *message)
{
    driving->steps_waiting = driving->steps_hashed = 0;
    if (!queue.runs)
        hash_queue_init(&queue);
    message_init(message, &driving->engine->options, envelope,
                 driving->near ? &driving->near->near : NULL);
    if (driving->arena_bytes)
        message->arena.ceiling_bytes = driving->arena_bytes;
    if (driving->near)
        message_lend_queue(message, &queue);
    end_round(driving, message, PARK_FED);
    feed_all(driving, message, text);
    message_end(message);
    end_round(driving, message, PARK_FED);
    for (unsigned steps = 0;; steps++) {
        cr_assert(steps < STEPS_MAX, "the message does not come to an end");
        enum message_step step = message_step(message);
        end_round(driving, message, PARK_ASKED);
        do_what_is_asked(driving, message, step);
        end_round(driving, message, PARK_ANSWERED);
        if (step == MESSAGE_DONE)
            return;
    }
}

char *message_json(const struct message *message)
{
    struct buffer text;
    buffer_init(&text, JSON_MAX);
    verdict_write_json(&message->verdict, &text);
    buffer_append_byte(&text, '\0');
    cr_assert(!text.failed);
    return (char *)text.p;
}

char *drive(struct driving *driving, const struct message_envelope *envelope, struct span text)
{
    struct message message;
    drive_message(driving, envelope, text, &message);
    char *json = message_json(&message);
    message_fini(&message);
    run_queue();
    if (driving->near)
        near_source_end_round(driving->near);
    while (lent_count)
        dns_shared_unref(&lent[--lent_count]);
    return json;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "dns" as a sorted array of its elements' texts. */
static void sort_dns(json_t *verdict)
{
    char *texts[256];
    json_t *dns = json_object_get(verdict, "dns");
    size_t n = json_array_size(dns);
    cr_assert(n <= COUNT_OF(texts));
    for (size_t i = 0; i < n; i++)
        texts[i] = json_dumps(json_array_get(dns, i), JSON_SORT_KEYS);
    qsort(texts, n, sizeof *texts, by_text);
    json_t *sorted = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(sorted, json_string(texts[i]));
        free(texts[i]);
    }
    json_object_set_new(verdict, "dns", sorted);
}

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *verdict = json_loads(text, 0, &error);
    cr_assert(verdict != NULL, "%s: %s", error.text, text);
    sort_dns(verdict);
    return verdict;
}

static bool same(const char *a, const char *b, bool questions)
{
    json_t *left = parsed(a), *right = parsed(b);
    if (!questions) {
        json_object_del(left, "dns");
        json_object_del(right, "dns");
    }
    bool equal = json_equal(left, right);
    json_decref(left);
    json_decref(right);
    return equal;
}

bool same_verdict(const char *a, const char *b)
{
    return same(a, b, true);
}

bool same_but_questions(const char *a, const char *b)
{
    return same(a, b, false);
}

const char *verdict_difference(const char *got, const char *want)
{
    static char text[512];
    json_t *left = parsed(got), *right = parsed(want);
    char *a = json_dumps(left, JSON_SORT_KEYS), *b = json_dumps(right, JSON_SORT_KEYS);
    size_t at = 0;
    while (a[at] && a[at] == b[at])
        at++;
    at = at > 60 ? at - 60 : 0;
    snprintf(text, sizeof text, "\n  got  %.200s\n  want %.200s", a + at, b + at);
    free(a);
    free(b);
    json_decref(left);
    json_decref(right);
    return text;
}
