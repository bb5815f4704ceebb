/*
 * Hashing many: texts and streams of several messages advance side by side, since one stream alone
 * leaves most of the unit idle (sha256_kernel.h).
 *
 * Two kinds of jobs. A text is put together in the queue's own memory and hashed from its start. A
 * source gives its octets when a lane has room, some 16 KB at a time, so that what it makes of them
 * stays in the caches; it may be queued again when more has come. Whoever queues a job
 * has its result when the queue has run, which may be sooner than it asks: a queue that is full
 * runs at once.
 *
 * Who lends a queue to messages runs it before they go on. What a source will read must stay where
 * it is until then. A queue belongs to one thread; nothing here fails, but for texts without room.
 */
#ifndef CRYPTO_HASH_QUEUE_H
#define CRYPTO_HASH_QUEUE_H

#include "base/buffer.h"
#include "crypto/sha256_kernel.h"

enum
{
    HASH_TEXTS = 256,             /* more make the queue run */
    HASH_TEXT_BYTES = 128 * 1024, /* of all texts together; likewise */
    HASH_ROOM = 16 * 1024,        /* what a source is asked for at once */
    HASH_ROOM_ALONE = 4096,       /* the same without a queue, on the stack */
};

/* Octets that stream past: embed it first in what knows them. */
struct hash_source
{
    struct sha256 state;
    /*
     * Writes the next octets to out[0..room) and returns how many; 0: there are none now. `state`
     * then stands behind all that was given before: it may be read off and moved on. Setting `last`
     * with the last octets (none may be left) asks for `ended`; it is not called again then.
     */
    size_t (*more)(struct hash_source *source, uint8_t *out, size_t room);
    void (*ended)(struct hash_source *source, const uint8_t digest[SHA256_BYTES]);
    bool last;
    struct hash_source *next; /* the queue's */
};

/* Hashes all that the source has, by itself. */
void hash_source_run(struct hash_source *source);

struct hash_text
{
    const uint8_t *p; /* in the queue's `text`, with its padding */
    size_t blocks;
    uint8_t *out; /* borrowed: SHA256_BYTES */
};

struct hash_queue
{
    uint64_t runs; /* counts them: who queued something at this number is not done yet */
    struct hash_source *first;
    struct hash_source **end;
    struct hash_text texts[HASH_TEXTS];
    uint32_t text_count;
    uint32_t text_taken;
    struct buffer text;
    size_t text_begun; /* where the one that is being written begins */
    /* Not all in the first-level cache, yet it is what serves four lanes best: a source's turn and
     * a lane's start cost some 50 ns (75 KB bodies: 4 KB 3.7 GB/s, 8 KB 3.8, 16 KB 3.96;
     * 2026-11-22) */
    uint8_t stage[SHA256_LANES_MAX][SHA256_BLOCK_BYTES + HASH_ROOM + SHA256_PADDING_MAX];
};

/* A queue must not be moved between init and fini. */
void hash_queue_init(struct hash_queue *queue);
void hash_queue_fini(struct hash_queue *queue);

/* Borrowed until the queue has run; must not be in it already. */
void hash_queue_add(struct hash_queue *queue, struct hash_source *source);

/* Begins a text: the caller appends to the buffer (and may take off its end), then ends it. */
struct buffer *hash_queue_text(struct hash_queue *queue);
/*
 * Ends it: its digest goes to `out`, borrowed until the queue has run. False: it did not fit, and
 * is dropped. The queue has then run, so that a second try has all the room there ever is.
 */
bool hash_queue_text_end(struct hash_queue *queue, uint8_t out[SHA256_BYTES]) MUST_CHECK;

/*
 * Ends it as a text that stays where it is until the queue has run, for a source. False: as above.
 */
bool hash_queue_text_keep(struct hash_queue *queue, struct span *kept) MUST_CHECK;

/* Until nothing is left. */
void hash_queue_run(struct hash_queue *queue);

#endif
