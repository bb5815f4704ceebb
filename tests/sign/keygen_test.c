/* assay keygen: key files, records in every form, passphrases at a terminal and without. */
#include "desk.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/name_server.h"

static unsigned mode_of(const char *path)
{
    struct stat facts;
    cr_assert(stat(path, &facts) == 0, "%s is not there", path);
    return facts.st_mode & 07777;
}

static void expect_no_leftover(void)
{
    char command[256];
    snprintf(command, sizeof command, "test -z \"$(ls %s | grep -v -e '\\.txt$' -e '^key')\"",
             temporary_folder());
    cr_expect(system(command) == 0, "a temporary file is left in %s", temporary_folder());
}

/* The key file is 0600 whatever the umask, complete, and never overwritten unasked. */
Test(keygen, key_file_is_private_and_stays)
{
    const char *path = in_folder("key");
    umask(0);
    struct outcome first = ASSAY("keygen", "-d", "a.example", "-s", "s1", "-o", path);
    cr_assert(first.status == 0, "%s", first.err);
    cr_expect(mode_of(path) == 0600, "mode is %o", mode_of(path));
    char *before = strdup(file_text(path));
    cr_expect(strncmp(before, "-----BEGIN PRIVATE KEY-----\n", 28) == 0);
    struct outcome second = ASSAY("keygen", "-d", "a.example", "-s", "s1", "-o", path);
    cr_expect(second.status == 73 && count_lines(second.err) == 1, "%d: %s", second.status,
              second.err);
    cr_expect_str_eq(second.out, "");
    cr_expect_str_eq(file_text(path), before);
    struct outcome third = ASSAY("keygen", "-d", "a.example", "-s", "s1", "-o", path, "--force");
    cr_expect(third.status == 0 && strcmp(file_text(path), before) != 0, "%s", third.err);
    cr_expect(mode_of(path) == 0600);
    expect_no_leftover();
}

/* Without -o the file is named for what it is for, in the working directory. */
Test(keygen, default_file_name)
{
    char tool[4096];
    cr_assert(realpath(getenv("ASSAY") ? getenv("ASSAY") : "build/assay", tool) != NULL);
    setenv("ASSAY", tool, 1);
    cr_assert(chdir(temporary_folder()) == 0);
    struct outcome o = ASSAY("keygen", "-d", "A.Example.", "-s", "S1", "-t", "ed25519");
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect(mode_of("s1._domainkey.a.example.pem") == 0600);
}

struct form
{
    const char *name;
    const char *argv[12];
    const char *want[4]; /* in the record */
};

static const struct form forms[] = {
    {"rsa 2048 by default", {NULL}, {"v=DKIM1; k=rsa; p=MIIB"}},
    {"rsa 1024", {"-b", "1024"}, {"v=DKIM1; k=rsa; p=MIGf"}},
    {"rsa 4096", {"-b", "4096"}, {"v=DKIM1; k=rsa; p=MIIC"}},
    {"ed25519", {"-t", "ed25519"}, {"v=DKIM1; k=ed25519; p="}},
    {"DV-39 for mail alone", {"-t", "ed25519", "--restrict", "email"}, {" s=email; "}},
    {"DV-40 no subdomains", {"-t", "ed25519", "--no-subdomains"}, {" t=s; "}},
    {"DV-40 testing", {"-t", "ed25519", "--testing"}, {" t=y; "}},
    {"both flags", {"-t", "ed25519", "--testing", "--no-subdomains"}, {" t=y:s; "}},
    {"a note with what would end the tag",
     {"-t", "ed25519", "--note", " a=b; \"c\" \\ \xc3\xa9 "},
     {" n==20a=3Db=3B \"c\" \\ =C3=A9=20; "}},
};

/* Each record is read by the engine's parser and fits its key: from the line for zone files, from
 * the JSON, and from nsupdate's line. */
Test(keygen, every_form_is_read_back)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "key%zu", i);
        char *key = in_folder(name);
        const char *argv[32] = {"keygen", "-d", "a.example", "-s", "s1", "-o", key, "--json"};
        for (size_t k = 0; forms[i].argv[k]; k++)
            argv[8 + k] = forms[i].argv[k];
        struct outcome o = assay(SPAN(""), argv);
        cr_assert(o.status == 0, "%s: %s", forms[i].name, o.err);
        json_t *json = json_line(o.out, 0);
        const char *record = json_text(json, "record");
        for (size_t k = 0; forms[i].want[k]; k++)
            cr_expect(strstr(record, forms[i].want[k]) != NULL, "%s: no \"%s\" in %s",
                      forms[i].name, forms[i].want[k], record);
        const char *update = json_text(json, "nsupdate.1");
        cr_assert(strncmp(update, "update add ", 11) == 0);
        const char *lines[] = {json_text(json, "zone"), update + 11};
        for (size_t k = 0; k < 2; k++) {
            const char *zone = put_file("zone.txt", join(lines[k], "\n", ""), 0644);
            struct outcome t =
                ASSAY("testkey", "--json", "--dns", zone, "-d", "a.example", "-s", "s1", "-k", key);
            cr_expect(t.status == 0, "%s: %d %s%s", forms[i].name, t.status, t.out, t.err);
            cr_expect_str_eq(json_text(json_line(t.out, 0), "record"), record);
            cr_expect(json_is_true(json_at(json_line(t.out, 0), "matches")));
        }
    }
}

/* The strings of a TXT record have 255 bytes at most (RFC 1035 3.3.14); joined they are the
 * record. */
Test(keygen, strings_of_255_bytes)
{
    struct outcome o = ASSAY("keygen", "-d", "a.example", "-s", "s1", "-b", "4096", "-o",
                             in_folder("key"), "--json");
    cr_assert(o.status == 0, "%s", o.err);
    json_t *json = json_line(o.out, 0);
    const json_t *strings = json_at(json, "strings");
    char joined[4096] = "";
    for (size_t i = 0; i < json_array_size(strings); i++) {
        const char *text = json_string_value(json_array_get(strings, i));
        cr_expect(strlen(text) == 255 || i + 1 == json_array_size(strings));
        cr_expect(strlen(text) <= 255);
        strcat(joined, text);
    }
    cr_expect(json_array_size(strings) == 3, "%zu strings", json_array_size(strings));
    cr_expect_str_eq(joined, json_text(json, "record"));
}

/* One form at a time is exactly that form. */
Test(keygen, formats_for_people)
{
    char *key = make_key("a.example", "s1", "rsa", NULL);
    struct outcome zone = ASSAY("keygen", "-d", "a.example", "-s", "s1", "--from", key, "--format",
                                "zone", "--ttl", "2h");
    struct outcome text =
        ASSAY("keygen", "-d", "a.example", "-s", "s1", "--from", key, "--format", "string");
    struct outcome update =
        ASSAY("keygen", "-d", "a.example", "-s", "s1", "--from", key, "--format", "nsupdate");
    struct outcome all = ASSAY("keygen", "-d", "a.example", "-s", "s1", "--from", key);
    cr_expect(strncmp(zone.out, "s1._domainkey.a.example. 7200 IN TXT \"v=DKIM1; ", 47) == 0, "%s",
              zone.out);
    cr_expect(count_lines(zone.out) == 1 && count_lines(text.out) == 1);
    cr_expect(strncmp(text.out, "v=DKIM1; k=rsa; p=", 18) == 0 && !strchr(text.out, '"'));
    static const char update_head[] = "update delete s1._domainkey.a.example. TXT\n"
                                      "update add s1._domainkey.a.example. 3600 IN TXT \"";
    cr_expect(strncmp(update.out, update_head, sizeof update_head - 1) == 0 &&
                  strstr(update.out, "\nsend\n"),
              "%s", update.out);
    cr_expect(strstr(all.out, text.out) && strstr(all.out, update.out));
}

/* All records through a real name server: what keygen prints is a zone file's line. */
Test(keygen, records_served_by_nsd)
{
    static const char *const types[][2] = {{"rsa", "1024"}, {"rsa", "4096"}, {"ed25519", NULL}};
    char *zone = join("@ 60 IN SOA ns.mail.test. x.mail.test. 1 60 60 60 60\n",
                      "@ 60 IN NS ns.mail.test.\n", "ns 60 IN A 127.0.0.1\n");
    char *keys[3];
    char selectors[3][8];
    for (size_t i = 0; i < 3; i++) {
        snprintf(selectors[i], sizeof selectors[i], "key%zu", i);
        keys[i] = make_key("mail.test", selectors[i], types[i][0], types[i][1]);
        zone = join(zone, record_of(keys[i], "mail.test", selectors[i]), "");
    }
    struct nsd nsd;
    nsd_start(&nsd, zone);
    struct outcome o = ASSAY("testkey", "--json", "--resolver", nsd.resolver, "-d", "mail.test",
                             "-s", selectors[0], "-s", selectors[1], "-s", selectors[2], "-k",
                             keys[0], "-k", keys[1], "-k", keys[2]);
    struct outcome other = ASSAY("testkey", "--json", "--resolver", nsd.resolver, "-d", "mail.test",
                                 "-s", selectors[0], "-k", keys[1]);
    nsd_stop(&nsd);
    cr_expect(o.status == 0 && count_lines(o.out) == 3, "%d: %s%s", o.status, o.out, o.err);
    for (size_t i = 0; i < 3; i++)
        cr_expect(json_is_true(json_at(json_line(o.out, i), "matches")), "%s", o.out);
    cr_expect(other.status == 1);
    cr_expect_str_eq(json_text(json_line(other.out, 0), "problem"), "key_mismatch");
}

/* Passphrases --------------------------------------------------------------------------------- */

#define KEYGEN "keygen", "-d", "a.example", "-s", "s1", "-t", "ed25519"

Test(passphrase, asked_twice_without_echo)
{
    static const struct exchange exchanges[] = {{"Passphrase for the new key: ", "open sesame\n"},
                                                {"The same again: ", "open sesame\n"},
                                                {NULL, NULL}};
    char *key = in_folder("key");
    bool echo;
    struct outcome o = assay_at_terminal(
        exchanges, &echo, (const char *const[]){KEYGEN, "-o", key, "--encrypt", NULL});
    cr_assert(o.status == 0, "%d: %s", o.status, o.out);
    cr_expect(strstr(o.out, "sesame") == NULL, "the passphrase was echoed: %s", o.out);
    cr_expect(echo, "the terminal does not echo any more");
    cr_expect(strncmp(file_text(key), "-----BEGIN ENCRYPTED PRIVATE KEY-----", 37) == 0);
    cr_expect(mode_of(key) == 0600);
    static const struct exchange once[] = {{"Passphrase of ", "open sesame\n"}, {NULL, NULL}};
    struct outcome from =
        assay_at_terminal(once, &echo,
                          (const char *const[]){"keygen", "-d", "a.example", "-s", "s1", "--from",
                                                key, "--format", "string", NULL});
    cr_expect(from.status == 0 && strstr(from.out, "v=DKIM1; k=ed25519; p="), "%d: %s", from.status,
              from.out);
}

struct dialogue
{
    const char *name;
    struct exchange exchanges[3];
    int status;
    const char *word;
};

static const struct dialogue dialogues[] = {
    {"two different ones",
     {{"new key: ", "one\n"}, {"again: ", "two\n"}, {NULL, NULL}},
     65,
     "differ"},
    {"nothing", {{"new key: ", "\n"}, {NULL, NULL}}, 65, "no passphrase"},
    {"end of input", {{"new key: ", "\004"}, {NULL, NULL}}, 65, "no passphrase"},
    {"Ctrl-C", {{"new key: ", "\003"}, {NULL, NULL}}, 128 + 2, ""},
};

/* No key file, no half of one, and a terminal that echoes again. */
Test(passphrase, dialogues_that_fail_leave_nothing)
{
    for (size_t i = 0; i < sizeof dialogues / sizeof dialogues[0]; i++) {
        char *key = in_folder("key");
        bool echo = false;
        struct outcome o =
            assay_at_terminal(dialogues[i].exchanges, &echo,
                              (const char *const[]){KEYGEN, "-o", key, "--encrypt", NULL});
        cr_expect(o.status == dialogues[i].status, "%s: got %d, want %d: %s", dialogues[i].name,
                  o.status, dialogues[i].status, o.out);
        cr_expect(strstr(o.out, dialogues[i].word) != NULL, "%s: %s", dialogues[i].name, o.out);
        cr_expect(echo, "%s: the terminal does not echo any more", dialogues[i].name);
        cr_expect(!file_exists(key), "%s: a key file", dialogues[i].name);
        expect_no_leftover();
    }
}

Test(passphrase, from_file_and_descriptor)
{
    char *secret = put_file("secret.txt", "open sesame\nnot this\n", 0600);
    char *wrong = put_file("wrong.txt", "open wheat\n", 0600);
    char *key = in_folder("key");
    struct outcome made = ASSAY(KEYGEN, "-o", key, "--passphrase-file", secret);
    cr_assert(made.status == 0, "%s", made.err);
    cr_expect(strstr(file_text(key), "ENCRYPTED") != NULL);
    struct outcome same = ASSAY("keygen", "-d", "a.example", "-s", "s1", "--from", key,
                                "--passphrase-file", secret, "--format", "string");
    cr_expect(same.status == 0, "%s", same.err);
    cr_expect(strstr(made.out, same.out) != NULL, "%s is not in %s", same.out, made.out);
    struct outcome other =
        ASSAY("keygen", "-d", "a.example", "-s", "s1", "--from", key, "--passphrase-file", wrong);
    cr_expect(other.status == 77 && count_lines(other.err) == 1 && other.out[0] == '\0', "%d: %s",
              other.status, other.err);
    int fds[2];
    char number[16];
    cr_assert(pipe(fds) == 0 && write(fds[1], "open sesame\r\n", 13) == 13);
    close(fds[1]);
    snprintf(number, sizeof number, "%d", fds[0]);
    struct outcome piped = ASSAY("keygen", "-d", "a.example", "-s", "s1", "--from", key,
                                 "--passphrase-fd", number, "--format", "string");
    cr_expect(piped.status == 0, "%s", piped.err);
    cr_expect_str_eq(piped.out, same.out);
}

/* The passphrase limit: 1,000 bytes. */
Test(passphrase, length_limit)
{
    static const size_t lengths[] = {999, 1000, 1001};
    for (size_t i = 0; i < 3; i++) {
        char text[1100] = "";
        memset(text, 'x', lengths[i]);
        char *secret = put_file("secret.txt", join(text, "\n", ""), 0600);
        char *key = in_folder("key");
        struct outcome o = ASSAY(KEYGEN, "-f", "-o", key, "--passphrase-file", secret);
        cr_expect(o.status == (lengths[i] > 1000 ? 65 : 0), "%zu: %d: %s", lengths[i], o.status,
                  o.err);
        if (o.status == 0)
            cr_expect(ASSAY("keygen", "-d", "a.example", "-s", "s1", "--from", key,
                            "--passphrase-file", secret)
                              .status == 0,
                      "%zu: cannot be read again", lengths[i]);
    }
}

Test(passphrase, no_terminal_to_ask_at)
{
    char *key = in_folder("key");
    struct outcome o =
        assay_without_terminal((const char *const[]){KEYGEN, "-o", key, "--encrypt", NULL});
    cr_expect(o.status == 77 && strstr(o.err, "--passphrase-file") && count_lines(o.err) == 1,
              "%d: %s", o.status, o.err);
    cr_expect(!file_exists(key));
}

/* Bad input ------------------------------------------------------------------------------------ */

struct fault
{
    const char *name;
    const char *argv[14];
    int status;
    const char *word;
};

#define HERE "-d", "a.example", "-s", "s1"

static const struct fault faults[] = {
    {"nothing", {"keygen"}, 64, "domain"},
    {"no selector", {"keygen", "-d", "a.example"}, 64, "selector"},
    {"one label", {"keygen", "-d", "com", "-s", "s1"}, 64, "two labels"},
    {"domain that is none", {"keygen", "-d", "a..b", "-s", "s1"}, 64, "a..b"},
    {"selector that is none", {"keygen", "-d", "a.example", "-s", "s 1"}, 64, "s 1"},
    {"type", {"keygen", HERE, "-t", "dsa"}, 64, "dsa"},
    {"bits of no number", {"keygen", HERE, "-b", "many"}, 64, "many"},
    {"1023 bits", {"keygen", HERE, "-b", "1023"}, 64, "1024"},
    {"8193 bits", {"keygen", HERE, "-b", "8193"}, 64, "8192"},
    {"bits for ed25519", {"keygen", HERE, "-t", "ed25519", "-b", "2048"}, 64, "one size"},
    {"restrict", {"keygen", HERE, "--restrict", "web"}, 64, "web"},
    {"format", {"keygen", HERE, "--format", "bind"}, 64, "bind"},
    {"operand", {"keygen", HERE, "x"}, 64, "x"},
    {"unknown option", {"keygen", HERE, "--passphrase", "x"}, 64, "unknown"},
    {"value for a switch", {"keygen", HERE, "--force=yes"}, 64, "no value"},
    {"option without value", {"keygen", "-d", "a.example", "-s"}, 64, "value"},
    {"both passphrases",
     {"keygen", HERE, "--passphrase-file", "x", "--passphrase-fd", "0"},
     64,
     "exclude"},
    {"descriptor that is not open", {"keygen", HERE, "--passphrase-fd", "99"}, 64, "99"},
    {"no passphrase file", {"keygen", HERE, "--passphrase-file", "/nonexistent"}, 66, "/nonexist"},
    {"empty passphrase file", {"keygen", HERE, "--passphrase-file", "/dev/null"}, 65, "passphrase"},
    {"from and type", {"keygen", HERE, "--from", "x", "-t", "rsa"}, 64, "--type"},
    {"from nowhere", {"keygen", HERE, "--from", "/nonexistent/key"}, 66, "/nonexistent/key"},
    {"from a folder", {"keygen", HERE, "--from", "/tmp"}, 66, "directory"},
    {"onto standard output", {"keygen", HERE, "-o", "-"}, 64, "no file"},
    {"into no name", {"keygen", HERE, "-o", ""}, 64, "no file"},
    {"into no folder", {"keygen", HERE, "-o", "/nonexistent/key"}, 73, "/nonexistent/key"},
    {"into a device", {"keygen", HERE, "-f", "-o", "/dev/null"}, 73, "/dev/null"},
};

Test(keygen, each_fault_one_line_and_its_status)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct outcome o = assay(SPAN(""), faults[i].argv);
        cr_expect(o.status == faults[i].status, "%s: got %d, want %d: %s", faults[i].name, o.status,
                  faults[i].status, o.err);
        cr_expect(strstr(o.err, faults[i].word) != NULL, "%s: no \"%s\" in: %s", faults[i].name,
                  faults[i].word, o.err);
        cr_expect(count_lines(o.err) == 1 && o.out[0] == '\0', "%s: %s%s", faults[i].name, o.out,
                  o.err);
    }
}

/* PUBLISH_NOTE_MAX, and the longest name: 253 bytes (RFC 1035 2.3.4). */
Test(keygen, limits_of_note_and_name)
{
    char *key = make_key("a.example", "key", "ed25519", NULL);
    for (int n = 199; n <= 201; n++) {
        char note[256] = "";
        memset(note, 'n', (size_t)n);
        struct outcome o = ASSAY("keygen", HERE, "--from", key, "--note", note);
        cr_expect(o.status == (n > 200 ? 64 : 0), "%d: %d: %s", n, o.status, o.err);
    }
    for (int n = 252; n <= 254; n++) {
        char domain[256] = "", selector[64] = "";
        memset(domain, 'd', (size_t)n - strlen("._domainkey.") - 10);
        for (size_t i = 50; domain[i] && domain[i + 1]; i += 51)
            domain[i] = '.';
        memset(selector, 's', 10);
        struct outcome o =
            ASSAY("keygen", "-d", domain, "-s", selector, "--from", key, "--format", "zone");
        cr_expect(o.status == (n > 253 ? 64 : 0), "%d: %d: %s", n, o.status, o.err);
    }
}

/* Files that are no keys, or not the operator's alone. */
Test(keygen, from_bad_files)
{
    char *key = make_key("a.example", "key", "ed25519", NULL);
    char *loose = put_file("loose.txt", file_text(key), 0644);
    char *prose = put_file("prose.txt", "Once upon a time\n", 0600);
    char *cut = put_file("cut.txt", file_text(key), 0600);
    cr_assert(truncate(cut, 60) == 0);
    struct outcome o = ASSAY("keygen", HERE, "--from", prose);
    cr_expect(o.status == 65 && count_lines(o.err) == 1, "%d: %s", o.status, o.err);
    o = ASSAY("keygen", HERE, "--from", cut);
    cr_expect(o.status == 65 && count_lines(o.err) == 1, "%d: %s", o.status, o.err);
    o = ASSAY("keygen", HERE, "--from", loose);
    cr_expect(o.status == 77 && count_lines(o.err) == 1 && strstr(o.err, "--insecure-key"),
              "%d: %s", o.status, o.err);
    o = ASSAY("keygen", HERE, "--from", loose, "--insecure-key");
    cr_expect(o.status == 0, "%d: %s", o.status, o.err);
}
