/*
 * Snapshots: the fresh entries of a cache in one file, so that a restart does not ask the world
 * again.
 *
 *   header   "assaycch"  version:4  value version:4  written, wall clock ms:8
 *   entry    1:1  outcome:1  use:1  key length:2  TTL seconds:4  received, wall clock ms:8
 *            value length:4  key  value                                    ... any number of them
 *   trailer  0:1  number of entries:8  SipHash-2-4 of all bytes before:8
 *
 * Numbers are unsigned, most significant byte first. The hash finds damage (a changed, missing or
 * added byte anywhere: 1 - 2^-64); its key is a constant, so it is no signature: who can write the
 * file can write entries, and the file belongs into a directory of the daemon's own. Nothing is put
 * into the cache before all of the file has been checked.
 *
 * Failures and expired entries are not written; what has expired by the wall clock is skipped when
 * read. The TTL written is the one kept, so that the rules in force at reading apply again.
 *
 * BUGS: the whole file is read into memory. A file above SNAPSHOT_MAX_FACTOR times the budget is
 * not read.
 */
#include "cache/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"

enum
{
    SNAPSHOT_VERSION = 1,
    SNAPSHOT_HEADER_BYTES = 8 + 4 + 4 + 8,
    SNAPSHOT_TRAILER_BYTES = 1 + 8 + 8,
    SNAPSHOT_MAX_FACTOR = 2,
    SNAPSHOT_SKEW_MS = 300 * 1000, /* L12 */
    SNAPSHOT_PATH_MAX = 1024,
};

static const char magic[8] = {'a', 's', 's', 'a', 'y', 'c', 'c', 'h'};
static const struct siphash_key checksum_key = {0x736e617073686f74, 0x636865636b73756d};

static bool PRINTF_LIKE(2, 3) fail(struct cache_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

/* --- writing --- */

struct writer
{
    FILE *file;
    struct siphash_stream sum;
    struct buffer value; /* scratch */
    struct buffer entry; /* scratch */
    uint64_t count;
    int64_t now_ms;
    int64_t wall_ms;
};

static void append_number(struct buffer *buffer, uint64_t value, unsigned bytes)
{
    while (bytes--)
        buffer_append_byte(buffer, (uint8_t)(value >> (8 * bytes)));
}

/* Sends the scratch buffer on its way and empties it; a failure is seen in the end. */
static bool flush_entry(struct writer *w)
{
    struct span bytes = buffer_span(&w->entry);
    if (w->entry.failed)
        return false;
    siphash_stream_add(&w->sum, bytes);
    bool written = fwrite(bytes.p, 1, bytes.n, w->file) == bytes.n;
    buffer_reset(&w->entry);
    return written;
}

static bool write_header(struct writer *w, const struct cache_snapshot_format *format)
{
    buffer_append(&w->entry, span_of(magic, sizeof magic));
    append_number(&w->entry, SNAPSHOT_VERSION, 4);
    append_number(&w->entry, format->version, 4);
    append_number(&w->entry, (uint64_t)w->wall_ms, 8);
    return flush_entry(w);
}

static bool write_entry(struct writer *w, const struct cache_entry *e,
                        const struct cache_snapshot_format *format)
{
    buffer_reset(&w->value);
    if (!format->write(entry_key(e), e->outcome, e->object, &w->value, format->context))
        return true;
    if (w->value.failed)
        return false;
    append_number(&w->entry, 1, 1);
    append_number(&w->entry, e->outcome, 1);
    append_number(&w->entry, entry_frequency(e), 1);
    append_number(&w->entry, e->key_n, 2);
    append_number(&w->entry, (uint64_t)(e->expires_ms - e->received_ms) / 1000, 4);
    append_number(&w->entry, (uint64_t)(w->wall_ms - (w->now_ms - e->received_ms)), 8);
    append_number(&w->entry, w->value.n, 4);
    buffer_append(&w->entry, entry_key(e));
    buffer_append(&w->entry, buffer_span(&w->value));
    w->count++;
    return flush_entry(w);
}

static bool write_entries(struct writer *w, struct cache *cache,
                          const struct cache_snapshot_format *format)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;
    cds_lfht_for_each(cache->table, &iter, node)
    {
        TSAN_ACQUIRE(node);
        const struct cache_entry *e = entry_of_node(node);
        if (e->outcome == CACHE_FAILURE || w->now_ms >= e->expires_ms)
            continue;
        if (!write_entry(w, e, format))
            return false;
    }
    return true;
}

static bool write_trailer(struct writer *w)
{
    append_number(&w->entry, 0, 1);
    append_number(&w->entry, w->count, 8);
    if (!flush_entry(w))
        return false;
    append_number(&w->entry, siphash_stream_value(&w->sum), 8);
    return flush_entry(w);
}

/* All of the file; errno says why not. */
static bool write_file(int fd, struct cache *cache, const struct cache_snapshot_format *format,
                       int64_t now_ms, int64_t wall_ms)
{
    struct writer w = {.file = fdopen(fd, "w"), .now_ms = now_ms, .wall_ms = wall_ms};
    if (!w.file) {
        close(fd);
        return false;
    }
    siphash_stream_init(&w.sum, &checksum_key);
    buffer_init(&w.value, UINT32_MAX);
    buffer_init(&w.entry, UINT32_MAX);
    errno = ENOMEM; /* for a scratch buffer that fails: the calls below set their own */
    bool ok = write_header(&w, format) && write_entries(&w, cache, format) && write_trailer(&w) &&
              fflush(w.file) == 0 && fsync(fd) == 0;
    int why = errno;
    buffer_fini(&w.value);
    buffer_fini(&w.entry);
    if (fclose(w.file) != 0 && ok)
        return false;
    errno = why;
    return ok;
}

/* The rename itself survives a crash once its directory is on the disk. */
static bool sync_directory(const char *path)
{
    char copy[SNAPSHOT_PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

bool cache_snapshot_write(struct cache *cache, const char *path,
                          const struct cache_snapshot_format *format, int64_t now_ms,
                          int64_t wall_ms, struct cache_error *error)
{
    char temporary[SNAPSHOT_PATH_MAX];
    int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return fail(error, "cache snapshot: the path is too long");
    unlink(temporary); /* of a run that died: its content is worth nothing */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(error, "%.180s: %s", temporary, strerror(errno));
    if (write_file(fd, cache, format, now_ms, wall_ms) && rename(temporary, path) == 0 &&
        sync_directory(path))
        return true;
    fail(error, "%.180s: %s", temporary, strerror(errno));
    unlink(temporary);
    return false;
}

/* --- reading --- */

struct record
{
    uint8_t outcome;
    uint8_t use;
    uint32_t ttl_s;
    int64_t received_ms; /* wall clock */
    struct span key;     /* borrowed from the file's bytes */
    struct span value;
};

static uint64_t read_u64(struct cursor *c)
{
    uint64_t high = cursor_u32(c);
    return high << 32 | cursor_u32(c);
}

/* Behind the byte that says there is one. */
static struct record read_record(struct cursor *c)
{
    struct record r;
    r.outcome = cursor_u8(c);
    r.use = cursor_u8(c);
    uint16_t key_n = cursor_u16(c);
    r.ttl_s = cursor_u32(c);
    r.received_ms = (int64_t)read_u64(c);
    uint32_t value_n = cursor_u32(c);
    r.key = cursor_take(c, key_n);
    r.value = cursor_take(c, value_n);
    return r;
}

static bool record_valid(const struct record *r)
{
    return r->outcome >= CACHE_ANSWER && r->outcome < CACHE_FAILURE && r->key.n >= 1 &&
           r->key.n <= CACHE_KEY_MAX && r->use <= USE_FREQUENCY && r->ttl_s <= CACHE_TTL_MAX_S;
}

static const char *check_file(struct span file, uint32_t value_version)
{
    if (file.n < SNAPSHOT_HEADER_BYTES + SNAPSHOT_TRAILER_BYTES)
        return "cut short";
    struct cursor c = cursor_of(file);
    if (!span_equal(cursor_take(&c, sizeof magic), span_of(magic, sizeof magic)))
        return "not a cache snapshot";
    if (cursor_u32(&c) != SNAPSHOT_VERSION || cursor_u32(&c) != value_version)
        return "of another version";
    struct cursor end = cursor_of(span_skip(file, file.n - 8));
    struct siphash_stream sum;
    siphash_stream_init(&sum, &checksum_key);
    siphash_stream_add(&sum, span_slice(file, 0, file.n - 8));
    return siphash_stream_value(&sum) == read_u64(&end) ? NULL : "damaged or cut short";
}

/* Every record, before the first is used. NULL, or what is wrong. */
static const char *check_records(struct span body)
{
    struct cursor c = cursor_of(body);
    uint64_t count = 0;
    while (cursor_u8(&c) == 1) {
        struct record r = read_record(&c);
        if (c.failed || !record_valid(&r))
            return "damaged";
        count++;
    }
    return read_u64(&c) == count && cursor_done(&c) ? NULL : "damaged";
}

struct loading
{
    struct cache *cache;
    const struct cache_snapshot_format *format;
    int64_t now_ms;
    int64_t wall_ms;
};

/* True where the entry is in the cache now. */
static bool load_record(const struct loading *l, const struct record *r)
{
    int64_t age_ms = l->wall_ms - r->received_ms;
    if (age_ms < -SNAPSHOT_SKEW_MS || r->received_ms < 0)
        return false;
    if (age_ms < 0)
        age_ms = 0;
    uint32_t kept_s = cache_ttl_seconds(&l->cache->config.ttl, r->outcome, r->ttl_s);
    if (age_ms >= (int64_t)kept_s * 1000)
        return false;
    struct cache_item item = {.outcome = r->outcome, .ttl_s = r->ttl_s};
    if (!l->format->read(r->key, r->value, &item, l->format->context))
        return false;
    enum cache_put_result put =
        cache_put_aged(l->cache, r->key, &item, r->use, l->now_ms - age_ms, l->now_ms);
    if (put == CACHE_STORED)
        return true;
    if (item.release)
        item.release(item.object);
    return false;
}

static size_t load_records(const struct loading *l, struct span body)
{
    struct cursor c = cursor_of(body);
    size_t loaded = 0;
    while (cursor_u8(&c) == 1) {
        struct record r = read_record(&c);
        loaded += load_record(l, &r);
    }
    return loaded;
}

/* All bytes of a regular file of at most `most` bytes, malloc'd; or NULL and *why, "" for absent.
 */
static uint8_t *read_all(int fd, uint64_t most, size_t *n, const char **why)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        *why = "not a regular file";
        return NULL;
    }
    if ((uint64_t)status.st_size > most) {
        *why = "larger than the cache";
        return NULL;
    }
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = malloc(size + 1);
    *n = 0;
    while (bytes && *n < size) {
        ssize_t got = read(fd, bytes + *n, size - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        *n += (size_t)got;
    }
    *why = "no memory";
    return bytes;
}

enum cache_snapshot_result cache_snapshot_read(struct cache *cache, const char *path,
                                               const struct cache_snapshot_format *format,
                                               int64_t now_ms, int64_t wall_ms, size_t *loaded,
                                               struct cache_error *error)
{
    *loaded = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        int code = errno;
        fail(error, "%.180s: %s", path, strerror(code));
        return code == ENOENT ? CACHE_SNAPSHOT_ABSENT : CACHE_SNAPSHOT_IGNORED;
    }
    size_t n = 0;
    const char *why;
    uint64_t most = (uint64_t)cache->config.budget_bytes * SNAPSHOT_MAX_FACTOR;
    uint8_t *bytes = read_all(fd, most, &n, &why);
    close(fd);
    struct span file = span_of(bytes, n), body = file;
    if (bytes)
        why = check_file(file, format->version);
    if (bytes && !why) {
        body = span_slice(file, SNAPSHOT_HEADER_BYTES, n - 8);
        why = check_records(body);
    }
    if (!why) {
        struct loading l = {cache, format, now_ms, wall_ms};
        *loaded = load_records(&l, body);
    }
    free(bytes);
    if (!why)
        return CACHE_SNAPSHOT_LOADED;
    fail(error, "%.180s: ignored: %s", path, why);
    return CACHE_SNAPSHOT_IGNORED;
}
