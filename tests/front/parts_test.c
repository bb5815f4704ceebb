/* The small parts: the list from workers, chunks, the log, files below a directory. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front/descriptor.h"
#include "front/intake.h"
#include "front/log.h"

/* The outbox -------------------------------------------------------------------------------------
 */

enum
{
    PUSHERS = 4,
    PUSHES = 20000,
};

struct note
{
    struct outbox_node node;
    unsigned pusher, nth;
};

static struct outbox outbox;
static struct note notes[PUSHERS][PUSHES];

static void *push_all(void *context)
{
    struct note *mine = context;
    for (unsigned i = 0; i < PUSHES; i++)
        outbox_push(&outbox, &mine[i].node);
    return NULL;
}

/* As a worker does it: some in a round, then a kick. */
static void *put_in_rounds(void *context)
{
    struct note *mine = context;
    unsigned round = 1, left = 1;
    for (unsigned i = 0; i < PUSHES; i++) {
        outbox_put(&outbox, &mine[i].node);
        if (--left)
            continue;
        outbox_kick(&outbox);
        round = left = round % 32 + 1;
    }
    outbox_kick(&outbox);
    return NULL;
}

static bool is_readable(int fd, int ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, ms) == 1;
}

/* Checks the order, counts. */
static unsigned look_at(struct outbox_node *node, unsigned next[PUSHERS])
{
    unsigned taken = 0;
    for (; node; node = node->next, taken++) {
        struct note *note = (struct note *)node;
        cr_assert(note->nth == next[note->pusher], "pusher %u: %u after %u", note->pusher,
                  note->nth, next[note->pusher]);
        next[note->pusher]++;
    }
    return taken;
}

/* The taker sleeps in epoll whenever it has taken what there was; `early`: and looks once
 * more before it does. */
static void push_and_take(void *(*push)(void *), bool early)
{
    pthread_t threads[PUSHERS];
    unsigned next[PUSHERS] = {0}, taken = 0;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event;
    cr_assert(outbox_open(&outbox) && outbox_watch(&outbox, epoll, NULL));
    for (unsigned p = 0; p < PUSHERS; p++) {
        for (unsigned i = 0; i < PUSHES; i++)
            notes[p][i] = (struct note){.pusher = p, .nth = i};
        cr_assert(pthread_create(&threads[p], NULL, push, notes[p]) == 0);
    }
    while (taken < PUSHERS * PUSHES) {
        cr_assert(epoll_wait(epoll, &event, 1, 10000) == 1, "asleep with %u taken", taken);
        taken += look_at(outbox_take(&outbox), next);
        if (early && outbox_has(&outbox))
            taken += look_at(outbox_take_early(&outbox), next);
    }
    for (unsigned p = 0; p < PUSHERS; p++)
        pthread_join(threads[p], NULL);
    (void)epoll_wait(epoll, &event, 1, 0); /* what was taken early may have been told of */
    (void)outbox_take(&outbox);
    cr_expect(epoll_wait(epoll, &event, 1, 0) == 0, "no wake-up is left");
    outbox_wake(&outbox);
    cr_expect(epoll_wait(epoll, &event, 1, 10000) == 1, "but the next is told");
    outbox_close(&outbox);
    close(epoll);
}

Test(outbox, many_push_one_takes_nothing_is_lost_and_each_is_in_order)
{
    push_and_take(push_all, false);
    push_and_take(push_all, true);
}

Test(outbox, many_put_rounds_one_takes_nothing_is_lost_and_each_is_in_order)
{
    push_and_take(put_in_rounds, false);
    push_and_take(put_in_rounds, true);
}

Test(outbox, a_round_is_one_wake_up)
{
    struct note note[3] = {{.nth = 0}};
    uint64_t wakes = 0;
    cr_assert(outbox_open(&outbox));
    outbox_kick(&outbox);
    cr_expect(!is_readable(outbox.event_fd, 0), "nothing to tell");
    outbox_put(&outbox, &note[0].node);
    outbox_put(&outbox, &note[1].node);
    cr_expect(!is_readable(outbox.event_fd, 0), "not before the round has ended");
    outbox_kick(&outbox);
    outbox_put(&outbox, &note[2].node);
    outbox_kick(&outbox); /* another worker's */
    cr_assert(read(outbox.event_fd, &wakes, sizeof wakes) == sizeof wakes);
    cr_expect(wakes == 1, "%lu wake-ups", wakes);
    cr_expect(outbox_take(&outbox) == &note[0].node);
    outbox_put(&outbox, &note[0].node);
    cr_expect(outbox_take_early(&outbox) == &note[0].node);
    outbox_kick(&outbox);
    cr_expect(!is_readable(outbox.event_fd, 0), "taken while the front was awake");
    outbox_close(&outbox);
}

/* The intake -------------------------------------------------------------------------------------
 */

Test(intake, chunks_at_the_limit_and_back)
{
    struct chunk *held[4] = {NULL};
    uint8_t *at;
    size_t room;
    cr_assert(outbox_open(&outbox));
    struct intake *intake = intake_new(4, &outbox);
    cr_assert(intake != NULL);
    for (int i = 0; i < 4; i++) {
        struct chunk *chunk = intake_room(intake, &at, &room);
        cr_assert(chunk != NULL && room == INTAKE_CHUNK_BYTES, "chunk %d", i);
        held[i] = chunk_ref(chunk);
        intake_used(intake, room);
    }
    cr_expect(intake_count(intake) == 4);
    cr_expect(intake_room(intake, &at, &room) == NULL, "a fifth");
    cr_expect(!is_readable(outbox.event_fd, 0));
    chunk_unref(&held[2]);
    cr_expect(is_readable(outbox.event_fd, 0), "the one that comes back wakes");
    cr_expect(intake_room(intake, &at, &room) != NULL && intake_count(intake) == 4);
    intake_free(&intake);
    for (int i = 0; i < 4; i++)
        chunk_unref(&held[i]); /* the last takes the intake along (seen by the sanitizer) */
    outbox_close(&outbox);
}

Test(intake, what_nobody_keeps_is_filled_again)
{
    uint8_t *at, *first;
    size_t room;
    cr_assert(outbox_open(&outbox));
    struct intake *intake = intake_new(4, &outbox);
    cr_assert(intake_room(intake, &first, &room) != NULL);
    for (int i = 0; i < 100; i++) {
        intake_used(intake, 1000);
        cr_assert(intake_room(intake, &at, &room) != NULL);
        cr_assert(at == first && room == INTAKE_CHUNK_BYTES);
    }
    intake_used(intake, 1000);
    struct chunk *chunk = intake_room(intake, &at, &room), *kept;
    kept = chunk_ref(chunk);
    intake_used(intake, 1000);
    cr_assert(intake_room(intake, &at, &room) == chunk);
    cr_expect(at == first + 1000 && room == INTAKE_CHUNK_BYTES - 1000, "behind what is kept");
    intake_used(intake, INTAKE_CHUNK_BYTES - 1000 - INTAKE_LEAST_ROOM);
    cr_expect(intake_room(intake, &at, &room) == chunk && room == INTAKE_LEAST_ROOM);
    intake_used(intake, 1);
    cr_expect(intake_room(intake, &at, &room) != chunk && room == INTAKE_CHUNK_BYTES);
    chunk_unref(&kept);
    intake_free(&intake);
    outbox_close(&outbox);
}

/* The log ----------------------------------------------------------------------------------------
 */

/* What is written to stderr meanwhile. */
static int saved_stderr, pipe_fds[2];

static void capture(void)
{
    cr_assert(pipe(pipe_fds) == 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
}

static size_t captured(char *text, size_t capacity)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(pipe_fds[1]);
    ssize_t n = read(pipe_fds[0], text, capacity - 1);
    close(pipe_fds[0]);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

Test(log, J08_values_cannot_make_lines_or_fields)
{
    static const struct
    {
        struct span value;
        const char *want;
    } cases[] = {
        {{(const uint8_t *)"plain", 5}, " v=plain\n"},
        {{(const uint8_t *)"", 0}, " v=\"\"\n"},
        {{(const uint8_t *)"two words", 9}, " v=\"two words\"\n"},
        {{(const uint8_t *)"a=b", 3}, " v=\"a=b\"\n"},
        {{(const uint8_t *)"\"q\"\\", 4}, " v=\"\\\"q\\\"\\\\\"\n"},
        {{(const uint8_t *)"x\nlevel=error", 13}, " v=\"x\\x0alevel=error\"\n"},
        {{(const uint8_t *)"\x1b[31m\0\x80\xff", 8}, " v=\"\\x1b[31m\\x00\\x80\\xff\"\n"},
        {{(const uint8_t *)"%n%s%n", 6}, " v=%n%s%n\n"},
    };
    char text[4096];
    log_open(LOG_LEVEL_INFO, false, "test");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct log_line line;
        capture();
        log_begin(&line, LOG_LEVEL_INFO, "test");
        log_span(&line, "v", cases[i].value);
        log_end(&line);
        captured(text, sizeof text);
        cr_expect(strstr(text, cases[i].want) && count_lines(text) == 1, "got %s want %s", text,
                  cases[i].want);
        cr_expect(strncmp(text, "ts=2", 4) == 0 && strstr(text, "Z level=info event=test v="));
    }
}

Test(log, J08_lengths_are_bounded)
{
    static uint8_t bytes[LOG_VALUE_MAX + 1];
    static char text[65536];
    struct log_line line;
    memset(bytes, 'x', sizeof bytes);
    log_open(LOG_LEVEL_INFO, false, "test");
    for (int over = -1; over <= 1; over++) {
        capture();
        log_begin(&line, LOG_LEVEL_INFO, "test");
        log_span(&line, "v", span_of(bytes, (size_t)(LOG_VALUE_MAX + over)));
        log_end(&line);
        captured(text, sizeof text);
        cr_expect((strstr(text, "...\"\n") != NULL) == (over > 0), "%+d: %s", over, text);
    }
    memset(bytes, 1, sizeof bytes);
    capture();
    log_begin(&line, LOG_LEVEL_INFO, "test");
    for (int i = 0; i < 100; i++)
        log_span(&line, "v", span_of(bytes, sizeof bytes));
    log_end(&line);
    size_t n = captured(text, sizeof text);
    cr_expect(n <= LOG_LINE_MAX && count_lines(text) == 1 && strstr(text, "\\x01...\"\n"));
}

Test(log, warnings_are_limited_and_levels_hold)
{
    static char text[65536];
    log_open(LOG_LEVEL_WARNING, false, "test");
    capture();
    for (int i = 0; i < 50; i++)
        log_note(LOG_LEVEL_WARNING, "often", "k", "v");
    log_note(LOG_LEVEL_WARNING, "seldom", "k", "v");
    log_note(LOG_LEVEL_INFO, "info", "k", "v");
    log_note(LOG_LEVEL_ERROR, "error", "k", "v");
    captured(text, sizeof text);
    cr_expect(count_lines(text) == LOG_BURST + 2, "%u lines", count_lines(text));
    cr_expect(strstr(text, "event=seldom") && strstr(text, "event=error") &&
              !strstr(text, "=info"));
}

/* Below a directory ------------------------------------------------------------------------------
 */

static char folder[] = "/tmp/front-test-XXXXXX";

static void make(const char *name, const char *target)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (target) {
        cr_assert(symlink(target, path) == 0);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert(fd >= 0);
    close(fd);
}

static void remove_one(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

Test(descriptor, L16_nothing_leads_out_of_a_directory)
{
    static const struct
    {
        const char *rest;
        bool opens;
    } cases[] = {
        {"file", true},     {"sub/inner", true},    {"link", false},
        {"out", false},     {"sub/up", false},      {"dirlink/inner", false},
        {"../file", false}, {"sub/../file", false}, {"./file", false},
        {"", false},        {"/etc/passwd", false}, {"sub//inner", false},
        {"sub/", false},    {"none", false},        {"file/x", false},
        {".", false},       {"..", false},          {"sub/.", false},
    };
    char sub[64];
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(sub, sizeof sub, "%s/sub", folder);
    cr_assert(mkdir(sub, 0700) == 0);
    make("file", NULL);
    make("sub/inner", NULL);
    make("link", "file");
    make("out", "/etc/passwd");
    make("sub/up", "../file");
    make("dirlink", "sub");
    int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int one = descriptor_open_below(directory, cases[i].rest);
        int two = descriptor_walk_below(directory, cases[i].rest);
        cr_expect((one >= 0) == cases[i].opens, "openat2 \"%s\": %d", cases[i].rest, one);
        cr_expect((two >= 0) == cases[i].opens, "walk \"%s\": %d", cases[i].rest, two);
        if (one >= 0)
            close(one);
        if (two >= 0)
            close(two);
    }
    static const char *const names[] = {"file", "sub/inner", "link", "out", "sub/up", "dirlink"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        remove_one(names[i]);
    rmdir(sub);
    rmdir(folder);
    close(directory);
}

Test(descriptor, a_fifo_does_not_hold_the_reader)
{
    char path[64];
    const char *why;
    struct file_part part = {0, 0};
    char place[] = "/tmp/front-test-XXXXXX";
    cr_assert(mkdtemp(place) != NULL);
    snprintf(path, sizeof path, "%s/fifo", place);
    cr_assert(mkfifo(path, 0600) == 0);
    int directory = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = descriptor_open_below(directory, "fifo");
    cr_assert(fd >= 0, "opened without blocking");
    cr_expect(descriptor_check(fd, &part, &why) == FRONT_NO_FILE);
    close(fd);
    close(directory);
    unlink(path);
    rmdir(place);
}
