/* Replies in wire form: what they say, and what must not be believed (F05, F07, F08, F09, F15). */
#include "dns/packet.h"

#include <stdio.h>

#include "base/buffer.h"
#include "dns_test_support.h"
#include "support/guard.h"

enum
{
    REPLY = 0x8180,
    TYPE_NS = 2,
    TYPE_SOA = 6,
    CLASS_CH = 3,
};

/* One record of a reply: `name` becomes a wire name behind the raw bytes of `raw`. */
struct record
{
    const char *owner;
    uint16_t type;
    uint32_t ttl;
    struct span raw;
    const char *name;
    uint16_t class; /* 0: IN */
    bool authority;
};

#define RAW(literal)                                                                               \
    {                                                                                              \
        (const uint8_t *)("" literal), sizeof(literal) - 1                                         \
    }

struct packet_case
{
    const char *title;
    const char *name;
    enum dns_type type;
    uint16_t flags;
    struct record records[12];
    const char *want;
    uint32_t ttl;
};

static void put_u16(struct buffer *b, unsigned n)
{
    buffer_append_byte(b, (uint8_t)(n >> 8));
    buffer_append_byte(b, (uint8_t)n);
}

static void put_name(struct buffer *b, const char *text)
{
    struct dns_name name = name_of(text);
    buffer_append(b, dns_name_span(&name));
}

static void put_question(struct buffer *b, const char *name, unsigned type, unsigned flags,
                         unsigned answers, unsigned authorities)
{
    put_u16(b, 0x1234);
    put_u16(b, flags);
    put_u16(b, 1);
    put_u16(b, answers);
    put_u16(b, authorities);
    put_u16(b, 0);
    put_name(b, name);
    put_u16(b, type);
    put_u16(b, 1);
}

static void put_record(struct buffer *b, const struct record *record)
{
    struct dns_name name = {0};
    if (record->name)
        name = name_of(record->name);
    put_name(b, record->owner);
    put_u16(b, record->type);
    put_u16(b, record->class ? record->class : 1);
    put_u16(b, record->ttl >> 16);
    put_u16(b, record->ttl & 0xffff);
    put_u16(b, (unsigned)(record->raw.n + name.length));
    buffer_append(b, record->raw);
    buffer_append(b, dns_name_span(&name));
}

static void put_case(struct buffer *b, const struct packet_case *c)
{
    unsigned count[2] = {0, 0};
    for (size_t i = 0; i < COUNT_OF(c->records) && c->records[i].owner; i++)
        count[c->records[i].authority]++;
    put_question(b, c->name, c->type, c->flags, count[0], count[1]);
    for (size_t i = 0; i < COUNT_OF(c->records) && c->records[i].owner; i++)
        put_record(b, &c->records[i]);
}

/* `packet` at the end of accessible memory, read as the answer to (name, type). */
static const char *read_line(struct arena *arena, struct span packet, const char *text,
                             enum dns_type type, struct dns_answer *answer)
{
    struct dns_name name = name_of(text);
    dns_packet_read(packet, &name, type, arena, answer);
    return answer_line(answer, type);
}

#define CHAIN(from, to)                                                                            \
    {                                                                                              \
        from, DNS_CNAME, 300, .name = to                                                           \
    }
#define ADDRESS(owner, last)                                                                       \
    {                                                                                              \
        owner, DNS_A, 300, .raw = RAW("\300\0\2" last)                                             \
    }
#define SOA(owner, soa_ttl, minimum)                                                               \
    {                                                                                              \
        owner, TYPE_SOA, soa_ttl,                                                                  \
            .raw = RAW("\2ns\0\2hm\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0" minimum),              \
            .authority = true                                                                      \
    }

/* clang-format off */
static const struct packet_case cases[] = {
    {"one address", "a.test", DNS_A, REPLY, {ADDRESS("a.test", "\1")}, "answer [192.0.2.1]", 300},
    {"owner in other case (F16)", "a.test", DNS_A, REPLY, {ADDRESS("A.TEST", "\1")}, "answer [192.0.2.1]", 300},
    {"IPv6", "a.test", DNS_AAAA, REPLY,
     {{"a.test", DNS_AAAA, 1, .raw = RAW("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1")}}, "answer [2001:db8::1]", 1},
    {"mail exchanges keep their order", "a.test", DNS_MX, REPLY,
     {{"a.test", DNS_MX, 9, .raw = RAW("\0\24"), .name = "mx2.test"}, {"a.test", DNS_MX, 8, .raw = RAW("\1\1"), .name = "."}},
     "answer [20 mx2.test] [257 .]", 8},
    {"pointer", "a.test", DNS_PTR, REPLY, {{"a.test", DNS_PTR, 7, .name = "x\\.y.test"}}, "answer [x\\.y.test]", 7},
    {"CNAME asked for itself", "a.test", DNS_CNAME, REPLY, {CHAIN("a.test", "a.test")}, "answer [a.test]", 300},
    {"TTL with the top bit is 0 (RFC 2181)", "a.test", DNS_PTR, REPLY,
     {{"a.test", DNS_PTR, 0x80000001, .name = "b.test"}}, "answer [b.test]", 0},
    {"TTL of 2^31-1", "a.test", DNS_PTR, REPLY,
     {{"a.test", DNS_PTR, 0x7fffffff, .name = "b.test"}}, "answer [b.test]", 0x7fffffff},

    {"F05 strings are joined", "a.test", DNS_TXT, REPLY,
     {{"a.test", DNS_TXT, 300, .raw = RAW("\3abc\0\2de")}}, "answer [abcde]", 300},
    {"F05 one empty string", "a.test", DNS_TXT, REPLY, {{"a.test", DNS_TXT, 300, .raw = RAW("\0")}}, "answer []", 300},
    {"F05 no string", "a.test", DNS_TXT, REPLY, {{"a.test", DNS_TXT, 300, .raw = RAW("")}}, "tempfail malformed", 0},
    {"F05 string past the end", "a.test", DNS_TXT, REPLY,
     {{"a.test", DNS_TXT, 300, .raw = RAW("\5a")}}, "tempfail malformed", 0},
    {"F05 second string past the end", "a.test", DNS_TXT, REPLY,
     {{"a.test", DNS_TXT, 300, .raw = RAW("\1a\377b")}}, "tempfail malformed", 0},
    {"F05 good record, then a broken one", "a.test", DNS_TXT, REPLY,
     {{"a.test", DNS_TXT, 300, .raw = RAW("\1a")}, {"a.test", DNS_TXT, 300, .raw = RAW("\377")}}, "tempfail malformed", 0},

    {"F07 chain in order", "a.test", DNS_A, REPLY,
     {{"a.test", DNS_CNAME, 20, .name = "b.test"}, CHAIN("b.test", "c.test"), ADDRESS("c.test", "\1")},
     "answer [192.0.2.1]", 20},
    {"F07 chain out of order", "a.test", DNS_A, REPLY,
     {ADDRESS("d.test", "\1"), CHAIN("c.test", "d.test"), CHAIN("b.test", "c.test"), CHAIN("a.test", "b.test")},
     "answer [192.0.2.1]", 300},
    {"F07 8 links", "0.test", DNS_A, REPLY,
     {CHAIN("0.test", "1.test"), CHAIN("1.test", "2.test"), CHAIN("2.test", "3.test"), CHAIN("3.test", "4.test"),
      CHAIN("4.test", "5.test"), CHAIN("5.test", "6.test"), CHAIN("6.test", "7.test"), CHAIN("7.test", "8.test"),
      ADDRESS("8.test", "\1")}, "answer [192.0.2.1]", 300},
    {"F07 7 links", "1.test", DNS_A, REPLY,
     {CHAIN("1.test", "2.test"), CHAIN("2.test", "3.test"), CHAIN("3.test", "4.test"),
      CHAIN("4.test", "5.test"), CHAIN("5.test", "6.test"), CHAIN("6.test", "7.test"), CHAIN("7.test", "8.test"),
      ADDRESS("8.test", "\1")}, "answer [192.0.2.1]", 300},
    {"F07 9 links", "0.test", DNS_A, REPLY,
     {CHAIN("0.test", "1.test"), CHAIN("1.test", "2.test"), CHAIN("2.test", "3.test"), CHAIN("3.test", "4.test"),
      CHAIN("4.test", "5.test"), CHAIN("5.test", "6.test"), CHAIN("6.test", "7.test"), CHAIN("7.test", "8.test"),
      CHAIN("8.test", "9.test"), ADDRESS("9.test", "\1")}, "tempfail cname_chain_too_long", 0},
    {"F07 9 links, last first", "0.test", DNS_A, REPLY,
     {CHAIN("8.test", "9.test"), CHAIN("7.test", "8.test"), CHAIN("6.test", "7.test"), CHAIN("5.test", "6.test"),
      CHAIN("4.test", "5.test"), CHAIN("3.test", "4.test"), CHAIN("2.test", "3.test"), CHAIN("1.test", "2.test"),
      CHAIN("0.test", "1.test"), ADDRESS("9.test", "\1")}, "tempfail cname_chain_too_long", 0},
    {"F07 loop onto itself", "a.test", DNS_A, REPLY, {CHAIN("a.test", "A.test")}, "tempfail cname_loop", 0},
    {"F07 loop of two", "a.test", DNS_A, REPLY,
     {CHAIN("a.test", "b.test"), CHAIN("b.test", "a.test"), ADDRESS("a.test", "\1")}, "tempfail cname_loop", 0},
    {"F07 chain to an empty name", "a.test", DNS_A, REPLY, {CHAIN("a.test", "b.test")}, "empty", 0},
    {"F07 chain to NXDOMAIN", "a.test", DNS_A, REPLY | 3, {CHAIN("a.test", "b.test")}, "nxdomain", 0},
    {"F07 second CNAME at one name", "a.test", DNS_A, REPLY,
     {CHAIN("a.test", "b.test"), CHAIN("a.test", "c.test"), ADDRESS("b.test", "\1"), ADDRESS("c.test", "\2")},
     "answer [192.0.2.1]", 300},
    {"CNAME target over RDATA", "a.test", DNS_A, REPLY,
     {{"a.test", DNS_CNAME, 300, .raw = RAW("\4b")}, ADDRESS("a.test", "\1")}, "tempfail malformed", 0},
    {"bytes behind a CNAME target", "a.test", DNS_A, REPLY,
     {{"a.test", DNS_CNAME, 300, .raw = RAW("\1b\0\0")}}, "tempfail malformed", 0},

    {"F08 FORMERR", "a.test", DNS_A, REPLY | 1, {ADDRESS("a.test", "\1")}, "tempfail formerr", 0},
    {"F08 SERVFAIL", "a.test", DNS_A, REPLY | 2, {{0}}, "tempfail servfail", 0},
    {"F08 NOTIMP", "a.test", DNS_A, REPLY | 4, {{0}}, "tempfail notimp", 0},
    {"F08 REFUSED", "a.test", DNS_A, REPLY | 5, {{0}}, "tempfail refused", 0},
    {"F08 YXDOMAIN", "a.test", DNS_A, REPLY | 6, {{0}}, "tempfail error_code", 0},
    {"F08 rcode 15", "a.test", DNS_A, REPLY | 15, {{0}}, "tempfail error_code", 0},
    {"truncated", "a.test", DNS_A, REPLY | 0x200, {ADDRESS("a.test", "\1")}, "tempfail truncated", 0},
    {"a question, not a reply", "a.test", DNS_A, 0x0100, {ADDRESS("a.test", "\1")}, "tempfail malformed", 0},
    {"another opcode", "a.test", DNS_A, REPLY | 0x2800, {{0}}, "tempfail malformed", 0},
    {"NXDOMAIN with an answer", "a.test", DNS_A, REPLY | 3, {ADDRESS("a.test", "\1")}, "nxdomain", 0},

    {"F15 other types first", "a.test", DNS_TXT, REPLY,
     {ADDRESS("a.test", "\1"), {"a.test", TYPE_NS, 300, .name = "ns.test"}, {"a.test", DNS_TXT, 300, .raw = RAW("\1x")}},
     "answer [x]", 300},
    {"F15 other owners", "a.test", DNS_A, REPLY,
     {ADDRESS("b.test", "\2"), ADDRESS("a.test", "\1"), ADDRESS("x.a.test", "\3"), ADDRESS("test", "\4")},
     "answer [192.0.2.1]", 300},
    {"F15 other class", "a.test", DNS_A, REPLY,
     {{"a.test", DNS_A, 300, .raw = RAW("\300\0\2\2"), .class = CLASS_CH}, ADDRESS("a.test", "\1")}, "answer [192.0.2.1]", 300},
    {"F15 CNAME of another class", "a.test", DNS_A, REPLY,
     {{"a.test", DNS_CNAME, 300, .name = "b.test", .class = CLASS_CH}, ADDRESS("b.test", "\1")}, "empty", 0},
    {"F03 records of the authority section are no answer", "a.test", DNS_A, REPLY,
     {{"a.test", DNS_A, 300, .raw = RAW("\300\0\2\2"), .authority = true}}, "empty", 0},
    {"address of 3 bytes", "a.test", DNS_A, REPLY, {{"a.test", DNS_A, 300, .raw = RAW("\1\2\3")}}, "tempfail malformed", 0},
    {"address of 5 bytes", "a.test", DNS_A, REPLY, {{"a.test", DNS_A, 300, .raw = RAW("\1\2\3\4\5")}}, "tempfail malformed", 0},
    {"IPv6 of 4 bytes", "a.test", DNS_AAAA, REPLY, {{"a.test", DNS_AAAA, 300, .raw = RAW("\1\2\3\4")}}, "tempfail malformed", 0},
    {"MX of 2 bytes", "a.test", DNS_MX, REPLY, {{"a.test", DNS_MX, 300, .raw = RAW("\0\1")}}, "tempfail malformed", 0},
    {"MX of 1 byte", "a.test", DNS_MX, REPLY, {{"a.test", DNS_MX, 300, .raw = RAW("\0")}}, "tempfail malformed", 0},
    {"bytes behind MX", "a.test", DNS_MX, REPLY, {{"a.test", DNS_MX, 300, .raw = RAW("\0\1\1a\0x")}}, "tempfail malformed", 0},
    {"empty PTR", "a.test", DNS_PTR, REPLY, {{"a.test", DNS_PTR, 300, .raw = RAW("")}}, "tempfail malformed", 0},

    {"RFC 2308: the SOA's minimum", "a.test", DNS_A, REPLY | 3, {SOA("test", 300, "\74")}, "nxdomain", 60},
    {"RFC 2308: the SOA's own TTL", "a.test", DNS_A, REPLY, {SOA("test", 30, "\74")}, "empty", 30},
    {"RFC 2308: a shorter CNAME before it", "a.test", DNS_A, REPLY,
     {{"a.test", DNS_CNAME, 20, .name = "b.test"}, SOA("test", 30, "\74")}, "empty", 20},
};
/* clang-format on */

Test(packet, replies)
{
    struct buffer b;
    struct arena arena;
    buffer_init(&b, 1 << 17);
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct packet_case *c = &cases[i];
        struct dns_answer answer;
        buffer_reset(&b);
        arena_reset(&arena);
        put_case(&b, c);
        struct span packet = guard_copy(buffer_span(&b));
        const char *got = read_line(&arena, packet, c->name, c->type, &answer);
        cr_expect(strcmp(got, c->want) == 0, "%s: got \"%s\", want \"%s\"", c->title, got, c->want);
        cr_expect(answer.ttl == c->ttl, "%s: TTL %u, want %u", c->title, answer.ttl, c->ttl);
        cr_expect(answer.age == 0);
    }
    buffer_fini(&b);
    arena_fini(&arena);
}

/* Every beginning of a reply is malformed; where it ends is the end of the accessible memory. A cut
 * in the authority section alone leaves the answer, which stands before it, as it is. */
Test(packet, every_cut)
{
    struct buffer b;
    struct arena arena;
    buffer_init(&b, 1 << 17);
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct packet_case *c = &cases[i];
        if (strncmp(c->want, "answer", 6) != 0)
            continue;
        buffer_reset(&b);
        put_case(&b, c);
        for (size_t n = 0; n < b.n; n++) {
            struct dns_answer answer;
            arena_reset(&arena);
            struct span cut = guard_copy(span_slice(buffer_span(&b), 0, n));
            const char *got = read_line(&arena, cut, c->name, c->type, &answer);
            cr_expect(strcmp(got, "tempfail malformed") == 0, "%s, %zu bytes: got %s", c->title, n,
                      got);
        }
    }
    buffer_fini(&b);
    arena_fini(&arena);
}

/* No changed byte makes the parser read outside; the sanitizers and the guard page watch. */
Test(packet, every_byte_changed)
{
    static const uint8_t values[] = {0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xc1, 0xff};
    struct buffer b;
    struct arena arena;
    buffer_init(&b, 1 << 17);
    arena_init(&arena, 1 << 20);
    size_t outcomes[256] = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct packet_case *c = &cases[i];
        buffer_reset(&b);
        put_case(&b, c);
        struct span copy = guard_copy(buffer_span(&b));
        uint8_t *bytes = b.p;
        for (size_t at = 0; at < copy.n * COUNT_OF(values); at++) {
            struct dns_answer answer;
            struct dns_name name = name_of(c->name);
            arena_reset(&arena);
            memcpy(bytes, copy.p, copy.n);
            bytes[at / COUNT_OF(values)] = values[at % COUNT_OF(values)];
            dns_packet_read(span_of(bytes, copy.n), &name, c->type, &arena, &answer);
            outcomes[answer.outcome]++;
        }
    }
    cr_expect(outcomes[DNS_UNANSWERED] == 0 && outcomes[DNS_ANSWER] && outcomes[DNS_TEMPFAIL]);
    buffer_fini(&b);
    arena_fini(&arena);
}

/* F04, F06: a reply to another question is no reply. */
Test(packet, the_question_has_to_be_ours)
{
    static const struct
    {
        const char *asked;
        unsigned type;
        const char *want;
    } questions[] = {
        {"a.test", DNS_A, "answer [192.0.2.1]"},   {"A.Test", DNS_A, "answer [192.0.2.1]"},
        {"b.test", DNS_A, "tempfail malformed"},   {"a.test.test", DNS_A, "tempfail malformed"},
        {"a\\.test", DNS_A, "tempfail malformed"}, {".", DNS_A, "tempfail malformed"},
        {"a.test", DNS_TXT, "tempfail malformed"},
    };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        static const struct record record = ADDRESS("a.test", "\1");
        struct buffer b;
        struct dns_answer answer;
        buffer_init(&b, 4096);
        put_question(&b, questions[i].asked, questions[i].type, REPLY, 1, 0);
        put_record(&b, &record);
        const char *got = read_line(&arena, buffer_span(&b), "a.test", DNS_A, &answer);
        cr_expect(strcmp(got, questions[i].want) == 0, "%s: got %s", questions[i].asked, got);
        buffer_fini(&b);
    }
    arena_fini(&arena);
}

/* F09: the limits in records, one below, at, and one above. */
Test(packet, many_records)
{
    static const unsigned counts[] = {MAX_DNS_RECORDS - 1, MAX_DNS_RECORDS, MAX_DNS_RECORDS + 1,
                                      1000};
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        static const struct record record = ADDRESS("a.test", "\1");
        struct buffer b;
        struct dns_answer answer;
        unsigned want = counts[i] < MAX_DNS_RECORDS ? counts[i] : MAX_DNS_RECORDS;
        buffer_init(&b, 1 << 17);
        put_question(&b, "a.test", DNS_A, REPLY, counts[i], 0);
        for (unsigned n = 0; n < counts[i]; n++)
            put_record(&b, &record);
        read_line(&arena, buffer_span(&b), "a.test", DNS_A, &answer);
        cr_expect(answer.outcome == DNS_ANSWER && answer.count == want &&
                      answer.cut == (counts[i] > MAX_DNS_RECORDS),
                  "%u records: got %u, cut %d", counts[i], answer.count, answer.cut);
        buffer_fini(&b);
    }
    arena_fini(&arena);
}

/* F05: the largest TXT RDATA that a message has room for, 255 bytes in each string. */
Test(packet, largest_text)
{
    enum
    {
        STRINGS = 255,
    };
    struct buffer b;
    struct arena arena;
    struct dns_answer answer;
    uint8_t string[256] = {255};
    memset(string + 1, 'x', 255);
    arena_init(&arena, 1 << 20);
    buffer_init(&b, 1 << 17);
    put_question(&b, "a.test", DNS_TXT, REPLY, 1, 0);
    put_name(&b, "a.test");
    buffer_append(&b, span_of("\0\20\0\1\0\0\0\1", 8));
    put_u16(&b, STRINGS * 256);
    for (unsigned i = 0; i < STRINGS; i++)
        buffer_append(&b, span_of(string, sizeof string));
    struct span packet = guard_copy(buffer_span(&b));
    read_line(&arena, packet, "a.test", DNS_TXT, &answer);
    cr_assert(answer.count == 1 && answer.records[0].text.n == STRINGS * 255);

    /* Without memory the answer is an error, not a shorter text. */
    arena_fini(&arena);
    arena_init(&arena, 32 * 1024);
    const char *got = read_line(&arena, packet, "a.test", DNS_TXT, &answer);
    cr_expect(strcmp(got, "tempfail no_memory") == 0, "got %s", got);
    arena_fini(&arena);
    buffer_fini(&b);
}
