/*
 * The JSON contract of the command line: keys, their order, their types, their words. A key of the
 * contract may not be renamed, nor change its type; new keys come behind.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>

#include "verdict/json_object.h"
#include "verdict/sample.h"

enum
{
    S = 1 << JSON_STRING,
    I = 1 << JSON_INTEGER,
    B = 1 << JSON_TRUE | 1 << JSON_FALSE,
    N = 1 << JSON_NULL,
    O = 1 << JSON_OBJECT,
    A = 1 << JSON_ARRAY,
};

struct key
{
    const char *name;
    unsigned types;
};

/* clang-format off */
static const struct key verdict_keys[] = {
    {"v", I}, {"file", S | N}, {"authserv_id", S}, {"spf", O}, {"dkim", A}, {"arc", O}, {"dmarc", O},
    {"anomalies", A}, {"authentication_results", S}, {"dns", A},
    /* added */
    {"client", S | N}, {"from", A}, {"recipients", O}, {"dkim_total", I}, {"dkim_refused", S | N},
    {"limits", O},
};
static const struct key recipients_keys[] = {{"count", I}, {"named", I | N}};
static const struct key spf_keys[] = {
    {"result", S}, {"domain", S | N}, {"scope", S}, {"explanation", S | N}, {"mechanism", S | N},
    {"lookups", O},
    {"reason", S | N}, {"identity", S | N}, {"path", S | N}, {"prefix", I | N}, {"record", S | N},
    {"uses_local_part", B},
    {"mail_from_malformed", B}, {"helo", O | N}, /* not in "helo" itself */
};
static const struct key lookups_keys[] = {{"count", I}, {"void", I}};
static const struct key dkim_keys[] = {
    {"result", S}, {"domain", S | N}, {"selector", S | N}, {"algorithm", S}, {"key_bits", I | N},
    {"canonicalization", S}, {"identity", S | N}, {"aligned", B}, {"testing", B},
    {"reason", S | N}, {"body_bytes", O},
    {"skipped", B}, {"usable_for_dmarc", B}, {"body_hash_matches", B | N}, {"length", I | N},
    {"signed_at", I | N}, {"expires", I | N}, {"fingerprint", S | N}, {"signed_fields", A},
    {"unsigned_fields", A},
    {"reason_at", I | N},
};
static const struct key body_bytes_keys[] = {{"signed", I}, {"total", I}};
static const struct key arc_keys[] = {
    {"result", S}, {"sets", I}, {"oldest_pass", I | N}, {"reason", S | N}, {"sealers", A},
    {"fault_instance", I | N}, {"temporary", B}, {"results_in_message_signature", B},
    {"trusted_sealer", I | N},
};
static const struct key sealer_keys[] = {
    {"instance", I}, {"domain", S | N}, {"selector", S | N}, {"algorithm", S}, {"key_bits", I | N},
    {"result", S | N}, {"cv", S | N}, {"reason", S | N}, {"trusted", B}, {"message_signature", O},
};
static const struct key message_signature_keys[] = {
    {"result", S | N}, {"domain", S | N}, {"selector", S | N}, {"algorithm", S},
    {"key_bits", I | N},
};
static const struct key dmarc_keys[] = {
    {"result", S}, {"policy", S | N}, {"disposition", S | N}, {"from_domain", S | N},
    {"org_domain", S | N}, {"policy_domain", S | N}, {"alignment", O}, {"reason", S | N},
    {"aligned_by", S | N}, {"alignment_mode", O}, {"override", S | N}, {"exists", B | N},
    {"record", S | N}, {"published", S | N}, {"policy_tag", S | N}, {"discovery_method", S},
    {"psl_org_domain", S | N}, {"psl_differs", B}, {"psl_difference", S | N},
};
static const struct key alignment_keys[] = {{"spf", B}, {"dkim", B}};
static const struct key alignment_mode_keys[] = {{"spf", S}, {"dkim", S}};
static const struct key question_keys[] = {
    {"name", S}, {"type", S}, {"outcome", S}, {"age", I},
    {"ttl", I}, {"records", I}, {"reason", S | N},
};
static const struct key from_keys[] = {{"local", S}, {"domain", S}};
static const struct key discovery_keys[] = {
    {"from_domain", S | N}, {"exists", B | N}, {"org_domain", S | N}, {"policy_domain", S | N},
    {"policy", S | N}, {"record", S | N}, {"tags", O | N}, {"walk", A}, {"reason", S | N},
    {"result", S | N}, {"published", S | N}, {"policy_tag", S | N}, {"discovery_method", S},
    {"psl_org_domain", S | N}, {"psl_differs", B}, {"psl_difference", S | N}, {"ignored_tags", I},
};
static const struct key tags_keys[] = {
    {"p", S | N}, {"sp", S | N}, {"np", S | N}, {"psd", S}, {"t", S}, {"adkim", S}, {"aspf", S},
    {"rua", S | N}, {"ruf", S | N}, {"fo", S},
};
static const struct key step_keys[] = {
    {"name", S}, {"outcome", S}, {"record", S | N}, {"reason", S | N},
};
/* clang-format on */

/* Exactly these keys, in this order, of these types. */
static void check_keys(const char *where, json_t *object, const struct key *keys, size_t count)
{
    size_t i = 0;
    const char *name;
    json_t *value;
    cr_assert(json_is_object(object), "%s is no object", where);
    json_object_foreach(object, name, value)
    {
        cr_assert(i < count, "%s: a key too many: %s", where, name);
        cr_expect(strcmp(name, keys[i].name) == 0, "%s: got key %s, want %s", where, name,
                  keys[i].name);
        cr_expect(keys[i].types >> json_typeof(value) & 1, "%s.%s has type %d", where, name,
                  json_typeof(value));
        i++;
    }
    cr_expect(i == count, "%s: %zu keys, want %zu", where, i, count);
}
#define CHECK_KEYS(where, object, keys) check_keys((where), (object), (keys), COUNT_OF(keys))

static void check_each(const char *where, json_t *array, const struct key *keys, size_t count)
{
    cr_assert(json_array_size(array) > 0, "%s is empty: nothing was checked", where);
    for (size_t i = 0; i < json_array_size(array); i++)
        check_keys(where, json_array_get(array, i), keys, count);
}
#define CHECK_EACH(where, array, keys) check_each((where), (array), (keys), COUNT_OF(keys))

static void check_verdict(json_t *root)
{
    CHECK_KEYS("verdict", root, verdict_keys);
    CHECK_KEYS("spf", json_object_get(root, "spf"), spf_keys);
    CHECK_KEYS("spf.lookups", json_require(root, "spf.lookups"), lookups_keys);
    if (json_is_object(json_require(root, "spf.helo")))
        check_keys("spf.helo", json_require(root, "spf.helo"), spf_keys, COUNT_OF(spf_keys) - 2);
    CHECK_KEYS("arc", json_object_get(root, "arc"), arc_keys);
    CHECK_KEYS("recipients", json_object_get(root, "recipients"), recipients_keys);
    CHECK_KEYS("dmarc", json_object_get(root, "dmarc"), dmarc_keys);
    CHECK_KEYS("dmarc.alignment", json_require(root, "dmarc.alignment"), alignment_keys);
    CHECK_KEYS("dmarc.alignment_mode", json_require(root, "dmarc.alignment_mode"),
               alignment_mode_keys);
}

Test(contract, keys_of_a_full_verdict)
{
    struct sample *sample = sample_new();
    sample->verdict.file = SPAN("mail/a.eml");
    sample_seal(sample, 3);
    json_t *root = json_verdict(sample);
    check_verdict(root);
    CHECK_EACH("dkim", json_object_get(root, "dkim"), dkim_keys);
    CHECK_KEYS("body_bytes", json_require(root, "dkim.0.body_bytes"), body_bytes_keys);
    CHECK_EACH("arc.sealers", json_require(root, "arc.sealers"), sealer_keys);
    CHECK_KEYS("message_signature", json_require(root, "arc.sealers.0.message_signature"),
               message_signature_keys);
    CHECK_EACH("dns", json_object_get(root, "dns"), question_keys);
    CHECK_EACH("from", json_object_get(root, "from"), from_keys);
    cr_expect(json_is_object(json_require(root, "spf.helo")));
    json_decref(root);
}

/* The same keys when nothing was run, and when all of it is cleared memory. */
Test(contract, keys_of_an_empty_verdict)
{
    struct sample *sample = sample_new();
    sample->verdict = (struct verdict){.authserv_id = SPAN("mx")};
    json_t *root = json_verdict(sample);
    check_verdict(root);
    json_expect(root, "file", "null");
    json_expect(root, "spf.result", "\"none\"");
    json_expect(root, "spf.scope", "\"none\"");
    json_expect(root, "spf.reason", "\"no_client_address\"");
    json_expect(root, "dkim", "[]");
    json_expect(root, "dkim_refused", "\"not_checked\"");
    json_expect(root, "arc.result", "\"none\"");
    json_expect(root, "arc.reason", "\"not_checked\"");
    json_expect(root, "dmarc.result", "\"none\"");
    json_expect(root, "dmarc.reason", "\"not_checked\"");
    json_expect(root, "dmarc.policy", "null");
    json_expect(root, "dmarc.disposition", "null");
    json_expect(root, "authentication_results", "\"mx; none\"");
    json_expect(root, "client", "null");
    json_expect(root, "limits", "{}");
    json_decref(root);
}

Test(contract, cleared_judgements_are_errors_not_passes)
{
    struct sample *sample = sample_new();
    sample->spf = (struct spf_judgement){0};
    sample->verified[0] = (struct dkim_verified){0};
    sample->arc = (struct arc_judgement){0};
    sample->dmarc = (struct dmarc_judgement){0};
    json_t *root = json_verdict(sample);
    check_verdict(root);
    json_expect(root, "spf.result", "\"temperror\"");
    json_expect(root, "dkim.0.result", "\"temperror\"");
    json_expect(root, "dkim.0.aligned", "false");
    json_expect(root, "arc.result", "\"fail\"");
    json_expect(root, "dmarc.result", "\"temperror\"");
    json_expect(root, "spf.helo", "null");
    json_decref(root);
    sample->verdict.spf = NULL; /* checked, and not there: ours, not "no client" */
    root = json_verdict(sample);
    json_expect(root, "spf.result", "\"temperror\"");
    json_expect(root, "spf.reason", "null");
    json_decref(root);
}

Test(contract, values_of_a_good_message)
{
    struct sample *sample = sample_new();
    sample->verdict.file = SPAN("mail/a.eml");
    mail_anomaly_note(&sample->anomalies, ANOMALY_BODY_BARE_LF);
    mail_anomaly_note(&sample->anomalies, ANOMALY_FROM_ROUTE);
    limit_hit(&sample->hits, LIMIT_SPF_LOOKUPS);
    limit_hit(&sample->hits, LIMIT_SPF_LOOKUPS);
    json_t *root = json_verdict(sample);
    json_expect(root, "v", "1");
    json_expect(root, "file", "\"mail/a.eml\"");
    json_expect(root, "authserv_id", "\"mx.example.net\"");
    json_expect(root, "spf.domain", "\"a.example\"");
    json_expect(root, "spf.scope", "\"mfrom\"");
    json_expect(root, "spf.explanation", "null");
    json_expect(root, "spf.mechanism", "\"include:b.example\"");
    json_expect(root, "spf.lookups", "{\"count\":3,\"void\":0}");
    json_expect(root, "spf.prefix", "24");
    json_expect(root, "spf.helo.domain", "\"mail.a.example\"");
    json_expect(root, "spf.helo.prefix", "null");
    json_expect(root, "dkim.0.result", "\"pass\"");
    json_expect(root, "dkim.0.algorithm", "\"rsa-sha256\"");
    json_expect(root, "dkim.0.key_bits", "2048");
    json_expect(root, "dkim.0.canonicalization", "\"relaxed/simple\"");
    json_expect(root, "dkim.0.identity", "\"@a.example\"");
    json_expect(root, "dkim.0.aligned", "true");
    json_expect(root, "dkim.0.testing", "false");
    json_expect(root, "dkim.0.body_bytes", "{\"signed\":1234,\"total\":1234}");
    json_expect(root, "dkim.0.body_hash_matches", "true");
    json_expect(root, "dkim.0.length", "null");
    json_expect(root, "dkim.0.signed_at", "1700000000");
    json_expect(root, "dkim.0.signed_fields", "[\"from\",\"subject\"]");
    json_expect(root, "dkim.0.unsigned_fields", "[\"reply-to\"]");
    json_expect(root, "arc.oldest_pass", "null");
    json_expect(root, "dmarc.policy", "\"reject\"");
    json_expect(root, "dmarc.disposition", "\"none\"");
    json_expect(root, "dmarc.alignment", "{\"spf\":true,\"dkim\":true}");
    json_expect(root, "dmarc.alignment_mode", "{\"spf\":\"relaxed\",\"dkim\":\"relaxed\"}");
    json_expect(root, "anomalies", "[\"from_route\",\"body_bare_lf\"]");
    json_expect(root, "dns.0",
                "{\"name\":\"a.example\",\"type\":\"TXT\",\"outcome\":\"answer\","
                "\"age\":7,\"ttl\":300,\"records\":1,\"reason\":null}");
    json_expect(root, "dns.1.outcome", "\"tempfail\"");
    json_expect(root, "dns.1.reason", "\"servfail\"");
    json_expect(root, "client", "\"192.0.2.1\"");
    json_expect(root, "from", "[{\"local\":\"user\",\"domain\":\"a.example\"}]"); /* A21 */
    json_expect(root, "limits", "{\"SPF_LOOKUPS\":2}");
    json_decref(root);
}

/* DP-29: only a passing signature that DMARC was given can have aligned. */
Test(contract, aligned_follows_the_identifier)
{
    static const struct
    {
        enum result result;
        uint32_t identifier;
        bool listed, want;
    } cases[] = {
        {RESULT_PASS, 1, true, true},    {RESULT_PASS, 1, false, false},
        {RESULT_PASS, 0, true, false},   {RESULT_PASS, 2, true, false}, /* beyond dkim_count */
        {RESULT_FAIL, 1, true, false},   {RESULT_UNSET, 1, true, false},
        {RESULT_POLICY, 1, true, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample *sample = sample_new();
        sample->verified[0].result = cases[i].result;
        sample->verified[0].dmarc_identifier = cases[i].identifier;
        sample->alignment[0] = cases[i].listed;
        json_t *root = json_verdict(sample);
        json_expect(root, "dkim.0.aligned", cases[i].want ? "true" : "false");
        json_decref(root);
    }
    struct sample *sample = sample_new();
    sample->dmarc.dkim_alignment = NULL;
    json_t *root = json_verdict(sample);
    json_expect(root, "dkim.0.aligned", "false");
    json_decref(root);
}

/* A20: a pass on a shared SPF range alone can be weighed. */
Test(contract, a20_aligned_by)
{
    static const char *const want[2][2] = {{"null", "\"dkim\""}, {"\"spf\"", "\"both\""}};
    for (int spf = 0; spf < 2; spf++)
        for (int dkim = 0; dkim < 2; dkim++) {
            struct sample *sample = sample_new();
            sample->dmarc.spf_aligned = spf;
            sample->dmarc.dkim_aligned = dkim;
            json_t *root = json_verdict(sample);
            json_expect(root, "dmarc.aligned_by", want[spf][dkim]);
            json_decref(root);
        }
}

/* A04, J08: hostile text is text; a name that could not be used is null, not a look-alike. */
Test(contract, j08_hostile_text)
{
    struct sample *sample = sample_new();
    struct dkim_signature *signature = &sample->verified[0].signature;
    signature->domain = signature->selector = (struct dns_name){.length = 0};
    signature->identity = SPAN("\"},{\"result\":\"pass\xff\x1b[31m\0");
    sample->spf.checked.explanation = SPAN("see http://x.example/?a=\"b\"");
    json_t *root = json_verdict(sample);
    json_expect(root, "dkim.0.domain", "null");
    json_expect(root, "dkim.0.selector", "null");
    json_expect(root, "dkim.0.identity",
                "\"\\\"},{\\\"result\\\":\\\"pass\xef\xbf\xbd\\u001b[31m\\u0000\"");
    json_expect(root, "spf.explanation", "\"see http://x.example/?a=\\\"b\\\"\"");
    cr_expect(json_array_size(json_object_get(root, "dkim")) == 1);
    signature->identity = SPAN("");
    json_decref(root);
    root = json_verdict(sample);
    json_expect(root, "dkim.0.identity", "null");
    json_decref(root);
}

Test(contract, arc_chains_at_the_limit)
{
    static const uint32_t counts[] = {0, 1, MAX_ARC_SETS - 1, MAX_ARC_SETS};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct sample *sample = sample_new();
        sample_seal(sample, counts[i]);
        sample->sets[0].trusted = true;
        json_t *root = json_verdict(sample);
        json_t *sealers = json_require(root, "arc.sealers");
        cr_expect(json_array_size(sealers) == counts[i]);
        for (size_t j = 0; j < json_array_size(sealers); j++)
            cr_expect(json_integer_value(json_object_get(json_array_get(sealers, j), "instance")) ==
                      (json_int_t)j + 1);
        json_decref(root);
    }
    struct sample *sample = sample_new();
    sample->arc = (struct arc_judgement){.result = RESULT_FAIL,
                                         .reason = "too_many_arc_sets",
                                         .count = MAX_ARC_SETS + 1,
                                         .oldest_pass = -1}; /* refused: sets were not kept */
    json_t *root = json_verdict(sample);
    json_expect(root, "arc.sealers", "[]");
    json_expect(root, "arc.sets", "51");
    json_expect(root, "arc.oldest_pass", "null");
    json_decref(root);
    sample_seal(sample, 2);
    root = json_verdict(sample);
    json_expect(root, "arc.oldest_pass", "0");
    json_expect(root, "arc.sealers.0.message_signature.result", "null"); /* not needed */
    json_expect(root, "arc.sealers.1.message_signature.result", "\"pass\"");
    json_decref(root);
}

/* What the JSON calls authentication_results is what the header says. */
Test(contract, authentication_results_is_the_header_text)
{
    struct sample *sample = sample_new();
    struct buffer text;
    buffer_init(&text, 8192);
    sample->verified[0].signature.identity = SPAN("a\"b\\ ;(c@d");
    verdict_write_results(&sample->verdict, &text);
    json_t *root = json_verdict(sample);
    json_t *value = json_object_get(root, "authentication_results");
    cr_expect(span_equal(span_of(json_string_value(value), json_string_length(value)),
                         buffer_span(&text)));
    json_decref(root);
    buffer_fini(&text);
}

Test(contract, an_unanswered_question_is_a_temporary_failure)
{
    struct sample *sample = sample_new();
    sample->questions[0].answer = (struct dns_answer){.outcome = DNS_UNANSWERED};
    json_t *root = json_verdict(sample);
    json_expect(root, "dns.0.outcome", "\"tempfail\"");
    json_expect(root, "dns.0.reason", "\"unanswered\"");
    json_decref(root);
}

Test(contract, spf_alone)
{
    struct sample *sample = sample_new();
    json_t *root = json_spf(&sample->spf);
    CHECK_KEYS("spf", root, spf_keys);
    json_expect(root, "result", "\"pass\"");
    json_decref(root);
    root = json_spf(NULL);
    CHECK_KEYS("spf", root, spf_keys);
    json_expect(root, "result", "\"none\"");
    json_expect(root, "reason", "\"no_client_address\"");
    json_decref(root);
}

Test(contract, discovery)
{
    struct sample *sample = sample_new();
    struct dmarc_discovery *discovery = &sample->dmarc.discovery;
    json_t *root = json_discovery(discovery);
    CHECK_KEYS("discovery", root, discovery_keys);
    CHECK_KEYS("tags", json_object_get(root, "tags"), tags_keys);
    CHECK_EACH("walk", json_object_get(root, "walk"), step_keys);
    json_expect(root, "policy", "\"reject\"");
    json_expect(root, "exists", "true");
    json_expect(root, "walk.0.name", "\"_dmarc.a.example\"");
    json_expect(root, "walk.0.record", "\"v=DMARC1; p=reject; rua=mailto:d@a.example\"");
    json_expect(root, "walk.1",
                "{\"name\":\"_dmarc.example\",\"outcome\":\"nxdomain\",\"record\":null,"
                "\"reason\":null}");
    json_decref(root);
    *discovery = (struct dmarc_discovery){.result = RESULT_NONE, .reason = "no_record"};
    root = json_discovery(discovery);
    CHECK_KEYS("discovery", root, discovery_keys);
    json_expect(root, "policy", "null");
    json_expect(root, "exists", "null");
    json_expect(root, "tags", "null");
    json_expect(root, "reason", "\"no_record\"");
    json_expect(root, "result", "\"none\"");
    json_decref(root);
    /* a fault leaves a policy behind: it does not apply */
    *discovery = (struct dmarc_discovery){.result = RESULT_TEMPERROR,
                                          .record = &sample->record,
                                          .published = DMARC_POLICY_REJECT,
                                          .policy = DMARC_POLICY_REJECT};
    root = json_discovery(discovery);
    json_expect(root, "policy", "null");
    json_expect(root, "published", "null");
    json_decref(root);
}

/* DP-26, DP-36: tags after defaults; one faulty policy tag makes the record count as p=none. */
Test(contract, discovery_tags_after_defaults)
{
    enum
    {
        UNSET = DMARC_POLICY_UNSET,
        NONE = DMARC_POLICY_NONE,
        QUARANTINE = DMARC_POLICY_QUARANTINE,
        REJECT = DMARC_POLICY_REJECT,
        INVALID = DMARC_POLICY_INVALID,
    };
    static const struct
    {
        int p, sp, np;
        bool rua;
        const char *want;
    } cases[] = {
        {REJECT, UNSET, UNSET, false, "[\"reject\",\"reject\",\"reject\"]"},
        {REJECT, NONE, UNSET, false, "[\"reject\",\"none\",\"none\"]"},
        {NONE, UNSET, REJECT, false, "[\"none\",\"none\",\"reject\"]"},
        {NONE, QUARANTINE, REJECT, false, "[\"none\",\"quarantine\",\"reject\"]"},
        {UNSET, UNSET, UNSET, true, "[\"none\",\"none\",\"none\"]"},
        {UNSET, UNSET, UNSET, false, "[null,null,null]"},
        {INVALID, REJECT, UNSET, true, "[\"none\",\"none\",\"none\"]"},
        {INVALID, REJECT, UNSET, false, "[null,null,null]"},
        {REJECT, INVALID, UNSET, true, "[\"none\",\"none\",\"none\"]"},
        {REJECT, QUARANTINE, INVALID, true, "[\"none\",\"none\",\"none\"]"},
        {REJECT, QUARANTINE, INVALID, false, "[null,null,null]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dmarc_record record = {.p = (enum dmarc_policy)cases[i].p,
                                      .sp = (enum dmarc_policy)cases[i].sp,
                                      .np = (enum dmarc_policy)cases[i].np,
                                      .has_usable_rua = cases[i].rua};
        struct dmarc_discovery discovery = {.record = &record};
        json_t *root = json_discovery(&discovery);
        json_t *got = json_pack("[OOO]", json_require(root, "tags.p"),
                                json_require(root, "tags.sp"), json_require(root, "tags.np"));
        json_t *want = json_loads(cases[i].want, JSON_DECODE_ANY, NULL);
        cr_expect(json_equal(got, want), "case %zu: want %s", i, cases[i].want);
        json_expect(root, "tags.psd", "\"u\"");
        json_expect(root, "tags.t", "\"n\"");
        json_expect(root, "tags.adkim", "\"r\"");
        json_expect(root, "tags.aspf", "\"r\"");
        json_expect(root, "tags.rua", "null");
        json_expect(root, "tags.fo", "\"0\"");
        json_decref(got), json_decref(want), json_decref(root);
    }
    struct dmarc_record record = {.psd = DMARC_PSD_NO,
                                  .testing = true,
                                  .adkim_strict = true,
                                  .aspf_strict = true,
                                  .rua = SPAN("mailto:a@b.example"),
                                  .ruf = SPAN("mailto:c@d.example"),
                                  .fo = SPAN("1:d")};
    struct dmarc_discovery discovery = {.record = &record};
    json_t *root = json_discovery(&discovery);
    json_expect(root, "tags",
                "{\"p\":null,\"sp\":null,\"np\":null,\"psd\":\"n\",\"t\":\"y\",\"adkim\":\"s\","
                "\"aspf\":\"s\",\"rua\":\"mailto:a@b.example\",\"ruf\":\"mailto:c@d.example\","
                "\"fo\":\"1:d\"}");
    json_decref(root);
    record.psd = DMARC_PSD_YES;
    root = json_discovery(&discovery);
    json_expect(root, "tags.psd", "\"y\"");
    json_decref(root);
}
