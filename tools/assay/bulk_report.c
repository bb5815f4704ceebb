/*
 * The summary as text and as JSON. Same figures, same order.
 */
#include "bulk_progress.h"
#include "bulk_summary.h"
#include "verdict/json.h"

static const char *const protocol_words[SUMMARY_PROTOCOLS] = {"spf", "dkim", "arc", "dmarc"};
static const char *const protocol_labels[SUMMARY_PROTOCOLS] = {"SPF", "DKIM", "ARC", "DMARC"};

static const enum result results[] = {
    RESULT_PASS,   RESULT_FAIL,      RESULT_SOFTFAIL,  RESULT_NEUTRAL,
    RESULT_POLICY, RESULT_TEMPERROR, RESULT_PERMERROR, RESULT_NONE,
};

static uint64_t count_of(const struct bulk_summary *summary, unsigned protocol, enum result result)
{
    return summary->results[protocol][(unsigned)result & (SUMMARY_RESULTS - 1)];
}

/* A message without an action has the disposition "none", or none at all. */
static uint64_t disposed(const struct bulk_summary *summary, enum dmarc_disposition disposition)
{
    uint64_t count = summary->dispositions[disposition];
    return disposition == DMARC_DISPOSE_NONE ? count + summary->dispositions[DMARC_DISPOSE_UNSET]
                                             : count;
}

static double per_second(uint64_t count, const struct bulk_summary *summary)
{
    return (double)count * 1000 / (double)(summary->milliseconds ? summary->milliseconds : 1);
}

static void put_label(const char *label, FILE *out)
{
    fprintf(out, "  %-8s", label);
}

static void put_count(const char *word, uint64_t count, FILE *out)
{
    char text[32];
    fprintf(out, "  %s %s", word, bulk_text_count(count, text));
}

static void print_results(const struct bulk_summary *summary, FILE *out)
{
    for (unsigned i = 0; i < SUMMARY_PROTOCOLS; i++) {
        put_label(protocol_labels[i], out);
        for (unsigned k = 0; k < COUNT_OF(results); k++)
            if (count_of(summary, i, results[k]))
                put_count(result_word(results[k]), count_of(summary, i, results[k]), out);
        fputc('\n', out);
    }
    put_label("action", out);
    for (unsigned d = DMARC_DISPOSE_NONE; d <= DMARC_DISPOSE_REJECT; d++)
        if (disposed(summary, (enum dmarc_disposition)d))
            put_count(dmarc_disposition_word((enum dmarc_disposition)d),
                      disposed(summary, (enum dmarc_disposition)d), out);
    fputc('\n', out);
}

static void print_failing(const struct bulk_summary *summary, FILE *out)
{
    const struct bulk_top_name *names[SUMMARY_TOP];
    char text[DNS_NAME_TEXT_MAX], count[32];
    uint32_t n = bulk_top_list(&summary->failing, names, SUMMARY_TOP);
    for (uint32_t i = 0; i < n; i++) {
        put_label(i ? "" : "failing", out);
        fprintf(out, "  %s%s %s\n", names[i]->error ? "about " : "",
                bulk_text_count(names[i]->count, count), dns_name_text(&names[i]->name, text));
    }
}

static void print_odd(const struct bulk_summary *summary, FILE *out)
{
    bool any = false;
    for (unsigned i = 0; i < ANOMALY_COUNT; i++) {
        if (!summary->anomalies[i])
            continue;
        if (!any)
            put_label("odd", out);
        any = true;
        put_count(mail_anomaly_word((enum mail_anomaly)i), summary->anomalies[i], out);
    }
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        if (!summary->limits[i])
            continue;
        if (!any)
            put_label("odd", out);
        any = true;
        put_count(limit_name((enum limit)i), summary->limits[i], out);
    }
    if (any)
        fputc('\n', out);
}

static void print_figures(const struct bulk_figures *figures, FILE *out)
{
    char bytes[32];
    if (!figures->known)
        return;
    put_label("DNS", out);
    put_count("questions", figures->questions, out);
    put_count("queries", figures->queries, out);
    put_count("answers", figures->answers, out);
    put_count("empty", figures->empty, out);
    put_count("nxdomain", figures->nxdomain, out);
    put_count("failures", figures->failures, out);
    put_count("timeouts", figures->timeouts, out);
    if (figures->refused)
        put_count("refused", figures->refused, out);
    fputc('\n', out);
    put_label("cache", out);
    put_count("lookups", figures->lookups, out);
    fprintf(out, "  hits %.1f%%",
            figures->lookups ? 100.0 * (double)figures->hits / (double)figures->lookups : 0.0);
    put_count("entries", figures->entries, out);
    fprintf(out, "  %s\n", bulk_text_bytes(figures->entry_bytes, bytes));
    put_label("workers", out);
    fprintf(out, "  %u, %.2f s CPU%s\n", (unsigned)figures->workers, (double)figures->cpu_ns / 1e9,
            figures->daemon ? " (the daemon's, all clients)" : "");
}

static void print_left_out(const struct bulk_summary *summary, FILE *out)
{
    char text[32];
    if (summary->done_before)
        fprintf(out, "  %s judged before, by the journal\n",
                bulk_text_count(summary->done_before, text));
    if (summary->unreadable)
        fprintf(out, "  %s not readable\n", bulk_text_count(summary->unreadable, text));
    if (summary->no_message)
        fprintf(out, "  %s no message\n", bulk_text_count(summary->no_message, text));
    if (summary->unjudged)
        fprintf(out, "  %s not judged\n", bulk_text_count(summary->unjudged, text));
}

void bulk_summary_print(const struct bulk_summary *summary, FILE *out)
{
    char messages[32], bytes[32], rate[32], speed[32];
    fprintf(out, "%s%s messages, %s in %.2f s: %s messages/s, %s/s\n",
            summary->interrupted ? "interrupted: " : "",
            bulk_text_count(summary->messages, messages), bulk_text_bytes(summary->bytes, bytes),
            (double)summary->milliseconds / 1000,
            bulk_text_count((uint64_t)per_second(summary->messages, summary), rate),
            bulk_text_bytes((uint64_t)per_second(summary->bytes, summary), speed));
    if (summary->messages)
        print_results(summary, out);
    print_failing(summary, out);
    print_odd(summary, out);
    print_figures(&summary->figures, out);
    print_left_out(summary, out);
}

/* --- JSON --- */

static void json_results(struct jsonw *json, const struct bulk_summary *summary)
{
    for (unsigned i = 0; i < SUMMARY_PROTOCOLS; i++) {
        jsonw_object_open(json, protocol_words[i]);
        for (unsigned k = 0; k < COUNT_OF(results); k++)
            if (count_of(summary, i, results[k]))
                jsonw_uint(json, result_word(results[k]), count_of(summary, i, results[k]));
        jsonw_object_close(json);
    }
    jsonw_object_open(json, "disposition");
    for (unsigned d = DMARC_DISPOSE_NONE; d <= DMARC_DISPOSE_REJECT; d++)
        if (disposed(summary, (enum dmarc_disposition)d))
            jsonw_uint(json, dmarc_disposition_word((enum dmarc_disposition)d),
                       disposed(summary, (enum dmarc_disposition)d));
    jsonw_object_close(json);
}

static void json_failing(struct jsonw *json, const struct bulk_summary *summary)
{
    const struct bulk_top_name *names[SUMMARY_TOP];
    uint32_t n = bulk_top_list(&summary->failing, names, SUMMARY_TOP);
    jsonw_array_open(json, "failing_domains");
    for (uint32_t i = 0; i < n; i++) {
        jsonw_object_open(json, NULL);
        jsonw_name(json, "domain", &names[i]->name);
        jsonw_uint(json, "messages", names[i]->count);
        jsonw_uint(json, "at_most_too_many", names[i]->error);
        jsonw_object_close(json);
    }
    jsonw_array_close(json);
}

static void json_odd(struct jsonw *json, const struct bulk_summary *summary)
{
    jsonw_object_open(json, "anomalies");
    for (unsigned i = 0; i < ANOMALY_COUNT; i++)
        if (summary->anomalies[i])
            jsonw_uint(json, mail_anomaly_word((enum mail_anomaly)i), summary->anomalies[i]);
    jsonw_object_close(json);
    jsonw_object_open(json, "limits");
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (summary->limits[i])
            jsonw_uint(json, limit_name((enum limit)i), summary->limits[i]);
    jsonw_object_close(json);
}

static void json_figures(struct jsonw *json, const struct bulk_figures *figures)
{
    if (!figures->known)
        return;
    jsonw_object_open(json, "dns");
    jsonw_uint(json, "questions", figures->questions);
    jsonw_uint(json, "shared", figures->shared);
    jsonw_uint(json, "queries", figures->queries);
    jsonw_uint(json, "answers", figures->answers);
    jsonw_uint(json, "empty", figures->empty);
    jsonw_uint(json, "nxdomain", figures->nxdomain);
    jsonw_uint(json, "failures", figures->failures);
    jsonw_uint(json, "timeouts", figures->timeouts);
    jsonw_uint(json, "refused", figures->refused);
    jsonw_object_close(json);
    jsonw_object_open(json, "cache");
    jsonw_uint(json, "lookups", figures->lookups);
    jsonw_uint(json, "hits", figures->hits);
    jsonw_uint(json, "stale", figures->stale);
    jsonw_uint(json, "entries", figures->entries);
    jsonw_uint(json, "bytes", figures->entry_bytes);
    jsonw_object_close(json);
    jsonw_object_open(json, "workers");
    jsonw_bool(json, "daemon", figures->daemon);
    jsonw_uint(json, "count", figures->workers);
    jsonw_uint(json, "cpu_us", figures->cpu_ns / 1000);
    jsonw_uint(json, "rounds", figures->rounds);
    jsonw_uint(json, "parked", figures->parked);
    jsonw_object_close(json);
}

void bulk_summary_json(const struct bulk_summary *summary, struct buffer *out)
{
    struct jsonw json;
    jsonw_begin(&json, out);
    jsonw_object_open(&json, NULL);
    jsonw_object_open(&json, "summary");
    jsonw_uint(&json, "messages", summary->messages);
    jsonw_uint(&json, "bytes", summary->bytes);
    jsonw_uint(&json, "milliseconds", summary->milliseconds);
    jsonw_uint(&json, "messages_per_s", (uint64_t)per_second(summary->messages, summary));
    jsonw_bool(&json, "interrupted", summary->interrupted);
    jsonw_uint(&json, "done_before", summary->done_before);
    jsonw_uint(&json, "unreadable", summary->unreadable);
    jsonw_uint(&json, "no_message", summary->no_message);
    jsonw_uint(&json, "not_judged", summary->unjudged);
    json_results(&json, summary);
    json_failing(&json, summary);
    json_odd(&json, summary);
    json_figures(&json, &summary->figures);
    jsonw_object_close(&json);
    jsonw_object_close(&json);
}
