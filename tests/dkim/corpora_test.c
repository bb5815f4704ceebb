/*
 * Messages that other software signed: Mail::DKIM, go-msgauth, go-dkim, ocaml-dkim, blaze. What
 * differs from their expectation, and by which section of which RFC, is in deviations.tsv.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "dkim/corpus.h"
#include "dkim/signing.h"

/* FAKE_DNS.dat: name, white space, text; "NXDOMAIN"; "~~text~~" is a DNS error. */
static void zone_from_fake_dns(struct buffer *zone, const char *path)
{
    struct span rest = file_read(path);
    struct span line;
    while (line_next(&rest, &line)) {
        size_t end = 0;
        while (end < line.n && line.p[end] != ' ' && line.p[end] != '\t')
            end++;
        struct span name = span_slice(line, 0, end);
        struct span text = span_trim_wsp(span_skip(line, end));
        if (name.n == 0 || name.p[0] == '#' || span_equal(text, SPAN("NXDOMAIN")))
            continue;
        if (!span_starts_fold(text, SPAN("~~"))) {
            zone_add_txt(zone, name, text);
            continue;
        }
        bool timeout = memmem(text.p, text.n, "timed", 5) != NULL;
        buffer_append(zone, name);
        buffer_append_string(zone, timeout ? " TXT !timeout\n" : " TXT !servfail\n");
    }
    cr_assert(!zone->failed);
}

/*
 * Mail::DKIM's one result per message is that of its best signature; "invalid" is its word for a
 * signature or key that it cannot use, whatever the reason, DNS errors and expiry among them.
 */
static bool mail_dkim_agrees(struct span expected, struct span ours)
{
    if (span_equal(expected, SPAN("pass")))
        return contains(ours, "pass");
    if (contains(ours, "pass"))
        return false;
    bool plain_fail = contains(ours, "fail body_hash") || contains(ours, "fail signature");
    return span_equal(expected, SPAN("fail")) ? plain_fail : !plain_fail;
}

Test(corpora, mail_dkim)
{
    char folder[1024];
    struct corpus corpus;
    struct buffer zone;
    snprintf(folder, sizeof folder, "%s", corpora_require("dkim/mail-dkim"));
    buffer_init(&zone, 1 << 20);
    zone_from_fake_dns(&zone, joined(folder, SPAN("FAKE_DNS.dat")));
    corpus_open(&corpus, "mail-dkim", 1700000000, buffer_span(&zone));
    struct span rest = file_read(joined(folder, SPAN("expected.tsv")));
    struct span line;
    cr_assert(line_next(&rest, &line)); /* column heads */
    char messages[1100];
    snprintf(messages, sizeof messages, "%s/corpus", folder);
    while (line_next(&rest, &line)) {
        struct span cells[7] = {{0}};
        line_cells(line, cells, 7);
        struct span ours = corpus_judge(&corpus, joined(messages, cells[0]));
        corpus_settle(&corpus, cells[0], cells[1], ours, mail_dkim_agrees(cells[1], ours));
    }
    corpus_close(&corpus);
    buffer_fini(&zone);
}

/* What the tests of a source say in words, as our words. */
struct told
{
    const char *file;
    const char *want;
};

static void check_told(struct corpus *corpus, const char *folder, const struct told *told,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct span want = span_from_string(told[i].want);
        struct span file = span_from_string(told[i].file);
        struct span ours = corpus_judge(corpus, joined(folder, file));
        corpus_settle(corpus, file, want, ours, span_equal(want, ours));
    }
    corpus_close(corpus);
}

static void run_told(const char *name, const char *path, int64_t now, bool allow_unsigned_body,
                     const struct told *told, size_t count)
{
    char folder[1024];
    struct corpus corpus;
    struct buffer zone;
    snprintf(folder, sizeof folder, "%s", corpora_require(path));
    buffer_init(&zone, 1 << 20);
    zone_from_keys(&zone, joined(folder, SPAN("keys.tsv")));
    corpus_open(&corpus, name, now, buffer_span(&zone));
    corpus.options.allow_unsigned_body = allow_unsigned_body;
    check_told(&corpus, folder, told, count);
    buffer_fini(&zone);
}

/* RFC 6376 A.2 and RFC 8463 A.3 are among them. The key given for the latter's second signature is
 * not the RFC's. */
static const struct told go_msgauth[] = {
    {"unsigned.eml", "-"},
    {"rfc6376-a2.eml", "pass"},
    {"raw-rsa-pkcs1-key.eml", "pass"}, /* DV-35 */
    {"rfc8463-a3.eml", "pass,fail signature"},
    {"three-signatures.eml", "pass,pass,pass"},
};

Test(corpora, go_msgauth)
{
    run_told("go-msgauth", "dkim/go-msgauth", 1700000000, false, go_msgauth, COUNT_OF(go_msgauth));
}

static const struct told go_dkim[] = {
    {"unsigned.eml", "-"},
    {"signed-no-from.eml", "fail body_hash"},
    {"missing-required-tag.eml", "permerror missing_tag_a"},
    {"bad-algorithm.eml", "permerror unknown_algorithm"},
    {"bad-a-tag.eml", "permerror unknown_algorithm"},
    {"relaxed-relaxed-l5.eml", "pass"},
    {"simple-simple-l5.eml", "pass"},
    {"relaxed-relaxed.eml", "pass"},
    {"simple-simple.eml", "pass"},
};

Test(corpora, go_dkim)
{
    run_told("go-dkim", "dkim/go-dkim", 1700000000, true, go_dkim, COUNT_OF(go_dkim));
}

static const struct told ocaml_dkim[] = {
    {"../../e2e/blaze/001.mail", "pass,pass"},
    {"../../e2e/blaze/002.mail", "pass"},
    {"../../e2e/blaze/003.mail", "pass"},
    {"../../e2e/blaze/004.mail", "pass"},
    {"005.mail", "pass,pass"},
};

Test(corpora, ocaml_dkim)
{
    run_told("ocaml-dkim", "dkim/ocaml-dkim", 1800000000, false, ocaml_dkim, COUNT_OF(ocaml_dkim));
}
