/*
 * Tables in the two text forms of opendkim(8) "DATA SETS":
 *
 *   file:PATH, /PATH   a key and its value on each line, between them blanks
 *   refile:PATH        the same, the key being a pattern in which "*" stands for any text
 *
 * "#" begins a comment wherever it stands, blank lines are skipped, the value ends at the end of
 * its line.
 *
 * BUGS: the kinds of data set that are no text files (csl, db, dsn, ldap, lua, memcache, repute,
 * socket) are refused.
 */
#ifndef SIGN_DATA_SET_H
#define SIGN_DATA_SET_H

#include "base/arena.h"
#include "sign/key_file.h"

enum
{
    DATA_SET_BYTES_MAX = 64 * 1024 * 1024,
    DATA_SET_LINE_MAX = 16 * 1024,
    DATA_SET_ERROR_MAX = KEY_FILE_ERROR_MAX,
};

enum data_set_kind
{
    DATA_SET_FILE = 1,
    DATA_SET_REFILE,
};

struct data_set_row
{
    struct span key;   /* borrowed from the text */
    struct span value; /* borrowed; not empty */
    uint32_t line;     /* from 1 */
};

struct data_set
{
    enum data_set_kind kind;
    bool fold; /* keys are compared without regard to case */
    const struct data_set_row *rows;
    uint32_t count;
    /* The rest is the index's own: rows by the hash of their key. */
    uint32_t *buckets;
    uint32_t bucket_count;
};

/* What `spec` names: kind and path. False: a kind that is not read; `error` says so. */
bool data_set_spec(const char *spec, enum data_set_kind *kind, const char **path,
                   char error[DATA_SET_ERROR_MAX]) MUST_CHECK;

/* Reads the file of a table into `text`, which is initialised here. As key_file_bytes. */
enum key_file_status data_set_read(const char *path, struct buffer *text,
                                   char error[DATA_SET_ERROR_MAX]) MUST_CHECK;

/*
 * Splits `text`, which outlives the set, into rows. `label` is the file's name for `error`, which
 * gets one line ("keytable:3: ...") on failure: a key without a value, a NUL, no memory.
 */
bool data_set_parse(struct span text, enum data_set_kind kind, bool fold, const char *label,
                    struct arena *arena, struct data_set *set,
                    char error[DATA_SET_ERROR_MAX]) MUST_CHECK;

/* The first row whose key is `key` (file), or whose pattern matches it (refile), at or behind
 * *from; then *from is set behind it. NULL: none. A file has one row for a key. */
const struct data_set_row *data_set_next(const struct data_set *set, struct span key,
                                         uint32_t *from);

/* `text` matches `pattern`, "*" standing for any text, also none. */
bool data_set_pattern_fits(struct span pattern, struct span text, bool fold);

#endif
