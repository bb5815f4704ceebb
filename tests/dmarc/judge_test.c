/* The judge: modes of alignment, several authors, what it asks, what it does without memory. */
#include "dmarc/dmarc_test_support.h"

#define RECORD(name, rest) "_dmarc." name " TXT \"v=DMARC1" rest "\"\n"
#define REJECT(name) RECORD(name, "; p=reject")

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

/* The same from the bytes on: header, From, judge. The victim's own signature passes each time. */
Test(judge, from_headers_to_verdicts)
{
    static const struct
    {
        const char *attack;
        const char *header;
        enum result result;
    } headers[] = {
        {"none", "From: <admin@victim.test>\r\n\r\n", RESULT_PASS},
        {"A07", "From: <a@attack.test>\r\nFrom: <admin@victim.test>\r\n\r\n", RESULT_PERMERROR},
        {"A07", "From: <admin@victim.test>\r\nFrom: <a@attack.test>\r\n\r\n", RESULT_PERMERROR},
        {"A08", " From: <a@attack.test>\r\nFrom: <admin@victim.test>\r\n\r\n", RESULT_PERMERROR},
        {"A09", "From: <a@attack.test>\r\nFrom : <admin@victim.test>\r\n\r\n", RESULT_PERMERROR},
        {"A10", "From\r\n : <a@attack.test>\r\nFrom: <admin@victim.test>\r\n\r\n",
         RESULT_PERMERROR},
        {"A11", "Sender: <admin@victim.test>\r\n\r\n", RESULT_PERMERROR},
        {"A12", "From: a@attack.test, admin@victim.test\r\n\r\n", RESULT_PERMERROR},
        {"A12", "From: admin@victim.test, <>, b\r\n\r\n", RESULT_PERMERROR},
        {"A15", "From: <admin@victim.test>\\,<b@attack.test>\r\n\r\n", RESULT_PERMERROR},
        {"A16", "From: <admin@victim.test>b@attack.test\r\n\r\n", RESULT_PERMERROR},
        {"A17", "From: <admin@victim\xe2\x80\x8b.test>\r\n\r\n", RESULT_PERMERROR},
        {"A18", "From: \"admin@victim.test\" <a@attack.test>\r\n\r\n", RESULT_NONE},
    };
    struct dns_name domain = name_of("victim.test");
    const struct dmarc_identifiers identifiers = {.known = true, .dkim = &domain, .dkim_count = 1};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct scene scene;
        struct mail_reader reader;
        struct mail_anomalies anomalies = {0};
        struct dmarc_judgement got;
        scene_init(&scene, REJECT("victim.test"));
        struct mail_from *from = ARENA_NEW(&scene.arena, struct mail_from);
        mail_reader_init(&reader, &scene.arena, &scene.hits, &anomalies);
        (void)mail_reader_feed(&reader, span_from_string(headers[i].header));
        mail_reader_end(&reader);
        mail_from_read(&reader.header, &scene.arena, &anomalies, &scene.hits, from);
        scene_judge_from(&scene, from, &identifiers, &default_options, &got);
        cr_expect(got.result == headers[i].result, "%s: %s: %s", headers[i].attack,
                  headers[i].header, result_word(got.result));
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
