/*
 * Start, reload, drain, stop: exit status of each (design.md "Command line"), one clear line per
 * error, each request exactly one answer.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"

static struct daemon server;
static const struct talk_envelope envelope = {.ip = "192.0.2.10", .now = 1792972860};

static void fini(void)
{
    daemon_end_all();
}

TestSuite(life, .fini = fini);

static bool log_has(const char *text)
{
    char *log = daemon_log(&server);
    bool has = strstr(log, text) != NULL;
    return has;
}

/* Ends by itself, with one line. */
static void expect_end(const char *name, const char *const *options, int status, const char *line)
{
    server = (struct daemon){.folder = ""};
    daemon_spawn(&server, options, NULL);
    int got = daemon_wait(&server, 20000);
    char *log = daemon_log(&server);
    size_t lines = 0;
    for (const char *c = log; *c; c++)
        lines += *c == '\n';
    cr_expect(got == status, "%s: status %d, want %d: %s", name, got, status, log);
    cr_expect(strstr(log, line) && lines == 1, "%s: %s", name, log);
}

Test(life, wrong_options_and_files_have_their_status)
{
    static const struct
    {
        const char *name;
        const char *options[6];
        int status;
        const char *line;
    } cases[] = {
        {"unknown option", {"--nonsense"}, 64, "assayd: unknown option --nonsense"},
        {"no value", {"--workers"}, 64, "assayd: a value is missing behind --workers"},
        {"operand", {"x"}, 64, "assayd: no operands"},
        {"no number", {"--workers", "many"}, 64, "assayd: --workers: \"many\" is no number"},
        {"zero workers", {"--workers", "0"}, 64, "from 1 to 256"},
        {"mode", {"--mode", "rw"}, 64, "is no octal mode"},
        {"user", {"--user", "no-such-user"}, 64, "is no user"},
        {"both sources", {"--dns", "a", "--resolver", "b"}, 64, "exclude each other"},
        {"no zone", {"--dns", "/nonexistent/zone"}, 78, "/nonexistent/zone"},
        {"path",
         {"--dns", "share/samples/zone.txt", "--allow-path", "relative"},
         78,
         "not an absolute path"},
        {"no config", {"--config", "/nonexistent/conf"}, 78, "/nonexistent/conf: No such file"},
        {"socket too long",
         {"--socket", "/tmp/0123456789012345678901234567890123456789012345678901234567890123456789"
                      "01234567890123456789012345678901234567890123456789"},
         69,
         "a socket's path has at most"},
        {"socket nowhere", {"--socket", "/nonexistent/a/b/s"}, 69, "cannot make its directory"},
        {"socket is a file", {"--socket", "/etc/passwd"}, 69, "is no socket"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_end(cases[i].name, cases[i].options, cases[i].status, cases[i].line);
}

static const char *config_file(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/assayd-test-config-%ld", (long)getpid());
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    return path;
}

Test(life, configuration_errors_name_file_and_line)
{
    static const struct
    {
        const char *text, *line;
    } cases[] = {
        {"workers = 2\nnonsense = 1\n", ":2: no such option 'nonsense'"},
        {"\n\nworkers = 0\n", ":3: workers: \"0\" is no number from 1 to 256"},
        {"reject = maybe\n", ":1: "},
        {"allow_uid = {\"0\", \"no-such-user\"}\n", ":1: allow_uid: \"no-such-user\" is no user"},
        {"dmarc_mode = walk\n", "is none of treewalk, psl, compare"},
        {"log_level = loud\n", "log_level: \"loud\" is none of"},
        {"cache_bytes = 1T\n", "cache_bytes: \"1T\" is no number"},
        {"max_in_flight = 16385\n", "is no number from 1 to 16384"},
        {"workers = {\n", ":"},
        {"dns = a\nresolver = b\n", "exclude each other"},
        {"foreground = true\n", "no such option 'foreground'"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *options[] = {"--config", config_file(cases[i].text), "--check-config", NULL};
        expect_end(cases[i].text, options, 78, cases[i].line);
        unlink(options[1]);
    }
}

Test(life, a_good_configuration_is_checked_and_used)
{
    struct buffer in;
    char config[512];
    const char *options[] = {"--config", NULL, "--check-config", NULL};
    snprintf(config, sizeof config,
             "# everything by its name\nworkers = 1\nresolver_threads = 2\ncache_bytes = 16M\n"
             "dns = \"share/samples/zone.txt\"\nauthserv_id = \"conf.example\"\nreject = true\n"
             "trusted_sealer = {\"a.example\", \"b.example\"}\nmax_in_flight = 16384\n"
             "mode = 0600\nlog_level = info\n");
    options[1] = config_file(config);
    daemon_spawn(&server, options, NULL);
    cr_expect(daemon_wait(&server, 20000) == 0, "%s", daemon_log(&server));
    options[2] = "--authserv-id"; /* the command line wins */
    const char *more[] = {"--config", options[1], "--authserv-id", "line.example", NULL};
    server = (struct daemon){.folder = ""};
    daemon_spawn(&server, more, NULL);
    int64_t until_ms = now_ms() + 20000;
    while (!daemon_answers(&server) && now_ms() < until_ms)
        usleep(5000);
    struct stat facts;
    cr_expect(stat(server.socket, &facts) == 0 && (facts.st_mode & 0777) == 0600);
    buffer_init(&in, 1 << 20);
    talk_lines(&server, SPAN("{\"size\":0}\n"), &in);
    buffer_append_byte(&in, 0);
    cr_expect(strstr((char *)in.p, "\"authserv_id\":\"line.example\"") != NULL, "%s", (char *)in.p);
    cr_expect(log_has("level=info event=verdict uid="), "one line a message");
    cr_expect(log_has("workers=1"));
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    unlink(options[1]);
    buffer_fini(&in);
}

Test(life, version_and_help)
{
    const char *version[] = {"--version", NULL}, *help[] = {"--help", NULL};
    daemon_spawn(&server, version, NULL);
    cr_expect(daemon_wait(&server, 20000) == 0);
    cr_expect(log_has("assayd " ASSAY_VERSION "\n"));
    daemon_spawn(&server, help, NULL);
    cr_expect(daemon_wait(&server, 20000) == 0);
    cr_expect(log_has("--max-in-flight N") && log_has("--trusted-sealer"));
}

/* T13, R1: requests in flight when SIGTERM comes; each has exactly one answer. */
Test(life, sigterm_drains)
{
    struct buffer out, in;
    struct talk_frame frame;
    enum
    {
        REQUESTS = 60
    };
    DAEMON(&server, "--workers", "2");
    buffer_init(&out, 1 << 20);
    buffer_init(&in, 1 << 20);
    talk_hello(&out);
    for (uint64_t id = 1; id <= REQUESTS; id++) {
        talk_request(&out, id, &envelope);
        talk_frame(&out, FRAME_DATA, 0, id, SPAN("From: a@a.example\r\n"));
    }
    int fd = talk_connect(&server), line = talk_connect(&server), idle = talk_connect(&server);
    talk_send(fd, buffer_span(&out));
    talk_send(line, SPAN("{\"id\":1,\"size\":40}\nFrom: a@a.example\r\n"));
    int64_t until_ms = now_ms() + 10000;
    while (talk_stat(&server, "requests") < REQUESTS + 1 && now_ms() < until_ms)
        usleep(2000);
    kill(server.pid, SIGTERM);
    cr_assert(talk_read_frames(fd, &in, FRAME_GOAWAY, 1, 10000));
    cr_assert(talk_find(buffer_span(&in), FRAME_GOAWAY, 0, &frame));
    cr_expect(get_u64(frame.payload.p) == REQUESTS);
    cr_expect(talk_connect(&server) < 0, "nobody new");
    buffer_reset(&out);
    talk_request(&out, 1000, &envelope);
    for (uint64_t id = 1; id <= REQUESTS; id++)
        talk_frame(&out, FRAME_DATA, FRAME_FLAG_END, id, SPAN("\r\n"));
    talk_send(fd, buffer_span(&out));
    cr_expect(talk_read_all(fd, &in, 10000), "the connection ends by itself");
    for (uint64_t id = 1; id <= REQUESTS; id++)
        cr_expect(talk_count(buffer_span(&in), FRAME_RESULT, id) == 1, "%d", (int)id);
    cr_expect(talk_find(buffer_span(&in), FRAME_ERROR, 1000, &frame) &&
              talk_error_code(&frame) == FRONT_GOING_AWAY);
    cr_expect(talk_count(buffer_span(&in), FRAME_ERROR, 0) == 1);
    cr_expect(daemon_wait(&server, 0) < 0, "the other one is still due");
    buffer_reset(&in);
    talk_send(line, SPAN("012345678901234567890"));
    cr_expect(talk_read_all(line, &in, 10000));
    buffer_append_byte(&in, 0);
    cr_expect(strncmp((char *)in.p, "{\"id\":1,\"v\":1", 13) == 0, "%s", (char *)in.p);
    cr_expect(daemon_wait(&server, 10000) == 0);
    cr_expect(access(server.socket, F_OK) != 0, "the socket is gone");
    cr_expect(log_has("event=stopped messages=61 unanswered=0"));
    close(fd);
    close(line);
    close(idle);
    buffer_fini(&out);
    buffer_fini(&in);
}

Test(life, a_drain_is_bounded_and_a_second_signal_stops_at_once)
{
    struct buffer in;
    buffer_init(&in, 1 << 20);
    for (int second = 0; second <= 1; second++) {
        server = (struct daemon){.folder = ""};
        DAEMON(&server, "--drain-ms", second ? "60000" : "2000");
        int fd = talk_connect(&server);
        talk_send(fd, SPAN("{\"size\":40}\nFrom: a@a.example\r\n"));
        int64_t until_ms = now_ms() + 10000;
        while (talk_stat(&server, "requests") < 1 && now_ms() < until_ms)
            usleep(2000);
        kill(server.pid, SIGTERM);
        usleep(100000);
        cr_expect(daemon_wait(&server, 0) < 0, "it waits");
        if (second)
            kill(server.pid, SIGINT);
        cr_expect(daemon_wait(&server, 20000) == 0);
        buffer_reset(&in);
        cr_expect(talk_read_all(fd, &in, 1000) && in.n == 0, "no verdict was made up");
        close(fd);
    }
    buffer_fini(&in);
}

Test(life, J09_kill_is_an_error_never_a_pass)
{
    struct buffer in;
    DAEMON(&server, "--workers", "1");
    int fd = talk_connect(&server);
    talk_send(fd, SPAN("{\"size\":40}\nFrom: a@a.example\r\n"));
    kill(server.pid, SIGKILL);
    daemon_wait(&server, 10000);
    buffer_init(&in, 1 << 20);
    cr_expect(talk_read_all(fd, &in, 1000) && in.n == 0);
    close(fd);
    DAEMON(&server, "--workers", "1"); /* the socket that was left behind is replaced */
    cr_expect(daemon_answers(&server));
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    buffer_fini(&in);
}

Test(life, two_daemons_on_one_socket)
{
    struct daemon second = {.folder = ""};
    const char *options[] = {"--dns", "share/samples/zone.txt", NULL};
    DAEMON(&server, "--workers", "1");
    daemon_spawn(&second, options, server.socket);
    cr_expect(daemon_wait(&second, 20000) == 69);
    char *log = daemon_log(&second);
    cr_expect(strstr(log, "another server answers there") != NULL, "%s", log);
    cr_expect(daemon_answers(&server), "the first is not disturbed");
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

Test(life, pid_file_and_snapshot)
{
    char folder[] = "/tmp/assayd-test-XXXXXX", pid_file[64], snapshot[64], text[32];
    struct buffer in;
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(pid_file, sizeof pid_file, "%s/pid", folder);
    snprintf(snapshot, sizeof snapshot, "%s/snapshot", folder);
    DAEMON(&server, "--pid-file", pid_file, "--snapshot", snapshot);
    snprintf(text, sizeof text, "%ld\n", (long)server.pid);
    struct span pid = file_bytes(pid_file);
    cr_expect(span_equal(pid, span_from_string(text)));
    buffer_init(&in, 1 << 20);
    talk_lines(&server, SPAN("{\"op\":\"dmarc\",\"domain\":\"shop.example\"}\n"), &in);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    cr_expect(access(pid_file, F_OK) != 0 && access(snapshot, F_OK) == 0);
    DAEMON(&server, "--snapshot", snapshot);
    cr_expect(talk_stat(&server, "cache.entries") > 0, "a warm start");
    kill(server.pid, SIGKILL);
    daemon_wait(&server, 10000);
    cr_assert(truncate(snapshot, 40) == 0);
    DAEMON(&server, "--snapshot", snapshot);
    cr_expect(log_has("event=snapshot_ignored") && talk_stat(&server, "cache.entries") == 0);
    unlink(snapshot);
    rmdir(folder);
    kill(server.pid, SIGTERM);
    cr_expect(daemon_wait(&server, 60000) == 0);
    cr_expect(log_has("event=snapshot_not_written"), "its folder is gone");
    buffer_fini(&in);
}

static bool wait_for_log(const char *text)
{
    int64_t until_ms = now_ms() + 10000;
    while (!log_has(text) && now_ms() < until_ms)
        usleep(5000);
    return log_has(text);
}

static void expect_line(const char *line, const char *want)
{
    struct buffer in;
    buffer_init(&in, 1 << 20);
    talk_lines(&server, span_from_string(line), &in);
    buffer_append_byte(&in, 0);
    cr_expect(strstr((char *)in.p, want) != NULL, "%s: %s", line, (char *)in.p);
    buffer_fini(&in);
}

/* L15: what a message began with stays; what comes later has the new settings. */
Test(life, L15_reload)
{
    struct buffer out, in;
    struct talk_frame frame;
    char folder[4096], config[8192];
    cr_assert(realpath("share/samples", folder) != NULL);
    const char *path =
        config_file("authserv_id = \"one.example\"\nmax_in_flight = 4\nworkers = 1\n");
    DAEMON(&server, "--config", path);
    buffer_init(&out, 1 << 16);
    buffer_init(&in, 1 << 20);
    int fd = talk_connect(&server), frames = talk_connect(&server);
    talk_hello(&out);
    talk_send(frames, buffer_span(&out));
    cr_assert(talk_read_frames(frames, &in, FRAME_HELLO, 1, 5000));
    buffer_reset(&in);
    talk_send(fd, SPAN("{\"size\":40}\nFrom: a@a.example\r\n"));
    while (talk_stat(&server, "requests") < 1)
        usleep(2000);
    expect_line("{\"path\":\"/x\"}\n", "\"forbidden\"");
    snprintf(
        config, sizeof config,
        "authserv_id = \"two.example\"\nmax_in_flight = 10\nworkers = 2\nallow_path = {\"%s\"}\n",
        folder);
    config_file(config);
    kill(server.pid, SIGHUP);
    cr_assert(wait_for_log("event=reloaded need_restart=workers"), "%s", daemon_log(&server));
    expect_line("{\"size\":0}\n", "\"authserv_id\":\"two.example\"");
    snprintf(config, sizeof config, "{\"path\":\"%s/pass.eml\"}\n", folder);
    expect_line(config, "\"v\":1");
    cr_assert(talk_read_frames(frames, &in, FRAME_CREDIT, 1, 5000));
    cr_expect(talk_find(buffer_span(&in), FRAME_CREDIT, 0, &frame) &&
              get_u32(frame.payload.p) == 6);
    buffer_reset(&in);
    talk_send(fd, SPAN("012345678901234567890"));
    cr_expect(talk_read_lines(fd, &in, 1, 10000));
    buffer_append_byte(&in, 0);
    cr_expect(strstr((char *)in.p, "one.example") != NULL, "%s", (char *)in.p);
    config_file("authserv_id = \"three.example\"\nnonsense = 1\n");
    kill(server.pid, SIGHUP);
    cr_expect(wait_for_log("event=reload_refused"));
    expect_line("{\"size\":0}\n", "two.example");
    close(fd);
    close(frames);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    unlink(path);
    buffer_fini(&out);
    buffer_fini(&in);
}

Test(life, L15_a_hundred_reloads_under_load)
{
    const struct sample *samples;
    struct buffer out, in;
    enum
    {
        REQUESTS = 300
    };
    samples_load(&samples);
    const char *path = config_file("authserv_id = \"one.example\"\n");
    DAEMON(&server, "--config", path, "--max-in-flight", "1000");
    buffer_init(&out, 4 << 20);
    buffer_init(&in, 4 << 20);
    talk_hello(&out);
    int fd = talk_connect(&server);
    talk_send(fd, buffer_span(&out));
    for (uint64_t id = 1; id <= REQUESTS; id++) {
        buffer_reset(&out);
        talk_request(&out, id, &envelope);
        talk_message(&out, id, samples[id % 20].bytes, 700);
        talk_send(fd, buffer_span(&out));
        if (id % 3 == 0)
            kill(server.pid, SIGHUP);
    }
    cr_expect(talk_read_frames(fd, &in, FRAME_RESULT, REQUESTS, 30000), "%u",
              talk_count(buffer_span(&in), FRAME_RESULT, 0));
    close(fd);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    unlink(path);
    buffer_fini(&out);
    buffer_fini(&in);
}

Test(life, readiness_is_told_to_the_service_manager)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[64] = "";
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/assayd-test-notify-%ld",
             (long)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    DAEMON(&server, "--workers", "1");
    cr_expect(recv(fd, text, sizeof text - 1, MSG_DONTWAIT) == 7 && strcmp(text, "READY=1") == 0);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    cr_expect(n == 10 && strncmp(text, "STOPPING=1", 10) == 0);
    unsetenv("NOTIFY_SOCKET");
    unlink(address.sun_path);
    close(fd);
}

Test(life, into_the_background)
{
    char folder[] = "/tmp/assayd-test-XXXXXX", command[512], pid_file[64];
    const char *program = getenv("ASSAYD");
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(pid_file, sizeof pid_file, "%s/pid", folder);
    snprintf(server.socket, sizeof server.socket, "%s/s", folder);
    snprintf(command, sizeof command,
             "%s --dns share/samples/zone.txt --socket %s --pid-file %s 2>/dev/null",
             program ? program : "build/assayd", server.socket, pid_file);
    cr_assert(system(command) == 0, "the parent ends when the child is ready");
    struct span pid = file_bytes(pid_file);
    pid_t child = (pid_t)strtol((const char *)pid.p, NULL, 10);
    cr_assert(child > 1);
    cr_expect(daemon_answers(&server));
    kill(child, SIGTERM);
    int64_t until_ms = now_ms() + 10000;
    while (kill(child, 0) == 0 && now_ms() < until_ms)
        usleep(10000);
    cr_expect(access(pid_file, F_OK) != 0 && access(server.socket, F_OK) != 0);
    rmdir(folder);
    snprintf(command, sizeof command,
             "%s --dns /nonexistent --socket /tmp/assayd-test-none 2>/dev/null",
             program ? program : "build/assayd");
    int status = system(command);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 78, "the child's status is the parent's");
}

Test(life, L17_no_core_and_no_tracing)
{
    char path[64], line[256], limit[32] = "";
    struct stat facts;
    DAEMON(&server, "--workers", "1");
    snprintf(path, sizeof path, "/proc/%ld/limits", (long)server.pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "Max core file size %31s", limit);
    if (file)
        fclose(file);
    cr_expect_str_eq(limit, "0");
    snprintf(path, sizeof path, "/proc/%ld/mem", (long)server.pid);
    cr_expect(stat(path, &facts) == 0 && facts.st_uid == 0, "not dumpable: root owns its /proc");
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}
