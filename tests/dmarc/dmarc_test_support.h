/* What the suites of the dmarc module share: one message over a zone file, and its judgement. */
#ifndef TESTS_DMARC_SUPPORT_H
#define TESTS_DMARC_SUPPORT_H

#include <criterion/criterion.h>

#include "dmarc/dmarc.h"
#include "dns/source.h"

/* One message: where its answers come from, and how many runs a judge took. */
struct scene
{
    struct arena arena;
    struct limit_hits hits;
    struct dns_answers answers;
    struct dns_source *source;
    struct dmarc_context context;
    unsigned runs;
    uint32_t spared; /* questions that a second message of the newest judgement was spared */
};

void scene_init(struct scene *scene, const char *zone);
void scene_fini(struct scene *scene);
/* Answers what was noted. */
void scene_resolve(struct scene *scene);

/* "" is a cleared name. */
struct dns_name name_of(const char *text);
/* Static storage, a few calls deep; "" for a cleared name. */
const char *text_of(const struct dns_name *name);

void scene_walk(struct scene *scene, const char *start, struct dmarc_walk *walk);
void scene_discover(struct scene *scene, const char *author, const struct dmarc_options *options,
                    struct dmarc_discovery *discovery);

/* A message in short: names separated by blanks; NULL for none. */
struct message
{
    const char *from; /* author domains as written; "[192.0.2.1]" is a literal */
    const char *dkim; /* d= of passing signatures */
    const char *spf;  /* passing SPF domain */
    const char *dkim_temperror;
    const char *spf_temperror;
};

/* A message that takes the discovery of another one is judged the same: both look. */
void scene_judge(struct scene *scene, const struct message *message,
                 const struct dmarc_options *options, struct dmarc_judgement *judgement);
/* As scene_judge, with a From that the test made itself. */
void scene_judge_from(struct scene *scene, const struct mail_from *from,
                      const struct dmarc_identifiers *identifiers,
                      const struct dmarc_options *options, struct dmarc_judgement *judgement);
void from_of(const char *domains, struct mail_from *from);

/* Was this question ever noted? */
bool scene_asked(const struct scene *scene, const char *name, enum dns_type type);

static inline bool same_word(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const struct dmarc_options default_options = {.mode = DMARC_TREE_WALK};

#endif
