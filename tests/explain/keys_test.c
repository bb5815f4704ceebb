/* Causes that lie with the key, with b= and bh=, or with the signing program; Ed25519; z=. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "diagnosing.h"
#include "dkim/signing.h"
#include "mail/body.h"

#define RSA_TAGS "v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s1; h=from:subject; bh=@; "
#define ED_TAGS                                                                                    \
    "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=a.example; s=e1; h=from:subject; bh=@; "

static const char message[] = "From: The Shop <orders@a.example>\r\n"
                              "Subject:  Your   order\r\n"
                              "\r\n"
                              "Dear Ada,  it  is\r\n"
                              "on its way.\r\n";

struct expected
{
    const char *causes;
    enum diagnose_key_state key;
    enum diagnose_state header, body;
};

static void expect(const char *name, const char *text, struct public_key *key,
                   const struct diagnose_key *others, size_t count, struct expected want)
{
    struct patient patient;
    examine(&patient, span_from_string(text), key, others, count);
    const struct diagnosis *got = &patient.diagnosis;
    cr_expect_str_eq(cause_words(got), want.causes, "%s: got \"%s\" want \"%s\"", name,
                     cause_words(got), want.causes);
    cr_expect(got->key == want.key, "%s: key %d", name, got->key);
    cr_expect(got->header.state == want.header, "%s: header %x", name, got->header.state);
    cr_expect(got->body.state == want.body, "%s: body %x", name, got->body.state);
    examined(&patient);
}

#define INTACT DIAGNOSE_INTACT
#define CHANGED DIAGNOSE_CHANGED

Test(diagnose_key, another_key_signed)
{
    struct private_key *stranger = private_key_generate(KEY_RSA, 1024);
    struct public_key *own = public_half(signing_key(KEY_RSA, 1024));
    struct public_key *large = public_half(signing_key(KEY_RSA, 2048));
    struct public_key *published = public_half(stranger);
    struct diagnose_key others[] = {{large, SPAN("a.example"), SPAN("s2")},
                                    {own, SPAN("b.example"), SPAN("s3")}};
    char *text = signed_text(RSA_TAGS "b=@", message, signing_key(KEY_RSA, 1024));
    expect("no other key", text, published, NULL, 0,
           (struct expected){"?wrong_key", DIAGNOSE_KEY_WRONG, DIAGNOSE_UNKNOWN, INTACT});
    expect("a key of another size", text, large, NULL, 0,
           (struct expected){"?signature_length", DIAGNOSE_KEY_WRONG, DIAGNOSE_UNKNOWN, INTACT});
    expect("another selector's key", text, published, others, 2,
           (struct expected){"other_key", DIAGNOSE_KEY_WRONG, INTACT, INTACT});
    expect("no key", text, NULL, NULL, 0,
           (struct expected){"", DIAGNOSE_KEY_NONE, DIAGNOSE_UNKNOWN, INTACT});

    struct patient patient;
    examine(&patient, span_from_string(text), published, others, 2);
    const struct diagnose_finding *finding = finding_of(&patient.diagnosis, CAUSE_OTHER_KEY);
    cr_assert(finding != NULL);
    cr_expect(span_equal(finding->selector, SPAN("s3")) &&
              span_equal(finding->domain, SPAN("b.example")));
    examined(&patient);
    free(text);
    public_key_unref(&own);
    public_key_unref(&large);
    public_key_unref(&published);
    private_key_free(&stranger);
}

/* The header changed too: the recovered digest still tells. */
Test(diagnose_key, another_selectors_key_and_a_tag)
{
    struct private_key *stranger = private_key_generate(KEY_RSA, 1024);
    struct public_key *own = public_half(signing_key(KEY_RSA, 1024));
    struct public_key *published = public_half(stranger);
    struct diagnose_key others[] = {{own, SPAN("a.example"), SPAN("s3")}};
    char *text = signed_text(RSA_TAGS "b=@", message, signing_key(KEY_RSA, 1024));
    char *tagged = altered(text, (const struct alteration[]){{"Subject: ", "Subject: [l] "}, {0}});
    expect("tagged", tagged, published, others, 1,
           (struct expected){"other_key subject_prefix", DIAGNOSE_KEY_WRONG, CHANGED, INTACT});
    free(text);
    free(tagged);
    public_key_unref(&own);
    public_key_unref(&published);
    private_key_free(&stranger);
}

static char *b_of(char *text)
{
    return strstr(text, " b=") + 3;
}

/* Plus signs that became blanks, as an URL decoder makes them; one in front is lost for good, since
 * blanks there mean nothing. */
Test(diagnose_key, plus_signs_lost)
{
    struct public_key *own = public_half(signing_key(KEY_RSA, 1024));
    unsigned damaged = 0;
    for (int t = 1; t <= 60; t++) {
        char tags[256];
        snprintf(tags, sizeof tags, RSA_TAGS "t=%d; b=@", t);
        char *text = signed_text(tags, message, signing_key(KEY_RSA, 1024));
        char *b = b_of(text), *line_end = strchr(b, '\r');
        bool has_plus = memchr(b, '+', (size_t)(line_end - b)) != NULL;
        for (char *p = b; p < line_end && *b != '+'; p++)
            *p = *p == '+' ? ' ' : *p;
        if (has_plus && *b != '+') {
            damaged++;
            expect("plus", text, own, NULL, 0,
                   (struct expected){"signature_damaged", DIAGNOSE_KEY_RIGHT, INTACT, INTACT});
        }
        free(text);
    }
    cr_expect(damaged > 0);
    public_key_unref(&own);
}

Test(diagnose_key, damaged_fields)
{
    struct public_key *own = public_half(signing_key(KEY_RSA, 1024));
    char *text = signed_text(RSA_TAGS "b=@", message, signing_key(KEY_RSA, 1024));
    char *bh = strstr(text, "bh=") + 3;
    *bh = *bh == 'A' ? 'B' : 'A';
    expect("bh= changed", text, own, NULL, 0,
           (struct expected){"body_hash_replaced", DIAGNOSE_KEY_RIGHT, CHANGED, INTACT});
    free(text);
    text = signed_text(RSA_TAGS "b=@", message, signing_key(KEY_RSA, 1024));
    b_of(text)[20] = b_of(text)[20] == 'A' ? 'B' : 'A';
    expect("b= changed", text, own, NULL, 0,
           (struct expected){"?wrong_key", DIAGNOSE_KEY_WRONG, DIAGNOSE_UNKNOWN, INTACT});
    free(text);
    public_key_unref(&own);
}

Test(diagnose_key, signing_program_at_fault)
{
    struct public_key *own = public_half(signing_key(KEY_RSA, 1024));
    const struct private_key *key = signing_key(KEY_RSA, 1024);
    char *body =
        signed_oddly(RSA_TAGS " b=@", message, key, CANON_RELAXED, CANON_SIMPLE, BODY_WHOLE);
    expect("body form", body, own, NULL, 0,
           (struct expected){"body_canonicalization", DIAGNOSE_KEY_RIGHT, INTACT, CHANGED});
    char *header =
        signed_oddly(RSA_TAGS " b=@", message, key, CANON_SIMPLE, CANON_RELAXED, BODY_WHOLE);
    expect("header form", header, own, NULL, 0,
           (struct expected){"header_canonicalization", DIAGNOSE_KEY_RIGHT, CHANGED, INTACT});
    char *length =
        signed_oddly(RSA_TAGS "l=4; b=@", message, key, CANON_RELAXED, CANON_RELAXED, BODY_WHOLE);
    expect("length", length, own, NULL, 0,
           (struct expected){"length_wrong", DIAGNOSE_KEY_RIGHT, INTACT, CHANGED});
    free(body);
    free(header);
    free(length);
    public_key_unref(&own);
}

/* A block with a SHA-512 in it, made with the library itself: our signer refuses. */
Test(diagnose_key, another_digest)
{
    uint8_t digest[64] = {1}, signature[512];
    size_t n = sizeof signature;
    struct buffer pem;
    buffer_init(&pem, 64 * 1024);
    cr_assert(private_key_to_pem(signing_key(KEY_RSA, 1024), NULL, &pem));
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    cr_assert(EVP_PKEY_sign_init(context) == 1 &&
              EVP_PKEY_CTX_set_signature_md(context, EVP_sha512()) == 1 &&
              EVP_PKEY_sign(context, signature, &n, digest, sizeof digest) == 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    buffer_fini(&pem);

    struct public_key *own = public_half(signing_key(KEY_RSA, 1024));
    char *text = signed_text(RSA_TAGS "b=@", message, signing_key(KEY_RSA, 1024));
    char b[1024] = "";
    base64_encode(span_of(signature, n), b);
    cr_assert(strlen(b) == strcspn(b_of(text), "\r"));
    memcpy(b_of(text), b, strlen(b));
    expect("sha512", text, own, NULL, 0,
           (struct expected){"other_digest", DIAGNOSE_KEY_RIGHT, DIAGNOSE_UNKNOWN, INTACT});
    free(text);
    public_key_unref(&own);
}

/* RFC 8463: the key does not tell which digest was signed, so each try is a verification. */
Test(diagnose_key, ed25519)
{
    static const struct
    {
        const char *name;
        struct alteration alterations[ALTERATIONS_MAX];
        struct expected want;
    } cases[] = {
        {"tag and footer",
         {{"Subject: ", "Subject: [l] "}, {NULL, "footer\r\n"}},
         {"footer_appended subject_prefix", DIAGNOSE_KEY_RIGHT, CHANGED, CHANGED}},
        {"footer alone",
         {{NULL, "footer\r\n"}},
         {"footer_appended", DIAGNOSE_KEY_RIGHT, INTACT, CHANGED}},
        {"another word",
         {{"order", "bill"}},
         {"?signature_wrong", DIAGNOSE_KEY_UNKNOWN, DIAGNOSE_UNKNOWN, INTACT}},
    };
    struct public_key *own = public_half(signing_key(KEY_ED25519, 0));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *text =
            signed_text(ED_TAGS "b=@", "From: o@a.example\r\nSubject: Your order\r\n\r\nx\r\n",
                        signing_key(KEY_ED25519, 0));
        char *after = altered(text, cases[i].alterations);
        expect(cases[i].name, after, own, NULL, 0, cases[i].want);
        free(text);
        free(after);
    }
    public_key_unref(&own);
}

/* DV-19: z= is for diagnosis, and here it is one: what was signed comes to light. */
Test(diagnose_key, copied_fields)
{
    static const char tags[] = RSA_TAGS "z=From:=20The=20Shop=20<orders@a.example>|"
                                        "Subject:=20=20Your=20=20=20order; b=@";
    struct public_key *own = public_half(signing_key(KEY_RSA, 1024));
    struct patient patient;
    char *text = signed_text(tags, message, signing_key(KEY_RSA, 1024));
    char *changed = altered(text, (const struct alteration[]){{"Your   order", "Pay now"}, {0}});
    examine(&patient, span_from_string(changed), own, NULL, 0);
    const struct diagnose_finding *finding = finding_of(&patient.diagnosis, CAUSE_FIELD_CHANGED);
    cr_assert(finding != NULL, "%s", cause_words(&patient.diagnosis));
    cr_expect(span_equal(finding->before, SPAN("Your order")) &&
              span_equal(finding->after, SPAN("Pay now")) && finding->proven);
    examined(&patient);
    free(changed);
    changed = altered(text, (const struct alteration[]){{"Subject:  Your   order\r\n", ""}, {0}});
    expect("removed", changed, own, NULL, 0,
           (struct expected){"field_removed", DIAGNOSE_KEY_RIGHT, CHANGED, INTACT});
    free(changed);
    free(text);
    public_key_unref(&own);
}
