/*
 * The key of a question in the shared cache, its struct dns_key (F16); and what is kept under it.
 */
#include "dns/resolvers.h"

size_t resolvers_cache_key(const struct dns_name *name, enum dns_type type,
                           uint8_t key[CACHE_KEY_MAX])
{
    struct dns_key made;
    STATIC_ASSERT(CACHE_KEY_MAX == DNS_NAME_MAX + 2);
    dns_key_set(&made, name, type);
    struct span bytes = dns_key_span(&made);
    memcpy(key, bytes.p, bytes.n);
    return bytes.n;
}

bool resolvers_cache_key_read(struct span key, struct dns_name *name, enum dns_type *type)
{
    struct dns_name read;
    if (key.n < 3 || key.n > CACHE_KEY_MAX)
        return false;
    struct span wire = span_skip(key, 2);
    if (dns_name_from_packet(&read, wire, 0) != wire.n || !span_equal(dns_name_span(&read), wire))
        return false; /* compressed, upper case, or more than a name */
    unsigned number = (unsigned)key.p[0] << 8 | key.p[1];
    if (*dns_type_text((enum dns_type)number) == '?')
        return false;
    *name = read;
    *type = (enum dns_type)number;
    return true;
}

static enum cache_outcome cache_outcome_of(enum dns_outcome outcome)
{
    switch (outcome) {
    case DNS_ANSWER:
        return CACHE_ANSWER;
    case DNS_EMPTY:
        return CACHE_EMPTY;
    case DNS_NXDOMAIN:
        return CACHE_NXDOMAIN;
    case DNS_UNANSWERED:
    case DNS_TEMPFAIL:
        break;
    }
    return CACHE_FAILURE;
}

static void release_shared(void *object)
{
    struct dns_shared *shared = object;
    dns_shared_unref(&shared);
}

bool resolvers_own_failure(const struct dns_answer *answer)
{
    static const char *const words[] = {"no_memory", "resolver_error"};
    for (size_t i = 0; answer->reason && i < COUNT_OF(words); i++)
        if (strcmp(answer->reason, words[i]) == 0)
            return true;
    return false;
}

enum cache_put_result resolvers_cache_put(struct cache *cache, struct span key,
                                          struct dns_shared *shared, int64_t now_ms)
{
    const struct cache_item item = {
        .outcome = cache_outcome_of(shared->answer.outcome),
        .ttl_s = shared->answer.ttl,
        .object = dns_shared_ref(shared),
        .bytes = shared->bytes,
        .release = release_shared,
    };
    enum cache_put_result result = cache_put(cache, key, &item, now_ms);
    if (result != CACHE_STORED)
        release_shared(item.object);
    return result;
}
