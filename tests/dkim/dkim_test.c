/* The judge end to end, on messages signed here: DV-27 to DV-47, security.md 1.3. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "dkim/fixture.h"

TestSuite(dkim, .init = fixture_setup, .fini = fixture_teardown);

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
    static const char from_only[] =
        "v=1; a=ed25519-sha256; d=example.com; s=ed; h=from:from:cc; " BLANKS;
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
