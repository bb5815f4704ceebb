/* The acceptance run: all figures that must hold, in one run of less than 50 s. */
#ifndef BENCH_LOAD_QUICK_H
#define BENCH_LOAD_QUICK_H

#include <jansson.h>
#include <stdbool.h>

/* One object with all figures, the machine and the definitions. *clean: the ledgers are. */
json_t *load_quick(bool *clean);

/* Processor, cores, kernel, date, version. */
json_t *load_machine(void);

#endif
