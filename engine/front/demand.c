/*
 * Demands from TLVs and from JSON: two tables of fields, one struct.
 *
 * BUGS: jansson reads the whole object before keys are looked at, so a line costs memory in
 * proportion to its length (at most FRAME_CONTROL_MAX) even if most keys are not ours.
 */
#include "front/demand.h"

#include <jansson.h>

#include "verdict/json.h"

void demand_init(struct demand *demand)
{
    memset(demand, 0, sizeof *demand);
    buffer_init(&demand->id, 8 * DEMAND_ID_MAX);
}

void demand_fini(struct demand *demand)
{
    json_decref(demand->json);
    demand->json = NULL;
    buffer_fini(&demand->id);
}

static void clear(struct demand *demand)
{
    struct buffer id = demand->id;
    json_decref(demand->json);
    memset(demand, 0, offsetof(struct demand, recipients));
    demand->id = id;
    buffer_reset(&demand->id);
    demand->envelope.recipients = demand->recipients;
}

static enum front_error refuse(struct demand *demand, const char *why)
{
    demand->why = why;
    return FRONT_MALFORMED;
}

/* What both forms have in common ----------------------------------------------------------------
 */

static enum front_error set_client(struct demand *demand, struct span text)
{
    if (!ip_parse(text, &demand->envelope.client))
        return refuse(demand, "the client address is none");
    return FRONT_OK;
}

static enum front_error add_recipient(struct demand *demand, struct span text)
{
    if (demand->envelope.recipient_count == MAX_RECIPIENTS)
        return refuse(demand, "too many recipients");
    demand->recipients[demand->envelope.recipient_count++] = text;
    return FRONT_OK;
}

static enum front_error set_authserv_id(struct demand *demand, struct span text)
{
    if (text.n == 0 || text.n > DEMAND_AUTHSERV_ID_MAX)
        return refuse(demand, "authserv_id is empty or too long");
    demand->authserv_id = text;
    return FRONT_OK;
}

static enum front_error set_now(struct demand *demand, uint64_t seconds)
{
    if (seconds > INT64_MAX)
        return refuse(demand, "receive time out of range");
    demand->envelope.now = (int64_t)seconds;
    demand->has_now = true;
    return FRONT_OK;
}

/* An empty text is there all the same: p is not NULL. */
static struct span present(struct span text)
{
    return text.p ? text : SPAN("");
}

/* TLVs ------------------------------------------------------------------------------------------
 */

static enum front_error take_text(struct demand *demand, const struct tlv *tlv)
{
    struct message_envelope *envelope = &demand->envelope;
    struct span value = present(tlv->value);
    switch (tlv->tag) {
    case TAG_CLIENT:
        return set_client(demand, value);
    case TAG_HELO:
        envelope->helo = value;
        return FRONT_OK;
    case TAG_MAIL_FROM:
        envelope->mail_from = value;
        return FRONT_OK;
    case TAG_RCPT_TO:
        return add_recipient(demand, value);
    case TAG_TLS_VERSION:
        envelope->tls_version = value;
        return FRONT_OK;
    case TAG_TLS_CIPHER:
        envelope->tls_cipher = value;
        return FRONT_OK;
    case TAG_AUTHSERV_ID:
        return set_authserv_id(demand, value);
    default:
        return FRONT_OK; /* not known: ignored */
    }
}

static enum front_error take_number(struct demand *demand, const struct tlv *tlv)
{
    if (tlv->value.n != (tlv->tag == TAG_NOW ? 8 : 4))
        return refuse(demand, "a number has the wrong length");
    if (tlv->tag == TAG_NOW)
        return set_now(demand, get_u64(tlv->value.p));
    if (tlv->tag == TAG_DEADLINE)
        demand->deadline_ms = get_u32(tlv->value.p);
    else
        demand->wishes = get_u32(tlv->value.p);
    return FRONT_OK;
}

static bool is_number(uint8_t tag)
{
    return tag == TAG_DEADLINE || tag == TAG_NOW || tag == TAG_WISHES;
}

/* Tags that we know stand once, but RCPT TO. */
static bool is_repeated(uint32_t *seen, uint8_t tag)
{
    if (tag < TAG_CLIENT || tag > TAG_WISHES || tag == TAG_RCPT_TO)
        return false;
    uint32_t bit = (uint32_t)1 << (tag - TAG_CLIENT);
    bool before = *seen & bit;
    *seen |= bit;
    return before;
}

enum front_error demand_from_tlvs(struct demand *demand, struct span payload)
{
    struct cursor cursor = cursor_of(payload);
    struct tlv tlv;
    uint32_t seen = 0;
    clear(demand);
    while (tlv_next(&cursor, &tlv)) {
        if (is_repeated(&seen, tlv.tag))
            return refuse(demand, "a tag twice");
        enum front_error error =
            is_number(tlv.tag) ? take_number(demand, &tlv) : take_text(demand, &tlv);
        if (error != FRONT_OK)
            return error;
    }
    return cursor.failed ? refuse(demand, "a TLV ends behind its frame") : FRONT_OK;
}

/* JSON ------------------------------------------------------------------------------------------
 */

static struct span text_of(const json_t *value)
{
    return present(span_of(json_string_value(value), json_string_length(value)));
}

static enum front_error json_id(struct demand *demand, const json_t *value)
{
    struct jsonw json;
    if (json_is_string(value) && json_string_length(value) > DEMAND_ID_MAX)
        return refuse(demand, "id is too long");
    jsonw_begin(&json, &demand->id);
    if (json_is_string(value))
        jsonw_span(&json, NULL, text_of(value));
    else if (json_is_integer(value)) /* jsonw_int stops at 2^53; an id comes back unchanged */
        buffer_printf(&demand->id, "%lld", (long long)json_integer_value(value));
    else
        return refuse(demand, "id is neither string nor integer");
    return FRONT_OK;
}

static const char *const op_words[] = {
    [DEMAND_CHECK] = "check", [DEMAND_SPF] = "spf",     [DEMAND_DMARC] = "dmarc",
    [DEMAND_STATS] = "stats", [DEMAND_FLUSH] = "flush", [DEMAND_PING] = "ping",
};

static enum front_error json_op(struct demand *demand, const json_t *value)
{
    struct span word = text_of(value);
    for (size_t i = 0; i < COUNT_OF(op_words); i++) {
        if (!span_equal(word, span_from_string(op_words[i])))
            continue;
        demand->op = (enum demand_op)i;
        return FRONT_OK;
    }
    return refuse(demand, "unknown op");
}

static enum front_error json_ip(struct demand *demand, const json_t *value)
{
    return set_client(demand, text_of(value));
}

static enum front_error json_helo(struct demand *demand, const json_t *value)
{
    demand->envelope.helo = text_of(value);
    return FRONT_OK;
}

static enum front_error json_mail_from(struct demand *demand, const json_t *value)
{
    demand->envelope.mail_from = text_of(value);
    return FRONT_OK;
}

static enum front_error json_rcpt_to(struct demand *demand, const json_t *value)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)value, i, one)
    {
        if (!json_is_string(one))
            return refuse(demand, "rcpt_to is no list of texts");
        enum front_error error = add_recipient(demand, text_of(one));
        if (error != FRONT_OK)
            return error;
    }
    return FRONT_OK;
}

static enum front_error json_tls_version(struct demand *demand, const json_t *value)
{
    demand->envelope.tls_version = text_of(value);
    return FRONT_OK;
}

static enum front_error json_tls_cipher(struct demand *demand, const json_t *value)
{
    demand->envelope.tls_cipher = text_of(value);
    return FRONT_OK;
}

static enum front_error json_authserv_id(struct demand *demand, const json_t *value)
{
    return set_authserv_id(demand, text_of(value));
}

static enum front_error json_now(struct demand *demand, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    return number < 0 ? refuse(demand, "now is negative") : set_now(demand, (uint64_t)number);
}

static enum front_error json_deadline(struct demand *demand, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    if (number < 0)
        return refuse(demand, "deadline_ms is negative");
    demand->deadline_ms = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    return FRONT_OK;
}

static enum front_error json_size(struct demand *demand, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    if (number < 0)
        return refuse(demand, "size is negative");
    demand->size = (uint64_t)number;
    demand->has_size = true;
    return FRONT_OK;
}

static enum front_error json_path(struct demand *demand, const json_t *value)
{
    demand->path = text_of(value);
    return FRONT_OK;
}

static enum front_error json_lf(struct demand *demand, const json_t *value)
{
    if (json_is_true(value))
        demand->wishes |= WISH_LF;
    return FRONT_OK;
}

static enum front_error json_domain(struct demand *demand, const json_t *value)
{
    demand->domain = text_of(value);
    return FRONT_OK;
}

static const struct field
{
    const char *key;
    enum
    {
        A_TEXT,
        A_NUMBER,
        A_LIST,
        A_BOOL,
        TEXT_OR_NUMBER,
    } type;
    enum front_error (*take)(struct demand *, const json_t *);
} fields[] = {
    {"id", TEXT_OR_NUMBER, json_id}, /* first: it comes back with errors too */
    {"op", A_TEXT, json_op},
    {"ip", A_TEXT, json_ip},
    {"helo", A_TEXT, json_helo},
    {"mail_from", A_TEXT, json_mail_from},
    {"rcpt_to", A_LIST, json_rcpt_to},
    {"tls_version", A_TEXT, json_tls_version},
    {"tls_cipher", A_TEXT, json_tls_cipher},
    {"authserv_id", A_TEXT, json_authserv_id},
    {"now", A_NUMBER, json_now},
    {"deadline_ms", A_NUMBER, json_deadline},
    {"size", A_NUMBER, json_size},
    {"path", A_TEXT, json_path},
    {"lf", A_BOOL, json_lf},
    {"domain", A_TEXT, json_domain},
};

static bool has_type(const struct field *field, const json_t *value)
{
    switch (field->type) {
    case A_TEXT:
        return json_is_string(value);
    case A_NUMBER:
        return json_is_integer(value);
    case A_LIST:
        return json_is_array(value);
    case A_BOOL:
        return json_is_boolean(value);
    case TEXT_OR_NUMBER:
        break;
    }
    return json_is_string(value) || json_is_integer(value);
}

static enum front_error take_fields(struct demand *demand, bool query)
{
    for (size_t i = query ? 1 : 0; i < COUNT_OF(fields); i++) {
        const json_t *value = json_object_get(demand->json, fields[i].key);
        if (!value || json_is_null(value))
            continue;
        if (!has_type(&fields[i], value))
            return refuse(demand, "a key has a value of another type");
        enum front_error error = fields[i].take(demand, value);
        if (error != FRONT_OK)
            return error;
    }
    return FRONT_OK;
}

/* Keys that an operation cannot do without. */
static enum front_error check_complete(struct demand *demand, bool query)
{
    const struct message_envelope *envelope = &demand->envelope;
    if (demand->op == DEMAND_CHECK && query)
        return refuse(demand, "check needs REQUEST and DATA");
    if (demand->op == DEMAND_CHECK && demand->has_size == (demand->path.p != NULL))
        return refuse(demand, "check wants one of size and path");
    if (demand->op != DEMAND_CHECK && demand->has_size)
        return refuse(demand, "size belongs to check");
    if (demand->op == DEMAND_SPF && envelope->client.family == IP_NONE)
        return refuse(demand, "spf wants ip");
    if (demand->op == DEMAND_SPF && !envelope->mail_from.p && !envelope->helo.p)
        return refuse(demand, "spf wants mail_from or helo");
    if (demand->op == DEMAND_DMARC && !demand->domain.p)
        return refuse(demand, "dmarc wants domain");
    return FRONT_OK;
}

enum front_error demand_from_json(struct demand *demand, struct span text, bool query)
{
    json_error_t wrong;
    clear(demand);
    demand->json = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &wrong);
    if (!json_is_object(demand->json))
        return refuse(demand, "no JSON object");
    enum front_error error = take_fields(demand, query);
    if (demand->id.failed)
        return refuse(demand, "no memory for the id");
    return error != FRONT_OK ? error : check_complete(demand, query);
}
