/*
 * Completion scripts in the shells they are for: commands, options, an option's words, files.
 *
 * bash gets the words as its line editor gives them, fish tells what it would offer, zsh is typed
 * at; bash and zsh are typed at a terminal once more, from where `make install` puts the scripts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "support/terminal.h"
#include "support/tool.h"

struct completion
{
    const char *name;
    const char *line;    /* what stands before the cursor */
    const char *offered; /* between blanks: each must be offered */
    const char *absent;  /* NULL, or what must not be */
};

static const struct completion completions[] = {
    {"commands", "assay ", "check bulk spf dmarc query keygen testkey sign seal record lint help",
     "completion"},
    {"a command that has begun", "assay ke", "keygen", "check"},
    {"help of a command", "assay help te", "testkey", "keygen"},
    {"options", "assay keygen --re", "--restrict", "--type"},
    {"options of the command alone", "assay spf --", "--ip --mail-from --json --help", "--jobs"},
    {"words of an option", "assay keygen --type ", "rsa ed25519", "--bits"},
    {"a word that has begun", "assay keygen --type e", "ed25519", "rsa"},
    {"words behind a letter", "assay keygen -t ", "rsa ed25519", NULL},
    {"words of another option", "assay record dmarc --p ", "none quarantine reject", NULL},
    {"words with slashes", "assay sign -c relaxed/", "relaxed/relaxed relaxed/simple", NULL},
    {"operands that are words", "assay record ", "dkim spf dmarc report", "Makefile"},
    {"operands that are words or files", "assay query st", "stats", NULL},
    {"a file", "assay check Make", "Makefile", NULL},
    {"a file of an option", "assay check --dns Make", "Makefile", NULL},
    {"a file beside words", "assay query Make", "Makefile", NULL},
    {"nothing to offer", "assay keygen --domain ", "", "Makefile"},
    {"no operands", "assay keygen Make", "", "Makefile"},
};

static const char *tool_path(void)
{
    static char path[4096];
    cr_assert(realpath(getenv("ASSAY") ? getenv("ASSAY") : "build/assay", path) != NULL);
    return path;
}

static char *shell(const char *command)
{
    char *text = calloc(1, 64 * 1024);
    FILE *pipe = popen(command, "r");
    cr_assert(text && pipe);
    size_t n = fread(text, 1, 64 * 1024 - 1, pipe);
    text[n] = '\0';
    cr_assert(pclose(pipe) == 0, "%s", command);
    return text;
}

static void require(const char *program)
{
    char command[64];
    snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    if (system(command) != 0)
        cr_skip_test("%s is not installed", program);
}

/* A line of `offers` is `word`, or begins with it and a tab (fish's description). */
static bool has(const char *offers, const char *word)
{
    size_t n = strlen(word);
    for (const char *line = offers; line && *line; line = strchr(line, '\n'), line += line != NULL)
        if (strncmp(line, word, n) == 0 && strchr("\n\t ", line[n]))
            return true;
    return false;
}

static void expect_offers(const char *shell_name, const struct completion *c, const char *offers)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s", c->offered);
    for (char *rest = wanted, *word; (word = strtok_r(rest, " ", &rest));)
        cr_expect(has(offers, word), "%s, %s: no \"%s\" in:\n%s", shell_name, c->name, word,
                  offers);
    if (c->absent)
        cr_expect(!has(offers, c->absent), "%s, %s: \"%s\" is offered:\n%s", shell_name, c->name,
                  c->absent, offers);
}

/* What bash's line editor would have in COMP_WORDS. */
static const char bash_driver[] = "source <(\"$1\" completion bash)\n"
                                  "line=$2\n"
                                  "read -ra COMP_WORDS <<<\"$line\"\n"
                                  "[[ $line == *' ' ]] && COMP_WORDS+=('')\n"
                                  "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                                  "_assay\n"
                                  "printf '%s\\n' \"${COMPREPLY[@]}\"\n";

Test(completion, bash)
{
    require("bash");
    const char *driver = temporary_file("driver.bash", span_from_string(bash_driver));
    for (size_t i = 0; i < sizeof completions / sizeof completions[0]; i++) {
        char command[8192];
        snprintf(command, sizeof command, "bash %s %s '%s' 2>&1", driver, tool_path(),
                 completions[i].line);
        expect_offers("bash", &completions[i], shell(command));
    }
    /* --type=e reaches the function as three words. */
    char command[8192];
    snprintf(command, sizeof command, "bash %s %s 'assay keygen --type = e'", driver, tool_path());
    cr_expect_str_eq(shell(command), "ed25519\n");
    snprintf(command, sizeof command, "bash %s %s 'assay keygen --type ='", driver, tool_path());
    cr_expect_str_eq(shell(command), "rsa\ned25519\n");
}

Test(completion, fish)
{
    require("fish");
    char command[8192];
    snprintf(command, sizeof command, "%s completion fish >%s/assay.fish", tool_path(),
             temporary_folder());
    cr_assert(system(command) == 0);
    for (size_t i = 0; i < sizeof completions / sizeof completions[0]; i++) {
        snprintf(command, sizeof command,
                 "HOME=%s fish --no-config -c 'source %s/assay.fish; complete -C \"%s\"' 2>&1",
                 temporary_folder(), temporary_folder(), completions[i].line);
        expect_offers("fish", &completions[i], shell(command));
    }
    snprintf(command, sizeof command,
             "HOME=%s fish --no-config -c 'source %s/assay.fish; complete -C \"assay keygen "
             "--type=e\"'",
             temporary_folder(), temporary_folder());
    cr_expect(has(shell(command), "--type=ed25519"), "%s", shell(command));
}

/*
 * zsh in a terminal of its own module: compadd is what completion hands its matches to. Each line
 * is typed when the prompt is there, since zsh reads keys as they are meant only then.
 */
static const char zsh_driver[] =
    "zmodload zsh/zpty\n"
    "zpty z zsh -f -i\n"
    "await() { local all; zpty -r z all \"*$1*\" }\n"
    "zpty -w z \"fpath=($1 \\$fpath); autoload -Uz compinit; compinit -u -D; "
    "bindkey '^I' list-choices; LISTMAX=0; COLUMNS=300\"\n"
    "zpty -w z 'compadd() { builtin compadd -O hits \"$@\" 2>/dev/null; "
    "[[ -z $hits ]] || print -rl -- \"\" $hits >>$out; builtin compadd \"$@\" }'\n"
    "zpty -w z \"PROMPT=rea''dy'>'\"\n"
    "await 'ready>'\n"
    "n=0\n"
    "while IFS= read -r line; do\n"
    "    zpty -w z \"out=$1/hits.$n; : >\\$out; print beg''un\"\n"
    "    await 'begun*ready>'\n"
    "    zpty -n -w z \"$line\"$'\\t'$'\\x15'\"print do''ne\"$'\\n'\n"
    "    await 'done*ready>'\n"
    "    ((n++))\n"
    "done <$1/lines\n"
    "zpty -d z\n";

Test(completion, zsh)
{
    require("zsh");
    const char *driver = temporary_file("driver.zsh", span_from_string(zsh_driver));
    char command[16384], lines[2048] = "";
    size_t count = sizeof completions / sizeof completions[0];
    for (size_t i = 0; i < count; i++) {
        strcat(lines, completions[i].line);
        strcat(lines, "\n");
    }
    temporary_file("lines", span_from_string(lines));
    snprintf(command, sizeof command, "%s completion zsh >%s/_assay && timeout 100 zsh -f %s %s",
             tool_path(), temporary_folder(), driver, temporary_folder());
    free(shell(command));
    for (size_t i = 0; i < count; i++) {
        snprintf(command, sizeof command, "cat %s/hits.%zu", temporary_folder(), i);
        expect_offers("zsh", &completions[i], shell(command));
    }
}

/* As a person: the tab key, in shells that have the scripts where `make install` puts them. */
static void type_at(const char *start, const char *line, const char *keys, const char *want)
{
    struct terminal terminal;
    terminal_start(&terminal, start);
    terminal_await(&terminal, "ready>");
    terminal_type(&terminal, line);
    for (; *keys; keys++)
        terminal_press(&terminal, "Tab");
    terminal_await(&terminal, want);
    terminal_end(&terminal);
}

Test(completion, tab_at_a_terminal)
{
    require("bash");
    require("zsh");
    char start[8192], rc[4400];
    snprintf(rc, sizeof rc, "PS1='ready>'\nsource <(%s completion bash)\n", tool_path());
    const char *bashrc = temporary_file("bashrc", span_from_string(rc));
    snprintf(start, sizeof start, "bash --noprofile --rcfile %s -i", bashrc);
    type_at(start, "assay keyg", "t", "ready>assay keygen");
    type_at(start, "assay keygen --type=ed", "t", "--type=ed25519");
    type_at(start, "assay record dmarc --p ", "tt", "quarantine");
    snprintf(rc, sizeof rc, "%s completion zsh >%s/_assay", tool_path(), temporary_folder());
    cr_assert(system(rc) == 0);
    snprintf(rc, sizeof rc,
             "PROMPT='ready>'\nfpath=(%s $fpath)\nautoload -Uz compinit\ncompinit -u -D\n",
             temporary_folder());
    temporary_file(".zshrc", span_from_string(rc));
    snprintf(start, sizeof start, "ZDOTDIR=%s zsh -d -i", temporary_folder());
    type_at(start, "assay keyg", "t", "ready>assay keygen");
    type_at(start, "assay keygen --type=ed", "t", "--type=ed25519");
    type_at(start, "assay record dmarc --p ", "tt", "quarantine");
}

/* `make install` puts the scripts and pages where shells and man look for them. */
Test(completion, installed_where_they_are_looked_for)
{
    static const char *const files[] = {"share/bash-completion/completions/assay",
                                        "share/zsh/site-functions/_assay",
                                        "share/fish/vendor_completions.d/assay.fish",
                                        "share/man/man1/assay.1",
                                        "share/man/man1/assay-record.1",
                                        "share/man/man3/libassay.3",
                                        "share/man/man3/libassay-client.3",
                                        "share/man/man5/assayd.conf.5",
                                        "share/man/man8/assayd.8"};
    const char *tool = getenv("ASSAY");
    if (tool && strcmp(tool, "build/assay") != 0)
        cr_skip_test("another build folder (%s)", tool);
    char command[512];
    snprintf(command, sizeof command,
             "MAKEFLAGS= make -s install PREFIX=/usr DESTDIR=%s/root >/dev/null",
             temporary_folder());
    cr_assert(system(command) == 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(command, sizeof command, "test -s %s/root/usr/%s", temporary_folder(), files[i]);
        cr_expect(system(command) == 0, "%s", files[i]);
    }
}

Test(completion, shells_that_are_none)
{
    static const char *const arguments[][4] = {
        {"completion", NULL}, {"completion", "tcsh", NULL}, {"completion", "bash", "zsh", NULL}};
    for (size_t i = 0; i < 3; i++) {
        struct outcome o = assay(SPAN(""), arguments[i]);
        cr_expect(o.status == 64 && count_lines(o.err) == 1 && *o.out == '\0', "%d %s", o.status,
                  o.err);
    }
}
