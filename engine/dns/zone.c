/*
 * The zone-file source: answers from a text file instead of the network, at once.
 *
 * A question is answered as an authoritative server and the resolver behind it would together:
 * exact names first, then the wildcard of the closest encloser (RFC 4592), CNAMEs followed up to
 * MAX_DNS_CNAMES links (F07), a name without the type is EMPTY, all other names are NXDOMAIN. There
 * are no zone cuts: the file is one view of the whole name space.
 *
 * BUGS: no DNAME. A wildcard's "!word" lines count for the names it covers, too.
 */
#include "dns/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer_read.h"
#include "dns/zone_table.h"

enum
{
    READ_BYTES = 256 * 1024,
};

struct zone
{
    struct dns_source source; /* first: a struct dns_source * is a struct zone * */
    struct zone_table table;
    /* The answer being put together, before it is copied into a message. */
    struct dns_record records[MAX_DNS_RECORDS];
};

/* The wildcard that covers a name which does not exist: "*" below its closest encloser. */
static const struct zone_name *find_wildcard(const struct zone_table *table,
                                             const struct dns_name *name)
{
    for (unsigned up = 1; up <= name->labels; up++) {
        struct dns_name encloser = dns_name_ancestor(name, up);
        const struct zone_name *found = zone_table_find(table, dns_name_span(&encloser));
        if (!found || !found->exists)
            continue;
        uint8_t wire[DNS_NAME_MAX + 2] = {1, '*'};
        memcpy(wire + 2, encloser.wire, encloser.length);
        return zone_table_find(table, span_of(wire, encloser.length + 2U));
    }
    return NULL;
}

/* The entry that answers for `name`: its own, or a wildcard's. NULL: the name does not exist. */
static const struct zone_name *find_entry(const struct zone_table *table,
                                          const struct dns_name *name, enum dns_type type)
{
    const struct zone_name *own = zone_table_find(table, dns_name_span(name));
    if (own && (own->exists || zone_set_find(own, type)))
        return own;
    const struct zone_name *wildcard = find_wildcard(table, name);
    return wildcard && (wildcard->exists || zone_set_find(wildcard, type)) ? wildcard : NULL;
}

static struct dns_name stored_name(const struct zone_record *record)
{
    struct dns_name name;
    size_t end = dns_name_from_packet(&name, span_of(record->data, record->n), 0);
    assert(end == record->n);
    (void)end;
    return name;
}

static struct dns_record stored_record(const struct zone_record *stored, enum dns_type type)
{
    struct dns_record record = {.preference = stored->preference};
    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        record.address.family = type == DNS_A ? IP_V4 : IP_V6;
        memcpy(record.address.bytes, stored->data, stored->n);
        break;
    case DNS_TXT:
        record.text = span_of(stored->data, stored->n);
        break;
    case DNS_CNAME:
    case DNS_PTR:
    case DNS_MX:
        record.name = stored_name(stored);
        break;
    }
    return record;
}

static void answer_from_set(const struct zone_set *set, struct dns_record *records,
                            struct dns_answer *answer)
{
    answer->outcome = set->outcome;
    answer->reason = set->reason;
    answer->age = set->age;
    answer->cut = set->cut;
    if (set->ttl < answer->ttl)
        answer->ttl = set->ttl;
    const struct zone_record *record = set->first;
    for (; record && answer->count < MAX_DNS_RECORDS; record = record->next)
        records[answer->count++] = stored_record(record, set->type);
    answer->cut |= record != NULL;
    answer->records = records;
}

static void answer_tempfail(struct dns_answer *answer, const char *reason)
{
    *answer = (struct dns_answer){.outcome = DNS_TEMPFAIL, .reason = reason};
}

/* One name on the way: true when `answer` is complete, false when *name is the next in the chain.
 */
static bool answer_at(const struct zone *zone, struct dns_name *name, enum dns_type type,
                      struct dns_record *records, struct dns_answer *answer)
{
    const struct zone_name *entry = find_entry(&zone->table, name, type);
    if (!entry) {
        answer->outcome = DNS_NXDOMAIN;
        return true;
    }
    const struct zone_set *set = zone_set_find(entry, type);
    if (set) {
        answer_from_set(set, records, answer);
        return true;
    }
    const struct zone_set *alias = zone_set_find(entry, DNS_CNAME);
    if (!alias || alias->outcome != DNS_ANSWER) {
        answer->outcome = DNS_EMPTY;
        return true;
    }
    if (alias->ttl < answer->ttl)
        answer->ttl = alias->ttl;
    *name = stored_name(alias->first);
    return false;
}

static bool name_seen(const struct dns_name *seen, unsigned count, const struct dns_name *name)
{
    for (unsigned i = 0; i < count; i++)
        if (dns_name_equal(&seen[i], name))
            return true;
    return false;
}

void dns_zone_answer(const struct dns_source *source, const struct dns_name *asked,
                     enum dns_type type, struct dns_record records[MAX_DNS_RECORDS],
                     struct dns_answer *answer)
{
    const struct zone *zone = (const struct zone *)source;
    struct dns_name seen[MAX_DNS_CNAMES + 1];
    struct dns_name name = *asked;
    *answer = (struct dns_answer){.ttl = UINT32_MAX};
    for (unsigned links = 0;; links++) {
        if (name_seen(seen, links, &name)) {
            answer_tempfail(answer, "cname_loop");
            return;
        }
        if (links > MAX_DNS_CNAMES) {
            answer_tempfail(answer, limit_word(LIMIT_DNS_CNAMES));
            return;
        }
        seen[links] = name;
        if (answer_at(zone, &name, type, records, answer))
            break;
    }
    if (answer->ttl == UINT32_MAX)
        answer->ttl = 0;
}

bool dns_zone_has(const struct dns_source *source, const struct dns_name *name, enum dns_type type)
{
    const struct zone *zone = (const struct zone *)source;
    const struct zone_name *entry = zone_table_find(&zone->table, dns_name_span(name));
    return entry && zone_set_find(entry, type);
}

static void zone_resolve(struct dns_source *source, struct dns_answers *answers,
                         int64_t deadline_ms)
{
    struct zone *zone = (struct zone *)source;
    (void)deadline_ms;
    for (struct dns_question *q = answers->first; q && answers->waiting; q = q->next) {
        if (q->answer.outcome)
            continue;
        struct dns_answer answer;
        dns_zone_answer(source, &q->name, q->type, zone->records, &answer);
        dns_answers_put(answers, q, &answer);
    }
}

static void zone_free(struct dns_source *source)
{
    struct zone *zone = (struct zone *)source;
    zone_table_fini(&zone->table);
    free(zone);
}

static const struct dns_source_ops zone_ops = {.resolve = zone_resolve, .free = zone_free};

struct dns_source *dns_zone_parse(struct span text, const char *label, struct dns_error *error)
{
    struct zone *zone = calloc(1, sizeof *zone);
    if (!zone) {
        snprintf(error->text, sizeof error->text, "%s: out of memory", label);
        return NULL;
    }
    zone->source.ops = &zone_ops;
    zone_table_init(&zone->table);
    if (zone_text_read(&zone->table, text, label, error))
        return &zone->source;
    zone_free(&zone->source);
    return NULL;
}

struct dns_source *dns_zone_open(const char *path, struct dns_error *error)
{
    struct dns_source *source = NULL;
    struct buffer text;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buffer_init(&text, SIZE_MAX);
    if (fd >= 0 && buffer_read(&text, fd, SIZE_MAX, READ_BYTES))
        source = dns_zone_parse(buffer_span(&text), path, error);
    else
        snprintf(error->text, sizeof error->text, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    buffer_fini(&text);
    return source;
}
