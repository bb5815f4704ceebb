/*
 * The public calls of assay.h: contracts, order, splits, limits. Messages are the shipped samples.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "support/corpora.h"

enum
{
    RECEIVED_AT = 1792972860, /* as in share/samples/samples.tsv */
};

static struct assay_engine *open_engine(void)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_config config = {
        .size = sizeof config,
        .authserv_id = "mx.example.net",
        .zone_file = "share/samples/zone.txt",
    };
    struct assay_engine *engine = assay_engine_open(&config, error);
    cr_assert(engine != NULL, "%s", error);
    return engine;
}

static const struct assay_envelope shop = {
    .size = sizeof shop,
    .client_ip = "192.0.2.10",
    .helo = "mx.shop.example",
    .mail_from = "orders@shop.example",
    .received_at = RECEIVED_AT,
};

static struct assay_message *begin(struct assay_engine *engine,
                                   const struct assay_envelope *envelope)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_message *message = assay_message_begin(engine, envelope, error);
    cr_assert(message != NULL, "%s", error);
    return message;
}

static void feed(struct assay_message *message, struct span bytes)
{
    cr_assert(assay_message_feed(message, bytes.p, bytes.n) == ASSAY_OK);
}

static struct span sample(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "share/samples/%s", name);
    return file_read(path);
}

/* The verdict of `text` fed in two pieces. */
static char *judge_split(struct assay_engine *engine, struct span text, size_t at)
{
    struct assay_message *message = begin(engine, &shop);
    feed(message, span_slice(text, 0, at));
    feed(message, span_skip(text, at));
    enum assay_status status = assay_message_end(message);
    cr_assert(status == ASSAY_OK);
    char *json = strdup(assay_message_json(message));
    assay_message_free(&message);
    return json;
}

static void expect_same_for_every_split(const char *name, size_t step)
{
    struct assay_engine *engine = open_engine();
    struct span text = sample(name);
    char *whole = judge_split(engine, text, 0);
    for (size_t at = 1; at <= text.n; at += step) {
        char *split = judge_split(engine, text, at);
        cr_assert_str_eq(split, whole, "%s split at %zu", name, at);
        free(split);
    }
    struct assay_message *message = begin(engine, &shop);
    for (size_t i = 0; i < text.n; i++)
        feed(message, span_slice(text, i, i + 1));
    cr_assert(assay_message_end(message) == ASSAY_OK);
    cr_expect_str_eq(assay_message_json(message), whole, "%s byte by byte", name);
    assay_message_free(&message);
    free(whole);
    assay_engine_close(&engine);
}

/* B05, R3: the verdict is the same for every segmentation. */
Test(engine, every_split_of_a_signed_message)
{
    expect_same_for_every_split("pass-two-signatures.eml", 1);
}

Test(engine, every_split_of_a_sealed_message)
{
    expect_same_for_every_split("list-arc-two-sets.eml", 3);
}

Test(engine, every_split_of_malformed_messages)
{
    expect_same_for_every_split("malformed-bare-lf.eml", 5);
    expect_same_for_every_split("malformed-nul.eml", 5);
    expect_same_for_every_split("fail-appended.eml", 5);
}

/* C18: what one message was leaves no trace in the next, in every order. */
Test(engine, messages_do_not_touch_each_other)
{
    static const char *const names[] = {"pass.eml", "fail-body.eml", "forged-two-from.eml",
                                        "list-arc-two-sets.eml"};
    struct assay_engine *engine = open_engine();
    char *alone[COUNT_OF(names)];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        alone[i] = judge_split(engine, sample(names[i]), 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        for (size_t k = 0; k < COUNT_OF(names); k++) {
            struct assay_message *a = begin(engine, &shop), *b = begin(engine, &shop);
            struct span a_text = sample(names[i]), b_text = sample(names[k]);
            feed(a, span_slice(a_text, 0, a_text.n / 2));
            feed(b, b_text);
            feed(a, span_skip(a_text, a_text.n / 2));
            cr_assert(assay_message_end(b) == ASSAY_OK && assay_message_end(a) == ASSAY_OK);
            cr_expect_str_eq(assay_message_json(a), alone[i], "%s beside %s", names[i], names[k]);
            cr_expect_str_eq(assay_message_json(b), alone[k], "%s beside %s", names[k], names[i]);
            assay_message_free(&a);
            assay_message_free(&b);
        }
    }
    assay_engine_close(&engine);
}

Test(engine, nothing_is_known_before_the_end)
{
    struct assay_engine *engine = open_engine();
    struct assay_message *message = begin(engine, &shop);
    feed(message, sample("pass.eml"));
    cr_expect(assay_message_spf(message) == ASSAY_RESULT_UNSET);
    cr_expect(assay_message_dkim(message) == ASSAY_RESULT_UNSET);
    cr_expect(assay_message_arc(message) == ASSAY_RESULT_UNSET);
    cr_expect(assay_message_dmarc(message) == ASSAY_RESULT_UNSET);
    cr_expect(assay_message_disposition(message) == ASSAY_DISPOSITION_UNSET);
    cr_expect(assay_message_json(message) == NULL);
    cr_expect(assay_message_results(message) == NULL);
    cr_expect(assay_message_results_field(message) == NULL);
    cr_assert(assay_message_end(message) == ASSAY_OK);
    cr_expect(assay_message_dmarc(message) == ASSAY_RESULT_PASS);
    cr_expect(assay_message_end(message) == ASSAY_BAD_CALL);
    cr_expect(assay_message_feed(message, "x", 1) == ASSAY_BAD_CALL);
    assay_message_free(&message);
    cr_expect(message == NULL);
    assay_message_free(&message);
    assay_engine_close(&engine);
    assay_engine_close(&engine);
}

Test(engine, given_up_messages_leak_nothing)
{
    struct assay_engine *engine = open_engine();
    struct span text = sample("list-arc-two-sets.eml");
    for (size_t at = 0; at <= text.n; at += 97) {
        struct assay_message *message = begin(engine, &shop);
        feed(message, span_slice(text, 0, at));
        assay_message_free(&message);
    }
    assay_engine_close(&engine);
}

Test(engine, faults_of_the_caller_have_a_text)
{
    char error[ASSAY_ERROR_MAX];
    struct assay_engine *engine = open_engine();
    struct assay_envelope envelope = {.size = sizeof envelope, .client_ip = "192.0.2.300"};
    cr_expect(assay_message_begin(engine, &envelope, error) == NULL);
    cr_expect(strstr(error, "192.0.2.300") != NULL, "%s", error);
    envelope = (struct assay_envelope){.size = sizeof envelope, .rcpt_count = MAX_RECIPIENTS + 1};
    cr_expect(assay_message_begin(engine, &envelope, error) == NULL);
    cr_expect(assay_message_begin(engine, &envelope, NULL) == NULL);
    assay_engine_close(&engine);
    struct assay_config config = {.size = sizeof config, .zone_file = "/nonexistent"};
    cr_expect(assay_engine_open(&config, error) == NULL);
    cr_expect(strstr(error, "/nonexistent") != NULL, "%s", error);
    static const char *const bad_names[] = {"a..b", NULL};
    config = (struct assay_config){.size = sizeof config, .trusted_sealers = bad_names};
    cr_expect(assay_engine_open(&config, error) == NULL);
    cr_expect(strstr(error, "a..b") != NULL, "%s", error);
}

Test(engine, recipients_at_their_limit)
{
    static const char *recipients[MAX_RECIPIENTS];
    for (size_t i = 0; i < COUNT_OF(recipients); i++)
        recipients[i] = "r@example.net";
    struct assay_engine *engine = open_engine();
    for (size_t count = MAX_RECIPIENTS - 1; count <= MAX_RECIPIENTS; count++) {
        struct assay_envelope envelope = shop;
        envelope.rcpt_to = recipients;
        envelope.rcpt_count = count;
        struct assay_message *message = begin(engine, &envelope);
        assay_message_free(&message);
    }
    assay_engine_close(&engine);
}

/* A struct from an older program is shorter: what it does not have is zero. */
Test(engine, smaller_structs_are_read_as_far_as_they_go)
{
    struct assay_engine *engine = open_engine();
    struct assay_envelope envelope = shop;
    envelope.size = offsetof(struct assay_envelope, helo);
    struct assay_message *message = begin(engine, &envelope);
    feed(message, sample("pass.eml"));
    cr_assert(assay_message_end(message) == ASSAY_OK);
    cr_expect(assay_message_spf(message) == ASSAY_RESULT_NONE, "no HELO, no MAIL FROM was read");
    assay_message_free(&message);
    assay_engine_close(&engine);
}

Test(engine, no_message_still_has_a_verdict)
{
    static const char *const texts[] = {"",   "\r\n", "just text\r\nno header\r\n", "\r\n\r\n\r\n",
                                        "\n", ":"};
    struct assay_engine *engine = open_engine();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct assay_message *message = begin(engine, &shop);
        feed(message, span_from_string(texts[i]));
        cr_expect(assay_message_end(message) == ASSAY_NO_MESSAGE, "\"%s\"", texts[i]);
        cr_expect(assay_message_dmarc(message) == ASSAY_RESULT_PERMERROR, "\"%s\"", texts[i]);
        cr_expect(assay_message_json(message) != NULL);
        assay_message_free(&message);
    }
    assay_engine_close(&engine);
}

/* Feeds a signed message whose body is filled up to `bytes` in all. */
static enum assay_status judge_sized(struct assay_engine *engine, size_t bytes,
                                     struct assay_message **message)
{
    static uint8_t filler[64 * 1024];
    struct span text = sample("forwarded.eml");
    enum assay_status status = ASSAY_OK;
    memset(filler, 'x', sizeof filler);
    *message = begin(engine, &shop);
    feed(*message, text);
    for (size_t left = bytes - text.n; left;) {
        size_t n = left < sizeof filler ? left : sizeof filler;
        status = assay_message_feed(*message, filler, n);
        left -= n;
    }
    enum assay_status end = assay_message_end(*message);
    cr_expect(end == status, "feed said %d, end %d", status, end);
    return status;
}

Test(engine, message_size_at_its_limit)
{
    struct assay_engine *engine = open_engine();
    struct assay_message *message;
    const char *name;
    uint64_t hits;
    cr_expect(judge_sized(engine, MAX_MESSAGE_BYTES - 1, &message) == ASSAY_OK);
    assay_message_free(&message);
    cr_expect(judge_sized(engine, MAX_MESSAGE_BYTES, &message) == ASSAY_OK);
    assay_message_free(&message);
    cr_assert(assay_engine_limit(engine, LIMIT_MESSAGE_BYTES, &name, &hits) && hits == 0);
    cr_expect(judge_sized(engine, (size_t)MAX_MESSAGE_BYTES + 1, &message) == ASSAY_TOO_LARGE);
    cr_expect(assay_message_dkim(message) != ASSAY_RESULT_PASS);
    cr_expect(assay_message_dmarc(message) != ASSAY_RESULT_PASS, "SPF does not count either");
    assay_message_free(&message);
    cr_assert(assay_engine_limit(engine, LIMIT_MESSAGE_BYTES, &name, &hits));
    cr_expect(hits == 1 && strcmp(name, "MESSAGE_BYTES") == 0, "%s %lu", name, (unsigned long)hits);
    cr_expect(!assay_engine_limit(engine, LIMIT_COUNT, &name, &hits));
    assay_engine_close(&engine);
}

/* A signature over a prefix (l=) of a message that was cut at the size limit must not pass either.
 */
Test(engine, a_cut_message_never_passes)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_config config = {
        .size = sizeof config,
        .zone_file = "share/samples/zone.txt",
        .dkim_allow_unsigned_body = 1,
    };
    struct assay_engine *engine = assay_engine_open(&config, error);
    cr_assert(engine != NULL, "%s", error);
    struct span text = sample("fail-appended.eml");
    struct assay_message *message = begin(engine, &shop);
    feed(message, text);
    cr_assert(assay_message_end(message) == ASSAY_OK);
    cr_expect(assay_message_dkim(message) == ASSAY_RESULT_PASS, "l= is allowed here: the control");
    assay_message_free(&message);
    message = begin(engine, &shop);
    feed(message, text);
    uint8_t *filler = calloc(1, MAX_MESSAGE_BYTES);
    enum assay_status status = assay_message_feed(message, filler, MAX_MESSAGE_BYTES);
    cr_expect(status == ASSAY_TOO_LARGE);
    cr_assert(assay_message_end(message) == ASSAY_TOO_LARGE);
    cr_expect(assay_message_dkim(message) != ASSAY_RESULT_PASS);
    free(filler);
    assay_message_free(&message);
    assay_engine_close(&engine);
}

/* One header over a limit: DKIM and ARC permerror or fail, SPF still runs, DMARC has its reason. */
Test(engine, header_limits)
{
    struct assay_engine *engine = open_engine();
    struct buffer text;
    buffer_init(&text, 1024 * 1024);
    for (int i = 0; i < MAX_FIELD_COUNT + 1; i++)
        buffer_append_string(&text, "X: y\r\n");
    buffer_append(&text, sample("pass.eml"));
    struct assay_message *message = begin(engine, &shop);
    feed(message, buffer_span(&text));
    cr_assert(assay_message_end(message) == ASSAY_OK);
    cr_expect(assay_message_spf(message) == ASSAY_RESULT_PASS);
    cr_expect(assay_message_dkim(message) == ASSAY_RESULT_PERMERROR);
    cr_expect(assay_message_dmarc(message) == ASSAY_RESULT_PERMERROR);
    cr_expect(strstr(assay_message_json(message), "too_many_fields") != NULL, "%s",
              assay_message_json(message));
    assay_message_free(&message);
    buffer_fini(&text);
    assay_engine_close(&engine);
}

Test(engine, the_results_field_is_a_field)
{
    struct assay_engine *engine = open_engine();
    struct assay_message *message = begin(engine, &shop);
    feed(message, sample("pass.eml"));
    cr_assert(assay_message_end(message) == ASSAY_OK);
    const char *field = assay_message_results_field(message);
    cr_expect(strncmp(field, "Authentication-Results: mx.example.net;", 39) == 0, "%s", field);
    cr_expect(strcmp(field + strlen(field) - 2, "\r\n") == 0);
    cr_expect(strstr(assay_message_results(message), "dmarc=pass") != NULL);
    cr_expect(strpbrk(assay_message_results(message), "\r\n") == NULL);
    assay_message_free(&message);
    assay_engine_close(&engine);
}
