/* One set of messages: assay, its limit and libopendkim in turn. */
#include "bench/quick_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench_engine.h"
#include "bench/bench_limit.h"
#include "bench/contest.h"
#include "bench/load.h"
#include "bench/peer_opendkim.h"
#include "simd/kernel.h"

enum
{
    ZONE_MAX = 4 * 1024 * 1024,
    PART_MAX = 64 * 1024,
    PEER_BATCH_BYTES = 200 * 1024, /* about 4 ms of libopendkim's time */
    PEER_BATCH_MOST = 16,
};

/* --- libopendkim's side --- */

struct peer_judging
{
    struct peer_opendkim *peer;
    const struct mail_set *set;
    unsigned next, batch;
};

static uint64_t peer_batch(void *context)
{
    struct peer_judging *judging = context;
    for (unsigned i = 0; i < judging->batch; i++) {
        const struct mail_set_message *message = &judging->set->messages[judging->next];
        bool pass = peer_opendkim_verify(judging->peer, message);
        if (pass != (message->dkim == RESULT_PASS))
            load_stop("libopendkim says %s of a message of %s", pass ? "pass" : "no pass",
                      judging->set->kind->name);
        judging->next = (judging->next + 1) % judging->set->count;
    }
    return judging->batch;
}

static unsigned peer_batch_of(const struct mail_set *set)
{
    unsigned n = (unsigned)(PEER_BATCH_BYTES / (set->bytes / set->count + 1)) + 1;
    return n > PEER_BATCH_MOST ? PEER_BATCH_MOST : n;
}

/* It may not know what the set is signed with (Ed25519 in some builds). */
static bool peer_can(struct peer_opendkim *peer, const struct mail_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        if (set->messages[i].dkim == RESULT_PASS)
            return peer_opendkim_verify(peer, &set->messages[i]);
    return false;
}

/* --- all of them --- */

enum
{
    ASSAY,
    HASH,
    VERIFY,
    SINGLE,
    OPENDKIM,
    CONTESTANTS,
};

static json_t *figures(const struct contestant c[CONTESTANTS], const struct bench_judging *judging,
                       bool with_peer)
{
    double hashed = judging->body_bytes + judging->header_bytes;
    double limit_us = hashed * c[HASH].best_us + judging->verifications * c[VERIFY].best_us;
    json_t *json = json_pack(
        "{s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:I,s:i,s:f}", "us_per_message", c[ASSAY].best_us,
        "us_per_message_median", c[ASSAY].median_us, "limit_us", limit_us, "vs_limit",
        c[ASSAY].best_us / limit_us, "single_us", c[SINGLE].best_us, "single_vs_batched",
        c[SINGLE].best_us / c[ASSAY].best_us, "hash_gb_per_s", 1e-3 / c[HASH].best_us, "verify_us",
        c[VERIFY].best_us, "hashed_bytes", hashed, "verifications", judging->verifications,
        "messages", (json_int_t)c[ASSAY].operations, "rounds", (int)c[ASSAY].rounds,
        "bytes_per_message", (double)judging->set->bytes / judging->set->count);
    json_object_set_new(json, "opendkim_us",
                        with_peer ? json_real(c[OPENDKIM].best_us) : json_null());
    json_object_set_new(json, "vs_libopendkim",
                        with_peer ? json_real(c[OPENDKIM].best_us / c[ASSAY].best_us)
                                  : json_null());
    return json;
}

static json_t *measure(const struct quick_options *options, struct bench_engine *engine,
                       struct peer_opendkim *peer, const struct mail_set *set)
{
    static struct contestant c[CONTESTANTS];
    struct bench_judging judging, single;
    struct bench_limit limit;
    struct peer_judging peer_judging = {peer, set, 0, peer_batch_of(set)};
    bool with_peer = peer_can(peer, set);
    bench_judging_open(&judging, engine, set);
    bench_judging_open(&single, engine, set);
    bench_limit_open(&limit, set, options->keys);
    c[ASSAY] =
        (struct contestant){.name = "assay", .batch = bench_judging_batch, .context = &judging};
    c[HASH] = (struct contestant){.name = "hash", .batch = bench_limit_hash, .context = &limit};
    c[VERIFY] =
        (struct contestant){.name = "verify", .batch = bench_limit_verify, .context = &limit};
    c[SINGLE] =
        (struct contestant){.name = "single", .batch = bench_judging_single, .context = &single};
    c[OPENDKIM] =
        (struct contestant){.name = "libopendkim", .batch = peer_batch, .context = &peer_judging};
    contest_run(c, with_peer ? CONTESTANTS : OPENDKIM, options->seconds);
    json_t *json = figures(c, &judging, with_peer);
    bench_limit_close(&limit);
    bench_judging_close(&judging);
    bench_judging_close(&single);
    return json;
}

json_t *quick_set(const struct quick_options *options, const char *name)
{
    const struct mail_set_kind *kind = mail_set_find(name);
    struct bench_engine engine;
    struct mail_set set;
    struct buffer zone;
    if (!kind)
        load_stop("there is no set %s", name);
    buffer_init(&zone, ZONE_MAX);
    mail_set_zone(&zone, options->keys);
    mail_set_make(&set, kind, options->keys);
    bench_engine_open(&engine, buffer_span(&zone));
    struct peer_opendkim *peer = peer_opendkim_open(buffer_span(&zone));
    json_t *json = measure(options, &engine, peer, &set);
    peer_opendkim_close(&peer);
    bench_engine_close(&engine);
    mail_set_free(&set);
    buffer_fini(&zone);
    return json;
}

/* --- levels, each in a process of its own: as a user would force one --- */

static json_t *read_part(const char *command)
{
    static char text[PART_MAX];
    FILE *pipe = popen(command, "re");
    size_t n = pipe ? fread(text, 1, sizeof text, pipe) : 0;
    if (!pipe || pclose(pipe) != 0)
        load_stop("failed: %s", command);
    json_error_t error;
    json_t *json = json_loadb(text, n, 0, &error);
    if (!json)
        load_stop("%s: %s", command, error.text);
    return json;
}

json_t *quick_levels(const struct quick_options *options)
{
    static const enum kernel_level levels[] = {KERNEL_AVX512, KERNEL_AVX2, KERNEL_SCALAR};
    json_t *all = json_object();
    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++) {
        const char *name = kernel_level_name(levels[i]);
        char command[512];
        snprintf(command, sizeof command,
                 "ASSAY_KERNEL=%s '%s' --set 10k --seconds %.2f --keys '%s'", name, options->self,
                 options->seconds, options->keys);
        json_object_set_new(all, name,
                            kernel_level_available(levels[i]) ? read_part(command) : json_null());
    }
    return all;
}
