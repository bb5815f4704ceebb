/*
 * What a body came to (mail/body_facts.h): a hasher that is given the facts of another is equal to
 * it in all that the judges take, and one that lacks a hash has failed.
 */
#include <criterion/criterion.h>

#include "base/attributes.h"
#include "mail/body_facts.h"
#include "support/guard.h"

static const struct
{
    enum canon canon;
    uint64_t limit;
} wishes[] = {
    {CANON_RELAXED, BODY_WHOLE}, {CANON_SIMPLE, BODY_WHOLE}, {CANON_SIMPLE, 0},
    {CANON_RELAXED, 3},          {CANON_SIMPLE, 1000},       {CANON_RELAXED, BODY_WHOLE - 1},
};

struct hashing
{
    struct body_hasher hasher;
    struct mail_anomalies anomalies;
    struct limit_hits hits;
};

static void begin(struct hashing *h, size_t wish_count)
{
    *h = (struct hashing){.hits = {.set = 0}};
    body_hasher_init(&h->hasher, &h->anomalies, &h->hits);
    for (size_t i = 0; i < wish_count; i++)
        cr_assert(body_hasher_want(&h->hasher, wishes[i].canon, wishes[i].limit) == (int)i);
}

static void feed(struct hashing *h, struct span body, size_t piece)
{
    while (body.n) {
        size_t n = piece && piece < body.n ? piece : body.n;
        body_hasher_feed(&h->hasher, guard_copy(span_slice(body, 0, n)));
        body = span_skip(body, n);
    }
    body_hasher_end(&h->hasher);
}

static void expect_equal(const struct hashing *a, const struct hashing *b, size_t wish_count)
{
    cr_expect(a->hasher.failed == b->hasher.failed && a->hasher.count == b->hasher.count);
    cr_expect(a->anomalies.set == b->anomalies.set);
    cr_expect(memcmp(a->anomalies.times, b->anomalies.times, sizeof a->anomalies.times) == 0);
    for (size_t i = 0; i < wish_count; i++) {
        const struct body_hash *x = &a->hasher.hashes[i], *y = &b->hasher.hashes[i];
        cr_expect(x->canon == y->canon && x->limit == y->limit && x->hashed == y->hashed &&
                      x->known == y->known && memcmp(x->sha256, y->sha256, SHA256_BYTES) == 0,
                  "hash %zu", i);
        cr_expect(body_hasher_octets(&a->hasher, x->canon) ==
                  body_hasher_octets(&b->hasher, y->canon));
    }
}

static const char *const bodies[] = {
    "", "\r\n", "a", "hello\r\n", " a  b \r\n\r\n\r\n", "bare\rcr\nlf\r\n", "no end\r", "x\r\ny",
};

Test(replay_facts, equal_to_the_body_in_any_pieces)
{
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct span body = span_from_string(bodies[i]);
        for (size_t piece = 0; piece <= body.n; piece++) {
            struct hashing whole, again;
            struct body_facts facts, same;
            begin(&whole, COUNT_OF(wishes));
            feed(&whole, body, piece);
            cr_assert(body_hasher_facts(&whole.hasher, &facts));
            begin(&again, COUNT_OF(wishes));
            body_hasher_end_with(&again.hasher, &facts);
            expect_equal(&whole, &again, COUNT_OF(wishes));
            cr_assert(body_hasher_facts(&again.hasher, &same));
            cr_expect(same.total == body.n && same.bare_cr == facts.bare_cr &&
                      same.bare_lf == facts.bare_lf && same.ends_in_crlf == facts.ends_in_crlf);
            body_hasher_fini(&whole.hasher);
            body_hasher_fini(&again.hasher);
        }
    }
}

/* A header that was changed wishes for fewer hashes: those are enough. */
Test(replay_facts, more_than_is_wished_for)
{
    for (size_t count = 0; count <= COUNT_OF(wishes); count++) {
        struct hashing whole, again;
        struct body_facts facts;
        begin(&whole, COUNT_OF(wishes));
        feed(&whole, SPAN("a body\r\n"), 0);
        cr_assert(body_hasher_facts(&whole.hasher, &facts));
        begin(&again, count);
        body_hasher_end_with(&again.hasher, &facts);
        cr_expect(!again.hasher.failed && again.hasher.count == count);
        body_hasher_fini(&whole.hasher);
        body_hasher_fini(&again.hasher);
    }
}

/* Or for others: never known, and the hasher has failed (temperror). */
Test(replay_facts, a_hash_that_is_missing)
{
    for (size_t missing = 0; missing < COUNT_OF(wishes); missing++) {
        struct hashing whole, again;
        struct body_facts facts;
        begin(&whole, COUNT_OF(wishes));
        feed(&whole, SPAN("a body\r\n"), 0);
        cr_assert(body_hasher_facts(&whole.hasher, &facts));
        facts.hashes[missing] = facts.hashes[--facts.count];
        begin(&again, COUNT_OF(wishes));
        body_hasher_end_with(&again.hasher, &facts);
        cr_expect(again.hasher.failed, "wish %zu", missing);
        cr_expect(!body_hasher_facts(&again.hasher, &facts));
        body_hasher_fini(&whole.hasher);
        body_hasher_fini(&again.hasher);
    }
}

Test(replay_facts, octets_that_are_missing)
{
    struct hashing again;
    struct body_facts facts = {
        .count = 1, .hashes = {{.canon = CANON_RELAXED, .limit = BODY_WHOLE, .known = true}}};
    begin(&again, 1);
    body_hasher_end_with(&again.hasher, &facts);
    cr_expect(again.hasher.failed);
    body_hasher_fini(&again.hasher);
}
