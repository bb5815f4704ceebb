/*
 * What ThreadSanitizer has to be told about liburcu, and liburcu's calls of the QSBR flavour with
 * that said (security.md 5.1). Everything here is nothing, or the plain call, in other builds.
 *
 * Debian's liburcu 0.13 orders memory with assembler that the sanitizer cannot see. The order that
 * holds is stated here as pairs:
 *
 *   release                                  acquire
 *   a reader's quiescent state  (the grace)  the callback that frees   (the grace)
 *   call_rcu                    (the head)   the callback that frees   (the head)
 *   before a node is added      (the node)   the match function, walks (the node)
 *   the end of that callback    (the cache)  cache_free, behind rcu_barrier  (the cache)
 *
 * Nothing more may be added without a new run of the negative control (`make stress`): a pair too
 * many hides what we look for.
 */
#ifndef CACHE_TSAN_H
#define CACHE_TSAN_H

#include <urcu/urcu-qsbr.h>

#if defined(__SANITIZE_THREAD__)
#define CACHE_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CACHE_UNDER_TSAN 1
#endif
#endif

#ifdef CACHE_UNDER_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define TSAN_ACQUIRE(address) __tsan_acquire(address)
#define TSAN_RELEASE(address) __tsan_release(address)
#else
#define TSAN_ACQUIRE(address) ((void)(address))
#define TSAN_RELEASE(address) ((void)(address))
#endif

/* The address that stands for "a grace period has passed". */
#define TSAN_GRACE (&urcu_qsbr_gp)

/* All pointers that this thread had from a cache end here. */
static inline void cache_thread_quiescent(void)
{
    TSAN_RELEASE(TSAN_GRACE);
    urcu_qsbr_quiescent_state();
}

/* A thread is online after this; before it uses any cache. */
static inline void cache_thread_register(void)
{
    urcu_qsbr_register_thread();
}

static inline void cache_thread_unregister(void)
{
    TSAN_RELEASE(TSAN_GRACE);
    urcu_qsbr_unregister_thread();
}

/* Around anything that blocks: poll, a lock held by a thread that waits for a grace period. */
static inline void cache_thread_offline(void)
{
    TSAN_RELEASE(TSAN_GRACE);
    urcu_qsbr_thread_offline();
}

static inline void cache_thread_online(void)
{
    urcu_qsbr_thread_online();
}

#endif
