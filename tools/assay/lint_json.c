/*
 * What the linter found, as one JSON object:
 *
 *   {"v":1,"domain":…,"counts":{"error","warning","note"},
 *    "findings":[{"severity","code","kind","name","record","at","length","what","instead"}],
 *    "spf":{"domain","state","record","lookups":{"count","limit"},"voids":{"ipv4","ipv6","limit"},
 *           "terms":[{"depth","term","target","state","lookups","voids":{…},"record"}]},
 *    "dkim":[{"name","outcome","records","record","type","bits","reason"}],
 *    "dmarc":{as `assay dmarc --json`,
 *    "reports":[{"tag","uri","host","external","asked","verdict","reason"}]}
 *
 * spf, dkim and dmarc are null where they were not looked at.
 */
#include "lint.h"
#include "verdict/json.h"
#include "verdict/part.h"

static void write_finding(struct jsonw *json, const struct lint_finding *finding)
{
    jsonw_object_open(json, NULL);
    jsonw_string(json, "severity", lint_severity_word(finding->severity));
    jsonw_string(json, "code", finding->code);
    jsonw_string(json, "kind", lint_kind_word(finding->kind));
    jsonw_name(json, "name", &finding->name);
    part_text(json, "record", finding->text);
    jsonw_uint(json, "at", finding->at);
    jsonw_uint(json, "length", finding->length);
    jsonw_span(json, "what", finding->what);
    part_text(json, "instead", finding->instead);
    jsonw_object_close(json);
}

static void write_findings(struct jsonw *json, const struct lint_findings *findings)
{
    jsonw_object_open(json, "counts");
    for (int severity = LINT_ERROR; severity >= LINT_NOTE; severity--)
        jsonw_uint(json, lint_severity_word((enum lint_severity)severity),
                   findings->counts[severity]);
    jsonw_object_close(json);
    jsonw_array_open(json, "findings");
    for (const struct lint_finding *f = findings->first; f; f = f->next)
        write_finding(json, f);
    jsonw_array_close(json);
}

static void write_voids(struct jsonw *json, const struct lint_spf_row *row, bool limit)
{
    jsonw_object_open(json, "voids");
    jsonw_uint(json, "ipv4", row->voids4);
    jsonw_uint(json, "ipv6", row->voids6);
    if (limit)
        jsonw_uint(json, "limit", MAX_SPF_VOID_LOOKUPS);
    jsonw_object_close(json);
}

static void write_row(struct jsonw *json, const struct lint_spf_row *row)
{
    jsonw_object_open(json, NULL);
    jsonw_uint(json, "depth", row->depth);
    jsonw_span(json, "term", row->text);
    jsonw_name(json, "target", &row->target);
    jsonw_string(json, "state", row->state);
    jsonw_uint(json, "lookups", row->lookups);
    write_voids(json, row, false);
    part_text(json, "record", row->record);
    jsonw_object_close(json);
}

static void write_spf(struct jsonw *json, const struct lint_report *report)
{
    const struct lint_spf_row *root = report->rows;
    if (report->row_count == 0) {
        jsonw_null(json, "spf");
        return;
    }
    jsonw_object_open(json, "spf");
    jsonw_name(json, "domain", &root->target);
    jsonw_string(json, "state", root->state);
    part_text(json, "record", root->record);
    jsonw_object_open(json, "lookups");
    jsonw_uint(json, "count", root->lookups);
    jsonw_uint(json, "limit", MAX_SPF_LOOKUPS);
    jsonw_object_close(json);
    write_voids(json, root, true);
    jsonw_array_open(json, "terms");
    for (uint32_t i = 1; i < report->row_count; i++)
        write_row(json, &report->rows[i]);
    jsonw_array_close(json);
    jsonw_object_close(json);
}

static void write_key(struct jsonw *json, const struct lint_key *key)
{
    const char *type = key->type == KEY_ED25519 ? "ed25519" : key->type == KEY_RSA ? "rsa" : NULL;
    jsonw_object_open(json, NULL);
    jsonw_name(json, "name", &key->name);
    jsonw_string(json, "outcome", dns_outcome_word(key->outcome));
    jsonw_uint(json, "records", key->records);
    part_text(json, "record", key->text);
    jsonw_string(json, "type", type);
    part_known_uint(json, "bits", key->bits);
    jsonw_string(json, "reason", key->reason);
    jsonw_object_close(json);
}

static void write_keys(struct jsonw *json, const struct lint_subject *subject,
                       const struct lint_report *report)
{
    if (!subject->dkim) {
        jsonw_null(json, "dkim");
        return;
    }
    jsonw_array_open(json, "dkim");
    for (uint32_t i = 0; i < report->key_count; i++)
        write_key(json, &report->keys[i]);
    jsonw_array_close(json);
}

static const char *verdict_word(enum dmarc_report_verdict verdict)
{
    switch (verdict) {
    case DMARC_REPORT_AUTHORIZED:
        return "authorized";
    case DMARC_REPORT_REFUSED:
        return "refused";
    case DMARC_REPORT_TEMPERROR:
    case DMARC_REPORT_UNSET:
        break;
    }
    return "unknown";
}

static void write_destination(struct jsonw *json, const struct lint_destination *destination)
{
    jsonw_object_open(json, NULL);
    jsonw_string(json, "tag", destination->ruf ? "ruf" : "rua");
    jsonw_span(json, "uri", destination->uri);
    jsonw_span(json, "host", destination->host);
    jsonw_bool(json, "external", destination->external);
    jsonw_name(json, "asked", &destination->name);
    jsonw_string(json, "verdict", verdict_word(destination->verdict));
    jsonw_string(json, "reason", destination->reason);
    jsonw_object_close(json);
}

static void write_dmarc(struct jsonw *json, const struct lint_report *report)
{
    if (report->dmarc)
        part_discovery(json, "dmarc", &report->discovery);
    else
        jsonw_null(json, "dmarc");
    jsonw_array_open(json, "reports");
    for (uint32_t i = 0; i < report->destination_count; i++)
        write_destination(json, &report->destinations[i]);
    jsonw_array_close(json);
}

int lint_print_json(const struct lint_subject *subject, const struct lint_report *report)
{
    struct buffer out;
    struct jsonw json;
    buffer_init(&out, 8 * (size_t)MAX_JSON_BYTES); /* each finding has its record */
    jsonw_begin(&json, &out);
    jsonw_object_open(&json, NULL);
    jsonw_int(&json, "v", 1);
    jsonw_string(&json, "domain", subject->domain);
    write_findings(&json, &report->findings);
    write_spf(&json, report);
    write_keys(&json, subject, report);
    write_dmarc(&json, report);
    jsonw_object_close(&json);
    return print_json(&out);
}
