/*
 * Manual pages: `mandoc -T lint` has nothing to say, and each option of the tables stands in its
 * page, with the same words for its value, and the other way round. What the tables hold is read
 * from `assay help COMMAND` and `assayd --help`, which print them.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "support/corpora.h"
#include "support/tool.h"

enum
{
    OPTIONS_MAX = 128,
    COMMANDS_MAX = 64,
};

struct entry
{
    char name[40];
    char letter;
    char value[120]; /* words with "|" between, "X" for any other value, "" for none */
};

struct entries
{
    struct entry list[OPTIONS_MAX];
    size_t count;
};

static char *text_of(const char *path)
{
    return (char *)(uintptr_t)file_read(path).p;
}

static char *shell(const char *command)
{
    static char text[256 * 1024];
    FILE *pipe = popen(command, "r");
    cr_assert(pipe != NULL);
    size_t n = fread(text, 1, sizeof text - 1, pipe);
    text[n] = '\0';
    pclose(pipe);
    return text;
}

static struct entry *add(struct entries *entries)
{
    cr_assert(entries->count < OPTIONS_MAX);
    struct entry *entry = &entries->list[entries->count++];
    *entry = (struct entry){.name = ""};
    return entry;
}

static bool is_words(const char *value)
{
    return strchr(value, '|') != NULL || strcmp(value, "email") == 0;
}

/* "  -t, --type rsa|ed25519  help": lines of the help that begin with an option. */
static void read_help(const char *help, struct entries *entries)
{
    entries->count = 0;
    for (const char *line = help; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        char letter = '\0', name[40], value[120] = "";
        int n = 0;
        if (sscanf(line, "  -%c, --%39[a-z0-9-]%n", &letter, name, &n) != 2) {
            letter = '\0';
            if (sscanf(line, "  --%39[a-z0-9-]%n", name, &n) != 1)
                continue;
        }
        if (line[2] != '-' || (!letter && line[3] != '-'))
            continue;
        if (line[n] == ' ' && line[n + 1] != ' ')
            sscanf(line + n, " %119[^ \n]", value);
        struct entry *entry = add(entries);
        strcpy(entry->name, name);
        entry->letter = letter;
        strcpy(entry->value, !*value ? "" : is_words(value) ? value : "X");
    }
}

/* ".It Fl t Cm rsa | ed25519 , Fl -type Cm rsa | ed25519": an item that begins with a flag. */
static void read_item(char *item, struct entries *entries)
{
    struct entry *entry = add(entries);
    for (char *rest = item, *word; (word = strtok_r(rest, " ", &rest));) {
        bool comma = strcmp(word, ",") == 0;
        if (strcmp(word, "Fl") == 0 && (word = strtok_r(rest, " ", &rest))) {
            entry->value[0] = '\0';
            if (word[0] == '-')
                snprintf(entry->name, sizeof entry->name, "%s", word + 1);
            else
                entry->letter = word[0];
        } else if (strcmp(word, "Ar") == 0) {
            strcpy(entry->value, "X");
            rest = rest && strchr(rest, ',') ? strchr(rest, ',') : NULL;
            if (!rest)
                break;
        } else if (!comma && strcmp(word, "Cm") != 0) {
            strncat(entry->value, word, sizeof entry->value - 1 - strlen(entry->value));
        }
    }
}

static void read_page(const char *path, struct entries *entries)
{
    char *text = text_of(path);
    entries->count = 0;
    for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest));)
        if (strncmp(line, ".It Fl ", 7) == 0)
            read_item(line + 4, entries);
}

static const struct entry *find(const struct entries *entries, const char *name)
{
    for (size_t i = 0; i < entries->count; i++)
        if (strcmp(entries->list[i].name, name) == 0)
            return &entries->list[i];
    return NULL;
}

static void compare(const char *what, const struct entries *table, const struct entries *page)
{
    cr_expect(table->count > 0, "%s: no options were read", what);
    for (size_t i = 0; i < table->count; i++) {
        const struct entry *want = &table->list[i], *got = find(page, want->name);
        cr_expect(got != NULL, "%s: --%s is not in the page", what, want->name);
        if (!got)
            continue;
        cr_expect(got->letter == want->letter, "%s: --%s: letter '%c', in the page '%c'", what,
                  want->name, want->letter, got->letter);
        cr_expect_str_eq(got->value, want->value, "%s: --%s: value \"%s\", in the page \"%s\"",
                         what, want->name, want->value, got->value);
    }
    for (size_t i = 0; i < page->count; i++)
        cr_expect(find(table, page->list[i].name) != NULL,
                  "%s: the page has --%s, the tool has not", what, page->list[i].name);
}

/* The commands that `assay help` lists. */
static size_t read_commands(char commands[COMMANDS_MAX][16])
{
    size_t count = 0;
    struct outcome o = ASSAY("help");
    for (const char *line = o.out; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        char name[16];
        if (strncmp(line, "  help", 6) == 0 || sscanf(line, "  %15[a-z]", name) != 1 ||
            line[0] != ' ')
            continue;
        cr_assert(count < COMMANDS_MAX);
        strcpy(commands[count++], name);
    }
    cr_assert(count >= 9, "%zu commands in: %s", count, o.out);
    return count;
}

Test(man, each_option_stands_in_its_page_and_the_other_way_round)
{
    static char commands[COMMANDS_MAX][16];
    static struct entries table, page;
    size_t count = read_commands(commands);
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "man/assay-%s.1", commands[i]);
        FILE *there = fopen(path, "r");
        cr_expect(there != NULL, "there is no %s", path);
        if (!there)
            continue;
        fclose(there);
        struct outcome help = ASSAY("help", commands[i]);
        struct outcome same = ASSAY(commands[i], "--help");
        cr_expect_str_eq(help.out, same.out);
        read_help(help.out, &table);
        read_page(path, &page);
        compare(commands[i], &table, &page);
    }
}

Test(man, each_command_has_a_page_and_each_page_a_command)
{
    static char commands[COMMANDS_MAX][16];
    size_t count = read_commands(commands), pages = 0;
    char *overview = text_of("man/assay.1");
    for (size_t i = 0; i < count; i++) {
        char item[64];
        snprintf(item, sizeof item, "\n.It Xr assay-%s 1\n", commands[i]);
        cr_expect(strstr(overview, item) != NULL, "assay(1) does not list %s", commands[i]);
    }
    DIR *folder = opendir("man");
    cr_assert(folder != NULL);
    for (struct dirent *file; (file = readdir(folder));)
        pages += strncmp(file->d_name, "assay-", 6) == 0;
    closedir(folder);
    cr_expect(pages == count, "%zu pages for %zu commands", pages, count);
}

static const char *daemon_tool(void)
{
    return getenv("ASSAYD") ? getenv("ASSAYD") : "build/assayd";
}

Test(man, the_daemon_and_its_settings)
{
    static struct entries table, page;
    char command[4200];
    snprintf(command, sizeof command, "%s --help", daemon_tool());
    read_help(shell(command), &table);
    read_page("man/assayd.8", &page);
    cr_expect(table.count > 40, "%zu options", table.count);
    for (size_t i = 0; i < table.count; i++)
        cr_expect(find(&page, table.list[i].name) != NULL, "assayd(8) has no --%s",
                  table.list[i].name);
    for (size_t i = 0; i < page.count; i++)
        cr_expect(find(&table, page.list[i].name) != NULL, "assayd(8) has --%s", page.list[i].name);
    char *settings = text_of("man/assayd.conf.5");
    size_t keys = 0;
    for (const char *at = settings; (at = strstr(at, "\n.It Ic ")); at++)
        keys++;
    cr_expect(keys == table.count - 5, "%zu settings, %zu options", keys, table.count);
    for (size_t i = 5; i < table.count; i++) {
        char item[64];
        snprintf(item, sizeof item, "\n.It Ic %s =", table.list[i].name);
        for (char *c = item + 8; *c; c++)
            *c = *c == '-' ? '_' : *c;
        cr_expect(strstr(settings, item) != NULL, "assayd.conf(5) has no%s", item + 7);
    }
}

/* Each function of the headers is in the page, and none besides. */
Test(man, the_libraries)
{
    static const char *const libraries[][3] = {
        {"engine/assay.h", "man/libassay.3", "ASSAY_API"},
        {"client/assay_client.h", "man/libassay-client.3", "ASSAY_CLIENT_API"}};
    for (size_t i = 0; i < 2; i++) {
        char command[512];
        snprintf(
            command, sizeof command,
            "tr '\\n' ' ' <%s | grep -o '%s [^;(]*(' | grep -o 'assay_[a-z_]*($' | tr -d '(' | "
            "sort >%s/header; sed -n 's/^.Fo //p' %s | sort >%s/page; "
            "test -s %s/page && diff %s/header %s/page",
            libraries[i][0], libraries[i][2], temporary_folder(), libraries[i][1],
            temporary_folder(), temporary_folder(), temporary_folder(), temporary_folder());
        int status = system(command);
        cr_expect(status == 0, "%s", command);
    }
}

Test(man, mandoc_has_nothing_to_say)
{
    if (system("command -v mandoc >/dev/null") != 0)
        cr_skip_test("mandoc is not installed");
    char *said = shell("cd man && mandoc -T lint * 2>&1; echo \"status $?\"");
    cr_expect_str_eq(said, "status 0\n", "%s", said);
}
