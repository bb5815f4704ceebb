/* Lists of names that came before: given as the kernel cuts them, whatever came in between. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "mail/name_lists.h"
#include "support/guard.h"

TestSuite(name_lists);

static struct name_lists lists; /* a test has a process of its own */

static void compare(struct span text)
{
    static struct simd_names want, got;
    memset(&got, 0xaa, sizeof got);
    simd_text()->name_list(text.p, text.n, &field_words, &want);
    name_lists_read(&lists, text, &got);
    cr_assert(got.count == want.count && got.bad == want.bad, "%.*s", (int)text.n, text.p);
    if (want.bad || want.count > SIMD_NAMES)
        return;
    cr_assert(memcmp(got.edges, want.edges, 2 * want.count * sizeof want.edges[0]) == 0);
    cr_assert(memcmp(got.number, want.number, want.count) == 0);
}

/* `count` names in `octets` octets, the last one as long as needed. */
static struct span list_of(unsigned count, size_t octets, uint8_t text[1024])
{
    size_t n = 0;
    for (unsigned i = 1; i < count; i++) {
        text[n++] = (uint8_t)('a' + i % 26);
        text[n++] = ':';
    }
    cr_assert(n < octets && octets <= 1024);
    memset(text + n, 'z', octets - n);
    return span_of(text, octets);
}

static bool comes_back(struct span text)
{
    uint64_t before = lists.hits;
    compare(text);
    compare(text);
    return lists.hits > before;
}

Test(name_lists, is_kept_within_its_limits)
{
    static const struct
    {
        unsigned names;
        size_t octets;
        bool kept;
    } cases[] = {
        {3, NAME_LIST_OCTETS_MIN - 1, false}, {3, NAME_LIST_OCTETS_MIN, true},
        {3, NAME_LIST_OCTETS_MIN + 1, true},  {3, NAME_LIST_OCTETS - 1, true},
        {3, NAME_LIST_OCTETS, true},          {3, NAME_LIST_OCTETS + 1, false},
        {NAME_LIST_NAMES - 1, 300, true},     {NAME_LIST_NAMES, 300, true},
        {NAME_LIST_NAMES + 1, 300, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t text[1024];
        cr_expect(comes_back(list_of(cases[i].names, cases[i].octets, text)) == cases[i].kept,
                  "%u names, %zu octets", cases[i].names, cases[i].octets);
    }
}

Test(name_lists, a_bad_list_is_not_kept)
{
    static const struct span bad = SPAN("from:to:subject:date:message-id:no name:mime-version:x");
    cr_assert(bad.n >= NAME_LIST_OCTETS_MIN);
    cr_expect(not(comes_back(bad)));
}

Test(name_lists, another_octet_makes_another_list)
{
    static const struct span model = SPAN(
        "From:To:Subject:Date:Message-ID: MIME-Version\r\n\t:Content-Type:List-Unsubscribe:X-A");
    uint8_t text[128];
    compare(model);
    cr_assert(comes_back(model));
    for (size_t at = 0; at < model.n; at++) {
        static const uint8_t others[] = {'a', 'T', ':', ' ', 0, 0xff};
        for (size_t i = 0; i < sizeof others; i++) {
            memcpy(text, model.p, model.n);
            text[at] = others[i];
            compare(model);
            compare(span_of(text, model.n));
            compare(model);
        }
    }
}

Test(name_lists, nothing_kept_nothing_lost)
{
    struct simd_names names;
    name_lists_read(NULL, SPAN("from:to:subject:date:message-id:mime-version:content-type"),
                    &names);
    cr_expect(names.count == 7 && names.number[0] == FIELD_FROM);
}

/* Many lists for few places, some in front of an inaccessible page. */
Test(name_lists, whatever_came_in_between)
{
    uint64_t state = 1;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t text[NAME_LIST_OCTETS + 16];
        size_t n = 0;
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        unsigned which = (unsigned)(state >> 33) % 100, names = 1 + which % 70;
        for (unsigned i = 0; i < names && n + 40 < sizeof text; i++) {
            struct span name = field_names[1 + (which * 7 + i * 3) % (FIELD_NAME_COUNT - 1)];
            memcpy(text + n, name.p, name.n);
            n += name.n;
            text[n++] = ':';
        }
        compare(round % 16 ? span_of(text, n) : guard_copy(span_of(text, n)));
    }
    cr_expect(lists.hits > 1000, "%zu", (size_t)lists.hits);
}
