/* Runs the assay tool as a person would: arguments, standard input, exit status, both outputs. */
#ifndef SUPPORT_TOOL_H
#define SUPPORT_TOOL_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <sys/types.h>

#include "base/span.h"

struct outcome
{
    int status;
    char *out, *err; /* NUL-terminated, malloc'd */
    size_t out_bytes;
};

/* A tool that runs beside the test; its standard input and outputs as given, -1: /dev/null. It is
 * killed after a minute in any case. */
pid_t assay_start(const char *const *argv, int in, int out, int err);

/* argv begins with the first argument behind "assay" and ends with NULL. `input` goes to its stdin.
 */
struct outcome assay(struct span input, const char *const *argv);
#define ASSAY(...) assay(SPAN(""), (const char *const[]){__VA_ARGS__, NULL})
#define ASSAY_INPUT(input, ...) assay(input, (const char *const[]){__VA_ARGS__, NULL})

/* The test's temporary folder; it is removed when the test's process ends. */
const char *temporary_folder(void);
/* Writes a file into the test's temporary folder and returns its path (static ring of eight). */
const char *temporary_file(const char *name, struct span text);

/* The nth line of the output as JSON; the test fails where it is none. */
json_t *json_line(const char *out, size_t nth);
size_t count_lines(const char *text);

/* "spf.result" and the like: the string at a path of keys and array indexes ("dkim.0.result"), or
 * NULL. */
const char *json_text(const json_t *object, const char *path);
const json_t *json_at(const json_t *object, const char *path);

#endif
