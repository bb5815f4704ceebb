/*
 * SPF records: the whole text is validated before anything is evaluated (RFC 7208 4.6, SP-9).
 *
 * A record that is parsed for one message holds no list of terms: directives are read off the
 * validated text one by one when they are evaluated, so it needs no memory. One that is kept for
 * many messages is compiled, that is, it has the list, and evaluation parses nothing.
 */
#ifndef SPF_RECORD_H
#define SPF_RECORD_H

#include "base/attributes.h"
#include "base/ip.h"
#include "base/limit.h"
#include "dns/answer.h"

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

/* The name that a domain-spec without macros stands for, so that nothing is to be expanded. */
struct spf_literal
{
    const uint8_t *wire; /* as in struct dns_name; NULL: expand the domain-spec */
    uint8_t length, labels;
};

/* A directive: qualifier and mechanism. Spans are parts of the record's text (borrowed). */
struct spf_term
{
    enum spf_mechanism mechanism;
    char qualifier;             /* '+' '-' '~' '?'; '+' where none was written */
    struct span text;           /* as published: "-include:b.example" */
    struct span domain_spec;    /* may hold macros; empty where absent */
    struct spf_literal literal; /* of a compiled record, and not of all of its terms */
    struct ip network;          /* ip4, ip6 */
    uint8_t prefix4;            /* a, mx, ip4: 0 to 32 */
    uint8_t prefix6;            /* a, mx, ip6: 0 to 128 */
};

/* Spans are parts of the text (borrowed). */
struct spf_record
{
    struct span text;
    uint32_t count;            /* directives */
    struct span redirect;      /* domain-spec; empty where absent. Ignored where has_all (SP-12) */
    struct span redirect_text; /* as published: "redirect=b.example" */
    struct span exp;           /* domain-spec; empty where absent */
    bool has_all;
    const struct spf_term *terms; /* of a compiled record: the directives; NULL else */
};

struct spf_syntax_error
{
    const char *reason; /* static word: "unknown_mechanism", "bad_domain_spec", "bad_prefix" ... */
    uint32_t at;        /* offset of the term in the text, for carets */
};

/* True when `text` begins "v=spf1" and then ends or goes on with SP (SP-7). */
bool spf_is_record(struct span text);

/*
 * Validates all of `text`. Spans of *record point into it, so it must live as long. False, *record
 * untouched and *error set: a syntax error, or over MAX_SPF_RECORD_BYTES or MAX_SPF_TERMS.
 */
bool spf_record_parse(struct span text, struct limit_hits *hits, struct spf_record *record,
                      struct spf_syntax_error *error) MUST_CHECK;

/*
 * The next directive of a parsed record; *at is 0 before the first and belongs to this function.
 * False at the end. Modifiers are passed over: they stand in the record.
 */
bool spf_record_next(const struct spf_record *record, size_t *at, struct spf_term *term) MUST_CHECK;

/* The SPF record of an answer (SP-7). */
struct spf_found
{
    uint32_t count;           /* records: 0, 1, or 2 for several */
    struct spf_record record; /* of one; its text is there also where it does not parse */
    const char *reason;       /* of one: NULL, or why it does not parse */
    uint8_t over;             /* a limit it is over, see limit_over() */
};

/* What spf_prepare found, or else looks now; spans point into the answer. */
void spf_answer_read(const struct dns_answer *answer, struct limit_hits *hits,
                     struct spf_found *found);

/* The same kept for many messages (design idea 4), the record compiled. */
struct spf_prepared
{
    struct dns_prepared base;
    struct spf_found found;
};

/* In `arena`, the answer's own; NULL where there is no SPF record, and without memory. */
const struct dns_prepared *spf_prepare(const struct dns_answer *answer,
                                       struct arena *arena) MUST_CHECK;

#endif
