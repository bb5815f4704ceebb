#include "verdict/json.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include "support/guard.h"

static json_t *parse(const struct buffer *out)
{
    json_error_t error;
    cr_assert(!out->failed);
    json_t *root = json_loadb((const char *)out->p, out->n, JSON_ALLOW_NUL, &error);
    cr_assert(root != NULL, "not JSON: %s at %d: %.*s", error.text, error.position, (int)out->n,
              (const char *)out->p);
    return root;
}

/* The text of one string after writing and reading it. */
static struct span round_trip(struct span s, struct buffer *out, json_t **root)
{
    struct jsonw json;
    buffer_reset(out);
    jsonw_begin(&json, out);
    jsonw_array_open(&json, NULL);
    jsonw_span(&json, NULL, guard_copy(s));
    jsonw_array_close(&json);
    *root = parse(out);
    json_t *item = json_array_get(*root, 0);
    return span_of(json_string_value(item), json_string_length(item));
}

struct string_case
{
    struct span in, written, read;
};
#define BAD "\xef\xbf\xbd"
#define CASE(in, written, read)                                                                    \
    {                                                                                              \
        SPAN(in), SPAN("[\"" written "\"]"), SPAN(read)                                            \
    }
#define SAME(text) CASE(text, text, text)
/* clang-format off */
static const struct string_case strings[] = {
    SAME(""),
    SAME("a"),
    SAME(" !#[]~"),
    SAME("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
    CASE("\"", "\\\"", "\""),
    CASE("\\", "\\\\", "\\"),
    CASE("\r\n\t", "\\r\\n\\t", "\r\n\t"),
    CASE("a\0b", "a\\u0000b", "a\0b"),
    CASE("\x1b[31m", "\\u001b[31m", "\x1b[31m"),           /* J08: a terminal's colours */
    CASE("\x1f\x7f", "\\u001f\\u007f", "\x1f\x7f"),
    CASE("\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0", "\xc2\x80\xc2\x9f\xc2\xa0"), /* C1 */
    CASE("%n%n%s", "%n%n%s", "%n%n%s"),                    /* J08 */
    /* edges of the table of RFC 3629 section 4 */
    SAME("\xdf\xbf" "\xe0\xa0\x80" "\xed\x9f\xbf" "\xee\x80\x80" "\xf0\x90\x80\x80" "\xf4\x8f\xbf\xbf"),
    CASE("\xc0\x80", BAD BAD, BAD BAD),
    CASE("\xc1\xbf", BAD BAD, BAD BAD),
    CASE("\xe0\x9f\xbf", BAD BAD BAD, BAD BAD BAD),        /* overlong */
    CASE("\xed\xa0\x80", BAD BAD BAD, BAD BAD BAD),        /* surrogate */
    CASE("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD, BAD BAD BAD BAD),
    CASE("\xf4\x90\x80\x80", BAD BAD BAD BAD, BAD BAD BAD BAD), /* above U+10FFFF */
    CASE("\xf5\xff\xfe", BAD BAD BAD, BAD BAD BAD),
    /* maximal subparts: Unicode 3.9, truncated sequences */
    CASE("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf" "A", BAD BAD BAD BAD "A", BAD BAD BAD BAD "A"),
    CASE("\xe2\x82", BAD, BAD),                            /* cut at the end of the input */
    CASE("\xf0\x9f\x98", BAD, BAD),
    CASE("\xc3", BAD, BAD),
    CASE("\xc3\"", BAD "\\\"", BAD "\""),
    CASE("\x80", BAD, BAD),
};
/* clang-format on */

Test(json, strings_are_escaped_and_repaired)
{
    struct buffer out;
    buffer_init(&out, 4096);
    for (size_t i = 0; i < COUNT_OF(strings); i++) {
        const struct string_case *c = &strings[i];
        json_t *root;
        struct span read = round_trip(c->in, &out, &root);
        cr_expect(span_equal(buffer_span(&out), c->written), "case %zu: got %.*s want %.*s", i,
                  (int)out.n, (const char *)out.p, (int)c->written.n, (const char *)c->written.p);
        cr_expect(span_equal(read, c->read), "case %zu: got %.*s", i, (int)read.n,
                  (const char *)read.p);
        json_decref(root);
    }
    buffer_fini(&out);
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Bytes that like to form, and to break, UTF-8. */
static uint8_t random_byte(uint64_t *state)
{
    static const uint8_t likely[] = {0x00, '"',  '\\', 0x7f, 0x80, 0xbf, 0xc2, 0xc3,
                                     0xe0, 0xed, 0xef, 0xf0, 0xf4, 0x90, 0xa0, 'x'};
    uint64_t r = next_random(state);
    return r & 1 ? likely[r >> 8 & 15] : (uint8_t)(r >> 16);
}

/* Whatever comes in, the output is JSON; well-formed UTF-8 comes back as it was, and what is
 * repaired once is well-formed. jansson decides what is well-formed. */
Test(json, random_bytes_always_give_valid_json)
{
    uint64_t state = 8259;
    struct buffer out;
    buffer_init(&out, 4096);
    size_t well_formed = 0;
    for (unsigned i = 0; i < 4000; i++) {
        uint8_t bytes[32];
        size_t n = next_random(&state) % sizeof bytes;
        for (size_t j = 0; j < n; j++)
            bytes[j] = random_byte(&state);
        json_t *root, *again;
        struct span read = round_trip(span_of(bytes, n), &out, &root);
        json_t *good = json_stringn((const char *)bytes, n);
        cr_assert(!good || span_equal(read, span_of(bytes, n)), "run %u: valid bytes changed", i);
        struct buffer second;
        buffer_init(&second, 4096);
        cr_assert(span_equal(round_trip(read, &second, &again), read), "run %u: repaired twice", i);
        well_formed += good != NULL;
        json_decref(again);
        buffer_fini(&second);
        json_decref(good);
        json_decref(root);
    }
    cr_assert(well_formed > 100 && well_formed < 3900, "%zu: the test tests one side only",
              well_formed);
    buffer_fini(&out);
}

/* RFC 8259 section 6: at the largest number that every reader holds, and beside it. */
Test(json, numbers_saturate)
{
    static const struct
    {
        uint64_t value;
        const char *want;
    } cases[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {UINT64_C(9007199254740990), "9007199254740990"},
        {UINT64_C(9007199254740991), "9007199254740991"},
        {UINT64_C(9007199254740992), "9007199254740991"},
        {UINT64_MAX, "9007199254740991"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out;
        struct jsonw json;
        buffer_init(&out, 64);
        jsonw_begin(&json, &out);
        jsonw_uint(&json, NULL, cases[i].value);
        cr_expect(span_equal(buffer_span(&out), span_from_string(cases[i].want)), "got %.*s",
                  (int)out.n, (const char *)out.p);
        buffer_fini(&out);
    }
}

Test(json, commas_and_nesting)
{
    struct buffer out;
    struct jsonw json;
    struct dns_name root_name = {.length = 1}, cleared = {.length = 0};
    buffer_init(&out, 4096);
    jsonw_begin(&json, &out);
    jsonw_object_open(&json, NULL);
    jsonw_object_open(&json, "empty");
    jsonw_object_close(&json);
    jsonw_array_open(&json, "list");
    jsonw_array_open(&json, NULL);
    jsonw_array_close(&json);
    jsonw_uint(&json, NULL, 0);
    jsonw_uint(&json, NULL, UINT64_MAX);
    jsonw_object_open(&json, NULL);
    jsonw_bool(&json, "yes", true);
    jsonw_bool(&json, "no", false);
    jsonw_object_close(&json);
    jsonw_int(&json, NULL, INT64_MIN);
    jsonw_int(&json, NULL, INT64_MAX);
    jsonw_int(&json, NULL, -1);
    jsonw_null(&json, NULL);
    jsonw_array_close(&json);
    jsonw_string(&json, "nothing", NULL);
    jsonw_string(&json, "text", "x");
    jsonw_name(&json, "root", &root_name);
    jsonw_name(&json, "cleared", &cleared);
    jsonw_object_close(&json);
    const char *want = "{\"empty\":{},\"list\":[[],0,9007199254740991,{\"yes\":true,\"no\":false},"
                       "-9007199254740991,9007199254740991,-1,null],\"nothing\":null,"
                       "\"text\":\"x\",\"root\":\".\",\"cleared\":null}";
    cr_expect(span_equal(buffer_span(&out), span_from_string(want)), "got %.*s", (int)out.n,
              (const char *)out.p);
    buffer_fini(&out);
}

/* A buffer that cannot hold the text says so, at every size, and nothing is written past it. */
Test(json, a_full_buffer_fails_and_stays_failed)
{
    for (size_t ceiling = 0; ceiling < 24; ceiling++) {
        struct buffer out;
        struct jsonw json;
        buffer_init(&out, ceiling);
        jsonw_begin(&json, &out);
        jsonw_object_open(&json, NULL);
        jsonw_span(&json, "key", SPAN("a\"\xc3\xa9\xff"));
        jsonw_uint(&json, "n", 1);
        jsonw_object_close(&json);
        static const char whole[] = "{\"key\":\"a\\\"\xc3\xa9\xef\xbf\xbd\",\"n\":1}";
        cr_expect(out.failed == (ceiling < strlen(whole)), "ceiling %zu: failed is %d", ceiling,
                  out.failed);
        cr_expect(out.n <= ceiling);
        buffer_fini(&out);
    }
}
