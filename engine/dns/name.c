/*
 * Domain names in wire form, built label by label from checked bytes.
 *
 * All builders write into a local name and assign at the end, so that an error leaves the caller's
 * name as it was. Limits: 63 octets a label, 255 octets a name, checked before each byte is stored.
 */
#include "dns/name.h"

#include "base/bytes16.h"
#include "base/chars.h"
#include "dns/idn.h"

/* A name that grows label by label; `open` is where the current label's length byte stands. */
struct builder
{
    struct dns_name name;
    unsigned used;
    unsigned open;
    enum dns_name_error error;
};

static void builder_init(struct builder *b)
{
    *b = (struct builder){.used = 1};
}

static void builder_byte(struct builder *b, uint8_t c)
{
    if (b->error)
        return;
    if (b->used - b->open > DNS_LABEL_MAX) {
        b->error = DNS_NAME_LABEL_TOO_LONG;
        return;
    }
    /* One octet more, and the root label after it: at least two must be left. */
    if (b->used + 2 > DNS_NAME_MAX) {
        b->error = DNS_NAME_TOO_LONG;
        return;
    }
    b->name.wire[b->used++] = ascii_lower(c);
}

static void builder_end_label(struct builder *b)
{
    if (b->error)
        return;
    unsigned length = b->used - b->open - 1;
    if (length == 0) {
        b->error = DNS_NAME_EMPTY_LABEL;
        return;
    }
    b->name.wire[b->open] = (uint8_t)length;
    b->name.labels++;
    b->open = b->used++;
}

/* Assigns the name when all went well. The last label has been ended: its root byte is in place. */
static enum dns_name_error builder_finish(struct builder *b, struct dns_name *name)
{
    if (b->error)
        return b->error;
    b->name.length = (uint8_t)b->used;
    *name = b->name;
    return DNS_NAME_OK;
}

/* Text without its one trailing dot; a lone dot becomes empty. */
static struct span without_final_dot(struct span text)
{
    if (text.n && text.p[text.n - 1] == '.')
        text.n--;
    return text;
}

/* The next piece up to a dot; *rest is what follows it. Call while *more. */
static struct span next_label(struct span *rest, bool *more)
{
    size_t dot = span_find(*rest, '.');
    struct span label = span_slice(*rest, 0, dot);
    *more = dot < rest->n;
    *rest = span_skip(*rest, *more ? dot + 1 : dot);
    return label;
}

static void builder_idn_label(struct builder *b, struct span label)
{
    uint8_t ascii[DNS_LABEL_MAX];
    uint8_t n = 0;
    enum idn_result result = idn_label_to_ascii(label, ascii, &n);
    if (result == IDN_TOO_LONG)
        b->error = DNS_NAME_LABEL_TOO_LONG;
    else if (result != IDN_OK)
        b->error = DNS_NAME_BAD_IDN;
    for (unsigned i = 0; i < n; i++)
        builder_byte(b, ascii[i]);
}

static void builder_host_label(struct builder *b, struct span label)
{
    bool ascii = true;
    for (size_t i = 0; i < label.n; i++) {
        if (label.p[i] >= 0x80)
            ascii = false;
        else if (!char_is(label.p[i], CHAR_LDH) && !b->error)
            b->error = DNS_NAME_BAD_BYTE;
    }
    if (b->error)
        return;
    if (!ascii) {
        builder_idn_label(b, label);
        return;
    }
    for (size_t i = 0; i < label.n && !b->error; i++)
        builder_byte(b, label.p[i]);
}

enum
{
    PLAIN_MAX = 63, /* a bit each in a word, and one for the end */
};

/* Text of letters, digits, "-", "_" and dots, sixteen octets at a time. */
struct plain_text
{
    bytes16 lower[(PLAIN_MAX + BYTES16) / BYTES16];
    uint64_t fits; /* a bit for each octet: it may stand in a name, or is a dot */
    uint64_t dots;
};

static inline bytes16 in_range(bytes16 v, uint8_t from, uint8_t to)
{
    return (bytes16)((bytes16)(v - from) <= (uint8_t)(to - from));
}

static inline void plain_block(struct plain_text *plain, size_t block, bytes16 v)
{
    bytes16 letter = in_range(v | 0x20, 'a', 'z');
    bytes16 dot = bytes16_equal(v, '.');
    bytes16 other = in_range(v, '0', '9') | bytes16_equal(v, '-') | bytes16_equal(v, '_');
    plain->lower[block] = v | (letter & 0x20);
    plain->fits |= (uint64_t)bytes16_bits(letter | other | dot) << block * BYTES16;
    plain->dots |= (uint64_t)bytes16_bits(dot) << block * BYTES16;
}

/* False where an octet does not fit or a label is empty. Requires text.n of 1 to PLAIN_MAX. */
static inline bool plain_read(struct plain_text *plain, struct span text)
{
    uint64_t all = (UINT64_C(1) << text.n) - 1, last = (all >> 1) + 1;
    size_t at = 0;
    plain->fits = plain->dots = 0;
    for (; text.n - at >= BYTES16; at += BYTES16)
        plain_block(plain, at / BYTES16, bytes16_load(text.p + at));
    plain_block(plain, at / BYTES16, bytes16_load_some(text.p + at, text.n - at));
    uint64_t begins = plain->dots << 1 | 1;
    return (plain->fits & all) == all && !(plain->dots & (begins | last));
}

/*
 * Nearly all names of mail are short ASCII without a fault and are read here, in one pass: octet i
 * of the text is octet i + 1 of the name, a dot the length of the label behind it. False, *name
 * untouched: read it label by label, which also says what is wrong.
 */
static bool read_plain_domain(struct dns_name *name, struct span text)
{
    struct plain_text plain;
    if (text.n - 1 >= PLAIN_MAX || !plain_read(&plain, text))
        return false;
    for (size_t at = 0; at < text.n; at += BYTES16)
        memcpy(name->wire + 1 + at, &plain.lower[at / BYTES16], BYTES16);
    name->wire[text.n + 1] = 0;
    unsigned open = 0, labels = 0; /* where the label's length goes */
    for (uint64_t ends = plain.dots | UINT64_C(1) << text.n; ends; ends &= ends - 1, labels++) {
        unsigned end = (unsigned)__builtin_ctzll(ends);
        name->wire[open] = (uint8_t)(end - open);
        open = end + 1;
    }
    name->length = (uint8_t)(text.n + 2);
    name->labels = (uint8_t)labels;
    return true;
}

/* Label by label; not inlined, for the plain way's sake. */
__attribute__((noinline)) static enum dns_name_error read_any_domain(struct dns_name *name,
                                                                     struct span text)
{
    struct builder b;
    builder_init(&b);
    struct span rest = without_final_dot(text);
    bool more = rest.n > 0;
    if (!more)
        return DNS_NAME_EMPTY;
    while (more && !b.error) {
        builder_host_label(&b, next_label(&rest, &more));
        builder_end_label(&b);
    }
    return builder_finish(&b, name);
}

enum dns_name_error dns_name_from_domain(struct dns_name *name, struct span text)
{
    return read_plain_domain(name, text) ? DNS_NAME_OK : read_any_domain(name, text);
}

enum dns_name_error dns_name_from_raw(struct dns_name *name, struct span text)
{
    struct builder b;
    builder_init(&b);
    struct span rest = without_final_dot(text);
    bool more = rest.n > 0;
    if (!more)
        return DNS_NAME_EMPTY;
    while (more && !b.error) {
        struct span label = next_label(&rest, &more);
        for (size_t i = 0; i < label.n && !b.error; i++)
            builder_byte(&b, label.p[i]);
        builder_end_label(&b);
    }
    return builder_finish(&b, name);
}

size_t dns_escape_read(struct span text, uint8_t *c)
{
    if (text.n == 0)
        return 0;
    *c = text.p[0];
    if (!char_is_digit(text.p[0]))
        return 1;
    if (text.n < 3 || !char_is_digit(text.p[1]) || !char_is_digit(text.p[2]))
        return 0;
    unsigned value =
        (text.p[0] - '0') * 100U + (text.p[1] - '0') * 10U + (unsigned)(text.p[2] - '0');
    *c = (uint8_t)value;
    return value <= 255 ? 3 : 0;
}

enum dns_name_error dns_name_from_zone_text(struct dns_name *name, struct span text)
{
    struct builder b;
    builder_init(&b);
    if (text.n == 0)
        return DNS_NAME_EMPTY;
    if (span_equal(text, SPAN(".")))
        return builder_finish(&b, name);
    for (size_t i = 0; i < text.n && !b.error;) {
        uint8_t c = text.p[i++];
        if (c == '.') {
            builder_end_label(&b);
            continue;
        }
        if (c == '\\') {
            size_t taken = dns_escape_read(span_skip(text, i), &c);
            if (taken == 0)
                return DNS_NAME_BAD_BYTE;
            i += taken;
        }
        builder_byte(&b, c);
    }
    /* Without a final dot the last label is still open. */
    if (b.used - b.open > 1)
        builder_end_label(&b);
    return builder_finish(&b, name);
}

/* Where the pointer at `at` leads, if that is before `floor`; else packet.n, where nothing is. */
static size_t follow_pointer(struct span packet, size_t at, size_t floor)
{
    if (packet.n - at < 2)
        return packet.n;
    size_t target = (size_t)(packet.p[at] & 0x3f) << 8 | packet.p[at + 1];
    return target < floor ? target : packet.n;
}

/* Appends the label at `at`. False when it is no label, or not all of it is in the packet. */
static bool builder_packet_label(struct builder *b, struct span packet, size_t at)
{
    unsigned length = packet.p[at];
    if (length > DNS_LABEL_MAX || packet.n - at - 1 < length)
        return false;
    for (unsigned i = 1; i <= length; i++)
        builder_byte(b, packet.p[at + i]);
    builder_end_label(b);
    return b->error == DNS_NAME_OK;
}

/*
 *   name    =  *label ( %x00 / pointer )                                  RFC 1035 section 4.1.4
 *   pointer =  2 octets, the first two bits set
 *
 * A pointer has to lead before everything read so far, so no packet makes a loop.
 */
size_t dns_name_from_packet(struct dns_name *name, struct span packet, size_t offset)
{
    struct builder b;
    builder_init(&b);
    size_t after = 0; /* behind the name where it stood, once a pointer has left that place */
    size_t floor = offset;
    size_t at = offset;
    while (at < packet.n && packet.p[at] != 0) {
        if (packet.p[at] >= 0xc0) {
            after = after ? after : at + 2;
            at = floor = follow_pointer(packet, at, floor);
            continue;
        }
        if (!builder_packet_label(&b, packet, at))
            return 0;
        at += packet.p[at] + 1U;
    }
    if (at >= packet.n || builder_finish(&b, name) != DNS_NAME_OK)
        return 0;
    return after ? after : at + 1;
}

enum dns_name_error dns_name_join(struct dns_name *name, const struct dns_name *prefix,
                                  const struct dns_name *suffix)
{
    assert(prefix->length && suffix->length);
    unsigned head = prefix->length - 1U;
    if (head + suffix->length > DNS_NAME_MAX)
        return DNS_NAME_TOO_LONG;
    memmove(name->wire + head, suffix->wire, suffix->length); /* *name may be either of them */
    if (name != prefix)
        memcpy(name->wire, prefix->wire, head);
    name->labels = (uint8_t)(prefix->labels + suffix->labels);
    name->length = (uint8_t)(head + suffix->length);
    return DNS_NAME_OK;
}

enum dns_name_error dns_name_prepend(struct dns_name *name, const char *label,
                                     const struct dns_name *suffix)
{
    size_t n = strlen(label);
    assert(n && n <= DNS_LABEL_MAX && suffix->length);
    if (n + 1 + suffix->length > DNS_NAME_MAX)
        return DNS_NAME_TOO_LONG;
    memmove(name->wire + n + 1, suffix->wire, suffix->length); /* *name may be the suffix */
    name->wire[0] = (uint8_t)n;
    memcpy(name->wire + 1, label, n);
    name->length = (uint8_t)(n + 1 + suffix->length);
    name->labels = (uint8_t)(suffix->labels + 1);
    return DNS_NAME_OK;
}

/* Where the wire form goes on after `count` labels. */
static unsigned skip_labels(const struct dns_name *name, unsigned count)
{
    unsigned at = 0;
    assert(count <= name->labels);
    while (count--)
        at += name->wire[at] + 1U;
    return at;
}

struct dns_name dns_name_ancestor(const struct dns_name *name, unsigned count)
{
    unsigned at = skip_labels(name, count);
    struct dns_name ancestor;
    dns_name_set(&ancestor, span_skip(dns_name_span(name), at), (uint8_t)(name->labels - count));
    return ancestor;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return span_equal(dns_name_span(a), dns_name_span(b));
}

bool dns_name_is_at_or_below(const struct dns_name *name, const struct dns_name *ancestor)
{
    if (name->labels < ancestor->labels)
        return false;
    unsigned at = skip_labels(name, name->labels - ancestor->labels);
    return span_equal(span_skip(dns_name_span(name), at), dns_name_span(ancestor));
}

static char *text_byte(char *p, uint8_t c)
{
    if (c == '.' || c == '\\') {
        *p++ = '\\';
        *p++ = (char)c;
        return p;
    }
    if (char_is(c, CHAR_VCHAR)) {
        *p++ = (char)c;
        return p;
    }
    *p++ = '\\';
    *p++ = (char)('0' + c / 100);
    *p++ = (char)('0' + c / 10 % 10);
    *p++ = (char)('0' + c % 10);
    return p;
}

/* At most 250 octets of four characters and their dots: 1,003 characters and the NUL. */
const char *dns_name_text(const struct dns_name *name, char out[DNS_NAME_TEXT_MAX])
{
    char *p = out;
    unsigned at = 0;
    for (unsigned label = 0; label < name->labels; label++) {
        unsigned length = name->wire[at++];
        if (label)
            *p++ = '.';
        while (length--)
            p = text_byte(p, name->wire[at++]);
    }
    if (name->labels == 0)
        *p++ = '.';
    *p = '\0';
    return out;
}

const char *dns_name_error_word(enum dns_name_error error)
{
    static const char *const words[] = {
        [DNS_NAME_OK] = "ok",
        [DNS_NAME_EMPTY] = "empty_name",
        [DNS_NAME_EMPTY_LABEL] = "empty_label",
        [DNS_NAME_LABEL_TOO_LONG] = "label_too_long",
        [DNS_NAME_TOO_LONG] = "name_too_long",
        [DNS_NAME_BAD_BYTE] = "bad_name_byte",
        [DNS_NAME_BAD_IDN] = "bad_idn",
    };
    return (size_t)error < COUNT_OF(words) ? words[error] : "bad_name";
}
