#include "base/taglist.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/guard.h"

struct list_case
{
    const char *name;
    const char *text;
    enum taglist_error strict;
    uint32_t tolerant_count; /* tags that stay in tolerant mode */
};

static const struct list_case cases[] = {
    {"one tag", "v=1", TAGLIST_OK, 1},
    {"trailing semicolon (DV-7)", "v=1;", TAGLIST_OK, 1},
    {"semicolon and blanks", "v=1; \r\n\t", TAGLIST_OK, 1},
    {"FWS everywhere (DV-7)", " v\r\n\t=\t1 ;\r\n a = b ", TAGLIST_OK, 2},
    {"empty value (DV-6)", "p=", TAGLIST_OK, 1},
    {"equals in a value", "b=ab==", TAGLIST_OK, 1},
    {"folded value", "b=ab\r\n\tcd", TAGLIST_OK, 1},
    {"duplicate (DV-6, C08)", "d=a.test; d=b.test", TAGLIST_DUPLICATE, 1},
    {"names differ by case", "d=a; D=b", TAGLIST_OK, 1},
    {"empty tag-spec (DV-7)", "v=1;;a=b", TAGLIST_EMPTY_SPEC, 2},
    {"leading semicolon", ";v=1", TAGLIST_EMPTY_SPEC, 1},
    {"two trailing semicolons", "v=1;;", TAGLIST_EMPTY_SPEC, 1},
    {"no equals", "v=1; x", TAGLIST_NO_EQUALS, 1},
    {"empty list", "", TAGLIST_EMPTY_SPEC, 0},
    {"only blanks", " \r\n ", TAGLIST_EMPTY_SPEC, 0},
    {"no name", "=1", TAGLIST_BAD_NAME, 0},
    {"name with a digit first", "1v=1", TAGLIST_BAD_NAME, 0},
    {"name with a blank inside", "a b=1", TAGLIST_BAD_NAME, 0},
    {"name with a hyphen", "a-b=1", TAGLIST_BAD_NAME, 0},
    {"name with a digit and underscore", "a_1=1", TAGLIST_OK, 1},
    {"control byte in a value", "a=\x01", TAGLIST_BAD_VALUE, 0},
    {"DEL in a value", "a=\x7f", TAGLIST_BAD_VALUE, 0},
    {"8-bit in a value (DV-47)", "a=\xc3\xa9", TAGLIST_OK, 1},
};

Test(taglist, strict_and_tolerant)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct taglist list;
        struct span text = guard_copy(span_from_string(cases[i].text));
        bool ok = taglist_parse(text, TAGLIST_STRICT, &list);
        cr_expect(ok == !cases[i].strict && list.error == cases[i].strict,
                  "%s: got %d (%s), want %s", cases[i].name, ok, taglist_error_word(list.error),
                  taglist_error_word(cases[i].strict));
        cr_expect(taglist_parse(text, TAGLIST_TOLERANT, &list), "%s: tolerant", cases[i].name);
        cr_expect(list.count == cases[i].tolerant_count, "%s: got %u tags, want %u", cases[i].name,
                  list.count, cases[i].tolerant_count);
    }
}

/* DV-22, C15: offsets, not text search, tell where b= is. */
Test(taglist, offsets_of_a_value_with_its_blanks)
{
    struct span text = SPAN("bb=1; x=b=1; b\r\n = \r\n\tAb+/ cd== ; bh=q");
    struct taglist list;
    cr_assert(taglist_parse(text, TAGLIST_STRICT, &list));
    const struct tag *b = taglist_find(&list, SPAN("b"));
    cr_assert(b != NULL);
    cr_expect(span_equal(b->value, SPAN("Ab+/ cd==")));
    cr_expect(span_equal(span_slice(text, b->begin, b->end), SPAN(" \r\n\tAb+/ cd== ")));
    cr_expect(text.p[b->name_at] == 'b' && text.p[b->begin - 1] == '=' && text.p[b->end] == ';');
    cr_expect(taglist_find(&list, SPAN("B")) == NULL, "names are case-sensitive (DV-6)");
}

Test(taglist, of_a_duplicate_the_first_stays_in_tolerant_mode)
{
    struct taglist list; /* standards.md 13 row 8: never let a later one win */
    cr_assert(taglist_parse(SPAN("v=DMARC1; p=none; P=reject"), TAGLIST_TOLERANT, &list));
    const struct tag *p = taglist_find_fold(&list, SPAN("p"));
    cr_assert(p != NULL && list.count == 2 && list.dropped == 1);
    cr_expect(span_equal(p->value, SPAN("none")));
}

/* `count` tags: "a1=x;a2=x;..." */
static struct span many_tags(unsigned count)
{
    static char text[MAX_TAGS * 16];
    size_t n = 0;
    for (unsigned i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "a%u=x;", i);
    return span_of(text, n);
}

Test(taglist, limit_of_tags)
{
    struct taglist list;
    cr_expect(taglist_parse(many_tags(MAX_TAGS - 1), TAGLIST_STRICT, &list));
    cr_expect(taglist_parse(many_tags(MAX_TAGS), TAGLIST_STRICT, &list));
    cr_expect(!taglist_parse(many_tags(MAX_TAGS + 1), TAGLIST_STRICT, &list));
    cr_expect(list.error == TAGLIST_TOO_MANY);
    cr_expect(!taglist_parse(many_tags(MAX_TAGS + 1), TAGLIST_TOLERANT, &list));
}

Test(taglist, limit_of_bytes)
{
    char *text = malloc(MAX_TAG_LIST_BYTES + 2);
    memset(text, 'x', MAX_TAG_LIST_BYTES + 2);
    memcpy(text, "a=", 2);
    struct taglist list;
    cr_expect(taglist_parse(span_of(text, MAX_TAG_LIST_BYTES - 1), TAGLIST_STRICT, &list));
    cr_expect(taglist_parse(span_of(text, MAX_TAG_LIST_BYTES), TAGLIST_STRICT, &list));
    cr_expect(!taglist_parse(span_of(text, MAX_TAG_LIST_BYTES + 1), TAGLIST_STRICT, &list));
    cr_expect(list.error == TAGLIST_TOO_LONG);
    cr_expect(!taglist_parse(span_of(text, MAX_TAG_LIST_BYTES + 1), TAGLIST_TOLERANT, &list));
    free(text);
}

/* T6: all lists of up to six tokens. Invariants: offsets stay inside, spans lie in the text. */
Test(taglist, exhaustive_token_lists)
{
    static const char *const tokens[] = {"a", "b", "=", ";", " ", "\r\n ", "1"};
    unsigned total = 1;
    for (int i = 0; i < 6; i++)
        total *= COUNT_OF(tokens);
    for (unsigned code = 0; code < total; code++) {
        char text[32];
        size_t n = 0;
        for (unsigned i = 0, rest = code; i < 6; i++, rest /= COUNT_OF(tokens)) {
            const char *token = tokens[rest % COUNT_OF(tokens)];
            memcpy(text + n, token, strlen(token));
            n += strlen(token);
        }
        struct taglist list;
        bool strict = taglist_parse(span_of(text, n), TAGLIST_STRICT, &list);
        uint32_t strict_count = list.count;
        cr_assert(strict == !list.error);
        cr_assert(taglist_parse(span_of(text, n), TAGLIST_TOLERANT, &list));
        cr_assert(!strict || list.count <= strict_count, "tolerant found more than strict");
        for (uint32_t i = 0; i < list.count; i++) {
            const struct tag *tag = &list.tags[i];
            cr_assert(tag->begin <= tag->end && tag->end <= n && tag->name_at < tag->begin);
            cr_assert(text[tag->begin - 1] == '=' && (tag->end == n || text[tag->end] == ';'));
        }
    }
}
