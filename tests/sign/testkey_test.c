/* assay testkey: what it says about published keys, and the exit status that monitoring goes by. */
#include "desk.h"

#include <stdio.h>

#include "support/name_server.h"

static char *without_quotes(const char *zone_line)
{
    const char *begin = strchr(zone_line, '"') + 1;
    char *text = strdup(begin);
    text[strcspn(text, "\"")] = '\0';
    return text;
}

struct key_case
{
    const char *name;
    const char *zone; /* "KEY" stands for the record of the private key, "OTHER" for another's */
    int status;
    const char *problem;  /* NULL: none */
    const char *warnings; /* between blanks; "" none */
    int matches;          /* 1, 0, -1 null */
};

#define OWNER "s1._domainkey.a.example. TXT "

static const struct key_case key_cases[] = {
    {"the right key", OWNER "\"KEY\"\n", 0, NULL, "", 1},
    {"another key", OWNER "\"OTHER\"\n", 1, "key_mismatch", "", 0},
    {"no record: NXDOMAIN (DV-30)", "b.example. TXT x\n", 1, "no_record", "", -1},
    {"no record: empty (DV-30)", "s1._domainkey.a.example. A 192.0.2.1\n", 1, "no_record", "", -1},
    {"revoked (DV-33)", OWNER "\"v=DKIM1; p=\"\n", 1, "revoked", "", 0},
    {"testing (DV-40)", OWNER "\"t=y; KEYTAGS\"\n", 0, NULL, "testing", 1},
    {"no key record (DV-32)", OWNER "\"v=spf1 -all\"\n", 1, "bad_key_record", "", -1},
    {"not for mail (DV-39)", OWNER "\"s=tlsrpt; KEYTAGS\"\n", 1, "key_service", "", 0},
    {"hash not allowed (DV-38)", OWNER "\"h=sha1; KEYTAGS\"\n", 1, "key_hash", "", 1},
    {"p= that is no base64", OWNER "\"v=DKIM1; p=!!!\"\n", 1, "bad_key_data", "", 0},
    {"several records, ours first (DV-31)", OWNER "\"KEY\"\n" OWNER "\"OTHER\"\n", 0, NULL,
     "several_records", 1},
    {"several records, ours last (DV-31)", OWNER "\"OTHER\"\n" OWNER "\"KEY\"\n", 0, NULL,
     "several_records", 1},
    {"another text beside it", OWNER "\"v=spf1 -all\"\n" OWNER "\"KEY\"\n", 0, NULL,
     "several_records", 1},
    {"alias", "s1._domainkey.a.example. CNAME k.b.example.\nk.b.example. TXT \"KEY\"\n", 0, NULL,
     "", 1},
    {"no answer (DV-30)", OWNER "!timeout\n", 69, "dns_timeout", "", -1},
    {"server failure (DV-30)", OWNER "!servfail\n", 69, "servfail", "", -1},
};

/* "KEYTAGS" is the record without its v=, to stand behind other tags. */
static char *fill(const char *pattern, const char *key, const char *other)
{
    char *text = strdup("");
    while (*pattern) {
        if (strncmp(pattern, "KEYTAGS", 7) == 0) {
            text = join(text, key + strlen("v=DKIM1; "), "");
            pattern += 7;
        } else if (strncmp(pattern, "KEY", 3) == 0) {
            text = join(text, key, "");
            pattern += 3;
        } else if (strncmp(pattern, "OTHER", 5) == 0) {
            text = join(text, other, "");
            pattern += 5;
        } else {
            char c[2] = {*pattern++, '\0'};
            text = join(text, c, "");
        }
    }
    return text;
}

static void check_warnings(const struct key_case *want, const json_t *json)
{
    const json_t *warnings = json_at(json, "warnings");
    char got[128] = "";
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        strcat(got, i ? " " : "");
        strcat(got, json_string_value(json_array_get(warnings, i)));
    }
    cr_expect(strcmp(got, want->warnings) == 0, "%s: warnings \"%s\", want \"%s\"", want->name, got,
              want->warnings);
}

Test(testkey, each_state_of_a_published_key)
{
    char *key = make_key("a.example", "key", "ed25519", NULL);
    char *other = make_key("a.example", "key-other", "ed25519", NULL);
    char *record = without_quotes(record_of(key, "a.example", "s1"));
    char *other_record = without_quotes(record_of(other, "a.example", "s1"));
    for (size_t i = 0; i < sizeof key_cases / sizeof key_cases[0]; i++) {
        const struct key_case *c = &key_cases[i];
        char *zone = put_file("zone.txt", fill(c->zone, record, other_record), 0644);
        struct outcome o =
            ASSAY("testkey", "--json", "--dns", zone, "-d", "a.example", "-s", "s1", "-k", key);
        cr_assert(count_lines(o.out) == 1, "%s: %s%s", c->name, o.out, o.err);
        json_t *json = json_line(o.out, 0);
        cr_expect(o.status == c->status, "%s: got %d, want %d: %s", c->name, o.status, c->status,
                  o.out);
        const char *problem = json_text(json, "problem");
        cr_expect(strcmp(problem ? problem : "-", c->problem ? c->problem : "-") == 0,
                  "%s: got %s, want %s", c->name, problem, c->problem);
        const json_t *matches = json_at(json, "matches");
        int got = json_is_null(matches) ? -1 : json_is_true(matches);
        cr_expect(got == c->matches, "%s: matches %d, want %d", c->name, got, c->matches);
        check_warnings(c, json);
        struct outcome people =
            ASSAY("testkey", "--dns", zone, "-d", "a.example", "-s", "s1", "-k", key);
        cr_expect(people.status == c->status && strstr(people.out, "s1._domainkey.a.example: "),
                  "%s: %s", c->name, people.out);
        struct outcome strict =
            ASSAY("testkey", "--strict", "--dns", zone, "-d", "a.example", "-s", "s1", "-k", key);
        int want = c->status ? c->status : c->warnings[0] ? 1 : 0;
        cr_expect(strict.status == want, "%s: --strict: got %d, want %d", c->name, strict.status,
                  want);
    }
}

/* Without a private key there is nothing to compare with, and no failure in that. */
Test(testkey, without_a_private_key)
{
    char *key = make_key("a.example", "key", "rsa", "1024");
    char *zone = put_file("zone.txt", record_of(key, "a.example", "s1"), 0644);
    struct outcome o = ASSAY("testkey", "--json", "--dns", zone, "-d", "a.example", "-s", "s1");
    cr_assert(o.status == 0, "%s", o.err);
    json_t *json = json_line(o.out, 0);
    cr_expect(json_is_null(json_at(json, "matches")));
    cr_expect(json_integer_value(json_at(json, "bits")) == 1024);
    cr_expect_str_eq(json_text(json, "type"), "rsa");
    cr_expect_str_eq(json_text(json, "warnings.0"), "short_key");
}

/* A key that is too small for verifiers (DV-37, D05) is published all the same by some. */
Test(testkey, published_512_bits)
{
    static const char record[] =
        "s1._domainkey.a.example. TXT \"v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALHWfYEQ"
        "Bdl9iS/wHCGNDmCcVVGNTPFqsVTsVe/xV9VSgQoQxr1Q9jdQn1kmMPNDzZ+YQAGwxkSl0TrHbhAnmtMCAwEAAQ=="
        "\"\n";
    char *zone = put_file("zone.txt", record, 0644);
    struct outcome o = ASSAY("testkey", "--json", "--dns", zone, "-d", "a.example", "-s", "s1");
    cr_expect(o.status == 1);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "problem"), "key_too_small");
}

/* A loose mode is a finding of its own, and the comparison is made all the same. */
Test(testkey, loose_key_file)
{
    char *key = make_key("a.example", "key", "ed25519", NULL);
    char *loose = put_file("loose.txt", file_text(key), 0644);
    char *zone = put_file("zone.txt", record_of(key, "a.example", "s1"), 0644);
    struct outcome o =
        ASSAY("testkey", "--json", "--dns", zone, "-d", "a.example", "-s", "s1", "-k", loose);
    cr_expect(o.status == 1, "%d: %s", o.status, o.err);
    json_t *json = json_line(o.out, 0);
    cr_expect(json_text(json, "key_file_fault") != NULL && json_is_true(json_at(json, "matches")));
    o = ASSAY("testkey", "--insecure-key", "--dns", zone, "-d", "a.example", "-s", "s1", "-k",
              loose);
    cr_expect(o.status == 0, "%d: %s", o.status, o.out);
}

/* A private key that was not opened: what is published may be good, the test is not. The line says
 * why, the object does, too. */
Test(testkey, private_keys_that_cannot_be_opened)
{
    char *key = make_key("a.example", "key", "ed25519", NULL);
    char *zone = put_file("zone.txt", record_of(key, "a.example", "s1"), 0644);
    const struct
    {
        const char *file;
        int status;
        const char *says;
    } cases[] = {{"/nonexistent/key", 66, "cannot be read"},
                 {put_file("prose.txt", "Once upon a time\n", 0600), 65, "is no private key"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome o =
            ASSAY("testkey", "--dns", zone, "-d", "a.example", "-s", "s1", "-k", cases[i].file);
        cr_expect(o.status == cases[i].status, "%d: %s", o.status, o.err);
        cr_expect(strstr(o.out, ": problem, ed25519") && strstr(o.out, cases[i].says), "%s", o.out);
        o = ASSAY("testkey", "--json", "--dns", zone, "-d", "a.example", "-s", "s1", "-k",
                  cases[i].file);
        json_t *json = json_line(o.out, 0);
        cr_expect_str_eq(json_text(json, "result"), "problem");
        cr_expect(strstr(json_text(json, "key_file_fault"), cases[i].says), "%s", o.out);
    }
}

/* KeyTables ------------------------------------------------------------------------------------ */

/* "PATH" in the text stands for the path. */
static char *key_table(const char *pattern, const char *path)
{
    char *text = strdup("");
    const char *at;
    while ((at = strstr(pattern, "PATH")) != NULL) {
        text = join(text, strndup(pattern, (size_t)(at - pattern)), path);
        pattern = at + 4;
    }
    return put_file("keytable.txt", join(text, pattern, ""), 0644);
}

/* Every key of the table, each with its line; "%" is the domain of -d. */
Test(testkey, walks_a_key_table)
{
    char *key = make_key("a.example", "key", "ed25519", NULL);
    char *table = key_table("# keys\n"
                            "one a.example:s1:PATH   # the good one\n\n"
                            "two a.example:s2:PATH\n"
                            "three %:s1:/nonexistent/key\n",
                            key);
    char *zone = put_file("zone.txt", record_of(key, "a.example", "s1"), 0644);
    struct outcome o =
        ASSAY("testkey", "--json", "--dns", zone, "--key-table", table, "-d", "a.example");
    cr_assert(count_lines(o.out) == 3, "%s%s", o.out, o.err);
    cr_expect(o.status == 1, "%d", o.status);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "result"), "good");
    cr_expect_str_eq(json_text(json_line(o.out, 1), "problem"), "no_record");
    cr_expect_str_eq(json_text(json_line(o.out, 2), "key_file"), "/nonexistent/key");
    cr_expect(json_is_null(json_at(json_line(o.out, 2), "matches")));
    struct outcome without = ASSAY("testkey", "--dns", zone, "--key-table", table);
    cr_expect(without.status == 78 && strstr(without.err, "keytable.txt:5: "), "%d: %s",
              without.status, without.err);
}

Test(testkey, exit_status_is_the_worst)
{
    char *key = make_key("a.example", "key", "ed25519", NULL);
    char *line = record_of(key, "a.example", "s1");
    char *zone =
        put_file("zone.txt", join(line, "s2._domainkey.a.example TXT !timeout\n", ""), 0644);
    char *good_and_away = key_table("a a.example:s1:PATH\nb a.example:s2:PATH\n", key);
    struct outcome o = ASSAY("testkey", "--dns", zone, "--key-table", good_and_away);
    cr_expect(o.status == 69, "%d: %s", o.status, o.out);
    char *bad_and_away = key_table("b a.example:s2:PATH\na a.example:s9:PATH\n", key);
    o = ASSAY("testkey", "--dns", zone, "--key-table", bad_and_away);
    cr_expect(o.status == 1, "%d: %s", o.status, o.out);
}

struct fault
{
    const char *name;
    const char *table; /* NULL: none */
    const char *argv[10];
    int status;
    const char *word;
};

static const struct fault faults[] = {
    {"nothing", NULL, {"testkey"}, 64, "domain"},
    {"one key for two selectors",
     NULL,
     {"testkey", "-d", "a.example", "-s", "a", "-s", "b", "-k", "x"},
     64,
     "-k"},
    {"operand", NULL, {"testkey", "-d", "a.example", "-s", "a", "x"}, 64, "x"},
    {"no such zone",
     NULL,
     {"testkey", "-d", "a.example", "-s", "a", "--dns", "/nonexistent/zone"},
     66,
     "/nonexistent/zone"},
    {"both sources",
     NULL,
     {"testkey", "-d", "a.example", "-s", "a", "--dns", "x", "--resolver", "127.0.0.1"},
     64,
     "exclude"},
    {"no such table", NULL, {"testkey", "--key-table", "/nonexistent/t"}, 66, "/nonexistent/t"},
    {"table of another kind", NULL, {"testkey", "--key-table", "ldap://x"}, 64, "file: and refile"},
    {"empty table", "# nothing\n", {"testkey"}, 78, "no key"},
    {"name without a value", "a a.example:s:/k\nb\n", {"testkey"}, 78, "table.txt:2: "},
    {"two parts", "a a.example:s\n", {"testkey"}, 78, "table.txt:1: "},
    {"a NUL in it", NULL, {"testkey", "--key-table", "/dev/zero"}, 66, "/dev/zero"},
    {"domain that is none", "a a..b:s:/k\n", {"testkey"}, 78, "table.txt:1: "},
    {"a selector beside a table", "a a.example:s:/k\n", {"testkey", "-s", "s"}, 64, "--key-table"},
};

Test(testkey, each_fault_one_line_and_its_status)
{
    char *zone = put_file("zone.txt", "a.example A 192.0.2.1\n", 0644);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const char *argv[20] = {NULL};
        size_t n = 0;
        for (; faults[i].argv[n]; n++)
            argv[n] = faults[i].argv[n];
        if (faults[i].table) {
            argv[n++] = "--key-table";
            argv[n++] = put_file("table.txt", faults[i].table, 0644);
            argv[n++] = "--dns";
            argv[n++] = zone;
        }
        struct outcome o = assay(SPAN(""), argv);
        cr_expect(o.status == faults[i].status, "%s: got %d, want %d: %s", faults[i].name, o.status,
                  faults[i].status, o.err);
        cr_expect(strstr(o.err, faults[i].word) != NULL, "%s: no \"%s\" in: %s", faults[i].name,
                  faults[i].word, o.err);
        cr_expect(count_lines(o.err) == 1 && o.out[0] == '\0', "%s: %s%s", faults[i].name, o.out,
                  o.err);
    }
}

Test(testkey, resolver_away_is_69)
{
    struct outcome o = ASSAY("testkey", "-d", "a.example", "-s", "s1", "--resolver", "127.0.0.1@9",
                             "--timeout", "1500");
    cr_expect(o.status == 69 && strstr(o.out, "unanswered"), "%d: %s%s", o.status, o.out, o.err);
}

/* J08: what a stranger publishes does not reach the terminal raw. */
Test(testkey, output_for_people_is_printable)
{
    char *zone = put_file("zone.txt",
                          "s1._domainkey.a.example. TXT \"v=DKIM1; k=\\027[31m; p=\\007\"\n", 0644);
    struct outcome o = ASSAY("testkey", "--dns", zone, "-d", "a.example", "-s", "s1");
    cr_expect(o.status == 1);
    for (const char *c = o.out; *c; c++)
        cr_assert((*c >= 0x20 && *c < 0x7f) || *c == '\n', "byte 0x%02x", (unsigned char)*c);
}
