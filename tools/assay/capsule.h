/*
 * A capsule: a message's verdict with all that it came from, as JSON text that people can read,
 * mail and edit. `assay check --record` writes it, `assay replay` judges it again, offline.
 *
 *   {"assay_capsule": 1, "version": "0.1.0",
 *    "envelope": {...}, "settings": {...}, "header": [...], "body_hashes": {...},
 *    "body": null or [...], "dns": [...], "verdict": {...}, "digests": {...}}
 *
 *   envelope     file, client, helo, mail_from, recipients, tls_version, tls_cipher
 *   settings     received_at and every option that bears on a verdict; psl: what the Public Suffix
 *                List said of the names that were asked
 *   header, body the octets, cut at each CRLF: joined by CRLF the strings give them again
 *   body_hashes  what the judges take from a body: octets, and per canonicalization and l= the hash
 *   dns          every answer used, NXDOMAIN, empty ones and failures too, as lines of a zone file
 *   verdict      the object that `assay check --json` prints
 *   digests      of each section above: SHA-256 of its compact JSON (`jq -cj .dns | sha256sum`)
 *
 * A text that is no UTF-8 or has control characters stands as {"base64": "..."}. A file holds one
 * capsule or several, one behind the other; white space means nothing.
 *
 * BUGS: the digests tell what was changed since, not who wrote it: they are no signature.
 */
#ifndef ASSAY_CAPSULE_H
#define ASSAY_CAPSULE_H

#include <jansson.h>

#include "engine.h"

/* clang-format off */
#define CAPSULE_SECTION_TABLE(X) \
    X(ENVELOPE, "envelope") X(SETTINGS, "settings") X(HEADER, "header") \
    X(BODY_HASHES, "body_hashes") X(BODY, "body") X(DNS, "dns") X(VERDICT, "verdict")
/* clang-format on */

enum capsule_section
{
#define CAPSULE_SECTION_ID(name, word) CAPSULE_##name,
    CAPSULE_SECTION_TABLE(CAPSULE_SECTION_ID)
#undef CAPSULE_SECTION_ID
        CAPSULE_SECTIONS
};

enum
{
    CAPSULE_FORMAT = 1,
    CAPSULE_BYTES_MAX = 128 * 1024 * 1024,      /* one capsule: a message of 50 MiB fits */
    CAPSULE_FILE_BYTES_MAX = 256 * 1024 * 1024, /* all of a file */
    CAPSULE_VALUES_MAX = 400 * 1000,            /* JSON values of one capsule */
    CAPSULE_DEPTH_MAX = 12,
    CAPSULE_LINES_MAX = 100 * 1000, /* of header or body; above, it stands as one text */
    CAPSULE_ARENA_BYTES = 2 * CAPSULE_BYTES_MAX,
};

enum
{
    CAPSULE_MODES = 3,
};
extern const char *const capsule_mode_words[CAPSULE_MODES]; /* by enum dmarc_mode */
extern const char *const capsule_canon_words[BODY_CANONS];  /* by enum canon */
const char *capsule_section_word(enum capsule_section section);
/* The digest of a section: SHA-256 of its compact JSON as hexadecimal text. False without memory.
 */
bool capsule_digest(const json_t *section, char hex[2 * SHA256_BYTES + 1]) MUST_CHECK;

/* Texts that need not be UTF-8 (capsule_text.c). ---------------------------------------------- */

struct jsonw;

void capsule_put_text(struct jsonw *json, const char *key, struct span text);
/* Cut at each CRLF. */
void capsule_put_lines(struct jsonw *json, const char *key, struct span text);
/* The text of a value that one of the two wrote; borrowed from it or in `arena`. False: it is none,
 * or there is no memory (arena->failed). */
bool capsule_text(const json_t *value, struct arena *arena, struct span *text) MUST_CHECK;
bool capsule_lines(const json_t *value, struct arena *arena, struct span *text) MUST_CHECK;

/* Writing (capsule_write.c). ------------------------------------------------------------------- */

struct capsule_record
{
    const struct assay_engine *engine;
    struct assay_message *message; /* ended */
    struct span file;
    struct span header, body; /* as fed; body.p NULL: only its hashes are kept */
};

/* Appends a capsule. False where `out` has failed, or hashing the body has. */
bool capsule_write(const struct capsule_record *record, struct buffer *out) MUST_CHECK;

/* Reading (capsule_read.c). -------------------------------------------------------------------- */

struct capsule
{
    json_t *root; /* owned; spans and strings below are borrowed from it or in `arena` */
    struct arena arena;
    const char *version;
    struct span file;
    struct assay_envelope envelope;
    struct assay_config config;
    const struct dmarc_psl_pair *psl;
    size_t psl_count;
    struct span header, body; /* body.p NULL: not recorded */
    struct body_facts facts;
    bool too_large;
    struct span dns;       /* zone file text */
    const json_t *verdict; /* borrowed */
    unsigned changed;      /* bit per section whose digest does not fit */
};

/*
 * Cuts the next capsule off *rest: an object of JSON within the limits, white space around it.
 * Looks at brackets and strings only, so that nothing is parsed that is too deep or has too many
 * values. False with `error`. An empty *rest, or one of white space, gives an empty object.
 */
bool capsule_cut(struct span *rest, struct span *object, char error[ASSAY_ERROR_MAX]) MUST_CHECK;
/* Reads one. False with one line in `error`; capsule_free in any case. */
bool capsule_read(struct span object, struct capsule *capsule,
                  char error[ASSAY_ERROR_MAX]) MUST_CHECK;
void capsule_free(struct capsule *capsule);

/* Judging again (capsule_judge.c). ------------------------------------------------------------- */

struct capsule_replay
{
    struct assay_engine engine;
    struct assay_message *message; /* ended; owned */
};

/* Judges it with its own answers; what it did not record fails as "not_recorded". False with
 * `error`; capsule_replay_free in any case. */
bool capsule_judge(const struct capsule *capsule, struct capsule_replay *replay,
                   char error[ASSAY_ERROR_MAX]) MUST_CHECK;
void capsule_replay_free(struct capsule_replay *replay);
/* The reason of an answer that a capsule does not have. */
extern const char capsule_not_recorded[];

/* Where two verdicts differ (capsule_compare.c). ------------------------------------------------
 */

enum
{
    CAPSULE_DIFFERENCES_MAX = 64,
    CAPSULE_PATH_MAX = 128,
};

struct capsule_difference
{
    char path[CAPSULE_PATH_MAX]; /* "dkim[0].result" */
    const json_t *was, *is;      /* borrowed; NULL: not there */
};

struct capsule_differences
{
    struct capsule_difference list[CAPSULE_DIFFERENCES_MAX];
    size_t count; /* all there are, those beyond the list too */
};

void capsule_compare(const json_t *was, const json_t *is, struct capsule_differences *differences);

#endif
