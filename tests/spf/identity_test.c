/* Which identity is checked (SP-1 to SP-4), security.md A01, A02, E12. */
#include <criterion/criterion.h>

#include "harness.h"

static bool same_reason(const char *got, const char *want)
{
    return got && want ? strcmp(got, want) == 0 : got == want;
}

struct identity_case
{
    const char *helo, *mail_from; /* NULL: none given */
    enum spf_scope scope;
    const char *domain; /* NULL: unusable */
    enum result result, helo_result;
};

static const struct identity_case identity_cases[] = {
    /* SP-1: both, side by side */
    {"helo.example", "a@mail.example", SPF_SCOPE_MFROM, "mail.example", RESULT_FAIL, RESULT_PASS},
    {"helo.example", "a@helo.example", SPF_SCOPE_MFROM, "helo.example", RESULT_PASS, RESULT_PASS},
    {"nx.example", "a@mail.example", SPF_SCOPE_MFROM, "mail.example", RESULT_FAIL, RESULT_NONE},
    /* SP-2: the null reverse-path, and none at all */
    {"helo.example", "<>", SPF_SCOPE_HELO, "helo.example", RESULT_PASS, RESULT_UNSET},
    {"HELO.Example.", "", SPF_SCOPE_HELO, "helo.example", RESULT_PASS, RESULT_UNSET},
    {"helo.example", NULL, SPF_SCOPE_HELO, "helo.example", RESULT_PASS, RESULT_UNSET},
    /* SP-3, E12 */
    {"[192.0.2.1]", "<>", SPF_SCOPE_HELO, NULL, RESULT_NONE, RESULT_UNSET},
    {"[192.0.2.1]", "a@mail.example", SPF_SCOPE_MFROM, "mail.example", RESULT_FAIL, RESULT_UNSET},
    {"192.0.2.1", "<>", SPF_SCOPE_HELO, NULL, RESULT_NONE, RESULT_UNSET},
    {"a b", "<>", SPF_SCOPE_HELO, NULL, RESULT_NONE, RESULT_UNSET},
    {"localhost", "<>", SPF_SCOPE_HELO, NULL, RESULT_NONE, RESULT_UNSET},
    {"", "<>", SPF_SCOPE_HELO, NULL, RESULT_NONE, RESULT_UNSET},
    {"a..b.example", "<>", SPF_SCOPE_HELO, NULL, RESULT_NONE, RESULT_UNSET},
    /* A01: HELO passes, MAIL FROM is the victim's: the verdict is MAIL FROM's */
    {"helo.example", "a@nx.victim.example", SPF_SCOPE_MFROM, "nx.victim.example", RESULT_NONE,
     RESULT_PASS},
    {"helo.example", "a@victim", SPF_SCOPE_MFROM, NULL, RESULT_NONE, RESULT_PASS},
    {"helo.example", "a@[192.0.2.1]", SPF_SCOPE_MFROM, NULL, RESULT_NONE, RESULT_PASS},
};

static const char identity_zone[] = "helo.example TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
                                    "mail.example TXT \"v=spf1 -all\"\n";

static void expect_identity(const struct identity_case *c, const struct spf_judgement *judgement)
{
    char domain[DNS_NAME_TEXT_MAX] = "";
    const struct spf_check *check = &judgement->checked;
    if (check->domain.length)
        dns_name_text(&check->domain, domain);
    cr_expect(check->scope == c->scope && check->result == c->result &&
                  judgement->helo.result == c->helo_result,
              "HELO %s, MAIL FROM %s: got %s %s, HELO %d", c->helo, c->mail_from,
              spf_scope_word(check->scope), result_word(check->result), judgement->helo.result);
    cr_expect(strcmp(domain, c->domain ? c->domain : "") == 0, "HELO %s, MAIL FROM %s: got %s",
              c->helo, c->mail_from, domain);
    cr_expect(!judgement->mail_from_malformed);
}

Test(spf_identity, identities_A01_E12)
{
    struct dns_source *source = spf_zone(identity_zone);
    for (size_t i = 0; i < COUNT_OF(identity_cases); i++) {
        const struct identity_case *c = &identity_cases[i];
        struct spf_trial trial;
        spf_trial_run(&trial, spf_request_text("192.0.2.1", c->helo, c->mail_from), source);
        expect_identity(c, &trial.judgement);
        bool nothing = !c->domain && c->helo_result == RESULT_UNSET;
        cr_expect(!nothing || trial.answers.count == 0, "HELO %s asks the DNS", c->helo);
        spf_trial_end(&trial);
    }
    dns_source_free(&source);
}

/* E12: a HELO of 1,000 bytes and one over the limit; no lookup. */
Test(spf_identity, E12_long_helo)
{
    struct dns_source *source = spf_zone(identity_zone);
    for (size_t n = 1000; n <= MAX_PATH_BYTES + 1; n++) {
        struct spf_trial trial;
        uint8_t helo[MAX_PATH_BYTES + 1];
        memset(helo, 'a', n);
        spf_trial_run(&trial, spf_request_of("192.0.2.1", span_of(helo, n), SPAN("<>")), source);
        cr_expect(trial.judgement.checked.result == RESULT_NONE && trial.answers.count == 0);
        bool over = n > MAX_PATH_BYTES;
        cr_expect(
            same_reason(trial.judgement.checked.reason, over ? "path_too_long" : "label_too_long"));
        cr_expect(trial.hits.n[LIMIT_PATH_BYTES] == over);
        spf_trial_end(&trial);
    }
    dns_source_free(&source);
}

/* A02: a malformed reverse-path is neither empty nor an address. */
Test(spf_identity, A02_malformed_reverse_path)
{
    struct dns_source *source = spf_zone(identity_zone);
    struct spf_request request = *spf_request_text("192.0.2.1", "helo.example", "a@b.example");
    struct mail_path path = {.kind = MAIL_PATH_MALFORMED, .text = SPAN("<(any@victim.example>")};
    struct spf_trial trial;
    request.path = &path;
    spf_trial_run(&trial, &request, source);
    cr_expect(trial.judgement.mail_from_malformed);
    cr_expect(trial.judgement.checked.result == RESULT_NONE);
    cr_expect(trial.judgement.checked.domain.length == 0);
    cr_expect(trial.judgement.helo.result == RESULT_PASS);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

Test(spf_identity, no_client_address)
{
    struct dns_source *source = spf_zone(identity_zone);
    struct spf_request request = *spf_request_text("192.0.2.1", "helo.example", "a@mail.example");
    struct spf_trial trial;
    request.client = (struct ip){.family = IP_NONE};
    spf_trial_run(&trial, &request, source);
    cr_expect(trial.judgement.checked.result == RESULT_NONE && trial.answers.count == 0);
    cr_expect(same_reason(trial.judgement.checked.reason, "no_client_address"));
    cr_expect(trial.judgement.helo.result == RESULT_UNSET);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

/* Questions of both identities leave together. */
Test(spf_identity, helo_and_mail_from_run_side_by_side)
{
    struct dns_source *source = spf_zone(identity_zone);
    struct spf_trial trial;
    spf_trial_run(&trial, spf_request_text("192.0.2.1", "helo.example", "a@mail.example"), source);
    cr_expect(trial.rounds == 1 && trial.answers.count == 2, "%u rounds, %u questions",
              trial.rounds, trial.answers.count);
    spf_trial_end(&trial);
    dns_source_free(&source);
}
