/* Key records: DV-29 to DV-41, security.md C08 to C11, D06, D11, D12, F10. */
#include "dkim/key_record.h"

#include <criterion/criterion.h>

#include "dkim/signing.h"
#include "dns/source.h"
#include "support/guard.h"

#define ED_BEGIN "gkwbrg/9U4gHIzo6NROXr"
#define ED_END "jUdpy1qYOiZZHDWP7gpCKY="
#define ED ED_BEGIN ED_END
#define R1024                                                                                      \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDIdrzfUmv9BlrxT4j+9JsaqcY8wE9swmXki0Xw"                 \
    "qIPwpYBt+l89yZiAOrSMqmNSPQDv+Cf5q76ecIb1TaLsMF1SbL2u2d11KCIj/nabUsLn61CJAcLu"                 \
    "pAEOVjzG2t/J0Vx8wFOT5P2hO3SXu6AFBDgMV57oexIm0ewHAysyF9YeOQIDAQAB"
#define R1024_PKCS1                                                                                \
    "MIGJAoGBALLSFG9FymbNxK88vcPhEAiVumuet1nUVINjBHJo0gWzCJPzuGPhtfcXjQ90jGrmGwpM"                 \
    "jPa0Uk3U9xAGXz8zIKTOLmAkUdmeC2E6GxOyNJqZSiMr+tFqQ+7r1fzNnQw6dk5K3G/ux/dHtC/Q"                 \
    "PjM4wG6InGijnBtXXazluTHTpe8RAgMBAAE="
#define R1016                                                                                      \
    "MIGeMA0GCSqGSIb3DQEBAQUAA4GMADCBiAKBgAC5HHAyoXa2PBY2UHGfC6ma1jEukfwz9UHKCSYU"                 \
    "p+Y4dJOcrc2QnN5hhpT9+fHXU599dFJovtAB7cbRCEebsNrEB9cQ/wKhyRZp2DwQH5L0H2QCevgX"                 \
    "ojcMJQlMz5vuV9UHptQw+S/flusPcpLi5gSaFbVT/ERWFA40886bbBuDAgMBAAE="

struct record_case
{
    const char *name;
    struct span text;
    const char *reason;
    bool is_key_record;
};

#define CASE(name, text, reason, is_key)                                                           \
    {                                                                                              \
        name, {(const uint8_t *)(text), sizeof(text) - 1}, reason, is_key                          \
    }

static const struct record_case record_cases[] = {
    CASE("p alone DV-32", "p=" R1024, NULL, true),
    CASE("all tags", "v=DKIM1; k=rsa; h=sha1:sha256; s=email; t=y:s; n=note; g=*; p=" R1024 ";",
         NULL, true),
    CASE("RSAPublicKey DV-35", "p=" R1024_PKCS1, NULL, true),
    CASE("ed25519 DV-36", "k=ed25519; p=" ED, NULL, true),
    CASE("folded p DV-33", "v=DKIM1; k=ed25519; p=" ED_BEGIN "\r\n " ED_END, NULL, true),
    CASE("blanks in p DV-33", "v=DKIM1; k=ed25519; p= " ED " ", NULL, true),
    CASE("1016 bits D06", "p=" R1016, "key_too_small", true),
    CASE("revoked DV-33 C11", "v=DKIM1; p=", "revoked", true),
    CASE("revoked, t=y C11", "k=rsa; t=y; p= ;", "revoked", true),
    CASE("no p C11", "v=DKIM1; k=rsa", "bad_key_record", false),
    CASE("no p, as rspamd has it", "v=DKIM1; k=rsa;", "bad_key_record", false),
    CASE("empty text F05", "", "bad_key_record", false),
    CASE("SPF behind a wildcard DV-32 F10", "v=spf1 -all", "bad_key_record", false),
    CASE("v second 13.23", "k=rsa; v=DKIM1; p=" R1024, "unknown_key_version", true),
    CASE("v=DKIM3", "v=DKIM3; p=" R1024, "unknown_key_version", true),
    CASE("v=dkim1 DV-32", "v=dkim1; p=" R1024, "unknown_key_version", true),
    CASE("v empty", "v=; p=" R1024, "unknown_key_version", true),
    CASE("duplicate p C08", "p=" R1024 "; p=" R1024, "bad_key_record", false),
    CASE("duplicate k C08", "k=rsa; k=ed25519; p=" ED, "bad_key_record", false),
    CASE("record twice D12", "v=DKIM1; p=" R1024 "v=DKIM1; p=" R1024, "bad_key_record", false),
    CASE("tag without = DV-32", "k=rsa; t; p=" R1024, "bad_key_record", false),
    CASE("k unknown C09", "k=ed2025; p=" ED, "unknown_key_type", true),
    CASE("k empty", "k=; p=" R1024, "unknown_key_type", true),
    CASE("k=RSA RFC 6376 3.2", "k=RSA; p=" R1024, "unknown_key_type", true),
    CASE("s chat DV-39", "s=chat; p=" R1024, "key_service", true),
    CASE("s tlsrpt DV-39", "s=tlsrpt; p=" R1024, "key_service", true),
    CASE("s list DV-39", "s=chat : email; p=" R1024, NULL, true),
    CASE("s star DV-39", "s=*; p=" R1024, NULL, true),
    CASE("g is nothing", "g=; p=" R1024, NULL, true),
    CASE("p junk", "p=BARF", "key_bad_encoding", true),
    CASE("p no base64 D11", "p=####", "bad_key_data", true),
    CASE("p padding inside D11", "p=AAAA=BBBB", "bad_key_data", true),
    CASE("p without padding D11", "p=AA AA A", "bad_key_data", true),
    CASE("ed25519 of 31 bytes",
         "k=ed25519; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "key_bad_encoding", true),
    CASE("ed25519 as SPKI 13.22", "k=ed25519; p=MCowBQYDK2VwAyEA" ED, "key_bad_encoding", true),
    CASE("ed25519 identity point D10",
         "k=ed25519; p=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "key_small_order", true),
    CASE("NUL in the record B03", "p=\0" R1024, "bad_key_record", false),
};

static const char *shown(const char *reason)
{
    return reason ? reason : "(none)";
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

Test(key_record, records)
{
    for (size_t i = 0; i < COUNT_OF(record_cases); i++) {
        const struct record_case *c = &record_cases[i];
        struct limit_hits hits = {0};
        struct dkim_key_record record;
        dkim_key_record_parse(guard_copy(c->text), &hits, &record);
        cr_expect(same(record.reason, c->reason), "%s: got %s, want %s", c->name,
                  shown(record.reason), shown(c->reason));
        cr_expect(record.is_key_record == c->is_key_record, "%s: is a key record: %d", c->name,
                  record.is_key_record);
        cr_expect((record.key != NULL) == (c->reason == NULL), "%s: a key only without a reason",
                  c->name);
        dkim_key_record_fini(&record);
        cr_expect(record.key == NULL);
    }
}

Test(key_record, flags_are_read)
{
    static const struct
    {
        const char *text;
        bool testing, no_subdomains, sha256;
    } cases[] = {
        {"p=", false, false, true},           {"t=y; p=", true, false, true},
        {"t= y : s ; p=", true, true, true},  {"t=s:x; h=sha1; p=", false, true, false},
        {"t=Y; h=; p=", false, false, false}, {"h=sha1 : sha256; p=", false, false, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct limit_hits hits = {0};
        struct dkim_key_record record;
        dkim_key_record_parse(span_from_string(cases[i].text), &hits, &record);
        cr_expect(record.testing == cases[i].testing, "%s: t=y", cases[i].text);
        cr_expect(record.no_subdomains == cases[i].no_subdomains, "%s: t=s", cases[i].text);
        cr_expect(record.hash_sha256 == cases[i].sha256, "%s: h=", cases[i].text);
    }
}

static const char *misfit_of(const char *text, enum dkim_algorithm algorithm, bool below)
{
    struct limit_hits hits = {0};
    struct dkim_key_record record;
    struct dkim_signature signature = {.algorithm = algorithm, .identity_below = below};
    dkim_key_record_parse(span_from_string(text), &hits, &record);
    cr_assert(record.reason == NULL, "%s", record.reason);
    const char *misfit = dkim_key_record_misfit(&record, &signature);
    dkim_key_record_fini(&record);
    return misfit;
}

Test(key_record, misfits)
{
    static const struct
    {
        const char *name, *text;
        enum dkim_algorithm algorithm;
        bool below;
        const char *misfit;
    } cases[] = {
        {"rsa", "p=" R1024, DKIM_RSA_SHA256, true, NULL},
        {"ed25519 with RSA key C09", "p=" R1024, DKIM_ED25519_SHA256, false, "key_type_mismatch"},
        {"rsa with Ed25519 key C09", "k=ed25519; p=" ED, DKIM_RSA_SHA256, false,
         "key_type_mismatch"},
        {"h without sha256 DV-38", "h=sha1; p=" R1024, DKIM_RSA_SHA256, false, "key_hash"},
        {"h unknown DV-38", "h=bad; p=" R1024, DKIM_RSA_SHA256, false, "key_hash"},
        {"t=s below DV-40 C07", "t=s; p=" R1024, DKIM_RSA_SHA256, true, "subdomain_forbidden"},
        {"t=s equal DV-40", "t=s; p=" R1024, DKIM_RSA_SHA256, false, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *got = misfit_of(cases[i].text, cases[i].algorithm, cases[i].below);
        cr_expect(same(got, cases[i].misfit), "%s: got %s, want %s", cases[i].name, shown(got),
                  shown(cases[i].misfit));
    }
}

/* Exactly `n` bytes of record, or `n` characters of p=. */
static const char *reason_of_length(const char *before, size_t n, enum limit limit, uint32_t want)
{
    struct buffer text;
    struct limit_hits hits = {0};
    struct dkim_key_record record;
    buffer_init(&text, 1 << 20);
    buffer_append_string(&text, before);
    for (size_t i = 0; i < n; i++)
        buffer_append_byte(&text, 'A');
    dkim_key_record_parse(guard_copy(buffer_span(&text)), &hits, &record);
    cr_expect(hits.n[limit] == want, "%zu: counted %u", n, hits.n[limit]);
    dkim_key_record_fini(&record);
    buffer_fini(&text);
    return record.reason;
}

Test(key_record, limits_at_and_around)
{
    static const char note[] = "p=; n=";
    size_t most = MAX_KEY_RECORD_BYTES - (sizeof note - 1);
    cr_expect_str_eq(reason_of_length(note, most - 1, LIMIT_KEY_RECORD_BYTES, 0), "revoked");
    cr_expect_str_eq(reason_of_length(note, most, LIMIT_KEY_RECORD_BYTES, 0), "revoked");
    cr_expect_str_eq(reason_of_length(note, most + 1, LIMIT_KEY_RECORD_BYTES, 1),
                     "key_record_too_long");
    cr_expect_str_eq(reason_of_length("p=", MAX_P_CHARS - 4, LIMIT_P_CHARS, 0), "key_bad_encoding");
    cr_expect_str_eq(reason_of_length("p=", MAX_P_CHARS, LIMIT_P_CHARS, 0), "key_bad_encoding");
    cr_expect_str_eq(reason_of_length("p=", MAX_P_CHARS + 1, LIMIT_P_CHARS, 1), "p_too_long");
}

struct fetch_case
{
    const char *name;
    const char *zone;
    enum result result; /* UNSET: there are usable keys */
    const char *reason;
    uint32_t count, usable;
};

#define NAME "s1._domainkey.example.com "
#define KEY "\"v=DKIM1; k=ed25519; p=" ED "\"\n"

static const struct fetch_case fetch_cases[] = {
    {"one key", NAME "TXT " KEY, RESULT_UNSET, NULL, 1, 1},
    {"strings joined with nothing DV-29", NAME "TXT \"v=DKIM1; k=ed2\" \"5519; p=\" \"" ED "\"\n",
     RESULT_UNSET, NULL, 1, 1},
    {"CNAME DV-29", NAME "CNAME k.example.net\nk.example.net TXT " KEY, RESULT_UNSET, NULL, 1, 1},
    {"NXDOMAIN DV-30 C11", "example.net A 192.0.2.1\n", RESULT_PERMERROR, "no_key", 0, 0},
    {"NODATA DV-30 C11", NAME "A 192.0.2.1\n", RESULT_PERMERROR, "no_key", 0, 0},
    {"SERVFAIL DV-30 C11", NAME "TXT !servfail\n", RESULT_TEMPERROR, "dns_servfail", 0, 0},
    {"timeout DV-30 C11", NAME "TXT !timeout\n", RESULT_TEMPERROR, "dns_timeout", 0, 0},
    {"wildcard SPF DV-32 F10", NAME "TXT \"v=spf1 -all\"\n", RESULT_PERMERROR, "bad_key_record", 0,
     0},
    {"SPF beside the key F10", NAME "TXT \"v=spf1 -all\"\n" NAME "TXT " KEY, RESULT_UNSET, NULL, 1,
     1},
    {"revoked beside the key DV-31", NAME "TXT \"p=\"\n" NAME "TXT " KEY, RESULT_UNSET, NULL, 2, 1},
    {"revoked", NAME "TXT \"v=DKIM1; p=\"\n", RESULT_PERMERROR, "revoked", 1, 0},
    {"two keys DV-31", NAME "TXT \"v=DKIM1; p=" R1024 "\"\n" NAME "TXT " KEY, RESULT_UNSET, NULL, 2,
     1},
    {"wrong type", NAME "TXT \"v=DKIM1; p=" R1024 "\"\n", RESULT_PERMERROR, "key_type_mismatch", 1,
     0},
    {"four keys DV-31",
     NAME "TXT \"p=\"\n" NAME "TXT \"p=;\"\n" NAME "TXT \"k=rsa;p=\"\n" NAME "TXT " KEY,
     RESULT_UNSET, NULL, 4, 1},
    {"the fifth is not tried DV-31",
     NAME "TXT \"p=\"\n" NAME "TXT \"p=;\"\n" NAME "TXT \"k=rsa;p=\"\n" NAME
          "TXT \"k=rsa; p=\"\n" NAME "TXT " KEY,
     RESULT_PERMERROR, "revoked", 4, 0},
};

static void check_fetch(const struct fetch_case *c)
{
    struct arena arena;
    struct limit_hits hits = {0};
    struct dns_answers answers;
    struct dns_error error;
    struct dkim_keys keys = {.count = 0};
    struct dkim_signature signature = {.algorithm = DKIM_ED25519_SHA256};
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    cr_assert(dns_name_from_domain(&signature.key_name, SPAN("s1._domainkey.example.com")) ==
              DNS_NAME_OK);
    struct dns_source *source = dns_zone_parse(span_from_string(c->zone), "zone", &error);
    cr_assert(source, "%s: %s", c->name, error.text);
    cr_assert(dkim_keys_fetch(&signature, &answers, &hits, &keys) == JUDGE_WAITING);
    dns_source_resolve(source, &answers, INT64_MAX);
    cr_assert(dkim_keys_fetch(&signature, &answers, &hits, &keys) == JUDGE_DONE);
    cr_expect(keys.result == c->result && same(keys.reason, c->reason), "%s: got %d %s, want %d %s",
              c->name, keys.result, shown(keys.reason), c->result, shown(c->reason));
    cr_expect(keys.count == c->count && keys.usable == c->usable, "%s: got %u records, %u usable",
              c->name, keys.count, keys.usable);
    dkim_keys_fini(&keys);
    dns_source_free(&source);
    arena_fini(&arena);
}

Test(key_record, fetching)
{
    for (size_t i = 0; i < COUNT_OF(fetch_cases); i++)
        check_fetch(&fetch_cases[i]);
}
