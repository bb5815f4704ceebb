/* DMARC: a domain on the first line, then the zone that it is looked up in. */
#include "dmarc/dmarc.h"
#include "dns/source.h"
#include "fuzz/support/fuzz.h"

static void discover(const struct dns_name *domain, struct dns_source *source, struct arena *arena,
                     enum dmarc_mode mode, struct dmarc_discovery *discovery)
{
    struct dmarc_options options = {.mode = mode, .always_ask_existence = true};
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    unsigned rounds = 0;
    dns_answers_init(&answers, arena, &hits);
    while (dmarc_discover(domain, &options, &answers, arena, &hits, discovery) == JUDGE_WAITING) {
        dns_source_resolve(source, &answers, 0);
        FUZZ_CHECK(++rounds < 32);
    }
    FUZZ_CHECK(discovery->walk.count <= MAX_DMARC_WALK);
    FUZZ_CHECK(discovery->result != RESULT_UNSET || discovery->record != NULL);
    FUZZ_CHECK(discovery->result != RESULT_PASS && discovery->result != RESULT_FAIL);
    if (discovery->org_domain.length)
        FUZZ_CHECK(dns_name_is_at_or_below(domain, &discovery->org_domain));
}

FUZZ_TARGET(dmarc)
{
    static struct dmarc_discovery discovery;
    struct span rest = span_of(data, size);
    struct span domain_text = fuzz_line(&rest);
    struct dns_name domain;
    struct dns_error error;
    struct arena arena;
    struct dns_source *source = dns_zone_parse(rest, "zone", &error);
    arena_init(&arena, MAX_ARENA_BYTES);
    if (source && dns_name_from_domain(&domain, domain_text) == DNS_NAME_OK) {
        discover(&domain, source, &arena, DMARC_TREE_WALK, &discovery);
        discover(&domain, source, &arena, DMARC_COMPARE, &discovery);
    }
    if (source)
        dns_source_free(&source);
    arena_fini(&arena);
    return 0;
}
