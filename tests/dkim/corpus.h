/* What the tests over corpora share: judging a file, comparing, listed deviations. */
#ifndef DKIM_CORPUS_H
#define DKIM_CORPUS_H

#include "dkim/judging.h"
#include "support/corpora.h"

struct corpus
{
    const char *name;
    struct span zone;
    struct dkim_options options;
    size_t cases, passed, deviating;
};

void corpus_open(struct corpus *corpus, const char *name, int64_t now, struct span zone);
/* All results of a message, "-" where it has no signature: "pass,fail body_hash". */
struct span corpus_judge(const struct corpus *corpus, const char *path);
/* `as_expected`: what we say is what the source expects. A listed case must deviate as listed. */
void corpus_settle(struct corpus *corpus, struct span name, struct span expected, struct span ours,
                   bool as_expected);
void corpus_close(struct corpus *corpus);

/* folder/name; static storage. */
const char *joined(const char *folder, struct span name);
/* keys.tsv: name, TXT, value. */
void zone_from_keys(struct buffer *zone, const char *path);
bool contains(struct span text, const char *word);

#endif
