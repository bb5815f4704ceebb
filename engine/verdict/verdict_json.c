/*
 * The verdict as one JSON object: the contract of the command line, with the evidence behind it.
 * Keys of the contract come first and in its order; keys that were added stand behind them.
 *
 * Limits: none of its own; what is written is bounded by the limits of what was judged, and by the
 * buffer's ceiling.
 */
#include "verdict/json.h"
#include "verdict/method.h"
#include "verdict/part.h"
#include "verdict/verdict.h"

void part_text(struct jsonw *json, const char *key, struct span text)
{
    if (text.n)
        jsonw_span(json, key, text);
    else
        jsonw_null(json, key);
}

void part_known_uint(struct jsonw *json, const char *key, uint64_t value)
{
    if (value)
        jsonw_uint(json, key, value);
    else
        jsonw_null(json, key);
}

void part_step_result(struct jsonw *json, const char *key, enum result result)
{
    jsonw_string(json, key, result == RESULT_UNSET ? NULL : result_word(result));
}

static void write_anomalies(struct jsonw *json, const struct mail_anomalies *anomalies)
{
    jsonw_array_open(json, "anomalies");
    for (unsigned i = 0; anomalies && i < ANOMALY_COUNT; i++)
        if (mail_anomaly_is(anomalies, (enum mail_anomaly)i))
            jsonw_string(json, NULL, mail_anomaly_word((enum mail_anomaly)i));
    jsonw_array_close(json);
}

/* Twice the limit of a field: its folds are not there, and what is cut is cut below the limit. */
static void write_results(struct jsonw *json, const struct verdict *verdict)
{
    struct buffer text;
    buffer_init(&text, 2 * MAX_AR_FIELD_BYTES);
    verdict_write_results(verdict, &text);
    if (text.failed)
        json->out->failed = true;
    jsonw_span(json, "authentication_results", buffer_span(&text));
    buffer_fini(&text);
}

/* A question that nobody answered in time is told as what it meant for the judges: no answer. */
static void write_question(struct jsonw *json, const struct dns_question *question)
{
    const struct dns_answer *answer = &question->answer;
    bool answered = answer->outcome != DNS_UNANSWERED;
    jsonw_object_open(json, NULL);
    jsonw_name(json, "name", &question->name);
    jsonw_string(json, "type", dns_type_text(question->type));
    jsonw_string(json, "outcome", dns_outcome_word(answered ? answer->outcome : DNS_TEMPFAIL));
    jsonw_uint(json, "age", answer->age);
    jsonw_uint(json, "ttl", answer->ttl);
    jsonw_uint(json, "records", answer->count);
    jsonw_string(json, "reason", answered ? answer->reason : "unanswered");
    jsonw_object_close(json);
}

static void write_questions(struct jsonw *json, const struct dns_answers *answers)
{
    jsonw_array_open(json, "dns");
    for (const struct dns_question *q = answers ? answers->first : NULL; q; q = q->next)
        write_question(json, q);
    jsonw_array_close(json);
}

static void write_client(struct jsonw *json, const struct ip *client)
{
    char text[IP_TEXT_MAX];
    part_text(json, "client", span_from_string(ip_text(client, text)));
}

/* A21: the whole address, so that nobody takes the domain's proof for the mailbox's. */
static void write_from(struct jsonw *json, const struct mail_from *from)
{
    jsonw_array_open(json, "from");
    for (uint32_t i = 0; from && from->state == MAIL_FROM_OK && i < from->list.count; i++) {
        jsonw_object_open(json, NULL);
        jsonw_span(json, "local", from->list.addresses[i].local);
        jsonw_span(json, "domain", from->list.addresses[i].domain);
        jsonw_object_close(json);
    }
    jsonw_array_close(json);
}

static void write_limits(struct jsonw *json, const struct limit_hits *hits)
{
    jsonw_object_open(json, "limits");
    for (unsigned i = 0; hits && i < LIMIT_COUNT; i++)
        if (hits->n[i])
            jsonw_uint(json, limit_name((enum limit)i), hits->n[i]);
    jsonw_object_close(json);
}

static void write_recipients(struct jsonw *json, const struct mail_recipients *recipients)
{
    jsonw_object_open(json, "recipients");
    jsonw_uint(json, "count", recipients->count);
    if (recipients->known)
        jsonw_uint(json, "named", recipients->named);
    else
        jsonw_null(json, "named");
    jsonw_object_close(json);
}

/* Signatures of the message, those beyond MAX_SIGNATURES_PARSED too, and why none was looked at. */
static void write_signature_total(struct jsonw *json, const struct dkim_judgement *dkim)
{
    jsonw_uint(json, "dkim_total", dkim ? dkim->total : 0);
    jsonw_string(json, "dkim_refused", dkim ? dkim->refused : "not_checked");
}

/* A judgement that should be there and is not is our fault: an error, never "not checked". */
static void write_spf(struct jsonw *json, const struct verdict *verdict)
{
    static const struct spf_judgement missing = {.checked = {.prefix = -1}};
    const struct spf_judgement *spf = verdict->spf ? verdict->spf : &missing;
    part_spf(json, "spf", verdict->spf_checked ? spf : NULL);
}

void verdict_write_json(const struct verdict *verdict, struct buffer *out)
{
    struct jsonw json;
    jsonw_begin(&json, out);
    jsonw_object_open(&json, NULL);
    jsonw_uint(&json, "v", 1);
    if (verdict->file.p)
        jsonw_span(&json, "file", verdict->file);
    else
        jsonw_null(&json, "file");
    jsonw_span(&json, "authserv_id", verdict->authserv_id);
    write_spf(&json, verdict);
    part_dkim(&json, "dkim", verdict->dkim, verdict->dmarc);
    part_arc(&json, "arc", verdict->arc);
    part_dmarc(&json, "dmarc", verdict->dmarc);
    write_anomalies(&json, verdict->anomalies);
    write_results(&json, verdict);
    write_questions(&json, verdict->answers);
    write_client(&json, &verdict->client);
    write_from(&json, verdict->from);
    write_recipients(&json, &verdict->recipients);
    write_signature_total(&json, verdict->dkim);
    write_limits(&json, verdict->hits);
    jsonw_object_close(&json);
}

void verdict_write_spf_json(const struct spf_judgement *spf, struct buffer *out)
{
    struct jsonw json;
    jsonw_begin(&json, out);
    part_spf(&json, NULL, spf);
}

void verdict_write_discovery_json(const struct dmarc_discovery *discovery, struct buffer *out)
{
    struct jsonw json;
    jsonw_begin(&json, out);
    part_discovery(&json, NULL, discovery);
}
