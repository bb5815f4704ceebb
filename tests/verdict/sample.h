/* A verdict built by hand, with storage for all it points at: a good message by a.example. */
#ifndef VERDICT_SAMPLE_H
#define VERDICT_SAMPLE_H

#include "verdict/verdict.h"

struct sample
{
    struct verdict verdict;
    struct mail_path path;
    struct spf_judgement spf;
    struct dkim_judgement dkim;
    struct dkim_verified verified[MAX_SIGNATURES_PARSED];
    struct arc_judgement arc;
    struct arc_set sets[MAX_ARC_SETS];
    struct dmarc_judgement dmarc;
    struct dmarc_record record;
    bool alignment[MAX_SIGNATURES_PARSED];
    struct mail_from from;
    struct mail_address addresses[1];
    struct mail_anomalies anomalies;
    struct dns_question questions[2];
    struct dns_answers answers;
    struct limit_hits hits;
};

struct dns_name sample_name(const char *text);
/* The next signature: passes, by a.example, selector s1. Returns it to be changed. */
struct dkim_verified *sample_sign(struct sample *sample, const char *b);
/* ARC sets with passing seals up to `count`. */
void sample_seal(struct sample *sample, uint32_t count);
/* Everything passes, one signature, no ARC. New storage, freed by the process's end. */
struct sample *sample_new(void);

#endif
