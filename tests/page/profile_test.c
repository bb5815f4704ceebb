/*
 * Each check of a profile, met and not met and unknown, by the messages and zones that make it so;
 * and what the rules come to. standards.md section 11 is the source of the rules.
 */
#include <stdio.h>
#include <stdlib.h>

#include "zone.h"

struct check_case
{
    const char *name, *check;
    const char *message; /* a sample */
    const char *find, *put;
    const char *ip, *mail_from;
    const char *state;
    const char *says;
};

#define SHOP "orders@shop.example"
#define TOP "From: "
#define UNSUBSCRIBE "List-Unsubscribe: <https://shop.example/u>\r\n"
#define POST "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"

static const struct check_case check_cases[] = {
    {"SPF", "spf_pass", "pass.eml", NULL, NULL, CLIENT, SHOP, "met", "may send"},
    {"SPF", "spf_pass", "pass.eml", NULL, NULL, "203.0.113.9", SHOP, "not_met", "does not allow"},
    {"SPF, no client", "spf_pass", "pass.eml", NULL, NULL, NULL, SHOP, "unknown", "--ip"},
    {"SPF, DNS", "spf_pass", "dns-timeout.eml", NULL, NULL, "192.0.2.70", "a@slow.example",
     "unknown", NULL},
    {"either, DKIM", "spf_or_dkim", "pass.eml", NULL, NULL, NULL, SHOP, "met", "Signed by"},
    {"either, SPF", "spf_or_dkim", "pass-subdomain.eml", NULL, NULL, "192.0.2.11",
     "news@news.shop.example", "met", "may send"},
    {"either, none", "spf_or_dkim", "none.eml", NULL, NULL, "192.0.2.60", "a@plain.example",
     "not_met", "not signed"},
    {"either, no client", "spf_or_dkim", "none.eml", NULL, NULL, NULL, NULL, "unknown", "--ip"},
    {"-all", "spf_not_fail", "pass.eml", NULL, NULL, "203.0.113.9", SHOP, "not_met", NULL},
    {"-all, DKIM", "spf_not_fail unless_dkim", "pass.eml", NULL, NULL, "203.0.113.9", SHOP, "met",
     "but DKIM passes"},
    {"-all, no DKIM", "spf_not_fail unless_dkim", "fail-body.eml", NULL, NULL, "203.0.113.9", SHOP,
     "not_met", NULL},
    {"~all", "spf_not_fail", "testing-policy.eml", NULL, NULL, "203.0.113.5", "a@careful.example",
     "met", NULL},
    {"-all, no client", "spf_not_fail", "pass.eml", NULL, NULL, NULL, SHOP, "unknown", NULL},
    {"SPF record", "spf_record", "spf-too-many-lookups.eml", NULL, NULL, "192.0.2.80",
     "a@deep.example", "not_met", NULL},
    {"SPF record", "spf_record", "pass.eml", NULL, NULL, CLIENT, SHOP, "met", NULL},
    {"SPF record, none", "spf_record", "none.eml", NULL, NULL, "192.0.2.60", "a@plain.example",
     "not_applicable", NULL},
    {"DKIM", "dkim_pass", "pass.eml", NULL, NULL, NULL, NULL, "met", NULL},
    {"DKIM", "dkim_pass", "fail-body.eml", NULL, NULL, NULL, NULL, "not_met", "does not hold"},
    {"DKIM, none", "dkim_pass", "none.eml", NULL, NULL, NULL, NULL, "not_met", "not signed"},
    {"key", "dkim_key_bits 1024", "pass.eml", NULL, NULL, NULL, NULL, "met", "2048"},
    {"key, at the limit", "dkim_key_bits 2048", "pass.eml", NULL, NULL, NULL, NULL, "met", NULL},
    {"key, above it", "dkim_key_bits 2049", "pass.eml", NULL, NULL, NULL, NULL, "not_met", "2048"},
    {"key, Ed25519", "dkim_key_bits 9999", "pass-two-signatures.eml", NULL, NULL, NULL, NULL, "met",
     "Ed25519"},
    {"key, none", "dkim_key_bits 1024", "none.eml", NULL, NULL, NULL, NULL, "not_applicable", NULL},
    {"record", "dmarc_record", "pass.eml", NULL, NULL, NULL, NULL, "met", "p=reject"},
    {"record", "dmarc_record", "none.eml", NULL, NULL, NULL, NULL, "not_met", "plain.example"},
    {"record, DNS", "dmarc_record", "dns-timeout.eml", NULL, NULL, NULL, NULL, "unknown", "DNS"},
    {"record, From", "dmarc_record", "malformed-no-from.eml", NULL, NULL, NULL, NULL, "unknown",
     NULL},
    {"DMARC", "dmarc_pass", "pass.eml", NULL, NULL, NULL, NULL, "met", NULL},
    {"DMARC", "dmarc_pass", "forged.eml", NULL, NULL, "203.0.113.5", "x@attacker.example",
     "not_met", NULL},
    {"DMARC, no client", "dmarc_pass", "forged.eml", NULL, NULL, NULL, NULL, "unknown", "--ip"},
    {"DMARC, no record", "dmarc_pass", "none.eml", NULL, NULL, "192.0.2.60", "a@plain.example",
     "not_met", NULL},
    {"policy", "dmarc_policy reject", "forged.eml", NULL, NULL, "203.0.113.5", "x@attacker.example",
     "not_met", "reject"},
    {"policy, pass", "dmarc_policy reject", "pass.eml", NULL, NULL, CLIENT, SHOP, "met", NULL},
    {"policy, no client", "dmarc_policy reject", "forged.eml", NULL, NULL, NULL, NULL, "unknown",
     "--ip"},
    {"policy t=y is milder", "dmarc_policy reject", "testing-policy.eml", NULL, NULL, "203.0.113.5",
     "a@careful.example", "met", NULL},
    {"policy, quarantine", "dmarc_policy quarantine", "testing-policy.eml", NULL, NULL,
     "203.0.113.5", "a@careful.example", "not_met", NULL},
    {"policy, DNS", "dmarc_policy reject", "dns-timeout.eml", NULL, NULL, "192.0.2.70",
     "a@slow.example", "unknown", "DNS"},
    {"aligned", "aligned", "pass.eml", NULL, NULL, CLIENT, SHOP, "met", "both"},
    {"aligned, DKIM", "aligned", "forwarded.eml", NULL, NULL, "192.0.2.90", SHOP, "met", "DKIM"},
    {"aligned, SPF", "aligned", "pass-subdomain.eml", NULL, NULL, "192.0.2.11",
     "news@news.shop.example", "met", "SPF"},
    {"aligned, no", "aligned", "forged.eml", NULL, NULL, "203.0.113.5", "x@attacker.example",
     "not_met", "bank.example"},
    {"aligned, no client", "aligned", "forged.eml", NULL, NULL, NULL, NULL, "unknown", NULL},
    {"PTR", "reverse_dns", "pass.eml", NULL, NULL, CLIENT, SHOP, "met", "mx.shop.example"},
    {"PTR, IPv6", "reverse_dns", "pass.eml", NULL, NULL, "2001:db8::1", SHOP, "met", "six.example"},
    {"PTR, IPv6 without", "reverse_dns", "pass.eml", NULL, NULL, "2001:db8::2", SHOP, "not_met",
     "no PTR"},
    {"PTR, none", "reverse_dns", "pass.eml", NULL, NULL, "203.0.113.9", SHOP, "not_met", "no PTR"},
    {"PTR, other address", "reverse_dns", "pass.eml", NULL, NULL, "192.0.2.61", SHOP, "not_met",
     "plain.example"},
    {"PTR, DNS", "reverse_dns", "pass.eml", NULL, NULL, "192.0.2.62", SHOP, "unknown", "DNS"},
    {"PTR, DNS of the name", "reverse_dns", "pass.eml", NULL, NULL, "192.0.2.63", SHOP, "unknown",
     "DNS"},
    {"PTR, no client", "reverse_dns", "pass.eml", NULL, NULL, NULL, SHOP, "unknown", "--ip"},
    {"TLS", "tls", "pass.eml", TOP,
     "Received: from mx.shop.example (mx.shop.example [192.0.2.10]) (using TLSv1.3) by "
     "mx.receiver.example with ESMTPS; Mon, 26 Oct 2026 00:01:00 +0000\r\nFrom: ",
     NULL, NULL, "met", NULL},
    {"TLS, clear", "tls", "none.eml", "Received: from client by mx.receiver.example;",
     "Received: from mx.shop.example (mx.shop.example [192.0.2.10]) by mx.receiver.example with "
     "ESMTP;",
     NULL, NULL, "not_met", "clear text"},
    {"TLS, nobody says", "tls", "none.eml", NULL, NULL, NULL, NULL, "unknown", NULL},
    {"From", "from_field", "pass.eml", NULL, NULL, NULL, NULL, "met", NULL},
    {"From, none", "from_field", "malformed-no-from.eml", NULL, NULL, NULL, NULL, "not_met",
     "no From"},
    {"From, two", "from_field", "forged-two-from.eml", NULL, NULL, NULL, NULL, "not_met",
     "several From"},
    {"From, two domains", "from_field", "forged-two-addresses.eml", NULL, NULL, NULL, NULL,
     "not_met", NULL},
    {"From, no address", "from_field", "pass.eml", "<orders@shop.example>", "<orders>", NULL, NULL,
     "not_met", NULL},
    {"twice", "single_fields", "pass.eml", TOP, "Subject: again\r\nFrom: ", NULL, NULL, "not_met",
     NULL},
    {"once", "single_fields", "pass.eml", NULL, NULL, NULL, NULL, "met", NULL},
    {"format", "message_format", "pass.eml", NULL, NULL, NULL, NULL, "met", NULL},
    {"format, NUL", "message_format", "malformed-nul.eml", NULL, NULL, NULL, NULL, "not_met",
     "NUL"},
    {"format, bare LF", "message_format", "malformed-bare-lf.eml", NULL, NULL, NULL, NULL,
     "not_met", "without a CR"},
    {"format, no Date", "message_format", "pass.eml", "Date: ", "X-Date: ", NULL, NULL, "not_met",
     "Date"},
    {"format, no field", "message_format", "pass.eml", TOP, "hello\r\nFrom: ", NULL, NULL,
     "not_met", "no field"},
    {"id", "message_id", "pass.eml", NULL, NULL, NULL, NULL, "met", NULL},
    {"id, none", "message_id", "pass.eml", "Message-ID: ", "X-ID: ", NULL, NULL, "not_met",
     "no Message-ID"},
    {"id, bad", "message_id", "pass.eml", "Message-ID: <", "Message-ID: ", NULL, NULL, "not_met",
     "form"},
    {"domain", "domain_exists", "pass.eml", NULL, NULL, CLIENT, SHOP, "met", "both"},
    {"domain, none", "domain_exists", "pass.eml", "<orders@shop.example>", "<a@nowhere.invalid>",
     CLIENT, SHOP, "not_met", "nowhere.invalid"},
    {"domain, nobody", "domain_exists", "malformed-no-from.eml", NULL, NULL, NULL, NULL, "unknown",
     NULL},
    {"unsubscribe", "list_unsubscribe", "pass.eml", TOP, UNSUBSCRIBE TOP, NULL, NULL, "met", NULL},
    {"unsubscribe, mail", "list_unsubscribe", "pass.eml", TOP,
     "List-Unsubscribe: <mailto:u@shop.example>\r\nFrom: ", NULL, NULL, "met", NULL},
    {"unsubscribe, none", "list_unsubscribe", "pass.eml", NULL, NULL, NULL, NULL, "not_met", NULL},
    {"unsubscribe, words", "list_unsubscribe", "pass.eml", TOP,
     "List-Unsubscribe: write to us\r\nFrom: ", NULL, NULL, "not_met", NULL},
    {"one click", "one_click", "pass.eml", TOP, UNSUBSCRIBE POST TOP, NULL, NULL, "met", NULL},
    {"one click, second address", "one_click", "pass.eml", TOP,
     "List-Unsubscribe: <mailto:u@shop.example>,\r\n <https://shop.example/u>\r\n" POST TOP, NULL,
     NULL, "met", NULL},
    {"one click, no Post", "one_click", "pass.eml", TOP, UNSUBSCRIBE TOP, NULL, NULL, "not_met",
     "no List-Unsubscribe-Post"},
    {"one click, other Post", "one_click", "pass.eml", TOP,
     UNSUBSCRIBE "List-Unsubscribe-Post: yes\r\n" TOP, NULL, NULL, "not_met", "One-Click"},
    {"one click, http", "one_click", "pass.eml", TOP,
     "List-Unsubscribe: <http://shop.example/u>\r\n" POST TOP, NULL, NULL, "not_met", "https"},
    {"signed, not there", "one_click_signed", "pass.eml", NULL, NULL, NULL, NULL, "not_applicable",
     NULL},
    {"signed, broken by them", "one_click_signed", "pass.eml", TOP, UNSUBSCRIBE POST TOP, NULL,
     NULL, "not_met", "No signature passes"},
    {"ARC", "arc_if_forwarded", "list-arc.eml", NULL, NULL, NULL, NULL, "met", NULL},
    {"ARC, broken", "arc_if_forwarded", "arc-broken.eml", NULL, NULL, NULL, NULL, "not_met", NULL},
    {"ARC, direct", "arc_if_forwarded", "pass.eml", NULL, NULL, NULL, NULL, "not_applicable", NULL},
    {"ARC, list without", "arc_if_forwarded", "pass.eml", TOP,
     "List-Id: <l.example>\r\nFrom: ", NULL, NULL, "not_met", NULL},
    {"name, other", "not_in_the_name_of gmail.com", "pass.eml", NULL, NULL, NULL, NULL, "met",
     "shop.example"},
    {"name, its own", "not_in_the_name_of x.example SHOP.example", "pass.eml", NULL, NULL, NULL,
     NULL, "met", "proven"},
    {"name, forged", "not_in_the_name_of bank.example", "forged.eml", NULL, NULL, "203.0.113.5",
     "x@attacker.example", "not_met", "nothing proves"},
    {"name, part of it", "not_in_the_name_of k.example", "forged.eml", NULL, NULL, "203.0.113.5",
     "x@attacker.example", "met", NULL},
    {"never", "unknowable", "pass.eml", NULL, NULL, CLIENT, SHOP, "unknown", NULL},
};

/* Runs the tool with a profile of one rule; the whole document. */
static json_t *document_of(const struct check_case *c, const char *zone, const char *profile)
{
    char *text = c->find ? sample_with(c->message, c->find, c->put) : NULL;
    char path[128];
    const char *argv[24] = {"explain", "--json", "--dns", zone, "--profile", profile};
    size_t n = 6;
    if (c->ip) {
        argv[n++] = "--ip";
        argv[n++] = c->ip;
    }
    if (c->mail_from) {
        argv[n++] = "--mail-from";
        argv[n++] = c->mail_from;
    }
    snprintf(path, sizeof path, SAMPLES "%s", c->message);
    argv[n++] = text ? "-" : path;
    struct outcome o = assay(text ? span_from_string(text) : SPAN(""), argv);
    cr_assert(o.status == 0, "%s: %d %s", c->name, o.status, o.err);
    free(text);
    return json_line(o.out, 0);
}

Test(profile, each_check)
{
    char zone[128], text[512];
    snprintf(zone, sizeof zone, "%s", page_zone());
    for (size_t i = 0; i < sizeof check_cases / sizeof check_cases[0]; i++) {
        const struct check_case *c = &check_cases[i];
        snprintf(text, sizeof text,
                 "title = T\n[r]\ncheck = %s\ntitle = R.\nreply = 550 5.7.1 No.\n"
                 "retry = 451 4.7.1 Later.\nadvice = Do.\n",
                 c->check);
        json_t *json = document_of(c, zone, temporary_file("p.conf", span_from_string(text)));
        const json_t *rule = json_at(json, "profile.rules.0");
        cr_expect_str_eq(json_text(rule, "state"), c->state, "%s (%s): got %s, want %s: %s",
                         c->name, c->check, json_text(rule, "state"), c->state,
                         json_text(rule, "sentence"));
        cr_expect(!c->says || strstr(json_text(rule, "sentence"), c->says), "%s: %s", c->name,
                  json_text(rule, "sentence"));
        bool wrong = strcmp(c->state, "not_met") == 0;
        cr_expect(json_is_string(json_at(rule, "advice")) == wrong, "%s", c->name);
        cr_expect(!wrong || strcmp(json_text(rule, "reply"), "550 5.7.1 No.") == 0, "%s", c->name);
        json_decref(json);
    }
}

struct outcome_case
{
    const char *name, *rules, *outcome, *reply, *says;
};

#define BAD "check = dkim_key_bits 4096\ntitle = Bad.\n"
#define GOOD "check = dkim_pass\ntitle = Good.\nreply = 550 5.7.9 Good.\n"
#define LATER                                                                                      \
    "check = reverse_dns\ntitle = Name.\nreply = 550 5.7.25 Name.\nretry = 451 4.7.23 Later.\n"

static const struct outcome_case outcome_cases[] = {
    {"nothing", "[a]\n" GOOD, "nothing_against", NULL, "meets every rule"},
    {"only what nobody knows", "[a]\ncheck = unknowable\ntitle = X.\n", "nothing_against", NULL,
     NULL},
    {"refused", "[a]\n" GOOD "[b]\n" BAD "reply = 550 5.7.1 B.\n", "refused", "550 5.7.1 B.",
     "T would refuse this message: the rule \"Bad\" is not met."},
    {"the first one decides",
     "[a]\n" BAD "reply = 550 5.7.1 A.\n[b]\n" BAD "reply = 550 5.7.2 B.\n", "refused",
     "550 5.7.1 A.", NULL},
    {"everybody before bulk",
     "[a]\nwho = bulk\n" BAD "reply = 550 5.7.1 A.\n[b]\n" BAD "reply = 550 5.7.2 B.\n", "refused",
     "550 5.7.2 B.", NULL},
    {"bulk", "[a]\nwho = bulk\n" BAD "reply = 550 5.7.1 A.\n", "refused_if_bulk", "550 5.7.1 A.",
     "if a bulk sender sent it"},
    {"put off", "[a]\n" BAD "reply = 421 4.7.1 A.\n", "deferred", "421 4.7.1 A.", "put off"},
    {"put off, bulk", "[a]\nwho = bulk\n" BAD "reply = 421 4.7.1 A.\n", "deferred_if_bulk",
     "421 4.7.1 A.", NULL},
    {"advised only", "[a]\nlevel = advised\n" BAD "reply = 550 5.7.1 A.\n", "nothing_against", NULL,
     NULL},
    {"no reply", "[a]\n" BAD, "lacking", NULL, "does not meet all"},
    {"the DNS did not tell", "[a]\n" LATER, "deferred", "451 4.7.23 Later.", "DNS gave no answer"},
    {"not to be checked", "[a]\ncheck = tls\ntitle = X.\nreply = 550 5.7.29 X.\n", "undecided",
     NULL, "not every rule"},
};

Test(profile, what_it_comes_to)
{
    char zone[128], text[1024];
    snprintf(zone, sizeof zone, "%s", page_zone());
    for (size_t i = 0; i < sizeof outcome_cases / sizeof outcome_cases[0]; i++) {
        const struct outcome_case *c = &outcome_cases[i];
        snprintf(text, sizeof text, "title = T\n%s", c->rules);
        struct outcome o = ASSAY(
            "explain", "--json", "--dns", zone, "--ip", "192.0.2.62", "--mail-from", SHOP,
            "--profile", temporary_file("p.conf", span_from_string(text)), SAMPLES "pass.eml");
        cr_assert(o.status == 0, "%s: %s", c->name, o.err);
        json_t *json = json_line(o.out, 0);
        const char *reply = json_text(json, "profile.reply");
        cr_expect_str_eq(json_text(json, "profile.outcome"), c->outcome, "%s: %s, want %s", c->name,
                         json_text(json, "profile.outcome"), c->outcome);
        cr_expect(c->reply ? reply && strcmp(reply, c->reply) == 0 : !reply, "%s: %s", c->name,
                  reply);
        cr_expect(!c->says || strstr(json_text(json, "profile.sentence"), c->says), "%s: %s",
                  c->name, json_text(json, "profile.sentence"));
        json_decref(json);
    }
}

/* RFC 5321 4.2.1: every line but the last has "-" behind the code; texts of the message in it are
 * on one line. */
Test(profile, a_reply_as_it_goes_over_the_wire)
{
    const char *text =
        "title = T\n[a]\ncheck = dkim_key_bits 4096\ntitle = Bad.\n"
        "reply = 550 5.7.26 Words and words and words and words and words and words and words and "
        "{mail_from} at {ip} for {from_domain} by {spf_domain} end.\n";
    struct outcome o = ASSAY(
        "explain", "--profile", temporary_file("p.conf", span_from_string(text)), "--ip", CLIENT,
        "--mail-from", "a\n250 OK@shop.example", "--dns", page_zone(), SAMPLES "pass.eml");
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect(strstr(o.out, "\n    550-5.7.26 Words and words and"), "%s", o.out);
    cr_expect(strstr(o.out, "\n    550 5.7.26 "), "%s", o.out);
    cr_expect(!strstr(o.out, "\n250"), "%s", o.out);
    cr_expect(strstr(o.out, "for shop.example\n"), "%s", o.out);
}

/* The reply that everybody knows. */
Test(profile, gmail_550_5_7_26)
{
    struct outcome o = ASSAY("explain", "--profile", "gmail", "--ip", "192.0.2.60", "--mail-from",
                             "a@plain.example", "--dns", page_zone(), SAMPLES "none.eml");
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect(strstr(o.out, "    550-5.7.26 This message does not have authentication information"),
              "%s", o.out);
    struct outcome good = ASSAY("explain", "--json", "--profile", "gmail", "--ip", CLIENT,
                                "--mail-from", SHOP, "--dns", page_zone(), SAMPLES "pass.eml");
    json_t *json = json_line(good.out, 0);
    cr_expect_str_neq(json_text(json, "profile.outcome"), "refused");
    cr_expect(json_text(json, "profile.reply") == NULL, "%s", json_text(json, "profile.reply"));
    json_decref(json);
}

/* Microsoft wants SPF and DKIM both, where DMARC is content with one. */
Test(profile, outlook_wants_both)
{
    struct outcome o = ASSAY("explain", "--json", "--profile", "outlook", "--ip", "192.0.2.90",
                             "--mail-from", SHOP, "--dns", page_zone(), SAMPLES "forwarded.eml");
    json_t *json = json_line(o.out, 0);
    cr_expect_str_eq(json_text(json, "verdict.dmarc.result"), "pass");
    cr_expect_str_eq(json_text(json, "profile.rule"), "spf");
    cr_expect(strncmp(json_text(json, "profile.reply"), "550-5.7.515 ", 12) == 0);
    json_decref(json);
}

Test(profile, none_was_asked_for)
{
    struct outcome o = ASSAY("explain", "--json", "--dns", page_zone(), SAMPLES "pass.eml");
    json_t *json = json_line(o.out, 0);
    cr_expect(json_is_null(json_at(json, "profile")) && json_is_null(json_at(json, "story")));
    json_decref(json);
}
