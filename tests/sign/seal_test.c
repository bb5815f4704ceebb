/* assay seal: sets that assay check, dkimpy and Mail::DKIM find in order (AS-1 to AS-9). */
#include "desk.h"

#include <stdio.h>

static const char message[] = "From: The Shop <orders@a.example>\r\n"
                              "To: list@l.example\r\n"
                              "Subject: hello\r\n"
                              "Date: Mon, 26 Oct 2026 00:00:00 +0000\r\n"
                              "Message-ID: <1@a.example>\r\n"
                              "\r\n"
                              "body\r\n";

struct desk
{
    char *key, *zone;
};

static struct desk set_up(void)
{
    struct desk desk = {.key = make_key("l.example", "key", "rsa", "2048")};
    desk.zone = put_file("zone.txt", record_of(desk.key, "l.example", "s1"), 0644);
    return desk;
}

#define SEAL(desk) "seal", "-d", "l.example", "-s", "s1", "-k", (desk).key, "--dns", (desk).zone
#define NAMED "--authserv-id", "mx.l.example"

static json_t *check(const struct desk *desk, const char *text)
{
    struct outcome o = ASSAY_INPUT(span_from_string(text), "check", "--json", "--dns", desk->zone);
    cr_assert(o.status == 0, "%s", o.err);
    return json_line(o.out, 0);
}

static char *seal(const struct desk *desk, const char *text)
{
    struct outcome o = ASSAY_INPUT(span_from_string(text), SEAL(*desk), NAMED);
    cr_assert(o.status == 0, "%s", o.err);
    return o.out;
}

/* AS-3 to AS-6, AS-8: a chain grows, each set on top of the last, the message untouched. */
Test(seal, chain_of_three)
{
    struct desk desk = set_up();
    const char *text = message;
    for (int i = 1; i <= 3; i++) {
        char *sealed = seal(&desk, text);
        char begin[32];
        snprintf(begin, sizeof begin, "ARC-Seal: i=%d; ", i);
        cr_expect(strncmp(sealed, begin, strlen(begin)) == 0, "%.40s", sealed);
        const char *ams = strstr(sealed, "ARC-Message-Signature: ");
        const char *aar = strstr(sealed, "ARC-Authentication-Results: ");
        cr_expect(ams && aar && ams < aar, "AS-8: order");
        cr_expect(strcmp(sealed + strlen(sealed) - strlen(text), text) == 0);
        json_t *verdict = check(&desk, sealed);
        cr_expect_str_eq(json_text(verdict, "arc.result"), "pass", "%d sets", i);
        cr_expect(json_integer_value(json_at(verdict, "arc.sets")) == i);
        cr_expect(json_is_false(json_at(verdict, "arc.results_in_message_signature")), "AS-5");
        text = sealed;
    }
    cr_expect(strstr(text, "mx.l.example;") && strstr(text, "arc=pass"), "AS-4: %s", text);
}

Test(seal, verifies_in_dkimpy)
{
    struct desk desk = set_up();
    char *path = in_folder("sealed.txt");
    struct outcome o =
        ASSAY_INPUT(span_from_string(seal(&desk, message)), SEAL(desk), NAMED, "-o", path);
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect_str_eq(dkimpy_says(desk.zone, path), "arc pass\n");
}

Test(seal, verifies_in_mail_dkim)
{
    struct desk desk = set_up();
    char *path = in_folder("sealed.txt");
    struct outcome o =
        ASSAY_INPUT(span_from_string(seal(&desk, message)), SEAL(desk), NAMED, "-o", path);
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect_str_eq(mail_dkim_says(desk.zone, path), "arc pass\n");
}

/* AS-5: the AMS covers the DKIM-Signature fields that are there, and the sealed message's DKIM
 * still verifies. */
Test(seal, covers_dkim_signatures)
{
    struct desk desk = set_up();
    struct outcome o = ASSAY_INPUT(span_from_string(message), "sign", "-d", "l.example", "-s", "s1",
                                   "-k", desk.key);
    char *sealed = seal(&desk, o.out);
    cr_expect(strstr(sealed, "dkim-signature;") != NULL, "%s", sealed);
    json_t *verdict = check(&desk, sealed);
    cr_expect_str_eq(json_text(verdict, "dkim.0.result"), "pass");
    cr_expect_str_eq(json_text(verdict, "arc.result"), "pass");
    cr_expect(strstr(sealed, "dkim=pass") != NULL, "AS-4");
}

/* AS-3: what was found on arrival is handed on, the message having changed since. */
Test(seal, arrival_by_options)
{
    struct desk desk = set_up();
    char *sealed = seal(&desk, message);
    char *changed = join(sealed, "-- \r\nlist footer\r\n", "");
    struct outcome o = ASSAY_INPUT(span_from_string(changed), SEAL(desk), "--cv", "pass",
                                   "--results", "mx.l.example; arc=pass; dmarc=pass");
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect(
        strstr(o.out, "ARC-Authentication-Results: i=2; mx.l.example; arc=pass; dmarc=pass\r"),
        "%s", o.out);
    cr_expect_str_eq(json_text(check(&desk, o.out), "arc.result"), "pass");
    struct outcome contradiction =
        ASSAY_INPUT(span_from_string(changed), SEAL(desk), "--cv", "pass");
    cr_expect(contradiction.status == 64 && contradiction.out[0] == '\0' &&
                  strstr(contradiction.err, "--results"),
              "%d: %s", contradiction.status, contradiction.err);
}

/* AS-7, then AS-1: a failed chain is sealed once, over the new set alone, and then no more. */
Test(seal, failed_chain)
{
    struct desk desk = set_up();
    char *changed = join(seal(&desk, message), "footer\r\n", "");
    char *failed = seal(&desk, changed);
    cr_expect(strncmp(failed, "ARC-Seal: i=2; a=rsa-sha256; cv=fail;", 37) == 0, "%.60s", failed);
    json_t *verdict = check(&desk, failed);
    cr_expect_str_eq(json_text(verdict, "arc.result"), "fail");
    cr_expect_str_eq(json_text(verdict, "arc.reason"), "cv_fail");
    struct outcome again = ASSAY_INPUT(span_from_string(failed), SEAL(desk), NAMED);
    cr_expect(again.status == 1 && again.out[0] == '\0' && count_lines(again.err) == 1 &&
                  strstr(again.err, "cv=fail"),
              "%d: %s", again.status, again.err);
}

/* AS-7: the seal of a failed chain does not depend on the sets below it. */
Test(seal, seal_of_a_failed_chain_covers_its_own_set_alone)
{
    struct desk desk = set_up();
    char *changed = join(seal(&desk, message), "footer\r\n", "");
    struct outcome o =
        ASSAY_INPUT(span_from_string(changed), SEAL(desk), NAMED, "--now", "1792972800");
    char *without = strdup(strstr(changed, "From: The Shop"));
    struct outcome alone =
        ASSAY_INPUT(span_from_string(join("ARC-Seal: i=1; cv=none\r\n", without, "")), SEAL(desk),
                    "--cv", "fail", "--results", "mx.l.example; arc=fail", "--now", "1792972800");
    cr_assert(o.status == 0 && alone.status == 0, "%s%s", o.err, alone.err);
    struct outcome once = ASSAY_INPUT(span_from_string(changed), SEAL(desk), "--cv", "fail",
                                      "--results", "mx.l.example; arc=fail", "--now", "1792972800");
    size_t n = (size_t)(strstr(alone.out, "ARC-Authentication") - alone.out);
    cr_expect(strncmp(once.out, alone.out, n) == 0, "%.*s\n%.*s", (int)n, once.out, (int)n,
              alone.out);
}

/* AS-2: 49 sets may grow to 50; on 50 nothing is sealed. */
Test(seal, fifty_sets)
{
    struct desk desk = set_up();
    const char *text = message;
    for (int i = 1; i <= 50; i++) {
        struct outcome o =
            ASSAY_INPUT(span_from_string(text), SEAL(desk), "--cv", i == 1 ? "none" : "pass",
                        "--results", "mx.l.example; arc=pass", "--now", "1792972800");
        cr_assert(o.status == 0, "set %d: %s", i, o.err);
        text = o.out;
    }
    json_t *verdict = check(&desk, text);
    cr_expect_str_eq(json_text(verdict, "arc.result"), "pass");
    cr_expect(json_integer_value(json_at(verdict, "arc.sets")) == 50);
    struct outcome o = ASSAY_INPUT(span_from_string(text), SEAL(desk), NAMED);
    cr_expect(o.status == 1 && o.out[0] == '\0' && strstr(o.err, "50"), "%d: %s", o.status, o.err);
}

/* A key that nobody answers for makes no broken chain for ever. */
Test(seal, no_answer_is_no_failure)
{
    struct desk desk = set_up();
    char *sealed = seal(&desk, message);
    char *away = put_file("away.txt", "s1._domainkey.l.example TXT !timeout\n", 0644);
    struct outcome o = ASSAY_INPUT(span_from_string(sealed), "seal", "-d", "l.example", "-s", "s1",
                                   "-k", desk.key, "--dns", away, NAMED);
    cr_expect(o.status == 69 && o.out[0] == '\0' && count_lines(o.err) == 1, "%d: %s", o.status,
              o.err);
}

/* Line ends as the input's. */
Test(seal, lf_message)
{
    struct desk desk = set_up();
    static const char text[] = "From: x@a.example\nSubject: a\n\nbody\n";
    char *sealed = seal(&desk, text);
    cr_expect(strchr(sealed, '\r') == NULL);
    cr_expect_str_eq(json_text(check(&desk, sealed), "arc.result"), "pass");
}

/* AS-9 */
Test(seal, advises_on_keys)
{
    struct desk desk = set_up();
    char *ed25519 = make_key("l.example", "key-e", "ed25519", NULL);
    struct outcome o = ASSAY_INPUT(span_from_string(message), "seal", "-d", "l.example", "-s", "e1",
                                   "-k", ed25519, "--dns", desk.zone, NAMED);
    cr_expect(o.status == 0 && strstr(o.err, "Ed25519"), "%d: %s", o.status, o.err);
}

/* A long line of results is folded at blanks and stays what it was. */
Test(seal, long_results_are_folded)
{
    struct desk desk = set_up();
    char *results = strdup("mx.l.example");
    for (int i = 0; i < 100; i++)
        results = join(results, "; dkim=pass header.d=a.example", "");
    struct outcome o =
        ASSAY_INPUT(span_from_string(message), SEAL(desk), "--cv", "none", "--results", results);
    cr_assert(o.status == 0, "%s", o.err);
    for (const char *line = o.out; *line; line = strchr(line, '\n') + 1)
        cr_expect(strcspn(line, "\r\n") <= 78, "%.*s", (int)strcspn(line, "\r\n"), line);
    cr_expect_str_eq(json_text(check(&desk, o.out), "arc.result"), "pass");
}

struct fault
{
    const char *name;
    const char *argv[12];
    int status;
    const char *word;
};

static const struct fault faults[] = {
    {"cv of another word", {"--cv", "maybe"}, 64, "maybe"},
    {"pass without a chain", {"--cv", "pass", "--results", "mx; none"}, 64, "no ARC set"},
    {"fail without a chain", {"--cv", "fail", "--results", "mx; none"}, 64, "no ARC set"},
    {"results with a line end (J04)",
     {"--cv", "none", "--results", "mx; none\r\nX-Evil: y"},
     64,
     "results"},
    {"results with a bare LF (J04)",
     {"--cv", "none", "--results", "mx; none\nX-Evil: y"},
     64,
     "results"},
    {"results with a control byte", {"--cv", "none", "--results", "mx; \033[2J"}, 64, "results"},
    {"empty results", {"--cv", "none", "--results", ""}, 64, "results"},
    {"results without a name", {"--cv", "none", "--results", "; spf=pass"}, 64, "results"},
    {"A-R in h= (AS-5)", {"--headers", "from:authentication-results"}, 64, "8617"},
    {"seal in h= (AS-5)", {"--headers", "from:ARC-Seal"}, 64, "8617"},
    {"two keys", {"-s", "s2", "-k", "/dev/null"}, 64, "one key"},
    {"address that is none", {"--ip", "1.2.3"}, 64, "1.2.3"},
};

Test(seal, each_fault_one_line_and_its_status)
{
    struct desk desk = set_up();
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const char *argv[32] = {SEAL(desk)};
        for (size_t k = 0; faults[i].argv[k]; k++)
            argv[9 + k] = faults[i].argv[k];
        struct outcome o = assay(span_from_string(message), argv);
        cr_expect(o.status == faults[i].status, "%s: got %d, want %d: %s", faults[i].name, o.status,
                  faults[i].status, o.err);
        cr_expect(strstr(o.err, faults[i].word) != NULL, "%s: no \"%s\" in: %s", faults[i].name,
                  faults[i].word, o.err);
        cr_expect(count_lines(o.err) == 1 && o.out[0] == '\0', "%s: %s%s", faults[i].name, o.out,
                  o.err);
    }
}

/* A broken structure can only be sealed as failed. */
Test(seal, broken_structure)
{
    struct desk desk = set_up();
    char *stray = join("ARC-Authentication-Results: i=1; x; none\r\n", message, "");
    struct outcome pass =
        ASSAY_INPUT(span_from_string(stray), SEAL(desk), "--cv", "pass", "--results", "mx; none");
    cr_expect(pass.status == 64 && strstr(pass.err, "not complete"), "%d: %s", pass.status,
              pass.err);
    struct outcome none =
        ASSAY_INPUT(span_from_string(stray), SEAL(desk), "--cv", "none", "--results", "mx; none");
    cr_expect(none.status == 64, "%d: %s", none.status, none.err);
    char *sealed = seal(&desk, stray);
    cr_expect(strncmp(sealed, "ARC-Seal: i=2; a=rsa-sha256; cv=fail;", 37) == 0, "%.60s", sealed);
}
