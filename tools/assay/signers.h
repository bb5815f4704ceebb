/* Who signs: -d, -s and -k of the command line, or rows of opendkim's tables. */
#ifndef ASSAY_SIGNERS_H
#define ASSAY_SIGNERS_H

#include "private_keys.h"
#include "sign/tables.h"

struct signer
{
    const char *domain, *selector; /* arena; A-labels */
    struct span identity;          /* arena; empty: none */
    struct span key_source;        /* path, or base64; empty: none given */
    const char *label;             /* arena: what messages call it: the path, or "TABLE: NAME" */
    struct dns_name name;          /* selector._domainkey.domain */
    const char *table;             /* arena: the KeyTable's file; NULL: not from one */
    struct private_key *key;       /* owned; NULL until opened */
};

struct signers
{
    struct signer *signers; /* arena */
    uint32_t count;
    struct arena arena;
    struct buffer key_text, signing_text; /* the tables' files */
    struct key_table key_table;
    struct signing_table signing_table;
    const char *key_label; /* arena */
};

void signers_init(struct signers *signers);
void signers_free(struct signers *signers);

/*
 * One signer for each selector. One domain serves all, or there are as many as selectors; keys are
 * as many as selectors, or none where `keys_optional`. Returns the exit status.
 */
int signers_from_options(struct signers *signers, const struct flag_texts *domains,
                         const struct flag_texts *selectors, const struct flag_texts *keys,
                         bool keys_optional);
/* Reads the tables; `signing` may be NULL. Returns the exit status. */
int signers_read_tables(struct signers *signers, const char *keys, const char *signing);
/* All entries of the KeyTable; `author`, where not NULL, stands for "%". */
int signers_from_key_table(struct signers *signers, const char *author);
/* Those that the tables choose for local@domain; none is STATUS_PROBLEM. */
int signers_for_author(struct signers *signers, struct span local, const struct dns_name *domain,
                       bool all);

/* Its key is a file of its own, not a part of the KeyTable. */
bool signer_has_file(const struct signer *signer);
/* Opens the key of a signer. Returns the exit status. */
int signer_open(struct signer *signer, struct private_keys *keys);

#endif
