#include "support/corpora.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *corpora_require(const char *name)
{
    static char path[4096];
    const char *root = getenv("ASSAY_CORPORA");
    snprintf(path, sizeof path, "%s/%s", root && *root ? root : "../shared/corpora", name);
    if (access(path, R_OK) != 0)
        cr_skip_test("no corpus %s (set ASSAY_CORPORA)", name);
    return path;
}

struct span file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "cannot open %s", path);
    cr_assert(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    cr_assert(size >= 0);
    rewind(file);
    uint8_t *bytes = malloc((size_t)size + 1);
    cr_assert(bytes != NULL);
    cr_assert(fread(bytes, 1, (size_t)size, file) == (size_t)size, "cannot read %s", path);
    bytes[size] = '\0';
    fclose(file);
    return span_of(bytes, (size_t)size);
}

bool line_next(struct span *rest, struct span *line)
{
    if (rest->n == 0)
        return false;
    size_t end = span_find(*rest, '\n');
    *line = span_slice(*rest, 0, end);
    *rest = span_skip(*rest, end < rest->n ? end + 1 : end);
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

size_t line_cells(struct span line, struct span *cells, size_t max)
{
    size_t count = 0;
    while (count < max) {
        size_t end = span_find(line, '\t');
        cells[count++] = span_slice(line, 0, end);
        if (end == line.n)
            break;
        line = span_skip(line, end + 1);
    }
    return count;
}

void deviations_read(struct deviations *table, const char *path)
{
    table->count = 0;
    struct span rest = file_read(path);
    struct span line;
    while (line_next(&rest, &line)) {
        struct span cells[5] = {{0}};
        if (line.n == 0 || line.p[0] == '#')
            continue;
        cr_assert(line_cells(line, cells, COUNT_OF(cells)) == COUNT_OF(cells),
                  "%s: a row without five columns: %.*s", path, (int)line.n, (const char *)line.p);
        cr_assert(table->count < COUNT_OF(table->rows));
        table->rows[table->count++] =
            (struct deviation){cells[0], cells[1], cells[2], cells[3], cells[4]};
    }
}

const struct deviation *deviation_find(const struct deviations *table, const char *suite,
                                       struct span name)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct deviation *row = &table->rows[i];
        if (span_equal(row->suite, span_from_string(suite)) &&
            (span_equal(row->name, name) || span_equal(row->name, SPAN("*"))))
            return row;
    }
    return NULL;
}

void suite_report(const char *name, size_t cases, size_t passed, size_t deviating)
{
    printf("suite %s: %zu cases, %zu passed, %zu deviate (listed)\n", name, cases, passed,
           deviating);
    fflush(stdout);
}
