/*
 * The way of a message's bytes from a request to its task: the limit, and LF line ends where the
 * client wishes them read as CRLF.
 */
#include "front/front.h"

enum
{
    LINE_CHUNK_BYTES = 64 * 1024,
};

static void flush_line_chunk(struct request *request)
{
    struct chunk *chunk = request->line_chunk;
    if (!chunk || request->line_used == 0)
        return;
    request->front->backend.feed(request->task, chunk, span_of(chunk->bytes, request->line_used));
    chunk_unref(&request->line_chunk);
    request->line_used = 0;
}

/* line_ends' sink: CRLF text is collected in chunks of its own. */
static void collect(void *context, struct span bytes)
{
    struct request *request = context;
    while (bytes.n && !atomic_load_explicit(&request->why, memory_order_relaxed)) {
        if (!request->line_chunk)
            request->line_chunk = chunk_new(LINE_CHUNK_BYTES);
        if (!request->line_chunk) {
            request_refuse(request, FRONT_INTERNAL, "no memory");
            return;
        }
        size_t room = LINE_CHUNK_BYTES - request->line_used;
        size_t n = bytes.n < room ? bytes.n : room;
        memcpy(request->line_chunk->bytes + request->line_used, bytes.p, n);
        request->line_used += (uint32_t)n;
        bytes = span_skip(bytes, n);
        if (request->line_used == LINE_CHUNK_BYTES)
            flush_line_chunk(request);
    }
}

bool request_feed(struct request *request, struct chunk *chunk, struct span bytes)
{
    if (bytes.n > request->message_bytes - request->bytes) {
        request_refuse(request, FRONT_TOO_LARGE, "message over the limit");
        return false;
    }
    request->bytes += bytes.n;
    if (bytes.n == 0)
        return true;
    if (!(request->wishes & WISH_LF)) {
        request->front->backend.feed(request->task, chunk, bytes);
        return true;
    }
    if (!request->ends.sink)
        line_ends_init(&request->ends, collect, request);
    line_ends_feed(&request->ends, bytes);
    return atomic_load_explicit(&request->why, memory_order_relaxed) == FRONT_OK;
}

void request_end(struct request *request)
{
    flush_line_chunk(request);
    request->front->backend.end(request->task);
}
