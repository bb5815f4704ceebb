/* What the two files behind the signing calls of assay.h share. */
#ifndef ENGINE_SIGNING_H
#define ENGINE_SIGNING_H

#include "assay.h"
#include "sign/sign.h"

enum
{
    SIGNERS_MAX = 16,
    SIGNED_FIELDS_BYTES = 2 * 1024 * 1024, /* all new fields of a message */
};

struct assay_key
{
    struct private_key *key; /* owned */
};

/* A message being signed. */
struct signing_work
{
    struct arena arena;
    struct sign_message message;
    struct buffer fields;
    char *error; /* borrowed; may be NULL */
};

void signing_say(char *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* The caller's struct, or as much of it as its program knew of when it was built. */
void signing_copy_sized(void *to, size_t to_size, const void *from, size_t from_size);

/* False with the work's error set; signing_work_end in any case. */
bool signing_work_begin(struct signing_work *work, const void *message, size_t n,
                        char *error) MUST_CHECK;
/* Fills *options from the caller's struct; `key` beside it. False with the error set. */
bool signing_options_from(struct signing_work *work, const struct assay_signer *signer,
                          const struct private_key *key, struct sign_options *options) MUST_CHECK;
/* Appends one DKIM-Signature. False with the error set. */
bool signing_work_sign(struct signing_work *work, const struct sign_options *options) MUST_CHECK;
/* Releases the work; the text of its fields where `ok`, else NULL. */
char *signing_work_end(struct signing_work *work, bool ok);

#endif
