#include "base/ip.h"

#include <arpa/inet.h>

#include "base/chars.h"

bool ip_parse_v4(struct span text, struct ip *ip)
{
    struct ip parsed = {.family = IP_V4};
    size_t at = 0;
    for (unsigned part = 0; part < 4; part++) {
        size_t begin = at;
        unsigned value = 0;
        while (at < text.n && char_is_digit(text.p[at]) && at - begin < 3)
            value = value * 10 + (text.p[at++] - '0');
        size_t digits = at - begin;
        if (digits == 0 || value > 255 || (digits > 1 && text.p[begin] == '0'))
            return false;
        parsed.bytes[part] = (uint8_t)value;
        if (part < 3 && (at == text.n || text.p[at++] != '.'))
            return false;
    }
    if (at != text.n)
        return false;
    *ip = parsed;
    return true;
}

bool ip_parse_v6(struct span text, struct ip *ip)
{
    char copy[IP_TEXT_MAX];
    struct ip parsed = {.family = IP_V6};
    if (text.n == 0 || text.n >= sizeof copy || span_find(text, '\0') != text.n)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET6, copy, parsed.bytes) != 1)
        return false;
    *ip = parsed;
    return true;
}

bool ip_parse(struct span text, struct ip *ip)
{
    struct ip parsed;
    if (ip_parse_v4(text, ip)) /* nearly all, and never tagged */
        return true;
    if (span_starts_fold(text, SPAN("IPv6:")))
        text = span_skip(text, 5);
    if (!ip_parse_v4(text, &parsed) && !ip_parse_v6(text, &parsed))
        return false;
    *ip = ip_unmap(parsed);
    return true;
}

struct ip ip_unmap(struct ip ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (ip.family != IP_V6 || memcmp(ip.bytes, mapped, sizeof mapped) != 0)
        return ip;
    struct ip v4 = {.family = IP_V4};
    memcpy(v4.bytes, ip.bytes + sizeof mapped, 4);
    return v4;
}

static char *put_octet(char *p, unsigned octet)
{
    if (octet >= 100)
        *p++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *p++ = (char)('0' + octet / 10 % 10);
    *p++ = (char)('0' + octet % 10);
    return p;
}

const char *ip_text(const struct ip *ip, char out[IP_TEXT_MAX])
{
    char *p = out;
    out[0] = '\0';
    if (ip->family == IP_V6 && !inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT_MAX))
        out[0] = '\0';
    if (ip->family != IP_V4)
        return out;
    for (unsigned i = 0; i < 4; i++) {
        p = put_octet(p, ip->bytes[i]);
        *p++ = i < 3 ? '.' : '\0';
    }
    return out;
}

unsigned ip_bits(const struct ip *ip)
{
    return ip->family == IP_V4 ? 32 : 128;
}

bool ip_in_prefix(const struct ip *ip, const struct ip *network, unsigned prefix)
{
    if (ip->family != network->family || ip->family == IP_NONE || prefix > ip_bits(ip))
        return false;
    unsigned whole = prefix / 8;
    unsigned rest = prefix % 8;
    if (memcmp(ip->bytes, network->bytes, whole) != 0)
        return false;
    return rest == 0 || (ip->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return a->family != IP_NONE && ip_in_prefix(a, b, ip_bits(a));
}
