/*
 * The SPF judge: check_host() of RFC 7208 for the MAIL FROM and the HELO identity (SP-1 to SP-40).
 * Pure: runs from the start each time, so limits are counted inside and a rerun counts the same.
 */
#ifndef SPF_SPF_H
#define SPF_SPF_H

#include "base/result.h"
#include "dns/answer.h"
#include "mail/address.h"
#include "spf/record.h"

enum spf_scope
{
    SPF_SCOPE_NONE = 0, /* no identity to check */
    SPF_SCOPE_MFROM,
    SPF_SCOPE_HELO, /* the HELO identity, or postmaster@HELO for the null reverse-path (SP-2) */
};

struct spf_request
{
    struct ip client;
    struct span helo;             /* as received; may be empty */
    const struct mail_path *path; /* MAIL FROM; kind ABSENT: only HELO is checked */
    struct span receiver;         /* %{r} in explanations; "unknown" where empty */
    int64_t now;                  /* %{t} */
    uint32_t void_limit;          /* MAX_SPF_VOID_LOOKUPS by default */
    bool want_explanation; /* fetch exp= on fail (E13); the command line asks, the daemon may not */
};

/* One check_host(). */
struct spf_check
{
    enum result result;
    const char *reason; /* static word for anything but a match: "no_record", "no_match",
                           "too_many_lookups", "dns_timeout", a word of spf_record_parse or of
                           dns_name_error_word ...; NULL */
    enum spf_scope scope;
    struct span domain_text; /* borrowed: as given */
    struct span mechanism;   /* borrowed from the answer: the term of the record of `domain` itself
                                that decided, or where an error ended the evaluation, as published
                                with its qualifier: "include:b.example", "-all"; the whole
                                "redirect=b.example" where the decision fell in its target. Empty
                                where nothing matched */
    struct span path;        /* arena: the way there through includes and redirects, beginning with
                                `mechanism`: "include:b.example ip4:192.0.2.0/24"; empty */
    int prefix;              /* length of the matching network, -1 where it does not apply (E10) */
    struct span explanation; /* arena: a third party's text, printable ASCII, at most
                                MAX_SPF_EXPLANATION_BYTES; empty (E13) */
    uint32_t lookups;        /* terms that caused queries, at most MAX_SPF_LOOKUPS */
    uint32_t voids;          /* terms whose queries found nothing (SP-25, see spf/mechanism.c) */
    struct span record;      /* borrowed from the answer: text of the record of `domain`; empty */
    bool uses_local_part;    /* a directive that was evaluated used s, l, o or h (SP-36, AR-11) */
    struct dns_name domain;  /* the identity's domain; cleared where it is unusable. Last: its bytes
                                behind the length are not set */
};

struct spf_judgement
{
    struct spf_check
        checked; /* the verdict: MAIL FROM, or HELO where there is no usable MAIL FROM identity */
    struct spf_check
        helo; /* the HELO identity checked besides; result RESULT_UNSET where it was not */
    bool mail_from_malformed; /* A02: `checked` is none, and no SPF identifier for DMARC */
    uint32_t spared; /* questions that were not asked since other messages' results were taken */
};

/* Nothing judged. What is not set in it is not to be read. */
void spf_judgement_init(struct spf_judgement *judgement);

/*
 * Both checks run side by side: questions of both are noted before JUDGE_WAITING is returned.
 * *judgement is good after JUDGE_DONE only; `hits` are counted then, so a rerun counts once.
 */
enum judge spf_judge(const struct spf_request *request, struct dns_answers *answers,
                     struct arena *arena, struct limit_hits *hits,
                     struct spf_judgement *judgement) MUST_CHECK;

/*
 * Copies into `arena` what a finished judgement borrows from answers, for when it outlives them.
 * Without memory its results become temperror "no_memory".
 */
void spf_judgement_keep(struct spf_judgement *judgement, struct arena *arena);

const char *spf_scope_word(enum spf_scope scope); /* "mfrom", "helo", "none" */

#endif
