/*
 * assay dmarc: which DMARC policy a receiver finds for a domain, and on which way.
 */
#include "command.h"
#include "show.h"

static int print_result(const struct options *options, const struct dmarc_discovery *discovery)
{
    struct buffer json;
    buffer_init(&json, MAX_JSON_BYTES);
    verdict_write_discovery_json(discovery, &json);
    return options->json ? print_json(&json) : show_buffer(&json, show_discovery);
}

static int discover(struct assay_engine *engine, const struct options *options,
                    const struct dns_name *domain, struct arena *arena)
{
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    struct dmarc_discovery discovery = {0};
    struct reachability reachability = {0};
    dns_answers_init(&answers, arena, &hits);
    engine->options.dmarc.always_ask_existence = true;
    engine_discover(engine, domain, &answers, arena, &hits, &discovery);
    reachability_count(&reachability, &answers);
    int status = print_result(options, &discovery);
    return status ? status : reachability_status(&reachability, options);
}

int command_dmarc(const struct options *options)
{
    if (options->operand_count != 1) {
        complain("dmarc wants one DOMAIN; `assay help dmarc` tells");
        return STATUS_USAGE;
    }
    struct dns_name domain;
    enum dns_name_error wrong =
        dns_name_from_domain(&domain, span_from_string(options->operands[0]));
    if (wrong) {
        complain("\"%s\" is no domain name: %s", options->operands[0], dns_name_error_word(wrong));
        return STATUS_USAGE;
    }
    int status = STATUS_OK;
    struct assay_engine *engine = options_open_engine(options, &status);
    if (!engine)
        return status;
    struct arena arena;
    arena_init(&arena, MAX_ARENA_BYTES);
    status = discover(engine, options, &domain, &arena);
    arena_fini(&arena);
    assay_engine_close(&engine);
    return status;
}
