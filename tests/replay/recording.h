/* Records with `assay check --record` and replays, as a person would. */
#ifndef TESTS_REPLAY_RECORDING_H
#define TESTS_REPLAY_RECORDING_H

#include "support/tool.h"

enum
{
    ARGUMENTS_MAX = 48,
};

/* A call that is put together. */
struct call
{
    const char *argv[ARGUMENTS_MAX];
    size_t n;
};

void call_add(struct call *call, const char *argument);
#define CALL(call, ...) call_add_all(call, (const char *const[]){__VA_ARGS__, NULL})
void call_add_all(struct call *call, const char *const *arguments);
struct outcome call_run(const struct call *call);

/* Runs `check`, a call of `assay check` without --record, --json and its like, with the body and
 * without, in each form of output, and replays: standard output is the same, nothing is said.
 * `path` is the capsule's. */
void expect_same(const struct call *check, const char *path);

/* Records pass.eml of the samples into `path`; `form` is "--with-body" or NULL. */
void record_sample(const char *path, const char *form);
/* A file's path in the test's temporary folder. */
const char *temporary_path(const char *name);

/* The capsule as JSON; and written back, indented by so much. */
json_t *capsule_load(const char *path);
void capsule_store(const json_t *capsule, const char *path, size_t indent);

#endif
