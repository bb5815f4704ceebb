/* What the linter found, for people: what there is, then what is wrong with it, the worst first. */
#include "lint.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/number.h"

enum
{
    DEFAULT_COLUMNS = 80,
    TREE_COLUMN = 48, /* where the counts of the tree stand */
    TEXT_INDENT = 4,
};

unsigned lint_columns(void)
{
    struct winsize size;
    uint64_t columns;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    const char *text = getenv("COLUMNS");
    if (text && number_parse(span_from_string(text), 4, &columns) && columns > 0)
        return (unsigned)columns;
    return DEFAULT_COLUMNS;
}

static const char *severity_colour(enum lint_severity severity)
{
    if (severity == LINT_ERROR)
        return colour_of_result(RESULT_FAIL);
    return colour_of_result(severity == LINT_WARNING ? RESULT_SOFTFAIL : RESULT_NONE);
}

/* Words, broken before the last column. */
static void put_wrapped(const char *head, struct span text, unsigned columns)
{
    size_t column = TEXT_INDENT + strlen(head);
    bool first = true;
    printf("%*s%s", TEXT_INDENT, "", head);
    while (text.n) {
        size_t n = span_find(text, ' ');
        struct span word = span_slice(text, 0, n);
        text = span_skip(text, n < text.n ? n + 1 : n);
        if (!first && column + 1 + word.n > columns) {
            printf("\n%*s", TEXT_INDENT, "");
            column = TEXT_INDENT;
            first = true;
        }
        if (!first)
            putchar(' ');
        print_escaped(word, stdout);
        column += word.n + !first;
        first = false;
    }
    putchar('\n');
}

/* --- what there is --- */

static void put_name(const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    fputs(dns_name_text(name, text), stdout);
}

static const char *plural(unsigned n)
{
    return n == 1 ? "" : "s";
}

static void put_row(const struct lint_spf_row *row)
{
    int used = (int)(2 + 2 * row->depth + row->text.n);
    printf("%*s", (int)(2 + 2 * row->depth), "");
    print_escaped(row->text, stdout);
    printf("%*s  %2u", used < TREE_COLUMN ? TREE_COLUMN - used : 0, "", row->lookups);
    if (row->voids4 || row->voids6)
        printf(", void %u (IPv6 %u)", row->voids4, row->voids6);
    if (strcmp(row->state, "ok") != 0)
        printf(", %s", strcmp(row->state, "macro") == 0 ? "depends on the message" : row->state);
    putchar('\n');
}

static void put_spf(const struct lint_report *report)
{
    const struct lint_spf_row *root = report->rows;
    if (report->row_count == 0)
        return;
    fputs("SPF ", stdout);
    put_name(&root->target);
    printf(": %u of %u lookups, void %u of %u", root->lookups, MAX_SPF_LOOKUPS, root->voids4,
           MAX_SPF_VOID_LOOKUPS);
    if (root->voids6 != root->voids4)
        printf(" (IPv6 clients %u)", root->voids6);
    if (strcmp(root->state, "ok") != 0)
        printf(", %s", root->state);
    putchar('\n');
    for (uint32_t i = 1; i < report->row_count; i++)
        put_row(&report->rows[i]);
}

static void put_key(const struct lint_key *key)
{
    fputs("  ", stdout);
    put_name(&key->name);
    fputs(": ", stdout);
    if (key->type && key->bits)
        printf("%s, %u bits", key->type == KEY_ED25519 ? "ed25519" : "rsa", key->bits);
    if (key->reason)
        printf("%s%s", key->bits ? ", " : "", key->reason);
    putchar('\n');
}

static void put_keys(const struct lint_subject *subject, const struct lint_report *report)
{
    if (!subject->dkim)
        return;
    puts("DKIM");
    if (report->key_count == 0)
        puts(subject->signatures_missing
                 ? "  the message has no DKIM-Signature that names a key"
                 : "  no key was looked at: name it by --selector, or give --message");
    for (uint32_t i = 0; i < report->key_count; i++)
        put_key(&report->keys[i]);
}

static void put_step(const struct dmarc_walk *walk, const struct dmarc_step *step)
{
    struct dns_name domain = dmarc_step_domain(walk, step);
    fputs("  _dmarc.", stdout);
    put_name(&domain);
    if (step->record)
        fputs(": record", stdout);
    else if (step->reason)
        printf(": %s", step->reason);
    else
        printf(": %s", step->outcome == DNS_NXDOMAIN ? "no such name" : "no TXT record");
    putchar('\n');
}

static void put_destination(const struct lint_destination *destination)
{
    printf("  %s=", destination->ruf ? "ruf" : "rua");
    print_escaped(destination->uri, stdout);
    if (destination->verdict == DMARC_REPORT_AUTHORIZED)
        puts(destination->external ? ": wants these reports" : ": same organization");
    else
        printf(": %s\n", destination->reason ? destination->reason : "unknown");
}

static void put_dmarc(const struct lint_report *report)
{
    const struct dmarc_discovery *d = &report->discovery;
    const char *policy = dmarc_policy_word(d->policy);
    if (!report->dmarc)
        return;
    fputs("DMARC ", stdout);
    put_name(&d->from_domain);
    if (d->record && policy)
        printf(": policy %s (%s=)", policy, d->policy_tag ? d->policy_tag : "p");
    else
        printf(": %s", d->reason ? d->reason : "no policy");
    putchar('\n');
    for (uint32_t i = 0; i < d->walk.count; i++)
        put_step(&d->walk, &d->walk.steps[i]);
    for (uint32_t i = 0; i < report->destination_count; i++)
        put_destination(&report->destinations[i]);
}

/* --- what is wrong --- */

static const char *kind_name(enum lint_kind kind)
{
    static const char *const names[] = {
        [LINT_SPF] = ", SPF", [LINT_DKIM] = ", DKIM", [LINT_DMARC] = ", DMARC"};
    return kind ? names[kind] : "";
}

static void put_finding(const struct lint_finding *finding, unsigned columns)
{
    printf("%s%s%s: %s%s", severity_colour(finding->severity),
           lint_severity_word(finding->severity), colour_off(), finding->code,
           kind_name(finding->kind));
    if (finding->name.length) {
        fputs(" of ", stdout);
        put_name(&finding->name);
    }
    putchar('\n');
    put_wrapped("", finding->what, columns);
    if (finding->text.n)
        lint_print_record(finding->text, finding->at, finding->length, columns, stdout);
    if (finding->instead.n)
        put_wrapped("instead: ", finding->instead, columns);
}

static void put_summary(const struct lint_subject *subject, const struct lint_findings *findings)
{
    const uint32_t *counts = findings->counts;
    printf("%s: ", subject->domain ? subject->domain : "the record");
    if (findings->total == 0)
        puts("nothing wrong");
    else
        printf("%u error%s, %u warning%s, %u note%s\n", counts[LINT_ERROR],
               plural(counts[LINT_ERROR]), counts[LINT_WARNING], plural(counts[LINT_WARNING]),
               counts[LINT_NOTE], plural(counts[LINT_NOTE]));
}

void lint_print(const struct lint_subject *subject, const struct lint_report *report,
                unsigned columns)
{
    put_spf(report);
    put_keys(subject, report);
    put_dmarc(report);
    for (int severity = LINT_ERROR; severity >= LINT_NOTE; severity--)
        for (const struct lint_finding *f = report->findings.first; f; f = f->next)
            if (f->severity == (enum lint_severity)severity)
                put_finding(f, columns);
    put_summary(subject, &report->findings);
}
