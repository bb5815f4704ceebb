/* Message signatures and seals: AV-6 to AV-15, I07, I10. */
#include <criterion/criterion.h>

#include "arc/arc_case.h"

TestSuite(verify, .init = case_setup, .fini = case_teardown);

/* 13.30: fields that sealers must not sign are told; A-R and AAR do no harm. */
Test(verify, signed_results_are_told)
{
    static const char *const lists[] = {"from:to:subject", "from:authentication-results",
                                        "from:ARC-Authentication-Results"};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        renew();
        chain_seal(&chain, &(struct chain_hop){.h = lists[i]});
        judge();
        cr_expect(run.arc.has_ar_in_ams == (i > 0), "%s", lists[i]);
        arc_run_fini(&run);
    }
}

/* I07, AV-14, DV-27: l= in the newest AMS. The body is "Hello.\r\n", 8 octets. */
Test(verify, I07_body_length)
{
    static const struct
    {
        const char *tag;
        size_t covered;
        bool allowed;
        const char *reason;
    } cases[] = {
        {"l=8; ", 8, false, NULL},
        {"l=8; ", 8, true, NULL},
        {"l=7; ", 7, false, "ams_unsigned_body"},
        {"l=7; ", 7, true, NULL},
        {"l=0; ", 0, false, "ams_unsigned_body"},
        {"l=0; ", 0, true, NULL},
        {"l=9; ", 8, false, "ams_body_length"},
        {"l=9; ", 8, true, "ams_body_length"},
        {"l=7; ", 8, true, "ams_body_hash"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct arc_options options = {.now = ARC_RUN_NOW,
                                            .allow_unsigned_body = cases[i].allowed};
        renew();
        struct span covered = span_slice(buffer_span(&chain.body), 0, cases[i].covered);
        chain_seal(&chain, &(struct chain_hop){.ams_more = cases[i].tag, .ams_body = covered});
        judge_with(&options);
        arc_expect(cases[i].tag, &run, cases[i].reason ? RESULT_FAIL : RESULT_PASS,
                   cases[i].reason);
        cr_expect(!cases[i].reason || run.list.count == 0, "%s: signatures looked at",
                  cases[i].tag);
        arc_run_fini(&run);
    }
}

/* I10: a chain that passed once, with another body or header now. */
Test(verify, I10_replayed_with_another_body)
{
    chain_seal_many(&chain, 2);
    set_body("Buy.\r\n");
    judge();
    arc_expect("body", &run, RESULT_FAIL, "ams_body_hash");
    cr_expect(run.arc.fault_instance == 2 && run.list.count == 0);
    cr_expect(run.arc.sets[1].ams_result == RESULT_FAIL);
    cr_expect(run.arc.sets[1].seal_result == RESULT_UNSET);
    arc_run_fini(&run);
}

Test(verify, I10_replayed_with_another_header)
{
    chain_seal_many(&chain, 2);
    struct span message = chain_message(&chain);
    uint8_t *subject = memmem(chain.text.p, message.n, "Subject: hello", 14);
    cr_assert(subject != NULL);
    subject[9] = 'j';
    arc_run(&run, message, buffer_span(&chain.zone), NULL);
    arc_expect("header", &run, RESULT_FAIL, "ams_signature");
    cr_expect(run.arc.fault_instance == 2);
    cr_expect(run.arc.sets[1].seal_result == RESULT_PASS, "the seals say nothing of the message");
    arc_run_fini(&run);
}

/* AV-9: each field of each set is under every later seal. */
Test(verify, seals_cover_everything_below)
{
    static const struct
    {
        int field;
        const char *from, *to;
    } edits[] = {
        {CHAIN_AAR, "spf=pass", "spf=fail"},
        {CHAIN_AMS, "s=s; ", "s=s;  x=9999999999; "},
        {CHAIN_AS, "t=12345", "t=12346"},
    };
    for (uint32_t edited = 1; edited <= 3; edited++) {
        for (size_t i = 0; i < COUNT_OF(edits); i++) {
            renew();
            chain_seal_many(&chain, 3);
            edit(edited, (enum chain_field)edits[i].field, edits[i].from, edits[i].to);
            judge();
            bool ams_too = edited == 3 && edits[i].field == CHAIN_AMS;
            arc_expect("edited", &run, RESULT_FAIL, ams_too ? "ams_signature" : "seal_signature");
            cr_expect(run.arc.fault_instance == 3, "seals are looked at from N down");
            for (uint32_t k = 1; k <= 3; k++)
                cr_expect((run.arc.sets[k - 1].seal_result == RESULT_PASS) == (k < edited),
                          "set %u edited, seal %u: %s", edited, k,
                          result_word(run.arc.sets[k - 1].seal_result));
            arc_run_fini(&run);
        }
    }
}

/* AV-9: relaxed form. Folding, blanks and the case of names change nothing. */
Test(verify, seals_see_the_relaxed_form)
{
    chain_seal_many(&chain, 2);
    edit(1, CHAIN_AAR, "i=1; ", "  i=1;\r\n\t  ");
    edit(2, CHAIN_AS, "i=2; ", "i=2;\r\n ");
    edit(1, CHAIN_AS, "cv=none; ", "cv=none;   \r\n   ");
    expect("folded", RESULT_PASS, NULL, 0);
}

/* AV-8: the lowest seal counts as much as the highest. */
Test(verify, a_forged_seal_anywhere_fails)
{
    struct private_key *other = private_key_generate(KEY_RSA, 1024);
    for (uint32_t forged = 1; forged <= 3; forged++) {
        renew();
        for (uint32_t i = 1; i <= 3; i++)
            chain_seal(&chain, &(struct chain_hop){.seal_key = i == forged ? other : NULL,
                                                   .published = chain.key});
        judge();
        arc_expect("forged", &run, RESULT_FAIL, "seal_signature");
        cr_expect(run.arc.fault_instance == forged, "got %u want %u", run.arc.fault_instance,
                  forged);
        for (uint32_t k = 1; k <= 3; k++)
            cr_expect((run.arc.sets[k - 1].seal_result == RESULT_FAIL) == (k == forged));
        arc_run_fini(&run);
    }
    private_key_free(&other);
}

/* AV-6: only the newest AMS decides; AV-7: where the unbroken run of good ones begins. */
Test(verify, oldest_pass)
{
    static const struct
    {
        const char *name;
        const char *bodies[5]; /* as each hop saw it; the last one is the message's */
        int oldest_pass;
    } cases[] = {
        {"never changed", {"a\r\n", "a\r\n", "a\r\n", "a\r\n", "a\r\n"}, 0},
        {"changed by 2", {"b\r\n", "a\r\n", "a\r\n", "a\r\n", "a\r\n"}, 2},
        {"changed by 3", {"b\r\n", "b\r\n", "a\r\n", "a\r\n", "a\r\n"}, 3},
        {"changed by 5", {"b\r\n", "b\r\n", "b\r\n", "b\r\n", "a\r\n"}, 5},
        {"changed and changed back", {"a\r\n", "b\r\n", "a\r\n", "a\r\n", "a\r\n"}, 3},
        {"changed by all", {"b\r\n", "c\r\n", "d\r\n", "e\r\n", "a\r\n"}, 5},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        renew();
        for (size_t k = 0; k < 5; k++) {
            set_body(cases[i].bodies[k]);
            chain_seal(&chain, NULL);
        }
        judge();
        arc_expect(cases[i].name, &run, RESULT_PASS, NULL);
        cr_expect(run.arc.oldest_pass == cases[i].oldest_pass, "%s: got %d want %d", cases[i].name,
                  run.arc.oldest_pass, cases[i].oldest_pass);
        arc_run_fini(&run);
    }
}

/* AV-7: what is wrong with an older AMS moves the oldest-pass and nothing else. */
Test(verify, older_message_signatures_do_not_decide)
{
    struct private_key *other = private_key_generate(KEY_RSA, 1024);
    const struct
    {
        const char *name;
        struct chain_hop first;
        const char *detail;
    } cases[] = {
        {"signed with another key", {.ams_key = other}, "signature"},
        {"expired", {.ams_more = "x=1000; "}, "expired"},
        {"from the future", {.ams_more = "t=99999999999; "}, "future"},
        {"with l=", {.ams_more = "l=8; "}, "body_length"},
        {"without From", {.h = "to:subject"}, "from_not_signed"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        renew();
        chain_seal(&chain, &cases[i].first);
        chain_seal(&chain, NULL);
        judge();
        arc_expect(cases[i].name, &run, RESULT_PASS, NULL);
        cr_expect(run.arc.oldest_pass == 2, "%s: got %d", cases[i].name, run.arc.oldest_pass);
        const char *detail = run.arc.sets[0].reason;
        cr_expect(detail && strcmp(detail, cases[i].detail) == 0, "%s: got %s", cases[i].name,
                  detail);
        arc_run_fini(&run);
    }
    private_key_free(&other);
}

/* The same faults in the newest AMS make the chain fail. */
Test(verify, the_newest_message_signature_decides)
{
    struct private_key *other = private_key_generate(KEY_RSA, 1024);
    const struct
    {
        const char *name;
        struct chain_hop hop;
        const char *reason;
    } cases[] = {
        {"signed with another key", {.ams_key = other}, "ams_signature"},
        {"expired", {.ams_more = "x=1000; "}, "ams_invalid"},
        {"from the future", {.ams_more = "t=99999999999; "}, "ams_invalid"},
        {"without From", {.h = "to:subject"}, "ams_invalid"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        renew();
        chain_seal(&chain, NULL);
        chain_seal(&chain, &cases[i].hop);
        expect(cases[i].name, RESULT_FAIL, cases[i].reason, 2);
    }
    private_key_free(&other);
}

/* AV-10: v= in an AMS is ignored, a missing c= is simple/simple; t= of a seal is not judged. */
Test(verify, tags_that_do_not_matter)
{
    chain_seal(&chain, &(struct chain_hop){.ams_more = "v=2; zz=1; "});
    chain_seal(&chain, &(struct chain_hop){.seal_more = "zz=1; bh=x; c=x; "});
    expect("unknown tags", RESULT_PASS, NULL, 0);
    renew();
    chain_seal(&chain, NULL);
    edit(1, CHAIN_AMS, "c=relaxed/relaxed; ", "");
    expect("c= taken out", RESULT_FAIL, "ams_signature", 1);
}
