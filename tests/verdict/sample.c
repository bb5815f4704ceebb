#include "verdict/sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct dns_name sample_name(const char *text)
{
    struct dns_name name;
    cr_assert(dns_name_from_domain(&name, span_from_string(text)) == DNS_NAME_OK, "%s", text);
    return name;
}

struct dkim_verified *sample_sign(struct sample *sample, const char *b)
{
    static struct span items[] = {{(const uint8_t *)"from", 4}, {(const uint8_t *)"subject", 7}};
    static const char *const unsigned_fields[] = {"reply-to"};
    cr_assert(sample->dkim.count < MAX_SIGNATURES_PARSED);
    struct dkim_verified *verified = &sample->verified[sample->dkim.count++];
    sample->dkim.total = sample->dkim.count;
    *verified = (struct dkim_verified){
        .signature = {.algorithm = DKIM_RSA_SHA256,
                      .algorithm_text = SPAN("rsa-sha256"),
                      .header_canon = CANON_RELAXED,
                      .body_canon = CANON_SIMPLE,
                      .domain = sample_name("a.example"),
                      .selector = sample_name("s1"),
                      .domain_text = SPAN("a.example"),
                      .selector_text = SPAN("s1"),
                      .b_text = span_from_string(b),
                      .items = items,
                      .item_count = COUNT_OF(items),
                      .has_t = true,
                      .t = 1700000000},
        .keys = {.bits = 2048},
        .result = RESULT_PASS,
        .body_hash_matches = true,
        .body_signed = 1234,
        .body_total = 1234,
        .usable_for_dmarc = true,
        .dmarc_identifier = sample->dkim.count,
        .unsigned_fields = unsigned_fields,
        .unsigned_field_count = COUNT_OF(unsigned_fields),
    };
    sample->alignment[sample->dkim.count - 1] = true;
    sample->dmarc.dkim_count = sample->dkim.count;
    return verified;
}

void sample_seal(struct sample *sample, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sample->sets[i] = (struct arc_set){
            .ams = {.kind = DKIM_ARC_MESSAGE_SIGNATURE,
                    .algorithm = DKIM_RSA_SHA256,
                    .domain = sample_name("list.example"),
                    .selector = sample_name("arc")},
            .seal = {.kind = DKIM_ARC_SEAL,
                     .algorithm = DKIM_RSA_SHA256,
                     .domain = sample_name("list.example"),
                     .selector = sample_name("arc"),
                     .cv = i ? SPAN("pass") : SPAN("none")},
            .ams_keys = {.bits = 2048},
            .seal_keys = {.bits = 2048},
            .ams_result = i + 1 == count ? RESULT_PASS : RESULT_UNSET,
            .seal_result = RESULT_PASS,
        };
    sample->arc = (struct arc_judgement){
        .result = RESULT_PASS, .sets = sample->sets, .count = count, .oldest_pass = 0};
}

static void fill_spf(struct sample *sample)
{
    sample->path = (struct mail_path){.kind = MAIL_PATH_ADDRESS,
                                      .text = SPAN("<user@a.example>"),
                                      .local = SPAN("user"),
                                      .domain = SPAN("a.example")};
    sample->spf =
        (struct spf_judgement){.checked = {.result = RESULT_PASS,
                                           .scope = SPF_SCOPE_MFROM,
                                           .domain = sample_name("a.example"),
                                           .domain_text = SPAN("a.example"),
                                           .mechanism = SPAN("include:b.example"),
                                           .path = SPAN("include:b.example ip4:192.0.2.0/24"),
                                           .prefix = 24,
                                           .lookups = 3,
                                           .record = SPAN("v=spf1 include:b.example -all")},
                               .helo = {.result = RESULT_NONE,
                                        .reason = "no_record",
                                        .scope = SPF_SCOPE_HELO,
                                        .domain = sample_name("mail.a.example"),
                                        .domain_text = SPAN("mail.a.example"),
                                        .prefix = -1}};
}

static void fill_dmarc(struct sample *sample)
{
    sample->record =
        (struct dmarc_record){.text = SPAN("v=DMARC1; p=reject; rua=mailto:d@a.example"),
                              .p = DMARC_POLICY_REJECT,
                              .rua = SPAN("mailto:d@a.example"),
                              .has_usable_rua = true};
    sample->dmarc = (struct dmarc_judgement){
        .result = RESULT_PASS,
        .discovery = {.from_domain = sample_name("a.example"),
                      .org_domain = sample_name("a.example"),
                      .policy_domain = sample_name("a.example"),
                      .author_exists = true,
                      .existence_known = true,
                      .record = &sample->record,
                      .published = DMARC_POLICY_REJECT,
                      .policy = DMARC_POLICY_REJECT,
                      .policy_tag = "p",
                      .walk = {.start = sample_name("a.example"), .count = 2, .complete = true}},
        .policy = DMARC_POLICY_REJECT,
        .disposition = DMARC_DISPOSE_NONE,
        .spf_aligned = true,
        .dkim_aligned = true,
        .dkim_alignment = sample->alignment};
    struct dmarc_step *steps = sample->dmarc.discovery.walk.steps;
    steps[0] = (struct dmarc_step){.labels = 2, .outcome = DNS_ANSWER, .record = &sample->record};
    steps[1] = (struct dmarc_step){.labels = 1, .outcome = DNS_NXDOMAIN};
}

static void fill_answers(struct sample *sample)
{
    sample->questions[0] =
        (struct dns_question){.name = sample_name("a.example"),
                              .type = DNS_TXT,
                              .answer = {.outcome = DNS_ANSWER, .ttl = 300, .age = 7, .count = 1},
                              .next = &sample->questions[1]};
    sample->questions[1] =
        (struct dns_question){.name = sample_name("b.example"),
                              .type = DNS_MX,
                              .answer = {.outcome = DNS_TEMPFAIL, .reason = "servfail"}};
    sample->answers = (struct dns_answers){.first = &sample->questions[0], .count = 2};
}

struct sample *sample_new(void)
{
    struct sample *sample = calloc(1, sizeof *sample);
    cr_assert(sample != NULL);
    fill_spf(sample);
    fill_dmarc(sample);
    fill_answers(sample);
    sample->dkim.verified = sample->verified;
    sample_sign(sample, "AbCdEfGhIjKlMnOp");
    sample->arc = (struct arc_judgement){.result = RESULT_NONE, .oldest_pass = -1};
    sample->from = (struct mail_from){.state = MAIL_FROM_OK};
    sample->from.list.count = 1;
    sample->from.list.addresses = sample->addresses;
    sample->addresses[0] =
        (struct mail_address){.local = SPAN("user"), .domain = SPAN("a.example")};
    sample->verdict = (struct verdict){.authserv_id = SPAN("mx.example.net"),
                                       .client = {.family = IP_V4, .bytes = {192, 0, 2, 1}},
                                       .spf_checked = true,
                                       .path = &sample->path,
                                       .spf = &sample->spf,
                                       .dkim = &sample->dkim,
                                       .arc = &sample->arc,
                                       .dmarc = &sample->dmarc,
                                       .from = &sample->from,
                                       .anomalies = &sample->anomalies,
                                       .answers = &sample->answers,
                                       .hits = &sample->hits};
    return sample;
}
