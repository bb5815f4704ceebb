/* The searches are bounded, end at the limits by name, and hold their ground on odd input. */
#include <stdio.h>
#include <stdlib.h>

#include "diagnose/body_search.h"
#include "diagnose/header_edits.h"
#include "diagnose/transfer.h"
#include "diagnosing.h"
#include "dkim/signing.h"
#include "support/guard.h"

#define TAGS "v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s1; h=from:subject; bh=@; b=@"

struct bench
{
    struct limit_hits hits;
    struct diagnosis out;
    struct dkim_signature signature;
    struct diagnose_request request;
    struct search search;
};

static struct search *set_up(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->request.hits = &bench->hits;
    bench->request.signature = &bench->signature;
    bench->search = search_begin(&bench->request, &bench->out);
    return &bench->search;
}

/* DIAGNOSE_TRIES, DIAGNOSE_BYTES, DIAGNOSE_VERIFIES at limit-1, limit, limit+1. */
Test(diagnose_bounds, counters)
{
    static struct bench bench;
    struct search *search = set_up(&bench);
    bench.out.tries = MAX_DIAGNOSE_TRIES - 1;
    cr_expect(search_try(search, 1) && !bench.out.limit);
    cr_expect(!search_try(search, 1) && search_is_over(search));
    cr_expect_str_eq(bench.out.limit, "diagnose_tries");
    cr_expect(bench.hits.n[LIMIT_DIAGNOSE_TRIES] == 1);

    static const struct
    {
        uint64_t bytes;
        bool fits;
    } sizes[] = {{MAX_DIAGNOSE_BYTES - 1, true},
                 {MAX_DIAGNOSE_BYTES, true},
                 {MAX_DIAGNOSE_BYTES + UINT64_C(1), false},
                 {UINT64_MAX, false}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        search = set_up(&bench);
        cr_expect(search_try(search, sizes[i].bytes) == sizes[i].fits, "%zu", i);
        cr_expect((bench.out.limit != NULL) == !sizes[i].fits, "%zu", i);
    }
    /* What the body leaves, key and header have. */
    search = set_up(&bench);
    search_leave_share(search);
    while (search_try(search, MAX_DIAGNOSE_BYTES / 64))
        continue;
    cr_expect(search_is_over(search) && !search_verify(search, 1));
    search_take_share(search);
    cr_expect(search_try(search, MAX_DIAGNOSE_BYTES / 8) && search_verify(search, 1));
    search = set_up(&bench);
    cr_expect(search_verify(search, MAX_DIAGNOSE_VERIFIES - 1) && search_verify(search, 1));
    cr_expect(!search_verify(search, 1));
    cr_expect_str_eq(bench.out.limit, "diagnose_verifies");
}

/* DIAGNOSE_EDITS: what is over it is left out, the search goes on. */
Test(diagnose_bounds, edits)
{
    static struct bench bench;
    static struct header_edit room[MAX_DIAGNOSE_EDITS];
    struct header_edits edits = {.search = set_up(&bench), .edits = room};
    struct header_edit edit = {.cause = CAUSE_FIELD_CHANGED};
    for (unsigned i = 0; i < MAX_DIAGNOSE_EDITS; i++)
        edit_add(&edits, &edit);
    cr_expect(edits.count == MAX_DIAGNOSE_EDITS && !bench.out.limit);
    edit_add(&edits, &edit);
    cr_expect(edits.count == MAX_DIAGNOSE_EDITS && !search_is_over(&bench.search));
    cr_expect_str_eq(bench.out.limit, "diagnose_edits");
}

static char *with_parts(unsigned count)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    buffer_append_string(&out,
                         "From: a@a.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (unsigned i = 0; i < count; i++)
        buffer_printf(&out, "--b\r\n\r\npart %u\r\n", i);
    buffer_append_byte(&out, '\0');
    return (char *)out.p;
}

/* DIAGNOSE_PARTS */
Test(diagnose_bounds, parts)
{
    for (unsigned n = MAX_DIAGNOSE_PARTS - 1; n <= MAX_DIAGNOSE_PARTS + 1; n++) {
        static struct mime mime;
        struct arena arena;
        struct limit_hits hits = {.set = 0};
        struct mail_anomalies anomalies = {0};
        struct mail_reader reader;
        char *text = with_parts(n);
        arena_init(&arena, MAX_ARENA_BYTES);
        mail_reader_init(&reader, &arena, &hits, &anomalies);
        size_t used = mail_reader_feed(&reader, span_from_string(text));
        mime_read(&reader.header, span_skip(span_from_string(text), used), &mime);
        cr_expect(mime.count == (n < MAX_DIAGNOSE_PARTS ? n : MAX_DIAGNOSE_PARTS), "%u", n);
        cr_expect(mime.cut == (n > MAX_DIAGNOSE_PARTS), "%u", n);
        arena_fini(&arena);
        free(text);
    }
}

/* DIAGNOSE_CUTS: 64 parts of 200 lines have more places than that; it is said, and not the end. */
Test(diagnose_bounds, cuts)
{
    struct buffer text;
    struct patient patient;
    struct public_key *key = public_half(signing_key(KEY_RSA, 1024));
    buffer_init(&text, 1 << 24);
    buffer_append_string(&text, "From: a@a.example\r\nSubject: x\r\n"
                                "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (unsigned i = 0; i < 60; i++) {
        buffer_append_string(&text, "--b\r\n\r\n");
        for (unsigned k = 0; k < 200; k++)
            buffer_printf(&text, "line %u\r\n", k);
    }
    buffer_append_byte(&text, '\0');
    char *before = signed_text(TAGS, (const char *)text.p, signing_key(KEY_RSA, 1024));
    char *after =
        altered(before, (const struct alteration[]){{"line 150\r\n", "changed\r\n"}, {0}});
    examine(&patient, span_from_string(after), key, NULL, 0);
    cr_expect_str_eq(cause_words(&patient.diagnosis), "?body_changed");
    cr_expect_str_eq(patient.diagnosis.limit, "diagnose_cuts");
    cr_expect(patient.diagnosis.hashed_bytes <= MAX_DIAGNOSE_BYTES);
    examined(&patient);
    free(before);
    free(after);
    buffer_fini(&text);
    public_key_unref(&key);
}

/* 8 MB that nothing explains: the octets that may be hashed end the search. */
Test(diagnose_bounds, large_body)
{
    struct buffer text;
    struct patient patient;
    struct public_key *key = public_half(signing_key(KEY_RSA, 1024));
    buffer_init(&text, 1 << 28);
    buffer_append_string(&text, "From: a@a.example\r\nSubject: x\r\n\r\n");
    while (text.n < 8 * 1024 * 1024)
        buffer_append_string(&text, "0123456789 0123456789 0123456789 0123456789 0123456789\r\n");
    buffer_append_byte(&text, '\0');
    char *signed_one = signed_text(TAGS, (const char *)text.p, signing_key(KEY_RSA, 1024));
    char *at = strstr(signed_one, "0123456789 0");
    at[1] = 'x';
    examine(&patient, span_from_string(signed_one), key, NULL, 0);
    cr_expect_str_eq(cause_words(&patient.diagnosis), "?body_changed");
    cr_expect_str_eq(patient.diagnosis.limit, "diagnose_bytes");
    cr_expect(patient.diagnosis.hashed_bytes <= MAX_DIAGNOSE_BYTES);
    examined(&patient);
    free(signed_one);
    buffer_fini(&text);
    public_key_unref(&key);
}

static char *long_message(const char *line_break, size_t at)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_string(&text, "From: a@a.example\r\nSubject: x\r\n\r\n");
    for (size_t i = 0; i < 2500; i++) {
        if (i && i % at == 0)
            buffer_append_string(&text, line_break);
        buffer_append_byte(&text, (uint8_t)('a' + i % 26));
    }
    buffer_append_string(&text, "\r\n");
    buffer_append_byte(&text, '\0');
    return (char *)text.p;
}

/* Lines over 998 octets (RFC 5321 4.5.3.1.6), as servers break them. */
Test(diagnose_bounds, long_lines)
{
    static const struct
    {
        const char *name, *line_break;
        size_t at;
    } breaks[] = {{"sendmail", "!\r\n ", 990}, {"Postfix", "\r\n ", 998}, {"plain", "\r\n", 1000}};
    struct public_key *key = public_half(signing_key(KEY_RSA, 1024));
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        struct patient patient;
        char *whole = long_message("", 10000);
        char *broken = long_message(breaks[i].line_break, breaks[i].at);
        char *text = signed_text(TAGS, whole, signing_key(KEY_RSA, 1024));
        char *body = strstr(broken, "\r\n\r\n"), *after = NULL;
        size_t header = (size_t)(strstr(text, "\r\n\r\n") - text);
        cr_assert(asprintf(&after, "%.*s%s", (int)header, text, body) > 0);
        examine(&patient, span_from_string(after), key, NULL, 0);
        cr_expect_str_eq(cause_words(&patient.diagnosis), "long_lines_broken", "%s: %s",
                         breaks[i].name, cause_words(&patient.diagnosis));
        examined(&patient);
        free(whole);
        free(broken);
        free(text);
        free(after);
    }
    public_key_unref(&key);
}

/* Bodies that end anywhere, at an inaccessible page: no search reads beyond. */
Test(diagnose_bounds, every_end_of_a_body)
{
    static const char message[] =
        "From: a@a.example\r\nSubject: [x] =?utf-8?q?=5Bx=5D_y?=\r\n"
        "Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n"
        "--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        "<html><body a=3Db><p>x=\r\ny=4</p></body></html>\r\n--b\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\nR!\r\n--b--\r\n \r\n\r";
    struct public_key *key = public_half(signing_key(KEY_RSA, 1024));
    char *text = signed_text(TAGS, message, signing_key(KEY_RSA, 1024));
    size_t header = (size_t)(strstr(text, "\r\n\r\n") + 4 - text);
    for (size_t n = header; n <= strlen(text); n++) {
        struct patient patient;
        struct span cut = guard_copy(span_of(text, n));
        examine(&patient, cut, key, NULL, 0);
        bool whole = patient.diagnosis.body.state == DIAGNOSE_INTACT;
        cr_expect(whole == (patient.diagnosis.count == 0), "%zu of %zu: %s", n, strlen(text),
                  cause_words(&patient.diagnosis));
        examined(&patient);
    }
    free(text);
    public_key_unref(&key);
}

/* RFC 2045 6.7 and 6.8, there and back. */
Test(diagnose_bounds, transfer_encodings)
{
    static const struct
    {
        const char *plain, *encoded;
    } cases[] = {
        {"Caf\xc3\xa9 = 1\r\n", "Caf=C3=A9 =3D 1\r\n"},
        {"end \r\n", "end=20\r\n"},
        {"tab\t", "tab=09"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345678",
         "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n5678"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345",
         "0123456789012345678901234567890123456789012345678901234567890123456789012345"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out;
        buffer_init(&out, 4096);
        transfer_encode_quoted(span_from_string(cases[i].plain), QUOTED_PLAIN, &out);
        cr_expect(span_equal(buffer_span(&out), span_from_string(cases[i].encoded)), "%zu: %.*s", i,
                  (int)out.n, (const char *)out.p);
        buffer_reset(&out);
        transfer_decode_quoted(guard_copy(span_from_string(cases[i].encoded)), &out);
        cr_expect(span_equal(buffer_span(&out), span_from_string(cases[i].plain)), "%zu: %.*s", i,
                  (int)out.n, (const char *)out.p);
        buffer_fini(&out);
    }
}

/* A field of 90 KB, 64 fields of one name, a Subject of many words: bounded, whatever the form. */
Test(diagnose_bounds, large_header)
{
    static const char *const tags[] = {
        "v=1; a=rsa-sha256; c=simple/simple; d=a.example; s=s1; h=from:subject:to:to:to; bh=@; b=@",
        TAGS};
    struct public_key *key = public_half(signing_key(KEY_RSA, 1024));
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_string(&text, "From: a@a.example\r\nSubject:");
    for (unsigned i = 0; i < 900; i++)
        buffer_append_string(&text, i % 9 ? " a,b \"c\"" : "\r\n \t(x)");
    buffer_append_string(&text, "\r\n");
    for (unsigned i = 0; i < 64; i++)
        buffer_printf(&text, "To: a%u@b.example,c@d.example\r\n", i);
    buffer_append_string(&text, "X-Filler:");
    for (unsigned i = 0; i < 9000; i++)
        buffer_append_string(&text, " a b c d e");
    buffer_append_string(&text, "\r\n\r\nx\r\n");
    buffer_append_byte(&text, '\0');
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        struct patient patient;
        char *before = signed_text(tags[i], (const char *)text.p, signing_key(KEY_RSA, 1024));
        char *after = altered(before, (const struct alteration[]){{"From: a@a", "From: b@a"}, {0}});
        examine(&patient, span_from_string(after), key, NULL, 0);
        cr_expect_str_eq(cause_words(&patient.diagnosis), "?header_changed", "%s",
                         cause_words(&patient.diagnosis));
        cr_expect(patient.diagnosis.hashed_bytes <= MAX_DIAGNOSE_BYTES);
        examined(&patient);
        free(before);
        free(after);
    }
    buffer_fini(&text);
    public_key_unref(&key);
}
