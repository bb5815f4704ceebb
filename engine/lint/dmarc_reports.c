/* Where reports go, and whether the destination wants them (RFC 9990 4, AG-25 to AG-29). */
#include "lint/parts.h"

#include "dmarc/uri.h"

static void refused(const struct lint_place *place, const struct lint_destination *destination)
{
    char name[DNS_NAME_TEXT_MAX];
    bool other = strcmp(destination->reason, "override_of_other_host") == 0;
    bool temporary = destination->verdict == DMARC_REPORT_TEMPERROR;
    struct lint_finding *finding =
        lint_find(place, temporary ? LINT_WARNING : LINT_ERROR,
                  temporary ? "report_unknown" : "report_refused", destination->uri,
                  temporary ? "the DNS does not say whether %.*s wants these reports: %s"
                            : "%.*s has not said that it wants these reports, so none are sent: %s",
                  SPAN_ARGS(destination->host), destination->reason);
    if (!temporary && !other && destination->name.length)
        lint_instead(place, finding, "%s TXT \"v=DMARC1;\", published by %.*s",
                     dns_name_text(&destination->name, name), SPAN_ARGS(destination->host));
}

static void check_destination(struct lint_run *run, const struct lint_place *place,
                              struct lint_destination *destination)
{
    const struct dns_name *policy_domain = &run->report->discovery.policy_domain;
    struct limit_hits hits = {.set = 0};
    struct dns_name host;
    struct dmarc_report_check check;
    if (dns_name_from_domain(&host, destination->host) != DNS_NAME_OK) {
        destination->verdict = DMARC_REPORT_REFUSED;
        destination->reason = "bad_host";
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "bad_uri", destination->uri,
                               "what stands behind \"@\" is no domain"),
                     "an address with a domain");
        return;
    }
    if (dmarc_report_authorized(policy_domain, &host, run->request->dmarc_options, run->answers,
                                run->arena, &hits, &check) == JUDGE_WAITING) {
        run->waiting = true;
        return;
    }
    destination->verdict = check.verdict;
    destination->reason = check.reason;
    destination->external = check.external;
    if (check.external && !dmarc_report_name(policy_domain, &host, &destination->name))
        destination->name = (struct dns_name){0};
    if (check.verdict != DMARC_REPORT_AUTHORIZED)
        refused(place, destination);
    else if (check.override.n)
        (void)lint_find(place, LINT_NOTE, "report_override", destination->uri,
                        "the destination has them sent to %.*s instead", SPAN_ARGS(check.override));
}

static void check_list(struct lint_run *run, const struct lint_place *place, struct span list,
                       bool ruf)
{
    struct lint_report *report = run->report;
    struct dmarc_uri uri;
    while (dmarc_uri_next(&list, &uri)) {
        if (!uri.mailto)
            continue;
        if (report->destination_count == LINT_DESTINATIONS_MAX) {
            (void)lint_find(place, LINT_WARNING, "too_many_uris", uri.text,
                            "over %d report addresses: the rest was not looked at",
                            LINT_DESTINATIONS_MAX);
            return;
        }
        struct lint_destination *destination = &report->destinations[report->destination_count++];
        *destination = (struct lint_destination){.uri = uri.text, .host = uri.host, .ruf = ruf};
        check_destination(run, place, destination);
    }
}

void lint_dmarc_reports(struct lint_run *run)
{
    const struct dmarc_discovery *d = &run->report->discovery;
    struct dns_name question;
    run->report->destinations =
        ARENA_ARRAY(run->arena, LINT_DESTINATIONS_MAX, struct lint_destination);
    if (!d->record || !run->report->destinations)
        return;
    if (dns_name_prepend(&question, "_dmarc", &d->policy_domain) != DNS_NAME_OK)
        question = d->policy_domain;
    struct lint_place place = {&run->report->findings, LINT_DMARC, &question, d->record->text};
    check_list(run, &place, d->record->rua, false);
    check_list(run, &place, d->record->ruf, true);
}
