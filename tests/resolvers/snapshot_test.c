/* Keys and values as bytes: the cache key (F16), the snapshot's values, and damage to them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "run/prepare.h"
#include "support/guard.h"

static const char zone[] = "a.test 300 A 192.0.2.1\n"
                           "a.test 300 A 192.0.2.2\n"
                           "a.test 300 AAAA 2001:db8::1\n"
                           "a.test 300 TXT \"v=spf1 -all\"\n"
                           "a.test 300 TXT \"\\000\\255\"\n"
                           "a.test 300 TXT \"\"\n"
                           "a.test 300 MX 10 mx.a.test\n"
                           "p.test 300 PTR a.test\n"
                           "cut.test 300 TXT \"one\"\n"
                           "cut.test 300 TXT !cut\n"
                           "bad.test TXT !servfail\n";

static const struct
{
    const char *name;
    enum dns_type type;
} questions[] = {
    {"a.test", DNS_A},  {"a.test", DNS_AAAA},  {"a.test", DNS_TXT},
    {"a.test", DNS_MX}, {"p.test", DNS_PTR},   {"cut.test", DNS_TXT},
    {"p.test", DNS_A},  {"none.test", DNS_MX}, {"none.test", DNS_TXT},
};

static const struct cache_snapshot_format *format_now(void)
{
    static struct cache_snapshot_format format;
    format = resolvers_snapshot_format(run_prepare);
    return &format;
}

Test(snapshot, round_trip)
{
    struct fixture f, g;
    struct cache_error error = {""};
    char path[] = "/tmp/assay-snapshot-XXXXXX";
    size_t loaded = 0;
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && close(fd) == 0);
    fixture_start(&f, &(struct setting){.zone = zone, .threads = 2});
    for (size_t i = 0; i < COUNT_OF(questions); i++)
        ask_line(&f, questions[i].name, questions[i].type, 5000);
    ask_line(&f, "bad.test", DNS_TXT, 5000);
    cache_thread_online();
    cr_assert(cache_snapshot_write(f.cache, path, format_now(), now_ms(), 1000000, &error), "%s",
              error.text);
    cache_thread_offline();

    /* The second one's zone knows nothing: what it says, it has from the snapshot. */
    fixture_start(&g, &(struct setting){.zone = "other.test A 192.0.2.9\n"});
    cache_thread_online();
    enum cache_snapshot_result result =
        cache_snapshot_read(g.cache, path, format_now(), now_ms(), 1005000, &loaded, &error);
    cr_assert(result == CACHE_SNAPSHOT_LOADED, "%s", error.text);
    cr_expect(loaded == COUNT_OF(questions), "%zu loaded", loaded);
    cache_thread_offline();
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        char *want = strdup(cached_line(&f, questions[i].name, questions[i].type));
        const char *got = ask_line(&g, questions[i].name, questions[i].type, 5000);
        cr_expect(strcmp(got, want) == 0, "%s %s: got %s, want %s", questions[i].name,
                  dns_type_text(questions[i].type), got, want);
        free(want);
    }
    cr_expect(stats_of(&g).queries == 0);
    cr_expect(strcmp(cached_line(&g, "bad.test", DNS_TXT), "miss") == 0, "no failures");
    struct waiter w = {.done = false};
    waiter_ask(&g, &w, "a.test", DNS_TXT, 5000);
    waiter_line(&w);
    const struct dns_prepared *prepared = w.question.answer->answer.prepared;
    cr_expect(prepared && prepared->kind == DNS_PREPARED_SPF, "parsed anew");
    cr_expect(w.question.age >= 5 && w.question.age < 20, "age %u", w.question.age);
    waiter_drop(&w);
    fixture_stop(&g);
    fixture_stop(&f);
    unlink(path);
}

struct value
{
    uint8_t key[CACHE_KEY_MAX];
    size_t key_n;
    struct buffer bytes;
    enum cache_outcome outcome;
};

static void value_write(struct value *v, struct fixture *f, const char *name, enum dns_type type)
{
    struct waiter w = {.done = false};
    waiter_ask(f, &w, name, type, 5000);
    waiter_line(&w);
    const struct dns_shared *shared = w.question.answer;
    v->outcome = shared->answer.outcome == DNS_ANSWER     ? CACHE_ANSWER
                 : shared->answer.outcome == DNS_NXDOMAIN ? CACHE_NXDOMAIN
                                                          : CACHE_EMPTY;
    v->key_n = resolvers_cache_key(&w.question.name, type, v->key);
    buffer_init(&v->bytes, 1 << 20);
    cr_assert(format_now()->write(span_of(v->key, v->key_n), v->outcome, shared, &v->bytes,
                                  format_now()->context));
    waiter_drop(&w);
}

static bool value_read(const struct value *v, struct span bytes)
{
    struct cache_item item = {.outcome = v->outcome, .ttl_s = 60};
    if (!format_now()->read(span_of(v->key, v->key_n), bytes, &item, format_now()->context))
        return false;
    cr_expect(item.object && item.bytes > 0 && item.release);
    item.release(item.object);
    return true;
}

/* Cut at each byte, one more, and every byte changed: refused or read, never more than is there. */
Test(snapshot, damaged_values)
{
    struct fixture f;
    fixture_start(&f, &(struct setting){.zone = zone});
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        struct value v;
        value_write(&v, &f, questions[i].name, questions[i].type);
        struct span bytes = buffer_span(&v.bytes);
        cr_expect(value_read(&v, guard_copy(bytes)));
        for (size_t n = 0; n < bytes.n; n++)
            cr_expect(!value_read(&v, guard_copy(span_slice(bytes, 0, n))), "%s: cut to %zu",
                      questions[i].name, n);
        for (size_t at = 0; at < bytes.n; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                v.bytes.p[at] ^= (uint8_t)(1u << bit);
                (void)value_read(&v, bytes);
                v.bytes.p[at] ^= (uint8_t)(1u << bit);
            }
        }
        buffer_append_byte(&v.bytes, 0);
        cr_expect(!value_read(&v, guard_copy(buffer_span(&v.bytes))), "one more");
        buffer_fini(&v.bytes);
    }
    fixture_stop(&f);
}

/* An outcome that does not go with the records, a key of another type, failures. */
Test(snapshot, values_that_do_not_fit)
{
    struct fixture f;
    struct value v;
    fixture_start(&f, &(struct setting){.zone = zone});
    value_write(&v, &f, "a.test", DNS_TXT);
    v.outcome = CACHE_NXDOMAIN;
    cr_expect(!value_read(&v, buffer_span(&v.bytes)));
    v.outcome = CACHE_FAILURE;
    cr_expect(!value_read(&v, buffer_span(&v.bytes)));
    v.outcome = CACHE_ANSWER;
    cr_expect(value_read(&v, buffer_span(&v.bytes)));
    v.key[1] = DNS_A;
    cr_expect(!value_read(&v, buffer_span(&v.bytes)));
    v.key[1] = 99;
    cr_expect(!value_read(&v, buffer_span(&v.bytes)));
    buffer_fini(&v.bytes);
    fixture_stop(&f);
}

Test(key, there_and_back)
{
    static const char *const names[] = {".", "a", "s._domainkey.A.Test", "\\000\\255.\\.x"};
    static const enum dns_type types[] = {DNS_A, DNS_CNAME, DNS_PTR, DNS_MX, DNS_TXT, DNS_AAAA};
    uint8_t key[CACHE_KEY_MAX + 1];
    for (size_t i = 0; i < COUNT_OF(names) * COUNT_OF(types); i++) {
        struct dns_name name = name_of(names[i / COUNT_OF(types)]), back;
        enum dns_type type = types[i % COUNT_OF(types)], type_back;
        size_t n = resolvers_cache_key(&name, type, key);
        cr_expect(n == name.length + 2u);
        cr_expect(resolvers_cache_key_read(span_of(key, n), &back, &type_back));
        cr_expect(dns_name_equal(&name, &back) && type == type_back && name.labels == back.labels);
        for (size_t cut = 0; cut < n; cut++)
            cr_expect(!resolvers_cache_key_read(span_of(key, cut), &back, &type_back),
                      "%s: cut to %zu", names[i / COUNT_OF(types)], cut);
        key[n] = 16;
        cr_expect(!resolvers_cache_key_read(span_of(key, n + 1), &back, &type_back));
    }
}

Test(key, what_is_none)
{
    static const struct span keys[] = {
        {NULL, 0},
        SPAN("\0\20\1A\0"),                /* upper case */
        SPAN("\0\21\1a\0"),                /* TYPE17 */
        SPAN("\0\20\1a\300\0"),            /* a pointer */
        SPAN("\0\20\1a\1b\300\2\0"),       /* and one that ends */
        SPAN("\0\20\1a\0\1b\0"),           /* two names */
        SPAN("\0\20\77aaaaaaaaaaaaaaa\0"), /* a label past the end */
        SPAN("\1a\0\0\20"),                /* the key of an earlier version */
        SPAN("\0\0\20"),                   /* and that of the root */
    };
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct dns_name name;
        enum dns_type type;
        cr_expect(!resolvers_cache_key_read(keys[i], &name, &type), "key %zu", i);
    }
}
