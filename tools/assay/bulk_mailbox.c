#include "bulk_mailbox.h"

#include <stdlib.h>
#include <time.h>

enum
{
    ITEM_JSON_CEILING = 16 * 1024 * 1024,
};

struct mailbox_chunk
{
    struct chunk chunk; /* first: what release gets */
    struct bulk_mailbox *mailbox;
};

void bulk_mailbox_init(struct bulk_mailbox *mailbox)
{
    pthread_condattr_t clock;
    *mailbox = (struct bulk_mailbox){.first = NULL};
    mailbox->last = &mailbox->first;
    pthread_mutex_init(&mailbox->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&mailbox->something, &clock);
    pthread_condattr_destroy(&clock);
}

void bulk_mailbox_fini(struct bulk_mailbox *mailbox)
{
    while (mailbox->spare_count)
        free(mailbox->spare[--mailbox->spare_count]);
    pthread_cond_destroy(&mailbox->something);
    pthread_mutex_destroy(&mailbox->lock);
}

struct bulk_item *bulk_item_new(struct bulk_mailbox *mailbox, const struct options *options,
                                const char *name)
{
    struct bulk_item *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    item->mailbox = mailbox;
    item->options = options;
    buffer_init(&item->json, ITEM_JSON_CEILING);
    item->name = strdup(name);
    if (!item->name)
        bulk_item_free(&item);
    return item;
}

void bulk_item_free(struct bulk_item **item)
{
    buffer_fini(&(*item)->json);
    free((*item)->name);
    free(*item);
    *item = NULL;
}

void bulk_mailbox_put(struct bulk_item *item)
{
    struct bulk_mailbox *mailbox = item->mailbox;
    item->next = NULL;
    pthread_mutex_lock(&mailbox->lock);
    *mailbox->last = item;
    mailbox->last = &item->next;
    mailbox->count++;
    if (mailbox->wanted && mailbox->count >= mailbox->wanted)
        pthread_cond_signal(&mailbox->something);
    pthread_mutex_unlock(&mailbox->lock);
}

struct bulk_item *bulk_mailbox_take(struct bulk_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    struct bulk_item *items = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    mailbox->count = 0;
    pthread_mutex_unlock(&mailbox->lock);
    return items;
}

static struct timespec time_in(int ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

void bulk_mailbox_wait(struct bulk_mailbox *mailbox, int ms, unsigned wanted)
{
    struct timespec at = time_in(ms);
    pthread_mutex_lock(&mailbox->lock);
    mailbox->wanted = wanted;
    if (mailbox->count < wanted) /* once: a chunk that comes back wakes, too */
        pthread_cond_timedwait(&mailbox->something, &mailbox->lock, &at);
    mailbox->wanted = 0;
    pthread_mutex_unlock(&mailbox->lock);
}

static void chunk_comes_back(struct chunk *chunk)
{
    struct bulk_mailbox *mailbox = ((struct mailbox_chunk *)chunk)->mailbox;
    pthread_mutex_lock(&mailbox->lock);
    mailbox->chunks--;
    bool keep = mailbox->spare_count < COUNT_OF(mailbox->spare);
    if (keep)
        mailbox->spare[mailbox->spare_count++] = chunk;
    if (mailbox->wanted)
        pthread_cond_signal(&mailbox->something);
    pthread_mutex_unlock(&mailbox->lock);
    if (!keep)
        free(chunk);
}

/* One that was used before, or a new one; NULL without memory. */
static struct chunk *chunk_anew(struct bulk_mailbox *mailbox, struct chunk *used, uint32_t capacity)
{
    struct mailbox_chunk *made =
        used ? (struct mailbox_chunk *)used : malloc(sizeof *made + capacity);
    if (!made)
        return NULL;
    made->mailbox = mailbox;
    made->chunk = (struct chunk){
        .capacity = capacity,
        .release = chunk_comes_back,
        .bytes = (uint8_t *)(made + 1),
    };
    atomic_init(&made->chunk.references, 1);
    return &made->chunk;
}

struct chunk *bulk_mailbox_chunk(struct bulk_mailbox *mailbox, uint32_t capacity, unsigned most)
{
    struct chunk *used = NULL;
    pthread_mutex_lock(&mailbox->lock);
    bool room = mailbox->chunks < most;
    if (room)
        mailbox->chunks++;
    if (room && mailbox->spare_count)
        used = mailbox->spare[--mailbox->spare_count];
    pthread_mutex_unlock(&mailbox->lock);
    if (!room)
        return NULL;
    struct chunk *chunk = chunk_anew(mailbox, used, capacity);
    if (chunk)
        return chunk;
    pthread_mutex_lock(&mailbox->lock);
    mailbox->chunks--;
    pthread_mutex_unlock(&mailbox->lock);
    return NULL;
}
