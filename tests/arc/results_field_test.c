/* The head of ARC-Authentication-Results (AV-12, 13.33, I03). */
#include <criterion/criterion.h>

#include "arc/results_field.h"
#include "base/buffer.h"
#include "support/guard.h"

static struct limit_hits hits;

static void expect(const char *text, uint32_t want, const char *want_payload)
{
    uint32_t instance = 99;
    struct span payload = {NULL, 0};
    struct span copy = guard_copy(span_from_string(text));
    bool good = arc_results_parse(copy, &hits, &instance, &payload);
    cr_expect(good == (want > 0), "\"%s\": got %d", text, good);
    cr_expect(instance == (want ? want : 99), "\"%s\": got instance %u", text, instance);
    if (want)
        cr_expect(span_equal(payload, span_from_string(want_payload)), "\"%s\": payload %.*s", text,
                  (int)payload.n, (const char *)payload.p);
    else
        cr_expect(payload.p == NULL, "\"%s\": payload touched", text);
}

Test(results_field, instances)
{
    static const struct
    {
        const char *text;
        uint32_t instance;
        const char *payload;
    } cases[] = {
        {"i=1; mx", 1, " mx"},
        {" i=1; mx; spf=pass", 1, " mx; spf=pass"},
        {"\ti = 9 ;", 9, ""},
        {"\r\n i=10\r\n ;x", 10, "x"},
        {"i=49;x", 49, "x"},
        {"i=50;x", 50, "x"},
        {"i=51;x", 0, NULL},
        {"i=99;x", 0, NULL},
        {"i=100;x", 0, NULL},
        {"i=0;x", 0, NULL},
        {"i=00;x", 0, NULL},
        {"i=01;x", 0, NULL},
        {"i=001;x", 0, NULL},
        {"i=+1;x", 0, NULL},
        {"i=-1;x", 0, NULL},
        {"i=1.0;x", 0, NULL},
        {"i=1 1;x", 0, NULL},
        {"i=1x;x", 0, NULL},
        {"i=a;x", 0, NULL},
        {"i=;x", 0, NULL},
        {"i=\"1\";x", 0, NULL},
        {"i=4294967297;x", 0, NULL},
        {"I=1;x", 0, NULL}, /* %s"i": the case matters */
        {"i 1;x", 0, NULL},
        {"mx; i=1;", 0, NULL},
        {"i=1", 0, NULL},
        {"i=1 mx", 0, NULL},
        {"i", 0, NULL},
        {"", 0, NULL},
        {" ", 0, NULL},
        {";", 0, NULL},
        /* CFWS */
        {"(a) i (b) = (c) 2 (d) ; (e)", 2, " (e)"},
        {"(a(b)c)i=3;", 3, ""},
        {"(a\\)b)i=3;", 3, ""},
        {"(a\\\\)i=3;", 3, ""},
        {"(a i=3;", 0, NULL},
        {"(a\\", 0, NULL},
        {")i=3;", 0, NULL},
        {"i=(;)3;", 3, ""},
        {"i=3(;x", 0, NULL},
        /* what stands behind is nobody's business here */
        {"i=4;;;=\x01\xff", 4, ";;=\x01\xff"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect(cases[i].text, cases[i].instance, cases[i].payload);
}

/* COMMENT_DEPTH at limit-1, limit, limit+1. */
Test(results_field, comment_depth)
{
    for (unsigned depth = MAX_COMMENT_DEPTH - 1; depth <= MAX_COMMENT_DEPTH + 1; depth++) {
        struct buffer text;
        buffer_init(&text, 1024);
        for (unsigned i = 0; i < depth; i++)
            buffer_append_byte(&text, '(');
        for (unsigned i = 0; i < depth; i++)
            buffer_append_byte(&text, ')');
        buffer_append(&text, SPAN("i=7;\0"));
        uint32_t before = hits.n[LIMIT_COMMENT_DEPTH];
        bool over = depth > MAX_COMMENT_DEPTH;
        expect((const char *)text.p, over ? 0 : 7, "");
        cr_expect(hits.n[LIMIT_COMMENT_DEPTH] == before + over, "depth %u", depth);
        buffer_fini(&text);
    }
}
