/*
 * Trust, but verify: a share of what the kernels find is checked again (security.md D14).
 *
 * Each thread counts its passes and its failures by itself, so a share is a share of every
 * thread's work, and no message can tell whether it will be the one.
 */
#include "crypto/verify_check.h"

#include <stdatomic.h>

/* set at start */
static _Atomic uint32_t interval = VERIFY_CHECK_INTERVAL;
static verify_alarm *alarm_call;
static void *alarm_context;
/* shared */
static _Atomic uint64_t kernel_signatures, checked, mismatches;

void verify_set_check(uint32_t one_in)
{
    atomic_store_explicit(&interval, one_in ? one_in : 1, memory_order_relaxed);
}

void verify_set_alarm(verify_alarm *call, void *context)
{
    alarm_call = call;
    alarm_context = context;
}

bool verify_check_is_due(enum verify result)
{
    static _Thread_local uint32_t passes, failures;
    uint32_t *count = result == VERIFY_PASS ? &passes : &failures;
    if (++*count < atomic_load_explicit(&interval, memory_order_relaxed))
        return false;
    *count = 0;
    atomic_fetch_add_explicit(&checked, 1, memory_order_relaxed);
    return true;
}

void verify_count_kernel(unsigned signatures)
{
    atomic_fetch_add_explicit(&kernel_signatures, signatures, memory_order_relaxed);
}

void verify_raise_alarm(const char *kernel)
{
    atomic_fetch_add_explicit(&mismatches, 1, memory_order_relaxed);
    if (alarm_call)
        alarm_call(alarm_context, kernel);
}

struct verify_counts verify_counts(void)
{
    return (struct verify_counts){
        .kernel_signatures = atomic_load_explicit(&kernel_signatures, memory_order_relaxed),
        .checked = atomic_load_explicit(&checked, memory_order_relaxed),
        .mismatches = atomic_load_explicit(&mismatches, memory_order_relaxed),
    };
}
