/*
 * diff-dmarc: the engine's DMARC judge behind a pipe, for the differential tests.
 *
 * A request is a line "author domain HTAB identifiers between commas, or - HTAB bytes", then a zone
 * file of so many bytes. The identifiers are d= of passing signatures. The answer is one line:
 * result, policy, policy domain, Organizational Domain, aligned ("1", "0"), HTAB between them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dmarc/dmarc.h"
#include "dns/source.h"

enum
{
    FIELDS = 3,
    LINE_BYTES = 16 * 1024,
    IDENTIFIERS = 8,
};

static void stop(const char *what)
{
    fprintf(stderr, "diff-dmarc: %s\n", what);
    exit(1);
}

static void print_name(const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    printf("\t%s", name->length ? dns_name_text(name, text) : "-");
}

static void print(const struct dmarc_judgement *judgement)
{
    const char *policy = dmarc_policy_word(judgement->policy);
    printf("%s\t%s", result_word(judgement->result), policy ? policy : "-");
    print_name(&judgement->discovery.policy_domain);
    print_name(&judgement->discovery.org_domain);
    printf("\t%d\n", judgement->dkim_aligned);
    fflush(stdout);
}

static void judge(const struct mail_from *from, char *names, struct dns_source *source,
                  struct arena *arena)
{
    static struct dmarc_judgement judgement;
    struct dmarc_options options = {.mode = DMARC_TREE_WALK};
    struct dns_name domains[IDENTIFIERS];
    struct dmarc_identifiers identifiers = {.known = true, .dkim = domains};
    struct limit_hits hits = {{0}};
    struct dns_answers answers;
    for (char *name; strcmp(names ? names : "-", "-") != 0 && (name = strsep(&names, ","));)
        if (identifiers.dkim_count == IDENTIFIERS ||
            dns_name_from_domain(&domains[identifiers.dkim_count++], span_from_string(name)))
            stop("identifier");
    dns_answers_init(&answers, arena, &hits);
    while (dmarc_judge(from, &identifiers, &options, &answers, arena, &hits, &judgement) ==
           JUDGE_WAITING)
        dns_source_resolve(source, &answers, 0);
    print(&judgement);
}

static void answer(char *const fields[FIELDS], struct span zone)
{
    static struct mail_from from;
    struct arena arena;
    struct dns_error error;
    arena_init(&arena, MAX_ARENA_BYTES);
    struct dns_source *source = dns_zone_parse(zone, "zone", &error);
    if (!source)
        stop(error.text);
    struct mail_address author = {.local = SPAN("a"), .domain = span_from_string(fields[0])};
    from = (struct mail_from){.state = MAIL_FROM_OK, .list = {.addresses = &author, .count = 1}};
    judge(&from, fields[1], source, &arena);
    dns_source_free(&source);
    arena_fini(&arena);
}

int main(void)
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        char *fields[FIELDS], *at = line;
        for (unsigned i = 0; i < FIELDS; i++)
            if (!(fields[i] = strsep(&at, "\t\n")))
                stop("too few fields");
        size_t n = strtoull(fields[FIELDS - 1], NULL, 10);
        uint8_t *zone = malloc(n ? n : 1);
        if (!zone || fread(zone, 1, n, stdin) != n)
            stop("zone is missing");
        answer(fields, span_of(zone, n));
        free(zone);
    }
    return 0;
}
