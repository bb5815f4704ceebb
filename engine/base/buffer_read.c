#include "base/buffer_read.h"

#include <errno.h>
#include <unistd.h>

bool buffer_read(struct buffer *buffer, int fd, size_t max, size_t piece)
{
    assert(buffer->n == 0 && piece > 0);
    for (;;) {
        size_t left = max - buffer->n; /* `max` may be SIZE_MAX: one more only below `piece` */
        size_t wanted = left < piece ? left + 1 : piece;
        uint8_t *room = buffer_reserve(buffer, wanted);
        if (!room) {
            errno = ENOMEM;
            return false;
        }
        ssize_t n = read(fd, room, wanted);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        buffer_commit(buffer, (size_t)n);
        if (buffer->n > max) {
            errno = EFBIG;
            return false;
        }
    }
}
