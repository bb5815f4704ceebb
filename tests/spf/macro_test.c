/* Macros: the RFC's own examples, SP-28 to SP-34, and security.md E05, E06. */
#include "spf/macro.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/guard.h"

/* RFC 7208 7.4: strong-bad@email.example.com from 192.0.2.3. */
static struct spf_macro_values rfc_values(void)
{
    struct spf_macro_values values = {{{NULL, 0}}};
    values.of['s' - 'a'] = SPAN("strong-bad@email.example.com");
    values.of['l' - 'a'] = SPAN("strong-bad");
    values.of['o' - 'a'] = SPAN("email.example.com");
    values.of['d' - 'a'] = SPAN("email.example.com");
    values.of['i' - 'a'] = SPAN("192.0.2.3");
    values.of['v' - 'a'] = SPAN("in-addr");
    values.of['h' - 'a'] = SPAN("a..b.");
    values.of['p' - 'a'] = SPAN("unknown");
    values.of['c' - 'a'] = SPAN("\xff\x80 /~");
    return values;
}

static const struct expand_case
{
    const char *text, *want;
} expand_cases[] = {
    {"%{s}", "strong-bad@email.example.com"},
    {"%{o}", "email.example.com"},
    {"%{d}", "email.example.com"},
    {"%{d4}", "email.example.com"},
    {"%{d3}", "email.example.com"},
    {"%{d2}", "example.com"},
    {"%{d1}", "com"},
    {"%{dr}", "com.example.email"},
    {"%{d2r}", "example.email"},
    {"%{l}", "strong-bad"},
    {"%{l-}", "strong.bad"},
    {"%{lr}", "strong-bad"},
    {"%{lr-}", "bad.strong"},
    {"%{l1r-}", "strong"},
    {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
    {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
    {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
    {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
    {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
    /* SP-29 */
    {"%%%_%-", "% %20"},
    {"%%%%%%{d}", "%%%{d}"},
    {"%%%%%{d1}", "%%com"},
    {"a%%b%%%%c", "a%b%%c"},
    {"%{D2R}", "example.email"},
    {"%{h}", "a..b."},
    {"%{h1}", ""}, /* empty parts count */
    {"%{h2}", "b."},
    {"%{h3}", ".b."},
    {"%{h4}", "a..b."},
    {"%{hr}", ".b..a"},
    {"%{h2r}", ".a"},
    {"%{s-@}", NULL}, /* "@" is no delimiter */
    {"%{s.-}", "strong.bad@email.example.com"},
    {"%{d.-+,/_=}", "email.example.com"},
    {"%{d-}", "email.example.com"}, /* split at "-" only: one part */
    {"%{d1-}", "email.example.com"},
    {"%{d127}", "email.example.com"},
    {"%{d999999999999r}", "com.example.email"}, /* E05 */
    {"%{d99999999999999999999999999999999999999999999999999999999}", "email.example.com"},
    {"%{d0}", NULL}, /* SP-29 */
    {"%{d00}", NULL},
    {"%{d0r}", NULL},
    {"%{d01}", "com"},
    {"%{d-0}", NULL}, /* E05 */
    {"%{dr2}", NULL},
    {"%{}", NULL},
    {"%{", NULL},
    {"%{d", NULL},
    {"%{d2", NULL},
    {"%{d2r", NULL},
    {"%{d2r-", NULL},
    {"%", NULL},
    {"%%%", NULL},
    {"%d", NULL},
    {"%n%s", NULL}, /* E13 */
    {"%(ir)", NULL},
    {"%{a}", NULL},
    {"%{_}", NULL},
    {"%{%}", NULL},
    {"%{-}", NULL},
    {"%{{}", NULL},
    {"}{", "}{"},
    /* SP-30 */
    {"%{L}", "strong-bad"},
    {"%{S}", "strong-bad%40email.example.com"},
    {"%{C}", "%FF%80%20%2F~"},
    {"%{C/}", "%FF%80%20.~"},
    {"%{c}", "\xff\x80 /~"},
    {"a b", "a b"},
    {"a\tb", NULL},
    {"a\r\nb", NULL},
    {"\x7f", NULL},
    {"\x80", NULL},
    {"", ""},
};

Test(spf_macro, check_and_expand)
{
    struct spf_macro_values values = rfc_values();
    for (size_t i = 0; i < COUNT_OF(expand_cases); i++) {
        const struct expand_case *c = &expand_cases[i];
        struct span text = guard_copy(span_from_string(c->text));
        uint8_t out[256];
        bool cut = true;
        bool ok = spf_macro_check(text, SPF_MACRO_EXPLANATION);
        cr_expect(ok == (c->want != NULL), "\"%s\": got %s", c->text, ok ? "valid" : "invalid");
        if (!ok)
            continue;
        struct span got = spf_macro_expand(text, &values, out, sizeof out, &cut);
        cr_expect(!cut && span_equal(got, span_from_string(c->want)),
                  "\"%s\": got \"%.*s\", want \"%s\"", c->text, (int)got.n, (const char *)got.p,
                  c->want);
    }
}

/* A smaller output holds the end of the text, and says so. Its ends lie at inaccessible pages. */
Test(spf_macro, output_is_bounded_at_every_size)
{
    static const char *const texts[] = {"%{S}.%{lr-}%%%%%{ir}%-x", "%{h}%{hr}%{h2}", "abc%%",
                                        "%{C}%_%_"};
    struct spf_macro_values values = rfc_values();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        uint8_t whole_out[256];
        bool cut;
        struct span text = span_from_string(texts[i]);
        struct span whole = spf_macro_expand(text, &values, whole_out, sizeof whole_out, &cut);
        for (size_t n = 0; n <= whole.n + 1; n++) {
            uint8_t filler[256] = {0};
            struct span room = guard_copy(span_of(filler, n));
            uint8_t *out = n ? (uint8_t *)(uintptr_t)room.p : filler;
            struct span got = spf_macro_expand(text, &values, out, n, &cut);
            size_t kept = n < whole.n ? n : whole.n;
            cr_expect(cut == (n < whole.n), "\"%s\" into %zu: cut %d", texts[i], n, cut);
            cr_expect(span_equal(got, span_skip(whole, whole.n - kept)),
                      "\"%s\" into %zu: \"%.*s\"", texts[i], n, (int)got.n, (const char *)got.p);
        }
    }
}

Test(spf_macro, letters)
{
    cr_expect(spf_macro_letters(SPAN("%{S}.%%{x}%_%-%{d2r.}z")) ==
              (SPF_LETTER('s') | SPF_LETTER('d')));
    cr_expect(spf_macro_letters(SPAN("")) == 0);
    cr_expect(spf_macro_letters(SPAN("abc%%")) == 0);
}

/* SP-28: c, r and t are for explanations. */
Test(spf_macro, letters_by_mode)
{
    cr_expect(spf_macro_check(SPAN("%{s}%{l}%{o}%{d}%{i}%{p}%{v}%{h}"), SPF_MACRO_DOMAIN));
    cr_expect(!spf_macro_check(SPAN("%{c}"), SPF_MACRO_DOMAIN));
    cr_expect(!spf_macro_check(SPAN("%{R}"), SPF_MACRO_DOMAIN));
    cr_expect(!spf_macro_check(SPAN("%{t}"), SPF_MACRO_DOMAIN));
    cr_expect(spf_macro_check(SPAN("%{c}%{R}%{t}"), SPF_MACRO_EXPLANATION));
    cr_expect(spf_macro_check(SPAN("%{c}%{R}%{t}"), SPF_MACRO_MODIFIER));
    cr_expect(!spf_macro_check(SPAN("a b"), SPF_MACRO_DOMAIN));
    cr_expect(!spf_macro_check(SPAN("a b"), SPF_MACRO_MODIFIER));
}

/* `length` bytes: labels of nine letters, the last one as long as what is left. */
static struct span name_text(uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out[i] = i % 10 == 9 ? '.' : 'a';
    out[length - 1] = 'a';
    return span_of(out, length);
}

/* SP-34: 252, 253, 254 characters, with and without a trailing dot. */
Test(spf_macro, names_are_cut_at_labels_from_the_left)
{
    struct spf_macro_values values = {{{NULL, 0}}};
    for (size_t length = 250; length <= 300; length++) {
        uint8_t text[512];
        char shown[DNS_NAME_TEXT_MAX];
        struct dns_name name;
        struct span whole = name_text(text, length);
        struct span want = whole;
        while (want.n > 253)
            want = span_skip(want, span_find(want, '.') + 1);
        for (int dot = 0; dot <= 1; dot++) {
            text[length] = '.';
            struct span with_dot = guard_copy(span_of(text, length + (size_t)dot));
            cr_assert(spf_macro_name(with_dot, &values, &name), "%zu", length);
            dns_name_text(&name, shown);
            cr_expect(span_equal(span_from_string(shown), want), "%zu: got %zu bytes, want %zu",
                      length, strlen(shown), want.n);
        }
    }
}

static const struct name_case
{
    const char *text;
    const char *want; /* NULL: no name */
} name_cases[] = {
    {"%{d}", "email.example.com"},
    {"%{d}.x.", "email.example.com.x"},
    {"A.B.Example", "a.b.example"},
    {"mail.example...com", NULL}, /* empty label */
    {".example", NULL},
    {"%{h}", NULL},
    {"%{h1}", NULL},
    {"a123456789012345678901234567890123456789012345678901234567890123.example", NULL},
    {"a12345678901234567890123456789012345678901234567890123456789012.example",
     "a12345678901234567890123456789012345678901234567890123456789012.example"},
    {"macro%%percent%_%_space%-url.example", "macro%percent\\032\\032space%20url.example"},
};

/* SP-34, 13.26: what is no name after expansion is no name; never an error of the DNS. */
Test(spf_macro, names)
{
    struct spf_macro_values values = rfc_values();
    for (size_t i = 0; i < COUNT_OF(name_cases); i++) {
        const struct name_case *c = &name_cases[i];
        char shown[DNS_NAME_TEXT_MAX] = "no name";
        struct dns_name name = {.length = 99};
        bool ok = spf_macro_name(span_from_string(c->text), &values, &name);
        if (ok)
            dns_name_text(&name, shown);
        cr_expect(ok == (c->want != NULL) && (!ok || strcmp(shown, c->want) == 0),
                  "\"%s\": got \"%s\", want \"%s\"", c->text, shown, c->want ? c->want : "no name");
        cr_expect(ok || name.length == 99);
    }
}

/* E06: bytes of a local part stay bytes of labels, whatever they look like as text. */
Test(spf_macro, E06_bytes_are_no_escapes)
{
    static const struct
    {
        struct span local;
        const char *want;
    } cases[] = {
        {{(const uint8_t *)"a\\.b", 4}, "a\\\\.b.x.example"}, /* the dot splits, "\" is a byte */
        {{(const uint8_t *)"a\\000b", 6}, "a\\\\000b.x.example"},
        {{(const uint8_t *)"a\0b", 3}, "a\\000b.x.example"},
        {{(const uint8_t *)"a b", 3}, "a\\032b.x.example"},
        {{(const uint8_t *)"a@b", 3}, "a@b.x.example"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct spf_macro_values values = {{{NULL, 0}}};
        char shown[DNS_NAME_TEXT_MAX];
        struct dns_name name;
        values.of['l' - 'a'] = cases[i].local;
        cr_assert(spf_macro_name(SPAN("%{l}.x.example"), &values, &name));
        dns_name_text(&name, shown);
        cr_expect(strcmp(shown, cases[i].want) == 0, "got \"%s\", want \"%s\"", shown,
                  cases[i].want);
    }
    struct spf_macro_values values = {{{NULL, 0}}};
    uint8_t eights[64];
    struct dns_name name;
    memset(eights, 0xff, sizeof eights);
    values.of['l' - 'a'] = span_of(eights, 64);
    cr_expect(!spf_macro_name(SPAN("%{l}.x.example"), &values, &name), "64 bytes are no label");
    values.of['l' - 'a'] = span_of(eights, 63);
    cr_expect(spf_macro_name(SPAN("%{l}.x.example"), &values, &name));
    cr_expect(name.wire[0] == 63 && name.wire[63] == 0xff);
}

/* E05: a record full of the longest macros costs no more than its text and the output. */
Test(spf_macro, E05_bombs_are_bounded)
{
    static const char *const pieces[] = {"%{S}", "%{l999999999999r}", "%%", "%_%%%-", "%{l1r.-+}"};
    struct spf_macro_values values = {{{NULL, 0}}};
    uint8_t local[1024];
    memset(local, 0xff, sizeof local);
    values.of['s' - 'a'] = values.of['l' - 'a'] = span_of(local, sizeof local);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct span piece = span_from_string(pieces[i]);
        static uint8_t text[16384];
        uint8_t out[253];
        size_t n = 0;
        bool cut;
        for (; n + piece.n <= sizeof text; n += piece.n)
            memcpy(text + n, piece.p, piece.n);
        struct span bomb = guard_copy(span_of(text, n));
        cr_assert(spf_macro_check(bomb, SPF_MACRO_DOMAIN));
        struct span got = spf_macro_expand(bomb, &values, out, sizeof out, &cut);
        cr_expect(cut && got.n == sizeof out && got.p == out);
    }
}

/* Every prefix of a text with all kinds of macros, at an inaccessible page. */
Test(spf_macro, every_prefix_at_a_guard_page)
{
    struct span whole = SPAN("%{d12r.-+,/_=}%%x%_%-.%{S}%%%{h}.a-%{l2-}.example.");
    struct spf_macro_values values = rfc_values();
    for (size_t n = 0; n <= whole.n; n++) {
        struct span text = guard_copy(span_slice(whole, 0, n));
        struct dns_name name;
        uint8_t out[64];
        bool cut;
        if (!spf_macro_check(text, SPF_MACRO_DOMAIN))
            continue;
        struct span got = spf_macro_expand(text, &values, out, sizeof out, &cut);
        cr_expect(got.n <= sizeof out);
        bool named = spf_domain_spec_check(text) && spf_macro_name(text, &values, &name);
        cr_expect(!named || name.length > 0);
    }
}
