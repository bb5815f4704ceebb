/*
 * One block of memory for the object, one or two more for records, texts and what they were parsed
 * into. The arena's first block has the size of the copies and a guess for the parsed form, so a
 * small answer costs little: the cache counts what is held, not what is used (security.md L06).
 *
 * Limits: as dns_answer_limit.
 */
#include "dns/shared.h"

#include <stdlib.h>

enum
{
    PREPARED_GUESS_BYTES = 384,            /* a key record, a DMARC record, a short SPF record */
    SHARED_ARENA_BYTES = 16 * 1024 * 1024, /* far above what both limits leave */
    EACH_ALIGNED = 16,
};

/* What dns_answer_copy_records will take. */
static size_t copies_bytes(const struct dns_answer *answer, enum dns_type type)
{
    size_t bytes = answer->count * (sizeof(struct dns_record) + EACH_ALIGNED);
    for (uint32_t i = 0; type == DNS_TXT && i < answer->count; i++)
        bytes += answer->records[i].text.n + EACH_ALIGNED;
    return bytes;
}

static void release(struct dns_shared *shared)
{
    const struct dns_prepared *prepared = shared->answer.prepared;
    if (prepared && prepared->release)
        prepared->release(prepared);
    arena_fini(&shared->arena);
    free(shared);
}

static uint32_t held_bytes(const struct dns_shared *shared)
{
    const struct dns_prepared *prepared = shared->answer.prepared;
    return (uint32_t)(sizeof *shared + shared->arena.held_bytes +
                      (prepared ? prepared->outside_bytes : 0));
}

struct dns_shared *dns_shared_new(const struct dns_name *name, enum dns_type type,
                                  const struct dns_answer *answer, dns_prepare *prepare)
{
    struct dns_shared *shared = malloc(sizeof *shared);
    if (!shared)
        return NULL;
    *shared = (struct dns_shared){.answer = *answer};
    atomic_init(&shared->references, 1);
    dns_answer_limit(&shared->answer, type);
    shared->answer.prepared = NULL;
    bool parses = type == DNS_TXT && shared->answer.count && prepare;
    arena_init_sized(&shared->arena, SHARED_ARENA_BYTES,
                     copies_bytes(&shared->answer, type) + (parses ? PREPARED_GUESS_BYTES : 1));
    if (!dns_answer_copy_records(&shared->answer, type, &shared->arena)) {
        release(shared);
        return NULL;
    }
    if (parses)
        prepare(name, type, &shared->answer, &shared->arena);
    shared->bytes = held_bytes(shared);
    return shared;
}

struct dns_shared *dns_shared_ref(struct dns_shared *shared)
{
    /* Relaxed: who may take a reference already holds one, or is in a read section of the cache. */
    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void dns_shared_unref(struct dns_shared **shared)
{
    struct dns_shared *dropped = *shared;
    *shared = NULL;
    if (!dropped)
        return;
    /* Release orders this thread's reads before the free; acquire the free after everybody's. */
    if (atomic_fetch_sub_explicit(&dropped->references, 1, memory_order_acq_rel) == 1)
        release(dropped);
}
