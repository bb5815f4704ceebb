/* Base64: what decodes encodes to the same text but for white space, and to nothing else. */
#include "base/base64.h"
#include "fuzz/support/fuzz.h"

#include <stdlib.h>

FUZZ_TARGET(base64)
{
    struct span text = span_of(data, size);
    size_t n = 0, at = 0;
    uint8_t *out = malloc(BASE64_DECODED_MAX(size));
    FUZZ_CHECK(out != NULL);
    if (base64_decode(text, out, BASE64_DECODED_MAX(size), &n)) {
        char *again = malloc(BASE64_ENCODED_LENGTH(n) + 1);
        FUZZ_CHECK(again != NULL);
        base64_encode(span_of(out, n), again);
        for (size_t i = 0; i < size; i++)
            if (!memchr(" \t\r\n", data[i], 4))
                FUZZ_CHECK(at < BASE64_ENCODED_LENGTH(n) && again[at++] == (char)data[i]);
        FUZZ_CHECK(at == BASE64_ENCODED_LENGTH(n) && at == base64_count(text));
        FUZZ_CHECK(n == 0 || !base64_decode(text, out, n - 1, &n));
        free(again);
    }
    free(out);
    return 0;
}
