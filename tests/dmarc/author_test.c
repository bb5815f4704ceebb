/* Which author domains a From field names, and what is wrong with them (DP-1 to DP-4). */
#include "dmarc/author.h"

#include <criterion/criterion.h>

struct author_case
{
    struct span value; /* of the From field */
    bool several;      /* strictest_of_several */
    const char *names; /* with a blank behind each */
    const char *error;
};

#define T(literal)                                                                                 \
    {                                                                                              \
        (const uint8_t *)("" literal), sizeof(literal) - 1                                         \
    }

static const struct author_case cases[] = {
    {T("a@X.test"), false, "x.test ", NULL},
    {T("a@x.test, b@x.test."), false, "x.test ", NULL}, /* DP-2, DP-4 */
    {T("a@x.test, b@y.test"), false, "x.test y.test ", "from_several_domains"},
    {T("a@x.test, b@y.test"), true, "x.test y.test ", NULL},
    {T("a@1.test, a@2.test, a@3.test, a@4.test"), true, "1.test 2.test 3.test 4.test ", NULL},
    {T("a@1.test, a@2.test, a@3.test, a@4.test, a@1.test"), true, "1.test 2.test 3.test 4.test ",
     NULL},
    {T("a@1.test, a@2.test, a@3.test, a@4.test, a@5.test"), true, "1.test 2.test 3.test 4.test ",
     "from_too_many_domains"},
    /* The first fault is told; names are read on for who ranks signatures by them. */
    {T("a@[192.0.2.1]"), false, "", "from_address_literal"},
    {T("a@x'y.test"), false, "", "from_bad_domain"},
    {T("a@[192.0.2.1], b@x.test, c@x'y.test"), true, "x.test ", "from_address_literal"},
    {T("a@x'y.test, b@x.test, a@[192.0.2.1], c@y.test"), true, "x.test y.test ", "from_bad_domain"},
};

Test(authors, cases)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct author_case *c = &cases[i];
        const struct dmarc_options options = {.strictest_of_several = c->several};
        struct mail_from from = {.state = MAIL_FROM_OK};
        struct mail_anomalies anomalies = {0};
        struct limit_hits hits = {.set = 0};
        struct arena arena;
        struct dns_name names[MAX_AUTHOR_DOMAINS];
        struct dmarc_authors authors;
        char got[MAX_AUTHOR_DOMAINS * 16] = "", text[DNS_NAME_TEXT_MAX];
        arena_init(&arena, MAX_ARENA_BYTES);
        mail_address_list_parse(c->value, &arena, &anomalies, &hits, &from.list);
        cr_assert(from.list.count > 0, "case %zu", i);
        dmarc_authors_read(&from, &options, names, &authors);
        cr_assert(authors.count <= dmarc_authors_most(&from));
        for (uint32_t k = 0; k < authors.count; k++)
            strcat(strcat(got, dns_name_text(&authors.names[k], text)), " ");
        cr_expect(strcmp(got, c->names) == 0, "case %zu: got %s, want %s", i, got, c->names);
        cr_expect(span_equal(span_from_string(authors.error), span_from_string(c->error)),
                  "case %zu: got %s", i, authors.error ? authors.error : "no error");
        arena_fini(&arena);
    }
}
