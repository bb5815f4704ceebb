/*
 * Where answers come from: one interface, two sources (zone file, libunbound). The recorder and the
 * shared cache of assayd stand behind the same interface.
 */
#ifndef DNS_SOURCE_H
#define DNS_SOURCE_H

#include "dns/answer.h"

struct dns_source;

struct dns_error
{
    char text[256]; /* one line for a person, without a final newline: "zone.txt:3:14: expected a
                       TTL, ..." */
};

/*
 * Has every unanswered question of `answers` answered and returns when all of them are, blocking at
 * most until `deadline_ms` (CLOCK_MONOTONIC, milliseconds): questions without an answer by then get
 * DNS_TEMPFAIL "timeout". At most MAX_DNS_AT_ONCE questions of one message are in flight together.
 * One source may be used by one thread at a time.
 */
void dns_source_resolve(struct dns_source *source, struct dns_answers *answers,
                        int64_t deadline_ms);

void dns_source_free(struct dns_source **source);

/*
 * Zone file (dns/zone.c); dns/zone_text.c has the format: absolute names, one record a line,
 * `name [TTL] [IN] TYPE rdata`, and in place of rdata `!servfail`, `!timeout` and other outcomes.
 * Answers at once. Returns NULL and fills *error with "label:line:column: expected ..., found ..."
 * on a bad line, or with the system's word where the file cannot be read. `label` is the file name
 * for messages; `text` is not needed after the call.
 */
struct dns_source *dns_zone_open(const char *path, struct dns_error *error) MUST_CHECK;
struct dns_source *dns_zone_parse(struct span text, const char *label,
                                  struct dns_error *error) MUST_CHECK;

/*
 * libunbound (dns/unbound.c), event API, forwarding to `resolver` ("ADDR" or "ADDR@PORT"), or with
 * NULL to the resolvers of /etc/resolv.conf. No DNSSEC validation in this process (security.md
 * F02). Call it from the main thread before other threads start (F13).
 */
struct dns_source *dns_unbound_open(const char *resolver, struct dns_error *error) MUST_CHECK;

/* Implementations fill this in. */
struct dns_source_ops
{
    void (*resolve)(struct dns_source *, struct dns_answers *, int64_t deadline_ms);
    void (*free)(struct dns_source *);
};

struct dns_source
{
    const struct dns_source_ops *ops;
};

#endif
