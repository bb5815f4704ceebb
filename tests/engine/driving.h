/*
 * Drives one message through message.h as the pool would, over a near source or without. With one
 * the message is hashed through a queue, as in the pool; without one at once.
 */
#ifndef TESTS_ENGINE_DRIVING_H
#define TESTS_ENGINE_DRIVING_H

#include <jansson.h>

#include "engine.h"
#include "near_source.h"

/* When the message is set aside and the round ends. */
enum park_at
{
    PARK_NEVER = 0,
    PARK_FED = 1,      /* after every message_init, message_feed and message_end */
    PARK_ASKED = 2,    /* after every message_step, before what it asks for is done */
    PARK_ANSWERED = 4, /* after what it asked for was done */
    PARK_EVERYWHERE = PARK_FED | PARK_ASKED | PARK_ANSWERED,
};

struct driving
{
    struct assay_engine *engine; /* options, and the source of answers that are put */
    struct near_source *near;    /* NULL: every answer is put */
    bool lend;                   /* answers are lent, not put */
    unsigned park;
    size_t piece;       /* bytes fed at once; 0: all */
    size_t arena_bytes; /* the arena's ceiling; 0: as it is */
    unsigned steps_waiting;
    unsigned steps_hashed;
};

/* A line of share/samples/samples.tsv, or made by hand. */
struct sample
{
    char file[128];
    struct message_envelope envelope;
};

struct assay_engine *driving_engine(const char *zone_file);
/* Reads the shipped table; returns how many. */
size_t samples_read(struct sample *samples, size_t most);
struct span sample_text(const char *file);

/* The verdict as JSON text; malloc'd. */
char *drive(struct driving *driving, const struct message_envelope *envelope, struct span text);
/* The same, and the message is left as it ended, to be looked at; message_fini is the caller's. */
void drive_message(struct driving *driving, const struct message_envelope *envelope,
                   struct span text, struct message *message);
char *message_json(const struct message *message);

/* Equal but for the order of "dns", which depends on when answers come. */
bool same_verdict(const char *a, const char *b);
/* Equal but for "dns": where the answers are there at once, a psd= tag ends the walk before the
 * levels above it were asked for (dmarc/walk.c). */
bool same_but_questions(const char *a, const char *b);
/* "got ... want ...", from a little before where they part. Static storage. */
const char *verdict_difference(const char *got, const char *want);

#endif
