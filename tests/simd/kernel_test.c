/* The selector: levels, what each allows, ASSAY_KERNEL in the programs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "simd/kernel.h"
#include "support/tool.h"

struct level_case
{
    enum kernel_level level;
    const char *name;
    bool sha_ni, avx2, avx512; /* may be allowed */
};

static const struct level_case level_cases[] = {
    {KERNEL_SCALAR, "scalar", false, false, false}, {KERNEL_NEON, "neon", false, false, false},
    {KERNEL_SSE, "sse", true, false, false},        {KERNEL_AVX2, "avx2", true, true, false},
    {KERNEL_AVX512, "avx512", true, true, true},
};

Test(kernel, a_level_allows_its_own_and_what_is_below)
{
    size_t forced = 0;
    for (size_t i = 0; i < COUNT_OF(level_cases); i++) {
        const struct level_case *c = &level_cases[i];
        cr_expect_str_eq(kernel_level_name(c->level), c->name);
        if (!kernel_force(c->level)) {
            cr_expect(!kernel_level_available(c->level));
            continue;
        }
        forced++;
        char text[KERNEL_TEXT_MAX];
        kernel_describe(text);
        cr_expect(kernel_level() == c->level && kernel_level_available(c->level));
        cr_expect(strncmp(text, c->name, strlen(c->name)) == 0, "%s: %s", c->name, text);
        cr_expect(c->sha_ni || !kernel_has(KERNEL_HAS_SHA_NI), "%s", text);
        cr_expect(c->avx2 || !kernel_has(KERNEL_HAS_AVX2), "%s", text);
        for (int f = KERNEL_HAS_AVX512VL; f < KERNEL_FEATURES; f++)
            cr_expect(c->avx512 || !kernel_has((enum kernel_feature)f), "%s", text);
    }
    cr_expect(forced != 0, "scalar is everywhere");
    cr_expect(!kernel_force(KERNEL_NEON) || !kernel_force(KERNEL_SSE), "of two machines");
}

struct choice_case
{
    const char *word;
    bool refused; /* on every machine */
};

static const struct choice_case choice_cases[] = {
    {"scalar", false}, {"sse", false},  {"avx2", false},     {"avx512", false},
    {"neon", false},   {"AVX2", true},  {"avx2 ", true},     {"\x1b[31m", true},
    {"avx", true},     {"avx22", true}, {"scalar,sse", true}};

static bool machine_can(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(level_cases); i++)
        if (strcmp(level_cases[i].name, word) == 0)
            return kernel_level_available(level_cases[i].level);
    return false;
}

/* The programs end with 78 and one line; they never run at another level than was asked for. */
Test(kernel, the_environment_chooses_in_the_tool)
{
    for (size_t i = 0; i < COUNT_OF(choice_cases); i++) {
        const struct choice_case *c = &choice_cases[i];
        setenv("ASSAY_KERNEL", c->word, 1);
        struct outcome o = ASSAY("--version");
        char want[64];
        snprintf(want, sizeof want, "\nkernel %s", c->word);
        if (machine_can(c->word)) {
            cr_expect(!c->refused && o.status == 0, "%s: status %d", c->word, o.status);
            cr_expect(strstr(o.out, want) != NULL, "%s: %s", c->word, o.out);
            continue;
        }
        cr_expect(o.status == 78 && o.out[0] == 0, "%s: status %d, %s", c->word, o.status, o.out);
        cr_expect(strncmp(o.err, "assay: ASSAY_KERNEL=", 20) == 0, "%s", o.err);
        cr_expect(strchr(o.err, '\n') == strrchr(o.err, '\n') && !strchr(o.err, '\x1b'));
    }
    setenv("ASSAY_KERNEL", "", 1);
    cr_expect(ASSAY("--version").status == 0, "an empty word is none");
}
