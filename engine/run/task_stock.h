/*
 * Tasks that are used again: made by producers, freed by workers, so that malloc would give each a
 * way through a lock of another thread's arena.
 *
 *                  | task_stock_take    | task_stock_give | _init, _fini
 *   task_stock_take| any threads (S1)   | any             | apart
 *   task_stock_give| any                | any threads     | apart
 *
 * S1: of two takers at once one goes to malloc; nobody waits. Those given back are pushed on a list
 * that is only ever taken as a whole, so no node comes back under a pusher's eyes (no ABA).
 *
 * Limits: TASK_STOCK_MOST are kept on each side, taken and given back; tasks with more than
 * TASK_STOCK_TEXT bytes of texts come from malloc and go there.
 */
#ifndef RUN_TASK_STOCK_H
#define RUN_TASK_STOCK_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/attributes.h"

enum
{
    TASK_STOCK_MOST = 512,
    TASK_STOCK_TEXT = 192,
};

struct task;

struct task_stock
{
    /* Producers. */
    atomic_flag taking;
    struct task *kept; /* owned; by who has `taking`. Linked by task.next */

    /* Workers push, producers take. */
    _Atomic(struct task *) given __attribute__((aligned(64)));
    _Atomic unsigned given_count; /* about: a push that is on its way may not be counted */
};

void task_stock_init(struct task_stock *stock);
/* Frees what is there. */
void task_stock_fini(struct task_stock *stock);

/* Memory of a task with room for that many bytes of texts; not cleared but for `from_stock`. NULL
 * without memory. */
struct task *task_stock_take(struct task_stock *stock, size_t text_bytes) MUST_CHECK;
/* The task is over. */
void task_stock_give(struct task_stock *stock, struct task *task);

#endif
