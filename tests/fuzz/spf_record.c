/* SPF records and macros: the parsed terms lie in the text, expansions keep their room. */
#include "fuzz/support/fuzz.h"
#include "spf/macro.h"
#include "spf/record.h"

static struct spf_macro_values values_of(struct span value)
{
    struct spf_macro_values values;
    for (size_t i = 0; i < COUNT_OF(values.of); i++)
        values.of[i] = value;
    return values;
}

static void expand(struct span text, struct span value)
{
    struct spf_macro_values values = values_of(value);
    struct dns_name name;
    uint8_t room[300];
    bool cut;
    if (spf_domain_spec_check(text) && spf_macro_name(text, &values, &name))
        FUZZ_CHECK(name.labels > 0 && name.length > 1);
    for (enum spf_macro_mode mode = SPF_MACRO_DOMAIN; mode <= SPF_MACRO_EXPLANATION; mode++) {
        if (!spf_macro_check(text, mode))
            continue;
        size_t capacity = value.n % (sizeof room + 1);
        struct span all = spf_macro_expand(text, &values, room, sizeof room, &cut);
        bool fits = !cut && all.n <= capacity;
        struct span some = spf_macro_expand(text, &values, room, capacity, &cut);
        FUZZ_CHECK(fuzz_inside(some, span_of(room, capacity)) && cut == !fits);
    }
}

FUZZ_TARGET(spf_record)
{
    struct span rest = span_of(data, size);
    struct span text = fuzz_line(&rest);
    struct limit_hits hits = {.set = 0};
    struct spf_record record;
    struct spf_syntax_error error;
    struct spf_term term;
    expand(text, rest);
    if (!spf_record_parse(text, &hits, &record, &error)) {
        FUZZ_CHECK(error.reason != NULL && error.at <= text.n);
        return 0;
    }
    uint32_t terms = 0;
    for (size_t at = 0; spf_record_next(&record, &at, &term); terms++) {
        FUZZ_CHECK(fuzz_inside(term.text, text) && fuzz_inside(term.domain_spec, text));
        expand(term.domain_spec, rest);
    }
    FUZZ_CHECK(terms == record.count && fuzz_inside(record.redirect, text) &&
               fuzz_inside(record.exp, text));
    return 0;
}
