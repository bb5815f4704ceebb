/*
 * Shared answers in snapshots of the cache (cache/snapshot.c keeps key, outcome, times, and finds
 * damage). Big-endian:
 *
 *   value   =  cut (1)  count (2)  count * record
 *   record  =  A: address (4) / AAAA: address (16)
 *           /  TXT: length (4) text
 *           /  PTR, CNAME: length (1) wire name  /  MX: preference (2) length (1) wire name
 *
 * Parsed forms are not written but made anew: a newer program may parse better. A value that does
 * not read as its key's type is skipped.
 */
#include "base/cursor.h"
#include "dns/resolvers.h"

enum
{
    FORMAT_VERSION = 2, /* 1: the type stood behind the name in keys */
    READ_ARENA_BYTES = 256 * 1024, /* 64 records and MAX_DNS_TEXT_BYTES of text */
};

static void append_number(struct buffer *out, uint64_t number, unsigned bytes)
{
    while (bytes--)
        buffer_append_byte(out, (uint8_t)(number >> 8 * bytes));
}

static void append_name(struct buffer *out, const struct dns_name *name)
{
    buffer_append_byte(out, name->length);
    buffer_append(out, dns_name_span(name));
}

static void append_record(struct buffer *out, const struct dns_record *record, enum dns_type type)
{
    switch (type) {
    case DNS_A:
        buffer_append(out, span_of(record->address.bytes, 4));
        break;
    case DNS_AAAA:
        buffer_append(out, span_of(record->address.bytes, 16));
        break;
    case DNS_TXT:
        append_number(out, record->text.n, 4);
        buffer_append(out, record->text);
        break;
    case DNS_MX:
        append_number(out, record->preference, 2);
        append_name(out, &record->name);
        break;
    case DNS_PTR:
    case DNS_CNAME:
        append_name(out, &record->name);
        break;
    }
}

static bool write_answer(struct span key, enum cache_outcome outcome, const void *object,
                         struct buffer *out, void *context)
{
    const struct dns_shared *shared = object;
    struct dns_name name;
    enum dns_type type;
    (void)context;
    if (!shared || outcome == CACHE_FAILURE || !resolvers_cache_key_read(key, &name, &type))
        return false;
    buffer_append_byte(out, shared->answer.cut);
    append_number(out, shared->answer.count, 2);
    for (uint32_t i = 0; i < shared->answer.count; i++)
        append_record(out, &shared->answer.records[i], type);
    return true;
}

static void read_address(struct cursor *c, enum ip_family family, struct ip *address)
{
    struct span bytes = cursor_take(c, family == IP_V4 ? 4 : 16);
    *address = (struct ip){.family = family};
    if (!c->failed)
        memcpy(address->bytes, bytes.p, bytes.n);
}

static void read_name(struct cursor *c, struct dns_name *name)
{
    struct span wire = cursor_take(c, cursor_u8(c));
    if (c->failed || wire.n == 0 || dns_name_from_packet(name, wire, 0) != wire.n)
        c->failed = true;
}

static void read_record(struct cursor *c, enum dns_type type, struct dns_record *record)
{
    switch (type) {
    case DNS_A:
        read_address(c, IP_V4, &record->address);
        break;
    case DNS_AAAA:
        read_address(c, IP_V6, &record->address);
        break;
    case DNS_TXT:
        record->text = cursor_take(c, cursor_u32(c));
        break;
    case DNS_MX:
        record->preference = cursor_u16(c);
        read_name(c, &record->name);
        break;
    case DNS_PTR:
    case DNS_CNAME:
        read_name(c, &record->name);
        break;
    }
}

static enum dns_outcome outcome_of(enum cache_outcome outcome)
{
    return outcome == CACHE_ANSWER     ? DNS_ANSWER
           : outcome == CACHE_NXDOMAIN ? DNS_NXDOMAIN
                                       : DNS_EMPTY;
}

/* The texts of *answer lie in `bytes`, the records in `arena`. */
static bool read_value(struct span bytes, enum dns_type type, struct arena *arena,
                       struct dns_answer *answer)
{
    struct cursor c = cursor_of(bytes);
    answer->cut = cursor_u8(&c);
    answer->count = cursor_u16(&c);
    if (answer->count > MAX_DNS_RECORDS || (answer->outcome == DNS_ANSWER) != (answer->count > 0))
        return false;
    struct dns_record *records = ARENA_ARRAY(arena, answer->count, struct dns_record);
    if (!records)
        return false;
    for (uint32_t i = 0; i < answer->count && !c.failed; i++)
        read_record(&c, type, &records[i]);
    answer->records = records;
    return cursor_done(&c);
}

static void release_shared(void *object)
{
    struct dns_shared *shared = object;
    dns_shared_unref(&shared);
}

static bool read_answer(struct span key, struct span bytes, struct cache_item *item, void *context)
{
    struct dns_answer answer = {.outcome = outcome_of(item->outcome), .ttl = item->ttl_s};
    struct dns_name name;
    enum dns_type type;
    struct arena arena;
    struct dns_shared *shared = NULL;
    if (item->outcome == CACHE_FAILURE || !resolvers_cache_key_read(key, &name, &type))
        return false;
    arena_init(&arena, READ_ARENA_BYTES);
    if (read_value(bytes, type, &arena, &answer))
        shared = dns_shared_new(&name, type, &answer, (dns_prepare *)context);
    arena_fini(&arena);
    if (!shared)
        return false;
    item->object = shared;
    item->bytes = shared->bytes;
    item->release = release_shared;
    return true;
}

struct cache_snapshot_format resolvers_snapshot_format(dns_prepare *prepare)
{
    /* POSIX gives a function pointer and a void pointer the same representation (dlsym). */
    return (struct cache_snapshot_format){FORMAT_VERSION, write_answer, read_answer,
                                          (void *)prepare};
}
