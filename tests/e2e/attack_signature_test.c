/* Attacks C01 to C18 and D04 to D12: what a signature means, and keys. The victim signs; the
 * attacker has its mail, and DMARC must not believe what the victim did not say. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "dkim/signing.h"
#include "e2e/attack.h"

#define HEADER FROM_VICTIM "To: b@receiver.test\r\nSubject: hello\r\n"
#define BODY "first\r\nsecond\r\n"
#define TAGS(d, s) "v=1; a=rsa-sha256; c=relaxed/relaxed; d=" d "; s=" s "; "
#define H "h=from:to:subject; "
#define BLANKS "bh=@;\r\n b=@"
#define VICTIM TAGS("victim.test", "k")

static struct buffer zone;

static void setup(void)
{
    buffer_init(&zone, 4 * 1024 * 1024);
    zone_add_key(&zone, "victim.test", "k", "", KEY_RSA, 1024);
    zone_add_key(&zone, "victim.test", "ed", "", KEY_ED25519, 0);
    zone_add_key(&zone, "victim.test", "test", "t=y; ", KEY_RSA, 1024);
    zone_add_key(&zone, "victim.test", "strict", "t=s; ", KEY_RSA, 1024);
    zone_add_key(&zone, "victim.test", "other", "s=tlsrpt; ", KEY_RSA, 1024);
    zone_add_key(&zone, "victim.test", "sha1", "h=sha1; ", KEY_RSA, 1024);
    zone_add_key(&zone, "victim.test", "unknown", "k=ed2025; ", KEY_RSA, 1024);
    zone_add_key(&zone, "attack.test", "k", "", KEY_RSA, 1024);
    zone_add_key(&zone, "psd.test", "k", "", KEY_RSA, 1024);
    buffer_append_string(&zone, "gone._domainkey.victim.test TXT \"v=DKIM1; p=\"\n"
                                "empty._domainkey.victim.test A 192.0.2.1\n"
                                "fails._domainkey.victim.test TXT !servfail\n"
                                "slow._domainkey.victim.test TXT !timeout\n"
                                "_dmarc.psd.test TXT \"v=DMARC1; p=reject; psd=y\"\n");
    buffer_append_byte(&zone, '\0');
}

TestSuite(attack_signature, .init = setup);

static struct span signed_with(const char *tags, const char *header, const char *body,
                               enum key_type type)
{
    struct buffer out;
    char mail[1024];
    snprintf(mail, sizeof mail, "%s\r\n%s", header, body);
    buffer_init(&out, 1024 * 1024);
    sign_message(&out, "DKIM-Signature", tags, signing_key(type, type == KEY_RSA ? 1024 : 0),
                 span_from_string(mail));
    return buffer_span(&out);
}

static struct span changed(struct span mail, const char *from, const char *to)
{
    const uint8_t *at = memmem(mail.p, mail.n, from, strlen(from));
    struct buffer out;
    cr_assert(at != NULL, "nothing to change: %s", from);
    buffer_init(&out, mail.n + strlen(to));
    buffer_append(&out, span_slice(mail, 0, (size_t)(at - mail.p)));
    buffer_append_string(&out, to);
    buffer_append(&out, span_skip(mail, (size_t)(at - mail.p) + strlen(from)));
    return buffer_span(&out);
}

static json_t *judge(struct span mail)
{
    struct assay_engine *engine = attack_engine((const char *)zone.p);
    json_t *verdict = attack_judge(engine, mail, NULL, NULL);
    assay_engine_close(&engine);
    return verdict;
}

static void expect(const char *row, struct span mail, const char *dkim, const char *dmarc,
                   const char *has)
{
    json_t *verdict = judge(mail);
    attack_expect(row, verdict, "dkim.0.result", dkim);
    attack_expect(row, verdict, "dmarc.result", dmarc);
    cr_expect(!has || attack_has(verdict, has), "%s: no %s", row, has);
    json_decref(verdict);
}

static struct span victims(const char *tags)
{
    return signed_with(tags, HEADER, BODY, KEY_RSA);
}

/* C01: text appended behind l=, more than is there, and numbers that are none. */
Test(attack_signature, body_length)
{
    expect("C01", victims(VICTIM H "l=15; " BLANKS), "pass", "pass", NULL);
    struct span part = victims(VICTIM H "l=7; " BLANKS);
    expect("C01", part, "policy", "fail", "\"body_bytes\":{\"signed\":7,\"total\":15}");
    expect("C01", changed(part, "second\r\n", "click here\r\n"), "policy", "fail", NULL);
    expect("C01", victims(VICTIM H "l=0; " BLANKS), "policy", "fail", NULL);
    expect("C01", changed(victims(VICTIM H "l=15; " BLANKS), "l=15", "l=16"), "permerror", "fail",
           "length_beyond_body");
    expect("C01", changed(part, "l=7", "l=-1"), "permerror", "fail", NULL);
    expect("C01", changed(part, "l=7", "l=0x10"), "permerror", "fail", NULL);
    char digits[128];
    snprintf(digits, sizeof digits, "l=%077d", 7);
    expect("C01", changed(part, "l=7", digits), "permerror", "fail", "l_too_long");
}

/* C02, C03: what is not signed, or stands above what is, is told by name. */
Test(attack_signature, fields_that_are_not_covered)
{
    struct span mail = victims(VICTIM "h=from; " BLANKS);
    expect("C02", changed(mail, "Subject: hello", "Subject: pay"), "pass", "pass",
           "\"unsigned_fields\":[\"subject\",\"to\"]");
    mail = victims(VICTIM H BLANKS);
    expect("C03", changed(mail, HEADER, "Subject: pay\r\nContent-Type: text/html\r\n" HEADER),
           "pass", "pass", "\"unsigned_fields\":[\"subject\",\"content-type\"]");
    expect("C03", changed(mail, HEADER, "From: x@attack.test\r\n" HEADER), "pass", "permerror",
           "\"multi_from\"");
}

/* C04: odd h=. */
Test(attack_signature, signed_names)
{
    struct span mail = victims(VICTIM H BLANKS);
    expect("C04", changed(mail, "h=from:to:subject", "h="), "permerror", "fail", NULL);
    expect("C04", changed(mail, "h=from:to:subject", "h=:::"), "permerror", "fail", NULL);
    expect("C04", changed(mail, "h=from:to:subject", "h=to:subject"), "permerror", "fail",
           "from_not_signed");
    expect("C04", victims(VICTIM "h=:from::x-nothing:; " BLANKS), "pass", "pass", NULL);
    struct buffer names;
    buffer_init(&names, 64 * 1024);
    buffer_append_string(&names, "h=from");
    for (int i = 0; i < 1500; i++)
        buffer_append_string(&names, ":x");
    buffer_append_byte(&names, '\0');
    expect("C04", changed(mail, "h=from:to:subject", (const char *)names.p), "permerror", "fail",
           "too_many_h_items");
}

/* C05: junk above the one good signature does not push it out. */
Test(attack_signature, junk_signatures)
{
    static const size_t counts[] = {10, 40, 900};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct buffer mail;
        buffer_init(&mail, 1024 * 1024);
        for (size_t k = 0; k < counts[i]; k++)
            buffer_printf(&mail,
                          "DKIM-Signature: v=1; a=rsa-sha256; d=x%zu.test; s=s; h=from; "
                          "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA\r\n",
                          k);
        buffer_append(&mail, victims(VICTIM H BLANKS));
        json_t *verdict = judge(buffer_span(&mail));
        attack_expect("C05", verdict, "dmarc.result", "pass");
        cr_expect(json_array_size(json_object_get(verdict, "dns")) < 30, "C05: too many questions");
        json_decref(verdict);
    }
}

/* C06: times; the message is received at 1792972860. */
Test(attack_signature, times)
{
    struct span mail = victims(VICTIM H "t=1792972800; x=1792973000; " BLANKS);
    expect("C06", mail, "pass", "pass", NULL);
    expect("C06", changed(mail, "x=1792973000", "x=1792972800"), "permerror", "fail", NULL);
    expect("C06", changed(mail, "t=1792972800", "t=99999999999999"), "permerror", "fail",
           "time_too_long");
    expect("C06", victims(VICTIM H "t=1792976460; " BLANKS), "fail", "fail", "\"future\"");
    expect("C06", victims(VICTIM H "x=1792972859; " BLANKS), "fail", "fail", "\"expired\"");
}

/* C07: the identity is at or below d=, and at it where the key says t=s. */
Test(attack_signature, identities)
{
    expect("C07", victims(VICTIM H "i=a@sub.victim.test; " BLANKS), "pass", "pass", NULL);
    expect("C07", victims(TAGS("victim.test", "strict") H "i=a@sub.victim.test; " BLANKS),
           "permerror", "fail", "subdomain_forbidden");
    expect("C07", victims(TAGS("victim.test", "strict") H "i=a@victim.test; " BLANKS), "pass",
           "pass", NULL);
    struct span mail = victims(VICTIM H "i=a@victim.test; " BLANKS);
    expect("C07", changed(mail, "i=a@victim.test", "i=a@attack.test"), "permerror", "fail", NULL);
    expect("C07", changed(mail, "i=a@victim.test", "i=a@xvictim.test"), "permerror", "fail", NULL);
    expect("C07", changed(mail, "i=a@victim.test", "i=a=00b@victim.test"), "permerror", "fail",
           NULL);
}

/* C08, C09, C15, C16, C17: tags that are there twice, odd algorithms, b= and bh=, c=. */
Test(attack_signature, tags)
{
    struct span mail = victims(VICTIM H BLANKS);
    expect("C08", changed(mail, "d=victim.test", "d=attack.test; d=victim.test"), "permerror",
           "fail", "duplicate_tag");
    expect("C09", changed(mail, "a=rsa-sha256", "a=ed25519-sha256"), "permerror", "fail",
           "key_type_mismatch");
    expect("C09", changed(mail, "a=rsa-sha256", "a=rsa"), "permerror", "fail", NULL);
    expect("C09", changed(mail, "s=k", "s=unknown"), "permerror", "fail", NULL);
    expect("C09", changed(mail, "s=k", "s=sha1"), "permerror", "fail", "key_hash");
    expect("C09", changed(mail, "s=k", "s=other"), "permerror", "fail", NULL);
    expect("C15", changed(mail, "h=from:to", "x=b=1; h=from:to"), "permerror", "fail", "bad_time");
    expect("C15", victims(VICTIM H "bb=1; y=b=1; B=c; z=b=; " BLANKS), "pass", "pass", NULL);
    expect("C15", changed(mail, "\r\n b=", "\r\n b\r\n =\r\n "), "fail", "fail", "\"signature\"");
    expect("C16", changed(mail, "bh=", "bh=AAAA"), "permerror", "fail", "bad_body_hash_length");
    expect("C17", victims("v=1; a=rsa-sha256; c=relaxed; d=victim.test; s=k; " H BLANKS), "pass",
           "pass", "\"canonicalization\":\"relaxed/simple\"");
    expect("C17", changed(mail, "c=relaxed/relaxed", "c=/"), "permerror", "fail", NULL);
    expect("C17", changed(mail, "c=relaxed/relaxed", "c="), "permerror", "fail", NULL);
    expect("C17", changed(mail, "c=relaxed/relaxed", "c=x/y"), "permerror", "fail", NULL);
}

/* C10, C11: keys in test mode, revoked, absent, out of reach. */
Test(attack_signature, keys_that_are_no_keys)
{
    struct span mail = victims(VICTIM H BLANKS);
    expect("C10", victims(TAGS("victim.test", "test") H BLANKS), "pass", "fail",
           "\"testing\":true");
    expect("C11", changed(mail, "s=k", "s=gone"), "permerror", "fail", "\"revoked\"");
    expect("C11", changed(mail, "s=k", "s=nowhere"), "permerror", "fail", "\"no_key\"");
    expect("C11", changed(mail, "s=k", "s=empty"), "permerror", "fail", "\"no_key\"");
    expect("C11", changed(mail, "s=k", "s=fails"), "temperror", "temperror", "\"dns_servfail\"");
    expect("C11", changed(mail, "s=k", "s=slow"), "temperror", "temperror", "\"dns_timeout\"");
}

/* C12: a genuine message sent again to a thousand: passes, and is told by its fingerprint, its age,
 * and by who is not named. */
Test(attack_signature, replay)
{
    static char texts[1000][32];
    static const char *many[1000], *const one[] = {"<b@receiver.test>"};
    for (size_t i = 0; i < 1000; i++) {
        snprintf(texts[i], sizeof texts[i], "<r%zu@receiver.test>", i);
        many[i] = texts[i];
    }
    struct span mail = victims(VICTIM H "t=1792972800; " BLANKS);
    struct assay_engine *engine = attack_engine((const char *)zone.p);
    char *fingerprints[2];
    for (int again = 0; again < 2; again++) {
        struct assay_envelope envelope = {
            .size = sizeof envelope,
            .rcpt_to = again ? many : one,
            .rcpt_count = again ? 1000 : 1,
            .received_at = 1792972860,
        };
        struct judged judged = judge_text(engine, &envelope, mail, 0);
        json_t *verdict = json_loadb((const char *)judged.json.p, judged.json.n, 0, NULL);
        attack_expect("C12", verdict, "dkim.0.result", "pass");
        cr_expect(attack_has(verdict, again ? "\"recipients\":{\"count\":1000,\"named\":0}"
                                            : "\"recipients\":{\"count\":1,\"named\":1}"));
        cr_expect(attack_has(verdict, "\"signed_at\":1792972800"));
        const char *fingerprint = attack_text(verdict, "dkim.0.fingerprint");
        cr_assert(fingerprint != NULL && strlen(fingerprint) == 32);
        fingerprints[again] = strdup(fingerprint);
        json_decref(verdict);
    }
    cr_expect(strcmp(fingerprints[0], fingerprints[1]) == 0, "C12: %s, %s", fingerprints[0],
              fingerprints[1]);
    assay_engine_close(&engine);
}

/* C13: a public suffix never aligns with what is under it. */
Test(attack_signature, signed_by_a_public_suffix)
{
    expect("C13",
           signed_with(TAGS("psd.test", "k") H BLANKS,
                       "From: a@x.psd.test\r\nTo: b@c.test\r\nSubject: x\r\n", BODY, KEY_RSA),
           "pass", "fail", NULL);
}

/* C14: z= is nothing but text under the signature, of any size. */
Test(attack_signature, copied_fields)
{
    struct span mail = victims(VICTIM H "z=From:a@attack.test|Subject:x; " BLANKS);
    expect("C14", mail, "pass", "pass", "\"from_domain\":\"victim.test\"");
    struct buffer z;
    buffer_init(&z, 256 * 1024);
    buffer_append_string(&z, "z=From:");
    for (int i = 0; i < 100 * 1000; i++)
        buffer_append_byte(&z, 'q');
    buffer_append_byte(&z, '\0');
    expect("C14", changed(mail, "z=From:", (const char *)z.p), "permerror", "fail", NULL);
}

/* C18: a message that fails and one that passes, in both orders, in one engine. */
Test(attack_signature, nothing_is_left_over)
{
    struct assay_engine *engine = attack_engine((const char *)zone.p);
    struct span good = victims(VICTIM H BLANKS);
    struct span bad = changed(good, "second", "2econd");
    const struct span order[] = {bad, good, bad, bad, good, good, bad};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        json_t *verdict = attack_judge(engine, order[i], NULL, NULL);
        attack_expect("C18", verdict, "dkim.0.result", order[i].p == good.p ? "pass" : "fail");
        attack_expect("C18", verdict, "dmarc.result", order[i].p == good.p ? "pass" : "fail");
        json_decref(verdict);
    }
    assay_engine_close(&engine);
}

/* D04 to D12: records whose keys no arithmetic is done with. */
Test(attack_signature, keys_that_are_refused)
{
#define SPKI_512                                                                                   \
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALRiMLAh9iimur8VA7qVvdqxevEuUkW4K+2KdMXmnQbG9Aa7k7eBjK1S+0Ly" \
    "KZs0OAf36ZTClHBQO/bPAiA1UrcCAwEAAQ=="
    static const struct
    {
        const char *row, *name, *record;
    } cases[] = {
        {"D06", "d06", "p=" SPKI_512},
        {"D10", "d10", "k=ed25519; p=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"D10", "d10b", "k=ed25519; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"D11", "d11", "p=AAAA=BBBB"},
        {"D11", "d11b", "p=AA_A"},
        {"D11", "d11c", "p=####"},
        {"D12", "d12", "k=ed25519; p=MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"D12", "d12b", "p=MAA="},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char name[64], tags[256];
        zone.n--; /* the NUL goes to the end again */
        snprintf(name, sizeof name, "%s._domainkey.victim.test", cases[i].name);
        zone_add_txt(&zone, span_from_string(name), span_from_string(cases[i].record));
        buffer_append_byte(&zone, '\0');
        bool rsa = !strstr(cases[i].record, "ed25519");
        snprintf(tags, sizeof tags, "v=1; a=%s; d=victim.test; s=%s; " H BLANKS,
                 rsa ? "rsa-sha256" : "ed25519-sha256", cases[i].name);
        expect(cases[i].row, signed_with(tags, HEADER, BODY, rsa ? KEY_RSA : KEY_ED25519),
               "permerror", "fail", NULL);
    }
}

/* The mail with another b=. */
static struct span with_signature(struct span mail, struct span b64)
{
    const uint8_t *b = memmem(mail.p, mail.n, "\r\n b=", 5);
    struct span rest = span_skip(mail, (size_t)(b + 5 - mail.p));
    struct buffer forged;
    buffer_init(&forged, mail.n + b64.n);
    buffer_append(&forged, span_slice(mail, 0, (size_t)(b + 5 - mail.p)));
    buffer_append(&forged, b64);
    buffer_append(&forged, span_skip(rest, span_find(rest, '\r')));
    return buffer_span(&forged);
}

/* D10: the signature that fits the identity point for every message: R = 1, S = 0. */
Test(attack_signature, small_order_key)
{
    uint8_t signature[64] = {1};
    char b64[BASE64_ENCODED_LENGTH(64)];
    zone.n--;
    zone_add_txt(&zone, SPAN("id._domainkey.victim.test"),
                 SPAN("v=DKIM1; k=ed25519; p=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    buffer_append_byte(&zone, '\0');
    base64_encode(span_of(signature, sizeof signature), b64);
    struct span mail = signed_with("v=1; a=ed25519-sha256; d=victim.test; s=id; " H BLANKS, HEADER,
                                   BODY, KEY_ED25519);
    expect("D10", with_signature(mail, span_of((uint8_t *)b64, sizeof b64)), "permerror", "fail",
           "key_small_order");
}

/* D09: a signature of a few bytes, of none, of 128 bytes and the wrong number. */
Test(attack_signature, signatures_of_wrong_size)
{
    char zeros[BASE64_ENCODED_LENGTH(128)];
    uint8_t number[128] = {0};
    struct span mail = victims(VICTIM H BLANKS);
    for (unsigned i = 0; i < 3; i++) {
        number[127] = (uint8_t)i;
        base64_encode(span_of(number, sizeof number), zeros);
        expect("D09", with_signature(mail, span_of((uint8_t *)zeros, sizeof zeros)), "fail", "fail",
               "\"signature\"");
    }
    expect("D09", with_signature(mail, SPAN("AAAA")), "fail", "fail", NULL);
    expect("D09", with_signature(mail, SPAN("")), "permerror", "fail", NULL);
}
