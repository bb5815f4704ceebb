/*
 * Each printed record in a real zone: nsd serves it, and assay finds in the DNS what it has
 * printed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/name_server.h"
#include "support/tool.h"

static const char zone_head[] =
    "$ORIGIN mail.test.\n@ 300 SOA ns hostmaster 1 3600 600 86400 120\n@ 300 NS ns\n"
    "ns 300 A 127.0.0.1\n";

struct served
{
    const char *name;
    const char *argv[16];
};

static const struct served served[] = {
    {"dmarc",
     {"dmarc", "-d", "d.mail.test", "--p", "reject", "--np", "none", "--rua",
      "a!b@mail.test,long-long-long-long-long-long-long-long-long-long-long@mail.test,"
      "longer-longer-longer-longer-longer-longer-longer-longer-longer@mail.test,"
      "another-another-another-another-another-another@mail.test"}},
    {"spf",
     {"spf", "-d", "s.mail.test", "--ip4", "192.0.2.0/24", "--exists", "%{i}.x.mail.test", "--all",
      "fail"}},
    {"report", {"report", "-d", "d.mail.test", "--to", "r.mail.test"}},
    {"any", {"report", "--any", "--to", "q.mail.test"}},
    {"revoked", {"dkim", "-d", "k.mail.test", "-s", "old", "--revoke"}},
    {"rsa", {"dkim", "-d", "k.mail.test", "-s", "rsa", "--from", "rsa", "--note", "a \"b\\c; d"}},
    {"ed25519", {"dkim", "-d", "k.mail.test", "-s", "ed", "--from", "ed25519"}},
};

static char *key_path(const char *type)
{
    char *path;
    cr_assert(asprintf(&path, "%s/%s", temporary_folder(), type) > 0);
    return path;
}

static struct outcome record(const struct served *s, const char *format)
{
    const char *argv[24] = {"record"};
    size_t n = 1;
    for (size_t i = 0; s->argv[i]; i++)
        argv[n++] = i && strcmp(s->argv[i - 1], "--from") == 0 ? key_path(s->argv[i]) : s->argv[i];
    argv[n++] = format;
    if (strcmp(format, "--json") != 0)
        argv[n] = "zone";
    return assay(SPAN(""), argv);
}

static void serve(struct nsd *nsd)
{
    static char zone[16 * 1024];
    size_t n = (size_t)snprintf(zone, sizeof zone, "%s", zone_head);
    ASSAY("keygen", "-d", "k.mail.test", "-s", "rsa", "-b", "4096", "-o", key_path("rsa"));
    ASSAY("keygen", "-d", "k.mail.test", "-s", "ed", "-t", "ed25519", "-o", key_path("ed25519"));
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++) {
        struct outcome o = record(&served[i], "--format");
        cr_assert(o.status == 0 && count_lines(o.out) == 1, "%s: %s", served[i].name, o.err);
        n += (size_t)snprintf(zone + n, sizeof zone - n, "%s", o.out);
    }
    nsd_start(nsd, zone);
}

/* The text that was meant, as --json tells it. */
static const char *text_of(const char *name)
{
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++)
        if (strcmp(served[i].name, name) == 0)
            return json_text(json_line(record(&served[i], "--json").out, 0), "record");
    cr_assert(false, "%s", name);
    return NULL;
}

Test(record_served, nsd_serves_what_assay_reads)
{
    struct nsd nsd;
    serve(&nsd);
    struct outcome o = ASSAY("dmarc", "d.mail.test", "--resolver", nsd.resolver, "--json");
    cr_expect(o.status == 0, "%s", o.err);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "record"), text_of("dmarc"));
    cr_expect_str_eq(json_text(json_line(o.out, 0), "policy"), "reject");

    o = ASSAY("spf", "--ip", "192.0.2.9", "--mail-from", "x@s.mail.test", "--resolver",
              nsd.resolver, "--json");
    cr_expect(o.status == 0, "%s", o.err);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "record"), text_of("spf"));
    cr_expect_str_eq(json_text(json_line(o.out, 0), "result"), "pass");

    static const char *const keys[][2] = {{"rsa", "rsa"}, {"ed", "ed25519"}};
    for (size_t i = 0; i < 2; i++) {
        o = ASSAY("testkey", "-d", "k.mail.test", "-s", keys[i][0], "-k", key_path(keys[i][1]),
                  "--resolver", nsd.resolver, "--json");
        cr_expect(o.status == 0, "%s%s", o.out, o.err);
        cr_expect_str_eq(json_text(json_line(o.out, 0), "record"), text_of(keys[i][1]));
        cr_expect(json_is_true(json_at(json_line(o.out, 0), "matches")));
    }
    o = ASSAY("testkey", "-d", "k.mail.test", "-s", "old", "--resolver", nsd.resolver, "--json");
    cr_expect(o.status == 1, "%s%s", o.out, o.err);
    cr_expect_str_eq(json_text(json_line(o.out, 0), "problem"), "revoked");
    nsd_stop(&nsd);
}

/* The linter finds no error in what was made here, where it is published. */
Test(record_served, the_linter_finds_no_error)
{
    static const char *const domains[][2] = {{"s.mail.test", "spf"}, {"k.mail.test", "dkim"}};
    struct nsd nsd;
    serve(&nsd);
    for (size_t i = 0; i < 2; i++) {
        struct outcome o = ASSAY("lint", domains[i][0], "--kind", domains[i][1], "-s", "rsa", "-s",
                                 "ed", "--resolver", nsd.resolver);
        cr_expect(o.status == 0, "%s: %d\n%s%s", domains[i][0], o.status, o.out, o.err);
    }
    nsd_stop(&nsd);
    for (size_t i = 0; i < 2; i++) {
        struct outcome o = ASSAY("lint", "--record", text_of(served[i].name));
        cr_expect(o.status == 0, "%s: %d\n%s%s", served[i].name, o.status, o.out, o.err);
    }
}

/* RFC 9990 4: with the record that is shown for the other side reports may go there, without it
 * not. */
Test(record_served, reports_may_go_where_the_record_allows)
{
    struct outcome policy =
        ASSAY("record", "dmarc", "-d", "a.example", "--p", "reject", "--rua", "r@r.test", "--json");
    cr_assert(policy.status == 0, "%s", policy.err);
    json_t *json = json_line(policy.out, 0);
    char text[2048];
    int n = snprintf(text, sizeof text, "a.example. A 192.0.2.1\nr.test. A 192.0.2.1\n%s\n",
                     json_text(json, "zone"));
    const char *without = temporary_file("without", span_of(text, (size_t)n));
    n += snprintf(text + n, sizeof text - (size_t)n, "%s\n", json_text(json, "reports.0.zone"));
    const char *with = temporary_file("with", span_of(text, (size_t)n));
    struct outcome refused =
        ASSAY("lint", "a.example", "--kind", "dmarc", "--strict", "--zone", without);
    struct outcome allowed =
        ASSAY("lint", "a.example", "--kind", "dmarc", "--strict", "--zone", with);
    cr_expect(refused.status == 1 && strstr(refused.out, "r.test"), "%s", refused.out);
    cr_expect(allowed.status == 0, "%s%s", allowed.out, allowed.err);
}
