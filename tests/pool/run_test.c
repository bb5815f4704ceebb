/* run/run.h: everything opened and closed; the snapshot; flush. */
#include "fixture.h"
#include "run/run.h"
#include "zone_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/corpora.h"

static struct run_config config_of(const struct zone_server *server, const char *snapshot)
{
    struct run_config config = {
        .judge = {.size = sizeof config.judge, .authserv_id = "mx.receiver.example"},
        .workers = 1,
        .snapshot_path = snapshot,
        .cache_bytes = 1024 * 1024,
    };
    if (server)
        config.judge.resolver = server->resolver;
    else
        config.judge.zone_file = "share/samples/zone.txt";
    return config;
}

static struct run *start(const struct run_config *config, char note[ASSAY_ERROR_MAX])
{
    char error[ASSAY_ERROR_MAX] = "";
    struct run *run = run_start(config, error, note);
    cr_assert(run, "%s", error);
    return run;
}

static enum result judge(struct run *run)
{
    struct fixture fixture = {.pool = run->pool};
    struct judged judged = {0};
    task_end(submit_and_feed(&fixture, sample_find("pass.eml"), 0, &judged));
    wait_for(&judged);
    return judged.dkim;
}

Test(run, wrong_settings_are_told)
{
    char error[ASSAY_ERROR_MAX];
    struct run_config no_zone = {.judge = {.size = sizeof no_zone.judge, .zone_file = "/no/zone"}};
    cr_expect(run_start(&no_zone, error, NULL) == NULL);
    cr_expect(strstr(error, "/no/zone"), "%s", error);
    struct run_config resolver = {.judge = {.size = sizeof resolver.judge, .resolver = "here"}};
    cr_expect(run_start(&resolver, error, NULL) == NULL);
    cr_expect(strstr(error, "here"), "%s", error);
    const char *const sealers[] = {"not a name", NULL};
    struct run_config names = {.judge = {.size = sizeof names.judge, .trusted_sealers = sealers}};
    cr_expect(run_start(&names, error, NULL) == NULL);
    cr_expect(strstr(error, "not a name"), "%s", error);
    struct run_config budget = config_of(NULL, NULL);
    budget.cache_bytes = 1;
    cr_expect(run_start(&budget, error, NULL) == NULL && error[0]);
}

/* A warm start: what was known at the stop needs no query, even of a server that is silent. */
Test(run, snapshot)
{
    char folder[] = "/tmp/assay_run_test.XXXXXX", path[64], note[ASSAY_ERROR_MAX];
    struct zone_server server;
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/snapshot", folder);
    zone_server_start(&server, file_read("share/samples/zone.txt"));
    struct run_config config = config_of(&server, path);
    struct run *run = start(&config, note);
    cr_expect_str_eq(note, "", "an absent snapshot is no news: %s", note);
    cr_expect(judge(run) == RESULT_PASS);
    run_stop(&run, NULL);
    cr_expect(run == NULL && access(path, R_OK) == 0, "written");
    uint32_t queries = server.queries;
    atomic_store(&server.silent, true);
    run = start(&config, note);
    cr_expect_str_eq(note, "", "%s", note);
    cr_expect(judge(run) == RESULT_PASS && server.queries == queries, "from the snapshot");
    run_stop(&run, NULL);
    cr_assert(truncate(path, 100) == 0);
    run = start(&config, note);
    cr_expect(note[0] != '\0', "a damaged snapshot is told");
    run_stop(&run, NULL);
    zone_server_stop(&server);
    unlink(path);
    rmdir(folder);
}

Test(run, flush)
{
    struct zone_server server;
    struct dns_name shop, elsewhere;
    char note[ASSAY_ERROR_MAX];
    cr_assert(dns_name_from_domain(&shop, SPAN("shop.example")) == DNS_NAME_OK);
    cr_assert(dns_name_from_domain(&elsewhere, SPAN("hop.example")) == DNS_NAME_OK);
    zone_server_start(&server, file_read("share/samples/zone.txt"));
    struct run_config config = config_of(&server, NULL);
    struct run *run = start(&config, note);
    cr_expect(judge(run) == RESULT_PASS);
    uint32_t queries = server.queries;
    cr_expect(run_flush(run, &elsewhere) == 0, "labels, never strings");
    cr_expect(judge(run) == RESULT_PASS && server.queries == queries);
    size_t at_shop = run_flush(run, &shop);
    cr_expect(at_shop >= 3, "%zu entries at and below shop.example", at_shop);
    cr_expect(judge(run) == RESULT_PASS && server.queries == queries + at_shop,
              "%u queries, %zu flushed", server.queries - queries, at_shop);
    cr_expect(run_flush(run, NULL) >= at_shop && run_flush(run, NULL) == 0, "all");
    run_stop(&run, NULL);
    zone_server_stop(&server);
}
