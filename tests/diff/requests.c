#include "requests.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum
{
    LINE_BYTES = 16 * 1024,
    FIELDS_MAX = 16,
};

void requests_stop(const char *what)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    exit(1);
}

void requests_answer(unsigned count, void (*answer)(char *const *fields, struct span content))
{
    char line[LINE_BYTES];
    assert(count > 0 && count <= FIELDS_MAX);
    while (fgets(line, sizeof line, stdin)) {
        char *fields[FIELDS_MAX], *at = line;
        for (unsigned i = 0; i < count; i++)
            if (!(fields[i] = strsep(&at, "\t\n")))
                requests_stop("too few fields");
        size_t n = strtoull(fields[count - 1], NULL, 10);
        uint8_t *content = malloc(n ? n : 1);
        if (!content || fread(content, 1, n, stdin) != n)
            requests_stop("content is missing");
        answer(fields, span_of(content, n));
        free(content);
    }
}
