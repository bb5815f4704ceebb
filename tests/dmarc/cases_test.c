/* The sixteen worked cases of standards.md 4.8 (RFC 9989 4.10), each from the walk to the policy.
 */
#include "dmarc/dmarc_test_support.h"

struct worked_case
{
    int number;
    const char *zone;
    const char *start;
    const char *org;           /* "": unknown */
    const char *policy_domain; /* "": none */
    const char *tag;
    enum result result; /* of the discovery; UNSET: a policy applies */
    uint32_t questions; /* distinct questions asked in all */
};

#define TXT(name, rest) "_dmarc." name " TXT \"v=DMARC1" rest "\"\n"
#define FULL "; p=reject; sp=quarantine; np=quarantine"

static const struct worked_case cases[] = {
    {1, TXT("example.com", FULL), "a.mail.example.com", "example.com", "example.com", "sp", 0, 4},
    {2, TXT("mail.example.com", "; p=none") TXT("example.com", FULL), "a.mail.example.com",
     "example.com", "example.com", "sp", 0, 4},
    {3, TXT("mail.example.com", "; psd=n" FULL) TXT("example.com", "; p=none"),
     "a.mail.example.com", "mail.example.com", "mail.example.com", "sp", 0, 4},
    {4, TXT("com", "; psd=y" FULL), "a.mail.example.com", "example.com", "com", "sp", 0, 4},
    {5, TXT("giant.bank.example", FULL) TXT("bank.example", "; psd=y; p=none"),
     "mail.giant.bank.example", "giant.bank.example", "giant.bank.example", "sp", 0, 4},
    {6, TXT("bank.example", "; psd=y" FULL), "mail.mega.bank.example", "mega.bank.example",
     "bank.example", "sp", 0, 4},
    {7, TXT("bank.example", "; psd=y" FULL), "bank.example", "bank.example", "bank.example", "p", 0,
     2},
    {8, "", "a.b.example.com", "a.b.example.com", "", NULL, RESULT_NONE, 4},
    {9, TXT("com", FULL), "x.example.com", "com", "com", "sp", 0, 3},
    {10,
     TXT("mail.example.com", "; p=none\"\n_dmarc.mail.example.com TXT \"v=DMARC1; p=none")
         TXT("example.com", FULL),
     "mail.example.com", "example.com", "example.com", "sp", 0, 3},
    {11, TXT("example.com", FULL), "a.b.c.d.e.f.g.h.i.j.k.l.example.com", "example.com",
     "example.com", "sp", 0, 8},
    {12, TXT("example.com", FULL) TXT("b.c.d.e.f.g.example.com", "; psd=n; p=none"),
     "mail.a.b.c.d.e.f.g.example.com", "example.com", "example.com", "sp", 0, 8},
    {13, TXT("example.com", ""), "example.com", "example.com", "example.com", NULL, RESULT_NONE, 2},
    {14, TXT("example.com", "; rua=mailto:x@example.com"), "example.com", "example.com",
     "example.com", "p", 0, 2},
    {15, "_dmarc.example.com TXT !servfail\n", "a.mail.example.com", "", "", NULL, RESULT_TEMPERROR,
     4},
    {16, TXT("mail.giant.example", "; p=none") TXT("example", "; psd=y" FULL),
     "a.mail.giant.example", "giant.example", "example", "sp", 0, 4},
};

Test(cases, worked_cases_of_4_8)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct worked_case *c = &cases[i];
        struct scene scene;
        struct dmarc_discovery got;
        scene_init(&scene, c->zone);
        scene_discover(&scene, c->start, &default_options, &got);
        cr_expect(got.result == c->result, "case %d: result %#x, want %#x", c->number, got.result,
                  c->result);
        cr_expect_str_eq(text_of(&got.org_domain), c->org, "case %d: org %s, want %s", c->number,
                         text_of(&got.org_domain), c->org);
        cr_expect_str_eq(text_of(&got.policy_domain), c->policy_domain, "case %d: policy of %s",
                         c->number, text_of(&got.policy_domain));
        cr_expect(same_word(got.policy_tag, c->tag), "case %d: tag %s, want %s", c->number,
                  got.policy_tag, c->tag);
        cr_expect(scene.answers.count == c->questions, "case %d: %u questions, want %u", c->number,
                  scene.answers.count, c->questions);
        cr_expect(scene.runs == 1, "case %d: %u round trips, want 1", c->number, scene.runs);
        scene_fini(&scene);
    }
}

/* Case 11 once more: exactly these eight names (DP-14, RFC 9989 4.10). */
Test(cases, fourteen_labels_ask_eight_names)
{
    static const char *const names[] = {
        "_dmarc.a.b.c.d.e.f.g.h.i.j.k.l.example.com",
        "_dmarc.h.i.j.k.l.example.com",
        "_dmarc.i.j.k.l.example.com",
        "_dmarc.j.k.l.example.com",
        "_dmarc.k.l.example.com",
        "_dmarc.l.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    };
    struct scene scene;
    struct dmarc_walk walk;
    scene_init(&scene, cases[10].zone);
    scene_walk(&scene, cases[10].start, &walk);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        cr_expect(scene_asked(&scene, names[i], DNS_TXT), "%s was not asked", names[i]);
    cr_expect(scene.answers.count == COUNT_OF(names));
    scene_fini(&scene);
}
