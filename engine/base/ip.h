/*
 * IP addresses. An IPv4-mapped IPv6 address becomes IPv4 once, when it is parsed (SP-5, E11).
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/attributes.h"
#include "base/span.h"

enum ip_family
{
    IP_NONE = 0, /* no address known */
    IP_V4 = 4,
    IP_V6 = 6,
};

struct ip
{
    enum ip_family family;
    uint8_t bytes[16]; /* network order; IPv4 uses the first four */
};

enum
{
    IP_TEXT_MAX = 46, /* with the final NUL */
};

/* "192.0.2.1": four parts of 0-255 without leading zeros (SP-14). */
bool ip_parse_v4(struct span text, struct ip *ip) MUST_CHECK;
/* RFC 4291 text form; no zone id, no brackets. Does NOT turn mapped addresses into IPv4. */
bool ip_parse_v6(struct span text, struct ip *ip) MUST_CHECK;
/* Either family; an optional "IPv6:" tag as in mail; mapped addresses become IPv4. */
bool ip_parse(struct span text, struct ip *ip) MUST_CHECK;
/* ::ffff:a.b.c.d as IPv4, everything else unchanged. */
struct ip ip_unmap(struct ip ip);
/* RFC 5952 text with a final NUL; "" for IP_NONE. Returns out. */
const char *ip_text(const struct ip *ip, char out[IP_TEXT_MAX]);
/* Same family and equal in the first `prefix` bits. */
bool ip_in_prefix(const struct ip *ip, const struct ip *network, unsigned prefix);
bool ip_equal(const struct ip *a, const struct ip *b);
/* Bits of an address of this family: 32 or 128. */
unsigned ip_bits(const struct ip *ip);

#endif
