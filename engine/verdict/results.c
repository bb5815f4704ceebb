/*
 * Authentication-Results (RFC 8601), the writer's part: AR-5 to AR-16.
 *
 *   authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS]
 *   no-result       = [CFWS] ";" [CFWS] "none"
 *
 * Written are spf, one dkim for each signature, arc, dmarc, in this order; of the signatures those
 * that pass come first, so that many bad ones cannot push a good one out of a full field.
 *
 * What is not authenticated stays out where it tells nothing (AR-16): an SPF identity that is no
 * usable name, the client address but for arc=pass. The tags d, s, a, b and i of a failed signature
 * are shown, as everybody does: they say which signature failed, and the result stands before them.
 *
 * Limits: MAX_AR_FIELD_BYTES for the whole folded field with its name and CRLF; the text without
 * folds has the same content. Resinfos of signatures that do not fit are left out behind a constant
 * comment, for which there is always room kept; spf, arc and dmarc always fit. header.b shows at
 * most B_PREFIX_MAX characters, even where two signatures are alike so far (RFC 6008 section 4).
 *
 * BUGS: no authres-version (1 is meant), no iprev, no dkim2 (AR-12, AR-15), no Received-SPF
 * (AR-17), no EAI form.
 */
#include "base/chars.h"
#include "verdict/method.h"
#include "verdict/resinfo.h"
#include "verdict/verdict.h"

enum
{
    B_PREFIX_MIN = 8, /* RFC 6008 section 4 */
    B_PREFIX_MAX = 64,
};

static const char field_name[] = "Authentication-Results: ";
static const char left_out[] = "(more results left out)";

/* spf (method, reason, identity), arc (method, reason, address, instance), dmarc (method, reason,
 * domain, policy), with what a fold costs, and the authserv-id, always fit. */
STATIC_ASSERT(sizeof field_name + RESINFO_QUOTED_MAX + 4 * (RESINFO_PIECE_MAX + 4) +
                  sizeof left_out + 8 * 64 <
              MAX_AR_FIELD_BYTES);

/* A name as text, or what was written instead of one. */
static struct span shown_name(const struct dns_name *name, struct span written,
                              char room[DNS_NAME_TEXT_MAX])
{
    return name->length ? span_from_string(dns_name_text(name, room)) : written;
}

static const char *reason_unless_pass(enum result result, const char *reason)
{
    return result == RESULT_PASS ? NULL : reason;
}

/* An address being put together for display; `full` once it does not fit. */
struct address
{
    uint8_t text[RESINFO_VALUE_MAX];
    size_t n;
    bool full;
};

static void address_add(struct address *address, uint8_t c)
{
    if (address->n == sizeof address->text)
        address->full = true;
    else
        address->text[address->n++] = c;
}

/* Dot-string = Atom *("." Atom)                                  RFC 5321 section 4.1.2 */
static bool is_dot_string(struct span s)
{
    bool after_dot = true;
    for (size_t i = 0; i < s.n; i++) {
        bool dot = s.p[i] == '.';
        if (dot ? after_dot : !char_is(s.p[i], CHAR_ATEXT))
            return false;
        after_dot = dot;
    }
    return !after_dot;
}

/* Local-part = Dot-string / Quoted-string */
static void address_add_local(struct address *address, struct span local)
{
    bool quoted = !is_dot_string(local);
    if (quoted)
        address_add(address, '"');
    for (size_t i = 0; i < local.n; i++) {
        if (quoted && (local.p[i] == '"' || local.p[i] == '\\'))
            address_add(address, '\\');
        address_add(address, local.p[i]);
    }
    if (quoted)
        address_add(address, '"');
}

/* local@domain, or the domain alone where that is too long: the local part is an extra (AR-11). */
static struct span address_text(struct address *address, struct span local, struct span domain)
{
    address_add_local(address, local);
    address_add(address, '@');
    for (size_t i = 0; i < domain.n; i++)
        address_add(address, domain.p[i]);
    return address->full ? domain : span_of(address->text, address->n);
}

/* AR-11: only the identity that gave the result; the local part only where the record used it. */
static void spf_identity(struct resinfo *info, const struct verdict *verdict)
{
    const struct spf_check *check = &verdict->spf->checked;
    const struct mail_path *path = verdict->path;
    char room[DNS_NAME_TEXT_MAX];
    struct address address = {.n = 0};
    if (!check->domain.length || check->scope == SPF_SCOPE_NONE)
        return;
    struct span domain = shown_name(&check->domain, SPAN(""), room);
    if (check->scope == SPF_SCOPE_HELO) {
        resinfo_property(info, "smtp.helo", domain);
        return;
    }
    if (check->uses_local_part && path && path->kind == MAIL_PATH_ADDRESS)
        domain = address_text(&address, path->local, domain);
    resinfo_property(info, "smtp.mailfrom", domain);
}

static void spf_resinfo(struct resinfo *info, const struct verdict *verdict)
{
    if (!verdict->spf_checked) {
        resinfo_begin(info, "spf", "none");
        resinfo_reason(info, "no_client_address");
        return;
    }
    if (!verdict->spf) {
        resinfo_begin(info, "spf", "temperror");
        return;
    }
    const struct spf_check *check = &verdict->spf->checked;
    resinfo_begin(info, "spf", verdict_method_word(METHOD_SPF, check->result));
    resinfo_reason(info, reason_unless_pass(check->result, check->reason));
    spf_identity(info, verdict);
}

/* The first characters of b=, without the white space that may stand anywhere in it. */
struct b_prefix
{
    uint8_t text[B_PREFIX_MAX];
    uint8_t n;
    uint8_t shown;
};

static void b_prefix_read(struct b_prefix *prefix, struct span b)
{
    prefix->n = 0;
    for (size_t i = 0; i < b.n && prefix->n < B_PREFIX_MAX; i++)
        if (char_is(b.p[i], CHAR_BASE64) || b.p[i] == '=')
            prefix->text[prefix->n++] = b.p[i];
    prefix->shown = prefix->n < B_PREFIX_MIN ? prefix->n : B_PREFIX_MIN;
}

/* Makes both as long as it takes to tell them apart. */
static void b_prefix_part(struct b_prefix *a, struct b_prefix *b)
{
    uint8_t n = 0;
    while (n < a->n && n < b->n && a->text[n] == b->text[n])
        n++;
    if (n >= a->shown)
        a->shown = n < a->n ? (uint8_t)(n + 1) : a->n;
    if (n >= b->shown)
        b->shown = n < b->n ? (uint8_t)(n + 1) : b->n;
}

/* AR-9, RFC 6008: long enough to be unique among the signatures of the message. */
static void b_prefixes_read(const struct dkim_judgement *dkim, uint32_t count,
                            struct b_prefix prefixes[MAX_SIGNATURES_PARSED])
{
    for (uint32_t i = 0; i < count; i++) {
        b_prefix_read(&prefixes[i], dkim->verified[i].signature.b_text);
        for (uint32_t j = 0; j < i; j++)
            b_prefix_part(&prefixes[i], &prefixes[j]);
    }
}

/* i= as written; RFC 6376 3.5: "@" followed by the domain where the tag is absent. */
static void dkim_identity(struct resinfo *info, const struct dkim_signature *signature,
                          struct span domain)
{
    uint8_t text[1 + DNS_NAME_TEXT_MAX];
    if (signature->identity.n) {
        resinfo_property(info, "header.i", signature->identity);
        return;
    }
    if (domain.n == 0 || domain.n >= sizeof text)
        return;
    text[0] = '@';
    memcpy(text + 1, domain.p, domain.n);
    resinfo_property(info, "header.i", span_of(text, 1 + domain.n));
}

/* AR-9, AR-10 */
static void dkim_resinfo(struct resinfo *info, const struct dkim_verified *verified,
                         const struct b_prefix *b)
{
    const struct dkim_signature *signature = &verified->signature;
    char domain_room[DNS_NAME_TEXT_MAX], selector_room[DNS_NAME_TEXT_MAX];
    struct span domain = shown_name(&signature->domain, signature->domain_text, domain_room);
    resinfo_begin(info, "dkim", verdict_method_word(METHOD_DKIM, verified->result));
    resinfo_reason(info, reason_unless_pass(verified->result, verified->reason));
    resinfo_property(info, "header.d", domain);
    dkim_identity(info, signature, domain);
    resinfo_property(info, "header.s",
                     shown_name(&signature->selector, signature->selector_text, selector_room));
    if (signature->algorithm != DKIM_ALGORITHM_UNSET &&
        signature->algorithm != DKIM_ALGORITHM_UNKNOWN)
        resinfo_property(info, "header.a",
                         span_from_string(dkim_algorithm_word(signature->algorithm)));
    resinfo_property(info, "header.b", span_of(b->text, b->shown));
}

/* For a message of whose signatures none was looked at. */
static void dkim_resinfo_none(struct resinfo *info, const struct dkim_judgement *dkim)
{
    enum result result = dkim->refused ? RESULT_PERMERROR
                         : dkim->total ? RESULT_TEMPERROR
                                       : RESULT_NONE;
    resinfo_begin(info, "dkim", verdict_method_word(METHOD_DKIM, result));
    resinfo_reason(info, dkim->refused);
}

/* AR-14 */
static void arc_resinfo(struct resinfo *info, const struct verdict *verdict)
{
    const struct arc_judgement *arc = verdict->arc;
    char text[IP_TEXT_MAX];
    resinfo_begin(info, "arc", verdict_method_word(METHOD_ARC, arc->result));
    resinfo_reason(info, reason_unless_pass(arc->result, arc->reason));
    if (arc->result != RESULT_PASS)
        return;
    resinfo_property(info, "smtp.remote-ip", span_from_string(ip_text(&verdict->client, text)));
    if (arc->oldest_pass < 0 || arc->oldest_pass > MAX_ARC_SETS)
        return;
    uint8_t digits[2] = {(uint8_t)('0' + arc->oldest_pass / 10),
                         (uint8_t)('0' + arc->oldest_pass % 10)};
    size_t from = arc->oldest_pass < 10;
    resinfo_property(info, "header.oldest-pass", span_of(digits + from, sizeof digits - from));
}

/* AR-13 */
static void dmarc_resinfo(struct resinfo *info, const struct dmarc_judgement *dmarc)
{
    char room[DNS_NAME_TEXT_MAX];
    resinfo_begin(info, "dmarc", verdict_method_word(METHOD_DMARC, dmarc->result));
    resinfo_reason(info, reason_unless_pass(dmarc->result, dmarc->reason));
    resinfo_property(info, "header.from",
                     shown_name(&dmarc->discovery.from_domain, SPAN(""), room));
    resinfo_property(info, "policy.dmarc", span_from_string(dmarc_policy_word(dmarc->policy)));
}

/* What is written behind the signatures. */
static size_t tail_cost(const struct verdict *verdict, struct resinfo *info)
{
    size_t cost = 0;
    if (verdict->arc) {
        arc_resinfo(info, verdict);
        cost += resinfo_cost(info);
    }
    if (verdict->dmarc) {
        dmarc_resinfo(info, verdict->dmarc);
        cost += resinfo_cost(info);
    }
    return cost;
}

static void write_tail(const struct verdict *verdict, struct resinfo *info,
                       struct resinfo_line *line)
{
    if (verdict->arc) {
        arc_resinfo(info, verdict);
        resinfo_line_add(line, info);
    }
    if (verdict->dmarc) {
        dmarc_resinfo(info, verdict->dmarc);
        resinfo_line_add(line, info);
    }
}

/* One resinfo if `room` has it; false where it is left out. */
static bool write_if_it_fits(const struct resinfo *info, struct resinfo_line *line, size_t *room)
{
    size_t cost = resinfo_cost(info);
    if (cost > *room)
        return false;
    *room -= cost;
    resinfo_line_add(line, info);
    return true;
}

/* Those that pass first. False where one was left out, here or by the judge's own limit. */
static bool write_signatures(const struct dkim_judgement *dkim, struct resinfo *info,
                             struct resinfo_line *line, size_t room)
{
    struct b_prefix prefixes[MAX_SIGNATURES_PARSED];
    uint32_t count =
        dkim->count < MAX_SIGNATURES_PARSED ? dkim->count : (uint32_t)MAX_SIGNATURES_PARSED;
    if (count == 0) {
        dkim_resinfo_none(info, dkim);
        return write_if_it_fits(info, line, &room);
    }
    bool complete = dkim->total <= count;
    b_prefixes_read(dkim, count, prefixes);
    for (int passing = 1; passing >= 0; passing--) {
        for (uint32_t i = 0; i < count; i++) {
            if ((dkim->verified[i].result == RESULT_PASS) != passing)
                continue;
            dkim_resinfo(info, &dkim->verified[i], &prefixes[i]);
            complete = write_if_it_fits(info, line, &room) && complete;
        }
    }
    return complete;
}

/* The payload: all behind the field name. False where something was left out. */
static bool write_payload(const struct verdict *verdict, struct resinfo_line *line)
{
    struct resinfo info;
    bool complete = true;
    size_t begin = line->total;
    resinfo_line_value(line, verdict->authserv_id);
    size_t id_bytes = line->total - begin;
    if (!verdict->spf_checked && !verdict->dkim && !verdict->arc && !verdict->dmarc) {
        resinfo_line_text(line, SPAN(";")); /* AR-7 */
        resinfo_line_piece(line, SPAN("none"));
        return true;
    }
    spf_resinfo(&info, verdict);
    size_t room = MAX_AR_FIELD_BYTES - strlen(field_name) - id_bytes - resinfo_cost(&info) -
                  strlen("\r\n ") - strlen(left_out) - strlen("\r\n");
    resinfo_line_add(line, &info);
    if (verdict->dkim)
        complete = write_signatures(verdict->dkim, &info, line, room - tail_cost(verdict, &info));
    if (!complete)
        resinfo_line_piece(line, span_from_string(left_out));
    write_tail(verdict, &info, line);
    return complete;
}

/* Counted once a message, in whichever form it is asked for first. */
static void note_cut(const struct verdict *verdict)
{
    if (verdict->hits && verdict->hits->n[LIMIT_AR_FIELD_BYTES] == 0)
        limit_hit(verdict->hits, LIMIT_AR_FIELD_BYTES);
}

bool verdict_authserv_id_usable(struct span id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!char_is(id.p[i], CHAR_VCHAR) && id.p[i] != ' ')
            return false;
    return id.n > 0 && id.n <= RESINFO_VALUE_MAX;
}

void verdict_write_results(const struct verdict *verdict, struct buffer *out)
{
    struct resinfo_line line = {.out = out};
    if (!write_payload(verdict, &line))
        note_cut(verdict);
}

void verdict_write_results_field(const struct verdict *verdict, struct buffer *out)
{
    struct resinfo_line line = {.out = out, .fold = true};
    resinfo_line_text(&line, span_from_string(field_name));
    if (!write_payload(verdict, &line))
        note_cut(verdict);
    resinfo_line_text(&line, SPAN("\r\n"));
}
