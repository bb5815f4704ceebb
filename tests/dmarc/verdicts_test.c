/* One message, one verdict: attacks, errors, policies (RFC 9989; DP-1 to DP-43; security.md). */
#include "dmarc/dmarc_test_support.h"

#define RECORD(name, rest) "_dmarc." name " TXT \"v=DMARC1" rest "\"\n"
#define REJECT(name) RECORD(name, "; p=reject")

struct judge_case
{
    const char *what;
    const char *zone;
    struct message message;
    enum result result;
    const char *reason;
    const char *policy; /* after t */
    enum dmarc_disposition disposition;
    const char *override;
};

#define D_NONE DMARC_DISPOSE_NONE
#define D_QUARANTINE DMARC_DISPOSE_QUARANTINE

/* clang-format off */
static const struct judge_case cases[] = {
    {"DP-31: SPF alone is enough", REJECT("a.test"), {.from = "a.test", .spf = "a.test"},
     RESULT_PASS, NULL, "reject", D_NONE, NULL},
    {"DP-31: DKIM alone is enough, third of three", REJECT("a.test"), {.from = "a.test",
     .dkim = "x.test y.test a.test"}, RESULT_PASS, NULL, "reject", D_NONE, NULL},
    {"DP-38: p=reject is quarantined by default", REJECT("a.test"), {.from = "a.test",
     .dkim = "b.test"}, RESULT_FAIL, "not_aligned", "reject", D_QUARANTINE, "local_policy"},
    {"nothing passed", REJECT("a.test"), {.from = "a.test"}, RESULT_FAIL, "no_identifier", "reject",
     D_QUARANTINE, "local_policy"},
    {"p=quarantine", RECORD("a.test", "; p=quarantine"), {.from = "a.test"}, RESULT_FAIL,
     "no_identifier", "quarantine", D_QUARANTINE, NULL},
    {"DP-37: p=none changes nothing", RECORD("a.test", "; p=none"), {.from = "a.test"}, RESULT_FAIL,
     "no_identifier", "none", D_NONE, NULL},
    {"DP-27: no record", "", {.from = "a.test", .spf = "a.test"}, RESULT_NONE, "no_record", NULL,
     D_NONE, NULL},
    /* DP-25 */
    {"t=y: reject becomes quarantine", RECORD("a.test", "; p=reject; t=y"), {.from = "a.test"},
     RESULT_FAIL, "no_identifier", "quarantine", D_QUARANTINE, "policy_test_mode"},
    {"t=y: quarantine becomes none", RECORD("a.test", "; p=quarantine; t=y"), {.from = "a.test"},
     RESULT_FAIL, "no_identifier", "none", D_NONE, "policy_test_mode"},
    {"t=y: none stays", RECORD("a.test", "; p=none; t=y"), {.from = "a.test"}, RESULT_FAIL,
     "no_identifier", "none", D_NONE, NULL},
    {"t=y on a pass", RECORD("a.test", "; p=reject; t=y"), {.from = "a.test", .spf = "a.test"},
     RESULT_PASS, NULL, "quarantine", D_NONE, NULL},
    /* DP-22, DP-23, DP-24 */
    {"own record: p, never sp or np", RECORD("s.a.test", "; p=none; sp=reject; np=reject"),
     {.from = "s.a.test"}, RESULT_FAIL, "no_identifier", "none", D_NONE, NULL},
    {"sp for a name that exists", RECORD("a.test", "; p=none; sp=quarantine; np=reject")
     "s.a.test MX 10 m.test\n", {.from = "s.a.test"}, RESULT_FAIL, "no_identifier", "quarantine",
     D_QUARANTINE, NULL},
    {"np for one that does not", RECORD("a.test", "; p=none; sp=none; np=quarantine"),
     {.from = "s.a.test"}, RESULT_FAIL, "no_identifier", "quarantine", D_QUARANTINE, NULL},
    {"no np: sp also for ghosts", RECORD("a.test", "; p=none; sp=quarantine"), {.from = "s.a.test"},
     RESULT_FAIL, "no_identifier", "quarantine", D_QUARANTINE, NULL},
    {"no np, no sp: p", RECORD("a.test", "; p=quarantine"), {.from = "s.a.test"}, RESULT_FAIL,
     "no_identifier", "quarantine", D_QUARANTINE, NULL},
    {"empty non-terminals exist", RECORD("a.test", "; p=none; np=reject")
     "x.s.a.test A 192.0.2.1\n", {.from = "s.a.test"}, RESULT_FAIL, "no_identifier", "none", D_NONE,
     NULL},
    {"existence unknown, policy hangs on it", RECORD("a.test", "; p=none; np=reject")
     "s.a.test A !servfail\n", {.from = "s.a.test"}, RESULT_TEMPERROR, "existence_dns_error", NULL,
     D_NONE, NULL},
    {"existence unknown, but the message passes (DP-28)", RECORD("a.test", "; p=none; np=reject")
     "s.a.test A !servfail\n", {.from = "s.a.test", .spf = "s.a.test"}, RESULT_PASS, NULL, NULL,
     D_NONE, NULL},
    {"existence unknown, nothing hangs on it", RECORD("a.test", "; p=quarantine; np=quarantine")
     "s.a.test A !servfail\n", {.from = "s.a.test"}, RESULT_FAIL, "no_identifier", "quarantine",
     D_QUARANTINE, NULL},
    /* DP-26, G05 */
    {"no p, no rua", RECORD("a.test", ""), {.from = "a.test"}, RESULT_NONE, "no_policy_tag", NULL,
     D_NONE, NULL},
    {"no p, rua", RECORD("a.test", "; rua=mailto:r@a.test"), {.from = "a.test"}, RESULT_FAIL,
     "no_identifier", "none", D_NONE, NULL},
    {"p=rejectx, no rua", RECORD("a.test", "; p=rejectx"), {.from = "a.test"}, RESULT_NONE,
     "bad_policy_tag", NULL, D_NONE, NULL},
    {"p=rejectx, rua", RECORD("a.test", "; p=rejectx; rua=mailto:r@a.test"), {.from = "a.test"},
     RESULT_FAIL, "no_identifier", "none", D_NONE, NULL},
    {"sp not valid, p applies, rua", RECORD("a.test", "; p=reject; sp=x; rua=mailto:r@a.test"),
     {.from = "a.test"}, RESULT_FAIL, "no_identifier", "none", D_NONE, NULL},
    {"np not valid, no rua", RECORD("a.test", "; p=reject; np=x"), {.from = "a.test"}, RESULT_NONE,
     "bad_policy_tag", NULL, D_NONE, NULL},
    {"p=Reject in any case", RECORD("a.test", "; p=Reject"), {.from = "a.test"}, RESULT_FAIL,
     "no_identifier", "reject", D_QUARANTINE, "local_policy"},
    {"p=none;p=reject: the first stays", RECORD("a.test", "; p=none; p=reject"), {.from = "a.test"},
     RESULT_FAIL, "no_identifier", "none", D_NONE, NULL},
    /* 13.5, DP-21 */
    {"a PSD's policy is not used where the org has a record", RECORD("a.psd.test", "; p=none")
     RECORD("psd.test", "; psd=y; p=reject"), {.from = "s.a.psd.test"}, RESULT_FAIL,
     "no_identifier", "none", D_NONE, NULL},
    /* A01: MAIL FROM at a ghost name gives no SPF pass; a HELO pass is no identifier */
    {"A01: HELO pass is not handed in", REJECT("victim.test"), {.from = "victim.test"}, RESULT_FAIL,
     "no_identifier", "reject", D_QUARANTINE, "local_policy"},
    /* C13 */
    {"C13: a public suffix does not align with a name under it", RECORD("co.test",
     "; psd=y; p=reject"), {.from = "x.co.test", .dkim = "co.test"}, RESULT_FAIL, "not_aligned",
     "reject", D_QUARANTINE, "local_policy"},
    {"C13: nor does a neighbour under it", RECORD("co.test", "; psd=y; p=reject"),
     {.from = "x.co.test", .dkim = "y.co.test"}, RESULT_FAIL, "not_aligned", "reject", D_QUARANTINE,
     "local_policy"},
    {"C13: not even with a record of its own", RECORD("co.test", "; psd=y; p=reject")
     REJECT("x.co.test"), {.from = "x.co.test", .dkim = "co.test"}, RESULT_FAIL, "not_aligned",
     "reject", D_QUARANTINE, "local_policy"},
    {"the PSD itself is no exception", RECORD("co.test", "; psd=y; p=reject"), {.from = "co.test",
     .dkim = "co.test"}, RESULT_PASS, NULL, "reject", D_NONE, NULL},
    /* G03 */
    {"G03: labels, not strings", REJECT("evilvictim.test"), {.from = "evilvictim.test",
     .dkim = "victim.test"}, RESULT_FAIL, "not_aligned", "reject", D_QUARANTINE, "local_policy"},
    {"G03: the other way round", REJECT("victim.test"), {.from = "victim.test",
     .dkim = "evilvictim.test"}, RESULT_FAIL, "not_aligned", "reject", D_QUARANTINE,
     "local_policy"},
    {"G03: a final dot", REJECT("victim.test"), {.from = "victim.test.", .dkim = "victim.test"},
     RESULT_PASS, NULL, "reject", D_NONE, NULL},
    {"G03: case", REJECT("victim.test"), {.from = "VicTim.TEST", .dkim = "victim.test"},
     RESULT_PASS, NULL, "reject", D_NONE, NULL},
    /* G04 */
    {"G04: a single label without record", "", {.from = "test", .spf = "test"}, RESULT_NONE,
     "no_record", NULL, D_NONE, NULL},
    {"G04: a single label with a record", REJECT("test"), {.from = "test", .spf = "test"},
     RESULT_PASS, NULL, "reject", D_NONE, NULL},
    {"G04: an address literal", "", {.from = "[192.0.2.1]"}, RESULT_PERMERROR,
     "from_address_literal", NULL, D_NONE, NULL},
    {"G04: a dot", "", {.from = "."}, RESULT_PERMERROR, "from_bad_domain", NULL, D_NONE, NULL},
    {"G04: an empty label", "", {.from = "a..test"}, RESULT_PERMERROR, "from_bad_domain", NULL,
     D_NONE, NULL},
    {"G04: 254 bytes", "",
     {.from = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
     "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.test"}, RESULT_PERMERROR,
     "from_bad_domain", NULL, D_NONE, NULL},
    /* A12 */
    {"A12: several addresses of one domain (DP-2)", REJECT("a.test"),
     {.from = "a.test A.test a.TEST.", .spf = "a.test"}, RESULT_PASS, NULL, "reject", D_NONE, NULL},
    {"A12: several domains", REJECT("victim.test"), {.from = "attack.test victim.test",
     .dkim = "attack.test"}, RESULT_PERMERROR, "from_several_domains", NULL, D_NONE, NULL},
    {"A12: a good and a bad one", "", {.from = "attack.test [192.0.2.1]", .dkim = "attack.test"},
     RESULT_PERMERROR, "from_address_literal", NULL, D_NONE, NULL},
    /* A17: what is no domain is an error, what is one is compared as A-labels */
    {"A17: U+200B", REJECT("victim.test"), {.from = "victim\xe2\x80\x8b.test"}, RESULT_PERMERROR,
     "from_bad_domain", NULL, D_NONE, NULL},
    {"A17: U+2000", REJECT("victim.test"), {.from = "vic\xe2\x80\x80tim.test"}, RESULT_PERMERROR,
     "from_bad_domain", NULL, D_NONE, NULL},
    {"A17: raw 8-bit bytes", REJECT("victim.test"), {.from = "vict\xefm.test"}, RESULT_PERMERROR,
     "from_bad_domain", NULL, D_NONE, NULL},
    {"A17: U-label and A-label are one name", REJECT("xn--bcher-kva.test"), {"b\xc3\xbc"
     "cher.test", .dkim = "xn--bcher-kva.test"}, RESULT_PASS, NULL, "reject", D_NONE, NULL},
    /* DP-28: checks without an answer */
    {"SPF had no answer and would align", REJECT("a.test"), {.from = "a.test",
     .spf_temperror = "s.a.test"}, RESULT_TEMPERROR, "spf_temperror", "reject", D_NONE, NULL},
    {"SPF had no answer and could not align", REJECT("a.test"), {.from = "a.test",
     .spf_temperror = "b.test"}, RESULT_FAIL, "no_identifier", "reject", D_QUARANTINE,
     "local_policy"},
    {"a key could not be had", REJECT("a.test"), {.from = "a.test",
     .dkim_temperror = "x.test a.test"}, RESULT_TEMPERROR, "dkim_temperror", "reject", D_NONE,
     NULL},
    {"a key could not be had, of a stranger", REJECT("a.test"), {.from = "a.test",
     .dkim_temperror = "x.test"}, RESULT_FAIL, "no_identifier", "reject", D_QUARANTINE,
     "local_policy"},
    {"a key could not be had, but another signature passes", REJECT("a.test"), {.from = "a.test",
     .dkim = "a.test", .dkim_temperror = "a.test"}, RESULT_PASS, NULL, "reject", D_NONE, NULL},
    {"strict: a sub-domain's missing key changes nothing", RECORD("a.test", "; p=reject; adkim=s"),
     {.from = "a.test", .dkim_temperror = "s.a.test"}, RESULT_FAIL, "no_identifier", "reject",
     D_QUARANTINE, "local_policy"},
    /* DP-28: levels that fail */
    {"own record: equality needs no walk", REJECT("a.test") "_dmarc.test TXT !servfail\n",
     {.from = "a.test", .dkim = "a.test"}, RESULT_PASS, NULL, "reject", D_NONE, NULL},
    {"own record: the failed level can change nothing above", REJECT("a.test")
     "_dmarc.test TXT !timeout\n", {.from = "a.test", .dkim = "s.a.test"}, RESULT_PASS, NULL,
     "reject", D_NONE, NULL},
    {"own record: a neighbour would align if the parent had a record", REJECT("a.o.test")
     "_dmarc.o.test TXT !servfail\n", {.from = "a.o.test", .dkim = "b.o.test"}, RESULT_TEMPERROR,
     "alignment_dns_error", "reject", D_NONE, NULL},
    {"own record, strict: it would not", RECORD("a.o.test", "; p=reject; adkim=s")
     "_dmarc.o.test TXT !servfail\n", {.from = "a.o.test", .dkim = "b.o.test"}, RESULT_FAIL,
     "not_aligned", "reject", D_QUARANTINE, "local_policy"},
    {"own record: a name of another top-level domain", REJECT("a.o.test")
     "_dmarc.o.test TXT !servfail\n", {.from = "a.o.test", .dkim = "b.o.example"}, RESULT_FAIL,
     "not_aligned", "reject", D_QUARANTINE, "local_policy"},
    {"no own record: the failed level may hold the policy", RECORD("test", "; p=none")
     "_dmarc.o.test TXT !timeout\n", {.from = "a.o.test", .spf = "a.o.test"}, RESULT_TEMPERROR,
     "timeout", NULL, D_NONE, NULL},
    {"the identifier's own level fails", REJECT("a.test") "_dmarc.s.a.test TXT !servfail\n", {.from
     = "a.test", .dkim = "s.a.test"}, RESULT_TEMPERROR, "alignment_dns_error", "reject", D_NONE,
     NULL},
    {"it fails, but another identifier is aligned", REJECT("a.test")
     "_dmarc.s.a.test TXT !servfail\n", {.from = "a.test", .dkim = "s.a.test a.test"}, RESULT_PASS,
     NULL, "reject", D_NONE, NULL},
    /* DP-32: the identifier's own Organizational Domain */
    {"DP-32: below the author's org, but an org of its own", REJECT("a.test") RECORD("d.a.test",
     "; psd=n"), {.from = "a.test", .dkim = "x.d.a.test"}, RESULT_FAIL, "not_aligned", "reject",
     D_QUARANTINE, "local_policy"},
};
/* clang-format on */

static const char *word_or(const char *word)
{
    return word ? word : "(null)";
}

static void check(const struct judge_case *c, const struct dmarc_judgement *got)
{
    cr_expect(got->result == c->result, "%s: result %s, want %s", c->what, result_word(got->result),
              result_word(c->result));
    cr_expect(same_word(got->reason, c->reason), "%s: reason %s, want %s", c->what,
              word_or(got->reason), word_or(c->reason));
    cr_expect(same_word(dmarc_policy_word(got->policy), c->policy), "%s: policy %s, want %s",
              c->what, word_or(dmarc_policy_word(got->policy)), word_or(c->policy));
    cr_expect(got->disposition == c->disposition, "%s: disposition %s", c->what,
              word_or(dmarc_disposition_word(got->disposition)));
    cr_expect(same_word(got->override, c->override), "%s: override %s, want %s", c->what,
              word_or(got->override), word_or(c->override));
}

Test(verdicts, cases)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scene scene;
        struct dmarc_judgement got;
        scene_init(&scene, cases[i].zone);
        scene_judge(&scene, &cases[i].message, &default_options, &got);
        check(&cases[i], &got);
        scene_fini(&scene);
    }
}
