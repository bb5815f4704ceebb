/* Attacks E01 to E14, F05 to F10, G01 to G07: SPF, the DNS, DMARC. One zone for each row. */
#include <stdio.h>
#include <stdlib.h>

#include "e2e/attack.h"

#define S "s.test TXT \"v=spf1 "
/* SPF of a@s.test, From of the attacker: a pass of SPF there does not align. */
#define SPF_ROW(row, what, zone, want, has)                                                        \
    {                                                                                              \
        row, what, SPAN_OF(FROM_ATTACKER), {0}, UNSIGNED, "a@s.test", "nx.test", zone, want, NULL, \
            "fail", has, NULL                                                                      \
    }

static const struct attack lookups[] = {
    SPF_ROW("E01", "ten lookups",
            S "a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test "
              "a:a.test +all\"\na.test A 192.0.2.1\n",
            "pass", "\"count\":10"),
    SPF_ROW("E01", "the eleventh, behind which stands a match",
            S "a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test "
              "a:a.test a:a.test +all\"\na.test A 192.0.2.1\n",
            "permerror", "\"too_many_lookups\""),
    SPF_ROW("E02", "two void lookups", S "a:n1.test a:n2.test +all\"\n", "pass", "\"void\":2"),
    SPF_ROW("E02", "the third", S "a:n1.test a:n2.test a:n3.test +all\"\n", "permerror",
            "\"too_many_void_lookups\""),
    SPF_ROW("E03", "eleven hosts of an mx",
            S "mx +all\"\ns.test MX 1 h1.test\ns.test MX 2 h2.test\ns.test MX 3 h3.test\n"
              "s.test MX 4 h4.test\ns.test MX 5 h5.test\ns.test MX 6 h6.test\ns.test MX 7 h7.test\n"
              "s.test MX 8 h8.test\ns.test MX 9 h9.test\ns.test MX 10 h10.test\n"
              "s.test MX 11 h11.test\nh1.test A 192.0.2.66\n",
            "permerror", "\"too_many_mx_names\""),
    SPF_ROW("E03", "ptr: the eleventh name is not looked at",
            S "ptr:h11.test -all\"\n66.2.0.192.in-addr.arpa PTR h1.test\n"
              "66.2.0.192.in-addr.arpa PTR h2.test\n66.2.0.192.in-addr.arpa PTR h3.test\n"
              "66.2.0.192.in-addr.arpa PTR h4.test\n66.2.0.192.in-addr.arpa PTR h5.test\n"
              "66.2.0.192.in-addr.arpa PTR h6.test\n66.2.0.192.in-addr.arpa PTR h7.test\n"
              "66.2.0.192.in-addr.arpa PTR h8.test\n66.2.0.192.in-addr.arpa PTR h9.test\n"
              "66.2.0.192.in-addr.arpa PTR h10.test\n66.2.0.192.in-addr.arpa PTR h11.test\n"
              "h11.test A 192.0.2.66\n",
            "fail", NULL),
    SPF_ROW("E04", "two that include each other",
            S "include:t.test +all\"\n"
              "t.test TXT \"v=spf1 include:s.test +all\"\n",
            "permerror", "\"too_many_lookups\""),
    SPF_ROW("E04", "redirect to itself", S "redirect=s.test\"\n", "permerror",
            "\"too_many_lookups\""),
    SPF_ROW("E05", "digits without end",
            S "exists:%{l999999999999r}.x.test -all\"\n"
              "a.x.test A 192.0.2.9\n",
            "pass", NULL),
    SPF_ROW("E05", "half a macro", S "exists:%{d-0}.x.test +all\"\n", "permerror",
            "\"bad_domain_spec\""),
    SPF_ROW("E05", "a macro that is not closed", S "exists:%{ +all\"\n", "permerror", NULL),
    SPF_ROW("E05", "escapes without end",
            S "exists:%_%%%-%_%%%-%_%%%-%_%%%-%_%%%-%_%%%-.x.test -all\"\n", "fail", NULL),
    SPF_ROW("E08", "another version", "s.test TXT \"v=spf10 +all\"\n", "none", "\"no_record\""),
    SPF_ROW("E08", "two records", S "+all\"\n" S "+all\"\n", "permerror", "\"multiple_records\""),
    SPF_ROW("E08", "an unknown modifier", S "x-y_z.1=%{d} +all\"\n", "pass", NULL),
    SPF_ROW("E09", "33 bits", S "ip4:1.2.3.4/33 +all\"\n", "permerror", "\"bad_prefix\""),
    SPF_ROW("E09", "three octets", S "ip4:1.2.3 +all\"\n", "permerror", "\"bad_ip4\""),
    SPF_ROW("E09", "129 bits", S "ip6:::/129 +all\"\n", "permerror", "\"bad_prefix\""),
    SPF_ROW("E10", "half of the world", S "ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all\"\n", "pass",
            "\"mechanism\":\"ip4:128.0.0.0/1\""),
    SPF_ROW("E10", "and its prefix is told", S "ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all\"\n", "pass",
            "\"prefix\":1"),
    SPF_ROW("E13", "an explanation full of formats",
            S "-all exp=e.test\"\ne.test TXT \"%%n%%s%{i}\"\n", "fail", "%n%s192.0.2.66"),
    SPF_ROW("E13", "an explanation of two lines",
            S "-all exp=e.test\"\n"
              "e.test TXT \"a\\013\\010X: y\"\n",
            "fail", "\"explanation\":null"),
    SPF_ROW("E14", "a limit inside an include is no \"no match\"",
            S "include:t.test ?all\"\nt.test TXT \"v=spf1 a:n1.test a:n2.test a:n3.test -all\"\n",
            "permerror", "\"too_many_void_lookups\""),
    SPF_ROW("E14", "nor is an error of the DNS", S "a:f.test +all\"\nf.test A !servfail\n",
            "temperror", "\"dns_servfail\""),
};

Test(attack_dns, spf)
{
    attack_run(lookups, COUNT_OF(lookups));
}

/* E06: a local part's octets stay inside their label; E12: a HELO that is no name asks nothing. */
static const struct attack identities[] = {
    {"E06",
     "a backslash is an octet of the label",
     SPAN_OF(FROM_ATTACKER),
     {0},
     UNSIGNED,
     "\"a\\\\.b\"@s.test",
     NULL,
     S "exists:%{l}._x.attack.test -all\"\n",
     "fail",
     NULL,
     "fail",
     "a\\\\\\\\.b._x.attack.test",
     NULL},
    {"E06",
     "a blank is one too",
     SPAN_OF(FROM_ATTACKER),
     {0},
     UNSIGNED,
     "\"a b\"@s.test",
     NULL,
     S "exists:%{l}._x.attack.test -all\"\n",
     "fail",
     NULL,
     "fail",
     "a\\\\032b._x.attack.test",
     NULL},
    {"E06",
     "64 octets of 0xff",
     SPAN_OF(FROM_ATTACKER),
     {0},
     UNSIGNED,
     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff@s.test",
     NULL,
     S "exists:%{l}._x.attack.test -all\"\n",
     "fail",
     NULL,
     "fail",
     NULL,
     "_x.attack.test\",\"type"},
    {"E12",
     "a literal",
     SPAN_OF(FROM_ATTACKER),
     {0},
     UNSIGNED,
     "<>",
     "[192.0.2.66]",
     NULL,
     "none",
     NULL,
     "fail",
     "\"address_literal\"",
     NULL},
    {"E12",
     "two words",
     SPAN_OF(FROM_ATTACKER),
     {0},
     UNSIGNED,
     "<>",
     "a b",
     NULL,
     "none",
     NULL,
     "fail",
     NULL,
     NULL},
};

Test(attack_dns, names_from_senders)
{
    attack_run(identities, COUNT_OF(identities));
}

static json_t *judge_from(const char *zone, const char *client, const char *mail_from,
                          const char *helo, const char *header)
{
    struct assay_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = client,
        .helo = helo,
        .mail_from = mail_from,
        .received_at = 1792972860,
    };
    json_error_t error;
    struct assay_engine *engine = attack_engine(zone);
    struct span mail = attack_signed(span_from_string(header), SPAN("x\r\n"), UNSIGNED, -1);
    struct judged judged = judge_text(engine, &envelope, mail, 0);
    json_t *verdict =
        json_loadb((const char *)judged.json.p, judged.json.n, JSON_ALLOW_NUL, &error);
    cr_assert(verdict != NULL, "%s", error.text);
    assay_engine_close(&engine);
    return verdict;
}

/* E11: an IPv4 client in IPv6 clothes. */
Test(attack_dns, mapped_client)
{
    json_t *verdict =
        judge_from(NULL, "::ffff:192.0.2.66", "a@attack.test", "attack.test", FROM_ATTACKER);
    attack_expect("E11", verdict, "spf.result", "pass");
    attack_expect("E11", verdict, "client", "192.0.2.66");
    json_decref(verdict);
    verdict = judge_from(S "ip6:::ffff:192.0.2.66 ip6:::/0 -all\"\n", "::ffff:192.0.2.66",
                         "a@s.test", "attack.test", FROM_ATTACKER);
    attack_expect("E11", verdict, "spf.result", "fail");
    json_decref(verdict);
}

/* E07: a message asks a bounded number of questions, whatever its macros make. */
Test(attack_dns, questions_are_bounded)
{
    char many[4096] = S;
    for (int i = 0; i < 11; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "exists:%%{l}.%d.victim.test ",
                 i);
    snprintf(many + strlen(many), sizeof many - strlen(many), "-all\"\n");
    json_t *verdict =
        judge_from(many, "192.0.2.66", "x1@s.test", "%{l}.victim.test", FROM_ATTACKER);
    cr_expect(json_array_size(json_object_get(verdict, "dns")) < 25, "E07");
    json_decref(verdict);
}

/* E12: a HELO of 1,100 octets. */
Test(attack_dns, a_long_helo)
{
    char helo[1101];
    memset(helo, 'a', sizeof helo - 1);
    helo[sizeof helo - 1] = '\0';
    json_t *verdict = judge_from(NULL, "192.0.2.66", "<>", helo, FROM_ATTACKER);
    attack_expect("E12", verdict, "spf.result", "none");
    attack_expect("E12", verdict, "spf.reason", "path_too_long");
    json_decref(verdict);
}

/* E08, F05, F09: records of 64 KiB, 5,000 of them, empty strings, NULs. */
Test(attack_dns, large_records)
{
    struct buffer record;
    buffer_init(&record, 4 * 1024 * 1024);
    buffer_append_string(&record, "s.test TXT \"v=spf1 \"");
    for (int i = 0; i < 3500; i++)
        buffer_append_string(&record, " \"ip4:1.2.3\" \".4 \"");
    buffer_append_string(&record, " \"+all\"\n");
    buffer_append_byte(&record, '\0');
    json_t *verdict =
        judge_from((const char *)record.p, "192.0.2.66", "a@s.test", "x", FROM_ATTACKER);
    const char *got = attack_text(verdict, "spf.result");
    cr_expect(strcmp(got, "permerror") == 0, "E08: %s", got);
    json_decref(verdict);
    buffer_reset(&record);
    for (int i = 0; i < 5000; i++)
        buffer_printf(&record, "s.test TXT \"v=spf1 +all %d\"\n", i);
    buffer_append_byte(&record, '\0');
    verdict = judge_from((const char *)record.p, "192.0.2.66", "a@s.test", "x", FROM_ATTACKER);
    got = attack_text(verdict, "spf.result");
    cr_expect(strcmp(got, "permerror") == 0, "F09: %s", got);
    json_decref(verdict);
    buffer_reset(&record);
    buffer_append_string(&record, S "\" \"\" \"ip4:192\" \"\" \".0.2.66\" \" -all\"\n"
                                    "t.test TXT \"v=spf1 +all\\000\"\n");
    buffer_append_byte(&record, '\0');
    verdict = judge_from((const char *)record.p, "192.0.2.66", "a@s.test", "x", FROM_ATTACKER);
    attack_expect("F05", verdict, "spf.result", "pass");
    json_decref(verdict);
    verdict = judge_from((const char *)record.p, "192.0.2.66", "a@t.test", "x", FROM_ATTACKER);
    attack_expect("F05", verdict, "spf.result", "permerror");
    json_decref(verdict);
}

/* F06 to F10 and G: what the DNS says, and what is made of it. */
#define DMARC_ROW(row, what, from, zone, want, has)                                                \
    {                                                                                              \
        row, what, SPAN_OF("From: " from "\r\n"), {0}, UNSIGNED, "a@d.test", NULL, zone, NULL,     \
            NULL, want, has, NULL                                                                  \
    }
#define D "d.test A 192.0.2.1\nd.test TXT \"v=spf1 ip4:192.0.2.66 -all\"\n"
#define LINKS(n, to) "c" #n ".test CNAME c" #to ".test\n"

static const struct attack answers[] = {
    SPF_ROW("F06", "an escape in a name is an octet, no dot",
            "evil\\046s.test TXT \"v=spf1 +all\"\n"
            "s.test TXT \"v=spf1 -all\"\n",
            "fail", NULL),
    SPF_ROW("F07", "eight links",
            S "a:c0.test -all\"\n" LINKS(0, 1) LINKS(1, 2) LINKS(2, 3) LINKS(3, 4) LINKS(4, 5)
                LINKS(5, 6) LINKS(6, 7) "c7.test A 192.0.2.66\n",
            "pass", NULL),
    SPF_ROW("F07", "twelve links",
            S "a:c0.test +all\"\n" LINKS(0, 1) LINKS(1, 2) LINKS(2, 3) LINKS(3, 4) LINKS(4, 5)
                LINKS(5, 6) LINKS(6, 7) LINKS(7, 8) LINKS(8, 9) LINKS(9, 10)
                    LINKS(10, 11) "c11.test A 192.0.2.66\n",
            "temperror", NULL),
    SPF_ROW("F07", "a loop", S "a:c0.test +all\"\nc0.test CNAME c1.test\nc1.test CNAME c0.test\n",
            "temperror", "cname_loop"),
    SPF_ROW("F07", "a chain to nothing", S "a:c0.test -all\"\nc0.test CNAME nx.test\n", "fail",
            NULL),
    SPF_ROW("F08", "SERVFAIL for the record", "s.test TXT !servfail\n", "temperror",
            "\"dns_servfail\""),
    SPF_ROW("F08", "REFUSED", "s.test TXT !refused\n", "temperror", "\"dns_refused\""),
    SPF_ROW("F08", "a timeout", "s.test TXT !timeout\n", "temperror", "\"dns_timeout\""),
    DMARC_ROW("F08", "SERVFAIL for the policy", "a@d.test", D "_dmarc.d.test TXT !servfail\n",
              "temperror", NULL),
    DMARC_ROW("F10", "a wildcard text at _dmarc", "a@d.test",
              D "_dmarc.d.test TXT \"v=spf1 -all\"\n_dmarc.d.test TXT \"v=DMARC1; p=reject\"\n",
              "pass", "\"policy\":\"reject\""),
    DMARC_ROW("G01", "nothing but semicolons", "a@d.test", D "_dmarc.d.test TXT \"v=DMARC1;;;;\"\n",
              "none", NULL),
    DMARC_ROW("G01", "an empty p", "a@x.test", "_dmarc.x.test TXT \"v=DMARC1; p=\"\n", "none",
              NULL),
    DMARC_ROW("G01", "no equals sign", "a@x.test", "_dmarc.x.test TXT \"v=DMARC1; p\"\n", "none",
              NULL),
    DMARC_ROW("G03", "a name that ends like another", "a@evild.test",
              D "evild.test A 192.0.2.1\n_dmarc.evild.test TXT \"v=DMARC1; p=reject\"\n", "fail",
              NULL),
    DMARC_ROW("G03", "a final dot and capitals", "a@D.Test.",
              D "_dmarc.d.test TXT \"v=DMARC1; p=reject\"\n", "pass", "\"from_domain\":\"d.test\""),
    DMARC_ROW("G04", "a top-level domain", "a@test", D, "none", NULL),

    DMARC_ROW("G04", "an address literal", "a@[192.0.2.1]", D, NULL, NULL),
    DMARC_ROW("G04", "no domain", "a@", D, "permerror", NULL),
    DMARC_ROW("G04", "a dot", "a@.", D, "permerror", NULL),
    DMARC_ROW("G04", "a domain too long",
              "a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b",
              D, "permerror", NULL),
    DMARC_ROW("G05", "p in capitals", "a@x.test", "_dmarc.x.test TXT \"v=DMARC1; p=Reject\"\n",
              "fail", "\"policy\":\"reject\""),
    DMARC_ROW("G05", "p that is none, no rua", "a@x.test",
              "_dmarc.x.test TXT \"v=DMARC1; p=rejectx\"\n", "none", NULL),
    DMARC_ROW("G05", "p that is none, with rua", "a@x.test",
              "_dmarc.x.test TXT \"v=DMARC1; p=rejectx; rua=mailto:a@x.test\"\n", "fail",
              "\"policy\":\"none\""),
    DMARC_ROW("G05", "p twice: the first stays", "a@x.test",
              "_dmarc.x.test TXT \"v=DMARC1; p=reject; p=none\"\n", "fail",
              "\"policy\":\"reject\""),
};

Test(attack_dns, answers_and_policies)
{
    attack_run(answers, COUNT_OF(answers));
}

/* G01: 1,000 tags, 60 KB of a record. */
Test(attack_dns, large_policies)
{
    struct buffer record;
    buffer_init(&record, 1024 * 1024);
    buffer_append_string(&record, "_dmarc.attack2.test TXT \"v=DMARC1; p=reject\"");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&record, " \"; t%d=x\"", i);
    buffer_append_string(&record, "\n_dmarc.attack3.test TXT \"v=DMARC1; p=reject; x=\"");
    for (int i = 0; i < 300; i++)
        buffer_printf(&record, " \"%0200d\"", i);
    buffer_append_string(&record, "\n");
    buffer_append_byte(&record, '\0');
    static const char *const from[] = {"From: a@attack2.test\r\n", "From: a@attack3.test\r\n"};
    for (size_t i = 0; i < 2; i++) {
        json_t *verdict =
            judge_from((const char *)record.p, "192.0.2.66", "a@attack.test", "x", from[i]);
        attack_expect("G01", verdict, "dmarc.result", "permerror");
        json_decref(verdict);
    }
}

/* G02: 100 labels, and what they cost. */
Test(attack_dns, questions_of_a_walk)
{
    char header[512] = "From: a@";
    for (int i = 0; i < 100; i++)
        strcat(header, "x."); /* NOLINT: 8 + 200 + 8 of 512 */
    strcat(header, "d.test\r\n");
    json_t *verdict = judge_from(D, "192.0.2.66", "a@attack.test", "attack.test", header);
    cr_expect(json_array_size(json_object_get(verdict, "dns")) <= 12, "G02");
    json_decref(verdict);
}

/* G06: SERVFAIL at each step of the walk is temperror, never "no policy". */
Test(attack_dns, failures_in_a_walk)
{
    static const char *const steps[] = {"_dmarc.a.b.c.test", "_dmarc.b.c.test", "_dmarc.c.test",
                                        "_dmarc.test"};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        char zone[512];
        snprintf(zone, sizeof zone, "a.b.c.test A 192.0.2.1\n%s TXT !servfail\n", steps[i]);
        json_t *verdict = judge_from(zone, "192.0.2.66", "a@attack.test", "attack.test",
                                     "From: a@a.b.c.test\r\n");
        attack_expect("G06", verdict, "dmarc.result", "temperror");
        json_decref(verdict);
    }
}

/* G07: four modes, six relations of names. */
Test(attack_dns, alignment_modes)
{
    static const struct
    {
        const char *mail_from, *from;
        bool relaxed, strict;
    } relations[] = {
        {"a@d.test", "From: a@d.test\r\n", true, true},
        {"a@sub.d.test", "From: a@d.test\r\n", true, false},
        {"a@d.test", "From: a@sub.d.test\r\n", true, false},
        {"a@one.d.test", "From: a@two.d.test\r\n", true, false},
        {"a@xd.test", "From: a@d.test\r\n", false, false},
        {"a@attack.test", "From: a@d.test\r\n", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(relations); i++) {
        for (int mode = 0; mode < 4; mode++) {
            char zone[2048];
            snprintf(zone, sizeof zone,
                     "_dmarc.d.test TXT \"v=DMARC1; p=reject; aspf=%c; adkim=%c\"\n"
                     "d.test TXT \"v=spf1 +all\"\nsub.d.test TXT \"v=spf1 +all\"\n"
                     "one.d.test TXT \"v=spf1 +all\"\ntwo.d.test A 192.0.2.1\n"
                     "xd.test TXT \"v=spf1 +all\"\n",
                     mode & 1 ? 's' : 'r', mode & 2 ? 's' : 'r');
            json_t *verdict = judge_from(zone, "192.0.2.66", relations[i].mail_from, "attack.test",
                                         relations[i].from);
            bool want = mode & 1 ? relations[i].strict : relations[i].relaxed;
            char row[32];
            snprintf(row, sizeof row, "G07 %zu/%d", i, mode);
            attack_expect(row, verdict, "dmarc.result", want ? "pass" : "fail");
            json_decref(verdict);
        }
    }
}
