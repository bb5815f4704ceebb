/*
 * KeyTable and SigningTable of opendkim.conf(5): which keys sign for an author.
 *
 *   KeyTable       NAME DOMAIN:SELECTOR:KEY
 *   SigningTable   PATTERN NAME[:IDENTITY]
 *
 * In a KeyTable a DOMAIN of "%" is the author's domain, and so is each "%" in KEY where KEY is a
 * path, i.e. begins with "/", "./" or "../"; any other KEY is a key itself, DER in base64. In a
 * SigningTable a NAME of "%" and each "%" in IDENTITY is the author's domain. An IDENTITY that is
 * not within the signing domain is left out. The author is the first address of From.
 *
 * A SigningTable of kind "file" is asked for user@host, host, user@.sub.host ..., .sub.host ...,
 * user@* and *, in this order and without regard to case; one of kind "refile" for user@host. The
 * first match counts, or all of them (opendkim's MultipleSignatures).
 */
#ifndef SIGN_TABLES_H
#define SIGN_TABLES_H

#include "dns/name.h"
#include "sign/data_set.h"

enum
{
    SIGN_CHOICES_MAX = 16, /* signatures for one message */
};

struct key_entry
{
    struct span name;   /* borrowed from the text, and so the rest */
    struct span domain; /* "%": the author's */
    struct span selector;
    struct span key; /* path, or base64 */
    uint32_t line;   /* of the table */
};

struct key_table
{
    struct data_set set;
    struct key_entry *entries; /* arena; as many as set.count */
};

struct signing_table
{
    struct data_set set;
};

/* `text` outlives the table; `error` gets one line. */
bool key_table_parse(struct span text, enum data_set_kind kind, const char *label,
                     struct arena *arena, struct key_table *table,
                     char error[DATA_SET_ERROR_MAX]) MUST_CHECK;
const struct key_entry *key_table_find(const struct key_table *table, struct span name);
bool signing_table_parse(struct span text, enum data_set_kind kind, const char *label,
                         struct arena *arena, struct signing_table *table,
                         char error[DATA_SET_ERROR_MAX]) MUST_CHECK;

/* One signature to be made. */
struct sign_choice
{
    const struct key_entry *entry; /* NULL: `name` is not in the KeyTable */
    struct span name;              /* borrowed or arena, and so the rest */
    struct span domain;            /* A-labels */
    struct span selector;
    struct span identity; /* empty: none, or not within the domain */
    struct span key;      /* path, or base64 */
    uint32_t line;        /* of the SigningTable; 0: no SigningTable */
};

/* `key` is a path, not a key. */
bool sign_key_is_path(struct span key);

/*
 * What `entry` says for an author of `domain` (NULL: not known). False: it depends on the author's
 * domain and there is none, or a domain or selector in it is no name.
 */
bool sign_choice_expand(const struct key_entry *entry, const struct dns_name *domain,
                        struct arena *arena, struct sign_choice *choice) MUST_CHECK;

/*
 * The signatures that the tables want for local@domain; with `all` not only the first match.
 * Returns how many, at most SIGN_CHOICES_MAX; -1 where one cannot be made, *wrong is then the
 * choice and its entry tells why, or where there is no memory.
 */
int sign_tables_choose(const struct key_table *keys, const struct signing_table *signing,
                       struct span local, const struct dns_name *domain, bool all,
                       struct arena *arena, struct sign_choice choices[SIGN_CHOICES_MAX],
                       struct sign_choice *wrong) MUST_CHECK;

#endif
