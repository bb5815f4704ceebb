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

static json_t *figures(const struct load_figures *f, double opendkim_us)
{
    if (!load_is_clean(&f->ledger))
        load_stop("through the socket: %s", f->ledger.complaint);
    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:I,s:f,s:f}", "engine_us_per_message", f->engine_us,
                     "vs_libopendkim", opendkim_us / f->engine_us, "worker_us", f->worker_us,
                     "front_us", f->front_us, "messages_per_s", f->messages_per_s, "messages",
                     (json_int_t)f->messages, "client_p50_us", quantile_us(f, 0.5), "client_p99_us",
                     quantile_us(f, 0.99));
}

static json_t *measure(const struct load_mail *mail, enum load_transport transport, double rate,
                       double opendkim_us)
{
    static struct load_figures f;
    const char *const arguments[] = {"--workers", "1", NULL};
    struct load_case what = {.mail = mail,
                             .arguments = arguments,
                             .connections = 1,
                             .transport = transport,
                             .ring_bytes = transport == LOAD_RING ? 4 << 20 : 0,
                             .rate = rate,
                             .warm_up = 0.3,
                             .seconds = 1.2};
    load_measure(&what, &f);
    return figures(&f, opendkim_us);
}

static double number(const json_t *json, const char *key)
{
    return json_number_value(json_object_get(json, key));
}

json_t *quick_socket(const struct quick_options *options, double opendkim_us)
{
    struct mail_set set;
    struct load_mail mail;
    mail_set_make(&set, mail_set_find("10k"), options->keys);
    as_load(&set, &mail);
    buffer_init(&mail.zone, ZONE_MAX);
    mail_set_zone(&mail.zone, options->keys);
    json_t *stream = measure(&mail, LOAD_STREAM, 0, opendkim_us);
    json_t *ring = measure(&mail, LOAD_RING, 0, opendkim_us);
    bool ring_is_best =
        number(ring, "engine_us_per_message") < number(stream, "engine_us_per_message");
    json_t *best = json_copy(ring_is_best ? ring : stream);
    json_object_set_new(best, "transport", json_string(ring_is_best ? "ring" : "stream"));
    json_object_set_new(best, "stream", stream);
    json_object_set_new(best, "ring", ring);
    double rate = 0.7 * number(best, "messages_per_s");
    json_t *loaded = measure(&mail, ring_is_best ? LOAD_RING : LOAD_STREAM, rate, opendkim_us);
    json_object_set_new(best, "at_70_percent", loaded);
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
        json_t *at = measure(&mail, LOAD_STREAM, shares[i] * capacity, 0);
        json_object_set_new(at, "load", json_real(shares[i]));
        json_array_append_new(all, at);
    }
    free(mail.messages);
    buffer_fini(&mail.zone);
    mail_set_free(&set);
    return all;
}
