/* What the files of the story share. */
#ifndef ASSAY_EXPLAIN_STORY_H
#define ASSAY_EXPLAIN_STORY_H

#include <stdarg.h>
#include <stdlib.h>

#include "explain_parts.h"

struct story
{
    struct explaining *e;
    json_t *chapters;
    json_t *paragraphs; /* of the last chapter; borrowed from it */
};

void story_chapter(struct story *story, const char *heading);
/* One more paragraph of it. */
void story_tell(struct story *story, const char *format, ...) PRINTF_LIKE(2, 3);

/* The document's text at a path, or "". */
const char *story_at(const struct story *story, const char *path);
bool story_is(const struct story *story, const char *path, const char *word);
/* The envelope's part at `path` was guessed. */
bool story_guessed(const struct story *story, const char *path);

/* The last chapters: what went wrong, what to do, who. */
void story_end(struct story *story);

#endif
