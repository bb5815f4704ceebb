/*
 * SPF records compiled: the whole text is validated before anything is evaluated (RFC 7208 4.6,
 * SP-9). A compiled record depends on the text alone, so a cache may share it between messages and
 * threads.
 */
#ifndef SPF_RECORD_H
#define SPF_RECORD_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/limit.h"

enum spf_mechanism
{
    SPF_ALL = 1,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
};

struct spf_term
{
    enum spf_mechanism mechanism;
    char qualifier;          /* '+' '-' '~' '?' */
    struct span text;        /* in the record's text: "include:b.example", for the verdict */
    struct span domain_spec; /* may hold macros; empty where absent */
    struct ip network;       /* ip4, ip6 */
    uint8_t prefix4;         /* a, mx, ip4: 0 to 32 */
    uint8_t prefix6;         /* a, mx, ip6: 0 to 128 */
};

struct spf_record
{
    struct span text;
    const struct spf_term *terms; /* mechanisms in order */
    uint32_t count;
    struct span redirect; /* domain-spec; empty where absent. Ignored where has_all (SP-12) */
    struct span exp;      /* domain-spec; empty where absent */
    bool has_all;
};

struct spf_syntax_error
{
    const char *reason; /* static word: "unknown_mechanism", "bad_domain_spec", "bad_prefix" ... */
    uint32_t at;        /* offset in the text, for carets */
};

/* True when `text` begins "v=spf1" and then ends or goes on with SP (SP-7). */
bool spf_is_record(struct span text);
/* Compiles; spans point into `text`, which must live as long. False and *error on a syntax error.
 */
bool spf_record_parse(struct span text, struct arena *arena, struct limit_hits *hits,
                      struct spf_record *record, struct spf_syntax_error *error) MUST_CHECK;

#endif
