/*
 * Record queries without a message: `spf` for a client and sender, `dmarc` for a domain. The
 * judges run on the pool's workers (pool_query); the answer is built there.
 */
#ifndef FRONT_QUERY_H
#define FRONT_QUERY_H

#include "front/demand.h"

struct request;
struct record_query;

/* Prepares request->query. FRONT_OK, FRONT_MALFORMED with demand->why, or FRONT_INTERNAL. */
enum front_error query_begin(struct request *request, struct demand *demand) MUST_CHECK;
/* Hands it to the pool: FRONT_OK and the answer comes by the outbox, or FRONT_BUSY. */
enum front_error query_submit(struct request *request, unsigned deadline_ms) MUST_CHECK;
void query_free(struct record_query **query);

#endif
