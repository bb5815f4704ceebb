/* The judge: attacks, alignment modes, errors, policies (RFC 9989; DP-1 to DP-43; security.md). */
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

static const struct judge_case cases[] = {
    {"DP-31: SPF alone is enough",
     REJECT("a.test"),
     {.from = "a.test", .spf = "a.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    {"DP-31: DKIM alone is enough, third of three",
     REJECT("a.test"),
     {.from = "a.test", .dkim = "x.test y.test a.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    {"DP-38: p=reject is quarantined by default",
     REJECT("a.test"),
     {.from = "a.test", .dkim = "b.test"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"nothing passed",
     REJECT("a.test"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"p=quarantine",
     RECORD("a.test", "; p=quarantine"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "quarantine",
     D_QUARANTINE,
     NULL},
    {"DP-37: p=none changes nothing",
     RECORD("a.test", "; p=none"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    {"DP-27: no record",
     "",
     {.from = "a.test", .spf = "a.test"},
     RESULT_NONE,
     "no_record",
     NULL,
     D_NONE,
     NULL},
    /* DP-25 */
    {"t=y: reject becomes quarantine",
     RECORD("a.test", "; p=reject; t=y"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "quarantine",
     D_QUARANTINE,
     "policy_test_mode"},
    {"t=y: quarantine becomes none",
     RECORD("a.test", "; p=quarantine; t=y"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     "policy_test_mode"},
    {"t=y: none stays",
     RECORD("a.test", "; p=none; t=y"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    {"t=y on a pass",
     RECORD("a.test", "; p=reject; t=y"),
     {.from = "a.test", .spf = "a.test"},
     RESULT_PASS,
     NULL,
     "quarantine",
     D_NONE,
     NULL},
    /* DP-22, DP-23, DP-24 */
    {"own record: p, never sp or np",
     RECORD("s.a.test", "; p=none; sp=reject; np=reject"),
     {.from = "s.a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    {"sp for a name that exists",
     RECORD("a.test", "; p=none; sp=quarantine; np=reject") "s.a.test MX 10 m.test\n",
     {.from = "s.a.test"},
     RESULT_FAIL,
     "no_identifier",
     "quarantine",
     D_QUARANTINE,
     NULL},
    {"np for one that does not",
     RECORD("a.test", "; p=none; sp=none; np=quarantine"),
     {.from = "s.a.test"},
     RESULT_FAIL,
     "no_identifier",
     "quarantine",
     D_QUARANTINE,
     NULL},
    {"no np: sp also for ghosts",
     RECORD("a.test", "; p=none; sp=quarantine"),
     {.from = "s.a.test"},
     RESULT_FAIL,
     "no_identifier",
     "quarantine",
     D_QUARANTINE,
     NULL},
    {"no np, no sp: p",
     RECORD("a.test", "; p=quarantine"),
     {.from = "s.a.test"},
     RESULT_FAIL,
     "no_identifier",
     "quarantine",
     D_QUARANTINE,
     NULL},
    {"empty non-terminals exist",
     RECORD("a.test", "; p=none; np=reject") "x.s.a.test A 192.0.2.1\n",
     {.from = "s.a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    {"existence unknown, policy hangs on it",
     RECORD("a.test", "; p=none; np=reject") "s.a.test A !servfail\n",
     {.from = "s.a.test"},
     RESULT_TEMPERROR,
     "existence_dns_error",
     NULL,
     D_NONE,
     NULL},
    {"existence unknown, but the message passes (DP-28)",
     RECORD("a.test", "; p=none; np=reject") "s.a.test A !servfail\n",
     {.from = "s.a.test", .spf = "s.a.test"},
     RESULT_PASS,
     NULL,
     NULL,
     D_NONE,
     NULL},
    {"existence unknown, nothing hangs on it",
     RECORD("a.test", "; p=quarantine; np=quarantine") "s.a.test A !servfail\n",
     {.from = "s.a.test"},
     RESULT_FAIL,
     "no_identifier",
     "quarantine",
     D_QUARANTINE,
     NULL},
    /* DP-26, G05 */
    {"no p, no rua",
     RECORD("a.test", ""),
     {.from = "a.test"},
     RESULT_NONE,
     "no_policy_tag",
     NULL,
     D_NONE,
     NULL},
    {"no p, rua",
     RECORD("a.test", "; rua=mailto:r@a.test"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    {"p=rejectx, no rua",
     RECORD("a.test", "; p=rejectx"),
     {.from = "a.test"},
     RESULT_NONE,
     "bad_policy_tag",
     NULL,
     D_NONE,
     NULL},
    {"p=rejectx, rua",
     RECORD("a.test", "; p=rejectx; rua=mailto:r@a.test"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    {"sp not valid, p applies, rua",
     RECORD("a.test", "; p=reject; sp=x; rua=mailto:r@a.test"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    {"np not valid, no rua",
     RECORD("a.test", "; p=reject; np=x"),
     {.from = "a.test"},
     RESULT_NONE,
     "bad_policy_tag",
     NULL,
     D_NONE,
     NULL},
    {"p=Reject in any case",
     RECORD("a.test", "; p=Reject"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"p=none;p=reject: the first stays",
     RECORD("a.test", "; p=none; p=reject"),
     {.from = "a.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    /* 13.5, DP-21 */
    {"a PSD's policy is not used where the org has a record",
     RECORD("a.psd.test", "; p=none") RECORD("psd.test", "; psd=y; p=reject"),
     {.from = "s.a.psd.test"},
     RESULT_FAIL,
     "no_identifier",
     "none",
     D_NONE,
     NULL},
    /* A01: MAIL FROM at a ghost name gives no SPF pass; a HELO pass is no identifier */
    {"A01: HELO pass is not handed in",
     REJECT("victim.test"),
     {.from = "victim.test"},
     RESULT_FAIL,
     "no_identifier",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    /* C13 */
    {"C13: a public suffix does not align with a name under it",
     RECORD("co.test", "; psd=y; p=reject"),
     {.from = "x.co.test", .dkim = "co.test"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"C13: nor does a neighbour under it",
     RECORD("co.test", "; psd=y; p=reject"),
     {.from = "x.co.test", .dkim = "y.co.test"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"C13: not even with a record of its own",
     RECORD("co.test", "; psd=y; p=reject") REJECT("x.co.test"),
     {.from = "x.co.test", .dkim = "co.test"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"the PSD itself is no exception",
     RECORD("co.test", "; psd=y; p=reject"),
     {.from = "co.test", .dkim = "co.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    /* G03 */
    {"G03: labels, not strings",
     REJECT("evilvictim.test"),
     {.from = "evilvictim.test", .dkim = "victim.test"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"G03: the other way round",
     REJECT("victim.test"),
     {.from = "victim.test", .dkim = "evilvictim.test"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"G03: a final dot",
     REJECT("victim.test"),
     {.from = "victim.test.", .dkim = "victim.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    {"G03: case",
     REJECT("victim.test"),
     {.from = "VicTim.TEST", .dkim = "victim.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    /* G04 */
    {"G04: a single label without record",
     "",
     {.from = "test", .spf = "test"},
     RESULT_NONE,
     "no_record",
     NULL,
     D_NONE,
     NULL},
    {"G04: a single label with a record",
     REJECT("test"),
     {.from = "test", .spf = "test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    {"G04: an address literal",
     "",
     {.from = "[192.0.2.1]"},
     RESULT_PERMERROR,
     "from_address_literal",
     NULL,
     D_NONE,
     NULL},
    {"G04: a dot", "", {.from = "."}, RESULT_PERMERROR, "from_bad_domain", NULL, D_NONE, NULL},
    {"G04: an empty label",
     "",
     {.from = "a..test"},
     RESULT_PERMERROR,
     "from_bad_domain",
     NULL,
     D_NONE,
     NULL},
    {"G04: 254 bytes",
     "",
     {.from = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
              "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
              "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
              "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.test"},
     RESULT_PERMERROR,
     "from_bad_domain",
     NULL,
     D_NONE,
     NULL},
    /* A12 */
    {"A12: several addresses of one domain (DP-2)",
     REJECT("a.test"),
     {.from = "a.test A.test a.TEST.", .spf = "a.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    {"A12: several domains",
     REJECT("victim.test"),
     {.from = "attack.test victim.test", .dkim = "attack.test"},
     RESULT_PERMERROR,
     "from_several_domains",
     NULL,
     D_NONE,
     NULL},
    {"A12: a good and a bad one",
     "",
     {.from = "attack.test [192.0.2.1]", .dkim = "attack.test"},
     RESULT_PERMERROR,
     "from_address_literal",
     NULL,
     D_NONE,
     NULL},
    /* A17: what is no domain is an error, what is one is compared as A-labels */
    {"A17: U+200B",
     REJECT("victim.test"),
     {.from = "victim\xe2\x80\x8b.test"},
     RESULT_PERMERROR,
     "from_bad_domain",
     NULL,
     D_NONE,
     NULL},
    {"A17: U+2000",
     REJECT("victim.test"),
     {.from = "vic\xe2\x80\x80tim.test"},
     RESULT_PERMERROR,
     "from_bad_domain",
     NULL,
     D_NONE,
     NULL},
    {"A17: raw 8-bit bytes",
     REJECT("victim.test"),
     {.from = "vict\xefm.test"},
     RESULT_PERMERROR,
     "from_bad_domain",
     NULL,
     D_NONE,
     NULL},
    {"A17: U-label and A-label are one name",
     REJECT("xn--bcher-kva.test"),
     {"b\xc3\xbc"
      "cher.test",
      .dkim = "xn--bcher-kva.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    /* DP-28: checks without an answer */
    {"SPF had no answer and would align",
     REJECT("a.test"),
     {.from = "a.test", .spf_temperror = "s.a.test"},
     RESULT_TEMPERROR,
     "spf_temperror",
     "reject",
     D_NONE,
     NULL},
    {"SPF had no answer and could not align",
     REJECT("a.test"),
     {.from = "a.test", .spf_temperror = "b.test"},
     RESULT_FAIL,
     "no_identifier",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"a key could not be had",
     REJECT("a.test"),
     {.from = "a.test", .dkim_temperror = "x.test a.test"},
     RESULT_TEMPERROR,
     "dkim_temperror",
     "reject",
     D_NONE,
     NULL},
    {"a key could not be had, of a stranger",
     REJECT("a.test"),
     {.from = "a.test", .dkim_temperror = "x.test"},
     RESULT_FAIL,
     "no_identifier",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"a key could not be had, but another signature passes",
     REJECT("a.test"),
     {.from = "a.test", .dkim = "a.test", .dkim_temperror = "a.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    {"strict: a sub-domain's missing key changes nothing",
     RECORD("a.test", "; p=reject; adkim=s"),
     {.from = "a.test", .dkim_temperror = "s.a.test"},
     RESULT_FAIL,
     "no_identifier",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    /* DP-28: levels that fail */
    {"own record: equality needs no walk",
     REJECT("a.test") "_dmarc.test TXT !servfail\n",
     {.from = "a.test", .dkim = "a.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    {"own record: the failed level can change nothing above",
     REJECT("a.test") "_dmarc.test TXT !timeout\n",
     {.from = "a.test", .dkim = "s.a.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    {"own record: a neighbour would align if the parent had a record",
     REJECT("a.o.test") "_dmarc.o.test TXT !servfail\n",
     {.from = "a.o.test", .dkim = "b.o.test"},
     RESULT_TEMPERROR,
     "alignment_dns_error",
     "reject",
     D_NONE,
     NULL},
    {"own record, strict: it would not",
     RECORD("a.o.test", "; p=reject; adkim=s") "_dmarc.o.test TXT !servfail\n",
     {.from = "a.o.test", .dkim = "b.o.test"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"own record: a name of another top-level domain",
     REJECT("a.o.test") "_dmarc.o.test TXT !servfail\n",
     {.from = "a.o.test", .dkim = "b.o.example"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
    {"no own record: the failed level may hold the policy",
     RECORD("test", "; p=none") "_dmarc.o.test TXT !timeout\n",
     {.from = "a.o.test", .spf = "a.o.test"},
     RESULT_TEMPERROR,
     "timeout",
     NULL,
     D_NONE,
     NULL},
    {"the identifier's own level fails",
     REJECT("a.test") "_dmarc.s.a.test TXT !servfail\n",
     {.from = "a.test", .dkim = "s.a.test"},
     RESULT_TEMPERROR,
     "alignment_dns_error",
     "reject",
     D_NONE,
     NULL},
    {"it fails, but another identifier is aligned",
     REJECT("a.test") "_dmarc.s.a.test TXT !servfail\n",
     {.from = "a.test", .dkim = "s.a.test a.test"},
     RESULT_PASS,
     NULL,
     "reject",
     D_NONE,
     NULL},
    /* DP-32: the identifier's own Organizational Domain */
    {"DP-32: below the author's org, but an org of its own",
     REJECT("a.test") RECORD("d.a.test", "; psd=n"),
     {.from = "a.test", .dkim = "x.d.a.test"},
     RESULT_FAIL,
     "not_aligned",
     "reject",
     D_QUARANTINE,
     "local_policy"},
};

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

Test(judge, cases)
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

/* DP-38: the operator's switch. */
Test(judge, reject_when_the_operator_says_so)
{
    const struct dmarc_options options = {.reject = true};
    const struct message message = {.from = "a.test"};
    struct scene scene;
    struct dmarc_judgement got;
    scene_init(&scene, REJECT("a.test"));
    scene_judge(&scene, &message, &options, &got);
    cr_expect(got.disposition == DMARC_DISPOSE_REJECT && got.override == NULL);
    scene_fini(&scene);
}

/*
 * G07, DP-30, DP-34: four pairs of modes against six relations of names. The author domain is
 * s.victim.test, the record stands at victim.test.
 */
Test(judge, modes_and_relations)
{
    static const struct
    {
        const char *identifier;
        bool strict, relaxed;
    } relations[] = {
        {"s.victim.test", true, true},      /* equal */
        {"victim.test", false, true},       /* parent */
        {"x.s.victim.test", false, true},   /* child */
        {"y.victim.test", false, true},     /* sibling */
        {"test", false, false},             /* above the Organizational Domain */
        {"evil-victim.test", false, false}, /* stranger */
    };
    static const char *const zones[] = {
        RECORD("victim.test", "; p=reject"),
        RECORD("victim.test", "; p=reject; adkim=s"),
        RECORD("victim.test", "; p=reject; aspf=s"),
        RECORD("victim.test", "; p=reject; adkim=s; aspf=s"),
    };
    for (unsigned i = 0; i < COUNT_OF(zones) * COUNT_OF(relations); i++) {
        unsigned modes = i / COUNT_OF(relations), r = i % COUNT_OF(relations);
        bool dkim = modes & 1 ? relations[r].strict : relations[r].relaxed;
        bool spf = modes & 2 ? relations[r].strict : relations[r].relaxed;
        const char *name = relations[r].identifier;
        const struct message message = {.from = "s.victim.test", .dkim = name, .spf = name};
        struct scene scene;
        struct dmarc_judgement got;
        scene_init(&scene, zones[modes]);
        scene_judge(&scene, &message, &default_options, &got);
        cr_expect(got.dkim_aligned == dkim && got.dkim_alignment[0] == dkim,
                  "%s, modes %u: dkim %d", name, modes, got.dkim_aligned);
        cr_expect(got.spf_aligned == spf, "%s, modes %u: spf %d", name, modes, got.spf_aligned);
        cr_expect(got.dkim_strict == (modes & 1) && got.spf_strict == (modes >> 1));
        cr_expect(got.result == (dkim || spf ? RESULT_PASS : RESULT_FAIL));
        scene_fini(&scene);
    }
}

/* DP-31, DP-36: what each identifier came to is told, whoever decided. */
Test(judge, alignment_of_each_signature)
{
    const struct message message = {
        .from = "a.test", .dkim = "b.test s.a.test a.test", .spf = "c.test"};
    struct scene scene;
    struct dmarc_judgement got;
    scene_init(&scene, REJECT("a.test"));
    scene_judge(&scene, &message, &default_options, &got);
    cr_assert(got.dkim_count == 3);
    cr_expect(!got.dkim_alignment[0] && got.dkim_alignment[1] && got.dkim_alignment[2]);
    cr_expect(got.dkim_aligned && !got.spf_aligned);
    scene_fini(&scene);
}

/* A07, A10, A11, A19: From fields that the mail module refuses end in permerror, never in a pass.
 */
Test(judge, refused_from_fields)
{
    static const struct
    {
        enum mail_from_state state;
        const char *reason;
        const char *want;
    } froms[] = {
        {MAIL_FROM_MISSING, "no_from", "no_from"},
        {MAIL_FROM_SEVERAL, "multi_from", "multi_from"},
        {MAIL_FROM_BAD, "from_malformed", "from_malformed"},
        {MAIL_FROM_BAD, NULL, "from_malformed"},
        {MAIL_FROM_UNSET, NULL, "from_malformed"},
    };
    struct dns_name domain = name_of("victim.test");
    const struct dmarc_identifiers identifiers = {
        .known = true, .spf_pass = true, .spf_domain = domain, .dkim = &domain, .dkim_count = 1};
    for (size_t i = 0; i < COUNT_OF(froms); i++) {
        struct scene scene;
        struct mail_from from;
        struct dmarc_judgement got;
        from_of("victim.test", &from); /* what a lenient reader might see */
        from.state = froms[i].state;
        from.reason = froms[i].reason;
        scene_init(&scene, REJECT("victim.test"));
        scene_judge_from(&scene, &from, &identifiers, &default_options, &got);
        cr_expect(got.result == RESULT_PERMERROR, "state %d: %s", froms[i].state,
                  result_word(got.result));
        cr_expect(same_word(got.reason, froms[i].want), "state %d: %s", froms[i].state, got.reason);
        cr_expect(scene.answers.count == 0, "nothing is asked");
        scene_fini(&scene);
    }
}

/* DP-3: several domains where the operator wants them judged: the strictest failing one stands. */
Test(judge, strictest_of_several)
{
    static const char zone[] = REJECT("r.test") RECORD("q.test", "; p=quarantine")
        RECORD("n.test", "; p=none") "_dmarc.e.test TXT !servfail\n";
    static const struct
    {
        const char *from;
        const char *dkim;
        enum result result;
        const char *domain;
    } several[] = {
        {"n.test q.test r.test", NULL, RESULT_FAIL, "r.test"},
        {"n.test q.test r.test", "r.test", RESULT_FAIL, "q.test"},
        {"n.test q.test r.test", "r.test q.test", RESULT_FAIL, "n.test"},
        {"n.test q.test r.test", "r.test q.test n.test", RESULT_PASS, "n.test"},
        {"r.test none.test", "r.test", RESULT_NONE, "none.test"}, /* no pass for the whole From */
        {"r.test e.test", "r.test", RESULT_TEMPERROR, "e.test"},
        {"e.test q.test", NULL, RESULT_FAIL, "q.test"},
        {"a.test b.test c.test d.test", NULL, RESULT_NONE, "a.test"}, /* the cap */
        {"a.test b.test c.test d.test x.test", NULL, RESULT_PERMERROR, ""},
        {"r.test [192.0.2.1]", "r.test", RESULT_PERMERROR, ""},
    };
    const struct dmarc_options options = {.strictest_of_several = true};
    for (size_t i = 0; i < COUNT_OF(several); i++) {
        const struct message message = {.from = several[i].from, .dkim = several[i].dkim};
        struct scene scene;
        struct dmarc_judgement got;
        scene_init(&scene, zone);
        scene_judge(&scene, &message, &options, &got);
        cr_expect(got.result == several[i].result, "%s: %s", several[i].from,
                  result_word(got.result));
        cr_expect_str_eq(text_of(&got.discovery.from_domain), several[i].domain, "%s: %s decided",
                         several[i].from, text_of(&got.discovery.from_domain));
        cr_expect(scene.runs <= 1, "%s: asked side by side", several[i].from);
        scene_fini(&scene);
    }
}

/* DP-32, DP-33: what an identifier costs on top of the author's walk. */
Test(judge, questions_of_identifiers)
{
    static const struct
    {
        const char *from;
        const char *dkim;
        const char *spf;
        uint32_t questions;
    } costs[] = {
        {"a.example.test", NULL, NULL, 3},
        {"a.example.test", "a.example.test", "a.example.test", 3}, /* equal */
        {"a.example.test", "example.test", NULL, 3},               /* the author asked it all */
        {"a.example.test", "b.c.d.other.test", "test", 3}, /* not below org(author): no question */
        {"a.example.test", "b.example.test", NULL, 4},
        {"a.example.test", "c.b.example.test", "b.example.test", 5},
        {"example.test", "a.b.c.d.e.f.example.test", NULL, 8},     /* 8 labels: all of them */
        {"example.test", "a.b.c.d.e.f.g.h.example.test", NULL, 8}, /* 10: itself and seven */
    };
    for (size_t i = 0; i < COUNT_OF(costs); i++) {
        const struct message message = {
            .from = costs[i].from, .dkim = costs[i].dkim, .spf = costs[i].spf};
        struct scene scene;
        struct dmarc_judgement got;
        scene_init(&scene, REJECT("example.test"));
        scene_judge(&scene, &message, &default_options, &got);
        cr_expect(scene.answers.count == costs[i].questions, "%s with %s: %u questions, want %u",
                  costs[i].from, costs[i].dkim, scene.answers.count, costs[i].questions);
        scene_fini(&scene);
    }
}

/* G02: ten passing signatures of ten domains below the author's cost at most eight each, and the
 * message's ceiling makes an error of what is beyond it, not a pass and not a fail. */
Test(judge, ten_signatures_with_long_names)
{
    static const char dkim[] =
        "a.b.c.d.e.f.g0.x.test a.b.c.d.e.f.g1.x.test a.b.c.d.e.f.g2.x.test a.b.c.d.e.f.g3.x.test "
        "a.b.c.d.e.f.g4.x.test a.b.c.d.e.f.g5.x.test a.b.c.d.e.f.g6.x.test a.b.c.d.e.f.g7.x.test "
        "a.b.c.d.e.f.g8.x.test a.b.c.d.e.f.g9.x.test";
    const struct message message = {.from = "x.test", .dkim = dkim};
    struct scene scene;
    struct dmarc_judgement got;
    scene_init(&scene, RECORD("x.test", "; p=reject; psd=n"));
    scene_judge(&scene, &message, &default_options, &got);
    cr_expect(scene.answers.count <= MAX_DNS_QUESTIONS, "%u questions", scene.answers.count);
    cr_expect(got.result == RESULT_PASS, "those that were answered are aligned: %s",
              result_word(got.result));
    scene_fini(&scene);
}

/* G06: SERVFAIL at each step of the author's walk in turn. */
Test(judge, servfail_at_each_step)
{
    static const char *const zones[] = {
        "_dmarc.a.b.c.test TXT !servfail\n", "_dmarc.b.c.test TXT !servfail\n",
        "_dmarc.c.test TXT !servfail\n", "_dmarc.test TXT !servfail\n"};
    const struct message message = {.from = "a.b.c.test", .dkim = "a.b.c.test"};
    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        struct scene scene;
        struct dmarc_judgement got;
        scene_init(&scene, zones[i]);
        scene_judge(&scene, &message, &default_options, &got);
        cr_expect(got.result == RESULT_TEMPERROR, "step %zu: %s", i, result_word(got.result));
        cr_expect_str_eq(got.reason, "servfail");
        cr_expect(got.disposition == DMARC_DISPOSE_NONE && got.policy == DMARC_POLICY_UNSET);
        scene_fini(&scene);
    }
}

/* The header is there, the signatures are not judged: the questions go out already. */
Test(judge, prefetch)
{
    const struct dmarc_identifiers unknown = {.known = false};
    struct scene scene;
    struct mail_from from;
    struct dmarc_judgement got;
    from_of("a.b.test", &from);
    scene_init(&scene, REJECT("b.test"));
    cr_expect(dmarc_judge(&from, &unknown, &default_options, &scene.answers, &scene.arena,
                          &scene.hits, &got) == JUDGE_WAITING);
    cr_expect(scene.answers.waiting == 3);
    scene_judge_from(&scene, &from, &unknown, &default_options, &got);
    cr_expect(got.result == RESULT_UNSET, "no result without identifiers");
    scene_fini(&scene);
}

/* `assay dmarc`: the question of existence also where no policy hangs on it. */
Test(judge, existence_on_request)
{
    static const struct
    {
        const char *zone;
        bool known, exists;
    } names[] = {
        {REJECT("a.test") "a.test MX 10 m.test\n", true, true},
        {"", true, false},
        {"a.test A !timeout\n", false, true},
    };
    const struct dmarc_options options = {.always_ask_existence = true};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct scene scene;
        struct dmarc_discovery got;
        scene_init(&scene, names[i].zone);
        scene_discover(&scene, "a.test", &options, &got);
        cr_expect(got.existence_known == names[i].known && got.author_exists == names[i].exists,
                  "case %zu: known %d, exists %d", i, got.existence_known, got.author_exists);
        cr_expect(scene.runs == 1, "asked beside the walk");
        cr_expect(got.result != RESULT_TEMPERROR, "an unneeded answer is no error (DP-28)");
        scene_fini(&scene);
    }
}

/* Without memory: an error, never a pass. */
Test(judge, every_allocation_fails_in_turn)
{
    const struct message message = {.from = "s.a.test", .dkim = "a.test t.a.test", .spf = "a.test"};
    struct scene full;
    struct dmarc_judgement got;
    scene_init(&full, REJECT("a.test"));
    scene_judge(&full, &message, &default_options, &got);
    cr_assert(got.result == RESULT_PASS);
    size_t needed = full.arena.used_bytes;
    scene_fini(&full);
    unsigned errors = 0;
    for (size_t bytes = 0; bytes < needed; bytes += 64) {
        struct scene scene;
        struct arena small;
        struct mail_from from;
        struct dns_name dkim = name_of("a.test");
        const struct dmarc_identifiers identifiers = {
            .known = true, .dkim = &dkim, .dkim_count = 1};
        from_of("s.a.test", &from);
        scene_init(&scene, REJECT("a.test"));
        arena_init(&small, bytes);
        while (dmarc_judge(&from, &identifiers, &default_options, &scene.answers, &small,
                           &scene.hits, &got) == JUDGE_WAITING)
            scene_resolve(&scene);
        cr_expect(got.result == RESULT_TEMPERROR || got.result == RESULT_PASS, "%zu bytes: %s",
                  bytes, result_word(got.result));
        cr_expect(!small.failed || got.result == RESULT_TEMPERROR);
        errors += got.result == RESULT_TEMPERROR;
        arena_fini(&small);
        scene_fini(&scene);
    }
    cr_expect(errors > 0);
}

Test(judge, disposition_words)
{
    cr_expect_str_eq(dmarc_disposition_word(DMARC_DISPOSE_NONE), "none");
    cr_expect_str_eq(dmarc_disposition_word(DMARC_DISPOSE_QUARANTINE), "quarantine");
    cr_expect_str_eq(dmarc_disposition_word(DMARC_DISPOSE_REJECT), "reject");
    cr_expect_null(dmarc_disposition_word(DMARC_DISPOSE_UNSET));
}
