/* Body hashes: constants of the RFC, read-off points, splits, anomalies. */
#include <criterion/criterion.h>

#include "canon_reference.h"
#include "mail_support.h"
#include "base/base64.h"
#include "mail/body.h"
#include "support/guard.h"

struct hashed
{
    struct mail_anomalies anomalies;
    struct limit_hits hits;
    struct body_hasher hasher;
};

static void hashed_init(struct hashed *h)
{
    *h = (struct hashed){0};
    body_hasher_init(&h->hasher, &h->anomalies, &h->hits);
}

static void feed_pieces(struct body_hasher *hasher, struct span body, size_t split, size_t step)
{
    for (size_t at = 0; at < body.n;) {
        size_t end = body.n - at > step ? at + step : body.n;
        if (at < split && split < end)
            end = split;
        body_hasher_feed(hasher, span_slice(body, at, end));
        at = end;
    }
    body_hasher_end(hasher);
}

/* Through a queue, two hashers of the same wishes side by side, everything is the same. */
static void check_queued(const struct hashed *h, struct span body, size_t split, size_t step)
{
    static struct hash_queue queue;
    static struct hashed queued[2];
    if (!queue.runs)
        hash_queue_init(&queue);
    for (size_t i = 0; i < COUNT_OF(queued); i++) {
        hashed_init(&queued[i]);
        body_hasher_lend_queue(&queued[i].hasher, &queue);
        for (uint32_t k = 0; k < h->hasher.count; k++)
            cr_assert(body_hasher_want(&queued[i].hasher, h->hasher.hashes[k].canon,
                                       h->hasher.hashes[k].limit) == (int)k);
        feed_pieces(&queued[i].hasher, body, split, step);
    }
    hash_queue_run(&queue);
    for (size_t i = 0; i < COUNT_OF(queued); i++) {
        const struct body_hasher *got = &queued[i].hasher, *want = &h->hasher;
        cr_assert(!body_hasher_is_queued(got));
        body_hasher_settle(&queued[i].hasher);
        for (uint32_t k = 0; k < want->count; k++) {
            const struct body_hash *a = &got->hashes[k], *b = &want->hashes[k];
            cr_expect(a->known == b->known && a->hashed == b->hashed &&
                          (!a->known || memcmp(a->sha256, b->sha256, SHA256_BYTES) == 0),
                      "hash %u, split at %zu, steps of %zu", k, split, step);
        }
        for (enum canon canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++)
            cr_expect(got->streams[canon].octets == want->streams[canon].octets);
        cr_expect(memcmp(&queued[i].anomalies, &h->anomalies, sizeof h->anomalies) == 0);
        cr_expect(got->total == want->total && got->ends_in_crlf == want->ends_in_crlf);
        body_hasher_fini(&queued[i].hasher);
    }
}

static void feed(struct hashed *h, struct span body, size_t split, size_t step)
{
    feed_pieces(&h->hasher, body, split, step);
    check_queued(h, body, split, step);
}

static bool hash_is(const struct body_hash *hash, const char *base64)
{
    char text[BASE64_ENCODED_LENGTH(SHA256_BYTES)];
    base64_encode(span_of(hash->sha256, SHA256_BYTES), text);
    return hash->known && span_equal(span_of(text, sizeof text), span_from_string(base64));
}

/* DV-25, DV-26: the two constants for an empty body, and for one of empty lines only. */
Test(body, empty_bodies)
{
    static const struct span bodies[] = {TEXT(""), TEXT("\r\n"), TEXT("\r\n\r\n")};
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        static struct hashed h;
        hashed_init(&h);
        int simple = body_hasher_want(&h.hasher, CANON_SIMPLE, BODY_WHOLE);
        int relaxed = body_hasher_want(&h.hasher, CANON_RELAXED, BODY_WHOLE);
        cr_assert(simple == 0 && relaxed == 1);
        feed(&h, bodies[i], 0, SIZE_MAX);
        cr_expect(hash_is(&h.hasher.hashes[0], "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="));
        cr_expect(hash_is(&h.hasher.hashes[1], "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
        cr_expect(body_hasher_octets(&h.hasher, CANON_SIMPLE) == 2);
        cr_expect(body_hasher_octets(&h.hasher, CANON_RELAXED) == 0);
        cr_expect(!h.hasher.failed && h.hasher.total == bodies[i].n && h.anomalies.set == 0);
        body_hasher_fini(&h.hasher);
    }
}

enum
{
    BODY_N = 3000,
    LONG_BODY_N = 100 * 1024, /* several times what a source gives at once */
    LIMITS = 12,
};

static const uint64_t near_limits[LIMITS] = {0,    1,    2,    255,  256,        257,
                                             1023, 1024, 1025, 1300, BODY_WHOLE, 1u << 20};
static const uint64_t far_limits[LIMITS] = {
    4096,          HASH_ROOM - 1,     HASH_ROOM,     HASH_ROOM + 1, 2 * HASH_ROOM - 64,
    2 * HASH_ROOM, 2 * HASH_ROOM + 1, 3 * HASH_ROOM, 50000,         65536,
    BODY_WHOLE,    1u << 20,
};

/* A body with everything in it, long enough for staging, straight pieces and slices. */
static struct span mixed_body(void)
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    static uint8_t bytes[BODY_N];
    for (size_t i = 0; i < BODY_N; i++) {
        uint32_t r = random_next(&seed);
        bytes[i] = i > 1200 && i < 2200 ? 'x' : (uint8_t) "ab  \t\r\n\r\ncd"[r % 11];
    }
    return span_of(bytes, BODY_N);
}

static void check_limit(const struct body_hash *hash, uint64_t limit, struct span want,
                        size_t split)
{
    uint8_t sha256[SHA256_BYTES];
    size_t n = limit < want.n ? (size_t)limit : want.n;
    cr_expect(hash->known == (limit <= want.n || limit == BODY_WHOLE), "l=%lu", limit);
    cr_expect(hash->hashed == n, "l=%lu: %lu under the hash", limit, hash->hashed);
    sha256_of(span_slice(want, 0, n), sha256);
    if (hash->known)
        cr_expect(memcmp(hash->sha256, sha256, sizeof sha256) == 0, "l=%lu, split %zu", limit,
                  split);
}

static void check_limits(enum canon canon, struct span body, struct span want, size_t split,
                         size_t step)
{
    const uint64_t *limits = body.n > BODY_N ? far_limits : near_limits;
    static struct hashed h;
    hashed_init(&h);
    for (size_t i = 0; i < LIMITS; i++)
        cr_assert(body_hasher_want(&h.hasher, canon, limits[i]) == (int)i);
    feed(&h, body, split, step);
    cr_expect(body_hasher_octets(&h.hasher, canon) == want.n);
    for (size_t i = 0; i < LIMITS; i++)
        check_limit(&h.hasher.hashes[i], limits[i], want, split);
    body_hasher_fini(&h.hasher);
}

/* DV-27, DV-28: many l= from one stream; l= above the body stays unknown (DV-16). */
Test(body, one_stream_serves_every_limit)
{
    static uint8_t canonical[BODY_N + 2];
    struct span body = guard_copy(mixed_body());
    for (int canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
        struct span want = span_of(canonical, canon_reference((enum canon)canon, body, canonical));
        cr_assert(want.n > 1300);
        for (size_t split = 0; split <= body.n; split += split < 40 ? 1 : 97)
            check_limits((enum canon)canon, body, want, split, SIZE_MAX);
        check_limits((enum canon)canon, body, want, 0, 1);
        check_limits((enum canon)canon, body, want, 0, 1000);
    }
}

/* Most of it is plain; here and there lines end badly, and blanks come in runs. */
static struct span long_body(void)
{
    static const char *const odd[] = {" \r\n", "  \t", "\r", "\n", " \r ", "\r\n\r\n \r\n"};
    static uint8_t bytes[LONG_BODY_N];
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < LONG_BODY_N; i++)
        bytes[i] = (uint8_t) "plain words \r\n"[i % 14];
    for (size_t i = 0; i < 60; i++) {
        const char *text = odd[random_next(&seed) % COUNT_OF(odd)];
        memcpy(bytes + random_next(&seed) % (LONG_BODY_N - 8), text, strlen(text));
    }
    return span_of(bytes, LONG_BODY_N);
}

Test(body, longer_than_what_is_asked_for_at_once)
{
    static uint8_t canonical[LONG_BODY_N + 2];
    struct span body = guard_copy(long_body());
    for (int canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
        struct span want = span_of(canonical, canon_reference((enum canon)canon, body, canonical));
        cr_assert(want.n > 65536);
        for (size_t split = 0; split <= body.n; split += 9973)
            check_limits((enum canon)canon, body, want, split, SIZE_MAX);
        check_limits((enum canon)canon, body, want, 0, HASH_ROOM);
        check_limits((enum canon)canon, body, want, 0, 1000);
    }
}

/* l= that is exactly the canonical body, one less, one more. */
Test(body, limit_at_the_end)
{
    for (int more = -1; more <= 1; more++) {
        static struct hashed h;
        hashed_init(&h);
        int at = body_hasher_want(&h.hasher, CANON_RELAXED, (uint64_t)(5 + more));
        cr_assert(at == 0);
        feed(&h, SPAN("abc\r\n\r\n"), 0, SIZE_MAX);
        cr_expect(h.hasher.hashes[0].known == (more <= 0));
        body_hasher_fini(&h.hasher);
    }
}

/* MAX_BODY_HASHES at it and one above; equal wishes share. */
Test(body, wishes)
{
    static struct hashed h;
    hashed_init(&h);
    for (int i = 0; i < MAX_BODY_HASHES; i++)
        cr_assert(body_hasher_want(&h.hasher, (enum canon)(i % 2), (uint64_t)i / 2) == i);
    cr_expect(h.hits.n[LIMIT_BODY_HASHES] == 0);
    cr_expect(body_hasher_want(&h.hasher, CANON_RELAXED, BODY_WHOLE) == -1);
    cr_expect(h.hits.n[LIMIT_BODY_HASHES] == 1);
    cr_expect(body_hasher_want(&h.hasher, CANON_RELAXED, 3) == 7, "equal wishes share one hash");
    feed(&h, SPAN("some text in it\r\n"), 0, 1);
    for (int i = 0; i < MAX_BODY_HASHES; i++)
        cr_expect(h.hasher.hashes[i].known);
    body_hasher_fini(&h.hasher);
}

struct anomaly_case
{
    const char *name;
    struct span body;
    const char *anomalies;
    uint32_t cr, lf, nul;
};

static const struct anomaly_case anomaly_cases[] = {
    {"clean", TEXT("a\r\n\r\nb\r\n"), "", 0, 0, 0},
    {"B08: no final CRLF", TEXT("a\r\nb"), "body_no_final_crlf", 0, 0, 0},
    {"B08: LF at the end", TEXT("a\n"), "body_bare_lf body_no_final_crlf", 0, 1, 0},
    {"B08: CR at the end", TEXT("a\r"), "body_bare_cr body_no_final_crlf", 1, 0, 0},
    {"B08: only CRLF", TEXT("\r\n"), "", 0, 0, 0},
    {"B01: LF . LF", TEXT("a\r\n\n.\n\r\n"), "body_bare_lf", 0, 2, 0},
    {"B01: LF . CRLF", TEXT("a\n.\r\n"), "body_bare_lf", 0, 1, 0},
    {"B01: CR . CR", TEXT("\r.\r\r\n"), "body_bare_cr", 2, 0, 0},
    {"B01: CRLF . LF", TEXT("a\r\n.\n\r\n"), "body_bare_lf", 0, 1, 0},
    {"LF CR", TEXT("a\n\r\r\n"), "body_bare_cr body_bare_lf", 1, 1, 0},
    {"B03: NUL", TEXT("a\0b\0\0\r\n"), "body_nul", 0, 0, 3},
    {"eight and more of each", TEXT("\r\r\r\r\r\r\r\r\r\n\n\n\n\n\n\n\n\n\0\0\0\0\0\0\0\0\0\r\n"),
     "body_bare_cr body_bare_lf body_nul", 8, 8, 9},
};

static void check_anomalies(const struct anomaly_case *c, bool wish, size_t split, size_t step)
{
    static struct hashed h;
    hashed_init(&h);
    if (wish)
        cr_assert(body_hasher_want(&h.hasher, CANON_RELAXED, BODY_WHOLE) == 0);
    feed(&h, guard_copy(c->body), split, step);
    cr_expect(strcmp(anomalies_text(&h.anomalies), c->anomalies) == 0, "%s: got \"%s\"", c->name,
              anomalies_text(&h.anomalies));
    cr_expect(h.anomalies.times[ANOMALY_BODY_BARE_CR] == c->cr, "%s", c->name);
    cr_expect(h.anomalies.times[ANOMALY_BODY_BARE_LF] == c->lf, "%s", c->name);
    cr_expect(h.anomalies.times[ANOMALY_BODY_NUL] == c->nul, "%s", c->name);
    cr_expect(!mail_anomalies_forbid_pass(&h.anomalies), "B01: the body is told about, not judged");
    body_hasher_fini(&h.hasher);
}

/* Counted also for a message without signatures. */
Test(body, anomalies_at_every_split)
{
    for (size_t i = 0; i < COUNT_OF(anomaly_cases); i++) {
        const struct anomaly_case *c = &anomaly_cases[i];
        for (size_t split = 0; split <= c->body.n; split++)
            check_anomalies(c, split % 2, split, SIZE_MAX);
        check_anomalies(c, true, 0, 1);
    }
}

static void want_both(struct hashed *h, unsigned wishes)
{
    hashed_init(h);
    if (wishes & 1)
        cr_assert(body_hasher_want(&h->hasher, CANON_SIMPLE, BODY_WHOLE) >= 0);
    if (wishes & 2)
        cr_assert(body_hasher_want(&h->hasher, CANON_RELAXED, BODY_WHOLE) >= 0);
}

/* The kernel passes over ordinary text: whatever is odd, wherever it stands to blocks, steps and
 * pieces, is counted once, by whichever canonicalization counts. */
static void check_odd_at(struct span odd, size_t at, size_t n, unsigned wishes)
{
    static struct hashed h;
    static const struct span line = SPAN("a line of \xc3\xa9 text \r\n");
    uint8_t text[9000];
    struct simd_octets want = {0};
    cr_assert(n <= sizeof text && at + odd.n <= n);
    for (size_t i = 0; i < n; i++)
        text[i] = line.p[i % line.n];
    memcpy(text + at, odd.p, odd.n);
    struct span body = span_of(text, n);
    mail_octets_count(&want, body);
    want_both(&h, wishes);
    feed(&h, body, at + odd.n / 2, at % 2 ? SIZE_MAX : 1000);
    const uint32_t *times = h.anomalies.times;
    cr_expect(times[ANOMALY_BODY_BARE_CR] == mail_octets_bare_cr(&want) &&
                  times[ANOMALY_BODY_BARE_LF] == mail_octets_bare_lf(&want) &&
                  times[ANOMALY_BODY_NUL] == want.nul,
              "odd at %zu of %zu, wishes %u: %u %u %u, want %lu %lu %lu", at, n, wishes,
              times[ANOMALY_BODY_BARE_CR], times[ANOMALY_BODY_BARE_LF], times[ANOMALY_BODY_NUL],
              mail_octets_bare_cr(&want), mail_octets_bare_lf(&want), want.nul);
    body_hasher_fini(&h.hasher);
}

Test(body, odd_octets_anywhere_are_counted_once)
{
    static const struct span odd[] = {SPAN("\r"),     SPAN("\n"),       SPAN("\0"),
                                      SPAN("\r\n"),   SPAN("\n\r"),     SPAN("\r\r\n\n"),
                                      SPAN("\n\0\r"), SPAN("\r\n\r\n"), SPAN("x")};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        for (unsigned wishes = 0; wishes < 4; wishes++) {
            for (size_t at = 0; at < 150; at++)
                check_odd_at(odd[i], at, 330, wishes);
            for (size_t at = 3800; at < 4200; at += 7)
                check_odd_at(odd[i], at, 8400, wishes);
            for (size_t n = 130; n < 270; n++)
                check_odd_at(odd[i], n - odd[i].n, n, wishes);
        }
    }
}

/* Octets are counted to the end, also when the last wish was reached early. */
Test(body, octets_behind_the_last_limit)
{
    static struct hashed h;
    hashed_init(&h);
    cr_assert(body_hasher_want(&h.hasher, CANON_SIMPLE, 3) == 0);
    struct span body = repeated("line\r\n", 20000);
    feed(&h, body, 0, SIZE_MAX);
    cr_expect(body_hasher_octets(&h.hasher, CANON_SIMPLE) == body.n);
    cr_expect(h.hasher.hashes[0].hashed == 3 && h.hasher.hashes[0].known);
    body_hasher_fini(&h.hasher);
}
