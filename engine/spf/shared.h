/*
 * Results of check_host() that stand for other messages: RFC 7208 7.3, SP-36.
 *
 * A result hangs on the domain, the client's address, the limit of void lookups and whether it was
 * found beside MAIL FROM (another budget of questions): this is the key. It is shared where nothing
 * else went into it: no macro of the sender or HELO, no limit, no failure of the DNS or of ours, no
 * explanation. Its texts go with it; what is larger than an entry of the table is not shared.
 */
#ifndef SPF_SHARED_H
#define SPF_SHARED_H

#include "spf/spf.h"

/* What a result is kept under. */
struct spf_shared_id
{
    const struct dns_name *domain; /* borrowed */
    const struct ip *client;       /* borrowed; never IPv4-mapped */
    uint32_t void_limit;
    bool besides; /* HELO beside MAIL FROM */
};

/* True where there was a result: all of *check is set that is not the identity's, texts are in
 * `arena`. *questions is how many it took. */
bool spf_shared_take(struct result_cache *cache, const struct spf_shared_id *id,
                     bool want_explanation, struct arena *arena, struct spf_check *check,
                     uint32_t *questions) MUST_CHECK;
/* Keeps a result that took so many questions, none of them a failure, and met no limit; or not. */
void spf_shared_keep(struct result_cache *cache, const struct spf_shared_id *id,
                     bool want_explanation, const struct spf_check *check, uint32_t questions,
                     int64_t until_ms);

#endif
