/* Passphrases of private keys: from a file, a descriptor, or the terminal. Never an argument. */
#ifndef ASSAY_PASSPHRASE_H
#define ASSAY_PASSPHRASE_H

#include "command.h"

enum
{
    PASSPHRASE_MAX = 1000, /* bytes */
};

struct passphrase
{
    char text[PASSPHRASE_MAX + 2]; /* with a final NUL */
    bool known;
};

/*
 * The first line of `file`, or of descriptor `fd` (a number in text); both NULL: *passphrase stays
 * unknown. Returns the exit status, after saying what is wrong: 66 cannot be read, 65 empty or no
 * line of text, 64 no descriptor.
 */
int passphrase_read(const char *file, const char *fd, struct passphrase *passphrase);
/* Asks at the terminal, without echo; with `again` a second time, and both must be equal. Returns
 * the exit status: 77 there is no terminal, 65 nothing entered, or two different ones. */
int passphrase_ask(const char *prompt, const char *again, struct passphrase *passphrase);
/* The text, or NULL where none is known. */
const char *passphrase_text(const struct passphrase *passphrase);
void passphrase_wipe(struct passphrase *passphrase);

#endif
