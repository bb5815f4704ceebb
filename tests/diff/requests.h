/* Requests on standard input: a line of fields between HTABs, the last of them a number, then so
 * many octets. */
#ifndef DIFF_REQUESTS_H
#define DIFF_REQUESTS_H

#include "base/span.h"

/* Ends the program: a line on stderr, with the program's name before it. */
_Noreturn void requests_stop(const char *what);

/* Calls `answer` for each, to the end of the input; stops at one that is cut short. `fields` and
 * `content` are good until it returns. */
void requests_answer(unsigned count, void (*answer)(char *const *fields, struct span content));

#endif
