/* A capsule that was changed: each section by its name, and where the verdict then differs. */
#include <stdio.h>

#include "base/attributes.h"
#include "recording.h"

/* One change: the value at `key` of `section` (of the section itself where NULL) becomes `value`.
 */
struct change
{
    const char *section, *key, *value;
    const char *differs; /* a path that the verdict then differs in; NULL: it is the same */
};

static const struct change changes[] = {
    {"envelope", "client", "\"203.0.113.9\"", "client"},
    {"envelope", "file", "\"other.eml\"", "file"},
    {"envelope", "mail_from", "\"x@other.example\"", "spf.domain"},
    {"envelope", "helo", "null", "spf.helo"},
    {"envelope", "recipients", "[\"ada@receiver.example\"]", "recipients.count"},
    {"envelope", "tls_version", "\"TLSv1.3\"", NULL},
    {"settings", "received_at", "1792000000", "dkim[0].result"},
    {"settings", "authserv_id", "\"mx2.example.net\"", "authserv_id"},
    {"settings", "reject", "true", NULL},
    {"settings", "dmarc_mode", "\"psl\"", "dmarc.discovery_method"},
    {"settings", "spf_void_limit", "3", NULL},
    {"header", NULL, "[\"From: a@other.example\", \"\", \"\"]", "dmarc.from_domain"},
    {"body_hashes", "hashes", "[]", "dkim[0].result"},
    {"body_hashes", "bare_lf", "1", "anomalies[0]"},
    {"body_hashes", "octets", "69", NULL},
    {"body_hashes", "relaxed", "70", "dkim[0].body_bytes.total"},
    {"body", NULL, "[\"another body\", \"\"]", "dkim[0].result"},
    {"dns", NULL, "[]", "spf.result"},
    {"verdict", "v", "2", "v"},
    {"verdict", "dmarc", "null", "dmarc"},
    {"verdict", "added", "{}", "added"},
};

static void make_change(const struct change *change, const char *path)
{
    json_t *capsule = capsule_load(path);
    json_t *value = json_loads(change->value, JSON_DECODE_ANY, NULL);
    json_t *section = json_object_get(capsule, change->section);
    cr_assert(value != NULL && section != NULL);
    int wrong = change->key ? json_object_set_new(section, change->key, value)
                            : json_object_set_new(capsule, change->section, value);
    cr_assert(wrong == 0);
    capsule_store(capsule, path, 1);
    json_decref(capsule);
}

static bool differs_in(const json_t *report, const char *path)
{
    const json_t *difference;
    size_t i;
    json_array_foreach(json_object_get(report, "differs"), i,
                       difference) if (strcmp(json_text(difference, "path"), path) ==
                                       0) return true;
    return false;
}

Test(replay_changed, each_section_is_named)
{
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        const struct change *change = &changes[i];
        const char *path = temporary_path("capsule.json");
        char what[128];
        snprintf(what, sizeof what, "%s %s = %s", change->section, change->key ? change->key : "",
                 change->value);
        record_sample(path, NULL);
        make_change(change, path);
        struct outcome o = ASSAY("replay", "--changes", path);
        json_t *report = json_line(o.out, 0);
        cr_expect(json_array_size(json_object_get(report, "changed")) == 1, "%s: %s", what, o.out);
        cr_expect_str_eq(json_text(report, "changed.0"), change->section, "%s", what);
        cr_expect(json_is_true(json_object_get(report, "same")) == !change->differs, "%s: %s", what,
                  o.out);
        cr_expect(!change->differs || differs_in(report, change->differs), "%s: %s", what, o.out);
        cr_expect(o.status == (change->differs ? 1 : 0), "%s: %d", what, o.status);
        json_decref(report);
    }
}

/* The body that is there counts, not its hashes. */
Test(replay_changed, a_body_goes_before_its_hashes)
{
    static const struct change change = {"body_hashes", "hashes", "[]", NULL};
    const char *path = temporary_path("capsule.json");
    record_sample(path, "--with-body");
    make_change(&change, path);
    struct outcome o = ASSAY("replay", "--changes", path);
    cr_expect(o.status == 0 && strstr(o.out, "\"changed\":[\"body_hashes\"]"), "%d %s", o.status,
              o.out);
}

/* Whoever strips the body before mailing it changes nothing else. */
Test(replay_changed, body_taken_away)
{
    static const struct change change = {"body", NULL, "null", NULL};
    const char *path = temporary_path("capsule.json");
    record_sample(path, "--with-body");
    make_change(&change, path);
    struct outcome o = ASSAY("replay", "--changes", path);
    cr_expect(o.status == 0 && strstr(o.out, "\"changed\":[\"body\"]"), "%d %s", o.status, o.out);
}

Test(replay_changed, layout_is_no_change)
{
    const char *path = temporary_path("capsule.json");
    record_sample(path, "--with-body");
    for (size_t indent = 0; indent < 8; indent += 7) {
        capsule_store(capsule_load(path), path, indent);
        struct outcome o = ASSAY("replay", path);
        cr_expect(o.status == 0 && *o.err == '\0', "%d %s", o.status, o.err);
    }
}

Test(replay_changed, lines_for_people)
{
    static const struct change client = {"envelope", "client", "\"203.0.113.9\"", NULL};
    const char *path = temporary_path("capsule.json");
    record_sample(path, NULL);
    make_change(&client, path);
    struct outcome o = ASSAY("replay", path);
    cr_expect(o.status == 1);
    cr_expect(strstr(o.err, "capsule 1: changed since it was recorded: envelope\n"), "%s", o.err);
    cr_expect(strstr(o.err, "asked and not recorded: _spf.mailer.example TXT\n"), "%s", o.err);
    cr_expect(strstr(o.err, "the verdict differs: spf.result was \"pass\", is \"temperror\""), "%s",
              o.err);
    cr_expect(strstr(o.out, "  replay  differs from what was recorded\n"), "%s", o.out);
}

/* No question of a changed capsule is answered by what nobody has asked. */
Test(replay_changed, what_was_not_recorded_is_no_nxdomain)
{
    static const struct change change = {"dns", NULL, "[\"shop.example 60 A 192.0.2.10\"]", NULL};
    const char *path = temporary_path("capsule.json");
    record_sample(path, NULL);
    make_change(&change, path);
    struct outcome o = ASSAY("replay", "--json", path);
    json_t *verdict = json_line(o.out, 0);
    cr_expect_str_eq(json_text(verdict, "spf.result"), "temperror");
    cr_expect_str_eq(json_text(verdict, "dkim.0.result"), "temperror");
    cr_expect_str_eq(json_text(verdict, "dmarc.result"), "temperror");
    cr_expect_str_eq(json_text(verdict, "dns.0.reason"), "not_recorded");
    json_decref(verdict);
}

Test(replay_changed, another_version_replays_and_is_told)
{
    const char *path = temporary_path("capsule.json");
    record_sample(path, NULL);
    json_t *capsule = capsule_load(path);
    json_object_set_new(capsule, "version", json_string("0.0.9\x1b[2J"));
    json_object_set_new(capsule, "what_only_that_version_has", json_true());
    capsule_store(capsule, path, 0);
    struct outcome o = ASSAY("replay", "--json", path);
    cr_expect(o.status == 0 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
    cr_expect(strstr(o.err, "recorded by assay 0.0.9\\x1b[2J, this is "), "%s", o.err);
}
