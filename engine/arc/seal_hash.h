/*
 * What the seals of a chain sign (AV-9): for AS(k) all sets from 1 to k in rising order, each AAR,
 * AMS, AS in relaxed form; of AS(k) itself the value of b= is left out, and its final CRLF.
 *
 * One running hash serves all: 50 sets are hashed once, not 50 times.
 */
#ifndef ARC_SEAL_HASH_H
#define ARC_SEAL_HASH_H

#include "arc/arc.h"
#include "crypto/hash_queue.h"

struct arc_seal_hash
{
    struct sha256 state;
    bool failed;            /* sticky */
    struct buffer *scratch; /* borrowed; reset for each field */
};

void arc_seal_hash_init(struct arc_seal_hash *hash, struct buffer *scratch);
/*
 * Takes the next set, which is complete, and gives what its seal signs. False: no memory, or a
 * field over the scratch buffer's ceiling; all later sets are then false too.
 */
bool arc_seal_hash_next(struct arc_seal_hash *hash, const struct arc_set *set,
                        uint8_t out[SHA256_BYTES]) MUST_CHECK;
/*
 * The same for all sets together, hashed when the queue runs: what the seal of set i + 1 signs goes
 * to sets[i].seal_hash. `sets` is borrowed until then. False: it does not fit into the queue, or no
 * memory.
 */
bool arc_seal_hash_queue(struct arc_set *sets, uint32_t count, struct arena *arena,
                         struct hash_queue *queue) MUST_CHECK;

#endif
