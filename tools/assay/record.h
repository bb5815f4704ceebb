/* `assay check --record FILE`: keeps what a capsule needs while messages are judged. */
#ifndef ASSAY_RECORD_H
#define ASSAY_RECORD_H

#include "command.h"

struct record
{
    const char *path; /* NULL: nothing is recorded */
    bool with_body;
    size_t capsules;
    struct buffer header, body; /* of the message that is being read */
    struct buffer out;          /* the capsules so far */
};

void record_init(struct record *record, const struct options *options);
void record_fini(struct record *record);

/* A message begins. */
void record_begin(struct record *record);
/* Feeds `bytes` to the message and keeps of them what belongs into the capsule. */
void record_feed(struct record *record, struct assay_message *message, struct span bytes);
/* The message was judged. Returns the exit status after saying what is wrong. */
int record_message(struct record *record, const struct assay_engine *engine,
                   struct assay_message *message, const char *file);
/* Writes the file, if there is something to write. Returns the exit status. */
int record_write(struct record *record);

#endif
