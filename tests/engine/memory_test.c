/*
 * What a message in flight costs (issue "the engine for bulk streams": under 16 KiB plus its
 * headers): its struct, its arena, and what the library's digests take.
 */
#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "driving.h"
#include "run/prepare.h"

enum
{
    BODY_BYTES = 8 * 1024,
    HEADER_BYTES = 2 * 1024,
    CEILING = 16 * 1024,
    KEY_BYTES = 1024, /* what the kernels know of a key of 2048 bits: else a part of the cache */
};

/* pass.eml with a header of 2 KB and a body of 8 KB. */
static struct span typical_message(struct buffer *text)
{
    struct span sample = sample_text("pass.eml");
    const uint8_t *end = memmem(sample.p, sample.n, "\r\n\r\n", 4);
    size_t header_bytes = (size_t)(end - sample.p) + 2;
    buffer_init(text, 1024 * 1024);
    while (text->n + header_bytes + 78 < HEADER_BYTES)
        buffer_append_string(text, "Received: from a.example (a.example [192.0.2.1]) by b.example"
                                   " with ESMTP; x\r\n");
    buffer_append(text, span_skip(sample, 0));
    while (text->n < HEADER_BYTES + BODY_BYTES)
        buffer_append_string(text, "A line of a body that is long enough to be one of many.\r\n");
    cr_assert(!text->failed);
    return buffer_span(text);
}

static size_t heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static void report(const char *when, const struct message *message, size_t heap)
{
    size_t header = message->reader.header.block.n;
    size_t total = sizeof *message + heap;
    fprintf(stderr,
            "suite memory: %-28s %zu bytes: struct %zu, arena %zu (%zu used, %zu of them header), "
            "others %zu\n",
            when, total, sizeof *message, message->arena.held_bytes, message->arena.used_bytes,
            header, heap - message->arena.held_bytes);
#if !defined(__SANITIZE_ADDRESS__)
    cr_expect(total <= CEILING + KEY_BYTES + HEADER_BYTES, "%s: %zu bytes", when, total);
#endif
}

static void measure(struct assay_engine *engine, struct near_source *near,
                    const struct message_envelope *envelope, struct span text)
{
    struct message message;
    size_t before = heap_bytes();
    message_init(&message, &engine->options, envelope, near ? &near->near : NULL);
    size_t header = (size_t)((const uint8_t *)memmem(text.p, text.n, "\r\n\r\n", 4) - text.p) + 4;
    (void)message_feed(&message, span_slice(text, 0, header / 2));
    report("half a header", &message, heap_bytes() - before);
    (void)message_feed(&message, span_slice(text, header / 2, header + BODY_BYTES / 2));
    message_park(&message);
    report("half a body", &message, heap_bytes() - before);
    (void)message_feed(&message, span_skip(text, header + BODY_BYTES / 2));
    message_end(&message);
    enum message_step step = message_step(&message);
    message_park(&message);
    report("waiting for answers", &message, heap_bytes() - before);
    while (step != MESSAGE_DONE) {
        if (step == MESSAGE_NEEDS_ANSWERS)
            dns_source_resolve(engine->source, &message.answers, INT64_MAX);
        else
            verify_many(message.jobs.jobs, message.jobs.count);
        message_park(&message);
        report(step == MESSAGE_NEEDS_ANSWERS ? "answered" : "verified", &message,
               heap_bytes() - before);
        step = message_step(&message);
    }
    report("judged", &message, heap_bytes() - before);
    message_fini(&message);
}

Test(memory, a_message_in_flight)
{
    static struct sample samples[1];
    struct buffer text;
    struct assay_engine *engine = driving_engine("share/samples/zone.txt");
    struct near_source near;
    struct span message = typical_message(&text);
    cr_assert(samples_read(samples, 1) == 1);
    near_source_init(&near, engine->source, run_prepare);
    near.miss_every = 1;
    char *warm = drive(&(struct driving){.engine = engine}, &samples[0].envelope, message);
    free(warm);
    measure(engine, &near, &samples[0].envelope, message);
    assay_engine_close(&engine);
    buffer_fini(&text);
}
