/* assay query: exit status and one clear line for each trouble. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"
#include "support/tool.h"

Test(command, no_daemon_is_69)
{
    setenv("ASSAY_SOCKET", "/nonexistent/from-environment", 1);
    struct outcome o = ASSAY("query", "ping");
    cr_expect(o.status == 69 && strstr(o.err, "from-environment"), "%d: %s", o.status, o.err);
    o = ASSAY("query", "--socket", "/nonexistent/from-option", "share/samples/pass.eml");
    cr_expect(o.status == 69 && strstr(o.err, "from-option"), "%d: %s", o.status, o.err);
    cr_expect(count_lines(o.err) == 1 && *o.out == '\0', "%s%s", o.err, o.out);
    unsetenv("ASSAY_SOCKET");
    o = ASSAY("help", "query");
    cr_expect(o.status == 0 && strstr(o.out, "/run/assay/verdict.sock"));
}

struct usage_case
{
    const char *name, *arguments[6];
};

Test(command, usage_is_64)
{
    static const struct usage_case cases[] = {
        {"spf without client", {"query", "spf", "--helo", "a.example"}},
        {"spf without identity", {"query", "spf", "--ip", "192.0.2.1"}},
        {"spf with operand", {"query", "spf", "--ip", "192.0.2.1", "--helo=h", "x"}},
        {"dmarc without domain", {"query", "dmarc"}},
        {"dmarc with two", {"query", "dmarc", "a.example", "b.example"}},
        {"stats with operand", {"query", "stats", "x"}},
        {"ping with operand", {"query", "ping", "x"}},
        {"flush with two", {"query", "flush", "a.example", "b.example"}},
        {"no address", {"query", "--ip", "nonsense", "x.eml"}},
        {"unknown option", {"query", "--nonsense"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const *a = cases[i].arguments;
        struct outcome o =
            assay(SPAN(""), (const char *const[]){a[0], a[1], a[2], a[3], a[4], a[5], NULL});
        cr_expect(o.status == 64 && count_lines(o.err) == 1, "%s: %d: %s", cases[i].name, o.status,
                  o.err);
    }
}

Test(command, files)
{
    struct daemon daemon;
    daemon_start(&daemon, (const char *const[]){"--max-message-bytes", "5000", NULL});
    setenv("ASSAY_SOCKET", daemon.socket, 1);
    struct outcome o = ASSAY("query", "/nonexistent", "share/samples/pass.eml", "--brief");
    cr_expect(o.status == 66 && count_lines(o.err) == 1, "%d: %s", o.status, o.err);
    cr_expect(strstr(o.out, "pass.eml") != NULL, "the others are judged: %s", o.out);
    o = ASSAY("query", "share/samples");
    cr_expect(o.status == 66, "a folder: %d", o.status);
    o = ASSAY("query", "/dev/null");
    cr_expect(o.status == 65 && strstr(o.err, "no message"), "%d: %s", o.status, o.err);
    o = ASSAY_INPUT(SPAN("no field\n\nbody\n"), "query", "-");
    cr_expect(o.status == 65 && *o.out == '\0', "%d: %s", o.status, o.out);
    o = ASSAY_INPUT(SPAN("From: x@shop.example\n\nbody\n"), "query", "--json");
    cr_expect(o.status == 0 && strcmp(json_text(json_line(o.out, 0), "file"), "-") == 0);
    cr_expect(strstr(o.out, "bare_lf") == NULL, "LF files are read as CRLF: %s", o.out);
    char large[6000];
    memset(large, 'x', sizeof large);
    memcpy(large, "From: x@shop.example\r\n\r\n", 24);
    o = ASSAY_INPUT(span_of(large, sizeof large), "query", "-");
    cr_expect(o.status == 65 && strstr(o.err, "larger"), "%d: %s", o.status, o.err);
    o = ASSAY("query", "dmarc", "..");
    cr_expect(o.status == 64 && strstr(o.err, "malformed"), "%d: %s", o.status, o.err);
    o = ASSAY("query", "flush", "shop.example");
    cr_expect(o.status == 0 && strstr(o.out, "flushed"), "%d: %s", o.status, o.err);
    o = ASSAY("query", "stats", "--json");
    cr_expect(o.status == 0 && json_is_integer(json_at(json_line(o.out, 0), "pool.messages")));
    daemon_end(&daemon, SIGTERM);
    o = ASSAY("query", "ping");
    cr_expect(o.status == 69);
}

/* A file whose name needs escapes: in the JSON and on the terminal (J08). */
Test(command, names_of_files_are_escaped)
{
    struct daemon daemon;
    daemon_start(&daemon, NULL);
    const char *file = temporary_file("a\"b\x1b[31m.eml", SPAN("From: x@shop.example\r\n\r\n"));
    struct outcome json = ASSAY("query", "--json", "--socket", daemon.socket, file);
    cr_expect(json.status == 0 && strcmp(json_text(json_line(json.out, 0), "file"), file) == 0);
    struct outcome human = ASSAY("query", "--socket", daemon.socket, file);
    cr_expect(strchr(human.out, '\x1b') == NULL && strstr(human.out, "\\x1b") != NULL);
    daemon_end(&daemon, SIGTERM);
}

/* --- servers that are none --- */

struct impostor
{
    const char *name, *says;
    size_t n;
    int listener;
};

static void *pretend(void *argument)
{
    struct impostor *impostor = argument;
    int fd = accept(impostor->listener, NULL, NULL);
    if (impostor->n && send(fd, impostor->says, impostor->n, MSG_NOSIGNAL) < 0)
        return NULL;
    close(fd);
    return NULL;
}

Test(command, impostors_are_69)
{
    static const char hello[] = "\0\0\0\x18\x01\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x03\0\0\x10"
                                "\0\0\0\0\0\x10\0\0\0\0\0\x08\0\x10\0\0";
    struct impostor cases[] = {
        {"hangs up at once", "", 0, -1},
        {"speaks SMTP", "220 hello\r\n", 11, -1},
        {"greets and goes", hello, sizeof hello - 1, -1},
        {"half a greeting", hello, 20, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        pthread_t thread;
        snprintf(address.sun_path, sizeof address.sun_path, "%s/%zu", temporary_folder(), i);
        cases[i].listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        cr_assert(bind(cases[i].listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                  listen(cases[i].listener, 4) == 0 &&
                  pthread_create(&thread, NULL, pretend, &cases[i]) == 0);
        struct outcome o = ASSAY("query", "--socket", address.sun_path, "share/samples/pass.eml");
        cr_expect(o.status == 69 && *o.out == '\0' && count_lines(o.err) == 1, "%s: %d: %s%s",
                  cases[i].name, o.status, o.err, o.out);
        pthread_join(thread, NULL);
        close(cases[i].listener);
    }
}
