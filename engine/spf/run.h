/*
 * One check_host() while it runs: the state that its parts share. Internal to engine/spf.
 *
 * Nothing of it outlives a call of the judge. When an answer is missing the run is dropped, and the
 * next call starts a new one that comes as far again with the same counts.
 */
#ifndef SPF_RUN_H
#define SPF_RUN_H

#include "spf/macro.h"
#include "spf/spf.h"

/* A record being evaluated: the identity's own, or one that include or redirect led to. */
struct spf_frame
{
    struct dns_name domain; /* <domain>: what %{d} gives (SP-33) */
    struct spf_record record;
    size_t at;        /* spf_record_next()'s place */
    struct span step; /* text of the term being evaluated; empty before the first */
    char qualifier;   /* of that directive */
    bool redirected;  /* entered by redirect, not by include */
};

static inline void spf_frame_begin(struct spf_frame *frame, const struct dns_name *domain,
                                   bool redirected)
{
    memset(&frame->record, 0, sizeof *frame - offsetof(struct spf_frame, record));
    dns_name_copy(&frame->domain, domain);
    frame->redirected = redirected;
}

struct spf_run
{
    /* set at start */
    const struct spf_request *request;
    struct dns_answers *answers;
    struct arena *arena;
    struct limit_hits *hits;
    struct ip client;              /* never IPv4-mapped (SP-5) */
    struct span local;             /* local part of <sender>, "postmaster" where empty (SP-2) */
    const struct dns_name *sender; /* domain of <sender>: %{o}; the identity's */
    bool local_ascii;              /* SP-35 */
    uint32_t questions_left;       /* DNS questions this run may still ask for */
    bool want_explanation;

    /* counted (SP-24, SP-25) */
    uint32_t lookups;
    uint32_t voids;
    bool uses_local_part;
    int64_t shared_until_ms; /* the earliest of all answers; 0: one that stands for this message
                                alone, a failure, or one that was cut */

    /* what it came to */
    enum result result; /* of the record on top while it is handed down, of the run at the end */
    const char *reason; /* static */
    int prefix;         /* of the network that matched */
    uint32_t way;       /* frames[0..way) lead to the match or the error */
    uint32_t decider;   /* the frame whose directive gave the result: its exp= counts (SP-18) */
    uint32_t explanation_begin; /* explanation[explanation_begin..) is the text */
    uint32_t depth;             /* frames[depth] is evaluated now */

    /* Large, and set as they come to be used: spf_run_begin leaves them as they are. */
    struct spf_frame frames[MAX_SPF_DEPTH + 1];
    uint8_t explanation[MAX_SPF_EXPLANATION_BYTES];
};

/* Clears all but the large arrays; frames[0] is that of `domain`. */
static inline void spf_run_begin(struct spf_run *run, const struct dns_name *domain)
{
    memset(run, 0, offsetof(struct spf_run, frames));
    spf_frame_begin(&run->frames[0], domain, false);
}

/* What a part of an evaluation came to. */
enum spf_step
{
    SPF_WAITING = 0x41, /* an answer is missing */
    SPF_ERROR,          /* run->result and run->reason say which: all ends here (E14) */
    SPF_NO,             /* no match, no such name, nothing there */
    SPF_YES,
};

/* check.c: the whole evaluation of run->frames[0].domain; result and reason are in the run. */
enum judge spf_check_host(struct spf_run *run) MUST_CHECK;
/* Ends the evaluation: sets result, reason and the way; always SPF_ERROR. */
enum spf_step spf_fail(struct spf_run *run, enum result result, const char *reason);
/* The same for a limit: counted, permerror, the limit's word. */
enum spf_step spf_limit(struct spf_run *run, enum limit limit);
/* The same for a DNS_TEMPFAIL: temperror "dns_..." (SP-6, SP-23). */
enum spf_step spf_dns_fail(struct spf_run *run, const struct dns_answer *answer);
/* True for a DNS_TEMPFAIL that is our own limit, not the DNS's fault: it is never "no match". */
bool spf_is_own_limit(const struct dns_answer *answer);
/* dns_lookup() within the run's own budget of questions. */
const struct dns_answer *spf_ask(struct spf_run *run, const struct dns_name *name,
                                 enum dns_type type) MUST_CHECK;
/* A or AAAA, after the client's family (SP-19). */
enum dns_type spf_address_type(const struct spf_run *run);

/* mechanism.c: does the directive match? Anything but include. */
enum spf_step spf_mechanism_match(struct spf_run *run, const struct spf_term *term) MUST_CHECK;

/* target.c: the name that a domain-spec stands for, or <domain> itself where it is empty.
 * `literal`: the term's; NULL: none. SPF_NO: it stands for no name, so the term cannot match. */
enum spf_step spf_target(struct spf_run *run, struct span domain_spec,
                         const struct spf_literal *literal, struct dns_name *target) MUST_CHECK;
/* Where the names of the client's address are: "1.2.0.192.in-addr.arpa". */
void spf_reverse_name(const struct spf_run *run, struct dns_name *name);
/* Expands a checked explanation into out, see spf_macro_expand. SPF_NO: it is not to be shown. */
enum spf_step spf_expand_explanation(struct spf_run *run, struct span text, uint8_t *out,
                                     size_t capacity, struct span *expanded) MUST_CHECK;

/* ptr.c: the names of the client's address, and which of the first ten lead back to it. */
struct spf_ptr
{
    const struct dns_answer *answer; /* of the PTR question */
    uint32_t count;                  /* names looked at */
    uint32_t validated;              /* bit i: records[i].name has the client's address */
};
/* `below`: only names at or below it are validated; NULL: all. SPF_NO: there is no PTR answer. */
enum spf_step spf_ptr_names(struct spf_run *run, const struct dns_name *below,
                            struct spf_ptr *ptr) MUST_CHECK;
/* The name that %{p} stands for (SP-32); SPF_NO: "unknown". */
enum spf_step spf_ptr_best(struct spf_run *run, struct dns_name *name) MUST_CHECK;

/* explanation.c: after a fail, into run->explanation (SP-37). False: an answer is missing. */
bool spf_explain(struct spf_run *run) MUST_CHECK;

#endif
