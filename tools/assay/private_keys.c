#include "private_keys.h"

#include "sign/key_file.h"

int private_keys_begin(struct private_keys *keys)
{
    return passphrase_read(keys->passphrase_file, keys->passphrase_fd, &keys->passphrase);
}

static int exit_status(enum key_file_status status)
{
    switch (status) {
    case KEY_FILE_OK:
        return STATUS_OK;
    case KEY_FILE_UNREADABLE:
        return STATUS_NO_INPUT;
    case KEY_FILE_NO_KEY:
        return STATUS_BAD_INPUT;
    case KEY_FILE_LOOSE:
    case KEY_FILE_PASSPHRASE:
        return STATUS_NO_PERMISSION;
    case KEY_FILE_NO_MEMORY:
        break;
    }
    return STATUS_SOFTWARE;
}

static int ask(struct private_keys *keys, const char *path)
{
    char prompt[512];
    snprintf(prompt, sizeof prompt, "Passphrase of %.400s: ", path);
    return passphrase_ask(prompt, NULL, &keys->passphrase);
}

int private_keys_open(struct private_keys *keys, const char *path, struct private_key **key)
{
    char error[KEY_FILE_ERROR_MAX] = "";
    enum key_file_status status =
        key_file_read(path, passphrase_text(&keys->passphrase), keys->accept_loose, key, error);
    if (status == KEY_FILE_PASSPHRASE && !keys->passphrase.known) {
        int asked = ask(keys, path);
        if (asked)
            return asked;
        status =
            key_file_read(path, passphrase_text(&keys->passphrase), keys->accept_loose, key, error);
    }
    if (status)
        complain("%s%s", error,
                 status == KEY_FILE_LOOSE ? "; --insecure-key accepts it all the same" : "");
    return exit_status(status);
}

int private_keys_decode(const struct private_keys *keys, struct span base64, const char *name,
                        const char *table, struct private_key **key)
{
    const char *loose = keys->accept_loose ? NULL : key_file_looseness(table);
    *key = loose ? NULL : key_file_decode(base64);
    if (*key)
        return STATUS_OK;
    if (loose) {
        complain("%s: a table with a key in it: %s; --insecure-key accepts it all the same", table,
                 loose);
        return STATUS_NO_PERMISSION;
    }
    complain("%s: its third part is neither a path (/..., ./..., ../...) nor a private key in "
             "base64",
             name);
    return STATUS_BAD_INPUT;
}

void private_keys_end(struct private_keys *keys)
{
    passphrase_wipe(&keys->passphrase);
}
