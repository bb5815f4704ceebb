/* What `assay sign` and `assay seal` share: their message, their options, the check of DS-8. */
#ifndef ASSAY_SIGNING_H
#define ASSAY_SIGNING_H

#include "mail_file.h"
#include "sign/sign.h"
#include "signers.h"

struct signing_options
{
    const char *canon, *headers, *out;
    uint64_t now;
    bool check, header_only;
    struct private_keys keys;
};

/* clang-format off */
#define SIGNING_FLAGS(type, member) \
    {"canonicalization", 'c', FLAG_WORD, \
     "relaxed/relaxed|relaxed/simple|simple/relaxed|simple/simple|relaxed|simple", \
     "of header and body; default relaxed/relaxed", \
     offsetof(struct type, member.canon), 0}, \
    {"headers", 0, FLAG_TEXT, "LIST", "the fields to sign, as h= has them: from:to:subject", \
     offsetof(struct type, member.headers), 0}, \
    {"now", 0, FLAG_NUMBER, "EPOCH", "time of signing (t=); default: the clock", \
     offsetof(struct type, member.now), UINT64_C(999999999999)}, \
    {"check", 0, FLAG_SET, NULL, "refuse unless the published key is that of the private key", \
     offsetof(struct type, member.check), 0}, \
    {"header-only", 0, FLAG_SET, NULL, "print the new fields alone", \
     offsetof(struct type, member.header_only), 0}, \
    {"out", 'o', FLAG_TEXT, "FILE", "write there, whole or not at all; it may be the input", \
     offsetof(struct type, member.out), 0}, \
    PRIVATE_KEYS_FLAGS(type, member.keys)
/* clang-format on */

/* A message that is to be signed, taken apart. */
struct signing
{
    struct mail_file file;
    struct arena arena;
    struct sign_message message;
    struct buffer fields; /* the new ones */
};

void signing_init(struct signing *signing);
void signing_free(struct signing *signing);
/* Reads the message of a command that takes one at most. Returns the exit status. */
int signing_read(struct signing *signing, const struct operands *operands);
/* Fills in what `options` and `signer` say. Returns the exit status. */
int signing_fill(const struct signing_options *options, const struct signer *signer,
                 struct sign_options *out);
/* Opens the signer's key; with --check compares it with the published one (`shared` says where
 * to ask). Returns the exit status. */
int signing_open_key(struct signing_options *options, const struct options *shared,
                     struct signer *signer);
/* The exit status for a reason word of signing, after saying it. */
int signing_refused(const struct signing *signing, const char *reason);

#endif
