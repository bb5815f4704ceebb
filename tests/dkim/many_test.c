/* Messages with several signatures: DV-43, DV-44, security.md C05, C18. */
#include <criterion/criterion.h>

#include "dkim/fixture.h"

TestSuite(many, .init = fixture_setup, .fini = fixture_teardown);

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

Test(many, junk_cannot_push_the_good_one_out)
{
    for (size_t i = 0; i < COUNT_OF(junk_cases); i++)
        check_junk(&junk_cases[i]);
}

/* Unparsable and expired signatures take no place of one that can be verified. */
Test(many, broken_ones_take_no_place)
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
Test(many, signatures_do_not_touch_each_other)
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
