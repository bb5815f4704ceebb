#include "base/base64.h"

#include <criterion/criterion.h>

#include "base/attributes.h"
#include "support/guard.h"

struct base64_case
{
    const char *name;
    const char *text;
    const char *bytes; /* NULL: refused */
};

static const struct base64_case cases[] = {
    {"empty", "", ""},
    {"one byte", "Zg==", "f"},
    {"two bytes", "Zm8=", "fo"},
    {"three bytes", "Zm9v", "foo"},
    {"six bytes", "Zm9vYmFy", "foobar"},
    {"folding anywhere (DV-10)", "Z\r\n\tm9 v\r\n Ym\tFy", "foobar"},
    {"blank before padding", "Zm8 =", "fo"},
    {"blank between padding", "Zg=\r\n =", "f"},
    {"padding missing (D11)", "Zg", NULL},
    {"one padding of two", "Zg=", NULL},
    {"too much padding", "Zg===", NULL},
    {"padding of nothing", "====", NULL},
    {"padding then more (D11)", "AAAA=BBBB", NULL},
    {"padding inside", "Zg==Zg==", NULL},
    {"lone sextet", "Z", NULL},
    {"lone sextet padded", "Z===", NULL},
    {"bits behind the end", "Zh==", NULL},
    {"bits behind the end of two", "Zm9=", NULL},
    {"junk (D11)", "####", NULL},
    {"URL alphabet (D11)", "Zm9_", NULL},
    {"8-bit", "Zm9\xff", NULL},
    {"vertical tab is no FWS", "Zm\v9v", NULL},
};

Test(base64, decode)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t out[64];
        size_t n = 99;
        struct span text = guard_copy(span_from_string(cases[i].text));
        bool ok = base64_decode(text, out, sizeof out, &n);
        cr_expect(ok == (cases[i].bytes != NULL), "%s: got %d", cases[i].name, ok);
        if (ok && cases[i].bytes)
            cr_expect(span_equal(span_of(out, n), span_from_string(cases[i].bytes)),
                      "%s: got \"%.*s\"", cases[i].name, (int)n, (const char *)out);
        cr_expect(ok || n == 99, "%s: *n was touched", cases[i].name);
    }
}

Test(base64, an_embedded_nul_is_no_character)
{
    uint8_t out[8];
    size_t n;
    cr_expect(!base64_decode(span_of("Zm9v\0", 5), out, sizeof out, &n));
}

Test(base64, capacity_is_a_limit)
{
    for (size_t length = 0; length < 20; length++) {
        uint8_t bytes[20], out[20];
        char text[BASE64_ENCODED_LENGTH(20)];
        memset(bytes, 0xab, sizeof bytes);
        base64_encode(span_of(bytes, length), text);
        for (size_t capacity = 0; capacity <= 20; capacity++) {
            size_t n = 0;
            bool ok =
                base64_decode(span_of(text, BASE64_ENCODED_LENGTH(length)), out, capacity, &n);
            cr_expect(ok == (capacity >= length), "%zu bytes into %zu: got %d", length, capacity,
                      ok);
        }
    }
}

/* T6: all texts of up to three characters over the alphabet and what does not belong to it; each
 * one that decodes encodes to the same text. */
Test(base64, exhaustive_up_to_four)
{
    static const char symbols[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-#";
    size_t count = sizeof symbols - 1, decoded = 0;
    for (size_t i = 0; i < count * count * count * 4; i++) {
        char text[4] = {symbols[i % count], symbols[i / count % count],
                        symbols[i / count / count % count], "A=zQ"[i / count / count / count]};
        uint8_t out[3];
        size_t n;
        char again[4];
        if (!base64_decode(span_of(text, 4), out, sizeof out, &n))
            continue;
        base64_encode(span_of(out, n), again);
        cr_assert(n > 0 && memcmp(again, text, 4) == 0, "%.4s became %.4s", text, again);
        decoded++;
    }
    /* 64^3 with a full last sextet, three times; with "=": 64*64*16 two-byte and 64*4 one-byte
     * groups. */
    cr_expect(decoded == 3 * 64 * 64 * 64 + 64 * 64 * 16 + 64 * 4, "got %zu", decoded);
}

Test(base64, count_skips_folding)
{
    cr_expect(base64_count(SPAN("Zm 9v\r\n\tYg==")) == 8);
}
