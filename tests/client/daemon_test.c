/*
 * The client and assay query against the real daemon. DNS is the samples' zone, so verdicts are
 * those of assay check; no network.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "client/assay_client.h"
#include "daemon.h"
#include "samples.h"
#include "support/tool.h"

static struct sample samples[SAMPLES_MAX];

/* --- assay query = assay check --- */

static struct outcome run_tool(const char *command, const char *form, const struct daemon *daemon,
                               const struct sample *s)
{
    bool check = strcmp(command, "check") == 0;
    return ASSAY(command, form, check ? "--dns" : "--socket",
                 check ? "share/samples/zone.txt" : daemon->socket, "--authserv-id",
                 "mx.receiver.example", "--ip", s->ip, "--helo", s->helo, "--mail-from",
                 s->mail_from, "--now", s->now, "--timeout", "2000", s->path);
}

static int by_question(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = strcmp(json_text(x, "name"), json_text(y, "name"));
    return order ? order : strcmp(json_text(x, "type"), json_text(y, "type"));
}

/* Which questions were asked first, and how old cached answers are, is no part of the verdict. */
static char *normal_form(const char *line)
{
    json_t *verdict = json_loads(line, 0, NULL);
    cr_assert(verdict != NULL, "no JSON: %s", line);
    json_t *questions = json_incref(json_object_get(verdict, "dns")), *sorted = json_array();
    json_t *list[128];
    size_t count = json_array_size(questions);
    cr_assert(count <= 128);
    for (size_t i = 0; i < count; i++) {
        list[i] = json_array_get(questions, i);
        json_object_del(list[i], "age");
    }
    qsort(list, count, sizeof *list, by_question);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, list[i]);
    json_object_set_new(verdict, "dns", sorted);
    char *text = json_dumps(verdict, JSON_COMPACT);
    json_decref(questions);
    json_decref(verdict);
    return text;
}

Test(daemon, every_sample_has_the_verdict_of_assay_check_in_every_form)
{
    static const char *const forms[] = {"--json", "--brief"};
    struct daemon daemon;
    size_t count = samples_read(samples);
    daemon_start(&daemon, (const char *const[]){"--spf-explanation", NULL});
    for (size_t i = 0; i < count; i++) {
        for (int form = 0; form < 2; form++) {
            struct outcome check = run_tool("check", forms[form], &daemon, &samples[i]);
            struct outcome query = run_tool("query", forms[form], &daemon, &samples[i]);
            cr_assert(check.status == 0 && query.status == 0, "%s: %d and %d: %s%s",
                      samples[i].path, check.status, query.status, check.err, query.err);
            char *want = form ? strdup(check.out) : normal_form(check.out);
            char *got = form ? strdup(query.out) : normal_form(query.out);
            cr_expect(strcmp(want, got) == 0, "%s %s:\nwant %s\ngot  %s", samples[i].path,
                      forms[form], want, got);
        }
        struct outcome check =
            ASSAY("check", "--dns", "share/samples/zone.txt", "--ip", samples[i].ip, "--helo",
                  samples[i].helo, "--mail-from", samples[i].mail_from, "--now", samples[i].now,
                  samples[i].path);
        struct outcome query = ASSAY("query", "--socket", daemon.socket, "--ip", samples[i].ip,
                                     "--helo", samples[i].helo, "--mail-from", samples[i].mail_from,
                                     "--now", samples[i].now, samples[i].path);
        cr_expect(strcmp(check.out, query.out) == 0, "%s:\nwant %s\ngot  %s", samples[i].path,
                  check.out, query.out);
    }
    int status = daemon_end(&daemon, SIGTERM);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %#x", (unsigned)status);
}

Test(daemon, assay_query_spf_and_dmarc_print_what_assay_spf_and_dmarc_print)
{
    static const char *const forms[2][2] = {{"--json", "--json"}, {"--timeout", "9000"}};
    struct daemon daemon;
    daemon_start(&daemon, (const char *const[]){"--spf-explanation", NULL});
    for (int form = 0; form < 2; form++) {
        const char *a = forms[form][0], *b = forms[form][1];
        struct outcome want[2] = {
            ASSAY("spf", a, b, "--dns", "share/samples/zone.txt", "--ip", "192.0.2.90",
                  "--mail-from", "a@shop.example"),
            ASSAY("dmarc", "news.shop.example", a, b, "--dns", "share/samples/zone.txt")};
        struct outcome got[2] = {
            ASSAY("query", "spf", a, b, "--socket", daemon.socket, "--ip", "192.0.2.90",
                  "--mail-from", "a@shop.example"),
            ASSAY("query", "dmarc", "news.shop.example", a, b, "--socket", daemon.socket)};
        for (int i = 0; i < 2; i++) {
            cr_assert(want[i].status == 0 && got[i].status == 0, "%s%s", want[i].err, got[i].err);
            cr_expect(strcmp(want[i].out, got[i].out) == 0, "want %s\ngot  %s", want[i].out,
                      got[i].out);
        }
    }
    daemon_end(&daemon, SIGTERM);
}

/* --- the library --- */

enum
{
    REQUESTS_MAX = 20000,
};

struct tally
{
    unsigned answers[REQUESTS_MAX]; /* by request */
    enum assay_client_outcome outcome[REQUESTS_MAX];
    enum assay_client_result dmarc[REQUESTS_MAX], partial[REQUESTS_MAX], spf[REQUESTS_MAX];
    char json[128];
    bool has_json, has_results;
    unsigned verdicts, lost, refused;
};

static struct tally tally;

static void done(void *context, const struct assay_client_answer *answer)
{
    (void)context;
    size_t i = (size_t)answer->user;
    tally.answers[i]++;
    tally.outcome[i] = answer->outcome;
    tally.dmarc[i] = answer->dmarc;
    tally.spf[i] = answer->spf;
    tally.has_json = answer->json != NULL;
    tally.has_results = answer->results != NULL;
    snprintf(tally.json, sizeof tally.json, "%.*s", (int)answer->json_bytes,
             answer->json ? answer->json : "");
    tally.verdicts += answer->outcome == ASSAY_CLIENT_VERDICT;
    tally.lost += answer->outcome == ASSAY_CLIENT_LOST;
    tally.refused += answer->outcome == ASSAY_CLIENT_REFUSED;
}

static void partial(void *context, const struct assay_client_partial *p)
{
    (void)context;
    tally.partial[(size_t)p->user] = p->spf;
}

static struct assay_client *connected(const struct daemon *daemon,
                                      struct assay_client_options options)
{
    char error[ASSAY_CLIENT_ERROR_MAX];
    options.size = sizeof options;
    options.done = done;
    options.partial = partial;
    struct assay_client *client = assay_client_open(daemon->socket, &options, error);
    cr_assert(client != NULL, "%s", error);
    assay_client_poll(client, 10000);
    cr_assert(assay_client_state(client) == ASSAY_CLIENT_READY, "%s", assay_client_trouble(client));
    return client;
}

static struct assay_client_envelope envelope_of(const struct sample *s)
{
    return (struct assay_client_envelope){.size = sizeof(struct assay_client_envelope),
                                          .client_ip = s->ip,
                                          .helo = s->helo,
                                          .mail_from = s->mail_from,
                                          .received_at = atoll(s->now),
                                          .wishes = ASSAY_CLIENT_WISH_PARTIAL};
}

static enum assay_client_status submit(struct assay_client *client, const struct sample *s,
                                       size_t i)
{
    struct assay_client_envelope envelope = envelope_of(s);
    return assay_client_submit(client, &envelope, s->text.p, s->text.n, (void *)i, NULL);
}

static void await_all(struct assay_client *client)
{
    for (int i = 0; i < 20000 && assay_client_open_requests(client); i++)
        assay_client_poll(client, 1000);
    cr_assert(assay_client_open_requests(client) == 0, "%u are still open",
              assay_client_open_requests(client));
}

/* As fast as the daemon takes them, on one connection: each answered once, the same message always
 * with the same result, SPF early the same as SPF late. dns-timeout.eml takes its time meanwhile.
 */
Test(daemon, thousands_on_one_connection)
{
    struct daemon daemon;
    size_t count = samples_read(samples), sent = 0;
    daemon_start(&daemon, NULL);
    struct assay_client *client = connected(&daemon, (struct assay_client_options){0});
    while (sent < 6000) {
        enum assay_client_status status = submit(client, &samples[sent % count], sent);
        sent += status == ASSAY_CLIENT_OK;
        if (status == ASSAY_CLIENT_WOULD_BLOCK)
            assay_client_poll(client, 1000);
        else
            cr_assert(status == ASSAY_CLIENT_OK, "status %d", status);
    }
    await_all(client);
    cr_expect(tally.verdicts == sent, "%u verdicts of %zu", tally.verdicts, sent);
    for (size_t i = 0; i < sent; i++) {
        cr_assert(tally.answers[i] == 1, "request %zu was answered %u times", i, tally.answers[i]);
        cr_expect(tally.dmarc[i] == tally.dmarc[i % count] && tally.dmarc[i] != 0, "%s",
                  samples[i % count].path);
        cr_expect(tally.partial[i] == tally.spf[i], "%s: early %#x, late %#x",
                  samples[i % count].path, tally.partial[i], tally.spf[i]);
    }
    assay_client_close(&client);
    daemon_end(&daemon, SIGTERM);
}

static int sealed(struct span text)
{
    int fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert(write(fd, "before", 6) == 6 && write(fd, text.p, text.n) == (ssize_t)text.n);
    cr_assert(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
    return fd;
}

/* Whole, in pieces of 7 bytes, as a sealed memfd and as a file: the same verdict. */
Test(daemon, every_way_to_hand_over_a_message)
{
    struct daemon daemon;
    size_t count = samples_read(samples);
    daemon_start(&daemon, NULL);
    struct assay_client *client = connected(&daemon, (struct assay_client_options){0});
    for (size_t i = 0; i < count; i++) {
        const struct sample *s = &samples[i];
        struct assay_client_envelope envelope = envelope_of(s);
        uint64_t id;
        cr_assert(submit(client, s, 0) == ASSAY_CLIENT_OK);
        cr_assert(assay_client_begin(client, &envelope, (void *)1, &id) == ASSAY_CLIENT_OK);
        for (size_t at = 0; at < s->text.n; at += 7)
            cr_assert(assay_client_data(client, id, s->text.p + at,
                                        s->text.n - at < 7 ? s->text.n - at : 7) ==
                      ASSAY_CLIENT_OK);
        cr_assert(assay_client_end(client, id) == ASSAY_CLIENT_OK);
        int memory = sealed(s->text);
        cr_assert(assay_client_submit_fd(client, &envelope, memory, 6, s->text.n, (void *)2,
                                         NULL) == ASSAY_CLIENT_OK);
        int file = open(s->path, O_RDONLY);
        envelope.wishes |=
            ASSAY_CLIENT_WISH_LF | ASSAY_CLIENT_WISH_JSON | ASSAY_CLIENT_WISH_RESULTS;
        cr_assert(assay_client_submit_fd(client, &envelope, file, 0, 0, (void *)3, NULL) ==
                  ASSAY_CLIENT_OK);
        close(memory);
        close(file);
        await_all(client);
        for (int way = 1; way < 4; way++)
            cr_expect(tally.outcome[way] == ASSAY_CLIENT_VERDICT &&
                          tally.dmarc[way] == tally.dmarc[0] && tally.dmarc[0] != 0,
                      "%s, way %d: outcome %#x, dmarc %#x, want %#x (%s)", s->path, way,
                      tally.outcome[way], tally.dmarc[way], tally.dmarc[0],
                      assay_client_trouble(client));
    }
    cr_expect(tally.verdicts == 4 * count);
    assay_client_close(&client);
    daemon_end(&daemon, SIGTERM);
}

Test(daemon, queries_cancel_and_refusals)
{
    struct daemon daemon;
    samples_read(samples);
    daemon_start(&daemon, (const char *const[]){"--max-message-bytes", "100000", NULL});
    struct assay_client *client = connected(&daemon, (struct assay_client_options){0});
    uint64_t id;
    cr_expect(assay_client_message_limit(client) == 100000);
    cr_assert(assay_client_ping(client, NULL, NULL) == ASSAY_CLIENT_OK);
    await_all(client);
    cr_expect_str_eq(tally.json, "{\"pong\":true}");
    cr_assert(assay_client_forget(client, NULL, NULL, NULL) == ASSAY_CLIENT_OK);
    await_all(client);
    cr_expect(strncmp(tally.json, "{\"flushed\":", 11) == 0, "%s", tally.json);
    cr_assert(assay_client_query(client, "{\"op\":\"nonsense\"}", 17, NULL, NULL) ==
              ASSAY_CLIENT_OK);
    await_all(client);
    cr_expect(tally.refused == 1);
    struct assay_client_envelope envelope = {.size = sizeof envelope, .client_ip = "300.1.1.1"};
    cr_assert(assay_client_submit(client, &envelope, "From: a@b.example\r\n\r\n", 21, NULL, NULL) ==
              ASSAY_CLIENT_OK);
    await_all(client);
    cr_expect(tally.refused == 2 && tally.verdicts == 0, "an address that is none");
    cr_assert(assay_client_begin(client, NULL, NULL, &id) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_data(client, id, "From: ", 6) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_cancel(client, id) == ASSAY_CLIENT_OK);
    await_all(client);
    cr_expect(tally.refused == 3 && tally.verdicts == 0, "cancelled");
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_READY);
    assay_client_close(&client);
    daemon_end(&daemon, SIGTERM);
}

/* J09: a daemon that dies is an error for each open request, never a verdict; the next one serves.
 */
Test(daemon, killed_under_load_and_started_again)
{
    struct daemon daemon;
    size_t count = samples_read(samples), sent = 0;
    daemon_start(&daemon, NULL);
    struct assay_client *client = connected(
        &daemon, (struct assay_client_options){.backoff_min_ms = 5, .backoff_max_ms = 20});
    while (sent < 1000) {
        if (submit(client, &samples[sent % count], sent) == ASSAY_CLIENT_OK)
            sent++;
        else
            assay_client_poll(client, 1000);
    }
    daemon_end(&daemon, SIGKILL);
    await_all(client);
    cr_expect(tally.lost > 0 && tally.lost + tally.verdicts == sent, "%u lost, %u verdicts of %zu",
              tally.lost, tally.verdicts, sent);
    for (size_t i = 0; i < sent; i++)
        cr_expect(tally.answers[i] == 1 && (tally.outcome[i] == ASSAY_CLIENT_VERDICT ||
                                            tally.dmarc[i] == ASSAY_CLIENT_UNSET));
    daemon_start(&daemon, NULL);
    for (int i = 0; i < 200 && assay_client_state(client) != ASSAY_CLIENT_READY; i++)
        assay_client_poll(client, 100);
    unsigned before = tally.verdicts;
    cr_assert(submit(client, &samples[0], sent) == ASSAY_CLIENT_OK);
    await_all(client);
    cr_expect(tally.verdicts == before + 1 && tally.dmarc[sent] == ASSAY_CLIENT_PASS);
    assay_client_close(&client);
    daemon_end(&daemon, SIGTERM);
}

/* SIGTERM drains: what it accepted gets its verdict, what came too late an error; all exactly once.
 */
Test(daemon, stopped_under_load_nothing_is_lost_unsaid)
{
    struct daemon daemon;
    size_t count = samples_read(samples), sent = 0;
    daemon_start(&daemon, NULL);
    struct assay_client *client = connected(&daemon, (struct assay_client_options){0});
    while (sent < 500) {
        if (submit(client, &samples[sent % (count - 2)], sent) == ASSAY_CLIENT_OK)
            sent++;
        else
            assay_client_poll(client, 1000);
    }
    assay_client_flush(client);
    kill(daemon.pid, SIGTERM);
    await_all(client);
    for (size_t i = 0; i < sent; i++)
        cr_assert(tally.answers[i] == 1, "request %zu was answered %u times", i, tally.answers[i]);
    cr_expect(tally.verdicts + tally.refused + tally.lost == sent);
    cr_expect(tally.verdicts >= sent - 64, "%u verdicts, %u refused, %u lost", tally.verdicts,
              tally.refused, tally.lost);
    assay_client_close(&client);
    int status = daemon_end(&daemon, SIGTERM);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %#x", (unsigned)status);
}
