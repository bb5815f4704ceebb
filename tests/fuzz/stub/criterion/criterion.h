/* For parts of the test suites that the fuzzers use: an assertion ends the process. */
#ifndef FUZZ_STUB_CRITERION_H
#define FUZZ_STUB_CRITERION_H

#include "fuzz/support/fuzz.h"

#define cr_assert(condition, ...) FUZZ_CHECK(condition)

#endif
