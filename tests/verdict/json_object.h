/* The writers' JSON read by jansson, and a way to say which value is expected where. */
#ifndef VERDICT_JSON_OBJECT_H
#define VERDICT_JSON_OBJECT_H

#include <jansson.h>

#include "verdict/sample.h"

/* Fails the test where the text is no JSON object on one line. The caller drops the reference. */
json_t *json_verdict(struct sample *sample);
json_t *json_spf(const struct spf_judgement *spf);
json_t *json_discovery(const struct dmarc_discovery *discovery);

/* "dkim.0.domain": keys and array places; fails the test where there is none. Borrowed. */
json_t *json_require(json_t *root, const char *path);
/* The value there equals this JSON text. */
void json_expect(json_t *root, const char *path, const char *want);

#endif
