/*
 * Verdicts of the socket are those of `assay check --json`, for all samples, in both dialects,
 * whichever way the message comes: lines, DATA cut at every byte, descriptors, path.
 */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"

static struct daemon server;
static const struct sample *samples;
static size_t sample_count;

static void init(void)
{
    char samples_path[4096];
    sample_count = samples_load(&samples);
    cr_assert(realpath("share/samples", samples_path) != NULL);
    DAEMON(&server, "--authserv-id", "mx.receiver.example", "--spf-explanation", "--workers", "2",
           "--allow-path", samples_path);
}

static void fini(void)
{
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    daemon_end_all();
}

TestSuite(samples, .init = init, .fini = fini);

/* What differs by nature: the file's name, and how old a cached answer is. */
static void strip(json_t *verdict)
{
    size_t i;
    json_t *question;
    json_object_del(verdict, "file");
    json_object_del(verdict, "id");
    json_array_foreach(json_object_get(verdict, "dns"), i, question)
    {
        json_object_del(question, "age");
        json_object_del(question, "ttl"); /* what is left of it */
    }
}

/* Questions leave when the header ends, so their order may differ: sorted by text. */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted(const json_t *array)
{
    char *texts[256];
    size_t n = json_array_size(array), at = 0;
    cr_assert(n < COUNT_OF(texts));
    for (size_t i = 0; i < n; i++)
        texts[i] = json_dumps(json_array_get(array, i), JSON_SORT_KEYS);
    qsort(texts, n, sizeof *texts, by_text);
    char *all = calloc(1, 256 * 1024);
    for (size_t i = 0; i < n; i++) {
        at += (size_t)snprintf(all + at, 256 * 1024 - at, "%s\n", texts[i]);
        free(texts[i]);
    }
    return all;
}

static void expect_same(const char *what, const char *file, json_t *want, json_t *got)
{
    strip(want);
    strip(got);
    char *want_dns = sorted(json_object_get(want, "dns"));
    char *got_dns = sorted(json_object_get(got, "dns"));
    cr_expect_str_eq(got_dns, want_dns, "%s %s: dns\ngot  %swant %s", what, file, got_dns,
                     want_dns);
    json_object_del(want, "dns");
    json_object_del(got, "dns");
    char *want_text = json_dumps(want, JSON_SORT_KEYS), *got_text = json_dumps(got, JSON_SORT_KEYS);
    cr_expect_str_eq(got_text, want_text, "%s %s\ngot  %s\nwant %s", what, file, got_text,
                     want_text);
    free(want_dns);
    free(got_dns);
    free(want_text);
    free(got_text);
}

/* What the command line says. */
static json_t *checked(const struct sample *sample)
{
    char command[1024];
    static char text[256 * 1024];
    const char *assay = getenv("ASSAY");
    snprintf(command, sizeof command,
             "%s check --json --dns share/samples/zone.txt --authserv-id mx.receiver.example"
             " --ip %s --helo '%s' --mail-from '%s' --now %lld share/samples/%s",
             assay ? assay : "build/assay", sample->ip, sample->helo, sample->mail_from,
             sample->now, sample->file);
    FILE *pipe = popen(command, "r");
    cr_assert(pipe != NULL);
    size_t n = fread(text, 1, sizeof text, pipe);
    cr_assert(pclose(pipe) == 0, "%s", command);
    json_t *verdict = json_loadb(text, n, 0, NULL);
    cr_assert(verdict != NULL, "%.*s", (int)n, text);
    return verdict;
}

static void write_line(const struct sample *sample, const char *extra, struct buffer *out)
{
    buffer_printf(
        out, "{\"ip\":\"%s\",\"helo\":\"%s\",\"mail_from\":\"%s\",\"now\":%lld,\"id\":\"%s\",%s}\n",
        sample->ip, sample->helo, sample->mail_from, sample->now, sample->file, extra);
}

static json_t *parse(struct span text)
{
    json_error_t wrong;
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &wrong);
    cr_assert(object != NULL, "%s: %.*s", wrong.text, (int)text.n, (const char *)text.p);
    return object;
}

Test(samples, by_lines_one_by_one)
{
    for (size_t i = 0; i < sample_count; i++) {
        struct buffer out, in;
        char size[32];
        buffer_init(&out, 1 << 20);
        buffer_init(&in, 1 << 20);
        snprintf(size, sizeof size, "\"size\":%zu", samples[i].bytes.n);
        write_line(&samples[i], size, &out);
        buffer_append(&out, samples[i].bytes);
        talk_lines(&server, buffer_span(&out), &in);
        json_t *want = checked(&samples[i]), *got = parse(buffer_span(&in));
        cr_expect_str_eq(json_string_value(json_object_get(got, "id")), samples[i].file);
        cr_expect(json_is_null(json_object_get(got, "file")));
        expect_same("lines", samples[i].file, want, got);
        json_decref(want);
        json_decref(got);
        buffer_fini(&out);
        buffer_fini(&in);
    }
}

/* What the server takes for a message is in its stats; each in whole microseconds, rounded up. */
Test(samples, own_time_in_stats)
{
    enum
    {
        TIMES = 5,
    };
    struct buffer out, in;
    char size[32];
    const struct sample *sample = &samples[0];
    buffer_init(&out, 1 << 20);
    buffer_init(&in, 1 << 20);
    cr_expect(talk_stat(&server, "pool.own_time_us.count") == 0);
    cr_expect(talk_stat(&server, "pool.own_time_us.max") == 0);
    snprintf(size, sizeof size, "\"size\":%zu", sample->bytes.n);
    write_line(sample, size, &out);
    buffer_append(&out, sample->bytes);
    for (unsigned i = 0; i < TIMES; i++) /* one at a time: what the first asked is cached */
        talk_lines(&server, buffer_span(&out), &in);
    /* An answer may be there a moment before its round has ended. */
    int64_t until_ms = now_ms() + 20000;
    while (talk_stat(&server, "pool.own_time_us.count") < TIMES - 1 && now_ms() < until_ms)
        usleep(10000);
    long long count = talk_stat(&server, "pool.own_time_us.count");
    long long waited = talk_stat(&server, "pool.parked") > 0;
    cr_expect(count == TIMES - waited, "%lld of %d", count, TIMES);
    long long p50 = talk_stat(&server, "pool.own_time_us.p50");
    long long p99 = talk_stat(&server, "pool.own_time_us.p99");
    long long p999 = talk_stat(&server, "pool.own_time_us.p999");
    long long max = talk_stat(&server, "pool.own_time_us.max");
    cr_expect(1 <= p50 && p50 <= p99 && p99 <= p999 && p999 <= max, "%lld %lld %lld %lld", p50, p99,
              p999, max);
    buffer_fini(&out);
    buffer_fini(&in);
}

static const struct sample *by_name(const char *file)
{
    for (size_t i = 0; i < sample_count; i++)
        if (strcmp(samples[i].file, file) == 0)
            return &samples[i];
    cr_assert_fail("no sample %s", file);
    return NULL;
}

/* All at once on one connection; answers in any order, each exactly once. */
static void expect_all_lines(const char *what, struct buffer *out)
{
    struct buffer in;
    unsigned n = 0;
    bool seen[64] = {false};
    buffer_init(&in, 8 << 20);
    talk_lines(&server, buffer_span(out), &in);
    struct span rest = buffer_span(&in);
    while (rest.n) {
        size_t end = span_find(rest, '\n');
        json_t *got = parse(span_slice(rest, 0, end));
        const char *file = json_string_value(json_object_get(got, "id"));
        const struct sample *sample = by_name(file ? file : "?");
        cr_expect(!seen[sample - samples], "%s twice", file);
        seen[sample - samples] = true;
        json_t *want = checked(sample);
        expect_same(what, sample->file, want, got);
        json_decref(want);
        json_decref(got);
        rest = span_skip(rest, end + 1);
        n++;
    }
    cr_expect(n == sample_count, "%s: %u of %zu", what, n, sample_count);
    buffer_fini(&in);
}

Test(samples, by_lines_pipelined)
{
    struct buffer out;
    char size[32];
    buffer_init(&out, 8 << 20);
    for (size_t i = 0; i < sample_count; i++) {
        snprintf(size, sizeof size, "\"size\":%zu", samples[i].bytes.n);
        write_line(&samples[i], size, &out);
        buffer_append(&out, samples[i].bytes);
    }
    expect_all_lines("pipelined", &out);
    buffer_fini(&out);
}

Test(samples, by_path)
{
    struct buffer out;
    char folder[4096], path[4600];
    buffer_init(&out, 1 << 20);
    cr_assert(realpath("share/samples", folder) != NULL);
    for (size_t i = 0; i < sample_count; i++) {
        snprintf(path, sizeof path, "\"path\":\"%s/%s\"", folder, samples[i].file);
        write_line(&samples[i], path, &out);
    }
    expect_all_lines("path", &out);
    buffer_fini(&out);
}

static struct talk_envelope envelope_of(const struct sample *sample)
{
    return (struct talk_envelope){
        .ip = sample->ip,
        .helo = sample->helo,
        .mail_from = sample->mail_from,
        .now = sample->now,
        .wishes = WISH_JSON | WISH_RESULTS | WISH_PARTIAL,
    };
}

static void expect_result(const char *what, const struct sample *sample,
                          const struct talk_frame *frame)
{
    json_t *want = checked(sample), *got = parse(talk_tlv(frame, TAG_JSON));
    struct span results = talk_tlv(frame, TAG_RESULTS);
    cr_expect(span_equal(results, span_from_string(json_string_value(
                                      json_object_get(want, "authentication_results")))),
              "%s %s: %.*s", what, sample->file, (int)results.n, (const char *)results.p);
    expect_same(what, sample->file, want, got);
    json_decref(want);
    json_decref(got);
}

/* Everything that was asked on one connection has come back exactly once. */
static void expect_frames(const char *what, int fd, struct buffer *in)
{
    struct talk_frame frame;
    cr_assert(talk_read_frames(fd, in, FRAME_RESULT, (unsigned)sample_count, 30000),
              "%s: only %u results", what, talk_count(buffer_span(in), FRAME_RESULT, 0));
    for (size_t i = 0; i < sample_count; i++) {
        cr_expect(talk_count(buffer_span(in), FRAME_RESULT, i + 1) == 1);
        cr_expect(talk_count(buffer_span(in), FRAME_PARTIAL, i + 1) == 1);
        cr_assert(talk_find(buffer_span(in), FRAME_RESULT, i + 1, &frame));
        expect_result(what, &samples[i], &frame);
    }
    cr_expect(talk_count(buffer_span(in), FRAME_ERROR, 0) == 0);
}

Test(samples, by_frames_pipelined)
{
    struct buffer out, in;
    buffer_init(&out, 8 << 20);
    buffer_init(&in, 8 << 20);
    talk_hello(&out);
    for (size_t i = 0; i < sample_count; i++) {
        struct talk_envelope envelope = envelope_of(&samples[i]);
        talk_request(&out, i + 1, &envelope);
        talk_message(&out, i + 1, samples[i].bytes, 1000);
    }
    int fd = talk_connect(&server);
    talk_send(fd, buffer_span(&out));
    expect_frames("frames", fd, &in);
    close(fd);
    buffer_fini(&out);
    buffer_fini(&in);
}

/* B05: DATA cut in two at every byte, on a connection each 64. */
Test(samples, B05_data_cut_at_every_byte)
{
    const struct sample *sample = by_name("pass.eml");
    struct talk_envelope envelope = envelope_of(sample);
    struct talk_frame frame;
    envelope.wishes = WISH_RESULTS;
    json_t *want = checked(sample);
    struct span results =
        span_from_string(json_string_value(json_object_get(want, "authentication_results")));
    for (size_t at = 0; at < sample->bytes.n; at += 60) {
        struct buffer out, in;
        unsigned n = 0;
        buffer_init(&out, 8 << 20);
        buffer_init(&in, 8 << 20);
        talk_hello(&out);
        for (size_t cut = at; cut < at + 60 && cut <= sample->bytes.n; cut++, n++) {
            talk_request(&out, n + 1, &envelope);
            talk_frame(&out, FRAME_DATA, 0, n + 1, span_slice(sample->bytes, 0, cut));
            talk_frame(&out, FRAME_DATA, FRAME_FLAG_END, n + 1, span_skip(sample->bytes, cut));
        }
        int fd = talk_connect(&server);
        talk_send(fd, buffer_span(&out));
        cr_assert(talk_read_frames(fd, &in, FRAME_RESULT, n, 30000));
        for (unsigned i = 0; i < n; i++) {
            cr_assert(talk_find(buffer_span(&in), FRAME_RESULT, i + 1, &frame));
            cr_expect(span_equal(talk_tlv(&frame, TAG_RESULTS), results), "cut at %zu", at + i);
        }
        close(fd);
        buffer_fini(&out);
        buffer_fini(&in);
    }
    json_decref(want);
}

Test(samples, byte_by_byte_over_the_socket)
{
    const struct sample *sample = by_name("list-arc.eml");
    struct talk_envelope envelope = envelope_of(sample);
    struct talk_frame frame;
    struct buffer out, in;
    buffer_init(&out, 8 << 20);
    buffer_init(&in, 8 << 20);
    talk_conversation(&out, &envelope, sample->bytes);
    int fd = talk_connect(&server);
    for (size_t i = 0; i < out.n; i++)
        talk_send(fd, span_slice(buffer_span(&out), i, i + 1));
    cr_assert(talk_read_frames(fd, &in, FRAME_RESULT, 1, 30000));
    cr_assert(talk_find(buffer_span(&in), FRAME_RESULT, 1, &frame));
    expect_result("bytes", sample, &frame);
    close(fd);
    buffer_fini(&out);
    buffer_fini(&in);
}

/* Descriptors ------------------------------------------------------------------------------------
 */

enum form
{
    SEALED,
    UNSEALED,
    SPARSE_SEALED, /* with a hole: must be read, not mapped */
    REGULAR,
    FORMS
};

static int memfd_of(struct span bytes, enum form form, off_t before)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert(fd >= 0);
    cr_assert(pwrite(fd, bytes.p, bytes.n, before) == (ssize_t)bytes.n);
    if (form != UNSEALED)
        cr_assert(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL) == 0);
    return fd;
}

static void send_descriptor(int socket, struct span bytes, int fd)
{
    struct iovec place = {.iov_base = (void *)(uintptr_t)bytes.p, .iov_len = bytes.n};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct msghdr header = {.msg_iov = &place,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    struct cmsghdr *message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_SOCKET;
    message->cmsg_type = SCM_RIGHTS;
    message->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(message), &fd, sizeof fd);
    cr_assert(sendmsg(socket, &header, MSG_NOSIGNAL) == (ssize_t)bytes.n);
}

static void send_fd_frame(int socket, uint64_t id, uint64_t offset, uint64_t length, int fd)
{
    struct buffer out;
    buffer_init(&out, 64);
    size_t at = frame_open(&out, FRAME_FD, 0, id);
    put_u64(&out, offset);
    put_u64(&out, length);
    frame_close(&out, at);
    send_descriptor(socket, buffer_span(&out), fd);
    buffer_fini(&out);
}

static void send_by_descriptor(int socket, uint64_t id, const struct sample *sample, enum form form)
{
    char path[128];
    off_t before = form == SPARSE_SEALED ? 1 << 20 : (form == REGULAR ? 0 : 3);
    snprintf(path, sizeof path, "share/samples/%s", sample->file);
    int fd =
        form == REGULAR ? open(path, O_RDONLY | O_CLOEXEC) : memfd_of(sample->bytes, form, before);
    cr_assert(fd >= 0);
    send_fd_frame(socket, id, (uint64_t)before, id % 2 ? sample->bytes.n : 0, fd);
    close(fd);
}

Test(samples, by_descriptor)
{
    static const char *const names[FORMS] = {"sealed", "unsealed", "sparse", "regular"};
    for (enum form form = SEALED; form < FORMS; form++) {
        struct buffer out, in;
        buffer_init(&out, 1 << 20);
        buffer_init(&in, 8 << 20);
        long long mapped = talk_stat(&server, "mapped");
        int fd = talk_connect(&server);
        talk_hello(&out);
        talk_send(fd, buffer_span(&out));
        for (size_t i = 0; i < sample_count; i++) {
            struct talk_envelope envelope = envelope_of(&samples[i]);
            buffer_reset(&out);
            talk_request(&out, i + 1, &envelope);
            talk_send(fd, buffer_span(&out));
            send_by_descriptor(fd, i + 1, &samples[i], form);
        }
        expect_frames(names[form], fd, &in);
        mapped = talk_stat(&server, "mapped") - mapped;
        cr_expect(mapped == (form == SEALED ? (long long)sample_count : 0), "%s: %lld mapped",
                  names[form], mapped);
        close(fd);
        buffer_fini(&out);
        buffer_fini(&in);
    }
}

static unsigned answer_to_descriptor(int passed, uint64_t offset, uint64_t length)
{
    static const struct talk_envelope envelope = {.ip = "192.0.2.1"};
    struct buffer out, in;
    struct talk_frame frame;
    buffer_init(&out, 4096);
    buffer_init(&in, 1 << 20);
    int fd = talk_connect(&server);
    talk_hello(&out);
    talk_request(&out, 1, &envelope);
    talk_send(fd, buffer_span(&out));
    send_fd_frame(fd, 1, offset, length, passed);
    shutdown(fd, SHUT_WR);
    cr_assert(talk_read_all(fd, &in, 20000));
    close(fd);
    unsigned code =
        talk_find(buffer_span(&in), FRAME_ERROR, 0, &frame) ? talk_error_code(&frame) : 0;
    cr_expect((code != 0) + talk_count(buffer_span(&in), FRAME_RESULT, 1) == 1);
    buffer_fini(&out);
    buffer_fini(&in);
    return code;
}

Test(samples, descriptors_that_are_no_message)
{
    struct span bytes = samples[0].bytes;
    int sealed = memfd_of(bytes, SEALED, 0), unsealed = memfd_of(bytes, UNSEALED, 0), pipes[2];
    cr_assert(pipe(pipes) == 0);
    int folder = open("share", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int device = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    int write_only = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    cr_expect(answer_to_descriptor(sealed, 0, 0) == 0);
    cr_expect(answer_to_descriptor(sealed, bytes.n, 0) == 0, "no bytes at all");
    cr_expect(answer_to_descriptor(sealed, bytes.n + 1, 0) == FRONT_NO_FILE);
    cr_expect(answer_to_descriptor(sealed, 0, bytes.n + 1) == FRONT_NO_FILE);
    cr_expect(answer_to_descriptor(sealed, 1, bytes.n) == FRONT_NO_FILE);
    cr_expect(answer_to_descriptor(sealed, UINT64_MAX, UINT64_MAX) == FRONT_NO_FILE);
    cr_expect(answer_to_descriptor(unsealed, bytes.n + 1, 0) == FRONT_NO_FILE);
    cr_expect(answer_to_descriptor(unsealed, 1, UINT64_MAX) == FRONT_NO_FILE);
    cr_expect(answer_to_descriptor(pipes[0], 0, 0) == FRONT_NO_FILE);
    cr_expect(answer_to_descriptor(folder, 0, 0) == FRONT_NO_FILE);
    cr_expect(answer_to_descriptor(device, 0, 0) == FRONT_NO_FILE);
    if (write_only >= 0)
        cr_expect(answer_to_descriptor(write_only, 0, 0) == FRONT_NO_FILE);
    cr_assert(ftruncate(unsealed, (off_t)51 << 20) == 0);
    cr_expect(answer_to_descriptor(unsealed, 0, 0) == FRONT_TOO_LARGE);
    cr_expect(answer_to_descriptor(unsealed, 0, (uint64_t)50 << 20) == 0, "exactly the limit");
    cr_expect(answer_to_descriptor(unsealed, 0, ((uint64_t)50 << 20) + 1) == FRONT_TOO_LARGE);
    int fds[] = {sealed, unsealed, pipes[0], pipes[1], folder, device, write_only};
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
}

/* Descriptors where none belongs, and two at once: the connection ends, the daemon keeps none. */
Test(samples, stray_descriptors_end_the_connection)
{
    static const struct talk_envelope envelope = {.ip = "192.0.2.1"};
    for (int what = 0; what < 3; what++) {
        struct buffer out, in;
        struct talk_frame frame;
        buffer_init(&out, 4096);
        buffer_init(&in, 1 << 20);
        int fd = talk_connect(&server), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (what == 0)
            buffer_append(&out, SPAN("{\"op\":\"ping\"}\n"));
        else
            talk_hello(&out);
        if (what == 2)
            talk_request(&out, 1, &envelope);
        send_descriptor(fd, buffer_span(&out), null);
        cr_assert(talk_read_all(fd, &in, 20000), "case %d stays open", what);
        if (what)
            cr_expect(talk_find(buffer_span(&in), FRAME_ERROR, 0, &frame) &&
                          talk_error_code(&frame) == FRONT_MALFORMED,
                      "case %d", what);
        close(fd);
        close(null);
        buffer_fini(&out);
        buffer_fini(&in);
    }
    cr_expect(daemon_answers(&server));
}

/* Paths ------------------------------------------------------------------------------------------
 */

Test(samples, L16_paths_lead_nowhere_else)
{
    static const struct
    {
        const char *path, *want;
    } cases[] = {
        {"/etc/passwd", "forbidden"},
        {"share/samples/pass.eml", "forbidden"},
        {"", "forbidden"},
        {"%s/../samples/pass.eml", "forbidden"},
        {"%s/./pass.eml", "forbidden"},
        {"%s//pass.eml", "forbidden"},
        {"%s", "forbidden"},
        {"%s/", "forbidden"},
        {"%sx/pass.eml", "forbidden"},
        {"%s/nothing.eml", "no_file"},
        {"%s/pass.eml/x", "no_file"},
        {"%s/pass.eml", "\"dmarc\":{\"result\":\"pass\""},
    };
    char folder[4096];
    cr_assert(realpath("share/samples", folder) != NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out, in;
        buffer_init(&out, 1 << 16);
        buffer_init(&in, 1 << 20);
        const char *hole = strstr(cases[i].path, "%s");
        buffer_append_string(&out, "{\"ip\":\"192.0.2.10\",\"now\":1792972860,\"mail_from\":"
                                   "\"orders@shop.example\",\"path\":\"");
        if (hole) {
            buffer_append_string(&out, folder);
            buffer_append_string(&out, hole + 2);
        } else {
            buffer_append_string(&out, cases[i].path);
        }
        buffer_append_string(&out, "\"}\n");
        talk_lines(&server, buffer_span(&out), &in);
        buffer_append_byte(&in, 0);
        cr_expect(strstr((char *)in.p, cases[i].want) != NULL, "%s: %s", cases[i].path,
                  (char *)in.p);
        buffer_fini(&out);
        buffer_fini(&in);
    }
}
