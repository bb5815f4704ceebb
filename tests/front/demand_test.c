/* Requests from TLVs and from JSON: what each field may be, and the limits at their edges. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/guard.h"
#include "support/talk.h"

#include "front/demand.h"

static struct demand demand;

static void init(void)
{
    demand_init(&demand);
}

static void fini(void)
{
    demand_fini(&demand);
}

TestSuite(demand, .init = init, .fini = fini);

static const struct
{
    const char *json;
    bool query;
    const char *why; /* NULL: fine */
} objects[] = {
    {"{\"size\":0}", false, NULL},
    {"{\"size\":0,\"unknown\":[1,{}]}", false, NULL},
    {"{\"size\":0,\"ip\":null,\"id\":null}", false, NULL},
    {" {\"op\":\"check\",\"size\":5}\t\r", false, NULL},
    {"{\"path\":\"/a\"}", false, NULL},
    {"{\"op\":\"ping\"}", false, NULL},
    {"{\"op\":\"ping\"}", true, NULL},
    {"{\"op\":\"stats\",\"id\":-9223372036854775808}", false, NULL},
    {"{\"op\":\"flush\"}", true, NULL},
    {"{\"op\":\"spf\",\"ip\":\"::1\",\"helo\":\"h\"}", true, NULL},
    {"{\"op\":\"dmarc\",\"domain\":\"a.example\"}", true, NULL},
    {"{\"size\":0,\"rcpt_to\":[]}", false, NULL},
    {"{\"size\":0,\"deadline_ms\":99999999999}", false, NULL},
    {"", false, "no JSON object"},
    {"[]", false, "no JSON object"},
    {"\"x\"", false, "no JSON object"},
    {"{", false, "no JSON object"},
    {"{}x", false, "no JSON object"},
    {"{} {}", false, "no JSON object"},
    {"{\"size\":0,\"size\":1}", false, "no JSON object"},
    {"{\"helo\":\"\\u0000\",\"size\":0}", false, "no JSON object"},
    {"{\"helo\":\"\xff\",\"size\":0}", false, "no JSON object"},
    {"{}", false, "check wants one of size and path"},
    {"{\"size\":1,\"path\":\"/a\"}", false, "check wants one of size and path"},
    {"{}", true, "check needs REQUEST and DATA"},
    {"{\"op\":\"check\",\"size\":1}", true, "check needs REQUEST and DATA"},
    {"{\"op\":\"ping\",\"size\":1}", false, "size belongs to check"},
    {"{\"op\":\"halt\"}", false, "unknown op"},
    {"{\"op\":\"\"}", false, "unknown op"},
    {"{\"op\":1}", false, "a key has a value of another type"},
    {"{\"size\":\"1\"}", false, "a key has a value of another type"},
    {"{\"size\":1.0}", false, "a key has a value of another type"},
    {"{\"size\":-1}", false, "size is negative"},
    {"{\"size\":1e400}", false, "no JSON object"},
    {"{\"size\":99999999999999999999}", false, "no JSON object"},
    {"{\"size\":0,\"now\":-1}", false, "now is negative"},
    {"{\"size\":0,\"deadline_ms\":-1}", false, "deadline_ms is negative"},
    {"{\"size\":0,\"id\":1.5}", false, "a key has a value of another type"},
    {"{\"size\":0,\"id\":[]}", false, "a key has a value of another type"},
    {"{\"size\":0,\"ip\":\"192.0.2\"}", false, "the client address is none"},
    {"{\"size\":0,\"ip\":\"\"}", false, "the client address is none"},
    {"{\"size\":0,\"rcpt_to\":\"a\"}", false, "a key has a value of another type"},
    {"{\"size\":0,\"rcpt_to\":[\"a\",1]}", false, "rcpt_to is no list of texts"},
    {"{\"size\":0,\"lf\":1}", false, "a key has a value of another type"},
    {"{\"size\":0,\"authserv_id\":\"\"}", false, "authserv_id is empty or too long"},
    {"{\"op\":\"spf\",\"helo\":\"h\"}", false, "spf wants ip"},
    {"{\"op\":\"spf\",\"ip\":\"::1\"}", false, "spf wants mail_from or helo"},
    {"{\"op\":\"dmarc\"}", false, "dmarc wants domain"},
};

Test(demand, objects_are_taken_or_refused_with_a_reason)
{
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        struct span text = guard_copy(span_from_string(objects[i].json));
        enum front_error error = demand_from_json(&demand, text, objects[i].query);
        cr_expect(error == (objects[i].why ? FRONT_MALFORMED : FRONT_OK), "%s: %s", objects[i].json,
                  error ? demand.why : "taken");
        if (error && objects[i].why)
            cr_expect_str_eq(demand.why, objects[i].why, "%s: %s", objects[i].json, demand.why);
    }
}

Test(demand, an_id_comes_back_as_it_was)
{
    static const char *const ids[] = {"1",     "-1",          "9223372036854775807",
                                      "\"x\"", "\"\\\"\\n\"", "\"\""};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"id\":%s,\"op\":\"halt\"}", ids[i]);
        cr_expect(demand_from_json(&demand, span_from_string(text), false) == FRONT_MALFORMED);
        cr_expect(span_equal(buffer_span(&demand.id), span_from_string(ids[i])), "%s: %.*s", ids[i],
                  (int)demand.id.n, (const char *)demand.id.p);
    }
    cr_expect(demand_from_json(&demand, SPAN("{\"op\":\"ping\"}"), false) == FRONT_OK);
    cr_expect(demand.id.n == 0, "an id of an earlier demand");
}

Test(demand, limits_at_their_edges)
{
    static char text[FRAME_CONTROL_MAX];
    for (int over = -1; over <= 1; over++) {
        int n = snprintf(text, sizeof text, "{\"op\":\"ping\",\"id\":\"%0*d\"}",
                         DEMAND_ID_MAX + over, 0);
        enum front_error want = over > 0 ? FRONT_MALFORMED : FRONT_OK;
        cr_expect(demand_from_json(&demand, span_of(text, (size_t)n), false) == want, "id %+d",
                  over);
        n = snprintf(text, sizeof text, "{\"size\":0,\"authserv_id\":\"%0*d\"}",
                     DEMAND_AUTHSERV_ID_MAX + over, 0);
        cr_expect(demand_from_json(&demand, span_of(text, (size_t)n), false) == want,
                  "authserv_id %+d", over);
        n = snprintf(text, sizeof text, "{\"size\":0,\"rcpt_to\":[\"a\"");
        for (int i = 1; i < MAX_RECIPIENTS + over; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, ",\"a\"");
        n += snprintf(text + n, sizeof text - (size_t)n, "]}");
        cr_expect(demand_from_json(&demand, span_of(text, (size_t)n), false) == want, "rcpt %+d",
                  over);
    }
}

Test(demand, nesting_is_bounded)
{
    static char text[100000];
    memset(text, '[', sizeof text);
    memcpy(text, "{\"x\":", 5);
    cr_expect(demand_from_json(&demand, span_of(text, sizeof text), false) == FRONT_MALFORMED);
}

Test(demand, empty_texts_are_there)
{
    cr_assert(demand_from_json(&demand, SPAN("{\"size\":0,\"mail_from\":\"\",\"helo\":\"\"}"),
                               false) == FRONT_OK);
    cr_expect(demand.envelope.mail_from.p && demand.envelope.mail_from.n == 0);
    cr_expect(demand.envelope.helo.p != NULL);
    cr_assert(demand_from_tlvs(&demand, SPAN("\x12\0\0\0")) == FRONT_OK);
    cr_expect(demand.envelope.mail_from.p && demand.envelope.mail_from.n == 0);
    cr_expect(!demand.envelope.helo.p && !demand.authserv_id.p && !demand.has_now);
}

static const struct
{
    const char *name;
    struct span payload;
    const char *why;
} payloads[] = {
    {"nothing", {NULL, 0}, NULL},
    {"tags nobody knows, twice", {(const uint8_t *)"\x7f\0\0\1x\x7f\0\0\0", 9}, NULL},
    {"hello's tags", {(const uint8_t *)"\x01\0\0\0\x01\0\0\0", 8}, NULL},
    {"address", {(const uint8_t *)"\x10\0\0\3::1", 7}, NULL},
    {"mapped address", {(const uint8_t *)"\x10\0\0\x0e::ffff:1.2.3.4", 18}, NULL},
    {"no address", {(const uint8_t *)"\x10\0\0\1x", 5}, "the client address is none"},
    {"empty address", {(const uint8_t *)"\x10\0\0\0", 4}, "the client address is none"},
    {"two HELO", {(const uint8_t *)"\x11\0\0\0\x11\0\0\0", 8}, "a tag twice"},
    {"two wishes", {(const uint8_t *)"\x19\0\0\4\0\0\0\0\x19\0\0\4\0\0\0\0", 16}, "a tag twice"},
    {"two recipients", {(const uint8_t *)"\x13\0\0\0\x13\0\0\0", 8}, NULL},
    {"deadline of 3 bytes", {(const uint8_t *)"\x17\0\0\3abc", 7}, "a number has the wrong length"},
    {"wishes of 8 bytes",
     {(const uint8_t *)"\x19\0\0\10abcdefgh", 12},
     "a number has the wrong length"},
    {"now of 4 bytes", {(const uint8_t *)"\x18\0\0\4abcd", 8}, "a number has the wrong length"},
    {"now before 1970",
     {(const uint8_t *)"\x18\0\0\10\xff\0\0\0\0\0\0\0", 12},
     "receive time out of range"},
    {"no authserv-id", {(const uint8_t *)"\x16\0\0\0", 4}, "authserv_id is empty or too long"},
    {"cut", {(const uint8_t *)"\x11\0\0\5abc", 7}, "a TLV ends behind its frame"},
};

Test(demand, J07_tlvs_are_taken_or_refused_with_a_reason)
{
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        enum front_error error = demand_from_tlvs(&demand, guard_copy(payloads[i].payload));
        cr_expect(error == (payloads[i].why ? FRONT_MALFORMED : FRONT_OK), "%s: %s",
                  payloads[i].name, error ? demand.why : "taken");
        if (error && payloads[i].why)
            cr_expect_str_eq(demand.why, payloads[i].why, "%s: %s", payloads[i].name, demand.why);
    }
}

Test(demand, J07_recipients_in_tlvs_at_the_limit)
{
    struct buffer payload;
    buffer_init(&payload, 1 << 20);
    for (int i = 0; i < MAX_RECIPIENTS; i++)
        tlv_write(&payload, TAG_RCPT_TO, SPAN("r@a.example"));
    cr_expect(demand_from_tlvs(&demand, buffer_span(&payload)) == FRONT_OK);
    cr_expect(demand.envelope.recipient_count == MAX_RECIPIENTS);
    tlv_write(&payload, TAG_RCPT_TO, SPAN("r@a.example"));
    cr_expect(demand_from_tlvs(&demand, buffer_span(&payload)) == FRONT_MALFORMED);
    buffer_fini(&payload);
}

Test(demand, J07_random_payloads_are_survived)
{
    unsigned seed = 11;
    for (int round = 0; round < 50000; round++) {
        uint8_t bytes[48];
        size_t n = (size_t)rand_r(&seed) % sizeof bytes;
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(rand_r(&seed) % (i % 4 == 0 ? 0x20 : 6));
        enum front_error error = demand_from_tlvs(&demand, span_of(bytes, n));
        cr_assert(error == FRONT_OK || (error == FRONT_MALFORMED && demand.why));
    }
}
