/*
 * Domain names in wire form: length bytes and labels, lower case, ending in the root label.
 *
 * Every name that assay asks for is built here from checked bytes; no name ever travels to the
 * resolver as text that somebody else wrote (security.md A03, E06, F06). A struct dns_name is a
 * value: copy it freely; bytes of `wire` behind `length` say nothing. The root is one zero byte.
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/hash.h"
#include "base/span.h"

enum
{
    DNS_NAME_MAX = 255, /* bytes on the wire, root label included (RFC 1035 2.3.4) */
    DNS_LABEL_MAX = 63,
    DNS_NAME_USUAL = 32,      /* most names are no longer: what is copied at once */
    DNS_NAME_TEXT_MAX = 1024, /* presentation form, every byte escaped, final NUL included */
};

struct dns_name
{
    uint8_t wire[DNS_NAME_MAX];
    uint8_t length; /* bytes used in wire; 0 only in a cleared struct, which is no name */
    uint8_t labels; /* without the root */
};

enum dns_name_error
{
    DNS_NAME_OK = 0,
    DNS_NAME_EMPTY,          /* no label at all */
    DNS_NAME_EMPTY_LABEL,    /* "a..b", ".a" */
    DNS_NAME_LABEL_TOO_LONG, /* over 63 octets */
    DNS_NAME_TOO_LONG,       /* over 255 octets on the wire (253 in text) */
    DNS_NAME_BAD_BYTE,       /* a byte that the caller's class does not allow */
    DNS_NAME_BAD_IDN,        /* non-ASCII that IDNA2008 does not allow (A17) */
};

/*
 * A host-like name as mail carries it: letters, digits, hyphen, underscore in labels; one trailing
 * dot is accepted and dropped; ASCII is lower-cased. Where a byte is 0x80 or above, the text must
 * be valid UTF-8 and each label IDNA2008; it is turned into A-labels by libidn2 (DP-4, DV-47,
 * SP-4). On error *name is untouched.
 */
enum dns_name_error dns_name_from_domain(struct dns_name *name, struct span text) MUST_CHECK;

/* Presentation form of a zone file or resolver answer: any byte, with \DDD and \X escapes. */
enum dns_name_error dns_name_from_zone_text(struct dns_name *name, struct span text) MUST_CHECK;

/*
 *   "\" DDD   ; three digits: the octet of that value, at most 255       RFC 1035 section 5.1
 *   "\" X     ; any other character: that character without a meaning
 *
 * Reads an escape of presentation form; `text` begins behind the backslash. Returns how many bytes
 * it took, 0 on error.
 */
size_t dns_escape_read(struct span text, uint8_t *c) MUST_CHECK;

/*
 * Raw labels separated by dots: any byte but "." may stand in a label, nothing is an escape, ASCII
 * is lower-cased. For expanded SPF macros (E06). One trailing dot is dropped.
 */
enum dns_name_error dns_name_from_raw(struct dns_name *name, struct span text) MUST_CHECK;

/*
 * Reads a name at `offset` of a DNS message, following compression pointers (only backwards,
 * bounded). Returns the offset behind the name where it stood, or 0 on error.
 */
size_t dns_name_from_packet(struct dns_name *name, struct span packet, size_t offset) MUST_CHECK;

/* prefix + "." + suffix, e.g. "_dmarc" in front of a name; DNS_NAME_TOO_LONG where it does not fit.
 */
enum dns_name_error dns_name_join(struct dns_name *name, const struct dns_name *prefix,
                                  const struct dns_name *suffix) MUST_CHECK;
/* One label of ours in front, LDH in lower case; e.g. dns_name_prepend(&n, "_dmarc", &domain). */
enum dns_name_error dns_name_prepend(struct dns_name *name, const char *label,
                                     const struct dns_name *suffix) MUST_CHECK;

/* The name without its first `count` labels; requires count <= labels. */
struct dns_name dns_name_ancestor(const struct dns_name *name, unsigned count);

/* *to = *from, but of `wire` only what is used: nearly always the first 32 bytes. */
static inline void dns_name_copy(struct dns_name *to, const struct dns_name *from)
{
    memcpy(to->wire, from->wire, DNS_NAME_USUAL);
    if (from->length > DNS_NAME_USUAL)
        memcpy(to->wire + DNS_NAME_USUAL, from->wire + DNS_NAME_USUAL,
               from->length - (size_t)DNS_NAME_USUAL);
    to->length = from->length;
    to->labels = from->labels;
}

/* From what was a name's wire form and labels. */
static inline void dns_name_set(struct dns_name *name, struct span wire, uint8_t labels)
{
    memcpy(name->wire, wire.p, wire.n);
    name->length = (uint8_t)wire.n;
    name->labels = labels;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* For hash tables; `seed` keys it where strangers choose many of the names. */
static inline uint64_t dns_name_hash(struct span wire, uint64_t seed)
{
    return hash_bytes(wire, seed);
}
static inline struct span dns_name_span(const struct dns_name *name)
{
    return span_of(name->wire, name->length);
}
/* `name` is `ancestor` or ends in ".ancestor": labels, never strings (G03). The root is above all.
 */
bool dns_name_is_at_or_below(const struct dns_name *name, const struct dns_name *ancestor);

/*
 * Presentation form without the final dot ("." for the root): printable ASCII as it is, dot and
 * backslash inside labels and everything else as \. \\ \DDD. Always NUL-terminated. Returns out.
 */
const char *dns_name_text(const struct dns_name *name, char out[DNS_NAME_TEXT_MAX]);

/* Stable snake_case word, e.g. "label_too_long". Static. */
const char *dns_name_error_word(enum dns_name_error error);

#endif
