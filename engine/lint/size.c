/* Sizes of TXT answers on the wire (RFC 1035 4.1). */
#include "lint/finding.h"

/* Header, name, type and class. */
size_t lint_question_bytes(const struct dns_name *name)
{
    return 12U + (name ? name->length : 0U) + 4U;
}

/* Pointer to the name, type, class, TTL, length; a length octet for each 255 octets. */
size_t lint_text_bytes(struct span text)
{
    size_t strings = text.n ? (text.n + 254) / 255 : 1;
    return 12 + strings + text.n;
}

void lint_size(const struct lint_place *place, enum lint_severity severity)
{
    const struct span all = {NULL, 0};
    size_t bytes = lint_question_bytes(place->name) + lint_text_bytes(place->text);
    if (bytes > 512)
        (void)lint_find(place, severity, "answer_over_512", all,
                        "the DNS answer takes %zu octets: over 512 it needs EDNS or TCP, which "
                        "some firewalls stop",
                        bytes);
}

void lint_strings(const struct lint_place *place)
{
    const struct span all = {NULL, 0};
    if (place->text.n > LINT_STRING_BYTES_MAX)
        (void)lint_find(place, LINT_NOTE, "several_strings", all,
                        "%zu octets are more than one string of a TXT record holds: publish %zu "
                        "strings, which are joined without a space",
                        place->text.n,
                        (place->text.n + LINT_STRING_BYTES_MAX - 1) / LINT_STRING_BYTES_MAX);
}
