/*
 * Options of one command as a table: it drives reading, help, completion, and the test that
 * compares the manual pages with it.
 *
 * Each row says where in the command's struct the value goes.
 */
#ifndef ASSAY_FLAGS_H
#define ASSAY_FLAGS_H

#include <stddef.h>
#include <stdio.h>

#include "base/attributes.h"
#include "command.h"

enum flag_kind
{
    FLAG_SET = 1,  /* bool, set to true */
    FLAG_TEXT,     /* const char * */
    FLAG_TEXTS,    /* struct flag_texts: may stand several times */
    FLAG_NUMBER,   /* uint64_t, 1 to max */
    FLAG_DURATION, /* uint64_t seconds, 1 to max; "90", "15m", "12h", "7d" */
    FLAG_WORD,     /* const char *, one of the words of `argument`: "rsa|ed25519" */
    FLAG_ADDRESS,  /* const char *, an IPv4 or IPv6 address */
};

struct flag
{
    const char *name; /* behind "--" */
    char letter;      /* behind "-"; 0: none */
    enum flag_kind kind;
    const char *argument; /* word for its value in the help; NULL for FLAG_SET. FILE, TABLE, PATH
                             and DIR are completed as files */
    const char *help;     /* one line, or several with LF between them */
    size_t offset;        /* in the command's struct */
    uint64_t max;
};

extern const struct flag bulk_flags[], check_flags[], explain_flags[], spf_flags[], dmarc_flags[],
    query_flags[], keygen_flags[], testkey_flags[], sign_flags[], seal_flags[], replay_flags[],
    record_flags[], lint_flags[];

/* Where the rest of the arguments is. */
struct operands
{
    char **texts;
    int count;
};

/* Fills the struct `into`. False after it has said what is wrong. `flags` ends with a row without a
 * name. */
bool flags_read(int argc, char **argv, const struct flag *flags, void *into,
                struct operands *operands) MUST_CHECK;
/* The next of the words in "rsa|ed25519"; false at the end. *rest begins as the whole text. */
bool flag_word_next(struct span *rest, struct span *word) MUST_CHECK;
/* One value as if it stood behind the option `name`; with FLAG_SET no text is looked at. */
bool flags_set(const struct flag *flags, const char *name, const char *text, void *into) MUST_CHECK;
/* The nth value that an option has, NULL behind the last; "" of one that is no text. */
const char *flag_value(const struct flag *flag, const void *from, size_t nth);
/* The options' lines of the help. */
void flags_print(const struct flag *flags, FILE *out);

#endif
