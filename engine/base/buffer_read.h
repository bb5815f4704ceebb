/* A buffer takes what a file, a pipe or a terminal holds. */
#ifndef BASE_BUFFER_READ_H
#define BASE_BUFFER_READ_H

#include "base/buffer.h"

/*
 * Appends what is left of `fd` to an empty buffer, which must have room for `max` octets and one
 * more: that one tells a file that ends from one that goes on. Asks for at most `piece` octets at
 * a time. False with errno: EFBIG where more than `max` octets come, ENOMEM, or what read() said;
 * the buffer then has what came before. May block. Any thread.
 */
bool buffer_read(struct buffer *buffer, int fd, size_t max, size_t piece) MUST_CHECK;

#endif
