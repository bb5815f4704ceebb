/* The header reader and index: where the header ends, what is a field, names, limits, splits. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mail_support.h"
#include "support/guard.h"

enum
{
    WANTED_MAX = 6,
};

struct header_case
{
    const char *name;
    struct span message;
    size_t header_bytes; /* the empty line included */
    const char *anomalies;
    const char *fields[WANTED_MAX]; /* "name=value" of indexed ones, "!raw" of the rest */
};

static const struct header_case header_cases[] = {
    {"DV-3: the empty line ends it",
     TEXT("A: 1\r\nB: 2\r\n\r\nbody\r\n\r\n"),
     14,
     "",
     {"A= 1", "B= 2"}},
    {"DV-3: empty header", TEXT("\r\nbody"), 2, "", {NULL}},
    {"DV-3: empty message", TEXT(""), 0, "hdr_no_end", {NULL}},
    {"B06: no empty line", TEXT("A: 1\r\nB: 2\r\n"), 12, "hdr_no_end", {"A= 1", "B= 2"}},
    {"B08: no line end at all", TEXT("A: 1"), 4, "hdr_no_end", {"A= 1"}},
    {"B08: ends in CR", TEXT("A: 1\r"), 5, "hdr_bare_cr hdr_no_end", {"A= 1\r"}},
    {"DV-4: folds stay raw",
     TEXT("A: 1\r\n 2\r\n\t3\r\nB:\r\n\r\n"),
     20,
     "",
     {"A= 1\r\n 2\r\n\t3", "B="}},
    {"DV-4: a line of blanks is no empty line",
     TEXT("A: 1\r\n \r\nB: 2\r\n\r\n"),
     17,
     "",
     {"A= 1\r\n ", "B= 2"}},
    {"A09: blanks before the colon",
     TEXT("From \t: a\r\n\r\n"),
     13,
     "space_before_colon",
     {"From= a"}},
    {"A08: leading blank in the first line",
     TEXT(" From: <a@attack.test>\r\nFrom: <b@victim.test>\r\n\r\n"),
     49,
     "hdr_malformed",
     {"! From: <a@attack.test>\r\n", "From= <b@victim.test>"}},
    {"A10: fold before the colon",
     TEXT("From\r\n : <a@attack.test>\r\nX: y\r\n\r\n"),
     34,
     "hdr_malformed",
     {"!From\r\n : <a@attack.test>\r\n", "X= y"}},
    {"B06: a line without colon, the header goes on",
     TEXT("From: a@x\r\nGARBAGE\r\n more\r\nFrom: b@y\r\n\r\n"),
     40,
     "hdr_malformed hdr_duplicate",
     {"From= a@x", "!GARBAGE\r\n more\r\n", "From= b@y"}},
    {"B06: a blank inside the name is no name",
     TEXT("Hello dear: friend\r\nA: 1\r\n\r\n"),
     28,
     "hdr_malformed",
     {"!Hello dear: friend\r\n", "A= 1"}},
    {"B13: mbox line",
     TEXT("From x@y Mon Jan  1 00:00:00 2024\r\nA: 1\r\n\r\n"),
     43,
     "mbox_from_line",
     {"!From x@y Mon Jan  1 00:00:00 2024\r\n", "A= 1"}},
    {"B13: mbox line only at the top",
     TEXT("A: 1\r\nFrom x@y\r\n\r\n"),
     18,
     "hdr_malformed",
     {"A= 1", "!From x@y\r\n"}},
    {"B13: BOM",
     TEXT("\xef\xbb\xbf"
          "A: 1\r\n\r\n"),
     11,
     "hdr_odd_name hdr_8bit bom",
     {"\xef\xbb\xbf"
      "A= 1"}},
    {"B07: empty name", TEXT(": x\r\n\r\n"), 7, "hdr_odd_name", {"!: x\r\n"}},
    {"B07: 8-bit name", TEXT("\xff\xfe: x\r\n\r\n"), 9, "hdr_odd_name hdr_8bit", {"\xff\xfe= x"}},
    {"B02: bare CR",
     TEXT("Subject: x\rFrom: admin@victim.test\r\n\r\n"),
     38,
     "hdr_bare_cr",
     {"Subject= x\rFrom: admin@victim.test"}},
    {"B02: bare LF",
     TEXT("Subject: x\nFrom: admin@victim.test\r\n\r\n"),
     38,
     "hdr_bare_lf",
     {"Subject= x\nFrom: admin@victim.test"}},
    {"B02: LF LF does not end the header",
     TEXT("A: 1\n\nB: 2\r\n\r\n"),
     14,
     "hdr_bare_lf",
     {"A= 1\n\nB: 2"}},
    {"B02: CR CR LF is no empty line",
     TEXT("A: 1\r\n\r\r\nB: 2\r\n\r\n"),
     17,
     "hdr_malformed hdr_bare_cr",
     {"A= 1", "!\r\r\n", "B= 2"}},
    {"B02: CRLF LF CRLF: a bare LF is content",
     TEXT("A: 1\r\n\n\r\n\r\n"),
     11,
     "hdr_malformed hdr_bare_lf",
     {"A= 1", "!\n\r\n"}},
    {"B03: NUL in a field",
     TEXT("From: a@attack.test\0@victim.test\r\n\r\n"),
     36,
     "hdr_nul",
     {"From= a@attack.test\0@victim.test"}},
    {"B03: NUL in a name", TEXT("Fr\0om: a\r\n\r\n"), 12, "hdr_odd_name hdr_nul", {"Fr"}},
    {"8-bit octets are told",
     TEXT("Subject: \xc3\xa9\r\n\r\n"),
     15,
     "hdr_8bit",
     {"Subject= \xc3\xa9"}},
    {"C03, DV-46: singletons",
     TEXT("To: a\r\nto: b\r\nTO : c\r\nReceived: x\r\nReceived: y\r\n\r\n"),
     50,
     "space_before_colon hdr_duplicate",
     {"To= a", "to= b", "TO= c", "Received= x", "Received= y"}},
    {"no line ends but LF: all is one line",
     TEXT("A: 1\nB: 2\n\nbody\n"),
     16,
     "hdr_bare_lf hdr_no_end",
     {"A= 1\nB: 2\n\nbody\n"}},
};

/* "name=value" or "!raw" of a field against what is wanted; a NUL in the field ends the comparison.
 */
static bool field_is(const struct mail_field *field, const char *want)
{
    struct span rest = span_from_string(want);
    if (want[0] == '!')
        return !field->indexed && span_equal(field->raw, span_skip(rest, 1));
    size_t name = rest.n < field->name.n ? rest.n : field->name.n;
    if (!field->indexed || memcmp(rest.p, field->name.p, name) != 0)
        return false;
    if (name == rest.n)
        return true;
    rest = span_skip(rest, name + 1);
    return field->value.n >= rest.n && memcmp(field->value.p, rest.p, rest.n) == 0 &&
           (field->value.n == rest.n || field->value.p[rest.n] == '\0');
}

static void check_header(const struct header_case *c, size_t split, size_t step)
{
    struct fixture f;
    fixture_read(&f, guard_copy(c->message), split, step);
    const struct mail_header *header = &f.reader.header;
    cr_expect(f.taken == c->header_bytes, "%s (%zu, %zu): header of %zu bytes, want %zu", c->name,
              split, step, f.taken, c->header_bytes);
    cr_expect(strcmp(anomalies_text(&f.anomalies), c->anomalies) == 0,
              "%s (%zu, %zu): got \"%s\", want \"%s\"", c->name, split, step,
              anomalies_text(&f.anomalies), c->anomalies);
    uint32_t count = 0;
    while (count < WANTED_MAX && c->fields[count])
        count++;
    cr_assert(header->count == count, "%s: %u fields, want %u", c->name, header->count, count);
    for (uint32_t i = 0; i < count; i++)
        cr_expect(field_is(&header->fields[i], c->fields[i]), "%s: field %u is \"%.*s\", want %s",
                  c->name, i, (int)header->fields[i].raw.n, (const char *)header->fields[i].raw.p,
                  c->fields[i]);
    fixture_fini(&f);
}

/* B05: whole = every split in two = byte by byte. */
Test(header, named_cases_at_every_split)
{
    for (size_t i = 0; i < COUNT_OF(header_cases); i++) {
        const struct header_case *c = &header_cases[i];
        for (size_t split = 0; split <= c->message.n; split++)
            check_header(c, split, c->message.n + 1);
        check_header(c, 0, 1);
    }
}

Test(header, the_body_is_left_to_the_caller)
{
    struct fixture f;
    fixture_read(&f, SPAN("A: 1\r\n\r\nbody"), 0, SIZE_MAX);
    cr_expect(f.taken == 8);
    cr_expect(mail_reader_feed(&f.reader, SPAN("more")) == 0, "after the end nothing is taken");
    cr_expect(f.reader.ended_by_blank_line);
    fixture_fini(&f);
}

/* DV-20: instances from the bottom upward, any case, blanks before the colon ignored. */
Test(header, lookup_from_the_bottom)
{
    struct fixture f;
    fixture_read(&f, SPAN("Received: 1\r\nTo: x\r\nRECEIVED : 2\r\nreceived:3\r\n\r\n"), 0,
                 SIZE_MAX);
    const struct mail_header *header = &f.reader.header;
    static const char *const values[] = {"3", " 2", " 1"};
    const struct mail_field *field = mail_header_lowest(header, SPAN("ReCeived"));
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert(field != NULL);
        cr_expect(span_equal(field->value, span_from_string(values[i])));
        cr_expect(field->same == 3 - i, "same is %u", field->same);
        field = mail_header_above(header, field);
    }
    cr_expect(field == NULL);
    cr_expect(mail_header_count(header, SPAN("received")) == 3);
    cr_expect(mail_header_count(header, SPAN("receive")) == 0);
    cr_expect(mail_header_lowest(header, SPAN("")) == NULL);
    fixture_fini(&f);
}

Test(header, an_empty_index_finds_nothing)
{
    struct mail_header none = {0};
    cr_expect(mail_header_lowest(&none, SPAN("from")) == NULL);
    cr_expect(mail_header_count(&none, SPAN("from")) == 0);
    cr_expect(!mail_header_is_message(&none));
}

struct message_case
{
    struct span message;
    bool is_message;
};

static const struct message_case message_cases[] = {
    {TEXT("A: 1\r\n\r\n"), true},
    {TEXT("A:"), true},
    {TEXT(""), false},
    {TEXT("\r\nA: 1\r\n"), false},
    {TEXT("Dear all,\r\nhow are you?\r\n\r\n"), false},
    {TEXT("what he said was: no\r\n"), false},
    {TEXT("\x7f"
          "ELF\x02\x01: x\r\n"),
     false},
    {TEXT("From x@y Mon Jan 1 00:00:00\r\n\r\n"), false},
    {TEXT("From x@y Mon Jan 1 00:00:00\r\nA: 1\r\n\r\n"), true},
};

Test(header, is_it_a_message_at_all)
{
    for (size_t i = 0; i < COUNT_OF(message_cases); i++) {
        struct fixture f;
        fixture_read(&f, message_cases[i].message, 0, SIZE_MAX);
        cr_expect(mail_header_is_message(&f.reader.header) == message_cases[i].is_message,
                  "case %zu", i);
        fixture_fini(&f);
    }
}

static void expect_refused(struct span message, size_t step, const char *word, enum limit limit)
{
    struct fixture f;
    struct span whole = joined(message, SPAN("\r\n"), SPAN("body"));
    fixture_read(&f, whole, 0, step);
    const char *got = f.reader.refused ? f.reader.refused : "accepted";
    cr_expect(strcmp(got, word ? word : "accepted") == 0, "%zu bytes: %s", message.n, got);
    cr_expect(f.taken == whole.n - 4, "the body begins at %zu, got %zu", whole.n - 4, f.taken);
    cr_expect(mail_anomaly_is(&f.anomalies, ANOMALY_TOO_LARGE) == (word != NULL));
    cr_expect(mail_anomalies_forbid_pass(&f.anomalies) == (word != NULL));
    if (word) {
        cr_expect(f.hits.n[limit] == 1, "limit counted %u times", f.hits.n[limit]);
        cr_expect(f.reader.header.count == 0, "no field of a refused header is indexed");
    }
    fixture_fini(&f);
}

/* B10: each limit at one below, at it, one above. The header's end is found in any case. */
Test(header, field_count_limit)
{
    for (int more = -1; more <= 1; more++)
        expect_refused(repeated("A: b\r\n", (size_t)(MAX_FIELD_COUNT + more)), SIZE_MAX,
                       more > 0 ? "too_many_fields" : NULL, LIMIT_FIELD_COUNT);
    expect_refused(repeated("A: b\r\n", 40000), 4096, "too_many_fields", LIMIT_FIELD_COUNT);
}

Test(header, field_bytes_limit)
{
    for (int more = -1; more <= 1; more++) {
        struct span filler = repeated("x", (size_t)(MAX_FIELD_BYTES - 4 + more));
        expect_refused(joined(SPAN("A:"), filler, SPAN("\r\n")), SIZE_MAX,
                       more > 0 ? "field_too_large" : NULL, LIMIT_FIELD_BYTES);
    }
    struct span folds = repeated("\r\n ", 66000); /* under the limit of the block */
    expect_refused(joined(SPAN("A:"), folds, SPAN("\r\n")), SIZE_MAX, "field_too_large",
                   LIMIT_FIELD_BYTES);
}

Test(header, header_bytes_limit)
{
    for (int more = -1; more <= 1; more++) {
        struct span field = repeated("x", 1020);
        struct span one = joined(SPAN("A:"), field, SPAN("\r\n")); /* 1024 bytes */
        struct span rest = repeated("x", (size_t)(1020 + more));
        struct span last = joined(SPAN("A:"), rest, SPAN("\r\n"));
        struct span all = {NULL, 0};
        for (int i = 0; i < 255; i++)
            all = all.n ? joined(all, one, SPAN("")) : one;
        all = joined(all, last, SPAN(""));
        cr_assert(all.n == (size_t)(MAX_HEADER_BYTES + more));
        const char *word = more > 0 ? "header_too_large" : NULL;
        expect_refused(all, SIZE_MAX, word, LIMIT_HEADER_BYTES);
        expect_refused(all, 1, word, LIMIT_HEADER_BYTES);
        expect_refused(all, 65535, word, LIMIT_HEADER_BYTES);
    }
}

/* B10: one field of 50 MB is not kept. */
Test(header, a_field_of_50_megabytes_is_not_kept)
{
    struct fixture f = {0};
    arena_init(&f.arena, MAX_ARENA_BYTES);
    mail_reader_init(&f.reader, &f.arena, &f.hits, &f.anomalies);
    struct span piece = repeated("x", 1 << 20);
    mail_reader_feed(&f.reader, SPAN("A: "));
    for (int i = 0; i < 50; i++)
        cr_assert(mail_reader_feed(&f.reader, piece) == piece.n);
    cr_expect(mail_reader_feed(&f.reader, SPAN("\r\n\r\nbody")) == 4);
    cr_expect(f.reader.refused && strcmp(f.reader.refused, "header_too_large") == 0);
    cr_expect(f.arena.used_bytes < 1024 * 1024, "%zu bytes kept", f.arena.used_bytes);
    cr_expect(f.reader.total == 50 * piece.n + 7);
    fixture_fini(&f);
}

/* B07: a name over the limit stays a field, but no name finds it. */
Test(header, field_name_limit)
{
    for (int more = -1; more <= 1; more++) {
        struct fixture f;
        struct span name = repeated("n", (size_t)(MAX_FIELD_NAME_BYTES + more));
        fixture_read(&f, joined(name, SPAN(": x\r\nA: 1"), SPAN("\r\n\r\n")), 0, SIZE_MAX);
        bool found = mail_header_lowest(&f.reader.header, name) != NULL;
        cr_expect(found == (more <= 0), "name of %zu", name.n);
        cr_expect(f.hits.n[LIMIT_FIELD_NAME_BYTES] == (more > 0));
        cr_expect(mail_anomaly_is(&f.anomalies, ANOMALY_HDR_NAME_TOO_LONG) == (more > 0));
        cr_expect(f.reader.header.count == 2 && !f.reader.refused);
        cr_expect(mail_header_lowest(&f.reader.header, SPAN("a")) != NULL);
        fixture_fini(&f);
    }
    struct fixture f;
    struct span name = repeated("n", 70000);
    fixture_read(&f, joined(name, SPAN(": x"), SPAN("\r\n\r\n")), 0, SIZE_MAX);
    cr_expect(f.reader.header.count == 1 && !f.reader.header.fields[0].indexed);
    fixture_fini(&f);
}

/* No memory is no limit of the message: the arena says so, and nothing is indexed. */
Test(header, without_memory)
{
    struct span message = joined(repeated("A: b\r\n", 900), SPAN("\r\n"), SPAN("body"));
    for (size_t ceiling = 0; ceiling < 100000; ceiling += 3000) {
        struct fixture f = {0};
        arena_init(&f.arena, ceiling);
        mail_reader_init(&f.reader, &f.arena, &f.hits, &f.anomalies);
        cr_expect(mail_reader_feed(&f.reader, message) == message.n - 4);
        if (f.reader.refused) {
            cr_expect(strcmp(f.reader.refused, "arena_full") == 0 && f.arena.failed);
            cr_expect(f.reader.header.count == 0);
        }
        cr_expect(f.arena.failed == (f.reader.refused != NULL));
        arena_fini(&f.arena);
    }
}

/* B11, L05: 1,000 names of one length and 1,000 lookups each; the chain is right for all. */
Test(header, a_thousand_names)
{
    struct fixture f;
    struct span message = {(const uint8_t *)"", 0};
    for (unsigned i = 0; i < MAX_FIELD_COUNT; i++) {
        char line[32];
        int n = snprintf(line, sizeof line, "X-%03u: %u\r\n", i % 500, i);
        message = joined(message, span_of(line, (size_t)n), SPAN(""));
    }
    fixture_read(&f, joined(message, SPAN("\r\n"), SPAN("")), 0, SIZE_MAX);
    for (unsigned i = 0; i < 500; i++) {
        char name[8];
        snprintf(name, sizeof name, "x-%03u", i);
        const struct mail_field *low = mail_header_lowest(&f.reader.header, span_from_string(name));
        cr_assert(low && low->same == 2 && low->position == i + 500);
        const struct mail_field *high = mail_header_above(&f.reader.header, low);
        cr_assert(high && high->position == i && !mail_header_above(&f.reader.header, high));
    }
    fixture_fini(&f);
}

/* B05: as many fields as the kernel tells at once, fewer and more, short and long ones; whole, in
 * two, and without an end. */
Test(header, about_as_many_fields_as_one_call_finds)
{
    static const char *const lines[] = {"A:\r\n", "Subject: some more text\r\n b\r\n"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct span line = span_from_string(lines[i]);
        for (size_t count = SIMD_PIECES - 40; count <= SIMD_PIECES + 8; count++) {
            struct span fields = repeated(lines[i], count);
            struct span whole = joined(fields, SPAN("\r\n"), SPAN("body"));
            for (int how = 0; how < 3; how++) {
                struct fixture f;
                fixture_read(&f, how == 2 ? fields : whole, how == 1 ? fields.n / 2 : 0, SIZE_MAX);
                const struct mail_header *header = &f.reader.header;
                cr_assert(header->count == count, "%zu fields, got %u", count, header->count);
                for (uint32_t k = 0; k < count; k++)
                    cr_assert(span_equal(header->fields[k].raw, line) &&
                                  header->fields[k].same == k + 1,
                              "field %u of %zu", k, count);
                fixture_fini(&f);
            }
        }
    }
}

/* B02, B03, B10: exactly these forbid a pass. */
Test(anomaly, what_forbids_a_pass)
{
    static const enum mail_anomaly forbidding[] = {ANOMALY_HDR_BARE_CR, ANOMALY_HDR_BARE_LF,
                                                   ANOMALY_HDR_NUL, ANOMALY_TOO_LARGE};
    for (unsigned i = 0; i < ANOMALY_COUNT; i++) {
        struct mail_anomalies anomalies = {0};
        bool want = false;
        for (size_t j = 0; j < COUNT_OF(forbidding); j++)
            want |= forbidding[j] == (enum mail_anomaly)i;
        cr_expect(!mail_anomalies_forbid_pass(&anomalies));
        mail_anomaly_note(&anomalies, (enum mail_anomaly)i);
        cr_expect(mail_anomalies_forbid_pass(&anomalies) == want, "%s",
                  mail_anomaly_word((enum mail_anomaly)i));
    }
}

Test(anomaly, counts_stop_at_the_top)
{
    struct mail_anomalies anomalies = {0};
    mail_anomaly_note_times(&anomalies, ANOMALY_BODY_NUL, 0);
    cr_expect(!mail_anomaly_is(&anomalies, ANOMALY_BODY_NUL));
    mail_anomaly_note_times(&anomalies, ANOMALY_BODY_NUL, UINT32_MAX - 1);
    mail_anomaly_note(&anomalies, ANOMALY_BODY_NUL);
    mail_anomaly_note(&anomalies, ANOMALY_BODY_NUL);
    mail_anomaly_note_times(&anomalies, ANOMALY_BODY_NUL, UINT64_MAX);
    cr_expect(anomalies.times[ANOMALY_BODY_NUL] == UINT32_MAX);
}
