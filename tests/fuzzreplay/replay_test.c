/*
 * Every seed of tests/fuzz/seeds through its fuzz target (tests/fuzz/NAME.c), whole and cut short
 * at several places. What a fuzzer found once is a seed here for good. A target that finds a fault
 * ends the process, which Criterion reports with the seed's name on stderr.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>

#include "fuzz/support/fuzz.h"
#include "support/corpora.h"

enum
{
    PATH_BYTES = 512,
    CUTS = 16, /* each seed is also tried at so many shorter lengths */
};

static void replay(const char *name, int (*target)(const uint8_t *, size_t))
{
    char folder[PATH_BYTES], path[2 * PATH_BYTES];
    size_t seeds = 0;
    snprintf(folder, sizeof folder, "tests/fuzz/seeds/%s", name);
    DIR *entries = opendir(folder);
    cr_assert(entries != NULL, "%s: no such folder", folder);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct span seed = file_read(path);
        fprintf(stderr, "seed %s\n", path);
        for (size_t cut = 0; cut <= CUTS; cut++) {
            struct span text = fuzz_copy(span_slice(seed, 0, seed.n - seed.n * cut / CUTS));
            target(text.p, text.n);
            fuzz_free(text);
        }
        seeds++;
    }
    closedir(entries);
    cr_assert(seeds > 0, "%s: no seed", folder);
}

#define REPLAY(name)                                                                               \
    int fuzz_##name(const uint8_t *data, size_t size);                                             \
    Test(fuzzreplay, name)                                                                         \
    {                                                                                              \
        replay(#name, fuzz_##name);                                                                \
    }

REPLAY(arc)
REPLAY(base64)
REPLAY(capsule)
REPLAY(dmarc)
REPLAY(dmarc_record)
REPLAY(from)
REPLAY(header)
REPLAY(key)
REPLAY(message)
REPLAY(packet)
REPLAY(path)
REPLAY(results)
REPLAY(spf)
REPLAY(spf_record)
REPLAY(taglist)
REPLAY(zone)

/* A target that is not in the list above would never be replayed. */
Test(fuzzreplay, every_target_is_listed)
{
    size_t targets = 0;
    DIR *entries = opendir("tests/fuzz");
    cr_assert(entries != NULL);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        targets +=
            strlen(entry->d_name) > 2 && strcmp(strrchr(entry->d_name, '.') ?: "", ".c") == 0;
    closedir(entries);
    cr_assert(targets == 16, "%zu targets, 16 are listed", targets);
}
