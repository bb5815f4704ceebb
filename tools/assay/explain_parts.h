/* What the parts of `assay explain` share while the document is put together. */
#ifndef ASSAY_EXPLAIN_PARTS_H
#define ASSAY_EXPLAIN_PARTS_H

#include "diagnose/received.h"
#include "explain.h"
#include "mail_file.h"

struct explain_hop
{
    const struct mail_field *field;
    struct received received;
};

struct explaining
{
    const struct options *options;
    const struct profile *profile; /* borrowed; NULL: none was asked for */
    const char *path;              /* argv's */
    struct mail_file file;
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_reader reader; /* of our own: before the judges know the envelope */
    struct span body;
    struct explain_hop hops[EXPLAIN_HOPS_MAX]; /* newest first */
    uint32_t hop_count, hops_total;
    int receiving;                 /* index in hops, -1: none */
    struct assay_engine *engine;   /* borrowed */
    struct assay_message *message; /* owned */
    int64_t now;
    json_t *document; /* owned */
    bool failed;      /* no memory for some of it */
};

/* A string of anybody's octets: valid UTF-8, cut to EXPLAIN_TEXT_MAX; null where it is empty. */
json_t *explain_text_json(struct explaining *e, struct span text);
/* The same, unfolded and without blanks at the ends. */
json_t *explain_field_json(struct explaining *e, struct span value);
/* Puts a formatted sentence under `key`; the format must be a constant. */
void explain_sentence(struct explaining *e, json_t *object, const char *key, const char *format,
                      ...) PRINTF_LIKE(4, 5);
void explain_set(struct explaining *e, json_t *object, const char *key, json_t *value);
void explain_append(struct explaining *e, json_t *array, json_t *value);
json_t *explain_word(const char *word); /* NULL: null */
/* Text at a path of keys ("dmarc.policy"), or "". */
const char *explain_at(const json_t *object, const char *path);
const json_t *explain_member(const json_t *object, const char *path);

/* The parts, in their order; each adds its keys to e->document. */
void explain_hops_read(struct explaining *e);
void explain_envelope(struct explaining *e, struct assay_envelope *envelope);
void explain_message(struct explaining *e);
void explain_lights(struct explaining *e);
void explain_hops(struct explaining *e);
void explain_results(struct explaining *e);
void explain_signatures(struct explaining *e);
void explain_advice(struct explaining *e);

void explain_profile(struct explaining *e);
void explain_story(struct explaining *e);

/* What a reason word of the judges means: a sentence, or NULL. Static. */
const char *explain_reason(const char *reason);

/* The document for people, wrapped at the terminal's width. */
void explain_print(const json_t *document, FILE *out);
/* Parts of it, and the story in its place. */
struct page;
void explain_print_profile(struct page *page, const json_t *document);
void explain_print_story(const json_t *document, FILE *out);

/* The document as one HTML page without scripts, into `out`. */
void explain_html(const json_t *document, struct buffer *out);

#endif
