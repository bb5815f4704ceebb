/* One chain and one run, shared by the tests of a file: each test starts with an empty chain. */
#ifndef ARC_ARC_CASE_H
#define ARC_ARC_CASE_H

#include "arc/arc_run.h"
#include "arc/chain_build.h"

extern struct chain chain;
extern struct arc_run run;

void case_setup(void);
void case_teardown(void);
/* An empty chain again. */
void renew(void);

void judge_with(const struct arc_options *options);
void judge(void);
/* Judges the chain as it is and looks at result, reason and the set to blame. */
void expect(const char *name, enum result result, const char *reason, uint32_t fault);

/* The first `from` in a field's value becomes `to`. */
void edit(uint32_t instance, enum chain_field field, const char *from, const char *to);
/* Takes a field out. */
void cut(uint32_t instance, enum chain_field field);
void set_body(const char *text);

#endif
