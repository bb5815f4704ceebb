/* The key of a question in the shared cache: name in wire form and type, big-endian (F16). */
#include "dns/resolvers.h"

size_t resolvers_cache_key(const struct dns_name *name, enum dns_type type,
                           uint8_t key[CACHE_KEY_MAX])
{
    STATIC_ASSERT(CACHE_KEY_MAX == DNS_NAME_MAX + 2);
    assert(name->length);
    memcpy(key, name->wire, name->length);
    key[name->length] = (uint8_t)((unsigned)type >> 8);
    key[name->length + 1] = (uint8_t)type;
    return name->length + 2U;
}

bool resolvers_cache_key_read(struct span key, struct dns_name *name, enum dns_type *type)
{
    struct dns_name read;
    if (key.n < 3 || key.n > CACHE_KEY_MAX)
        return false;
    struct span wire = span_slice(key, 0, key.n - 2);
    if (dns_name_from_packet(&read, wire, 0) != wire.n || !span_equal(dns_name_span(&read), wire))
        return false; /* compressed, upper case, or more than a name */
    unsigned number = (unsigned)key.p[key.n - 2] << 8 | key.p[key.n - 1];
    if (*dns_type_text((enum dns_type)number) == '?')
        return false;
    *name = read;
    *type = (enum dns_type)number;
    return true;
}
