/*
 * Lanes. Each turn hashes as many blocks as every active lane has, then refills only those that ran
 * out: with the next octets of their source, or with the next job. Sources come first, since they
 * are longer: texts fill what they leave.
 *
 * A lane's octets stand in its stage with the begun block of the state in front of them, so that
 * they are whole blocks from there on; what is left over goes into the state before they are
 * hashed.
 */
#include "crypto/hash_queue.h"

struct lane
{
    const uint8_t *p;
    size_t blocks;
    uint32_t *h;
    struct hash_source *source; /* or */
    const struct hash_text *text;
    uint32_t text_h[8];
    uint8_t *stage;
};

/* Octets at `p`, the state's begun block among them, are about to be hashed up to the last whole
 * block. Returns how many blocks. */
static size_t settle(struct hash_source *source, uint8_t *p, size_t n)
{
    struct sha256 *state = &source->state;
    if (source->last)
        n += sha256_pad(p + n, state->bytes);
    size_t left = n % SHA256_BLOCK_BYTES;
    memcpy(state->block, p + n - left, left);
    return n / SHA256_BLOCK_BYTES;
}

/* Whole blocks of the lane's source. False: it has none now. */
static bool lane_pull(struct lane *lane)
{
    struct hash_source *source = lane->source;
    uint8_t *fresh = lane->stage + SHA256_BLOCK_BYTES;
    do {
        size_t n = source->more(source, fresh, HASH_ROOM);
        if (n == 0 && !source->last)
            return false;
        size_t begun = source->state.bytes % SHA256_BLOCK_BYTES;
        source->state.bytes += n;
        memcpy(fresh - begun, source->state.block, begun);
        lane->p = fresh - begun;
        lane->blocks = settle(source, fresh - begun, begun + n);
    } while (lane->blocks == 0);
    lane->h = source->state.h;
    return true;
}

static void lane_end_source(struct lane *lane)
{
    uint8_t digest[SHA256_BYTES];
    sha256_give(lane->h, digest);
    lane->source->ended(lane->source, digest);
    lane->source = NULL;
}

static bool lane_take_source(struct hash_queue *queue, struct lane *lane)
{
    while (queue->first) {
        lane->source = queue->first;
        queue->first = lane->source->next;
        if (lane_pull(lane))
            return true;
    }
    lane->source = NULL;
    return false;
}

static bool lane_take_text(struct hash_queue *queue, struct lane *lane)
{
    if (queue->text_taken == queue->text_count)
        return false;
    lane->text = &queue->texts[queue->text_taken++];
    lane->p = lane->text->p;
    lane->blocks = lane->text->blocks;
    lane->h = lane->text_h;
    memcpy(lane->text_h, sha256_start, sizeof lane->text_h);
    return true;
}

/* The lane has hashed what it had. False: there is nothing more for it. */
static bool lane_refill(struct hash_queue *queue, struct lane *lane)
{
    if (lane->source && lane->source->last)
        lane_end_source(lane);
    if (lane->source && lane_pull(lane))
        return true;
    if (lane->text)
        sha256_give(lane->text_h, lane->text->out);
    lane->text = NULL;
    return lane_take_source(queue, lane) || lane_take_text(queue, lane);
}

/* Hashes what all of them have. */
static void turn(const struct sha256_kernel *kernel, struct lane *const *lanes, unsigned n)
{
    uint32_t *h[SHA256_LANES_MAX];
    const uint8_t *p[SHA256_LANES_MAX];
    size_t blocks = lanes[0]->blocks;
    for (unsigned i = 0; i < n; i++) {
        h[i] = lanes[i]->h;
        p[i] = lanes[i]->p;
        blocks = blocks < lanes[i]->blocks ? blocks : lanes[i]->blocks;
    }
    kernel->blocks[n](h, p, blocks);
    for (unsigned i = 0; i < n; i++) {
        lanes[i]->p += blocks * SHA256_BLOCK_BYTES;
        lanes[i]->blocks -= blocks;
    }
}

static void run_lanes(struct hash_queue *queue, const struct sha256_kernel *kernel)
{
    struct lane lanes[SHA256_LANES_MAX];
    struct lane *active[SHA256_LANES_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < kernel->lanes; i++) {
        lanes[i] = (struct lane){.stage = queue->stage[i]};
        if (lane_refill(queue, &lanes[i]))
            active[n++] = &lanes[i];
    }
    while (n) {
        turn(kernel, active, n);
        for (unsigned i = n; i-- > 0;)
            if (active[i]->blocks == 0 && !lane_refill(queue, active[i]))
                active[i] = active[--n];
    }
}

void hash_queue_init(struct hash_queue *queue)
{
    queue->runs = 1;
    queue->first = NULL;
    queue->end = &queue->first;
    queue->text_count = queue->text_taken = 0;
    queue->text_begun = 0;
    buffer_init(&queue->text, HASH_TEXT_BYTES);
}

void hash_queue_fini(struct hash_queue *queue)
{
    buffer_fini(&queue->text);
}

void hash_queue_run(struct hash_queue *queue)
{
    *queue->end = NULL;
    run_lanes(queue, sha256_chosen());
    assert(!queue->first && queue->text_taken == queue->text_count);
    queue->runs++;
    queue->end = &queue->first;
    queue->text_count = queue->text_taken = 0;
    queue->text_begun = 0;
    buffer_reset(&queue->text);
}

void hash_queue_add(struct hash_queue *queue, struct hash_source *source)
{
    *queue->end = source;
    queue->end = &source->next;
}

struct buffer *hash_queue_text(struct hash_queue *queue)
{
    if (queue->text_count == HASH_TEXTS)
        hash_queue_run(queue);
    /* All its memory at once: texts must not move. Without it no text fits. */
    if (queue->text.capacity < HASH_TEXT_BYTES && !buffer_reserve(&queue->text, HASH_TEXT_BYTES))
        queue->text.failed = true;
    queue->text_begun = queue->text.n;
    return &queue->text;
}

static bool drop_text(struct hash_queue *queue)
{
    queue->text.n = queue->text_begun;
    hash_queue_run(queue);
    return false;
}

bool hash_queue_text_keep(struct hash_queue *queue, struct span *kept)
{
    if (queue->text.failed)
        return drop_text(queue);
    *kept = span_skip(buffer_span(&queue->text), queue->text_begun);
    return true;
}

bool hash_queue_text_end(struct hash_queue *queue, uint8_t out[SHA256_BYTES])
{
    struct buffer *text = &queue->text;
    size_t n = text->n - queue->text_begun;
    uint8_t *padding = buffer_reserve(text, SHA256_PADDING_MAX);
    if (!padding)
        return drop_text(queue);
    n += sha256_pad(padding, n);
    queue->texts[queue->text_count++] = (struct hash_text){
        .p = text->p + queue->text_begun,
        .blocks = n / SHA256_BLOCK_BYTES,
        .out = out,
    };
    text->n = queue->text_begun + n;
    return true;
}

void hash_source_run(struct hash_source *source)
{
    uint8_t piece[HASH_ROOM_ALONE];
    uint8_t digest[SHA256_BYTES];
    size_t n;
    while (!source->last && (n = source->more(source, piece, sizeof piece)) != 0)
        sha256_update(&source->state, span_of(piece, n));
    if (!source->last)
        return;
    sha256_peek(&source->state, digest);
    source->ended(source, digest);
}
