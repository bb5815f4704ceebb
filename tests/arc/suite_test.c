/* ValiMail's ARC suite, validation part: 171 names, of which four come twice (RFC 8617 5.2). */
#include <criterion/criterion.h>

#include "arc/arc_run.h"
#include "support/corpora.h"
#include "support/yaml.h"

struct tally
{
    size_t cases, passed, deviating;
};

/* LF stands for CRLF in the file. */
static void put_crlf(struct buffer *out, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            buffer_append_byte(out, '\r');
        buffer_append_byte(out, text.p[i]);
    }
}

static void put_txt(struct buffer *out, struct span name, struct span text)
{
    buffer_append(out, name);
    buffer_append_string(out, ". TXT");
    for (size_t i = 0; i < text.n; i += 200) {
        size_t to = i + 200 < text.n ? i + 200 : text.n;
        buffer_append_string(out, " \"");
        buffer_append(out, span_slice(text, i, to));
        buffer_append_string(out, "\"");
    }
    buffer_append_string(out, "\n");
}

static struct buffer zone_of(struct yaml document)
{
    struct yaml records = yaml_get(document, "txt-records");
    struct buffer zone;
    buffer_init(&zone, 64 * 1024);
    for (size_t i = 0; i < yaml_count(records); i++)
        put_txt(&zone, yaml_text(yaml_key(records, i)), yaml_text(yaml_item(records, i)));
    cr_assert(!zone.failed);
    return zone;
}

/* An empty cv is a chain that its own sealer calls failed; the suite's users read it as Fail. */
static enum result expected(struct span cv)
{
    if (span_equal(cv, SPAN("Pass")))
        return RESULT_PASS;
    if (span_equal(cv, SPAN("None")))
        return RESULT_NONE;
    cr_assert(cv.n == 0 || span_equal(cv, SPAN("Fail")));
    return RESULT_FAIL;
}

static void run_case(struct span name, struct yaml test, struct span zone,
                     const struct deviations *deviations, struct tally *tally)
{
    struct buffer message;
    static struct arc_run run;
    buffer_init(&message, 256 * 1024);
    put_crlf(&message, yaml_text(yaml_get(test, "message")));
    arc_run(&run, buffer_span(&message), zone, NULL);
    enum result want = expected(yaml_text(yaml_get(test, "cv")));
    const struct deviation *row = deviation_find(deviations, "arc_test_suite", name);
    if (row) {
        cr_expect(span_equal(row->expected, span_from_string(result_word(want))),
                  "%.*s: the suite does not expect what the table says", (int)name.n, name.p);
        want = strncmp((const char *)row->ours.p, "fail", 4) == 0 ? RESULT_FAIL : RESULT_PASS;
    }
    bool good = run.arc.result == want;
    cr_expect(good, "%.*s (line %zu): got %s %s, want %s", (int)name.n, name.p, yaml_line(test),
              result_word(run.arc.result), run.arc.reason ? run.arc.reason : "", result_word(want));
    tally->cases++;
    tally->passed += good && !row;
    tally->deviating += row != NULL;
    arc_run_fini(&run);
    buffer_fini(&message);
}

Test(suite, validation)
{
    struct yaml_file file =
        yaml_read(corpora_require("arc/arc_test_suite/arc-draft-validation-tests.yml"));
    static struct deviations deviations;
    struct tally tally = {0};
    deviations_read(&deviations, "tests/arc/deviations.tsv");
    for (size_t i = 0; i < file.count; i++) {
        struct yaml tests = yaml_get(file.documents[i], "tests");
        struct buffer zone = zone_of(file.documents[i]);
        for (size_t k = 0; k < yaml_count(tests); k++)
            run_case(yaml_text(yaml_key(tests, k)), yaml_item(tests, k), buffer_span(&zone),
                     &deviations, &tally);
        buffer_fini(&zone);
    }
    cr_expect(tally.cases == 175, "%zu cases", tally.cases);
    suite_report("arc_test_suite validation", tally.cases, tally.passed, tally.deviating);
}
