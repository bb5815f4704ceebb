/* The recorder: what it writes reads back as the same answers, byte for byte the same text. */
#include "dns/zone_write.h"

#include <stdio.h>

#include "dns_test_support.h"

static struct dns_source *parse(struct span text)
{
    struct dns_error error = {""};
    struct dns_source *source = dns_zone_parse(text, "recording", &error);
    cr_assert(source, "%s\n%.*s", error.text, (int)text.n, (const char *)text.p);
    return source;
}

static void expect_equal(const struct dns_question *a, const struct dns_answer *b)
{
    char text[DNS_NAME_TEXT_MAX];
    const struct dns_answer *want = &a->answer;
    dns_name_text(&a->name, text);
    cr_expect(b->outcome == want->outcome && b->ttl == want->ttl && b->age == want->age &&
                  b->cut == want->cut && b->count == want->count,
              "%s %s: outcome %x, TTL %u, age %u, cut %d, %u records", text, dns_type_text(a->type),
              b->outcome, b->ttl, b->age, b->cut, b->count);
    cr_expect((b->reason == NULL) == (want->reason == NULL) &&
                  (!b->reason || strcmp(b->reason, want->reason) == 0),
              "%s: %s", text, b->reason);
    for (uint32_t i = 0; i < want->count && i < b->count; i++) {
        const struct dns_record *x = &want->records[i], *y = &b->records[i];
        bool same = x->preference == y->preference;
        if (a->type == DNS_TXT)
            same = same && span_equal(x->text, y->text);
        else if (a->type == DNS_A || a->type == DNS_AAAA)
            same = same && ip_equal(&x->address, &y->address);
        else
            same = same && dns_name_equal(&x->name, &y->name);
        cr_expect(same, "%s %s: record %u differs", text, dns_type_text(a->type), i);
    }
}

/* Asks what `a` asked of a source made from the recording of `a`. */
static void expect_replay(const struct asker *a)
{
    struct buffer first, second;
    struct asker replay;
    buffer_init(&first, 1 << 24);
    buffer_init(&second, 1 << 24);
    asker_init(&replay);
    cr_assert(dns_zone_write(&a->answers, &first));
    struct dns_source *source = parse(buffer_span(&first));
    for (struct dns_question *q = a->answers.first; q; q = q->next)
        (void)!dns_lookup(&replay.answers, &q->name, q->type);
    dns_source_resolve(source, &replay.answers, 0);
    for (struct dns_question *q = a->answers.first; q; q = q->next) {
        const struct dns_answer *answer = dns_lookup(&replay.answers, &q->name, q->type);
        cr_assert(answer);
        expect_equal(q, answer);
    }
    cr_assert(dns_zone_write(&replay.answers, &second));
    cr_expect(span_equal(buffer_span(&first), buffer_span(&second)), "%.*s\n---\n%.*s",
              (int)first.n, (const char *)first.p, (int)second.n, (const char *)second.p);
    asker_fini(&replay);
    dns_source_free(&source);
    buffer_fini(&first);
    buffer_fini(&second);
}

static const char zone[] =
    "a.example 300 A 192.0.2.1\na.example 200 A 192.0.2.2\n"
    "a.example AAAA ::ffff:192.0.2.1\na.example AAAA ::\n"
    "a.example MX 10 mx.example\na.example MX 0 .\n"
    "a.example MX 5 \\!\\(x\\)\\;\\\"\\@\\$.example\n"
    "a.example TXT \"v=spf1 -all; \\\"\\\\\\000\\255 end\" \"\"\na.example TXT \"\"\n"
    "p.example PTR \\!servfail\n"
    "\\!servfail TXT \"!servfail\"\n"
    "\\@ TXT x\n\\$ttl.example TXT x\n\\(.example TXT y\n\\;.example TXT z\n"
    "a\\.b\\000\\\\.example TXT q\n"
    "www.example 20 CNAME a.example\n"
    "*.wild.example TXT w\n"
    "fail.example TXT !servfail\nslow.example TXT !timeout\nref.example TXT !refused\n"
    "loop.example CNAME loop.example\n"
    "below.gone.example A 192.0.2.3\ngone.example A !nxdomain\ngone.example TXT !nxdomain\n"
    "cut.example 5 TXT a\ncut.example 5 TXT !cut\ncut.example 5 TXT !age 77\n"
    "old.example TXT !empty\nold.example TXT !age 3\n";

static const struct
{
    const char *name;
    enum dns_type type;
} questions[] = {
    {"a.example", DNS_A},
    {"a.example", DNS_AAAA},
    {"a.example", DNS_MX},
    {"a.example", DNS_TXT},
    {"a.example", DNS_PTR},
    {"p.example", DNS_PTR},
    {"!servfail", DNS_TXT},
    {"@", DNS_TXT},
    {"$ttl.example", DNS_TXT},
    {"(.example", DNS_TXT},
    {";.example", DNS_TXT},
    {"a\\.b\\000\\\\.example", DNS_TXT},
    {"www.example", DNS_A},
    {"www.example", DNS_CNAME},
    {"www.example", DNS_TXT},
    {"www.example", DNS_PTR},
    {"x.wild.example", DNS_TXT},
    {"x.wild.example", DNS_A},
    {"*.wild.example", DNS_TXT},
    {"y.x.wild.example", DNS_A},
    {"fail.example", DNS_TXT},
    {"slow.example", DNS_TXT},
    {"ref.example", DNS_TXT},
    {"loop.example", DNS_A},
    {"below.gone.example", DNS_A},
    {"gone.example", DNS_A}, /* does not exist although the name below it does */
    {"gone.example", DNS_TXT},
    {"nowhere", DNS_A},
    {".", DNS_TXT},
    {"cut.example", DNS_TXT},
    {"old.example", DNS_TXT},
};

Test(zone_write, replay)
{
    struct dns_source *source = parse(span_from_string(zone));
    struct asker a;
    asker_init(&a);
    for (size_t i = 0; i < COUNT_OF(questions); i++)
        (void)ask(&a, source, questions[i].name, questions[i].type, 0);
    expect_replay(&a);
    asker_fini(&a);
    dns_source_free(&source);
}

/* All byte values in names and texts, texts around the length of one string, the largest text. */
Test(zone_write, bytes)
{
    static const size_t lengths[] = {0, 1, 254, 255, 256, 510, 511, 65279};
    static uint8_t bytes[65536];
    struct asker a;
    asker_init(&a);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (unsigned c = 0; c < 32; c++) {
        char base[8];
        snprintf(base, sizeof base, "n%u", c);
        struct dns_name name = name_of(base);
        for (unsigned part = 0; part < 8; part++) {
            struct dns_name label = {
                .wire = {1, (uint8_t)(c * 8 + part)}, .length = 3, .labels = 1};
            label.wire[1] = ascii_lower(label.wire[1]);
            cr_assert(dns_name_join(&name, &label, &name) == DNS_NAME_OK);
        }
        const struct dns_record record = {.text = span_of(bytes, lengths[c % COUNT_OF(lengths)])};
        const struct dns_answer answer = {
            .outcome = DNS_ANSWER, .ttl = c, .age = c / 4, .count = 1, .records = &record};
        cr_assert(dns_lookup(&a.answers, &name, DNS_TXT) == NULL);
        struct dns_question *q = a.answers.first;
        while (q->next)
            q = q->next;
        dns_answers_put(&a.answers, q, &answer);
    }
    expect_replay(&a);
    asker_fini(&a);
}

/* What nobody answered is not in a recording; a full buffer is said. */
Test(zone_write, open_questions_and_full_buffers)
{
    struct asker a;
    struct buffer b;
    asker_init(&a);
    struct dns_name name = name_of("a.example");
    (void)!dns_lookup(&a.answers, &name, DNS_TXT);
    buffer_init(&b, 8);
    cr_expect(dns_zone_write(&a.answers, &b) && b.n == 0);
    static const struct dns_answer answer = {.outcome = DNS_NXDOMAIN};
    dns_answers_put(&a.answers, a.answers.first, &answer);
    cr_expect(!dns_zone_write(&a.answers, &b));
    buffer_fini(&b);
    asker_fini(&a);
}
