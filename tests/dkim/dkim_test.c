/* The judge end to end, on messages signed here: DV-27 to DV-46, security.md 1.3. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "dkim/judging.h"
#include "dkim/signing.h"

#define HEADER                                                                                     \
    "From: A <a@example.com>\r\nTo: b@example.net\r\nSubject: hello\r\n"                           \
    "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n"
#define MESSAGE HEADER "\r\nFirst line\r\nsecond  line \r\n\r\n"
#define TAGS                                                                                       \
    "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=ed;\r\n h=from:to:subject:date; "
#define BLANKS "bh=@;\r\n b=@"
#define NOW 1700000000

/* A zone with all keys and a growing message, for one test. */
static struct buffer zone;
static struct buffer text;
static const struct dkim_options strict = {.now = NOW, .testing_as_unsigned = true};

static void setup(void)
{
    buffer_init(&zone, 1 << 20);
    buffer_init(&text, 1 << 22);
    zone_add_key(&zone, "example.com", "ed", "", KEY_ED25519, 0);
    zone_add_key(&zone, "example.com", "rsa", "", KEY_RSA, 1024);
    zone_add_key(&zone, "example.com", "test", "t=y; ", KEY_ED25519, 0);
    zone_add_key(&zone, "example.com", "equal", "t=s; ", KEY_ED25519, 0);
}

static void teardown(void)
{
    buffer_fini(&zone);
    buffer_fini(&text);
}

TestSuite(dkim, .init = setup, .fini = teardown);

/* Signs `message` with the Ed25519 key into `text`. */
static struct span sign(const char *tags, const char *message)
{
    buffer_reset(&text);
    sign_message(&text, "DKIM-Signature", tags, signing_key(KEY_ED25519, 0),
                 span_from_string(message));
    return buffer_span(&text);
}

static struct judging *make(void)
{
    struct judging *j = malloc(sizeof *j);
    cr_assert(j);
    return j;
}

static struct judging *judge(struct span message, const struct dkim_options *options)
{
    struct judging *j = make();
    judging_run(j, message, 0, buffer_span(&zone), options);
    return j;
}

static void done(struct judging *j)
{
    judging_fini(j);
    free(j);
}

static void expect_word(const char *name, const struct judging *j, uint32_t i, const char *want)
{
    const char *got = judging_word(j, i);
    cr_expect(strcmp(got, want) == 0, "%s: signature %u: got %s, want %s", name, i, got, want);
}

static void expect_one(const char *name, struct span message, const struct dkim_options *options,
                       const char *want)
{
    struct judging *j = judge(message, options);
    expect_word(name, j, 0, want);
    done(j);
}

/* The message with its first `from` replaced. */
static struct span changed(struct span message, const char *from, const char *to)
{
    static struct buffer out;
    uint8_t *at = memmem(message.p, message.n, from, strlen(from));
    cr_assert(at, "no %s in the message", from);
    buffer_fini(&out);
    buffer_init(&out, 1 << 22);
    buffer_append(&out, span_slice(message, 0, (size_t)(at - message.p)));
    buffer_append_string(&out, to);
    buffer_append(&out, span_skip(message, (size_t)(at - message.p) + strlen(from)));
    cr_assert(!out.failed);
    return buffer_span(&out);
}

struct signed_case
{
    const char *name;
    const char *tags;
    const char *message;
    const char *want;
};

static const struct signed_case signed_cases[] = {
    {"relaxed/relaxed", TAGS BLANKS, MESSAGE, "pass"},
    {"simple/simple DV-11", "v=1; a=ed25519-sha256; d=example.com; s=ed; h=from:to; " BLANKS,
     MESSAGE, "pass"},
    {"relaxed/simple DV-11",
     "v=1; a=ed25519-sha256; c=relaxed; d=example.com; s=ed; h=from:to; " BLANKS, MESSAGE, "pass"},
    {"simple/relaxed",
     "v=1; a=ed25519-sha256; c=simple/relaxed; d=example.com; s=ed; h=from:to; " BLANKS, MESSAGE,
     "pass"},
    {"empty body, simple DV-25", "v=1; a=ed25519-sha256; d=example.com; s=ed; h=from; " BLANKS,
     HEADER "\r\n", "pass"},
    {"empty body, relaxed DV-26", TAGS BLANKS, HEADER "\r\n", "pass"},
    {"no blank line, no body DV-3", TAGS BLANKS, HEADER, "pass"},
    {"no key DV-30", "v=1; a=ed25519-sha256; d=example.com; s=none; h=from; " BLANKS, MESSAGE,
     "permerror no_key"},
    {"key of the other type C09", "v=1; a=ed25519-sha256; d=example.com; s=rsa; h=from; " BLANKS,
     MESSAGE, "permerror key_type_mismatch"},
    {"t=s and i below DV-40 C07",
     "v=1; a=ed25519-sha256; d=example.com; i=@mail.example.com; s=equal; h=from; " BLANKS, MESSAGE,
     "permerror subdomain_forbidden"},
    {"t=s and i equal DV-40",
     "v=1; a=ed25519-sha256; d=example.com; i=a@example.com; s=equal; h=from; " BLANKS, MESSAGE,
     "pass"},
    {"expired C06", TAGS "x=1699999999; " BLANKS, MESSAGE, "fail expired"},
    {"not expired C06", TAGS "t=1699999999; x=1700000000; " BLANKS, MESSAGE, "pass"},
    {"from the future C06", TAGS "t=1700003600; " BLANKS, MESSAGE, "fail future"},
    {"dkim-signature in h DV-21",
     "v=1; a=ed25519-sha256; d=example.com; s=ed; h=from:dkim-signature; " BLANKS,
     "DKIM-Signature: something else\r\n" MESSAGE, "pass"},
    {"unknown tags are hashed DV-5", TAGS "zz=1; z=From:b@x.test|b=3D; " BLANKS, MESSAGE, "pass"},
    {"from is not the first field", TAGS BLANKS, "Received: x\r\n" MESSAGE, "pass"},
    {"bare LF in the header B02", TAGS BLANKS, "X: a\nb\r\n" MESSAGE, "policy message_malformed"},
    {"bare CR in the header B02", TAGS BLANKS, "X: a\rb\r\n" MESSAGE, "policy message_malformed"},
};

Test(dkim, signed_messages)
{
    for (size_t i = 0; i < COUNT_OF(signed_cases); i++) {
        const struct signed_case *c = &signed_cases[i];
        expect_one(c->name, sign(c->tags, c->message), &strict, c->want);
    }
}

Test(dkim, rsa_and_evidence)
{
    sign_message(&text, "DKIM-Signature",
                 "v=1; a=rsa-sha256; c=relaxed; d=Example.com; s=rsa; h=from:to; " BLANKS,
                 signing_key(KEY_RSA, 1024), SPAN(MESSAGE));
    struct judging *j = judge(buffer_span(&text), &strict);
    const struct dkim_verified *verified = &j->judgement.verified[0];
    expect_word("rsa", j, 0, "pass");
    cr_expect(verified->keys.bits == 1024 && !verified->keys.testing, "DV-37, DV-42");
    cr_expect(verified->usable_for_dmarc && verified->body_hash_matches);
    cr_expect(verified->body_signed == 27 && verified->body_total == 27, "got %lu of %lu",
              verified->body_signed, verified->body_total);
    cr_expect(j->rounds == 1 && j->answers.count == 1 && j->list.count == 1);
    done(j);
}

/* T7: whole = every split in two = byte by byte. */
Test(dkim, segmentation)
{
    struct span message = sign(TAGS BLANKS, MESSAGE);
    for (size_t piece = 1; piece < message.n; piece++) {
        struct judging *j = make();
        judging_run(j, message, piece, buffer_span(&zone), &strict);
        cr_expect_str_eq(judging_word(j, 0), "pass", "pieces of %zu", piece);
        done(j);
    }
}

Test(dkim, changed_messages)
{
    struct span message = sign(TAGS BLANKS, MESSAGE);
    struct judging *j = judge(changed(message, "First", "Other"), &strict);
    expect_word("body", j, 0, "fail body_hash");
    cr_expect(j->list.count == 0, "a wrong body costs no public-key work");
    cr_expect(!j->judgement.verified[0].usable_for_dmarc);
    done(j);
    expect_one("header", changed(message, "hello", "hallo"), &strict, "fail signature");
    expect_one("signature field", changed(message, "relaxed;", "relaxed; "), &strict, "pass");
    expect_one("tag", changed(message, "v=1;", "v=1; y=2;"), &strict, "fail signature");
    expect_one("folded anew", changed(message, "Subject: hello", "Subject:\r\n hello\t"), &strict,
               "pass");
    expect_one("second From DV-20", changed(message, "\r\n\r\n", "\r\nFrom: b@victim.test\r\n\r\n"),
               &strict, "fail signature");
}

/* T19: no message with one bit changed passes; every octet of this one is signed. */
Test(dkim, no_single_bit_flip_passes)
{
    struct span message =
        sign("v=1; a=ed25519-sha256; d=example.com; s=ed; h=from:to:subject:date; " BLANKS,
             HEADER "\r\nBody\r\n");
    for (size_t bit = 0; bit < 8 * message.n; bit++) {
        text.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
        struct judging *j = judge(message, &strict);
        for (uint32_t i = 0; i < j->judgement.count; i++)
            cr_expect(j->judgement.verified[i].result != RESULT_PASS, "bit %zu of octet %zu passes",
                      bit % 8, bit / 8);
        done(j);
        text.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    expect_one("put back", message, &strict, "pass");
}

/* DV-27, C01: octets beyond l= are nobody's. */
static const struct
{
    const char *l;
    const char *want, *want_allowed;
    uint64_t body_signed;
} length_cases[] = {
    {"l=10; ", "policy unsigned_body", "pass", 10},
    {"l=0; ", "policy unsigned_body", "pass", 0},
    {"l=24; ", "policy unsigned_body", "pass", 24},
    {"l=25; ", "pass", "pass", 25},
    {"l=0000000000000000000025; ", "pass", "pass", 25},
};

Test(dkim, unsigned_body)
{
    struct dkim_options lenient = strict;
    lenient.allow_unsigned_body = true;
    for (size_t i = 0; i < COUNT_OF(length_cases); i++) {
        char tags[512];
        snprintf(tags, sizeof tags, "%s%s%s", TAGS, length_cases[i].l, BLANKS);
        struct span message = sign(tags, MESSAGE);
        struct judging *j = judge(message, &strict);
        const struct dkim_verified *verified = &j->judgement.verified[0];
        expect_word(length_cases[i].l, j, 0, length_cases[i].want);
        cr_expect(verified->body_signed == length_cases[i].body_signed, "%s: got %lu",
                  length_cases[i].l, verified->body_signed);
        cr_expect(verified->body_total == 25, "%s: got %lu", length_cases[i].l,
                  verified->body_total);
        cr_expect(verified->usable_for_dmarc == (verified->result == RESULT_PASS));
        done(j);
        expect_one(length_cases[i].l, message, &lenient, length_cases[i].want_allowed);
    }
    struct span appended = changed(sign(TAGS "l=25; " BLANKS, MESSAGE), "second  line \r\n\r\n",
                                   "second  line \r\n\r\nclick here\r\n");
    expect_one("appended", appended, &strict, "policy unsigned_body");
}

Test(dkim, length_beyond_the_body)
{
    static const char *const lengths[] = {
        "l=26; ", "l=18446744073709551615; ",
        "l=9999999999999999999999999999999999999999999999999999999999999999999999999999; "};
    struct dkim_options lenient = strict;
    lenient.allow_unsigned_body = true;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        char tags[512];
        snprintf(tags, sizeof tags, "%s%s%s", TAGS, lengths[i], BLANKS);
        expect_one(lengths[i], sign(tags, MESSAGE), &strict, "permerror length_beyond_body");
        expect_one(lengths[i], sign(tags, MESSAGE), &lenient, "permerror length_beyond_body");
    }
}

/* DV-40, C10, 13.18: the flag is told, DMARC's use is a switch. */
Test(dkim, testing_keys)
{
    struct dkim_options trusting = {.now = NOW};
    struct span message =
        sign("v=1; a=ed25519-sha256; d=example.com; s=test; h=from; " BLANKS, MESSAGE);
    struct judging *j = judge(message, &strict);
    expect_word("strict", j, 0, "pass");
    cr_expect(j->judgement.verified[0].keys.testing && !j->judgement.verified[0].usable_for_dmarc);
    done(j);
    j = judge(message, &trusting);
    expect_word("trusting", j, 0, "pass");
    cr_expect(j->judgement.verified[0].keys.testing && j->judgement.verified[0].usable_for_dmarc);
    done(j);
}

/* DV-31: each key of a name is tried; the flags are those of the one that fits. */
Test(dkim, second_key_fits)
{
    buffer_reset(&zone);
    zone_add_key(&zone, "example.com", "ed", "t=y; ", KEY_ED25519, 1);
    zone_add_key(&zone, "example.com", "ed", "", KEY_ED25519, 0);
    struct judging *j = judge(sign(TAGS BLANKS, MESSAGE), &strict);
    expect_word("two keys", j, 0, "pass");
    cr_expect(j->list.count == 2 && !j->judgement.verified[0].keys.testing);
    done(j);
}

/* DV-47: a U-label in d=; the question goes to the A-label. */
Test(dkim, internationalized_domain)
{
    zone_add_key(&zone, "xn--bcher-kva.example", "ed", "", KEY_ED25519, 0);
    struct span message = sign("v=1; a=ed25519-sha256; d=b\xc3\xbc"
                               "cher.example; s=ed; h=from; i=@mail.b\xc3\xbc"
                               "cher.example; " BLANKS,
                               MESSAGE);
    expect_one("U-label", message, &strict, "pass");
}

/* A03, A04, C06: what is lost by its syntax or time asks the DNS nothing. */
Test(dkim, lost_signatures_ask_nothing)
{
    static const char *const fields[] = {
        "d=victim.test; s=sel._domainkey.attack.test.\\000.x",
        "d=victim.test(.attack.test; s=s",
        "d=victim.test'a.attack.test; s=s",
        "d=victim.test; s=s; x=5",
        "d=victim.test; s=s; v=2",
    };
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        buffer_reset(&text);
        buffer_printf(&text,
                      "DKIM-Signature: v=1; a=rsa-sha256; h=from; b=QUJD; "
                      "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; %s\r\n",
                      fields[i]);
        buffer_append(&text, SPAN(MESSAGE));
        struct judging *j = judge(buffer_span(&text), &strict);
        cr_expect(j->judgement.count == 1 && j->answers.count == 0, "%s: asked", fields[i]);
        cr_expect(j->judgement.verified[0].result != RESULT_PASS);
        done(j);
    }
}

Test(dkim, dns_trouble)
{
    buffer_reset(&zone);
    buffer_append_string(&zone, "ed._domainkey.example.com TXT !servfail\n");
    expect_one("DV-30 C11", sign(TAGS BLANKS, MESSAGE), &strict, "temperror dns_servfail");
    buffer_reset(&zone);
    buffer_append_string(&zone, "ed._domainkey.example.com TXT \"p=\"\n");
    expect_one("DV-33 C11", sign(TAGS BLANKS, MESSAGE), &strict, "permerror revoked");
}

static void add_junk(struct buffer *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buffer_printf(out,
                      "DKIM-Signature: v=1; a=ed25519-sha256; d=junk%u.test; s=s; h=from; "
                      "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=QUJD\r\n",
                      i);
}

/* `above` junk signatures above the good one, `below` under it. */
static struct span with_junk(unsigned above, unsigned below)
{
    static struct buffer out;
    static struct buffer lower;
    buffer_fini(&out);
    buffer_fini(&lower);
    buffer_init(&out, 1 << 22);
    buffer_init(&lower, 1 << 22);
    add_junk(&lower, below);
    buffer_append(&lower, SPAN(MESSAGE));
    add_junk(&out, above);
    sign_message(&out, "DKIM-Signature", TAGS BLANKS, signing_key(KEY_ED25519, 0),
                 buffer_span(&lower));
    cr_assert(!out.failed && !lower.failed);
    return buffer_span(&out);
}

static const struct dkim_verified *find_good(const struct judging *j)
{
    for (uint32_t i = 0; i < j->judgement.count; i++)
        if (span_equal(j->judgement.verified[i].signature.domain_text, SPAN("example.com")))
            return &j->judgement.verified[i];
    return NULL;
}

struct junk_case
{
    const char *name;
    unsigned above, below;
    const char *author; /* NULL: none known */
    enum result result; /* of the good one; UNSET: not even parsed */
    uint32_t rank, skipped;
};

static const struct junk_case junk_cases[] = {
    {"9 above, no author", 9, 0, NULL, RESULT_PASS, 9, 0},
    {"10 above, no author", 10, 0, NULL, RESULT_POLICY, 10, 1},
    {"11 above, no author", 11, 0, NULL, RESULT_POLICY, 11, 2},
    {"10 above, aligned C05 DV-44", 10, 0, "example.com", RESULT_PASS, 0, 1},
    {"9 above, aligned", 9, 0, "example.com", RESULT_PASS, 0, 0},
    {"author below d", 10, 0, "mail.example.com", RESULT_PASS, 0, 1},
    {"author above d", 10, 0, "com", RESULT_PASS, 0, 1},
    {"no label boundary", 10, 0, "ample.com", RESULT_POLICY, 10, 1},
    {"30 above", 30, 0, "example.com", RESULT_PASS, 0, 21},
    {"31 above", 31, 0, "example.com", RESULT_PASS, 0, 22},
    {"32 above", 32, 0, "example.com", RESULT_PASS, 0, 22},
    {"31 above, no author", 31, 0, NULL, RESULT_POLICY, 31, 22},
    {"32 above, no author", 32, 0, NULL, RESULT_UNSET, 0, 22},
    {"900 above C05", 900, 0, "example.com", RESULT_PASS, 0, 22},
    {"450 around C05", 450, 450, "example.com", RESULT_PASS, 0, 22},
};

static void check_junk(const struct junk_case *c)
{
    struct dns_name author = {0};
    struct dkim_options options = strict;
    uint32_t skipped = 0;
    if (c->author) {
        cr_assert(dns_name_from_domain(&author, span_from_string(c->author)) == DNS_NAME_OK);
        options.author_domains = &author;
        options.author_count = 1;
    }
    struct judging *j = judge(with_junk(c->above, c->below), &options);
    const struct dkim_verified *good = find_good(j);
    uint32_t total = c->above + c->below + 1;
    uint32_t parsed = total < MAX_SIGNATURES_PARSED ? total : MAX_SIGNATURES_PARSED;
    cr_expect(j->judgement.total == total, "%s: counted %u", c->name, j->judgement.total);
    cr_expect(j->judgement.count == parsed, "%s: parsed %u", c->name, j->judgement.count);
    cr_expect(j->answers.count <= MAX_SIGNATURES_VERIFIED, "%s: %u questions", c->name,
              j->answers.count);
    cr_expect(j->hits.n[LIMIT_SIGNATURES_PARSED] == (total > MAX_SIGNATURES_PARSED), "%s", c->name);
    for (uint32_t i = 0; i < j->judgement.count; i++)
        skipped += j->judgement.verified[i].skipped;
    cr_expect(skipped == c->skipped, "%s: skipped %u", c->name, skipped);
    cr_expect(j->hits.n[LIMIT_SIGNATURES_VERIFIED] == skipped, "%s", c->name);
    cr_expect((good ? good->result : RESULT_UNSET) == c->result, "%s: got %d", c->name,
              good ? (int)good->result : -1);
    cr_expect(!good || good->rank == c->rank, "%s: rank %u", c->name, good ? good->rank : 0);
    cr_expect(!good || good->skipped == (c->result == RESULT_POLICY), "%s", c->name);
    done(j);
}

Test(dkim, junk_cannot_push_the_good_one_out)
{
    for (size_t i = 0; i < COUNT_OF(junk_cases); i++)
        check_junk(&junk_cases[i]);
}

/* Unparsable and expired signatures take no place of one that can be verified. */
Test(dkim, broken_ones_take_no_place)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    for (unsigned i = 0; i < MAX_SIGNATURES_VERIFIED; i++)
        buffer_append_string(&out, i % 2 ? "DKIM-Signature: synerr\r\n"
                                         : "DKIM-Signature: v=1; d=a.test\r\n");
    buffer_append(&out, sign(TAGS BLANKS, MESSAGE));
    struct judging *j = judge(buffer_span(&out), &strict);
    expect_word("first", j, 0, "permerror missing_tag_a");
    expect_word("second", j, 1, "permerror tag_without_equals");
    expect_word("good", j, MAX_SIGNATURES_VERIFIED, "pass");
    done(j);
    buffer_fini(&out);
}

/* C18: what one signature leaves behind does not reach the next, in any order. */
Test(dkim, signatures_do_not_touch_each_other)
{
    struct buffer bad;
    struct buffer good;
    buffer_init(&bad, 1 << 20);
    buffer_init(&good, 1 << 20);
    buffer_append(&good, sign(TAGS BLANKS, MESSAGE));
    struct span field = span_slice(buffer_span(&good), 0, good.n - (sizeof MESSAGE - 1));
    struct span wrong = changed(field, "d=example.com", "d=EXAMPLE.com");
    buffer_append(&bad, wrong);
    buffer_append(&bad, buffer_span(&good));
    struct judging *j = judge(buffer_span(&bad), &strict);
    expect_word("bad above", j, 0, "fail signature");
    expect_word("bad above", j, 1, "pass");
    cr_expect(j->answers.count == 1, "one question for both");
    done(j);
    buffer_reset(&bad);
    buffer_append(&bad, field);
    buffer_append(&bad, wrong);
    buffer_append(&bad, SPAN(MESSAGE));
    j = judge(buffer_span(&bad), &strict);
    expect_word("bad below", j, 0, "pass");
    expect_word("bad below", j, 1, "fail signature");
    done(j);
    buffer_fini(&bad);
    buffer_fini(&good);
}

static bool is_unsigned(const struct judging *j, const char *name)
{
    const struct dkim_verified *verified = &j->judgement.verified[0];
    for (uint32_t i = 0; i < verified->unsigned_field_count; i++)
        if (strcmp(verified->unsigned_fields[i], name) == 0)
            return true;
    return false;
}

Test(dkim, unsigned_fields_are_told)
{
    static const char from_only[] = "v=1; a=ed25519-sha256; d=example.com; s=ed; h=from; " BLANKS;
    struct judging *j = judge(sign(from_only, MESSAGE), &strict);
    expect_word("C02", j, 0, "pass");
    cr_expect(j->judgement.verified[0].unsigned_field_count == 3);
    cr_expect(is_unsigned(j, "subject") && is_unsigned(j, "to") && is_unsigned(j, "date"));
    cr_expect(!is_unsigned(j, "from") && !is_unsigned(j, "content-type"));
    done(j);
    struct span message = sign(TAGS BLANKS, MESSAGE);
    j = judge(message, &strict);
    cr_expect(j->judgement.verified[0].unsigned_field_count == 0, "all covered");
    done(j);
    buffer_reset(&zone);
    zone_add_key(&zone, "example.com", "ed", "", KEY_ED25519, 0);
    j = judge(changed(message, "DKIM-Sig", "SUBJECT: win\r\nContent-Type: text/html\r\nDKIM-Sig"),
              &strict);
    expect_word("C03", j, 0, "pass");
    cr_expect(j->judgement.verified[0].unsigned_field_count == 2);
    cr_expect(is_unsigned(j, "subject") && is_unsigned(j, "content-type"));
    done(j);
}

Test(dkim, no_signature_no_verdict)
{
    struct judging *j = judge(SPAN(MESSAGE), &strict);
    cr_expect(j->judgement.count == 0 && j->judgement.total == 0 && !j->judgement.refused);
    done(j);
}

/* B10: over a limit of the header nothing is judged, and that is told. */
Test(dkim, refused_header)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    for (unsigned i = 0; i < MAX_FIELD_COUNT; i++)
        buffer_append_string(&out, "X: y\r\n");
    buffer_append(&out, sign(TAGS BLANKS, MESSAGE));
    struct judging *j = judge(buffer_span(&out), &strict);
    cr_assert(j->judgement.refused);
    cr_expect_str_eq(j->judgement.refused, "too_many_fields");
    cr_expect(j->judgement.count == 0 && j->list.count == 0);
    done(j);
    buffer_fini(&out);
}

/* Only a verified job is a pass: R2. */
Test(dkim, job_results_become_results)
{
    static const struct
    {
        enum verify job;
        const char *want;
    } cases[] = {
        {VERIFY_PASS, "pass"},
        {VERIFY_FAIL, "fail signature"},
        {VERIFY_ERROR, "temperror verify_error"},
        {VERIFY_UNSET, "temperror verify_error"},
        {(enum verify)1, "temperror verify_error"}, /* D15 */
    };
    struct span message = sign(TAGS BLANKS, MESSAGE);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct judging *j = make();
        judging_to_jobs(j, message, 0, buffer_span(&zone), &strict);
        cr_assert(j->list.count == 1);
        j->list.jobs[0].result = cases[i].job;
        judging_end(j, &strict);
        expect_word("job", j, 0, cases[i].want);
        done(j);
    }
}

/* Failures of the library and the limits of others end in an error, never in a pass. */
Test(dkim, failed_body_hash_is_temporary)
{
    struct span message = sign(TAGS BLANKS, MESSAGE);
    struct judging *j = make();
    judging_to_jobs(j, message, 0, buffer_span(&zone), &strict);
    j->judgement.verified[0].job_count = 0;
    j->judgement.verified[0].result = RESULT_UNSET;
    j->list.count = 0;
    j->hasher.failed = true;
    dkim_jobs(&j->judgement, &j->reader.header, &j->hasher, &strict, &j->scratch, &j->list);
    judging_end(j, &strict);
    expect_word("hasher", j, 0, "temperror body_hash_unknown");
    done(j);
}

Test(dkim, without_keys_it_is_temporary)
{
    struct span message = sign(TAGS BLANKS, MESSAGE);
    struct judging *j = make();
    judging_to_jobs(j, message, 0, buffer_span(&zone), &strict);
    dkim_fini(&j->judgement); /* as if nobody had fetched */
    j->judgement.verified[0].job_count = 0;
    j->list.count = 0;
    dkim_jobs(&j->judgement, &j->reader.header, &j->hasher, &strict, &j->scratch, &j->list);
    judging_end(j, &strict);
    expect_word("no fetch", j, 0, "temperror key_not_fetched");
    done(j);
}

Test(dkim, body_hash_places_are_all_taken)
{
    struct span message = sign(TAGS BLANKS, MESSAGE);
    struct judging *j = judge(message, &strict);
    struct body_hasher full;
    struct dkim_judgement judgement;
    body_hasher_init(&full, &j->anomalies, &j->hits);
    for (uint64_t i = 0; i < MAX_BODY_HASHES; i++)
        cr_assert(body_hasher_want(&full, CANON_SIMPLE, i) >= 0);
    cr_assert(dkim_begin(&judgement, &j->reader.header, NULL, &strict, &full, &j->arena, &j->hits));
    cr_expect(judgement.verified[0].result == RESULT_PERMERROR);
    cr_expect_str_eq(judgement.verified[0].reason, "too_many_body_hashes");
    dkim_fini(&judgement);
    body_hasher_fini(&full);
    done(j);
}

/* T8: with any amount of memory the good message passes or ends in an error of memory. */
Test(dkim, any_lack_of_memory_is_an_error)
{
    struct span message = sign(TAGS BLANKS, MESSAGE);
    struct judging *j = judge(message, &strict);
    size_t passing = 0;
    size_t needed = 4 * j->arena.used_bytes;
    for (size_t ceiling = 0; ceiling < needed; ceiling += 16) {
        struct dkim_judgement judgement;
        struct body_hasher hasher;
        struct arena arena;
        arena_init(&arena, ceiling);
        body_hasher_init(&hasher, &j->anomalies, &j->hits);
        if (dkim_begin(&judgement, &j->reader.header, NULL, &strict, &hasher, &arena, &j->hits) &&
            judgement.verified[0].result != RESULT_UNSET)
            cr_expect(judgement.verified[0].result == RESULT_TEMPERROR, "%zu octets: got %d %s",
                      ceiling, judgement.verified[0].result, judgement.verified[0].reason);
        passing += !arena.failed;
        body_hasher_fini(&hasher);
        arena_fini(&arena);
    }
    cr_expect(passing > 0, "with enough memory there is no error");
    done(j);
}
