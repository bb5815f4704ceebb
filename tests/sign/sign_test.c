/* assay sign: what it makes is verified by assay check and by other people's verifiers. */
#include "desk.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char message[] = "Received: from x by y; Mon, 26 Oct 2026 00:00:00 +0000\r\n"
                              "From: The Shop <orders@a.example>\r\n"
                              "To: ada@b.example\r\n"
                              "Cc: bob@b.example\r\n"
                              "Subject: Your  order\r\n"
                              " is on its way \r\n"
                              "Date: Mon, 26 Oct 2026 00:00:00 +0000\r\n"
                              "Message-ID: <1@a.example>\r\n"
                              "\r\n"
                              "Dear Ada,  \r\n"
                              "\r\n"
                              "thanks.\t\r\n"
                              "\r\n"
                              "\r\n";

static char *with_lf(const char *text)
{
    char *lf = strdup(text), *to = lf;
    for (const char *from = text; *from; from++)
        if (*from != '\r')
            *to++ = *from;
    *to = '\0';
    return lf;
}

/* Two keys with their records in one zone. */
struct desk
{
    char *rsa, *ed25519, *zone;
};

static struct desk set_up(void)
{
    struct desk desk = {
        .rsa = make_key("a.example", "key-rsa", "rsa", "2048"),
        .ed25519 = make_key("a.example", "key-ed25519", "ed25519", NULL),
    };
    desk.zone = put_file("zone.txt",
                         join(record_of(desk.rsa, "a.example", "r1"),
                              record_of(desk.ed25519, "a.example", "e1"), ""),
                         0644);
    return desk;
}

static json_t *check(const struct desk *desk, const char *text)
{
    struct outcome o = ASSAY_INPUT(span_from_string(text), "check", "--json", "--dns", desk->zone);
    cr_assert(o.status == 0, "%s", o.err);
    return json_line(o.out, 0);
}

#define BOTH_KEYS(desk)                                                                            \
    "-d", "a.example", "-s", "r1", "-k", (desk).rsa, "-s", "e1", "-k", (desk).ed25519

static const char *const canons[] = {"relaxed/relaxed", "relaxed/simple", "simple/relaxed",
                                     "simple/simple",   "relaxed",        "simple"};

/* DS-1, DS-2, DS-6, DS-7: both algorithms, each canonicalization, both line ends; the message below
 * the new fields is untouched. */
Test(sign, verifies_in_every_form)
{
    struct desk desk = set_up();
    const char *forms[] = {message, with_lf(message)};
    for (size_t i = 0; i < sizeof canons / sizeof canons[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct outcome o = ASSAY_INPUT(span_from_string(forms[k]), "sign", BOTH_KEYS(desk),
                                           "-c", canons[i], "--expires-in", "7d");
            cr_assert(o.status == 0, "%s: %s", canons[i], o.err);
            size_t added = o.out_bytes - strlen(forms[k]);
            cr_expect(strcmp(o.out + added, forms[k]) == 0, "%s: the message changed", canons[i]);
            bool crlf = strstr(o.out, "\r") != NULL;
            cr_expect(crlf == (k == 0), "%s: line ends", canons[i]);
            json_t *verdict = check(&desk, o.out);
            for (int n = 0; n < 2; n++) {
                char path[32];
                snprintf(path, sizeof path, "dkim.%d.result", n);
                cr_expect_str_eq(json_text(verdict, path), "pass", "%s, signature %d", canons[i],
                                 n);
            }
            cr_expect_str_eq(json_text(verdict, "dkim.0.algorithm"), "rsa-sha256");
            cr_expect_str_eq(json_text(verdict, "dkim.1.algorithm"), "ed25519-sha256");
            cr_expect(json_integer_value(json_at(verdict, "dkim.0.expires")) ==
                      json_integer_value(json_at(verdict, "dkim.0.signed_at")) + 604800);
            cr_expect(json_is_null(json_at(verdict, "dkim.0.length")), "DS-6: no l=");
        }
    }
}

/* C02, C03, DS-4: a field that is added later breaks the signature. */
Test(sign, added_fields_are_noticed)
{
    static const char *const added[] = {"From: x@evil.example",
                                        "Subject: Pay now",
                                        "To: eve@evil.example",
                                        "Cc: eve@evil.example",
                                        "Date: Tue, 27 Oct 2026 00:00:00 +0000",
                                        "Reply-To: x@evil.example",
                                        "Message-ID: <2@evil>",
                                        "In-Reply-To: <3@evil>",
                                        "References: <3@evil>",
                                        "MIME-Version: 1.0",
                                        "Content-Type: text/html",
                                        "Content-Transfer-Encoding: base64",
                                        "Content-Disposition: attachment",
                                        "List-Id: <l.evil>",
                                        "List-Unsubscribe: <http://evil.example/>",
                                        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
                                        "List-Post: <mailto:x@evil>",
                                        "List-Help: <http://evil/>",
                                        "List-Subscribe: <http://evil/>",
                                        "List-Owner: <mailto:x@e>",
                                        "List-Archive: <http://evil/>"};
    struct desk desk = set_up();
    struct outcome o = ASSAY_INPUT(span_from_string(message), "sign", BOTH_KEYS(desk));
    cr_assert(o.status == 0, "%s", o.err);
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        json_t *verdict = check(&desk, join(added[i], "\r\n", o.out));
        cr_expect_str_eq(json_text(verdict, "dkim.0.result"), "fail", "%s", added[i]);
    }
    static const char *const allowed[] = {"Received: from z by x", "Return-Path: <x@a.example>",
                                          "Sender: list@b.example", "X-Spam: no",
                                          "Authentication-Results: x; none"};
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        json_t *verdict = check(&desk, join(allowed[i], "\r\n", o.out));
        cr_expect_str_eq(json_text(verdict, "dkim.0.result"), "pass", "%s", allowed[i]);
    }
}

/* A second opinion: dkimpy verifies both algorithms, Mail::DKIM (1.2023) knows RSA. */
Test(sign, verifies_in_dkimpy)
{
    struct desk desk = set_up();
    char *path = in_folder("signed.txt");
    for (size_t i = 0; i < sizeof canons / sizeof canons[0]; i++) {
        struct outcome o = ASSAY_INPUT(span_from_string(message), "sign", BOTH_KEYS(desk), "-c",
                                       canons[i], "-o", path);
        cr_assert(o.status == 0, "%s", o.err);
        cr_expect_str_eq(dkimpy_says(desk.zone, path),
                         "dkim rsa-sha256 pass\ndkim ed25519-sha256 pass\n", "%s", canons[i]);
    }
}

Test(sign, verifies_in_mail_dkim)
{
    struct desk desk = set_up();
    char *path = in_folder("signed.txt");
    for (size_t i = 0; i < sizeof canons / sizeof canons[0]; i++) {
        struct outcome o = ASSAY_INPUT(span_from_string(message), "sign", "-d", "a.example", "-s",
                                       "r1", "-k", desk.rsa, "-c", canons[i], "-o", path);
        cr_assert(o.status == 0, "%s", o.err);
        cr_expect_str_eq(mail_dkim_says(desk.zone, path), "dkim rsa-sha256 pass\n", "%s",
                         canons[i]);
    }
}

/* A signature more on a message that has one: both verify, none signs the other (DS-3). */
Test(sign, signs_again)
{
    struct desk desk = set_up();
    struct outcome once = ASSAY_INPUT(span_from_string(message), "sign", "-d", "a.example", "-s",
                                      "r1", "-k", desk.rsa);
    struct outcome twice = ASSAY_INPUT(span_from_string(once.out), "sign", "-d", "a.example", "-s",
                                       "e1", "-k", desk.ed25519);
    json_t *verdict = check(&desk, twice.out);
    cr_expect_str_eq(json_text(verdict, "dkim.0.selector"), "e1");
    cr_expect_str_eq(json_text(verdict, "dkim.0.result"), "pass");
    cr_expect_str_eq(json_text(verdict, "dkim.1.result"), "pass");
    cr_expect(strcasestr(twice.out, "dkim-signature:dkim") == NULL);
}

Test(sign, options_reach_the_field)
{
    struct desk desk = set_up();
    struct outcome o =
        ASSAY_INPUT(span_from_string(message), "sign", "-d", "A.Example.", "-s", "r1", "-k",
                    desk.rsa, "-i", "bounce@news.a.example", "--now", "1792972800", "--expires-in",
                    "90m", "--headers", "From : to:TO:x-none", "--header-only");
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect(strstr(o.out, "From: ") == NULL, "--header-only");
    cr_expect(strstr(o.out, "d=a.example; s=r1; i=bounce@news.a.example; t=1792972800; "
                            "x=1792978200;") != NULL,
              "%s", o.out);
    cr_expect(strstr(o.out, "\th=from:to:to:x-none;") != NULL, "%s", o.out);
    struct outcome json = ASSAY_INPUT(span_from_string(message), "sign", BOTH_KEYS(desk), "--json",
                                      "--now", "1792972800");
    json_t *object = json_line(json.out, 0);
    cr_expect_str_eq(json_text(object, "signatures.1.algorithm"), "ed25519-sha256");
    cr_expect(json_text(object, "fields") && strncmp(json_text(object, "fields"), "DKIM-", 5) == 0);
}

/* i= is dkim-quoted-printable: no address ends its tag, and addresses with "=" are usual. */
Test(sign, identity_is_encoded)
{
    struct desk desk = set_up();
    static const char *const identities[][2] = {
        {"bounce+x=y@a.example", "i=bounce+x=3Dy@a.example;"},
        {"a; d=b.example; i=@a.example", "i=a=3B=20d=3Db.example=3B=20i=3D@a.example;"},
        {"\xc3\xa9@a.example", "i==C3=A9@a.example;"},
        {"a\r\nX: y@a.example", "i=a=0D=0AX:=20y@a.example;"},
    };
    for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
        struct outcome o =
            ASSAY_INPUT(span_from_string(message), "sign", BOTH_KEYS(desk), "-i", identities[i][0]);
        cr_assert(o.status == 0, "%s: %s", identities[i][0], o.err);
        cr_expect(strstr(o.out, identities[i][1]) != NULL, "%s: %s", identities[i][0], o.out);
        cr_expect_str_eq(json_text(check(&desk, o.out), "dkim.0.result"), "pass");
    }
}

/* No line of a signature is over 78 where the names are short, none over 998 with the longest. */
Test(sign, lines_stay_short)
{
    struct desk desk = set_up();
    struct outcome o =
        ASSAY_INPUT(span_from_string(message), "sign", BOTH_KEYS(desk), "--header-only");
    for (const char *line = o.out; *line; line = strchr(line, '\n') + 1)
        cr_expect(strcspn(line, "\r\n") <= 78, "%.*s", (int)strcspn(line, "\r\n"), line);
}

/* DS-8 ---------------------------------------------------------------------------------------- */

Test(sign, check_against_the_published_key)
{
    struct desk desk = set_up();
#define CHECKED(selector, key)                                                                     \
    ASSAY_INPUT(span_from_string(message), "sign", "--check", "--dns", zone, "-d", "a.example",    \
                "-s", selector, "-k", key)
    const char *zone = desk.zone;
    cr_expect(CHECKED("r1", desk.rsa).status == 0);
    struct outcome other = CHECKED("e1", desk.rsa);
    cr_expect(other.status == 1 && count_lines(other.err) == 1 && other.out[0] == '\0', "%d: %s",
              other.status, other.err);
    struct outcome none = CHECKED("none", desk.rsa);
    cr_expect(none.status == 1 && strstr(none.err, "no TXT record"), "%s", none.err);
    zone = put_file("revoked.txt", "r1._domainkey.a.example TXT \"v=DKIM1; p=\"\n", 0644);
    cr_expect(strstr(CHECKED("r1", desk.rsa).err, "revoked") != NULL);
    zone = put_file("away.txt", "r1._domainkey.a.example TXT !timeout\n", 0644);
    struct outcome away = CHECKED("r1", desk.rsa);
    cr_expect(away.status == 69 && away.out[0] == '\0', "%d: %s", away.status, away.err);
}

/* Tables --------------------------------------------------------------------------------------- */

Test(sign, by_opendkims_tables)
{
    struct desk desk = set_up();
    char *keys = put_file(
        "KeyTable",
        join("r a.example:r1:", desk.rsa, join("\ne a.example:e1:", desk.ed25519, "\n")), 0644);
    char *rows = put_file("SigningTable", "*@a.example r:orders@a.example\n*@*.example e\n", 0644);
    char *refile = join("refile:", rows, "");
    struct outcome first = ASSAY_INPUT(span_from_string(message), "sign", "--key-table", keys,
                                       "--signing-table", refile);
    cr_assert(first.status == 0, "%s", first.err);
    json_t *verdict = check(&desk, first.out);
    cr_expect_str_eq(json_text(verdict, "dkim.0.result"), "pass");
    cr_expect_str_eq(json_text(verdict, "dkim.0.identity"), "orders@a.example");
    cr_expect(json_array_size(json_at(verdict, "dkim")) == 1);
    struct outcome all = ASSAY_INPUT(span_from_string(message), "sign", "--all-matches",
                                     "--key-table", keys, "--signing-table", refile);
    verdict = check(&desk, all.out);
    cr_expect_str_eq(json_text(verdict, "dkim.0.result"), "pass");
    cr_expect_str_eq(json_text(verdict, "dkim.1.result"), "pass");
    struct outcome none = ASSAY_INPUT(SPAN("From: x@b.test\r\n\r\nbody\r\n"), "sign", "--key-table",
                                      keys, "--signing-table", refile);
    cr_expect(none.status == 1 && none.out[0] == '\0' && count_lines(none.err) == 1, "%d: %s",
              none.status, none.err);
}

/* The third part of a KeyTable may be the key itself, DER in base64. */
Test(sign, key_inside_the_table)
{
    struct desk desk = set_up();
    char *pem = file_text(desk.ed25519), *base64 = strchr(pem, '\n') + 1;
    base64[strcspn(base64, "\n")] = '\0';
    char *keys = put_file("KeyTable", join("e a.example:e1:", base64, "\n"), 0600);
    char *rows = put_file("SigningTable", "a.example e\n", 0644);
    struct outcome o = ASSAY_INPUT(span_from_string(message), "sign", "--key-table", keys,
                                   "--signing-table", rows);
    cr_assert(o.status == 0, "%s", o.err);
    cr_expect_str_eq(json_text(check(&desk, o.out), "dkim.0.result"), "pass");
    cr_assert(chmod(keys, 0644) == 0); /* then the table is the key file */
    o = ASSAY_INPUT(span_from_string(message), "sign", "--key-table", keys, "--signing-table",
                    rows);
    cr_expect(o.status == 77 && count_lines(o.err) == 1, "%d: %s", o.status, o.err);
    o = ASSAY("testkey", "--dns", desk.zone, "--key-table", keys);
    cr_expect(o.status == 1 && strstr(o.out, "chmod 600"), "%d: %s", o.status, o.out);
}

/* Bad input ------------------------------------------------------------------------------------ */

struct message_case
{
    const char *name;
    struct span text;
    const char *word;
};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (const uint8_t *)("" literal), sizeof(literal) - 1                                         \
    }

static const struct message_case bad_messages[] = {
    {"nothing", TEXT(""), "no message"},
    {"prose", TEXT("Once upon a time\nthere was no header.\n"), "no message"},
    {"no From", TEXT("To: x@a.example\r\n\r\nbody\r\n"), "no From"},
    {"two From (8.15)", TEXT("From: x@a.example\r\nFrom: y@a.example\r\n\r\n"), "several From"},
    {"bare LF in the header (B02)", TEXT("From: x@a.example\r\nSubject: a\nb: c\r\n\r\n"), "LF"},
    {"bare CR in the header (B02)", TEXT("From: x@a.example\r\nSubject: a\rb\r\n\r\n"), "CR"},
    {"NUL in the header (B03)", TEXT("From: x@a.example\r\nSubject: a\0b\r\n\r\n"), "NUL"},
    {"mbox (B13)", TEXT("From x Mon Oct 26\r\nFrom: x@a.example\r\n\r\n"), "mbox"},
    {"byte order mark (B13)",
     TEXT("\xef\xbb\xbf"
          "From: x@a.example\r\n\r\n"),
     "byte order mark"},
    {"a line that is no field (B06)", TEXT("From: x@a.example\r\nno field\r\n\r\n"), "no field"},
};

Test(sign, messages_that_cannot_be_signed)
{
    struct desk desk = set_up();
    for (size_t i = 0; i < sizeof bad_messages / sizeof bad_messages[0]; i++) {
        struct outcome o = ASSAY_INPUT(bad_messages[i].text, "sign", "-d", "a.example", "-s", "e1",
                                       "-k", desk.ed25519);
        cr_expect(o.status == 65, "%s: got %d: %s", bad_messages[i].name, o.status, o.err);
        cr_expect(strstr(o.err, bad_messages[i].word) != NULL, "%s: %s", bad_messages[i].name,
                  o.err);
        cr_expect(count_lines(o.err) == 1 && o.out[0] == '\0', "%s: %s%s", bad_messages[i].name,
                  o.out, o.err);
    }
}

/* DS-2: told, since servers on the way may change it; signed as it stands. */
Test(sign, bare_lf_in_the_body_is_told)
{
    struct desk desk = set_up();
    struct outcome o = ASSAY_INPUT(SPAN("From: x@a.example\r\n\r\na\nb\r\n"), "sign", "-d",
                                   "a.example", "-s", "e1", "-k", desk.ed25519);
    cr_expect(o.status == 0 && strstr(o.err, "note: ") && count_lines(o.err) == 1, "%s", o.err);
    cr_expect_str_eq(json_text(check(&desk, o.out), "dkim.0.result"), "pass");
}

/* Edges of what a message may be. */
Test(sign, small_messages)
{
    static const char *const texts[] = {"From: x@a.example\r\n\r\n", "From: x@a.example\r\n",
                                        "From: x@a.example", "From: x@a.example\n\n",
                                        "From:x@a.example\r\n\r\nno line end"};
    struct desk desk = set_up();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct outcome o =
            ASSAY_INPUT(span_from_string(texts[i]), "sign", BOTH_KEYS(desk), "-c", "simple/simple");
        cr_assert(o.status == 0, "%zu: %s", i, o.err);
        json_t *verdict = check(&desk, o.out);
        cr_expect_str_eq(json_text(verdict, "dkim.0.result"), "pass", "%zu", i);
        cr_expect_str_eq(json_text(verdict, "dkim.1.result"), "pass", "%zu", i);
    }
}

/* MAX_H_ITEMS, at one below, at it and above: 24 names of DS-4 with one From, and each To. */
Test(sign, limit_of_signed_fields)
{
    struct desk desk = set_up();
    for (int items = 255; items <= 257; items++) {
        char *text = strdup("From: x@a.example\r\n");
        for (int i = 24; i < items; i++)
            text = join(text, "To: y@b.example\r\n", "");
        struct outcome o = ASSAY_INPUT(span_from_string(join(text, "\r\nbody\r\n", "")), "sign",
                                       "-d", "a.example", "-s", "e1", "-k", desk.ed25519);
        cr_expect(o.status == (items > 256 ? 65 : 0), "%d: %d: %s", items, o.status, o.err);
        if (o.status)
            cr_expect(strstr(o.err, "256") && o.out[0] == '\0', "%s", o.err);
        else
            cr_expect_str_eq(json_text(check(&desk, o.out), "dkim.0.result"), "pass", "%d", items);
    }
}

/* MAX_MESSAGE_BYTES, 50 MiB, at one below, at it and above (B10). */
Test(sign, limit_of_message_bytes)
{
    enum
    {
        LIMIT = 50 * 1024 * 1024
    };
    struct desk desk = set_up();
    char *text = malloc(LIMIT + 2);
    memset(text, 'x', LIMIT + 2);
    for (size_t i = 0; i < LIMIT; i += 64)
        memcpy(text + i, "\r\n", 2);
    memcpy(text, "From: x@a.example\r\n\r\n", 21);
    for (size_t n = LIMIT - 1; n <= LIMIT + 1; n++) {
        struct outcome o = ASSAY_INPUT(span_of(text, n), "sign", "-d", "a.example", "-s", "e1",
                                       "-k", desk.ed25519, "--header-only");
        cr_expect(o.status == (n > LIMIT ? 65 : 0), "%zu: %d: %s", n, o.status, o.err);
    }
    free(text);
}

struct fault
{
    const char *name;
    const char *argv[16];
    int status;
    const char *word;
};

#define ONE "-d", "a.example", "-s", "e1", "-k", "KEY"

static const struct fault faults[] = {
    {"nothing", {"sign"}, 64, "domain"},
    {"no key", {"sign", "-d", "a.example", "-s", "e1"}, 64, "-k"},
    {"two keys for a selector", {"sign", ONE, "-k", "KEY"}, 64, "-k"},
    {"three domains for two",
     {"sign", ONE, "-s", "e2", "-k", "KEY", "-d", "b.example", "-d", "c.example"},
     64,
     "-d"},
    {"one label", {"sign", "-d", "example", "-s", "e1", "-k", "KEY"}, 64, "two labels"},
    {"selector that is none", {"sign", "-d", "a.example", "-s", "a;b", "-k", "KEY"}, 64, "a;b"},
    {"canonicalization", {"sign", ONE, "-c", "nofws"}, 64, "nofws"},
    {"identity elsewhere", {"sign", ONE, "-i", "x@b.example"}, 64, "i="},
    {"headers without From (DS-3)", {"sign", ONE, "--headers", "to:subject"}, 64, "From"},
    {"headers that end the tag", {"sign", ONE, "--headers", "from; b=x"}, 64, "field names"},
    {"headers with a line end", {"sign", ONE, "--headers", "from:\r\nX: y"}, 64, "field names"},
    {"no duration", {"sign", ONE, "--expires-in", "soon"}, 64, "soon"},
    {"no seconds", {"sign", ONE, "--expires-in", "0"}, 64, "0"},
    {"two messages", {"sign", ONE, "/dev/null", "/dev/null"}, 64, "one message"},
    {"no such message", {"sign", ONE, "/nonexistent/m.eml"}, 66, "/nonexistent/m.eml"},
    {"a folder", {"sign", ONE, "/tmp"}, 66, "directory"},
    {"no such key", {"sign", "-d", "a.example", "-s", "e1", "-k", "/nonexistent/k"}, 66, "/nonex"},
    {"a key that is none", {"sign", "-d", "a.example", "-s", "e1", "-k", "PROSE"}, 65, "PEM"},
    {"a key for all to read", {"sign", "-d", "a.example", "-s", "e1", "-k", "LOOSE"}, 77, "chmod"},
    {"tables and names",
     {"sign", ONE, "--key-table", "TABLE", "--signing-table", "TABLE"},
     64,
     "go together"},
    {"one table", {"sign", "--key-table", "TABLE"}, 64, "go together"},
    {"no such table",
     {"sign", "--key-table", "/nonexistent/t", "--signing-table", "TABLE"},
     66,
     "/nonexistent/t"},
    {"a bad line", {"sign", "--key-table", "PROSE", "--signing-table", "TABLE"}, 78, "prose:1"},
    {"a row without its key",
     {"sign", "--key-table", "TABLE", "--signing-table", "ROWS"},
     78,
     "nosuchkey"},
    {"into no folder", {"sign", ONE, "-o", "/nonexistent/out"}, 73, "/nonexistent/out"},
};

static const char *expand(const struct desk *desk, const char *argument)
{
    if (strcmp(argument, "KEY") == 0)
        return desk->ed25519;
    if (strcmp(argument, "PROSE") == 0)
        return put_file("prose", "Once upon a time\n", 0600);
    if (strcmp(argument, "LOOSE") == 0)
        return put_file("loose", file_text(desk->ed25519), 0640 | 0004);
    if (strcmp(argument, "TABLE") == 0)
        return put_file("table", join("e a.example:e1:", desk->ed25519, "\n"), 0644);
    if (strcmp(argument, "ROWS") == 0)
        return put_file("rows", "a.example nosuchkey\n", 0644);
    return argument;
}

Test(sign, each_fault_one_line_and_its_status)
{
    struct desk desk = set_up();
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const char *argv[17] = {NULL};
        for (size_t k = 0; faults[i].argv[k]; k++)
            argv[k] = expand(&desk, faults[i].argv[k]);
        struct outcome o = assay(span_from_string(message), argv);
        cr_expect(o.status == faults[i].status, "%s: got %d, want %d: %s", faults[i].name, o.status,
                  faults[i].status, o.err);
        cr_expect(strstr(o.err, faults[i].word) != NULL, "%s: no \"%s\" in: %s", faults[i].name,
                  faults[i].word, o.err);
        cr_expect(count_lines(o.err) == 1 && o.out[0] == '\0', "%s: %s%s", faults[i].name, o.out,
                  o.err);
    }
}

/* Loose modes, as opendkim's RequireSafeKeys; --insecure-key takes them. */
Test(sign, modes_of_key_files)
{
    static const struct
    {
        unsigned mode;
        int status;
    } modes[] = {{0600, 0}, {0400, 0}, {0604, 77}, {0602, 77}, {0666, 77}, {0601, 0}};
    struct desk desk = set_up();
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        cr_assert(chmod(desk.ed25519, modes[i].mode) == 0);
        struct outcome o = ASSAY_INPUT(span_from_string(message), "sign", "-d", "a.example", "-s",
                                       "e1", "-k", desk.ed25519);
        cr_expect(o.status == modes[i].status, "%o: got %d: %s", modes[i].mode, o.status, o.err);
        o = ASSAY_INPUT(span_from_string(message), "sign", "--insecure-key", "-d", "a.example",
                        "-s", "e1", "-k", desk.ed25519);
        cr_expect(o.status == 0, "%o: %s", modes[i].mode, o.err);
    }
    char *open_folder = in_folder("open");
    cr_assert(mkdir(open_folder, 0700) == 0 && chmod(open_folder, 0777) == 0);
    char *inside = put_file("open/key", file_text(desk.ed25519), 0600);
    struct outcome o =
        ASSAY_INPUT(span_from_string(message), "sign", "-d", "a.example", "-s", "e1", "-k", inside);
    cr_expect(o.status == 77 && strstr(o.err, "directory"), "%d: %s", o.status, o.err);
}

/* Output files: whole or not at all; the input may be the output. */
Test(sign, output_in_place_of_the_input)
{
    struct desk desk = set_up();
    char *path = put_file("m.eml", message, 0644);
    struct outcome o = ASSAY("sign", BOTH_KEYS(desk), "-o", path, path);
    cr_assert(o.status == 0 && o.out[0] == '\0', "%s", o.err);
    cr_expect_str_eq(json_text(check(&desk, file_text(path)), "dkim.0.result"), "pass");
    char *prose = put_file("prose.eml", "Once upon a time\n", 0644);
    o = ASSAY("sign", BOTH_KEYS(desk), "-o", path, prose);
    cr_expect(o.status == 65);
    cr_expect_str_eq(json_text(check(&desk, file_text(path)), "dkim.0.result"), "pass");
}

/* "-" is standard output, as it is standard input; with --json the object goes where -o says. */
Test(sign, output_to_standard_output_and_of_json)
{
    struct desk desk = set_up();
    char *path = put_file("o.json", "", 0644);
    struct span input = span_from_string(message);
    struct outcome plain = ASSAY_INPUT(input, "sign", BOTH_KEYS(desk), "--now", "1780000000");
    struct outcome dash =
        ASSAY_INPUT(input, "sign", BOTH_KEYS(desk), "--now", "1780000000", "-o", "-");
    cr_assert(plain.status == 0 && dash.status == 0, "%s%s", plain.err, dash.err);
    cr_expect_str_eq(dash.out, plain.out);
    cr_expect(access("-", F_OK) != 0, "there is a file named \"-\"");
    struct outcome json = ASSAY_INPUT(input, "sign", BOTH_KEYS(desk), "--json", "-o", path);
    cr_assert(json.status == 0 && *json.out == '\0', "%s%s", json.out, json.err);
    cr_expect_str_eq(json_text(json_line(file_text(path), 0), "signatures.0.domain"), "a.example");
}

Test(sign, encrypted_keys)
{
    struct desk desk = set_up();
    char *secret = put_file("secret", "open sesame\n", 0600);
    char *key = in_folder("key-locked");
    cr_assert(ASSAY("keygen", "-d", "a.example", "-s", "l1", "-t", "ed25519", "-o", key,
                    "--passphrase-file", secret)
                  .status == 0);
    struct outcome o = ASSAY_INPUT(span_from_string(message), "sign", "-d", "a.example", "-s", "l1",
                                   "-k", key, "--passphrase-file", secret);
    cr_expect(o.status == 0, "%s", o.err);
    char *m = put_file("m.eml", message, 0644), *out = in_folder("out.eml");
    static const struct exchange wrong[] = {{"Passphrase of ", "wheat\n"}, {NULL, NULL}};
    o = assay_at_terminal(wrong, NULL,
                          (const char *const[]){"sign", "-d", "a.example", "-s", "l1", "-k", key,
                                                "-o", out, m, NULL});
    cr_expect(o.status == 77 && !file_exists(out), "%d: %s", o.status, o.out);
    static const struct exchange right[] = {{"Passphrase of ", "open sesame\n"}, {NULL, NULL}};
    o = assay_at_terminal(right, NULL,
                          (const char *const[]){"sign", "-d", "a.example", "-s", "l1", "-k", key,
                                                "-o", out, m, NULL});
    cr_expect(o.status == 0 && file_exists(out), "%d: %s", o.status, o.out);
    (void)desk;
}
