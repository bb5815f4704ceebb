/*
 * What is parsed once for many messages (run/prepare.c) judges as what is parsed for each: records
 * that are odd, too large or wrong, and limits that are counted.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "dkim/key_record.h"
#include "dmarc/record.h"
#include "driving.h"
#include "run/prepare.h"
#include "spf/record.h"

#define RSA                                                                                        \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvQqG8mqewK617Q30bQk+"                             \
    "jiGaIMvgamXx9gnoZcAcRHEB609Z9LSp"
#define ED "YulxmJK9kHC2zaf9MC+XlMnL2gVAVnwj1qrs+etCR6Q="

/* Records at odd.example itself, k._domainkey and _dmarc below it; lines end in LF. */
static const struct
{
    const char *name;
    const char *spf, *key, *policy; /* TXT records, one a line; NULL: none */
} cases[] = {
    {"plain", "v=spf1 a -all", "v=DKIM1; k=ed25519; p=" ED, "v=DMARC1; p=reject"},
    {"nothing", NULL, NULL, NULL},
    {"strangers", "hello\nother", "hello", "hello"},
    {"several", "v=spf1 a -all\nv=spf1 -all",
     "v=DKIM1; k=ed25519; p=" ED "\nv=DKIM1; k=ed25519; p=" ED,
     "v=DMARC1; p=reject\nv=DMARC1; p=none"},
    {"strangers before", "hello\nv=spf1 ip4:192.0.2.90 -all", "v=spf1 -all\nk=ed25519; p=" ED,
     "v=spf1 -all\nv=DMARC1; p=quarantine; adkim=s"},
    {"syntax", "v=spf1 a:1/2/3 -all", "v=DKIM1; p=%%",
     "v=DMARC1; p=rejekt; rua=mailto:a@b.example"},
    {"more syntax", "v=spf1 ip4:1.2.3 -all", "v=DKIM2; p=" ED, "v=DMARC1; P=reject; p=none; pct=5"},
    {"modifiers", "v=spf1 redirect=r.odd.example exp=e.odd.example", "v=DKIM1; k=rsa; t=y:s; p=" ED,
     "v=DMARC1; p=reject; t=y; psd=y"},
    {"all mechanisms",
     "v=spf1 ?ip4:198.51.100.0/24 ip6:2001:db8::/32 a:a.odd.example/28//64 mx ptr "
     "exists:%{i}.x.odd.example include:r.odd.example ~all",
     "v=DKIM1; k=ed25519; h=sha1; p=" ED, "v=DMARC1; p=none; sp=reject; np=quarantine; fo=1:d"},
    {"macros", "v=spf1 a:%{d2}.odd.example -exists:%{ir}.%{v}.%{d} exp=%{l}.odd.example -all",
     "v=DKIM1; s=web; p=" ED, "v=DMARC1;;; p=none; x"},
    {"revoked", "v=spf1", "v=DKIM1; p=", "v=DMARC1"},
    {"keys and strangers", "v=spf1 -all",
     "x\nv=DKIM1; k=rsa; p=\nv=DKIM1; k=foo; p=x\ny\nv=DKIM1; k=ed25519; p=" ED,
     "v=DMARC1 ; p=none"},
    {"five keys", "v=spf1 +all", "p=\np=1\np=2\np=3\nv=DKIM1; k=ed25519; p=" ED,
     "v=DMARC1; p=reject; psd=n; aspf=s"},
    {"four keys", "v=spf1 ip4:192.0.2.90", "p=\np=1\np=2\nk=ed25519; p=" ED, "v=dmarc1; p=none"},
    {"small key", "v=spf1 mx:odd.example -all", "k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL", ""},
};

static void add_records(struct buffer *zone, const char *owner, const char *records)
{
    struct span rest = span_from_string(records ? records : "");
    while (rest.n) {
        size_t end = span_find(rest, '\n');
        buffer_printf(zone, "%s TXT \"%.*s\"\n", owner, (int)end, (const char *)rest.p);
        rest = span_skip(rest, end < rest.n ? end + 1 : end);
    }
}

static void zone_begin(struct buffer *zone)
{
    buffer_init(zone, 1024 * 1024);
    buffer_append_string(zone, "odd.example A 192.0.2.90\nodd.example MX 10 a.odd.example\n"
                               "a.odd.example A 192.0.2.91\n"
                               "90.2.0.192.in-addr.arpa PTR odd.example\n"
                               "r.odd.example TXT \"v=spf1 ip4:192.0.2.90 -all\"\n"
                               "e.odd.example TXT \"no mail from %{i}\"\n");
}

/* A body hash that is right for the empty body, a signature that is not. */
static const char message_text[] =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d=odd.example; s=k; h=from;\r\n"
    " bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=;\r\n"
    " b=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
    "\r\n"
    "From: a@odd.example\r\n"
    "Date: Mon, 26 Oct 2026 12:00:00 +0000\r\n"
    "\r\n";

/* Copied, near as it came, near and prepared, lent: all the same, `limits` and all. */
static void expect_same(const char *name, struct buffer *zone, bool psd)
{
    static const struct message_envelope envelope = {
        .client = {.family = IP_V4, .bytes = {192, 0, 2, 90}},
        .helo = {(const uint8_t *)"odd.example", 11},
        .mail_from = {(const uint8_t *)"a@odd.example", 13},
        .now = 1792972860,
    };
    struct dns_error error;
    struct assay_engine *engine = driving_engine("share/samples/zone.txt");
    dns_source_free(&engine->source);
    cr_assert(!zone->failed);
    engine->source = dns_zone_parse(buffer_span(zone), name, &error);
    cr_assert(engine->source != NULL, "%s", error.text);
    struct driving plain = {.engine = engine};
    char *want = drive(&plain, &envelope, span_from_string(message_text));
    for (unsigned way = 0; way < 12; way++) {
        struct near_source near;
        struct driving driving = {.engine = engine,
                                  .near = &near,
                                  .lend = way >= 6,
                                  .park = way % 2 ? PARK_EVERYWHERE : PARK_NEVER};
        near_source_init(&near, engine->source, way % 6 >= 2 ? run_prepare : NULL);
        near.miss_every = way % 6 >= 4 || way >= 6 ? 2 : 0;
        char *got = drive(&driving, &envelope, span_from_string(message_text));
        bool same = psd ? same_but_questions(got, want) : same_verdict(got, want);
        cr_expect(same, "%s, way %u%s", name, way, verdict_difference(got, want));
        free(got);
    }
    free(want);
    assay_engine_close(&engine);
    buffer_fini(zone);
}

Test(prepare, odd_records)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer zone;
        zone_begin(&zone);
        add_records(&zone, "odd.example", cases[i].spf);
        add_records(&zone, "k._domainkey.odd.example", cases[i].key);
        add_records(&zone, "_dmarc.odd.example", cases[i].policy);
        expect_same(cases[i].name, &zone, cases[i].policy && strstr(cases[i].policy, "psd"));
    }
}

/* A TXT record of `n` bytes: `head`, and `piece` as often as fits. */
static void add_long(struct buffer *zone, const char *owner, const char *head, const char *piece,
                     size_t n)
{
    size_t used = strlen(head), each = strlen(piece);
    buffer_printf(zone, "%s TXT \"%s", owner, head);
    size_t room = 255 - used;
    for (; used + each <= n; used += each, room -= each) {
        if (room < each) {
            buffer_append_string(zone, "\" \"");
            room = 255;
        }
        buffer_append_string(zone, piece);
    }
    buffer_append_string(zone, "\"\n");
}

/* Limits at, below and above: counted as often as without preparing. */
Test(prepare, limits)
{
    static const struct
    {
        const char *name, *owner, *head, *piece;
        size_t limit;
    } limits[] = {
        {"SPF_RECORD_BYTES", "odd.example", "v=spf1 exp=", "e", MAX_SPF_RECORD_BYTES},
        {"SPF_TERMS", "odd.example", "v=spf1", " -all", 6 + 5 * MAX_SPF_TERMS},
        {"KEY_RECORD_BYTES", "k._domainkey.odd.example", "k=ed25519; p=" ED "; n=", "n",
         MAX_KEY_RECORD_BYTES},
        {"P_CHARS", "k._domainkey.odd.example", "k=rsa; p=", "A", 9 + MAX_P_CHARS},
        {"DMARC_RECORD_BYTES", "_dmarc.odd.example", "v=DMARC1; p=reject; x=", "x",
         MAX_DMARC_RECORD_BYTES},
        {"TAGS", "_dmarc.odd.example", "v=DMARC1; p=reject", "; x=", 18 + 4 * (MAX_TAGS - 2)},
    };
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        size_t step = strlen(limits[i].piece);
        for (size_t n = limits[i].limit - step; n <= limits[i].limit + step; n += step) {
            struct buffer zone;
            zone_begin(&zone);
            add_long(&zone, limits[i].owner, limits[i].head, limits[i].piece, n);
            expect_same(limits[i].name, &zone, false);
        }
    }
}

/* Which form a name gets, and that the SPF record is compiled. */
Test(prepare, by_the_shape_of_the_name)
{
    static const struct
    {
        const char *name, *text;
        int kind; /* 0: none */
    } shapes[] = {
        {"s._domainkey.a.example", "p=", DNS_PREPARED_DKIM},
        {"a.b._domainkey.a.example", "v=spf1 -all", DNS_PREPARED_DKIM},
        {"_domainkey.a.example", "x", DNS_PREPARED_DKIM},
        {"x_domainkey.a.example", "x", 0},
        {"_dmarc.a.example", "x", DNS_PREPARED_DMARC},
        {"a._dmarc.example", "x", 0},
        {"_dmarc", "v=DMARC1", DNS_PREPARED_DMARC},
        {"a.example", "v=spf1 a mx -all", DNS_PREPARED_SPF},
        {"a.example", "v=spf10 a mx -all", 0},
        {"a.example", "v=spf1 a:::", DNS_PREPARED_SPF},
    };
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        struct dns_name name;
        struct dns_record record = {.text = span_from_string(shapes[i].text)};
        const struct dns_answer answer = {.outcome = DNS_ANSWER, .count = 1, .records = &record};
        cr_assert(dns_name_from_zone_text(&name, span_from_string(shapes[i].name)) == DNS_NAME_OK);
        struct dns_shared *shared = dns_shared_new(&name, DNS_TXT, &answer, run_prepare);
        cr_assert(shared != NULL);
        const struct dns_prepared *prepared = shared->answer.prepared;
        int kind = prepared ? (int)prepared->kind : 0;
        cr_expect(kind == shapes[i].kind, "%s \"%s\": kind %d", shapes[i].name, shapes[i].text,
                  kind);
        dns_shared_unref(&shared);
        shared = dns_shared_new(&name, DNS_A, &answer, run_prepare);
        cr_assert(shared && shared->answer.prepared == NULL, "addresses are not parsed");
        dns_shared_unref(&shared);
    }
}

Test(prepare, a_compiled_record_has_its_terms)
{
    struct dns_name name;
    struct dns_record record = {
        .text =
            SPAN("v=spf1 ip4:192.0.2.0/24 exp=e.example -include:b.example redirect=c.example a")};
    const struct dns_answer answer = {.outcome = DNS_ANSWER, .count = 1, .records = &record};
    struct limit_hits hits = {.set = 0};
    struct spf_found plain, compiled;
    cr_assert(dns_name_from_domain(&name, SPAN("a.example")) == DNS_NAME_OK);
    struct dns_shared *shared = dns_shared_new(&name, DNS_TXT, &answer, run_prepare);
    cr_assert(shared != NULL);
    spf_answer_read(&answer, &hits, &plain);
    spf_answer_read(&shared->answer, &hits, &compiled);
    cr_assert(!plain.record.terms && compiled.record.terms && compiled.record.count == 3);
    size_t plain_at = 0, compiled_at = 0;
    for (uint32_t i = 0; i < 3; i++) {
        struct spf_term a, b;
        cr_assert(spf_record_next(&plain.record, &plain_at, &a));
        cr_assert(spf_record_next(&compiled.record, &compiled_at, &b));
        cr_expect(a.mechanism == b.mechanism && a.qualifier == b.qualifier &&
                  a.prefix4 == b.prefix4 && span_equal(a.text, b.text) &&
                  span_equal(a.domain_spec, b.domain_spec));
    }
    struct spf_term none;
    cr_expect(!spf_record_next(&plain.record, &plain_at, &none));
    cr_expect(!spf_record_next(&compiled.record, &compiled_at, &none));
    dns_shared_unref(&shared);
}

static void fetch(const struct dns_shared *shared, struct dkim_keys *keys, struct arena *arena)
{
    struct dkim_signature signature = {.algorithm = DKIM_ED25519_SHA256};
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    dns_answers_init(&answers, arena, &hits);
    cr_assert(dns_name_from_domain(&signature.key_name, SPAN("k._domainkey.odd.example")) ==
              DNS_NAME_OK);
    cr_assert(dkim_keys_fetch(&signature, &answers, &hits, keys) == JUDGE_WAITING);
    dns_answers_lend(&answers, answers.first, &shared->answer);
    cr_assert(dkim_keys_fetch(&signature, &answers, &hits, keys) == JUDGE_DONE);
    cr_assert(keys->usable == 1);
}

/* The key object is made once: messages borrow it, and one that holds it may outlive the answer. */
Test(prepare, a_key_is_made_once)
{
    struct dns_record record = {.text = SPAN("v=DKIM1; k=ed25519; p=" ED)};
    const struct dns_answer answer = {.outcome = DNS_ANSWER, .count = 1, .records = &record};
    struct dns_name name;
    struct arena arena;
    struct dkim_keys one = {.count = 0}, two = {.count = 0};
    arena_init(&arena, MAX_ARENA_BYTES);
    cr_assert(dns_name_from_domain(&name, SPAN("k._domainkey.odd.example")) == DNS_NAME_OK);
    struct dns_shared *shared = dns_shared_new(&name, DNS_TXT, &answer, run_prepare);
    cr_assert(shared && shared->answer.prepared);
    fetch(shared, &one, &arena);
    fetch(shared, &two, &arena);
    cr_expect(one.borrowed && one.records[0].key == two.records[0].key);
    cr_expect(shared->answer.prepared->outside_bytes == public_key_bytes(one.records[0].key));
    dkim_keys_forget(&one);
    cr_expect(one.usable == 0 && one.result == RESULT_UNSET);
    dkim_keys_hold(&two);
    dns_shared_unref(&shared);
    cr_expect(public_key_bits(two.records[0].key) == 256, "still there");
    dkim_keys_fini(&two);
    arena_fini(&arena);
}
