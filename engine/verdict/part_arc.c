/* The arc object: the chain's result, and each set's seal and message signature. */
#include "verdict/method.h"
#include "verdict/part.h"

static void write_message_signature(struct json *json, const struct arc_set *set)
{
    json_object_open(json, "message_signature");
    part_step_result(json, "result", set->ams_result);
    json_name(json, "domain", &set->ams.domain);
    json_name(json, "selector", &set->ams.selector);
    json_string(json, "algorithm", dkim_algorithm_word(set->ams.algorithm));
    part_known_uint(json, "key_bits", set->ams_keys.bits);
    json_object_close(json);
}

static void write_sealer(struct json *json, const struct arc_set *set, uint32_t instance)
{
    json_object_open(json, NULL);
    json_uint(json, "instance", instance);
    json_name(json, "domain", &set->seal.domain);
    json_name(json, "selector", &set->seal.selector);
    json_string(json, "algorithm", dkim_algorithm_word(set->seal.algorithm));
    part_known_uint(json, "key_bits", set->seal_keys.bits);
    part_step_result(json, "result", set->seal_result);
    part_text(json, "cv", set->seal.cv);
    json_string(json, "reason", set->reason);
    json_bool(json, "trusted", set->trusted);
    write_message_signature(json, set);
    json_object_close(json);
}

static void write_sealers(struct json *json, const struct arc_judgement *arc)
{
    json_array_open(json, "sealers");
    for (uint32_t i = 0; arc->sets && i < arc->count && i < MAX_ARC_SETS; i++)
        write_sealer(json, &arc->sets[i], i + 1);
    json_array_close(json);
}

void part_arc(struct json *json, const char *key, const struct arc_judgement *arc)
{
    static const struct arc_judgement not_run = {
        .result = RESULT_NONE, .reason = "not_checked", .oldest_pass = -1};
    if (!arc)
        arc = &not_run;
    json_object_open(json, key);
    json_string(json, "result", verdict_method_word(METHOD_ARC, arc->result));
    json_uint(json, "sets", arc->count);
    if (arc->oldest_pass >= 0 && arc->result == RESULT_PASS)
        json_int(json, "oldest_pass", arc->oldest_pass);
    else
        json_null(json, "oldest_pass");
    json_string(json, "reason", arc->reason);
    write_sealers(json, arc);
    part_known_uint(json, "fault_instance", arc->fault_instance);
    json_bool(json, "temporary", arc->temporary);
    json_bool(json, "results_in_message_signature", arc->has_ar_in_ams);
    part_known_uint(json, "trusted_sealer", arc->trusted_sealer);
    json_object_close(json);
}
