/*
 * The producer's half of a task: the request with its texts, pieces, the end.
 */
#include "run/task.h"

#include <stdlib.h>

#include "run/guest.h"
#include "run/own_time.h"

/* Where texts are copied to: first one, then the next. */
struct keeper
{
    uint8_t *at;
};

static void keep(struct keeper *keeper, struct span *text)
{
    if (!text->p)
        return;
    if (text->n)
        memcpy(keeper->at, text->p, text->n);
    *text = span_of(keeper->at, text->n);
    keeper->at += text->n + 1; /* an empty text has an address too */
}

static const size_t texts[] = {
    offsetof(struct task_request, envelope.helo),
    offsetof(struct task_request, envelope.mail_from),
    offsetof(struct task_request, envelope.tls_version),
    offsetof(struct task_request, envelope.tls_cipher),
    offsetof(struct task_request, authserv_id),
};

static struct span *text_of(struct task_request *request, unsigned i)
{
    return (struct span *)(void *)((char *)request + texts[i]);
}

/* Recipients stand in front: their spans must be aligned. */
static size_t kept_bytes(const struct task_request *request)
{
    size_t bytes = request->envelope.recipient_count * sizeof(struct span);
    for (unsigned i = 0; i < COUNT_OF(texts); i++)
        bytes += ((const struct span *)(const void *)((const char *)request + texts[i]))->n + 1;
    for (uint32_t i = 0; i < request->envelope.recipient_count; i++)
        bytes += request->envelope.recipients[i].n + 1;
    return bytes;
}

static void keep_recipients(struct keeper *keeper, struct message_envelope *envelope)
{
    struct span *kept = (struct span *)(void *)keeper->at;
    keeper->at += envelope->recipient_count * sizeof *kept;
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        kept[i] = envelope->recipients[i];
        keep(keeper, &kept[i]);
    }
    envelope->recipients = kept;
}

static struct task *task_alloc(struct task_stock *stock, size_t text_bytes)
{
    struct task *task = task_stock_take(stock, text_bytes);
    if (task)
        *task =
            (struct task){.submitted = {.kind = EVENT_SUBMITTED}, .from_stock = task->from_stock};
    return task;
}

struct task *task_new(struct task_stock *stock, const struct task_request *request)
{
    struct task *task = task_alloc(stock, kept_bytes(request));
    if (!task)
        return NULL;
    struct keeper keeper = {task->text};
    task->request = *request;
    keep_recipients(&keeper, &task->request.envelope);
    for (unsigned i = 0; i < COUNT_OF(texts); i++)
        keep(&keeper, text_of(&task->request, i));
    return task;
}

struct task *task_new_query(struct task_stock *stock, const struct query_request *request)
{
    struct task *task = task_alloc(stock, 0);
    if (!task)
        return NULL;
    task->is_query = true;
    task->query_request = *request;
    return task;
}

static struct piece *piece_new(struct task *task)
{
    if (task->first_used)
        return malloc(sizeof(struct piece));
    task->first_used = true;
    return &task->first;
}

void task_unqueue(struct task *task, uint64_t bytes)
{
    if (bytes == 0)
        return;
    atomic_fetch_sub_explicit(&task->queued_bytes, bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(&task->worker->queued_bytes, bytes, memory_order_relaxed);
}

void piece_free(struct piece *piece)
{
    task_unqueue(piece->task, piece->bytes.n);
    chunk_unref(&piece->chunk);
    if (piece != &piece->task->first)
        free(piece);
}

static void send(struct task *task, struct event *event)
{
    if (task->is_apart)
        guest_keep(task, event);
    else
        inbox_push(task->worker->inbox, event);
}

void task_feed(struct task *task, struct chunk *chunk, struct span bytes)
{
    if (bytes.n == 0)
        return;
    if (task->is_apart && task_queued_bytes(task) + bytes.n > GUEST_BYTES)
        task_share(task);
    struct piece *piece = piece_new(task);
    if (!piece) {
        task->starved = true;
        return;
    }
    *piece = (struct piece){
        .event = {.kind = EVENT_PIECE},
        .task = task,
        .chunk = chunk_ref(chunk),
        .bytes = bytes,
    };
    /* Before the push: the worker must never take away more than was added. */
    atomic_fetch_add_explicit(&task->queued_bytes, bytes.n, memory_order_relaxed);
    atomic_fetch_add_explicit(&task->worker->queued_bytes, bytes.n, memory_order_relaxed);
    send(task, &piece->event);
}

static void let_go(struct task *task, enum event_kind how)
{
    task->closing.kind = how;
    send(task, &task->closing);
}

void task_end(struct task *task)
{
    task->ended_ns = own_time_clock_ns();
    let_go(task, EVENT_ENDED);
}

void task_cancel(struct task *task)
{
    let_go(task, EVENT_CANCELLED);
}

void pool_hold(void)
{
    inbox_hold();
}

void pool_let_go(void)
{
    inbox_let_go();
}

uint64_t task_queued_bytes(const struct task *task)
{
    return atomic_load_explicit(&task->queued_bytes, memory_order_relaxed);
}
