/*
 * assay spf: check_host() for one client and sender, without a message.
 */
#include <time.h>

#include "command.h"
#include "show.h"

static int print_judgement(const struct options *options, const struct spf_judgement *judgement)
{
    struct buffer json;
    buffer_init(&json, MAX_JSON_BYTES);
    verdict_write_spf_json(judgement, &json);
    return options->json ? print_json(&json) : show_buffer(&json, show_spf);
}

static int judge(struct assay_engine *engine, const struct options *options, struct arena *arena)
{
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    struct mail_path path = {.kind = MAIL_PATH_ABSENT};
    struct spf_judgement judgement = {0};
    struct reachability reachability = {0};
    dns_answers_init(&answers, arena, &hits);
    if (options->mail_from)
        engine_spf_sender(span_from_string(options->mail_from), arena, &hits, &path);
    struct spf_request request = {
        .helo = span_from_string(options->helo),
        .path = &path,
        .receiver = engine->options.receiver,
        .now = options->now ? (int64_t)options->now : time(NULL),
        .void_limit = engine->options.spf_void_limit,
        .want_explanation = true,
    };
    if (!ip_parse(span_from_string(options->ip), &request.client))
        return STATUS_USAGE; /* cannot be: flags_read has parsed it */
    engine_spf(engine, &request, &answers, arena, &hits, &judgement);
    reachability_count(&reachability, &answers);
    int status = print_judgement(options, &judgement);
    return status ? status : reachability_status(&reachability, options);
}

int command_spf(const struct options *options)
{
    if (!options->ip || (!options->helo && !options->mail_from) || options->operand_count) {
        complain(
            "spf wants --ip and --mail-from or --helo, and nothing else; `assay help spf` tells");
        return STATUS_USAGE;
    }
    int status = STATUS_OK;
    struct assay_engine *engine = options_open_engine(options, &status);
    if (!engine)
        return status;
    struct arena arena;
    arena_init(&arena, MAX_ARENA_BYTES);
    status = judge(engine, options, &arena);
    arena_fini(&arena);
    assay_engine_close(&engine);
    return status;
}
