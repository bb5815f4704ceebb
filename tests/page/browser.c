#include "browser.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
    PATIENCE_MS =
        60 * 1000,  /* for any one answer; a busy machine starts a browser in ten seconds */
    BROWSER_IN = 3, /* descriptors of the protocol */
    BROWSER_OUT = 4,
};

static const char *find_browser(void)
{
    static const char *const paths[] = {"/usr/bin/chromium", "/usr/bin/chromium-browser",
                                        "/usr/bin/google-chrome"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return NULL;
}

/* A group of its own, so that its children end with it; the alarm is for a test that dies. */
static void run(const char *program, const char *folder, int in, int out)
{
    char profile[128];
    int nothing = open("/dev/null", O_RDWR), high_in = fcntl(in, F_DUPFD, 10),
        high_out = fcntl(out, F_DUPFD, 10);
    snprintf(profile, sizeof profile, "--user-data-dir=%s", folder);
    setpgid(0, 0);
    dup2(high_in, BROWSER_IN);
    dup2(high_out, BROWSER_OUT);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    for (int fd = BROWSER_OUT + 1; fd < 64; fd++)
        close(fd);
    setenv("HOME", folder, 1);
    execl(program, program, "--headless", "--no-sandbox", "--disable-gpu",
          "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--disable-breakpad", "--hide-scrollbars", "--force-device-scale-factor=1",
          "--remote-debugging-pipe", profile, "about:blank", (char *)NULL);
    _exit(127);
}

/* --- the protocol --- */

static void fill(struct browser *b)
{
    struct pollfd ready = {b->out, POLLIN, 0};
    if (b->room - b->n < 65536) {
        b->room = b->room * 2 + 131072;
        b->text = realloc(b->text, b->room);
        cr_assert(b->text != NULL);
    }
    cr_assert(poll(&ready, 1, PATIENCE_MS) == 1, "the browser does not answer");
    ssize_t n = read(b->out, b->text + b->n, 65536);
    cr_assert(n > 0, "the browser has ended");
    b->n += (size_t)n;
}

static json_t *next_message(struct browser *b)
{
    char *end;
    size_t looked = 0;
    while (!(end = b->n > looked ? memchr(b->text + looked, 0, b->n - looked) : NULL)) {
        looked = b->n;
        fill(b);
    }
    size_t length = (size_t)(end - b->text);
    json_t *message = json_loadb(b->text, length, 0, NULL);
    cr_assert(message != NULL, "no JSON: %.200s", b->text);
    b->n -= length + 1;
    memmove(b->text, end + 1, b->n);
    return message;
}

static void count(struct browser *b, const char *method)
{
    b->requests += strcmp(method, "Network.requestWillBeSent") == 0;
    b->complaints += strcmp(method, "Log.entryAdded") == 0 ||
                     strcmp(method, "Runtime.exceptionThrown") == 0 ||
                     strcmp(method, "Runtime.consoleAPICalled") == 0;
}

/* The next message that is an answer to `id`, or the event `method`. */
static json_t *await(struct browser *b, int64_t id, const char *method)
{
    for (;;) {
        json_t *message = next_message(b);
        const char *event = json_string_value(json_object_get(message, "method"));
        bool wanted = event ? method && strcmp(event, method) == 0
                            : json_integer_value(json_object_get(message, "id")) == id && !method;
        if (event)
            count(b, event);
        if (wanted)
            return message;
        json_decref(message);
    }
}

static int64_t tell(struct browser *b, const char *method, json_t *params)
{
    json_t *message = json_pack("{s:I,s:s,s:o}", "id", (json_int_t)++b->last_id, "method", method,
                                "params", params ? params : json_object());
    if (b->session[0])
        json_object_set_new(message, "sessionId", json_string(b->session));
    char *text = json_dumps(message, JSON_COMPACT);
    size_t n = strlen(text) + 1;
    for (size_t sent = 0; sent < n;) {
        ssize_t wrote = write(b->in, text + sent, n - sent);
        cr_assert(wrote > 0, "the browser has ended");
        sent += (size_t)wrote;
    }
    free(text);
    json_decref(message);
    return b->last_id;
}

/* The result; new reference. */
static json_t *ask(struct browser *b, const char *method, json_t *params)
{
    json_t *answer = await(b, tell(b, method, params), NULL);
    json_t *result = json_incref(json_object_get(answer, "result"));
    cr_assert(result != NULL, "%s: %s", method, json_dumps(answer, 0));
    json_decref(answer);
    return result;
}

static void request(struct browser *b, const char *method, json_t *params)
{
    json_decref(ask(b, method, params));
}

/* --- a page --- */

static void attach(struct browser *b)
{
    json_t *target = ask(b, "Target.createTarget", json_pack("{s:s}", "url", "about:blank"));
    json_t *session =
        ask(b, "Target.attachToTarget",
            json_pack("{s:O,s:b}", "targetId", json_object_get(target, "targetId"), "flatten", 1));
    snprintf(b->session, sizeof b->session, "%s",
             json_string_value(json_object_get(session, "sessionId")));
    json_decref(target);
    json_decref(session);
    request(b, "Page.enable", NULL);
    request(b, "Runtime.enable", NULL);
    request(b, "Log.enable", NULL);
    request(b, "Network.enable", NULL);
}

/* Also where a test fails half-way: its process ends by exit(). */
static struct browser *running;
static pid_t owner;

static void end(void)
{
    char command[96];
    int status;
    if (!running || owner != getpid())
        return;
    kill(-running->pid, SIGKILL);
    waitpid(running->pid, &status, 0);
    snprintf(command, sizeof command, "rm -rf %s", running->folder);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", running->folder);
    running = NULL;
}

void browser_start(struct browser *b)
{
    int in[2], out[2];
    const char *program = find_browser();
    if (!program)
        cr_skip_test("chromium is not installed (tools/deps browser)");
    *b = (struct browser){.folder = "/tmp/assay-browser-XXXXXX"};
    signal(SIGPIPE, SIG_IGN);
    cr_assert(mkdtemp(b->folder) && pipe(in) == 0 && pipe(out) == 0);
    b->pid = fork();
    cr_assert(b->pid >= 0);
    if (b->pid == 0) {
        close(in[1]);
        close(out[0]);
        run(program, b->folder, in[0], out[1]);
    }
    setpgid(b->pid, b->pid);
    running = b;
    owner = getpid();
    atexit(end);
    close(in[0]);
    close(out[1]);
    b->in = in[1];
    b->out = out[0];
    attach(b);
}

void browser_stop(struct browser *b)
{
    close(b->in);
    close(b->out);
    end();
    free(b->text);
    b->text = NULL;
}

void browser_open(struct browser *b, const char *path)
{
    char url[512];
    snprintf(url, sizeof url, "file://%s", path);
    b->requests = b->complaints = 0;
    tell(b, "Page.navigate", json_pack("{s:s}", "url", url));
    json_decref(await(b, 0, "Page.loadEventFired"));
}

void browser_set(struct browser *b, int width, bool dark)
{
    request(b, "Emulation.setDeviceMetricsOverride",
            json_pack("{s:i,s:i,s:i,s:b}", "width", width, "height", 900, "deviceScaleFactor", 1,
                      "mobile", 0));
    request(b, "Emulation.setEmulatedMedia",
            json_pack("{s:[{s:s,s:s}]}", "features", "name", "prefers-color-scheme", "value",
                      dark ? "dark" : "light"));
}

json_t *browser_value(struct browser *b, const char *expression)
{
    json_t *answer = ask(b, "Runtime.evaluate",
                         json_pack("{s:s,s:b,s:b}", "expression", expression, "returnByValue", 1,
                                   "awaitPromise", 1));
    const json_t *result = json_object_get(answer, "result");
    cr_assert(!json_object_get(answer, "exceptionDetails"), "%s", json_dumps(answer, 0));
    json_t *value = json_incref(json_object_get(result, "value"));
    json_decref(answer);
    return value;
}

int64_t browser_number(struct browser *b, const char *expression)
{
    json_t *value = browser_value(b, expression);
    cr_assert(json_is_number(value), "%s: %s", expression,
              value ? json_dumps(value, JSON_ENCODE_ANY) : "nothing");
    int64_t number = (int64_t)json_number_value(value);
    json_decref(value);
    return number;
}

char *browser_shot(struct browser *b)
{
    json_t *result = ask(b, "Page.captureScreenshot",
                         json_pack("{s:s,s:b}", "format", "png", "captureBeyondViewport", 1));
    char *data = strdup(json_string_value(json_object_get(result, "data")));
    json_decref(result);
    return data;
}
