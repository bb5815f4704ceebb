/*
 * A message's bytes to the judge: LF files as CRLF, copied once into chunks that many messages
 * share, handed over in pieces. Whatever has no room now, the judge or the chunks, makes the reader
 * wait: an archive is read no faster than it is judged.
 *
 * A message begins where at least BULK_HEADER_BYTES are left in the chunk: so much of its header is
 * in one piece when the envelope is looked for there.
 */
#include "bulk.h"

#include <stdlib.h>
#include <time.h>

#include "mail/trace.h"

/* A new chunk in place of the old one, which has been handed over; false when stopping. */
static bool next_chunk(struct bulk *bulk)
{
    struct bulk_feeder *feeder = &bulk->feeder;
    chunk_unref(&feeder->chunk);
    feeder->begin = feeder->at = 0;
    while (!bulk_stopping(bulk)) {
        feeder->chunk = bulk_mailbox_chunk(&bulk->mailbox, BULK_CHUNK_BYTES, BULK_CHUNKS);
        if (feeder->chunk)
            return true;
        bulk_wait(bulk);
    }
    return false;
}

static struct span pending(const struct bulk_feeder *feeder)
{
    return span_of(feeder->chunk->bytes + feeder->begin, feeder->at - feeder->begin);
}

/* What the options do not say is taken from the header, where that is wished. */
static void find_envelope(const struct bulk *bulk, struct span header,
                          struct message_envelope *envelope)
{
    struct mail_trace trace;
    *envelope = bulk->envelope;
    if (!envelope->now)
        envelope->now = time(NULL);
    if (!bulk->options->envelope_from_headers)
        return;
    mail_trace_read(header, (unsigned)bulk->options->trusted_hop, &trace);
    if (envelope->client.family == IP_NONE)
        envelope->client = trace.client;
    if (!envelope->helo.p)
        envelope->helo = trace.helo;
    if (!envelope->mail_from.p)
        envelope->mail_from = trace.mail_from;
}

/* The judge gets the item; false when stopping. */
static bool begin_item(struct bulk *bulk)
{
    struct bulk_feeder *feeder = &bulk->feeder;
    struct message_envelope envelope;
    find_envelope(bulk, pending(feeder), &envelope);
    while (!bulk_stopping(bulk)) {
        if (bulk->in_flight < BULK_IN_FLIGHT &&
            bulk->judge->calls->begin(bulk->judge, feeder->item, &envelope)) {
            bulk->in_flight++;
            feeder->begun = true;
            return true;
        }
        bulk_wait(bulk);
    }
    return false;
}

static bool feed_pending(struct bulk *bulk)
{
    struct bulk_feeder *feeder = &bulk->feeder;
    while (feeder->at > feeder->begin) {
        if (bulk_stopping(bulk))
            return false;
        if (bulk->judge->calls->feed(bulk->judge, feeder->item, feeder->chunk, pending(feeder)))
            feeder->begin = feeder->at;
        else
            bulk_wait(bulk);
    }
    return true;
}

/* What has gathered goes to the judge; without an item where the run stops meanwhile. */
static void hand_over(struct bulk *bulk)
{
    if ((!bulk->feeder.begun && !begin_item(bulk)) || !feed_pending(bulk))
        bulk_feed_drop(bulk);
}

static void gather(void *context, struct span bytes)
{
    struct bulk *bulk = context;
    struct bulk_feeder *feeder = &bulk->feeder;
    while (bytes.n && feeder->item) {
        size_t room = feeder->chunk->capacity - feeder->at;
        size_t n = bytes.n < room ? bytes.n : room;
        memcpy(feeder->chunk->bytes + feeder->at, bytes.p, n);
        feeder->at += (uint32_t)n;
        feeder->item->bytes += n;
        bytes = span_skip(bytes, n);
        if (pending(feeder).n >= BULK_HEADER_BYTES || n == room)
            hand_over(bulk);
        if (feeder->item && feeder->at == feeder->chunk->capacity && !next_chunk(bulk))
            bulk_feed_drop(bulk);
    }
}

static bool chunk_has_room(const struct bulk_feeder *feeder)
{
    return feeder->chunk && feeder->chunk->capacity - feeder->at >= BULK_HEADER_BYTES;
}

void bulk_feed_begin(struct bulk *bulk, const char *name)
{
    struct bulk_feeder *feeder = &bulk->feeder;
    feeder->item = NULL;
    feeder->begun = false;
    if (bulk_stopping(bulk))
        return;
    if (bulk->journal && bulk_journal_has(bulk->journal, name)) {
        bulk->summary.done_before++;
        return;
    }
    if (!chunk_has_room(feeder) && !next_chunk(bulk))
        return;
    feeder->begin = feeder->at;
    line_ends_init(&feeder->ends, gather, bulk);
    feeder->item = bulk_item_new(&bulk->mailbox, bulk->options, name);
    if (!feeder->item)
        bulk_complain(bulk, STATUS_SOFTWARE, "%s: no memory", name);
}

void bulk_feed_bytes(struct bulk *bulk, struct span bytes)
{
    if (bulk->feeder.item)
        line_ends_feed(&bulk->feeder.ends, bytes);
}

void bulk_feed_end(struct bulk *bulk)
{
    struct bulk_feeder *feeder = &bulk->feeder;
    if (feeder->item)
        hand_over(bulk);
    while (feeder->item && !bulk->judge->calls->end(bulk->judge, feeder->item)) {
        bulk_wait(bulk);
        if (bulk_stopping(bulk))
            bulk_feed_drop(bulk);
    }
    feeder->item = NULL;
    bulk_collect(bulk);
}

void bulk_feed_drop(struct bulk *bulk)
{
    struct bulk_feeder *feeder = &bulk->feeder;
    if (!feeder->item)
        return;
    if (feeder->begun)
        bulk->judge->calls->cancel(bulk->judge, feeder->item);
    else
        bulk_item_free(&feeder->item);
    feeder->item = NULL;
}

void bulk_feed_fini(struct bulk *bulk)
{
    bulk_feed_drop(bulk);
    chunk_unref(&bulk->feeder.chunk);
}
