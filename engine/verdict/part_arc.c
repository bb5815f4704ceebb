/* The arc object: the chain's result, and each set's seal and message signature. */
#include "verdict/method.h"
#include "verdict/part.h"

static void write_message_signature(struct jsonw *json, const struct arc_set *set)
{
    jsonw_object_open(json, "message_signature");
    part_step_result(json, "result", set->ams_result);
    jsonw_name(json, "domain", &set->ams.domain);
    jsonw_name(json, "selector", &set->ams.selector);
    jsonw_string(json, "algorithm", dkim_algorithm_word(set->ams.algorithm));
    part_known_uint(json, "key_bits", set->ams_keys.bits);
    jsonw_object_close(json);
}

static void write_sealer(struct jsonw *json, const struct arc_set *set, uint32_t instance)
{
    jsonw_object_open(json, NULL);
    jsonw_uint(json, "instance", instance);
    jsonw_name(json, "domain", &set->seal.domain);
    jsonw_name(json, "selector", &set->seal.selector);
    jsonw_string(json, "algorithm", dkim_algorithm_word(set->seal.algorithm));
    part_known_uint(json, "key_bits", set->seal_keys.bits);
    part_step_result(json, "result", set->seal_result);
    part_text(json, "cv", set->seal.cv);
    jsonw_string(json, "reason", set->reason);
    jsonw_bool(json, "trusted", set->trusted);
    write_message_signature(json, set);
    jsonw_object_close(json);
}

static void write_sealers(struct jsonw *json, const struct arc_judgement *arc)
{
    jsonw_array_open(json, "sealers");
    for (uint32_t i = 0; arc->sets && i < arc->count && i < MAX_ARC_SETS; i++)
        write_sealer(json, &arc->sets[i], i + 1);
    jsonw_array_close(json);
}

void part_arc(struct jsonw *json, const char *key, const struct arc_judgement *arc)
{
    static const struct arc_judgement not_run = {
        .result = RESULT_NONE, .reason = "not_checked", .oldest_pass = -1};
    if (!arc)
        arc = &not_run;
    jsonw_object_open(json, key);
    jsonw_string(json, "result", verdict_method_word(METHOD_ARC, arc->result));
    jsonw_uint(json, "sets", arc->count);
    if (arc->oldest_pass >= 0 && arc->result == RESULT_PASS)
        jsonw_int(json, "oldest_pass", arc->oldest_pass);
    else
        jsonw_null(json, "oldest_pass");
    jsonw_string(json, "reason", arc->reason);
    write_sealers(json, arc);
    part_known_uint(json, "fault_instance", arc->fault_instance);
    jsonw_bool(json, "temporary", arc->temporary);
    jsonw_bool(json, "results_in_message_signature", arc->has_ar_in_ams);
    part_known_uint(json, "trusted_sealer", arc->trusted_sealer);
    jsonw_object_close(json);
}
