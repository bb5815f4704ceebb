/*
 * Byte soups, the same on every run: nothing crashes, no byte is read behind the end, and what must
 * hold for every input holds. 50,000 rounds a parser family.
 */
#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail_support.h"
#include "mail/body.h"
#include "mail/line_ends.h"

enum
{
    ROUNDS = 50000,
    SOUP_MAX = 200,
};

/* Bytes that end at an inaccessible page; one mapping for all rounds. */
static struct span soup_make(uint64_t *seed, const char *const *words, size_t word_count)
{
    static uint8_t *end;
    if (!end) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        uint8_t *memory =
            mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        cr_assert(memory != MAP_FAILED && mprotect(memory + page, page, PROT_NONE) == 0);
        end = memory + page;
    }
    uint8_t bytes[SOUP_MAX];
    size_t n = 0, wanted = random_next(seed) % SOUP_MAX;
    while (n < wanted) {
        uint32_t r = random_next(seed);
        if (r % 8 == 0) {
            bytes[n++] = (uint8_t)(r >> 8);
            continue;
        }
        const char *word = words[(r >> 8) % word_count];
        while (*word && n < wanted)
            bytes[n++] = (uint8_t)*word++;
    }
    memcpy(end - n, bytes, n);
    return span_of(end - n, n);
}

static const char *const header_words[] = {
    "From", ": ", ":",  "\r\n",     "\r\n",   "\r\n ",        "\n", "\r", " ",
    "\t",   "to", "To", "a@x.test", "From x", "\xef\xbb\xbf", ";",  "<>", "X-1"};
static const char *const address_words[] = {
    "a", "@",     "x.test",           "<", ">", ",",        ";", ":", "\"", "(", ")", "\\", ".",
    " ", "\r\n ", "=?utf-8?B?QEA=?=", "[", "]", "\xc3\xa9", "\n"};
static const char *const body_words[] = {
    "a", " ", "  ", "\t", "\r\n", "\r\n\r\n", "\r", "\n", "word and word", " \r\n"};

static void check_fields(const struct mail_header *header)
{
    const uint8_t *at = header->block.p;
    for (uint32_t i = 0; i < header->count; i++) {
        const struct mail_field *field = &header->fields[i];
        cr_assert(field->raw.p == at && field->raw.n > 0 && field->position == i,
                  "the pieces cover the block without a gap");
        at += field->raw.n;
        cr_assert(field->name.p >= field->raw.p && span_end(field->name) <= span_end(field->value));
        cr_assert(span_end(field->value) <= span_end(field->raw));
        cr_assert(field->indexed == (field->same > 0));
        cr_assert(field->indexed || field->above < 0);
        if (!field->indexed)
            continue;
        const struct mail_field *lowest = mail_header_lowest(header, field->name);
        cr_assert(lowest && lowest->same >= field->same);
        uint32_t steps = 0;
        while (lowest && lowest != field)
            lowest = mail_header_above(header, lowest), steps++;
        cr_assert(lowest == field && mail_header_count(header, field->name) == field->same + steps);
    }
    cr_assert(at == span_end(header->block), "the sum of the pieces is the block");
}

static bool fields_equal(const struct mail_field *a, const struct mail_field *b)
{
    return span_equal(a->raw, b->raw) && span_equal(a->name, b->name) &&
           span_equal(a->value, b->value) && a->above == b->above && a->same == b->same;
}

Test(soup, header_reader)
{
    uint64_t seed = 1;
    for (int round = 0; round < ROUNDS / 4; round++) {
        struct span soup = soup_make(&seed, header_words, COUNT_OF(header_words));
        struct fixture whole, pieces;
        static struct mail_from from;
        fixture_read(&whole, soup, 0, SIZE_MAX);
        fixture_read(&pieces, soup, 0, 1 + random_next(&seed) % 9);
        cr_assert(whole.taken == pieces.taken && !whole.reader.refused);
        cr_assert(memcmp(&whole.anomalies, &pieces.anomalies, sizeof whole.anomalies) == 0);
        cr_assert(span_equal(whole.reader.header.block, pieces.reader.header.block));
        cr_assert(whole.reader.header.count == pieces.reader.header.count);
        for (uint32_t i = 0; i < whole.reader.header.count; i++)
            cr_assert(
                fields_equal(&whole.reader.header.fields[i], &pieces.reader.header.fields[i]));
        size_t tail = whole.reader.ended_by_blank_line ? 2 : 0;
        cr_assert(whole.reader.header.block.n + tail == whole.taken);
        cr_assert(span_equal(whole.reader.header.block, span_slice(soup, 0, whole.taken - tail)));
        check_fields(&whole.reader.header);
        mail_from_read(&whole.reader.header, &whole.arena, &whole.anomalies, &whole.hits, &from);
        cr_assert(from.state != MAIL_FROM_UNSET &&
                  (from.list.count > 0) == (from.state == MAIL_FROM_OK));
        fixture_fini(&whole);
        fixture_fini(&pieces);
    }
}

/* In the text that it was read from, or in the arena. */
static bool is_inside(struct span s, struct span text, struct arena *arena)
{
    if (s.p >= text.p && s.p <= span_end(text))
        return s.n <= (size_t)(span_end(text) - s.p);
    return s.n == 0 || (s.p != NULL && arena->used_bytes >= s.n);
}

Test(soup, addresses)
{
    uint64_t seed = 2;
    struct arena arena;
    uint32_t good = 0;
    arena_init(&arena, MAX_ARENA_BYTES);
    for (int round = 0; round < ROUNDS; round++) {
        static struct mail_address_list list;
        struct mail_anomalies anomalies = {0};
        struct limit_hits hits = {0};
        struct mail_path path;
        struct span soup = soup_make(&seed, address_words, COUNT_OF(address_words));
        soup = span_skip(soup, soup.n - soup.n % 25); /* short ones have a chance */
        arena_reset(&arena);
        mail_address_list_parse(soup, &arena, &anomalies, &hits, &list);
        cr_assert((list.error == MAIL_ADDRESS_OK) == (list.count > 0));
        cr_assert(list.error_at <= soup.n);
        cr_assert(mail_anomaly_is(&anomalies, ANOMALY_FROM_MALFORMED) == (list.count == 0));
        for (uint32_t i = 0; i < list.count; i++)
            cr_assert(list.addresses[i].domain.n > 0 &&
                      is_inside(list.addresses[i].domain, soup, &arena));
        good += list.count > 0;
        mail_path_parse(soup, &arena, &anomalies, &hits, &path);
        cr_assert((path.kind == MAIL_PATH_ADDRESS) == (path.domain.n > 0));
        cr_assert((path.kind == MAIL_PATH_MALFORMED) == (path.reason != NULL));
    }
    cr_expect(good > 100, "only %u soups were addresses: the soup is too thin", good);
    arena_fini(&arena);
}

struct sum
{
    uint64_t n, hash;
};

static void sum_up(void *context, struct span bytes)
{
    struct sum *sum = context;
    cr_assert(bytes.n > 0);
    for (size_t i = 0; i < bytes.n; i++)
        sum->hash = (sum->hash ^ bytes.p[i]) * 1099511628211u;
    sum->n += bytes.n;
}

static struct sum sum_of(enum canon canon, struct span body, size_t step)
{
    struct sum sum = {0, 1};
    struct canon_pipe state;
    canon_pipe_init(&state, canon, sum_up, &sum);
    for (size_t at = 0; at < body.n; at += step)
        canon_pipe_feed(&state, span_slice(body, at, body.n - at < step ? body.n : at + step));
    canon_pipe_end(&state);
    return sum;
}

Test(soup, bodies)
{
    uint64_t seed = 3;
    for (int round = 0; round < ROUNDS / 2; round++) {
        struct span soup = soup_make(&seed, body_words, COUNT_OF(body_words));
        size_t step = 1 + random_next(&seed) % 20;
        for (int canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
            struct sum whole = sum_of((enum canon)canon, soup, SIZE_MAX);
            struct sum pieces = sum_of((enum canon)canon, soup, step);
            cr_assert(whole.n == pieces.n && whole.hash == pieces.hash);
            cr_assert(whole.n <= soup.n + 2);
        }
        struct sum out = {0, 1};
        struct line_ends ends;
        line_ends_init(&ends, sum_up, &out);
        line_ends_feed(&ends, soup);
        cr_assert(out.n >= soup.n);
    }
}
