/*
 * The counts of a run, and how they are told.
 */
#ifndef ASSAY_BULK_SUMMARY_H
#define ASSAY_BULK_SUMMARY_H

#include "bulk_mailbox.h"
#include "bulk_top.h"

enum
{
    SUMMARY_PROTOCOLS = 4,
    SUMMARY_RESULTS = 16, /* results by their low four bits */
    SUMMARY_DISPOSITIONS = 4,
    SUMMARY_TOP = 10,
};

/* What the judge knows about DNS, cache and work. */
struct bulk_figures
{
    bool known;
    bool daemon; /* a daemon's, while the run went on */
    uint64_t workers, cpu_ns, rounds, parked;
    uint64_t questions, shared, queries, answers, empty, nxdomain, failures, timeouts, refused;
    uint64_t lookups, hits, stale, entries, entry_bytes;
};

struct bulk_summary
{
    uint64_t messages, bytes; /* judged */
    uint64_t results[SUMMARY_PROTOCOLS][SUMMARY_RESULTS];
    uint64_t dispositions[SUMMARY_DISPOSITIONS];
    uint64_t anomalies[ANOMALY_COUNT]; /* messages that have it */
    uint64_t limits[LIMIT_COUNT];      /* messages that reached it */
    struct bulk_top failing;           /* author domains of DMARC failures */
    struct reachability reachability;
    uint64_t no_message, unreadable, unjudged, done_before;
    uint64_t milliseconds;
    bool interrupted;
    struct bulk_figures figures;
};

/* From a daemon's answer to `stats`; false where it is none. */
bool bulk_figures_read(struct bulk_figures *figures, struct span json);
/* Takes away what was before, which is used up. */
void bulk_figures_since(struct bulk_figures *figures, struct bulk_figures *before);

void bulk_summary_init(struct bulk_summary *summary);
void bulk_summary_fini(struct bulk_summary *summary);
/* Counts a judged message. */
void bulk_summary_count(struct bulk_summary *summary, const struct bulk_item *item);
/* For people, several lines. */
void bulk_summary_print(const struct bulk_summary *summary, FILE *out);
/* {"summary":{...}} without a newline; `assay help bulk` says where it goes. */
void bulk_summary_json(const struct bulk_summary *summary, struct buffer *out);

#endif
