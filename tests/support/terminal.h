/* A person at a terminal: tmux runs a command, what is typed is typed there, what is seen is its
 * screen. */
#ifndef SUPPORT_TERMINAL_H
#define SUPPORT_TERMINAL_H

enum
{
    TERMINAL_COLUMNS = 120,
    TERMINAL_LINES = 50,
};

struct terminal
{
    char folder[64]; /* of its socket */
    char *screen;    /* what terminal_await saw last; malloc'd */
};

/* Runs `command` by sh at a terminal of its own. Skips the running test with a reason where tmux is
 * not installed. The terminal ends with the test's process at the latest. */
void terminal_start(struct terminal *terminal, const char *command);
/* Types the text as it is, or presses keys that tmux knows: "Enter", "Tab", "C-d". */
void terminal_type(const struct terminal *terminal, const char *text);
void terminal_press(const struct terminal *terminal, const char *key);
/* The text and Enter. */
void terminal_enter(const struct terminal *terminal, const char *text);
/* Waits until the screen has `text`; fails the test, showing the screen, after half a minute. */
void terminal_await(struct terminal *terminal, const char *text);
/* The same, how often the text has to be there. */
void terminal_await_times(struct terminal *terminal, const char *text, unsigned times);
void terminal_end(struct terminal *terminal);

#endif
