/* DNS messages: first octet picks name and type of the question, the rest is the reply. */
#include "dns/packet.h"
#include "fuzz/support/fuzz.h"

static void check_records(const struct dns_answer *answer, enum dns_type type)
{
    FUZZ_CHECK((answer->outcome == DNS_ANSWER) == (answer->count > 0));
    FUZZ_CHECK((answer->outcome == DNS_TEMPFAIL) == (answer->reason != NULL));
    FUZZ_CHECK(answer->count <= MAX_DNS_RECORDS);
    for (uint32_t i = 0; i < answer->count; i++) {
        const struct dns_record *record = &answer->records[i];
        char text[DNS_NAME_TEXT_MAX];
        if (type == DNS_A || type == DNS_AAAA)
            FUZZ_CHECK(record->address.family == (type == DNS_A ? IP_V4 : IP_V6));
        if (type == DNS_MX || type == DNS_PTR)
            FUZZ_CHECK(record->name.length > 0 && dns_name_text(&record->name, text) == text);
        if (type == DNS_TXT && record->text.n)
            FUZZ_CHECK(record->text.p[record->text.n - 1] <= 0xff);
    }
}

FUZZ_TARGET(packet)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_PTR, DNS_TXT};
    static const char *const names[] = {"a.example", "example", "."};
    struct arena arena;
    struct dns_name name, read;
    struct dns_answer answer;
    if (size == 0)
        return 0;
    enum dns_type type = types[data[0] % 5];
    struct span packet = fuzz_copy(span_of(data + 1, size - 1));
    FUZZ_CHECK(dns_name_from_zone_text(&name, span_from_string(names[data[0] / 5 % 3])) ==
               DNS_NAME_OK);
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_packet_read(packet, &name, type, &arena, &answer);
    check_records(&answer, type);
    for (size_t at = 0; at < packet.n && at < 64; at++)
        FUZZ_CHECK(dns_name_from_packet(&read, packet, at) <= packet.n);
    arena_fini(&arena);
    fuzz_free(packet);
    return 0;
}
