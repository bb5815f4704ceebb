/* Snapshots: what is kept, what is skipped, and that damage is always seen. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

enum
{
    SECOND = 1000
};
static const int64_t wall = 1790000000000; /* some day in 2026 */

static bool write_value(struct span key, enum cache_outcome outcome, const void *object,
                        struct buffer *out, void *context)
{
    const struct value *value = object;
    (void)context;
    cr_expect(key.n > 0 && outcome != CACHE_FAILURE);
    if (value->number == 13)
        return false; /* what this serializer does not write */
    buffer_printf(out, "number %d", value->number);
    return true;
}

static bool read_value(struct span key, struct span bytes, struct cache_item *item, void *context)
{
    char text[64] = "";
    int number;
    (void)context;
    cr_expect(key.n > 0 && bytes.n < sizeof text);
    memcpy(text, bytes.p, bytes.n);
    if (sscanf(text, "number %d", &number) != 1 || number == 14)
        return false;
    item->object = value_new(number);
    item->bytes = sizeof(struct value);
    item->release = value_release;
    return true;
}

static const struct cache_snapshot_format format = {7, write_value, read_value, NULL};

struct place
{
    char directory[64];
    char path[128];
};

static struct place place_new(void)
{
    struct place place;
    const char *tmp = getenv("TMPDIR");
    snprintf(place.directory, sizeof place.directory, "%s/assay-cache-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert(mkdtemp(place.directory));
    snprintf(place.path, sizeof place.path, "%s/snapshot", place.directory);
    return place;
}

static void place_free(struct place *place)
{
    char temporary[160];
    snprintf(temporary, sizeof temporary, "%s.tmp", place->path);
    cr_expect(unlink(temporary) != 0 && errno == ENOENT, "%s was left", temporary);
    unlink(place->path);
    cr_expect(rmdir(place->directory) == 0);
}

static void save(struct fixture *f, const struct place *place, int64_t now_ms, int64_t wall_ms)
{
    struct cache_error error = {""};
    cr_assert(cache_snapshot_write(f->cache, place->path, &format, now_ms, wall_ms, &error), "%s",
              error.text);
}

static enum cache_snapshot_result load(struct fixture *f, const char *path, int64_t now_ms,
                                       int64_t wall_ms, size_t *loaded, struct cache_error *error)
{
    error->text[0] = 0;
    enum cache_snapshot_result result =
        cache_snapshot_read(f->cache, path, &format, now_ms, wall_ms, loaded, error);
    if (result == CACHE_SNAPSHOT_LOADED)
        return result;
    cr_expect(*loaded == 0 && stats_of(f).entries == 0, "nothing of it is in the cache");
    cr_expect(error->text[0] && !strchr(error->text, '\n'), "one line of error text");
    return result;
}

/* The file of two entries that the damage tests start from. */
static size_t small_file(const struct place *place, uint8_t *bytes, size_t capacity)
{
    struct fixture f;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 600, 1, 0, 0) == CACHE_STORED);
    cr_assert(put(&f, "bb", CACHE_NXDOMAIN, 300, 2, 0, 0) == CACHE_STORED);
    save(&f, place, 0, wall);
    fixture_fini(&f);
    FILE *file = fopen(place->path, "rb");
    cr_assert(file);
    size_t n = fread(bytes, 1, capacity, file);
    fclose(file);
    cr_assert(n > 60 && n < capacity);
    return n;
}

static void write_bytes(const struct place *place, const uint8_t *bytes, size_t n)
{
    FILE *file = fopen(place->path, "wb");
    cr_assert(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

Test(snapshot, comes_back_with_its_age)
{
    struct place place = place_new();
    struct fixture f;
    struct cache_hit hit;
    struct cache_error error;
    size_t loaded;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "answer", CACHE_ANSWER, 600, 1, 0, 1000 * SECOND) == CACHE_STORED);
    cr_assert(put(&f, "empty", CACHE_EMPTY, 200, 2, 0, 1000 * SECOND) == CACHE_STORED);
    cr_assert(put(&f, "nx", CACHE_NXDOMAIN, 100, 3, 0, 1000 * SECOND) == CACHE_STORED);
    cr_assert(put(&f, "failed", CACHE_FAILURE, 0, 4, 0, 1049 * SECOND) == CACHE_STORED);
    cr_assert(put(&f, "expired", CACHE_ANSWER, 30, 5, 0, 1000 * SECOND) == CACHE_STORED);
    cr_assert(put(&f, "unwritten", CACHE_ANSWER, 600, 13, 0, 1000 * SECOND) == CACHE_STORED);
    cr_assert(put(&f, "unread", CACHE_ANSWER, 600, 14, 0, 1000 * SECOND) == CACHE_STORED);
    save(&f, &place, 1050 * SECOND, wall);
    struct stat status;
    cr_expect(stat(place.path, &status) == 0 && (status.st_mode & 0777) == 0600);
    fixture_fini(&f);

    /* 60 s later, after a reboot: the monotonic clock begins anew */
    fixture_init(&f, NULL);
    cr_expect(load(&f, place.path, 7 * SECOND, wall + 60 * SECOND, &loaded, &error) ==
                  CACHE_SNAPSHOT_LOADED,
              "%s", error.text);
    cr_expect(loaded == 2 && stats_of(&f).entries == 2, "got %zu", loaded);
    cr_expect(get(&f, "answer", 7 * SECOND, &hit) == CACHE_FRESH && hit.age_ms == 110 * SECOND);
    cr_expect(number_of(&f, "answer", 7 * SECOND) == 1);
    cr_expect(get(&f, "answer", (7 + 489) * SECOND, &hit) == CACHE_FRESH);
    cr_expect(get(&f, "answer", (7 + 490) * SECOND, &hit) == CACHE_MISS, "600 s in all");
    cr_expect(get(&f, "empty", 7 * SECOND, &hit) == CACHE_FRESH && hit.outcome == CACHE_EMPTY);
    cr_expect(get(&f, "nx", 7 * SECOND, &hit) == CACHE_MISS, "expired meanwhile");
    fixture_fini(&f);
    cr_expect(values_alive == 0, "%u", values_alive);
    place_free(&place);
}

Test(snapshot, empty_cache)
{
    struct place place = place_new();
    struct fixture f;
    struct cache_error error;
    size_t loaded = 9;
    fixture_init(&f, NULL);
    save(&f, &place, 0, wall);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_LOADED);
    cr_expect(loaded == 0);
    fixture_fini(&f);
    place_free(&place);
}

/* L12: the wall clock was set back or forth between the two runs. */
Test(snapshot, L12_clock_steps)
{
    static const struct
    {
        const char *name;
        int64_t step_s;
        size_t loaded;
        int64_t age_s;
    } cases[] = {
        {"as it is", 0, 1, 10},
        {"back by what the skew allows", -310, 1, 0},
        {"back by a second more", -311, 0, 0},
        {"back by a day", -86400, 0, 0},
        {"to 1970", -1790000000, 0, 0},
        {"a day ahead", 86400, 0, 0},
        {"a second before it expires", 589, 1, 599},
        {"as it expires", 590, 0, 0},
    };
    struct place place = place_new();
    struct fixture f;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 600, 1, 0, 0) == CACHE_STORED);
    save(&f, &place, 10 * SECOND, wall);
    fixture_fini(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cache_error error;
        struct cache_hit hit;
        size_t loaded;
        fixture_init(&f, NULL);
        cr_expect(load(&f, place.path, 0, wall + cases[i].step_s * SECOND, &loaded, &error) ==
                  CACHE_SNAPSHOT_LOADED);
        cr_expect(loaded == cases[i].loaded, "%s: got %zu", cases[i].name, loaded);
        if (loaded)
            cr_expect(get(&f, "a", 0, &hit) == CACHE_FRESH && hit.age_ms == cases[i].age_s * SECOND,
                      "%s: got an age of %ld ms", cases[i].name, hit.age_ms);
        fixture_fini(&f);
    }
    place_free(&place);
}

/* The rules in force at reading count: a lower ceiling shortens what was kept under a higher one.
 */
Test(snapshot, rules_of_the_reader_apply)
{
    struct cache_config config = fixture_config();
    struct place place = place_new();
    struct cache_error error;
    struct fixture f;
    size_t loaded;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 1, 0, 0) == CACHE_STORED);
    save(&f, &place, 0, wall);
    fixture_fini(&f);
    config.ttl.answer_max_s = 120;
    fixture_init(&f, &config);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_LOADED);
    cr_expect(number_of(&f, "a", 119 * SECOND) == 1 && number_of(&f, "a", 120 * SECOND) == -1);
    fixture_fini(&f);
    place_free(&place);
}

Test(snapshot, damage_at_every_byte)
{
    static const uint8_t change[] = {0x01, 0x80, 0xff};
    uint8_t bytes[512];
    struct place place = place_new();
    struct cache_error error;
    struct fixture f;
    size_t loaded, n = small_file(&place, bytes, sizeof bytes);
    fixture_init(&f, NULL);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < sizeof change; c++) {
            bytes[i] ^= change[c];
            write_bytes(&place, bytes, n);
            bytes[i] ^= change[c];
            cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED,
                      "byte %zu changed by %02x", i, change[c]);
        }
    write_bytes(&place, bytes, n);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_LOADED);
    cr_expect(loaded == 2, "the file itself is good");
    fixture_fini(&f);
    place_free(&place);
}

Test(snapshot, cut_at_every_byte_or_longer)
{
    uint8_t bytes[512] = {0};
    struct place place = place_new();
    struct cache_error error;
    struct fixture f;
    size_t loaded, n = small_file(&place, bytes, sizeof bytes);
    fixture_init(&f, NULL);
    for (size_t cut = 0; cut < n; cut++) {
        write_bytes(&place, bytes, cut);
        cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED,
                  "cut at %zu", cut);
    }
    bytes[n] = 0;
    write_bytes(&place, bytes, n + 1);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED);
    fixture_fini(&f);
    place_free(&place);
}

/* Well-signed nonsense: the hash is right (it is no secret), the records are not. */
Test(snapshot, records_are_checked_behind_the_hash)
{
    static const struct
    {
        const char *name;
        size_t offset; /* in the first record, behind the header of 24 bytes */
        uint8_t byte;
    } cases[] = {
        {"outcome 0", 1, 0},
        {"outcome failure", 1, CACHE_FAILURE},
        {"use", 2, 4},
        {"key of no bytes", 4, 0},
        {"key longer than the file", 3, 0xff},
        {"a TTL of years", 5, 1},
        {"value beyond the end", 17, 0x7f},
    };
    static const struct siphash_key key = {0x736e617073686f74, 0x636865636b73756d};
    uint8_t bytes[512];
    struct place place = place_new();
    struct cache_error error;
    struct fixture f;
    size_t loaded, n = small_file(&place, bytes, sizeof bytes);
    fixture_init(&f, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t copy[sizeof bytes];
        memcpy(copy, bytes, n);
        copy[24 + cases[i].offset] = cases[i].byte;
        uint64_t sum = siphash24(&key, span_of(copy, n - 8));
        for (unsigned b = 0; b < 8; b++)
            copy[n - 8 + b] = (uint8_t)(sum >> (56 - 8 * b));
        write_bytes(&place, copy, n);
        cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED, "%s",
                  cases[i].name);
    }
    fixture_fini(&f);
    place_free(&place);
}

Test(snapshot, other_versions_and_files)
{
    struct cache_snapshot_format newer = format;
    uint8_t bytes[512];
    struct place place = place_new();
    struct cache_error error;
    struct fixture f;
    size_t loaded;
    small_file(&place, bytes, sizeof bytes);
    fixture_init(&f, NULL);
    newer.version++;
    cr_expect(cache_snapshot_read(f.cache, place.path, &newer, 0, wall, &loaded, &error) ==
                  CACHE_SNAPSHOT_IGNORED &&
              strstr(error.text, "version"));
    cr_expect(load(&f, place.directory, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED);
    cr_expect(load(&f, "/dev/zero", 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED);
    unlink(place.path);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_ABSENT);
    cr_assert(mkfifo(place.path, 0600) == 0);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED, "no hang");
    unlink(place.path);
    cr_assert(symlink("/etc/hostname", place.path) == 0);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED);
    fixture_fini(&f);
    place_free(&place);
}

Test(snapshot, larger_than_the_cache)
{
    struct place place = place_new();
    struct cache_error error;
    struct fixture f;
    size_t loaded;
    fixture_init(&f, NULL);
    int fd = open(place.path, O_WRONLY | O_CREAT, 0600);
    cr_assert(ftruncate(fd, 2 * 1024 * 1024 + 1) == 0);
    close(fd);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_IGNORED &&
                  strstr(error.text, "larger"),
              "%s", error.text);
    fixture_fini(&f);
    place_free(&place);
}

Test(snapshot, a_failed_write_leaves_the_old_file)
{
    uint8_t bytes[512];
    struct place place = place_new();
    struct cache_error error = {""};
    struct fixture f;
    size_t loaded;
    small_file(&place, bytes, sizeof bytes);
    fixture_init(&f, NULL);
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        cr_assert(put(&f, key, CACHE_ANSWER, 600, 100 + i, 0, 0) == CACHE_STORED);
    }
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 0; limit <= 30000; limit += 10000) {
        struct rlimit was;
        getrlimit(RLIMIT_FSIZE, &was);
        cr_assert(setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, was.rlim_max}) == 0);
        bool ok = cache_snapshot_write(f.cache, place.path, &format, 0, wall, &error);
        setrlimit(RLIMIT_FSIZE, &was);
        cr_expect(!ok && strstr(error.text, strerror(EFBIG)), "at %lu: %s", limit, error.text);
    }
    cr_expect(!cache_snapshot_write(f.cache, "/nonexistent/x", &format, 0, wall, &error));
    fixture_fini(&f);
    fixture_init(&f, NULL);
    cr_expect(load(&f, place.path, 0, wall, &loaded, &error) == CACHE_SNAPSHOT_LOADED);
    cr_expect(loaded == 2);
    fixture_fini(&f);
    place_free(&place);
}

/* A run that died while writing left its file: the next one replaces it. */
Test(snapshot, leftover_of_a_crash)
{
    struct place place = place_new();
    struct fixture f;
    char temporary[160];
    fixture_init(&f, NULL);
    snprintf(temporary, sizeof temporary, "%s.tmp", place.path);
    FILE *file = fopen(temporary, "w");
    cr_assert(file && fputs("half", file) >= 0 && fclose(file) == 0);
    save(&f, &place, 0, wall);
    fixture_fini(&f);
    place_free(&place);
}
