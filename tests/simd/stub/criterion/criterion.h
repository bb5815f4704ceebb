/*
 * As much of Criterion as the suite's tests need, for processors for which there is no Criterion:
 * tests/simd/ is built for ARM64 with it and run under qemu-user (arm_test.c).
 */
#ifndef SIMD_STUB_CRITERION_H
#define SIMD_STUB_CRITERION_H

/* Prints where and what, ends the program with status 1. */
void stub_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));
void stub_add(const char *name, void (*run)(void));

#define cr_assert(condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition))                                                                          \
            stub_fail(__FILE__, __LINE__, #condition " " __VA_ARGS__);                             \
    } while (0)
#define cr_expect cr_assert

#define Test(suite, name)                                                                          \
    static void suite##_##name(void);                                                              \
    __attribute__((constructor)) static void suite##_##name##_add(void)                            \
    {                                                                                              \
        stub_add(#suite "/" #name, suite##_##name);                                                \
    }                                                                                              \
    static void suite##_##name(void)

#endif
