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
#include "requests.h"

enum
{
    FIELDS = 3,
    IDENTIFIERS = 8,
};

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
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    for (char *name; strcmp(names ? names : "-", "-") != 0 && (name = strsep(&names, ","));)
        if (identifiers.dkim_count == IDENTIFIERS ||
            dns_name_from_domain(&domains[identifiers.dkim_count++], span_from_string(name)))
            requests_stop("identifier");
    dns_answers_init(&answers, arena, &hits);
    while (dmarc_judge(from, &identifiers, &options, &answers, arena, &hits, &judgement) ==
           JUDGE_WAITING)
        dns_source_resolve(source, &answers, 0);
    print(&judgement);
}

static void answer(char *const *fields, struct span zone)
{
    static struct mail_from from;
    struct arena arena;
    struct dns_error error;
    arena_init(&arena, MAX_ARENA_BYTES);
    struct dns_source *source = dns_zone_parse(zone, "zone", &error);
    if (!source)
        requests_stop(error.text);
    struct mail_address author = {.local = SPAN("a"), .domain = span_from_string(fields[0])};
    from = (struct mail_from){.state = MAIL_FROM_OK, .list = {.addresses = &author, .count = 1}};
    judge(&from, fields[1], source, &arena);
    dns_source_free(&source);
    arena_fini(&arena);
}

int main(void)
{
    requests_answer(FIELDS, answer);
    return 0;
}
