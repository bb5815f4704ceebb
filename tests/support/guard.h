/* Copies that end at an inaccessible page: one byte read too far is a crash (style.md "Tests"). */
#ifndef SUPPORT_GUARD_H
#define SUPPORT_GUARD_H

#include "base/span.h"

/* A copy of `s` whose end is the end of the mapped memory. Never freed: tests are short. */
struct span guard_copy(struct span s);

#endif
