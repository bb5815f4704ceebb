/* Attacks I01 to I10: chains. From is the victim's; whatever a chain says, DMARC fails. */
#include <stdio.h>

#include "arc/chain_build.h"
#include "e2e/attack.h"

static struct chain chain;

static void setup(void)
{
    chain_init(&chain);
}

static void teardown(void)
{
    chain_fini(&chain);
}

TestSuite(attack_arc, .init = setup, .fini = teardown);

static json_t *judge(void)
{
    struct buffer zone;
    buffer_init(&zone, 1024 * 1024);
    buffer_append(&zone, buffer_span(&chain.zone));

    buffer_append_byte(&zone, '\0');
    struct assay_engine *engine = attack_engine((const char *)zone.p);
    json_t *verdict = attack_judge(engine, chain_message(&chain), NULL, NULL);
    const char *dmarc = attack_text(verdict, "dmarc.result");
    cr_expect(dmarc && strcmp(dmarc, "fail") == 0, "I02: a chain made DMARC %s", dmarc);
    assay_engine_close(&engine);
    buffer_fini(&zone);
    return verdict;
}

static void expect(const char *row, const char *arc)
{
    json_t *verdict = judge();
    attack_expect(row, verdict, "arc.result", arc);
    json_decref(verdict);
}

/* I01, I02: a complete chain that says dmarc=pass for the victim is evidence and nothing more. */
Test(attack_arc, a_chain_of_the_attacker)
{
    struct chain_hop hop = {.results = "attack.test; dmarc=pass header.from=victim.test"};
    chain_seal(&chain, &hop);
    json_t *verdict = judge();
    attack_expect("I01", verdict, "arc.result", "pass");
    cr_expect(attack_has(verdict, "\"trusted_sealer\":null"), "I01: nobody is trusted by default");
    cr_expect(attack_has(verdict, "\"override\":null"), "I01");
    json_decref(verdict);
}

/* I03: instances that are none. */
Test(attack_arc, instances)
{
    static const char *const instances[] = {"0", "51", "01", "+1", "1.0", "", "3"};
    for (size_t i = 0; i < COUNT_OF(instances); i++) {
        struct chain_hop hop = {.instance = instances[i]};
        chain_init(&chain);
        chain_seal(&chain, &hop);
        expect("I03", "fail");
        chain_fini(&chain);
    }
    chain_init(&chain);
    chain_seal_many(&chain, 2);
    buffer_append_string(&chain.extra,
                         "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=x.test; s=s; b=AAAA\r\n");
    expect("I03", "fail");
}

/* I04: a set without one of its fields. */
Test(attack_arc, incomplete_sets)
{
    for (unsigned set = 0; set < 2; set++) {
        for (unsigned field = 0; field < CHAIN_FIELDS; field++) {
            chain_init(&chain);
            chain_seal_many(&chain, 2);
            buffer_reset(&chain.value[set][field]);
            expect("I04", "fail");
            chain_fini(&chain);
        }
    }
    chain_init(&chain);
}

/* I05: fields that are hardly fields. */
Test(attack_arc, malformed_fields)
{
    static const char *const fields[] = {
        "ARC-Seal: x\r\n", "ARC-Seal: i=1; cv\r\n", "ARC-Seal:\r\n",
        "ARC-Message-Signature: i=2; c=relaxed\r\n", "ARC-Authentication-Results: \r\n"};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        chain_init(&chain);
        chain_seal_many(&chain, 1);
        buffer_append_string(&chain.extra, fields[i]);
        expect("I05", "fail");
        chain_fini(&chain);
    }
    chain_init(&chain);
    buffer_append_string(&chain.extra, "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=x.test; s=s; b=");
    for (int i = 0; i < 4096; i++)
        buffer_append_byte(&chain.extra, 'A');
    buffer_append_string(&chain.extra, "\r\n");
    expect("I05", "fail");
}

/* I06: all words of three seals: only none, pass, pass is a chain. */
Test(attack_arc, chain_values)
{
    static const char *const words[] = {"none", "pass", "fail"};
    for (unsigned i = 0; i < 27; i++) {
        chain_init(&chain);
        for (unsigned set = 0, rest = i; set < 3; set++, rest /= 3) {
            struct chain_hop hop = {.cv = words[rest % 3]};
            chain_seal(&chain, &hop);
        }
        expect("I06", i == 0 + 3 * 1 + 9 * 1 ? "pass" : "fail");
        chain_fini(&chain);
    }
    chain_init(&chain);
}

/* I07: h= in a seal; l= in a message signature. */
Test(attack_arc, tags_that_do_not_belong)
{
    struct chain_hop with_h = {.seal_more = "h=from; "};
    chain_seal(&chain, &with_h);
    expect("I07", "fail");
    chain_fini(&chain);
    chain_init(&chain);
    struct chain_hop with_l = {.ams_more = "l=1; ",
                               .ams_body = span_slice(buffer_span(&chain.body), 0, 1)};
    chain_seal(&chain, &with_l);
    expect("I07", "fail");
}

/* I08: fifty sets by fifty domains, with and without an answer; fifty-one. */
Test(attack_arc, fifty_sets)
{
    char domain[32];
    for (unsigned i = 0; i < 50; i++) {
        snprintf(domain, sizeof domain, "s%u.test", i);
        struct chain_hop hop = {.domain = domain};
        chain_seal(&chain, &hop);
    }
    json_t *verdict = judge();
    cr_expect(json_array_size(json_object_get(verdict, "dns")) < 70, "I08: too many questions");
    const char *got = attack_text(verdict, "arc.result");
    cr_expect(got && strcmp(got, "none") != 0, "I08: %s", got);
    json_decref(verdict);
    buffer_reset(&chain.zone);
    expect("I08", "fail");
    chain_seal_many(&chain, 1);
    expect("I08", "fail");
}

/* I09: the word of set 1 changed under the seals of set 2. */
Test(attack_arc, a_forged_word_below_a_good_seal)
{
    chain_seal_many(&chain, 2);
    uint8_t *word = chain.value[0][CHAIN_AAR].p;
    word[chain.value[0][CHAIN_AAR].n - 3] ^= 1;
    expect("I09", "fail");
}

/* I10: an old chain on a new body. */
Test(attack_arc, a_chain_on_another_body)
{
    chain_seal_many(&chain, 2);
    expect("I10", "pass");
    buffer_append_string(&chain.body, "new\r\n");
    expect("I10", "fail");
}
