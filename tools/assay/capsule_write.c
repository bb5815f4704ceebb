/*
 * Writes capsules. Each section is made as compact JSON, hashed as the reader will see it, and laid
 * out with a line for each of its members.
 *
 * What engine_options_open() sets has to stand in write_settings() too, or a replay goes by another
 * setting.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "capsule.h"
#include "dns/zone_write.h"
#include "verdict/json.h"

enum
{
    NUMBER_TEXT_MAX = 24,
};

/* Envelope --------------------------------------------------------------------------------------
 */

static void write_envelope(const struct capsule_record *record, struct jsonw *json)
{
    const struct message_envelope *envelope = &assay_message_internal(record->message)->envelope;
    const struct ip *client = &envelope->client;
    char ip[IP_TEXT_MAX];
    jsonw_object_open(json, NULL);
    capsule_put_text(json, "file", record->file);
    jsonw_string(json, "client", client->family == IP_NONE ? NULL : ip_text(client, ip));
    capsule_put_text(json, "helo", envelope->helo);
    capsule_put_text(json, "mail_from", envelope->mail_from);
    jsonw_array_open(json, "recipients");
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        capsule_put_text(json, NULL, envelope->recipients[i]);
    jsonw_array_close(json);
    capsule_put_text(json, "tls_version", envelope->tls_version);
    capsule_put_text(json, "tls_cipher", envelope->tls_cipher);
    jsonw_object_close(json);
}

/* Settings --------------------------------------------------------------------------------------
 */

static void put_name(struct jsonw *json, const char *key, const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    jsonw_string(json, key, dns_name_text(name, text));
}

static void put_names(struct jsonw *json, const char *key, const struct dns_name *names,
                      uint32_t count)
{
    jsonw_array_open(json, key);
    for (uint32_t i = 0; i < count; i++)
        put_name(json, NULL, &names[i]);
    jsonw_array_close(json);
}

static void put_psl(struct jsonw *json, const struct dmarc_psl *psl, const struct dns_name *name)
{
    struct dns_name org = dmarc_psl_org(psl, name);
    if (!name->length || dns_name_equal(&org, name))
        return; /* the reader's default */
    jsonw_object_open(json, NULL);
    put_name(json, "name", name);
    put_name(json, "org", &org);
    jsonw_object_close(json);
}

/* The names that DMARC compares: author domains, SPF's and those of the signatures. */
static void put_psl_answers(struct jsonw *json, const struct message *message)
{
    const struct dmarc_options *options = &message->options->dmarc;
    jsonw_array_open(json, "psl");
    if (options->mode != DMARC_TREE_WALK) {
        for (uint32_t i = 0; i < message->authors.count; i++)
            put_psl(json, options->psl, &message->authors.names[i]);
        put_psl(json, options->psl, &message->spf.checked.domain);
        for (uint32_t i = 0; i < message->dkim.count; i++)
            put_psl(json, options->psl, &message->dkim.verified[i].signature.domain);
    }
    jsonw_array_close(json);
}

static void write_settings(const struct capsule_record *record, struct jsonw *json)
{
    const struct message *message = assay_message_internal(record->message);
    const struct message_options *options = message->options;
    jsonw_object_open(json, NULL);
    jsonw_int(json, "received_at", message->envelope.now);
    jsonw_span(json, "authserv_id", options->authserv_id);
    jsonw_bool(json, "reject", options->dmarc.reject);
    jsonw_string(json, "dmarc_mode", capsule_mode_words[options->dmarc.mode]);
    put_names(json, "psd", options->dmarc.psd_names, options->dmarc.psd_count);
    put_names(json, "trusted_sealers", options->trusted_sealers, options->trusted_count);
    jsonw_bool(json, "allow_unsigned_body", options->dkim_allow_unsigned_body);
    jsonw_bool(json, "trust_testing_keys", !options->dkim_testing_as_unsigned);
    jsonw_bool(json, "spf_explanation", options->spf_explanation);
    jsonw_uint(json, "spf_void_limit", options->spf_void_limit);
    put_psl_answers(json, message);
    jsonw_object_close(json);
}

/* Body ------------------------------------------------------------------------------------------
 */

/* An l= may be beyond what JSON readers take for a number, so it is text. */
static void put_limit(struct jsonw *json, uint64_t limit)
{
    char text[NUMBER_TEXT_MAX];
    snprintf(text, sizeof text, "%" PRIu64, limit);
    jsonw_string(json, "l", limit == BODY_WHOLE ? NULL : text);
}

static void put_hash(struct jsonw *json, const struct body_hash *hash)
{
    char text[BASE64_ENCODED_LENGTH(SHA256_BYTES)];
    jsonw_object_open(json, NULL);
    jsonw_string(json, "canonicalization", capsule_canon_words[hash->canon]);
    put_limit(json, hash->limit);
    jsonw_uint(json, "octets", hash->hashed);
    base64_encode(span_of(hash->sha256, SHA256_BYTES), text);
    if (hash->known)
        jsonw_span(json, "bh", span_of(text, sizeof text));
    else
        jsonw_null(json, "bh");
    jsonw_object_close(json);
}

static void write_body_hashes(const struct capsule_record *record, struct jsonw *json)
{
    const struct message *message = assay_message_internal(record->message);
    struct body_facts facts;
    if (!body_hasher_facts(&message->body, &facts))
        json->out->failed = true;
    jsonw_object_open(json, NULL);
    jsonw_uint(json, "octets", facts.total);
    for (unsigned canon = 0; canon < BODY_CANONS; canon++)
        if (facts.counted[canon])
            jsonw_uint(json, capsule_canon_words[canon], facts.octets[canon]);
        else
            jsonw_null(json, capsule_canon_words[canon]);
    jsonw_uint(json, "bare_cr", facts.bare_cr);
    jsonw_uint(json, "bare_lf", facts.bare_lf);
    jsonw_uint(json, "nul", facts.nul);
    jsonw_bool(json, "ends_in_crlf", facts.ends_in_crlf);
    jsonw_bool(json, "message_too_large", message->too_large);
    jsonw_array_open(json, "hashes");
    for (uint32_t i = 0; i < facts.count; i++)
        put_hash(json, &facts.hashes[i]);
    jsonw_array_close(json);
    jsonw_object_close(json);
}

static void write_header(const struct capsule_record *record, struct jsonw *json)
{
    capsule_put_lines(json, NULL, record->header);
}

static void write_body(const struct capsule_record *record, struct jsonw *json)
{
    if (record->body.p)
        capsule_put_lines(json, NULL, record->body);
    else
        jsonw_null(json, NULL);
}

/* Answers and verdict ---------------------------------------------------------------------------
 */

static void write_dns(const struct capsule_record *record, struct jsonw *json)
{
    struct buffer zone;
    buffer_init(&zone, CAPSULE_BYTES_MAX);
    if (!dns_zone_write(&assay_message_internal(record->message)->answers, &zone))
        json->out->failed = true;
    struct span text = buffer_span(&zone);
    jsonw_array_open(json, NULL);
    while (text.n && !json->out->failed) {
        size_t n = span_find(text, '\n');
        jsonw_span(json, NULL, span_slice(text, 0, n));
        text = span_skip(text, n + 1);
    }
    jsonw_array_close(json);
    buffer_fini(&zone);
}

static void write_verdict(const struct capsule_record *record, struct jsonw *json)
{
    const char *verdict = assay_message_json(record->message);
    if (!verdict)
        json->out->failed = true;
    buffer_append_string(json->out, verdict ? verdict : "");
}

/* The whole -------------------------------------------------------------------------------------
 */

/* Copies JSON with a line for each member of the outermost value. */
static void lay_out(struct span json, struct buffer *out)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.n; i++) {
        uint8_t c = json.p[i];
        bool opens = !in_string && (c == '{' || c == '['), empty = false;
        bool closes = !in_string && (c == '}' || c == ']');
        if (opens)
            empty = json.p[i + 1] == '}' || json.p[i + 1] == ']';
        if (closes && depth == 1 && json.n > 2)
            buffer_append(out, SPAN("\n "));
        depth += opens;
        depth -= closes;
        buffer_append_byte(out, c);
        if (in_string && c == '\\')
            buffer_append_byte(out, json.p[++i]);
        else if (c == '"')
            in_string = !in_string;
        if (depth == 1 && !in_string && ((opens && !empty) || c == ','))
            buffer_append(out, SPAN("\n  "));
    }
}

/* The section as it will be read again; *digest is the one of that. */
static bool hash_section(const struct buffer *section, char digest[2 * SHA256_BYTES + 1])
{
    json_t *value =
        json_loadb((const char *)section->p, section->n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    bool ok = value && capsule_digest(value, digest);
    json_decref(value);
    return ok;
}

static bool write_section(const struct capsule_record *record, enum capsule_section which,
                          struct buffer *out, char digest[2 * SHA256_BYTES + 1])
{
    static void (*const writers[])(const struct capsule_record *, struct jsonw *) = {
        [CAPSULE_ENVELOPE] = write_envelope, [CAPSULE_SETTINGS] = write_settings,
        [CAPSULE_HEADER] = write_header,     [CAPSULE_BODY_HASHES] = write_body_hashes,
        [CAPSULE_BODY] = write_body,         [CAPSULE_DNS] = write_dns,
        [CAPSULE_VERDICT] = write_verdict,
    };
    struct buffer section;
    struct jsonw json;
    buffer_init(&section, CAPSULE_BYTES_MAX);
    jsonw_begin(&json, &section);
    writers[which](record, &json);
    bool ok = !section.failed && hash_section(&section, digest);
    buffer_printf(out, " \"%s\": ", capsule_section_word(which));
    if (ok)
        lay_out(buffer_span(&section), out);
    buffer_append_string(out, ",\n");
    buffer_fini(&section);
    return ok;
}

bool capsule_write(const struct capsule_record *record, struct buffer *out)
{
    char digests[CAPSULE_SECTIONS][2 * SHA256_BYTES + 1];
    size_t begin = out->n;
    buffer_printf(out, "{\n \"assay_capsule\": %d,\n \"version\": \"%s\",\n", CAPSULE_FORMAT,
                  assay_version());
    for (enum capsule_section which = 0; which < CAPSULE_SECTIONS; which++)
        if (!write_section(record, which, out, digests[which]))
            return false;
    buffer_append_string(out, " \"digests\": {");
    for (enum capsule_section which = 0; which < CAPSULE_SECTIONS; which++)
        buffer_printf(out, "%s\n  \"%s\": \"%s\"", which ? "," : "", capsule_section_word(which),
                      digests[which]);
    buffer_append_string(out, "\n }\n}\n");
    return !out->failed && out->n - begin <= CAPSULE_BYTES_MAX;
}
