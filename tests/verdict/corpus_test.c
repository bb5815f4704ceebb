/*
 * Mail::AuthenticationResults: values of Authentication-Results, real and synthetic, with what that
 * library's parser says. assay only writes the field, so the corpus is used in two ways.
 *
 * It measures the strict reader that the other tests rely on: what the source rejects the reader
 * must reject, and what it accepts the reader accepts, but for values that RFC 8601's grammar does
 * not have (deviations.tsv names each with the section). Where a value parses, the ids, results and
 * property values found must be those of the source.
 *
 * It feeds the writer: each property value and id of the corpus is written and read back unchanged,
 * and values are quoted as the source quotes them.
 *
 * Not applied, and counted: checks of the library's object tree (comments and versions as children)
 * and of its own layout (as_string of whole fields), and checks on values outside the grammar.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/corpora.h"
#include "verdict/reader.h"
#include "verdict/sample.h"
#include "verdict/written.h"

#define FOLDER "auth-results/mail-authenticationresults/"

enum
{
    MAX_ROWS = 128,
};

struct row
{
    const char *source, *check, *expected, *input;
};

struct corpus
{
    struct row rows[MAX_ROWS];
    size_t count;
    struct arena arena;
    struct deviations deviations;
    size_t cases, passed, deviating, not_applied;
};

static const char *text_of(json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    cr_assert(text != NULL, "no %s", key);
    return text;
}

static struct corpus *corpus_open(void)
{
    struct span rest = file_read(corpora_require(FOLDER "cases.jsonl")), line;
    struct corpus *corpus = calloc(1, sizeof *corpus);
    cr_assert(corpus != NULL);
    arena_init(&corpus->arena, (size_t)64 << 20);
    deviations_read(&corpus->deviations, "tests/verdict/deviations.tsv");
    while (line_next(&rest, &line)) {
        json_t *row = json_loadb((const char *)line.p, line.n, 0, NULL);
        cr_assert(row != NULL && corpus->count < MAX_ROWS);
        corpus->rows[corpus->count++] =
            (struct row){text_of(row, "source"), text_of(row, "check"), text_of(row, "expected"),
                         text_of(row, "input")};
    }
    cr_assert(corpus->count == 106, "%zu checks", corpus->count);
    return corpus;
}

/*
 * The payload as it comes over the wire: without the field name, and each run of line ends a fold.
 * (The source's tests join lines without the blank of a fold, and one value, the example of RFC
 * 8601 appendix B.7, holds the empty line of a page break.)
 */
static struct span payload_of(struct corpus *corpus, const char *input)
{
    struct span name = SPAN("Authentication-Results:"), in = span_from_string(input);
    if (span_starts_fold(in, name))
        in = span_skip(in, name.n);
    uint8_t *out = arena_alloc(&corpus->arena, 3 * in.n + 1);
    cr_assert(out != NULL);
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] != '\n') {
            out[n++] = in.p[i];
            continue;
        }
        memcpy(out + n, "\r\n ", 3);
        n += 3;
        while (i + 1 < in.n && in.p[i + 1] == '\n')
            i++;
    }
    return span_of(out, n);
}

static bool corpus_read(struct corpus *corpus, const char *input, struct ar *ar)
{
    return ar_read(payload_of(corpus, input), &corpus->arena, ar);
}

/* Judges one check: as expected, or as its row in deviations.tsv says. */
static void judge(struct corpus *corpus, size_t i, struct span got)
{
    char name[16];
    int n = snprintf(name, sizeof name, "%zu", i + 1);
    const struct deviation *deviation =
        deviation_find(&corpus->deviations, "mail-authenticationresults", span_of(name, (size_t)n));
    struct span expected = span_from_string(corpus->rows[i].expected);
    struct span want = deviation ? deviation->ours : expected;
    cr_expect(!deviation || span_equal(deviation->expected, expected), "row %s: stale deviation",
              name);
    cr_expect(span_equal(got, want), "row %s, %s: got %.*s, want %.*s\n%s", name,
              corpus->rows[i].check, (int)got.n, (const char *)got.p, (int)want.n,
              (const char *)want.p, corpus->rows[i].input);
    corpus->cases++;
    if (deviation)
        corpus->deviating++;
    else
        corpus->passed++;
}

/* The nth "key=K,value=V" of a check's path. False where there is none. */
static bool search_term(const char *check, size_t nth, struct span *key, struct span *value)
{
    const char *at = check;
    for (size_t i = 0; at && i <= nth; i++) {
        at = strstr(at, "search({key=");
        at = at ? at + strlen("search({key=") : NULL;
    }
    const char *comma = at ? strchr(at, ',') : NULL;
    const char *end = at ? strchr(at, '}') : NULL;
    if (!end || !comma || comma > end || strncmp(comma, ",value=", 7) != 0)
        return false;
    *key = span_of(at, (size_t)(comma - at));
    *value = span_of(comma + 7, (size_t)(end - comma - 7));
    return true;
}

static bool has_property(const struct ar_result *result, struct span name, struct span value)
{
    for (size_t i = 0; i < result->count; i++)
        if (span_equal(result->properties[i].name, name) &&
            span_equal(result->properties[i].value, value))
            return true;
    return false;
}

/* count search({method=result}).search({property=value}): how many results are so. */
static size_t count_results(const struct ar *ar, const char *check)
{
    struct span method, word, property, value;
    cr_assert(search_term(check, 0, &method, &word), "%s", check);
    bool second = search_term(check, 1, &property, &value);
    size_t n = 0;
    for (size_t i = 0; i < ar->count; i++)
        if (span_equal(ar->results[i].method, method) && span_equal(ar->results[i].result, word) &&
            (!second || has_property(&ar->results[i], property, value)))
            n++;
    return n;
}

static void judge_count(struct corpus *corpus, size_t i, size_t n)
{
    char text[16];
    judge(corpus, i, span_of(text, (size_t)snprintf(text, sizeof text, "%zu", n)));
}

/* "(several headers)": all fields that the same test of the source parses. */
static size_t count_group(struct corpus *corpus, size_t i)
{
    size_t n = 0;
    for (size_t j = 0; j < corpus->count; j++) {
        static struct ar ar;
        if (strcmp(corpus->rows[j].source, corpus->rows[i].source) != 0 ||
            strcmp(corpus->rows[j].check, "parse") != 0)
            continue;
        cr_assert(corpus_read(corpus, corpus->rows[j].input, &ar));
        n += count_results(&ar, corpus->rows[i].check);
    }
    return n;
}

/* search({isa=subentry,key=P}).children()[N].value(): the Nth property P of the field. */
static bool nth_property(const struct ar *ar, const char *check, struct span *value)
{
    const char *key = strstr(check, "search({isa=subentry,key=");
    const char *place = strstr(check, "}).children()[");
    if (!key || !place)
        return false;
    key += strlen("search({isa=subentry,key=");
    size_t nth = strtoul(place + strlen("}).children()["), NULL, 10);
    struct span name = span_of(key, (size_t)(place - key));
    for (size_t i = 0; i < ar->count; i++)
        for (size_t j = 0; j < ar->results[i].count; j++)
            if (span_equal(ar->results[i].properties[j].name, name) && nth-- == 0) {
                *value = ar->results[i].properties[j].value;
                return true;
            }
    return false;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* What can be asked of a field that parses. False: a check of the library's own terms. */
static bool judge_parsed(struct corpus *corpus, size_t i, const struct ar *ar)
{
    const char *check = corpus->rows[i].check;
    struct span value;
    if (nth_property(ar, check, &value))
        judge(corpus, i, value);
    else if (strcmp(check, "parsed.value().value()") == 0 ||
             strcmp(check, "parser.parsed().value().value()") == 0)
        judge(corpus, i, ar->authserv_id);
    else if (strncmp(check, "count ", 6) == 0 && search_term(check, 0, &value, &value))
        judge_count(corpus, i, count_results(ar, check));
    else
        return false;
    return true;
}

/* as_string of one value: judged by how our writer quotes it, below. */
static bool is_about_quoting(const struct row *row)
{
    return strcmp(row->check, "parsed.children()[0].children()[0].as_string()") == 0 &&
           strstr(row->input, "address=") != NULL;
}

Test(corpus, mail_authenticationresults)
{
    size_t quoting = 0;
    struct corpus *corpus = corpus_open();
    for (size_t i = 0; i < corpus->count; i++) {
        static struct ar ar;
        const struct row *row = &corpus->rows[i];
        bool parses = corpus_read(corpus, row->input, &ar);
        if (strcmp(row->check, "parse") == 0)
            judge(corpus, i, parses ? SPAN("accepted") : SPAN("rejected"));
        else if (is_about_quoting(row))
            quoting++;
        else if (strcmp(row->input, "(several headers)") == 0)
            judge_count(corpus, i, count_group(corpus, i));
        else if (!parses || !judge_parsed(corpus, i, &ar))
            corpus->not_applied++;
    }
    printf("suite mail-authenticationresults: %zu checks are of the library's own tree and layout, "
           "or on values outside the grammar\n",
           corpus->not_applied);
    suite_report("mail-authenticationresults", corpus->cases, corpus->passed, corpus->deviating);
    cr_expect(corpus->cases + corpus->not_applied + quoting == corpus->count);
    cr_expect(corpus->cases == 60, "%zu applied", corpus->cases);
}

static void check_round_trip(struct span value)
{
    struct sample *sample = sample_new();
    sample->verified[0].signature.identity = value;
    sample->verdict.authserv_id = value;
    const struct ar *ar = written_read(sample);
    cr_expect(span_equal(ar->authserv_id, value), "id: %.*s", (int)value.n, (const char *)value.p);
    if (value.n)
        written_expect_value(ar_find(ar, "dkim", 0), "header.i", value);
    free(sample);
}

/* Each id and property value that the corpus holds goes through our writer unchanged. */
Test(corpus, values_round_trip_through_the_writer)
{
    struct corpus *corpus = corpus_open();
    size_t values = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        static struct ar ar;
        const struct row *row = &corpus->rows[i];
        if (ends_in(row->check, ".value()"))
            check_round_trip(span_from_string(row->expected)), values++;
        if (strcmp(row->check, "parse") != 0 || !corpus_read(corpus, row->input, &ar))
            continue;
        check_round_trip(ar.authserv_id), values++;
        for (size_t j = 0; j < ar.count; j++)
            for (size_t k = 0; k < ar.results[j].count; k++)
                check_round_trip(ar.results[j].properties[k].value), values++;
    }
    cr_expect(values > 40, "%zu values", values);
}

/* as_string of one value: the source's strict mode and RFC 8601 quote what is no token. */
Test(corpus, values_are_quoted_as_the_source_quotes)
{
    struct corpus *corpus = corpus_open();
    const char *prefix = "address=";
    size_t cases = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct row *row = &corpus->rows[i];
        const char *value = strstr(row->input, prefix);
        if (!is_about_quoting(row))
            continue;
        cr_assert(value != NULL);
        struct sample *sample = sample_new();
        sample->verified[0].signature.identity = span_from_string(value + strlen(prefix));
        struct span text = written_text(sample);
        const uint8_t *at = memmem(text.p, text.n, "header.i=", 9);
        cr_assert(at != NULL);
        struct span shown = span_of(at + 9, (size_t)(text.p + text.n - at) - 9);
        uint8_t got[64];
        size_t n = strlen(prefix);
        shown.n = span_find(shown, ' ');
        cr_assert(shown.n < sizeof got - n);
        memcpy(got, prefix, n);
        memcpy(got + n, shown.p, shown.n);
        judge(corpus, i, span_of(got, n + shown.n));
        cases++;
    }
    cr_expect(cases == 3, "%zu cases", cases);
    suite_report("mail-authenticationresults quoting", corpus->cases, corpus->passed,
                 corpus->deviating);
}
