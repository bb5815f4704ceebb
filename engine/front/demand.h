/*
 * What a request asks for, read from the TLVs of a REQUEST or from the JSON of a line or QUERY.
 *
 * Validates once at the edge: sizes, types, addresses. A demand that was refused says why in
 * `why`, a static text.
 */
#ifndef FRONT_DEMAND_H
#define FRONT_DEMAND_H

#include "front/frame.h"
#include "message.h"

struct json_t;

enum demand_op
{
    DEMAND_CHECK,
    DEMAND_SPF,
    DEMAND_DMARC,
    DEMAND_STATS,
    DEMAND_FLUSH,
    DEMAND_PING,
};

enum
{
    DEMAND_ID_MAX = 256,          /* bytes of an `id` that is a string */
    DEMAND_AUTHSERV_ID_MAX = 255, /* of RFC 8601 authserv-id; ours to bound */
};

/* Large because of the recipients: one lives in the server, none on the stack. */
struct demand
{
    enum demand_op op;
    struct message_envelope envelope; /* texts borrowed from payload or json */
    bool has_now;
    struct span authserv_id; /* p == NULL: the server's */
    uint32_t deadline_ms;    /* 0: the server's */
    uint32_t wishes;         /* enum frame_wish */
    bool has_size;
    uint64_t size;
    struct span path, domain; /* p == NULL: absent */
    struct buffer id;         /* the id as JSON text; empty: none */
    const char *why;          /* static */
    struct json_t *json;      /* owned, until demand_fini or the next use */
    struct span recipients[MAX_RECIPIENTS];
};

void demand_init(struct demand *demand);
void demand_fini(struct demand *demand);

/* REQUEST: payload is borrowed as long as the demand is used. FRONT_OK or FRONT_MALFORMED. */
enum front_error demand_from_tlvs(struct demand *demand, struct span payload) MUST_CHECK;
/*
 * A line of the lines dialect (`query` false) or a QUERY (true: no check, no id). Where it returns
 * an error, `id` is set if the text had a good one.
 */
enum front_error demand_from_json(struct demand *demand, struct span text, bool query) MUST_CHECK;

#endif
