/* One answer for many messages: a deep copy, parsed once, counted, released once. */
#include "dns_test_support.h"

#include <stdlib.h>

#include "dns/shared.h"

struct parsed
{
    struct dns_prepared base;
    char text[64];
};

static unsigned made, released;

static void release(const struct dns_prepared *base)
{
    const struct parsed *parsed = (const struct parsed *)(const void *)base;
    cr_expect(strcmp(parsed->text, "parsed") == 0);
    released++;
}

static void prepare(const struct dns_name *name, enum dns_type type, struct dns_answer *answer,
                    struct arena *arena)
{
    struct parsed *parsed = ARENA_NEW(arena, struct parsed);
    cr_assert(parsed && name->length && type == DNS_TXT && answer->count);
    strcpy(parsed->text, "parsed");
    parsed->base =
        (struct dns_prepared){.kind = DNS_PREPARED_SPF, .outside_bytes = 1000, .release = release};
    answer->prepared = &parsed->base;
    made++;
}

/* `count` texts of `each` bytes that are gone after the call. */
static struct dns_shared *shared_of(uint32_t count, size_t each, dns_prepare *how)
{
    struct dns_record *records = calloc(count + 1, sizeof *records);
    uint8_t *text = malloc(each + 1);
    cr_assert(records && text);
    memset(text, 't', each);
    for (uint32_t i = 0; i < count; i++)
        records[i].text = span_of(text, each);
    const struct dns_answer answer = {
        .outcome = count ? DNS_ANSWER : DNS_EMPTY, .ttl = 9, .count = count, .records = records};
    struct dns_name name = name_of("a.test");
    struct dns_shared *shared = dns_shared_new(&name, DNS_TXT, &answer, how);
    cr_assert(shared != NULL);
    memset(text, 'x', each);
    free(text);
    free(records);
    return shared;
}

Test(shared, deep_copy_and_references)
{
    struct dns_shared *shared = shared_of(2, 300, prepare);
    struct dns_shared *other = dns_shared_ref(shared);
    cr_expect(made == 1 && other == shared && shared->answer.prepared != NULL);
    cr_expect(shared->answer.count == 2 && shared->answer.ttl == 9);
    cr_expect(shared->answer.records[1].text.n == 300 &&
              shared->answer.records[1].text.p[299] == 't');
    dns_shared_unref(&shared);
    cr_expect(shared == NULL && released == 0);
    dns_shared_unref(&shared);
    dns_shared_unref(&other);
    cr_expect(other == NULL && released == 1);
}

/* L06: what is charged is what is held, keys outside included, and near to what it holds. */
Test(shared, bytes)
{
    static const struct
    {
        uint32_t count;
        size_t each;
    } cases[] = {{0, 0}, {1, 1}, {1, 40}, {1, 400}, {1, 4000}, {5, 100}, {MAX_DNS_RECORDS, 10}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_shared *shared = shared_of(cases[i].count, cases[i].each, prepare);
        size_t least = sizeof *shared +
                       cases[i].count * (sizeof(struct dns_record) + cases[i].each) +
                       (cases[i].count ? 1000 : 0);
        cr_expect(shared->bytes >= least && shared->bytes <= least + 1024 + cases[i].count * 32,
                  "case %zu: %u bytes for %zu", i, shared->bytes, least);
        dns_shared_unref(&shared);
    }
}

/* Nothing to parse: no answer, or nobody who parses. */
Test(shared, unprepared)
{
    struct dns_shared *shared = shared_of(0, 0, prepare);
    cr_expect(shared->answer.prepared == NULL && shared->answer.outcome == DNS_EMPTY);
    dns_shared_unref(&shared);
    shared = shared_of(1, 5, NULL);
    cr_expect(shared->answer.prepared == NULL && shared->answer.count == 1);
    dns_shared_unref(&shared);
}

/* F09: the limits hold here already; what is kept has them applied. */
Test(shared, limits)
{
    struct dns_shared *shared = shared_of(MAX_DNS_RECORDS - 1, 3, NULL);
    cr_expect(shared->answer.count == MAX_DNS_RECORDS - 1 && !shared->answer.cut);
    dns_shared_unref(&shared);
    shared = shared_of(MAX_DNS_RECORDS, 3, NULL);
    cr_expect(shared->answer.count == MAX_DNS_RECORDS && !shared->answer.cut);
    dns_shared_unref(&shared);
    shared = shared_of(MAX_DNS_RECORDS + 1, 3, NULL);
    cr_expect(shared->answer.count == MAX_DNS_RECORDS && shared->answer.cut);
    dns_shared_unref(&shared);
    shared = shared_of(1, MAX_DNS_TEXT_BYTES + 1, prepare);
    cr_expect(shared->answer.outcome == DNS_TEMPFAIL && shared->answer.prepared == NULL);
    cr_expect(strcmp(shared->answer.reason, limit_word(LIMIT_DNS_TEXT_BYTES)) == 0);
    dns_shared_unref(&shared);
}
