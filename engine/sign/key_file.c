/*
 * Limits: 64 KiB for a key file.
 *
 * BUGS: access control lists are not looked at, only modes. Who owns the file is not judged: its
 * owner may be the mail system's user while root signs.
 */
#include "sign/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buffer_read.h"

enum
{
    GROUPS_MAX = 256,
    PIECE_BYTES = KEY_FILE_BYTES_MAX + 1, /* a key comes in one piece and is never copied about */
};

static enum key_file_status say(char error[KEY_FILE_ERROR_MAX], enum key_file_status status,
                                const char *path, const char *what)
{
    snprintf(error, KEY_FILE_ERROR_MAX, "%.150s: %s", path, what);
    return status;
}

static enum key_file_status read_fd(int fd, const char *path, size_t max, struct buffer *bytes,
                                    char error[KEY_FILE_ERROR_MAX])
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return say(error, KEY_FILE_UNREADABLE, path, strerror(errno));
    if (S_ISDIR(facts.st_mode))
        return say(error, KEY_FILE_UNREADABLE, path, strerror(EISDIR));
    if (buffer_read(bytes, fd, max, PIECE_BYTES))
        return KEY_FILE_OK;
    if (bytes->failed)
        return say(error, KEY_FILE_NO_MEMORY, path, "no memory");
    return say(error, KEY_FILE_UNREADABLE, path, strerror(errno));
}

enum key_file_status key_file_bytes(const char *path, size_t max, struct buffer *bytes,
                                    char error[KEY_FILE_ERROR_MAX])
{
    buffer_init(bytes, max + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return say(error, KEY_FILE_UNREADABLE, path, strerror(errno));
    enum key_file_status status = read_fd(fd, path, max, bytes, error);
    close(fd);
    if (status)
        key_file_wipe(bytes);
    return status;
}

void key_file_wipe(struct buffer *bytes)
{
    if (bytes->p)
        explicit_bzero(bytes->p, bytes->capacity);
    buffer_fini(bytes);
}

static bool in_group(gid_t group)
{
    gid_t groups[GROUPS_MAX];
    int count = getgroups(GROUPS_MAX, groups);
    for (int i = 0; i < count; i++)
        if (groups[i] == group)
            return true;
    return group == getegid();
}

/* Somebody may put another file in the place of one in this directory. */
static bool anybody_may_rename(const struct stat *directory)
{
    return (directory->st_mode & S_IWOTH) && !(directory->st_mode & S_ISVTX);
}

static bool parents_are_loose(char *path)
{
    struct stat facts;
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        *slash = '\0';
        if (stat(*path ? path : "/", &facts) == 0 && anybody_may_rename(&facts))
            return true;
    }
    return false;
}

const char *key_file_looseness(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
        return NULL; /* cannot be read at all, or a pipe of ours */
    if (facts.st_mode & S_IRWXO & ~S_IXOTH)
        return "others may read or write it (chmod 600)";
    if ((facts.st_mode & (S_IRGRP | S_IWGRP)) && !in_group(facts.st_gid))
        return "its group may read or write it (chmod 600)";
    char *real = realpath(path, NULL);
    bool loose = real && parents_are_loose(real);
    free(real);
    return loose ? "everybody may replace it: a directory above it is writable by others" : NULL;
}

static enum key_file_status read_key(const char *path, struct span pem, const char *passphrase,
                                     struct private_key **key, char error[KEY_FILE_ERROR_MAX])
{
    const char *word;
    *key = private_key_from_pem(pem, passphrase, &word);
    if (*key)
        return KEY_FILE_OK;
    if (strcmp(word, "wrong_passphrase") == 0)
        return say(error, KEY_FILE_PASSPHRASE, path,
                   passphrase ? "the passphrase is not that of this key"
                              : "the key is encrypted and no passphrase was given");
    if (strcmp(word, "unsupported_key") == 0)
        return say(error, KEY_FILE_NO_KEY, path,
                   "the key is neither RSA of 1024 to 8192 bits nor Ed25519");
    if (strcmp(word, "no_memory") == 0)
        return say(error, KEY_FILE_NO_MEMORY, path, "no memory");
    return say(error, KEY_FILE_NO_KEY, path, "this is no private key in PEM form");
}

enum key_file_status key_file_read(const char *path, const char *passphrase, bool accept_loose,
                                   struct private_key **key, char error[KEY_FILE_ERROR_MAX])
{
    struct buffer pem;
    *key = NULL;
    const char *loose = accept_loose ? NULL : key_file_looseness(path);
    if (loose)
        return say(error, KEY_FILE_LOOSE, path, loose);
    enum key_file_status status = key_file_bytes(path, KEY_FILE_BYTES_MAX, &pem, error);
    if (status)
        return status;
    status = read_key(path, buffer_span(&pem), passphrase, key, error);
    key_file_wipe(&pem);
    return status;
}

struct private_key *key_file_decode(struct span base64)
{
    struct buffer der;
    size_t n, room_bytes = BASE64_DECODED_MAX(base64.n);
    const char *word;
    struct private_key *key = NULL;
    buffer_init(&der, room_bytes);
    uint8_t *room = buffer_reserve(&der, room_bytes);
    if (room && base64_decode(base64, room, room_bytes, &n))
        key = private_key_from_der(span_of(room, n), &word);
    key_file_wipe(&der);
    return key;
}
