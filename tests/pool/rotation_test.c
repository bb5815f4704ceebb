/*
 * L09, L10: a key is rotated while the old one is cached. With the pool, the resolvers, libunbound
 * and a name server whose zone changes.
 */
#include "host.h"
#include "zone_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/corpora.h"

static const char key_name[] = "s2026._domainkey.shop.example.";
static const char other_name[] = "m1._domainkey.mailer.example.";

/* One forced refresh a second and entry: a minute is too long for a test. */
static const struct cache_ttl_rules quick = {
    .answer_min_s = 30,
    .answer_max_s = 3600,
    .negative_min_s = 30,
    .negative_max_s = 300,
    .failure_first_s = 5,
    .failure_max_s = 60,
    .stale_s = 3600,
    .rotation_s = 1,
};

static struct span line_of(struct span zone, const char *name)
{
    struct span line;
    while (line_next(&zone, &line))
        if (line.n > strlen(name) && memcmp(line.p, name, strlen(name)) == 0)
            return line;
    cr_assert_fail("no %s in the zone", name);
    return line;
}

/* The samples' zone with another domain's key under shop.example's name. */
static struct span zone_before(struct buffer *out)
{
    struct span zone = file_read("share/samples/zone.txt");
    struct span right = line_of(zone, key_name), other = line_of(zone, other_name);
    buffer_init(out, 1 << 20);
    buffer_append(out, span_of(zone.p, (size_t)(right.p - zone.p)));
    buffer_append_string(out, key_name);
    buffer_append(out, span_skip(other, strlen(other_name)));
    buffer_append(out, span_of(span_end(right), (size_t)(span_end(zone) - span_end(right))));
    cr_assert(!out->failed);
    return buffer_span(out);
}

struct rotation
{
    struct buffer text;
    struct zone_server server;
    struct fixture fixture;
};

static void rotation_open(struct rotation *r, unsigned workers)
{
    zone_server_start(&r->server, zone_before(&r->text));
    fixture_open(
        &r->fixture,
        &(struct fixture_config){.workers = workers, .resolver = r->server.resolver, .ttl = quick});
}

static void rotation_close(struct rotation *r)
{
    fixture_close(&r->fixture);
    zone_server_stop(&r->server);
    buffer_fini(&r->text);
}

static enum result judge_one(struct rotation *r, const char *file)
{
    struct judged judged = {0};
    task_end(submit_and_feed(&r->fixture, sample_find(file), 0, &judged));
    wait_for(&judged);
    return judged.dkim;
}

static void grow_older(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* L09: no message that is signed with the new key is failed by the old one. */
Test(rotation, a_new_key_is_found)
{
    struct rotation r;
    rotation_open(&r, 1);
    cr_expect(judge_one(&r, "pass.eml") == RESULT_FAIL, "the wrong key is published");
    zone_server_set(&r.server, file_read("share/samples/zone.txt"));
    grow_older(1100);
    uint32_t before = r.server.queries;
    cr_expect(judge_one(&r, "pass.eml") == RESULT_PASS);
    cr_expect(r.server.queries == before + 1, "%u queries more", r.server.queries - before);
    cr_expect(judge_one(&r, "pass.eml") == RESULT_PASS);
    cr_expect(r.server.queries == before + 1, "the new key is kept");
    rotation_close(&r);
}

/* The same in the guest, whose host is roused by the answer. */
Test(rotation, a_new_key_is_found_by_the_guest)
{
    struct buffer text;
    struct zone_server server;
    struct host host;
    struct judged before = {0}, after = {0};
    zone_server_start(&server, zone_before(&text));
    host_open(&host,
              &(struct fixture_config){.workers = 1, .resolver = server.resolver, .ttl = quick});
    host_judge(&host, sample_find("pass.eml"), &before);
    cr_expect(before.dkim == RESULT_FAIL, "the wrong key is published");
    zone_server_set(&server, file_read("share/samples/zone.txt"));
    grow_older(1100);
    host_judge(&host, sample_find("pass.eml"), &after);
    cr_expect(after.dkim == RESULT_PASS);
    cr_expect(host_stats(&host).by_guest == 2);
    host_close(&host);
    zone_server_stop(&server);
    buffer_fini(&text);
}

/* The same under load: 500 messages at once, and all that were sent after the rotation pass. */
Test(rotation, under_load)
{
    enum
    {
        COUNT = 500
    };
    struct rotation r;
    struct judged *judged = calloc(COUNT, sizeof *judged);
    unsigned wrong = 0;
    rotation_open(&r, 2);
    cr_expect(judge_one(&r, "pass.eml") == RESULT_FAIL);
    zone_server_set(&r.server, file_read("share/samples/zone.txt"));
    grow_older(1100);
    uint32_t before = r.server.queries;
    for (unsigned i = 0; i < COUNT; i++)
        task_end(submit_and_feed(&r.fixture, sample_find("pass.eml"), i % 2 ? 300 : 0, &judged[i]));
    for (unsigned i = 0; i < COUNT; i++) {
        wait_for(&judged[i]);
        wrong += judged[i].dkim != RESULT_PASS;
    }
    cr_expect(wrong == 0, "%u wrong verdicts", wrong);
    cr_expect(r.server.queries == before + 1, "%u queries", r.server.queries - before);
    rotation_close(&r);
    free(judged);
}

/* L10: bad signatures of one domain are no lever on the DNS: one query in rotation_s at most. */
Test(rotation, bad_signatures_cost_one_query_a_second)
{
    struct rotation r;
    rotation_open(&r, 2);
    zone_server_set(&r.server, file_read("share/samples/zone.txt"));
    cr_expect(judge_one(&r, "fail-subject.eml") == RESULT_FAIL);
    uint32_t before = r.server.queries;
    int64_t begin = engine_clock_ms();
    for (unsigned i = 0; i < 1500; i++) {
        cr_assert(judge_one(&r, "fail-subject.eml") == RESULT_FAIL);
        if (i % 500 == 499)
            grow_older(600);
    }
    int64_t seconds = (engine_clock_ms() - begin) / 1000 + 1;
    uint32_t asked = r.server.queries - before;
    cr_expect(asked >= 1 && asked <= seconds, "%u queries in %ld s", asked, seconds);
    rotation_close(&r);
}
