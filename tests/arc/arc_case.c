#include "arc/arc_case.h"

#include <criterion/criterion.h>

struct chain chain;
struct arc_run run;

void case_setup(void)
{
    chain_init(&chain);
}

void case_teardown(void)
{
    chain_fini(&chain);
}

void renew(void)
{
    chain_fini(&chain);
    chain_init(&chain);
}

void judge_with(const struct arc_options *options)
{
    arc_run(&run, chain_message(&chain), buffer_span(&chain.zone), options);
}

void judge(void)
{
    judge_with(NULL);
}

void expect(const char *name, enum result result, const char *reason, uint32_t fault)
{
    judge();
    arc_expect(name, &run, result, reason);
    cr_expect(run.arc.fault_instance == fault, "%s: got set %u want %u", name,
              run.arc.fault_instance, fault);
    cr_expect(!run.arc.temporary, "%s: not temporary", name);
    arc_run_fini(&run);
}

void edit(uint32_t instance, enum chain_field field, const char *from, const char *to)
{
    struct buffer *value = &chain.value[instance - 1][field], changed;
    uint8_t *at = memmem(value->p, value->n, from, strlen(from));
    cr_assert(at != NULL, "no %s in set %u", from, instance);
    size_t before = (size_t)(at - value->p);
    buffer_init(&changed, value->ceiling);
    buffer_append(&changed, span_of(value->p, before));
    buffer_append_string(&changed, to);
    buffer_append(&changed, span_skip(buffer_span(value), before + strlen(from)));
    buffer_fini(value);
    *value = changed;
}

void cut(uint32_t instance, enum chain_field field)
{
    buffer_reset(&chain.value[instance - 1][field]);
}

void set_body(const char *text)
{
    buffer_reset(&chain.body);
    buffer_append_string(&chain.body, text);
}
