#include "cache/ttl.h"

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

bool cache_ttl_rules_valid(const struct cache_ttl_rules *rules)
{
    return rules->answer_min_s >= 1 && rules->answer_min_s <= rules->answer_max_s &&
           rules->answer_max_s <= CACHE_TTL_MAX_S && rules->negative_min_s >= 1 &&
           rules->negative_min_s <= rules->negative_max_s &&
           rules->negative_max_s <= CACHE_TTL_MAX_S && rules->failure_first_s >= 1 &&
           rules->failure_first_s <= rules->failure_max_s &&
           rules->failure_max_s <= CACHE_TTL_MAX_S && rules->stale_s <= CACHE_TTL_MAX_S &&
           rules->rotation_s >= 1 && rules->rotation_s <= CACHE_TTL_MAX_S;
}

uint32_t cache_ttl_seconds(const struct cache_ttl_rules *rules, enum cache_outcome outcome,
                           uint32_t ttl_s)
{
    assert(outcome != CACHE_FAILURE);
    if (ttl_s > INT32_MAX) /* RFC 2181 section 8 */
        ttl_s = 0;
    if (outcome == CACHE_ANSWER)
        return clamp(ttl_s, rules->answer_min_s, rules->answer_max_s);
    return clamp(ttl_s, rules->negative_min_s, rules->negative_max_s);
}

uint32_t cache_ttl_failure_seconds(const struct cache_ttl_rules *rules, uint32_t failures)
{
    assert(failures >= 1);
    uint64_t seconds = rules->failure_first_s;
    for (uint32_t i = 1; i < failures && seconds < rules->failure_max_s; i++)
        seconds *= 2;
    return seconds > rules->failure_max_s ? rules->failure_max_s : (uint32_t)seconds;
}

int64_t cache_ttl_refresh_lead_ms(uint32_t ttl_s, uint8_t spread)
{
    int64_t lead_ms = (int64_t)clamp(ttl_s / 10, 3, 60) * 1000;
    return lead_ms + lead_ms * spread / 256;
}
