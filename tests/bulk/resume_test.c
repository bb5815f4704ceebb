/*
 * --resume: whatever ends a run, the next one goes on: every message comes at least once in all
 * runs together, and twice only where it was killed between a result and its line in the journal.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"

#define RUN "bulk", "--json", "--dns", ZONE, "--now", NOW

static uint64_t seed = 88172645463325252u;

static unsigned random_below(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % n);
}

/* The complete lines of a journal but its heading, as a set. */
static json_t *journal_names(const char *path)
{
    json_t *names = json_object();
    char *text = text_of_file(path);
    const char *line = strchr(text, '\n');
    for (const char *end; line && (end = strchr(line + 1, '\n')) != NULL; line = end) {
        char name[512];
        snprintf(name, sizeof name, "%.*s", (int)(end - line - 1), line + 1);
        cr_assert(!json_object_get(names, name), "twice in the journal: %s", name);
        json_object_set_new(names, name, json_true());
    }
    return names;
}

/* What comes out of the pipe until `most` bytes were read or it ends; false at its end. */
static bool copy_some(int from, int to, size_t most)
{
    char bytes[4096];
    ssize_t n;
    for (size_t sum = 0; sum < most; sum += (size_t)n) {
        n = read(from, bytes, sizeof bytes);
        if (n <= 0)
            return false;
        cr_assert(write(to, bytes, (size_t)n) == n);
    }
    return true;
}

/*
 * One run into `out` that is killed when `most` bytes of its results were read: it cannot have got
 * far ahead of its reader, however fast it is. True when it ended by itself before.
 */
static bool run_and_kill(const char *const *argv, const char *out, size_t most)
{
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), ends[2], status;
    cr_assert(fd >= 0 && pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = assay_start(argv, -1, ends[1], -1);
    close(ends[1]);
    if (copy_some(ends[0], fd, most)) {
        usleep(random_below(3000));
        kill(child, SIGKILL);
        copy_some(ends[0], fd, SIZE_MAX);
    }
    close(ends[0]);
    close(fd);
    cr_assert(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status))
        return false;
    cr_assert(WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    return true;
}

/* Runs until one ends by itself, checking after each what must hold; returns the number of runs. */
static unsigned run_to_the_end(const char *archive, const char *journal, json_t *times,
                               unsigned most_bytes)
{
    const char *argv[] = {RUN, "--resume", journal, archive, NULL};
    const char *out = archive_path("out.json");
    json_t *before = json_object();
    for (unsigned runs = 1;; runs++) {
        bool ended = run_and_kill(argv, out, runs < 40 ? 1 + random_below(most_bytes) : SIZE_MAX);
        struct ledger ledger;
        ledger_read(&ledger, text_of_file(out));
        json_t *after = journal_names(journal);
        const char *name;
        json_t *value;
        json_object_foreach(ledger.times, name, value)
        {
            cr_assert(json_integer_value(value) == 1, "twice in one run: %s", name);
            cr_assert(!json_object_get(before, name), "in the journal, and judged again: %s", name);
            json_int_t sum = json_integer_value(json_object_get(times, name));
            json_object_set_new(times, name, json_integer(sum + 1));
        }
        json_object_foreach(after, name, value)
            cr_assert(json_object_get(before, name) || ledger_times(&ledger, name) == 1,
                      "in the journal, but its result was not written: %s", name);
        json_decref(before);
        before = after;
        ledger_free(&ledger);
        if (!ended)
            continue;
        json_decref(before);
        return runs;
    }
}

Test(resume, killed_at_random_moments)
{
    const char *archives[] = {archive_repeated("many", 5000), archive_mbox("many.mbox", 5000)};
    for (size_t a = 0; a < COUNT_OF(archives); a++) {
        const char *journal = archive_path(a ? "mbox.journal" : "files.journal");
        json_t *times = json_object();
        unsigned runs = run_to_the_end(archives[a], journal, times, 2 << 20);
        size_t doubles = 0;
        const char *name;
        json_t *value;
        json_object_foreach(times, name, value) doubles += (size_t)json_integer_value(value) - 1;
        cr_expect(json_object_size(times) == 5000, "%zu of 5000", json_object_size(times));
        for (size_t i = 0; a && i < 5000; i++) {
            char want[512];
            snprintf(want, sizeof want, "%s#%zu", archives[a], i + 1);
            cr_assert(json_object_get(times, want), "%s is missing", want);
        }
        cr_expect(runs > 2, "%u runs: nothing was killed", runs);
        printf("suite bulk: resumed %u times, %zu of 5000 judged twice\n", runs - 1, doubles);
        json_decref(times);
    }
}

static struct outcome resume(const char *journal, const char *archive)
{
    return ASSAY(RUN, "--resume", journal, archive);
}

Test(resume, a_second_run_has_nothing_to_do)
{
    const char *folder = archive_of_samples("samples"), *journal = archive_path("journal");
    struct outcome first = resume(journal, folder), second = resume(journal, folder);
    cr_expect(first.status == 0 && count_lines(first.out) == SAMPLES, "%s", first.err);
    cr_expect(second.status == 0 && second.out[0] == '\0', "%s", second.out);
    cr_expect(number_at(summary_of(second.err), "done_before") == SAMPLES, "%s", second.err);
    archive_file("samples/new.eml", sample_bytes(0));
    struct outcome third = resume(journal, folder);
    cr_expect(count_lines(third.out) == 1 && strstr(third.out, "new.eml"), "%s", third.out);
}

/* Whatever can stand at a journal's end after a kill: a last line that was cut does not count. */
Test(resume, a_line_that_was_cut_does_not_count)
{
    const char *folder = archive_of_samples("samples"), *journal = archive_path("journal");
    struct outcome first = resume(journal, folder);
    struct span whole = file_read(journal);
    cr_assert(first.status == 0);
    for (size_t cut = 0; cut <= whole.n; cut += cut + 6 < whole.n ? 1 + random_below(60) : 1) {
        size_t lines = 0;
        for (size_t i = 0; i < cut; i++)
            lines += whole.p[i] == '\n';
        size_t done = lines ? lines - 1 : 0;
        archive_file("journal", span_slice(whole, 0, cut));
        struct outcome o = resume(journal, folder);
        cr_assert(o.status == 0 && count_lines(o.out) == SAMPLES - done, "cut at %zu: %d %s", cut,
                  o.status, o.err);
        json_t *names = journal_names(journal);
        cr_assert(json_object_size(names) == SAMPLES, "cut at %zu", cut);
        json_decref(names);
        o = resume(journal, folder);
        cr_assert(o.status == 0 && o.out[0] == '\0', "cut at %zu: judged again: %s", cut, o.out);
    }
}

/* A file that is something else is not written to; one in use is left alone. */
Test(resume, journals_that_are_none)
{
    static const char *const others[] = {"precious data\n", "assay bulk journal 2\n", "a"};
    const char *folder = archive_of_samples("samples");
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        const char *path = archive_file("other", span_from_string(others[i]));
        struct outcome o = resume(path, folder);
        if (strcmp(others[i], "a") == 0) { /* the heading's beginning: a run was killed there */
            cr_expect(o.status == 0);
            continue;
        }
        cr_expect(o.status == 78 && strstr(o.err, "no journal") && o.out[0] == '\0', "%d %s",
                  o.status, o.err);
        cr_expect_str_eq(text_of_file(path), others[i]);
    }
    const char *used = archive_path("used");
    int fd = open(used, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert(flock(fd, LOCK_EX) == 0);
    struct outcome o = resume(used, folder);
    cr_expect(o.status == 78 && strstr(o.err, "another run"), "%d %s", o.status, o.err);
    cr_expect(resume("/nonexistent/journal", folder).status == 78);
    close(fd);
}

/* Names with line ends and per cent signs keep apart. */
Test(resume, names_are_told_apart)
{
    const char *journal = archive_path("journal");
    archive_file("odd/a\nb", sample_bytes(0));
    archive_file("odd/a%0Ab", sample_bytes(1));
    struct outcome first = resume(journal, archive_path("odd"));
    cr_expect(count_lines(first.out) == 2);
    archive_file("odd/a", sample_bytes(2));
    archive_file("odd/b", sample_bytes(3));
    struct outcome second = resume(journal, archive_path("odd"));
    cr_expect(count_lines(second.out) == 2, "%s", second.out);
    json_t *names = journal_names(journal);
    cr_expect(json_object_size(names) == 4);
    json_decref(names);
}

/* What could not be judged is not done: it is told again, and the status is what it was. */
Test(resume, what_is_no_message_is_told_again)
{
    const char *journal = archive_path("journal");
    archive_file("mixed/a.eml", sample_bytes(0));
    archive_file("mixed/b.txt", SPAN("prose\n"));
    for (int run = 0; run < 2; run++) {
        struct outcome o = resume(journal, archive_path("mixed"));
        cr_expect(o.status == 65 && strstr(o.err, "b.txt"), "%d %s", o.status, o.err);
        cr_expect(count_lines(o.out) == (run == 0));
    }
}

/* Output that cannot be written ends the run, and nothing that was not written is in the journal.
 */
Test(resume, output_that_cannot_be_written)
{
    const char *folder = archive_of_samples("samples"), *journal = archive_path("journal");
    const char *argv[] = {RUN, "--resume", journal, folder, NULL};
    int status, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert(full >= 0);
    pid_t child = assay_start(argv, -1, full, -1);
    cr_assert(waitpid(child, &status, 0) == child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 73);
    json_t *names = journal_names(journal);
    cr_expect(json_object_size(names) == 0);
    json_decref(names);
    close(full);
    cr_expect(count_lines(resume(journal, folder).out) == SAMPLES);
}
