/*
 * assay bulk as a person runs it: every message of an archive is judged once and as assay check
 * judges it, whatever form the archive has; what cannot be judged is told and counted.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"

#define ENVELOPE                                                                                   \
    "--dns", ZONE, "--ip", "192.0.2.10", "--helo", "mx.shop.example", "--mail-from",               \
        "orders@shop.example", "--now", NOW, "--authserv-id", "mx.example.net"

static struct ledger ledger_of(const char *out)
{
    struct ledger ledger;
    ledger_read(&ledger, out);
    return ledger;
}

/* The verdict without what a cache and another order of questions change: "dns", and the name. */
static json_t *comparable(const json_t *verdict)
{
    json_t *copy = json_deep_copy(verdict);
    json_object_del(copy, "dns");
    json_object_del(copy, "file");
    return copy;
}

static void expect_same(const char *name, const json_t *got, const json_t *want)
{
    json_t *a = comparable(got), *b = comparable(want);
    char *x = json_dumps(a, JSON_SORT_KEYS), *y = json_dumps(b, JSON_SORT_KEYS);
    cr_expect(json_equal(a, b), "%s:\ngot  %s\nwant %s", name, x, y);
    free(x);
    free(y);
    json_decref(a);
    json_decref(b);
}

/* What assay check says of the samples, in their order; index by sample. */
static json_t **checked_samples(void)
{
    static json_t *verdicts[SAMPLES];
    const char *argv[64] = {"check", "--json", ENVELOPE};
    size_t n = 0;
    while (argv[n])
        n++;
    for (size_t i = 0; i < SAMPLES; i++) {
        char path[300];
        snprintf(path, sizeof path, "share/samples/%s", sample_names()[i]);
        argv[n + i] = strdup(path);
    }
    struct outcome o = assay(SPAN(""), argv);
    cr_assert(o.status == 0 && count_lines(o.out) == SAMPLES, "%s", o.err);
    for (size_t i = 0; i < SAMPLES; i++)
        verdicts[i] = json_line(o.out, i);
    return verdicts;
}

Test(bulk, a_directory_of_the_samples_as_check_judges_them)
{
    const char *folder = archive_of_samples("samples");
    json_t **want = checked_samples();
    struct outcome o = ASSAY("bulk", "--json", ENVELOPE, folder);
    cr_assert(o.status == 0 && count_lines(o.out) == SAMPLES, "%d: %s", o.status, o.err);
    struct ledger ledger = ledger_of(o.out);
    for (size_t i = 0; i < SAMPLES; i++) {
        char name[400];
        snprintf(name, sizeof name, "%s/%s", folder, sample_names()[i]);
        cr_assert(ledger_times(&ledger, name) == 1, "%s", name);
        expect_same(name, json_object_get(ledger.verdicts, name), want[i]);
    }
    ledger_free(&ledger);
}

/* The nth message of a folder is called FILE#n; from a file, a pipe, with one worker or four. */
Test(bulk, an_mbox_of_the_samples_as_check_judges_them)
{
    const char *path = archive_mbox("samples.mbox", SAMPLES);
    json_t **want = checked_samples();
    struct outcome runs[] = {
        ASSAY("bulk", "--json", ENVELOPE, path),
        ASSAY("bulk", "--json", ENVELOPE, "--jobs", "1", path),
        ASSAY("bulk", "--json", ENVELOPE, "--jobs", "4", path),
        ASSAY_INPUT(file_read(path), "bulk", "--json", ENVELOPE, "-"),
    };
    for (size_t r = 0; r < COUNT_OF(runs); r++) {
        struct ledger ledger = ledger_of(runs[r].out);
        cr_assert(runs[r].status == 0 && ledger.lines == SAMPLES, "%zu: %s", r, runs[r].err);
        for (size_t i = 0; i < SAMPLES; i++) {
            char name[400];
            snprintf(name, sizeof name, "%s#%zu", r == 3 ? "-" : path, i + 1);
            cr_assert(ledger_times(&ledger, name) == 1, "%s", name);
            expect_same(name, json_object_get(ledger.verdicts, name), want[i]);
        }
        ledger_free(&ledger);
    }
}

/* mboxrd: a signed body with lines that begin with "From " is what was signed again, and does not
 * split; with LF line ends as a folder on disk has them. */
Test(bulk, quoted_from_lines)
{
    static const char message[] = "From: x@a.example\nSubject: one\n\nFrom here\n>From there\n\n"
                                  "From after an empty line\nlast\n";
    const char *single = archive_file("single.eml", SPAN("From: x@a.example\nSubject: one\n\n"
                                                         "From here\n>From there\n\n"
                                                         "From after an empty line\nlast\n"));
    const char *path = archive_file("quoted.mbox", SPAN(""));
    FILE *file = fopen(path, "wb");
    append_to_mbox(file, span_from_string(message));
    append_to_mbox(file, SPAN("From: y@b.example\r\n\r\nCRLF\r\n"));
    cr_assert(fclose(file) == 0);
    struct outcome check = ASSAY("check", "--json", ENVELOPE, single);
    struct outcome o = ASSAY("bulk", "--json", ENVELOPE, "--jobs", "1", path);
    cr_assert(o.status == 0 && count_lines(o.out) == 2, "%s%s", o.out, o.err);
    struct ledger ledger = ledger_of(o.out);
    char name[400];
    snprintf(name, sizeof name, "%s#1", path);
    expect_same(name, json_object_get(ledger.verdicts, name), json_line(check.out, 0));
    /* The bytes are those of the single message with CRLF, and of the second. */
    cr_expect(
        number_at(summary_of(o.err), "bytes") ==
            (json_int_t)(sizeof message - 1 + 8 + sizeof "From: y@b.example\r\n\r\nCRLF\r\n" - 1),
        "%s", o.err);
    ledger_free(&ledger);
}

/* cur and new hold messages, tmp and index files do not; Maildir++ folders are folders. */
Test(bulk, maildir)
{
    static const char *const messages[] = {
        "md/cur/1.host:2,S",   "md/new/2.host",     "md/.Sent/cur/3.host:2,",
        "md/.Sent/new/4.host", "md/sub/cur/5.host", "md/sub/new/6.host",
    };
    static const char *const others[] = {
        "md/tmp/7.host",  "md/dovecot.index", "md/maildirsize",   "md/cur/.8.host",
        "md/.Sent/tmp/9", "md/.hidden/x",     "md/.Sent/uidlist", "md/cur/deeper/x",
    };
    const char *folder = archive_folder("md");
    archive_folder("md/tmp");
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        archive_file(messages[i], sample_bytes(i));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        archive_file(others[i], sample_bytes(i));
    /* A message in a maildir is one, also where it begins like a folder. */
    const char *odd = archive_file("md/new/9.host", SPAN("From x\nFrom: x@a.example\n\nFrom y\n"));
    struct outcome o = ASSAY("bulk", "--json", ENVELOPE, folder);
    struct ledger ledger = ledger_of(o.out);
    cr_expect(o.status == 0 && ledger.lines == COUNT_OF(messages) + 1, "%s%s", o.out, o.err);
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        cr_expect(ledger_times(&ledger, archive_path(messages[i])) == 1, "%s", messages[i]);
    cr_expect(ledger_times(&ledger, odd) == 1);
    ledger_free(&ledger);
}

/* Recursive; hidden files are passed over, links not followed, pipes not opened. */
Test(bulk, what_a_walk_takes_and_what_it_leaves)
{
    const char *folder = archive_folder("tree");
    const char *outside = archive_file("outside/secret.eml", sample_bytes(0));
    archive_file("tree/a.eml", sample_bytes(0));
    archive_file("tree/b/c/d/e.eml", sample_bytes(1));
    archive_file("tree/b/c.mbox",
                 SPAN("From x\nFrom: x@a.example\n\nbody\n\nFrom y\nFrom: y@b\n\n"));
    archive_file("tree/.hidden.eml", sample_bytes(0));
    archive_file("tree/.git/x.eml", sample_bytes(0));
    archive_folder("tree/empty");
    cr_assert(symlink(outside, archive_path("tree/link.eml")) == 0);
    cr_assert(symlink(archive_path("outside"), archive_path("tree/linked")) == 0);
    cr_assert(symlink("..", archive_path("tree/loop")) == 0);
    cr_assert(symlink("nowhere", archive_path("tree/dangling")) == 0);
    cr_assert(mkfifo(archive_path("tree/pipe"), 0600) == 0);
    static const char *const want[] = {"tree/a.eml", "tree/b/c/d/e.eml", "tree/b/c.mbox#1",
                                       "tree/b/c.mbox#2"};
    struct outcome o = ASSAY("bulk", "--json", ENVELOPE, folder);
    struct ledger ledger = ledger_of(o.out);
    cr_expect(o.status == 0 && ledger.lines == COUNT_OF(want), "%s%s", o.out, o.err);
    for (size_t i = 0; i < COUNT_OF(want); i++)
        cr_expect(ledger_times(&ledger, archive_path(want[i])) == 1, "%s", want[i]);
    ledger_free(&ledger);
}

/* A tree deeper than the walk goes is told, the rest is judged. */
Test(bulk, very_deep_directories)
{
    for (int levels = 62; levels <= 65; levels++) {
        char name[400], path[600];
        int n = snprintf(name, sizeof name, "deep%d", levels);
        for (int i = 1; i < levels; i++)
            n += snprintf(name + n, sizeof name - (size_t)n, "/d");
        snprintf(path, sizeof path, "%s/x.eml", name);
        archive_file(path, sample_bytes(0));
        snprintf(path, sizeof path, "deep%d", levels);
        struct outcome o = ASSAY("bulk", "--json", ENVELOPE, archive_path(path));
        size_t want = levels <= 64;
        cr_expect(count_lines(o.out) == want && o.status == (want ? 0 : 66), "%d: %d %s", levels,
                  o.status, o.err);
    }
}

Test(bulk, five_thousand_messages_in_the_ledger_once)
{
    const char *folder = archive_repeated("many", 5000);
    json_t **checked = checked_samples();
    struct outcome o = ASSAY("bulk", "--json", ENVELOPE, folder);
    cr_assert(o.status == 0, "%s", o.err);
    struct ledger ledger = ledger_of(o.out);
    const json_t *summary = summary_of(o.err);
    cr_expect(ledger.lines == 5000 && json_object_size(ledger.verdicts) == 5000);
    json_t *want = json_object(); /* "dmarc.pass": count */
    for (size_t i = 0; i < 5000; i++) {
        char name[400];
        snprintf(name, sizeof name, "%s/%05zu-%s", folder, i + 1, sample_names()[i % SAMPLES]);
        const json_t *verdict = json_object_get(ledger.verdicts, name);
        cr_assert(ledger_times(&ledger, name) == 1, "%s", name);
        cr_assert_str_eq(json_text(verdict, "dmarc.result"),
                         json_text(checked[i % SAMPLES], "dmarc.result"), "%s", name);
        const char *const keys[] = {"spf", "arc", "dmarc"};
        for (size_t k = 0; k < COUNT_OF(keys); k++) {
            char path[64];
            snprintf(path, sizeof path, "%s.result", keys[k]);
            snprintf(path, sizeof path, "%s.%s", keys[k], json_text(verdict, path));
            json_object_set_new(want, path,
                                json_integer(json_integer_value(json_object_get(want, path)) + 1));
        }
    }
    cr_expect(number_at(summary, "messages") == 5000);
    const char *path;
    json_t *count;
    json_object_foreach(want, path, count)
        cr_expect(number_at(summary, path) == json_integer_value(count), "%s: got %lld, want %lld",
                  path, (long long)number_at(summary, path), (long long)json_integer_value(count));
    cr_expect(number_at(summary, "disposition.none") +
                  number_at(summary, "disposition.quarantine") ==
              5000);
    /* One question for each name that is asked for, whatever the number of messages. */
    cr_expect(number_at(summary, "dns.queries") < 200, "%s", o.err);
    cr_expect(number_at(summary, "cache.hits") > 10000, "%s", o.err);
    ledger_free(&ledger);
}

Test(bulk, an_empty_directory_and_an_empty_mbox)
{
    struct outcome o = ASSAY("bulk", "--json", ENVELOPE, archive_folder("empty"));
    cr_expect(o.status == 0 && o.out[0] == '\0', "%d %s", o.status, o.err);
    cr_expect(number_at(summary_of(o.err), "messages") == 0);
    o = ASSAY("bulk", ENVELOPE, archive_folder("empty"));
    cr_expect(o.status == 0 && strstr(o.out, "0 messages") && o.err[0] == '\0', "%s%s", o.out,
              o.err);
    /* As assay check: an empty file is no message. */
    o = ASSAY("bulk", "--json", ENVELOPE, archive_file("empty.mbox", SPAN("")));
    cr_expect(o.status == 65 && o.out[0] == '\0' && strstr(o.err, "no message"), "%d %s", o.status,
              o.err);
}

struct bad_case
{
    const char *name, *operand;
    int status;
    const char *word; /* in the one line on stderr */
};

static const struct bad_case bad_cases[] = {
    {"nothing there", "/nonexistent/archive", 66, "/nonexistent/archive: No such file"},
    {"prose", "PROSE", 65, "no message"},
    {"cannot be read", "/proc/self/mem", 66, "Input/output error"},
    {"second of an mbox is none", "MBOX", 65, "bad.mbox#2: this is no message"},
};

static const char *bad_operand(const char *operand)
{
    if (strcmp(operand, "PROSE") == 0)
        return archive_file("prose.txt", SPAN("Once upon a time\nthere was no header.\n"));
    if (strcmp(operand, "MBOX") == 0)
        return archive_file("bad.mbox", SPAN("From x\nFrom: x@a.example\n\nFrom y\nprose\n\n"
                                             "From z\nFrom: z@a.example\n\n"));
    return operand;
}

Test(bulk, bad_files_are_told_and_the_rest_is_judged)
{
    const char *good = archive_file("good.eml", sample_bytes(0));
    for (size_t i = 0; i < COUNT_OF(bad_cases); i++) {
        struct outcome o = ASSAY("bulk", "--brief", ENVELOPE, "--summary", archive_path("s.json"),
                                 bad_operand(bad_cases[i].operand), good);
        cr_expect(o.status == bad_cases[i].status, "%s: %d", bad_cases[i].name, o.status);
        cr_expect(strstr(o.err, bad_cases[i].word) && count_lines(o.err) == 1, "%s: %s",
                  bad_cases[i].name, o.err);
        cr_expect(strstr(o.out, "good.eml"), "%s: %s", bad_cases[i].name, o.out);
        json_t *summary = summary_of(text_of_file(archive_path("s.json")));
        cr_expect(number_at(summary, "unreadable") + number_at(summary, "no_message") == 1, "%s",
                  bad_cases[i].name);
    }
    struct outcome both = ASSAY("bulk", ENVELOPE, bad_operand("PROSE"), "/nonexistent", good);
    cr_expect(both.status == 66 && count_lines(both.err) == 2, "%d %s", both.status, both.err);
}

Test(bulk, usage)
{
    cr_expect(ASSAY("bulk").status == 64);
    cr_expect(ASSAY("bulk", "--jobs", "0", "/tmp").status == 64);
    cr_expect(ASSAY("bulk", "--jobs", "many", "/tmp").status == 64);
    cr_expect(ASSAY("bulk", "--dns", "/nonexistent/zone", "/tmp").status == 66);
    struct outcome help = ASSAY("help", "bulk");
    cr_expect(help.status == 0 && strstr(help.out, "--resume") &&
              strstr(help.out, "--trusted-hop"));
}

/* J08: neither a file's name nor a message speaks to the terminal. */
Test(bulk, names_of_files_are_escaped)
{
    archive_file("odd/\x1b[31m\n.eml", sample_bytes(0));
    archive_file("odd/\x1b]0;x\x07.txt", SPAN("prose\n"));
    struct outcome o = ASSAY("bulk", "--brief", ENVELOPE, archive_path("odd"));
    cr_expect(o.status == 65);
    for (const char *c = o.out; *c; c++)
        cr_assert((*c >= 0x20 && *c < 0x7f) || *c == '\n', "%s", o.out);
    for (const char *c = o.err; *c; c++)
        cr_assert((*c >= 0x20 && *c < 0x7f) || *c == '\n', "%s", o.err);
}

/* What no option says comes from the trace fields, where that is asked for. */
Test(bulk, envelope_from_headers)
{
    const char *path = archive_file(
        "trace.eml",
        SPAN("Return-Path: <orders@shop.example>\r\n"
             "Received: from relay.internal (relay.internal [10.0.0.1])\r\n\tby mx\r\n"
             "Received: from mx.shop.example (mx.shop.example [192.0.2.10])\r\n\tby r\r\n"
             "From: orders@shop.example\r\n\r\nbody\r\n"));
    struct outcome none = ASSAY("bulk", "--json", "--dns", ZONE, "--now", NOW, path);
    struct outcome top =
        ASSAY("bulk", "--json", "--dns", ZONE, "--now", NOW, "--envelope-from-headers", path);
    struct outcome second = ASSAY("bulk", "--json", "--dns", ZONE, "--now", NOW,
                                  "--envelope-from-headers", "--trusted-hop", "2", path);
    struct outcome option =
        ASSAY("bulk", "--json", "--dns", ZONE, "--now", NOW, "--envelope-from-headers",
              "--trusted-hop", "2", "--ip", "203.0.113.5", path);
    cr_expect(json_is_null(json_at(json_line(none.out, 0), "client")), "%s", none.out);
    cr_expect_str_eq(json_text(json_line(top.out, 0), "client"), "10.0.0.1");
    cr_expect_str_eq(json_text(json_line(top.out, 0), "spf.result"), "fail");
    cr_expect_str_eq(json_text(json_line(second.out, 0), "client"), "192.0.2.10");
    cr_expect_str_eq(json_text(json_line(second.out, 0), "spf.result"), "pass");
    cr_expect_str_eq(json_text(json_line(second.out, 0), "spf.scope"), "mfrom");
    cr_expect_str_eq(json_text(json_line(option.out, 0), "client"), "203.0.113.5");
}

/* Wherever a message begins in what is read: the trace fields below 60 KB of others are seen. */
Test(bulk, envelope_below_a_long_header)
{
    static char message[80 * 1024];
    const char *path = archive_file("long.mbox", SPAN(""));
    FILE *file = fopen(path, "wb");
    for (size_t i = 0; i < 60; i++) {
        size_t n = 0;
        for (size_t k = 0; k < i; k++)
            n +=
                (size_t)snprintf(message + n, sizeof message - n, "X-Field-%zu: %01000d\r\n", k, 0);
        n += (size_t)snprintf(message + n, sizeof message - n,
                              "Received: from h%zu.example (r [192.0.2.10])\r\n"
                              "From: x@shop.example\r\n\r\nbody\r\n",
                              i);
        append_to_mbox(file, span_of(message, n));
    }
    cr_assert(fclose(file) == 0);
    struct outcome o =
        ASSAY("bulk", "--json", "--dns", ZONE, "--now", NOW, "--envelope-from-headers", path);
    struct ledger ledger = ledger_of(o.out);
    const char *name;
    json_t *verdict;
    cr_expect(o.status == 0 && ledger.lines == 60, "%s", o.err);
    json_object_foreach(ledger.verdicts, name, verdict)
    {
        const char *client = json_text(verdict, "client");
        cr_expect(client && strcmp(client, "192.0.2.10") == 0, "%s: %s", name,
                  client ? client : "not known");
    }
    ledger_free(&ledger);
}

/* Text of one paragraph over and over, `bytes` of it at least. */
static void write_body(FILE *file, size_t bytes)
{
    static const char line[] =
        "All work and no play makes a body of many lines, all of them alike.\r\n";
    for (size_t n = 0; n < bytes; n += sizeof line - 1)
        fwrite(line, 1, sizeof line - 1, file);
}

/* 60 MB in one message: judged as assay check does (over the limit of 50 MiB), in memory that does
 * not grow with it. */
Test(bulk, a_huge_message)
{
    const char *path = archive_file("huge/one.eml", SPAN(""));
    FILE *file = fopen(path, "wb");
    fputs("From: x@shop.example\r\nSubject: huge\r\n\r\n", file);
    write_body(file, 60 * 1000 * 1000);
    cr_assert(fclose(file) == 0);
    archive_file("huge/two.eml", sample_bytes(0));
    struct outcome check = ASSAY("check", "--json", ENVELOPE, path);
    const char *argv[] = {"bulk", "--json", ENVELOPE, archive_path("huge"), NULL};
    const char *out = archive_path("huge.out");
    FILE *results = fopen(out, "wb");
    struct rusage usage;
    int status;
    pid_t child = assay_start(argv, -1, fileno(results), -1);
    cr_assert(wait4(child, &status, 0, &usage) == child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    struct ledger ledger = ledger_of(text_of_file(out));
    cr_expect(ledger.lines == 2);
    expect_same(path, json_object_get(ledger.verdicts, path), json_line(check.out, 0));
    if (!strstr(getenv("ASSAY") ? getenv("ASSAY") : "", "address")) /* a sanitizer has its own */
        cr_expect(usage.ru_maxrss < 64 * 1024, "%ld KiB", usage.ru_maxrss);
    fclose(results);
    ledger_free(&ledger);
}

/* Every question fails by time: as in assay check, that is a resolver away. */
Test(bulk, resolver_away_is_69)
{
    const char *path = archive_file("m.eml", sample_bytes(0));
    struct outcome o =
        ASSAY("bulk", "--json", "--resolver", "127.0.0.1@9", "--timeout", "1500", path);
    cr_expect(o.status == 69 && count_lines(o.out) == 1, "%d %s", o.status, o.err);
}
