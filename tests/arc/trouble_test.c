/* DNS, limits, trusted sealers, want of memory: AV-17 to AV-19, I08, I09. */
#include <stdio.h>

#include <criterion/criterion.h>

#include "arc/arc_case.h"

TestSuite(trouble, .init = case_setup, .fini = case_teardown);

/* AV-17, 13.32: no answer is fail like everything else, but another time may give another. */
Test(trouble, dns_trouble)
{
    static const struct
    {
        const char *name, *record;
        bool temporary;
        const char *detail;
    } cases[] = {
        {"no such type", "A 192.0.2.1", false, "no_key"},
        {"revoked", "TXT \"v=DKIM1; p=\"", false, "revoked"},
        {"no key", "TXT \"hello\"", false, NULL},
        {"SERVFAIL", "TXT !servfail", true, "dns_servfail"},
        {"timeout", "TXT !timeout", true, "dns_timeout"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        renew();
        chain_seal(&chain, &(struct chain_hop){.domain = "one.test"});
        struct buffer good;
        buffer_init(&good, 4096);
        buffer_append(&good, buffer_span(&chain.zone));
        chain_seal(&chain, &(struct chain_hop){.domain = "two.test"});

        /* The newest AMS is looked at first. */
        buffer_reset(&chain.zone);
        buffer_append(&chain.zone, buffer_span(&good));
        buffer_printf(&chain.zone, "s._domainkey.two.test. %s\n", cases[i].record);
        judge();
        arc_expect(cases[i].name, &run, RESULT_FAIL, "ams_key");
        cr_expect(run.arc.temporary == cases[i].temporary, "%s", cases[i].name);
        cr_expect(run.arc.fault_instance == 2 && run.list.count == 0);
        const char *detail = run.arc.sets[1].reason;
        cr_expect(!cases[i].detail || (detail && strcmp(detail, cases[i].detail) == 0),
                  "%s: got %s", cases[i].name, detail);
        arc_run_fini(&run);
        buffer_fini(&good);
    }
}

/* The same for the seal of a set whose AMS does not decide. */
Test(trouble, dns_trouble_of_a_lower_seal)
{
    for (int temporary = 0; temporary < 2; temporary++) {
        renew();
        chain_seal(&chain, &(struct chain_hop){.domain = "one.test"});
        buffer_reset(&chain.zone);
        chain_seal(&chain, &(struct chain_hop){.domain = "two.test"});
        if (temporary)
            buffer_append_string(&chain.zone, "s._domainkey.one.test. TXT !servfail\n");
        judge();
        arc_expect("lower seal", &run, RESULT_FAIL, "seal_key");
        cr_expect(run.arc.fault_instance == 1 && run.arc.temporary == (temporary == 1));
        arc_run_fini(&run);
    }
}

/* DV-31: of two keys one is the right one. */
Test(trouble, several_keys)
{
    struct private_key *other = private_key_generate(KEY_RSA, 1024);
    chain_seal(&chain, &(struct chain_hop){.published = other, .selector = "s"});
    struct buffer wrong;
    buffer_init(&wrong, 4096);
    buffer_append(&wrong, buffer_span(&chain.zone));
    expect("the wrong key alone", RESULT_FAIL, "ams_signature", 1);
    buffer_reset(&chain.zone);
    chain.count = 0;
    for (size_t k = 0; k < CHAIN_FIELDS; k++)
        buffer_reset(&chain.value[0][k]);
    chain_seal(&chain, NULL);
    buffer_append(&chain.zone, buffer_span(&wrong));
    expect("both", RESULT_PASS, NULL, 0);
    buffer_fini(&wrong);
    private_key_free(&other);
}

/* I08, AV-19: DNS_QUESTIONS_ARC at limit-1, limit, limit+1; the others' questions stay theirs. */
Test(trouble, I08_many_domains)
{
    for (uint32_t sets = MAX_DNS_QUESTIONS_ARC - 1; sets <= MAX_DNS_QUESTIONS_ARC + 1; sets++) {
        renew();
        for (uint32_t i = 1; i <= sets; i++) {
            char domain[32];
            snprintf(domain, sizeof domain, "hop%u.test", i);
            chain_seal(&chain, &(struct chain_hop){.domain = domain});
        }
        bool over = sets > MAX_DNS_QUESTIONS_ARC;
        judge();
        arc_expect("domains", &run, over ? RESULT_FAIL : RESULT_PASS, over ? "seal_key" : NULL);
        cr_expect(!run.arc.temporary, "asking again will not help");
        cr_expect(run.arc.questions == (over ? MAX_DNS_QUESTIONS_ARC : sets));
        cr_expect(run.answers.count == run.arc.questions);
        cr_expect(run.answers.ceiling - run.answers.count == MAX_DNS_QUESTIONS,
                  "%u questions are left to the others", run.answers.ceiling - run.answers.count);
        cr_expect(!over || run.arc.fault_instance == 1, "the newest are asked for first");
        arc_run_fini(&run);
    }
}

/* I08: the structure is looked at before any key, so junk on top costs no question. */
Test(trouble, I08_structure_first)
{
    chain_seal_many(&chain, MAX_ARC_SETS);
    cut(25, CHAIN_AAR);
    judge();
    arc_expect("cut", &run, RESULT_FAIL, "missing_results");
    cr_expect(run.answers.count == 0 && run.list.count == 0 && run.hasher.count == 0);
    arc_run_fini(&run);
}

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    cr_assert(dns_name_from_domain(&name, span_from_string(text)) == DNS_NAME_OK);
    return name;
}

static void expect_trusted(const char *name, const char *trusted, uint32_t sealer)
{
    const struct dns_name listed[] = {name_of("unrelated.test"), name_of(trusted)};
    const struct arc_options options = {
        .now = ARC_RUN_NOW, .trusted_sealers = listed, .trusted_count = 2};
    judge_with(&options);
    cr_expect(run.arc.result == RESULT_PASS, "%s: %s", name, run.arc.reason);
    cr_expect(run.arc.trusted_sealer == sealer, "%s: got %u want %u", name, run.arc.trusted_sealer,
              sealer);
    arc_run_fini(&run);
}

/* I09: whose word may be used. AAR(1) below a trusted AS(2) is still an untrusted hop's text. */
Test(trouble, I09_trusted_sealers)
{
    chain_seal(&chain,
               &(struct chain_hop){.domain = "attack.test", .results = "trusted.test; dmarc=pass"});
    chain_seal(&chain, &(struct chain_hop){.domain = "trusted.test"});
    expect_trusted("on top", "trusted.test", 2);
    expect_trusted("case does not matter", "TRUSTED.test", 2);
    expect_trusted("below, message unchanged", "attack.test", 1);
    expect_trusted("nobody", "other.test", 0);
    expect_trusted("parent", "test.test", 0);

    renew();
    chain_seal(&chain, &(struct chain_hop){.domain = "eviltrusted.test"});
    chain_seal(&chain, &(struct chain_hop){.domain = "sub.trusted.test"});
    chain_seal(&chain, &(struct chain_hop){.domain = "trusted.test.attack.test"});
    expect_trusted("names that only look like it", "trusted.test", 0);
}

/* I09, I10: an old chain of a trusted sealer with a new body and a new set by anybody on top. */
Test(trouble, I09_trusted_word_about_another_message)
{
    chain_seal(&chain, &(struct chain_hop){.domain = "trusted.test"});
    set_body("Buy.\r\n");
    chain_seal(&chain, &(struct chain_hop){.domain = "attack.test"});
    expect_trusted("the chain passes, the word does not fit", "trusted.test", 0);
    chain_seal(&chain, &(struct chain_hop){.domain = "trusted.test"});
    expect_trusted("until the sealer has seen it again", "trusted.test", 3);
}

/* AV-18: a chain that fails has no trusted sealer. */
Test(trouble, I09_failed_chain_is_nobodys)
{
    const struct dns_name listed = name_of("sealer.test");
    const struct arc_options options = {
        .now = ARC_RUN_NOW, .trusted_sealers = &listed, .trusted_count = 1};
    chain_seal_many(&chain, 2);
    edit(1, CHAIN_AAR, "spf=pass", "spf=none");
    judge_with(&options);
    arc_expect("edited", &run, RESULT_FAIL, "seal_signature");
    cr_expect(!run.arc.sets[0].trusted && !run.arc.sets[1].trusted);
    arc_run_fini(&run);
}

/* B02, B03: a message that must not pass. */
Test(trouble, malformed_messages_do_not_pass)
{
    static const char *const odd[] = {"X: a\nb\r\n", "X: a\rb\r\n"};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        renew();
        chain_seal_many(&chain, 2);
        buffer_append_string(&chain.extra, odd[i]);
        expect("odd", RESULT_FAIL, "message_malformed", 0);
    }
    renew();
    chain_seal_many(&chain, 2);
    buffer_append(&chain.extra, SPAN("X: a\0b\r\n"));
    expect("NUL", RESULT_FAIL, "message_malformed", 0);
}

/* A header over a limit is not indexed: that there is no chain is not known. */
Test(trouble, refused_header)
{
    chain_seal_many(&chain, 1);
    for (unsigned i = 0; i < MAX_FIELD_COUNT; i++)
        buffer_append_string(&chain.extra, "X: y\r\n");
    expect("fields", RESULT_FAIL, "too_many_fields", 0);
}

/* BODY_HASHES: the newest AMS needs one; without room the chain fails, older ones do not matter. */
Test(trouble, body_hashes_used_up)
{
    chain_seal_many(&chain, 2);
    for (uint32_t used = MAX_BODY_HASHES - 1; used <= MAX_BODY_HASHES; used++) {
        cr_assert(arc_run_short(&run, chain_message(&chain), buffer_span(&chain.zone), NULL,
                                (struct arc_shortage){.body_hashes = used}));
        bool full = used == MAX_BODY_HASHES;
        arc_expect("body hashes", &run, full ? RESULT_FAIL : RESULT_PASS,
                   full ? "ams_invalid" : NULL);
        arc_run_fini(&run);
    }
}

/* Want of memory is never a pass, wherever it strikes. */
Test(trouble, no_memory)
{
    chain_seal_many(&chain, 5);
    struct span message = chain_message(&chain);
    bool passed = false;
    for (size_t bytes = 4096; !passed; bytes += bytes / 8) {
        cr_assert(bytes < MAX_ARENA_BYTES);
        bool begun = arc_run_short(&run, message, buffer_span(&chain.zone), NULL,
                                   (struct arc_shortage){.arena_bytes = bytes});
        passed = begun && run.arc.result == RESULT_PASS && run.arc.oldest_pass == 0;
        if (run.arc.result == RESULT_PASS)
            cr_expect(run.arc.oldest_pass == 0 || run.arena.failed);
        else
            cr_expect(!begun || run.arena.failed, "%zu bytes: %s though there was room", bytes,
                      run.arc.reason);
        arc_run_fini(&run);
    }
}

/* A scratch buffer too small for one field: an error, so temporary, and no pass. */
Test(trouble, small_scratch_buffer)
{
    chain_seal_many(&chain, 2);
    for (size_t bytes = 16; bytes < 1024; bytes *= 2) {
        cr_assert(arc_run_short(&run, chain_message(&chain), buffer_span(&chain.zone), NULL,
                                (struct arc_shortage){.scratch_bytes = bytes}));
        if (run.arc.result != RESULT_PASS) {
            arc_expect("scratch", &run, RESULT_FAIL, "internal_error");
            cr_expect(run.arc.temporary);
        }
        cr_expect(bytes > 64 || run.arc.result == RESULT_FAIL, "%zu bytes were enough", bytes);
        arc_run_fini(&run);
    }
}

/* A job that nobody verified, or that ended in an error, is no pass (D15). */
Test(trouble, jobs_without_result)
{
    static const enum verify results[] = {VERIFY_UNSET, VERIFY_ERROR, (enum verify)1};
    const struct arc_options options = {.now = ARC_RUN_NOW};
    chain_seal_many(&chain, 1);
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        for (size_t bad = 0; bad < 2; bad++) {
            judge();
            cr_assert(run.arc.result == RESULT_PASS && run.list.count == 2);
            run.arc.result = RESULT_UNSET;
            run.list.jobs[bad].result = results[i];
            arc_finish(&run.arc, &options, false);
            cr_expect(run.arc.result == RESULT_FAIL && run.arc.temporary);
            cr_expect(strcmp(run.arc.reason, "internal_error") == 0);
            arc_run_fini(&run);
        }
    }
}
