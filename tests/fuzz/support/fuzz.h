/*
 * What the fuzz targets share. A target is one function, written with FUZZ_TARGET: under the fuzzer
 * (`make fuzz`) it is the entry point, in the test suite (tests/fuzzreplay) one of many.
 */
#ifndef FUZZ_SUPPORT_FUZZ_H
#define FUZZ_SUPPORT_FUZZ_H

#include "base/span.h"

#ifdef FUZZ_ENTRY
#define FUZZ_TARGET(name)                                                                          \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);                                  \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
#else
#define FUZZ_TARGET(name)                                                                          \
    int fuzz_##name(const uint8_t *data, size_t size);                                             \
    int fuzz_##name(const uint8_t *data, size_t size)
#endif

/* What must hold for every input; ends the process where it does not. */
#define FUZZ_CHECK(condition) fuzz_check((condition), #condition, __FILE__, __LINE__)
void fuzz_check(bool holds, const char *condition, const char *file, int line);

/* Splits off what stands before the next line that is "===", or all there is. */
struct span fuzz_part(struct span *rest);
/* Splits off the next line, without its line end. */
struct span fuzz_line(struct span *rest);
/* A copy whose end is the end of its memory, so that the sanitizer sees the first octet too far. */
struct span fuzz_copy(struct span s);
void fuzz_free(struct span copy);
/* `inner` lies in `outer`, or is empty. */
bool fuzz_inside(struct span inner, struct span outer);

#endif
