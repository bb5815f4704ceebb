/*
 * Macro strings (RFC 7208 section 7). Limits: a name of 253 characters, everything else is the
 * caller's capacity. Digits saturate, so "%{l999999999999r}" is "all parts" (CVE-2023-42118's
 * shape).
 */
#include "spf/macro.h"

#include "base/chars.h"

enum
{
    NAME_TEXT_MAX = 253,   /* RFC 7208 7.3 */
    DIGITS_MAX = 0xffffff, /* more parts than any value has */
};

struct macro
{
    uint8_t letter;     /* lower case; '%' '_' '-' for the three escapes */
    bool escape;        /* upper case: URL-escaped (SP-30) */
    bool reverse;       /* "r" */
    uint8_t delimiters; /* set of delimiter_bit(); 0: none given, which means "." */
    uint32_t keep;      /* right-hand parts; 0: all */
};

/* The delimiter as a bit of struct macro's set; 0 for other bytes. */
static uint8_t delimiter_bit(uint8_t c)
{
    static const char delimiters[] = ".-+,/_=";
    const char *hit = c ? strchr(delimiters, c) : NULL;
    return hit ? (uint8_t)(1 << (hit - delimiters)) : 0;
}

/*
 *   macro-expand =  ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
 *   macro-letter =  "s" / "l" / "o" / "d" / "i" / "p" / "h" / "c" / "r" / "t" / "v"
 *   transformers =  *DIGIT [ "r" ]
 *   delimiter    =  "." / "-" / "+" / "," / "/" / "_" / "="           RFC 7208 7.1
 *
 * Reads the macro whose "%" stands at `at`; returns its length, or 0 where it is none.
 */
static size_t macro_read(struct span text, size_t at, struct macro *macro)
{
    size_t i = at + 1;
    *macro = (struct macro){0};
    if (i == text.n)
        return 0;
    macro->letter = text.p[i++];
    if (macro->letter == '%' || macro->letter == '_' || macro->letter == '-')
        return 2;
    if (macro->letter != '{' || i == text.n)
        return 0;
    macro->letter = ascii_lower(text.p[i]);
    macro->escape = macro->letter != text.p[i++];
    if (macro->letter < 'a' || macro->letter > 'z') /* "%{_}" is no "%_" */
        return 0;
    size_t digits = i;
    for (; i < text.n && char_is_digit(text.p[i]); i++)
        if (macro->keep < DIGITS_MAX)
            macro->keep = macro->keep * 10 + (text.p[i] - '0');
    if (i > digits && macro->keep == 0) /* SP-29: zero parts is an error */
        return 0;
    macro->reverse = i < text.n && ascii_lower(text.p[i]) == 'r';
    i += macro->reverse;
    for (uint8_t bit; i < text.n && (bit = delimiter_bit(text.p[i])) != 0; i++)
        macro->delimiters |= bit;
    return i < text.n && text.p[i] == '}' ? i + 1 - at : 0;
}

static bool letter_allowed(uint8_t letter, enum spf_macro_mode mode)
{
    static const uint32_t anywhere = SPF_LETTER('s') | SPF_LETTER('l') | SPF_LETTER('o') |
                                     SPF_LETTER('d') | SPF_LETTER('i') | SPF_LETTER('p') |
                                     SPF_LETTER('v') | SPF_LETTER('h');
    static const uint32_t explanation = SPF_LETTER('c') | SPF_LETTER('r') | SPF_LETTER('t');
    if (letter == '%' || letter == '_' || letter == '-')
        return true;
    uint32_t allowed = mode == SPF_MACRO_DOMAIN ? anywhere : anywhere | explanation;
    return (allowed & SPF_LETTER(letter)) != 0;
}

/*
 * Like spf_macro_check; also says where the last macro ends (0: there is none).
 *
 *   macro-string   =  *( macro-expand / macro-literal )
 *   macro-literal  =  %x21-24 / %x26-7E
 *   explain-string =  *( macro-string / SP )                          RFC 7208 7.1, 6.2
 */
static bool macro_string_check(struct span text, enum spf_macro_mode mode, size_t *last_macro)
{
    *last_macro = 0;
    for (size_t i = 0; i < text.n;) {
        struct macro macro;
        if (text.p[i] != '%') {
            bool space = text.p[i] == ' ' && mode == SPF_MACRO_EXPLANATION;
            if (!space && !char_is(text.p[i], CHAR_VCHAR))
                return false;
            i++;
            continue;
        }
        size_t length = macro_read(text, i, &macro);
        if (length == 0 || !letter_allowed(macro.letter, mode))
            return false;
        i += length;
        *last_macro = i;
    }
    return true;
}

bool spf_macro_check(struct span text, enum spf_macro_mode mode)
{
    size_t last_macro;
    return macro_string_check(text, mode, &last_macro);
}

/*
 *   toplabel =  ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
 *               ; LDH rule plus additional TLD restrictions (RFC 3696)   RFC 7208 7.1
 */
static bool is_top_label(struct span label)
{
    bool other_than_digits = false;
    if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        if (!char_is(label.p[i], CHAR_ALPHA | CHAR_DIGIT) && label.p[i] != '-')
            return false;
        other_than_digits |= !char_is_digit(label.p[i]);
    }
    return other_than_digits;
}

/*
 *   domain-spec =  macro-string domain-end
 *   domain-end  =  ( "." toplabel [ "." ] ) / macro-expand            RFC 7208 7.1
 */
bool spf_domain_spec_check(struct span text)
{
    size_t last_macro;
    if (text.n == 0 || !macro_string_check(text, SPF_MACRO_DOMAIN, &last_macro))
        return false;
    if (last_macro == text.n)
        return true;
    struct span literal = span_skip(text, last_macro);
    if (literal.p[literal.n - 1] == '.')
        literal.n--;
    size_t dot = span_find_last(literal, '.');
    return dot < literal.n && is_top_label(span_skip(literal, dot + 1));
}

uint32_t spf_macro_letters(struct span text)
{
    uint32_t letters = 0;
    for (size_t i = span_find(text, '%'); i < text.n;) {
        struct macro macro;
        size_t length = macro_read(text, i, &macro);
        assert(length > 0);
        if (length > 2)
            letters |= SPF_LETTER(macro.letter);
        i += length;
        i += span_find(span_skip(text, i), '%');
    }
    return letters;
}

/* Writes from the end of the output towards its beginning. */
struct writer
{
    uint8_t *begin;
    uint8_t *p; /* the first byte written */
    bool full;  /* a byte found no room */
};

static void put_byte(struct writer *writer, uint8_t c)
{
    if (writer->p == writer->begin)
        writer->full = true;
    if (!writer->full)
        *--writer->p = c;
}

static void put_escaped(struct writer *writer, uint8_t c)
{
    static const char hex[] = "0123456789ABCDEF";
    put_byte(writer, (uint8_t)hex[c & 15]);
    put_byte(writer, (uint8_t)hex[c >> 4]);
    put_byte(writer, '%');
}

static void put_span(struct writer *writer, struct span s, bool escape)
{
    for (size_t i = s.n; i > 0 && !writer->full; i--) {
        uint8_t c = s.p[i - 1];
        if (escape && !char_is(c, CHAR_UNRESERVED))
            put_escaped(writer, c);
        else
            put_byte(writer, c);
    }
}

static bool splits(const struct macro *macro, uint8_t c)
{
    return macro->delimiters ? (macro->delimiters & delimiter_bit(c)) != 0 : c == '.';
}

/* The last `keep` parts of the value, from the last to the first of them. */
static void put_parts(struct writer *writer, const struct macro *macro, struct span value)
{
    size_t end = value.n;
    for (uint32_t parts = 1; !writer->full; parts++) {
        size_t begin = end;
        while (begin > 0 && !splits(macro, value.p[begin - 1]))
            begin--;
        put_span(writer, span_slice(value, begin, end), macro->escape);
        if (begin == 0 || parts == macro->keep)
            return;
        put_byte(writer, '.');
        end = begin - 1;
    }
}

/* Reversed, the right-hand parts are the first ones of the value, and the first comes last. */
static void put_parts_reversed(struct writer *writer, const struct macro *macro, struct span value)
{
    size_t begin = 0;
    for (uint32_t parts = 1; !writer->full; parts++) {
        size_t end = begin;
        while (end < value.n && !splits(macro, value.p[end]))
            end++;
        put_span(writer, span_slice(value, begin, end), macro->escape);
        if (end == value.n || parts == macro->keep)
            return;
        put_byte(writer, '.');
        begin = end + 1;
    }
}

static void put_macro(struct writer *writer, const struct macro *macro,
                      const struct spf_macro_values *values)
{
    if (macro->letter == '_')
        return put_byte(writer, ' ');
    if (macro->letter == '-')
        return put_escaped(writer, ' ');
    struct span value = values->of[macro->letter - 'a'];
    if (macro->reverse)
        put_parts_reversed(writer, macro, value);
    else if (macro->keep || macro->delimiters)
        put_parts(writer, macro, value);
    else
        put_span(writer, value, macro->escape);
}

/*
 * Writes what stands in text[0..end) behind the last run of "%" and that run itself; returns where
 * the run begins. In a checked text a run of an even number of "%" is all "%%", and in an odd run
 * the last one begins a macro: no other "%" can stand inside a macro.
 */
static size_t put_tail(struct writer *writer, struct span text, size_t end,
                       const struct spf_macro_values *values)
{
    size_t last = span_find_last(span_slice(text, 0, end), '%');
    if (last == end) {
        put_span(writer, span_slice(text, 0, end), false);
        return 0;
    }
    size_t first = last;
    while (first > 0 && text.p[first - 1] == '%')
        first--;
    size_t run = last + 1 - first;
    struct macro macro;
    size_t length = run % 2 ? macro_read(text, last, &macro) : 1;
    assert(length > 0 && last + length <= end);
    put_span(writer, span_slice(text, last + length, end), false);
    if (run % 2)
        put_macro(writer, &macro, values);
    for (size_t pair = 0; pair < run / 2 && !writer->full; pair++)
        put_byte(writer, '%');
    return first;
}

struct span spf_macro_expand(struct span text, const struct spf_macro_values *values, uint8_t *out,
                             size_t capacity, bool *cut)
{
    struct writer writer = {.begin = out, .p = out + capacity};
    for (size_t end = text.n; end > 0 && !writer.full;)
        end = put_tail(&writer, text, end, values);
    *cut = writer.full;
    return span_of(writer.p, (size_t)(out + capacity - writer.p));
}

bool spf_macro_name(struct span text, const struct spf_macro_values *values, struct dns_name *name)
{
    /* One byte more than fits, to see whether a dot stands just before the part that fits, and one
     * for the trailing dot. */
    uint8_t out[NAME_TEXT_MAX + 2];
    bool cut;
    struct span expanded = spf_macro_expand(text, values, out, sizeof out, &cut);
    if (expanded.n && expanded.p[expanded.n - 1] == '.')
        expanded.n--;
    while (expanded.n > NAME_TEXT_MAX) { /* SP-34 */
        size_t dot = span_find(expanded, '.');
        if (dot == expanded.n)
            return false;
        expanded = span_skip(expanded, dot + 1);
    }
    return dns_name_from_raw(name, expanded) == DNS_NAME_OK;
}
