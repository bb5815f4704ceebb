/*
 * The From value: a list of mailboxes and groups. No tree and no recursion: groups do not nest, and
 * each element is decided by the octet behind its first words.
 *
 *   address-list = (address *("," address)) / obs-addr-list      RFC 5322 3.4, RFC 6854
 *   address      = mailbox / group
 *   group        = display-name ":" [group-list] ";" [CFWS]
 *
 * with empty elements between commas (obs-addr-list, obs-mbox-list of 4.4). The whole value must
 * match (DP-5, security.md A12-A18); encoded-words are atoms like others (A13).
 *
 * Limits: FROM_ADDRESSES before an address is read; FIELD_BYTES bounds the value.
 */
#include "base/chars.h"
#include "mail/address_plain.h"
#include "mail/address_text.h"
#include "mail/encoded_word.h"

/* From "<" or the local part to the "@" of an address: an "@" in there is the address's own. */
struct address_place
{
    size_t begin;
    size_t at_sign;
};

struct address_parser
{
    struct address_text text;
    struct mail_address_list *list;
    struct mail_anomalies *anomalies;
    struct address_place places[MAX_FROM_ADDRESSES];
    struct mail_address addresses[MAX_FROM_ADDRESSES]; /* read so far: list->count */
    bool in_group;
};

static bool fail(struct address_parser *parser, enum mail_address_error error)
{
    return address_text_fail(&parser->text, error);
}

static bool next_is(const struct address_parser *parser, uint8_t c)
{
    return address_text_is(&parser->text, c);
}

static bool at_end(const struct address_parser *parser)
{
    return parser->text.at == parser->text.in.n;
}

/* What may stand behind an element: a comma, the end of the group, the end of it all. */
static bool at_delimiter(const struct address_parser *parser)
{
    return at_end(parser) || next_is(parser, ',') || (parser->in_group && next_is(parser, ';'));
}

/*
 *   obs-route       = obs-domain-list ":"                              RFC 5322 4.4
 *   obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])
 *
 * The domains are checked and forgotten (A14).
 */
static bool read_route(struct address_parser *parser)
{
    struct address_text *text = &parser->text;
    struct mail_address dropped = {0};
    size_t out_n = text->out_n;
    bool domain_due = true, some = false;
    mail_anomaly_note(parser->anomalies, ANOMALY_FROM_ROUTE);
    for (;;) {
        if (!address_text_skip(text))
            return false;
        if (next_is(parser, ':') && some)
            break;
        bool comma = next_is(parser, ',');
        if (!comma && (!next_is(parser, '@') || !domain_due))
            return fail(parser, MAIL_ADDRESS_MALFORMED);
        text->at++;
        domain_due = comma;
        if (!comma && !address_text_domain(text, &dropped))
            return false;
        some |= !comma;
    }
    text->out_n = out_n;
    text->at++;
    return true;
}

/*
 *   addr-spec = local-part "@" domain              RFC 5322 3.4.1
 *
 * `words` have been read and "@" is next.
 */
static bool read_addr_spec(struct address_parser *parser, const struct address_words *words,
                           size_t begin)
{
    struct address_text *text = &parser->text;
    struct mail_address_list *list = parser->list;
    if (!words->is_local_part || words->has_control)
        return fail(parser, MAIL_ADDRESS_MALFORMED);
    struct mail_address address = {
        .local = span_of(text->out + words->out_begin, text->out_n - words->out_begin),
        .non_ascii = words->has_high,
    };
    parser->places[list->count] = (struct address_place){begin, text->at};
    text->at++;
    if (at_delimiter(parser) || next_is(parser, '>'))
        return fail(parser, MAIL_ADDRESS_NO_DOMAIN);
    if (!address_text_domain(text, &address))
        return false;
    if (address.non_ascii)
        mail_anomaly_note(parser->anomalies, ANOMALY_FROM_NON_ASCII);
    parser->addresses[list->count++] = address;
    return true;
}

/*
 *   angle-addr = [CFWS] "<" addr-spec ">" [CFWS] / obs-angle-addr      RFC 5322 3.4, 4.4
 */
static bool read_angle_address(struct address_parser *parser)
{
    struct address_text *text = &parser->text;
    struct address_words words;
    size_t begin = text->at++;
    if (!address_text_skip(text))
        return false;
    if ((next_is(parser, '@') || next_is(parser, ',')) && !read_route(parser))
        return false;
    if (!address_text_words(text, &words))
        return false;
    if (next_is(parser, '>'))
        return fail(parser, MAIL_ADDRESS_NO_DOMAIN); /* "<>", "<a>": A12 */
    if (!next_is(parser, '@'))
        return fail(parser, MAIL_ADDRESS_MALFORMED);
    if (!read_addr_spec(parser, &words, begin))
        return false;
    if (!next_is(parser, '>'))
        return fail(parser, MAIL_ADDRESS_MALFORMED);
    text->at++;
    return address_text_skip(text);
}

static bool read_mailbox(struct address_parser *parser, const struct address_words *words,
                         size_t begin)
{
    if (parser->list->count == MAX_FROM_ADDRESSES) {
        limit_hit(parser->text.hits, LIMIT_FROM_ADDRESSES);
        return fail(parser, MAIL_ADDRESS_TOO_MANY);
    }
    if (next_is(parser, '@'))
        return read_addr_spec(parser, words, begin);
    parser->text.out_n = words->out_begin; /* a display name, not a local part */
    return read_angle_address(parser);
}

/*
 *   mailbox    = name-addr / addr-spec             RFC 5322 3.4
 *   name-addr  = [display-name] angle-addr
 *   group      = display-name ":" ...
 *
 * or nothing at all, in front of a delimiter. Of a group only the beginning is read here.
 */
static bool read_element(struct address_parser *parser)
{
    struct address_text *text = &parser->text;
    struct address_words words;
    if (!address_text_skip(text))
        return false;
    size_t begin = text->at;
    if (!address_text_words(text, &words))
        return false;
    if (at_delimiter(parser))
        return words.count == 0 || fail(parser, MAIL_ADDRESS_NO_DOMAIN);
    if (next_is(parser, '<') || (next_is(parser, '@') && words.count))
        return read_mailbox(parser, &words, begin);
    if (!next_is(parser, ':') || words.count == 0 || parser->in_group)
        return fail(parser, MAIL_ADDRESS_MALFORMED);
    text->out_n = words.out_begin;
    text->at++;
    parser->in_group = true;
    return true;
}

/* Behind an element: over one delimiter. Sets *more to whether another element may follow. */
static bool read_delimiter(struct address_parser *parser, bool *more)
{
    struct address_text *text = &parser->text;
    if (parser->in_group && next_is(parser, ';')) {
        parser->in_group = false;
        text->at++;
        if (!address_text_skip(text))
            return false;
    }
    *more = next_is(parser, ',');
    if (*more)
        text->at++;
    else if (!at_end(parser) || parser->in_group)
        return fail(parser, MAIL_ADDRESS_MALFORMED);
    return true;
}

static bool read_list(struct address_parser *parser)
{
    bool more = true;
    while (more) {
        bool was_in_group = parser->in_group;
        if (!read_element(parser))
            return false;
        if (parser->in_group != was_in_group)
            continue; /* the group's first element is next */
        if (!read_delimiter(parser, &more))
            return false;
    }
    return parser->list->count > 0 || fail(parser, MAIL_ADDRESS_EMPTY);
}

/* What an eye takes for a domain behind an "@" in a display name or comment. */
static struct span domain_like(struct span text)
{
    size_t n = 0;
    while (n < text.n && (char_is(text.p[n], CHAR_LDH) || text.p[n] == '.' || text.p[n] >= 0x80))
        n++;
    while (n && text.p[n - 1] == '.')
        n--;
    return span_slice(text, 0, n);
}

static bool is_domain_of_list(const struct address_parser *parser, struct span domain)
{
    for (uint32_t i = 0; i < parser->list->count; i++)
        if (span_equal_fold(parser->addresses[i].domain, domain))
            return true;
    return false;
}

/* An "@" outside of the addresses with a domain that none of them has (A18). Stops at the first. */
static bool displays_other_domain(const struct address_parser *parser)
{
    struct span in = parser->text.in;
    uint32_t place = 0;
    for (size_t at = 0; at < in.n; at++) {
        at += span_find(span_skip(in, at), '@');
        while (place < parser->list->count && parser->places[place].at_sign < at)
            place++;
        if (at == in.n)
            return false;
        if (place < parser->list->count && parser->places[place].begin <= at)
            continue;
        struct span domain = domain_like(span_skip(in, at + 1));
        if (domain.n && !is_domain_of_list(parser, domain))
            return true;
    }
    return false;
}

/* What the caller gets: false without memory. */
static bool keep_addresses(const struct address_parser *parser, struct arena *arena)
{
    struct mail_address_list *list = parser->list;
    struct mail_address *addresses = ARENA_ARRAY(arena, list->count, struct mail_address);
    if (!addresses)
        return false;
    memcpy(addresses, parser->addresses, list->count * sizeof *addresses);
    list->addresses = addresses;
    return true;
}

/* Any value. *list is cleared. */
static void parse_any(struct span value, struct arena *arena, struct mail_anomalies *anomalies,
                      struct limit_hits *hits, struct mail_address_list *list)
{
    struct address_parser parser;
    parser.list = list;
    parser.anomalies = anomalies;
    parser.in_group = false;
    parser.text =
        (struct address_text){.in = value, .out = arena_alloc_raw(arena, value.n), .hits = hits};
    if (!parser.text.out) {
        list->error = MAIL_ADDRESS_NO_MEMORY;
        return;
    }
    if (encoded_words_hide_address(value))
        mail_anomaly_note(anomalies, ANOMALY_FROM_ENCODED_ADDRESS);
    if (read_list(&parser)) {
        if (displays_other_domain(&parser))
            mail_anomaly_note(anomalies, ANOMALY_FROM_DISPLAY_ADDRESS);
        if (keep_addresses(&parser, arena))
            return;
        *list = (struct mail_address_list){.error = MAIL_ADDRESS_NO_MEMORY};
        return;
    }
    mail_anomaly_note(anomalies, ANOMALY_FROM_MALFORMED);
    list->count = 0;
    list->error = parser.text.error;
    list->error_at = (uint32_t)parser.text.at;
}

void mail_address_list_parse(struct span value, struct arena *arena,
                             struct mail_anomalies *anomalies, struct limit_hits *hits,
                             struct mail_address_list *list)
{
    *list = (struct mail_address_list){.error = MAIL_ADDRESS_OK};
    struct mail_address *address = arena_alloc_raw(arena, sizeof *address);
    if (!address) {
        list->error = MAIL_ADDRESS_NO_MEMORY;
        return;
    }
    if (!address_plain(value, address)) {
        arena_resize(arena, address, sizeof *address, 0); /* given back */
        parse_any(value, arena, anomalies, hits, list);
        return;
    }
    list->addresses = address;
    list->count = 1;
}
