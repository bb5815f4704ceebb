/*
 * The story: every combination of results and of facts that are there or missing gives whole
 * sentences with the real names.
 */
#include <stdio.h>
#include <stdlib.h>

#include "zone.h"

struct story_case
{
    const char *name, *message, *ip, *helo, *mail_from;
    const char *says[6];
};

#define SHOP "orders@shop.example"

static const struct story_case cases[] = {
    {"all is well",
     "pass.eml",
     CLIENT,
     "mx.shop.example",
     SHOP,
     {"The server 192.0.2.10 handed it over, saying that its name is mx.shop.example",
      "The envelope said orders@shop.example;", "by the entry \"ip4:192.0.2.0/28\", so SPF passes",
      "shop.example has signed it.", "SPF and DKIM both speak for shop.example",
      "Nothing went wrong, and nothing needs to be done."}},
    {"no name", "pass.eml", CLIENT, NULL, SHOP, {"handed it over and did not say its name."}},
    {"no client",
     "pass.eml",
     NULL,
     NULL,
     SHOP,
     {"is not known: nobody said so", "Without the address it cannot be asked.",
      "The signature speaks for shop.example"}},
    {"no envelope",
     "pass.eml",
     NULL,
     NULL,
     NULL,
     {"What stood on the envelope is not known here."}},
    {"null reverse-path",
     "pass-bounce.eml",
     "198.51.100.7",
     "out.mailer.example",
     "<>",
     {"The envelope named nobody"}},
    {"SPF alone",
     "pass-subdomain.eml",
     "192.0.2.11",
     "news.shop.example",
     "news@news.shop.example",
     {"Nobody has signed the message.", "The list of servers speaks for news.shop.example"}},
    {"forwarded",
     "forwarded.eml",
     "192.0.2.90",
     "relay.example",
     SHOP,
     {"192.0.2.90 is not on it, and the list says that such a server must not send. SPF fails.",
      "That need not mean forgery", "The signature speaks"}},
    {"softly",
     "testing-policy.eml",
     "203.0.113.5",
     "mail.attacker.example",
     "a@careful.example",
     {"(\"~all\")", "SPF fails softly.", "careful.example has said beforehand"}},
    {"body changed",
     "fail-body.eml",
     CLIENT,
     "mx.shop.example",
     SHOP,
     {"There is a signature of shop.example, with the key s2026, and it does not count."}},
    {"subject",
     "fail-subject.eml",
     "192.0.2.90",
     "relay.example",
     "a@relay.example",
     {"But relay.example is not the name in From.", "A tag was put into the Subject",
      "This is certain: with that change undone, it fits.",
      "For the list, gateway or forwarder on the way: Lists and gateways",
      "the result here is quarantine."}},
    {"revoked",
     "fail-revoked.eml",
     "192.0.2.90",
     "relay.example",
     "a@relay.example",
     {"For whoever keeps the domain's DNS records: shop.example should publish the key"}},
    {"forged",
     "forged.eml",
     "203.0.113.5",
     "mail.attacker.example",
     "x@attacker.example",
     {"attacker.example has signed it.", "But that is not the name in From",
      "Something was proven above, but for another name", "bank.example has said beforehand",
      "refuse it (p=reject)", "What went wrong"}},
    {"nothing at all",
     "none.eml",
     "192.0.2.60",
     "plain.example",
     "a@plain.example",
     {"plain.example publishes no list of servers.",
      "plain.example does not ask that its name be protected", "so anybody may have written it"}},
    {"DNS",
     "dns-timeout.eml",
     "192.0.2.70",
     "slow.example",
     "a@slow.example",
     {"could not be fetched just now.", "That could not be found out just now."}},
    {"SPF error",
     "spf-too-many-lookups.eml",
     "192.0.2.80",
     "deep.example",
     "a@deep.example",
     {"deep.example publishes a list that cannot be used.", "more than 10 DNS lookups"}},
    {"two From",
     "forged-two-from.eml",
     CLIENT,
     "mx.shop.example",
     SHOP,
     {"There is no way to tell.", "For you: The message is built as honest programs do not"}},
    {"two addresses",
     "forged-two-addresses.eml",
     "203.0.113.5",
     NULL,
     "x@attacker.example",
     {"That is not one address"}},
    {"no From",
     "malformed-no-from.eml",
     CLIENT,
     "mx.shop.example",
     SHOP,
     {"On the letter itself there is no sender at all"}},
    {"NUL", "malformed-nul.eml", CLIENT, "mx.shop.example", SHOP, {"There is no way to tell."}},
    {"a list",
     "list-arc.eml",
     "192.0.2.80",
     "lists.example",
     "bounce@lists.example",
     {"Yes: one has. The newest seal is that of lists.example"}},
    {"list and relay",
     "list-arc-two-sets.eml",
     "192.0.2.90",
     "relay.example",
     "bounce@lists.example",
     {"several have, one after the other"}},
    {"broken chain",
     "arc-broken.eml",
     "192.0.2.80",
     "lists.example",
     "bounce@lists.example",
     {"the chain of seals does not hold."}},
    {"two signatures",
     "pass-two-signatures.eml",
     CLIENT,
     "mx.shop.example",
     SHOP,
     {"under s2026;", "under e2026;"}},
    {"a service",
     "pass-service.eml",
     "198.51.100.7",
     "out.mailer.example",
     "b-17@mailer.example",
     {"But that is not the name in From, so it proves nothing about it.",
      "The name fits that in From: a proof that counts."}},
    {"malformed path",
     "pass.eml",
     CLIENT,
     "mx.shop.example",
     "not a path",
     {"Here the envelope names no domain that could be asked."}},
};

/* What a sentence that lacks a part reads like. */
static void expect_whole(const char *name, const char *paragraph)
{
    char text[4096];
    snprintf(text, sizeof text, "%s", paragraph);
    for (char *at = text; (at = strstr(text, " ...")) || (at = strstr(text, "..."));)
        memcpy(at, "____", *at == ' ' ? 4 : 3); /* an ellipsis is meant */

    static const char *const broken[] = {"  ",     " .",    " ,",     " ;",  "()",      "\"\"",
                                         "(null)", "null.", "..",     ". .", " of .",   "of ,",
                                         "by ;",   ",.",    " for ,", ": .", "under ;", "%"};
    size_t n = strlen(text);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        cr_expect(!strstr(text, broken[i]), "%s: \"%s\" in: %s", name, broken[i], text);
    cr_expect(n > 10 && text[0] != ' ' && text[n - 1] != ' ', "%s: %s", name, text);
    cr_expect(strchr(".:!?>", text[n - 1]), "%s: no end: %s", name, text);
    cr_expect(!(text[0] >= 'a' && text[0] <= 'z') || strstr(text, ".example"), "%s: begins: %s",
              name, text);
}

static bool tells(const json_t *story, const char *text)
{
    const json_t *chapter, *paragraph;
    size_t i, k;
    json_array_foreach(story, i, chapter)
    {
        if (strstr(json_text(chapter, "heading"), text))
            return true;
        json_array_foreach(json_at(chapter, "paragraphs"), k, paragraph)
        {
            if (strstr(json_string_value(paragraph), text))
                return true;
        }
    }
    return false;
}

static json_t *told(const struct story_case *c, const char *zone, const char *profile)
{
    const char *argv[24] = {"explain", "--json", "--story", "--dns", zone};
    char path[128];
    size_t n = 5;
    const char *pairs[][2] = {{"--ip", c->ip},
                              {"--helo", c->helo},
                              {"--mail-from", c->mail_from},
                              {"--profile", profile}};
    for (size_t i = 0; i < 4; i++) {
        if (!pairs[i][1])
            continue;
        argv[n++] = pairs[i][0];
        argv[n++] = pairs[i][1];
    }
    snprintf(path, sizeof path, SAMPLES "%s", c->message);
    argv[n++] = path;
    struct outcome o = assay(SPAN(""), argv);
    cr_assert(o.status == 0, "%s: %d %s", c->name, o.status, o.err);
    return json_line(o.out, 0);
}

static void expect_whole_story(const char *name, const json_t *story)
{
    const json_t *chapter, *paragraph;
    size_t i, k;
    cr_assert(json_array_size(story) >= 6, "%s", name);
    json_array_foreach(story, i, chapter)
    {
        cr_expect(json_array_size(json_at(chapter, "paragraphs")) > 0, "%s: %s is empty", name,
                  json_text(chapter, "heading"));
        json_array_foreach(json_at(chapter, "paragraphs"), k, paragraph)
        {
            if (strncmp(json_string_value(paragraph), "550", 3) != 0)
                expect_whole(name, json_string_value(paragraph));
        }
    }
}

Test(story, each_result_in_whole_sentences)
{
    char zone[128];
    snprintf(zone, sizeof zone, "%s", page_zone());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *json = told(&cases[i], zone, NULL);
        const json_t *story = json_at(json, "story");
        expect_whole_story(cases[i].name, story);
        for (size_t k = 0; k < 6 && cases[i].says[k]; k++)
            cr_expect(tells(story, cases[i].says[k]), "%s: not told: %s\n%s", cases[i].name,
                      cases[i].says[k], json_dumps(story, JSON_INDENT(1)));
        json_decref(json);
    }
}

/* Each message with each part of the envelope missing or there. */
Test(story, whatever_is_missing)
{
    char zone[128];
    snprintf(zone, sizeof zone, "%s", page_zone());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct story_case c = cases[i];
        unsigned parts = (unsigned)i % 8; /* all eight among them, each for several messages */
        c.ip = parts & 1 ? c.ip : NULL;
        c.helo = parts & 2 ? c.helo : NULL;
        c.mail_from = parts & 4 ? c.mail_from : NULL;
        json_t *json = told(&c, zone, i % 2 ? "gmail" : NULL);
        expect_whole_story(c.name, json_at(json, "story"));
        cr_expect_eq(tells(json_at(json, "story"), "What Gmail would say"), i % 2 == 1, "%s",
                     c.name);
        json_decref(json);
    }
}

Test(story, for_people)
{
    setenv("COLUMNS", "60", 1);
    struct outcome o =
        ASSAY("explain", "--story", "--profile", "gmail", "--ip", "192.0.2.60", "--mail-from",
              "a@plain.example", "--dns", page_zone(), SAMPLES "none.eml");
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect(strncmp(o.out, "1. A message arrives\n   The message was received on 26 October 2026",
                      60) == 0,
              "%s", o.out);
    cr_expect(strstr(o.out, "\n   550-5.7.26 This message does not have"), "%s", o.out);
    cr_expect(!strstr(o.out, "\\x0a"), "%s", o.out);
    for (const char *line = o.out; *line; line += strcspn(line, "\n") + 1)
        cr_expect(strcspn(line, "\n") <= 80 &&
                      (strcspn(line, "\n") <= 60 || strstr(line, "550") || strstr(line, "://")),
                  "%.90s", line);
}

/* security.md J08: what comes from the message is escaped. */
Test(story, names_of_strangers)
{
    char *text = sample_with("none.eml", "From: Plain", "From: \x1b[2J<Plain\x07");
    struct outcome o =
        ASSAY_INPUT(span_from_string(text), "explain", "--story", "--ip", CLIENT, "--helo",
                    "\x1b[31m", "--mail-from", "a@plain.example", "--dns", page_zone(), "-");
    cr_assert(o.status == 0, "%s", o.err);
    for (const char *c = o.out; *c; c++)
        cr_assert((*c >= ' ' && *c < 0x7f) || *c == '\n', "byte %d", *c);
    free(text);
}
