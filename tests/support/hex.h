/* Hexadecimal text in tests. */
#ifndef SUPPORT_HEX_H
#define SUPPORT_HEX_H

#include "base/buffer.h"
#include "base/span.h"

/* Writes 2 * bytes.n digits and a NUL. Returns out. */
const char *hex_text(struct span bytes, char *out);
/* The bytes that `text` writes, appended to `out`; a fault in the text ends the test. */
void hex_bytes(const char *text, struct buffer *out);

#endif
