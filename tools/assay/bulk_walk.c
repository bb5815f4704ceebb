#include "bulk_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum
{
    NAMES_CEILING = 1024 * 1024 * 1024,
};

enum entry_kind
{
    ENTRY_OTHER = 'o',
    ENTRY_FILE = 'f',
    ENTRY_DIRECTORY = 'd',
};

/* One directory on the way down. */
struct level
{
    DIR *directory;       /* owned */
    struct buffer names;  /* of each entry its kind, its name, NUL */
    const char **entries; /* owned; into `names`, sorted; each points behind the kind */
    size_t count, next;
    size_t path_bytes; /* of its path in walk.path */
    bool maildir;      /* it has cur and new */
    bool messages;     /* it is one of them */
};

struct walk
{
    const struct walk_events *events;
    struct buffer path; /* of the level on top, then of an entry in it; with a NUL behind */
    struct level levels[WALK_DEPTH];
    size_t depth;
};

static enum entry_kind kind_of_mode(int folder_fd, const char *name)
{
    struct stat facts;
    if (fstatat(folder_fd, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return ENTRY_OTHER;
    if (S_ISDIR(facts.st_mode))
        return ENTRY_DIRECTORY;
    return S_ISREG(facts.st_mode) ? ENTRY_FILE : ENTRY_OTHER;
}

static enum entry_kind kind_of(int folder_fd, const struct dirent *entry)
{
    switch (entry->d_type) {
    case DT_REG:
        return ENTRY_FILE;
    case DT_DIR:
        return ENTRY_DIRECTORY;
    case DT_UNKNOWN: /* not every file system says */
        return kind_of_mode(folder_fd, entry->d_name);
    default:
        return ENTRY_OTHER;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool sort_entries(struct level *level)
{
    level->entries = calloc(level->count + 1, sizeof *level->entries);
    if (!level->entries || level->names.failed)
        return false;
    const char *at = (const char *)level->names.p;
    for (size_t i = 0; i < level->count; i++) {
        level->entries[i] = at + 1;
        at += strlen(at) + 1;
    }
    qsort(level->entries, level->count, sizeof *level->entries, by_name);
    return true;
}

/* All entries but those that no archive means; 0 or errno. */
static int read_names(struct level *level)
{
    bool has_cur = false, has_new = false;
    int fd = dirfd(level->directory);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(level->directory);
        if (!entry)
            break;
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        enum entry_kind kind = kind_of(fd, entry);
        if (kind == ENTRY_OTHER)
            continue;
        has_cur = has_cur || (kind == ENTRY_DIRECTORY && strcmp(name, "cur") == 0);
        has_new = has_new || (kind == ENTRY_DIRECTORY && strcmp(name, "new") == 0);
        buffer_append_byte(&level->names, (uint8_t)kind);
        buffer_append(&level->names, span_of(name, strlen(name) + 1));
        level->count++;
    }
    level->maildir = has_cur && has_new;
    if (errno)
        return errno;
    return sort_entries(level) ? 0 : ENOMEM;
}

static void leave(struct walk *walk)
{
    struct level *level = &walk->levels[--walk->depth];
    if (level->directory)
        closedir(level->directory);
    free(level->entries);
    buffer_fini(&level->names);
}

static void complain_of(struct walk *walk, int error)
{
    if (walk->events->trouble)
        walk->events->trouble(walk->events->context, (const char *)walk->path.p, error);
}

/* walk->path is the directory's. Owns `fd`. */
static void enter(struct walk *walk, int fd, bool messages)
{
    struct level *level = &walk->levels[walk->depth++];
    *level = (struct level){.path_bytes = walk->path.n - 1, .messages = messages};
    buffer_init(&level->names, NAMES_CEILING);
    level->directory = fdopendir(fd);
    int error = errno;
    if (!level->directory)
        close(fd);
    else
        error = read_names(level);
    if (!error)
        return;
    complain_of(walk, error);
    leave(walk);
}

/* The path of an entry of the level on top, in walk->path; false where it is too long. */
static bool append_name(struct walk *walk, const struct level *level, const char *name)
{
    walk->path.n = level->path_bytes;
    if (walk->path.n == 0 || walk->path.p[walk->path.n - 1] != '/')
        buffer_append_byte(&walk->path, '/');
    buffer_append(&walk->path, span_of(name, strlen(name) + 1));
    if (!walk->path.failed)
        return true;
    walk->path.failed = false;
    walk->path.n = level->path_bytes;
    buffer_append_byte(&walk->path, '\0');
    complain_of(walk, ENAMETOOLONG);
    return false;
}

static bool is_maildir(int folder_fd, const char *name)
{
    char path[NAME_MAX + 5];
    size_t n = strlen(name);
    if (n > NAME_MAX)
        return false;
    memcpy(path, name, n);
    memcpy(path + n, "/cur", sizeof "/cur");
    bool has_cur = kind_of_mode(folder_fd, path) == ENTRY_DIRECTORY;
    memcpy(path + n, "/new", sizeof "/new");
    return has_cur && kind_of_mode(folder_fd, path) == ENTRY_DIRECTORY;
}

/* Does the walk go into this directory? */
static bool is_wanted(const struct level *level, const char *name)
{
    if (level->messages)
        return false;
    if (name[0] == '.')
        return level->maildir && is_maildir(dirfd(level->directory), name);
    return !level->maildir || strcmp(name, "tmp") != 0;
}

static void go_down(struct walk *walk, const struct level *level, const char *name)
{
    bool messages = level->maildir && (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0);
    if (walk->depth == WALK_DEPTH) {
        complain_of(walk, ELOOP);
        return;
    }
    int fd = openat(dirfd(level->directory), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        complain_of(walk, errno);
    else
        enter(walk, fd, messages);
}

static bool take_file(struct walk *walk, const struct level *level, const char *name)
{
    struct walk_file file = {
        .path = (const char *)walk->path.p,
        .folder_fd = dirfd(level->directory),
        .name = name,
        .in_maildir = level->messages,
    };
    return walk->events->file(walk->events->context, &file);
}

/* The next entry of the level on top; false ends the walk. */
static bool step(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    if (level->next == level->count) {
        leave(walk);
        return true;
    }
    const char *name = level->entries[level->next++];
    bool directory = name[-1] == ENTRY_DIRECTORY;
    bool wanted = directory ? is_wanted(level, name) : name[0] != '.' && !level->maildir;
    if (!wanted || !append_name(walk, level, name))
        return true;
    if (!directory)
        return take_file(walk, level, name);
    go_down(walk, level, name);
    return true;
}

void walk_directory(const char *path, int fd, const struct walk_events *events)
{
    struct walk *walk = calloc(1, sizeof *walk);
    if (!walk) {
        close(fd);
        if (events->trouble)
            events->trouble(events->context, path, ENOMEM);
        return;
    }
    walk->events = events;
    buffer_init(&walk->path, WALK_PATH_MAX);
    buffer_append(&walk->path, span_of(path, strlen(path) + 1));
    if (walk->path.failed) {
        close(fd);
        if (events->trouble)
            events->trouble(events->context, path, ENAMETOOLONG);
    } else {
        enter(walk, fd, false);
    }
    while (walk->depth && step(walk))
        ;
    while (walk->depth)
        leave(walk);
    buffer_fini(&walk->path);
    free(walk);
}
