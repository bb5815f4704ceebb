/* Octets in JSON: what is written is read again, octet for octet, and speaks to no terminal. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "tools/assay/capsule.h"
#include "verdict/json.h"

enum
{
    TEXT_BYTES_MAX = 4 * 1024 * 1024,
};

typedef void put_fn(struct jsonw *json, const char *key, struct span text);
typedef bool take_fn(const json_t *value, struct arena *arena, struct span *text);

static bool is_c1(const uint8_t *p, size_t n)
{
    return n > 1 && p[0] == 0xc2 && p[1] < 0xa0;
}

/* Through JSON and back. `written` may be NULL, else it gets the JSON; buffer_fini it. */
static void expect_round(put_fn *put, take_fn *take, struct span text, struct buffer *written)
{
    struct buffer out;
    struct jsonw json;
    struct arena arena;
    struct span again;
    buffer_init(&out, 4 * TEXT_BYTES_MAX);
    arena_init(&arena, 4 * TEXT_BYTES_MAX);
    jsonw_begin(&json, &out);
    put(&json, NULL, text);
    json_t *value = json_loadb((const char *)out.p, out.n, JSON_DECODE_ANY, NULL);
    cr_assert(!out.failed && value != NULL, "%.*s", (int)out.n, (const char *)out.p);
    cr_assert(take(value, &arena, &again) && span_equal(text, again), "%.*s", (int)out.n,
              (const char *)out.p);
    for (size_t i = 0; i < out.n; i++)
        cr_assert(out.p[i] >= ' ' && out.p[i] != 0x7f && !is_c1(out.p + i, out.n - i));
    json_decref(value);
    arena_fini(&arena);
    if (written)
        *written = out;
    else
        buffer_fini(&out);
}

Test(replay_text, each_octet_alone_and_in_pairs)
{
    for (unsigned i = 0; i < 0x10000; i++) {
        uint8_t octets[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        expect_round(capsule_put_text, capsule_text, span_of(octets, 2), NULL);
        if (i < 0x100)
            expect_round(capsule_put_text, capsule_text, span_of(octets + 1, 1), NULL);
    }
}

static const struct
{
    const char *text, *json;
} texts[] = {
    {"", "[\"\"]"},
    {"\r\n", "[\"\",\"\"]"},
    {"a: b\r\nc: d\r\n\r\n", "[\"a: b\",\"c: d\",\"\",\"\"]"},
    {"a\rb\nc\r\r\n\n", "[\"a\\rb\\nc\\r\",\"\\n\"]"},
    {"gr\xc3\xbc\xc3\x9f", "[\"gr\xc3\xbc\xc3\x9f\"]"},
    {"x\xff\r\ny", "[{\"base64\":\"eP8=\"},\"y\"]"},
    {"\xc2\x9b[2J", "[{\"base64\":\"wptbMko=\"}]"},
    {"\"\\", "[\"\\\"\\\\\"]"},
};

Test(replay_text, lines)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct buffer written;
        expect_round(capsule_put_lines, capsule_lines, span_from_string(texts[i].text), &written);
        cr_expect(span_equal(buffer_span(&written), span_from_string(texts[i].json)),
                  "got %.*s want %s", (int)written.n, (const char *)written.p, texts[i].json);
        buffer_fini(&written);
    }
}

/* CAPSULE_LINES_MAX lines are lines, one more is one text. */
Test(replay_text, number_of_lines)
{
    char *text = malloc(2 * (size_t)CAPSULE_LINES_MAX + 2);
    cr_assert(text != NULL);
    for (size_t i = 0; i <= CAPSULE_LINES_MAX; i++)
        memcpy(text + 2 * i, "\r\n", 2);
    for (int more = -1; more <= 1; more++) {
        struct buffer written;
        size_t breaks = (size_t)(CAPSULE_LINES_MAX + more - 1);
        expect_round(capsule_put_lines, capsule_lines, span_of(text, 2 * breaks), &written);
        cr_expect(written.p[0] == (more > 0 ? '{' : '['), "%d", more);
        buffer_fini(&written);
    }
    free(text);
}

Test(replay_text, no_text)
{
    static const char *const values[] = {
        "null", "7", "true", "{}", "{\"base64\":7}", "{\"base64\":\"=\"}", "[]", "[[]]"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct arena arena;
        struct span text;
        json_t *value = json_loads(values[i], JSON_DECODE_ANY, NULL);
        arena_init(&arena, TEXT_BYTES_MAX);
        cr_expect(value && !capsule_text(value, &arena, &text), "%s", values[i]);
        cr_expect(value && !capsule_lines(value, &arena, &text), "%s", values[i]);
        json_decref(value);
        arena_fini(&arena);
    }
}
