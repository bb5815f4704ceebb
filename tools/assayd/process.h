/* What a daemon does to its own process: background, limits, user, pid file, readiness. */
#ifndef ASSAYD_PROCESS_H
#define ASSAYD_PROCESS_H

#include "settings.h"

/*
 * Forks into the background. The parent waits for process_ready, or for the child's end, and exits
 * with its status; only the child returns. False with errno.
 */
bool process_background(void) MUST_CHECK;
/* No core, no tracing (L17) unless --debug; as many descriptors as the hard limit allows. */
void process_limits(const struct settings *settings);
/* Leaves the starting user behind. False with `error`. */
bool process_drop_user(const struct settings *settings, char error[SETTINGS_ERROR_MAX]) MUST_CHECK;
bool process_write_pid(const char *path, char error[SETTINGS_ERROR_MAX]) MUST_CHECK;
/* Tells who waits: the parent, and the service manager (sd_notify protocol). */
void process_ready(void);
void process_notify(const char *state);

#endif
