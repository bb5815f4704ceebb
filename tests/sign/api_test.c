/* The signing calls of assay.h: what they return is verified by the calls beside them. */
#include <assay.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

static const char message[] =
    "From: x@a.example\r\nTo: y@b.example\r\nSubject: hello\r\n\r\nbody\r\n";

static struct assay_key *open_key(const char *selector, const char *type)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_key *key =
        assay_key_open(make_key("a.example", selector, type, NULL), NULL, 0, error);
    cr_assert(key != NULL, "%s", error);
    return key;
}

static char *zone_of(const char *selector, const struct assay_key *key)
{
    char *record = assay_key_record(key), *line = NULL;
    cr_assert(asprintf(&line, "%s._domainkey.a.example. TXT \"%s\"\n", selector, record) > 0);
    assay_text_free(&record);
    return line;
}

struct judged
{
    enum assay_result dkim, arc;
    char *results;
};

static struct judged judge(const char *zone, const char *fields, const char *text)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_config config = {.size = sizeof config,
                                  .zone_file = put_file("zone.txt", zone, 0644),
                                  .authserv_id = "mx.a.example"};
    struct assay_engine *engine = assay_engine_open(&config, error);
    cr_assert(engine != NULL, "%s", error);
    struct assay_message *m = assay_message_begin(engine, NULL, error);
    cr_assert(m != NULL && assay_message_feed(m, fields, strlen(fields)) == ASSAY_OK &&
              assay_message_feed(m, text, strlen(text)) == ASSAY_OK &&
              assay_message_end(m) == ASSAY_OK);
    struct judged judged = {assay_message_dkim(m), assay_message_arc(m),
                            strdup(assay_message_results(m))};
    assay_message_free(&m);
    assay_engine_close(&engine);
    return judged;
}

Test(api, signs_with_both_algorithms_and_seals)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_key *rsa = open_key("r1", "rsa"), *ed25519 = open_key("e1", "ed25519");
    char *zone = join(zone_of("r1", rsa), zone_of("e1", ed25519), "");
    cr_expect_str_eq(assay_key_algorithm(rsa), "rsa-sha256");
    cr_expect_str_eq(assay_key_algorithm(ed25519), "ed25519-sha256");
    cr_expect(assay_key_bits(rsa) == 2048 && assay_key_bits(ed25519) == 256);
    struct assay_signer one = {
        .size = sizeof one, .domain = "a.example", .selector = "r1", .key = rsa};
    struct assay_signer two = {.size = sizeof two,
                               .domain = "a.example",
                               .selector = "e1",
                               .key = ed25519,
                               .simple_header = 1,
                               .simple_body = 1,
                               .identity = "@sub.a.example"};
    const struct assay_signer *signers[] = {&one, &two};
    char *fields = assay_sign(message, strlen(message), signers, 2, error);
    cr_assert(fields != NULL, "%s", error);
    struct judged judged = judge(zone, fields, message);
    cr_expect(judged.dkim == ASSAY_RESULT_PASS, "%s", judged.results);
    cr_expect(strstr(judged.results, "header.s=r1") && strstr(judged.results, "header.s=e1") &&
              !strstr(judged.results, "dkim=fail"));
    struct assay_sealer sealer = {
        .size = sizeof sealer, .signer = &one, .cv = "none", .results = judged.results};
    char *signed_message = join(fields, message, "");
    char *set = assay_seal(signed_message, strlen(signed_message), &sealer, error);
    cr_assert(set != NULL, "%s", error);
    judged = judge(zone, set, signed_message);
    cr_expect(judged.arc == ASSAY_RESULT_PASS, "%s", judged.results);
    assay_text_free(&set);
    assay_text_free(&fields);
    cr_expect(set == NULL && fields == NULL);
    assay_key_free(&rsa);
    assay_key_free(&ed25519);
    assay_key_free(&ed25519); /* NULL inside is fine */
}

Test(api, tables_choose)
{
    char error[ASSAY_ERROR_MAX] = "";
    char *path = make_key("a.example", "e1", "ed25519", NULL);
    struct assay_tables_config config = {
        .size = sizeof config,
        .key_table = put_file("KeyTable", join("k %:e1:", path, "\n"), 0644),
        .signing_table = join("refile:", put_file("SigningTable", "*@a.example k\n", 0644), ""),
    };
    struct assay_tables *tables = assay_tables_open(&config, error);
    cr_assert(tables != NULL, "%s", error);
    struct assay_key *key = assay_key_open(path, NULL, 0, error);
    for (int i = 0; i < 3; i++) { /* the key is kept after its first use */
        char *fields = assay_tables_sign(tables, message, strlen(message), NULL, error);
        cr_assert(fields != NULL, "%s", error);
        cr_expect(judge(zone_of("e1", key), fields, message).dkim == ASSAY_RESULT_PASS);
        assay_text_free(&fields);
        if (i == 1)
            cr_assert(remove(path) == 0);
    }
    static const char other[] = "From: x@b.example\r\n\r\n";
    char *none = assay_tables_sign(tables, other, strlen(other), NULL, error);
    cr_assert(none != NULL && none[0] == '\0', "%s", error);
    assay_text_free(&none);
    assay_key_free(&key);
    assay_tables_close(&tables);
    assay_tables_close(&tables);
}

/* Whoever reads a message of b.example must not make the library open what is no key of ours. */
Test(api, tables_refuse)
{
    char error[ASSAY_ERROR_MAX] = "";
    char *keys = put_file("KeyTable", "k %:e1:/nonexistent/%/key\n", 0644);
    char *rows = put_file("SigningTable", "a.example k\nb.example none\n", 0644);
    struct assay_tables_config config = {
        .size = sizeof config, .key_table = keys, .signing_table = rows};
    struct assay_tables *tables = assay_tables_open(&config, error);
    cr_assert(tables != NULL, "%s", error);
    cr_expect(assay_tables_sign(tables, message, strlen(message), NULL, error) == NULL);
    cr_expect(strstr(error, "/nonexistent/a.example/key") != NULL, "%s", error);
    static const char other[] = "From: x@b.example\r\n\r\n";
    cr_expect(assay_tables_sign(tables, other, strlen(other), NULL, error) == NULL);
    cr_expect(strstr(error, "SigningTable line 2") != NULL, "%s", error);
    static const char traversal[] = "From: x@../../etc\r\n\r\n";
    cr_expect(assay_tables_sign(tables, traversal, strlen(traversal), NULL, error) == NULL);
    cr_expect(strstr(error, "author") != NULL, "%s", error);
    assay_tables_close(&tables);
    config.key_table = put_file("bad", "k\n", 0644);
    cr_expect(assay_tables_open(&config, error) == NULL && strstr(error, "bad:1: "), "%s", error);
    config.key_table = NULL;
    cr_expect(assay_tables_open(&config, error) == NULL && error[0]);
    cr_expect(assay_tables_open(NULL, NULL) == NULL);
}

struct refusal
{
    const char *name, *message, *domain, *selector, *identity, *headers;
    int64_t expires_at;
    const char *word;
};

static const struct refusal refusals[] = {
    {"no message", "nothing\r\n", "a.example", "e1", NULL, NULL, 0, "no message"},
    {"no From", "To: x\r\n\r\n", "a.example", "e1", NULL, NULL, 0, "From"},
    {"LF line ends", "From: x@a.example\nTo: y\n\nbody\n", "a.example", "e1", NULL, NULL, 0, "LF"},
    {"no domain", message, NULL, "e1", NULL, NULL, 0, "domain"},
    {"one label", message, "example", "e1", NULL, NULL, 0, "two labels"},
    {"bad selector", message, "a.example", "e 1", NULL, NULL, 0, "selector"},
    {"identity elsewhere", message, "a.example", "e1", "x@b.example", NULL, 0, "identity"},
    {"no From in h=", message, "a.example", "e1", NULL, "to", 0, "From"},
    {"expired before signed", message, "a.example", "e1", NULL, NULL, 999, "expire"},
};

Test(api, refusals_say_why)
{
    struct assay_key *key = open_key("e1", "ed25519");
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        char error[ASSAY_ERROR_MAX] = "";
        struct assay_signer signer = {.size = sizeof signer,
                                      .domain = r->domain,
                                      .selector = r->selector,
                                      .identity = r->identity,
                                      .headers = r->headers,
                                      .key = key,
                                      .signed_at = 1000,
                                      .expires_at = r->expires_at};
        const struct assay_signer *signers[] = {&signer};
        char *fields = assay_sign(r->message, strlen(r->message), signers, 1, error);
        cr_expect(fields == NULL && strstr(error, r->word), "%s: %s", r->name, error);
        cr_expect(assay_sign(r->message, strlen(r->message), signers, 1, NULL) == NULL);
    }
    assay_key_free(&key);
}

/* 1 to 16 signers. */
Test(api, number_of_signers)
{
    char error[ASSAY_ERROR_MAX];
    struct assay_key *key = open_key("e1", "ed25519");
    struct assay_signer signer = {
        .size = sizeof signer, .domain = "a.example", .selector = "e1", .key = key};
    const struct assay_signer *signers[17];
    for (size_t i = 0; i < 17; i++)
        signers[i] = &signer;
    for (size_t count = 0; count <= 17; count++) {
        char *fields = assay_sign(message, strlen(message), signers, count, error);
        cr_expect((fields != NULL) == (count >= 1 && count <= 16), "%zu", count);
        assay_text_free(&fields);
    }
    assay_key_free(&key);
}

Test(api, keys_from_text)
{
    char error[ASSAY_ERROR_MAX] = "";
    char *secret = put_file("secret", "open sesame\n", 0600), *path = in_folder("locked");
    cr_assert(ASSAY("keygen", "-d", "a.example", "-s", "s", "-t", "ed25519", "-o", path,
                    "--passphrase-file", secret)
                  .status == 0);
    char *pem = file_text(path);
    struct assay_key *key = assay_key_read(pem, strlen(pem), "open sesame", error);
    cr_expect(key != NULL, "%s", error);
    assay_key_free(&key);
    cr_expect(assay_key_read(pem, strlen(pem), "wheat", error) == NULL);
    cr_expect(strstr(error, "passphrase is not") != NULL, "%s", error);
    cr_expect(assay_key_read(pem, strlen(pem), NULL, error) == NULL);
    cr_expect(strstr(error, "encrypted") != NULL, "%s", error);
    cr_expect(assay_key_read(pem, 20, NULL, error) == NULL &&
              assay_key_read("", 0, NULL, NULL) == NULL);
    cr_expect(assay_key_open("/nonexistent", NULL, 0, error) == NULL &&
              strstr(error, "/nonexistent"));
}

/* A program built when the struct was shorter: what it does not know of is by default. */
Test(api, shorter_structs)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_key *key = open_key("e1", "ed25519");
    struct assay_signer signer = {.size = offsetof(struct assay_signer, simple_header),
                                  .domain = "a.example",
                                  .selector = "e1",
                                  .key = key,
                                  .simple_header = 1,
                                  .headers = "not;a;list"};
    const struct assay_signer *signers[] = {&signer};
    char *fields = assay_sign(message, strlen(message), signers, 1, error);
    cr_assert(fields != NULL, "%s", error);
    cr_expect(strstr(fields, "c=relaxed/relaxed") != NULL);
    assay_text_free(&fields);
    assay_key_free(&key);
}
