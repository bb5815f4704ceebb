/*
 * Ctrl-C and SIGTERM. The first asks: no new message, those in flight are waited for, the summary
 * is printed. The second has its default effect: the process ends at once.
 */
#include <signal.h>

#include "bulk.h"

static volatile sig_atomic_t asked;

static void ask(int number)
{
    (void)number;
    asked = 1;
}

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

void bulk_stop_block(void)
{
    sigset_t set;
    stop_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void bulk_stop_catch(void)
{
    /* Without SA_RESTART: a read from standard input that waits ends. */
    struct sigaction action = {.sa_handler = ask, .sa_flags = (int)SA_RESETHAND};
    sigset_t set;
    stop_signals(&set);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

bool bulk_stop_asked(void)
{
    return asked != 0;
}
