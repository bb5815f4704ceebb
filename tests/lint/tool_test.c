/* assay lint as a person runs it: arguments, carets, exit status, JSON, a real name server. */
#include <stdio.h>

#include "support/name_server.h"
#include "support/tool.h"

static const char good_zone[] =
    "a.example. TXT \"v=spf1 ip4:192.0.2.0/24 include:b.example -all\"\n"
    "b.example. TXT \"v=spf1 ip4:198.51.100.0/24 ?all\"\n"
    "_dmarc.a.example. TXT \"v=DMARC1; p=reject; rua=mailto:d@a.example\"\n"
    "s1._domainkey.a.example. TXT \"v=DKIM1; k=ed25519; "
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n";

static const char *zone_file(const char *text)
{
    return temporary_file("zone.txt", span_from_string(text));
}

struct status_case
{
    const char *name;
    const char *argv[10];
    int status;
    const char *says; /* on either output */
};

static const struct status_case status_cases[] = {
    {"clean record", {"--record", "v=spf1 mx -all"}, 0, "nothing wrong"},
    {"an error", {"--record", "v=spf1 mxx -all"}, 1, "unknown_mechanism"},
    {"a warning", {"--record", "v=spf1 mx"}, 0, "no_all"},
    {"a warning, strict", {"--record", "v=spf1 mx", "--strict"}, 1, "no_all"},
    {"a note, strict",
     {"--record", "v=DMARC1; p=none; rua=mailto:d@a.example", "--strict"},
     0,
     "policy_none"},
    {"kind by its text: DKIM", {"--record", "k=rsa; p="}, 0, "revoked, DKIM"},
    {"kind by its text: DMARC", {"--record", "v=dmarc1; p=none"}, 1, "bad_version, DMARC"},
    {"kind said", {"--record", "p=", "--kind", "dkim"}, 0, "revoked"},
    {"no kind", {"--record", "hello"}, 1, "unknown_record"},
    {"with a name", {"--record", "v=spf1", "--name", "a.example"}, 0, "no_all, SPF of a.example"},
    {"quoted strings", {"--record", "\"v=spf1 mx\" \" -all\""}, 0, "nothing wrong"},
    {"quoted strings without a blank (SP-8)",
     {"--record", "\"v=spf1 mx\" \"-all\""},
     1,
     "lost_space"},
    {"escapes", {"--record", "\"v=spf1 m\\120 \\-all\""}, 0, "nothing wrong"},
    {"a quote that does not end", {"--record", "\"v=spf1 -all"}, 1, "bad_version"},
    {"nothing to look at", {NULL}, 64, "wants one DOMAIN"},
    {"two domains", {"a.example", "b.example"}, 64, "wants one DOMAIN"},
    {"record and domain", {"--record", "v=spf1", "a.example"}, 64, "by itself"},
    {"record and resolver", {"--record", "v=spf1", "--resolver", "127.0.0.1"}, 64, "by itself"},
    {"name without a record", {"--name", "a.example", "b.example"}, 64, "--record"},
    {"no domain name", {"a..b"}, 64, "no domain name"},
    {"unknown kind", {"--record", "x", "--kind", "mx"}, 64, "--kind"},
    {"unknown option", {"--what"}, 64, "unknown option"},
    {"no zone file", {"a.example", "--zone", "/nonexistent/zone"}, 66, "/nonexistent/zone"},
    {"no message", {"--message", "/nonexistent/mail"}, 66, "/nonexistent/mail"},
    {"both sources", {"a.example", "--zone", "z", "--resolver", "127.0.0.1"}, 64, "exclude"},
};

Test(lint_tool, exit_status)
{
    for (size_t i = 0; i < sizeof status_cases / sizeof status_cases[0]; i++) {
        const struct status_case *c = &status_cases[i];
        const char *argv[12] = {"lint"};
        for (size_t k = 0; k < 10 && c->argv[k]; k++)
            argv[k + 1] = c->argv[k];
        struct outcome o = assay(SPAN(""), argv);
        cr_expect(o.status == c->status, "%s: got %d, want %d\n%s%s", c->name, o.status, c->status,
                  o.out, o.err);
        cr_expect(strstr(o.out, c->says) || strstr(o.err, c->says), "%s: no \"%s\" in\n%s%s",
                  c->name, c->says, o.out, o.err);
        cr_expect(o.status < 64 || (o.out[0] == '\0' && count_lines(o.err) == 1), "%s: %s%s",
                  c->name, o.out, o.err);
    }
}

Test(lint_tool, domain_from_a_zone)
{
    const char *zone = zone_file(good_zone);
    struct outcome o = ASSAY("lint", "a.example", "--zone", zone, "--selector", "s1");
    cr_expect(o.status == 0, "%s%s", o.out, o.err);
    cr_expect(strstr(o.out, "SPF a.example: 1 of 10 lookups, void 0 of 2\n"), "%s", o.out);
    cr_expect(strstr(o.out, "  include:b.example "), "%s", o.out);
    cr_expect(strstr(o.out, "s1._domainkey.a.example: ed25519, 256 bits\n"), "%s", o.out);
    cr_expect(strstr(o.out, "DMARC a.example: policy reject (p=)\n"), "%s", o.out);
    cr_expect(strstr(o.out, "_dmarc.example: no such name\n"), "%s", o.out);
    cr_expect(strstr(o.out, "a.example: 0 errors, 0 warnings, "), "%s", o.out);
    struct outcome only = ASSAY("lint", "a.example", "--dns", zone, "--kind", "dmarc");
    cr_expect(only.status == 0 && !strstr(only.out, "SPF") && !strstr(only.out, "DKIM"), "%s",
              only.out);
    struct outcome bad = ASSAY("lint", "a.example", "--zone", zone_file("a.example. A what\n"));
    cr_expect(bad.status == 78, "%d %s", bad.status, bad.err);
}

/* The caret stands under the fault, whatever the width and whatever bytes come before it. */
Test(lint_tool, caret)
{
    static const struct
    {
        const char *columns, *record, *lines;
    } cases[] = {
        {"80", "v=spf1 mxx -all",
         "      v=spf1 mxx -all\n"
         "             ^^^\n"},
        {"80", "v=spf1 \x01\xff mxx -all",
         "      v=spf1 \\x01\\xff mxx -all\n"
         "                      ^^^\n"},
        {"40",
         "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 mxx ip4:192.0.2.4 ip4:192.0.2.5 -all",
         "      ...92.0.2.3 mxx ip4:192.0.2.4 i...\n"
         "                  ^^^\n"},
        {"40", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 ip4:192.0.2.4 mxx",
         "      ...:192.0.2.3 ip4:192.0.2.4 mxx\n"
         "                                  ^^^\n"},
        {"40",
         "v=spf1 ip4:192.0.2.1 exists:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..%",
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("COLUMNS", cases[i].columns, 1);
        struct outcome o = ASSAY("lint", "--record", cases[i].record);
        cr_expect(o.status == 1, "%s", o.err);
        if (cases[i].lines)
            cr_expect(strstr(o.out, cases[i].lines), "%s\n%s", cases[i].lines, o.out);
        for (const char *line = o.out; *line; line += strcspn(line, "\n") + 1)
            cr_expect(strcspn(line, "\n") <= strtoul(cases[i].columns, NULL, 10), "%s", line);
        for (const char *c = o.out; *c; c++)
            cr_assert((*c >= ' ' && *c < 0x7f) || *c == '\n', "byte %d", *c);
    }
}

Test(lint_tool, json)
{
    struct outcome o =
        ASSAY("lint", "--json", "--record", "v=spf1 mxx +all", "--name", "a.example");
    cr_assert(o.status == 1 && count_lines(o.out) == 1, "%s%s", o.out, o.err);
    json_t *json = json_line(o.out, 0);
    cr_expect(json_is_null(json_at(json, "spf")) && json_is_null(json_at(json, "dmarc")));
    cr_expect_str_eq(json_text(json, "findings.0.code"), "unknown_mechanism");
    cr_expect_str_eq(json_text(json, "findings.0.severity"), "error");
    cr_expect_str_eq(json_text(json, "findings.0.kind"), "spf");
    cr_expect_str_eq(json_text(json, "findings.0.name"), "a.example");
    cr_expect(json_integer_value(json_at(json, "findings.0.at")) == 7);
    cr_expect(json_integer_value(json_at(json, "findings.0.length")) == 3);
    cr_expect(json_integer_value(json_at(json, "counts.error")) == 1);

    struct outcome domain = ASSAY("lint", "--json", "a.example", "--zone", zone_file(good_zone),
                                  "-s", "s1", "-s", "none");
    json = json_line(domain.out, 0);
    cr_expect(domain.status == 1, "%s", domain.out);
    cr_expect_str_eq(json_text(json, "domain"), "a.example");
    cr_expect_str_eq(json_text(json, "spf.terms.0.term"), "include:b.example");
    cr_expect_str_eq(json_text(json, "spf.terms.0.target"), "b.example");
    cr_expect(json_integer_value(json_at(json, "spf.lookups.count")) == 1);
    cr_expect_str_eq(json_text(json, "dkim.0.type"), "ed25519");
    cr_expect_str_eq(json_text(json, "dkim.1.reason"), "no_key");
    cr_expect_str_eq(json_text(json, "dmarc.policy"), "reject");
    cr_expect_str_eq(json_text(json, "dmarc.walk.0.name"), "_dmarc.a.example");
    cr_expect_str_eq(json_text(json, "reports.0.verdict"), "authorized");
}

/* Selectors of a message's signatures, its From domain. */
Test(lint_tool, message)
{
    static const char mail[] =
        "DKIM-Signature: v=1; a=ed25519-sha256; d=a.example; s=s1; h=from; bh=; b=\r\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=b.example; s=x; h=from; bh=; b=\r\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=b.example; s=x; h=from; bh=; b=\r\n"
        "From: U <u@a.example>\r\n\r\nhello\r\n";
    const char *zone = zone_file(good_zone);
    const char *file = temporary_file("mail.eml", span_from_string(mail));
    struct outcome o = ASSAY("lint", "--json", "--message", file, "--zone", zone);
    json_t *json = json_line(o.out, 0);
    cr_expect(o.status == 1, "%s%s", o.out, o.err);
    cr_expect_str_eq(json_text(json, "domain"), "a.example");
    cr_expect(json_array_size(json_at(json, "dkim")) == 2, "%s", o.out);
    cr_expect_str_eq(json_text(json, "dkim.0.name"), "s1._domainkey.a.example");
    cr_expect_str_eq(json_text(json, "dkim.1.name"), "x._domainkey.b.example");

    const char *bare = temporary_file("bare.eml", SPAN("From: u@a.example\n\nhello\n"));
    struct outcome none = ASSAY("lint", "--message", bare, "--zone", zone);
    cr_expect(none.status == 0 && strstr(none.out, "no DKIM-Signature"), "%s%s", none.out,
              none.err);
    const char *text = temporary_file("text", SPAN("hello"));
    struct outcome bad = ASSAY("lint", "--message", text, "--zone", zone);
    cr_expect(bad.status == 65 && count_lines(bad.err) == 1, "%d: %s", bad.status, bad.err);
    const char *two = temporary_file("two.eml", SPAN("From: u@a.example, u@b.example\n\nhello\n"));
    struct outcome several = ASSAY("lint", "--message", two, "--zone", zone);
    cr_expect(several.status == 65, "%d: %s", several.status, several.err);
    struct outcome named = ASSAY("lint", "a.example", "--message", two, "--zone", zone);
    cr_expect(named.status == 0, "%d: %s%s", named.status, named.out, named.err);
}

/* The same zone from a file and from a name server gives the same findings. */
Test(lint_tool, records_served_by_nsd)
{
    static const char records[] =
        "@ 60 IN TXT \"v=spf1 include:b.mail.test mx a:none.mail.test +all\"\n"
        "b 60 IN TXT \"v=spf1 include:c.mail.test ip4:192.0.2.0/24 ptr ?all\"\n"
        "c 60 IN TXT \"v=spf1 include:b.mail.test -all\"\n"
        "_dmarc 60 IN TXT \"v=DMARC1; p=none; pct=10; rua=mailto:x@r.mail.test,mailto:y@@\"\n"
        "s1._domainkey 60 IN TXT \"v=DKIM1; t=y; p=\" \"MIGf!\"\n"
        "@ 60 IN A 192.0.2.1\n";
    char nsd_zone[2048], file_zone[2048];
    snprintf(nsd_zone, sizeof nsd_zone,
             "@ 60 IN SOA ns.mail.test. x.mail.test. 1 60 60 60 60\n"
             "@ 60 IN NS ns.mail.test.\nns 60 IN A 127.0.0.1\n%s",
             records);
    size_t n = 0;
    for (const char *line = records; *line; line += strcspn(line, "\n") + 1) {
        size_t owner = strcspn(line, " ");
        n += (size_t)snprintf(file_zone + n, sizeof file_zone - n, "%.*s%smail.test.%.*s\n",
                              line[0] == '@' ? 0 : (int)owner, line, line[0] == '@' ? "" : ".",
                              (int)(strcspn(line, "\n") - owner), line + owner);
    }
    struct nsd nsd;
    nsd_start(&nsd, nsd_zone);
    struct outcome live = ASSAY("lint", "--json", "mail.test", "-s", "s1", "--kind", "spf",
                                "--resolver", nsd.resolver);
    struct outcome key = ASSAY("lint", "--json", "mail.test", "-s", "s1", "--kind", "dkim",
                               "--resolver", nsd.resolver);
    struct outcome all = ASSAY("lint", "mail.test", "-s", "s1", "--resolver", nsd.resolver);
    nsd_stop(&nsd);
    const char *zone = zone_file(file_zone);
    struct outcome spf = ASSAY("lint", "--json", "mail.test", "--kind", "spf", "--zone", zone);
    struct outcome dkim =
        ASSAY("lint", "--json", "mail.test", "-s", "s1", "--kind", "dkim", "--zone", zone);
    cr_expect(live.status == 1 && key.status == 1 && all.status == 1, "%s%s", all.out, all.err);
    cr_expect(strstr(all.out, "error: pass_all, SPF of mail.test"), "%s", all.out);
    cr_expect(strstr(all.out, "error: loop, SPF of c.mail.test"), "%s", all.out);
    cr_expect(strstr(all.out, "warning: removed_tag, DMARC of _dmarc.mail.test"), "%s", all.out);
    cr_expect_str_eq(live.out, spf.out);
    cr_expect_str_eq(key.out, dkim.out);
}

/* Nobody answers: no verdict about the domain, and its own exit status. */
Test(lint_tool, no_answer)
{
    struct fake fake;
    fake_start(&fake);
    atomic_store(&fake.silent, true);
    struct outcome o = ASSAY("lint", "a.example", "--resolver", fake.resolver, "--timeout", "300");
    fake_stop(&fake);
    cr_expect(o.status == 69 && strstr(o.err, "no answer"), "%d: %s%s", o.status, o.out, o.err);
}

/* What keygen and record print for a zone file can be pasted as it is. */
Test(lint_tool, a_zone_files_line)
{
    struct outcome made =
        ASSAY("record", "dkim", "-d", "a.example", "-s", "s1", "--revoke", "--format", "zone");
    struct outcome o = ASSAY("lint", "--record", made.out);
    cr_expect(o.status == 0 && strstr(o.out, "revoked, DKIM"), "%s%s", o.out, o.err);
    o = ASSAY("lint", "--record", "a.example. TXT \"v=spf1 include:a.example\" \" -all\"", "--name",
              "a.example");
    cr_expect(o.status == 1 && strstr(o.out, "loop, SPF of a.example"), "%s%s", o.out, o.err);
}
