/*
 * Where a profile is: beside a tree's build folder (share/profiles), or where `make install` puts
 * it (PREFIX/share/assay/profiles), both seen from the program itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer_read.h"
#include "profile.h"

enum
{
    PATH_BYTES_MAX = 4096,
    READ_BYTES = 1024,
};

/* Without the last part; false where there is none. */
static bool cut_last(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

/* "DIR/../PLACE/NAME.conf" for each place, DIR being the program's; NULL where none is there. */
static char *find_beside_program(const char *name)
{
    static const char *const places[] = {
        "../share/assay/profiles", /* PREFIX/bin/assay */
        "../share/profiles",       /* build/assay */
        "../../share/profiles",    /* build/clang/assay, build/address/assay */
    };
    char program[PATH_BYTES_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return NULL;
    program[n] = '\0';
    if (!cut_last(program))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s/%s.conf", program, places[i], name) < 0)
            return NULL;
        if (access(path, R_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static bool is_path(const char *name)
{
    return strchr(name, '/') || strchr(name, '.') || !*name;
}

static int read_file(const char *path, struct buffer *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buffer_init(text, PROFILE_BYTES_MAX + 1);
    bool good = fd >= 0 && buffer_read(text, fd, PROFILE_BYTES_MAX, READ_BYTES);
    int problem = good ? 0 : errno;
    if (fd >= 0)
        close(fd);
    if (good)
        return STATUS_OK;
    if (problem == EFBIG)
        complain("--profile: %s:1: more than %d octets", path, PROFILE_BYTES_MAX);
    else
        complain("--profile: %s: %s", path, strerror(problem));
    return problem == EFBIG ? STATUS_CONFIG : STATUS_NO_INPUT;
}

static int read_profile(const char *path, struct arena *arena, struct profile *profile)
{
    struct buffer text;
    int status = read_file(path, &text);
    if (!status && !profile_parse(buffer_span(&text), path, arena, profile))
        status = STATUS_CONFIG;
    profile->path = arena_string(arena, span_from_string(path));
    buffer_fini(&text);
    return status;
}

int profile_open(const char *name, struct arena *arena, struct profile *profile)
{
    *profile = (struct profile){0};
    profile->name = name;
    if (is_path(name))
        return read_profile(name, arena, profile);
    char *path = find_beside_program(name);
    if (!path) {
        complain("--profile: there is no profile \"%s\" in share/assay/profiles", name);
        return STATUS_NO_INPUT;
    }
    int status = read_profile(path, arena, profile);
    free(path);
    return status;
}
