/*
 * Reads capsules: anybody's text. Each member is checked for its type and bounds here, so that what
 * is read can be judged like any message; what a value means is for the parsers that it goes to
 * (zone file, settings, header).
 *
 * Members that are not known are passed over: another version may have more.
 */
#include "base/base64.h"
#include "base/number.h"
#include "capsule.h"

enum
{
    NAMES_MAX = 1000,
    LIMIT_DIGITS = 20,
    TIME_MAX = 1000000000, /* thousands of seconds: what --now takes is below */
};

struct reading
{
    struct capsule *capsule;
    const json_t *section; /* its object */
    const char *fault;     /* the first member that is not as it should be */
};

/* Members ---------------------------------------------------------------------------------------
 *
 * Each reads one member of the section; after the first fault they do nothing, and the caller looks
 * once.
 */

static void fault(struct reading *r, const char *key)
{
    if (!r->fault)
        r->fault = key;
}

static const json_t *member(struct reading *r, const char *key)
{
    const json_t *value = json_object_get(r->section, key);
    if (!value)
        fault(r, key);
    return value;
}

static bool read_bool(struct reading *r, const char *key)
{
    const json_t *value = member(r, key);
    if (!json_is_boolean(value))
        fault(r, key);
    return json_is_true(value);
}

static uint64_t read_number(struct reading *r, const char *key, uint64_t max)
{
    const json_t *value = member(r, key);
    json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= 0 && (uint64_t)number <= max)
        return (uint64_t)number;
    fault(r, key);
    return 0;
}

/* NUL-terminated, without a NUL inside. */
static const char *take_string(struct reading *r, const char *key, const json_t *value)
{
    struct arena *arena = &r->capsule->arena;
    struct span text;
    if (!capsule_text(value, arena, &text) || memchr(text.p, '\0', text.n)) {
        fault(r, key);
        return NULL;
    }
    char *string = arena_string(arena, text);
    if (!string)
        fault(r, key);
    return string;
}

static const char *read_string(struct reading *r, const char *key)
{
    return take_string(r, key, member(r, key));
}

static const char *read_string_or_null(struct reading *r, const char *key)
{
    const json_t *value = member(r, key);
    return json_is_null(value) ? NULL : take_string(r, key, value);
}

/* NULL-terminated. */
static const char *const *read_strings(struct reading *r, const char *key, size_t *count)
{
    const json_t *list = member(r, key);
    size_t n = json_array_size(list);
    const char **strings =
        n <= NAMES_MAX ? ARENA_ARRAY(&r->capsule->arena, n + 1, const char *) : NULL;
    *count = 0;
    if (!json_is_array(list) || !strings) {
        fault(r, key);
        return NULL;
    }
    for (; *count < n && !r->fault; ++*count)
        strings[*count] = take_string(r, key, json_array_get(list, *count));
    return strings;
}

static int read_word(struct reading *r, const char *key, const char *const *words, int count)
{
    const char *word = json_string_value(member(r, key));
    for (int i = 0; word && i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    fault(r, key);
    return 0;
}

/* Sections --------------------------------------------------------------------------------------
 */

static void read_envelope(struct reading *r)
{
    struct assay_envelope *envelope = &r->capsule->envelope;
    envelope->size = sizeof *envelope;
    const json_t *file = member(r, "file");
    if (file && !json_is_null(file) && !capsule_text(file, &r->capsule->arena, &r->capsule->file))
        fault(r, "file");
    envelope->client_ip = read_string_or_null(r, "client");
    envelope->helo = read_string_or_null(r, "helo");
    envelope->mail_from = read_string_or_null(r, "mail_from");
    envelope->rcpt_to = read_strings(r, "recipients", &envelope->rcpt_count);
    envelope->tls_version = read_string_or_null(r, "tls_version");
    envelope->tls_cipher = read_string_or_null(r, "tls_cipher");
}

static bool read_name(const json_t *text, struct dns_name *name)
{
    return json_is_string(text) &&
           dns_name_from_zone_text(
               name, span_of(json_string_value(text), json_string_length(text))) == DNS_NAME_OK;
}

static void read_psl(struct reading *r)
{
    const json_t *list = member(r, "psl"), *pair;
    size_t n = json_array_size(list), i;
    struct dmarc_psl_pair *pairs =
        n <= NAMES_MAX ? ARENA_ARRAY(&r->capsule->arena, n, struct dmarc_psl_pair) : NULL;
    if (!json_is_array(list) || !pairs) {
        fault(r, "psl");
        return;
    }
    json_array_foreach(list, i, pair)
    {
        if (!read_name(json_object_get(pair, "name"), &pairs[i].name) ||
            !read_name(json_object_get(pair, "org"), &pairs[i].org) ||
            !dns_name_is_at_or_below(&pairs[i].name, &pairs[i].org))
            fault(r, "psl");
    }
    r->capsule->psl = pairs;
    r->capsule->psl_count = n;
}

static void read_settings(struct reading *r)
{
    struct assay_config *config = &r->capsule->config;
    size_t count;
    config->size = sizeof *config;
    r->capsule->envelope.received_at = (int64_t)read_number(r, "received_at", TIME_MAX * 1000LL);
    if (r->capsule->envelope.received_at == 0)
        fault(r, "received_at"); /* it would be the clock's */
    config->authserv_id = read_string(r, "authserv_id");
    config->reject = read_bool(r, "reject");
    config->dmarc_mode =
        (enum assay_dmarc_mode)read_word(r, "dmarc_mode", capsule_mode_words, CAPSULE_MODES);
    config->psd_names = read_strings(r, "psd", &count);
    config->trusted_sealers = read_strings(r, "trusted_sealers", &count);
    config->dkim_allow_unsigned_body = read_bool(r, "allow_unsigned_body");
    config->dkim_trust_testing_keys = read_bool(r, "trust_testing_keys");
    config->spf_explanation = read_bool(r, "spf_explanation");
    config->spf_void_limit = (unsigned)read_number(r, "spf_void_limit", MAX_DNS_QUESTIONS);
    read_psl(r);
}

static void read_header(struct reading *r)
{
    if (!capsule_lines(r->section, &r->capsule->arena, &r->capsule->header))
        fault(r, "lines");
}

static void read_body(struct reading *r)
{
    if (!json_is_null(r->section) &&
        !capsule_lines(r->section, &r->capsule->arena, &r->capsule->body))
        fault(r, "lines");
}

static void read_limit(struct reading *r, uint64_t *limit)
{
    const json_t *text = member(r, "l");
    *limit = BODY_WHOLE;
    if (json_is_null(text))
        return;
    if (!json_is_string(text) ||
        !number_parse(span_of(json_string_value(text), json_string_length(text)), LIMIT_DIGITS,
                      limit))
        fault(r, "l");
}

static void read_hash(struct reading *r, struct body_hash *hash)
{
    const json_t *bh = member(r, "bh");
    size_t n = 0;
    hash->canon = (enum canon)read_word(r, "canonicalization", capsule_canon_words, BODY_CANONS);
    read_limit(r, &hash->limit);
    hash->hashed = read_number(r, "octets", INT64_MAX);
    if (json_is_null(bh))
        return;
    hash->known = json_is_string(bh) &&
                  base64_decode(span_of(json_string_value(bh), json_string_length(bh)),
                                hash->sha256, SHA256_BYTES, &n) &&
                  n == SHA256_BYTES;
    if (!hash->known)
        fault(r, "bh");
}

static void read_hashes(struct reading *r)
{
    struct body_facts *facts = &r->capsule->facts;
    const json_t *list = member(r, "hashes"), *body_hashes = r->section, *entry;
    size_t i;
    if (!json_is_array(list) || json_array_size(list) > MAX_BODY_HASHES) {
        fault(r, "hashes");
        return;
    }
    json_array_foreach(list, i, entry)
    {
        r->section = entry;
        read_hash(r, &facts->hashes[facts->count++]);
    }
    r->section = body_hashes;
}

static void read_body_hashes(struct reading *r)
{
    struct body_facts *facts = &r->capsule->facts;
    facts->total = read_number(r, "octets", INT64_MAX);
    for (unsigned canon = 0; canon < BODY_CANONS; canon++) {
        facts->counted[canon] = !json_is_null(member(r, capsule_canon_words[canon]));
        if (facts->counted[canon])
            facts->octets[canon] = read_number(r, capsule_canon_words[canon], INT64_MAX);
    }
    facts->bare_cr = read_number(r, "bare_cr", INT64_MAX);
    facts->bare_lf = read_number(r, "bare_lf", INT64_MAX);
    facts->nul = read_number(r, "nul", INT64_MAX);
    facts->ends_in_crlf = read_bool(r, "ends_in_crlf");
    r->capsule->too_large = read_bool(r, "message_too_large");
    read_hashes(r);
}

/* Lines joined by LF, with one behind the last. */
static void read_dns(struct reading *r)
{
    const json_t *line;
    struct buffer zone;
    size_t i;
    buffer_init(&zone, CAPSULE_BYTES_MAX);
    if (!json_is_array(r->section))
        fault(r, "lines");
    json_array_foreach(r->section, i, line)
    {
        if (!json_is_string(line))
            fault(r, "lines");
        buffer_append(&zone, span_of(json_string_value(line), json_string_length(line)));
        buffer_append_byte(&zone, '\n');
    }
    r->capsule->dns = arena_copy(&r->capsule->arena, buffer_span(&zone));
    if (zone.failed || (zone.n && !r->capsule->dns.p))
        fault(r, "lines");
    buffer_fini(&zone);
}

static void read_verdict(struct reading *r)
{
    r->capsule->verdict = r->section;
}

static const struct
{
    bool is_object;
    void (*read)(struct reading *r);
} sections[] = {
    [CAPSULE_ENVELOPE] = {true, read_envelope}, [CAPSULE_SETTINGS] = {true, read_settings},
    [CAPSULE_HEADER] = {false, read_header},    [CAPSULE_BODY_HASHES] = {true, read_body_hashes},
    [CAPSULE_BODY] = {false, read_body},        [CAPSULE_DNS] = {false, read_dns},
    [CAPSULE_VERDICT] = {true, read_verdict},
};

/* The whole -------------------------------------------------------------------------------------
 */

static bool refuse(char *error, const char *what, const char *which)
{
    engine_say(error, "this is no capsule: %s%s", what, which);
    return false;
}

static bool compare_digest(struct capsule *capsule, enum capsule_section which,
                           const json_t *section, char *error)
{
    char found[2 * SHA256_BYTES + 1];
    const char *word = capsule_section_word(which);
    const char *wanted =
        json_string_value(json_object_get(json_object_get(capsule->root, "digests"), word));
    if (!wanted)
        return refuse(error, "it has no digest of its ", word);
    if (!capsule_digest(section, found)) {
        engine_say(error, "no memory");
        return false;
    }
    if (strcmp(found, wanted) != 0)
        capsule->changed |= 1U << which;
    return true;
}

static bool read_section(struct capsule *capsule, enum capsule_section which, char *error)
{
    const char *word = capsule_section_word(which);
    struct reading r = {.capsule = capsule, .section = json_object_get(capsule->root, word)};
    if (!r.section)
        return refuse(error, "it has no ", word);
    if (sections[which].is_object && !json_is_object(r.section))
        return refuse(error, "no object is its ", word);
    sections[which].read(&r);
    if (!r.fault)
        return compare_digest(capsule, which, r.section, error);
    if (capsule->arena.failed)
        engine_say(error, "no memory");
    else
        engine_say(error, "this is no capsule: \"%s\" of its %s is missing or wrong", r.fault,
                   word);
    return false;
}

static bool read_root(struct span object, struct capsule *capsule, char *error)
{
    json_error_t wrong;
    capsule->root = json_loadb((const char *)object.p, object.n,
                               JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &wrong);
    if (capsule->root)
        return true;
    engine_say(error, "this is no capsule: line %d: %.100s", wrong.line, wrong.text);
    return false;
}

bool capsule_read(struct span object, struct capsule *capsule, char error[ASSAY_ERROR_MAX])
{
    *capsule = (struct capsule){.root = NULL};
    arena_init(&capsule->arena, CAPSULE_ARENA_BYTES);
    if (!read_root(object, capsule, error))
        return false;
    const json_t *format = json_object_get(capsule->root, "assay_capsule");
    capsule->version = json_string_value(json_object_get(capsule->root, "version"));
    if (!json_is_integer(format) || !capsule->version)
        return refuse(error, "it does not say so", "");
    if (json_integer_value(format) != CAPSULE_FORMAT) {
        engine_say(error, "a capsule of format %lld, assay %s reads format %d",
                   (long long)json_integer_value(format), assay_version(), CAPSULE_FORMAT);
        return false;
    }
    for (enum capsule_section which = 0; which < CAPSULE_SECTIONS; which++)
        if (!read_section(capsule, which, error))
            return false;
    return true;
}

void capsule_free(struct capsule *capsule)
{
    json_decref(capsule->root);
    arena_fini(&capsule->arena);
    *capsule = (struct capsule){.root = NULL};
}
