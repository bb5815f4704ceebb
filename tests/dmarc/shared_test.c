/* Which discoveries stand for other messages; that they are the same is told by scene_judge. */
#include "dmarc/dmarc_test_support.h"

static const char zone[] =
    "_dmarc.example.com TXT \"v=DMARC1; p=reject; rua=mailto:a@example.com; aspf=s\"\n"
    "_dmarc.news.example.com TXT \"v=DMARC1; p=none; t=y\"\n"
    "_dmarc.np.example TXT \"v=DMARC1; p=reject; sp=quarantine; np=none\"\n"
    "a.np.example A 192.0.2.1\n"
    "_dmarc.psd.example TXT \"v=DMARC1; p=none; psd=y\"\n"
    "_dmarc.two.example TXT \"v=DMARC1; p=none\"\n_dmarc.two.example TXT \"v=DMARC1; p=none\"\n"
    "_dmarc.other.example TXT \"not ours\"\n"
    "_dmarc.faulty.example TXT \"v=DMARC1; p=nonsense\"\n"
    "_dmarc.fails.example TXT !servfail\n"
    "_dmarc.deep.example TXT \"v=DMARC1; p=reject\"\n";

static const struct row
{
    const char *from;
    enum dmarc_mode mode;
    uint32_t spared; /* of a second message; 0: the discovery is for one message alone */
} rows[] = {
    {"example.com", DMARC_TREE_WALK, 2},
    {"a.example.com", DMARC_TREE_WALK, 3},
    {"x.news.example.com", DMARC_TREE_WALK, 4}, /* two records of its walk */
    {"news.example.com", DMARC_TREE_WALK, 3},
    {"a.np.example", DMARC_TREE_WALK, 4}, /* existence is a question too */
    {"b.np.example", DMARC_TREE_WALK, 4},
    {"x.psd.example", DMARC_TREE_WALK, 2}, /* psd=y ends the walk */
    {"two.example", DMARC_TREE_WALK, 2},
    {"other.example", DMARC_TREE_WALK, 2},
    {"faulty.example", DMARC_TREE_WALK, 2},
    {"none.example", DMARC_TREE_WALK, 2},
    {"a.b.c.d.e.f.deep.example", DMARC_TREE_WALK, 8},
    {"example.com", DMARC_PSL, 1},
    {"x.example.com", DMARC_PSL, 2},
    {"x.example.com", DMARC_COMPARE, 5},
    {"fails.example", DMARC_TREE_WALK, 0},              /* a failure */
    {"x.fails.example", DMARC_TREE_WALK, 0},            /* likewise, above */
    {"a.b.c.d.e.f.g.deep.example", DMARC_TREE_WALK, 0}, /* a limit: each message counts it */
    {"example.com two.example", DMARC_TREE_WALK, 0},    /* several author domains */
};

Test(dmarc_shared, which_discoveries_are_shared)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct scene scene;
        struct dmarc_judgement judgement;
        const struct dmarc_options options = {.mode = rows[i].mode, .strictest_of_several = true};
        const struct message message = {
            .from = rows[i].from, .dkim = "example.com x.np.example", .spf = "b.example.com"};
        const struct message bare = {.from = rows[i].from, .dkim = "", .dkim_temperror = ""};
        scene_init(&scene, zone);
        scene_judge(&scene, &bare, &options, &judgement);
        cr_expect(scene.spared == rows[i].spared, "%s: %u spared, want %u", rows[i].from,
                  scene.spared, rows[i].spared);
        scene_fini(&scene);
        if (rows[i].mode != DMARC_TREE_WALK)
            continue;
        scene_init(&scene, zone);
        scene_judge(&scene, &message, &options, &judgement);
        scene_fini(&scene);
    }
}

static bool find(void *context, const struct dns_question *question, struct dns_answer *answer)
{
    struct scene *scene = context;
    while (!dns_lookup(&scene->answers, &question->name, question->type))
        scene_resolve(scene);
    *answer = *dns_lookup(&scene->answers, &question->name, question->type);
    answer->shared_until_ms = 1000;
    return true;
}

/* DP-19: names that count as psd=y are options, and options are a part of the key. */
Test(dmarc_shared, other_options_are_another_discovery)
{
    const struct dns_name listed = name_of("example.com");
    const struct dmarc_options options[] = {
        {.mode = DMARC_TREE_WALK},
        {.mode = DMARC_TREE_WALK, .psd_names = &listed, .psd_count = 1},
        {.mode = DMARC_PSL},
        {.mode = DMARC_TREE_WALK, .always_ask_existence = true},
    };
    const struct dmarc_identifiers unknown = {.known = false};
    struct scene scene;
    struct mail_from from;
    scene_init(&scene, zone);
    from_of("x.example.com", &from);
    struct result_cache *results = result_cache_new(2, 512, 0);
    const struct dns_near near = {.find = find, .context = &scene, .results = {.dmarc = results}};
    for (unsigned i = 0; i < 2 * COUNT_OF(options); i++) {
        struct dns_answers answers;
        struct dmarc_judgement judgement;
        dns_answers_init(&answers, &scene.arena, &scene.hits);
        answers.near = &near;
        answers.results = near.results;
        cr_assert(dmarc_judge(&from, &unknown, &options[i % COUNT_OF(options)], &answers,
                              &scene.arena, &scene.hits, &judgement) == JUDGE_DONE);
        cr_expect((judgement.discovery.spared > 0) == (i >= COUNT_OF(options)), "options %u", i);
        cr_expect_str_eq(text_of(&judgement.discovery.org_domain),
                         i % COUNT_OF(options) == 1 ? "x.example.com" : "example.com");
        cr_expect(judgement.discovery.existence_known == (i % COUNT_OF(options) == 3));
    }
    cr_expect(results->hits == COUNT_OF(options));
    result_cache_free(&results);
    scene_fini(&scene);
}
