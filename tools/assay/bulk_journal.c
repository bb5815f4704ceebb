#include "bulk_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cache/siphash.h"

static const char heading[] = "assay bulk journal 1\n";

enum
{
    HEADING_BYTES = sizeof heading - 1,
    JOURNAL_SYNC_MS = 1000,
    NOTED_CEILING = 64 * 1024 * 1024,
    FIRST_SLOTS = 4096,
};

struct print
{
    uint64_t a, b; /* both 0: an empty slot */
};

struct bulk_journal
{
    int fd;
    struct siphash_key key[2];
    struct print *slots; /* owned; open addressing, a power of two, at most half full */
    size_t capacity, count;
    struct buffer noted; /* lines to be written */
    int64_t synced_ms;
    bool unsynced;
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct print print_of(const struct bulk_journal *journal, struct span line)
{
    struct print print = {siphash13(&journal->key[0], line), siphash13(&journal->key[1], line)};
    if (print.a == 0 && print.b == 0)
        print.b = 1;
    return print;
}

static size_t slot_of(const struct print *slots, size_t capacity, struct print print)
{
    size_t at = print.a & (capacity - 1);
    while ((slots[at].a || slots[at].b) && (slots[at].a != print.a || slots[at].b != print.b))
        at = (at + 1) & (capacity - 1);
    return at;
}

static bool grow(struct bulk_journal *journal)
{
    size_t capacity = journal->capacity ? journal->capacity * 2 : FIRST_SLOTS;
    struct print *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < journal->capacity; i++)
        if (journal->slots[i].a || journal->slots[i].b)
            slots[slot_of(slots, capacity, journal->slots[i])] = journal->slots[i];
    free(journal->slots);
    journal->slots = slots;
    journal->capacity = capacity;
    return true;
}

static bool remember(struct bulk_journal *journal, struct span line)
{
    if (2 * (journal->count + 1) > journal->capacity && !grow(journal))
        return false;
    struct print print = print_of(journal, line);
    struct print *slot = &journal->slots[slot_of(journal->slots, journal->capacity, print)];
    journal->count += slot->a == 0 && slot->b == 0;
    *slot = print;
    return true;
}

static void append_name(struct buffer *line, const char *name)
{
    for (const char *c = name; *c; c++) {
        if ((uint8_t)*c < 0x20 || *c == 0x7f || *c == '%')
            buffer_printf(line, "%%%02X", (uint8_t)*c);
        else
            buffer_append_byte(line, (uint8_t)*c);
    }
}

/* Takes the complete lines of `text`; returns the octets that they had. */
static size_t read_lines(struct bulk_journal *journal, struct span text, bool *memory)
{
    size_t taken = 0;
    for (;;) {
        size_t lf = span_find(span_skip(text, taken), '\n');
        if (taken + lf == text.n)
            return taken;
        *memory = *memory && remember(journal, span_slice(text, taken, taken + lf));
        taken += lf + 1;
    }
}

/* All lines behind the heading; *end gets where the last complete one ends. */
static bool read_journal(struct bulk_journal *journal, off_t *end)
{
    bool memory = true;
    struct buffer text;
    buffer_init(&text, NOTED_CEILING);
    *end = HEADING_BYTES;
    for (;;) {
        uint8_t *room = buffer_reserve(&text, 256 * 1024);
        ssize_t n = room ? pread(journal->fd, room, 256 * 1024, *end + (off_t)text.n) : -1;
        memory = memory && room;
        if (n <= 0 || !memory) {
            buffer_fini(&text);
            errno = memory ? errno : ENOMEM;
            return n == 0 && memory;
        }
        buffer_commit(&text, (size_t)n);
        size_t taken = read_lines(journal, buffer_span(&text), &memory);
        memmove(text.p, text.p + taken, text.n - taken);
        text.n -= taken;
        *end += (off_t)taken;
    }
}

static bool write_all(int fd, struct span bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno != EINTR)
            return false;
        bytes = span_skip(bytes, n > 0 ? (size_t)n : 0);
    }
    return true;
}

/* A journal that was killed within its first line begins anew; false with `what` is wrong. */
static bool open_content(struct bulk_journal *journal, const char **what)
{
    char begin[HEADING_BYTES];
    ssize_t n = pread(journal->fd, begin, sizeof begin, 0);
    off_t end = 0;
    *what = NULL;
    if (n < 0)
        return false;
    if (memcmp(begin, heading, (size_t)n) != 0) {
        *what = "is no journal of assay bulk";
        return false;
    }
    if (n == HEADING_BYTES && !read_journal(journal, &end))
        return false;
    if (ftruncate(journal->fd, end) != 0)
        return false;
    return end || write_all(journal->fd, span_of(heading, HEADING_BYTES));
}

static bool open_journal(struct bulk_journal *journal, const char *path, const char **what)
{
    uint8_t key[2][SIPHASH_KEY_BYTES];
    *what = NULL;
    if (getrandom(key, sizeof key, 0) != sizeof key || !grow(journal))
        return false;
    journal->key[0] = siphash_key_from(key[0]);
    journal->key[1] = siphash_key_from(key[1]);
    journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (journal->fd < 0)
        return false;
    if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
        *what = "another run is writing it";
        return false;
    }
    return open_content(journal, what);
}

struct bulk_journal *bulk_journal_open(const char *path, char error[BULK_JOURNAL_ERROR_MAX])
{
    const char *what = NULL;
    struct bulk_journal *journal = calloc(1, sizeof *journal);
    if (!journal) {
        snprintf(error, BULK_JOURNAL_ERROR_MAX, "no memory");
        return NULL;
    }
    journal->fd = -1;
    journal->synced_ms = clock_ms();
    buffer_init(&journal->noted, NOTED_CEILING);
    if (open_journal(journal, path, &what))
        return journal;
    snprintf(error, BULK_JOURNAL_ERROR_MAX, "%.150s: %s", path, what ? what : strerror(errno));
    bulk_journal_close(&journal);
    return NULL;
}

bool bulk_journal_has(const struct bulk_journal *journal, const char *name)
{
    struct buffer line;
    buffer_init(&line, NOTED_CEILING);
    append_name(&line, name);
    struct print print = print_of(journal, buffer_span(&line));
    size_t slot = slot_of(journal->slots, journal->capacity, print);
    bool has = !line.failed && (journal->slots[slot].a || journal->slots[slot].b);
    buffer_fini(&line);
    return has;
}

void bulk_journal_add(struct bulk_journal *journal, const char *name)
{
    append_name(&journal->noted, name);
    buffer_append_byte(&journal->noted, '\n');
}

void bulk_journal_forget(struct bulk_journal *journal)
{
    buffer_reset(&journal->noted);
}

bool bulk_journal_flush(struct bulk_journal *journal, bool sync)
{
    if (journal->noted.failed) {
        errno = ENOMEM;
        return false;
    }
    if (!write_all(journal->fd, buffer_span(&journal->noted)))
        return false;
    journal->unsynced = journal->unsynced || journal->noted.n;
    buffer_reset(&journal->noted);
    int64_t now_ms = clock_ms();
    if (!journal->unsynced || (!sync && now_ms - journal->synced_ms < JOURNAL_SYNC_MS))
        return true;
    journal->synced_ms = now_ms;
    journal->unsynced = false;
    return fdatasync(journal->fd) == 0 || errno == EINVAL; /* EINVAL: no file on a disk */
}

void bulk_journal_close(struct bulk_journal **journal)
{
    if (!*journal)
        return;
    if ((*journal)->fd >= 0) {
        bool written = bulk_journal_flush(*journal, true);
        (void)written; /* who wants to know has flushed before */
        close((*journal)->fd);
    }
    buffer_fini(&(*journal)->noted);
    free((*journal)->slots);
    free(*journal);
    *journal = NULL;
}
