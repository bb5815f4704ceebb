/* assay lint: what its files share. */
#ifndef ASSAY_LINT_H
#define ASSAY_LINT_H

#include "command.h"
#include "lint/domain.h"

/* What was linted. */
struct lint_subject
{
    const char *domain; /* as given, or the message's From domain; NULL: one record by itself */
    bool signatures_missing; /* of a message: it has no DKIM-Signature with a name to ask for */
    bool dkim;               /* keys were wanted */
};

/* lint_print.c: for people; `columns` of the terminal. */
void lint_print(const struct lint_subject *subject, const struct lint_report *report,
                unsigned columns);
/* Columns of standard output: the terminal's, $COLUMNS, or 80. */
unsigned lint_columns(void);
/* lint_caret.c: a record with carets under the bytes at..at+length, cut to the columns. */
void lint_print_record(struct span text, size_t at, size_t length, unsigned columns, FILE *out);
/* lint_json.c: one object. */
int lint_print_json(const struct lint_subject *subject, const struct lint_report *report);

/* lint_message.c: the names of the keys of a message's signatures, and its From domain. */
struct lint_message
{
    struct dns_name keys[LINT_KEYS_MAX];
    uint32_t key_count;
    struct dns_name from; /* cleared where there is no single one */
};
/* The exit status after saying what is wrong. */
int lint_message_read(const char *path, struct lint_message *message);

#endif
