/* Files read to their end: the limit at one below, at it and above, whatever the piece. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buffer_read.h"

enum
{
    LIMIT = 100,
};

static const size_t pieces[] = {1, 7, LIMIT - 1, LIMIT, LIMIT + 1, 4096};

/* `n` octets from a pipe, which tells no size beforehand. */
static bool read_octets(struct buffer *buffer, size_t n, size_t max, size_t piece)
{
    static const char octets[2 * LIMIT] = "abc";
    int ends[2];
    cr_assert(pipe(ends) == 0 && write(ends[1], octets, n) == (ssize_t)n);
    close(ends[1]);
    errno = 0;
    bool good = buffer_read(buffer, ends[0], max, piece);
    int said = errno;
    close(ends[0]);
    errno = said;
    return good;
}

Test(buffer_read, up_to_the_limit_in_any_pieces)
{
    static const size_t counts[] = {0, 1, 3, LIMIT - 1, LIMIT};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            struct buffer buffer;
            buffer_init(&buffer, LIMIT + 1);
            cr_expect(read_octets(&buffer, counts[c], LIMIT, pieces[p]) && !buffer.failed);
            cr_expect(buffer.n == counts[c], "%zu by %zu: got %zu", counts[c], pieces[p], buffer.n);
            cr_expect(buffer.n < 3 || memcmp(buffer.p, "abc", 3) == 0);
            buffer_fini(&buffer);
        }
}

Test(buffer_read, one_octet_more_is_too_large)
{
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct buffer buffer;
        buffer_init(&buffer, LIMIT + 1);
        cr_expect(!read_octets(&buffer, LIMIT + 1, LIMIT, pieces[p]) && errno == EFBIG,
                  "by %zu: %s", pieces[p], strerror(errno));
        buffer_fini(&buffer);
    }
}

Test(buffer_read, without_a_limit)
{
    struct buffer buffer;
    buffer_init(&buffer, SIZE_MAX);
    cr_expect(read_octets(&buffer, LIMIT, SIZE_MAX, 16) && buffer.n == LIMIT);
    buffer_fini(&buffer);
}

Test(buffer_read, says_what_is_wrong)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT + 1);
    int folder = open("/", O_RDONLY | O_CLOEXEC);
    cr_expect(!buffer_read(&buffer, folder, LIMIT, LIMIT) && errno == EISDIR);
    close(folder);
    cr_expect(!buffer_read(&buffer, -1, LIMIT, LIMIT) && errno == EBADF);
    buffer_fini(&buffer);
    buffer_init(&buffer, LIMIT); /* no room for the limit and one: memory, not the file's size */
    cr_expect(!read_octets(&buffer, LIMIT, LIMIT, 4096) && errno == ENOMEM);
    buffer_fini(&buffer);
}
