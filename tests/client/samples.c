#include "samples.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "mail/line_ends.h"

enum
{
    TEXT_MAX = 1024 * 1024,
};

struct text
{
    uint8_t *p;
    size_t n;
};

static void append(void *context, struct span bytes)
{
    struct text *text = context;
    cr_assert(text->n + bytes.n <= TEXT_MAX);
    memcpy(text->p + text->n, bytes.p, bytes.n);
    text->n += bytes.n;
}

static struct span read_text(const char *path)
{
    static uint8_t bytes[TEXT_MAX];
    struct text text = {malloc(TEXT_MAX), 0};
    struct line_ends ends;
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL && text.p != NULL, "%s", path);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    line_ends_init(&ends, append, &text);
    line_ends_feed(&ends, span_of(bytes, n));
    return span_of(text.p, text.n);
}

size_t samples_read(struct sample samples[SAMPLES_MAX])
{
    char line[1024], name[64];
    size_t count = 0;
    FILE *file = fopen("share/samples/samples.tsv", "r");
    cr_assert(file != NULL);
    while (fgets(line, sizeof line, file) && count < SAMPLES_MAX) {
        struct sample *s = &samples[count];
        if (*line == '#' || *line == '\n')
            continue;
        cr_assert(sscanf(line, "%63[^\t]\t%63[^\t]\t%127[^\t]\t%127[^\t]\t%31[^\t]", name, s->ip,
                         s->helo, s->mail_from, s->now) == 5,
                  "%s", line);
        snprintf(s->path, sizeof s->path, "share/samples/%s", name);
        s->text = read_text(s->path);
        count++;
    }
    fclose(file);
    cr_assert(count > 10);
    return count;
}
