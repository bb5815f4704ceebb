/* Archives for the tests of assay bulk, made in the test's temporary folder, and ledgers of what
 * came out. */
#ifndef BULK_ARCHIVE_H
#define BULK_ARCHIVE_H

#include "base/attributes.h"
#include "support/corpora.h"
#include "support/tool.h"

#define ZONE "share/samples/zone.txt"
#define NOW "1792972860" /* the samples' time */

enum
{
    SAMPLES = 27,
};

/* The names of the shipped samples, sorted. */
const char *const *sample_names(void);
struct span sample_bytes(size_t nth);

/* A path in the temporary folder; the text lives as long as the process. */
const char *archive_path(const char *name);
/* A folder with parents as needed. */
const char *archive_folder(const char *name);
const char *archive_file(const char *name, struct span bytes);
/* The samples in a folder. */
const char *archive_of_samples(const char *name);
/* `count` files in a folder, samples over and over: "00001-pass.eml" ... */
const char *archive_repeated(const char *name, size_t count);
/* The same as one mbox. */
const char *archive_mbox(const char *name, size_t count);
/* Appends a message as mbox has it. */
void append_to_mbox(FILE *file, struct span message);

/* Lines of verdicts by the name of the message; the last line need not be complete. */
struct ledger
{
    json_t *verdicts; /* name to object */
    json_t *times;    /* name to how often */
    size_t lines;
};
void ledger_read(struct ledger *ledger, const char *lines);
void ledger_free(struct ledger *ledger);
size_t ledger_times(const struct ledger *ledger, const char *name);

/* The object behind "summary" in the last line of `err`. */
json_t *summary_of(const char *err);
json_int_t number_at(const json_t *object, const char *path);

/* Bytes of a file, NUL behind; "" where there is none. */
char *text_of_file(const char *path);

/* As often as `done` is false, at most 30 s; then the test fails. */
#define WAIT_UNTIL(done)                                                                           \
    do {                                                                                           \
        for (int wait_turns = 0; !(done); wait_turns++) {                                          \
            cr_assert(wait_turns < 3000, "waited too long: %s", #done);                            \
            usleep(10000);                                                                         \
        }                                                                                          \
    } while (0)

#endif
