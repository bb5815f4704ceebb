#include "base/number.h"

#include <criterion/criterion.h>

#include "base/attributes.h"

struct number_case
{
    const char *text;
    size_t max_digits;
    bool ok;
    uint64_t value;
};

static const struct number_case cases[] = {
    {"0", 1, true, 0},
    {"007", 3, true, 7},
    {"999999999999", 12, true, 999999999999},
    {"1000000000000", 12, false, 0}, /* DV-18: one digit over the limit */
    {"18446744073709551615", 20, true, UINT64_MAX},
    {"18446744073709551616", 20, false, 0}, /* DV-16: overflow */
    {"", 12, false, 0},
    {"-1", 12, false, 0},
    {"+1", 12, false, 0},
    {" 1", 12, false, 0},
    {"0x10", 12, false, 0}, /* C01 */
};

Test(number, digits_only_and_no_overflow)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t value = 42;
        bool ok = number_parse(span_from_string(cases[i].text), cases[i].max_digits, &value);
        cr_expect(ok == cases[i].ok, "\"%s\": got %d, want %d", cases[i].text, ok, cases[i].ok);
        cr_expect(value == (cases[i].ok ? cases[i].value : 42), "\"%s\": got %lu", cases[i].text,
                  value);
    }
}
