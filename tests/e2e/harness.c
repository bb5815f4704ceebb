#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mail/line_ends.h"

static void add_text(struct buffer *zone, struct span data)
{
    for (size_t at = 0; at < data.n || at == 0; at += 200) {
        buffer_append_string(zone, " \"");
        for (size_t i = at; i < data.n && i < at + 200; i++) {
            if (data.p[i] == '"' || data.p[i] == '\\' || data.p[i] < 0x20 || data.p[i] > 0x7e)
                buffer_printf(zone, "\\%03u", data.p[i]);
            else
                buffer_append_byte(zone, data.p[i]);
        }
        buffer_append_byte(zone, '"');
    }
}

void zone_add(struct buffer *zone, struct span name, struct span type, struct span data)
{
    bool is_word = data.n && data.p[0] == '!';
    buffer_append(zone, name);
    buffer_append_byte(zone, ' ');
    buffer_append(zone, type);
    if (span_equal(type, SPAN("TXT")) && !is_word) {
        add_text(zone, data);
    } else {
        buffer_append_byte(zone, ' ');
        buffer_append(zone, data);
    }
    buffer_append_byte(zone, '\n');
}

struct assay_engine *engine_over(const struct buffer *zone)
{
    char path[] = "/tmp/assay-zone-XXXXXX";
    char error[ASSAY_ERROR_MAX] = "";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && !zone->failed);
    cr_assert(zone->n == 0 || write(fd, zone->p, zone->n) == (ssize_t)zone->n);
    close(fd);
    struct assay_config config = {
        .size = sizeof config,
        .authserv_id = "mx.example.net",
        .zone_file = path,
        .reject = 1,
        .spf_explanation = 1,
    };
    struct assay_engine *engine = assay_engine_open(&config, error);
    unlink(path);
    cr_assert(engine != NULL, "%s", error);
    return engine;
}

struct feeder
{
    struct assay_message *message;
    size_t piece;
};

static void feed(void *context, struct span bytes)
{
    struct feeder *feeder = context;
    while (bytes.n) {
        size_t n = feeder->piece && feeder->piece < bytes.n ? feeder->piece : bytes.n;
        enum assay_status status = assay_message_feed(feeder->message, bytes.p, n);
        cr_assert(status == ASSAY_OK || status == ASSAY_TOO_LARGE);
        bytes = span_skip(bytes, n);
    }
}

static struct span copy(const char *text)
{
    cr_assert(text != NULL);
    return span_from_string(strdup(text));
}

struct judged judge_text(struct assay_engine *engine, const struct assay_envelope *envelope,
                         struct span text, size_t piece)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_message *message = assay_message_begin(engine, envelope, error);
    cr_assert(message != NULL, "%s", error);
    struct feeder feeder = {message, piece};
    struct line_ends ends;
    line_ends_init(&ends, feed, &feeder);
    line_ends_feed(&ends, text);
    enum assay_status status = assay_message_end(message);
    cr_assert(status == ASSAY_OK || status == ASSAY_NO_MESSAGE || status == ASSAY_TOO_LARGE);
    struct judged judged = {
        .spf = assay_message_spf(message),
        .dkim = assay_message_dkim(message),
        .arc = assay_message_arc(message),
        .dmarc = assay_message_dmarc(message),
        .disposition = assay_message_disposition(message),
        .json = copy(assay_message_json(message)),
        .results = copy(assay_message_results(message)),
    };
    assay_message_free(&message);
    return judged;
}
