/*
 * Sender rules of a mailbox provider (`assay explain --profile`), read from a data file, and one
 * message judged by them. share/profiles/gmail.conf has the grammar.
 *
 * BUGS: a provider judges by what it has seen before (rates, reputation, complaints); a message
 * does not tell that, and rules about it are "unknown".
 */
#ifndef ASSAY_PROFILE_H
#define ASSAY_PROFILE_H

#include "base/arena.h"
#include "command.h"

enum
{
    PROFILE_BYTES_MAX = 64 * 1024,
    PROFILE_RULES_MAX = 64,
    PROFILE_TEXT_MAX = 1024, /* one value, its lines joined */
    PROFILE_NAME_MAX = 40,   /* of a rule */
};

enum profile_state
{
    PROFILE_UNSET = 0,
    PROFILE_MET,
    PROFILE_NOT_MET,
    PROFILE_UNKNOWN,        /* a message, or this one, does not tell */
    PROFILE_NOT_APPLICABLE, /* the rule is about other messages */
};

struct profile_judging;

/* One kind of check: looks, says in a sentence what it saw. */
struct profile_check
{
    const char *name;
    enum profile_check_argument
    {
        ARGUMENT_NONE,
        ARGUMENT_NUMBER,
        ARGUMENT_WORD,     /* one of `words` */
        ARGUMENT_OPTIONAL, /* one of `words`, or none */
        ARGUMENT_DOMAINS,
    } argument;
    const char *words; /* "reject|quarantine" */
    enum profile_state (*look)(struct profile_judging *judging, const char *argument);
};

/* All texts arena, NULL where the file does not have them. */
struct profile_rule
{
    const char *name;
    const struct profile_check *check; /* static */
    const char *argument;              /* "" where there is none */
    const char *title, *who, *level, *reply, *retry, *note, *advice;
    unsigned line;
};

struct profile
{
    const char *name; /* as the user named it */
    const char *path; /* arena */
    const char *title, *as_of, *source, *bulk;
    struct profile_rule rules[PROFILE_RULES_MAX];
    size_t count;
};

/*
 * Reads profile `name`: a path where it has a slash or a dot, else NAME.conf of the folder of
 * profiles (profile_file.c). Returns the exit status after one line that says what is wrong: 66 no
 * such file, 78 a bad one. `profile` borrows from `arena` and `name`.
 */
int profile_open(const char *name, struct arena *arena, struct profile *profile) MUST_CHECK;
/* The same from bytes; `label` is the file's name in messages. False after saying what is wrong. */
bool profile_parse(struct span text, const char *label, struct arena *arena,
                   struct profile *profile) MUST_CHECK;

/* The check of this name, or NULL. */
const struct profile_check *profile_check_find(struct span name);

#endif
