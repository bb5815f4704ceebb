#include "cache/ttl.h"

#include <criterion/criterion.h>

static const struct cache_ttl_rules rules = CACHE_TTL_RULES_DEFAULT;

struct ttl_case
{
    const char *name;
    enum cache_outcome outcome;
    uint32_t ttl_s;
    uint32_t kept_s;
};

/* security.md section 2, row "key cache": TTL 30..3,600 s, negative 30..300 s. */
static const struct ttl_case cases[] = {
    {"answer, no TTL", CACHE_ANSWER, 0, 30},
    {"answer, floor - 1", CACHE_ANSWER, 29, 30},
    {"answer, floor", CACHE_ANSWER, 30, 30},
    {"answer, floor + 1", CACHE_ANSWER, 31, 31},
    {"answer, ceiling - 1", CACHE_ANSWER, 3599, 3599},
    {"answer, ceiling", CACHE_ANSWER, 3600, 3600},
    {"L08: answer, ceiling + 1", CACHE_ANSWER, 3601, 3600},
    {"L08: answer, TTL 10^9", CACHE_ANSWER, 1000000000, 3600},
    {"answer, 2^31 - 1", CACHE_ANSWER, 0x7fffffff, 3600},
    {"RFC 2181 8: the top bit means 0", CACHE_ANSWER, 0x80000000, 30},
    {"RFC 2181 8: all bits", CACHE_ANSWER, 0xffffffff, 30},
    {"empty, no TTL", CACHE_EMPTY, 0, 30},
    {"empty, floor", CACHE_EMPTY, 30, 30},
    {"empty, ceiling", CACHE_EMPTY, 300, 300},
    {"L07: empty, ceiling + 1", CACHE_EMPTY, 301, 300},
    {"nxdomain, floor - 1", CACHE_NXDOMAIN, 29, 30},
    {"nxdomain, in between", CACHE_NXDOMAIN, 120, 120},
    {"L07: nxdomain, a day", CACHE_NXDOMAIN, 86400, 300},
};

Test(ttl, floors_and_ceilings)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t got = cache_ttl_seconds(&rules, cases[i].outcome, cases[i].ttl_s);
        cr_expect(got == cases[i].kept_s, "%s: got %u, want %u", cases[i].name, got,
                  cases[i].kept_s);
    }
}

/* L07: 5 s, doubling to 60 s. */
Test(ttl, failures_double)
{
    static const uint32_t want[] = {5, 10, 20, 40, 60, 60, 60};
    for (uint32_t i = 0; i < COUNT_OF(want); i++)
        cr_expect(cache_ttl_failure_seconds(&rules, i + 1) == want[i], "failure %u: got %u", i + 1,
                  cache_ttl_failure_seconds(&rules, i + 1));
    cr_expect(cache_ttl_failure_seconds(&rules, UINT32_MAX) == 60);
}

Test(ttl, refresh_comes_before_the_end_and_is_spread)
{
    for (uint32_t ttl_s = 30; ttl_s <= 3600; ttl_s++) {
        int64_t first = cache_ttl_refresh_lead_ms(ttl_s, 0);
        int64_t last = cache_ttl_refresh_lead_ms(ttl_s, 255);
        cr_expect(first >= 3000 && first < last && last < (int64_t)ttl_s * 1000 && last <= 120000,
                  "TTL %u: %ld to %ld ms", ttl_s, first, last);
    }
    cr_expect(cache_ttl_refresh_lead_ms(300, 0) == 30000);
    cr_expect(cache_ttl_refresh_lead_ms(3600, 0) == 60000);
}

Test(ttl, rules_that_cannot_be)
{
    struct cache_ttl_rules r = rules;
    cr_expect(cache_ttl_rules_valid(&r));
    r.answer_min_s = 3601;
    cr_expect(!cache_ttl_rules_valid(&r), "floor above ceiling");
    r = rules, r.answer_min_s = 0;
    cr_expect(!cache_ttl_rules_valid(&r), "kept for no time: asked for ever");
    r = rules, r.answer_max_s = CACHE_TTL_MAX_S;
    cr_expect(cache_ttl_rules_valid(&r), "a day");
    r.answer_max_s++;
    cr_expect(!cache_ttl_rules_valid(&r), "a day and a second");
    r = rules, r.negative_min_s = 301;
    cr_expect(!cache_ttl_rules_valid(&r));
    r = rules, r.failure_first_s = 0;
    cr_expect(!cache_ttl_rules_valid(&r));
    r = rules, r.stale_s = 0;
    cr_expect(cache_ttl_rules_valid(&r), "stale answers switched off");
    r = rules, r.rotation_s = 0;
    cr_expect(!cache_ttl_rules_valid(&r), "L10: no limit on forced refreshes");
}
