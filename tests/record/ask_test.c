/*
 * assay record step by step: a person at a terminal (tmux) answers, makes mistakes, leaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "support/corpora.h"
#include "support/terminal.h"
#include "support/tool.h"

enum
{
    STEPS_MAX = 24,
};

struct dialogue
{
    const char *name;
    const char *arguments; /* behind "record" */
    struct
    {
        const char *prompt, *answer;
    } steps[STEPS_MAX];
    const char *equal; /* the options that give the same record */
};

static const struct dialogue dialogues[] = {
    {"every question of dmarc",
     "dmarc",
     {{"domain: ", "a.example"},
      {"p [none]: ", "quarantine"},
      {"t [n]: ", "y"},
      {"sp: ", "reject"},
      {"np: ", "reject"},
      {"rua: ", "r@a.example, q@r.test"},
      {"ruf: ", "f@a.example"},
      {"fo [0]: ", "1"},
      {"adkim [r]: ", "s"},
      {"aspf [r]: ", "s"}},
     "dmarc -d a.example --p quarantine --t y --sp reject --np reject --rua r@a.example,q@r.test "
     "--ruf f@a.example --fo 1 --adkim s --aspf s"},
    {"dmarc by its defaults; the kind is asked for, too",
     "",
     {{"kind: ", "dmark"},
      {"one of dkim, spf, dmarc, report is wanted", "dmarc"},
      {"domain: ", "a.example"},
      {"p [none]: ", ""},
      {"sp: ", ""},
      {"np: ", ""},
      {"rua: ", "r@a.example"},
      {"ruf: ", ""},
      {"adkim [r]: ", ""},
      {"aspf [r]: ", ""}},
     "dmarc -d a.example --p none --rua r@a.example"},
    {"wrong answers are asked for again",
     "spf",
     {{"domain: ", ""},
      {"an answer is needed here", "a..example"},
      {"no domain name", "a.example"},
      {"mx: ", "@"},
      {"ip4: ", "192.0.2.1 300.1.1.1"},
      {"\"300.1.1.1\": this is no IPv4", "192.0.2.1  198.51.100.0/24"},
      {"ip6: ", ""},
      {"\na: ", ""},
      {"include: ", "localhost"},
      {"\"localhost\": this is no domain name", "i.example"},
      {"all [softfail]: ", "maybe"},
      {"\"maybe\" is none of", "fail"}},
     "spf -d a.example --mx @ --ip4 192.0.2.1 --ip4 198.51.100.0/24 --include i.example --all "
     "fail"},
    {"a key",
     "dkim",
     {{"domain: ", "a.example"},
      {"selector: ", "s1"},
      {"from: ", "/nonexistent"},
      {"No such file", "KEY"},
      {"testing [n]: ", "perhaps"},
      {"y or n", "y"},
      {"no-subdomains [n]: ", ""}},
     "dkim -d a.example -s s1 --from KEY --testing"},
    {"an encrypted key, and a wrong passphrase before",
     "dkim",
     {{"domain: ", "a.example"},
      {"selector: ", "s1"},
      {"from: ", "LOCKED"},
      {"Passphrase of ", "open barley"},
      {"is not that of this key", "LOCKED"},
      {"Passphrase of ", "open sesame"},
      {"testing [n]: ", ""},
      {"no-subdomains [n]: ", "y"}},
     "dkim -d a.example -s s1 --from LOCKED --passphrase-file PHRASE --no-subdomains"},
    {"report",
     "report",
     {{"domain: ", "a.example"}, {"to: ", "x@r.test"}},
     "report -d a.example --to r.test"},
};

static char *path_of(const char *name)
{
    char *path;
    cr_assert(asprintf(&path, "%s/%s", temporary_folder(), name) > 0);
    return path;
}

static void make_keys(void)
{
    const char *phrase = temporary_file("PHRASE", SPAN("open sesame\n"));
    struct outcome key =
        ASSAY("keygen", "-d", "a.example", "-s", "s1", "-t", "ed25519", "-o", path_of("KEY"));
    struct outcome locked = ASSAY("keygen", "-d", "a.example", "-s", "s1", "-t", "ed25519", "-o",
                                  path_of("LOCKED"), "--passphrase-file", phrase);
    cr_assert(key.status == 0 && locked.status == 0, "%s%s", key.err, locked.err);
}

/* The tool, in the folder with the keys, its standard output in a file, its status on the screen.
 */
static char *command_for(const char *arguments, const char *out)
{
    char *command, tool[4096];
    cr_assert(realpath(getenv("ASSAY") ? getenv("ASSAY") : "build/assay", tool) != NULL);
    cr_assert(asprintf(&command, "trap : INT; cd %s && %s record %s >%s; echo \"status=$?\"",
                       temporary_folder(), tool, arguments, out) > 0);
    return command;
}

static char *text_of(const char *name)
{
    return (char *)(uintptr_t)file_read(path_of(name)).p;
}

static void answer_all(const struct dialogue *d)
{
    struct terminal terminal;
    terminal_start(&terminal, command_for(d->arguments, "asked"));
    for (size_t i = 0; i < STEPS_MAX && d->steps[i].prompt; i++) {
        unsigned times = 1;
        for (size_t k = 0; k < i; k++)
            times += strcmp(d->steps[k].prompt, d->steps[i].prompt) == 0;
        terminal_await_times(&terminal, d->steps[i].prompt, times);
        terminal_enter(&terminal, d->steps[i].answer);
    }
    terminal_await(&terminal, "status=0");
    terminal_end(&terminal);
}

/* Whatever is asked, the record is that of the options. */
Test(record_ask, answers_are_options, .init = make_keys)
{
    for (size_t i = 0; i < sizeof dialogues / sizeof dialogues[0]; i++) {
        answer_all(&dialogues[i]);
        int status = system(command_for(dialogues[i].equal, "given"));
        cr_expect(status == 0, "%s: %d", dialogues[i].name, status);
        cr_expect(strcmp(text_of("asked"), text_of("given")) == 0, "%s:\nasked %s\ngiven %s",
                  dialogues[i].name, text_of("asked"), text_of("given"));
    }
}

/* Ctrl-D and ctrl-C, at once and in the middle: no record, no half of one. */
Test(record_ask, leaving_prints_nothing)
{
    static const struct
    {
        const char *key, *status;
        bool in_the_middle;
    } ways[] = {{"C-d", "status=65", false},
                {"C-d", "status=65", true},
                {"C-c", "status=130", false},
                {"C-c", "status=130", true}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct terminal terminal;
        terminal_start(&terminal, command_for("dmarc", "asked"));
        terminal_await(&terminal, "domain: ");
        if (ways[i].in_the_middle) {
            terminal_enter(&terminal, "a.example");
            terminal_await(&terminal, "p [none]: ");
            terminal_type(&terminal, "rej");
            if (strcmp(ways[i].key, "C-d") == 0)
                terminal_press(&terminal, "C-u");
        }
        terminal_press(&terminal, ways[i].key);
        terminal_await(&terminal, ways[i].status);
        cr_expect(*text_of("asked") == '\0', "%s", text_of("asked"));
        terminal_end(&terminal);
    }
}

/* With any option nobody is asked, at a terminal either. */
Test(record_ask, options_ask_nothing)
{
    struct terminal terminal;
    terminal_start(&terminal, command_for("dmarc --p none", "asked"));
    terminal_await(&terminal, "status=64");
    cr_expect(strstr(terminal.screen, "wants a domain") != NULL, "%s", terminal.screen);
    cr_expect(strstr(terminal.screen, "domain: ") == NULL, "%s", terminal.screen);
    terminal_end(&terminal);
}
