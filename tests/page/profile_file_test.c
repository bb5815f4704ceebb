/* Profiles as data files: what a bad one is told, where they are found. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/assay/profile.h"
#include "zone.h"

#define HEAD "title = T\n[a]\ntitle = A.\n"

struct bad_case
{
    const char *name, *text;
    unsigned line;
    const char *says;
};

static const struct bad_case bad_cases[] = {
    {"empty", "", 1, "no title"},
    {"no title", "as-of = 2026\n[a]\ncheck = spf_pass\ntitle = A.\n", 2, "no title"},
    {"no rule", "title = T\n", 1, "no rule"},
    {"no key", "title = T\nhello\n", 2, "expected \"key = value\""},
    {"unknown key", "title = T\ncolour = red\n", 2, "no key \"colour\" above the first rule"},
    {"unknown key of a rule", HEAD "colour = red\n", 4, "no key \"colour\" in a rule"},
    {"key twice", HEAD "title = B.\n", 4, "title stands there already"},
    {"no value", HEAD "note =\n", 4, "note has no value"},
    {"goes on from nothing", "title = T\n\n more\n", 3, "goes on"},
    {"bad section", "title = T\n[a\n", 2, "expected [name]"},
    {"empty section", "title = T\n[]\n", 2, "expected [name]"},
    {"section with a blank", "title = T\n[a b]\n", 2, "expected [name]"},
    {"section twice", HEAD "check = spf_pass\n[a]\n", 5, "stands in line 2 already"},
    {"no check", HEAD, 2, "[a] has no check"},
    {"no title of a rule", "title = T\n[a]\ncheck = tls\n", 2, "[a] has no title"},
    {"unknown check", HEAD "check = spf\n", 4, "no check \"spf\""},
    {"argument too much", HEAD "check = tls 1\n", 4, "takes nothing"},
    {"number", HEAD "check = dkim_key_bits many\n", 4, "wants a number"},
    {"number missing", HEAD "check = dkim_key_bits\n", 4, "wants a number"},
    {"word", HEAD "check = dmarc_policy none\n", 4, "wants reject|quarantine"},
    {"part of a word", HEAD "check = dmarc_policy rej\n", 4, "wants reject|quarantine"},
    {"optional word", HEAD "check = spf_not_fail often\n", 4, "wants unless_dkim"},
    {"domains", HEAD "check = not_in_the_name_of\n", 4, "wants domains"},
    {"who", HEAD "who = them\n", 4, "all or bulk"},
    {"level", HEAD "level = nice\n", 4, "required or advised"},
    {"reply without a code", HEAD "reply = No.\n", 4, "a code from 400 to 599"},
    {"reply that is none", HEAD "reply = 250 OK\n", 4, "a code from 400 to 599"},
    {"reply without a text", HEAD "reply = 550\n", 4, "a code from 400 to 599"},
    {"retry that refuses", HEAD "retry = 550 5.7.1 No.\n", 4, "a code from 400 to 499"},
    {"macro", HEAD "reply = 550 5.7.1 {from}\n", 4, "{from_domain}"},
    {"8 bit", "title = T\xc3\xa9\n", 1, "no printable ASCII"},
    {"NUL-free control", "title = T\n# \x01\n", 2, "no printable ASCII"},
    {"control in a line that goes on", "title = T\n more\n \x1b[2J\n", 3, "no printable ASCII"},
};

Test(profile_file, a_bad_one_is_told_with_its_line)
{
    for (size_t i = 0; i < sizeof bad_cases / sizeof bad_cases[0]; i++) {
        const struct bad_case *c = &bad_cases[i];
        const char *path = temporary_file("bad.conf", span_from_string(c->text));
        char place[256];
        struct outcome o =
            ASSAY("explain", "--profile", path, "--dns", SAMPLES "zone.txt", SAMPLES "pass.eml");
        snprintf(place, sizeof place, "assay: --profile: %s:%u: ", path, c->line);
        cr_expect(o.status == 78 && o.out[0] == '\0' && count_lines(o.err) == 1, "%s: %d %s",
                  c->name, o.status, o.err);
        cr_expect(strncmp(o.err, place, strlen(place)) == 0, "%s: got %s, want %s", c->name, o.err,
                  place);
        cr_expect(strstr(o.err, c->says), "%s: got %s, want %s", c->name, o.err, c->says);
    }
}

/* `count` rules, the last with a value of `bytes` octets. */
static char *profile_of(size_t count, size_t bytes)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    fprintf(out, "title = T\n");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "[r%zu]\ncheck = unknowable\ntitle = R.\n", i);
    fprintf(out, "note = ");
    for (size_t i = 0; i < bytes; i++)
        fputc('x', out);
    fprintf(out, "\n");
    fclose(out);
    return text;
}

static int status_of(const char *text, const char *says)
{
    const char *path = temporary_file("limit.conf", span_from_string(text));
    struct outcome o =
        ASSAY("explain", "--profile", path, "--dns", SAMPLES "zone.txt", SAMPLES "pass.eml");
    cr_expect(o.status == 0 || strstr(o.err, says), "%s", o.err);
    return o.status;
}

Test(profile_file, limits)
{
    for (int by = -1; by <= 1; by++) {
        int want = by > 0 ? 78 : 0;
        char *rules = profile_of((size_t)(PROFILE_RULES_MAX + by), 1);
        cr_expect_eq(status_of(rules, "more than 64 rules"), want, "%d rules",
                     PROFILE_RULES_MAX + by);
        /* one octet is kept for the blank between two lines */
        char *value = profile_of(1, (size_t)(PROFILE_TEXT_MAX - 1 + by));
        cr_expect_eq(status_of(value, "a value of more than 1024 octets"), want, "%d octets", by);
        char *file = profile_of(1, 1);
        char *padded = malloc(PROFILE_BYTES_MAX + 2);
        size_t n = strlen(file), bytes = (size_t)(PROFILE_BYTES_MAX + by);
        memset(padded, '\n', bytes);
        memcpy(padded, file, n);
        padded[bytes] = '\0';
        cr_expect_eq(status_of(padded, "more than 65536 octets"), want, "%zu octets", bytes);
        free(rules);
        free(value);
        free(file);
        free(padded);
    }
}

Test(profile_file, CRLF_and_lines_that_go_on)
{
    const char *path = temporary_file(
        "crlf.conf", SPAN("# c\r\ntitle = The\r\n  Provider\r\n\tof mail\r\n\r\n[a]\r\ncheck = "
                          "unknowable\r\ntitle = A\r\n rule.\r\n"));
    struct outcome o = ASSAY("explain", "--json", "--profile", path, "--dns", SAMPLES "zone.txt",
                             SAMPLES "pass.eml");
    cr_assert(o.status == 0, "%s", o.err);
    json_t *json = json_line(o.out, 0);
    cr_expect_str_eq(json_text(json, "profile.title"), "The Provider of mail");
    cr_expect_str_eq(json_text(json, "profile.rules.0.title"), "A rule.");
    json_decref(json);
}

Test(profile_file, what_is_not_there)
{
    static const char *const names[] = {"nonesuch", "/nonexistent/x.conf", ".", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct outcome o = ASSAY("explain", "--profile", names[i], SAMPLES "pass.eml");
        cr_expect(o.status == 66 && o.out[0] == '\0' && count_lines(o.err) == 1, "\"%s\": %d %s",
                  names[i], o.status, o.err);
    }
}

/* As make install puts them: PREFIX/bin and PREFIX/share/assay/profiles. A profile of the
 * operator's there is found by its name. */
Test(profile_file, beside_an_installed_program)
{
    char command[1024], tool[256];
    const char *built = getenv("ASSAY") ? getenv("ASSAY") : "build/assay";
    snprintf(command, sizeof command,
             "cd . && mkdir -p %s/usr/bin %s/usr/share/assay/profiles && cp %s %s/usr/bin/assay && "
             "cp share/profiles/gmail.conf %s/usr/share/assay/profiles/ours.conf",
             temporary_folder(), temporary_folder(), built, temporary_folder(), temporary_folder());
    cr_assert(system(command) == 0);
    snprintf(tool, sizeof tool, "%s/usr/bin/assay", temporary_folder());
    setenv("ASSAY", tool, 1);
    struct outcome o =
        ASSAY("explain", "--profile", "ours", "--dns", SAMPLES "zone.txt", SAMPLES "pass.eml");
    cr_expect(o.status == 0 && strstr(o.out, "What Gmail asks of senders"), "%s", o.err);
    struct outcome none =
        ASSAY("explain", "--profile", "gmail", "--dns", SAMPLES "zone.txt", SAMPLES "pass.eml");
    cr_expect(none.status == 66, "%s", none.out);
}

/* Each profile that is shipped is read, has a reply for the ordinary faults, and is told alike. */
Test(profile_file, those_that_are_shipped)
{
    static const char *const names[] = {"gmail", "yahoo", "outlook"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct outcome o =
            ASSAY("explain", "--json", "--profile", names[i], "--ip", "192.0.2.60", "--mail-from",
                  "a@plain.example", "--dns", page_zone(), SAMPLES "none.eml");
        cr_assert(o.status == 0, "%s: %s", names[i], o.err);
        json_t *json = json_line(o.out, 0);
        const char *outcome = json_text(json, "profile.outcome");
        cr_expect_str_eq(outcome, i == 2 ? "refused_if_bulk" : "refused", "%s", names[i]);
        cr_expect(json_text(json, "profile.reply") != NULL, "%s", names[i]);
        cr_expect(json_text(json, "profile.as_of") && json_text(json, "profile.source"), "%s",
                  names[i]);
        json_decref(json);
    }
}
