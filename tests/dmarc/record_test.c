/* Records (RFC 9989 4.7, 4.8; DP-6 to DP-13; security.md G01, G05). */
#include "base/buffer.h"
#include "dmarc/dmarc_test_support.h"
#include "dmarc/uri.h"
#include "support/guard.h"

#include <stdio.h>

struct parsed
{
    struct arena arena;
    struct limit_hits hits;
    struct dmarc_record record;
    const char *reason;
    bool ok;
};

static void parse(struct parsed *parsed, struct span text)
{
    *parsed = (struct parsed){.ok = false};
    arena_init(&parsed->arena, MAX_ARENA_BYTES);
    parsed->ok = dmarc_record_parse(guard_copy(text), &parsed->arena, &parsed->hits,
                                    &parsed->record, &parsed->reason);
}

static void parsed_fini(struct parsed *parsed)
{
    arena_fini(&parsed->arena);
}

/* DP-7: the version decides whether there is a record at all. */
static const struct
{
    const char *text;
    bool is_record;
} versions[] = {
    {"v=DMARC1", true},
    {"v=DMARC1;", true},
    {"v=DMARC1; p=none", true},
    {"v=DMARC1;p=none", true},
    {"v = DMARC1 ; p=none", true},
    {"v\t=\tDMARC1\t", true},
    {"V=DMARC1; p=none", true}, /* "v" of the ABNF is any case, %s"DMARC1" is not */
    {"v=DMARC1x; p=none", false},
    {"v=DMARC12; p=none", false},
    {"v=DMARC1.0; p=none", false},
    {"v=dmarc1; p=none", false},
    {"v=DMARC", false},
    {"v=", false},
    {"v", false},
    {"", false},
    {" v=DMARC1; p=none", false}, /* the grammar has no WSP in front */
    {"v=DMARC1 p=none", false},
    {"v=DMARC1, p=none", false},
    {"p=none; v=DMARC1", false},
    {"vv=DMARC1", false},
    {"v=spf1 -all", false}, /* F10 */
    {"v=DMARC1\n; p=none", false},
    {"\"v=DMARC1; p=none\"", false},
};

Test(record, version_is_exact)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct span text = guard_copy(span_from_string(versions[i].text));
        cr_expect(dmarc_is_record(text) == versions[i].is_record, "\"%s\": want %d",
                  versions[i].text, versions[i].is_record);
    }
}

enum
{
    U = DMARC_POLICY_UNSET,
    N = DMARC_POLICY_NONE,
    Q = DMARC_POLICY_QUARANTINE,
    R = DMARC_POLICY_REJECT,
    X = DMARC_POLICY_INVALID,
    YES = DMARC_PSD_YES,
    NO = DMARC_PSD_NO,
};

static const struct tag_case
{
    const char *rest; /* behind "v=DMARC1" */
    int p, sp, np, psd;
    bool testing, adkim, aspf;
    uint32_t faults;
} tag_cases[] = {
    {"", U, U, U, 0, 0, 0, 0, 0},
    {"; p=none", N, U, U, 0, 0, 0, 0, 0},
    {"; p=quarantine; sp=reject; np=none", Q, R, N, 0, 0, 0, 0, 0},
    {";p=reject;", R, U, U, 0, 0, 0, 0, 0},
    {" ; p = reject ; ", R, U, U, 0, 0, 0, 0, 0},
    {"; sp=none; np=reject; p=quarantine", Q, N, R, 0, 0, 0, 0, 0},        /* p in any place */
    {"; p=Reject; psd=Y; t=Y; adkim=S; aspf=S", R, U, U, YES, 1, 1, 1, 0}, /* DP-10 */
    {"; p=none; psd=n; t=n; adkim=r; aspf=r", N, U, U, NO, 0, 0, 0, 0},
    {"; p=none; psd=u", N, U, U, 0, 0, 0, 0, 0},
    {"; P=reject; ADKIM=s", R, U, U, 0, 0, 1, 0, 2}, /* 13.9: taken, flagged */
    /* DP-9: a bad value is the default, and noted; unknown tags are nothing */
    {"; p=none; psd=x; t=maybe; adkim=strict; aspf=", N, U, U, 0, 0, 0, 0, 4},
    {"; p=none; x=y; future=1; p2=z", N, U, U, 0, 0, 0, 0, 0},
    {"; p=none; pct=500; rf=bob; ri=-1", N, U, U, 0, 0, 0, 0, 3}, /* RFC 9989 9.3: removed */
    /* G05 */
    {"; p=rejectx", X, U, U, 0, 0, 0, 0, 1},
    {"; p=", X, U, U, 0, 0, 0, 0, 1},
    {"; p=n", X, U, U, 0, 0, 0, 0, 1},
    {"; p=none none", X, U, U, 0, 0, 0, 0, 1},
    {"; p=none; sp=bob", N, X, U, 0, 0, 0, 0, 1},
    {"; p=none; p=reject", N, U, U, 0, 0, 0, 0, 1}, /* 13.8: the first stays */
    {"; p=reject; p=none", R, U, U, 0, 0, 0, 0, 1},
    {"; p=reject; P=none", R, U, U, 0, 0, 0, 0, 1},
    {"; p=rejectx; p=none", X, U, U, 0, 0, 0, 0, 2}, /* the first stays, also a bad one */
    {"; p=reject, sp=none", X, U, U, 0, 0, 0, 0, 1},
    /* G01 */
    {";;;;", U, U, U, 0, 0, 0, 0, 3},
    {"; p", U, U, U, 0, 0, 0, 0, 1},
    {"; =none", U, U, U, 0, 0, 0, 0, 1},
    {"; p==none", X, U, U, 0, 0, 0, 0, 1},
    {"; p=none; v=DMARC2", N, U, U, 0, 0, 0, 0, 1},
    {"; p=no\x01ne; sp=reject", U, R, U, 0, 0, 0, 0, 1},
    {"; p=rej\xc3\xa9"
     "ct",
     X, U, U, 0, 0, 0, 0, 1},
};

Test(record, tags)
{
    for (size_t i = 0; i < COUNT_OF(tag_cases); i++) {
        const struct tag_case *c = &tag_cases[i];
        char text[256];
        struct parsed got;
        snprintf(text, sizeof text, "v=DMARC1%s", c->rest);
        parse(&got, span_from_string(text));
        const struct dmarc_record *r = &got.record;
        cr_assert(got.ok, "\"%s\": refused: %s", text, got.reason);
        cr_expect((int)r->p == c->p && (int)r->sp == c->sp && (int)r->np == c->np,
                  "\"%s\": p %d sp %d np %d", text, r->p, r->sp, r->np);
        cr_expect((int)r->psd == c->psd && r->testing == c->testing, "\"%s\": psd %d t %d", text,
                  r->psd, r->testing);
        cr_expect(r->adkim_strict == c->adkim && r->aspf_strict == c->aspf, "\"%s\": adkim, aspf",
                  text);
        cr_expect(r->faults == c->faults, "\"%s\": %u faults, want %u", text, r->faults, c->faults);
        parsed_fini(&got);
    }
}

Test(record, no_nul_cuts_it_short)
{
    struct parsed got;
    parse(&got, SPAN("v=DMARC1; p=none\0; sp=reject"));
    cr_expect(got.ok && got.record.sp == DMARC_POLICY_REJECT && got.record.p != DMARC_POLICY_NONE);
    parsed_fini(&got);
}

/* DP-12, DP-13 */
static const struct
{
    const char *rest;
    const char *fo;
    bool usable_rua;
} report_cases[] = {
    {"; rua=mailto:a@b.example; ruf=mailto:a@b.example; fo=1", "1", true},
    {"; ruf=mailto:a@b.example; fo=d:s", "d:s", false},
    {"; ruf=mailto:a@b.example; fo=0:1", "", false}, /* 0 and 1 exclude each other */
    {"; ruf=mailto:a@b.example; fo=2", "", false},
    {"; fo=1", "", false}, /* no ruf, no fo */
    {"; rua=", "", false},
    {"; rua=mailto:", "", false},
    {"; rua=a@b.example", "", false},      /* no URI */
    {"; rua=ftp://x.example/y", "", true}, /* a good URI, if useless: RFC 9989 4.10.1 */
    {"; rua=bad, mailto:a@b.example!10m", "", true},
    {"; rua=mailto:a@b.ex\xc3\xa4mple", "", false},
};

Test(record, report_tags)
{
    for (size_t i = 0; i < COUNT_OF(report_cases); i++) {
        char text[256];
        struct parsed got;
        snprintf(text, sizeof text, "v=DMARC1%s", report_cases[i].rest);
        parse(&got, span_from_string(text));
        cr_assert(got.ok);
        cr_expect(span_equal(got.record.fo, span_from_string(report_cases[i].fo)),
                  "\"%s\": fo \"%.*s\"", text, (int)got.record.fo.n, got.record.fo.p);
        cr_expect(got.record.has_usable_rua == report_cases[i].usable_rua, "\"%s\": rua %d", text,
                  got.record.has_usable_rua);
        parsed_fini(&got);
    }
}

static const struct
{
    const char *list;
    const char *uris; /* text of the good ones, joined by blanks */
    const char *host; /* of the last */
} uri_cases[] = {
    {"mailto:a@b.example", "mailto:a@b.example", "b.example"},
    {"MAILTO:a@b.example , mailto:c@d.example", "MAILTO:a@b.example mailto:c@d.example",
     "d.example"},
    {"mailto:a@b.example!10m", "mailto:a@b.example", "b.example"}, /* obsolete size */
    {"mailto:a@b.example!10", "mailto:a@b.example", "b.example"},
    {"mailto:a@b.example!10x", "", ""},
    {"mailto:a@b.example!m", "", ""},
    {"mailto:a!b@c.example", "", ""}, /* "!" must be encoded */
    {"mailto:a%21b%2Cc@d.example", "mailto:a%21b%2Cc@d.example", "d.example"},
    {"mailto:a%2@d.example", "", ""},
    {"mailto:a%zz@d.example", "", ""},
    {"mailto:a@b@c.example", "mailto:a@b@c.example", "c.example"},
    {"mailto:a@b.example?subject=x", "mailto:a@b.example?subject=x", "b.example"},
    {"mailto:@b.example", "", ""},
    {"mailto:a@", "", ""},
    {"mailto:a@.example", "", ""},
    {"mailto:a@[192.0.2.1]", "", ""},
    {"https://r.example/?a=b", "https://r.example/?a=b", ""},
    {"1http://x", "", ""},
    {":x", "", ""},
    {"http:", "", ""},
    {"http://a b", "", ""},
    {",,,", "", ""},
    {"", "", ""},
};

Test(record, uri_lists)
{
    for (size_t i = 0; i < COUNT_OF(uri_cases); i++) {
        struct span list = guard_copy(span_from_string(uri_cases[i].list));
        struct dmarc_uri uri = {.mailto = false}, last = {.mailto = false};
        char got[256] = "";
        while (dmarc_uri_next(&list, &uri)) {
            size_t n = strlen(got);
            snprintf(got + n, sizeof got - n, "%s%.*s", n ? " " : "", (int)uri.text.n, uri.text.p);
            last = uri;
        }
        cr_expect_str_eq(got, uri_cases[i].uris, "\"%s\": got \"%s\"", uri_cases[i].list, got);
        cr_expect(span_equal(last.host, span_from_string(uri_cases[i].host)), "\"%s\": host",
                  uri_cases[i].list);
    }
}

/* A record of exactly `n` bytes. */
static struct span padded_record(struct buffer *buffer, size_t n)
{
    buffer_append(buffer, SPAN("v=DMARC1; p=reject; x="));
    while (buffer->n < n)
        buffer_append_byte(buffer, 'a');
    return buffer_span(buffer);
}

/* G01; security.md section 2: limit-1, limit, limit+1, and 60 KB. */
Test(record, limit_of_bytes)
{
    static const struct
    {
        size_t n;
        bool ok;
    } sizes[] = {{MAX_DMARC_RECORD_BYTES - 1, true},
                 {MAX_DMARC_RECORD_BYTES, true},
                 {MAX_DMARC_RECORD_BYTES + 1, false},
                 {60 * 1024, false}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct buffer buffer;
        struct parsed got;
        buffer_init(&buffer, 1 << 20);
        parse(&got, padded_record(&buffer, sizes[i].n));
        cr_expect(got.ok == sizes[i].ok, "%zu bytes: ok %d", sizes[i].n, got.ok);
        cr_expect(same_word(got.reason, sizes[i].ok ? NULL : "dmarc_record_too_long"),
                  "%zu bytes: %s", sizes[i].n, got.reason);
        cr_expect(got.hits.n[LIMIT_DMARC_RECORD_BYTES] == !sizes[i].ok);
        parsed_fini(&got);
        buffer_fini(&buffer);
    }
}

/* G01: 1,000 tags, and both sides of the limit. */
Test(record, limit_of_tags)
{
    static const unsigned counts[] = {MAX_TAGS - 1, MAX_TAGS, MAX_TAGS + 1, 400};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct buffer buffer;
        struct parsed got;
        bool fits = counts[i] <= MAX_TAGS;
        buffer_init(&buffer, 1 << 20);
        buffer_append(&buffer, SPAN("v=DMARC1;p=reject"));
        for (unsigned k = 2; k < counts[i]; k++)
            buffer_printf(&buffer, ";x%u=", k);
        parse(&got, buffer_span(&buffer));
        cr_expect(got.ok == fits, "%u tags: ok %d", counts[i], got.ok);
        cr_expect(same_word(got.reason, fits ? NULL : "too_many_tags"), "%u tags: %s", counts[i],
                  got.reason);
        cr_expect(!fits || got.record.tag_count == counts[i]);
        cr_expect(got.hits.n[LIMIT_TAGS] == !fits);
        parsed_fini(&got);
        buffer_fini(&buffer);
    }
}

/* Every prefix of a record ends at a page that cannot be read. */
Test(record, prefixes_at_a_guard_page)
{
    struct span text = SPAN("v = DMARC1 ; p = reject; rua=mailto:a%20b@c.example!10m,x:y; fo=d:s");
    for (size_t n = 0; n <= text.n; n++) {
        struct parsed got;
        parse(&got, span_slice(text, 0, n));
        cr_expect(got.ok == (n >= 10), "prefix of %zu bytes: ok %d", n, got.ok);
        parsed_fini(&got);
    }
}

Test(record, words)
{
    cr_expect_str_eq(dmarc_policy_word(DMARC_POLICY_NONE), "none");
    cr_expect_str_eq(dmarc_policy_word(DMARC_POLICY_QUARANTINE), "quarantine");
    cr_expect_str_eq(dmarc_policy_word(DMARC_POLICY_REJECT), "reject");
    cr_expect_null(dmarc_policy_word(DMARC_POLICY_UNSET));
    cr_expect_null(dmarc_policy_word(DMARC_POLICY_INVALID));
}
