/*
 * Verdicts of random parts, seeded: whatever the structs hold, both forms of the header parse and
 * agree, the JSON is JSON, results stay what they were, and no pass appears that was not there.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

#include "support/guard.h"
#include "verdict/json_object.h"
#include "verdict/reader.h"
#include "verdict/sample.h"
#include "verdict/written.h"

enum
{
    RUNS = 600,
    POOL = 64,
};

struct soup
{
    uint64_t state;
    struct span
        pool[POOL]; /* guarded texts, made once: mapping one for each value costs too much */
};

static uint64_t next(struct soup *soup)
{
    uint64_t z = soup->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static bool chance(struct soup *soup, unsigned one_in)
{
    return next(soup) % one_in == 0;
}

/* Bytes of the grammar, of its enemies, and of neither. */
static struct span make_text(struct soup *soup)
{
    static const char likely[] = "\";\\()=@.,<>[]/: \t\r\n-_aZ09+%\0";
    uint8_t bytes[400];
    size_t n = chance(soup, 8) ? next(soup) % sizeof bytes : next(soup) % 24;
    for (size_t i = 0; i < n; i++) {
        uint64_t r = next(soup);
        bytes[i] = r & 3 ? (uint8_t)likely[(r >> 8) % sizeof likely] : (uint8_t)(r >> 16);
    }
    return guard_copy(span_of(bytes, n));
}

static struct span text(struct soup *soup)
{
    return chance(soup, 6) ? (struct span){NULL, 0} : soup->pool[next(soup) % POOL];
}

static struct dns_name name(struct soup *soup)
{
    struct dns_name raw = {.length = 0};
    struct span s = text(soup);
    if (s.n > 60)
        s.n = 60;
    if (dns_name_from_raw(&raw, s) != DNS_NAME_OK)
        return chance(soup, 2) ? sample_name("x.example") : (struct dns_name){.length = 0};
    return raw;
}

static enum result result(struct soup *soup)
{
    static const enum result results[] = {
        RESULT_UNSET,  RESULT_NONE,      RESULT_NEUTRAL,   RESULT_SOFTFAIL, RESULT_FAIL,
        RESULT_POLICY, RESULT_TEMPERROR, RESULT_PERMERROR, RESULT_PASS,     (enum result)0x5b,
    };
    return results[next(soup) % COUNT_OF(results)];
}

static const char *word(struct soup *soup)
{
    static const char *const words[] = {NULL, "no_record", "body_hash", "a reason; with=\"all\""};
    return words[next(soup) % COUNT_OF(words)];
}

static void soup_spf(struct soup *soup, struct spf_check *check)
{
    *check = (struct spf_check){.result = result(soup),
                                .reason = word(soup),
                                .scope = (enum spf_scope)(next(soup) % 3),
                                .domain = name(soup),
                                .domain_text = text(soup),
                                .mechanism = text(soup),
                                .path = text(soup),
                                .prefix = (int)(next(soup) % 130) - 1,
                                .explanation = text(soup),
                                .lookups = (uint32_t)next(soup),
                                .record = text(soup),
                                .uses_local_part = chance(soup, 2)};
}

static void soup_signature(struct soup *soup, struct dkim_signature *signature)
{
    signature->result = result(soup);
    signature->reason = word(soup);
    signature->algorithm = (enum dkim_algorithm)(next(soup) % (DKIM_ALGORITHM_UNKNOWN + 1));
    signature->domain = name(soup);
    signature->selector = name(soup);
    signature->domain_text = text(soup);
    signature->selector_text = text(soup);
    signature->algorithm_text = text(soup);
    signature->identity = text(soup);
    signature->b_text = text(soup);
    signature->cv = text(soup);
    signature->has_l = chance(soup, 2);
    signature->l = next(soup);
    signature->has_x = chance(soup, 2);
    signature->x = next(soup);
    signature->items = soup->pool;
    signature->item_count = (uint32_t)(next(soup) % POOL);
}

static void soup_dkim(struct soup *soup, struct sample *sample)
{
    sample->dkim.count = 0;
    for (uint64_t n = next(soup) % (MAX_SIGNATURES_PARSED + 1); n; n--) {
        struct dkim_verified *verified = sample_sign(sample, "");
        soup_signature(soup, &verified->signature);
        verified->result = result(soup);
        verified->reason = word(soup);
        verified->body_hash = (int)(next(soup) % 3) - 1;
        verified->dmarc_identifier = (uint32_t)(next(soup) % 40);
    }
    sample->dkim.total = sample->dkim.count + (chance(soup, 4) ? 7 : 0);
    sample->dkim.refused = chance(soup, 8) ? "header_too_large" : NULL;
    for (size_t i = 0; i < COUNT_OF(sample->alignment); i++)
        sample->alignment[i] = chance(soup, 2);
}

static void soup_arc(struct soup *soup, struct sample *sample)
{
    sample_seal(sample, (uint32_t)(next(soup) % (MAX_ARC_SETS + 1)));
    sample->arc.result = result(soup);
    sample->arc.reason = word(soup);
    sample->arc.oldest_pass = (int)(next(soup) % (MAX_ARC_SETS + 3)) - 1;
    for (uint32_t i = 0; i < sample->arc.count; i++) {
        soup_signature(soup, &sample->sets[i].seal);
        soup_signature(soup, &sample->sets[i].ams);
        sample->sets[i].seal_result = result(soup);
    }
    if (chance(soup, 8))
        sample->arc.sets = NULL;
}

static void soup_dmarc(struct soup *soup, struct sample *sample)
{
    struct dmarc_discovery *discovery = &sample->dmarc.discovery;
    sample->dmarc.result = result(soup);
    sample->dmarc.reason = word(soup);
    sample->dmarc.policy = (enum dmarc_policy)(next(soup) % (DMARC_POLICY_INVALID + 1));
    sample->dmarc.disposition = (enum dmarc_disposition)(next(soup) % (DMARC_DISPOSE_REJECT + 1));
    discovery->from_domain = name(soup);
    discovery->result = result(soup);
    discovery->record = chance(soup, 2) ? &sample->record : NULL;
    discovery->walk.start = name(soup);
    discovery->walk.count = (uint32_t)(next(soup) % (MAX_DMARC_WALK + 1));
    for (uint32_t i = 0; i < discovery->walk.count; i++)
        discovery->walk.steps[i] = (struct dmarc_step){
            .labels = (uint8_t)(next(soup) % (discovery->walk.start.labels + 1u)),
            .outcome = DNS_EMPTY,
            .reason = word(soup)};
    sample->record.p = (enum dmarc_policy)(next(soup) % (DMARC_POLICY_INVALID + 1));
    sample->record.sp = (enum dmarc_policy)(next(soup) % (DMARC_POLICY_INVALID + 1));
    sample->record.text = text(soup);
    sample->record.rua = text(soup);
    sample->record.fo = text(soup);
}

static void soup_fill(struct soup *soup, struct sample *sample)
{
    struct verdict *verdict = &sample->verdict;
    soup_spf(soup, &sample->spf.checked);
    soup_spf(soup, &sample->spf.helo);
    soup_dkim(soup, sample);
    soup_arc(soup, sample);
    soup_dmarc(soup, sample);
    sample->path.kind = (enum mail_path_kind)(next(soup) % 4);
    sample->path.local = text(soup);
    sample->anomalies.set = next(soup) & ((UINT64_C(1) << ANOMALY_COUNT) - 1);
    sample->addresses[0] = (struct mail_address){.local = text(soup), .domain = text(soup)};
    sample->questions[0].name = name(soup);
    verdict->authserv_id = text(soup);
    verdict->file = text(soup);
    verdict->spf_checked = !chance(soup, 4);
    if (chance(soup, 6))
        verdict->spf = NULL;
    if (chance(soup, 6))
        verdict->dkim = NULL;
    if (chance(soup, 6))
        verdict->arc = NULL;
    if (chance(soup, 6))
        verdict->dmarc = NULL;
    if (chance(soup, 6))
        verdict->hits = NULL;
}

static size_t count_passes(const struct ar *ar, const char *method)
{
    size_t n = 0;
    const struct ar_result *found;
    for (size_t i = 0; (found = ar_find(ar, method, i)) != NULL; i++)
        n += span_equal(found->result, SPAN("pass"));
    return n;
}

/* Passes in the header are passes of the judgements; none is added, and dmarc is never missing. */
static void check_header(const struct sample *sample, const struct ar *ar)
{
    const struct verdict *verdict = &sample->verdict;
    size_t dkim = 0;
    for (uint32_t i = 0; verdict->dkim && i < sample->dkim.count; i++)
        dkim += sample->verified[i].result == RESULT_PASS;
    cr_assert(count_passes(ar, "spf") ==
              (verdict->spf_checked && verdict->spf && sample->spf.checked.result == RESULT_PASS));
    cr_assert(count_passes(ar, "arc") == (verdict->arc && sample->arc.result == RESULT_PASS));
    cr_assert(count_passes(ar, "dmarc") == (verdict->dmarc && sample->dmarc.result == RESULT_PASS));
    cr_assert(count_passes(ar, "dkim") == dkim ||
              (ar->comments && count_passes(ar, "dkim") < dkim));
    cr_assert((ar_find(ar, "dmarc", 0) != NULL) == (verdict->dmarc != NULL));
    cr_assert(ar_find(ar, "dmarc", 1) == NULL && ar_find(ar, "arc", 1) == NULL &&
              ar_find(ar, "spf", 1) == NULL);
}

static void check_json(struct sample *sample)
{
    json_t *root = json_verdict(sample);
    bool dmarc = sample->verdict.dmarc && sample->dmarc.result == RESULT_PASS;
    const char *got = json_string_value(json_require(root, "dmarc.result"));
    cr_assert((strcmp(got, "pass") == 0) == dmarc);
    json_t *signatures = json_object_get(root, "dkim");
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        got = json_string_value(json_object_get(json_array_get(signatures, i), "result"));
        cr_assert((strcmp(got, "pass") == 0) == (sample->verified[i].result == RESULT_PASS));
    }
    json_decref(root);
    json_decref(json_spf(&sample->spf));
    json_decref(json_discovery(&sample->dmarc.discovery));
}

Test(soup, random_verdicts)
{
    struct soup soup = {.state = 8601};
    for (size_t i = 0; i < POOL; i++)
        soup.pool[i] = make_text(&soup);
    for (unsigned run = 0; run < RUNS; run++) {
        struct sample *sample = sample_new();
        soup_fill(&soup, sample);
        check_header(sample, written_read(sample));
        check_json(sample);
        free(sample);
    }
}
