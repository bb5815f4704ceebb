/*
 * What a body came to, without the body: all that the judges and the verdict take from it, so that
 * a message can be judged again from its header and these facts (`assay replay`).
 *
 * The facts are somebody's word. They enter through body_hasher_end_with() alone, which nothing but
 * message_end_recorded() calls: no message from the network, a file or the daemon's socket does.
 */
#ifndef MAIL_BODY_FACTS_H
#define MAIL_BODY_FACTS_H

#include "mail/body.h"

enum
{
    BODY_CANONS = 2, /* by enum canon */
};

struct body_facts
{
    struct body_hash hashes[MAX_BODY_HASHES];
    uint32_t count;
    bool counted[BODY_CANONS];    /* octets[] is known */
    uint64_t octets[BODY_CANONS]; /* canonical octets of the whole body */
    uint64_t total;               /* raw octets */
    uint64_t bare_cr, bare_lf, nul;
    bool ends_in_crlf;
};

/* Reads the facts off, after body_hasher_end. False where hashing has failed: there are none. */
bool body_hasher_facts(const struct body_hasher *hasher, struct body_facts *facts) MUST_CHECK;

/*
 * In place of body_hasher_feed and body_hasher_end. A hash that is wished for and not among the
 * facts makes the hasher fail: temperror, never a pass.
 */
void body_hasher_end_with(struct body_hasher *hasher, const struct body_facts *facts);

#endif
