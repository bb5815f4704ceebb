#include "cache/s3fifo.h"

#include "cache/entry.h"

static void list_push(struct s3_list *list, struct cache_entry *e)
{
    e->queue_prev = NULL;
    e->queue_next = list->newest;
    if (list->newest)
        list->newest->queue_prev = e;
    else
        list->oldest = e;
    list->newest = e;
    list->bytes += e->bytes;
}

static void list_unlink(struct s3_list *list, struct cache_entry *e)
{
    if (e->queue_prev)
        e->queue_prev->queue_next = e->queue_next;
    else
        list->newest = e->queue_next;
    if (e->queue_next)
        e->queue_next->queue_prev = e->queue_prev;
    else
        list->oldest = e->queue_prev;
    list->bytes -= e->bytes;
}

static struct s3_list *list_of(struct s3fifo *queues, unsigned queue)
{
    assert(queue == S3_SMALL || queue == S3_MAIN);
    return queue == S3_SMALL ? &queues->small : &queues->main;
}

bool s3fifo_init(struct s3fifo *queues, size_t budget_bytes, size_t names)
{
    *queues = (struct s3fifo){
        .budget_bytes = budget_bytes,
        .small_bytes = budget_bytes / 100 * S3_SMALL_PERCENT,
    };
    return ghost_init(&queues->ghost, names, budget_bytes - queues->small_bytes);
}

void s3fifo_fini(struct s3fifo *queues)
{
    assert(!queues->small.newest && !queues->main.newest);
    ghost_fini(&queues->ghost);
}

void s3fifo_insert_into(struct s3fifo *queues, struct cache_entry *e, enum s3_queue queue)
{
    assert(s3fifo_bytes(queues) + e->bytes <= queues->budget_bytes);
    e->queue = (uint8_t)queue;
    list_push(list_of(queues, queue), e);
}

void s3fifo_insert(struct s3fifo *queues, struct cache_entry *e, bool ghost)
{
    s3fifo_insert_into(queues, e, ghost ? S3_MAIN : S3_SMALL);
}

void s3fifo_remove(struct s3fifo *queues, struct cache_entry *e)
{
    list_unlink(list_of(queues, e->queue), e);
    e->queue = S3_NONE;
}

/* The paper's evictS: used more than once, and it moves on to main; otherwise it goes. */
static bool small_stays(struct s3fifo *queues, struct cache_entry *e)
{
    if (entry_frequency(e) <= 1)
        return false;
    s3fifo_remove(queues, e);
    entry_set_frequency(e, 0);
    s3fifo_insert_into(queues, e, S3_MAIN);
    return true;
}

/* The paper's evictM: used since it was last here, and it gets another turn. */
static bool main_stays(struct s3fifo *queues, struct cache_entry *e)
{
    unsigned frequency = entry_frequency(e);
    if (frequency == 0)
        return false;
    s3fifo_remove(queues, e);
    entry_set_frequency(e, frequency - 1);
    s3fifo_insert_into(queues, e, S3_MAIN);
    return true;
}

struct cache_entry *s3fifo_victim(struct s3fifo *queues, int64_t now_ms, bool *to_ghost)
{
    for (unsigned step = 0;; step++) {
        bool small = queues->small.bytes > queues->small_bytes || !queues->main.oldest;
        struct cache_entry *e = small ? queues->small.oldest : queues->main.oldest;
        if (!e)
            return NULL;
        bool dead = entry_dead(e, now_ms);
        if (!dead && step < S3_STEPS_MAX &&
            (small ? small_stays(queues, e) : main_stays(queues, e)))
            continue;
        s3fifo_remove(queues, e);
        *to_ghost = small && !dead;
        return e;
    }
}
