/*
 * Which RSA kernels this process uses.
 *
 * A family is tested when it is first wanted. Threads that meet here first may all test it: the
 * outcome is the same, and nobody waits for a lock.
 */
#include <stdatomic.h>

#include "crypto/rsa_lanes.h"
#include "crypto/verify_check.h"
#include "simd/kernel.h"

#define SHAPE(bits, digit_bits, digits, block) {bits, digit_bits, digits, block},

/* `least` by kernels.md 2: an IFMA call of four lanes takes less than one check by OpenSSL, an AVX2
 * call as much as two. */
const struct rsa_family rsa_family_ifma = {
    .name = "ifma",
    .shapes = {RSA_IFMA_SHAPES(SHAPE)},
    .wide = &rsa_kernel_ifma8,
    .narrow = &rsa_kernel_ifma4,
    .least = 1,
};
const struct rsa_family rsa_family_avx2 = {
    .name = "avx2",
    .shapes = {RSA_AVX2_SHAPES(SHAPE)},
    .narrow = &rsa_kernel_avx2,
    .least = 3,
};

enum state
{
    UNTESTED = 0,
    GOOD,
    OFF, /* never left */
};

static atomic_int ifma_state, avx2_state;

static atomic_int *state_of(const struct rsa_family *family)
{
    return family == &rsa_family_ifma ? &ifma_state : &avx2_state;
}

unsigned rsa_class_of(const struct rsa_family *family, unsigned bits)
{
    unsigned class = 0;
    while (class < RSA_CLASSES && family->shapes[class].bits < bits)
        class ++;
    return class;
}

static const struct rsa_family *allowed(void)
{
    if (kernel_has(KERNEL_HAS_IFMA) && kernel_has(KERNEL_HAS_AVX512VL) &&
        kernel_has(KERNEL_HAS_VBMI) && rsa_kernel_ifma8)
        return &rsa_family_ifma;
    if (kernel_has(KERNEL_HAS_AVX2) && rsa_kernel_avx2)
        return &rsa_family_avx2;
    return NULL;
}

const struct rsa_family *rsa_family_active(void)
{
    const struct rsa_family *family = allowed();
    if (!family)
        return NULL;
    atomic_int *state = state_of(family);
    int known = atomic_load_explicit(state, memory_order_relaxed);
    if (known == UNTESTED) {
        int found = rsa_family_test(family) ? GOOD : OFF;
        if (atomic_compare_exchange_strong(state, &known, found)) {
            known = found;
            if (found == OFF)
                verify_raise_alarm(family->name);
        }
    }
    return known == GOOD ? family : NULL;
}

void rsa_family_turn_off(const struct rsa_family *family)
{
    atomic_store(state_of(family), OFF);
}

bool rsa_family_is_off(const struct rsa_family *family)
{
    return atomic_load(state_of(family)) == OFF;
}
