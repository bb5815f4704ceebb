/*
 * Builds messages with valid ARC chains, and with chains that are wrong in one place.
 *
 * Fields are written so that their relaxed form is the lower-case name, a colon and the value: what
 * is signed is put together here from strings, without the engine's canonicalization or hashing of
 * headers. Each seal's input is built from the start, the slow way.
 */
#ifndef ARC_CHAIN_BUILD_H
#define ARC_CHAIN_BUILD_H

#include "base/buffer.h"
#include "crypto/sign.h"

enum chain_field
{
    CHAIN_AAR,
    CHAIN_AMS,
    CHAIN_AS,
    CHAIN_FIELDS
};

enum
{
    CHAIN_SETS_MAX = 52,
};

/* What one sealer does; NULL and 0 are the defaults. */
struct chain_hop
{
    const char *instance; /* text of i=; default the next number */
    const char *cv;       /* default "none" at 1, "pass" above */
    const char *domain;   /* default "sealer.test" */
    const char *selector; /* default "s" */
    const char *h;        /* default "from:to:subject" */
    const char *ams_more; /* tags before b=, e.g. "l=3; " */
    const char *seal_more;
    const char *results;               /* AAR payload */
    struct span ams_body;              /* what bh= covers; default the whole body */
    const struct private_key *ams_key; /* default the chain's */
    const struct private_key *seal_key;
    const struct private_key *published; /* default the seal's: another one makes a forgery */
};

struct chain
{
    struct private_key *key;
    uint32_t count;
    struct buffer value[CHAIN_SETS_MAX][CHAIN_FIELDS]; /* reset one to leave the field out */
    struct buffer extra; /* whole fields above all sets, each with its CRLF */
    struct buffer body;  /* as it is now: a hop seals what it sees */
    struct buffer zone;  /* keys of all hops */
    struct buffer text;
};

void chain_init(struct chain *chain);
void chain_fini(struct chain *chain);
/* Adds a set on top. */
void chain_seal(struct chain *chain, const struct chain_hop *hop);
void chain_seal_many(struct chain *chain, uint32_t count);
/* The whole message; valid until the next call. */
struct span chain_message(struct chain *chain);

#endif
