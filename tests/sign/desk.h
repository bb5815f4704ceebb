/*
 * What the tests of the signing commands share: a folder with keys and their published records, a
 * terminal, other people's verifiers.
 */
#ifndef SIGN_DESK_H
#define SIGN_DESK_H

#include "support/tool.h"

/* FOLDER/name; malloc'd. */
char *in_folder(const char *name);
/* A file there with these permissions; malloc'd path. */
char *put_file(const char *name, const char *text, unsigned mode);
/* What the file holds, NUL-terminated; the test fails where it cannot be read. */
char *file_text(const char *path);
bool file_exists(const char *path);

/* Makes a key with `assay keygen` (further arguments end with NULL) and returns its path. */
char *make_key(const char *domain, const char *selector, const char *type, const char *bits);
/* The zone-file line of a key, as `assay keygen --from` prints it. */
char *record_of(const char *key, const char *domain, const char *selector);
/* Text put together; malloc'd. */
char *join(const char *a, const char *b, const char *c);

/* A person at a terminal: waits for each prompt, then types the answer behind it. */
struct exchange
{
    const char *prompt; /* NULL: no more */
    const char *answer; /* with its "\n" */
};
/* The tool with a terminal of its own; `out` has all that the terminal showed, `err` is empty.
 * *echo_left says whether the terminal echoes again at the end. */
struct outcome assay_at_terminal(const struct exchange *exchanges, bool *echo_left,
                                 const char *const *argv);
/* The tool without a controlling terminal. */
struct outcome assay_without_terminal(const char *const *argv);

/* What dkimpy and Mail::DKIM say about a message file, with keys from a zone file: lines like
 * "dkim rsa-sha256 pass" and "arc pass". The test is skipped with a reason where they are not
 * installed. */
char *dkimpy_says(const char *zone, const char *message);
char *mail_dkim_says(const char *zone, const char *message);

#endif
