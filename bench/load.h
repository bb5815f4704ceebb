/*
 * The load generator's parts: mail (load_mail), a daemon of its own (load_daemon), a name server
 * (load_dns), sending with a ledger (load_run), acceptance (load_quick). assay_load.c is the
 * program.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/attributes.h"

/* One line on stderr; ends the program with status 70, its daemon with it. */
_Noreturn void load_stop(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
