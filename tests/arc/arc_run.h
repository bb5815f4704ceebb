/* Runs the ARC judge over a message as text, with a zone file for DNS: no network. */
#ifndef ARC_ARC_RUN_H
#define ARC_ARC_RUN_H

#include "arc/arc.h"
#include "dns/source.h"

struct arc_run
{
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_reader reader;
    struct body_hasher hasher;
    struct dns_answers answers;
    struct buffer scratch;
    struct verify_list list;
    struct arc_judgement arc;
};

enum
{
    ARC_RUN_NOW = 1600000000,
};

/* All four steps. `options` NULL: nobody is trusted, now is ARC_RUN_NOW. */
void arc_run(struct arc_run *run, struct span message, struct span zone,
             const struct arc_options *options);
void arc_run_fini(struct arc_run *run);

/* Fails the test, with `name`, unless result and reason are these. */
void arc_expect(const char *name, const struct arc_run *run, enum result result,
                const char *reason);

#endif
