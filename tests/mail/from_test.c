/* Which From field counts: A07-A11, and one to many addresses. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mail_support.h"
#include "support/corpora.h"

struct from_case
{
    const char *name;
    struct span message;
    enum mail_from_state state;
    const char *reason; /* or the domains, when OK */
    const char *anomalies;
};

static const struct from_case from_cases[] = {
    {"one", TEXT("From: a@x.test\r\n\r\n"), MAIL_FROM_OK, "x.test", ""},
    {"any case", TEXT("fRoM:a@x.test\r\n\r\n"), MAIL_FROM_OK, "x.test", ""},
    {"A09: From :", TEXT("From : a@x.test\r\n\r\n"), MAIL_FROM_OK, "x.test", "space_before_colon"},
    {"A07: two", TEXT("From: a@attack.test\r\nFrom: admin@victim.test\r\n\r\n"), MAIL_FROM_SEVERAL,
     "multi_from", "multi_from hdr_duplicate"},
    {"A07: two, the same", TEXT("From: a@x.test\r\nFrom: a@x.test\r\n\r\n"), MAIL_FROM_SEVERAL,
     "multi_from", "multi_from hdr_duplicate"},
    {"A08: leading blank in the first line",
     TEXT(" From: <a@attack.test>\r\nFrom: <admin@victim.test>\r\n\r\n"), MAIL_FROM_SEVERAL,
     "multi_from", "multi_from from_like_malformed hdr_malformed"},
    {"A08: alone", TEXT(" From: <a@attack.test>\r\n\r\n"), MAIL_FROM_BAD, "from_like_malformed",
     "from_like_malformed hdr_malformed"},
    {"A09: with another", TEXT("From: <a@attack.test>\r\nFrom : <admin@victim.test>\r\n\r\n"),
     MAIL_FROM_SEVERAL, "multi_from", "multi_from space_before_colon hdr_duplicate"},
    {"A10: fold before the colon",
     TEXT("From\r\n : <a@attack.test>\r\nFrom: <admin@victim.test>\r\n\r\n"), MAIL_FROM_SEVERAL,
     "multi_from", "multi_from from_like_malformed hdr_malformed"},
    {"A10: alone", TEXT("From\r\n : <a@attack.test>\r\n\r\n"), MAIL_FROM_BAD, "from_like_malformed",
     "from_like_malformed hdr_malformed"},
    {"A11: only Sender", TEXT("Sender: <admin@victim.test>\r\nResent-From: b@victim.test\r\n\r\n"),
     MAIL_FROM_MISSING, "no_from", "no_from"},
    {"A11: only an mbox line",
     TEXT("From admin@victim.test Mon Jan  1 00:00:00 2024\r\nTo: a\r\n\r\n"), MAIL_FROM_MISSING,
     "no_from", "no_from mbox_from_line"},
    {"A11: empty message", TEXT(""), MAIL_FROM_MISSING, "no_from", "no_from hdr_no_end"},
    {"B13: mbox line, then From",
     TEXT("From x@y Mon Jan  1 00:00:00 2024\r\nFrom: a@x.test\r\n\r\n"), MAIL_FROM_OK, "x.test",
     "mbox_from_line"},
    {"B13: BOM in front",
     TEXT("\xef\xbb\xbf"
          "From: a@x.test\r\n\r\n"),
     MAIL_FROM_BAD, "from_like_malformed", "from_like_malformed hdr_odd_name hdr_8bit bom"},
    {"B06: From behind garbage counts", TEXT("From: a@x\r\nGARBAGE\r\nFrom: b@y\r\n\r\n"),
     MAIL_FROM_SEVERAL, "multi_from", "multi_from hdr_malformed hdr_duplicate"},
    {"B06: From in the body does not", TEXT("From: a@x.test\r\n\r\nFrom: b@y.test\r\n\r\n"),
     MAIL_FROM_OK, "x.test", ""},
    {"B07: control character behind the name",
     TEXT("From\x0b: a@attack.test\r\nFrom: b@victim.test\r\n\r\n"), MAIL_FROM_SEVERAL,
     "multi_from", "multi_from from_like_malformed hdr_odd_name"},
    {"names that only begin so",
     TEXT("From-Line: a@attack.test\r\nXFrom: q\r\nFrom: b@x.test\r\n\r\n"), MAIL_FROM_OK, "x.test",
     ""},
    {"A12: one domain twice, one with a dot", TEXT("From: a@x.test, b@X.TEST.\r\n\r\n"),
     MAIL_FROM_OK, "x.test X.TEST.", "from_several_addresses"},
    {"A12: two domains", TEXT("From: a@attack.test, admin@victim.test\r\n\r\n"), MAIL_FROM_OK,
     "attack.test victim.test", "from_several_domains"},
    {"A12: a group", TEXT("From: g: a@x.test, b@y.test;\r\n\r\n"), MAIL_FROM_OK, "x.test y.test",
     "from_several_domains"},
    {"A12: no domain", TEXT("From: a@x.test, <>, b\r\n\r\n"), MAIL_FROM_BAD, "from_no_domain",
     "from_malformed"},
    {"empty value", TEXT("From:\r\n\r\n"), MAIL_FROM_BAD, "from_no_address", "from_malformed"},
    {"A16", TEXT("From: <a@attack.test>b\r\n\r\n"), MAIL_FROM_BAD, "from_malformed",
     "from_malformed"},
};

static const char *from_text(const struct mail_from *from)
{
    static char text[4096];
    size_t n = 0;
    if (from->state != MAIL_FROM_OK)
        return from->reason;
    text[0] = '\0';
    for (uint32_t i = 0; i < from->list.count; i++) {
        struct span domain = from->list.addresses[i].domain;
        int added = snprintf(text + n, sizeof text - n, "%s%.*s", i ? " " : "", (int)domain.n,
                             (const char *)domain.p);
        cr_assert(added > 0 && (size_t)added < sizeof text - n);
        n += (size_t)added;
    }
    return text;
}

Test(from, named_cases)
{
    for (size_t i = 0; i < COUNT_OF(from_cases); i++) {
        const struct from_case *c = &from_cases[i];
        static struct mail_from from;
        struct fixture f;
        fixture_read(&f, c->message, 0, SIZE_MAX);
        mail_from_read(&f.reader.header, &f.arena, &f.anomalies, &f.hits, &from);
        cr_expect(from.state == c->state, "%s: state %d, want %d", c->name, from.state, c->state);
        cr_expect(strcmp(from_text(&from), c->reason) == 0, "%s: got \"%s\", want \"%s\"", c->name,
                  from_text(&from), c->reason);
        cr_expect((from.reason == NULL) == (from.state == MAIL_FROM_OK));
        cr_expect(strcmp(anomalies_text(&f.anomalies), c->anomalies) == 0,
                  "%s: got \"%s\", want \"%s\"", c->name, anomalies_text(&f.anomalies),
                  c->anomalies);
        fixture_fini(&f);
    }
}

/* Every error has a word of its own kind; limits keep the word of the limit table. */
Test(from, words_of_errors)
{
    cr_expect(mail_address_error_word(MAIL_ADDRESS_OK) == NULL);
    cr_expect(strcmp(mail_address_error_word(MAIL_ADDRESS_TOO_MANY), "too_many_addresses") == 0);
    cr_expect(strcmp(mail_address_error_word(MAIL_ADDRESS_TOO_DEEP), "comment_too_deep") == 0);
    cr_expect(strcmp(mail_address_error_word(MAIL_ADDRESS_NO_MEMORY), "arena_full") == 0);
}

/* What we make of a corpus value: its domains, or the error's word. */
static struct span corpus_answer(struct span value)
{
    static struct mail_from from;
    struct fixture f;
    fixture_read(&f, joined(SPAN("From: "), value, SPAN("\r\n\r\n")), 0, SIZE_MAX);
    mail_from_read(&f.reader.header, &f.arena, &f.anomalies, &f.hits, &from);
    const char *text = from_text(&from);
    fixture_fini(&f);
    return span_from_string(text);
}

/* The corpus gives one number twice: the deviations name a case by its place, 1 is the first. */
Test(from, opendmarc_corpus)
{
    struct span rest = file_read(corpora_require("dmarc/opendmarc/from_domain.tsv"));
    static struct deviations deviations;
    deviations_read(&deviations, "tests/mail/deviations.tsv");
    size_t total = 0, passed = 0, deviating = 0;
    struct span line, cells[3];
    cr_assert(line_next(&rest, &line), "a line of column names");
    while (line_next(&rest, &line)) {
        char place[8];
        snprintf(place, sizeof place, "%zu", ++total);
        cr_assert(line_cells(line, cells, 3) == 3);
        const struct deviation *deviation =
            deviation_find(&deviations, "from_domain", span_from_string(place));
        struct span got = corpus_answer(cells[1]);
        struct span want = deviation ? deviation->ours : cells[2];
        cr_expect(!deviation || span_equal(deviation->expected, cells[2]), "case %s", place);
        cr_expect(span_equal(got, want), "case %s: got %.*s, want %.*s", place, (int)got.n,
                  (const char *)got.p, (int)want.n, (const char *)want.p);
        passed += !deviation && span_equal(got, want);
        deviating += deviation && span_equal(got, want);
    }
    suite_report("mail/from_domain", total, passed, deviating);
    cr_expect(total == 13 && passed + deviating == total);
}
