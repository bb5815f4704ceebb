/*
 * assay bulk --socket: the same verdicts through a daemon; what the daemon does not answer is told,
 * and a run with the journal takes it up again. Skipped where there is no daemon.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"

#define ENVELOPE                                                                                   \
    "--ip", "192.0.2.10", "--helo", "mx.shop.example", "--mail-from", "orders@shop.example",       \
        "--now", NOW, "--authserv-id", "mx.example.net"

static const char *daemon_program(void)
{
    static char path[1024];
    const char *tool = getenv("ASSAY"), *daemon = getenv("ASSAYD");
    snprintf(path, sizeof path, "%s%s",
             daemon ? daemon
             : tool ? tool
                    : "build/assay",
             daemon ? "" : "d");
    if (access(path, X_OK) != 0)
        cr_skip_test("no %s", path);
    return path;
}

static pid_t daemons[4];
static const char *daemon_socket;

static void kill_daemons(void)
{
    for (size_t i = 0; i < COUNT_OF(daemons); i++)
        if (daemons[i] > 0)
            kill(daemons[i], SIGKILL);
}

/* Ends with the test, also where that fails. */
static void daemon_start(size_t nth, const char *option, const char *value)
{
    const char *program = daemon_program();
    daemon_socket = archive_path("verdict.sock");
    const char *argv[] = {
        program,       "--foreground", "--socket",          daemon_socket, "--dns", ZONE,
        "--log-level", "error",        "--spf-explanation", option,        value,   NULL};
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        alarm(120);
        execv(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    daemons[nth] = child;
    if (nth == 0)
        atexit(kill_daemons);
    WAIT_UNTIL(access(daemon_socket, F_OK) == 0);
}

static void daemon_end(size_t nth, int number)
{
    int status;
    kill(daemons[nth], number);
    cr_assert(waitpid(daemons[nth], &status, 0) == daemons[nth]);
    daemons[nth] = 0;
}

Test(socket, the_same_verdicts_as_in_process)
{
    const char *folder = archive_of_samples("samples");
    daemon_start(0, NULL, NULL);
    struct outcome here = ASSAY("bulk", "--json", "--dns", ZONE, ENVELOPE, folder);
    struct outcome there = ASSAY("bulk", "--json", "--socket", daemon_socket, ENVELOPE, folder);
    struct outcome rows = ASSAY("bulk", "--brief", "--dns", ZONE, ENVELOPE, folder);
    struct outcome far_rows = ASSAY("bulk", "--brief", "--socket", daemon_socket, ENVELOPE, folder);
    cr_assert(there.status == 0 && count_lines(there.out) == SAMPLES, "%d %s", there.status,
              there.err);
    struct ledger a, b;
    ledger_read(&a, here.out);
    ledger_read(&b, there.out);
    const char *name;
    json_t *verdict;
    json_object_foreach(a.verdicts, name, verdict)
    {
        json_t *other = json_object_get(b.verdicts, name);
        cr_assert(other != NULL, "%s", name);
        json_object_del(verdict, "dns");
        json_object_del(other, "dns");
        char *x = json_dumps(verdict, JSON_SORT_KEYS), *y = json_dumps(other, JSON_SORT_KEYS);
        cr_expect_str_eq(x, y);
        free(x);
        free(y);
        /* The row of each message is the same, too. */
        const char *row = strstr(rows.out, strrchr(name, '/') + 1);
        char line[256];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(row, "\n"), row);
        cr_expect(strstr(far_rows.out, line), "no row \"%s\" in\n%s", line, far_rows.out);
    }
    json_t *near_summary = summary_of(here.err), *far_summary = summary_of(there.err);
    static const char *const keys[] = {"messages", "bytes",          "spf",         "dkim",
                                       "arc",      "dmarc",          "disposition", "anomalies",
                                       "limits",   "failing_domains"};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        cr_expect(json_equal(json_object_get(near_summary, keys[i]),
                             json_object_get(far_summary, keys[i])),
                  "%s: %s%s", keys[i], here.err, there.err);
    /* The daemon had all answers from the run before: this run's figures are its own. */
    json_t *again =
        summary_of(ASSAY("bulk", "--json", "--socket", daemon_socket, ENVELOPE, folder).err);
    cr_expect(number_at(far_summary, "cache.lookups") > 50 &&
                  number_at(again, "cache.lookups") > 50 &&
                  number_at(again, "cache.lookups") < 2 * number_at(far_summary, "cache.lookups"),
              "%s", there.err);
    cr_expect(number_at(far_summary, "dns.queries") > 5 && number_at(again, "dns.queries") < 5,
              "%s", there.err);
    ledger_free(&a);
    ledger_free(&b);
}

Test(socket, five_thousand_messages_once)
{
    daemon_start(0, NULL, NULL);
    const char *archives[] = {archive_repeated("many", 5000), archive_mbox("many.mbox", 5000)};
    for (size_t i = 0; i < COUNT_OF(archives); i++) {
        struct outcome o =
            ASSAY("bulk", "--json", "--socket", daemon_socket, ENVELOPE, archives[i]);
        struct ledger ledger;
        ledger_read(&ledger, o.out);
        cr_expect(o.status == 0 && ledger.lines == 5000 && json_object_size(ledger.times) == 5000,
                  "%d: %zu lines, %s", o.status, ledger.lines, o.err);
        ledger_free(&ledger);
    }
}

Test(socket, no_messages_and_messages_that_are_too_large)
{
    daemon_start(0, "--max-message-bytes", "100000");
    archive_file("mixed/a.eml", sample_bytes(0));
    archive_file("mixed/b.txt", SPAN("prose\n"));
    archive_file("mixed/c.txt", SPAN(""));
    const char *large = archive_file("mixed/d.eml", SPAN(""));
    archive_file("mixed/e.eml", sample_bytes(1));
    FILE *file = fopen(large, "wb");
    fputs("From: x@shop.example\r\n\r\n", file);
    for (int i = 0; i < 100 * 1000; i++)
        fputs("a line of the body\r\n", file);
    cr_assert(fclose(file) == 0);
    struct outcome o =
        ASSAY("bulk", "--json", "--socket", daemon_socket, ENVELOPE, archive_path("mixed"));
    cr_expect(count_lines(o.out) == 2 && o.status == 69, "%d %s%s", o.status, o.out, o.err);
    cr_expect(strstr(o.err, "b.txt: this is no message") &&
                  strstr(o.err, "c.txt: this is no message"),
              "%s", o.err);
    cr_expect(strstr(o.err, "d.eml: not judged: "), "%s", o.err);
    const json_t *summary = summary_of(o.err);
    cr_expect(number_at(summary, "messages") == 2 && number_at(summary, "no_message") == 2 &&
              number_at(summary, "not_judged") == 1);
}

/* The daemon is killed, or asked to stop, in the middle: each message is in the output or told,
 * none is in the journal without its result, and a second run makes it whole. */
static void daemon_ends(int number)
{
    const char *path = archive_mbox("many.mbox", 5000), *journal = archive_path("journal");
    daemon_start(0, NULL, NULL);
    const char *argv[] = {"bulk",     "--json", "--socket", daemon_socket, ENVELOPE,
                          "--resume", journal,  path,       NULL};
    const char *out = archive_path("out"), *err = archive_path("err");
    int out_fd = open(out, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), status;
    int err_fd = open(err, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    pid_t child = assay_start(argv, -1, out_fd, err_fd);
    close(out_fd);
    close(err_fd);
    WAIT_UNTIL(count_lines(text_of_file(journal)) > 100);
    daemon_end(0, number);
    cr_assert(waitpid(child, &status, 0) == child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 69, "%x: %s", (unsigned)status,
              text_of_file(err));
    size_t first = count_lines(text_of_file(out));
    cr_expect(first > 100 && first < 5000, "%zu", first);
    cr_expect(number_at(summary_of(text_of_file(err)), "messages") == (json_int_t)first);
    unlink(daemon_socket);
    daemon_start(1, NULL, NULL);
    struct outcome rest =
        ASSAY("bulk", "--json", "--socket", daemon_socket, ENVELOPE, "--resume", journal, path);
    struct ledger a, b;
    ledger_read(&a, text_of_file(out));
    ledger_read(&b, rest.out);
    cr_expect(rest.status == 0 && a.lines + b.lines == 5000, "%zu and %zu: %s", a.lines, b.lines,
              rest.err);
    json_object_update(a.times, b.times);
    cr_expect(json_object_size(a.times) == 5000);
    ledger_free(&a);
    ledger_free(&b);
}

Test(socket, daemon_killed)
{
    daemon_ends(SIGKILL);
}

Test(socket, daemon_drains)
{
    daemon_ends(SIGTERM);
}

Test(socket, nobody_there)
{
    struct outcome o =
        ASSAY("bulk", "--socket", "/nonexistent/sock", ENVELOPE, archive_of_samples("samples"));
    cr_expect(o.status == 69 && count_lines(o.err) == 1 && strstr(o.err, "/nonexistent/sock"),
              "%d %s", o.status, o.err);
}
