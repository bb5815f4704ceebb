/*
 * A whole domain: its SPF records as a tree, its DKIM keys, its DMARC policy with the way there and
 * the addresses that reports go to.
 */
#ifndef LINT_DOMAIN_H
#define LINT_DOMAIN_H

#include "base/result.h"
#include "dkim/key_record.h"
#include "lint/lint.h"

struct lint_request
{
    struct dns_name domain;
    bool spf, dmarc;
    const struct dns_name *keys; /* borrowed: SELECTOR._domainkey.DOMAIN, LINT_KEYS_MAX at most */
    uint32_t key_count;
    const struct dmarc_options *dmarc_options; /* borrowed */
    uint32_t void_limit;                       /* MAX_SPF_VOID_LOOKUPS by default */
};

/*
 * One term of the tree that asks the DNS, in the order of evaluation; row 0 is the domain itself.
 * Its rows below follow it with a larger depth.
 */
struct lint_spf_row
{
    unsigned depth;
    struct span text;        /* as published: "include:b.example"; empty in row 0 */
    struct dns_name target;  /* cleared where only a message can tell (macros) */
    const char *state;       /* static: "ok"; "macro": depends on the message; "void", "no_record",
                                "several_records", "bad_record", "dns_failure", "loop", "bad_target",
                                "too_many_mx_names", "too_deep" */
    uint32_t lookups;        /* this term and what is below it */
    uint32_t voids4, voids6; /* terms that find nothing for IPv4 and for IPv6 clients, likewise */
    struct span record;      /* row 0, include, redirect: the record; empty where there is none */
};

struct lint_key
{
    struct dns_name name;
    enum dns_outcome outcome;
    uint32_t records; /* TXT records at the name */
    struct span text; /* the one that counts: the first that looks like a key; empty: none */
    enum key_type type;
    unsigned bits;      /* 0: not known */
    const char *reason; /* static: why it cannot be used; NULL */
};

/* A report address outside of the domain's own Organizational Domain, or inside of it. */
struct lint_destination
{
    struct span uri;      /* part of the record */
    struct span host;     /* likewise */
    bool ruf;             /* of ruf=, else of rua= */
    bool external;        /* asked the destination */
    struct dns_name name; /* what was asked; cleared where nothing was */
    enum dmarc_report_verdict verdict;
    const char *reason; /* static, or NULL */
};

/* Spans and pointers are static, in the arena of the run, or in the answers. */
struct lint_report
{
    struct lint_findings findings;
    struct lint_spf_row *rows; /* LINT_SPF_ROWS_MAX of room */
    uint32_t row_count;        /* 0: SPF was not looked at */
    struct lint_key *keys;
    uint32_t key_count;
    bool dmarc; /* it was looked at */
    struct dmarc_discovery discovery;
    struct lint_destination *destinations;
    uint32_t destination_count;
};

/* dns_answers_init with room for LINT_QUESTIONS_MAX questions. */
void lint_answers_init(struct dns_answers *answers, struct arena *arena, struct limit_hits *hits);

/*
 * Fills *report, from the start each time. `arena` is not the one of `answers`, and the caller
 * resets it between two runs. Without memory report->findings.failed is set.
 */
enum judge lint_domain(const struct lint_request *request, struct dns_answers *answers,
                       struct arena *arena, struct lint_report *report) MUST_CHECK;

#endif
