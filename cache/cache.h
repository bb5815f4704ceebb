/*
 * The shared cache: parsed DNS answers under byte keys, read by all workers without waiting,
 * written by the few threads that own the names.
 *
 * It knows nothing of mail or DNS: a key is 1 to CACHE_KEY_MAX bytes (meant: lower-case wire name
 * and 16-bit type), a value an opaque object with a size and a release function. It opens nothing,
 * waits for nothing but its writers' lock, and reads no clock: `now_ms` is CLOCK_MONOTONIC in
 * milliseconds, given by the caller; only snapshots store wall-clock time.
 *
 *
 * Which calls may run at the same time
 *
 *              get    put    remove  flush   due    stats   snapshot  new/free
 *   get         y      y       y       y      y       y        y         -
 *   put                y*      y*      y      y       y        y         -
 *   remove                     y       y      y       y        y         -
 *   flush                              y      y       y        y         -
 *   due                                       y       y        y         -
 *   stats                                             y        y         -
 *   snapshot                                                   y         -
 *
 *   y  any threads, any keys.
 *   y* safe in any case, but for ONE key the order of two writers is then chance, and the older
 *      answer may win. A name therefore belongs to one owner, and only the owner puts it.
 *   -  cache_new before, cache_free after everything else.
 *
 * get stands also for peek and the claims, which are part of the read side.
 *
 *
 * What is guaranteed (tests and commits quote these names)
 *
 *   G1  A lookup takes no lock, waits for nobody and allocates nothing: a bounded walk in a table
 *       of fixed size (liburcu cds_lfht).
 *   G2  What a lookup returned stays valid and unchanged until the thread's next quiescent state
 *       (or until it goes offline), whatever writers do. It is released only after a grace period.
 *   G3  Once put has returned, no lookup that begins finds the older value of that key. During put
 *       a lookup finds the old or the new one, never neither because of the replacement.
 *   G4  The bytes charged never exceed the budget, at no moment. An entry is charged its object,
 *       its key and CACHE_ENTRY_OVERHEAD. Values that wait for their grace period are counted
 *       apart (retired_bytes, at most retired_max_bytes plus what removals free), and so is the
 *       memory fixed at creation (fixed_bytes).
 *   G5  Each object that a put has taken is released exactly once: after a grace period, on
 *       liburcu's call_rcu thread, or inside cache_free.
 *   G6  A failure neither replaces nor outlives an answer, empty answer or NXDOMAIN that may still
 *       be used (L07), and a definite answer always replaces a failure.
 *   G7  A put that does not keep the new value does not leave an older one that it replaces: the
 *       key is then empty.
 *   G8  A scan (keys asked for once) pushes out other scanned keys, not the keys in use: S3-FIFO,
 *       see cache/s3fifo.h.
 *   G9  Of all threads that ask for one forced refresh of an entry in rotation_s seconds, at most
 *       one gets it (L09, L10). Under a replacement that happens in the same round, the new entry
 *       starts its own rotation_s seconds with its arrival.
 *   G10 A key's place in the table depends on 128 random bits drawn in cache_new (L05).
 *   G11 A reader that goes on using what follows from an answer until `stands_until_ms`, without
 *       looking it up, misses nothing and takes nothing from the entry: it is in demand already, so
 *       it will be asked again in time whether it is looked up or not, and no refresh puts another
 *       answer in its place before. What was removed or flushed since then cache_removals tells.
 *
 *
 * Threads (QSBR)
 *
 * "Registered and online" is a thread that called cache_thread_register() and is not offline
 * (cache/tsan.h has these calls; they are liburcu's, and a thread registers once for all caches).
 * Between two quiescent states it is one read section. Such a thread must not block for long: go
 * offline first, otherwise no grace period ends and retired memory grows (L14; put then refuses).
 *
 *
 * How an entry changes
 *
 * Nothing of an entry changes after it was published except four atomic words: how often it was
 * used, from when it may be asked for again, until when it may be used stale, and when its last
 * forced refresh was. A new value is a new entry: make it, publish it in the old one's place,
 * retire the old one with call_rcu. All changes of table and queues are made under one lock that
 * only writers take; no other lock is taken and nothing is waited for while it is held.
 *
 * BUGS: cache_snapshot_write is one read section for its whole length (disk included): meant for
 * the stop. cache_flush walks the whole table. Unused buckets are not given back.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <stdatomic.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "cache/siphash.h"
#include "cache/ttl.h"

struct cache;
struct cache_entry;

enum
{
    CACHE_KEY_MAX = 257,        /* a wire name of 255 bytes and a 16-bit type */
    CACHE_ENTRY_OVERHEAD = 160, /* what an entry costs besides key and object */
    CACHE_BUDGET_MIN = 64 * 1024,
};

/* One line for a person, without a final newline. */
struct cache_error
{
    char text[256];
};

struct cache_config
{
    size_t budget_bytes;      /* of all entries together (G4) */
    size_t entry_max_bytes;   /* of one entry, overhead included (L06); at most a 16th of it all */
    size_t retired_max_bytes; /* above, put refuses until grace periods have ended (L14) */
    uint32_t buckets;         /* rounded up to a power of two; about the entries expected */
    struct cache_ttl_rules ttl; /* cache/ttl.h */
    const uint8_t *hash_key;    /* borrowed during cache_new: SIPHASH_KEY_BYTES, for tests; NULL:
                                   random */
};

/* 256 MiB, 16 KiB an entry, 64 MiB retired, 2^18 buckets, the TTL rules of cache/ttl.h. */
struct cache_config cache_config_default(void);

/*
 * A new, empty cache; NULL and *error on a setting that cannot be, no memory, or no random bytes.
 * Thread: any, before all others. May block (allocates, starts liburcu's callback thread).
 */
struct cache *cache_new(const struct cache_config *config, struct cache_error *error) MUST_CHECK;

/*
 * Releases all objects and the cache, and nulls *cache. Every reader of it must have unregistered
 * or passed a quiescent state since its last use, and no call may be running.
 * Thread: any, in a quiescent state of its own. Blocks for a grace period.
 */
void cache_free(struct cache **cache);

/* --- reading --- */

#define CACHE_READER_COUNTERS(X)                                                                   \
    X(hits)          /* fresh, answered */                                                         \
    X(hits_negative) /* fresh, empty or NXDOMAIN */                                                \
    X(hits_failure)  /* fresh, a failure that is not asked again yet */                            \
    X(stale)         /* expired, used because the DNS fails */                                     \
    X(misses)                                                                                      \
    X(refresh_claimed)  /* refreshes before expiry and of stale entries that readers took on */    \
    X(rotation_claimed) /* forced refreshes granted (L09) */                                       \
    X(rotation_refused) /* and refused: too young, or one was granted lately (L10) */

/*
 * One thread's door to the cache, in the caller's storage. Its counters are written by that thread
 * alone and read by cache_stats.
 */
struct cache_reader
{
    struct cache *cache;       /* borrowed */
    struct cache_reader *next; /* under the cache's lock */
#define CACHE_READER_COUNTER(name) _Atomic uint64_t name;
    CACHE_READER_COUNTERS(CACHE_READER_COUNTER)
#undef CACHE_READER_COUNTER
} __attribute__((aligned(64)));

/* Thread: the one that will read. Takes the writers' lock. */
void cache_reader_init(struct cache_reader *reader, struct cache *cache);
/* The counts stay in cache_stats. Thread: any, when the reader is no longer used. */
void cache_reader_fini(struct cache_reader *reader);

enum cache_state
{
    CACHE_MISS = 0, /* ask the owner */
    CACHE_FRESH,    /* use it */
    CACHE_STALE,    /* expired, and the last refresh failed: use it instead of the failure */
};

/* What a lookup found. Pointers are cached: valid until the thread's next quiescent state (G2). */
struct cache_hit
{
    enum cache_outcome
        outcome;               /* CACHE_FAILURE is fresh too: "not asked again before it expires" */
    const void *object;        /* cached; NULL where the put had none */
    int64_t age_ms;            /* since the answer was received */
    int64_t stands_until_ms;   /* G11; may be over, 0 where it never began */
    bool refresh;              /* time to ask again in the background: cache_refresh_claim */
    struct cache_entry *entry; /* cached; for the claims */
};

/*
 * Looks `key` up and notes the use. On CACHE_MISS *hit is zero.
 * Thread: registered and online. Never blocks (G1). An acquire on success: everything the owner
 * wrote into the object before the put is visible.
 */
enum cache_state cache_get(struct cache_reader *reader, struct span key, int64_t now_ms,
                           struct cache_hit *hit) MUST_CHECK;

/* The key of siphash13 that makes a key's hash; constant, and good as long as the cache. */
const struct siphash_key *cache_hash_key(const struct cache *cache);
/* As cache_get, for who has the key's hash already. */
enum cache_state cache_get_hashed(struct cache_reader *reader, struct span key, uint64_t hash,
                                  int64_t now_ms, struct cache_hit *hit) MUST_CHECK;

/*
 * As cache_get, but the lookup leaves no trace: it is no use, and nothing is counted. For an owner
 * that looks whether another answer has come meanwhile. `refresh` is never set.
 * Thread: as cache_get.
 */
enum cache_state cache_peek(struct cache *cache, struct span key, int64_t now_ms,
                            struct cache_hit *hit) MUST_CHECK;

/*
 * For a hit with `refresh` set: true for one thread only, which then has the owner ask again.
 * Where nothing comes of it, the next claim is possible after CACHE_CLAIM_MS.
 * Thread: as cache_get, before the next quiescent state. Never blocks.
 */
bool cache_refresh_claim(struct cache_reader *reader, const struct cache_hit *hit,
                         int64_t now_ms) MUST_CHECK;

/*
 * After a signature failed with this entry's key although the body hash is right (L09): true where
 * the entry is at least rotation_s old and nobody has had a forced refresh of it in that time
 * (G9). The caller then has the owner ask again before the signature is called failed.
 * Thread: as cache_refresh_claim.
 */
bool cache_rotation_claim(struct cache_reader *reader, const struct cache_hit *hit,
                          int64_t now_ms) MUST_CHECK;

/*
 * How many times something was removed: by cache_remove, by cache_flush (one time for all of it).
 * Who reads this number before looking up finds nothing that a removal counted in it has taken
 * away. An acquire: pairs with the end of cache_remove and cache_flush. Thread: any.
 */
uint64_t cache_removals(const struct cache *cache);

enum cache_rotation
{
    CACHE_ROTATION_NONE = 0,
    CACHE_ROTATION_ASKED, /* a refresh was granted within CACHE_CLAIM_MS; its answer is to come */
    CACHE_ROTATION_FRESH, /* the answer came within CACHE_FRESH_MS: somebody may have used the one
                             before it when it came */
};

/*
 * Whether who was refused by cache_rotation_claim should ask the owner all the same (not the
 * network): many signatures fail together when a key is rotated, and only one may ask. *asked_ms
 * is how long ago the refresh was granted; 0 unless the result is CACHE_ROTATION_ASKED.
 * Thread: as cache_get.
 */
enum cache_rotation cache_rotation_state(const struct cache_hit *hit, int64_t now_ms,
                                         int64_t *asked_ms) MUST_CHECK;

enum
{
    CACHE_CLAIM_MS = 30 * 1000, /* longer than one question may take */
    CACHE_FRESH_MS = 2 * 1000,  /* longer than a reader's round may take */
};

/* --- writing: owners only --- */

struct cache_item
{
    enum cache_outcome outcome;
    uint32_t ttl_s; /* as the DNS gave it; ignored for CACHE_FAILURE */
    void *object;   /* may be NULL; must not change any more */
    size_t bytes;   /* of the object, all it points to included: charged to the budget */
    void (*release)(void *object); /* NULL: nothing to release. Must not call the cache or block */
};

enum cache_put_result
{
    CACHE_STORED = 1, /* the object is the cache's, to be released by it (G5) */
    /* In all other cases the object stays the caller's. */
    CACHE_KEPT,      /* a failure, and an older answer goes on being used instead (G6) */
    CACHE_TOO_LARGE, /* over entry_max_bytes (L06); an older value was removed (G7) */
    CACHE_BACKLOG,   /* over retired_max_bytes: readers too long without a quiescent state (G7) */
    CACHE_NO_MEMORY, /* (G7) */
};

/*
 * Stores an answer under `key`, in place of an older one, and evicts others as far as the budget
 * demands. The object may be read until the thread's next quiescent state also where the cache has
 * taken it.
 * Thread: registered and online; the key's owner. Waits for other writers, never for readers.
 * A release: pairs with cache_get.
 */
enum cache_put_result cache_put(struct cache *cache, struct span key, const struct cache_item *item,
                                int64_t now_ms) MUST_CHECK;

/* True where there was an entry. Thread: as cache_put. */
bool cache_remove(struct cache *cache, struct span key);

/*
 * Removes each entry whose key `matches` (NULL: all) and returns how many. Entries put while it
 * runs may be missed. `matches` must not call the cache.
 * Thread: registered and online; any. The whole walk is one read section.
 */
size_t cache_flush(struct cache *cache, bool (*matches)(struct span key, void *context),
                   void *context);

struct cache_due_key
{
    uint8_t key[CACHE_KEY_MAX];
    uint16_t key_n;
};

/*
 * Entries that are in demand (used at least twice since their answer came) and expire soon, or
 * whose last refresh failed and may be tried again. Each is returned once and claimed as by
 * cache_refresh_claim; the caller hands it to its owner. Fills out[0..capacity) and returns the
 * count; where it is `capacity`, call again. Looks at no more than CACHE_DUE_VISITS entries a call,
 * so after a pause it may return fewer than there are: the next call goes on. Thread: registered
 * and online; any one at a time is enough. Meant to be called about every second.
 */
size_t cache_due(struct cache *cache, int64_t now_ms, struct cache_due_key *out,
                 size_t capacity) MUST_CHECK;

enum
{
    CACHE_DUE_VISITS = 1024,
};

/* --- counting --- */

#define CACHE_WRITER_COUNTERS(X)                                                                   \
    X(stored)     /* puts that were kept ... */                                                    \
    X(replaced)   /* ... of these in place of an older entry */                                    \
    X(kept)       /* failures that left an older answer in use */                                  \
    X(refused)    /* CACHE_TOO_LARGE, CACHE_BACKLOG, CACHE_NO_MEMORY */                            \
    X(backlog)    /* of these CACHE_BACKLOG: an alarm (L14) */                                     \
    X(evicted)    /* to make room */                                                               \
    X(ghost_hits) /* new entries that had been evicted lately */                                   \
    X(removed)    /* by remove, flush or a refused put */                                          \
    X(due)        /* keys that cache_due has returned */                                           \
    X(entries)    /* now */                                                                        \
    X(bytes)      /* now, charged to the budget */                                                 \
    X(budget_bytes)                                                                                \
    X(fixed_bytes)     /* buckets, ghost table, wheel */                                           \
    X(retired_entries) /* now: out of the table, waiting for their grace period */                 \
    X(retired_bytes)

/* A sum over all readers; counts of running readers may lag. */
struct cache_stats
{
#define CACHE_STAT(name) uint64_t name;
    CACHE_READER_COUNTERS(CACHE_STAT)
    CACHE_WRITER_COUNTERS(CACHE_STAT)
#undef CACHE_STAT
};

/* Thread: any. Takes the writers' lock for a moment. */
void cache_stats(struct cache *cache, struct cache_stats *stats);

/* What an entry with such a key and object is charged. */
static inline size_t cache_charge(size_t key_n, size_t object_bytes)
{
    return CACHE_ENTRY_OVERHEAD + key_n + object_bytes;
}

/* --- snapshots: cache/snapshot.c has the format --- */

struct cache_snapshot_format
{
    uint32_t version; /* of the value bytes: another version in the file, and the file is ignored */
    /* Appends the object's bytes to `out`; false leaves the entry out. */
    bool (*write)(struct span key, enum cache_outcome outcome, const void *object,
                  struct buffer *out, void *context);
    /*
     * Makes object, bytes and release of *item from bytes that `write` made (checked against
     * damage, not against malice); false skips the entry. outcome and ttl_s are already set.
     */
    bool (*read)(struct span key, struct span bytes, struct cache_item *item, void *context);
    void *context;
};

/*
 * Writes all fresh entries but failures to `path`: into path.tmp, synced and then renamed, mode
 * 0600. False and *error when anything fails; the old file is then untouched, unless it was the
 * directory that could not be synced after the rename.
 * Thread: registered and online. Blocks on the disk within one read section: for the stop.
 */
bool cache_snapshot_write(struct cache *cache, const char *path,
                          const struct cache_snapshot_format *format, int64_t now_ms,
                          int64_t wall_ms, struct cache_error *error) MUST_CHECK;

enum cache_snapshot_result
{
    CACHE_SNAPSHOT_LOADED = 1,
    CACHE_SNAPSHOT_ABSENT,  /* there is no such file */
    CACHE_SNAPSHOT_IGNORED, /* unreadable, damaged, cut or of another version: nothing was loaded */
};

/*
 * Puts the entries of `path` that have not expired into the cache, with the age they have; *loaded
 * counts them. An entry "received" more than 300 s in the future by the wall clock is skipped
 * (L12). *error is one line unless the result is CACHE_SNAPSHOT_LOADED.
 * Thread: registered and online; before the owners start. Blocks on the disk.
 */
enum cache_snapshot_result cache_snapshot_read(struct cache *cache, const char *path,
                                               const struct cache_snapshot_format *format,
                                               int64_t now_ms, int64_t wall_ms, size_t *loaded,
                                               struct cache_error *error) MUST_CHECK;

#endif
