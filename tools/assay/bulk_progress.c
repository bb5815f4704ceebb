#include "bulk_progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine.h"

enum
{
    DRAW_MS = 100,
    BAR_COLUMNS = 20,
    LINE_MAX_BYTES = 256,
    LINE_COLUMNS = 80, /* where the terminal does not say */
};

void bulk_progress_begin(struct bulk_progress *progress)
{
    const char *terminal = getenv("TERM");
    bool dumb = terminal && strcmp(terminal, "dumb") == 0;
    progress->on = isatty(STDERR_FILENO) && !dumb;
    progress->begin_ms = engine_clock_ms();
}

const char *bulk_text_count(uint64_t count, char out[32])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *bulk_text_bytes(uint64_t bytes, char out[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    unsigned unit = 0;
    for (; value >= 999.5 && unit + 1 < COUNT_OF(units); unit++)
        value /= 1000;
    snprintf(out, 32, unit && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

static unsigned columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return LINE_COLUMNS;
    return size.ws_col;
}

static double seconds_of(const struct bulk_progress *progress, int64_t now_ms)
{
    double seconds = (double)(now_ms - progress->begin_ms) / 1000;
    return seconds > 0.001 ? seconds : 0.001;
}

/* " ETA 1:02:03", or nothing while there is no telling. */
static void put_eta(const struct bulk_progress *progress, double seconds, char out[32])
{
    out[0] = '\0';
    if (progress->read_bytes == 0 || seconds < 0.5 ||
        progress->passed_bytes > progress->total_bytes)
        return;
    uint64_t left = progress->total_bytes - progress->passed_bytes;
    double eta = (double)left * seconds / (double)progress->read_bytes;
    unsigned long long s = eta < 359999 ? (unsigned long long)(eta + 0.5) : 359999;
    if (s >= 3600)
        snprintf(out, 32, ", ETA %llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 32, ", ETA %llu:%02llu", s / 60, s % 60);
}

static int put_bar(const struct bulk_progress *progress, char *out, size_t size)
{
    static const char full[] = "####################", empty[] = "....................";
    STATIC_ASSERT(sizeof full == BAR_COLUMNS + 1 && sizeof empty == sizeof full);
    double part = (double)progress->passed_bytes / (double)progress->total_bytes;
    part = part < 1 ? part : 1;
    int n = (int)(part * BAR_COLUMNS);
    char passed[32], total[32];
    return snprintf(out, size, "[%.*s%.*s] %3.0f%%  %s/%s, ", n, full, BAR_COLUMNS - n, empty,
                    part * 100, bulk_text_bytes(progress->passed_bytes, passed),
                    bulk_text_bytes(progress->total_bytes, total));
}

/* 0 <= n < LINE_MAX_BYTES: every piece is bounded. */
static void write_line(const struct bulk_progress *progress, double seconds,
                       char line[LINE_MAX_BYTES])
{
    char messages[32], rate[32], eta[32] = "";
    int n = 0;
    if (progress->total_bytes) {
        n = put_bar(progress, line, LINE_MAX_BYTES);
        put_eta(progress, seconds, eta);
    }
    snprintf(line + n, (size_t)(LINE_MAX_BYTES - n), "%s messages, %s/s%s",
             bulk_text_count(progress->messages, messages),
             bulk_text_count((uint64_t)((double)progress->messages / seconds), rate), eta);
}

void bulk_progress_show(struct bulk_progress *progress)
{
    int64_t now_ms = engine_clock_ms();
    if (!progress->on || now_ms - progress->drawn_ms < DRAW_MS)
        return;
    progress->drawn_ms = now_ms;
    progress->shown = true;
    char line[LINE_MAX_BYTES];
    write_line(progress, seconds_of(progress, now_ms), line);
    /* One column less: a line that fills the last one would wrap. */
    fprintf(stderr, "\r%.*s\033[K", (int)(columns() - 1), line);
    fflush(stderr);
}

void bulk_progress_clear(struct bulk_progress *progress)
{
    if (!progress->shown)
        return;
    progress->shown = false;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}
