/*
 * Results that messages share (SP-36): whatever the order in which addresses, zones, flushes and
 * seconds come, a message that takes results has the verdict of one that asks for everything.
 *
 * One round for each message, by a clock of the test's own; answers come from a zone that changes.
 */
#include "fixture.h"

#include <stdio.h>

#include "cache/tsan.h"
#include "dns/resolvers.h"
#include "run/prepare.h"
#include "run/round.h"

enum
{
    REFRESHES_MAX = 64,
    SECOND = 1000,
    DOMAINS = 10,
    ADDRESSES = 6,
};

struct scene
{
    struct message_options options;
    struct cache *cache;
    struct dns_source *source; /* what the DNS says now */
    struct round round;
    struct dns_question refreshes[REFRESHES_MAX];
    unsigned refresh_count;
    unsigned asked; /* of the DNS, all in all */
};

static void note_refresh(void *context, const struct dns_name *name, enum dns_type type)
{
    struct scene *scene = context;
    cr_assert(scene->refresh_count < REFRESHES_MAX);
    scene->refreshes[scene->refresh_count++] = (struct dns_question){.type = type, .name = *name};
}

static struct dns_source *source_of(const char *zone)
{
    struct dns_error error = {""};
    struct dns_source *source = dns_zone_parse(span_from_string(zone), "zone", &error);
    cr_assert(source, "%s", error.text);
    return source;
}

static void scene_open(struct scene *scene, const char *zone)
{
    struct cache_config config = cache_config_default();
    struct cache_error error = {""};
    *scene = (struct scene){
        .options = {.authserv_id = SPAN("mx.example.net"), .spf_void_limit = 2},
        .source = source_of(zone),
    };
    config.buckets = 1 << 10;
    cache_thread_register();
    scene->cache = cache_new(&config, &error);
    cr_assert(scene->cache, "%s", error.text);
    round_init(&scene->round, scene->cache, note_refresh, scene);
    cr_assert(scene->round.spf_shared != NULL && scene->round.dmarc_shared != NULL);
}

static void scene_close(struct scene *scene)
{
    round_fini(&scene->round);
    dns_source_free(&scene->source);
    cache_thread_quiescent();
    cache_free(&scene->cache);
    cache_thread_unregister();
}

static void change_zone(struct scene *scene, const char *zone)
{
    dns_source_free(&scene->source);
    scene->source = source_of(zone);
}

/* Into the cache, as an owner would: what the DNS says now. */
static void ask(struct scene *scene, const struct dns_name *name, enum dns_type type)
{
    struct arena arena;
    struct dns_answers answers;
    struct limit_hits hits = {.set = 0};
    uint8_t key[CACHE_KEY_MAX];
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    (void)!dns_lookup(&answers, name, type);
    dns_source_resolve(scene->source, &answers, INT64_MAX);
    struct dns_shared *shared =
        dns_shared_new(name, type, dns_lookup(&answers, name, type), run_prepare);
    cr_assert(shared);
    size_t n = resolvers_cache_key(name, type, key);
    (void)!resolvers_cache_put(scene->cache, span_of(key, n), shared, scene->round.now_ms);
    dns_shared_unref(&shared);
    arena_fini(&arena);
    scene->asked++;
}

static void ask_refreshes(struct scene *scene)
{
    for (unsigned i = 0; i < scene->refresh_count; i++)
        ask(scene, &scene->refreshes[i].name, scene->refreshes[i].type);
    scene->refresh_count = 0;
}

/* What is open goes to the cache, and from there to the message: it waits in rounds of its own. */
static void answer(struct scene *scene, struct message *message)
{
    message_park(message);
    cache_thread_quiescent();
    round_begin(&scene->round, scene->round.now_ms);
    for (struct dns_question *q = message->answers.first; q; q = q->next)
        if (!q->answer.outcome)
            ask(scene, &q->name, q->type);
    dns_source_resolve(scene->source, &message->answers, INT64_MAX);
}

/* A verdict as those see it who do not ask for evidence, and all of SPF. */
static char *text_of(const struct message *message)
{
    struct buffer text;
    buffer_init(&text, 1024 * 1024);
    verdict_write_results(&message->verdict, &text);
    buffer_append_byte(&text, '\n');
    verdict_write_spf_json(&message->spf, &text);
    buffer_append_byte(&text, '\n');
    verdict_write_json(&message->verdict, &text);
    buffer_append_byte(&text, '\0');
    cr_assert(!text.failed);
    json_drop_dns((char *)text.p);
    return (char *)text.p;
}

struct envelope
{
    struct span address, helo, sender;
    struct span from; /* domain; empty: the sender's */
};

/* `park`: the message is set aside, and its round ends, wherever that may be. */
static char *judge(struct scene *scene, const struct envelope *envelope, int64_t now_ms, bool share,
                   bool park)
{
    char header[256];
    struct message_envelope smtp = {
        .helo = envelope->helo, .mail_from = envelope->sender, .now = 1792972860};
    struct span domain = envelope->from;
    if (domain.n == 0)
        domain = span_skip(envelope->sender, span_find_last(envelope->sender, '@') + 1);
    snprintf(header, sizeof header, "From: <a@%.*s>\r\nSubject: x\r\n\r\nbody\r\n", (int)domain.n,
             (const char *)domain.p);
    cr_assert(ip_parse(envelope->address, &smtp.client));
    round_begin(&scene->round, now_ms);
    struct message *message = round_begin_message(&scene->round, &scene->options, &smtp, share);
    cr_assert(message);
    if (park)
        message_park(message);
    (void)message_feed(message, span_from_string(header));
    round_hash(&scene->round);
    message_end(message);
    for (enum message_step step; (step = message_step(message)) != MESSAGE_DONE;) {
        if (park)
            message_park(message);
        if (step == MESSAGE_NEEDS_ANSWERS)
            answer(scene, message);
        if (step == MESSAGE_NEEDS_HASH)
            round_hash(&scene->round);
        if (step == MESSAGE_NEEDS_VERIFY)
            (void)round_verify(&scene->round, &message, 1);
    }
    if (park)
        message_park(message);
    char *text = text_of(message);
    round_end_message(&scene->round, message);
    cache_thread_quiescent();
    return text;
}

static uint64_t hits(const struct scene *scene)
{
    return round_shared(&scene->round).spf_hits;
}

static uint64_t dmarc_hits(const struct scene *scene)
{
    return round_shared(&scene->round).dmarc_hits;
}

static const struct envelope user = {
    .address = {(const uint8_t *)"192.0.2.1", 9},
    .helo = {(const uint8_t *)"helo.example", 12},
    .sender = {(const uint8_t *)"user@d.example", 14},
};

/* --- ends --- */

static const char day[] = "d.example 60 TXT \"v=spf1 include:i.example -all\"\n"
                          "i.example 40 TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n";
static const char night[] = "d.example 60 TXT \"v=spf1 include:i.example -all\"\n"
                            "i.example 40 TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n";

static bool passes(struct scene *scene, int64_t now_ms)
{
    char *text = judge(scene, &user, now_ms, true, false);
    ask_refreshes(scene);
    bool pass = strstr(text, "spf=pass") != NULL;
    free(text);
    return pass;
}

/* RFC 7208 7.3: not longer than the shortest TTL, though the record on top lives on. */
Test(shared, an_include_that_ends_ends_the_result)
{
    struct scene scene;
    scene_open(&scene, day);
    for (int64_t ms = 0; ms < 5; ms++)
        cr_assert(passes(&scene, ms));
    uint64_t taken = hits(&scene);
    cr_expect(taken > 0, "three messages make it, the others take it");
    change_zone(&scene, night);
    for (int64_t ms = SECOND; ms < 80 * SECOND; ms += 100)
        if (ms < 32 * SECOND) /* the include is asked again 4 to 8 s before its 40 s end */
            cr_assert(passes(&scene, ms), "at %ld ms it still stands", ms);
        else if (ms > 40 * SECOND)
            cr_assert(!passes(&scene, ms), "at %ld ms it has ended", ms);
        else
            (void)passes(&scene, ms);
    cr_expect(hits(&scene) > taken + 600, "%lu taken", hits(&scene));
    scene_close(&scene);
}

/* G02, G06: the same for a policy, and for one that is no longer there. */
Test(shared, a_policy_that_ends_ends_the_discovery)
{
    struct scene scene;
    static const char with[] = "_dmarc.example 60 TXT \"v=DMARC1; p=reject\"\n";
    static const char without[] = "_dmarc.example 60 TXT \"v=DMARC1; p=none\"\n";
    scene_open(&scene, with);
    for (int64_t ms = 0; ms < 62 * SECOND; ms += 250) {
        if (ms == 5 * SECOND)
            change_zone(&scene, without);
        char *text = judge(&scene, &user, ms, true, false);
        ask_refreshes(&scene);
        bool rejects = strstr(text, "policy.dmarc=reject") != NULL;
        if (ms < 48 * SECOND) /* asked again 6 to 12 s before its end */
            cr_assert(rejects, "at %ld ms it still stands", ms);
        if (ms > 60 * SECOND)
            cr_assert(!rejects, "at %ld ms it has ended", ms);
        free(text);
    }
    cr_expect(dmarc_hits(&scene) > 150, "%lu taken", dmarc_hits(&scene));
    change_zone(&scene, with);
    cr_assert(cache_flush(scene.cache, NULL, NULL) > 0);
    char *text = judge(&scene, &user, 62 * SECOND, true, false);
    cr_expect(strstr(text, "policy.dmarc=reject") != NULL, "at once behind a flush");
    free(text);
    scene_close(&scene);
}

/* An entry that is used through results alone is asked again in time all the same: nobody waits. */
Test(shared, what_results_come_from_is_refreshed_in_time)
{
    struct scene scene;
    struct cache_stats stats;
    scene_open(&scene, day);
    cr_assert(passes(&scene, 0));
    cache_stats(scene.cache, &stats);
    uint64_t misses = stats.misses;
    for (int64_t ms = 1; ms < 300 * SECOND; ms += 50)
        cr_assert(passes(&scene, ms));
    cache_stats(scene.cache, &stats);
    /* helo.example and _dmarc names are NXDOMAIN, for 30 s: they too are in demand */
    cr_expect(stats.misses == misses, "%lu messages had to wait", stats.misses - misses);
    cr_expect(stats.refresh_claimed > 20, "%lu refreshed", stats.refresh_claimed);
    cr_expect(hits(&scene) > 10000, "%lu taken of 12,000", hits(&scene));
    scene_close(&scene);
}

Test(shared, a_flush_ends_all_results_at_once)
{
    struct scene scene;
    scene_open(&scene, day);
    for (int64_t ms = 0; ms < 5; ms++)
        cr_assert(passes(&scene, ms));
    change_zone(&scene, night);
    cr_assert(passes(&scene, 5));
    cr_assert(cache_flush(scene.cache, NULL, NULL) > 0);
    cr_expect(!passes(&scene, 5), "the flush is over, so nothing from before it is used");
    scene_close(&scene);
}

/* A flush of one name: its removal alone ends results. */
Test(shared, a_removal_ends_results_too)
{
    struct scene scene;
    struct dns_name name;
    uint8_t key[CACHE_KEY_MAX];
    scene_open(&scene, day);
    for (int64_t ms = 0; ms < 5; ms++)
        cr_assert(passes(&scene, ms));
    change_zone(&scene, night);
    cr_assert(dns_name_from_domain(&name, SPAN("i.example")) == DNS_NAME_OK);
    cr_assert(cache_remove(scene.cache, span_of(key, resolvers_cache_key(&name, DNS_TXT, key))));
    cr_expect(!passes(&scene, 5));
    scene_close(&scene);
}

/* --- everything at random --- */

static const char *const records[] = {
    "v=spf1 ip4:192.0.2.0/25 -all",
    "v=spf1 include:d1.example include:d0.example ~all",
    "v=spf1 a mx -all",
    "v=spf1 exists:%{l}.users.example -all",
    "v=spf1 redirect=d3.example",
    "v=spf1 exists:%{ir}.list.example ?all",
    "v=spf1 ptr -all",
    "v=spf1 a:n1.example a:n2.example a:n3.example -all",
    "v=spf1 include:d7.example -all",
    "v=spf1 a:fails.example +all",
    "v=spf1 include:nothing.example -all",
    "v=spf1 ip4:192.0.2.128/25 ip6:2001:db8::/32 include:d0.example -all",
    "no record of ours",
};

static const char *const policies[] = {
    "p=reject",
    "p=none; rua=mailto:a@d1.example; aspf=s",
    "p=quarantine; sp=none; adkim=s",
    "p=reject; sp=quarantine; np=none; t=y",
    "p=nonsense; rua=mailto:x@y.example",
    "p=none; psd=n",
    "p=reject; psd=y",
};

/* Another zone for each `version`. */
static const char *zone_of(unsigned version)
{
    static char zone[4096];
    size_t n = 0;
    for (unsigned i = 0; i < DOMAINS; i++) {
        unsigned record = (i + version * 3) % (unsigned)COUNT_OF(records);
        n += (size_t)snprintf(zone + n, sizeof zone - n,
                              "d%u.example %u TXT \"%s\"\nd%u.example A 192.0.2.%u\n"
                              "d%u.example MX 1 m.example\n_dmarc.d%u.example %u TXT "
                              "\"v=DMARC1; %s\"\n%s_dmarc.sub.d%u.example TXT \"v=DMARC1; %s\"\n",
                              i, 20 + 17 * i, records[record], i, i + version, i, i, 35 + 9 * i,
                              policies[(i + version) % COUNT_OF(policies)], i % 3 ? "" : "; ", i,
                              policies[(i * 2 + version) % COUNT_OF(policies)]);
    }
    snprintf(zone + n, sizeof zone - n,
             "_dmarc.fails.example TXT !servfail\nm.example A 192.0.2.%u\nuser.users.example A "
             "127.0.0.2\nfails.example A !servfail\n"
             "1.2.0.192.list.example A 127.0.0.1\n130.2.0.192.in-addr.arpa PTR p.d%u.example\n"
             "p.d%u.example A 192.0.2.130\n",
             1 + version, version % DOMAINS, version % DOMAINS);
    return zone;
}

static void draw(unsigned random, struct envelope *envelope, char sender[64], char helo[64],
                 char from[64])
{
    static const char *const addresses[ADDRESSES] = {
        "192.0.2.1", "192.0.2.2", "192.0.2.130", "198.51.100.1", "2001:db8::1", "::ffff:192.0.2.1"};
    static const char *const froms[] = {"", "sub.", "x.sub.", "gone.", "A."};
    static const char *const locals[] = {"user", "other", "\xc3\xa9", "a.b"};
    snprintf(sender, 64, "%s@%s%u.example", locals[random / 7 % 4], random & 64 ? "D" : "d",
             random / 31 % DOMAINS);
    snprintf(helo, 64, "d%u.example", random / 311 % DOMAINS);
    snprintf(from, 64, "%sd%u.example", froms[random / 13 % COUNT_OF(froms)],
             random / 31 % DOMAINS + (random / 17 % 3 == 0));
    envelope->address = span_from_string(addresses[random % ADDRESSES]);
    envelope->sender = span_from_string(random % 23 ? sender : "<>");
    envelope->helo = span_from_string(random % 19 ? helo : "");
    envelope->from = span_from_string(random % 41 ? from : "x.fails.example");
}

/*
 * Each message twice, with results and without, from one cache, in either order, parked or not. The
 * zone changes with a flush and without.
 */
static void random_stream(unsigned seed, unsigned messages)
{
    struct scene scene;
    unsigned random = seed, version = 0;
    int64_t now_ms = 1000000;
    scene_open(&scene, zone_of(0));
    for (unsigned i = 0; i < messages; i++) {
        struct envelope envelope;
        char sender[64], helo[64], from[64];
        random = random * 1103515245 + 12345;
        unsigned drawn = random >> 8;
        draw(drawn, &envelope, sender, helo, from);
        now_ms += drawn % 5 ? 3 : drawn % 997;
        if (i % 211 == 0)
            change_zone(&scene, zone_of(++version));
        if (i % 422 == 0)
            (void)cache_flush(scene.cache, NULL, NULL);
        bool first = drawn & 1;
        char *one = judge(&scene, &envelope, now_ms, first, drawn & 2);
        char *other = judge(&scene, &envelope, now_ms, !first, drawn & 4);
        cr_assert_str_eq(one, other, "seed %u, message %u, %s first, %.*s from %s:\n%s\n%s", seed,
                         i, first ? "sharing" : "asking", (int)envelope.address.n,
                         (const char *)envelope.address.p, sender, one, other);
        free(one);
        free(other);
        if (drawn % 3 == 0)
            ask_refreshes(&scene);
    }
    cr_expect(hits(&scene) > messages / 3, "%lu taken", hits(&scene));
    cr_expect(dmarc_hits(&scene) > messages / 5, "%lu discoveries taken", dmarc_hits(&scene));
    scene_close(&scene);
}

Test(shared, random_streams_have_the_verdicts_of_those_who_ask)
{
    for (unsigned seed = 1; seed <= 4; seed++)
        random_stream(seed, 2500);
}

/* --- the ceiling of questions --- */

/* SPF for a sender of eight labels takes `hosts` questions and a few; %{l} keeps it from being
 * shared. */
static void write_deep_zone(unsigned hosts, bool local, char zone[8192])
{
    size_t n = (size_t)snprintf(zone, 8192, "a.b.c.d.e.f.g.example TXT \"v=spf1 %s",
                                local ? "exists:%{l}.x.example " : "");
    for (unsigned i = 0; i < hosts; i += 11)
        n += (size_t)snprintf(zone + n, 8192 - n, "mx:m%u.example ", i);
    n += (size_t)snprintf(zone + n, 8192 - n, "ip4:192.0.2.1 -all\"\n");
    for (unsigned i = 0; i < hosts; i++)
        if (i % 11)
            n += (size_t)snprintf(zone + n, 8192 - n,
                                  "m%u.example MX 1 h%u.example\nh%u.example A 192.0.2.99\n",
                                  i / 11 * 11, i, i);
    snprintf(zone + n, 8192 - n,
             "example TXT \"no more\"\n_dmarc.example TXT \"v=DMARC1;p=none\"\n");
}

/* A message that took results meets MAX_DNS_QUESTIONS where one that asked for all meets it. */
static void expect_same_ceiling(bool local)
{
    static const struct envelope deep = {
        .address = {(const uint8_t *)"192.0.2.1", 9},
        .helo = {(const uint8_t *)"helo.example", 12},
        .sender = {(const uint8_t *)"u@a.b.c.d.e.f.g.example", 23},
        .from = {(const uint8_t *)"z.y.x.w.v.u.t.example", 21},
    };
    unsigned over = 0, under = 0, taken = 0;
    for (unsigned hosts = 36; hosts < 54; hosts++) {
        char zone[8192];
        struct scene scene;
        write_deep_zone(hosts, local, zone);
        scene_open(&scene, zone);
        for (unsigned i = 0; i < 8; i++) /* while SPF waits, DMARC asks before it */
            free(judge(&scene, &deep, 0, false, false));
        char *want = judge(&scene, &deep, 0, false, false);
        for (unsigned i = 0; i < 6; i++) {
            char *got = judge(&scene, &deep, 1, true, i & 1);
            cr_expect_str_eq(got, want, "%u hosts:\n%s\n%s", hosts, got, want);
            free(got);
        }
        over += strstr(want, "too_many_questions") != NULL;
        under += strstr(want, "dmarc=pass") != NULL;
        taken += local ? dmarc_hits(&scene) > 0 : hits(&scene) > 0;
        free(want);
        scene_close(&scene);
    }
    cr_expect(over > 2 && under > 2 && taken > 2, "%u over the ceiling, %u under, %u times shared",
              over, under, taken);
}

Test(shared, the_ceiling_of_questions_is_the_same)
{
    expect_same_ceiling(false);
    expect_same_ceiling(true);
}

/* --- evidence --- */

/* Who asks for evidence has it whole, however many took results before. */
Test(shared, evidence_is_worked_out)
{
    struct scene scene;
    struct message_envelope smtp = {.helo = user.helo, .mail_from = user.sender, .now = 1};
    scene_open(&scene, day);
    for (int64_t ms = 0; ms < 6; ms++)
        cr_assert(passes(&scene, ms));
    cr_assert(ip_parse(user.address, &smtp.client));
    uint64_t taken = hits(&scene);
    for (unsigned share = 0; share < 2; share++) {
        round_begin(&scene.round, 6);
        struct message *message =
            round_begin_message(&scene.round, &scene.options, &smtp, share == 1);
        cr_assert(message && message->spf_done);
        cr_expect(message->answers.count == (share ? 0 : 3), "%u questions",
                  message->answers.count);
        cr_expect(message->spf.spared == (share ? 3 : 0), "%u spared", message->spf.spared);
        cr_expect(span_equal(message->spf.checked.record, SPAN("v=spf1 include:i.example -all")));
        round_end_message(&scene.round, message);
        cache_thread_quiescent();
    }
    cr_expect(hits(&scene) == taken + 2);
    scene_close(&scene);
}

/* --- in the pool --- */

struct seen
{
    struct judged judged;
    uint32_t questions;
    struct buffer results;
};

static void note_seen(void *context, enum task_outcome outcome, const struct message *message)
{
    struct seen *seen = context;
    seen->judged.outcome = outcome;
    seen->questions = message ? message->answers.count : 0;
    buffer_init(&seen->results, 64 * 1024);
    if (message)
        verdict_write_results(&message->verdict, &seen->results);
    atomic_fetch_add(&seen->judged.calls, 1);
}

static void judge_in_pool(struct fixture *fixture, const struct sample *sample, bool share,
                          struct seen *seen)
{
    struct chunk *chunk = chunk_of(sample->text);
    *seen = (struct seen){.questions = 0};
    struct task_request request = {
        .envelope = sample->envelope,
        .without_evidence = share,
        .done = note_seen,
        .context = seen,
    };
    struct task *task = pool_submit(fixture->pool, &request);
    cr_assert(task);
    task_feed(task, chunk, span_of(chunk->bytes, sample->text.n));
    task_end(task);
    chunk_unref(&chunk);
    wait_for(&seen->judged);
    cr_assert(seen->judged.outcome == TASK_JUDGED);
}

/* Every sample: who asks for evidence asks what it asked before anybody shared. */
Test(shared, in_the_pool_evidence_is_asked_for)
{
    const struct samples *samples = samples_read();
    struct fixture fixture;
    struct pool_stats stats;
    unsigned fewer = 0;
    fixture_open(&fixture, &(struct fixture_config){.workers = 1});
    for (size_t i = 0; i < samples->count; i++) {
        struct seen before, shared, after;
        judge_in_pool(&fixture, &samples->rows[i], false, &before);
        for (unsigned times = 0; times < 4; times++) {
            judge_in_pool(&fixture, &samples->rows[i], true, &shared);
            cr_expect(span_equal(buffer_span(&shared.results), buffer_span(&before.results)),
                      "%.*s", (int)samples->rows[i].file.n, samples->rows[i].file.p);
            fewer += shared.questions < before.questions;
            buffer_fini(&shared.results);
        }
        judge_in_pool(&fixture, &samples->rows[i], false, &after);
        cr_expect(after.questions <= before.questions, "a psd= tag may end a walk earlier");
        cr_expect(after.questions >= shared.questions);
        cr_expect(span_equal(buffer_span(&after.results), buffer_span(&before.results)));
        buffer_fini(&before.results);
        buffer_fini(&after.results);
    }
    pool_stats(fixture.pool, &stats);
    cr_expect(stats.dmarc_hits > samples->count && stats.dmarc_misses > 0);
    cr_expect(fewer > samples->count, "%u", fewer);
    cr_expect(stats.spf_hits > samples->count && stats.spf_misses > 0, "%lu hits, %lu misses",
              stats.spf_hits, stats.spf_misses);
    fixture_close(&fixture);
}
