/*
 * Domain names in wire form, built label by label from checked bytes.
 *
 * All builders write into a local name and assign at the end, so that an error leaves the caller's
 * name as it was. Limits: 63 octets a label, 255 octets a name, checked before each byte is stored.
 */
#include "dns/name.h"

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

/* A byte of CHAR_LDH as it stands in a name, 0 for all others. */
#define BOTH(upper, lower) [upper] = (lower), [lower] = (lower)
#define SAME(c) [c] = (c)
static const uint8_t host_bytes[256] = {
    BOTH('A', 'a'), BOTH('B', 'b'), BOTH('C', 'c'), BOTH('D', 'd'), BOTH('E', 'e'), BOTH('F', 'f'),
    BOTH('G', 'g'), BOTH('H', 'h'), BOTH('I', 'i'), BOTH('J', 'j'), BOTH('K', 'k'), BOTH('L', 'l'),
    BOTH('M', 'm'), BOTH('N', 'n'), BOTH('O', 'o'), BOTH('P', 'p'), BOTH('Q', 'q'), BOTH('R', 'r'),
    BOTH('S', 's'), BOTH('T', 't'), BOTH('U', 'u'), BOTH('V', 'v'), BOTH('W', 'w'), BOTH('X', 'x'),
    BOTH('Y', 'y'), BOTH('Z', 'z'), SAME('0'),      SAME('1'),      SAME('2'),      SAME('3'),
    SAME('4'),      SAME('5'),      SAME('6'),      SAME('7'),      SAME('8'),      SAME('9'),
    SAME('-'),      SAME('_'),
};
#undef BOTH
#undef SAME

/*
 * Nearly all names of mail are ASCII without a fault and are read here, in one pass: byte i of the
 * text is byte i + 1 of the name, a dot the length of the label behind it. False, *name untouched:
 * read it label by label, which also says what is wrong.
 */
static bool read_plain_domain(struct dns_name *name, struct span text)
{
    struct dns_name read;
    size_t open = 0; /* where the current label's length goes */
    unsigned labels = 1;
    if (text.n > DNS_NAME_MAX - 2) /* a length byte in front and the root behind */
        return false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = host_bytes[text.p[i]];
        read.wire[i + 1] = c;
        if (c)
            continue;
        if (text.p[i] != '.' || i - open > DNS_LABEL_MAX || i == open)
            return false;
        read.wire[open] = (uint8_t)(i - open);
        open = i + 1;
        labels++;
    }
    if (text.n - open > DNS_LABEL_MAX || text.n == open)
        return false;
    read.wire[open] = (uint8_t)(text.n - open);
    read.wire[text.n + 1] = 0;
    memcpy(name->wire, read.wire, text.n + 2);
    name->length = (uint8_t)(text.n + 2);
    name->labels = (uint8_t)labels;
    return true;
}

enum dns_name_error dns_name_from_domain(struct dns_name *name, struct span text)
{
    struct builder b;
    if (read_plain_domain(name, text))
        return DNS_NAME_OK;
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

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes a step, each folded in by a long multiplication (as in wyhash, Wang Yi, 2019); the
 * constants are digits of pi. */
uint64_t dns_name_hash(struct span wire, uint64_t seed)
{
    static const uint64_t odd = 0x243f6a8885a308d3, end = 0x13198a2e03707344;
    uint64_t hash = seed ^ odd ^ wire.n, word;
    size_t i = 0;
    for (; wire.n - i > sizeof word; i += sizeof word) {
        memcpy(&word, wire.p + i, sizeof word);
        hash = mix(hash ^ word, odd);
    }
    word = 0;
    if (i) /* the last eight bytes, some of them a second time */
        memcpy(&word, wire.p + wire.n - sizeof word, sizeof word);
    else
        memcpy(&word, wire.p, wire.n);
    return mix(hash ^ word, end | 1);
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
