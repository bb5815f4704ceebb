/* Private key files, their passphrases and what goes wrong with them, for all signing commands. */
#ifndef ASSAY_PRIVATE_KEYS_H
#define ASSAY_PRIVATE_KEYS_H

#include "crypto/sign.h"
#include "flags.h"
#include "passphrase.h"

struct private_keys
{
    const char *passphrase_file, *passphrase_fd; /* options */
    bool accept_loose;                           /* --insecure-key */
    struct passphrase passphrase;
};

/* Rows for a table of options whose struct has a struct private_keys `member`. */
/* clang-format off */
#define PRIVATE_KEYS_FLAGS(type, member) \
    {"passphrase-file", 0, FLAG_TEXT, "FILE", "the passphrase is its first line", \
     offsetof(struct type, member.passphrase_file), 0}, \
    {"passphrase-fd", 0, FLAG_TEXT, "N", "the passphrase is the first line of descriptor N", \
     offsetof(struct type, member.passphrase_fd), 0}, \
    {"insecure-key", 0, FLAG_SET, NULL, "accept key files that others may read or replace", \
     offsetof(struct type, member.accept_loose), 0}
/* The same for where answers come from, with a struct options `member`. */
#define DNS_FLAGS(type, member) \
    {"dns", 0, FLAG_TEXT, "FILE", "answers from a zone file instead of the network", \
     offsetof(struct type, member.dns), 0}, \
    {"resolver", 0, FLAG_TEXT, "ADDR[@PORT]", "ask there; default: /etc/resolv.conf", \
     offsetof(struct type, member.resolver), 0}, \
    {"timeout", 0, FLAG_NUMBER, "MS", "time for all questions; default 25000", \
     offsetof(struct type, member.timeout_ms), 600 * 1000}
/* clang-format on */

/* Reads the passphrase that the options name. Returns the exit status. */
int private_keys_begin(struct private_keys *keys);
/*
 * Opens a key file; an encrypted one whose passphrase no option gave has it asked at the terminal.
 * Returns the exit status after saying what is wrong: 66 cannot be read, 65 no key, 77 loose mode
 * or wrong passphrase.
 */
int private_keys_open(struct private_keys *keys, const char *path, struct private_key **key);
/* The same for a key in base64 that stands in the KeyTable `table` itself; `name` is its entry. */
int private_keys_decode(const struct private_keys *keys, struct span base64, const char *name,
                        const char *table, struct private_key **key);
void private_keys_end(struct private_keys *keys);

#endif
