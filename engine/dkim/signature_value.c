/*
 * The values of RFC 6376 section 3.5 and RFC 8617 section 4.1, tag by tag.
 *
 * Values are case-sensitive unless the RFC says otherwise (3.2): "RSA-SHA256" is not an algorithm.
 * White space inside a value is allowed where the ABNF has FWS, nowhere else. Limits: B_CHARS,
 * H_ITEMS, L_DIGITS, TIME_DIGITS; the tag list itself is bounded before (TAG_LIST_BYTES, TAGS).
 *
 * BUGS: the local part of i= is decoded and bounded but not checked against RFC 5321's Local-part:
 * nothing here or later uses it (3.5: its meaning is the signer's).
 */
#include "dkim/signature_value.h"

#include "base/base64.h"
#include "base/chars.h"
#include "base/number.h"
#include "simd/text.h"

const char dkim_word_no_memory[] = "no_memory";

static const char *over_limit(struct dkim_reading *reading, enum limit limit)
{
    limit_hit(reading->hits, limit);
    return limit_word(limit);
}

/* Splits off what stands before the next colon. False when nothing is left. */
static bool list_next(struct span *rest, struct span *item)
{
    if (rest->p == NULL)
        return false;
    size_t colon = span_find(*rest, ':');
    *item = taglist_trim(span_slice(*rest, 0, colon));
    *rest = colon < rest->n ? span_skip(*rest, colon + 1) : (struct span){NULL, 0};
    return true;
}

bool dkim_list_holds(struct span value, struct span word)
{
    struct span item;
    while (list_next(&value, &item))
        if (span_equal(item, word))
            return true;
    return false;
}

/* sig-v-tag = %x76 [FWS] "=" [FWS] 1*DIGIT; the only version is "1" (DV-8) */
const char *dkim_read_version(struct dkim_reading *reading, struct span value)
{
    (void)reading;
    return span_equal(value, SPAN("1")) ? NULL : "unknown_version";
}

static const struct algorithm
{
    struct span text;
    enum dkim_algorithm algorithm;
    const char *reason;
} algorithms[] = {
    {{(const uint8_t *)"rsa-sha256", 10}, DKIM_RSA_SHA256, NULL},
    {{(const uint8_t *)"ed25519-sha256", 14}, DKIM_ED25519_SHA256, NULL}, /* RFC 8463 3 */
    {{(const uint8_t *)"rsa-sha1", 8}, DKIM_RSA_SHA1, "rsa_sha1"},        /* RFC 8301 3.1 */
};

/* sig-a-tag-alg = sig-a-tag-k "-" sig-a-tag-h (DV-9, C09) */
const char *dkim_read_algorithm(struct dkim_reading *reading, struct span value)
{
    reading->signature->algorithm_text = value;
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        if (!span_equal(value, algorithms[i].text))
            continue;
        reading->signature->algorithm = algorithms[i].algorithm;
        return algorithms[i].reason;
    }
    reading->signature->algorithm = DKIM_ALGORITHM_UNKNOWN;
    return "unknown_algorithm";
}

/* sig-b-tag-data = base64string: not empty, its length against the key is the verifier's (DV-10) */
const char *dkim_read_signature(struct dkim_reading *reading, struct span value)
{
    struct dkim_signature *signature = reading->signature;
    signature->b_text = value;
    if (value.n > MAX_B_CHARS && base64_count(value) > MAX_B_CHARS)
        return over_limit(reading, LIMIT_B_CHARS);
    size_t capacity = BASE64_DECODED_MAX(value.n) + SIMD_BLOCK; /* decoded where it stays */
    uint8_t *bytes = arena_alloc_raw(reading->arena, capacity);
    if (!bytes)
        return dkim_word_no_memory;
    size_t n;
    if (!base64_decode(value, bytes, capacity, &n) || n == 0)
        return "bad_signature_data";
    signature->signature = span_of(bytes, n);
    return NULL;
}

/* sig-bh-tag-data = base64string: exactly one digest, known before anything is compared (C16) */
const char *dkim_read_body_hash(struct dkim_reading *reading, struct span value)
{
    uint8_t bytes[2 * SHA256_BYTES]; /* what decodes to more has more characters, too */
    size_t n;
    bool good = base64_decode(value, bytes, sizeof bytes, &n);
    if (good && n == SHA256_BYTES) {
        memcpy(reading->signature->bh, bytes, SHA256_BYTES);
        return NULL;
    }
    if (good || base64_count(value) != BASE64_ENCODED_LENGTH(SHA256_BYTES))
        return "bad_body_hash_length";
    return "bad_body_hash";
}

static bool read_canon(struct span text, enum canon *canon)
{
    if (span_equal(text, SPAN("relaxed")))
        *canon = CANON_RELAXED;
    else if (span_equal(text, SPAN("simple")))
        *canon = CANON_SIMPLE;
    else
        return false;
    return true;
}

/* sig-c-tag-alg ["/" sig-c-tag-alg]; one name alone is header/simple (DV-11, C17) */
const char *dkim_read_canonicalization(struct dkim_reading *reading, struct span value)
{
    size_t slash = span_find(value, '/');
    enum canon header = CANON_SIMPLE;
    enum canon body = CANON_SIMPLE;
    if (!read_canon(span_slice(value, 0, slash), &header))
        return "unknown_canonicalization";
    if (slash < value.n && !read_canon(span_skip(value, slash + 1), &body))
        return "unknown_canonicalization";
    reading->signature->header_canon = header;
    reading->signature->body_canon = body;
    return NULL;
}

/*
 * A name as d=, s= and i= carry it. Bytes other than LDH, "_" and "." after IDNA conversion make
 * the signature invalid, so that no question ever leaves for it (A03, A04). The final dot that
 * dns_name_from_domain() forgives is not in the ABNF of RFC 6376 2.
 */
static bool read_name(struct span text, struct dns_name *name)
{
    if (text.n == 0 || text.p[text.n - 1] == '.')
        return false;
    return dns_name_from_domain(name, text) == DNS_NAME_OK;
}

/* domain-name = sub-domain 1*("." sub-domain) (DV-12) */
const char *dkim_read_domain(struct dkim_reading *reading, struct span value)
{
    struct dns_name *name = &reading->signature->domain;
    reading->signature->domain_text = value;
    if (read_name(value, name) && name->labels >= 2)
        return NULL;
    name->length = name->labels = 0;
    return "bad_domain";
}

/* selector = sub-domain *( "." sub-domain ) (DV-13) */
const char *dkim_read_selector(struct dkim_reading *reading, struct span value)
{
    reading->signature->selector_text = value;
    return read_name(value, &reading->signature->selector) ? NULL : "bad_selector";
}

STATIC_ASSERT((unsigned)SIMD_NAMES == (unsigned)MAX_H_ITEMS);

static bool fill_items(struct dkim_signature *signature, struct span value,
                       const struct simd_names *names, struct arena *arena)
{
    struct span *items = arena_alloc_raw(arena, names->count * sizeof *items);
    uint8_t *numbers = arena_alloc_raw(arena, names->count);
    if (!items || !numbers)
        return false;
    for (uint32_t i = 0; i < names->count; i++)
        items[i] = span_slice(value, names->edges[2 * i], names->edges[2 * i + 1]);
    memcpy(numbers, names->number, names->count);
    signature->items = items;
    signature->item_names = numbers;
    signature->item_count = names->count;
    return true;
}

/*
 * sig-h-tag = hdr-name *( [FWS] ":" [FWS] hdr-name ). Empty items, which the ABNF does not know,
 * are left out: they could sign nothing (C04).
 */
const char *dkim_read_fields(struct dkim_reading *reading, struct span value)
{
    struct simd_names names;
    reading->signature->h = value;
    name_lists_read(reading->lists, value, &names);
    if (names.count > MAX_H_ITEMS)
        return over_limit(reading, LIMIT_H_ITEMS);
    if (names.bad)
        return "bad_field_list";
    if (!fill_items(reading->signature, value, &names, reading->arena))
        return dkim_word_no_memory;
    bool has_from = memchr(names.number, FIELD_FROM, names.count) != NULL;
    return has_from ? NULL : "from_not_signed"; /* DV-14 */
}

/* hex-octet = "=" 2HEXDIG: its value, or -1 */
static int hex_octet(struct span s)
{
    if (s.n < 3)
        return -1;
    int high = char_hex_value(s.p[1]);
    int low = char_hex_value(s.p[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/*
 * dkim-quoted-printable = *(FWS / hex-octet / dkim-safe-char)   RFC 6376 2.11
 * FWS is dropped; a NUL octet is refused (C07); UTF-8 stays as it is (DV-47).
 */
static bool decode_qp(struct span text, uint8_t *out, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (char_is_wsp(c) || c == '\r' || c == '\n')
            continue;
        if (c == '=') {
            int octet = hex_octet(span_skip(text, i));
            if (octet <= 0)
                return false;
            c = (uint8_t)octet;
            i += 2;
        }
        out[(*n)++] = c;
    }
    return true;
}

/* sig-i-tag = [ Local-part ] "@" domain-name; at or below d= on a label boundary (DV-15, C07) */
const char *dkim_read_identity(struct dkim_reading *reading, struct span value)
{
    struct dkim_signature *signature = reading->signature;
    signature->identity = value;
    uint8_t *bytes = arena_alloc_raw(reading->arena, value.n);
    if (!bytes)
        return dkim_word_no_memory;
    size_t n;
    if (!decode_qp(value, bytes, &n))
        return "bad_identity";
    struct span decoded = span_of(bytes, n);
    size_t at = span_find_last(decoded, '@');
    struct dns_name name;
    if (at == decoded.n || !read_name(span_skip(decoded, at + 1), &name))
        return "bad_identity";
    if (signature->domain.length == 0)
        return NULL; /* d= has failed before, with its own reason */
    if (!dns_name_is_at_or_below(&name, &signature->domain))
        return "identity_outside_domain";
    signature->identity_below = name.labels > signature->domain.labels;
    return NULL;
}

/* instance: 1 to 50 without leading zeros (AV-2, 13.33) */
const char *dkim_read_instance(struct dkim_reading *reading, struct span value)
{
    uint64_t instance;
    if (!number_parse(value, 2, &instance) || value.p[0] == '0' || instance > MAX_ARC_SETS)
        return "bad_instance";
    reading->signature->instance = (uint32_t)instance;
    return NULL;
}

static bool all_digits(struct span value)
{
    for (size_t i = 0; i < value.n; i++)
        if (!char_is_digit(value.p[i]))
            return false;
    return value.n > 0;
}

/* sig-l-tag = 1*76DIGIT; what 64 bits do not hold is larger than any body (DV-16, C01) */
const char *dkim_read_length(struct dkim_reading *reading, struct span value)
{
    uint64_t length;
    if (!all_digits(value))
        return "bad_body_length";
    if (value.n > MAX_L_DIGITS)
        return over_limit(reading, LIMIT_L_DIGITS);
    if (!number_parse(value, MAX_L_DIGITS, &length) || length > DKIM_L_MAX)
        length = DKIM_L_MAX;
    reading->signature->has_l = true;
    reading->signature->l = length;
    return NULL;
}

/* sig-q-tag-method *([FWS] ":" [FWS] sig-q-tag-method); unknown ones are ignored (DV-17, 13.24) */
const char *dkim_read_query(struct dkim_reading *reading, struct span value)
{
    (void)reading;
    return dkim_list_holds(value, SPAN("dns/txt")) ? NULL : "unknown_query_method";
}

static const char *read_seconds(struct dkim_reading *reading, struct span value, uint64_t *seconds)
{
    if (number_parse(value, MAX_TIME_DIGITS, seconds))
        return NULL;
    if (value.n > MAX_TIME_DIGITS && all_digits(value))
        return over_limit(reading, LIMIT_TIME_DIGITS);
    return "bad_time";
}

/* sig-t-tag = 1*12DIGIT (DV-18) */
const char *dkim_read_time(struct dkim_reading *reading, struct span value)
{
    const char *reason = read_seconds(reading, value, &reading->signature->t);
    reading->signature->has_t = reason == NULL;
    return reason;
}

/* sig-x-tag = 1*12DIGIT, later than t= (DV-18, C06) */
const char *dkim_read_expiration(struct dkim_reading *reading, struct span value)
{
    struct dkim_signature *signature = reading->signature;
    const char *reason = read_seconds(reading, value, &signature->x);
    signature->has_x = reason == NULL;
    if (reason)
        return reason;
    return signature->has_t && signature->x <= signature->t ? "expires_before_signing" : NULL;
}

/* cv of an ARC-Seal: which word fits is the chain's to say (AV-5) */
const char *dkim_read_chain_value(struct dkim_reading *reading, struct span value)
{
    reading->signature->cv = value;
    return NULL;
}
