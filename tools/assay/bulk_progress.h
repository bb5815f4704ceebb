/*
 * The progress line: one line on stderr, on a terminal only, ten times a second at most. Without
 * colours. It must be cleared before anything else is written to the terminal.
 */
#ifndef ASSAY_BULK_PROGRESS_H
#define ASSAY_BULK_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct bulk_progress
{
    bool on;
    bool shown; /* the line stands on the terminal */
    int64_t begin_ms, drawn_ms;
    uint64_t total_bytes;  /* of the archive; 0: not known */
    uint64_t passed_bytes; /* read, or passed over since they are done already */
    uint64_t read_bytes;   /* read by this run */
    uint64_t messages;     /* finished by this run */
    uint64_t in_flight;
};

/* Is there a terminal for it? */
void bulk_progress_begin(struct bulk_progress *progress);
/* Draws it where it is time to. */
void bulk_progress_show(struct bulk_progress *progress);
void bulk_progress_clear(struct bulk_progress *progress);

/* "12,345"; "1.2 MB". `out` holds 32 bytes; returns it. */
const char *bulk_text_count(uint64_t count, char out[32]);
const char *bulk_text_bytes(uint64_t bytes, char out[32]);

#endif
