/*
 * The signatures, and for those that do not hold the diagnosis of engine/diagnose/: with the keys
 * that the judges have fetched, and for a signature whose b= cannot be read, which no judge has
 * fetched a key for, one that is fetched here.
 */
#include "base/base64.h"
#include "diagnose/diagnose.h"
#include "explain_parts.h"

enum
{
    OTHERS_MAX = 64,
    DIAGNOSIS_BYTES = 64 * 1024 * 1024,
    ARC_DIAGNOSED_MAX = 4, /* older sets fail because of every hop behind them */
};

struct one
{
    const struct dkim_signature *signature;
    const struct dkim_keys *keys;
    enum result result;
    const char *reason;
    bool is_arc;
    uint32_t index;
};

/* --- keys --- */

static size_t own_keys(const struct dkim_keys *keys, const struct public_key **own)
{
    size_t count = 0;
    for (uint32_t i = 0; i < keys->count && count < MAX_SIGNATURE_KEYS; i++)
        if (keys->records[i].key)
            own[count++] = keys->records[i].key;
    return count;
}

static void add_others(const struct dkim_signature *own, const struct dkim_signature *signature,
                       const struct dkim_keys *keys, struct diagnose_key *others, size_t *count)
{
    if (dns_name_equal(&own->domain, &signature->domain) &&
        dns_name_equal(&own->selector, &signature->selector))
        return;
    for (uint32_t i = 0; i < keys->count; i++)
        if (keys->records[i].key && *count < OTHERS_MAX)
            others[(*count)++] = (struct diagnose_key){keys->records[i].key, signature->domain_text,
                                                       signature->selector_text};
}

static size_t other_keys(const struct message *message, const struct dkim_signature *own,
                         struct diagnose_key *others)
{
    size_t count = 0;
    for (uint32_t i = 0; i < message->dkim.count; i++)
        add_others(own, &message->dkim.verified[i].signature, &message->dkim.verified[i].keys,
                   others, &count);
    for (uint32_t i = 0; message->arc.sets && i < message->arc.count; i++)
        add_others(own, &message->arc.sets[i].ams, &message->arc.sets[i].ams_keys, others, &count);
    return count;
}

/* --- the diagnosis as JSON --- */

/* A sentence of the table with the field's name for "%f". */
static void set_filled(struct explaining *e, json_t *object, const char *key, const char *text,
                       struct span field)
{
    struct buffer out;
    buffer_init(&out, 64 * 1024);
    for (; *text; text++) {
        bool place = text[0] == '%' && text[1] == 'f';
        if (place)
            buffer_append(&out, field.n ? field : SPAN("signed"));
        else
            buffer_append_byte(&out, (uint8_t)*text);
        text += place;
    }
    if (out.failed)
        e->failed = true;
    else
        explain_sentence(e, object, key, "%.*s", (int)out.n, (const char *)out.p);
    buffer_fini(&out);
}

static void set_known(struct explaining *e, json_t *object, const char *key, struct span text)
{
    if (text.n)
        explain_set(e, object, key, explain_field_json(e, text));
}

static json_t *evidence(struct explaining *e, const struct diagnose_finding *finding)
{
    json_t *object = json_object();
    if (finding->in_body)
        explain_set(e, object, "offset", json_integer((json_int_t)finding->offset));
    if (finding->bytes)
        explain_set(e, object, "bytes", json_integer((json_int_t)finding->bytes));
    if (finding->lines)
        explain_set(e, object, "lines", json_integer((json_int_t)finding->lines));
    if (finding->text.n)
        explain_set(e, object, "text", explain_text_json(e, finding->text));
    set_known(e, object, "field", finding->field);
    if (finding->position >= 0)
        explain_set(e, object, "position", json_integer(finding->position));
    set_known(e, object, "before", finding->before);
    set_known(e, object, "after", finding->after);
    set_known(e, object, "domain", finding->domain);
    set_known(e, object, "selector", finding->selector);
    return object;
}

static json_t *cause_json(struct explaining *e, const struct diagnose_finding *finding)
{
    const struct diagnose_cause_row *row = diagnose_cause(finding->cause);
    json_t *object = json_object();
    explain_set(e, object, "cause", json_string(row->word));
    explain_set(e, object, "part", json_string(diagnose_part_word(row->part)));
    explain_set(e, object, "proven", json_boolean(finding->proven));
    set_filled(e, object, "sentence", row->sentence, finding->field);
    set_filled(e, object, "advice", row->advice, finding->field);
    explain_set(e, object, "evidence", evidence(e, finding));
    return object;
}

static const char *state_word(enum diagnose_state state)
{
    if (state == DIAGNOSE_INTACT)
        return "intact";
    return state == DIAGNOSE_CHANGED ? "changed" : "unknown";
}

static json_t *base64_json(const uint8_t hash[SHA256_BYTES], bool known)
{
    char text[BASE64_ENCODED_LENGTH(SHA256_BYTES)];
    if (!known)
        return json_null();
    base64_encode(span_of(hash, SHA256_BYTES), text);
    return json_stringn(text, sizeof text);
}

static json_t *hex_json(const uint8_t hash[SHA256_BYTES], bool known)
{
    static const char hex[] = "0123456789abcdef";
    char text[2 * SHA256_BYTES];
    for (size_t i = 0; known && i < SHA256_BYTES; i++) {
        text[2 * i] = hex[hash[i] >> 4];
        text[2 * i + 1] = hex[hash[i] & 15];
    }
    return known ? json_stringn(text, sizeof text) : json_null();
}

static json_t *body_json(struct explaining *e, const struct diagnosis *d,
                         const struct dkim_signature *signature)
{
    json_t *object = json_object();
    explain_set(e, object, "state", json_string(state_word(d->body.state)));
    explain_set(e, object, "expected", base64_json(signature->bh, true));
    explain_set(e, object, "found", base64_json(d->body.found, d->body.found_known));
    explain_set(e, object, "raw_bytes", json_integer((json_int_t)d->body.raw_bytes));
    explain_set(e, object, "canonical_bytes", json_integer((json_int_t)d->body.canonical_bytes));
    explain_set(e, object, "signed_bytes", json_integer((json_int_t)d->body.signed_bytes));
    explain_set(e, object, "lines", json_integer((json_int_t)d->body.lines));
    return object;
}

static json_t *header_json(struct explaining *e, const struct diagnosis *d)
{
    json_t *object = json_object(), *missing = json_array();
    explain_set(e, object, "state", json_string(state_word(d->header.state)));
    explain_set(e, object, "expected", hex_json(d->header.expected, d->header.expected_known));
    explain_set(e, object, "found", hex_json(d->header.found, d->header.found_known));
    explain_set(e, object, "canonical_bytes", json_integer((json_int_t)d->header.canonical_bytes));
    explain_set(e, object, "fields", json_integer(d->header.fields));
    for (uint32_t i = 0; i < d->header.missing_count; i++)
        explain_append(e, missing, explain_text_json(e, d->header.missing[i]));
    explain_set(e, object, "missing", missing);
    return object;
}

static json_t *key_json(struct explaining *e, const struct diagnosis *d)
{
    static const struct
    {
        const char *word, *sentence;
    } states[] = {
        [DIAGNOSE_KEY_UNKNOWN] = {"unknown", "Whether the key is the right one cannot be told."},
        [DIAGNOSE_KEY_NONE] = {"none", "There is no key to verify it with."},
        [DIAGNOSE_KEY_RIGHT] = {"right", "The published key is the one that made this signature."},
        [DIAGNOSE_KEY_WRONG] = {"wrong",
                                "The published key did not make this signature as it stands."},
    };
    json_t *object = json_object();
    explain_set(e, object, "state", json_string(states[d->key].word));
    explain_set(e, object, "sentence", json_string(states[d->key].sentence));
    return object;
}

static json_t *diagnosis_json(struct explaining *e, const struct diagnosis *d,
                              const struct dkim_signature *signature)
{
    json_t *object = json_object(), *causes = json_array();
    explain_set(e, object, "found", json_boolean(d->explained));
    for (uint32_t i = 0; i < d->count; i++)
        explain_append(e, causes, cause_json(e, &d->findings[i]));
    explain_set(e, object, "causes", causes);
    explain_set(e, object, "body", body_json(e, d, signature));
    explain_set(e, object, "header", header_json(e, d));
    explain_set(e, object, "key", key_json(e, d));
    explain_set(e, object, "tries", json_integer((json_int_t)d->tries));
    explain_set(e, object, "hashed_bytes", json_integer((json_int_t)d->hashed_bytes));
    explain_set(e, object, "limit", explain_word(d->limit));
    return object;
}

static json_t *diagnose_with(struct explaining *e, const struct one *one,
                             const struct dkim_keys *keys)
{
    const struct message *message = assay_message_internal(e->message);
    const struct public_key *own[MAX_SIGNATURE_KEYS];
    struct arena arena; /* a hostile header fills it: one for each, and nothing else suffers */
    struct diagnose_key *others = ARENA_ARRAY(&e->arena, OTHERS_MAX, struct diagnose_key);
    struct diagnosis *diagnosis = ARENA_NEW(&e->arena, struct diagnosis);
    if (!others || !diagnosis) {
        e->failed = true;
        return NULL;
    }
    struct diagnose_request request = {
        .header = &message->reader.header,
        .body = e->body,
        .signature = one->signature,
        .keys = own,
        .key_count = own_keys(keys, own),
        .others = others,
        .other_count = other_keys(message, one->signature, others),
        .arena = &arena,
        .hits = &e->hits,
    };
    arena_init(&arena, DIAGNOSIS_BYTES);
    bool whole = diagnose(&request, diagnosis);
    (void)whole; /* its limit tells */
    json_t *object = diagnosis_json(e, diagnosis, one->signature);
    arena_fini(&arena);
    return object;
}

/* No judge asks for the key of a signature whose b= it cannot read. */
static json_t *diagnose_unread(struct explaining *e, const struct one *one)
{
    struct message *message = assay_message_internal(e->message);
    struct dkim_keys *keys = ARENA_NEW(&e->arena, struct dkim_keys);
    if (!keys) {
        e->failed = true;
        return NULL;
    }
    int64_t deadline_ms = engine_clock_ms() + e->engine->timeout_ms;
    while (dkim_keys_fetch(one->signature, &message->answers, &e->hits, keys) == JUDGE_WAITING)
        dns_source_resolve(e->engine->source, &message->answers, deadline_ms);
    json_t *object = diagnose_with(e, one, keys);
    dkim_keys_fini(keys);
    return object;
}

static bool is_reason(const struct one *one, const char *reason)
{
    return one->reason && strcmp(one->reason, reason) == 0;
}

/* What is well-formed but for b=, and has not passed. */
static json_t *diagnosis_of(struct explaining *e, const struct one *one)
{
    const struct dkim_signature *signature = one->signature;
    if (one->result == RESULT_PASS || one->result == RESULT_UNSET ||
        is_reason(one, "signature_skipped") || !signature->items)
        return json_null();
    if (is_reason(one, "bad_signature_data") && signature->domain.length &&
        signature->selector.length)
        return diagnose_unread(e, one);
    return signature->result == RESULT_UNSET ? diagnose_with(e, one, one->keys) : json_null();
}

/* --- one signature --- */

static json_t *name_json(const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    return name->length ? json_string(dns_name_text(name, text)) : json_null();
}

/* Where no cause was found its sentence begins with what the reason says. */
static bool says_the_reason(const json_t *cause)
{
    const char *word = explain_at(cause, "cause");
    return strcmp(word, "body_changed") == 0 || strcmp(word, "header_changed") == 0;
}

static void tell(struct explaining *e, const struct one *one, json_t *object)
{
    const char *meaning = explain_reason(one->reason);
    const json_t *causes = explain_member(object, "diagnosis.causes");
    const json_t *cause = json_array_get(causes, 0);
    const char *first = explain_at(cause, "sentence");
    const char *domain = explain_at(object, "domain");
    if (one->result == RESULT_PASS)
        explain_sentence(e, object, "sentence", "It holds: what it covers is as %s has signed it.",
                         domain);
    else if (one->result == RESULT_UNSET)
        explain_sentence(e, object, "sentence",
                         "Nobody needed it: only the newest message signature must hold.");
    else if (says_the_reason(cause))
        explain_sentence(e, object, "sentence", "%s", first);
    else
        explain_sentence(e, object, "sentence", "%s%s%s",
                         meaning       ? meaning
                         : one->reason ? one->reason
                                       : "It does not hold.",
                         *first ? " " : "", first);
}

static json_t *one_json(struct explaining *e, const struct one *one, const json_t *aligned)
{
    const struct dkim_signature *signature = one->signature;
    json_t *object = json_object();
    explain_set(e, object, "kind", json_string(one->is_arc ? "arc" : "dkim"));
    explain_set(e, object, "index", json_integer(one->index));
    explain_set(e, object, "position", json_integer(signature->field->position));
    explain_set(e, object, "domain", name_json(&signature->domain));
    explain_set(e, object, "selector", name_json(&signature->selector));
    explain_set(e, object, "algorithm", json_string(dkim_algorithm_word(signature->algorithm)));
    explain_set(e, object, "key_bits",
                one->keys->bits ? json_integer(one->keys->bits) : json_null());
    json_t *form =
        json_sprintf("%s/%s", signature->header_canon == CANON_RELAXED ? "relaxed" : "simple",
                     signature->body_canon == CANON_RELAXED ? "relaxed" : "simple");
    explain_set(e, object, "canonicalization", form);
    explain_set(e, object, "result",
                one->result == RESULT_UNSET ? json_null() : json_string(result_word(one->result)));
    explain_set(e, object, "reason", explain_word(one->reason));
    explain_set(e, object, "aligned", aligned ? json_deep_copy(aligned) : json_null());
    explain_set(e, object, "sentence", NULL);
    explain_set(e, object, "diagnosis", diagnosis_of(e, one));
    tell(e, one, object);
    return object;
}

static void add_dkim(struct explaining *e, const struct message *message, json_t *list)
{
    const json_t *verdicts = explain_member(e->document, "verdict.dkim");
    for (uint32_t i = 0; i < message->dkim.count; i++) {
        const struct dkim_verified *verified = &message->dkim.verified[i];
        struct one one = {&verified->signature, &verified->keys, verified->result,
                          verified->reason,     false,           i};
        explain_append(e, list,
                       one_json(e, &one, explain_member(json_array_get(verdicts, i), "aligned")));
    }
}

static void add_arc(struct explaining *e, const struct message *message, json_t *list)
{
    unsigned diagnosed = 0;
    for (uint32_t i = message->arc.sets ? message->arc.count : 0; i-- > 0;) {
        const struct arc_set *set = &message->arc.sets[i];
        if (!set->ams.field)
            continue;
        struct one one = {&set->ams, &set->ams_keys, set->ams_result, set->reason, true, i};
        bool failed = one.result != RESULT_PASS && one.result != RESULT_UNSET;
        if (one.result == RESULT_PASS)
            one.reason = NULL;
        if (failed && diagnosed++ == ARC_DIAGNOSED_MAX)
            return;
        explain_append(e, list, one_json(e, &one, NULL));
    }
}

void explain_signatures(struct explaining *e)
{
    json_t *list = json_array();
    const struct message *message = assay_message_internal(e->message);
    add_dkim(e, message, list);
    add_arc(e, message, list);
    explain_set(e, e->document, "signatures", list);
}
