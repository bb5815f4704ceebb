/*
 * The only door to libunbound: its event API on a libevent base of the caller's.
 *
 * libunbound forwards to the site's resolver and does no more: no validator (F01, F02: its faults
 * are unfixed in Debian 12, and the site's resolver validates), no QNAME minimisation, no answers
 * from built-in zones, no threshold that could make it abort (F14). Its caches are small; they save
 * what one message or one archive asks twice. Under the shared cache they are not used at all
 * (forward-no-cache), since a refresh would only bring back what they hold.
 *
 * Names go in as text made from our wire form with every odd byte escaped, and the reply must carry
 * our question byte for byte (A03, E06, F06), so a name that the library read differently is an
 * error and not an answer for another name.
 *
 * BUGS: the age of an answer from libunbound's cache is not known and is given as 0; its TTL has
 * been counted down. A cancelled query goes on inside the library until the library gives up.
 */
#include "dns/unbound.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <unbound-event.h>
#include <unbound.h>

#include "base/buffer.h"
#include "base/number.h"
#include "dns/packet.h"

enum
{
    SCRATCH_BYTES = 512 * 1024, /* parsing one reply: its texts, and 64 records */
    RESOLVERS_MAX = 3,          /* MAXNS of resolv.conf(5) */
    ADDRESS_MAX = 64,           /* "ADDR@PORT" */
};

/*
 * Options for ub_ctx_set_option, set before the context is first used.
 *
 * infra: the library measures servers and gives up on one that does not answer. Here that server is
 * the site's resolver, which is silent for as long as a slow zone takes it: it is not asked again
 * too soon (after 0.8, 1.6, 3.2 s), and slow zones cannot add up to "down" for all mail (F12),
 * since the measures are forgotten before that. With three retries a question that nobody answers
 * leaves the library after about 11 s; with the default of five it kept its socket for half a
 * minute.
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
    {"outgoing-num-tcp:", "32"},
    {"msg-cache-size:", "1m"},
    {"rrset-cache-size:", "2m"},
    {"key-cache-size:", "64k"},
    {"neg-cache-size:", "64k"},
    {"infra-cache-min-rtt:", "800"},
    {"infra-host-ttl:", "10"},
    {"outbound-msg-retry:", "3"},
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

struct unbound
{
    struct ub_ctx *ctx;
    struct unbound_query *asking; /* inside ub_resolve_event, and not answered yet */
    struct arena scratch;
};

/* The resolvers to forward to. */
struct forwards
{
    char addresses[RESOLVERS_MAX][ADDRESS_MAX];
    unsigned count;
};

/* --- questions --- */

static void answer_query(struct unbound_query *query, const struct dns_answer *answer)
{
    struct unbound *unbound = query->owner;
    if (unbound->asking == query)
        unbound->asking = NULL;
    query->answered(query, answer);
}

static void answer_tempfail(struct unbound_query *query, const char *reason)
{
    const struct dns_answer answer = {.outcome = DNS_TEMPFAIL, .reason = reason};
    answer_query(query, &answer);
}

/* libunbound's word on a question. `packet` is the library's and ends with this call. */
static void on_reply(void *arg, int rcode, void *packet, int packet_length, int security,
                     char *why_bogus, int was_ratelimited)
{
    enum
    {
        SECURITY_BOGUS = 1
    };
    struct unbound_query *query = arg;
    struct unbound *unbound = query->owner;
    struct dns_answer answer;
    (void)why_bogus;
    (void)was_ratelimited;
    if (rcode != 0 || !packet || packet_length < 0) {
        answer_tempfail(query, dns_rcode_reason((unsigned)rcode));
        return;
    }
    /* Future proofing: without a validator nothing is ever bogus. */
    if (security == SECURITY_BOGUS) {
        answer_tempfail(query, "bogus");
        return;
    }
    dns_packet_read(span_of(packet, (size_t)packet_length), &query->name, query->type,
                    &unbound->scratch, &answer);
    answer_query(query, &answer);
    arena_reset(&unbound->scratch);
}

void unbound_ask(struct unbound *unbound, struct unbound_query *query)
{
    char text[DNS_NAME_TEXT_MAX];
    int async_id = 0;
    query->owner = unbound;
    unbound->asking = query;
    dns_name_text(&query->name, text);
    int error =
        ub_resolve_event(unbound->ctx, text, (int)query->type, 1, query, on_reply, &async_id);
    if (!unbound->asking)
        return; /* answered already: the query may be gone */
    unbound->asking = NULL;
    query->async_id = async_id;
    if (error)
        answer_tempfail(query, "resolver_error");
}

void unbound_cancel(struct unbound_query *query)
{
    ub_cancel(query->owner->ctx, query->async_id);
}

/* --- whom to ask --- */

/* ADDR [ "@" PORT ], as the library wants it, too; checked here so that the error is ours. */
static bool forwards_add(struct forwards *forwards, const char *resolver, struct dns_error *error)
{
    struct span text = span_from_string(resolver);
    size_t at = span_find(text, '@');
    struct ip ip;
    uint64_t port = 53;
    struct span address = span_slice(text, 0, at);
    if (text.n >= ADDRESS_MAX || (!ip_parse_v4(address, &ip) && !ip_parse_v6(address, &ip))) {
        snprintf(error->text, sizeof error->text,
                 "resolver \"%.100s\": expected an IP address, or ADDRESS@PORT", resolver);
        return false;
    }
    if (at < text.n && (!number_parse(span_skip(text, at + 1), 5, &port) || port - 1 >= 65535)) {
        snprintf(error->text, sizeof error->text,
                 "resolver \"%.100s\": expected a port from 1 to 65535 after the @", resolver);
        return false;
    }
    memcpy(forwards->addresses[forwards->count++], resolver, text.n + 1);
    return true;
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
static bool forwards_of_system(struct forwards *forwards, struct dns_error *error)
{
    static const char path[] = "/etc/resolv.conf";
    char line[512];
    FILE *file = fopen(path, "re");
    if (!file && errno != ENOENT) {
        snprintf(error->text, sizeof error->text, "%s: %s", path, strerror(errno));
        return false;
    }
    while (file && forwards->count < RESOLVERS_MAX && fgets(line, sizeof line, file)) {
        const char *address = nameserver_of(line);
        /* An address that the library cannot use (a zone id of its own) is passed over. */
        if (address && !forwards_add(forwards, address, error))
            continue;
    }
    if (file)
        fclose(file);
    return forwards->count > 0 || forwards_add(forwards, "127.0.0.1", error);
}

/* False: *error is set where the status says so. */
static bool worked(int status, const char *what, struct dns_error *error)
{
    if (status)
        snprintf(error->text, sizeof error->text, "libunbound %s: %s: %s", ub_version(), what,
                 ub_strerror(status));
    return status == 0;
}

static bool forward_by_call(struct unbound *unbound, const struct forwards *forwards,
                            struct dns_error *error)
{
    for (unsigned i = 0; i < forwards->count; i++)
        if (!worked(ub_ctx_set_fwd(unbound->ctx, forwards->addresses[i]), forwards->addresses[i],
                    error))
            return false;
    return true;
}

/* There is no call for forward-no-cache: it is read from a file, which is one in memory. */
static bool forward_without_cache(struct unbound *unbound, const struct forwards *forwards,
                                  struct dns_error *error)
{
    char path[32];
    int fd = memfd_create("assay-forward", MFD_CLOEXEC);
    if (fd < 0) {
        snprintf(error->text, sizeof error->text, "libunbound: memfd_create: %s", strerror(errno));
        return false;
    }
    dprintf(fd, "forward-zone:\n name: \".\"\n forward-no-cache: yes\n");
    for (unsigned i = 0; i < forwards->count; i++)
        dprintf(fd, " forward-addr: %s\n", forwards->addresses[i]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int status = ub_ctx_config(unbound->ctx, path);
    close(fd);
    return worked(status, path, error);
}

static bool set_forwards(struct unbound *unbound, const struct unbound_config *config,
                         struct dns_error *error)
{
    struct forwards forwards = {.count = 0};
    bool found = config->resolver ? forwards_add(&forwards, config->resolver, error)
                                  : forwards_of_system(&forwards, error);
    if (!found)
        return false;
    return config->keeps_answers ? forward_by_call(unbound, &forwards, error)
                                 : forward_without_cache(unbound, &forwards, error);
}

/* --- the context --- */

static bool set_option(struct unbound *unbound, const char *name, const char *value,
                       struct dns_error *error)
{
    return worked(ub_ctx_set_option(unbound->ctx, name, value), name, error);
}

static bool set_number(struct unbound *unbound, const char *name, unsigned value,
                       struct dns_error *error)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    return set_option(unbound, name, text, error);
}

static bool set_options(struct unbound *unbound, const struct unbound_config *config,
                        struct dns_error *error)
{
    for (size_t i = 0; i < COUNT_OF(options); i++)
        if (!set_option(unbound, options[i].name, options[i].value, error))
            return false;
    /* F13; the library's default for both is too small */
    return set_number(unbound, "outgoing-range:", config->sockets, error) &&
           set_number(unbound, "num-queries-per-thread:", config->at_once, error);
}

static void on_first_reply(void *arg, int rcode, void *packet, int packet_length, int security,
                           char *why_bogus, int was_ratelimited)
{
    bool *answered = arg;
    (void)rcode, (void)packet, (void)packet_length, (void)security, (void)why_bogus;
    (void)was_ratelimited;
    *answered = true;
}

/*
 * The library sets up the rest of a context with the first question. It shall not do that on
 * several threads at once (F13), so the first one is asked here: for a name that it answers by
 * itself, as long as its built-in zones are there. Ends the setting of options.
 */
static bool ask_first(struct unbound *unbound, struct dns_error *error)
{
    bool answered = false;
    int async_id = 0;
    int status = ub_resolve_event(unbound->ctx, "localhost.", DNS_A, 1, &answered, on_first_reply,
                                  &async_id);
    if (!worked(status, "first question", error))
        return false;
    if (!answered)
        ub_cancel(unbound->ctx, async_id);
    return true;
}

static bool remove_builtin_zones(struct unbound *unbound, struct dns_error *error)
{
    for (size_t i = 0; i < COUNT_OF(builtin_zones); i++)
        if (!worked(ub_ctx_zone_remove(unbound->ctx, builtin_zones[i]), builtin_zones[i], error))
            return false;
    return true;
}

struct unbound *unbound_open(const struct unbound_config *config, struct dns_error *error)
{
    struct unbound *unbound = calloc(1, sizeof *unbound);
    if (unbound)
        unbound->ctx = ub_ctx_create_event(config->base);
    if (!unbound || !unbound->ctx) {
        snprintf(error->text, sizeof error->text, "libunbound: no context: %s", strerror(errno));
        free(unbound);
        return NULL;
    }
    arena_init(&unbound->scratch, SCRATCH_BYTES);
    if (set_options(unbound, config, error) && set_forwards(unbound, config, error) &&
        ask_first(unbound, error) && remove_builtin_zones(unbound, error))
        return unbound;
    unbound_close(&unbound);
    return NULL;
}

void unbound_close(struct unbound **unbound)
{
    if (!*unbound)
        return;
    ub_ctx_delete((*unbound)->ctx);
    arena_fini(&(*unbound)->scratch);
    free(*unbound);
    *unbound = NULL;
}
