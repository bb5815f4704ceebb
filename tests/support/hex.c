#include "support/hex.h"

#include <criterion/criterion.h>

const char *hex_text(struct span bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.n; i++) {
        out[2 * i] = digits[bytes.p[i] >> 4];
        out[2 * i + 1] = digits[bytes.p[i] & 15];
    }
    out[2 * bytes.n] = '\0';
    return out;
}

static uint8_t nibble(char c)
{
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0');
    char lower = (char)(c | 0x20);
    cr_assert(lower >= 'a' && lower <= 'f', "not hexadecimal: %c", c);
    return (uint8_t)(lower - 'a' + 10);
}

void hex_bytes(const char *text, struct buffer *out)
{
    size_t n = strlen(text);
    cr_assert(n % 2 == 0, "odd number of hexadecimal digits");
    for (size_t i = 0; i < n; i += 2)
        buffer_append_byte(out, (uint8_t)(nibble(text[i]) << 4 | nibble(text[i + 1])));
}
