/* The set 10k through an assayd's socket: what the engine spends on a message, and how long it
 * takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/full_run.h"
#include "bench/load.h"
#include "bench/load_measure.h"
#include "bench/mail_set.h"
#include "bench/quick_sets.h"

enum
{
    ZONE_MAX = 4 * 1024 * 1024,
};

/* The same messages in the load generator's form. Texts are lent. */
static void as_load(const struct mail_set *set, struct load_mail *mail)
{
    *mail = (struct load_mail){.count = set->count};
    mail->messages = calloc(set->count, sizeof *mail->messages);
    if (!mail->messages)
        load_stop("no memory");
    for (unsigned i = 0; i < set->count; i++) {
        const struct mail_set_message *from = &set->messages[i];
        struct load_message *to = &mail->messages[i];
        *to = (struct load_message){.text = from->text,
                                    .bytes = from->bytes,
                                    .header_bytes = from->header_bytes,
                                    .domain = from->domain,
                                    .kind = LOAD_SIGNED};
        snprintf(to->mail_from, sizeof to->mail_from, "%s", from->mail_from);
        mail->bytes += to->bytes;
        mail->header_bytes += to->header_bytes;
    }
}

static double quantile_us(const struct load_figures *f, double share)
{
    return (double)histogram_quantile(&f->latency, share) / 1e3;
}

static json_t *own_time(const struct load_own_time *own)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "count", (json_int_t)own->count, "p50",
                     (json_int_t)own->p50_us, "p99", (json_int_t)own->p99_us, "p999",
                     (json_int_t)own->p999_us, "max", (json_int_t)own->max_us);
}

static json_t *figures(const struct load_figures *f, double opendkim_us)
{
    if (!load_is_clean(&f->ledger))
        load_stop("through the socket: %s", f->ledger.complaint);
    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:I,s:f,s:f,s:o}", "engine_us_per_message", f->engine_us,
                     "vs_libopendkim", opendkim_us / f->engine_us, "worker_us", f->worker_us,
                     "front_us", f->front_us, "messages_per_s", f->messages_per_s, "messages",
                     (json_int_t)f->messages, "client_p50_us", quantile_us(f, 0.5), "client_p99_us",
                     quantile_us(f, 0.99), "own_time_us", own_time(&f->own));
}

/* How a measurement differs from the usual: one connection, as fast as it goes. */
struct way
{
    enum load_transport transport;
    double rate;
    unsigned depth;
    double seconds;
};

/*
 * One worker. The generator has a CPU to itself, the daemon's worker and front share another: what
 * is measured is the engine on one core, not how the system moves three threads over two.
 */
static json_t *measure(const struct load_mail *mail, struct way way, double opendkim_us)
{
    static struct load_figures f;
    const char *const arguments[] = {"--workers", "1", NULL};
    struct load_case what = {.mail = mail,
                             .arguments = arguments,
                             .connections = 1,
                             .depth = way.depth,
                             .transport = way.transport,
                             .ring_bytes = way.transport == LOAD_RING ? 4 << 20 : 0,
                             .apart = true,
                             .rate = way.rate,
                             .warm_up = 0.3,
                             .seconds = way.seconds};
    load_measure(&what, &f);
    json_t *json = figures(&f, opendkim_us);
    json_object_set_new(json, "placement",
                        json_string(f.was_apart
                                        ? "generator on one CPU, worker and front on another"
                                        : "generator, worker and front share all CPUs"));
    return json;
}

static double number(const json_t *json, const char *key)
{
    return json_number_value(json_object_get(json, key));
}

static double own(const json_t *json, const char *key)
{
    return number(json_object_get(json, "own_time_us"), key);
}

/* At 70 % of what it can do, and a lone message at a time on an engine that is idle otherwise. */
static void put_own_times(json_t *best, const struct load_mail *mail, enum load_transport transport,
                          const struct quick_peers *peers)
{
    double rate = 0.7 * number(best, "messages_per_s");
    json_t *loaded = measure(mail, (struct way){transport, rate, 0, 1.5}, peers->opendkim_us);
    json_t *lone = measure(mail, (struct way){transport, 0, 1, 0.7}, peers->opendkim_us);
    json_object_set_new(best, "own_p50_us", json_real(own(loaded, "p50")));
    json_object_set_new(best, "own_p99_us", json_real(own(loaded, "p99")));
    json_object_set_new(best, "lone_own_p50_us", json_real(own(lone, "p50")));
    json_object_set_new(best, "lone_own_p99_us", json_real(own(lone, "p99")));
    json_object_set_new(best, "lone_vs_single", json_real(own(lone, "p50") / peers->single_us));
    json_object_set_new(best, "at_70_percent", loaded);
    json_object_set_new(best, "lone", lone);
}

json_t *quick_socket(const struct quick_options *options, const struct quick_peers *peers)
{
    struct mail_set set;
    struct load_mail mail;
    mail_set_make(&set, mail_set_find("10k"), options->keys);
    as_load(&set, &mail);
    buffer_init(&mail.zone, ZONE_MAX);
    mail_set_zone(&mail.zone, options->keys);
    json_t *stream = measure(&mail, (struct way){LOAD_STREAM, 0, 0, 1.2}, peers->opendkim_us);
    json_t *ring = measure(&mail, (struct way){LOAD_RING, 0, 0, 1.2}, peers->opendkim_us);
    bool ring_is_best =
        number(ring, "engine_us_per_message") < number(stream, "engine_us_per_message");
    json_t *best = json_copy(ring_is_best ? ring : stream);
    json_object_set_new(best, "transport", json_string(ring_is_best ? "ring" : "stream"));
    json_object_set_new(best, "stream", stream);
    json_object_set_new(best, "ring", ring);
    put_own_times(best, &mail, ring_is_best ? LOAD_RING : LOAD_STREAM, peers);
    free(mail.messages);
    buffer_fini(&mail.zone);
    mail_set_free(&set);
    return best;
}

json_t *full_load(const struct quick_options *options, double capacity)
{
    static const double shares[] = {0.1, 0.3, 0.5, 0.7, 0.9};
    struct mail_set set;
    struct load_mail mail;
    json_t *all = json_array();
    mail_set_make(&set, mail_set_find("10k"), options->keys);
    as_load(&set, &mail);
    buffer_init(&mail.zone, ZONE_MAX);
    mail_set_zone(&mail.zone, options->keys);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        json_t *at = measure(&mail, (struct way){LOAD_STREAM, shares[i] * capacity, 0, 1.2}, 0);
        json_object_set_new(at, "load", json_real(shares[i]));
        json_array_append_new(all, at);
    }
    free(mail.messages);
    buffer_fini(&mail.zone);
    mail_set_free(&set);
    return all;
}
