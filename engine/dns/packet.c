/*
 * Parser of DNS replies (RFC 1035 section 4), written for input from strangers.
 *
 * The chain of CNAMEs is followed inside the packet, whatever order the records stand in, up to
 * MAX_DNS_CNAMES links (F07); only records of the asked type and class at its end count, all others
 * are passed over (F15). One malformed record among those makes the whole reply malformed: half an
 * answer could be the half that an attacker wants judged.
 *
 * BUGS: the additional section and EDNS are not read, so extended response codes show their low
 * four bits, as the resolver library hands them on.
 */
#include "dns/packet.h"

#include "base/cursor.h"

enum
{
    HEADER_BYTES = 12,
    FLAG_QR = 0x8000,
    FLAG_TC = 0x0200,
    MASK_OPCODE = 0x7800,
    MASK_RCODE = 0x000f,
    RCODE_NOERROR = 0,
    RCODE_NXDOMAIN = 3,
    CLASS_IN = 1,
    TYPE_SOA = 6,
};

struct header
{
    uint16_t flags;
    uint16_t questions;
    uint16_t answers;
    uint16_t authorities;
};

/* A place in the packet from which resource records are read one by one. */
struct place
{
    struct span packet;
    size_t at;
    unsigned left; /* records */
};

struct rr
{
    struct dns_name owner;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    size_t rdata_at;
    size_t rdata_end;
};

static struct cursor cursor_at(struct span packet, size_t at)
{
    return cursor_of(span_skip(packet, at));
}

/* Errors that make a reply unusable. NULL is "go on". */
static const char malformed[] = "malformed";

/* RFC 2181 section 8: a TTL with the top bit set is zero. */
static uint32_t read_ttl(struct cursor *c)
{
    uint32_t ttl = cursor_u32(c);
    return ttl > INT32_MAX ? 0 : ttl;
}

static bool read_header(struct span packet, struct header *header)
{
    struct cursor c = cursor_of(packet);
    cursor_u16(&c); /* the id is the library's to check (F04) */
    header->flags = cursor_u16(&c);
    header->questions = cursor_u16(&c);
    header->answers = cursor_u16(&c);
    header->authorities = cursor_u16(&c);
    cursor_u16(&c);
    return !c.failed;
}

/* The question section has to be our question, byte for byte (F04, F06). Returns its end, or 0. */
static size_t check_question(struct span packet, const struct dns_name *name, enum dns_type type)
{
    struct dns_name asked;
    size_t at = dns_name_from_packet(&asked, packet, HEADER_BYTES);
    if (at == 0 || !dns_name_equal(&asked, name))
        return 0;
    struct cursor c = cursor_at(packet, at);
    bool same = cursor_u16(&c) == type && cursor_u16(&c) == CLASS_IN;
    return same && !c.failed ? at + 4 : 0;
}

/* NAME TYPE CLASS TTL RDLENGTH RDATA  (RFC 1035 4.1.3). False: the packet ends before it does. */
static bool read_rr(struct place *place, struct rr *rr)
{
    size_t at = dns_name_from_packet(&rr->owner, place->packet, place->at);
    if (at == 0)
        return false;
    struct cursor c = cursor_at(place->packet, at);
    rr->type = cursor_u16(&c);
    rr->class = cursor_u16(&c);
    rr->ttl = read_ttl(&c);
    uint16_t length = cursor_u16(&c);
    (void)cursor_take(&c, length);
    rr->rdata_at = at + 10;
    rr->rdata_end = rr->rdata_at + length;
    place->at = rr->rdata_end;
    place->left--;
    return !c.failed;
}

static bool rr_is(const struct rr *rr, const struct dns_name *owner, unsigned type)
{
    return rr->type == type && rr->class == CLASS_IN && dns_name_equal(&rr->owner, owner);
}

/* A name that fills the rest of RDATA from `at` exactly. */
static bool read_rdata_name(struct span packet, const struct rr *rr, size_t at,
                            struct dns_name *name)
{
    return at < rr->rdata_end && dns_name_from_packet(name, packet, at) == rr->rdata_end;
}

/* The way from the asked name to the name that the records belong to. */
struct chain
{
    struct dns_name names[MAX_DNS_CNAMES + 1]; /* the asked name first */
    unsigned links;
    uint32_t ttl; /* smallest on the way */
};

static const char *chain_extend(struct chain *chain, const struct dns_name *target, uint32_t ttl)
{
    for (unsigned i = 0; i <= chain->links; i++)
        if (dns_name_equal(&chain->names[i], target))
            return "cname_loop";
    if (chain->links == MAX_DNS_CNAMES)
        return limit_word(LIMIT_DNS_CNAMES);
    chain->names[++chain->links] = *target;
    if (ttl < chain->ttl)
        chain->ttl = ttl;
    return NULL;
}

/* One pass over the answer section: every CNAME that carries on from where the chain ends. */
static const char *chain_pass(struct place answers, struct chain *chain)
{
    struct rr rr;
    struct dns_name target;
    while (answers.left) {
        if (!read_rr(&answers, &rr))
            return malformed;
        if (!rr_is(&rr, &chain->names[chain->links], DNS_CNAME))
            continue;
        if (!read_rdata_name(answers.packet, &rr, rr.rdata_at, &target))
            return malformed;
        const char *error = chain_extend(chain, &target, rr.ttl);
        if (error)
            return error;
    }
    return NULL;
}

/* One pass does where the records stand in order; the bound on links bounds the passes. */
static const char *chain_follow(struct place answers, struct chain *chain)
{
    unsigned before;
    do {
        before = chain->links;
        const char *error = chain_pass(answers, chain);
        if (error)
            return error;
    } while (chain->links > before);
    return NULL;
}

/*
 * TXT RDATA is one or more <character-string>: a length byte and that many bytes (RFC 1035 3.3.14).
 * They are joined with nothing between (DV-29). The joined text is never longer than RDATA.
 */
static bool read_text(struct span rdata, struct arena *arena, struct span *text)
{
    uint8_t *joined = arena_alloc(arena, rdata.n);
    if (!joined || rdata.n == 0)
        return false;
    size_t n = 0;
    struct cursor c = cursor_of(rdata);
    while (cursor_left(&c)) {
        struct span string = cursor_take(&c, cursor_u8(&c));
        if (c.failed)
            return false;
        if (string.n)
            memcpy(joined + n, string.p, string.n);
        n += string.n;
    }
    *text = span_of(joined, n);
    return true;
}

static bool read_address(struct span rdata, enum ip_family family, struct ip *address)
{
    *address = (struct ip){.family = family};
    if (rdata.n != (family == IP_V4 ? 4 : 16))
        return false;
    memcpy(address->bytes, rdata.p, rdata.n);
    return true;
}

static bool read_mx(struct span packet, const struct rr *rr, struct dns_record *record)
{
    struct cursor c = cursor_at(packet, rr->rdata_at);
    record->preference = cursor_u16(&c);
    return !c.failed && read_rdata_name(packet, rr, rr->rdata_at + 2, &record->name);
}

static bool read_record(struct span packet, const struct rr *rr, enum dns_type type,
                        struct arena *arena, struct dns_record *record)
{
    struct span rdata = span_slice(packet, rr->rdata_at, rr->rdata_end);
    switch (type) {
    case DNS_A:
        return read_address(rdata, IP_V4, &record->address);
    case DNS_AAAA:
        return read_address(rdata, IP_V6, &record->address);
    case DNS_TXT:
        return read_text(rdata, arena, &record->text);
    case DNS_MX:
        return read_mx(packet, rr, record);
    case DNS_PTR:
    case DNS_CNAME:
        return read_rdata_name(packet, rr, rr->rdata_at, &record->name);
    }
    return false;
}

/* The records of `type` at `owner`, up to the limits; the rest is counted as cut (F09). */
static const char *read_records(struct place answers, const struct dns_name *owner,
                                enum dns_type type, struct arena *arena, struct dns_answer *answer)
{
    struct rr rr;
    struct dns_record *records = ARENA_ARRAY(arena, MAX_DNS_RECORDS, struct dns_record);
    if (!records)
        return "no_memory";
    answer->records = records;
    while (answers.left && !answer->cut) {
        if (!read_rr(&answers, &rr))
            return malformed;
        if (!rr_is(&rr, owner, type))
            continue;
        answer->cut = answer->count == MAX_DNS_RECORDS;
        if (answer->cut)
            break;
        if (!read_record(answers.packet, &rr, type, arena, &records[answer->count]))
            return arena->failed ? "no_memory" : malformed;
        answer->count++;
        if (rr.ttl < answer->ttl)
            answer->ttl = rr.ttl;
    }
    return NULL;
}

/* Skips the answer section to where the authority section begins. */
static bool skip_records(struct place *place)
{
    struct rr rr;
    while (place->left)
        if (!read_rr(place, &rr))
            return false;
    return true;
}

/* RFC 2308 section 5: nothing may be remembered as long as the smaller of the SOA's two times. */
static uint32_t negative_ttl(struct place place, unsigned authorities)
{
    struct rr rr;
    struct dns_name name;
    if (!skip_records(&place))
        return 0;
    place.left = authorities;
    do {
        if (place.left == 0 || !read_rr(&place, &rr))
            return 0;
    } while (rr.type != TYPE_SOA || rr.class != CLASS_IN);
    size_t at = dns_name_from_packet(&name, place.packet, rr.rdata_at);
    at = at ? dns_name_from_packet(&name, place.packet, at) : 0;
    if (at == 0 || at + 20 != rr.rdata_end)
        return 0;
    struct cursor c = cursor_at(place.packet, at + 16);
    uint32_t minimum = read_ttl(&c);
    return minimum < rr.ttl ? minimum : rr.ttl;
}

/* Everything behind the question section. NULL, or the reason why there is no answer. */
static const char *read_answer(struct place answers, const struct header *header,
                               const struct dns_name *name, enum dns_type type, struct arena *arena,
                               struct dns_answer *answer)
{
    struct chain chain = {.names = {*name}, .ttl = UINT32_MAX};
    const char *error = type == DNS_CNAME ? NULL : chain_follow(answers, &chain);
    if (error)
        return error;
    answer->ttl = chain.ttl;
    bool exists = (header->flags & MASK_RCODE) == RCODE_NOERROR;
    if (exists)
        error = read_records(answers, &chain.names[chain.links], type, arena, answer);
    if (error)
        return error;
    answer->outcome = !exists ? DNS_NXDOMAIN : answer->count ? DNS_ANSWER : DNS_EMPTY;
    if (answer->count == 0) {
        uint32_t ttl = negative_ttl(answers, header->authorities);
        answer->ttl = ttl < answer->ttl ? ttl : answer->ttl;
    }
    return NULL;
}

static const char *check_header(const struct header *header)
{
    unsigned rcode = header->flags & MASK_RCODE;
    if (!(header->flags & FLAG_QR) || (header->flags & MASK_OPCODE) || header->questions != 1)
        return malformed;
    if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
        return dns_rcode_reason(rcode);
    return header->flags & FLAG_TC ? "truncated" : NULL;
}

void dns_packet_read(struct span packet, const struct dns_name *name, enum dns_type type,
                     struct arena *arena, struct dns_answer *answer)
{
    struct header header = {0};
    struct dns_answer read = {.outcome = DNS_UNANSWERED};
    const char *error = read_header(packet, &header) ? check_header(&header) : malformed;
    size_t at = error ? 0 : check_question(packet, name, type);
    if (at) {
        struct place answers = {.packet = packet, .at = at, .left = header.answers};
        error = read_answer(answers, &header, name, type, arena, &read);
    }
    if (at == 0 && !error)
        error = malformed;
    if (error)
        read = (struct dns_answer){.outcome = DNS_TEMPFAIL, .reason = error};
    *answer = read;
}

const char *dns_rcode_reason(unsigned rcode)
{
    switch (rcode) {
    case 1:
        return "formerr";
    case 2:
        return "servfail";
    case 4:
        return "notimp";
    case 5:
        return "refused";
    default:
        return "error_code";
    }
}
