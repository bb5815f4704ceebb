/*
 * Headless Chromium, driven over a pipe (DevTools protocol, NUL between messages): one process for
 * all the looking, exact widths, light and dark. The test is skipped with a reason where Chromium
 * is not installed.
 */
#ifndef PAGE_BROWSER_H
#define PAGE_BROWSER_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct browser
{
    pid_t pid;
    int in, out; /* of ours: what the browser reads, what it writes */
    char *text;  /* read and not yet looked at; owned */
    size_t n, room;
    int64_t last_id;
    char session[64];              /* of the page */
    char folder[64];               /* its profile */
    unsigned requests, complaints; /* seen so far: network requests; log entries and exceptions */
};

void browser_start(struct browser *browser);
void browser_stop(struct browser *browser);

/* Goes to a file and waits until it is loaded. */
void browser_open(struct browser *browser, const char *path);
void browser_set(struct browser *browser, int width, bool dark);
/* The value of an expression in the page; new reference. */
json_t *browser_value(struct browser *browser, const char *expression);
int64_t browser_number(struct browser *browser, const char *expression);
/* A screenshot of all of the page as base64 of a PNG; malloc'd. */
char *browser_shot(struct browser *browser);

#endif
