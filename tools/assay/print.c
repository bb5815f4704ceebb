/*
 * Verdicts for people. Everything that comes from a message or the DNS is written with its control
 * and 8-bit bytes escaped, so that no mail can speak to the terminal (security.md J08).
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/chars.h"
#include "command.h"

static bool use_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

const char *colour_off(void)
{
    return use_colour() ? "\033[0m" : "";
}

const char *colour_of_result(enum result result)
{
    if (!use_colour())
        return "";
    switch (result) {
    case RESULT_PASS:
        return "\033[32m";
    case RESULT_FAIL:
    case RESULT_PERMERROR:
        return "\033[31m";
    case RESULT_SOFTFAIL:
    case RESULT_POLICY:
    case RESULT_TEMPERROR:
        return "\033[33m";
    case RESULT_UNSET:
    case RESULT_NONE:
    case RESULT_NEUTRAL:
        break;
    }
    return "\033[2m";
}

void print_escaped(struct span text, FILE *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (char_is(text.p[i], CHAR_VCHAR) || text.p[i] == ' ')
            fputc(text.p[i], out);
        else
            fprintf(out, "\\x%02x", text.p[i]);
    }
}

static const char *name_text(const struct dns_name *name, char text[DNS_NAME_TEXT_MAX])
{
    return name->length ? dns_name_text(name, text) : "-";
}

static void put_result(const char *label, enum result result, FILE *out)
{
    fprintf(out, "  %-6s %s%-9s%s ", label, colour_of_result(result), result_word(result),
            colour_off());
}

static void put_reason(const char *reason, FILE *out)
{
    if (reason)
        fprintf(out, ", %s", reason);
}

static void put_spf_check(const char *label, const struct spf_check *check, FILE *out)
{
    char domain[DNS_NAME_TEXT_MAX];
    put_result(label, check->result, out);
    fprintf(out, "%s (%s)", name_text(&check->domain, domain), spf_scope_word(check->scope));
    if (check->mechanism.n) {
        fputs(", ", out);
        print_escaped(check->mechanism, out);
    }
    put_reason(check->reason, out);
    fprintf(out, ", %u lookup%s", check->lookups, check->lookups == 1 ? "" : "s");
    if (check->voids)
        fprintf(out, ", %u void", check->voids);
    fputc('\n', out);
    if (check->explanation.n) {
        fputs("                   the domain says: ", out);
        print_escaped(check->explanation, out);
        fputc('\n', out);
    }
}

/* Most HELO names publish nothing; a line that says so for every message is noise. */
static bool tells_something(const struct spf_check *helo)
{
    return helo->result != RESULT_UNSET && helo->result != RESULT_NONE;
}

void print_spf(const struct spf_judgement *spf, FILE *out)
{
    put_spf_check("SPF", &spf->checked, out);
    if (tells_something(&spf->helo))
        put_spf_check("HELO", &spf->helo, out);
    if (spf->checked.record.n) {
        fputs("                   ", out);
        print_escaped(spf->checked.record, out);
        fputc('\n', out);
    }
}

static void print_signature(const struct verdict *verdict, const struct dkim_verified *verified,
                            FILE *out)
{
    const struct dkim_signature *signature = &verified->signature;
    char domain[DNS_NAME_TEXT_MAX], selector[DNS_NAME_TEXT_MAX];
    put_result("DKIM", verified->result, out);
    fprintf(out, "%s, selector %s, %s", name_text(&signature->domain, domain),
            name_text(&signature->selector, selector), dkim_algorithm_word(signature->algorithm));
    if (verified->keys.bits)
        fprintf(out, ", %u bits", verified->keys.bits);
    /* There is no alignment where DMARC has not come that far (From of several domains). */
    if (verified->dmarc_identifier && verdict->dmarc->dkim_alignment &&
        verdict->dmarc->dkim_alignment[verified->dmarc_identifier - 1])
        fputs(", aligned", out);
    if (verified->keys.testing)
        fputs(", testing key", out);
    put_reason(verified->reason, out);
    if (verified->body_signed < verified->body_total && verified->signature.has_l)
        fprintf(out, " (%llu of %llu body octets signed)",
                (unsigned long long)verified->body_signed,
                (unsigned long long)verified->body_total);
    fputc('\n', out);
}

static void print_dkim(const struct verdict *verdict, FILE *out)
{
    const struct dkim_judgement *dkim = verdict->dkim;
    for (uint32_t i = 0; i < dkim->count; i++)
        print_signature(verdict, &dkim->verified[i], out);
    if (dkim->count)
        return;
    put_result("DKIM", dkim->refused ? RESULT_PERMERROR : RESULT_NONE, out);
    fprintf(out, "%s\n", dkim->refused ? dkim->refused : "no signature");
}

static void print_arc(const struct arc_judgement *arc, FILE *out)
{
    char domain[DNS_NAME_TEXT_MAX];
    put_result("ARC", arc->result, out);
    if (arc->count == 0)
        fputs("no set", out);
    else
        fprintf(out, "%u set%s", arc->count, arc->count == 1 ? "" : "s");
    for (uint32_t i = arc->count; i-- > 0;)
        if (arc->sets[i].seal.domain.length)
            fprintf(out, "%s%u %s", i + 1 == arc->count ? ": " : ", ", i + 1,
                    name_text(&arc->sets[i].seal.domain, domain));
    put_reason(arc->reason, out);
    if (arc->fault_instance)
        fprintf(out, " at set %u", arc->fault_instance);
    fputc('\n', out);
}

static const char *aligned_by(const struct dmarc_judgement *dmarc)
{
    if (dmarc->spf_aligned && dmarc->dkim_aligned)
        return ", aligned by SPF and DKIM";
    if (dmarc->spf_aligned)
        return ", aligned by SPF";
    return dmarc->dkim_aligned ? ", aligned by DKIM" : "";
}

static void print_dmarc(const struct dmarc_judgement *dmarc, FILE *out)
{
    const struct dmarc_discovery *discovery = &dmarc->discovery;
    char from[DNS_NAME_TEXT_MAX], policy[DNS_NAME_TEXT_MAX];
    put_result("DMARC", dmarc->result, out);
    fprintf(out, "From %s", name_text(&discovery->from_domain, from));
    if (discovery->policy_domain.length)
        fprintf(out, ", policy %s of %s", dmarc_policy_word(dmarc->policy),
                name_text(&discovery->policy_domain, policy));
    fputs(aligned_by(dmarc), out);
    put_reason(dmarc->reason, out);
    fprintf(out, "\n         %s\n",
            dmarc->disposition == DMARC_DISPOSE_NONE || dmarc->disposition == DMARC_DISPOSE_UNSET
                ? "no action"
                : dmarc_disposition_word(dmarc->disposition));
}

static void print_anomalies(const struct mail_anomalies *anomalies, FILE *out)
{
    const char *before = "  odd    ";
    for (unsigned i = 0; i < ANOMALY_COUNT; i++) {
        if (!mail_anomaly_is(anomalies, (enum mail_anomaly)i))
            continue;
        fprintf(out, "%s%s", before, mail_anomaly_word((enum mail_anomaly)i));
        before = ", ";
    }
    if (anomalies->set)
        fputc('\n', out);
}

void print_verdict(const char *file, const struct verdict *verdict, FILE *out)
{
    print_escaped(span_from_string(file), out);
    fputc('\n', out);
    if (verdict->spf_checked) {
        put_spf_check("SPF", &verdict->spf->checked, out);
        if (tells_something(&verdict->spf->helo))
            put_spf_check("HELO", &verdict->spf->helo, out);
    } else {
        put_result("SPF", RESULT_NONE, out);
        fputs("not checked: no client address (--ip)\n", out);
    }
    print_dkim(verdict, out);
    print_arc(verdict->arc, out);
    print_dmarc(verdict->dmarc, out);
    print_anomalies(verdict->anomalies, out);
}

/* One row of the table ------------------------------------------------------------------------ */

/* The best of all signatures, and the reason of the first that has this result. */
static enum result best_signature(const struct dkim_judgement *dkim, const char **reason)
{
    enum result best = engine_dkim_result(dkim);
    *reason = dkim->refused;
    for (uint32_t i = dkim->count; i-- > 0;)
        if (dkim->verified[i].result == best)
            *reason = dkim->verified[i].reason;
    return best;
}

static void put_cell(enum result result, int width, FILE *out)
{
    fprintf(out, "%s%-*s%s ", colour_of_result(result), width, result_word(result), colour_off());
}

/* The first reason that explains a result which is no pass. */
static const char *why(const struct verdict *verdict, const char *dkim_reason)
{
    if (verdict->dmarc->result == RESULT_PASS)
        return aligned_by(verdict->dmarc) + 2;
    if (verdict->dmarc->result == RESULT_PERMERROR || verdict->dmarc->result == RESULT_TEMPERROR)
        return verdict->dmarc->reason;
    if (verdict->arc->result == RESULT_FAIL)
        return verdict->arc->reason;
    if (dkim_reason)
        return dkim_reason;
    return verdict->dmarc->reason ? verdict->dmarc->reason : "";
}

void print_row_heading(FILE *out)
{
    fprintf(out, "%-26s %-9s %-9s %-5s %-9s %-11s %s\n", "message", "SPF", "DKIM", "ARC", "DMARC",
            "action", "why");
}

void verdict_row_of(const struct verdict *verdict, struct verdict_row *row)
{
    const char *dkim_reason = NULL;
    enum result dkim = best_signature(verdict->dkim, &dkim_reason);
    const char *reason = why(verdict, dkim_reason);
    *row = (struct verdict_row){
        .spf = verdict->spf_checked ? verdict->spf->checked.result : RESULT_NONE,
        .dkim = dkim,
        .arc = verdict->arc->result,
        .dmarc = verdict->dmarc->result,
        .disposition = verdict->dmarc->disposition,
        .why = reason ? reason : "",
    };
}

void print_row(const char *file, const struct verdict_row *row, FILE *out)
{
    const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    print_escaped(span_from_string(name), out);
    fprintf(out, "%*s ", strlen(name) < 26 ? (int)(26 - strlen(name)) : 0, "");
    put_cell(row->spf, 9, out);
    put_cell(row->dkim, 9, out);
    put_cell(row->arc, 5, out);
    put_cell(row->dmarc, 9, out);
    fprintf(out, "%-11s %s\n", dmarc_disposition_word(row->disposition), row->why);
}

void print_verdict_row(const char *file, const struct verdict *verdict, FILE *out)
{
    struct verdict_row row;
    verdict_row_of(verdict, &row);
    print_row(file, &row, out);
}

/* Policy discovery ---------------------------------------------------------------------------- */

static void print_step(const struct dmarc_walk *walk, const struct dmarc_step *step, FILE *out)
{
    char name[DNS_NAME_TEXT_MAX];
    struct dns_name domain = dmarc_step_domain(walk, step);
    fprintf(out, "    _dmarc.%s: ", name_text(&domain, name));
    if (step->record)
        print_escaped(step->record->text, out);
    else
        fprintf(out, "%s%s%s", dns_outcome_word(step->outcome), step->reason ? ", " : "",
                step->reason ? step->reason : "");
    fputc('\n', out);
}

void print_discovery(const struct dmarc_discovery *discovery, FILE *out)
{
    char name[DNS_NAME_TEXT_MAX];
    fprintf(out, "domain                %s", name_text(&discovery->from_domain, name));
    if (discovery->existence_known && !discovery->author_exists)
        fputs(" (does not exist)", out);
    fprintf(out, "\norganizational domain %s\n", name_text(&discovery->org_domain, name));
    if (discovery->result == RESULT_UNSET) {
        fprintf(out, "policy                %s", dmarc_policy_word(discovery->policy));
        fprintf(out, ", from %s= of %s\n", discovery->policy_tag ? discovery->policy_tag : "p",
                name_text(&discovery->policy_domain, name));
    } else {
        /* Not "none", which is a policy. */
        fprintf(out, "policy                %s%s%s\n",
                discovery->result == RESULT_NONE ? "not found" : result_word(discovery->result),
                discovery->reason ? ", " : "", discovery->reason ? discovery->reason : "");
    }
    fputs("tree walk\n", out);
    for (uint32_t i = 0; i < discovery->walk.count; i++)
        print_step(&discovery->walk, &discovery->walk.steps[i], out);
}
