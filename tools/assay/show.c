/*
 * What print.c prints, from the JSON that the daemon sends: the same lines for the same verdict.
 * Every text is escaped as print.c does (security.md J08). Keys that are missing, as from a daemon
 * of another version, are shown as "-" or left out.
 */
#include "show.h"

/* A member on the way of `path` ("arc.result"); NULL where there is none. */
static const json_t *at(const json_t *object, const char *path)
{
    while (object && *path) {
        char key[32];
        size_t n = strcspn(path, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        object = json_object_get(object, key);
        path += path[n] ? n + 1 : n;
    }
    return object;
}

static struct span text_at(const json_t *object, const char *path)
{
    const json_t *value = at(object, path);
    if (!json_is_string(value))
        return (struct span){NULL, 0};
    return span_of(json_string_value(value), json_string_length(value));
}

static unsigned long long number_at(const json_t *object, const char *path)
{
    json_int_t value = json_integer_value(at(object, path));
    return value > 0 ? (unsigned long long)value : 0;
}

static bool true_at(const json_t *object, const char *path)
{
    return json_is_true(at(object, path));
}

static void put_at(const json_t *object, const char *path, FILE *out)
{
    struct span text = text_at(object, path);
    print_escaped(text.p ? text : SPAN("-"), out);
}

/* Text with something before it, where there is a text. */
static void put_known(const char *before, const json_t *object, const char *path, FILE *out)
{
    struct span text = text_at(object, path);
    if (!text.n)
        return;
    fputs(before, out);
    print_escaped(text, out);
}

/* --- results --- */

enum result show_result(const json_t *word)
{
    static const enum result results[] = {RESULT_NONE,      RESULT_NEUTRAL, RESULT_SOFTFAIL,
                                          RESULT_FAIL,      RESULT_POLICY,  RESULT_TEMPERROR,
                                          RESULT_PERMERROR, RESULT_PASS};
    const char *text = json_string_value(word);
    for (size_t i = 0; text && i < COUNT_OF(results); i++)
        if (strcmp(text, result_word(results[i])) == 0)
            return results[i];
    return RESULT_UNSET; /* printed as an error */
}

static void put_result(const char *label, enum result result, FILE *out)
{
    fprintf(out, "  %-6s %s%-9s%s ", label, colour_of_result(result), result_word(result),
            colour_off());
}

static void put_result_at(const char *label, const json_t *object, FILE *out)
{
    put_result(label, show_result(at(object, "result")), out);
}

/* --- SPF --- */

static void put_spf_check(const char *label, const json_t *check, FILE *out)
{
    unsigned long long lookups = number_at(check, "lookups.count");
    put_result_at(label, check, out);
    put_at(check, "domain", out);
    fputs(" (", out);
    put_at(check, "scope", out);
    fputc(')', out);
    put_known(", ", check, "mechanism", out);
    put_known(", ", check, "reason", out);
    fprintf(out, ", %llu lookup%s", lookups, lookups == 1 ? "" : "s");
    if (number_at(check, "lookups.void"))
        fprintf(out, ", %llu void", number_at(check, "lookups.void"));
    fputc('\n', out);
    put_known("                   the domain says: ", check, "explanation", out);
    if (text_at(check, "explanation").n)
        fputc('\n', out);
}

static void put_both_checks(const json_t *spf, FILE *out)
{
    const json_t *helo = at(spf, "helo");
    put_spf_check("SPF", spf, out);
    if (json_is_object(helo) && show_result(at(helo, "result")) != RESULT_NONE)
        put_spf_check("HELO", helo, out);
}

void show_spf(const json_t *spf, FILE *out)
{
    put_both_checks(spf, out);
    put_known("                   ", spf, "record", out);
    if (text_at(spf, "record").n)
        fputc('\n', out);
}

static void put_spf(const json_t *spf, FILE *out)
{
    if (!span_equal(text_at(spf, "reason"), SPAN("no_client_address"))) {
        put_both_checks(spf, out);
        return;
    }
    put_result("SPF", RESULT_NONE, out);
    fputs("not checked: no client address (--ip)\n", out);
}

/* --- DKIM, ARC, DMARC --- */

static void put_signature(const json_t *signature, FILE *out)
{
    unsigned long long covered = number_at(signature, "body_bytes.signed");
    unsigned long long total = number_at(signature, "body_bytes.total");
    put_result_at("DKIM", signature, out);
    put_at(signature, "domain", out);
    fputs(", selector ", out);
    put_at(signature, "selector", out);
    fputs(", ", out);
    put_at(signature, "algorithm", out);
    if (number_at(signature, "key_bits"))
        fprintf(out, ", %llu bits", number_at(signature, "key_bits"));
    if (true_at(signature, "aligned"))
        fputs(", aligned", out);
    if (true_at(signature, "testing"))
        fputs(", testing key", out);
    put_known(", ", signature, "reason", out);
    if (covered < total && json_is_integer(at(signature, "length")))
        fprintf(out, " (%llu of %llu body octets signed)", covered, total);
    fputc('\n', out);
}

static void put_dkim(const json_t *verdict, FILE *out)
{
    const json_t *list = at(verdict, "dkim"), *signature;
    size_t i;
    json_array_foreach(list, i, signature) put_signature(signature, out);
    if (json_array_size(list))
        return;
    struct span refused = text_at(verdict, "dkim_refused");
    put_result("DKIM", refused.n ? RESULT_PERMERROR : RESULT_NONE, out);
    print_escaped(refused.n ? refused : SPAN("no signature"), out);
    fputc('\n', out);
}

static void put_arc(const json_t *arc, FILE *out)
{
    const json_t *sealers = at(arc, "sealers");
    size_t count = json_array_size(sealers);
    put_result_at("ARC", arc, out);
    if (number_at(arc, "sets") == 0)
        fputs("no set", out);
    else
        fprintf(out, "%llu set%s", number_at(arc, "sets"), number_at(arc, "sets") == 1 ? "" : "s");
    for (size_t i = count; i-- > 0;) {
        const json_t *sealer = json_array_get(sealers, i);
        if (!text_at(sealer, "domain").n)
            continue;
        fprintf(out, "%s%zu ", i + 1 == count ? ": " : ", ", i + 1);
        put_at(sealer, "domain", out);
    }
    put_known(", ", arc, "reason", out);
    if (number_at(arc, "fault_instance"))
        fprintf(out, " at set %llu", number_at(arc, "fault_instance"));
    fputc('\n', out);
}

static const char *aligned_by(const json_t *dmarc)
{
    bool spf = true_at(dmarc, "alignment.spf"), dkim = true_at(dmarc, "alignment.dkim");
    if (spf && dkim)
        return ", aligned by SPF and DKIM";
    if (spf)
        return ", aligned by SPF";
    return dkim ? ", aligned by DKIM" : "";
}

static struct span disposition(const json_t *dmarc)
{
    struct span word = text_at(dmarc, "disposition");
    return word.n ? word : SPAN("none");
}

static void put_dmarc(const json_t *dmarc, FILE *out)
{
    struct span action = disposition(dmarc);
    put_result_at("DMARC", dmarc, out);
    fputs("From ", out);
    put_at(dmarc, "from_domain", out);
    if (text_at(dmarc, "policy_domain").n) {
        fputs(", policy ", out);
        put_at(dmarc, "policy", out);
        fputs(" of ", out);
        put_at(dmarc, "policy_domain", out);
    }
    fputs(aligned_by(dmarc), out);
    put_known(", ", dmarc, "reason", out);
    fputs("\n         ", out);
    print_escaped(span_equal(action, SPAN("none")) ? SPAN("no action") : action, out);
    fputc('\n', out);
}

static void put_anomalies(const json_t *list, FILE *out)
{
    const json_t *word;
    size_t i;
    json_array_foreach(list, i, word)
    {
        fputs(i ? ", " : "  odd    ", out);
        print_escaped(text_at(word, ""), out);
    }
    if (json_array_size(list))
        fputc('\n', out);
}

void show_verdict(const char *file, const json_t *verdict, FILE *out)
{
    print_escaped(span_from_string(file), out);
    fputc('\n', out);
    put_spf(at(verdict, "spf"), out);
    put_dkim(verdict, out);
    put_arc(at(verdict, "arc"), out);
    put_dmarc(at(verdict, "dmarc"), out);
    put_anomalies(at(verdict, "anomalies"), out);
}

/* --- one row of the table --- */

static const char *word_at(const json_t *object, const char *path)
{
    return json_string_value(at(object, path));
}

/* The reason of the first signature with the result that the message has. */
static const char *dkim_reason(const json_t *verdict, enum result best)
{
    const json_t *signature;
    size_t i;
    json_array_foreach(at(verdict, "dkim"), i, signature)
    {
        if (show_result(at(signature, "result")) == best)
            return word_at(signature, "reason");
    }
    return word_at(verdict, "dkim_refused");
}

/* The first reason that explains a result which is no pass. */
static const char *reason_of(const json_t *verdict, const struct verdict_row *row)
{
    const json_t *dmarc = at(verdict, "dmarc");
    const char *dkim = dkim_reason(verdict, row->dkim);
    if (row->dmarc == RESULT_PASS)
        return *aligned_by(dmarc) ? aligned_by(dmarc) + 2 : "";
    if (row->dmarc == RESULT_PERMERROR || row->dmarc == RESULT_TEMPERROR)
        return word_at(dmarc, "reason");
    if (row->arc == RESULT_FAIL)
        return word_at(verdict, "arc.reason");
    return dkim ? dkim : word_at(dmarc, "reason");
}

const char *show_why(const json_t *verdict, const struct verdict_row *row)
{
    const char *reason = reason_of(verdict, row);
    return reason ? reason : "";
}

/* --- policy discovery --- */

static void put_step(const json_t *step, FILE *out)
{
    fputs("    ", out);
    put_at(step, "name", out);
    fputs(": ", out);
    if (text_at(step, "record").n) {
        put_at(step, "record", out);
    } else {
        put_at(step, "outcome", out);
        put_known(", ", step, "reason", out);
    }
    fputc('\n', out);
}

void show_discovery(const json_t *discovery, FILE *out)
{
    const json_t *step;
    size_t i;
    fputs("domain                ", out);
    put_at(discovery, "from_domain", out);
    fputs(json_is_false(at(discovery, "exists")) ? " (does not exist)" : "", out);
    fputs("\norganizational domain ", out);
    put_at(discovery, "org_domain", out);
    fputs("\npolicy                ", out);
    if (text_at(discovery, "result").n) {
        /* Not "none", which is a policy. */
        bool none = span_equal(text_at(discovery, "result"), SPAN("none"));
        print_escaped(none ? SPAN("not found") : text_at(discovery, "result"), out);
        put_known(", ", discovery, "reason", out);
    } else {
        put_at(discovery, "policy", out);
        fputs(", from ", out);
        print_escaped(
            text_at(discovery, "policy_tag").n ? text_at(discovery, "policy_tag") : SPAN("p"), out);
        fputs("= of ", out);
        put_at(discovery, "policy_domain", out);
    }
    fputs("\ntree walk\n", out);
    json_array_foreach(at(discovery, "walk"), i, step) put_step(step, out);
}

int show_buffer(struct buffer *json, void (*show)(const json_t *, FILE *))
{
    json_t *object =
        json->failed ? NULL : json_loadb((const char *)json->p, json->n, JSON_ALLOW_NUL, NULL);
    buffer_fini(json);
    if (!object) {
        complain("no memory for the verdict");
        return STATUS_SOFTWARE;
    }
    show(object, stdout);
    json_decref(object);
    return STATUS_OK;
}
