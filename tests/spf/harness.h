/* Runs the SPF judge against a source of answers, as a driver would. */
#ifndef SPF_HARNESS_H
#define SPF_HARNESS_H

#include "dns/source.h"
#include "spf/spf.h"

/* A judgement with the memory that it points into. */
struct spf_trial
{
    struct spf_judgement judgement;
    struct arena arena;
    struct limit_hits hits;
    struct dns_answers answers;
    uint32_t rounds; /* times that the judge had to wait */
    uint32_t spared; /* questions that a second message was spared (SP-36) */
};

/* Judges until it is done. A rerun with all answers at hand must say and count the same (R3), and
 * so must a message that takes the results of another one (SP-36). */
void spf_trial_run(struct spf_trial *trial, const struct spf_request *request,
                   struct dns_source *source);
void spf_trial_end(struct spf_trial *trial);

/* A zone file's text as a source; fails the test on a bad line. */
struct dns_source *spf_zone(const char *text);

/* A request for `ip`, `helo` and MAIL FROM "local@domain" ("" or "<>": the null reverse-path, NULL:
 * none), split at the last "@". Static storage, good until the next call. */
const struct spf_request *spf_request_of(const char *ip, struct span helo, struct span mail_from);
const struct spf_request *spf_request_text(const char *ip, const char *helo, const char *mail_from);

#endif
