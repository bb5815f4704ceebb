/*
 * The log: one logfmt line a record, to stderr or syslog (security.md J08).
 *
 *   struct log_line line;
 *   log_begin(&line, LOG_LEVEL_WARNING, "peer_refused");
 *   log_uint(&line, "uid", peer->uid);
 *   log_end(&line);
 *
 * Keys and events are constants. Values are quoted where they are no plain word; control
 * characters, quotes and 8-bit bytes are escaped; a value is cut at LOG_VALUE_MAX, a line at
 * LOG_LINE_MAX. Warnings of one event beyond LOG_BURST in LOG_WINDOW_MS are counted and told with
 * the next that is written ("suppressed=N").
 *
 * Threads: log_open before others start; lines from any thread; a line goes out in one write.
 */
#ifndef FRONT_LOG_H
#define FRONT_LOG_H

#include "base/attributes.h"
#include "base/span.h"

enum log_level
{
    LOG_LEVEL_ERROR = 0,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_NOTICE, /* start, stop, reload */
    LOG_LEVEL_INFO,   /* one line a message */
    LOG_LEVEL_DEBUG,
};

enum
{
    LOG_LINE_MAX = 2048,
    LOG_VALUE_MAX = 256,
    LOG_BURST = 10,
    LOG_WINDOW_MS = 10000,
};

struct log_line
{
    enum log_level level;
    bool skip;
    bool full; /* what did not fit was left out */
    uint32_t n;
    char text[LOG_LINE_MAX];
};

void log_open(enum log_level level, bool to_syslog, const char *program);
void log_set_level(enum log_level level);
bool log_is_on(enum log_level level);
const char *log_level_word(enum log_level level);
/* False where `word` is none: "error", "warning", "notice", "info", "debug". */
bool log_level_find(const char *word, enum log_level *level) MUST_CHECK;

void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_span(struct log_line *line, const char *key, struct span value);
void log_text(struct log_line *line, const char *key, const char *value);
void log_uint(struct log_line *line, const char *key, uint64_t value);
void log_end(struct log_line *line);

/* event and one text: the short form. */
void log_note(enum log_level level, const char *event, const char *key, const char *value);

#endif
