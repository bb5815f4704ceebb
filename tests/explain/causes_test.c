/*
 * One case for each row of the table of causes: a message is signed, altered as a forwarder would,
 * and the diagnosis names what was done. The last test looks that no row is without a case.
 */
#include <stdio.h>
#include <stdlib.h>

#include "diagnosing.h"
#include "dkim/signing.h"

#define RELAXED "v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s1; bh=@; "
#define SIMPLE "v=1; a=rsa-sha256; c=simple/simple; d=a.example; s=s1; bh=@; "
#define NAMES                                                                                      \
    "h=from:from:to:cc:subject:subject:date:reply-to:message-id:mime-version:content-type:"        \
    "content-transfer-encoding; "
#define END "b=@"
#define NAMED RELAXED NAMES END

static const char plain[] = "From: The Shop <orders@a.example>\r\n"
                            "To: ada@b.example, bob@b.example\r\n"
                            "Subject: Your order 4711\r\n"
                            "Date: Mon, 26 Oct 2026 00:00:00 +0000\r\n"
                            "Message-ID: <1@a.example>\r\n"
                            "MIME-Version: 1.0\r\n"
                            "Content-Type: text/plain; charset=utf-8\r\n"
                            "Content-Transfer-Encoding: 8bit\r\n"
                            "\r\n"
                            "Dear Ada,\r\n"
                            "\r\n"
                            "it costs 5 \xe2\x82\xac today.\r\n"
                            "From now on it is cheaper.\r\n"
                            ".hidden\r\n"
                            "-- \r\n"
                            "The shop\r\n";

/* Two parts, text and HTML. */
static const char both[] = "From: The Shop <orders@a.example>\r\n"
                           "To: ada@b.example\r\n"
                           "Subject: News\r\n"
                           "Date: Mon, 26 Oct 2026 00:00:00 +0000\r\n"
                           "Message-ID: <2@a.example>\r\n"
                           "MIME-Version: 1.0\r\n"
                           "Content-Type: multipart/alternative; boundary=\"b1\"\r\n"
                           "\r\n"
                           "--b1\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: 8bit\r\n"
                           "\r\n"
                           "Caf\xc3\xa9 news\r\n"
                           "second line\r\n"
                           "--b1\r\n"
                           "Content-Type: text/html; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: 8bit\r\n"
                           "\r\n"
                           "<html><body class=\"x\"><p>Caf\xc3\xa9 news</p></body></html>\r\n"
                           "--b1--\r\n";

static const char folded[] = "From: The Shop <orders@a.example>\r\n"
                             "To: ada@b.example,\r\n"
                             " bob@b.example\r\n"
                             "Subject: A long subject that was folded by the program of the\r\n"
                             " sender, as programs do\r\n"
                             "Message-ID: <3@a.example>\r\n"
                             "\r\n"
                             "Text\r\n";

static const char repeated[] = "Keywords: one\r\n"
                               "Keywords: two\r\n"
                               "From: The Shop <orders@a.example>\r\n"
                               "Subject: Hello\r\n"
                               "\r\n"
                               "Text\r\n";

static const struct
{
    const char *name, *tags, *message;
    struct alteration alterations[ALTERATIONS_MAX + 1];
    const char *want;
} cases[] = {
    {"untouched", NAMED, plain, {{0}}, ""},

    {"a list's footer",
     NAMED,
     plain,
     {{NULL, "\r\n_______\r\nlist mailing list\r\nhttp://lists.example/\r\n"}},
     "footer_appended"},
    {"one line appended", SIMPLE NAMES END, plain, {{NULL, "ad\r\n"}}, "footer_appended"},
    {"a banner on top",
     NAMED,
     plain,
     {{"Dear Ada", "CAUTION: external mail\r\n\r\nDear Ada"}},
     "banner_prepended"},
    {"a footer in the first part",
     NAMED,
     both,
     {{"second line\r\n", "second line\r\n-- \r\nscanned by x\r\n"}},
     "footer_appended"},
    {"a banner in the first part",
     NAMED,
     both,
     {{"Caf\xc3\xa9 news\r\nsecond", "EXTERNAL\r\nCaf\xc3\xa9 news\r\nsecond"}},
     "banner_prepended"},
    {"a banner in HTML",
     NAMED,
     both,
     {{"<p>", "<div style=\"x\">EXTERNAL</div><p>"}},
     "banner_prepended"},
    {"a disclaimer in HTML",
     NAMED,
     both,
     {{"</body>", "<hr><p>Confidential</p></body>"}},
     "footer_appended"},
    {"disclaimers in both parts",
     NAMED,
     both,
     {{"second line\r\n", "second line\r\n\r\nConfidential\r\n"},
      {"</body>", "<hr><p>Confidential</p></body>"}},
     "footer_appended footer_appended"},
    {"a part added",
     NAMED,
     both,
     {{"--b1--\r\n", "--b1\r\nContent-Type: text/plain\r\n\r\nfooter\r\n--b1--\r\n"}},
     "part_added"},
    {"wrapped into a multipart",
     NAMED,
     plain,
     {{"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
       "Content-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\n"
       "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"},
      {NULL, "\r\n--zz\r\nContent-Type: text/plain\r\n\r\nfooter\r\n--zz--\r\n"}},
     "wrapped_in_multipart field_removed field_changed"},

    {"8bit became quoted-printable",
     NAMED,
     plain,
     {{"Encoding: 8bit", "Encoding: quoted-printable"}, {"\xe2\x82\xac", "=E2=82=AC"}},
     "transfer_encoding transfer_encoding_field"},
    {"8bit became base64",
     RELAXED "h=from:subject; " END,
     "From: a@a.example\r\nSubject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHello "
     "W\xc3\xb6rld\r\n",
     {{"ng: 8bit", "ng: base64"}, {"Hello W\xc3\xb6rld\r\n", "SGVsbG8gV8O2cmxkDQo=\r\n"}},
     "transfer_encoding"},
    {"quoted-printable became 8bit",
     RELAXED "h=from:content-transfer-encoding; " END,
     "From: a@a.example\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nW=C3=B6rld =3D 1\r\n",
     {{"quoted-printable", "8bit"}, {"W=C3=B6rld =3D 1", "W\xc3\xb6rld = 1"}},
     "transfer_encoding transfer_encoding_field"},
    {"both parts became quoted-printable",
     NAMED,
     both,
     {{"Encoding: 8bit", "Encoding: quoted-printable"},
      {"\xc3\xa9", "=C3=A9"},
      {"class=\"x\"", "class=3D\"x\""}},
     "transfer_encoding"},
    {"encoded anew, with a footer",
     NAMED,
     plain,
     {{"Encoding: 8bit", "Encoding: quoted-printable"},
      {"\xe2\x82\xac", "=E2=82=AC"},
      {NULL, "____\r\nlist\r\n"}},
     "footer_appended transfer_encoding transfer_encoding_field"},

    {"blanks at line ends",
     SIMPLE NAMES END,
     folded,
     {{"Text\r\n", "Text \t\r\n"}},
     "trailing_blanks"},
    {"a signature line lost its blank",
     SIMPLE NAMES END,
     plain,
     {{"-- \r\n", "--\r\n"}},
     "trailing_blanks"},
    {"blank lines in front",
     NAMED,
     plain,
     {{"\r\n\r\nDear", "\r\n\r\n\r\n\r\nDear"}},
     "blank_lines"},
    {"blank lines at the end", SIMPLE NAMES END, plain, {{NULL, " \r\n\t\r\n"}}, "blank_lines"},
    {"an empty line in front was lost",
     RELAXED "h=from; " END,
     "From: a@a.example\r\n\r\n\r\nText\r\n",
     {{"\r\n\r\n\r\nText", "\r\n\r\nText"}},
     "blank_lines"},
    {"bare LF repaired",
     RELAXED "h=from; " END,
     "From: a@a.example\r\n\r\none\ntwo\nthree\r\n",
     {{"e\nt", "e\r\nt"}, {"o\nt", "o\r\nt"}},
     "bare_line_ends"},
    {"line ends damaged", NAMED, plain, {{"today.\r\n", "today.\n"}}, "bare_line_ends"},
    {"doubled CR", NAMED, plain, {{"today.\r\n", "today.\r\r\n"}}, "bare_line_ends"},
    {"an mbox", NAMED, plain, {{"\r\nFrom now", "\r\n>From now"}}, "from_lines_quoted"},
    {"dots doubled", NAMED, plain, {{"\r\n.hidden", "\r\n..hidden"}}, "dots_doubled"},
    {"a body word changed", NAMED, plain, {{"today", "tomorrow"}}, "?body_changed"},
    {"the header alone",
     RELAXED "h=from; " END,
     "From: a@a.example\r\n\r\nText\r\n",
     {{"Text\r\n", ""}},
     "?body_missing"},
    {"the header alone, simple (DV-25)",
     SIMPLE "h=from; " END,
     "From: a@a.example\r\n\r\nText\r\n",
     {{"Text\r\n", ""}},
     "?body_missing"},
    {"one octet of the body",
     SIMPLE "h=from; " END,
     "From: a@a.example\r\n\r\nText\r\n",
     {{"Text\r\n", "x"}},
     "?body_changed"},

    {"a list's tag", NAMED, plain, {{"Subject: ", "Subject: [shop] "}}, "subject_prefix"},
    {"a gateway's tag", NAMED, plain, {{"Subject: ", "Subject: EXTERNAL: "}}, "subject_prefix"},
    {"a spam filter's tag",
     NAMED,
     plain,
     {{"Subject: ", "Subject: ***SPAM*** "}},
     "subject_prefix"},
    {"two tags", NAMED, plain, {{"Subject: ", "Subject: [EXTERNAL] [shop] "}}, "subject_prefix"},
    {"a tag behind Re:",
     RELAXED "h=from:subject; " END,
     "From: a@a.example\r\nSubject: Re: Hello\r\n\r\nx\r\n",
     {{"Re: ", "Re: [list] "}},
     "subject_prefix"},
    {"a tag within an encoded-word",
     RELAXED "h=from:subject; " END,
     "From: a@a.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nx\r\n",
     {{"?q?", "?q?=5BEXT=5D_"}},
     "subject_prefix"},
    {"a tag under simple",
     SIMPLE NAMES END,
     folded,
     {{"Subject: ", "Subject: [shop] "}},
     "subject_prefix"},
    {"From rewritten",
     RELAXED "h=from:subject; " END,
     plain,
     {{"From: The Shop <orders@a.example>\r\n",
       "From: The Shop via List <list@l.example>\r\nReply-To: The Shop <orders@a.example>\r\n"}},
     "from_rewritten"},
    {"a Reply-To added",
     NAMED,
     plain,
     {{"Subject:", "Reply-To: list@l.example\r\nSubject:"}},
     "field_added"},
    {"a second From", NAMED, plain, {{"", "From: eve@evil.example\r\n"}}, "field_added"},
    {"a Subject below the signed one",
     RELAXED "h=from:subject; " END,
     plain,
     {{"Date:", "Subject: Pay now\r\nDate:"}},
     "field_added"},
    {"MIME-Version removed", NAMED, plain, {{"MIME-Version: 1.0\r\n", ""}}, "field_removed"},
    {"a charset added",
     RELAXED "h=from:content-type; " END,
     "From: a@a.example\r\nContent-Type: text/plain\r\n\r\nx\r\n",
     {{"text/plain", "text/plain; charset=us-ascii"}},
     "field_changed"},
    {"quotes around a charset",
     NAMED,
     plain,
     {{"charset=utf-8", "charset=\"utf-8\""}},
     "field_changed"},
    {"Subject replaced, its copy in Thread-Topic",
     NAMED,
     plain,
     {{"Subject: Your order 4711", "Thread-Topic: Your order 4711\r\nSubject: Blocked"}},
     "field_changed"},
    {"the encoding field alone",
     NAMED,
     plain,
     {{"Encoding: 8bit", "Encoding: 7bit"}},
     "transfer_encoding_field"},
    {"unfolded",
     SIMPLE NAMES END,
     folded,
     {{"of the\r\n sender", "of the sender"}},
     "header_refolded"},
    {"folded with a tab",
     SIMPLE NAMES END,
     folded,
     {{"\r\n sender", "\r\n\tsender"}},
     "header_refolded"},
    {"folded in a word", NAMED, plain, {{"order 4", "or\r\n der 4"}}, "header_refolded"},
    {"addresses without blanks", NAMED, plain, {{"e, bob", "e,bob"}}, "header_blanks"},
    {"a blank behind the colon",
     SIMPLE NAMES END,
     plain,
     {{"Subject: ", "Subject:"}},
     "header_blanks"},
    {"Message-Id", SIMPLE NAMES END, plain, {{"Message-ID", "Message-Id"}}, "field_name_case"},
    {"keywords the other way round",
     RELAXED "h=from:keywords:keywords; " END,
     repeated,
     {{"Keywords: one\r\nKeywords: two\r\n", "Keywords: two\r\nKeywords: one\r\n"}},
     "header_order"},
    {"a word of the Subject changed",
     NAMED,
     plain,
     {{"order 4711", "order 4712"}},
     "?header_changed"},

    {"tag, Reply-To and footer",
     NAMED,
     plain,
     {{"Subject: ", "Reply-To: l@l.example\r\nSubject: [l] "}, {NULL, "--\r\nlist\r\n"}},
     "footer_appended subject_prefix field_added"},
    {"all that a list does",
     NAMED,
     plain,
     {{"From: The Shop <orders@a.example>\r\n",
       "From: The Shop via L <l@l.example>\r\nX-Original-From: The Shop <orders@a.example>\r\n"
       "Reply-To: l@l.example\r\n"},
      {"Subject: ", "Subject: [l] "},
      {NULL, "--\r\nlist\r\n"}},
     "footer_appended subject_prefix from_rewritten field_added"},

    {"text behind l=",
     RELAXED "h=from; l=5; " END,
     "From: a@a.example\r\n\r\nTex\r\n",
     {{NULL, "more\r\n"}},
     "text_behind_length"},
    {"shorter than l=",
     RELAXED "h=from; l=5; " END,
     "From: a@a.example\r\n\r\nTex\r\n",
     {{"Tex\r\n", ""}},
     "body_shorter_than_signed"},
    {"a blank within the signature field",
     RELAXED "h=from:subject; " END,
     "From: a@a.example\r\nSubject:  x\r\n\r\nx\r\n",
     {{"bh=", "bh= "}},
     "header_blanks"},
};

static struct public_key *rsa_key(void)
{
    return public_half(signing_key(KEY_RSA, 1024));
}

Test(diagnose, names_what_was_done)
{
    struct public_key *key = rsa_key();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct patient patient;
        char *before = signed_text(cases[i].tags, cases[i].message, signing_key(KEY_RSA, 1024));
        char *after = altered(before, cases[i].alterations);
        examine(&patient, span_from_string(after), key, NULL, 0);
        cr_expect_str_eq(cause_words(&patient.diagnosis), cases[i].want,
                         "%s: got \"%s\" want \"%s\"", cases[i].name,
                         cause_words(&patient.diagnosis), cases[i].want);
        bool found = strchr(cases[i].want, '?') == NULL;
        cr_expect(patient.diagnosis.explained == found, "%s: explained", cases[i].name);
        cr_expect(patient.diagnosis.key == DIAGNOSE_KEY_RIGHT, "%s: key", cases[i].name);
        cr_expect(patient.diagnosis.limit == NULL, "%s: %s", cases[i].name,
                  patient.diagnosis.limit);
        examined(&patient);
        free(before);
        free(after);
    }
    public_key_unref(&key);
}

/* What is told beside the cause: where, how much, what. */
Test(diagnose, evidence)
{
    struct public_key *key = rsa_key();
    struct patient patient;
    char *before = signed_text(NAMED, plain, signing_key(KEY_RSA, 1024));
    char *after =
        altered(before, (const struct alteration[]){
                            {"Subject: ", "Subject: [shop] "}, {NULL, "____\r\nlist\r\n"}, {0}});
    examine(&patient, span_from_string(after), key, NULL, 0);
    const struct diagnose_finding *footer = finding_of(&patient.diagnosis, CAUSE_FOOTER);
    const struct diagnose_finding *tag = finding_of(&patient.diagnosis, CAUSE_SUBJECT_PREFIX);
    cr_assert(footer && tag);
    cr_expect(footer->in_body && footer->bytes == 12 && footer->lines == 2);
    cr_expect(footer->offset == patient.diagnosis.body.raw_bytes - 12);
    cr_expect(span_equal(footer->text, SPAN("____\r\nlist\r\n")));
    cr_expect(span_equal(tag->field, SPAN("Subject")) && tag->position == 3);
    cr_expect(span_equal(tag->before, SPAN("Your order 4711")));
    cr_expect(span_equal(tag->after, SPAN("[shop] Your order 4711")));
    cr_expect(patient.diagnosis.header.expected_known && patient.diagnosis.header.found_known);
    cr_expect(memcmp(patient.diagnosis.header.expected, patient.diagnosis.header.found,
                     SHA256_BYTES) != 0);
    examined(&patient);
    /* The digest that comes out of the signature is the one of the message as it was signed. */
    uint8_t expected[SHA256_BYTES];
    memcpy(expected, patient.diagnosis.header.expected, SHA256_BYTES);
    examine(&patient, span_from_string(before), key, NULL, 0);
    cr_expect(memcmp(expected, patient.diagnosis.header.found, SHA256_BYTES) == 0);
    cr_expect(patient.diagnosis.count == 0 && patient.diagnosis.explained);
    examined(&patient);
    free(before);
    free(after);
    public_key_unref(&key);
}

/* Every row of the table has a case here or in keys_test.c. */
Test(diagnose, every_cause_has_a_test)
{
    static const char *const elsewhere[] = {
        "body_canonicalization", "length_wrong",     "header_canonicalization",
        "body_hash_replaced",    "other_key",        "wrong_key",
        "signature_length",      "other_digest",     "signature_damaged",
        "signature_wrong",       "long_lines_broken"};
    for (unsigned cause = 0; cause < CAUSE_COUNT; cause++) {
        const char *word = diagnose_cause((enum diagnose_cause)cause)->word;
        bool found = false;
        for (size_t i = 0; i < COUNT_OF(cases); i++)
            found = found || strstr(cases[i].want, word);
        for (size_t i = 0; i < COUNT_OF(elsewhere); i++)
            found = found || strcmp(elsewhere[i], word) == 0;
        cr_expect(found, "%s", word);
        for (unsigned other = 0; other < cause; other++)
            cr_expect(strcmp(word, diagnose_cause((enum diagnose_cause)other)->word) != 0);
    }
}
