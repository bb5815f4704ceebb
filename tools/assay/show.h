/*
 * Verdicts for people, from the JSON of the library or of the daemon: one way to write them,
 * whoever has judged.
 */
#ifndef ASSAY_SHOW_H
#define ASSAY_SHOW_H

#include <jansson.h>
#include <stdio.h>

#include "command.h"

void show_verdict(const char *file, const json_t *verdict, FILE *out);
/* What the brief form says at its end, of a verdict with the results of `row`. The JSON's or
 * static.
 */
const char *show_why(const json_t *verdict, const struct verdict_row *row);
void show_spf(const json_t *spf, FILE *out);
void show_discovery(const json_t *discovery, FILE *out);

/* Parses the buffer, shows it on standard output and releases it. STATUS_SOFTWARE after saying so
 * without memory. */
int show_buffer(struct buffer *json, void (*show)(const json_t *, FILE *));

/* A JSON string with a result's word; RESULT_UNSET where it is none. */
enum result show_result(const json_t *word);

#endif
