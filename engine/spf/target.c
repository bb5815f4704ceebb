/*
 * Macro values of a running check, and the names and texts that come from them (RFC 7208 section
 * 7.2, SP-28 to SP-35).
 *
 * Only the letters that a text uses are given values: %{p} costs DNS questions, %{s} memory.
 */
#include <stdio.h>

#include "spf/run.h"

enum
{
    NAME_TEXT = DNS_NAME_MAX, /* a name as raw text is shorter than on the wire */
    NIBBLES_TEXT = 64,
    NUMBER_TEXT = 24,
};

/* Where computed values live while a text is expanded. */
struct storage
{
    uint8_t d[NAME_TEXT], o[NAME_TEXT], p[NAME_TEXT];
    char i[NIBBLES_TEXT], c[IP_TEXT_MAX], t[NUMBER_TEXT];
};

/* Labels joined with dots, no escapes: what spf_macro_name reads back as the same name. */
static struct span name_raw_text(const struct dns_name *name, uint8_t out[NAME_TEXT])
{
    size_t n = 0;
    for (size_t at = 0; at < name->length && name->wire[at]; at += 1U + name->wire[at]) {
        if (n)
            out[n++] = '.';
        memcpy(out + n, name->wire + at + 1, name->wire[at]);
        n += name->wire[at];
    }
    return span_of(out, n);
}

/* SP-31: "192.0.2.1", or for IPv6 32 nibbles with dots between. Upper case as in the OpenSPF suite;
 * the RFC leaves it open, and names are compared without case. */
static struct span address_dotted(const struct ip *ip, char out[NIBBLES_TEXT])
{
    static const char hex[] = "0123456789ABCDEF";
    if (ip->family == IP_V4)
        return span_from_string(ip_text(ip, out));
    for (size_t i = 0; i < 16; i++) {
        out[4 * i] = hex[ip->bytes[i] >> 4];
        out[4 * i + 1] = '.';
        out[4 * i + 2] = hex[ip->bytes[i] & 15];
        out[4 * i + 3] = '.';
    }
    return span_of(out, NIBBLES_TEXT - 1);
}
STATIC_ASSERT((int)NIBBLES_TEXT >= (int)IP_TEXT_MAX);

/* local "@" domain, in the arena; p == NULL without memory. */
static struct span sender_text(struct spf_run *run, struct span domain)
{
    uint8_t *text = arena_alloc(run->arena, run->local.n + 1 + domain.n);
    if (!text)
        return (struct span){NULL, 0};
    memcpy(text, run->local.p, run->local.n);
    text[run->local.n] = '@';
    if (domain.n)
        memcpy(text + run->local.n + 1, domain.p, domain.n);
    return span_of(text, run->local.n + 1 + domain.n);
}

static enum spf_step p_value(struct spf_run *run, struct storage *storage, struct span *value)
{
    struct dns_name name;
    enum spf_step step = spf_ptr_best(run, &name);
    if (step == SPF_YES)
        *value = name_raw_text(&name, storage->p);
    if (step == SPF_NO)
        *value = SPAN("unknown");
    return step == SPF_NO ? SPF_YES : step;
}

static struct span receiver_text(const struct spf_request *request)
{
    return request->receiver.n ? request->receiver : SPAN("unknown");
}

#define VALUE(letter) values->of[(letter) - 'a']

/* Values that need neither questions nor memory. */
static void plain_values(const struct spf_run *run, struct storage *storage,
                         struct spf_macro_values *values)
{
    const struct spf_frame *frame = &run->frames[run->depth];
    *values = (struct spf_macro_values){0};
    VALUE('l') = run->local;
    VALUE('o') = name_raw_text(run->sender, storage->o);
    VALUE('d') = name_raw_text(&frame->domain, storage->d);
    VALUE('i') = address_dotted(&run->client, storage->i);
    VALUE('v') = run->client.family == IP_V4 ? SPAN("in-addr") : SPAN("ip6");
    VALUE('h') = run->request->helo;
    VALUE('c') = span_from_string(ip_text(&run->client, storage->c));
    VALUE('r') = receiver_text(run->request);
    int n = snprintf(storage->t, sizeof storage->t, "%lld", (long long)run->request->now);
    VALUE('t') = span_of(storage->t, (size_t)n);
}

static enum spf_step values_for(struct spf_run *run, uint32_t letters, struct storage *storage,
                                struct spf_macro_values *values)
{
    plain_values(run, storage, values);
    if (letters & SPF_LETTER('s')) {
        VALUE('s') = sender_text(run, VALUE('o'));
        if (!VALUE('s').p)
            return spf_fail(run, RESULT_TEMPERROR, "no_memory");
    }
    return letters & SPF_LETTER('p') ? p_value(run, storage, &VALUE('p')) : SPF_YES;
}

static enum spf_step expand_target(struct spf_run *run, struct span domain_spec,
                                   struct dns_name *target)
{
    struct storage storage;
    struct spf_macro_values values;
    uint32_t letters = spf_macro_letters(domain_spec);
    run->uses_local_part |=
        (letters & (SPF_LETTER('s') | SPF_LETTER('l') | SPF_LETTER('o') | SPF_LETTER('h'))) !=
        0; /* SP-36 */
    if (!run->local_ascii && letters & (SPF_LETTER('s') | SPF_LETTER('l')))
        return SPF_NO; /* SP-35 */
    enum spf_step step = values_for(run, letters, &storage, &values);
    if (step != SPF_YES)
        return step;
    return spf_macro_name(domain_spec, &values, target) ? SPF_YES : SPF_NO;
}

enum spf_step spf_target(struct spf_run *run, struct span domain_spec,
                         const struct spf_literal *literal, struct dns_name *target)
{
    if (domain_spec.n == 0)
        dns_name_copy(target, &run->frames[run->depth].domain);
    else if (literal && literal->wire)
        dns_name_set(target, span_of(literal->wire, literal->length), literal->labels);
    else
        return expand_target(run, domain_spec, target);
    return SPF_YES;
}

void spf_reverse_name(const struct spf_run *run, struct dns_name *name)
{
    struct storage storage;
    struct spf_macro_values values;
    plain_values(run, &storage, &values);
    bool is_name = spf_macro_name(SPAN("%{ir}.%{v}.arpa"), &values, name);
    assert(is_name);
    (void)is_name;
}

enum spf_step spf_expand_explanation(struct spf_run *run, struct span text, uint8_t *out,
                                     size_t capacity, struct span *expanded)
{
    struct storage storage;
    struct spf_macro_values values;
    bool cut;
    enum spf_step step = values_for(run, spf_macro_letters(text), &storage, &values);
    if (step != SPF_YES)
        return step;
    *expanded = spf_macro_expand(text, &values, out, capacity, &cut);
    if (cut)
        limit_hit(run->hits, LIMIT_SPF_EXPLANATION_BYTES);
    return cut ? SPF_NO : SPF_YES;
}
