/* The spf object: the identity that was judged, how, and the HELO identity beside it. */
#include "verdict/method.h"
#include "verdict/part.h"

static void write_lookups(struct json *json, const struct spf_check *check)
{
    json_object_open(json, "lookups");
    json_uint(json, "count", check->lookups);
    json_uint(json, "void", check->voids);
    json_object_close(json);
}

static void write_check(struct json *json, const struct spf_check *check)
{
    json_string(json, "result", verdict_method_word(METHOD_SPF, check->result));
    json_name(json, "domain", &check->domain);
    json_string(json, "scope", spf_scope_word(check->scope));
    part_text(json, "explanation", check->explanation);
    part_text(json, "mechanism", check->mechanism);
    write_lookups(json, check);
    json_string(json, "reason", check->reason);
    part_text(json, "identity", check->domain_text);
    part_text(json, "path", check->path);
    if (check->prefix >= 0 && check->mechanism.n)
        json_int(json, "prefix", check->prefix);
    else
        json_null(json, "prefix");
    part_text(json, "record", check->record);
    json_bool(json, "uses_local_part", check->uses_local_part);
}

void part_spf(struct json *json, const char *key, const struct spf_judgement *spf)
{
    static const struct spf_judgement unchecked = {
        .checked = {.result = RESULT_NONE, .reason = "no_client_address", .prefix = -1}};
    if (!spf)
        spf = &unchecked;
    json_object_open(json, key);
    write_check(json, &spf->checked);
    json_bool(json, "mail_from_malformed", spf->mail_from_malformed);
    if (spf->helo.result == RESULT_UNSET) {
        json_null(json, "helo");
    } else {
        json_object_open(json, "helo");
        write_check(json, &spf->helo);
        json_object_close(json);
    }
    json_object_close(json);
}
