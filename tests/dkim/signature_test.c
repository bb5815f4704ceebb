/* Parsing of signature fields: DV-5 to DV-19, AV-10, AV-11, security.md A03, A04, C04 to C17. */
#include "dkim/signature.h"

#include <criterion/criterion.h>

#include "base/buffer.h"
#include "support/guard.h"

#define BH_EMPTY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define V "v=1; "
#define A "a=rsa-sha256; "
#define D "d=example.com; "
#define S "s=s1; "
#define H "h=from:to; "
#define BH "bh=" BH_EMPTY "; "
#define B "b=QUJD"
#define GOOD V A D S H BH B

static struct arena arena;
static struct limit_hits hits;

static void setup(void)
{
    arena_init(&arena, MAX_ARENA_BYTES);
    memset(&hits, 0, sizeof hits);
}

static void teardown(void)
{
    arena_fini(&arena);
}

TestSuite(signature, .init = setup, .fini = teardown);

/* The text ends at an inaccessible page. */
static struct dkim_signature parse(enum dkim_kind kind, struct span text)
{
    static struct mail_field field;
    struct dkim_signature signature;
    field = (struct mail_field){.value = guard_copy(text)};
    dkim_signature_parse(&field, kind, &arena, &hits, NULL, &signature);
    return signature;
}

static const char *shown(const char *reason)
{
    return reason ? reason : "(none)";
}

static void expect_reason(const char *name, const struct dkim_signature *got, const char *want)
{
    bool same = want && got->reason ? strcmp(want, got->reason) == 0 : want == got->reason;
    cr_expect(same, "%s: got %s, want %s", name, shown(got->reason), shown(want));
    enum result result = want ? RESULT_PERMERROR : RESULT_UNSET;
    cr_expect(got->result == result, "%s: got result %d, want %d", name, got->result, result);
}

struct parse_case
{
    const char *name;
    struct span text;
    const char *reason; /* NULL: may be verified */
};

#define CASE(name, text, reason)                                                                   \
    {                                                                                              \
        name, {(const uint8_t *)(text), sizeof(text) - 1}, reason                                  \
    }

static const struct parse_case dkim_cases[] = {
    CASE("good", GOOD, NULL),
    CASE("final semicolon DV-7", GOOD ";", NULL),
    CASE("final semicolon and blank DV-7", GOOD "; \r\n ", NULL),
    CASE("empty spec DV-7", V ";" A D S H BH B, "empty_tag"),
    CASE("only a word", "synerr", "tag_without_equals"),
    CASE("nothing", "", "empty_tag"),
    CASE("unknown tags DV-5", GOOD "; zz=1; a_1=x", NULL),
    CASE("FWS everywhere DV-7", "\r\n\tv = 1 ;\r\n " A D S "h = from\r\n : to ; " BH B, NULL),
    CASE("tag names have case DV-6", V "A=rsa-sha256; " D S H BH B, "missing_tag_a"),
    CASE("duplicate d C08", GOOD "; d=victim.test", "duplicate_tag"),
    CASE("duplicate b C15", GOOD "; b=QUJD", "duplicate_tag"),
    CASE("duplicate unknown tag C08", GOOD "; q1=1; q1=1", "duplicate_tag"),

    CASE("no v DV-8", A D S H BH B, "missing_tag_v"),
    CASE("no a DV-8", V D S H BH B, "missing_tag_a"),
    CASE("no d DV-8", V A S H BH B, "missing_tag_d"),
    CASE("no s DV-8", V A D H BH B, "missing_tag_s"),
    CASE("no h DV-8", V A D S BH B, "missing_tag_h"),
    CASE("no bh DV-8", V A D S H B, "missing_tag_bh"),
    CASE("no b DV-8", V A D S H BH, "missing_tag_b"),
    CASE("v last DV-8", A D S H BH B "; v=1", NULL),
    CASE("v=1.0 DV-8", "v=1.0; " A D S H BH B, "unknown_version"),
    CASE("v=01 DV-8", "v=01; " A D S H BH B, "unknown_version"),
    CASE("v empty DV-6", "v=; " A D S H BH B, "unknown_version"),

    CASE("ed25519 DV-9", V "a=ed25519-sha256; " D S H BH B, NULL),
    CASE("rsa-sha1 DV-9", V "a=rsa-sha1; " D S H BH B, "rsa_sha1"),
    CASE("rsa-sha1 with its own bh DV-9",
         V "a=rsa-sha1; " D S H "bh=q6DWKdHUzNbVPt6YBbD1KOai/b8=; " B, "rsa_sha1"),
    CASE("a without hyphen C09", V "a=rsa; " D S H BH B, "unknown_algorithm"),
    CASE("a of half a name C09", V "a=rsa-; " D S H BH B, "unknown_algorithm"),
    CASE("a empty C09", V "a=; " D S H BH B, "unknown_algorithm"),
    CASE("a of other case, RFC 6376 3.2", V "a=RSA-SHA256; " D S H BH B, "unknown_algorithm"),
    CASE("a unknown DV-9", V "a=dsa-sha256; " D S H BH B, "unknown_algorithm"),

    CASE("b with FWS DV-10", V A D S H BH "b= Q\r\n UJ\tD ", NULL),
    CASE("b empty DV-10", V A D S H BH "b=", "bad_signature_data"),
    CASE("b junk D11", V A D S H BH "b=####", "bad_signature_data"),
    CASE("b padding inside D11", V A D S H BH "b=QQ==QUJD", "bad_signature_data"),
    CASE("bh of 3 bytes C16", V A D S H "bh=AAAA; " B, "bad_body_hash_length"),
    CASE("bh of 64 bytes C16",
         V A D S H "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==; " B,
         "bad_body_hash_length"),
    CASE("bh of 3 bytes, ed25519 C16", V "a=ed25519-sha256; " D S H "bh=AAAA; " B,
         "bad_body_hash_length"),
    CASE("bh of 33 bytes in 44 characters C16",
         V A D S H "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; " B, "bad_body_hash_length"),
    CASE("bh of 31 bytes in 44 characters C16",
         V A D S H "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==; " B, "bad_body_hash_length"),
    CASE("bh empty C16", V A D S H "bh=; " B, "bad_body_hash_length"),
    CASE("bh of the URL alphabet D11",
         V A D S H "bh=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=; " B, "bad_body_hash"),
    CASE("bh with FWS DV-10", V A D S H "bh=47DEQpj8HBSa+/TI\r\n mW+5JCeuQeRkm5NMpJWZG3hSuFU=; " B,
         NULL),

    CASE("c relaxed C17", GOOD "; c=relaxed", NULL),
    CASE("c relaxed/relaxed", GOOD "; c=relaxed/relaxed", NULL),
    CASE("c slash C17", GOOD "; c=/", "unknown_canonicalization"),
    CASE("c x/y C17", GOOD "; c=x/y", "unknown_canonicalization"),
    CASE("c empty C17", GOOD "; c=", "unknown_canonicalization"),
    CASE("c open end C17", GOOD "; c=relaxed/", "unknown_canonicalization"),
    CASE("c three C17", GOOD "; c=relaxed/simple/simple", "unknown_canonicalization"),

    CASE("d one label DV-12", V A "d=com; " S H BH B, "bad_domain"),
    CASE("d empty DV-12", V A "d=; " S H BH B, "bad_domain"),
    CASE("d with final dot DV-12", V A "d=example.com.; " S H BH B, "bad_domain"),
    CASE("d with empty label", V A "d=a..example.com; " S H BH B, "bad_domain"),
    CASE("d literal DV-12", V A "d=[192.0.2.1]; " S H BH B, "bad_domain"),
    CASE("d with comment A04", V A "d=victim.test(.attack.test; " S H BH B, "bad_domain"),
    CASE("d with quote A04", V A "d=victim.test'a.attack.test; " S H BH B, "bad_domain"),
    CASE("d with double quote A04", V A "d=victim.test\"=(.attack.test; " S H BH B, "bad_domain"),
    CASE("d with NUL A03", V A "d=victim.test\0.attack.test; " S H BH B, "bad_tag_value"),
    CASE("d with \\000 A03", V A "d=victim.test\\000.attack.test; " S H BH B, "bad_domain"),
    CASE("d with \\0 A03", V A "d=victim.test\\0.attack.test; " S H BH B, "bad_domain"),
    CASE("d with %00 A03", V A "d=victim.test%00.attack.test; " S H BH B, "bad_domain"),
    CASE("d with blank A03", V A "d=victim.test .attack.test; " S H BH B, "bad_domain"),
    CASE("d underscore A03", V A "d=_a.ex-ample.com; " S H BH B, NULL),
    CASE("d U-label DV-47",
         V A "d=b\xc3\xbc"
             "cher.example; " S H BH B,
         NULL),
    CASE("d broken UTF-8 DV-47",
         V A "d=b\xfc"
             "cher.example; " S H BH B,
         "bad_domain"),
    CASE("s dots DV-13", V A D "s=a.b.c; " H BH B, NULL),
    CASE("s empty", V A D "s=; " H BH B, "bad_selector"),
    CASE("s leading dot", V A D "s=.a; " H BH B, "bad_selector"),
    CASE("s with NUL A03", V A D "s=sel._domainkey.attack.test.\0.x; " H BH B, "bad_tag_value"),
    CASE("s with \\000 A03", V A D "s=sel._domainkey.attack.test.\\000.x; " H BH B, "bad_selector"),
    CASE("s with %00 A03", V A D "s=sel._domainkey.attack.test.%00.x; " H BH B, "bad_selector"),
    CASE("s with escape F06", V A D "s=evil\\046sel; " H BH B, "bad_selector"),

    CASE("h empty C04", V A D S "h=; " BH B, "from_not_signed"),
    CASE("h only colons C04", V A D S "h=:::::; " BH B, "from_not_signed"),
    CASE("h without from C04", V A D S "h=to:subject; " BH B, "from_not_signed"),
    CASE("h empty items C04", V A D S "h=::to::From::; " BH B, NULL),
    CASE("h unknown names C04", V A D S "h=x-unheard-of:FROM; " BH B, NULL),
    CASE("h folded C04", V A D S "h=to\r\n :\r\n from \t:\r\n\tcc ; " BH B, NULL),
    CASE("h blank in a name", V A D S "h=from:to cc; " BH B, "bad_field_list"),
    CASE("h 8-bit in a name", V A D S "h=from:t\xc3\xb6; " BH B, "bad_field_list"),

    CASE("i below DV-15", GOOD "; i=@mail.example.com", NULL),
    CASE("i equal, other case DV-15", GOOD "; i=joe@EXAMPLE.com", NULL),
    CASE("i elsewhere C07", GOOD "; i=@victim.test", "identity_outside_domain"),
    CASE("i no label boundary DV-15", GOOD "; i=@badexample.com", "identity_outside_domain"),
    CASE("i above DV-15", GOOD "; i=@com", "identity_outside_domain"),
    CASE("i NUL C07", GOOD "; i=a=00b@example.com", "bad_identity"),
    CASE("i without @", GOOD "; i=example.com", "bad_identity"),
    CASE("i empty", GOOD "; i=", "bad_identity"),
    CASE("i last @ DV-15", GOOD "; i=a=40victim.test@example.com", NULL),
    CASE("i last @ literally DV-15", GOOD "; i=a@victim.test@example.com", NULL),
    CASE("i last @ the other way C07", GOOD "; i=a@example.com=40victim.test",
         "identity_outside_domain"),
    CASE("i cut hex", GOOD "; i=a=4@example.com", "bad_identity"),
    CASE("i cut hex at the end", GOOD "; i=@example.com=4", "bad_identity"),
    CASE("i domain empty", GOOD "; i=joe@", "bad_identity"),
    CASE("i FWS in it", GOOD "; i=jo\r\n e@example.com", NULL),
    CASE("i UTF-8 DV-47", GOOD "; i=j\xc3\xb6@example.com", NULL),

    CASE("l 0 DV-16", GOOD "; l=0", NULL),
    CASE("l negative C01", GOOD "; l=-1", "bad_body_length"),
    CASE("l hex C01", GOOD "; l=0x10", "bad_body_length"),
    CASE("l empty", GOOD "; l=", "bad_body_length"),
    CASE("l blank inside", GOOD "; l=1 0", "bad_body_length"),

    CASE("q dns/txt DV-17", GOOD "; q=dns/txt", NULL),
    CASE("q list DV-17", GOOD "; q=http : dns/txt", NULL),
    CASE("q unknown DV-17", GOOD "; q=http", "unknown_query_method"),
    CASE("q other option DV-17", GOOD "; q=dns/special", "unknown_query_method"),
    CASE("q dns 13.24", GOOD "; q=dns", "unknown_query_method"),
    CASE("q empty", GOOD "; q=", "unknown_query_method"),

    CASE("t and x DV-18", GOOD "; t=100; x=101", NULL),
    CASE("x before t in the list DV-18", GOOD "; x=101; t=100", NULL),
    CASE("x equal t C06", GOOD "; t=100; x=100", "expires_before_signing"),
    CASE("x below t C06", GOOD "; t=100; x=99", "expires_before_signing"),
    CASE("x alone", GOOD "; x=99", NULL),
    CASE("t of 14 digits C06", GOOD "; t=99999999999999", "time_too_long"),
    CASE("t no number", GOOD "; t=now", "bad_time"),
    CASE("t empty", GOOD "; t=", "bad_time"),
    CASE("t signed", GOOD "; t=+1", "bad_time"),

    CASE("z is no source C14", GOOD "; z=From:a@victim.test|b=QQ=3D=3D", NULL),
};

Test(signature, dkim_fields)
{
    for (size_t i = 0; i < COUNT_OF(dkim_cases); i++) {
        struct dkim_signature got = parse(DKIM_SIGNATURE, dkim_cases[i].text);
        expect_reason(dkim_cases[i].name, &got, dkim_cases[i].reason);
    }
}

static const struct parse_case ams_cases[] = {
    CASE("good AV-10", "i=1; " A D S H BH B, NULL),
    CASE("v is ignored AV-10", "v=7; i=1; " A D S H BH B, NULL),
    CASE("i missing AV-10", A D S H BH B, "missing_tag_i"),
    CASE("i is no identity AV-10", "i=@example.com; " A D S H BH B, "bad_instance"),
    CASE("i=50 AV-2", "i=50; " A D S H BH B, NULL),
    CASE("i=51 AV-2", "i=51; " A D S H BH B, "bad_instance"),
    CASE("i=0 AV-2", "i=0; " A D S H BH B, "bad_instance"),
    CASE("i=01 13.33", "i=01; " A D S H BH B, "bad_instance"),
    CASE("i=+1 I03", "i=+1; " A D S H BH B, "bad_instance"),
    CASE("i=1.0 I03", "i=1.0; " A D S H BH B, "bad_instance"),
    CASE("l is DKIM's AV-14", "i=1; l=4; " A D S H BH B, NULL),
    CASE("from is DKIM's AV-13", "i=1; " A D S "h=to; " BH B, "from_not_signed"),
};

static const struct parse_case seal_cases[] = {
    CASE("good AV-11", "i=1; cv=none; " A D S B, NULL),
    CASE("h AV-11", "i=1; cv=none; h=from; " A D S B, "forbidden_tag_h"),
    CASE("bh and c mean nothing AV-11", "i=1; cv=none; bh=x; c=x; " A D S B, NULL),
    CASE("no cv AV-5", "i=1; " A D S B, "missing_tag_cv"),
    CASE("no b", "i=1; cv=none; " A D S, "missing_tag_b"),
    CASE("no hash of the body is needed", "i=2; cv=pass; t=5; " A D S B, NULL),
};

Test(signature, arc_fields)
{
    for (size_t i = 0; i < COUNT_OF(ams_cases); i++) {
        struct dkim_signature got = parse(DKIM_ARC_MESSAGE_SIGNATURE, ams_cases[i].text);
        expect_reason(ams_cases[i].name, &got, ams_cases[i].reason);
    }
    for (size_t i = 0; i < COUNT_OF(seal_cases); i++) {
        struct dkim_signature got = parse(DKIM_ARC_SEAL, seal_cases[i].text);
        expect_reason(seal_cases[i].name, &got, seal_cases[i].reason);
        cr_expect(got.header_canon == CANON_RELAXED, "%s: seals are relaxed", seal_cases[i].name);
    }
}

static void expect_span(const char *what, struct span got, struct span want)
{
    cr_expect(span_equal(got, want), "%s: got \"%.*s\", want \"%.*s\"", what, (int)got.n,
              (const char *)got.p, (int)want.n, (const char *)want.p);
}

Test(signature, everything_is_read)
{
    struct dkim_signature got =
        parse(DKIM_SIGNATURE,
              SPAN("v=1; a=rsa-sha256; d=Example.COM; s=Sel.One; c=relaxed; h= From : to::CC ;"
                   "i=joe=40x@Sub.example.com; l=5; t=10; x=20; " BH "b= QU\r\n JD ; q=dns/txt"));
    char text[DNS_NAME_TEXT_MAX];
    cr_assert(got.result == RESULT_UNSET, "%s", shown(got.reason));
    cr_expect(got.algorithm == DKIM_RSA_SHA256);
    cr_expect_str_eq(dkim_algorithm_word(got.algorithm), "rsa-sha256");
    cr_expect(got.header_canon == CANON_RELAXED && got.body_canon == CANON_SIMPLE, "DV-11");
    cr_expect_str_eq(dns_name_text(&got.domain, text), "example.com");
    cr_expect_str_eq(dns_name_text(&got.selector, text), "sel.one");
    expect_span("d", got.domain_text, SPAN("Example.COM"));
    expect_span("s", got.selector_text, SPAN("Sel.One"));
    expect_span("i", got.identity, SPAN("joe=40x@Sub.example.com"));
    cr_expect(got.identity_below, "i= is below d=");
    expect_span("b=", got.b_value, SPAN(" QU\r\n JD "));
    expect_span("decoded b=", got.signature, SPAN("ABC"));
    cr_expect(got.item_count == 3, "got %u items", got.item_count);
    expect_span("item 0", got.items[0], SPAN("From"));
    expect_span("item 1", got.items[1], SPAN("to"));
    expect_span("item 2", got.items[2], SPAN("CC"));
    cr_expect(got.has_l && got.l == 5 && got.has_t && got.t == 10 && got.has_x && got.x == 20);
    static const uint8_t empty_sha256[] = {0xe3, 0xb0, 0xc4, 0x42};
    cr_expect(memcmp(got.bh, empty_sha256, sizeof empty_sha256) == 0, "bh=");
}

/* C15: the value of the tag named exactly "b", wherever "b=" stands besides. */
static const struct
{
    const char *text;
    const char *cut;
} b_cases[] = {
    {V A D S H BH "bb=1; b=QUJD", "QUJD"},
    {V A D S H BH "x1=b=QQ; b=QUJD;", "QUJD"},
    {V A D S H BH "B=QQ; b=QUJD", "QUJD"},
    {V A D S H BH "b\r\n =\r\n QUJD\r\n ; z=b=x", "\r\n QUJD\r\n "},
    {"b=QUJD; " V A D S H "i=b=3D@example.com; bh=" BH_EMPTY, "QUJD"},
};

Test(signature, cut_is_where_the_tag_is)
{
    for (size_t i = 0; i < COUNT_OF(b_cases); i++) {
        struct dkim_signature got = parse(DKIM_SIGNATURE, span_from_string(b_cases[i].text));
        expect_reason(b_cases[i].text, &got, NULL);
        expect_span(b_cases[i].text, got.b_value, span_from_string(b_cases[i].cut));
        cr_expect(got.b_value.p > got.field->value.p, "the cut lies in the field");
    }
}

/* d= cannot be shown as checked, and no question can be built, where it was refused (A03). */
Test(signature, refused_names_are_cleared)
{
    struct dkim_signature got =
        parse(DKIM_SIGNATURE, SPAN(V A "d=victim.test%00.attack.test; s=a b; " H BH B));
    cr_expect(got.domain.length == 0 && got.selector.length == 0);
    expect_span("d as written", got.domain_text, SPAN("victim.test%00.attack.test"));
}

static struct span repeated(struct buffer *out, const char *before, const char *piece, size_t times,
                            const char *after)
{
    buffer_init(out, 1 << 22);
    buffer_append_string(out, before);
    for (size_t i = 0; i < times; i++)
        buffer_append_string(out, piece);
    buffer_append_string(out, after);
    cr_assert(!out->failed);
    return buffer_span(out);
}

struct limit_case
{
    const char *name;
    const char *before, *piece, *after;
    size_t most; /* repetitions that are still allowed */
    const char *reason;
    enum limit limit;
};

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct limit_case limit_cases[] = {
    {"h items C04", V A D S "h=from", ":x", "; " BH B, MAX_H_ITEMS - 1, "too_many_h_items",
     LIMIT_H_ITEMS},
    {"b characters", V A D S H BH "b=QUJD", "QUJD", "", MAX_B_CHARS / 4 - 1, "b_too_long",
     LIMIT_B_CHARS},
    {"l digits C01", GOOD "; l=1", "0", "", MAX_L_DIGITS - 1, "l_too_long", LIMIT_L_DIGITS},
    {"t digits C06", GOOD "; t=1", "0", "", MAX_TIME_DIGITS - 1, "time_too_long",
     LIMIT_TIME_DIGITS},
    {"x digits C06", GOOD "; x=1", "0", "", MAX_TIME_DIGITS - 1, "time_too_long",
     LIMIT_TIME_DIGITS},
    {"list bytes", GOOD "; z=", "z", "", MAX_TAG_LIST_BYTES - (sizeof(GOOD "; z=") - 1),
     "tag_list_too_long", LIMIT_TAG_LIST_BYTES},
};

static void check_limit(const struct limit_case *c, size_t times, bool over)
{
    struct buffer text;
    uint32_t before = hits.n[c->limit];
    struct dkim_signature got =
        parse(DKIM_SIGNATURE, repeated(&text, c->before, c->piece, times, c->after));
    expect_reason(c->name, &got, over ? c->reason : NULL);
    cr_expect(hits.n[c->limit] - before == over, "%s: counted %u", c->name,
              hits.n[c->limit] - before);
    buffer_fini(&text);
}

Test(signature, limits_at_and_around)
{
    for (size_t i = 0; i < COUNT_OF(limit_cases); i++) {
        check_limit(&limit_cases[i], limit_cases[i].most - 1, false);
        check_limit(&limit_cases[i], limit_cases[i].most, false);
        check_limit(&limit_cases[i], limit_cases[i].most + 1, true);
    }
}

/* Names are counted, not runs of ftext: 256 of "x y" are bad ones, and no more than are allowed. */
Test(signature, bad_names_up_to_the_limit)
{
    for (size_t times = MAX_H_ITEMS - 2; times <= MAX_H_ITEMS; times++) {
        struct buffer text;
        struct dkim_signature got =
            parse(DKIM_SIGNATURE, repeated(&text, V A D S "h=from", ":x\r\n y", times, "; " BH B));
        expect_reason("h of bad names", &got,
                      times < MAX_H_ITEMS ? "bad_field_list" : "too_many_h_items");
        buffer_fini(&text);
    }
}

static struct dkim_signature parse_with_tags(unsigned tags)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_string(&text, GOOD);
    for (unsigned i = 7; i < tags; i++)
        buffer_printf(&text, "; x%u=1", i);
    struct dkim_signature got = parse(DKIM_SIGNATURE, buffer_span(&text));
    buffer_fini(&text);
    return got;
}

Test(signature, limit_of_tags)
{
    struct dkim_signature below = parse_with_tags(MAX_TAGS - 1);
    struct dkim_signature at = parse_with_tags(MAX_TAGS);
    struct dkim_signature above = parse_with_tags(MAX_TAGS + 1);
    expect_reason("63 tags", &below, NULL);
    expect_reason("64 tags", &at, NULL);
    expect_reason("65 tags", &above, "too_many_tags");
    cr_expect(hits.n[LIMIT_TAGS] == 1);
}

/* DV-16: digits beyond 64 bits mean "larger than any body", and never "no l=". */
Test(signature, length_overflow_is_larger_than_any_body)
{
    static const char *const lengths[] = {
        "18446744073709551614", "18446744073709551615", "18446744073709551616",
        "99999999999999999999999999999999999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct buffer text;
        struct dkim_signature got =
            parse(DKIM_SIGNATURE, repeated(&text, GOOD "; l=", lengths[i], 1, ""));
        expect_reason(lengths[i], &got, NULL);
        cr_expect(got.has_l && got.l == DKIM_L_MAX, "%s: got %lu", lengths[i], got.l);
        buffer_fini(&text);
    }
}

/* C04, C14: megabytes of separators or z= end at the limit of the list. */
Test(signature, bombs_end_at_the_list_limit)
{
    struct buffer text;
    struct dkim_signature got =
        parse(DKIM_SIGNATURE, repeated(&text, V A D S BH B "; h=from", ":", 1 << 20, ""));
    expect_reason("1 MiB of colons", &got, "tag_list_too_long");
    buffer_fini(&text);
    got = parse(DKIM_SIGNATURE, repeated(&text, GOOD "; z=", "z", 100 * 1024, ""));
    expect_reason("100 KiB of z", &got, "tag_list_too_long");
    buffer_fini(&text);
    got = parse(DKIM_SIGNATURE, repeated(&text, V A D S BH B "; h=from", ":", 16000, ""));
    expect_reason("16,000 colons", &got, NULL);
    cr_expect(got.item_count == 1);
    buffer_fini(&text);
}

/* DV-13: the name that would be asked for must exist. */
Test(signature, names_too_long_to_ask)
{
    struct dkim_signature got = parse(DKIM_SIGNATURE, SPAN(V A "d=" L63 "a.example; " S H BH B));
    expect_reason("label of 64", &got, "bad_domain");
    got = parse(DKIM_SIGNATURE, SPAN(V A "d=" L63 "." L63 "." L63 ".example; " S H BH B));
    expect_reason("name of 200, short selector", &got, NULL);
    got = parse(DKIM_SIGNATURE, SPAN(V A "d=" L63 "." L63 "." L63 ".example; s=" L63 "; " H BH B));
    expect_reason("name of 275 with the selector", &got, "key_name_too_long");
}

Test(signature, without_memory_it_is_temporary)
{
    arena_fini(&arena);
    arena_init(&arena, 0);
    struct dkim_signature got = parse(DKIM_SIGNATURE, SPAN(GOOD));
    cr_expect(got.result == RESULT_TEMPERROR, "got %d", got.result);
    cr_expect_str_eq(got.reason, "no_memory");
}

struct time_case
{
    const char *name;
    const char *tags;
    int64_t now;
    enum result result;
    const char *reason;
};

static const struct time_case time_cases[] = {
    {"no times", GOOD, 1000, RESULT_UNSET, NULL},
    {"not yet expired", GOOD "; x=1000", 999, RESULT_UNSET, NULL},
    {"at the second", GOOD "; x=1000", 1000, RESULT_UNSET, NULL},
    {"x=now-1 C06", GOOD "; x=1000", 1001, RESULT_FAIL, "expired"},
    {"signed now", GOOD "; t=1000", 1000, RESULT_UNSET, NULL},
    {"within the skew", GOOD "; t=1299", 1000, RESULT_UNSET, NULL},
    {"at the skew", GOOD "; t=1300", 1000, RESULT_UNSET, NULL},
    {"past the skew", GOOD "; t=1301", 1000, RESULT_FAIL, "future"},
    {"t=now+3600 C06", GOOD "; t=4600", 1000, RESULT_FAIL, "future"},
    {"clock before the epoch", GOOD "; x=1000", -5, RESULT_UNSET, NULL},
    {"syntax stays the reason", V A D S H B "; x=5", 1000, RESULT_PERMERROR, "missing_tag_bh"},
};

Test(signature, times)
{
    for (size_t i = 0; i < COUNT_OF(time_cases); i++) {
        const struct time_case *c = &time_cases[i];
        struct dkim_signature got = parse(DKIM_SIGNATURE, span_from_string(c->tags));
        dkim_signature_check_time(&got, c->now, &hits);
        cr_expect(got.result == c->result, "%s: got %d, want %d", c->name, got.result, c->result);
        cr_expect(c->reason ? got.reason && strcmp(got.reason, c->reason) == 0 : !got.reason,
                  "%s: got %s, want %s", c->name, shown(got.reason), shown(c->reason));
    }
}
