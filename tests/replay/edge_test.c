/* Messages and answers at the edges of the limits, recorded and replayed. */
#include <stdio.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/limit.h"
#include "recording.h"

static const char signature[] =
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=a.example; s=s; h=from;\r\n"
    " l=5; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s; h=from;\r\n"
    " l=18446744073709551614; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA\r\n"
    "From: x@a.example\r\n";

static void expect_file_same(const char *file, const char *zone)
{
    struct call call = {.n = 0};
    CALL(&call, "check", "--dns", zone, "--ip", "192.0.2.7", "--mail-from", "x@a.example", file);
    expect_same(&call, temporary_path("capsule.json"));
}

static void expect_mail_same(struct span head, struct span body)
{
    struct buffer mail;
    buffer_init(&mail, 8 << 20);
    buffer_append(&mail, head);
    buffer_append(&mail, body);
    expect_file_same(temporary_file("m.eml", buffer_span(&mail)), "/dev/null");
    buffer_fini(&mail);
}

/* No body, an empty one, one without an end; odd octets; a header that is the whole message. */
Test(replay_edge, ends_of_messages)
{
    static const char *const ends[] = {"",          "\r\n",          "\r\n\r\n",     "\r\nbody",
                                       "\r\nb\r\n", "\r\nb\rc\nd\r", "no field\r\n", " folded"};
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        expect_mail_same(span_from_string(signature), span_from_string(ends[i]));
}

/* A header over MAX_HEADER_BYTES is refused by the engine, and its replay with it. */
Test(replay_edge, header_at_its_limit)
{
    for (int more = -1; more <= 1; more++) {
        struct buffer head;
        buffer_init(&head, 1 << 20);
        buffer_append_string(&head, signature);
        size_t target = (size_t)(MAX_HEADER_BYTES + more);
        while (head.n + 1000 < target)
            buffer_printf(&head, "X: %0*d\r\n", 500, 7);
        buffer_printf(&head, "X: %0*d\r\n", (int)(target - head.n - 5), 7);
        cr_assert(head.n == target);
        expect_mail_same(buffer_span(&head), SPAN("\r\nbody\r\n"));
        buffer_fini(&head);
    }
}

/* The answers' own limits: records that were cut off are told the same way (F09). */
Test(replay_edge, answers_at_their_limit)
{
    for (int more = -1; more <= 1; more++) {
        struct buffer zone;
        buffer_init(&zone, 1 << 20);
        for (int i = 0; i < MAX_DNS_RECORDS + more; i++)
            buffer_printf(&zone, "a.example TXT \"record %d\"\n", i);
        char path[128];
        snprintf(path, sizeof path, "%s", temporary_file("zone.txt", buffer_span(&zone)));
        expect_file_same(temporary_file("m.eml", SPAN("From: x@a.example\r\n\r\n")), path);
        buffer_fini(&zone);
    }
}

/* One large message: file of `bytes` octets whose body is mostly hole. */
static const char *large_file(size_t bytes)
{
    const char *path = temporary_path("large.eml");
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL && fprintf(file, "%s\r\nbody", signature) > 0);
    cr_assert(fseek(file, (long)bytes - 2, SEEK_SET) == 0 && fputs("\r\n", file) >= 0);
    cr_assert(fclose(file) == 0);
    return path;
}

static void expect_large_same(size_t bytes, const char *form)
{
    const char *path = temporary_path("capsule.json");
    struct call call = {.n = 0};
    CALL(&call, "check", "--json", "--dns", "/dev/null", "--record", path, large_file(bytes));
    if (form)
        call_add(&call, form);
    struct outcome was = call_run(&call), is = ASSAY("replay", "--json", path);
    bool too_large = bytes > MAX_MESSAGE_BYTES;
    cr_expect(was.status == 0 && is.status == 0, "%s%s", was.err, is.err);
    cr_expect((strstr(was.out, "\"too_large\"") != NULL) == too_large, "%s", was.out);
    cr_expect_str_eq(is.out, was.out);
    if (form)
        return;
    json_t *capsule = capsule_load(path);
    cr_expect(json_is_true(json_at(capsule, "body_hashes.message_too_large")) == too_large);
    json_decref(capsule);
}

/* B10: over MAX_MESSAGE_BYTES nothing may pass, in the replay neither. */
Test(replay_edge, message_at_its_limit)
{
    expect_large_same(MAX_MESSAGE_BYTES - 1, NULL);
    expect_large_same(MAX_MESSAGE_BYTES, NULL);
    expect_large_same(MAX_MESSAGE_BYTES + 1, NULL);
    expect_large_same(MAX_MESSAGE_BYTES + 1, "--with-body");
}
