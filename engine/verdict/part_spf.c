/* The spf object: the identity that was judged, how, and the HELO identity beside it. */
#include "verdict/method.h"
#include "verdict/part.h"

static void write_lookups(struct jsonw *json, const struct spf_check *check)
{
    jsonw_object_open(json, "lookups");
    jsonw_uint(json, "count", check->lookups);
    jsonw_uint(json, "void", check->voids);
    jsonw_object_close(json);
}

static void write_check(struct jsonw *json, const struct spf_check *check)
{
    jsonw_string(json, "result", verdict_method_word(METHOD_SPF, check->result));
    jsonw_name(json, "domain", &check->domain);
    jsonw_string(json, "scope", spf_scope_word(check->scope));
    part_text(json, "explanation", check->explanation);
    part_text(json, "mechanism", check->mechanism);
    write_lookups(json, check);
    jsonw_string(json, "reason", check->reason);
    part_text(json, "identity", check->domain_text);
    part_text(json, "path", check->path);
    if (check->prefix >= 0 && check->mechanism.n)
        jsonw_int(json, "prefix", check->prefix);
    else
        jsonw_null(json, "prefix");
    part_text(json, "record", check->record);
    jsonw_bool(json, "uses_local_part", check->uses_local_part);
}

void part_spf(struct jsonw *json, const char *key, const struct spf_judgement *spf)
{
    static const struct spf_judgement unchecked = {
        .checked = {.result = RESULT_NONE, .reason = "no_client_address", .prefix = -1}};
    if (!spf)
        spf = &unchecked;
    jsonw_object_open(json, key);
    write_check(json, &spf->checked);
    jsonw_bool(json, "mail_from_malformed", spf->mail_from_malformed);
    if (spf->helo.result == RESULT_UNSET) {
        jsonw_null(json, "helo");
    } else {
        jsonw_object_open(json, "helo");
        write_check(json, &spf->helo);
        jsonw_object_close(json);
    }
    jsonw_object_close(json);
}
