/* The DKIM judge end to end, from a message's text and a zone to results, as a driver runs it. */
#ifndef DKIM_JUDGING_H
#define DKIM_JUDGING_H

#include "dkim/dkim.h"
#include "dns/source.h"

struct judging
{
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_reader reader;
    struct body_hasher hasher;
    struct dns_answers answers;
    struct dkim_judgement judgement;
    struct verify_list list;
    struct buffer scratch;
    unsigned rounds; /* how often the judge waited */
};

/*
 * Judges `message` (CRLF line ends), fed in pieces of `piece` bytes (0: whole), with the answers of
 * `zone` (zone-file text). Release with judging_fini.
 */
void judging_run(struct judging *j, struct span message, size_t piece, struct span zone,
                 const struct dkim_options *options);
/* The same in two halves: everything up to the jobs, then verifying them (or not) and the end. */
void judging_to_jobs(struct judging *j, struct span message, size_t piece, struct span zone,
                     const struct dkim_options *options);
void judging_end(struct judging *j, const struct dkim_options *options);
void judging_fini(struct judging *j);

/* "pass", "fail body_hash", "permerror revoked" ...: result and reason of signature `i`; "(none)"
 * past the end. Static storage, good until the next call. */
const char *judging_word(const struct judging *j, uint32_t i);

/* The bytes as a file reader gives them: LF files get CRLF (mail/line_ends.h). malloc'd. */
struct span with_crlf(struct span file);

#endif
