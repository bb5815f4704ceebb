/* The SPF judge: evaluation and its evidence (SP-4 to SP-40), security.md A05, E06, E08, E10, E11,
 * E14, F07, F08. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "harness.h"

/* One zone for the table below. */
static const char zone_text[] =
    "a.example TXT \"v=spf1 ip4:192.0.2.0/24 include:b.example -mx/30 ~exists:%{l}.x.example "
    "?ptr:c.example -all\"\n"
    "a.example MX 10 mail.a.example\n"
    "mail.a.example A 203.0.113.9\n"
    "mail.a.example AAAA 2001:db8:9::9\n"
    "joe.x.example A 127.0.0.2\n"
    "b.example TXT \"v=spf1 -ip4:198.51.100.9 +a:host.b.example//64 include:d.example ~all\"\n"
    "host.b.example A 198.51.100.1\n"
    "host.b.example AAAA 2001:db8:1::1\n"
    "d.example TXT \"v=spf1 ip6:2001:db8:2::/48 ip4:198.51.100.128/25 ?all\"\n"
    "1.113.0.203.in-addr.arpa PTR w.c.example\n"
    "w.c.example A 203.0.113.1\n"
    "r.example TXT \"v=spf1 redirect=d.example\"\n"
    "r2.example TXT \"v=spf1 ip4:192.0.2.1 redirect=r.example\"\n"
    "quiet.example TXT \"v=spf1 ip4:192.0.2.1\"\n"
    "quiet.example TXT \"something else\"\n"
    "toquiet.example TXT \"v=spf1 redirect=quiet.example\"\n"
    "none.example TXT \"v=spf10 all\"\n"
    "empty.example A 192.0.2.1\n"
    "two.example TXT \"v=spf1 all\"\n"
    "two.example TXT \"V=SPF1 -all\"\n"
    "slow.example TXT !timeout\n"
    "servfail.example TXT !servfail\n"
    "syntax.example TXT \"v=spf1 ip4:192.0.2.1 -al\"\n"
    "nozone.example TXT \"v=spf1 ip4:192.0.2.9 include:nothere.example all\"\n"
    "badinc.example TXT \"v=spf1 include:syntax.example all\"\n"
    "slowinc.example TXT \"v=spf1 include:toslow.example all\"\n"
    "toslow.example TXT \"v=spf1 redirect=slow.example\"\n"
    "slowa.example TXT \"v=spf1 a:slowa.example ?all\"\n"
    "slowa.example A !servfail\n"
    "redirnone.example TXT \"v=spf1 redirect=none.example\"\n"
    "redirbad.example TXT \"v=spf1 redirect=%{h}..x\"\n"
    "redirall.example TXT \"v=spf1 redirect=nothere.example ?all\"\n"
    "chain.example TXT \"v=spf1 include:r.example -all\"\n"
    "wide.example TXT \"v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all\"\n"
    "mapped.example TXT \"v=spf1 ip6:::ffff:192.0.2.1 ip4:192.0.2.1 -all\"\n"
    "label.example TXT \"v=spf1 a:mail..example -exists:%{h}.x ip4:192.0.2.1 -all\"\n"
    "inclabel.example TXT \"v=spf1 include:%{h}..x ip4:192.0.2.1 -all\"\n"
    "incone.example TXT \"v=spf1 include:%{h} all\"\n"
    "local.example TXT \"v=spf1 exists:%{l}.x.example -exists:%{s}.x.example ?ip4:192.0.2.1\"\n"
    "dotted.example TXT \"v=spf1 a:HOST.B.Example. -all\"\n"
    "nullmx.example TXT \"v=spf1 mx -all\"\n"
    "nullmx.example MX 0 .\n"
    "mxfail.example TXT \"v=spf1 mx -all\"\n"
    "mxfail.example MX 10 slowhost.example\n"
    "mxfail.example MX 20 host.b.example\n"
    "slowhost.example A !timeout\n"
    "cname.example CNAME d.example\n"
    "loop.example CNAME pool.example\n"
    "pool.example CNAME loop.example\n"
    "xn--bcher-kva.example TXT \"v=spf1 exists:%{d}.%{o}.y.example -all\"\n"
    "xn--bcher-kva.example.xn--bcher-kva.example.y.example A 127.0.0.2\n"
    "6.example TXT \"v=spf1 exists:%{ir}.%{v}.y.example -all\"\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.y.example A 127.0.0.2\n";

struct verdict_case
{
    const char *ip, *mail_from;
    enum result result;
    const char *reason; /* NULL: a match */
    const char *mechanism, *path;
    int prefix;
    uint32_t lookups, voids;
};

/* clang-format off */
static const struct verdict_case verdict_cases[] = {
    /* evidence: SP-39, E10 */
    {"192.0.2.77", "joe@a.example", RESULT_PASS, NULL, "ip4:192.0.2.0/24", "ip4:192.0.2.0/24", 24, 0, 0},
    {"198.51.100.1", "joe@a.example", RESULT_PASS, NULL, "include:b.example",
     "include:b.example +a:host.b.example//64", 32, 2, 0},
    {"2001:db8:1::77", "joe@a.example", RESULT_PASS, NULL, "include:b.example",
     "include:b.example +a:host.b.example//64", 64, 2, 0},
    {"2001:db8:2::77", "joe@a.example", RESULT_PASS, NULL, "include:b.example",
     "include:b.example include:d.example ip6:2001:db8:2::/48", 48, 3, 0},
    /* SP-17: a fail inside an include is no match; joe.x.example exists */
    {"198.51.100.9", "joe@a.example", RESULT_SOFTFAIL, NULL, "~exists:%{l}.x.example",
     "~exists:%{l}.x.example", -1, 3, 0},
    {"203.0.113.10", "joe@a.example", RESULT_FAIL, NULL, "-mx/30", "-mx/30", 30, 4, 0},
    {"203.0.113.1", "jim@a.example", RESULT_NEUTRAL, NULL, "?ptr:c.example", "?ptr:c.example", -1, 6, 1},
    {"203.0.113.99", "jim@a.example", RESULT_FAIL, NULL, "-all", "-all", -1, 6, 2},
    /* redirect: SP-18 */
    {"198.51.100.200", "joe@r.example", RESULT_PASS, NULL, "redirect=d.example",
     "redirect=d.example ip4:198.51.100.128/25", 25, 1, 0},
    {"198.51.100.200", "joe@r2.example", RESULT_PASS, NULL, "redirect=r.example",
     "redirect=r.example redirect=d.example ip4:198.51.100.128/25", 25, 2, 0},
    {"198.51.100.200", "joe@chain.example", RESULT_PASS, NULL, "include:r.example",
     "include:r.example redirect=d.example ip4:198.51.100.128/25", 25, 2, 0},
    {"192.0.2.200", "joe@chain.example", RESULT_FAIL, NULL, "-all", "-all", -1, 2, 0},
    {"192.0.2.1", "joe@redirnone.example", RESULT_PERMERROR, "redirect_no_record",
     "redirect=none.example", "redirect=none.example", -1, 1, 0},
    {"192.0.2.1", "joe@redirbad.example", RESULT_PERMERROR, "redirect_bad_target",
     "redirect=%{h}..x", "redirect=%{h}..x", -1, 1, 0},
    {"192.0.2.1", "joe@redirall.example", RESULT_NEUTRAL, NULL, "?all", "?all", -1, 0, 0}, /* SP-12 */
    /* SP-16 */
    {"192.0.2.2", "joe@quiet.example", RESULT_NEUTRAL, "no_match", "", "", -1, 0, 0},
    {"192.0.2.2", "joe@toquiet.example", RESULT_NEUTRAL, "no_match", "", "", -1, 1, 0},
    /* SP-4, SP-7, F08 */
    {"192.0.2.1", "joe@nothere.example", RESULT_NONE, "no_such_domain", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@empty.example", RESULT_NONE, "no_record", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@none.example", RESULT_NONE, "no_record", "", "", -1, 0, 0}, /* E08 */
    {"192.0.2.1", "joe@two.example", RESULT_PERMERROR, "multiple_records", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@slow.example", RESULT_TEMPERROR, "dns_timeout", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@servfail.example", RESULT_TEMPERROR, "dns_servfail", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@syntax.example", RESULT_PERMERROR, "unknown_mechanism", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@single", RESULT_NONE, "single_label_domain", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@[192.0.2.1]", RESULT_NONE, "address_literal", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@192.0.2.1", RESULT_NONE, "address_as_domain", "", "", -1, 0, 0},
    {"192.0.2.1", "joe@victim.test(.attack.test", RESULT_NONE, "bad_name_byte", "", "", -1, 0, 0}, /* A05 */
    /* errors inside end everything: SP-17, SP-23, E14 */
    {"192.0.2.1", "joe@nozone.example", RESULT_PERMERROR, "include_no_record",
     "include:nothere.example", "include:nothere.example", -1, 1, 0},
    {"192.0.2.1", "joe@badinc.example", RESULT_PERMERROR, "unknown_mechanism",
     "include:syntax.example", "include:syntax.example", -1, 1, 0},
    {"192.0.2.1", "joe@slowinc.example", RESULT_TEMPERROR, "dns_timeout",
     "include:toslow.example", "include:toslow.example redirect=slow.example", -1, 2, 0},
    {"192.0.2.1", "joe@slowa.example", RESULT_TEMPERROR, "dns_servfail", "a:slowa.example",
     "a:slowa.example", -1, 1, 0},
    /* E10: over-wide records pass, and the prefix says so */
    {"192.0.2.1", "joe@wide.example", RESULT_PASS, NULL, "ip4:128.0.0.0/1", "ip4:128.0.0.0/1", 1, 0, 0},
    /* E11, SP-5, SP-22 */
    {"::ffff:192.0.2.1", "joe@mapped.example", RESULT_PASS, NULL, "ip4:192.0.2.1", "ip4:192.0.2.1", 32, 0, 0},
    {"192.0.2.1", "joe@mapped.example", RESULT_PASS, NULL, "ip4:192.0.2.1", "ip4:192.0.2.1", 32, 0, 0},
    {"::192.0.2.1", "joe@mapped.example", RESULT_FAIL, NULL, "-all", "-all", -1, 0, 0},
    /* SP-34, 13.26: no name after expansion is no match, and costs no question. HELO is "one". */
    {"192.0.2.1", "joe@label.example", RESULT_PASS, NULL, "ip4:192.0.2.1", "ip4:192.0.2.1", 32, 2, 1},
    {"192.0.2.1", "joe@inclabel.example", RESULT_PASS, NULL, "ip4:192.0.2.1", "ip4:192.0.2.1", 32, 1, 0},
    {"192.0.2.1", "joe@incone.example", RESULT_PERMERROR, "include_no_record", "include:%{h}",
     "include:%{h}", -1, 1, 0},
    {"198.51.100.1", "joe@dotted.example", RESULT_PASS, NULL, "a:HOST.B.Example.",
     "a:HOST.B.Example.", 32, 1, 0},
    /* SP-35 */
    {"192.0.2.1", "joe@local.example", RESULT_PASS, NULL, "exists:%{l}.x.example",
     "exists:%{l}.x.example", -1, 1, 0},
    {"192.0.2.1", "j\xc3\xb6@local.example", RESULT_NEUTRAL, NULL, "?ip4:192.0.2.1",
     "?ip4:192.0.2.1", 32, 2, 0},
    /* SP-40, SP-20 */
    {"192.0.2.1", "joe@nullmx.example", RESULT_FAIL, NULL, "-all", "-all", -1, 1, 1},
    {"198.51.100.1", "joe@mxfail.example", RESULT_PASS, NULL, "mx", "mx", 32, 1, 0},
    {"198.51.100.2", "joe@mxfail.example", RESULT_TEMPERROR, "dns_timeout", "mx", "mx", -1, 1, 0},
    /* F07 */
    {"198.51.100.200", "joe@cname.example", RESULT_PASS, NULL, "ip4:198.51.100.128/25",
     "ip4:198.51.100.128/25", 25, 0, 0},
    {"198.51.100.200", "joe@loop.example", RESULT_TEMPERROR, "dns_cname_loop", "", "", -1, 0, 0},
    /* SP-4: A-labels in %{d} and %{o} */
    {"192.0.2.1", "joe@B\xc3\xbc" "cher.example", RESULT_PASS, NULL, "exists:%{d}.%{o}.y.example",
     "exists:%{d}.%{o}.y.example", -1, 1, 0},
    /* SP-31, SP-19: nibbles; exists asks for A */
    {"2001:db8:1::1", "joe@6.example", RESULT_PASS, NULL, "exists:%{ir}.%{v}.y.example",
     "exists:%{ir}.%{v}.y.example", -1, 1, 0},
};
/* clang-format on */

static bool same_text(struct span got, const char *want)
{
    return span_equal(got, span_from_string(want));
}

static bool same_reason(const char *got, const char *want)
{
    return got && want ? strcmp(got, want) == 0 : got == want;
}

static void expect_verdict(const struct verdict_case *c, const struct spf_check *check)
{
    cr_expect(check->result == c->result && same_reason(check->reason, c->reason),
              "%s from %s: got %s (%s), want %s (%s)", c->mail_from, c->ip,
              result_word(check->result), check->reason ? check->reason : "-",
              result_word(c->result), c->reason ? c->reason : "-");
    cr_expect(same_text(check->mechanism, c->mechanism), "%s from %s: got mechanism \"%.*s\"",
              c->mail_from, c->ip, (int)check->mechanism.n, (const char *)check->mechanism.p);
    cr_expect(same_text(check->path, c->path), "%s from %s: got path \"%.*s\"", c->mail_from, c->ip,
              (int)check->path.n, (const char *)check->path.p);
    cr_expect(check->prefix == c->prefix, "%s from %s: got prefix %d, want %d", c->mail_from, c->ip,
              check->prefix, c->prefix);
    cr_expect(check->lookups == c->lookups && check->voids == c->voids,
              "%s from %s: got %u lookups, %u void, want %u, %u", c->mail_from, c->ip,
              check->lookups, check->voids, c->lookups, c->voids);
    cr_expect(check->scope == SPF_SCOPE_MFROM);
}

Test(spf_judge, verdicts_and_their_evidence)
{
    struct dns_source *source = spf_zone(zone_text);
    for (size_t i = 0; i < COUNT_OF(verdict_cases); i++) {
        const struct verdict_case *c = &verdict_cases[i];
        struct spf_trial trial;
        spf_trial_run(&trial, spf_request_text(c->ip, "one", c->mail_from), source);
        expect_verdict(c, &trial.judgement.checked);
        cr_expect(trial.judgement.helo.result == RESULT_UNSET); /* "one" is no HELO domain */
        spf_trial_end(&trial);
    }
    dns_source_free(&source);
}

static const struct uses_case
{
    const char *record;
    bool uses;
} uses_cases[] = {
    {"v=spf1 exists:%{i}.%{d}.%{v}.x.example -all", false},
    {"v=spf1 -all exp=%{l}.example", false},                    /* no directive */
    {"v=spf1 ip4:192.0.2.1 exists:%{l}.x.example -all", false}, /* not evaluated */
    {"v=spf1 exists:%{l}.x.example -all", true},
    {"v=spf1 exists:%{S}.x.example -all", true},
    {"v=spf1 exists:%{o}.x.example -all", true},
    {"v=spf1 exists:%{h}.x.example -all", true},
    {"v=spf1 redirect=%{l2r-}.x.example", true},
};

/* SP-36 */
Test(spf_judge, uses_local_part)
{
    for (size_t i = 0; i < COUNT_OF(uses_cases); i++) {
        struct buffer zone;
        struct spf_trial trial;
        buffer_init(&zone, 4096);
        buffer_printf(&zone, "a.example TXT \"%s\"", uses_cases[i].record);
        buffer_append_byte(&zone, '\0');
        struct dns_source *source = spf_zone((const char *)zone.p);
        spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "joe@a.example"), source);
        cr_expect(trial.judgement.checked.uses_local_part == uses_cases[i].uses, "%s",
                  uses_cases[i].record);
        spf_trial_end(&trial);
        dns_source_free(&source);
        buffer_fini(&zone);
    }
}

/* SP-33: s, l, o stay the sender's through include and redirect, d changes. */
Test(spf_judge, macros_through_include_and_redirect)
{
    struct dns_source *source =
        spf_zone("a.example TXT \"v=spf1 include:b.example -all\"\n"
                 "b.example TXT \"v=spf1 redirect=c.example\"\n"
                 "c.example TXT \"v=spf1 exists:%{l}.%{o}.%{d}.y.example -all\"\n"
                 "joe.a.example.c.example.y.example A 127.0.0.2\n");
    struct spf_trial trial;
    spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "joe@a.example"), source);
    cr_expect(trial.judgement.checked.result == RESULT_PASS);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

/* E06: a local part with a NUL, a backslash, blanks: labels of exactly these bytes are asked for.
 */
Test(spf_judge, E06_local_part_is_never_an_escape)
{
    struct dns_source *source = spf_zone("a.example TXT \"v=spf1 exists:%{l}.x.a.example -all\"\n"
                                         "a\\000b\\092\\032.x.a.example A 127.0.0.2\n");
    struct spf_trial trial;
    spf_trial_run(&trial, spf_request_of("192.0.2.1", SPAN("one"), SPAN("a\0b\\ @a.example")),
                  source);
    cr_expect(trial.judgement.checked.result == RESULT_PASS);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

static const struct p_case
{
    const char *ip, *mail_from;
    enum result result;
} p_cases[] = {
    {"192.0.2.1", "a@p.example", RESULT_PASS},     /* the domain itself before others */
    {"192.0.2.2", "a@p.example", RESULT_SOFTFAIL}, /* a sub-domain before others */
    {"192.0.2.3", "a@p.example", RESULT_NEUTRAL},  /* any */
    {"192.0.2.4", "a@p.example", RESULT_FAIL},     /* not validated: "unknown" */
    {"192.0.2.5", "a@p.example", RESULT_FAIL},     /* the PTR lookup fails: 13.28 */
    {"192.0.2.6", "a@p.example", RESULT_FAIL},     /* a name with a dot inside a label */
};

/* SP-32 */
Test(spf_judge, p_macro)
{
    struct dns_source *source = spf_zone(
        "p.example TXT \"v=spf1 exists:%{p}.1.y.example ~exists:%{p}.2.y.example "
        "?exists:%{p}.3.y.example -exists:%{p}.4.y.example\"\n"
        "p.example.1.y.example A 127.0.0.2\n"
        "s.p.example.2.y.example A 127.0.0.2\n"
        "o.other.example.3.y.example A 127.0.0.2\n"
        "unknown.4.y.example A 127.0.0.2\n"
        "1.2.0.192.in-addr.arpa PTR o.other.example\n"
        "1.2.0.192.in-addr.arpa PTR s.p.example\n"
        "1.2.0.192.in-addr.arpa PTR p.example\n"
        "2.2.0.192.in-addr.arpa PTR o.other.example\n"
        "2.2.0.192.in-addr.arpa PTR s.p.example\n"
        "3.2.0.192.in-addr.arpa PTR o.other.example\n"
        "4.2.0.192.in-addr.arpa PTR liar.example\n"
        "5.2.0.192.in-addr.arpa PTR !servfail\n"
        "6.2.0.192.in-addr.arpa PTR o\\.other.example\n"
        "o\\.other.example A 192.0.2.6\n"
        "p.example A 192.0.2.1\n"
        "s.p.example A 192.0.2.1\ns.p.example A 192.0.2.2\n"
        "o.other.example A 192.0.2.1\no.other.example A 192.0.2.2\no.other.example A 192.0.2.3\n"
        "liar.example A 192.0.2.99\n");
    for (size_t i = 0; i < COUNT_OF(p_cases); i++) {
        struct spf_trial trial;
        struct spf_request request = *spf_request_text(p_cases[i].ip, "one", p_cases[i].mail_from);
        request.void_limit = MAX_SPF_LOOKUPS;
        spf_trial_run(&trial, &request, source);
        cr_expect(trial.judgement.checked.result == p_cases[i].result, "%s: got %s (%s)",
                  p_cases[i].ip, result_word(trial.judgement.checked.result),
                  trial.judgement.checked.reason);
        spf_trial_end(&trial);
    }
    dns_source_free(&source);
}
