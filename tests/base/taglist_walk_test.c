/*
 * The tag list against a plain reading of RFC 6376 3.2, one octet after the other, at every kernel
 * level this machine has: generated lists as signers write them, the same with a few octets
 * changed, dropped or doubled, and soup. All of the result is compared: tags, offsets, the error
 * and its place.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/taglist.h"
#include "simd/kernel.h"
#include "support/guard.h"

enum
{
    ROUNDS = 6000,
    LONGEST = 2000,
};

static uint32_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct span without_blanks(const uint8_t *p, const uint8_t *end)
{
    for (; p < end && blank(*p); p++)
        ;
    for (; p < end && blank(end[-1]); end--)
        ;
    return span_of(p, (size_t)(end - p));
}

/* What the grammar says of one spec, in the order of the reasons. */
static enum taglist_error plain_spec(const uint8_t *p, const uint8_t *end, struct span *name,
                                     struct span *value)
{
    const uint8_t *equals = p;
    while (equals < end && *equals != '=')
        equals++;
    *name = without_blanks(p, equals);
    if (equals == end)
        return name->n ? TAGLIST_NO_EQUALS : TAGLIST_EMPTY_SPEC;
    *value = without_blanks(equals + 1, end);
    if (name->n == 0)
        return TAGLIST_BAD_NAME;
    for (size_t i = 0; i < name->n; i++) {
        uint8_t c = name->p[i];
        if (!letter(c) && (i == 0 || !((c >= '0' && c <= '9') || c == '_')))
            return TAGLIST_BAD_NAME;
    }
    for (size_t i = 0; i < value->n; i++)
        if ((value->p[i] < 32 && !blank(value->p[i])) || value->p[i] == 127)
            return TAGLIST_BAD_VALUE;
    return TAGLIST_OK;
}

static bool same_name(struct span a, struct span b, enum taglist_mode mode)
{
    return mode == TAGLIST_STRICT ? span_equal(a, b) : span_equal_fold(a, b);
}

static bool plain_parse(struct span text, enum taglist_mode mode, struct taglist *list)
{
    const uint8_t *p = text.p, *end = text.p + text.n;
    *list = (struct taglist){.count = 0};
    for (const uint8_t *stop; p < end; p = stop + 1) {
        struct span name, value = {NULL, 0};
        for (stop = p; stop < end && *stop != ';'; stop++)
            ;
        enum taglist_error error = plain_spec(p, stop, &name, &value);
        if (error == TAGLIST_EMPTY_SPEC && stop == end && p > text.p)
            break;
        for (uint32_t i = 0; !error && i < list->count; i++)
            if (same_name(list->tags[i].name, name, mode))
                error = TAGLIST_DUPLICATE;
        if (!error && list->count == MAX_TAGS)
            error = TAGLIST_TOO_MANY;
        if (error && !list->error) {
            list->error = error;
            list->error_at = (uint32_t)(p - text.p);
        }
        if (error && (mode == TAGLIST_STRICT || error == TAGLIST_TOO_MANY))
            return false;
        if (error) {
            list->dropped++;
            continue;
        }
        const uint8_t *equals = memchr(p, '=', (size_t)(stop - p));
        list->tags[list->count++] = (struct tag){
            .name = name,
            .value = value,
            .begin = (uint32_t)(equals + 1 - text.p),
            .end = (uint32_t)(stop - text.p),
            .name_at = (uint32_t)(name.p - text.p),
            .key = taglist_key(name),
        };
    }
    if (list->count || mode == TAGLIST_TOLERANT)
        return true;
    list->error = list->error ? list->error : TAGLIST_EMPTY_SPEC;
    return false;
}

static bool same_tag(const struct tag *a, const struct tag *b)
{
    return a->name.p == b->name.p && a->name.n == b->name.n && span_equal(a->value, b->value) &&
           (a->value.n == 0 || a->value.p == b->value.p) && a->begin == b->begin &&
           a->end == b->end && a->name_at == b->name_at && a->key == b->key;
}

static void compare(struct span text, enum taglist_mode mode)
{
    static struct taglist want, got;
    bool good = plain_parse(text, mode, &want);
    cr_assert(taglist_parse(text, mode, &got) == good && got.error == want.error &&
                  got.error_at == want.error_at,
              "%s: got %s at %u, want %s at %u: \"%.*s\"", kernel_level_name(kernel_level()),
              taglist_error_word(got.error), got.error_at, taglist_error_word(want.error),
              want.error_at, (int)text.n, (const char *)text.p);
    if (!good)
        return;
    cr_assert(got.count == want.count && got.dropped == want.dropped, "%u of %u tags, %u of %u out",
              got.count, want.count, got.dropped, want.dropped);
    for (uint32_t i = 0; i < got.count; i++)
        cr_assert(same_tag(&got.tags[i], &want.tags[i]), "tag %u of \"%.*s\"", i, (int)text.n,
                  (const char *)text.p);
}

struct text
{
    uint8_t octets[LONGEST];
    size_t n;
};

static void add(struct text *text, const char *what)
{
    size_t n = strlen(what);
    if (n <= LONGEST - text->n)
        memcpy(text->octets + text->n, what, n);
    text->n += n <= LONGEST - text->n ? n : 0;
}

#define PICK(state, words) ((words)[next(state) % COUNT_OF(words)])

/* A list as a signer or a domain's owner writes it. */
static void generate(uint64_t *state, struct text *text)
{
    static const char *const names[] = {
        "v", "a", "b",  "bh",  "c",     "d",  "h",   "i",      "l",  "q",  "s", "t", "x", "z", "cv",
        "P", "p", "sp", "rua", "adkim", "a1", "n_1", "longer", "np", "fo", "k", "g", "X", "bH"};
    static const char *const values[] = {"",
                                         "1",
                                         "rsa-sha256",
                                         "relaxed/relaxed",
                                         "a.example",
                                         "From:To:Subject:Date",
                                         "47DEQpj8HBSa+/TImW+5JCeuQeRk=",
                                         "ab\r\n\tcd==",
                                         "dns/txt",
                                         "x=1,y=2",
                                         "\xc3\xa9",
                                         "none",
                                         "=",
                                         "a b",
                                         "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQ"
                                         "EAvzwKQIIWzQXv0nihasFTT3+JO23hXCgecmcyvHXa"};
    static const char *const blanks[] = {"", "", "", " ", " ", "\r\n\t", "\t", "  \r\n  "};
    unsigned count = next(state) % 16 ? 1 + next(state) % 14 : 60 + next(state) % 60;
    text->n = 0;
    for (unsigned i = 0; i < count; i++) {
        char numbered[16];
        snprintf(numbered, sizeof numbered, "n%u", i);
        add(text, i ? ";" : "");
        add(text, PICK(state, blanks));
        add(text, count > 60 ? numbered : PICK(state, names));
        add(text, PICK(state, blanks));
        add(text, "=");
        add(text, PICK(state, blanks));
        add(text, PICK(state, values));
        add(text, PICK(state, blanks));
    }
    add(text, next(state) % 2 ? ";" : "");
    add(text, PICK(state, blanks));
}

static void mutate(uint64_t *state, struct text *text)
{
    static const uint8_t odd[] = ";;;===  \r\n\t\0\x01\x7f\x1f\xff_aA1-";
    for (unsigned i = next(state) % 4; i > 0 && text->n > 1; i--) {
        size_t at = next(state) % text->n;
        uint8_t *p = text->octets + at;
        unsigned how = next(state) % 3;
        if (how == 0) {
            *p = odd[next(state) % (sizeof odd - 1)];
        } else if (how == 1) {
            memmove(p, p + 1, text->n - at - 1);
            text->n--;
        } else if (text->n < LONGEST) {
            memmove(p + 1, p, text->n - at);
            *p = odd[next(state) % (sizeof odd - 1)];
            text->n++;
        }
    }
}

static void soup(uint64_t *state, struct text *text)
{
    static const uint8_t octets[] = "ab= ;\r\n\tb=;a_1\x02\x7f";
    text->n = next(state) % 150;
    for (size_t i = 0; i < text->n; i++)
        text->octets[i] = octets[next(state) % (sizeof octets - 1)];
}

/* The list in front of an inaccessible page, the same one each time. */
static struct span guarded(const struct text *text)
{
    static const uint8_t zeros[LONGEST];
    static uint8_t *end;
    if (!end)
        end = (uint8_t *)(uintptr_t)span_end(guard_copy(span_of(zeros, LONGEST)));
    memcpy(end - text->n, text->octets, text->n);
    return span_of(end - text->n, text->n);
}

static void compare_rounds(void)
{
    static struct text text;
    uint64_t state = 88172645463325252u;
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round % 5 == 4)
            soup(&state, &text);
        else
            generate(&state, &text);
        if (round % 5 > 0)
            mutate(&state, &text);
        compare(guarded(&text), TAGLIST_STRICT);
        compare(guarded(&text), TAGLIST_TOLERANT);
    }
}

Test(taglist, as_a_plain_reading_has_it)
{
    for (int level = 0; level < KERNEL_LEVELS; level++)
        if (kernel_force((enum kernel_level)level))
            compare_rounds();
}
