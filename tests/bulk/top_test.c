/* The most frequent names in bounded memory: exact up to the cap, within its error beyond. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "../../tools/assay/bulk_top.h"

static struct dns_name name_of(unsigned number)
{
    char text[32];
    struct dns_name name;
    snprintf(text, sizeof text, "n%u.example", number);
    cr_assert(dns_name_from_domain(&name, span_from_string(text)) == DNS_NAME_OK);
    return name;
}

static void add(struct bulk_top *top, unsigned number, unsigned times)
{
    struct dns_name name = name_of(number);
    while (times--)
        bulk_top_add(top, &name);
}

static void fill(struct bulk_top *top, unsigned names)
{
    bulk_top_init(top);
    for (unsigned i = 0; i < names; i++)
        add(top, i, 1 + i % 3);
    add(top, 5, 100);
}

Test(top, exact_at_the_cap_and_told_beyond)
{
    static const unsigned sizes[] = {BULK_TOP_NAMES - 1, BULK_TOP_NAMES, BULK_TOP_NAMES + 1};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        static struct bulk_top top;
        const struct bulk_top_name *names[3];
        struct dns_name hot = name_of(5);
        fill(&top, sizes[i]);
        cr_expect(top.exact == (sizes[i] <= BULK_TOP_NAMES), "%u names", sizes[i]);
        cr_assert(bulk_top_list(&top, names, 3) == 3);
        cr_expect(dns_name_equal(&names[0]->name, &hot) && names[0]->count == 103 &&
                      names[0]->error == 0,
                  "%u names: %llu", sizes[i], (unsigned long long)names[0]->count);
        cr_expect(names[1]->count == 3 && names[2]->count == 3);
        bulk_top_fini(&top);
    }
}

/* Space-Saving's promise: count - error <= true count <= count, for every name in the table. */
Test(top, counts_are_within_their_error)
{
    static struct bulk_top top;
    const struct bulk_top_name *names[10];
    bulk_top_init(&top);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 10; i++)
            add(&top, i, 20 + i);
        for (unsigned i = 0; i < 500; i++)
            add(&top, 1000 + round * 500 + i, 1);
    }
    cr_assert(bulk_top_list(&top, names, 10) == 10 && !top.exact);
    for (unsigned i = 0; i < 10; i++) {
        struct dns_name name = name_of(9 - i);
        uint64_t really = 40 * (20 + 9 - i);
        cr_expect(dns_name_equal(&names[i]->name, &name), "place %u", i);
        cr_expect(names[i]->count - names[i]->error <= really && really <= names[i]->count,
                  "%u: %llu, at most %llu too many, really %llu", 9 - i,
                  (unsigned long long)names[i]->count, (unsigned long long)names[i]->error,
                  (unsigned long long)really);
    }
    bulk_top_fini(&top);
}

Test(top, empty_and_equal_counts)
{
    static struct bulk_top top;
    const struct bulk_top_name *names[3];
    struct dns_name first = name_of(1);
    bulk_top_init(&top);
    cr_expect(bulk_top_list(&top, names, 3) == 0);
    add(&top, 2, 1);
    add(&top, 1, 1);
    cr_assert(bulk_top_list(&top, names, 3) == 2);
    cr_expect(dns_name_equal(&names[0]->name, &first), "equal counts: by name");
    bulk_top_fini(&top);
}
