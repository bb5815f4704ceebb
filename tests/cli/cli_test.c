/*
 * The command line contract of design.md: words, JSON keys, exit status, one clear line per error.
 */
#include "support/tool.h"

#include <stdio.h>

#include "support/corpora.h"

static const char zone[] = "a.example TXT \"v=spf1 ip4:192.0.2.0/24 -all exp=why.a.example\"\n"
                           "why.a.example TXT \"%{i} is not ours\"\n"
                           "_dmarc.a.example. 300 IN TXT \"v=DMARC1; p=reject; np=quarantine\"\n"
                           "a.example A 192.0.2.1\n"
                           "broken.example TXT !servfail\n"
                           "_dmarc.broken.example TXT !timeout\n";
static const char message[] = "From: x@a.example\r\nSubject: hello\r\n\r\nbody\r\n";

static const char *zone_file(void)
{
    return temporary_file("zone.txt", span_from_string(zone));
}

Test(cli, check_json_has_the_keys_of_the_contract)
{
    static const char *const keys[] = {"v",
                                       "file",
                                       "authserv_id",
                                       "spf.result",
                                       "spf.domain",
                                       "spf.scope",
                                       "spf.explanation",
                                       "spf.mechanism",
                                       "spf.lookups.count",
                                       "spf.lookups.void",
                                       "dkim",
                                       "arc.result",
                                       "arc.sets",
                                       "arc.oldest_pass",
                                       "arc.reason",
                                       "arc.sealers",
                                       "dmarc.result",
                                       "dmarc.policy",
                                       "dmarc.disposition",
                                       "dmarc.from_domain",
                                       "dmarc.org_domain",
                                       "dmarc.policy_domain",
                                       "dmarc.alignment.spf",
                                       "dmarc.alignment.dkim",
                                       "dmarc.reason",
                                       "anomalies",
                                       "authentication_results",
                                       "dns.0.name",
                                       "dns.0.type",
                                       "dns.0.outcome",
                                       "dns.0.age"};
    const char *file = temporary_file("m.eml", span_from_string(message));
    struct outcome o = ASSAY("check", "--json", "--dns", zone_file(), "--ip", "192.0.2.7", "--helo",
                             "a.example", "--mail-from", "x@a.example", "--authserv-id",
                             "mx.example.net", "--now", "1795000000", file);
    cr_assert(o.status == 0 && count_lines(o.out) == 1, "%d: %s%s", o.status, o.out, o.err);
    json_t *verdict = json_line(o.out, 0);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect(json_at(verdict, keys[i]) != NULL, "no key %s in %s", keys[i], o.out);
    cr_expect_str_eq(json_text(verdict, "file"), file);
    cr_expect_str_eq(json_text(verdict, "authserv_id"), "mx.example.net");
    cr_expect_str_eq(json_text(verdict, "spf.result"), "pass");
    cr_expect_str_eq(json_text(verdict, "spf.scope"), "mfrom");
    cr_expect_str_eq(json_text(verdict, "spf.mechanism"), "ip4:192.0.2.0/24");
    cr_expect_str_eq(json_text(verdict, "dmarc.result"), "pass");
    cr_expect_str_eq(json_text(verdict, "dmarc.policy"), "reject");
    cr_expect(json_is_null(json_at(verdict, "spf.explanation")));
    cr_expect(json_is_true(json_at(verdict, "dmarc.alignment.spf")));
}

Test(cli, several_files_one_line_each_in_order)
{
    const char *one = temporary_file("one.eml", span_from_string(message));
    const char *two = temporary_file("two.eml", SPAN("From: y@b.example\n\nlf file\n"));
    struct outcome o = ASSAY("check", "--json", "--dns", zone_file(), one, two, one);
    cr_assert(o.status == 0 && count_lines(o.out) == 3, "%d: %s%s", o.status, o.out, o.err);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "dmarc.from_domain"), "a.example");
    cr_expect_str_eq(json_text(json_line(o.out, 1), "dmarc.from_domain"), "b.example");
    cr_expect_str_eq(json_text(json_line(o.out, 2), "file"), one);
}

Test(cli, standard_input_and_dash)
{
    const char *dns = zone_file();
    struct outcome without =
        ASSAY_INPUT(span_from_string(message), "check", "--json", "--dns", dns);
    struct outcome dash =
        ASSAY_INPUT(span_from_string(message), "check", "--json", "--dns", dns, "-");
    cr_assert(without.status == 0 && dash.status == 0);
    cr_expect_str_eq(without.out, dash.out);
}

/* LF files are read as CRLF; a CRLF file's bare LF stays one (design.md). */
Test(cli, line_ends_of_files)
{
    const char *dns = zone_file();
    struct outcome lf =
        ASSAY_INPUT(SPAN("From: x@a.example\n\na\nb\n"), "check", "--json", "--dns", dns);
    struct outcome bare =
        ASSAY_INPUT(SPAN("From: x@a.example\r\n\r\na\nb\r\n"), "check", "--json", "--dns", dns);
    cr_assert(lf.status == 0 && bare.status == 0);
    cr_expect(strstr(lf.out, "body_bare_lf") == NULL, "%s", lf.out);
    cr_expect(strstr(bare.out, "body_bare_lf") != NULL, "%s", bare.out);
}

Test(cli, spf_json_is_the_spf_object)
{
    struct outcome o = ASSAY("spf", "--json", "--dns", zone_file(), "--ip", "198.51.100.1",
                             "--mail-from", "x@a.example", "--helo", "h.example");
    cr_assert(o.status == 0 && count_lines(o.out) == 1, "%s%s", o.out, o.err);
    json_t *spf = json_line(o.out, 0);
    cr_expect_str_eq(json_text(spf, "result"), "fail");
    cr_expect_str_eq(json_text(spf, "mechanism"), "-all");
    cr_expect_str_eq(json_text(spf, "explanation"), "198.51.100.1 is not ours");
    cr_expect(json_is_integer(json_at(spf, "lookups.count")));
}

/* check_host() takes any sender with a domain; without a local part it is postmaster (RFC
 * 7208 4.3). */
Test(cli, spf_takes_any_sender)
{
    static const char *const senders[] = {"@a.example", "a.example", "two words@a.example",
                                          "a@b@a.example"};
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        struct outcome o = ASSAY("spf", "--json", "--dns", zone_file(), "--ip", "192.0.2.1",
                                 "--mail-from", senders[i]);
        cr_assert(o.status == 0, "%s: %s", senders[i], o.err);
        cr_expect_str_eq(json_text(json_line(o.out, 0), "result"), "pass", "%s", senders[i]);
    }
}

Test(cli, spf_null_reverse_path_is_the_helo_identity)
{
    struct outcome o = ASSAY("spf", "--json", "--dns", zone_file(), "--ip", "192.0.2.1",
                             "--mail-from", "<>", "--helo", "a.example");
    cr_assert(o.status == 0);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "scope"), "helo");
    cr_expect_str_eq(json_text(json_line(o.out, 0), "result"), "pass");
}

Test(cli, temporary_failure_is_temperror)
{
    struct outcome o = ASSAY("spf", "--json", "--dns", zone_file(), "--ip", "192.0.2.1",
                             "--mail-from", "x@broken.example");
    cr_assert(o.status == 0);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "result"), "temperror");
}

Test(cli, dmarc_json_has_the_keys_of_the_contract)
{
    static const char *const keys[] = {"from_domain",   "exists", "org_domain",
                                       "policy_domain", "policy", "record",
                                       "tags",          "walk",   "reason"};
    struct outcome o = ASSAY("dmarc", "--json", "--dns", zone_file(), "nx.a.example");
    cr_assert(o.status == 0 && count_lines(o.out) == 1, "%s%s", o.out, o.err);
    json_t *found = json_line(o.out, 0);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect(json_at(found, keys[i]) != NULL, "no key %s in %s", keys[i], o.out);
    cr_expect_str_eq(json_text(found, "policy"), "quarantine"); /* np */
    cr_expect_str_eq(json_text(found, "policy_domain"), "a.example");
    cr_expect(json_is_false(json_at(found, "exists")));
    cr_expect(json_array_size(json_at(found, "walk")) == 3);
}

Test(cli, dmarc_does_not_apply)
{
    struct outcome o = ASSAY("dmarc", "--json", "--dns", zone_file(), "other.test");
    cr_assert(o.status == 0);
    cr_expect(json_is_null(json_at(json_line(o.out, 0), "policy")), "%s", o.out);
}

struct fault
{
    const char *name;
    const char *argv[10];
    int status;
    const char *word; /* that the one line on stderr has */
};

#define WITH_ZONE "--dns", "ZONE"

static const struct fault faults[] = {
    {"no command", {NULL}, 64, "usage"},
    {"unknown command", {"frobnicate"}, 64, "no command"},
    {"unknown option", {"check", "--frobnicate"}, 64, "unknown option"},
    {"option without a value", {"check", "--ip"}, 64, "needs a value"},
    {"address that is none",
     {"check", "--ip", "192.0.2.256", WITH_ZONE, "MESSAGE"},
     64,
     "192.0.2.256"},
    {"time that is none", {"check", "--now", "yesterday", WITH_ZONE, "MESSAGE"}, 64, "yesterday"},
    {"both sources", {"check", "--resolver", "127.0.0.1", WITH_ZONE, "MESSAGE"}, 64, "exclude"},
    {"resolver that is none", {"check", "--resolver", "nonsense", "MESSAGE"}, 64, "nonsense"},
    {"empty authserv-id", {"check", "--authserv-id", "", WITH_ZONE, "MESSAGE"}, 64, "authserv-id"},
    {"authserv-id of two lines",
     {"check", "--authserv-id", "mx\r\nX: y", WITH_ZONE, "MESSAGE"},
     64,
     "authserv-id"},
    {"spf without an address", {"spf", "--helo", "a.example", WITH_ZONE}, 64, "--ip"},
    {"spf without an identity", {"spf", "--ip", "192.0.2.1", WITH_ZONE}, 64, "--mail-from"},
    {"dmarc without a domain", {"dmarc", WITH_ZONE}, 64, "DOMAIN"},
    {"dmarc of no name", {"dmarc", "a..b", WITH_ZONE}, 64, "a..b"},
    {"no such message", {"check", WITH_ZONE, "/nonexistent/m.eml"}, 66, "/nonexistent/m.eml"},
    {"a directory", {"check", WITH_ZONE, "/tmp"}, 66, "directory"},
    {"no such zone file",
     {"check", "--dns", "/nonexistent/zone", "MESSAGE"},
     66,
     "/nonexistent/zone"},
    {"zone with a bad line", {"check", "--dns", "BADZONE", "MESSAGE"}, 78, "bad.txt:2:"},
    {"empty input", {"check", WITH_ZONE, "EMPTY"}, 65, "no message"},
    {"text that is no message", {"check", WITH_ZONE, "PROSE"}, 65, "no message"},
};

static const char *expand(const char *argument)
{
    if (strcmp(argument, "ZONE") == 0)
        return zone_file();
    if (strcmp(argument, "MESSAGE") == 0)
        return temporary_file("m.eml", span_from_string(message));
    if (strcmp(argument, "BADZONE") == 0)
        return temporary_file("bad.txt", SPAN("a.example A 192.0.2.1\nb.example A 1.2.3\n"));
    if (strcmp(argument, "EMPTY") == 0)
        return temporary_file("empty.eml", SPAN(""));
    if (strcmp(argument, "PROSE") == 0)
        return temporary_file("prose.txt", SPAN("Once upon a time\nthere was no header.\n"));
    return argument;
}

Test(cli, each_fault_one_line_and_its_status)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const char *argv[11] = {NULL};
        for (size_t k = 0; faults[i].argv[k]; k++)
            argv[k] = expand(faults[i].argv[k]);
        struct outcome o = assay(SPAN(""), argv);
        cr_expect(o.status == faults[i].status, "%s: got %d, want %d: %s", faults[i].name, o.status,
                  faults[i].status, o.err);
        cr_expect(strstr(o.err, faults[i].word) != NULL, "%s: no \"%s\" in: %s", faults[i].name,
                  faults[i].word, o.err);
        cr_expect(i == 0 || count_lines(o.err) == 1, "%s: %s", faults[i].name, o.err);
        cr_expect(o.out[0] == '\0', "%s: %s", faults[i].name, o.out);
    }
}

Test(cli, a_bad_file_does_not_keep_the_others_from_being_judged)
{
    const char *good = temporary_file("m.eml", span_from_string(message));
    struct outcome o = ASSAY("check", "--json", "--dns", zone_file(), "/nonexistent", good);
    cr_expect(o.status == 66 && count_lines(o.out) == 1, "%d: %s", o.status, o.out);
}

Test(cli, resolver_away_is_69)
{
    const char *good = temporary_file("m.eml", span_from_string(message));
    struct outcome o =
        ASSAY("check", "--json", "--resolver", "127.0.0.1@9", "--timeout", "1500", good);
    cr_expect(o.status == 69, "%d: %s", o.status, o.err);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "dmarc.result"), "temperror");
}

Test(cli, help_and_version)
{
    struct outcome help = ASSAY("help");
    struct outcome check = ASSAY("help", "check");
    struct outcome version = ASSAY("--version");
    cr_expect(help.status == 0 && strstr(help.out, "check") && strstr(help.out, "dmarc"));
    cr_expect(check.status == 0 && strstr(check.out, "--mail-from"));
    cr_expect(version.status == 0 && strncmp(version.out, "assay ", 6) == 0);
}

/* J08: nothing from a message reaches the terminal as a control sequence. */
Test(cli, output_for_people_is_printable)
{
    static const char hostile[] =
        "From: x@a.example\r\nDKIM-Signature: v=1; a=rsa-sha256; "
        "d=\x1b[31mevil\x07.example; s=\x1b]0;x; h=from; bh=x; b=x\r\n\r\n";
    const char *file = temporary_file("m.eml", span_from_string(hostile));
    struct outcome o = ASSAY("check", "--dns", zone_file(), "--ip", "192.0.2.1", "--helo",
                             "\x1b[1m", "--mail-from", "\x1b[2J@a.example", file);
    cr_assert(o.status == 0, "%s", o.err);
    for (const char *c = o.out; *c; c++)
        cr_assert((*c >= 0x20 && *c < 0x7f) || *c == '\n', "byte 0x%02x in %s", (unsigned char)*c,
                  o.out);
}

/* J08: nor does anything from a file's name or an argument; a complaint stays one line. */
Test(cli, complaints_are_one_printable_line)
{
    static const char hostile[] = "/nonexistent/a\n\x1b[31mb\xff";
    const char *bad_zone = temporary_file("bad.txt", SPAN("a.example A \x1b[31m\x07\n"));
    const struct outcome outcomes[] = {
        ASSAY("check", "--dns", "/dev/null", hostile),
        ASSAY("check", "--dns", hostile),
        ASSAY("dmarc", "--dns", "/dev/null", hostile),
        ASSAY("check", "--ip", hostile),
        ASSAY("check", "--resolver", hostile),
        ASSAY(hostile),
        ASSAY("help", hostile),
        ASSAY("check", "--\n\x1b[31m"),
        ASSAY("check", "-\x1b"),
        ASSAY("check", "--dns", bad_zone),
    };
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        const char *err = outcomes[i].err;
        cr_expect(outcomes[i].status >= 64 && count_lines(err) == 1, "%zu: %s", i, err);
        for (const char *c = err; *c; c++)
            cr_expect((*c >= 0x20 && *c < 0x7f) || *c == '\n', "%zu: byte 0x%02x", i,
                      (unsigned char)*c);
    }
}

Test(cli, no_dmarc_record_is_not_shown_as_a_policy)
{
    struct outcome o = ASSAY("dmarc", "--dns", "/dev/null", "other.test");
    cr_expect(o.status == 0 && strstr(o.out, "no_record") && !strstr(o.out, "none"), "%s", o.out);
}

/* The shipped samples: what each one shows is checked word by word. */
struct sample_case
{
    const char *file, *spf, *dkim, *arc, *dmarc, *disposition;
};

static const struct sample_case samples[] = {
    {"pass.eml", "pass", "pass", "none", "pass", "none"},
    {"pass-two-signatures.eml", "pass", "pass", "none", "pass", "none"},
    {"pass-service.eml", "pass", "pass", "none", "pass", "none"},
    {"pass-subdomain.eml", "pass", NULL, "none", "pass", "none"},
    {"pass-bounce.eml", "pass", NULL, "none", "pass", "none"},
    {"forwarded.eml", "fail", "pass", "none", "pass", "none"},
    {"list-arc.eml", "pass", "fail", "pass", "fail", "quarantine"},
    {"list-arc-two-sets.eml", "fail", "fail", "pass", "fail", "quarantine"},
    {"arc-broken.eml", "pass", "fail", "fail", "fail", "quarantine"},
    {"fail-body.eml", "pass", "fail", "none", "pass", "none"},
    {"fail-subject.eml", "pass", "fail", "none", "fail", "quarantine"},
    {"fail-expired.eml", "pass", "fail", "none", "fail", "quarantine"},
    {"fail-revoked.eml", "pass", "permerror", "none", "fail", "quarantine"},
    {"fail-sha1.eml", "pass", "permerror", "none", "fail", "quarantine"},
    {"fail-appended.eml", "pass", "policy", "none", "fail", "quarantine"},
    {"testing-key.eml", "pass", "pass", "none", "fail", "quarantine"},
    {"testing-policy.eml", "softfail", NULL, "none", "fail", "quarantine"},
    {"forged.eml", "pass", "pass", "none", "fail", "quarantine"},
    {"forged-display-name.eml", "pass", "pass", "none", "none", "none"},
    {"forged-two-addresses.eml", "pass", "pass", "none", "permerror", "none"},
    {"forged-two-from.eml", "pass", "fail", "none", "permerror", "none"},
    {"malformed-bare-lf.eml", "pass", NULL, "none", NULL, NULL},
    {"malformed-nul.eml", "pass", NULL, "none", NULL, NULL},
    {"malformed-no-from.eml", "pass", NULL, "none", "permerror", "none"},
    {"none.eml", "none", NULL, "none", "none", "none"},
    {"dns-timeout.eml", "temperror", NULL, "none", "temperror", "none"},
    {"spf-too-many-lookups.eml", "permerror", NULL, "none", "none", "none"},
};

static void check_word(const char *file, const char *path, const json_t *verdict, const char *want)
{
    const char *got = json_text(verdict, path);
    if (want)
        cr_expect(got && strcmp(got, want) == 0, "%s: %s is %s, want %s", file, path, got, want);
    else if (got)
        cr_expect(strcmp(got, "pass") != 0, "%s: %s is a pass", file, path);
}

static void check_sample(struct span line)
{
    struct span cells[6] = {{0}};
    char text[5][256], path[300];
    cr_assert(line_cells(line, cells, 6) == 6);
    for (int i = 0; i < 5; i++)
        snprintf(text[i], sizeof text[i], "%.*s", (int)cells[i].n, (const char *)cells[i].p);
    snprintf(path, sizeof path, "share/samples/%s", text[0]);
    struct outcome o = ASSAY("check", "--json", "--dns", "share/samples/zone.txt", "--ip", text[1],
                             "--helo", text[2], "--mail-from", text[3], "--now", text[4], path);
    cr_assert(o.status == 0, "%s: %d: %s", path, o.status, o.err);
    json_t *verdict = json_line(o.out, 0);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        if (strcmp(samples[i].file, text[0]) != 0)
            continue;
        check_word(text[0], "spf.result", verdict, samples[i].spf);
        check_word(text[0], "dkim.0.result", verdict, samples[i].dkim);
        check_word(text[0], "arc.result", verdict, samples[i].arc);
        check_word(text[0], "dmarc.result", verdict, samples[i].dmarc);
        if (samples[i].disposition)
            check_word(text[0], "dmarc.disposition", verdict, samples[i].disposition);
        return;
    }
    cr_expect(false, "%s has no row in this test", text[0]);
}

Test(cli, shipped_samples_show_what_they_say)
{
    struct span rest = file_read("share/samples/samples.tsv");
    struct span line;
    size_t count = 0;
    while (line_next(&rest, &line)) {
        if (line.n == 0 || line.p[0] == '#')
            continue;
        check_sample(line);
        count++;
    }
    cr_expect(count == sizeof samples / sizeof samples[0], "%zu samples", count);
}

/* Since the first version: a DKIM pass beside a From of several domains ended the human form. */
Test(cli, human_form_of_signatures_that_dmarc_did_not_align)
{
    struct outcome o = ASSAY("check", "--dns", "share/samples/zone.txt", "--ip", "203.0.113.5",
                             "--mail-from", "x@attacker.example", "--now", "1792972860",
                             "share/samples/forged-two-addresses.eml");
    cr_assert(o.status == 0, "%d: %s", o.status, o.err);
    cr_expect(strstr(o.out, "DKIM   pass") && strstr(o.out, "from_several_domains"), "%s", o.out);
}
