/*
 * Cases that other people wrote, read from where ASSAY_CORPORA points, or from ../shared/corpora
 * beside the project. Where they are absent the test is skipped and says so.
 */
#ifndef SUPPORT_CORPORA_H
#define SUPPORT_CORPORA_H

#include "base/buffer.h"
#include "base/span.h"

/* The full path of a corpus file or folder; static storage, good until the next call. Skips the
 * running Criterion test with a reason where it does not exist. */
const char *corpora_require(const char *name);

/* A whole file's bytes, NUL-terminated one past the end; malloc'd, freed by the process's end.
 * Fails the test when it cannot be read. */
struct span file_read(const char *path);

/* Splits off the next line (without its LF and a CR before it). False at the end. */
bool line_next(struct span *rest, struct span *line);
/* Splits `line` at HTABs into at most `max` cells; returns how many. */
size_t line_cells(struct span line, struct span *cells, size_t max);

/*
 * Deviations: a table in the test tree, tests/<module>/deviations.tsv, with the columns suite,
 * case, expected, ours, why (RFC section). '#' begins a comment line.
 */
struct deviation
{
    struct span suite, name, expected, ours, why;
};
struct deviations
{
    struct deviation rows[512];
    size_t count;
};
void deviations_read(struct deviations *table, const char *path);
/* The row of this case, or NULL. A name of "*" in the table stands for every case of its suite. */
const struct deviation *deviation_find(const struct deviations *table, const char *suite,
                                       struct span name);

/* One line that tests/run shows: "suite NAME: N cases, N passed, N deviate (listed)". */
void suite_report(const char *name, size_t cases, size_t passed, size_t deviating);

#endif
