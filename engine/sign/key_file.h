/*
 * Private keys in files: read, and judged by who else could read or replace them.
 */
#ifndef SIGN_KEY_FILE_H
#define SIGN_KEY_FILE_H

#include "crypto/sign.h"

enum
{
    KEY_FILE_BYTES_MAX = 64 * 1024,
    KEY_FILE_ERROR_MAX = 256,
};

enum key_file_status
{
    KEY_FILE_OK = 0,
    KEY_FILE_UNREADABLE, /* the system's word is in `error` */
    KEY_FILE_LOOSE,      /* others may read or write it, or replace it */
    KEY_FILE_NO_KEY,     /* no private key in PEM, or of a kind or size that cannot sign mail */
    KEY_FILE_PASSPHRASE, /* encrypted, and `passphrase` is NULL or wrong */
    KEY_FILE_NO_MEMORY,
};

/*
 * Reads the key at `path`. `passphrase` may be NULL; OpenSSL never asks for one by itself. A file
 * that others may reach (key_file_looseness) is refused unless `accept_loose`. On failure *key is
 * NULL and `error` has one line that names the file.
 */
enum key_file_status key_file_read(const char *path, const char *passphrase, bool accept_loose,
                                   struct private_key **key,
                                   char error[KEY_FILE_ERROR_MAX]) MUST_CHECK;

/* A key that stands in a KeyTable, DER in base64, not encrypted. NULL where it is none. */
struct private_key *key_file_decode(struct span base64) MUST_CHECK;

/*
 * NULL, or why the file is not as safe as a private key should be, a static text; as opendkim's
 * RequireSafeKeys: read or write bits for others, or for a group that this process is not in, or a
 * directory above it in which everybody may rename (no sticky bit). `path` is followed to where it
 * ends.
 */
const char *key_file_looseness(const char *path);

/*
 * Reads a whole small file (at most `max` bytes) that may hold a secret. KEY_FILE_OK, UNREADABLE or
 * NO_MEMORY. Release with key_file_wipe.
 */
enum key_file_status key_file_bytes(const char *path, size_t max, struct buffer *bytes,
                                    char error[KEY_FILE_ERROR_MAX]) MUST_CHECK;
/* Overwrites the bytes and releases them. */
void key_file_wipe(struct buffer *bytes);

#endif
