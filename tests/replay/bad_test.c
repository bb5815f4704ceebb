/* Input that is no capsule: one clear line, exit 65. Limits at limit - 1, limit and limit + 1. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attributes.h"
#include "recording.h"
#include "support/corpora.h"
#include "support/guard.h"
#include "tools/assay/capsule.h"

static void expect_refused(struct span text, const char *what)
{
    struct outcome o = ASSAY_INPUT(text, "replay", "--json");
    cr_expect(o.status == 65 && *o.out == '\0', "%s: %d %s", what, o.status, o.out);
    cr_expect(count_lines(o.err) == 1, "%s: %s", what, o.err);
    cr_expect(strstr(o.err, "assay: standard input: "), "%s: %s", what, o.err);
}

static const struct
{
    const char *name, *text;
} not_capsules[] = {
    {"nothing", ""},
    {"white space", " \n\t\r\n"},
    {"a message", "From: a@b.example\n\nbody\n"},
    {"an array", "[]"},
    {"a string", "\"assay_capsule\""},
    {"an empty object", "{}"},
    {"another object", "{\"v\":1,\"file\":null}"},
    {"no version", "{\"assay_capsule\":1}"},
    {"a version that is a number", "{\"assay_capsule\":1,\"version\":1}"},
    {"another format", "{\"assay_capsule\":2,\"version\":\"9.0\"}"},
    {"a format that is a text", "{\"assay_capsule\":\"1\",\"version\":\"0.1.0\"}"},
    {"no sections", "{\"assay_capsule\":1,\"version\":\"0.1.0\"}"},
    {"a key twice", "{\"assay_capsule\":1,\"assay_capsule\":1,\"version\":\"0.1.0\"}"},
    {"brackets that do not match", "{\"assay_capsule\":1]"},
    {"a control character", "{\"assay_\x01\":1}"},
    {"no UTF-8", "{\"\xff\":1}"},
    {"a number too large", "{\"assay_capsule\":99999999999999999999}"},
    {"an open string", "{\"assay_capsule"},
    {"an escape at the end", "{\"assay\\"},
};

Test(replay_bad, no_capsules)
{
    for (size_t i = 0; i < COUNT_OF(not_capsules); i++)
        expect_refused(span_from_string(not_capsules[i].text), not_capsules[i].name);
}

Test(replay_bad, truncated_anywhere)
{
    const char *path = temporary_path("capsule.json");
    record_sample(path, "--with-body");
    struct span text = file_read(path);
    for (size_t i = 0; i < 40; i++)
        expect_refused(span_slice(text, 0, (text.n - 2) * i / 40), "cut");
    expect_refused(span_slice(text, 0, text.n - 2), "without its last bracket");
}

/* One member of a good capsule that is not what it should be. NULL: it is taken away. */
static const struct
{
    const char *section, *key, *value;
} members[] = {
    {"envelope", NULL, NULL},
    {"envelope", NULL, "[]"},
    {"envelope", "client", NULL},
    {"envelope", "client", "\"192.0.2\""},
    {"envelope", "client", "7"},
    {"envelope", "helo", "\"a\\u0000b\""},
    {"envelope", "helo", "{\"base64\":\"*\"}"},
    {"envelope", "mail_from", "{}"},
    {"envelope", "mail_from", "{\"base64\":\"AA==\"}"},
    {"envelope", "recipients", "null"},
    {"envelope", "recipients", "[null]"},
    {"envelope", "file", "true"},
    {"settings", NULL, "null"},
    {"settings", "received_at", "0"},
    {"settings", "received_at", "-1"},
    {"settings", "received_at", "1e9"},
    {"settings", "received_at", "1000000000001"},
    {"settings", "authserv_id", "\"\""},
    {"settings", "authserv_id", "null"},
    {"settings", "reject", "0"},
    {"settings", "dmarc_mode", "\"other\""},
    {"settings", "dmarc_mode", "1"},
    {"settings", "psd", "[\"a..b\"]"},
    {"settings", "trusted_sealers", "{}"},
    {"settings", "spf_void_limit", "61"},
    {"settings", "psl", "[{\"name\":\"a.example\"}]"},
    {"settings", "psl", "[{\"name\":\"a.example\",\"org\":\"b.example\"}]"},
    {"header", NULL, NULL},
    {"header", NULL, "null"},
    {"header", NULL, "[]"},
    {"header", NULL, "[\"\"]"},
    {"header", NULL, "[\"no field\", \"\", \"\"]"},
    {"header", NULL, "[1]"},
    {"header", NULL, "[\"From: a@b.example\", \"\", \"a body\"]"},
    {"body_hashes", NULL, "null"},
    {"body_hashes", "octets", "-1"},
    {"body_hashes", "relaxed", "\"68\""},
    {"body_hashes", "ends_in_crlf", NULL},
    {"body_hashes", "message_too_large", "null"},
    {"body_hashes", "hashes", "[{}]"},
    {"body_hashes", "hashes",
     "[{\"canonicalization\":\"strict\",\"l\":null,\"octets\":1,\"bh\":null}]"},
    {"body_hashes", "hashes",
     "[{\"canonicalization\":\"simple\",\"l\":1,\"octets\":1,\"bh\":null}]"},
    {"body_hashes", "hashes",
     "[{\"canonicalization\":\"simple\",\"l\":null,\"octets\":1,\"bh\":\"AAAA\"}]"},
    {"body", NULL, "\"\\u0000\", \"x\": 1"},
    {"body", NULL, "7"},
    {"dns", NULL, "null"},
    {"dns", NULL, "[7]"},
    {"dns", NULL, "[\"a.example 60 TXT !nonsense\"]"},
    {"dns", NULL, "[\"a.example 60 TXT\"]"},
    {"verdict", NULL, "null"},
    {"digests", NULL, "null"},
    {"digests", "dns", NULL},
    {"digests", "verdict", "1"},
};

static void change_member(json_t *capsule, const char *section, const char *key, const char *value)
{
    json_t *object = key ? json_object_get(capsule, section) : capsule;
    const char *name = key ? key : section;
    json_t *new = value ? json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    if (new)
        json_object_set_new(object, name, new);
    else
        json_object_del(object, name);
}

Test(replay_bad, members)
{
    const char *path = temporary_path("capsule.json");
    record_sample(path, NULL);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        json_t *capsule = capsule_load(path);
        char what[200];
        snprintf(what, sizeof what, "%s %s = %s", members[i].section,
                 members[i].key ? members[i].key : "", members[i].value ? members[i].value : "-");
        change_member(capsule, members[i].section, members[i].key, members[i].value);
        char *text = json_dumps(capsule, 0);
        expect_refused(span_from_string(text), what);
        free(text);
        json_decref(capsule);
    }
}

/* A bad capsule among good ones: they are replayed, what is behind a bad end is not. */
Test(replay_bad, among_good_ones)
{
    const char *path = temporary_path("capsule.json");
    record_sample(path, NULL);
    struct span good = file_read(path);
    struct buffer all;
    buffer_init(&all, 1 << 20);
    buffer_append(&all, good);
    buffer_append_string(&all, "{\"assay_capsule\":1} ");
    buffer_append(&all, good);
    buffer_append_string(&all, "rest");
    struct outcome o = ASSAY_INPUT(buffer_span(&all), "replay", "--json");
    cr_expect(o.status == 65 && count_lines(o.out) == 2 && count_lines(o.err) == 2, "%d %s%s",
              o.status, o.out, o.err);
    cr_expect(strstr(o.err, "capsule 2: ") && strstr(o.err, "capsule 4: "), "%s", o.err);
    buffer_fini(&all);
}

/* --- limits ---------------------------------------------------------------------------------- */

static bool cut(struct span text)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct span object, rest = text;
    bool ok = capsule_cut(&rest, &object, error);
    cr_expect(ok == (*error == '\0'));
    cr_expect(!ok || (object.n == text.n && rest.n == 0));
    return ok;
}

/* {"a":[[[...]]]} */
static bool cut_nested(size_t depth)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_string(&text, "{\"a\":");
    for (size_t i = 1; i < depth; i++)
        buffer_append_byte(&text, '[');
    for (size_t i = 1; i < depth; i++)
        buffer_append_byte(&text, ']');
    buffer_append_byte(&text, '}');
    bool ok = cut(guard_copy(buffer_span(&text)));
    buffer_fini(&text);
    return ok;
}

/* The outer bracket, the colon and each comma count. */
static bool cut_values(size_t values)
{
    struct buffer text;
    buffer_init(&text, 8 << 20);
    buffer_append_string(&text, "{\"{[,:\":[1");
    for (size_t i = 3; i < values; i++)
        buffer_append_string(&text, ",1");
    buffer_append_string(&text, "]}");
    bool ok = cut(guard_copy(buffer_span(&text)));
    buffer_fini(&text);
    return ok;
}

/* A long string; the end moves. */
static bool cut_octets(uint8_t *text, size_t octets)
{
    memcpy(text + octets - 2, "\"}", 2);
    bool ok = cut(span_of(text, octets));
    memcpy(text + octets - 2, "xx", 2);
    return ok;
}

Test(replay_bad, limits_of_one_capsule)
{
    cr_expect(cut_nested(CAPSULE_DEPTH_MAX - 1) && cut_nested(CAPSULE_DEPTH_MAX));
    cr_expect(!cut_nested(CAPSULE_DEPTH_MAX + 1));
    cr_expect(cut_values(CAPSULE_VALUES_MAX - 1) && cut_values(CAPSULE_VALUES_MAX));
    cr_expect(!cut_values(CAPSULE_VALUES_MAX + 1));
    uint8_t *text = malloc(CAPSULE_BYTES_MAX + 1);
    cr_assert(text != NULL);
    memset(text, 'x', CAPSULE_BYTES_MAX + 1);
    memcpy(text, "{\"a\":\"", 6);
    cr_expect(cut_octets(text, CAPSULE_BYTES_MAX - 1) && cut_octets(text, CAPSULE_BYTES_MAX));
    cr_expect(!cut_octets(text, CAPSULE_BYTES_MAX + 1));
    free(text);
}

/* A file says its size beforehand, a pipe does not. */
Test(replay_bad, a_file_that_is_too_large)
{
    const char *path = temporary_file("large", SPAN("{\"assay_capsule\":1"));
    cr_assert(truncate(path, (off_t)CAPSULE_FILE_BYTES_MAX * 4) == 0);
    struct outcome o = ASSAY("replay", path);
    cr_expect(o.status == 65 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
    cr_assert(truncate(path, CAPSULE_FILE_BYTES_MAX) == 0);
    o = ASSAY("replay", path);
    cr_expect(o.status == 65 && strstr(o.err, "is no capsule"), "%d %s", o.status, o.err);
}

Test(replay_bad, no_such_file)
{
    struct outcome o = ASSAY("replay", "/nonexistent");
    cr_expect(o.status == 66 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
    o = ASSAY("replay", "/");
    cr_expect(o.status == 66 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
}

Test(replay_bad, usage)
{
    struct outcome o = ASSAY("check", "--with-body", "/dev/null");
    cr_expect(o.status == 64 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
    o = ASSAY("check", "--record", "-", "/dev/null");
    cr_expect(o.status == 64 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
    o = ASSAY("replay", "--record", "x");
    cr_expect(o.status == 64 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
}

/* What cannot be judged is not recorded, and a file that was there stays. */
Test(replay_bad, nothing_to_record)
{
    const char *path = temporary_file("kept.json", SPAN("kept"));
    struct outcome o =
        ASSAY_INPUT(SPAN("no message"), "check", "--dns", "/dev/null", "--record", path, "-");
    cr_expect(o.status == 65, "%d", o.status);
    struct span text = file_read(path);
    cr_expect(span_equal(text, SPAN("kept")));
    o = ASSAY("check", "--dns", "/dev/null", "--record", "/nonexistent/x",
              "share/samples/pass.eml");
    cr_expect(o.status == 73 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
}
