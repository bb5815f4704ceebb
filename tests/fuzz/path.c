/* Reverse-paths: a domain of host characters or none; angle brackets make no difference. */
#include "base/buffer.h"
#include "base/chars.h"
#include "fuzz/support/fuzz.h"
#include "mail/address.h"

static void check_domain(struct span domain)
{
    FUZZ_CHECK(domain.n > 0);
    for (size_t i = 0; i < domain.n && domain.p[0] != '['; i++)
        FUZZ_CHECK(char_is(domain.p[i], CHAR_LDH) || domain.p[i] == '.' || domain.p[i] >= 0x80);
}

static void parse(struct span text, struct arena *arena, struct mail_path *path)
{
    struct mail_anomalies anomalies = {0};
    struct limit_hits hits = {.set = 0};
    mail_path_parse(text, arena, &anomalies, &hits, path);
    FUZZ_CHECK((path->kind == MAIL_PATH_MALFORMED) == (path->reason != NULL));
    FUZZ_CHECK((path->kind == MAIL_PATH_MALFORMED) ==
               mail_anomaly_is(&anomalies, ANOMALY_PATH_MALFORMED));
    if (path->kind == MAIL_PATH_ADDRESS)
        check_domain(path->domain);
}

FUZZ_TARGET(path)
{
    struct arena arena;
    struct mail_path bare, bracketed;
    struct buffer text;
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&text, size + 2);
    buffer_append_byte(&text, '<');
    buffer_append(&text, span_of(data, size));
    buffer_append_byte(&text, '>');
    parse(size ? span_of(data, size) : SPAN(""), &arena, &bare);
    parse(buffer_span(&text), &arena, &bracketed);
    bool plain = bare.kind == MAIL_PATH_ADDRESS && data[0] != '<';
    FUZZ_CHECK(!plain || size + 2 > MAX_PATH_BYTES ||
               (bracketed.kind == MAIL_PATH_ADDRESS && span_equal(bare.domain, bracketed.domain)));
    buffer_fini(&text);
    arena_fini(&arena);
    return 0;
}
