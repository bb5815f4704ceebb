/* The dmarc object, and policy discovery as `assay dmarc` shows it. */
#include "verdict/method.h"
#include "verdict/part.h"

/* Which record, found how. The record is shown as published; its tags are explained beside it. */
static void write_found(struct jsonw *json, const struct dmarc_discovery *discovery)
{
    bool found = discovery->result == RESULT_UNSET && discovery->record;
    jsonw_string(json, "published", found ? dmarc_policy_word(discovery->published) : NULL);
    jsonw_string(json, "policy_tag", found ? discovery->policy_tag : NULL);
    jsonw_string(json, "discovery_method", discovery->used_psl ? "psl" : "treewalk");
    jsonw_name(json, "psl_org_domain", &discovery->psl_org_domain);
    jsonw_bool(json, "psl_differs", discovery->psl_differs);
    jsonw_string(json, "psl_difference", discovery->psl_difference);
}

static void write_exists(struct jsonw *json, const struct dmarc_discovery *discovery)
{
    if (discovery->existence_known)
        jsonw_bool(json, "exists", discovery->author_exists);
    else
        jsonw_null(json, "exists");
}

static void write_record(struct jsonw *json, const struct dmarc_record *record)
{
    part_text(json, "record", record ? record->text : SPAN(""));
}

/* A20: which method the pass rests on. */
static const char *aligned_by(const struct dmarc_judgement *dmarc)
{
    if (dmarc->spf_aligned && dmarc->dkim_aligned)
        return "both";
    if (dmarc->dkim_aligned)
        return "dkim";
    return dmarc->spf_aligned ? "spf" : NULL;
}

static const char *disposition_word(enum dmarc_disposition disposition)
{
    return disposition == DMARC_DISPOSE_UNSET ? NULL : dmarc_disposition_word(disposition);
}

static void write_alignment(struct jsonw *json, const struct dmarc_judgement *dmarc)
{
    jsonw_object_open(json, "alignment");
    jsonw_bool(json, "spf", dmarc->spf_aligned);
    jsonw_bool(json, "dkim", dmarc->dkim_aligned);
    jsonw_object_close(json);
}

static void write_modes(struct jsonw *json, const struct dmarc_judgement *dmarc)
{
    jsonw_object_open(json, "alignment_mode");
    jsonw_string(json, "spf", dmarc->spf_strict ? "strict" : "relaxed");
    jsonw_string(json, "dkim", dmarc->dkim_strict ? "strict" : "relaxed");
    jsonw_object_close(json);
}

void part_dmarc(struct jsonw *json, const char *key, const struct dmarc_judgement *dmarc)
{
    static const struct dmarc_judgement not_run = {.result = RESULT_NONE, .reason = "not_checked"};
    if (!dmarc)
        dmarc = &not_run;
    const struct dmarc_discovery *discovery = &dmarc->discovery;
    jsonw_object_open(json, key);
    jsonw_string(json, "result", verdict_method_word(METHOD_DMARC, dmarc->result));
    jsonw_string(json, "policy", dmarc_policy_word(dmarc->policy));
    jsonw_string(json, "disposition", disposition_word(dmarc->disposition));
    jsonw_name(json, "from_domain", &discovery->from_domain);
    jsonw_name(json, "org_domain", &discovery->org_domain);
    jsonw_name(json, "policy_domain", &discovery->policy_domain);
    write_alignment(json, dmarc);
    jsonw_string(json, "reason", dmarc->reason);
    jsonw_string(json, "aligned_by", aligned_by(dmarc));
    write_modes(json, dmarc);
    jsonw_string(json, "override", dmarc->override);
    write_exists(json, discovery);
    write_record(json, discovery->record);
    write_found(json, discovery);
    jsonw_object_close(json);
}

/* RFC 9989 4.10.1, DP-26: no valid p, or an invalid sp or np, spoils all three. */
static bool is_faulty(const struct dmarc_record *record)
{
    return record->p == DMARC_POLICY_UNSET || record->p == DMARC_POLICY_INVALID ||
           record->sp == DMARC_POLICY_INVALID || record->np == DMARC_POLICY_INVALID;
}

/* After defaults (DP-36): sp falls back to p, np to sp (RFC 9989 4.7). A faulty record counts as
 * p=none where reports can be sent, else as no policy. */
static void write_policies(struct jsonw *json, const struct dmarc_record *record)
{
    bool faulty = is_faulty(record);
    enum dmarc_policy spoiled = record->has_usable_rua ? DMARC_POLICY_NONE : DMARC_POLICY_UNSET;
    enum dmarc_policy p = faulty ? spoiled : record->p;
    enum dmarc_policy sp = faulty || record->sp == DMARC_POLICY_UNSET ? p : record->sp;
    enum dmarc_policy np = faulty || record->np == DMARC_POLICY_UNSET ? sp : record->np;
    jsonw_string(json, "p", dmarc_policy_word(p));
    jsonw_string(json, "sp", dmarc_policy_word(sp));
    jsonw_string(json, "np", dmarc_policy_word(np));
}

static const char *psd_word(enum dmarc_psd psd)
{
    switch (psd) {
    case DMARC_PSD_YES:
        return "y";
    case DMARC_PSD_NO:
        return "n";
    case DMARC_PSD_UNKNOWN:
        break;
    }
    return "u";
}

static void write_tags(struct jsonw *json, const struct dmarc_record *record)
{
    if (!record) {
        jsonw_null(json, "tags");
        return;
    }
    jsonw_object_open(json, "tags");
    write_policies(json, record);
    jsonw_string(json, "psd", psd_word(record->psd));
    jsonw_string(json, "t", record->testing ? "y" : "n");
    jsonw_string(json, "adkim", record->adkim_strict ? "s" : "r");
    jsonw_string(json, "aspf", record->aspf_strict ? "s" : "r");
    part_text(json, "rua", record->rua);
    part_text(json, "ruf", record->ruf);
    jsonw_span(json, "fo", record->fo.n ? record->fo : SPAN("0"));
    jsonw_object_close(json);
}

static void write_step(struct jsonw *json, const struct dmarc_walk *walk,
                       const struct dmarc_step *step)
{
    static const char prefix[] = "_dmarc.";
    char name[sizeof prefix + DNS_NAME_TEXT_MAX];
    struct dns_name domain = dmarc_step_domain(walk, step);
    memcpy(name, prefix, sizeof prefix - 1);
    dns_name_text(&domain, name + sizeof prefix - 1);
    jsonw_object_open(json, NULL);
    jsonw_string(json, "name", name);
    jsonw_string(json, "outcome", dns_outcome_word(step->outcome));
    write_record(json, step->record);
    jsonw_string(json, "reason", step->reason);
    jsonw_object_close(json);
}

static void write_walk(struct jsonw *json, const struct dmarc_walk *walk)
{
    jsonw_array_open(json, "walk");
    for (uint32_t i = 0; i < walk->count && i < MAX_DMARC_WALK; i++)
        write_step(json, walk, &walk->steps[i]);
    jsonw_array_close(json);
}

void part_discovery(struct jsonw *json, const char *key, const struct dmarc_discovery *discovery)
{
    bool found = discovery->result == RESULT_UNSET && discovery->record;
    jsonw_object_open(json, key);
    jsonw_name(json, "from_domain", &discovery->from_domain);
    write_exists(json, discovery);
    jsonw_name(json, "org_domain", &discovery->org_domain);
    jsonw_name(json, "policy_domain", &discovery->policy_domain);
    jsonw_string(json, "policy", found ? dmarc_policy_word(discovery->policy) : NULL);
    write_record(json, discovery->record);
    write_tags(json, discovery->record);
    write_walk(json, &discovery->walk);
    jsonw_string(json, "reason", discovery->reason);
    part_step_result(json, "result", discovery->result);
    write_found(json, discovery);
    jsonw_uint(json, "ignored_tags", discovery->record ? discovery->record->faults : 0);
    jsonw_object_close(json);
}
