/* Zone files: an error says where, and what is read can be asked, written and read again. */
#include "dns/source.h"
#include "dns/zone_write.h"
#include "fuzz/support/fuzz.h"

static void ask_all(struct dns_answers *answers, struct dns_source *source, struct span text)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_PTR, DNS_TXT};
    struct dns_name name;
    for (unsigned lines = 0; text.n && lines < 10; lines++) {
        struct span line = fuzz_line(&text);
        struct span owner = span_slice(line, 0, span_find(line, ' '));
        if (dns_name_from_zone_text(&name, owner) != DNS_NAME_OK)
            continue;
        for (size_t i = 0; i < COUNT_OF(types); i++)
            (void)!dns_lookup(answers, &name, types[i]);
    }
    dns_source_resolve(source, answers, 0);
    FUZZ_CHECK(answers->waiting == 0);
}

FUZZ_TARGET(zone)
{
    struct span text = span_of(data, size);
    struct dns_error error;
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    struct arena arena;
    struct buffer out;
    struct dns_source *source = dns_zone_parse(text, "zone", &error);
    FUZZ_CHECK(source || strncmp(error.text, "zone:", 5) == 0);
    if (!source)
        return 0;
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&out, 64 * 1024 * 1024);
    dns_answers_init(&answers, &arena, &hits);
    ask_all(&answers, source, text);
    FUZZ_CHECK(dns_zone_write(&answers, &out));
    dns_source_free(&source);
    source = dns_zone_parse(buffer_span(&out), "again", &error);
    FUZZ_CHECK(source != NULL);
    dns_source_free(&source);
    buffer_fini(&out);
    arena_fini(&arena);
    return 0;
}
