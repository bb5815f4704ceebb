#include "fuzz/support/judge.h"

#include <jansson.h>

#include "fuzz/support/fuzz.h"
#include "verdict/reader.h"

enum
{
    RECEIVED_AT = 1792972860,
    JSON_BYTES = 16 * 1024 * 1024,
    FED_MAX = 12, /* more than a body hasher notes */
};

static const struct dns_answer servfail = {.outcome = DNS_TEMPFAIL, .reason = "servfail"};

/* Lets some questions fail, has the others answered. */
static void resolve(struct dns_answers *answers, struct dns_source *source, uint64_t faults)
{
    unsigned i = 0;
    for (struct dns_question *q = answers->first; q; q = q->next, i++)
        if (q->answer.outcome == DNS_UNANSWERED && faults >> (i % 64) & 1)
            dns_answers_put(answers, q, &servfail);
    if (source)
        dns_source_resolve(source, answers, 0);
    for (struct dns_question *q = answers->first; q; q = q->next)
        if (q->answer.outcome == DNS_UNANSWERED)
            dns_answers_put(answers, q, &servfail);
}

/* What was fed is borrowed until the queue has run, and freed then. */
static struct hash_queue queue;
static struct span fed[FED_MAX];
static unsigned fed_count;

static void run_queue(void)
{
    hash_queue_run(&queue);
    while (fed_count)
        fuzz_free(fed[--fed_count]);
}

/* In pieces through a queue, as in the pool; whole at once. */
static void feed(struct message *message, const struct fuzz_case *input)
{
    struct span rest = input->mail;
    if (input->split)
        message_lend_queue(message, &queue);
    while (rest.n) {
        size_t n = input->split && input->split < rest.n ? input->split : rest.n;
        fed[fed_count] = fuzz_copy(span_slice(rest, 0, n));
        message_feed(message, fed[fed_count++]);
        if (!input->split || fed_count == FED_MAX)
            run_queue();
        rest = span_skip(rest, n);
    }
    message_end(message);
}

static void drive(struct message *message, struct dns_source *source, const struct fuzz_case *input)
{
    for (;;) {
        if (input->park)
            message_park(message);
        enum message_step step = message_step(message);
        if (step == MESSAGE_DONE)
            return;
        if (step == MESSAGE_NEEDS_HASH)
            run_queue();
        else if (step == MESSAGE_NEEDS_VERIFY)
            verify_many(message->jobs.jobs, message->jobs.count);
        else
            resolve(&message->answers, source, input->faults);
    }
}

static void take(const struct message *message, struct fuzz_verdict *verdict)
{
    struct buffer text;
    *verdict = (struct fuzz_verdict){
        .spf = message->spf.checked.result,
        .arc = message->arc.result,
        .dmarc = message->dmarc.result,
    };
    for (uint32_t i = 0; i < message->dkim.count; i++)
        verdict->dkim_passes += message->dkim.verified[i].result == RESULT_PASS;
    for (const struct dns_question *q = message->answers.first; q; q = q->next)
        verdict->asked_ptr |= q->type == DNS_PTR;
    buffer_init(&text, JSON_BYTES);
    verdict_write_json(&message->verdict, &text);
    FUZZ_CHECK(!text.failed);
    verdict->json = fuzz_copy(buffer_span(&text));
    buffer_reset(&text);
    verdict_write_results(&message->verdict, &text);
    FUZZ_CHECK(!text.failed);
    verdict->results = fuzz_copy(buffer_span(&text));
    buffer_fini(&text);
}

void fuzz_judge(const struct fuzz_case *input, struct fuzz_verdict *verdict)
{
    static struct message message;
    struct message_options options = {
        .authserv_id = SPAN("mx.example.net"),
        .dkim_testing_as_unsigned = true,
        .spf_explanation = true,
        .spf_void_limit = MAX_SPF_VOID_LOOKUPS,
        .receiver = SPAN("mx.example.net"),
    };
    struct message_envelope envelope = {
        .helo = input->helo,
        .mail_from = input->mail_from,
        .now = RECEIVED_AT,
    };
    struct dns_error error;
    struct dns_source *source = dns_zone_parse(input->zone, "zone", &error);
    if (!source)
        source = dns_zone_parse(SPAN(""), "empty", &error);
    if (!ip_parse(input->client, &envelope.client) &&
        !ip_parse(SPAN("192.0.2.1"), &envelope.client))
        FUZZ_CHECK(false);
    if (!queue.runs)
        hash_queue_init(&queue);
    message_init(&message, &options, &envelope, NULL);
    feed(&message, input);
    drive(&message, source, input);
    take(&message, verdict);
    message_fini(&message);
    run_queue();
    dns_source_free(&source);
}

void fuzz_verdict_free(struct fuzz_verdict *verdict)
{
    fuzz_free(verdict->json);
    fuzz_free(verdict->results);
}

void fuzz_check_no_new_pass(const struct fuzz_verdict *good, const struct fuzz_verdict *faulty)
{
    FUZZ_CHECK(faulty->spf != RESULT_PASS || good->spf == RESULT_PASS);
    FUZZ_CHECK(faulty->arc != RESULT_PASS || good->arc == RESULT_PASS);
    FUZZ_CHECK(faulty->dmarc != RESULT_PASS || good->dmarc == RESULT_PASS);
    FUZZ_CHECK(faulty->dkim_passes <= good->dkim_passes);
}

void fuzz_check_equal(const struct fuzz_verdict *a, const struct fuzz_verdict *b)
{
    FUZZ_CHECK(a->spf == b->spf && a->arc == b->arc && a->dmarc == b->dmarc);
    FUZZ_CHECK(a->dkim_passes == b->dkim_passes);
    FUZZ_CHECK(span_equal(a->results, b->results));
    FUZZ_CHECK(span_equal(a->json, b->json));
}

void fuzz_check_written(const struct fuzz_verdict *verdict)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)verdict->json.p, verdict->json.n,
                                JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    FUZZ_CHECK(json_is_object(object));
    FUZZ_CHECK(span_find(verdict->json, '\n') == verdict->json.n);
    json_decref(object);
    struct arena arena;
    static struct ar ar;
    arena_init(&arena, MAX_ARENA_BYTES);
    FUZZ_CHECK(ar_read(verdict->results, &arena, &ar));
    const struct ar_result *dmarc = ar_find(&ar, "dmarc", 0);
    FUZZ_CHECK(dmarc && span_equal(dmarc->result, SPAN("pass")) == (verdict->dmarc == RESULT_PASS));
    arena_fini(&arena);
}
