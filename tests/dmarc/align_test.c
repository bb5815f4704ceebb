/*
 * Alignment against a second, plain reading of standards.md 4.3 and 4.4 (RFC 9989 4.10): random
 * trees, one question after the other, names as text. Where levels fail, the truth is what all
 * possible contents of those levels agree on (DP-28).
 */
#include "dmarc/align.h"

#include <stdio.h>

#include "base/buffer.h"
#include "dmarc/dmarc_test_support.h"

enum state
{
    NOTHING,
    PSD_U,
    PSD_Y,
    PSD_N,
    SEVERAL,
    FAILED,
};

struct level
{
    const char *name; /* "" for the root */
    enum state state;
};

struct tree
{
    struct level levels[40];
    size_t count;
};

static struct level *tree_find(struct tree *tree, const char *name)
{
    for (size_t i = 0; i < tree->count; i++)
        if (strcmp(tree->levels[i].name, name) == 0)
            return &tree->levels[i];
    return NULL;
}

static unsigned labels_of(const char *name)
{
    unsigned labels = 1;
    for (; *name; name++)
        labels += *name == '.';
    return labels;
}

static const char *parent_of(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot ? dot + 1 : "";
}

static const char *shorten(const char *name, unsigned labels)
{
    while (labels_of(name) > labels)
        name = parent_of(name);
    return name;
}

/* Standards.md 4.4 over 4.3, in the order of the text. */
static const char *plain_org(struct tree *tree, const char *start)
{
    const char *fewest = NULL;
    for (const char *at = start; *at;) {
        enum state state = tree_find(tree, at)->state;
        if (state == PSD_N)
            return at;
        if (state == PSD_Y && at != start)
            return shorten(start, labels_of(at) + 1);
        if (state == PSD_Y)
            return start;
        if (state == PSD_U)
            fewest = at;
        at = at == start && labels_of(start) >= 8 ? shorten(start, 7) : parent_of(at);
    }
    return fewest ? fewest : start;
}

static bool plain_aligned(struct tree *tree, const char *a, const char *b)
{
    return strcmp(plain_org(tree, a), plain_org(tree, b)) == 0;
}

/* Tries all contents of the failed levels. */
static enum dmarc_aligned plain_verdict(struct tree *tree, const char *a, const char *b)
{
    size_t failed[8], count = 0;
    unsigned aligned = 0, trial = 0;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->levels[i].state == FAILED)
            failed[count++] = i;
    for (; trial < 1u << (2 * count); trial++) {
        for (size_t k = 0; k < count; k++)
            tree->levels[failed[k]].state = (enum state)(trial >> (2 * k) & 3);
        aligned += plain_aligned(tree, a, b);
    }
    for (size_t k = 0; k < count; k++)
        tree->levels[failed[k]].state = FAILED;
    if (aligned == 0)
        return DMARC_ALIGNED_NO;
    return aligned == trial ? DMARC_ALIGNED_YES : DMARC_ALIGNED_TEMPERROR;
}

/* xorshift: the same trees in every run */
static uint32_t dice(uint32_t *seed, uint32_t sides)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed % sides;
}

/* A name of `own` labels below the last `shared` labels of "h.g.f.e.d.c.b.a". */
static void random_name(char *out, size_t size, uint32_t *seed, const char *trunk, char letter)
{
    size_t n = 0;
    unsigned own = dice(seed, 5), shared = 1 + dice(seed, 8);
    for (unsigned i = 0; i < own; i++)
        n += (size_t)snprintf(out + n, size - n, "%c%u.", letter, own - i);
    snprintf(out + n, size - n, "%s", shorten(trunk, shared));
}

static void tree_add(struct tree *tree, const char *name, uint32_t *seed, unsigned *failures)
{
    static const enum state faces[] = {NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, PSD_U,
                                       PSD_U,   PSD_Y,   PSD_N,   SEVERAL, FAILED,  FAILED};
    for (; *name; name = parent_of(name)) {
        if (tree_find(tree, name))
            continue;
        enum state state = faces[dice(seed, COUNT_OF(faces))];
        if (state == FAILED && *failures == 0)
            state = NOTHING;
        if (state == FAILED)
            (*failures)--;
        tree->levels[tree->count++] = (struct level){name, state};
    }
}

static void write_zone(const struct tree *tree, struct buffer *zone)
{
    static const char *const tags[] = {"", "", "; psd=y", "; psd=n"};
    for (size_t i = 0; i < tree->count; i++) {
        const struct level *level = &tree->levels[i];
        if (level->state == FAILED)
            buffer_printf(zone, "_dmarc.%s TXT !timeout\n", level->name);
        for (int k = 0; k < 2 && level->state == SEVERAL; k++)
            buffer_printf(zone, "_dmarc.%s TXT \"v=DMARC1; psd=n; x=%d\"\n", level->name, k);
        if (level->state == PSD_U || level->state == PSD_Y || level->state == PSD_N)
            buffer_printf(zone, "_dmarc.%s TXT \"v=DMARC1; p=none%s\"\n", level->name,
                          tags[level->state]);
    }
    buffer_append_byte(zone, '\0');
}

/* One tree, one pair of names; counts the verdicts so that none is never met. */
static void compare_one(uint32_t *seed, unsigned failures, unsigned met[0x60])
{
    static const char trunk[] = "h.g.f.e.d.c.b.a";
    char a[64], b[64];
    struct tree tree = {.count = 0};
    struct scene scene;
    struct buffer zone;
    struct dmarc_discovery discovery;
    random_name(a, sizeof a, seed, trunk, 'x');
    random_name(b, sizeof b, seed, trunk, dice(seed, 3) ? 'x' : 'y');
    tree_add(&tree, a, seed, &failures);
    tree_add(&tree, b, seed, &failures);
    buffer_init(&zone, 1 << 16);
    write_zone(&tree, &zone);
    scene_init(&scene, (const char *)zone.p);
    scene_discover(&scene, a, &default_options, &discovery);
    struct dns_name identifier = name_of(b);
    enum dmarc_aligned got, want = plain_verdict(&tree, a, b);
    while ((got = dmarc_align(&discovery, &identifier, false, &default_options, &scene.context)) ==
           DMARC_ALIGNED_WAITING)
        scene_resolve(&scene);
    cr_expect(got == want, "author %s, identifier %s: got %#x, want %#x\n%s", a, b, got, want,
              (const char *)zone.p);
    if (!discovery.walk.tempfail)
        cr_expect_str_eq(text_of(&discovery.org_domain), plain_org(&tree, a), "org of %s\n%s", a,
                         (const char *)zone.p);
    met[got]++;
    scene_fini(&scene);
    buffer_fini(&zone);
}

Test(align, random_trees_against_the_plain_procedure)
{
    uint32_t seed = 9989;
    unsigned met[0x60] = {0};
    for (unsigned i = 0; i < 4000; i++)
        compare_one(&seed, i % 4, met);
    cr_expect(met[DMARC_ALIGNED_YES] > 100 && met[DMARC_ALIGNED_NO] > 100 &&
                  met[DMARC_ALIGNED_TEMPERROR] > 100,
              "yes %u, no %u, temperror %u: the trees test too little", met[DMARC_ALIGNED_YES],
              met[DMARC_ALIGNED_NO], met[DMARC_ALIGNED_TEMPERROR]);
}
