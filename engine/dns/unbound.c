/*
 * The network source: libunbound's event API on a libevent base of our own. The only door to both.
 *
 * libunbound forwards to the site's resolver and does no more: no validator (F01, F02: its faults
 * are unfixed in Debian 12, and the site's resolver validates), no QNAME minimisation, no answers
 * from built-in zones, no threshold that could make it abort (F14). Its caches are small; they save
 * what one message or one archive asks twice.
 *
 * Names go in as text made from our wire form with every odd byte escaped, and the reply must carry
 * our question byte for byte (A03, E06, F06), so a name that the library read differently is an
 * error and not an answer for another name.
 *
 * A question in flight lives in a slot of the source, never in a message: a callback that comes
 * before ub_resolve_event has returned, or a cancelled query whose reply comes late, finds memory
 * that is ours. Limits: MAX_DNS_AT_ONCE questions in flight, QUESTION_MS for each (F11).
 *
 * BUGS: the age of an answer from libunbound's cache is not known and is given as 0; its TTL has
 * been counted down.
 */
#include "dns/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <event2/event.h>
#include <unbound-event.h>
#include <unbound.h>

#include "base/number.h"
#include "dns/packet.h"

enum
{
    QUESTION_MS = 5000,
    SCRATCH_BYTES = 512 * 1024, /* parsing one reply: its texts, and 64 records */
    RESOLVERS_MAX = 3,          /* MAXNS of resolv.conf(5) */
};

/*
 * Options for ub_ctx_set_option, set before the context is first used.
 *
 * infra: the library measures servers and gives up on one that does not answer. Here that server is
 * the site's resolver, which is silent for as long as a slow zone takes it: it is not asked again
 * too soon (after 0.8, 1.6, 3.2 s), and slow zones cannot add up to "down" for all mail (F12),
 * since the measures are forgotten before that.
 */
/* clang-format off */
static const struct
{
    const char *name;
    const char *value;
} options[] = {
    {"module-config:", "iterator"}, /* F02 */
    {"qname-minimisation:", "no"},
    {"do-not-query-localhost:", "no"},
    {"unblock-lan-zones:", "yes"},
    {"rrset-roundrobin:", "no"}, /* records in the order of the reply: verdicts repeat */
    {"outgoing-range:", "256"},  /* F13; the library's default is 16 */
    {"outgoing-num-tcp:", "32"},
    {"num-queries-per-thread:", "1024"},
    {"msg-cache-size:", "1m"},
    {"rrset-cache-size:", "2m"},
    {"key-cache-size:", "64k"},
    {"neg-cache-size:", "64k"},
    {"infra-cache-min-rtt:", "800"},
    {"infra-host-ttl:", "10"},
};
/* clang-format on */

/*
 * Zones that the library would answer by itself: whether they are special is for the site's
 * resolver to say. Removed by call, since 1.17 does not read "local-zone: NAME nodefault" right.
 */
static const char *const builtin_zones[] = {
    "localhost.",
    "127.in-addr.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
    "home.arpa.",
    "onion.",
    "test.",
    "invalid.",
};

/* One question in flight. */
struct flight
{
    struct unbound *owner;
    struct dns_question *question; /* arena of the message; NULL in a free slot */
    struct dns_answers *answers;   /* borrowed for the call of resolve */
    int64_t deadline_ms;
    int async_id;
};

struct unbound
{
    struct dns_source source; /* first */
    struct event_base *base;
    struct event *timer; /* ends a turn of the loop at the next deadline */
    struct ub_ctx *ctx;
    struct arena scratch;
    struct flight flights[MAX_DNS_AT_ONCE];
    unsigned in_flight;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Frees the slot and gives its question the answer. */
static void land(struct flight *flight, const struct dns_answer *answer)
{
    struct dns_question *question = flight->question;
    flight->question = NULL;
    flight->owner->in_flight--;
    dns_answers_put(flight->answers, question, answer);
}

static void land_tempfail(struct flight *flight, const char *reason)
{
    const struct dns_answer answer = {.outcome = DNS_TEMPFAIL, .reason = reason};
    land(flight, &answer);
}

/* libunbound's word on a question. `packet` is the library's and ends with this call. */
static void on_reply(void *arg, int rcode, void *packet, int packet_length, int security,
                     char *why_bogus, int was_ratelimited)
{
    enum
    {
        SECURITY_BOGUS = 1
    };
    struct flight *flight = arg;
    struct dns_answer answer;
    (void)why_bogus;
    (void)was_ratelimited;
    assert(flight->question);
    if (rcode != 0 || !packet || packet_length < 0) {
        land_tempfail(flight, dns_rcode_reason((unsigned)rcode));
        return;
    }
    /* Future proofing: without a validator nothing is ever bogus. */
    if (security == SECURITY_BOGUS) {
        land_tempfail(flight, "bogus");
        return;
    }
    struct unbound *unbound = flight->owner;
    dns_packet_read(span_of(packet, (size_t)packet_length), &flight->question->name,
                    flight->question->type, &unbound->scratch, &answer);
    land(flight, &answer);
    arena_reset(&unbound->scratch);
}

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    (void)arg;
}

static struct flight *free_slot(struct unbound *unbound)
{
    for (size_t i = 0; i < COUNT_OF(unbound->flights); i++)
        if (!unbound->flights[i].question)
            return &unbound->flights[i];
    return NULL;
}

/* Sends one question. The reply may come before this returns: the slot is then free again. */
static void launch(struct flight *flight)
{
    char text[DNS_NAME_TEXT_MAX];
    int async_id = 0;
    const struct dns_question *question = flight->question;
    dns_name_text(&question->name, text);
    int error = ub_resolve_event(flight->owner->ctx, text, (int)question->type, 1, flight, on_reply,
                                 &async_id);
    if (!flight->question)
        return;
    flight->async_id = async_id;
    if (error)
        land_tempfail(flight, "resolver_error");
}

/*
 * Sends what fits under MAX_DNS_AT_ONCE, from `next` on; returns where to go on. After the deadline
 * nothing is sent: dns_source_resolve answers what is left.
 */
static struct dns_question *launch_all(struct unbound *unbound, struct dns_answers *answers,
                                       struct dns_question *next, int64_t deadline_ms)
{
    int64_t now = now_ms();
    struct flight *flight;
    if (now >= deadline_ms)
        return next;
    for (; next && (flight = free_slot(unbound)); next = next->next) {
        if (next->answer.outcome || next->in_flight)
            continue;
        next->in_flight = true;
        *flight = (struct flight){
            .owner = unbound,
            .question = next,
            .answers = answers,
            .deadline_ms = deadline_ms - now < QUESTION_MS ? deadline_ms : now + QUESTION_MS,
        };
        unbound->in_flight++;
        launch(flight);
    }
    return next;
}

/* Ends the questions whose time is over; a late reply finds them cancelled (F11). */
static void expire(struct unbound *unbound, int64_t now)
{
    for (size_t i = 0; i < COUNT_OF(unbound->flights); i++) {
        struct flight *flight = &unbound->flights[i];
        if (!flight->question || flight->deadline_ms > now)
            continue;
        ub_cancel(unbound->ctx, flight->async_id);
        land_tempfail(flight, "timeout");
    }
}

static int64_t next_deadline(const struct unbound *unbound)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < COUNT_OF(unbound->flights); i++) {
        const struct flight *flight = &unbound->flights[i];
        if (flight->question && flight->deadline_ms < next)
            next = flight->deadline_ms;
    }
    return next;
}

/* Lets the library work until something happened or the next deadline is there. */
static void wait_once(struct unbound *unbound)
{
    int64_t left = next_deadline(unbound) - now_ms();
    if (left <= 0)
        return;
    struct timeval wait = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
    evtimer_add(unbound->timer, &wait);
    event_base_loop(unbound->base, EVLOOP_ONCE);
}

static void unbound_resolve(struct dns_source *source, struct dns_answers *answers,
                            int64_t deadline_ms)
{
    struct unbound *unbound = (struct unbound *)source;
    struct dns_question *next = launch_all(unbound, answers, answers->first, deadline_ms);
    while (unbound->in_flight) {
        wait_once(unbound);
        expire(unbound, now_ms());
        next = launch_all(unbound, answers, next, deadline_ms);
    }
}

static void unbound_free(struct dns_source *source)
{
    struct unbound *unbound = (struct unbound *)source;
    if (unbound->ctx)
        ub_ctx_delete(unbound->ctx);
    if (unbound->timer)
        event_free(unbound->timer);
    if (unbound->base)
        event_base_free(unbound->base);
    arena_fini(&unbound->scratch);
    free(unbound);
}

static const struct dns_source_ops unbound_ops = {.resolve = unbound_resolve, .free = unbound_free};

/* ADDR [ "@" PORT ], as the library wants it, too; checked here so that the error is ours. */
static bool forward_to(struct unbound *unbound, const char *resolver, struct dns_error *error)
{
    struct span text = span_from_string(resolver);
    size_t at = span_find(text, '@');
    struct ip ip;
    uint64_t port = 53;
    struct span address = span_slice(text, 0, at);
    if (!ip_parse_v4(address, &ip) && !ip_parse_v6(address, &ip)) {
        snprintf(error->text, sizeof error->text,
                 "resolver \"%.100s\": expected an IP address, or ADDRESS@PORT", resolver);
        return false;
    }
    if (at < text.n && (!number_parse(span_skip(text, at + 1), 5, &port) || port - 1 >= 65535)) {
        snprintf(error->text, sizeof error->text,
                 "resolver \"%.100s\": expected a port from 1 to 65535 after the @", resolver);
        return false;
    }
    int status = ub_ctx_set_fwd(unbound->ctx, resolver);
    if (status)
        snprintf(error->text, sizeof error->text, "resolver \"%.100s\": %s", resolver,
                 ub_strerror(status));
    return status == 0;
}

/* "nameserver" blank ADDR: the address, or NULL. Ends `line` behind it. */
static const char *nameserver_of(char *line)
{
    static const char keyword[] = "nameserver";
    size_t n = sizeof keyword - 1;
    if (strncmp(line, keyword, n) != 0 || (line[n] != ' ' && line[n] != '\t'))
        return NULL;
    char *address = line + n + strspn(line + n, " \t");
    address[strcspn(address, " \t\r\n#;")] = '\0';
    return *address ? address : NULL;
}

/*
 * The resolvers of resolv.conf(5), at most three as there; none listed means the local one. Not
 * ub_ctx_resolvconf: with an empty file that would ask the root servers.
 */
static bool forward_to_system(struct unbound *unbound, struct dns_error *error)
{
    static const char path[] = "/etc/resolv.conf";
    char line[512];
    unsigned count = 0;
    FILE *file = fopen(path, "re");
    if (!file && errno != ENOENT) {
        snprintf(error->text, sizeof error->text, "%s: %s", path, strerror(errno));
        return false;
    }
    while (file && count < RESOLVERS_MAX && fgets(line, sizeof line, file)) {
        const char *address = nameserver_of(line);
        /* An address that the library cannot use (a zone id of its own) is passed over. */
        count += address && ub_ctx_set_fwd(unbound->ctx, address) == 0;
    }
    if (file)
        fclose(file);
    return count > 0 || forward_to(unbound, "127.0.0.1", error);
}

static bool set_options(struct unbound *unbound, struct dns_error *error)
{
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        int status = ub_ctx_set_option(unbound->ctx, options[i].name, options[i].value);
        if (status) {
            snprintf(error->text, sizeof error->text, "libunbound %s: option %s %s: %s",
                     ub_version(), options[i].name, options[i].value, ub_strerror(status));
            return false;
        }
    }
    return true;
}

/* Ends the setting of options: the context is finalised by it. */
static bool remove_builtin_zones(struct unbound *unbound, struct dns_error *error)
{
    for (size_t i = 0; i < COUNT_OF(builtin_zones); i++) {
        int status = ub_ctx_zone_remove(unbound->ctx, builtin_zones[i]);
        if (status) {
            snprintf(error->text, sizeof error->text, "libunbound %s: zone %s: %s", ub_version(),
                     builtin_zones[i], ub_strerror(status));
            return false;
        }
    }
    return true;
}

static bool create(struct unbound *unbound, struct dns_error *error)
{
    unbound->base = event_base_new();
    unbound->timer = unbound->base ? evtimer_new(unbound->base, on_timer, NULL) : NULL;
    unbound->ctx = unbound->timer ? ub_ctx_create_event(unbound->base) : NULL;
    if (!unbound->ctx)
        snprintf(error->text, sizeof error->text, "libunbound: no context: %s", strerror(errno));
    return unbound->ctx != NULL;
}

struct dns_source *dns_unbound_open(const char *resolver, struct dns_error *error)
{
    struct unbound *unbound = calloc(1, sizeof *unbound);
    if (!unbound) {
        snprintf(error->text, sizeof error->text, "libunbound: out of memory");
        return NULL;
    }
    unbound->source.ops = &unbound_ops;
    arena_init(&unbound->scratch, SCRATCH_BYTES);
    if (create(unbound, error) && set_options(unbound, error) &&
        (resolver ? forward_to(unbound, resolver, error) : forward_to_system(unbound, error)) &&
        remove_builtin_zones(unbound, error))
        return &unbound->source;
    unbound_free(&unbound->source);
    return NULL;
}
