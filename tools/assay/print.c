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

static const char *aligned_by(const struct dmarc_judgement *dmarc)
{
    if (dmarc->spf_aligned && dmarc->dkim_aligned)
        return ", aligned by SPF and DKIM";
    if (dmarc->spf_aligned)
        return ", aligned by SPF";
    return dmarc->dkim_aligned ? ", aligned by DKIM" : "";
}

/* One row of the table ------------------------------------------------------------------------ */

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
