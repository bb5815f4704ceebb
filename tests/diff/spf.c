/*
 * diff-spf: the engine's SPF judge behind a pipe, for the differential tests.
 *
 * A request is a line "ip HTAB helo HTAB reverse-path HTAB void limit HTAB bytes", then a zone file
 * of so many bytes; the answer is the JSON object of `assay spf`, with the explanation fetched, on
 * one line.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dns/source.h"
#include "verdict/verdict.h"
#include "requests.h"

enum
{
    FIELDS = 5,
    JSON_BYTES = 1024 * 1024,
};

static void judge(const struct spf_request *request, struct dns_source *source, struct arena *arena)
{
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    struct spf_judgement judgement;
    struct buffer json;
    dns_answers_init(&answers, arena, &hits);
    while (spf_judge(request, &answers, arena, &hits, &judgement) == JUDGE_WAITING)
        dns_source_resolve(source, &answers, 0);
    buffer_init(&json, JSON_BYTES);
    verdict_write_spf_json(&judgement, &json);
    printf("%.*s\n", (int)json.n, (const char *)json.p);
    fflush(stdout);
    buffer_fini(&json);
}

static void answer(char *const *fields, struct span zone)
{
    struct arena arena;
    struct dns_error error;
    struct mail_anomalies anomalies = {0};
    struct limit_hits hits = {.set = 0};
    struct mail_path path;
    arena_init(&arena, MAX_ARENA_BYTES);
    struct dns_source *source = dns_zone_parse(zone, "zone", &error);
    if (!source)
        requests_stop(error.text);
    mail_path_parse(span_from_string(fields[2]), &arena, &anomalies, &hits, &path);
    struct spf_request request = {
        .helo = span_from_string(fields[1]),
        .path = &path,
        .receiver = SPAN("mx.example.net"),
        .now = 1792972800,
        .void_limit = (uint32_t)strtoul(fields[3], NULL, 10),
        .want_explanation = true,
    };
    if (!ip_parse(span_from_string(fields[0]), &request.client))
        requests_stop("no address");
    judge(&request, source, &arena);
    dns_source_free(&source);
    arena_fini(&arena);
}

int main(void)
{
    requests_answer(FIELDS, answer);
    return 0;
}
