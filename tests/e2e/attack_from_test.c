/* Attacks A01 to A21: who sent it. */
#include <stdio.h>

#include "e2e/attack.h"

#define MULTI "\"multi_from\""

static const struct attack identities[] = {
    {"A01",
     "MAIL FROM at a name of the victim that is not there, HELO passes",
     SPAN_OF(FROM_VICTIM),
     {0},
     UNSIGNED,
     "a@nx.victim.test",
     NULL,
     NULL,
     "none",
     NULL,
     "fail",
     "\"helo\":{\"result\":\"pass\"",
     NULL},
    {"A02",
     "a reverse-path that is none is not the null one",
     SPAN_OF(FROM_VICTIM),
     {0},
     UNSIGNED,
     "<(any@victim.test>",
     NULL,
     NULL,
     "none",
     NULL,
     "fail",
     "\"path_malformed\"",
     NULL},
    {"A05",
     "a comment in the domain of MAIL FROM",
     SPAN_OF(FROM_VICTIM),
     {0},
     UNSIGNED,
     "<any@victim.test(.attack.test>",
     NULL,
     "victim.test\\(.attack.test TXT \"v=spf1 +all\"\n",
     "none",
     NULL,
     "fail",
     "\"path_malformed\"",
     "\"spf=pass"},
    {"A05",
     "two @ in MAIL FROM: the last one counts",
     SPAN_OF(FROM_VICTIM),
     {0},
     UNSIGNED,
     "<any@victim.test'@a.attack.test>",
     NULL,
     "a.attack.test TXT \"v=spf1 +all\"\n",
     "pass",
     NULL,
     "fail",
     "\"domain\":\"a.attack.test\"",
     NULL},
    {"A06",
     "a source route names the victim",
     SPAN_OF(FROM_VICTIM),
     {0},
     UNSIGNED,
     "<@victim.test,@any.test:'any@attack.test>",
     NULL,
     NULL,
     "pass",
     NULL,
     "fail",
     "\"path_route\"",
     NULL},
    {"A06",
     "and what follows it is junk",
     SPAN_OF(FROM_VICTIM),
     {0},
     UNSIGNED,
     "<@victim.test,@any.test:any@attack.test>x@victim.test",
     NULL,
     NULL,
     "none",
     NULL,
     "fail",
     "\"path_malformed\"",
     NULL},
    {"A21",
     "another user of the signing domain",
     SPAN_OF("From: somebody@attack.test\r\n"),
     {0},
     BY_ATTACKER,
     NULL,
     NULL,
     NULL,
     "pass",
     "pass",
     "pass",
     "\"local\":\"somebody\"",
     NULL},
};

Test(attack, identities)
{
    attack_run(identities, COUNT_OF(identities));
}

/* Names that end early, or somewhere else, where text is read as something (A03, A04). */
static const struct attack names[] = {
#define SIGNED_BY(d, s)                                                                            \
    SPAN_OF(                                                                                       \
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=" d "; s=" s                      \
        ";\r\n h=from; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA\r\n" FROM_VICTIM)
#define NO_QUESTION "_domainkey.victim"
    {"A03",
     "NUL in s=",
     SIGNED_BY("victim.test", "x._domainkey.attack.test.\0.x"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     "permerror",
     "fail",
     NULL,
     NO_QUESTION},
    {"A03",
     "\\000 in s=",
     SIGNED_BY("victim.test", "x._domainkey.attack.test.\\000"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     "permerror",
     "fail",
     NULL,
     NO_QUESTION},
    {"A03",
     "\\0 in s=",
     SIGNED_BY("victim.test", "a\\0"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     "permerror",
     "fail",
     NULL,
     NO_QUESTION},
    {"A03",
     "%00 in s=",
     SIGNED_BY("victim.test", "a%00"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     "permerror",
     "fail",
     NULL,
     NO_QUESTION},
    {"A04",
     "a comment in d=",
     SIGNED_BY("victim.test(.attack.test", "a"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     "permerror",
     "fail",
     NULL,
     NO_QUESTION},
    {"A04",
     "a quote in d=",
     SIGNED_BY("victim.test'a.attack.test", "a"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     "permerror",
     "fail",
     NULL,
     NO_QUESTION},
    {"A04",
     "a quote and a comment in d=",
     SIGNED_BY("victim.test\"=(.attack.test", "a"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     "permerror",
     "fail",
     NULL,
     NO_QUESTION},
};

Test(attack, names_in_signatures)
{
    attack_run(names, COUNT_OF(names));
}

/* Two things that look like From; the attacker's passes SPF and is signed. */
static const struct attack several[] = {
    {"A07", "victim on top", SPAN_OF(FROM_ATTACKER), SPAN_OF(FROM_VICTIM), BY_ATTACKER, NULL, NULL,
     NULL, "pass", NULL, "permerror", MULTI, NULL},
    {"A07",
     "victim below",
     SPAN_OF(FROM_VICTIM FROM_ATTACKER),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     MULTI,
     NULL},
    {"A08",
     "the first line is a continuation",
     SPAN_OF(" " FROM_ATTACKER FROM_VICTIM),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     "\"hdr_malformed\"",
     NULL},
    {"A08",
     "and the only one",
     SPAN_OF(" " FROM_ATTACKER),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     "\"from_like_malformed\"",
     NULL},
    {"A09",
     "a blank before the colon",
     SPAN_OF(FROM_ATTACKER "From : admin@victim.test\r\n"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     MULTI,
     NULL},
    {"A10",
     "a fold before the colon",
     SPAN_OF("From\r\n : a@attack.test\r\n" FROM_VICTIM),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     "\"from_like_malformed\"",
     NULL},
    {"A11",
     "only Sender",
     SPAN_OF("Sender: admin@victim.test\r\n" SUBJECT),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     "\"no_from\"",
     NULL},
    {"A11",
     "only Resent-From",
     SPAN_OF("Resent-From: admin@victim.test\r\n" SUBJECT),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     "\"no_from\"",
     NULL},
};

Test(attack, several_from_fields)
{
    attack_run(several, COUNT_OF(several));
}

/* One From field with more in it than meets the eye. */
#define FROM_VALUE(row, what, value, spf, dmarc, has)                                              \
    {                                                                                              \
        row, what, SPAN_OF("From: " value "\r\n" SUBJECT), {0}, UNSIGNED, NULL, NULL, NULL, spf,   \
            NULL, dmarc, has, NULL                                                                 \
    }
static const struct attack values[] = {
    FROM_VALUE("A12", "two addresses", "a@attack.test, admin@victim.test", "pass", "permerror",
               "\"from_several_domains\""),
    FROM_VALUE("A12", "addresses without a domain", "a@attack.test, <>, b", "pass", "permerror",
               NULL),
    FROM_VALUE("A12", "a group of two", "g: a@attack.test, b@victim.test;", "pass", "permerror",
               NULL),
    FROM_VALUE("A12", "one domain twice", "a@attack.test, b@Attack.Test", "pass", "pass",
               "\"from_several_addresses\""),
    FROM_VALUE("A13", "the address in an encoded-word",
               "=?utf-8?B?PGFkbWluQHZpY3RpbS50ZXN0Pg==?=,<b@attack.test>", "pass", "permerror",
               NULL),
    FROM_VALUE("A13", "in an encoded display name",
               "=?utf-8?B?PGFkbWluQHZpY3RpbS50ZXN0Pg==?= <b@attack.test>", "pass", "pass",
               "\"from_encoded_address\""),
    FROM_VALUE("A14", "a route through the attacker", "<@attack.test,@any.test:admin@victim.test>",
               "pass", "fail", "\"from_route\""),
    FROM_VALUE("A14", "a route through the victim", "<@victim.test:a@attack.test>", "pass", "pass",
               "\"from_domain\":\"attack.test\""),
    FROM_VALUE("A15", "a quoted pair between addresses", "<admin@victim.test>\\,<b@attack.test>",
               "pass", "permerror", "\"from_malformed\""),
    FROM_VALUE("A16", "a comma too many", "admin@victim.test,<b@attack.test>", "pass", "permerror",
               "\"from_several_domains\""),
    FROM_VALUE("A16", "text behind the address", "<a@attack.test>admin@victim.test", "pass",
               "permerror", "\"from_malformed\""),
    FROM_VALUE("A17", "an invisible character", "a@victim\xe2\x80\x8b.test", "pass", "permerror",
               NULL),
    FROM_VALUE("A17", "a soft hyphen", "a@vic\xc2\xadtim.test", "pass", NULL, NULL),
    FROM_VALUE("A17", "an ideographic full stop", "a@victim\xe3\x80\x82test", "pass", NULL, NULL),
    FROM_VALUE("A17", "full width letters", "a@\xef\xbd\x96ictim.test", "pass", NULL, NULL),
    FROM_VALUE("A17", "an octet that is no UTF-8", "a@victim\xff.test", "pass", "permerror", NULL),
    FROM_VALUE("A18", "the victim in the display name", "\"admin@victim.test\" <a@attack.test>",
               "pass", "pass", "\"from_display_address\""),
    FROM_VALUE("A18", "the victim in a comment", "a@attack.test (admin@victim.test)", "pass",
               "pass", "\"from_domain\":\"attack.test\""),
};

Test(attack, values_of_from)
{
    attack_run(values, COUNT_OF(values));
}

/* A18: comments nested 90,000 deep end in an error, not in a deep stack. */
Test(attack, comments_without_end)
{
    struct buffer header;
    buffer_init(&header, 1024 * 1024);
    buffer_append_string(&header, "From: ");
    for (int i = 0; i < 90 * 1000; i++)
        buffer_append_byte(&header, '(');
    buffer_append_string(&header, "a@attack.test\r\n");
    struct assay_engine *engine = attack_engine(NULL);
    struct span mail = attack_signed(buffer_span(&header), SPAN("x"), UNSIGNED, -1);
    json_t *verdict = attack_judge(engine, mail, NULL, NULL);
    attack_expect("A18", verdict, "dmarc.result", "permerror");
    json_decref(verdict);
    assay_engine_close(&engine);
    buffer_fini(&header);
}

/*
 * A19: every form with every other, in both orders: two of them are never one author, so DMARC
 * never passes, whoever signed and whatever SPF says.
 */
Test(attack, forms_of_from_in_pairs)
{
    static const char *const forms[] = {
        "From: a@attack.test\r\n",
        "From: admin@victim.test\r\n",
        " From: a@attack.test\r\n",
        "From : a@attack.test\r\n",
        "From\r\n : a@attack.test\r\n",
        "fROM: \"admin@victim.test\" <a@attack.test>\r\n",
        "From: <@attack.test:admin@victim.test>\r\n",
        "From: <admin@victim.test>\\,<b@attack.test>\r\n",
        "From: admin@victim.test,<b@attack.test>\r\n",
        "From:\r\n",
        "From\t:\r\n a@attack.test\r\n",
        ("\xef\xbb\xbf"
         "From: a@attack.test\r\n"),
        "From\x01: a@attack.test\r\n",
    };
    struct assay_engine *engine = attack_engine(NULL);
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        for (size_t k = 0; k < COUNT_OF(forms); k++) {
            char header[512];
            snprintf(header, sizeof header, "%s%s" SUBJECT, forms[i], forms[k]);
            struct span mail = attack_signed(span_from_string(header), SPAN("x\r\n"), UNSIGNED, -1);
            json_t *verdict = attack_judge(engine, mail, NULL, NULL);
            const char *got = attack_text(verdict, "dmarc.result");
            cr_expect(got && strcmp(got, "permerror") == 0, "A19: %s then %s: %s", forms[i],
                      forms[k], got);
            json_decref(verdict);
        }
    }
    assay_engine_close(&engine);
}

/* A20: which identifier aligned is told, so that policy may weigh "SPF only". */
static const struct attack ways[] = {
    {"A20",
     "SPF alone",
     SPAN_OF(FROM_ATTACKER),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "pass",
     "\"aligned_by\":\"spf\"",
     NULL},
    {"A20",
     "DKIM alone",
     SPAN_OF(FROM_ATTACKER),
     {0},
     BY_ATTACKER,
     "x@elsewhere.test",
     NULL,
     NULL,
     NULL,
     "pass",
     "pass",
     "\"aligned_by\":\"dkim\"",
     NULL},
    {"A20",
     "both",
     SPAN_OF(FROM_ATTACKER),
     {0},
     BY_ATTACKER,
     NULL,
     NULL,
     NULL,
     "pass",
     "pass",
     "pass",
     "\"aligned_by\":\"both\"",
     NULL},
};

Test(attack, what_aligned_is_told)
{
    attack_run(ways, COUNT_OF(ways));
}
