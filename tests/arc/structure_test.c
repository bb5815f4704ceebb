/* What is looked at before any key: AV-1 to AV-5, AV-11, I03 to I06, and whole chains (I01). */
#include <stdio.h>

#include <criterion/criterion.h>

#include "arc/arc_case.h"

TestSuite(structure, .init = case_setup, .fini = case_teardown);

/* AV-1 */
Test(structure, no_chain)
{
    expect("no ARC field", RESULT_NONE, NULL, 0);
}

/* AV-4 to AV-9; I01: anybody can make one. Nobody is trusted, so nothing follows from it. */
Test(structure, I01_valid_chains)
{
    static const uint32_t lengths[] = {1, 2, 3, 10};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        renew();
        chain_seal_many(&chain, lengths[i]);
        judge();
        arc_expect("valid", &run, RESULT_PASS, NULL);
        cr_expect(run.arc.count == lengths[i], "%u sets", run.arc.count);
        cr_expect(run.arc.oldest_pass == 0, "%d", run.arc.oldest_pass);
        cr_expect(run.arc.trusted_sealer == 0);
        cr_expect(run.answers.count == 1, "one key, asked once: %u", run.answers.count);
        cr_expect(run.list.count == 2 * lengths[i], "%u jobs", run.list.count);
        for (uint32_t k = 0; k < run.arc.count; k++) {
            const struct arc_set *set = &run.arc.sets[k];
            cr_expect(set->ams_result == RESULT_PASS && set->seal_result == RESULT_PASS);
            cr_expect(set->reason == NULL && !set->trusted);
            cr_expect(span_equal(set->aar_payload,
                                 SPAN(" mx.example.org; spf=pass smtp.mailfrom=victim.test")));
        }
        arc_run_fini(&run);
    }
}

Test(structure, ed25519_chain)
{
    struct private_key *key = private_key_generate(KEY_ED25519, 0);
    const struct chain_hop hop = {.ams_key = key, .seal_key = key};
    chain_seal(&chain, &hop);
    chain_seal(&chain, &hop);
    expect("ed25519", RESULT_PASS, NULL, 0);
    private_key_free(&key);
}

/* AV-2: ARC_SETS at limit-1, limit, limit+1. */
Test(structure, number_of_sets)
{
    for (uint32_t sets = MAX_ARC_SETS - 1; sets <= MAX_ARC_SETS + 1; sets++) {
        renew();
        chain_seal_many(&chain, sets);
        judge();
        bool over = sets > MAX_ARC_SETS;
        arc_expect("sets", &run, over ? RESULT_FAIL : RESULT_PASS,
                   over ? "too_many_arc_sets" : NULL);
        cr_expect(run.arc.count == (over ? 0 : sets));
        cr_expect(run.hits.n[LIMIT_ARC_SETS] == over);
        cr_expect(run.list.count == (over ? 0 : 2 * sets));
        arc_run_fini(&run);
    }
}

/* AV-2: the limit holds for each kind of field alone, before any is parsed. */
Test(structure, too_many_of_one_kind)
{
    static const char *const names[] = {"ARC-Seal", "arc-message-signature",
                                        "ARC-AUTHENTICATION-RESULTS"};
    for (size_t kind = 0; kind < COUNT_OF(names); kind++) {
        renew();
        for (unsigned i = 0; i <= MAX_ARC_SETS; i++)
            buffer_printf(&chain.extra, "%s: i=1; x\r\n", names[kind]);
        expect(names[kind], RESULT_FAIL, "too_many_arc_sets", 0);
    }
}

/* I06, AV-3, AV-5: all 27 chains of three sets with cv= none, pass or fail. */
Test(structure, I06_all_chain_values)
{
    static const char *const words[] = {"none", "pass", "fail"};
    for (unsigned n = 0; n < 27; n++) {
        const unsigned cv[3] = {n % 3, n / 3 % 3, n / 9};
        char name[64];
        renew();
        for (size_t i = 0; i < 3; i++)
            chain_seal(&chain, &(struct chain_hop){.cv = words[cv[i]]});
        snprintf(name, sizeof name, "cv %s %s %s", words[cv[0]], words[cv[1]], words[cv[2]]);
        bool good = cv[0] == 0 && cv[1] == 1 && cv[2] == 1;
        bool said_fail = cv[2] == 2;
        uint32_t first = cv[0] != 0 ? 1 : cv[1] != 1 ? 2 : 3;
        judge();
        arc_expect(name, &run, good ? RESULT_PASS : RESULT_FAIL,
                   good        ? NULL
                   : said_fail ? "cv_fail"
                               : "bad_cv");
        cr_expect(run.arc.fault_instance == (good        ? 0
                                             : said_fail ? 3
                                                         : first),
                  "%s: at %u", name, run.arc.fault_instance);
        cr_expect(good || (run.answers.count == 0 && run.list.count == 0),
                  "%s: keys or signatures looked at", name);
        cr_expect(run.arc.structure_failed == !good);
        arc_run_fini(&run);
    }
}

/* AV-5: no other word, and none at all. */
Test(structure, I06_other_chain_values)
{
    static const char *const words[] = {"", "None", "NONE", "nonee", "non", "none none", "0"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        renew();
        chain_seal(&chain, &(struct chain_hop){.cv = words[i]});
        expect(words[i], RESULT_FAIL, "bad_cv", 1);
    }
    renew();
    chain_seal(&chain, NULL);
    edit(1, CHAIN_AS, "cv=none; ", "");
    expect("no cv", RESULT_FAIL, "bad_cv", 1);
    renew();
    chain_seal_many(&chain, 2);
    edit(2, CHAIN_AS, "cv=pass; ", "cv=pass; cv=pass; ");
    expect("cv twice", RESULT_FAIL, "duplicate_tag", 0);
}

/* I03, AV-2, 13.33: what i= may not be, in each of the three fields of the newer of two sets. */
Test(structure, I03_instances)
{
    static const char *const bad[] = {"0",  "51",  "02",         "002",
                                      "+2", "-2",  "2.0",        "",
                                      "a",  "2 2", "4294967298", "18446744073709551618"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        for (int field = 0; field < CHAIN_FIELDS; field++) {
            char to[40];
            renew();
            chain_seal_many(&chain, 2);
            snprintf(to, sizeof to, "i=%s;", bad[i]);
            edit(2, (enum chain_field)field, "i=2;", to);
            judge();
            arc_expect(to, &run, RESULT_FAIL, "bad_instance");
            cr_expect(run.arc.structure_failed && run.list.count == 0);
            arc_run_fini(&run);
        }
    }
}

Test(structure, I03_no_instance)
{
    static const char *const reasons[CHAIN_FIELDS] = {"bad_instance", "missing_tag_i",
                                                      "missing_tag_i"};
    for (int field = 0; field < CHAIN_FIELDS; field++) {
        renew();
        chain_seal_many(&chain, 2);
        edit(1, (enum chain_field)field, "i=1; ", "");
        expect("no i=", RESULT_FAIL, reasons[field], 0);
    }
}

/* I03: gaps, repeats, an instance in the wrong place. */
Test(structure, I03_gaps_and_repeats)
{
    static const struct
    {
        const char *name, *from, *to;
        uint32_t edited;
        int field;
        const char *reason;
        uint32_t fault;
    } cases[] = {
        {"seal 2 calls itself 1", "i=2;", "i=1;", 2, CHAIN_AS, "duplicate_instance", 1},
        {"seal 1 calls itself 2", "i=1;", "i=2;", 1, CHAIN_AS, "duplicate_instance", 2},
        {"seal 3 calls itself 4", "i=3;", "i=4;", 3, CHAIN_AS, "missing_set", 4},
        {"ams 2 calls itself 1", "i=2;", "i=1;", 2, CHAIN_AMS, "duplicate_instance", 1},
        {"ams 3 calls itself 50", "i=3;", "i=50;", 3, CHAIN_AMS, "missing_set", 50},
        {"results 3 call themselves 2", "i=3;", "i=2;", 3, CHAIN_AAR, "duplicate_instance", 2},
        {"results 1 call themselves 4", "i=1;", "i=4;", 1, CHAIN_AAR, "missing_set", 4},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        renew();
        chain_seal_many(&chain, 3);
        edit(cases[i].edited, (enum chain_field)cases[i].field, cases[i].from, cases[i].to);
        expect(cases[i].name, RESULT_FAIL, cases[i].reason, cases[i].fault);
    }
}

/* AV-4: one stray field makes the chain fail, wherever it stands and even without a message. */
Test(structure, I03_stray_fields)
{
    static const char *const strays[] = {
        "ARC-Seal: i=2; a=rsa-sha256; cv=pass; d=a.test; s=s; b=QUJD\r\n",
        "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.test; s=s; b=QUJD\r\n",
        "ARC-Message-Signature: i=1; a=rsa-sha256\r\n",
        "ARC-Message-Signature: i=2; a=rsa-sha256\r\n",
        "ARC-Authentication-Results: i=1; none\r\n",
        "ARC-Authentication-Results: i=2; none\r\n",
        "ARC-Authentication-Results: none\r\n",
        "arc-seal:\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(strays); i++) {
        for (uint32_t sets = 0; sets < 2; sets++) {
            renew();
            chain_seal_many(&chain, sets);
            buffer_append_string(&chain.extra, strays[i]);
            judge();
            cr_expect(run.arc.result == RESULT_FAIL, "%s on %u sets: got %s", strays[i], sets,
                      result_word(run.arc.result));
            cr_expect(run.arc.structure_failed && run.list.count == 0);
            arc_run_fini(&run);
        }
    }
}

/*
 * I04: every way to take fields out of a chain of three. What is left passes only where it is a
 * whole chain of its own: one of the first one, two or three sets.
 */
Test(structure, I04_incomplete_sets)
{
    chain_seal_many(&chain, 3);
    struct buffer whole[3][CHAIN_FIELDS];
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < CHAIN_FIELDS; k++)
            whole[i][k] = chain.value[i][k];
    for (unsigned kept = 0; kept < 512; kept++) {
        for (size_t bit = 0; bit < 9; bit++) {
            struct buffer *value = &chain.value[bit / 3][bit % 3];
            *value = whole[bit / 3][bit % 3];
            if (!(kept >> bit & 1))
                value->n = 0;
        }
        bool good = kept == 0007 || kept == 0077 || kept == 0777;
        enum result want = kept == 0 ? RESULT_NONE : good ? RESULT_PASS : RESULT_FAIL;
        judge();
        cr_expect(run.arc.result == want, "fields %03o: got %s %s", kept,
                  result_word(run.arc.result), run.arc.reason ? run.arc.reason : "");
        cr_expect(good || run.list.count == 0, "fields %03o: signatures looked at", kept);
        arc_run_fini(&run);
    }
}

/* I04: the words for what misses. */
Test(structure, I04_reasons)
{
    static const char *const reasons[CHAIN_FIELDS] = {"missing_results",
                                                      "missing_message_signature", "missing_seal"};
    for (uint32_t instance = 1; instance <= 3; instance++) {
        for (int field = 0; field < CHAIN_FIELDS; field++) {
            renew();
            chain_seal_many(&chain, 3);
            cut(instance, (enum chain_field)field);
            expect("one field cut", RESULT_FAIL, reasons[field], instance);
        }
    }
    renew();
    chain_seal_many(&chain, 3);
    for (int field = 0; field < CHAIN_FIELDS; field++)
        cut(2, (enum chain_field)field);
    /* two fields of each kind: there is no room for a third set */
    expect("a set cut", RESULT_FAIL, "missing_set", 3);
}

/* I05: broken tags of the newest AMS and of any seal. The set says what is wrong. */
Test(structure, I05_broken_tags)
{
    static const struct
    {
        const char *name;
        uint32_t edited;
        int field;
        const char *from, *to, *reason, *detail;
    } cases[] = {
        {"AV-11, I07: h= in a seal", 1, CHAIN_AS, "t=12345; ", "t=12345; h=from; ", "seal_invalid",
         "forbidden_tag_h"},
        {"AV-15: seal by sha1", 1, CHAIN_AS, "rsa-sha256", "rsa-sha1", "seal_invalid", "rsa_sha1"},
        {"AV-15: ams by sha1", 2, CHAIN_AMS, "rsa-sha256", "rsa-sha1", "ams_invalid", "rsa_sha1"},
        {"seal without d=", 2, CHAIN_AS, "d=sealer.test; ", "", "seal_invalid", "missing_tag_d"},
        {"seal without s=", 2, CHAIN_AS, "s=s; ", "", "seal_invalid", "missing_tag_s"},
        {"seal of another algorithm", 2, CHAIN_AS, "a=rsa-sha256", "a=none", "seal_invalid",
         "unknown_algorithm"},
        {"ams without bh=", 2, CHAIN_AMS, "bh=", "bx=", "ams_invalid", "missing_tag_bh"},
        {"ams without h=", 2, CHAIN_AMS, "h=from:to:subject; ", "", "ams_invalid", "missing_tag_h"},
        {"AV-13: From not signed", 2, CHAIN_AMS, "h=from:to", "h=to", "ams_invalid",
         "from_not_signed"},
        {"ams c=", 2, CHAIN_AMS, "c=relaxed/relaxed", "c=/", "ams_invalid",
         "unknown_canonicalization"},
        {"13.30: ams signs seals", 2, CHAIN_AMS, "h=from:", "h=from:ARC-Seal:", "ams_invalid",
         "seal_signed"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        renew();
        chain_seal_many(&chain, 2);
        edit(cases[i].edited, (enum chain_field)cases[i].field, cases[i].from, cases[i].to);
        judge();
        arc_expect(cases[i].name, &run, RESULT_FAIL, cases[i].reason);
        const char *detail = run.arc.sets[cases[i].edited - 1].reason;
        cr_expect(detail && strcmp(detail, cases[i].detail) == 0, "%s: got %s", cases[i].name,
                  detail);
        cr_expect(run.arc.fault_instance == cases[i].edited, "%s", cases[i].name);
        cr_expect(run.answers.count == 0, "%s: a key was asked for", cases[i].name);
        arc_run_fini(&run);
    }
}

/* I05: large and odd fields on top of a good chain; nothing reads past them, nothing passes. */
Test(structure, I05_large_fields)
{
    static const char fill[] = "AAAABBBBCCCCDDDDAAAABBBBCCCCDDDDAAAABBBBCCCCDDDDAAAABBBBCCCCDDDD";
    static const char *const heads[] = {"ARC-Seal: x",
                                        "ARC-Seal: i=2; cv=",
                                        "ARC-Seal: i=2; cv=pass; d=a.test; s=s; b=",
                                        "ARC-Message-Signature: i=2; c=relaxed; b=",
                                        "ARC-Authentication-Results: i=2",
                                        "ARC-Authentication-Results: i=2; ",
                                        "ARC-Authentication-Results: (("};
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        renew();
        chain_seal(&chain, NULL);
        buffer_append_string(&chain.extra, heads[i]);
        for (size_t k = 0; k < 64; k++)
            buffer_append_string(&chain.extra, fill);
        buffer_append_string(&chain.extra, "\r\n");
        judge();
        cr_expect(run.arc.result == RESULT_FAIL, "%s", heads[i]);
        cr_expect(run.arc.structure_failed, "%s", heads[i]);
        arc_run_fini(&run);
    }
}
