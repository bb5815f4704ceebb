/*
 * L09: a key was rotated, the cache still has the old one. A signature that fails though its body
 * hash is right has its key asked for once more, where the cache allows it (L10).
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "driving.h"
#include "run/prepare.h"
#include "support/corpora.h"

#define OLD_KEY "TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n"

/* The samples' zone with other records at `name`; malloc'd by the buffer. */
static struct span zone_with(const char *name, const char *record)
{
    struct buffer zone;
    struct span rest = file_read("share/samples/zone.txt");
    struct span line;
    buffer_init(&zone, 1024 * 1024);
    while (line_next(&rest, &line)) {
        if (span_starts_fold(line, span_from_string(name)))
            continue;
        buffer_append(&zone, line);
        buffer_append_byte(&zone, '\n');
    }
    if (record) {
        buffer_append_string(&zone, name);
        buffer_append_string(&zone, " ");
        buffer_append_string(&zone, record);
    }
    cr_assert(!zone.failed);
    return buffer_span(&zone);
}

static struct dns_source *open_zone(struct span text)
{
    struct dns_error error;
    struct dns_source *source = dns_zone_parse(text, "zone", &error);
    cr_assert(source != NULL, "%s", error.text);
    return source;
}

/* The key's own record with another key of the same type in it, "p=" of the record at `other`. */
static char *key_record_of(const char *other)
{
    struct span rest = file_read("share/samples/zone.txt");
    struct span line;
    while (line_next(&rest, &line)) {
        if (!span_starts_fold(line, span_from_string(other)))
            continue;
        size_t at = span_find(line, ' ') + 1;
        char *record = calloc(1, line.n - at + 2);
        cr_assert(record != NULL);
        memcpy(record, line.p + at, line.n - at);
        record[line.n - at] = '\n';
        return record;
    }
    cr_assert(false, "no %s", other);
    return NULL;
}

struct outcome
{
    char *json;
    unsigned renewals, waited;
};

/* Judges with the zone `cached` near, and `network` for whoever asks. */
static struct outcome judge(struct dns_source *cached, struct dns_source *network, bool may_renew,
                            dns_prepare *prepare, unsigned park, struct span text)
{
    static const struct message_envelope envelope = {
        .client = {.family = IP_V4, .bytes = {192, 0, 2, 90}},
        .helo = {(const uint8_t *)"relay.example", 13},
        .mail_from = {(const uint8_t *)"a@relay.example", 15},
        .now = 1792972860,
    };
    struct assay_engine *engine = driving_engine("share/samples/zone.txt");
    struct dns_source *own = engine->source;
    struct near_source near;
    engine->source = network;
    near_source_init(&near, cached, prepare);
    near.may_renew = may_renew;
    struct driving driving = {.engine = engine, .near = cached ? &near : NULL, .park = park};
    struct outcome outcome = {.json = drive(&driving, &envelope, text)};
    outcome.renewals = near.renewals;
    outcome.waited = driving.steps_waiting;
    engine->source = own;
    assay_engine_close(&engine);
    return outcome;
}

static const unsigned parks[] = {PARK_NEVER, PARK_FED, PARK_ASKED, PARK_ANSWERED, PARK_EVERYWHERE};

/*
 * The cache has `old`, the network `fresh`, at one name; the verdict is that of the zone `wanted`
 * alone, after as many requests for renewal, each followed by one wait where it was granted.
 */
static void expect_renewal(const char *what, struct span text, struct span old, struct span fresh,
                           struct span wanted, unsigned renewals, bool granted)
{
    struct dns_source *cached = open_zone(old), *network = open_zone(fresh);
    struct dns_source *alone = open_zone(wanted);
    struct outcome want = judge(NULL, alone, false, NULL, PARK_NEVER, text);
    for (size_t i = 0; i < 2 * COUNT_OF(parks); i++) {
        struct outcome got =
            judge(cached, network, granted, i % 2 ? run_prepare : NULL, parks[i / 2], text);
        cr_expect(same_verdict(got.json, want.json), "%s, way %zu%s", what, i,
                  verdict_difference(got.json, want.json));
        cr_expect(got.renewals == renewals, "%s, way %zu: %u renewals, want %u", what, i,
                  got.renewals, renewals);
        cr_expect(got.waited == (granted && renewals), "%s, way %zu: waited %u times", what, i,
                  got.waited);
        free(got.json);
    }
    free(want.json);
    dns_source_free(&cached);
    dns_source_free(&network);
    dns_source_free(&alone);
}

static struct span samples_zone(void)
{
    return file_read("share/samples/zone.txt");
}

static const struct
{
    const char *file, *name, *other;
} rotated[] = {
    {"pass.eml", "s2026._domainkey.shop.example.", "m1._domainkey.mailer.example."},
    {"forwarded.eml", "s2026._domainkey.shop.example.", "m1._domainkey.mailer.example."},
    {"pass-two-signatures.eml", "s2026._domainkey.shop.example.", "arc._domainkey.lists.example."},
    {"list-arc.eml", "arc._domainkey.lists.example.", "arc._domainkey.relay.example."},
    {"list-arc-two-sets.eml", "arc._domainkey.lists.example.", "m1._domainkey.mailer.example."},
    {"list-arc-two-sets.eml", "arc._domainkey.relay.example.", "m1._domainkey.mailer.example."},
};

/* "rotate under load: wrong verdicts = 0" (L09): as if the cache had had the new key. */
Test(renew, a_rotated_key_verifies)
{
    for (size_t i = 0; i < COUNT_OF(rotated); i++) {
        char *record = key_record_of(rotated[i].other);
        expect_renewal(rotated[i].file, sample_text(rotated[i].file),
                       zone_with(rotated[i].name, record), samples_zone(), samples_zone(), 1, true);
        free(record);
    }
}

/* Refused by the cache (it asked a moment ago): the signature has failed, nobody waits (L10). */
Test(renew, refused)
{
    char *record = key_record_of(rotated[0].other);
    struct span old = zone_with(rotated[0].name, record);
    expect_renewal("refused", sample_text("pass.eml"), old, samples_zone(), old, 1, false);
    free(record);
}

/* The network has the same key: failed, and not asked a third time. */
Test(renew, nothing_new)
{
    char *record = key_record_of(rotated[0].other);
    struct span old = zone_with(rotated[0].name, record);
    expect_renewal("the same", sample_text("pass.eml"), old, old, old, 1, true);
    expect_renewal("a changed subject", sample_text("fail-subject.eml"), samples_zone(),
                   samples_zone(), samples_zone(), 1, true);
    free(record);
}

/* The verdict after the renewed answer is final, whatever it is. */
Test(renew, the_new_answer_counts)
{
    const char *name = rotated[0].name;
    char *record = key_record_of(rotated[0].other);
    struct span old = zone_with(name, record);
    struct span revoked = zone_with(name, "TXT \"v=DKIM1; p=\"\n");
    struct span gone = zone_with(name, NULL);
    struct span other_type = zone_with(name, OLD_KEY);
    expect_renewal("revoked", sample_text("pass.eml"), old, revoked, revoked, 1, true);
    expect_renewal("withdrawn", sample_text("pass.eml"), old, gone, gone, 1, true);
    expect_renewal("other type", sample_text("pass.eml"), old, other_type, other_type, 1, true);
    free(record);
}

/* Trouble on the way: a wrong signature stays wrong by the key that is known, not temperror. */
Test(renew, the_network_fails)
{
    char *record = key_record_of(rotated[0].other);
    struct span old = zone_with(rotated[0].name, record);
    struct span failing = zone_with(rotated[0].name, "TXT !timeout\n");
    expect_renewal("timeout", sample_text("pass.eml"), old, failing, old, 1, true);
    expect_renewal("timeout, changed subject", sample_text("fail-subject.eml"), samples_zone(),
                   failing, samples_zone(), 1, true);
    free(record);
}

/* No key could help: the body differs, or the message must not pass anyway. */
Test(renew, not_asked)
{
    static const char *const files[] = {
        "pass.eml",         "fail-body.eml",         "fail-expired.eml",
        "fail-sha1.eml",    "malformed-bare-lf.eml", "fail-revoked.eml",
        "malformed-nul.eml"};
    for (size_t i = 0; i < COUNT_OF(files); i++)
        expect_renewal(files[i], sample_text(files[i]), samples_zone(), samples_zone(),
                       samples_zone(), 0, true);
}

/* Several signatures by one key: one question, all of them verified by its answer. */
Test(renew, one_key_twice)
{
    struct buffer text;
    struct span once = sample_text("pass.eml");
    const uint8_t *begin = memmem(once.p, once.n, "DKIM-Signature:", 15);
    cr_assert(begin != NULL);
    size_t n = 0;
    struct span rest = span_skip(once, (size_t)(begin - once.p));
    do
        n += span_find(span_skip(rest, n), '\n') + 1;
    while (rest.p[n] == ' ' || rest.p[n] == '\t');
    buffer_init(&text, 1024 * 1024);
    buffer_append(&text, span_slice(rest, 0, n));
    buffer_append(&text, once);
    char *record = key_record_of(rotated[0].other);
    expect_renewal("twice", buffer_span(&text), zone_with(rotated[0].name, record), samples_zone(),
                   samples_zone(), 1, true);
    free(record);
    buffer_fini(&text);
}
