#include "mail/canon.h"

enum
{
    PIECE = 4096,
};

void canon_pipe_init(struct canon_pipe *pipe, enum canon canon, canon_sink *sink, void *context)
{
    canon_body_init(&pipe->body, canon);
    pipe->sink = sink;
    pipe->context = context;
}

void canon_pipe_feed(struct canon_pipe *pipe, struct span bytes)
{
    uint8_t piece[PIECE];
    while (bytes.n) {
        size_t n = canon_body_step(&pipe->body, &bytes, piece, sizeof piece);
        if (n)
            pipe->sink(pipe->context, span_of(piece, n));
    }
}

void canon_pipe_end(struct canon_pipe *pipe)
{
    uint8_t piece[PIECE];
    size_t n;
    while ((n = canon_body_finish(&pipe->body, piece, sizeof piece)) != 0)
        pipe->sink(pipe->context, span_of(piece, n));
}
