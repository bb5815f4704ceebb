/* Who may come through the socket (security.md L16): modes, user lists, control. */
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"

enum
{
    NOBODY = 65534,
};

static struct daemon server;

static void fini(void)
{
    daemon_end_all();
}

TestSuite(peers, .fini = fini);

/* What another user gets for a line: 'x' no connection, 'c' closed without a byte, else the first
 * byte of "error" or "flushed" or "pong". */
static char as_user(uid_t uid, const char *line)
{
    int pipes[2];
    char said = '?';
    cr_assert(pipe(pipes) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct buffer in;
        if (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0)
            _exit(1);
        buffer_init(&in, 1 << 20);
        int fd = talk_connect(&server);
        said = 'x';
        if (fd >= 0) {
            talk_send(fd, span_from_string(line));
            shutdown(fd, SHUT_WR);
            talk_read_all(fd, &in, 5000);
            said = in.n > 2 ? (char)in.p[2] : 'c';
        }
        _exit(write(pipes[1], &said, 1) == 1 ? 0 : 1);
    }
    close(pipes[1]);
    cr_assert(read(pipes[0], &said, 1) == 1);
    waitpid(child, NULL, 0);
    close(pipes[0]);
    return said;
}

#define NEEDS_ROOT()                                                                               \
    do {                                                                                           \
        if (geteuid() != 0)                                                                        \
            cr_skip_test("needs root to become another user");                                     \
    } while (0)

Test(peers, L16_the_mode_keeps_others_out)
{
    struct stat facts;
    NEEDS_ROOT();
    DAEMON(&server, "--workers", "1");
    cr_expect(stat(server.socket, &facts) == 0 && (facts.st_mode & 0777) == 0660);
    cr_expect(as_user(NOBODY, "{\"op\":\"ping\"}\n") == 'x');
    cr_expect(as_user(0, "{\"op\":\"ping\"}\n") == 'p');
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

Test(peers, L16_an_open_mode_lets_in_but_not_flush)
{
    NEEDS_ROOT();
    DAEMON(&server, "--workers", "1", "--mode", "0666");
    cr_expect(as_user(NOBODY, "{\"op\":\"ping\"}\n") == 'p');
    cr_expect(as_user(NOBODY, "{\"op\":\"flush\"}\n") == 'e', "forbidden");
    cr_expect(as_user(0, "{\"op\":\"flush\"}\n") == 'f');
    cr_expect(talk_stat(&server, "forbidden") == 1);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

Test(peers, L16_users_are_listed)
{
    NEEDS_ROOT();
    DAEMON(&server, "--mode", "0666", "--allow-uid", "0", "--allow-uid", "1", "--control-uid", "1");
    cr_expect(as_user(NOBODY, "{\"op\":\"ping\"}\n") == 'c', "closed without a byte");
    cr_expect(as_user(1, "{\"op\":\"ping\"}\n") == 'p');
    cr_expect(as_user(1, "{\"op\":\"flush\"}\n") == 'f');
    cr_expect(talk_stat(&server, "refused_peers") == 1);
    char *log = daemon_log(&server);
    cr_expect(strstr(log, "event=connection_refused uid=65534") != NULL, "%s", log);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

Test(peers, warnings_are_limited)
{
    NEEDS_ROOT();
    unsigned lines = 0;
    DAEMON(&server, "--mode", "0666", "--allow-uid", "0");
    for (int i = 0; i < 40; i++)
        as_user(NOBODY, "{\"op\":\"ping\"}\n");
    char *log = daemon_log(&server);
    for (const char *at = log; (at = strstr(at, "connection_refused")); at++)
        lines++;
    cr_expect(lines == 10, "%u lines of 40", lines);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

Test(peers, it_runs_as_the_user_it_is_told)
{
    char path[64], line[128];
    struct stat facts;
    unsigned uids[4] = {0}, gids[4] = {0};
    NEEDS_ROOT();
    DAEMON(&server, "--user", "nobody", "--socket-group", "1");
    snprintf(path, sizeof path, "/proc/%ld/status", (long)server.pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        sscanf(line, "Uid: %u %u %u %u", &uids[0], &uids[1], &uids[2], &uids[3]);
        sscanf(line, "Gid: %u %u %u %u", &gids[0], &gids[1], &gids[2], &gids[3]);
    }
    if (file)
        fclose(file);
    for (int i = 0; i < 4; i++)
        cr_expect(uids[i] == NOBODY && gids[i] == NOBODY, "%u %u", uids[i], gids[i]);
    cr_expect(stat(server.socket, &facts) == 0 && facts.st_uid == NOBODY && facts.st_gid == 1);
    cr_expect(as_user(NOBODY, "{\"op\":\"flush\"}\n") == 'f', "its own user may");
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

Test(peers, a_missing_directory_is_made_for_owner_and_group)
{
    char folder[] = "/tmp/assayd-test-XXXXXX", path[64], inner[64];
    struct stat facts;
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(path, sizeof path, "%s/inner/s", folder);
    const char *options[] = {"--dns", "share/samples/zone.txt", NULL};
    daemon_spawn(&server, options, path);
    int64_t until_ms = now_ms() + 20000;
    while (!daemon_answers(&server) && now_ms() < until_ms)
        usleep(5000);
    cr_expect(stat(inner, &facts) == 0 && (facts.st_mode & 0777) == 0750);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    rmdir(inner);
    rmdir(folder);
}
