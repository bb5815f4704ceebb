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

/* Shortages; 0 is none. */
struct arc_shortage
{
    size_t arena_bytes;   /* the arena's ceiling */
    size_t scratch_bytes; /* the scratch buffer's */
    uint32_t body_hashes; /* asked for before ARC asks */
};

/* All four steps. `options` NULL: nobody is trusted, now is ARC_RUN_NOW. */
void arc_run(struct arc_run *run, struct span message, struct span zone,
             const struct arc_options *options);
/* The same in want of something. False where arc_begin says so. */
bool arc_run_short(struct arc_run *run, struct span message, struct span zone,
                   const struct arc_options *options, struct arc_shortage shortage);
void arc_run_fini(struct arc_run *run);

/* Fails the test, with `name`, unless result and reason are these. */
void arc_expect(const char *name, const struct arc_run *run, enum result result,
                const char *reason);

#endif
