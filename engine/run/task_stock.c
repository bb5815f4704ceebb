#include "run/task_stock.h"

#include <stdlib.h>

#include "run/task.h"

void task_stock_init(struct task_stock *stock)
{
    atomic_flag_clear(&stock->taking);
    stock->kept = NULL;
    atomic_init(&stock->given, NULL);
    atomic_init(&stock->given_count, 0);
}

static void free_list(struct task *task)
{
    while (task) {
        struct task *next = task->next;
        free(task);
        task = next;
    }
}

void task_stock_fini(struct task_stock *stock)
{
    free_list(stock->kept);
    free_list(atomic_load(&stock->given));
    task_stock_init(stock);
}

/* The caller has `taking`. The acquire pairs with the release of each push. */
static struct task *take_kept(struct task_stock *stock)
{
    struct task *task = stock->kept;
    if (!task && atomic_load_explicit(&stock->given, memory_order_relaxed)) {
        atomic_store_explicit(&stock->given_count, 0, memory_order_relaxed);
        task = atomic_exchange_explicit(&stock->given, NULL, memory_order_acquire);
    }
    if (task)
        stock->kept = task->next;
    return task;
}

static struct task *make(size_t text_bytes, bool from_stock)
{
    struct task *task = malloc(sizeof *task + text_bytes);
    if (task)
        task->from_stock = from_stock;
    return task;
}

/* AddressSanitizer is to see who touches a task that is over. */
#ifdef __SANITIZE_ADDRESS__
static const bool is_used = false;
#else
static const bool is_used = true;
#endif

struct task *task_stock_take(struct task_stock *stock, size_t text_bytes)
{
    if (!is_used || text_bytes > TASK_STOCK_TEXT)
        return make(text_bytes, false);
    struct task *task = NULL;
    if (!atomic_flag_test_and_set_explicit(&stock->taking, memory_order_acquire)) {
        task = take_kept(stock);
        atomic_flag_clear_explicit(&stock->taking, memory_order_release);
    }
    return task ? task : make(TASK_STOCK_TEXT, true);
}

void task_stock_give(struct task_stock *stock, struct task *task)
{
    if (!task->from_stock ||
        atomic_load_explicit(&stock->given_count, memory_order_relaxed) >= TASK_STOCK_MOST) {
        free(task);
        return;
    }
    atomic_fetch_add_explicit(&stock->given_count, 1, memory_order_relaxed);
    struct task *head = atomic_load_explicit(&stock->given, memory_order_relaxed);
    do {
        task->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&stock->given, &head, task,
                                                    memory_order_release, memory_order_relaxed));
}
