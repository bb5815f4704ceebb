/*
 * Internationalised labels through libidn2, strict IDNA2008 lookup without any mapping.
 *
 * The UTS 46 mapping that libidn2 does by default is switched off: it would turn full-width letters
 * into ASCII, drop U+00AD and U+200B, and read U+3002 as a dot, so that a sender who is displayed
 * as one domain is judged as another or as none (security.md A17). RFC 6532 mail carries U-labels,
 * which are in their final form already.
 *
 * BUGS: labels in upper case outside ASCII are refused, as RFC 5891 has it; RFC 5895 would let a
 * user interface fold them. A-labels that arrive as ASCII never come here and are not decoded.
 */
#include "dns/idn.h"

#include <idn2.h>

static enum idn_result copy_label(const char *ascii, uint8_t out[63], uint8_t *n)
{
    size_t length = strlen(ascii);
    if (length == 0)
        return IDN_INVALID;
    if (length > 63)
        return IDN_TOO_LONG;
    memcpy(out, ascii, length);
    *n = (uint8_t)length;
    return IDN_OK;
}

enum idn_result idn_label_to_ascii(struct span label, uint8_t out[63], uint8_t *n)
{
    if (label.n > IDN_LABEL_TEXT_MAX)
        return IDN_TOO_LONG;
    uint8_t text[IDN_LABEL_TEXT_MAX + 1];
    for (size_t i = 0; i < label.n; i++)
        text[i] = ascii_lower(label.p[i]);
    text[label.n] = '\0';

    uint8_t *ascii = NULL;
    int status = idn2_lookup_u8(text, &ascii, IDN2_NO_TR46);
    if (status == IDN2_TOO_BIG_LABEL || status == IDN2_PUNYCODE_BIG_OUTPUT)
        return IDN_TOO_LONG;
    if (status != IDN2_OK)
        return IDN_INVALID;
    enum idn_result result = copy_label((const char *)ascii, out, n);
    idn2_free(ascii);
    return result;
}
