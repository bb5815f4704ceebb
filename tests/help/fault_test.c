/*
 * Bad input, for every command the same: one clear line on standard error, nothing on standard
 * output, the exit status that the manual page tells. A command without rows here fails the test.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/tool.h"

struct fault
{
    const char *name;
    const char *argv[15];
    int status;
    const char *word; /* in the line */
};

/* Words in capitals stand for files, see expand(). */
#define KEY "-d", "a.example", "-s", "s1"

static const struct fault faults[] = {
    {"wrong value", {"check", "--ip", "300.1.1.1"}, 64, "300.1.1.1"},
    {"wrong word", {"check", "--dmarc-mode", "magic"}, 64, "treewalk, psl, compare"},
    {"wrong number", {"check", "--timeout", "0"}, 64, "--timeout"},
    {"exclusive", {"check", "--dns", "ZONE", "--resolver", "127.0.0.1"}, 64, "exclude"},
    {"no such file", {"check", "--dns", "ZONE", "/nonexistent"}, 66, "/nonexistent"},
    {"a folder", {"check", "--dns", "ZONE", "/"}, 66, "directory"},
    {"no message", {"check", "--dns", "ZONE", "PROSE"}, 65, "no message"},
    {"no zone", {"check", "--dns", "/nonexistent", "MESSAGE"}, 66, "/nonexistent"},
    {"bad zone", {"check", "--dns", "BADZONE", "MESSAGE"}, 78, ":1:"},
    {"option of another command", {"check", "--jobs", "2", "MESSAGE"}, 64, "--jobs"},
    {"no abbreviations", {"check", "--mail", "a@a.example", "MESSAGE"}, 64, "--mail"},

    {"no argument", {"bulk"}, 64, "bulk"},
    {"wrong value", {"bulk", "--jobs", "many", "MESSAGE"}, 64, "many"},
    {"exclusive", {"bulk", "--dns", "ZONE", "--resolver", "127.0.0.1", "x"}, 64, "exclude"},
    {"no zone", {"bulk", "--dns", "/nonexistent", "MESSAGE"}, 66, "/nonexistent"},

    {"no argument", {"spf"}, 64, "--ip"},
    {"wrong value", {"spf", "--ip", "nonsense"}, 64, "nonsense"},
    {"exclusive",
     {"spf", "--ip", "192.0.2.1", "--helo", "h", "--dns", "ZONE", "--resolver", "::1"},
     64,
     "exclude"},
    {"no zone",
     {"spf", "--ip", "192.0.2.1", "--helo", "a.example", "--dns", "/nonexistent"},
     66,
     "/nonexistent"},
    {"an operand", {"spf", "--ip", "192.0.2.1", "--helo", "a.example", "x"}, 64, "nothing else"},
    {"option of another command", {"spf", "--brief"}, 64, "--brief"},

    {"no argument", {"dmarc"}, 64, "DOMAIN"},
    {"wrong value", {"dmarc", "a..example"}, 64, "a..example"},
    {"exclusive", {"dmarc", "a.example", "--dns", "ZONE", "--resolver", "::1"}, 64, "exclude"},
    {"bad zone", {"dmarc", "a.example", "--dns", "BADZONE"}, 78, ":1:"},
    {"option of another command", {"dmarc", "a.example", "--helo", "h"}, 64, "--helo"},

    {"no daemon", {"query", "--socket", "/nonexistent", "ping"}, 69, "/nonexistent"},
    {"no argument for a question", {"query", "--socket", "/nonexistent", "dmarc"}, 64, "DOMAIN"},
    {"wrong value", {"query", "--ip", "nonsense", "MESSAGE"}, 64, "nonsense"},
    {"option of another command", {"query", "--dns", "ZONE", "MESSAGE"}, 64, "--dns"},

    {"no argument", {"keygen"}, 64, "-d"},
    {"wrong value", {"keygen", KEY, "--type", "dsa"}, 64, "rsa, ed25519"},
    {"exclusive", {"keygen", KEY, "--from", "KEYFILE", "--bits", "2048"}, 64, "--bits"},
    {"no such file", {"keygen", KEY, "--from", "/nonexistent"}, 66, "/nonexistent"},
    {"no key", {"keygen", KEY, "--from", "PRIVATEPROSE"}, 65, "no private key"},
    {"into no folder", {"keygen", KEY, "-o", "/nonexistent/x"}, 73, "/nonexistent/x"},

    {"no argument", {"testkey"}, 64, "-d"},
    {"exclusive",
     {"testkey", "-d", "a.example", "--key-table", "ZONE", "-s", "s1"},
     64,
     "--key-table"},
    {"no such table", {"testkey", "--key-table", "/nonexistent"}, 66, "/nonexistent"},
    {"no zone", {"testkey", KEY, "--dns", "/nonexistent"}, 66, "/nonexistent"},
    {"an operand", {"testkey", KEY, "x"}, 64, "x"},

    {"no argument", {"sign", "MESSAGE"}, 64, "-d"},
    {"wrong value", {"sign", KEY, "-k", "KEYFILE", "-c", "loose", "MESSAGE"}, 64, "loose"},
    {"exclusive", {"sign", KEY, "-k", "KEYFILE", "--key-table", "x", "MESSAGE"}, 64, "--key-table"},
    {"no such file", {"sign", KEY, "-k", "KEYFILE", "/nonexistent"}, 66, "/nonexistent"},
    {"no such key", {"sign", KEY, "-k", "/nonexistent", "MESSAGE"}, 66, "/nonexistent"},
    {"no message", {"sign", KEY, "-k", "KEYFILE", "PROSE"}, 65, "PROSE"},
    {"into no folder",
     {"sign", KEY, "-k", "KEYFILE", "-o", "/nonexistent/x", "MESSAGE"},
     73,
     "/nonexistent/x"},

    {"no argument", {"seal", "MESSAGE"}, 64, "-d"},
    {"wrong value", {"seal", KEY, "-k", "KEYFILE", "--cv", "maybe", "MESSAGE"}, 64, "none, pass"},
    {"exclusive",
     {"seal", KEY, "-k", "KEYFILE", "--dns", "ZONE", "--resolver", "::1", "MESSAGE"},
     64,
     "exclude"},
    {"no such file", {"seal", KEY, "-k", "KEYFILE", "/nonexistent"}, 66, "/nonexistent"},
    {"no such key",
     {"seal", KEY, "-k", "/nonexistent", "--dns", "ZONE", "MESSAGE"},
     66,
     "/nonexistent"},

    {"no such file", {"replay", "/nonexistent"}, 66, "/nonexistent"},
    {"no capsule", {"replay", "PROSE"}, 65, "PROSE"},
    {"a folder", {"replay", "/"}, 66, "directory"},
    {"unknown option", {"replay", "--dns", "ZONE"}, 64, "--dns"},

    {"no argument", {"record"}, 64, "kind"},
    {"wrong value", {"record", "dmarc", "-d", "a.example", "--p", "accept"}, 64, "accept"},
    {"exclusive",
     {"record", "spf", "-d", "a.example", "--redirect", "b.example", "--all", "fail"},
     64,
     "exclude"},
    {"no such file", {"record", "dkim", KEY, "--from", "/nonexistent"}, 66, "/nonexistent"},
    {"into no folder",
     {"record", "spf", "-d", "a.example", "--all", "fail", "-o", "/nonexistent/x"},
     73,
     "/nonexistent/x"},

    {"no argument", {"lint"}, 64, "lint"},
    {"wrong value", {"lint", "a.example", "--kind", "arc"}, 64, "spf, dkim, dmarc"},
    {"exclusive", {"lint", "a.example", "--record", "v=spf1 -all"}, 64, "--record"},
    {"no such file", {"lint", "--message", "/nonexistent", "--dns", "ZONE"}, 66, "/nonexistent"},
    {"bad zone", {"lint", "a.example", "--zone", "BADZONE"}, 78, ":1:"},

    {"wrong value", {"explain", "--ip", "nonsense"}, 64, "nonsense"},
    {"exclusive", {"explain", "--dns", "ZONE", "--resolver", "::1", "MESSAGE"}, 64, "exclude"},
    {"no such file", {"explain", "--dns", "ZONE", "/nonexistent"}, 66, "/nonexistent"},
    {"no message", {"explain", "--dns", "ZONE", "PROSE"}, 65, "PROSE"},
    {"bad zone", {"explain", "--dns", "BADZONE", "MESSAGE"}, 78, ":1:"},
};

static const char *key_file(void)
{
    static char path[256];
    if (*path)
        return path;
    snprintf(path, sizeof path, "%s/key", temporary_folder());
    struct outcome o = ASSAY("keygen", KEY, "-t", "ed25519", "-o", path);
    cr_assert(o.status == 0, "%s", o.err);
    return path;
}

static const char *expand(const char *word)
{
    static char *private_prose;
    if (strcmp(word, "ZONE") == 0)
        return temporary_file("ZONE", SPAN("a.example. A 192.0.2.1\n"));
    if (strcmp(word, "BADZONE") == 0)
        return temporary_file("BADZONE", SPAN("a.example. A 300\n"));
    if (strcmp(word, "MESSAGE") == 0)
        return temporary_file("MESSAGE", SPAN("From: a@a.example\r\nTo: b@b.example\r\n\r\nx\r\n"));
    if (strcmp(word, "PROSE") == 0)
        return temporary_file("PROSE", SPAN("Once upon a time\nthere was no header.\n"));
    if (strcmp(word, "KEYFILE") == 0)
        return key_file();
    if (strcmp(word, "PRIVATEPROSE") != 0)
        return word;
    const char *path = temporary_file("PRIVATE", SPAN("Once upon a time\n"));
    char command[300];
    snprintf(command, sizeof command, "chmod 600 %s", path);
    cr_assert(system(command) == 0);
    free(private_prose);
    return private_prose = strdup(path);
}

/* What assay(1) and the command's own page say of this status. */
static void expect_documented(const struct fault *fault)
{
    char command[256];
    snprintf(command, sizeof command, "grep -qx '.It %d' man/assay-%s.1", fault->status,
             fault->argv[0]);
    cr_expect(system(command) == 0, "%s: %s: assay-%s(1) does not tell of status %d",
              fault->argv[0], fault->name, fault->argv[0], fault->status);
}

Test(fault, one_line_and_the_documented_status)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const struct fault *fault = &faults[i];
        const char *argv[16] = {NULL};
        for (size_t k = 0; fault->argv[k]; k++)
            argv[k] = k ? expand(fault->argv[k]) : fault->argv[k];
        struct outcome o = assay(SPAN(""), argv);
        cr_expect(o.status == fault->status, "%s, %s: got %d, want %d: %s", argv[0], fault->name,
                  o.status, fault->status, o.err);
        cr_expect(strstr(o.err, fault->word) != NULL, "%s, %s: no \"%s\" in: %s", argv[0],
                  fault->name, fault->word, o.err);
        cr_expect(count_lines(o.err) == 1 && strncmp(o.err, "assay: ", 7) == 0, "%s, %s: %s",
                  argv[0], fault->name, o.err);
        cr_expect(*o.out == '\0', "%s, %s: %s", argv[0], fault->name, o.out);
        expect_documented(fault);
    }
}

/* Every command that `assay help` lists has rows above, and knows neither --nonsense nor an option
 * without its value. */
Test(fault, every_command_is_asked)
{
    struct outcome help = ASSAY("help");
    for (const char *line = help.out; line && *line;
         line = strchr(line, '\n'), line += line != NULL) {
        char name[16];
        size_t rows = 0;
        if (strncmp(line, "  ", 2) != 0 || sscanf(line, "  %15[a-z]", name) != 1 ||
            strcmp(name, "help") == 0)
            continue;
        for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
            rows += strcmp(faults[i].argv[0], name) == 0;
        cr_expect(rows >= 4, "%s: %zu rows", name, rows);
        struct outcome unknown = ASSAY(name, "--nonsense");
        cr_expect(unknown.status == 64 && count_lines(unknown.err) == 1 &&
                      strstr(unknown.err, "--nonsense"),
                  "%s: %d %s", name, unknown.status, unknown.err);
        struct outcome valued = ASSAY(name, "--json=yes");
        cr_expect(valued.status == 64 && count_lines(valued.err) == 1, "%s: %d %s", name,
                  valued.status, valued.err);
    }
    cr_expect(ASSAY("nonsense").status == 64 && ASSAY("help", "nonsense").status == 64);
}

/* What cannot be written was not done: no status that says a key is bad, or all is well. */
Test(fault, standard_output_that_takes_nothing)
{
    const char *const commands[][12] = {
        {"help", NULL},
        {"completion", "bash", NULL},
        {"--version", NULL},
        {"keygen", KEY, "-t", "ed25519", "--force", "-o", key_file(), NULL},
        {"record", "spf", "-d", "a.example", "--all", "fail", NULL},
        {"lint", "--record", "v=spf1 -all", NULL},
        {"sign", KEY, "-k", key_file(), strdup(expand("MESSAGE")), NULL},
        {"check", "--json", "--dns", strdup(expand("ZONE")), strdup(expand("MESSAGE")), NULL},
        {"explain", "--dns", strdup(expand("ZONE")), strdup(expand("MESSAGE")), NULL},
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        int status, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        pid_t child = assay_start(commands[i], -1, full, -1);
        close(full);
        cr_assert(waitpid(child, &status, 0) == child);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 73, "%s: %x", commands[i][0], status);
    }
}

/* Descriptors that were closed for it: no output lands in a file of its own, or in a socket. */
Test(fault, standard_descriptors_that_are_closed)
{
    char command[4096], capsule[256];
    const char *message = strdup(expand("MESSAGE")), *zone = strdup(expand("ZONE"));
    const char *tool = getenv("ASSAY") ? getenv("ASSAY") : "build/assay";
    snprintf(capsule, sizeof capsule, "%s/capsule", temporary_folder());
    snprintf(command, sizeof command,
             "%s check --json --dns %s --record %s %s <&- >&- 2>&-; test $? = 73 && "
             "test \"$(head -c 1 %s)\" = '{' && %s replay --brief %s >%s.out && "
             "%s check --dns %s - <&- >%s.out 2>&1; test $? = 66",
             tool, zone, capsule, message, capsule, tool, capsule, capsule, tool, zone, capsule);
    cr_expect(system(command) == 0, "%s", command);
}

Test(fault, help_of_completion)
{
    struct outcome o = ASSAY("help", "completion");
    cr_expect(o.status == 0 && strstr(o.out, "bash|zsh|fish"), "%d %s", o.status, o.err);
}
