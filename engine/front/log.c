#include "front/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/chars.h"
#include "engine.h"

enum
{
    EVENTS_COUNTED = 64, /* events beyond these share the last place */
};

/* How often an event was warned of lately. Events are constants: their address is their name. */
struct event_count
{
    const char *event;
    int64_t since_ms;
    uint32_t n, suppressed;
};

static _Atomic int threshold = LOG_LEVEL_NOTICE;
static bool use_syslog;
static pthread_mutex_t counts_lock = PTHREAD_MUTEX_INITIALIZER;
static struct event_count counts[EVENTS_COUNTED];

static const char *const level_words[] = {"error", "warning", "notice", "info", "debug"};
static const int syslog_levels[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};

void log_open(enum log_level level, bool to_syslog, const char *program)
{
    log_set_level(level);
    use_syslog = to_syslog;
    if (to_syslog)
        openlog(program, LOG_PID, LOG_MAIL);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_is_on(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

const char *log_level_word(enum log_level level)
{
    return level_words[level];
}

bool log_level_find(const char *word, enum log_level *level)
{
    for (size_t i = 0; i < COUNT_OF(level_words); i++) {
        if (strcmp(word, level_words[i]) != 0)
            continue;
        *level = (enum log_level)i;
        return true;
    }
    return false;
}

static void put(struct log_line *line, struct span s)
{
    size_t room = sizeof line->text - 1 - line->n; /* a place for the newline */
    if (line->skip || line->full || s.n > room) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->n, s.p, s.n);
    line->n += (uint32_t)s.n;
}

static void put_string(struct log_line *line, const char *s)
{
    put(line, span_from_string(s));
}

static bool is_word(struct span value)
{
    for (size_t i = 0; i < value.n; i++)
        if (!char_is(value.p[i], CHAR_VCHAR) || value.p[i] == '"' || value.p[i] == '\\' ||
            value.p[i] == '=')
            return false;
    return value.n > 0;
}

static void put_escaped(struct log_line *line, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
    char quoted[2] = {'\\', (char)c};
    if (c == '"' || c == '\\')
        put(line, span_of(quoted, 2));
    else if (char_is(c, CHAR_VCHAR) || c == ' ')
        put(line, span_of(&c, 1));
    else
        put(line, span_of(hex, sizeof hex));
}

/* A value whole or not at all: the line may be cut between fields only. */
void log_span(struct log_line *line, const char *key, struct span value)
{
    uint32_t before = line->n;
    bool cut = value.n > LOG_VALUE_MAX;
    if (line->skip || line->full)
        return;
    put_string(line, " ");
    put_string(line, key);
    put_string(line, "=");
    if (cut)
        value.n = LOG_VALUE_MAX;
    if (is_word(value) && !cut) {
        put(line, value);
    } else {
        put_string(line, "\"");
        for (size_t i = 0; i < value.n; i++)
            put_escaped(line, value.p[i]);
        put_string(line, cut ? "...\"" : "\"");
    }
    if (line->full)
        line->n = before;
}

void log_text(struct log_line *line, const char *key, const char *value)
{
    log_span(line, key, span_from_string(value));
}

void log_uint(struct log_line *line, const char *key, uint64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    log_span(line, key, span_of(text, (size_t)n));
}

static struct event_count *count_of(const char *event)
{
    size_t i = 0;
    while (i < EVENTS_COUNTED - 1 && counts[i].event && counts[i].event != event)
        i++;
    counts[i].event = event;
    return &counts[i];
}

/* Whether a warning may be written; *suppressed: how many were not, before it. */
static bool may_warn(const char *event, uint32_t *suppressed)
{
    int64_t now_ms = engine_clock_ms();
    pthread_mutex_lock(&counts_lock);
    struct event_count *count = count_of(event);
    if (count->n == 0 || now_ms - count->since_ms >= LOG_WINDOW_MS) {
        count->since_ms = now_ms;
        count->n = 0;
    }
    bool may = count->n < LOG_BURST;
    count->n++;
    count->suppressed += !may;
    *suppressed = may ? count->suppressed : 0;
    if (may)
        count->suppressed = 0;
    pthread_mutex_unlock(&counts_lock);
    return may;
}

static void put_time(struct log_line *line)
{
    char text[40];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(text, sizeof text, "ts=%Y-%m-%dT%H:%M:%S", &utc);
    put(line, span_of(text, n));
    snprintf(text, sizeof text, ".%03ldZ ", now.tv_nsec / 1000000);
    put_string(line, text);
}

void log_begin(struct log_line *line, enum log_level level, const char *event)
{
    uint32_t suppressed = 0;
    line->level = level;
    line->n = 0;
    line->full = false;
    line->skip = !log_is_on(level) || (level == LOG_LEVEL_WARNING && !may_warn(event, &suppressed));
    if (line->skip)
        return;
    if (!use_syslog)
        put_time(line);
    put_string(line, "level=");
    put_string(line, log_level_word(level));
    log_text(line, "event", event);
    if (suppressed)
        log_uint(line, "suppressed", suppressed);
}

void log_end(struct log_line *line)
{
    if (line->skip)
        return;
    if (use_syslog) {
        syslog(syslog_levels[line->level], "%.*s", (int)line->n, line->text);
        return;
    }
    line->text[line->n++] = '\n';
    ssize_t n = write(STDERR_FILENO, line->text, line->n);
    (void)n; /* a log that cannot be written has nowhere to say so */
}

void log_note(enum log_level level, const char *event, const char *key, const char *value)
{
    struct log_line line;
    log_begin(&line, level, event);
    log_text(&line, key, value);
    log_end(&line);
}
