/*
 * assay record: options to records, and what is refused. The text is compared byte by byte, and
 * each record is read by `assay dmarc`, `assay spf` or `assay testkey`, as receivers would.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/corpora.h"
#include "support/tool.h"

struct record_case
{
    const char *name;
    const char *argv[24]; /* behind "record" */
    const char *want;
};

#define DMARC "dmarc", "-d", "a.example"
#define SPF "spf", "-d", "a.example"

static const struct record_case records[] = {
    {"DP-7, DP-22 version first, then p", {DMARC, "--p", "reject"}, "v=DMARC1; p=reject"},
    {"p=none where nothing is said", {DMARC}, "v=DMARC1; p=none"},
    {"every tag in order",
     {DMARC,  "--fo", "d:s",        "--aspf", "s",           "--adkim", "r",
      "--t",  "y",    "--psd",      "n",      "--np",        "reject",  "--sp",
      "none", "--p",  "quarantine", "--rua",  "r@a.example", "--ruf",   "f@a.example"},
     "v=DMARC1; p=quarantine; sp=none; np=reject; psd=n; t=y; adkim=r; aspf=s; "
     "rua=mailto:r@a.example; ruf=mailto:f@a.example; fo=d:s"},
    {"DP-13 several addresses, in one option and in two",
     {DMARC, "--p", "none", "--rua", "a@a.example, b@a.example", "--rua", "mailto:c@a.example"},
     "v=DMARC1; p=none; rua=mailto:a@a.example,mailto:b@a.example,mailto:c@a.example"},
    {"DP-13 what a list needs for itself is encoded",
     {DMARC, "--p", "none", "--rua", "a!b;c@a.example"},
     "v=DMARC1; p=none; rua=mailto:a%21b%3Bc@a.example"},
    {"DP-4 a host of any script becomes A-labels",
     {"dmarc", "-d",
      "b\xc3\xbc"
      "cher.example",
      "--p", "none", "--rua",
      "r@b\xc3\xbc"
      "cher.example"},
     "v=DMARC1; p=none; rua=mailto:r@xn--bcher-kva.example"},
    {"DP-13 a size is obsolete",
     {DMARC, "--p", "none", "--rua", "mailto:r@a.example!10m"},
     "v=DMARC1; p=none; rua=mailto:r@a.example"},
    {"another scheme stays as it is",
     {DMARC, "--p", "none", "--rua", "https://a.example/r"},
     "v=DMARC1; p=none; rua=https://a.example/r"},
    {"DP-12 fo without ruf is left out", {DMARC, "--p", "none", "--fo", "1"}, "v=DMARC1; p=none"},
    {"RFC 9989 9.3 pct, rf, ri are left out",
     {DMARC, "--p", "reject", "--pct", "50", "--rf", "afrf", "--ri", "3600"},
     "v=DMARC1; p=reject"},
    {"psd=y of a top-level domain",
     {"dmarc", "-d", "example", "--p", "reject", "--psd", "y"},
     "v=DMARC1; p=reject; psd=y"},

    {"nobody sends", {SPF, "--all", "fail"}, "v=spf1 -all"},
    {"the order is that of the costs",
     {SPF, "--exists", "%{i}.x.example", "--include", "i.example", "--mx", "@", "--a", "w.example",
      "--ip6", "2001:db8::/48", "--ip4", "192.0.2.1", "--exp", "why.example", "--all", "neutral"},
     "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/48 a:w.example mx include:i.example "
     "exists:%{i}.x.example ?all exp=why.example"},
    {"softfail where nothing is said",
     {SPF, "--ip4", "192.0.2.0/24"},
     "v=spf1 ip4:192.0.2.0/24 ~all"},
    {"SP-12 redirect has no all behind it",
     {SPF, "--ip4", "192.0.2.1", "--redirect", "r.example"},
     "v=spf1 ip4:192.0.2.1 redirect=r.example"},
    {"SP-14 prefixes of names",
     {SPF, "--a", "@/24", "--a", "w.example//64", "--mx", "@/28//56", "--mx", "m.example", "--all",
      "pass"},
     "v=spf1 a/24 a:w.example//64 mx/28//56 mx:m.example +all"},
    {"a name of any script, and a case that does not matter",
     {SPF, "--include",
      "_SPF.b\xc3\xbc"
      "cher.example.",
      "--all", "fail"},
     "v=spf1 include:_spf.xn--bcher-kva.example -all"},
    {"SP-28 macros stay as they are",
     {SPF, "--exists", "%{l1r-}.%{d1R/}.example", "--include", "%{d}", "--all", "fail"},
     "v=spf1 include:%{d} exists:%{l1r-}.%{d1R/}.example -all"},
    {"the same term once",
     {SPF, "--include", "i.example", "--include", "I.example", "--all", "fail"},
     "v=spf1 include:i.example -all"},

    {"DV-33 revoked", {"dkim", "-d", "a.example", "-s", "s1", "--revoke"}, "v=DKIM1; p="},
    {"RFC 9990 4", {"report", "-d", "a.example", "--to", "r.example"}, "v=DMARC1"},
    {"to: an address", {"report", "-d", "a.example", "--to", "mailto:x@r.example"}, "v=DMARC1"},
    {"AG-28 another address of the same host",
     {"report", "-d", "a.example", "--to", "r.example", "--rua", "new@R.example"},
     "v=DMARC1; rua=mailto:new@r.example"},
};

static struct outcome record(const struct record_case *c, const char *a, const char *b)
{
    const char *argv[32] = {"record"};
    size_t n = 1;
    for (size_t i = 0; c->argv[i]; i++)
        argv[n++] = c->argv[i];
    argv[n++] = a;
    argv[n] = b;
    return assay(SPAN(""), argv);
}

Test(record, options_become_this_text)
{
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct outcome o = record(&records[i], "--format", "string");
        cr_expect(o.status == 0, "%s: %d: %s", records[i].name, o.status, o.err);
        size_t n = strlen(records[i].want);
        cr_expect(strncmp(o.out, records[i].want, n) == 0 && strcmp(o.out + n, "\n") == 0,
                  "%s:\ngot  %s\nwant %s", records[i].name, o.out, records[i].want);
    }
}

/* What is printed in every form is one and the same record. */
Test(record, every_form_says_the_same)
{
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        const struct record_case *c = &records[i];
        json_t *json = json_line(record(c, "--json", NULL).out, 0);
        struct outcome zone = record(c, "--format", "zone");
        struct outcome update = record(c, "--format", "nsupdate");
        struct outcome all = record(c, NULL, NULL);
        char *line = strdup(json_text(json, "zone"));
        cr_expect_str_eq(json_text(json, "record"), c->want);
        cr_expect_str_eq(json_text(json, "kind"), c->argv[0]);
        cr_expect(strncmp(zone.out, line, strlen(line)) == 0 && count_lines(zone.out) == 1,
                  "%s: %s", c->name, zone.out);
        char want[2048];
        size_t n = 0;
        if (strcmp(c->argv[0], "spf") != 0) /* whose name is the domain's, with other TXT records */
            n = (size_t)snprintf(want, sizeof want, "update delete %s. TXT\n",
                                 json_text(json, "name"));
        snprintf(want + n, sizeof want - n, "update add %s\nsend\n", line);
        cr_expect_str_eq(update.out, want, "%s: %s", c->name, update.out);
        cr_expect(strstr(all.out, zone.out) && strstr(all.out, update.out), "%s: %s", c->name,
                  all.out);
    }
}

/* Strings of 255 bytes at most (RFC 1035 3.3.14): 255 in one, 256 in two. */
Test(record, long_records_are_cut_into_strings)
{
    static const struct
    {
        int padding;
        size_t strings;
    } sizes[] = {{254, 1}, {255, 1}, {256, 2}, {510, 2}, {511, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char address[600];
        int rest = sizes[i].padding - (int)strlen("v=DMARC1; p=none; rua=mailto:@a.example");
        snprintf(address, sizeof address, "%0*d@a.example", rest, 7);
        struct outcome o = ASSAY("record", DMARC, "--p", "none", "--rua", address, "--json");
        cr_assert(o.status == 0, "%s", o.err);
        json_t *json = json_line(o.out, 0);
        cr_expect(strlen(json_text(json, "record")) == (size_t)sizes[i].padding);
        cr_expect(json_array_size(json_at(json, "strings")) == sizes[i].strings, "%d: %zu strings",
                  sizes[i].padding, json_array_size(json_at(json, "strings")));
    }
}

struct report_case
{
    const char *name, *rua, *ruf;
    const char *want[3]; /* names, in order */
};

static const struct report_case reports[] = {
    {"AG-25 the same organization", "r@a.example,r@reports.a.example", NULL, {NULL}},
    {"another one", "r@r.test", NULL, {"mail.a.example._report._dmarc.r.test"}},
    {"each host once, of rua and ruf",
     "r@r.test,q@R.test",
     "f@r.test,f@x.r.test",
     {"mail.a.example._report._dmarc.r.test", "mail.a.example._report._dmarc.x.r.test"}},
    {"a public suffix parts organizations",
     "r@other.example",
     NULL,
     {"mail.a.example._report._dmarc.other.example"}},
    {"no host, no record", "https://r.test/x", NULL, {NULL}},
};

/* RFC 9990 4: without that record no receiver sends a report there. */
Test(record, external_destinations)
{
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        const struct report_case *c = &reports[i];
        const char *argv[] = {"record", "dmarc", "-d",   "mail.a.example",        "--p",  "none",
                              "--json", "--rua", c->rua, c->ruf ? "--ruf" : NULL, c->ruf, NULL};
        struct outcome o = assay(SPAN(""), argv);
        cr_assert(o.status == 0, "%s: %s", c->name, o.err);
        json_t *json = json_line(o.out, 0);
        size_t count = json_array_size(json_at(json, "reports"));
        for (size_t k = 0; k < 3; k++) {
            char path[32];
            snprintf(path, sizeof path, "reports.%zu.name", k);
            const char *got = k < count ? json_text(json, path) : NULL;
            if (!c->want[k]) {
                cr_expect(got == NULL, "%s: %s", c->name, got);
                break;
            }
            cr_expect(got && strcmp(got, c->want[k]) == 0, "%s: got %s, want %s", c->name, got,
                      c->want[k]);
        }
    }
    struct outcome all = ASSAY("record", DMARC, "--p", "none", "--rua", "r@r.test");
    cr_expect(strstr(all.out, "\na.example._report._dmarc.r.test. 3600 IN TXT \"v=DMARC1\"\n"),
              "%s", all.out);
    struct outcome zone =
        ASSAY("record", DMARC, "--p", "none", "--rua", "r@r.test", "--format", "zone");
    cr_expect(count_lines(zone.out) == 1 &&
                  strstr(zone.err, "a.example._report._dmarc.r.test. 3600 IN TXT \"v=DMARC1\"\n"),
              "%s%s", zone.out, zone.err);
    struct outcome made =
        ASSAY("record", "report", "-d", "a.example", "--to", "r.test", "--format", "zone");
    cr_expect_str_eq(made.out, "a.example._report._dmarc.r.test. 3600 IN TXT \"v=DMARC1\"\n");
    struct outcome any = ASSAY("record", "report", "--any", "--to", "r.test", "--format", "zone");
    cr_expect_str_eq(any.out, "*._report._dmarc.r.test. 3600 IN TXT \"v=DMARC1\"\n");
}

struct note_case
{
    const char *name;
    const char *argv[12];
    const char *word; /* in a line on stderr and in the JSON's warnings; NULL: none at all */
};

static const struct note_case notes[] = {
    {"pct", {DMARC, "--p", "none", "--rua", "r@a.example", "--pct", "50"}, "--pct"},
    {"rf", {DMARC, "--p", "none", "--rua", "r@a.example", "--rf", "afrf"}, "--rf"},
    {"ri", {DMARC, "--p", "none", "--rua", "r@a.example", "--ri", "1"}, "--ri"},
    {"no p", {DMARC, "--rua", "r@a.example"}, "no --p"},
    {"no rua, by the linter", {DMARC, "--p", "reject"}, "rua="},
    {"a weaker sp, by the linter",
     {DMARC, "--p", "reject", "--sp", "none", "--rua", "r@a.example"},
     "weaker"},
    {"fo", {DMARC, "--p", "none", "--rua", "r@a.example", "--fo", "1"}, "--fo"},
    {"test of nothing", {DMARC, "--p", "none", "--rua", "r@a.example", "--t", "y"}, "--t"},
    {"DP-25 test of sp alone",
     {DMARC, "--p", "none", "--sp", "quarantine", "--rua", "r@a.example", "--t", "y"},
     NULL},
    {"size", {DMARC, "--p", "none", "--rua", "mailto:r@a.example!10m"}, "size"},
    {"scheme", {DMARC, "--p", "none", "--rua", "https://a.example/"}, "mailto"},
    {"nothing to say",
     {DMARC, "--p", "reject", "--rua", "r@a.example", "--ruf", "r@a.example", "--fo", "1"},
     NULL},
    {"no all", {SPF, "--ip4", "192.0.2.1"}, "--all"},
    {"everybody, by the linter", {SPF, "--all", "pass"}, "whole internet"},
    {"twice", {SPF, "--ip4", "192.0.2.1", "--ip4", "192.0.2.1", "--all", "fail"}, "twice"},
    {"nothing to say", {SPF, "--ip4", "192.0.2.1", "--all", "fail"}, NULL},
    {"one organization", {"report", "-d", "a.example", "--to", "x.a.example"}, "not needed"},
};

Test(record, notes_are_on_stderr_and_in_the_json)
{
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        struct record_case c = {.name = notes[i].name};
        memcpy(c.argv, notes[i].argv, sizeof notes[i].argv);
        struct outcome o = record(&c, "--json", NULL);
        cr_expect(o.status == 0, "%s: %s", c.name, o.err);
        char *warnings = json_dumps(json_at(json_line(o.out, 0), "warnings"), 0);
        if (notes[i].word)
            cr_expect(strstr(o.err, notes[i].word) && strstr(warnings, notes[i].word), "%s: %s%s",
                      c.name, o.err, warnings);
        else
            cr_expect(*o.err == '\0' && strcmp(warnings, "[]") == 0, "%s: %s%s", c.name, o.err,
                      warnings);
    }
}

/* --- refused --- */

struct fault
{
    const char *name;
    const char *argv[16];
    int status;
    const char *word; /* in the one line on stderr */
};

static const struct fault faults[] = {
    {"no kind, no terminal", {NULL}, 64, "kind"},
    {"a kind alone, no terminal", {"dmarc"}, 64, "domain"},
    {"another kind", {"bimi", "-d", "a.example"}, 64, "dkim, spf"},
    {"two kinds", {"spf", "dmarc", "-d", "a.example"}, 64, "dkim, spf"},
    {"kind forgotten", {"-d", "a.example", "--p", "none"}, 64, "kind"},
    {"no domain", {"spf", "--all", "fail"}, 64, "domain"},
    {"domain that is none", {"spf", "-d", "a..example", "--all", "fail"}, 64, "a..example"},
    {"one label", {"spf", "-d", "example", "--all", "fail"}, 64, "two labels"},
    {"domain with _dmarc", {"dmarc", "-d", "_dmarc.a.example", "--p", "none"}, 64, "_dmarc"},
    {"domain with _domainkey",
     {"dkim", "-d", "s1._Domainkey.a.example", "-s", "s1", "--revoke"},
     64,
     "_domainkey"},
    {"include of itself", {SPF, "--include", "A.example."}, 64, "itself"},
    {"redirect to itself", {SPF, "--redirect", "a.example"}, 64, "itself"},
    {"option of another kind", {SPF, "--p", "none"}, 64, "--p"},
    {"a switch of another kind", {SPF, "--all", "fail", "--revoke"}, 64, "--revoke"},
    {"unknown option", {SPF, "--ptr", "x"}, 64, "unknown"},
    {"format", {SPF, "--all", "fail", "--format", "bind"}, 64, "bind"},
    {"ttl", {SPF, "--all", "fail", "--ttl", "never"}, 64, "never"},

    {"p", {DMARC, "--p", "accept"}, 64, "accept"},
    {"sp", {DMARC, "--sp", ""}, 64, "--sp"},
    {"fo 0 and 1", {DMARC, "--fo", "0:1"}, 64, "0:1"},
    {"t", {DMARC, "--t", "yes"}, 64, "yes"},
    {"rua without a host", {DMARC, "--rua", "postmaster"}, 64, "postmaster"},
    {"rua of one label", {DMARC, "--rua", "a@localhost"}, 64, "localhost"},
    {"rua with a list's comma alone", {DMARC, "--rua", "r@a.example,"}, 0, NULL},
    {"rua with an empty item", {DMARC, "--rua", "r@a.example,,q@a.example"}, 64, "\"\""},
    {"rua with a tag in it", {DMARC, "--rua", "mailto:r@a.example; p=none"}, 64, "p=none"},
    {"rua with a blank", {DMARC, "--rua", "mailto:r r@a.example"}, 64, "r r"},
    {"rua with a quote", {DMARC, "--rua", "mailto:\"r\"@a.example"}, 64, "mailto"},
    {"rua empty", {DMARC, "--rua", ""}, 64, "address"},

    {"nobody named", {SPF}, 64, "--all fail"},
    {"ip4 that is none", {SPF, "--ip4", "192.0.2"}, 64, "IPv4"},
    {"SP-14 ip4 with a zero in front", {SPF, "--ip4", "192.0.02.1"}, 64, "IPv4"},
    {"SP-14 prefix 33", {SPF, "--ip4", "192.0.2.0/33"}, 64, "prefix"},
    {"SP-14 prefix 024", {SPF, "--ip4", "192.0.2.0/024"}, 64, "prefix"},
    {"SP-14 prefix 129", {SPF, "--ip6", "2001:db8::/129"}, 64, "prefix"},
    {"ip4 for ip6", {SPF, "--ip6", "192.0.2.1"}, 64, "IPv6"},
    {"ip6 for ip4", {SPF, "--ip4", "2001:db8::1"}, 64, "IPv4"},
    {"an address as a name", {SPF, "--a", "192.0.2.1"}, 64, "--ip4"},
    {"SP-13 include with a prefix", {SPF, "--include", "i.example/24"}, 64, "i.example/24"},
    {"SP-13 one label", {SPF, "--include", "localhost"}, 64, "localhost"},
    {"SP-13 empty label", {SPF, "--mx", "a..example"}, 64, "a..example"},
    {"SP-28 a letter of exp alone", {SPF, "--exists", "%{t}.example"}, 64, "%{t}"},
    {"a term hidden in a value", {SPF, "--ip4", "192.0.2.1 +all"}, 64, "blanks"},
    {"another line in a value", {SPF, "--include", "i.example\n+all"}, 64, "blanks"},
    {"empty value", {SPF, "--include", ""}, 64, "--include"},
    {"SP-12 redirect and all", {SPF, "--redirect", "r.example", "--all", "fail"}, 64, "exclude"},

    {"no selector", {"dkim", "-d", "a.example", "--revoke"}, 64, "selector"},
    {"no key", {"dkim", "-d", "a.example", "-s", "s1"}, 64, "--from"},
    {"selector that is none", {"dkim", "-d", "a.example", "-s", "s 1", "--revoke"}, 64, "s 1"},
    {"revoke and a key",
     {"dkim", "-d", "a.example", "-s", "s1", "--revoke", "--from", "PUBLIC"},
     64,
     "--from"},
    {"revoke and a flag",
     {"dkim", "-d", "a.example", "-s", "s1", "--revoke", "--testing"},
     64,
     "--testing"},
    {"no such key", {"dkim", "-d", "a.example", "-s", "s1", "--from", "/nonexistent"}, 66, "/none"},
    {"a folder", {"dkim", "-d", "a.example", "-s", "s1", "--from", "/"}, 66, "/"},
    {"prose", {"dkim", "-d", "a.example", "-s", "s1", "--from", "PROSE"}, 65, "PEM"},
    {"a cut public key", {"dkim", "-d", "a.example", "-s", "s1", "--from", "CUT"}, 65, "PEM"},
    {"a public key of 512 bits",
     {"dkim", "-d", "a.example", "-s", "s1", "--from", "SHORT"},
     65,
     "1024"},
    {"a private key that others may read",
     {"dkim", "-d", "a.example", "-s", "s1", "--from", "LOOSE"},
     77,
     "--insecure-key"},

    {"report without a receiver", {"report", "-d", "a.example"}, 64, "--to"},
    {"receiver that is none", {"report", "-d", "a.example", "--to", "r"}, 64, "two labels"},
    {"any and a domain", {"report", "-d", "a.example", "--any", "--to", "r.test"}, 64, "exclude"},
    {"AG-28 an address elsewhere",
     {"report", "-d", "a.example", "--to", "r.test", "--rua", "x@other.test"},
     64,
     "other.test"},

    {"into no folder", {SPF, "--all", "fail", "-o", "/nonexistent/x"}, 73, "/nonexistent/x"},
    {"into a device", {SPF, "--all", "fail", "-o", "/dev/null"}, 73, "/dev/null"},
};

static const char short_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKfm3F0fY0Vn9iC4bT3qVdCkW9i3ISTD\n"
                                "wG7pS5bZ4cHjx9zM0eKhzwq9T2hLwJxgVn3yOqk8k2vMQm5tqv9mHf0CAwEAAQ==\n"
                                "-----END PUBLIC KEY-----\n";

/* RFC 8410 10.1 */
static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
                                 "-----END PUBLIC KEY-----\n";

static const char *make_key(const char *name, const char *domain)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", temporary_folder(), name);
    struct outcome o = ASSAY("keygen", "-d", domain, "-s", "s1", "-b", "1024", "-o", path);
    cr_assert(o.status == 0, "%s", o.err);
    return path;
}

static const char *expand(const char *word)
{
    if (strcmp(word, "PROSE") == 0)
        return temporary_file("prose.pem", SPAN("BEGIN PUBLIC KEY-----\nOnce upon a time\n"));
    if (strcmp(word, "PUBLIC") == 0)
        return temporary_file("public.pem", span_from_string(public_key));
    if (strcmp(word, "CUT") == 0)
        return temporary_file("cut.pem", span_of(short_key, 80));
    if (strcmp(word, "SHORT") == 0)
        return temporary_file("short.pem", span_from_string(short_key));
    if (strcmp(word, "LOOSE") != 0)
        return word;
    const char *path = make_key("loose", "a.example");
    cr_assert(chmod(path, 0644) == 0);
    return path;
}

Test(record, each_fault_one_line_and_its_status)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const char *argv[20] = {"record"};
        for (size_t k = 0; faults[i].argv[k]; k++)
            argv[k + 1] = expand(faults[i].argv[k]);
        struct outcome o = assay(SPAN(""), argv);
        cr_expect(o.status == faults[i].status, "%s: got %d, want %d: %s", faults[i].name, o.status,
                  faults[i].status, o.err);
        if (faults[i].status == 0)
            continue;
        cr_expect(strstr(o.err, faults[i].word) != NULL, "%s: no \"%s\" in: %s", faults[i].name,
                  faults[i].word, o.err);
        cr_expect(count_lines(o.err) == 1 && *o.out == '\0', "%s: %s%s", faults[i].name, o.out,
                  o.err);
    }
}

/* SP-24: the eleventh lookup is a permerror. */
Test(record, ten_lookups)
{
    static const char *const kinds[] = {"--a", "--mx", "--include", "--exists"};
    for (int wanted = 9; wanted <= 11; wanted++) {
        const char *argv[40] = {"record", SPF, "--all", "fail", "--json"};
        char names[12][24];
        for (int i = 0; i < wanted; i++) {
            snprintf(names[i], sizeof names[i], "n%d.example", i);
            argv[7 + 2 * i] = kinds[i % 4];
            argv[8 + 2 * i] = names[i];
        }
        struct outcome o = assay(SPAN(""), argv);
        cr_expect(o.status == (wanted > 10 ? 64 : 0), "%d: %d %s", wanted, o.status, o.err);
        if (o.status == 0)
            cr_expect(json_integer_value(json_at(json_line(o.out, 0), "lookups")) == wanted);
        else
            cr_expect(strstr(o.err, "11 DNS lookups") && *o.out == '\0', "%s", o.err);
    }
    struct outcome redirect = ASSAY("record", SPF, "--redirect", "r.example", "--json");
    cr_expect(json_integer_value(json_at(json_line(redirect.out, 0), "lookups")) == 1);
}

/* A name has 253 bytes at most (RFC 1035 2.3.4), with "_dmarc." and the rest of it. */
Test(record, limits_of_names)
{
    static const struct
    {
        const char *kind, *option, *value;
        int most; /* bytes of the domain */
    } limits[] = {
        {"spf", "--all", "fail", 253},
        {"dmarc", "--p", "none", 253 - 7},
        {"report", "--to", "r.test", 253 - 22},
        {"dmarc", "--rua", "x@r.test", 253 - 22},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        for (int n = limits[i].most - 1; n <= limits[i].most + 1; n++) {
            char domain[256] = "";
            memset(domain, 'd', (size_t)n);
            for (int dot = 50; dot < n - 1; dot += 51)
                domain[dot] = '.';
            struct outcome o = ASSAY("record", limits[i].kind, "-d", domain, limits[i].option,
                                     limits[i].value, "--format", "zone");
            cr_expect(o.status == (n > limits[i].most ? 64 : 0), "%s of %d: %d: %s", limits[i].kind,
                      n, o.status, o.err);
        }
}

/* MAX_OPTION_VALUES */
Test(record, limit_of_values)
{
    const char *tool = getenv("ASSAY") ? getenv("ASSAY") : "build/assay";
    for (int wanted = 63; wanted <= 65; wanted++) {
        char command[4096];
        int n = snprintf(command, sizeof command, "%s record spf -d a.example --all fail", tool);
        for (int i = 0; i < wanted; i++)
            n += snprintf(command + n, sizeof command - (size_t)n, " --ip4 192.0.2.%d", i);
        snprintf(command + n, sizeof command - (size_t)n, " >/dev/null 2>&1");
        int status = system(command);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == (wanted > 64 ? 64 : 0), "%d: %d",
                  wanted, status);
    }
}

/* --- keys --- */

static char *file_text(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", temporary_folder(), name);
    return (char *)(uintptr_t)file_read(path).p;
}

/* A private key, its public half in both PEM forms, and assay keygen say the same. */
Test(record, keys_private_and_public)
{
    static const char *const types[] = {"rsa", "ed25519"};
    const char *folder = temporary_folder();
    for (size_t i = 0; i < 2; i++) {
        char path[256], public[300];
        snprintf(path, sizeof path, "%s/%s", folder, types[i]);
        struct outcome made =
            ASSAY("keygen", "-d", "a.example", "-s", "s1", "-t", types[i], "-o", path, "--format",
                  "string", "--restrict", "email", "--testing", "--no-subdomains", "--note", "a;b");
        cr_assert(made.status == 0, "%s", made.err);
        snprintf(public, sizeof public, "%s.pub", path);
        char command[700];
        snprintf(command, sizeof command, "openssl pkey -in %s -pubout -out %s", path, public);
        cr_assert(system(command) == 0);
        const char *files[] = {path, public};
        for (size_t k = 0; k < 2; k++) {
            struct outcome o = ASSAY("record", "dkim", "-d", "a.example", "-s", "s1", "--from",
                                     files[k], "--format", "string", "--restrict", "email",
                                     "--testing", "--no-subdomains", "--note", "a;b");
            cr_expect(o.status == 0, "%s: %s", files[k], o.err);
            cr_expect_str_eq(o.out, made.out);
        }
    }
    char pkcs1[256], rsa[256];
    snprintf(pkcs1, sizeof pkcs1, "%s/pkcs1", folder);
    snprintf(rsa, sizeof rsa, "%s/rsa", folder);
    char command[700];
    snprintf(command, sizeof command, "openssl rsa -in %s -RSAPublicKey_out -out %s 2>/dev/null",
             rsa, pkcs1);
    cr_assert(system(command) == 0);
    struct outcome a = ASSAY("record", "dkim", "-d", "a.example", "-s", "s1", "--from", pkcs1);
    struct outcome b = ASSAY("record", "dkim", "-d", "a.example", "-s", "s1", "--from", rsa);
    cr_expect(a.status == 0 && strcmp(a.out, b.out) == 0, "%s%s", a.out, a.err);
}

Test(record, an_encrypted_key)
{
    char path[256];
    const char *phrase = temporary_file("phrase", SPAN("open sesame\n"));
    const char *wrong = temporary_file("wrong", SPAN("open barley\n"));
    snprintf(path, sizeof path, "%s/key", temporary_folder());
    struct outcome made = ASSAY("keygen", "-d", "a.example", "-s", "s1", "-t", "ed25519", "-o",
                                path, "--format", "string", "--passphrase-file", phrase);
    cr_assert(made.status == 0, "%s", made.err);
    struct outcome o = ASSAY("record", "dkim", "-d", "a.example", "-s", "s1", "--from", path,
                             "--format", "string", "--passphrase-file", phrase);
    cr_expect(o.status == 0 && strcmp(o.out, made.out) == 0, "%s%s", o.out, o.err);
    o = ASSAY("record", "dkim", "-d", "a.example", "-s", "s1", "--from", path, "--passphrase-file",
              wrong);
    cr_expect(o.status == 77 && *o.out == '\0' && count_lines(o.err) == 1, "%d %s", o.status,
              o.err);
}

/* --- files --- */

/* The file appears whole and in place of the old one, or the old one stays. */
Test(record, output_files_are_whole)
{
    char path[256];
    snprintf(path, sizeof path, "%s/out", temporary_folder());
    struct outcome o = ASSAY("record", SPF, "--all", "fail", "--format", "zone");
    struct outcome f = ASSAY("record", SPF, "--all", "fail", "--format", "zone", "--out", path);
    cr_assert(f.status == 0 && *f.out == '\0', "%s", f.err);
    cr_expect_str_eq(file_text("out"), o.out);
    f = ASSAY("record", SPF, "--all", "fail", "--format", "zone", "-o", "-");
    cr_expect_str_eq(f.out, o.out);
    f = ASSAY("record", SPF, "--ip4", "nonsense", "-o", path);
    cr_expect(f.status == 64);
    cr_expect_str_eq(file_text("out"), o.out);
    f = ASSAY("record", SPF, "--all", "pass", "--json", "-o", path);
    cr_expect(f.status == 0 && strncmp(file_text("out"), "{\"v\":1,", 7) == 0);
    char command[300];
    snprintf(command, sizeof command, "test \"$(ls %s)\" = out", temporary_folder());
    cr_expect(system(command) == 0, "something is left in the folder");
}
