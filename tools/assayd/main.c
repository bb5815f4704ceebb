/*
 * assayd: the verdict socket and the engine behind it.
 *
 * The order of the start: settings, background, limits, socket, pid file, user, engine (the main
 * thread opens all libunbound contexts before others start: F13), signals, ready. Every error is
 * one line and an exit status of the command line contract.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/verify.h"
#include "judges.h"
#include "process.h"
#include "simd/kernel.h"

struct daemon
{
    int argc;
    char **argv;
    struct settings settings;  /* as they are now */
    struct settings *reloaded; /* owned; the texts that the server borrows since the last reload */
    struct server *server;
    struct run *run;
    bool served;
};

/* For the signal handlers; set before they are installed. */
static struct server *signalled;

static void complain(const char *format, ...) PRINTF_LIKE(1, 2);
static void complain(const char *format, ...)
{
    va_list args;
    fputs("assayd: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* Signals ----------------------------------------------------------------------------------------
 */

/* The first asks to drain, the second to stop. */
static void on_stop(int signal)
{
    static volatile sig_atomic_t asked;
    (void)signal;
    server_signal(signalled, asked ? SERVER_STOP : SERVER_DRAIN);
    asked = 1;
}

static void on_reload(int signal)
{
    (void)signal;
    server_signal(signalled, SERVER_RELOAD);
}

static sigset_t our_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

/* Blocked while threads start, so that only the main thread takes them. */
static void block_signals(void)
{
    sigset_t set = our_signals();
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void take_signals(struct daemon *daemon)
{
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    struct sigaction reload = {.sa_handler = on_reload, .sa_flags = SA_RESTART};
    sigset_t set = our_signals();
    signalled = daemon->server;
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGHUP, &reload, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Reload -----------------------------------------------------------------------------------------
 */

static void drop_reloaded(struct daemon *daemon)
{
    if (daemon->reloaded)
        settings_fini(daemon->reloaded);
    free(daemon->reloaded);
    daemon->reloaded = NULL;
}

/*
 * Limits of the socket, user lists, directories, log level, authserv-id: for what begins from now
 * on (L15). The judges' settings are the pool's for its life; a change of those is named and waits
 * for a restart.
 */
static bool apply(struct daemon *daemon, const struct settings *fresh, char *error)
{
    struct server_settings settings = {
        .limits = fresh->limits,
        .rules = fresh->rules,
        .authserv_id = fresh->authserv_id,
        .directories = (const char *const *)fresh->allow_path.texts,
        .directory_count = fresh->allow_path.count,
    };
    return server_apply(daemon->server, &settings, error);
}

static void log_reload(const struct daemon *daemon, const struct settings *fresh)
{
    struct log_line line;
    char differences[LOG_VALUE_MAX];
    settings_fixed_differences(&daemon->settings, fresh, differences, sizeof differences);
    log_begin(&line, LOG_LEVEL_NOTICE, "reloaded");
    if (differences[0])
        log_text(&line, "need_restart", differences);
    log_end(&line);
}

static void reload(void *context, struct server *server)
{
    struct daemon *daemon = context;
    char error[SETTINGS_ERROR_MAX] = "";
    int status;
    (void)server;
    struct settings *fresh = calloc(1, sizeof *fresh);
    if (!fresh || !settings_read(fresh, daemon->argc, daemon->argv, error, &status)) {
        log_note(LOG_LEVEL_ERROR, "reload_refused", "reason", fresh ? error : "no memory");
        free(fresh);
        return;
    }
    if (!apply(daemon, fresh, error)) {
        log_note(LOG_LEVEL_ERROR, "reload_refused", "reason", error);
        settings_fini(fresh);
        free(fresh);
        return;
    }
    log_set_level(fresh->log_level);
    verify_set_check(fresh->check_signatures);
    log_reload(daemon, fresh);
    drop_reloaded(daemon);
    daemon->reloaded = fresh;
}

/* Start ------------------------------------------------------------------------------------------
 */

static int open_socket(struct daemon *daemon)
{
    char error[SETTINGS_ERROR_MAX] = "";
    struct server_config config = settings_server_config(&daemon->settings);
    config.reload = reload;
    config.context = daemon;
    daemon->server = server_open(&config, error);
    if (!daemon->server) {
        complain("%s", error);
        return STATUS_UNAVAILABLE;
    }
    if ((daemon->settings.pid_file && !process_write_pid(daemon->settings.pid_file, error)) ||
        !process_drop_user(&daemon->settings, error)) {
        complain("%s", error);
        return STATUS_UNAVAILABLE;
    }
    return STATUS_OK;
}

/* A kernel and OpenSSL disagreed about a signature: the processor or we are at fault. */
static void on_kernel_fault(void *context, const char *kernel)
{
    (void)context;
    log_note(LOG_LEVEL_ERROR, "signature_kernel_off", "kernel", kernel);
}

static int open_engine(struct daemon *daemon)
{
    char error[ASSAY_ERROR_MAX] = "", note[ASSAY_ERROR_MAX] = "";
    const struct settings *settings = &daemon->settings;
    struct run_config config = settings_run_config(settings);
    config.rouse = server_rouse;
    config.host = daemon->server;
    verify_set_check(settings->check_signatures);
    verify_set_alarm(on_kernel_fault, NULL);
    daemon->run = run_start(&config, error, note);
    if (!daemon->run) {
        complain("%s", error);
        return STATUS_CONFIG;
    }
    if (note[0])
        log_note(LOG_LEVEL_WARNING, "snapshot_ignored", "reason", note);
    struct front_backend backend = judges_backend(daemon->run);
    server_set_backend(daemon->server, &backend, &daemon->run->options);
    if (server_start_files(daemon->server, (const char *const *)settings->allow_path.texts,
                           settings->allow_path.count, error))
        return STATUS_OK;
    complain("%s", error);
    return STATUS_CONFIG;
}

static void log_ready(const struct daemon *daemon)
{
    struct pool_stats stats;
    struct log_line line;
    pool_stats(daemon->run->pool, &stats);
    log_begin(&line, LOG_LEVEL_NOTICE, "ready");
    log_text(&line, "version", ASSAY_VERSION);
    log_text(&line, "kernel", kernel_level_name(kernel_level()));
    log_text(&line, "socket", daemon->settings.socket);
    log_uint(&line, "workers", stats.workers);
    log_text(&line, "dns",
             daemon->settings.dns        ? daemon->settings.dns
             : daemon->settings.resolver ? daemon->settings.resolver
                                         : "system");
    log_text(&line, "signatures", verify_kernel_name());
    log_end(&line);
}

/* End --------------------------------------------------------------------------------------------
 */

static void log_stopped(struct daemon *daemon, uint64_t unanswered)
{
    struct pool_stats stats;
    struct log_line line;
    pool_stats(daemon->run->pool, &stats);
    log_begin(&line, LOG_LEVEL_NOTICE, "stopped");
    log_uint(&line, "messages", stats.messages);
    log_uint(&line, "unanswered", unanswered);
    log_end(&line);
}

/* Requests that outlived the drain are cancelled; their clients have seen their connection end. */
static void close_all(struct daemon *daemon)
{
    char note[ASSAY_ERROR_MAX] = "";
    if (daemon->run) {
        uint64_t unanswered = server_unanswered(daemon->server);
        if (daemon->served)
            log_stopped(daemon, unanswered);
        if (unanswered)
            pool_stop(&daemon->run->pool);
        run_stop(&daemon->run, note);
        if (note[0])
            log_note(LOG_LEVEL_WARNING, "snapshot_not_written", "reason", note);
        unanswered = server_unanswered(daemon->server);
        assert(unanswered == 0);
    }
    server_close(&daemon->server);
    if (daemon->settings.pid_file)
        unlink(daemon->settings.pid_file);
    drop_reloaded(daemon);
}

static int serve(struct daemon *daemon)
{
    int status = open_socket(daemon);
    if (status == STATUS_OK) {
        block_signals();
        status = open_engine(daemon);
    }
    if (status == STATUS_OK) {
        take_signals(daemon);
        log_ready(daemon);
        process_ready();
        server_run(daemon->server);
        daemon->served = true;
        process_notify("STOPPING=1");
    }
    close_all(daemon);
    return status;
}

static void print_version(void)
{
    char kernel[KERNEL_TEXT_MAX];
    kernel_describe(kernel);
    printf("assayd " ASSAY_VERSION "\nkernel %s\n", kernel);
}

int main(int argc, char **argv)
{
    static struct daemon daemon;
    char error[SETTINGS_ERROR_MAX] = "", problem[KERNEL_TEXT_MAX];
    int status;
    if (kernel_problem(problem)) {
        complain("%s", problem);
        return STATUS_CONFIG;
    }
    daemon.argc = argc;
    daemon.argv = argv;
    if (!settings_read(&daemon.settings, argc, argv, error, &status)) {
        complain("%s", error);
        return status;
    }
    const struct settings *settings = &daemon.settings;
    status = STATUS_OK;
    if (settings->help)
        settings_print_help();
    else if (settings->version)
        print_version();
    else if (!settings->check_config) {
        log_open(settings->log_level, settings->syslog, "assayd");
        if (!settings->foreground && !process_background()) {
            complain("cannot go into the background: %s", strerror(errno));
            return STATUS_UNAVAILABLE;
        }
        process_limits(settings);
        status = serve(&daemon);
    }
    settings_fini(&daemon.settings);
    return status;
}
