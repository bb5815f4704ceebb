/* What the tests of --profile, --story and --html run the tool with. */
#ifndef PAGE_ZONE_H
#define PAGE_ZONE_H

#include "support/tool.h"

#define SAMPLES "share/samples/"
#define CLIENT "192.0.2.10"

/* The samples' zone and names for the clients' addresses, as a temporary file. */
const char *page_zone(void);
/* The samples' zone with `more` lines behind it. */
const char *page_zone_with(const char *more);
/* A sample's text after a replacement; malloc'd. `find` must be there. */
char *sample_with(const char *name, const char *find, const char *put);
char *file_text(const char *path, size_t *n);

#endif
