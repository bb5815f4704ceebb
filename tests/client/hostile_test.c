/*
 * Servers that misbehave. Whatever comes: each accepted request is answered once, no answer goes to
 * another request, none is a pass that the server did not send, nothing waits for ever.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"

enum
{
    SCRIPT_MAX = 4096,
};

/* A conversation's bytes, built before they are sent in pieces. */
struct script
{
    uint8_t bytes[SCRIPT_MAX];
    size_t n;
};

static void say(struct script *script, enum frame_type type, uint64_t id, const void *payload,
                size_t n)
{
    uint8_t *p = script->bytes + script->n;
    p = frame_put_header(p, (uint32_t)n, type, 0, id);
    if (n)
        memcpy(p, payload, n);
    script->n += FRAME_HEADER + n;
}

static void say_result(struct script *script, uint64_t id)
{
    uint8_t payload[64] = {0x14, 0x5a, 0x11, 0x5a, 1, 0, 0, 0}, *p = payload + 8;
    p = frame_put_tlv(p, 0x77, "unknown tag", 11);
    p = frame_put_tlv(p, TAG_JSON, "{\"v\":1}", 7);
    p = frame_put_tlv(p, TAG_RESULTS, "mx; dkim=pass", 13);
    say(script, FRAME_RESULT, id, payload, (size_t)(p - payload));
}

/* Two requests, and all that a good server may say to them. */
static void good_script(struct script *script, uint64_t a, uint64_t b)
{
    *script = (struct script){.n = 0};
    say(script, FRAME_CREDIT, 0, "\0\0\0\x03", 4);
    say(script, FRAME_PARTIAL, b, "\x5a\0\0\0\0\0\0\0", 8);
    say_result(script, b);
    say(script, FRAME_PONG, 0, "12345678", 8);
    say(script, FRAME_ERROR, a, "\0\x09no memory", 11);
    say(script, FRAME_GOAWAY, 0, "\0\0\0\0\0\0\0\x01", 8);
}

static void expect_good_reports(uint64_t a, uint64_t b, const char *name, size_t at)
{
    cr_assert(reports.count == 2, "%s %zu: %u answers", name, at, reports.count);
    const struct report *verdict = &reports.list[0], *refusal = &reports.list[1];
    cr_expect(verdict->outcome == ASSAY_CLIENT_VERDICT && verdict->id == b &&
                  verdict->spf == ASSAY_CLIENT_FAIL && verdict->dkim == ASSAY_CLIENT_PASS &&
                  verdict->arc == ASSAY_CLIENT_NONE && verdict->dmarc == ASSAY_CLIENT_PASS &&
                  verdict->disposition == ASSAY_CLIENT_DISPOSE_NONE,
              "%s %zu", name, at);
    cr_expect_str_eq(verdict->json, "{\"v\":1}");
    cr_expect_str_eq(verdict->results, "mx; dkim=pass");
    cr_expect(refusal->outcome == ASSAY_CLIENT_REFUSED && refusal->id == a &&
                  refusal->error == ASSAY_CLIENT_ERROR_INTERNAL &&
                  refusal->dmarc == ASSAY_CLIENT_UNSET,
              "%s %zu", name, at);
    cr_expect_str_eq(refusal->word, "internal");
    cr_expect(reports.partials == 1 && reports.partial_id == b &&
              reports.partial_spf == ASSAY_CLIENT_PASS);
}

/* Whole = every split in two = byte by byte. */
Test(hostile, answers_in_any_pieces_are_the_same)
{
    struct fake fake;
    struct script script;
    fake_open(&fake);
    for (size_t split = 1; split == 1 || split <= script.n; split++) {
        struct assay_client *client = fake_client(&fake, 4);
        uint64_t a = submitted(client, "a"), b = submitted(client, "b");
        turn(client);
        reports = (struct reports){.count = 0};
        good_script(&script, a, b);
        size_t step = split == script.n ? 1 : split;
        for (size_t at = 0; at < script.n; at += step) {
            step = split == script.n ? 1 : at ? script.n - split : split;
            fake_send(&fake, script.bytes + at, step);
            turn(client);
        }
        expect_good_reports(a, b, "split", split);
        cr_expect(assay_client_state(client) == ASSAY_CLIENT_AWAY, "drained and gone");
        assay_client_close(&client);
        fake_hang_up(&fake);
    }
    fake_close(&fake);
}

/* L02 from the other side: the server goes at each byte of its answers. */
Test(hostile, a_conversation_cut_at_every_byte)
{
    struct fake fake;
    struct script script = {.n = 1};
    fake_open(&fake);
    for (size_t cut = 0; cut < script.n; cut++) {
        struct assay_client *client = fake_client(&fake, 4);
        uint64_t ids[2] = {submitted(client, "a"), submitted(client, "b")};
        turn(client);
        reports = (struct reports){.count = 0};
        good_script(&script, ids[0], ids[1]);
        if (cut)
            fake_send(&fake, script.bytes, cut);
        fake_hang_up(&fake);
        for (int i = 0; i < 3; i++)
            turn(client);
        cr_assert(reports.count == 2, "cut at %zu: %u answers", cut, reports.count);
        cr_expect(reports.list[0].id != reports.list[1].id, "cut at %zu: twice", cut);
        for (unsigned i = 0; i < 2; i++) {
            const struct report *r = &reports.list[i];
            cr_expect(r->id == ids[0] || r->id == ids[1]);
            cr_expect(r->outcome == ASSAY_CLIENT_VERDICT
                          ? r->id == ids[1] && cut >= 100
                          : r->dmarc == ASSAY_CLIENT_UNSET && r->spf == ASSAY_CLIENT_UNSET,
                      "cut at %zu: outcome %#x", cut, r->outcome);
        }
        cr_expect(assay_client_open_requests(client) == 0);
        assay_client_close(&client);
    }
    fake_close(&fake);
}

/* The greeting too. */
Test(hostile, a_greeting_cut_at_every_byte)
{
    struct fake fake;
    fake_open(&fake);
    uint8_t hello[FRAME_HEADER + 24] = {0};
    uint8_t *p = frame_put_header(hello, 24, FRAME_HELLO, 0, 0), limits[16];
    memcpy(p, "\x01\0\0\0", 4);
    frame_put32(frame_put32(frame_put64(limits, 1000), 8), 1000);
    frame_put_tlv(p + 4, TAG_LIMITS, limits, 16);
    for (size_t cut = 0; cut <= sizeof hello; cut++) {
        struct assay_client *client = fake_client(&fake, 0);
        fake_accept(&fake);
        fake_read(&fake);
        if (cut)
            fake_send(&fake, hello, cut);
        turn(client);
        bool whole = cut == sizeof hello;
        cr_expect(assay_client_room(client) == (whole ? 8 : 0), "cut at %zu", cut);
        fake_hang_up(&fake);
        turn(client);
        cr_expect(assay_client_state(client) == ASSAY_CLIENT_AWAY && *assay_client_trouble(client));
        assay_client_close(&client);
    }
    fake_close(&fake);
}

struct bad_answer
{
    const char *name;
    enum frame_type type;
    enum
    {
        OPEN_ID,
        ENDED_ID,
        NEXT_ID,
        OTHER_ID,
        ZERO_ID,
    } id;
    const char *payload;
    size_t n;
};

#define PAYLOAD(text) text, sizeof(text) - 1
#define PASS "\x5a\x5a\x5a\x5a\x01\0\0\0"

static const struct bad_answer bad_answers[] = {
    {"RESULT twice", FRAME_RESULT, ENDED_ID, PAYLOAD(PASS)},
    {"RESULT of an id that was not given out", FRAME_RESULT, NEXT_ID, PAYLOAD(PASS)},
    {"RESULT of an id far away", FRAME_RESULT, OTHER_ID, PAYLOAD(PASS)},
    {"RESULT of id 0", FRAME_RESULT, ZERO_ID, PAYLOAD(PASS)},
    {"RESULT without its eight bytes", FRAME_RESULT, OPEN_ID, PAYLOAD("\x5a\x5a\x5a\x5a\x01\0\0")},
    {"empty RESULT", FRAME_RESULT, OPEN_ID, PAYLOAD("")},
    {"RESULT with a TLV header cut", FRAME_RESULT, OPEN_ID, PAYLOAD(PASS "\x30\0\0")},
    {"RESULT with a TLV past its end", FRAME_RESULT, OPEN_ID, PAYLOAD(PASS "\x30\0\0\x03{}")},
    {"RESULT with a TLV of 16 MiB", FRAME_RESULT, OPEN_ID, PAYLOAD(PASS "\x30\xff\xff\xff{}")},
    {"PARTIAL of an ended id", FRAME_PARTIAL, ENDED_ID, PAYLOAD("\x5a\0\0\0\0\0\0\0")},
    {"short PARTIAL", FRAME_PARTIAL, OPEN_ID, PAYLOAD("\x5a")},
    {"ERROR of an ended id", FRAME_ERROR, ENDED_ID, PAYLOAD("\0\x05")},
    {"ERROR without a code", FRAME_ERROR, OPEN_ID, PAYLOAD("\0")},
    {"ERROR with code 0", FRAME_ERROR, OPEN_ID, PAYLOAD("\0\0")},
    {"short CREDIT", FRAME_CREDIT, ZERO_ID, PAYLOAD("\0\0\x01")},
    {"HELLO twice", FRAME_HELLO, ZERO_ID, PAYLOAD("\x01\0\0\0")},
    {"a client's REQUEST", FRAME_REQUEST, OPEN_ID, PAYLOAD("")},
    {"a client's DATA", FRAME_DATA, OPEN_ID, PAYLOAD("x")},
    {"type 0", (enum frame_type)0, OPEN_ID, PAYLOAD(PASS)},
    {"type 16", (enum frame_type)16, OPEN_ID, PAYLOAD(PASS)},
    {"type 23", (enum frame_type)23, OPEN_ID, PAYLOAD(PASS)},
    {"type 255", (enum frame_type)255, OPEN_ID, PAYLOAD(PASS)},
};

Test(hostile, frames_that_cannot_be_end_the_connection)
{
    struct fake fake;
    fake_open(&fake);
    for (size_t i = 0; i < sizeof bad_answers / sizeof *bad_answers; i++) {
        const struct bad_answer *bad = &bad_answers[i];
        struct assay_client *client = fake_client(&fake, 4);
        uint64_t ended = submitted(client, "a"), open = submitted(client, "b");
        turn(client);
        reports = (struct reports){.count = 0};
        fake_result(&fake, ended, "\x14\x14\x14\x14\x03", NULL);
        turn(client);
        const uint64_t ids[] = {open, ended, open + (1u << 20) + 1, UINT64_MAX, 0};
        fake_frame(&fake, bad->type, ids[bad->id], bad->payload, bad->n);
        turn(client);
        cr_assert(reports.count == 2, "%s: %u answers", bad->name, reports.count);
        const struct report *lost = &reports.list[1];
        cr_expect(lost->outcome == ASSAY_CLIENT_LOST && lost->id == open, "%s: outcome %#x",
                  bad->name, lost->outcome);
        cr_expect(lost->dmarc == ASSAY_CLIENT_UNSET && strcmp(lost->word, "protocol") == 0,
                  "%s: word %s", bad->name, lost->word);
        cr_expect(assay_client_fd(client) < 0 && reports.partials == 0, "%s", bad->name);
        assay_client_close(&client);
        fake_hang_up(&fake);
    }
    fake_close(&fake);
}

/* J07: lengths of 1 MiB, one more, 4 GiB less one. The first is waited for, not the others. */
Test(hostile, giant_lengths_are_refused_before_anything_is_allocated)
{
    static const uint32_t lengths[] = {1 << 20, (1 << 20) + 1, 0x7fffffff, 0xffffffff};
    struct fake fake;
    fake_open(&fake);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t header[FRAME_HEADER];
        struct assay_client *client = fake_client(&fake, 4);
        uint64_t id = submitted(client, "a");
        turn(client);
        reports = (struct reports){.count = 0};
        frame_put_header(header, lengths[i], FRAME_RESULT, 0, id);
        fake_send(&fake, header, sizeof header);
        turn(client);
        cr_expect(reports.count == (i ? 1 : 0), "length %u: %u answers", lengths[i], reports.count);
        assay_client_close(&client);
        fake_hang_up(&fake);
    }
    fake_close(&fake);
}

/* A RESULT of exactly 1 MiB, the largest frame there is. */
Test(hostile, the_largest_answer_arrives_whole)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 4);
    uint64_t id = submitted(client, "a");
    turn(client);
    size_t json = (1 << 20) - 8 - 4, n = FRAME_HEADER + (1 << 20);
    uint8_t *bytes = calloc(1, n), *p = frame_put_header(bytes, 1 << 20, FRAME_RESULT, 0, id);
    memset(p, 0x11, 4);
    frame_put32(p + 8, (uint32_t)TAG_JSON << 24 | (uint32_t)json);
    memset(p + 12, 'j', json);
    for (size_t at = 0; at < n;) {
        size_t piece = n - at < 30000 ? n - at : 30000;
        fake_send(&fake, bytes + at, piece);
        at += piece;
        turn(client);
    }
    cr_assert(reports.count == 1 && reports.list[0].json_bytes == json);
    free(bytes);
    assay_client_close(&client);
    fake_close(&fake);
}

/* Zero is no verdict, and of all other bytes only 0x5a is a pass. */
Test(hostile, result_bytes_that_are_unknown_are_no_verdict)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 4);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t id = submitted(client, "x");
        turn(client);
        char results[5];
        memset(results, (int)byte, sizeof results);
        reports = (struct reports){.count = 0};
        fake_result(&fake, id, results, NULL);
        turn(client);
        const struct report *r = &reports.list[0];
        bool known = (byte >= 0x11 && byte <= 0x17) || byte == 0x5a;
        unsigned want = known ? byte : 0;
        cr_expect(reports.count == 1 && r->spf == want && r->dkim == want && r->arc == want &&
                      r->dmarc == want && r->disposition == (byte <= 3 ? byte : 0),
                  "byte %#x: dmarc %#x, disposition %u", byte, r->dmarc, r->disposition);
    }
    assay_client_close(&client);
    fake_close(&fake);
}

struct bad_hello
{
    const char *name, *payload;
    size_t n;
    const char *trouble;
};

static const struct bad_hello bad_hellos[] = {
    {"another major", PAYLOAD("\x02\0\0\0"), "another version"},
    {"major 0", PAYLOAD("\0\0\0\0"), "another version"},
    {"short", PAYLOAD("\x01\0\0"), "short HELLO"},
    {"short limits", PAYLOAD("\x01\0\0\0\x03\0\0\x0f\0\0\0\0\0\0\0\x10\0\0\0\x01\0\0\0"),
     "short limits"},
    {"no room for frames", PAYLOAD("\x01\0\0\0\x03\0\0\x10\0\0\0\0\0\0\0\x10\0\0\0\x01\0\0\0\0"),
     "allows no frame"},
    {"TLV overruns", PAYLOAD("\x01\0\0\0\x01\0\0\x05name"), "overruns"},
};

Test(hostile, greetings_that_cannot_be)
{
    struct fake fake;
    fake_open(&fake);
    for (size_t i = 0; i < sizeof bad_hellos / sizeof *bad_hellos; i++) {
        const struct bad_hello *bad = &bad_hellos[i];
        struct assay_client *client = fake_client(&fake, 0);
        fake_accept(&fake);
        fake_frame(&fake, FRAME_HELLO, 0, bad->payload, bad->n);
        turn(client);
        cr_expect(assay_client_state(client) == ASSAY_CLIENT_AWAY &&
                      strstr(assay_client_trouble(client), bad->trouble) != NULL,
                  "%s: %s", bad->name, assay_client_trouble(client));
        assay_client_close(&client);
        fake_hang_up(&fake);
    }
    fake_close(&fake);
}

Test(hostile, something_else_before_the_greeting)
{
    static const char other_protocol[] = "220 mx.example ESMTP ready when you are\r\n";
    struct fake fake;
    fake_open(&fake);
    for (int i = 0; i < 2; i++) {
        struct assay_client *client = fake_client(&fake, 0);
        fake_accept(&fake);
        if (i)
            fake_frame(&fake, FRAME_CREDIT, 0, "\0\0\0\x03", 4);
        else
            fake_send(&fake, other_protocol, sizeof other_protocol - 1);
        turn(client);
        cr_expect(assay_client_state(client) == ASSAY_CLIENT_AWAY &&
                  assay_client_room(client) == 0);
        assay_client_close(&client);
        fake_hang_up(&fake);
    }
    fake_close(&fake);
}

/* 200,000 frames of noise with plausible headers: no crash, and the rules at the top of this file.
 */
Test(hostile, seeded_noise)
{
    enum
    {
        ROUNDS = 4000,
    };
    static const uint8_t types[] = {1, 17, 17, 17, 18, 19, 19, 20, 21, 22, 2, 99};
    uint64_t random = 88172645463325252;
    struct fake fake;
    fake_open(&fake);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct assay_client *client = fake_client(&fake, 4);
        uint64_t ids[4];
        reports = (struct reports){.count = 0};
        for (int i = 0; i < 4; i++)
            ids[i] = submitted(client, "x");
        turn(client);
        for (int frames = 0; frames < 12 && assay_client_fd(client) >= 0; frames++) {
            uint8_t payload[40];
            for (size_t i = 0; i < sizeof payload; i++) {
                random ^= random << 13, random ^= random >> 7, random ^= random << 17;
                payload[i] = (uint8_t)(random >> 20) & (i % 3 ? 0x1f : 0xff);
            }
            uint8_t type = types[(random >> 8) % sizeof types];
            uint64_t id = (random >> 16) % 8 ? ids[(random >> 24) % 4] : random >> 40;
            fake_frame(&fake, (enum frame_type)type, id, payload, (random >> 32) % 41);
            turn(client);
        }
        assay_client_close(&client);
        fake_hang_up(&fake);
        cr_assert(reports.count == 4, "round %u: %u answers", round, reports.count);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < i; j++)
                cr_assert(reports.list[i].id != reports.list[j].id, "round %u: twice", round);
    }
    fake_close(&fake);
}
