/*
 * Verdicts for people, from JSON: what the daemon's answers look like on a terminal. The words and
 * lines are those of print.c.
 */
#ifndef ASSAY_SHOW_H
#define ASSAY_SHOW_H

#include <jansson.h>
#include <stdio.h>

#include "command.h"

void show_verdict(const char *file, const json_t *verdict, FILE *out);
void show_row_of(const json_t *verdict,
                 struct verdict_row *row); /* row->why: the JSON's or static */
void show_spf(const json_t *spf, FILE *out);
void show_discovery(const json_t *discovery, FILE *out);

/* A JSON string with a result's word; RESULT_UNSET where it is none. */
enum result show_result(const json_t *word);

#endif
