/* From values: a result for every text, the same with a comment and a fold in front. */
#include "base/buffer.h"
#include "fuzz/support/fuzz.h"
#include "mail/address.h"

static struct mail_address_list lists[2];

static void parse(struct span value, struct arena *arena, struct mail_address_list *list)
{
    struct mail_anomalies anomalies = {0};
    struct limit_hits hits = {.set = 0};
    mail_address_list_parse(value, arena, &anomalies, &hits, list);
    FUZZ_CHECK((list->error == MAIL_ADDRESS_OK) == (list->count > 0) && list->error_at <= value.n);
    for (uint32_t i = 0; i < list->count; i++) {
        struct span domain = list->addresses[i].domain;
        FUZZ_CHECK(domain.n && span_find(domain, '\0') == domain.n &&
                   span_find(domain, '\r') == domain.n);
        FUZZ_CHECK(list->addresses[i].literal == (domain.p[0] == '['));
    }
}

FUZZ_TARGET(from)
{
    struct arena arena;
    struct buffer behind;
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&behind, size + 64);
    buffer_append_string(&behind, " (a \\) (b))\r\n\t");
    buffer_append(&behind, span_of(data, size));
    parse(span_of(data, size), &arena, &lists[0]);
    parse(buffer_span(&behind), &arena, &lists[1]);
    FUZZ_CHECK(lists[0].count == lists[1].count);
    for (uint32_t i = 0; i < lists[0].count; i++)
        FUZZ_CHECK(span_equal(lists[0].addresses[i].domain, lists[1].addresses[i].domain) &&
                   span_equal(lists[0].addresses[i].local, lists[1].addresses[i].local));
    buffer_fini(&behind);
    arena_fini(&arena);
    return 0;
}
