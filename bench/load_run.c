/*
 * Sending with a ledger. A request's entry holds its message, when it was due and whether it was
 * answered; the client's `user` pointer is the entry's number, so an answer that belongs to another
 * request shows as one lost and one doubled.
 */
#include "bench/load_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/draw.h"
#include "bench/load.h"

enum
{
    SEQUENCE = 1 << 16, /* messages drawn beforehand */
    EVENTS = 256,
    GREETING_MS = 10 * 1000,
    WAIT_MS = 20,
    DESCRIPTORS = 64, /* beside the connections' */
};

enum entry_state
{
    ENTRY_OPEN = 1,
    ENTRY_ENDED,
};

struct entry
{
    uint64_t due_ns;
    uint32_t message;
    uint8_t state;
};

struct link
{
    struct assay_client *client; /* owned */
    struct load_run *run;
    short events; /* as epoll knows them */
    bool gone;
    bool doubled; /* ended by a second answer, which counts once */
};

struct load_run
{
    struct load_plan plan;
    struct link *links; /* owned; plan.connections of them */
    int epoll;
    struct entry *entries; /* owned */
    uint64_t count, capacity;
    uint32_t *sequence; /* owned */
    uint64_t open;
    struct load_ledger ledger;
    struct histogram *latency;
    uint64_t next_ns;  /* rate: when the next is due */
    uint64_t may_send; /* of this load_go */
    unsigned turn;     /* link that sends next, with a rate */
};

/* --- answers --- */

static void complain(struct load_ledger *ledger, const char *what, const char *more, size_t n)
{
    if (!*ledger->complaint)
        snprintf(ledger->complaint, sizeof ledger->complaint, "%s: %.*s", what,
                 (int)(n < 100 ? n : 100), more ? more : "");
}

static void judge(struct load_run *run, const struct load_message *message,
                  const struct assay_client_answer *answer)
{
    const struct load_expectation *want = load_expected(message->kind);
    char text[100];
    if (answer->spf == want->spf && answer->dkim == want->dkim && answer->arc == want->arc &&
        answer->dmarc == want->dmarc && answer->disposition == want->disposition)
        return;
    run->ledger.wrong++;
    int n =
        snprintf(text, sizeof text, "kind %d: spf %s, dkim %s, arc %s, dmarc %s, %s", message->kind,
                 assay_client_result_word(answer->spf), assay_client_result_word(answer->dkim),
                 assay_client_result_word(answer->arc), assay_client_result_word(answer->dmarc),
                 assay_client_disposition_word(answer->disposition));
    complain(&run->ledger, "wrong verdict", text, n > 0 ? (size_t)n : 0);
}

/* A second answer never gets past the library: it ends the connection with these words. */
static bool tells_of_double(const struct assay_client_answer *answer)
{
    static const char words[] = "not open";
    return answer->text && memmem(answer->text, answer->text_bytes, words, sizeof words - 1);
}

static void count_loss(struct link *link, const struct assay_client_answer *answer)
{
    struct load_ledger *ledger = &link->run->ledger;
    bool doubled = tells_of_double(answer);
    ledger->lost++;
    ledger->doubled += doubled && !link->doubled;
    link->doubled |= doubled;
    complain(ledger, answer->word, answer->text, answer->text_bytes);
}

static void count_answer(struct link *link, const struct entry *entry,
                         const struct assay_client_answer *answer)
{
    struct load_run *run = link->run;
    struct load_ledger *ledger = &run->ledger;
    switch (answer->outcome) {
    case ASSAY_CLIENT_VERDICT:
        ledger->answered++;
        judge(run, &run->plan.mail->messages[entry->message], answer);
        if (run->latency)
            histogram_add(run->latency, bench_now_ns() - entry->due_ns);
        return;
    case ASSAY_CLIENT_REFUSED:
        ledger->refused++;
        complain(ledger, answer->word, answer->text, answer->text_bytes);
        return;
    case ASSAY_CLIENT_REPLY:
        ledger->wrong++;
        return;
    case ASSAY_CLIENT_LOST:
        count_loss(link, answer);
    }
}

static void done(void *context, const struct assay_client_answer *answer)
{
    struct load_run *run = ((struct link *)context)->run;
    uint64_t number = (uint64_t)(uintptr_t)answer->user;
    if (number >= run->count || run->entries[number].state != ENTRY_OPEN) {
        run->ledger.doubled++;
        return;
    }
    run->entries[number].state = ENTRY_ENDED;
    run->open--;
    count_answer(context, &run->entries[number], answer);
}

/* --- sending --- */

static struct entry *new_entry(struct load_run *run)
{
    if (run->count == run->capacity) {
        run->capacity = run->capacity ? run->capacity * 2 : 1 << 16;
        run->entries = realloc(run->entries, run->capacity * sizeof *run->entries);
        if (!run->entries)
            load_stop("no memory for the ledger");
    }
    return &run->entries[run->count];
}

/* As a bulk client would hold it: a memfd of its own, sealed so that the daemon maps it. */
static enum assay_client_status submit_fd(struct load_run *run, struct link *link,
                                          const struct assay_client_envelope *envelope,
                                          const struct load_message *message)
{
    int fd = memfd_create("assay-load", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || write(fd, message->text, message->bytes) != (ssize_t)message->bytes ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE) != 0)
        load_stop("a memfd: %s", strerror(errno));
    enum assay_client_status status = assay_client_submit_fd(link->client, envelope, fd, 0, 0,
                                                             (void *)(uintptr_t)run->count, NULL);
    close(fd);
    return status;
}

/* False where the daemon takes no more now. */
static bool submit(struct load_run *run, struct link *link, uint64_t due_ns)
{
    struct entry *entry = new_entry(run);
    entry->message = run->sequence[run->count % SEQUENCE];
    const struct load_message *message = &run->plan.mail->messages[entry->message];
    struct assay_client_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = load_client_ip(message->kind),
        .helo = "mail.example",
        .mail_from = message->mail_from,
        .wishes = run->plan.wishes,
    };
    if (assay_client_room(link->client) == 0)
        return false;
    enum assay_client_status status =
        run->plan.transport == LOAD_FD
            ? submit_fd(run, link, &envelope, message)
            : assay_client_submit(link->client, &envelope, message->text, message->bytes,
                                  (void *)(uintptr_t)run->count, NULL);
    if (status == ASSAY_CLIENT_WOULD_BLOCK)
        return false;
    if (status)
        load_stop("a message cannot be submitted (%d)", status);
    entry->state = ENTRY_OPEN;
    entry->due_ns = due_ns;
    run->count++;
    run->open++;
    run->ledger.sent++;
    run->may_send--;
    return true;
}

static bool has_room(const struct load_run *run, const struct link *link)
{
    return !link->gone && run->may_send &&
           (!run->plan.depth || assay_client_open_requests(link->client) < run->plan.depth);
}

static void watch(struct load_run *run, struct link *link, int operation)
{
    struct epoll_event event = {.data.ptr = link};
    link->events = assay_client_events(link->client);
    event.events = (link->events & POLLIN ? (unsigned)EPOLLIN : 0) |
                   (link->events & POLLOUT ? (unsigned)EPOLLOUT : 0);
    if (epoll_ctl(run->epoll, operation, assay_client_fd(link->client), &event) != 0)
        load_stop("epoll_ctl: %s", strerror(errno));
}

/* Sends what is queued; looks for the moment at which the socket takes more. */
static void flush(struct load_run *run, struct link *link)
{
    if (link->gone)
        return;
    assay_client_flush(link->client);
    if (assay_client_events(link->client) != link->events)
        watch(run, link, EPOLL_CTL_MOD);
}

static void fill(struct load_run *run, struct link *link)
{
    while (run->plan.rate == 0 && has_room(run, link) && submit(run, link, bench_now_ns()))
        ;
    flush(run, link);
}

/* All that are due, spread over the links. */
static void send_due(struct load_run *run)
{
    uint64_t now = bench_now_ns();
    unsigned full = 0;
    while (run->plan.rate > 0 && run->next_ns <= now && full < run->plan.connections) {
        struct link *link = &run->links[run->turn++ % run->plan.connections];
        if (!has_room(run, link) || !submit(run, link, run->next_ns)) {
            full++;
            continue;
        }
        full = 0;
        run->next_ns += (uint64_t)(1e9 / run->plan.rate);
        flush(run, link);
    }
}

/* --- the loop --- */

static void turn(struct link *link)
{
    if (link->gone)
        return;
    if (assay_client_process(link->client) != ASSAY_CLIENT_OK)
        load_stop("the client was called from its callback");
    link->gone = assay_client_state(link->client) == ASSAY_CLIENT_GONE;
}

static int wait_ms(const struct load_run *run)
{
    if (run->plan.rate == 0 || !run->may_send)
        return WAIT_MS;
    uint64_t now = bench_now_ns();
    return run->next_ns <= now + 1000000 ? 0 : 1;
}

static void step(struct load_run *run)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(run->epoll, events, EVENTS, wait_ms(run));
    for (int i = 0; i < n; i++) {
        turn(events[i].data.ptr);
        fill(run, events[i].data.ptr);
    }
    send_due(run);
}

void load_go(struct load_run *run, double seconds, uint64_t messages, struct histogram *latency)
{
    uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9);
    run->latency = latency;
    run->may_send = messages ? messages : UINT64_MAX;
    run->next_ns = bench_now_ns();
    for (unsigned i = 0; i < run->plan.connections; i++)
        fill(run, &run->links[i]);
    while (run->may_send && bench_now_ns() < end)
        step(run);
    run->latency = NULL;
    run->may_send = 0;
}

void load_drain(struct load_run *run, double seconds)
{
    uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9);
    run->may_send = 0;
    while (run->open && bench_now_ns() < end)
        step(run);
}

/* --- opening and closing --- */

/* Zipf over the pool, most wanted first; or one after the other. */
static void draw_sequence(struct load_run *run)
{
    unsigned count = run->plan.mail->count;
    double *sums = malloc(count * sizeof *sums), sum = 0;
    uint64_t random = 42;
    run->sequence = malloc(SEQUENCE * sizeof *run->sequence);
    if (!run->sequence || !sums)
        load_stop("no memory");
    for (unsigned i = 0; i < count; i++)
        sums[i] = sum += 1.0 / (i + 1);
    for (unsigned i = 0; i < SEQUENCE; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        unsigned chosen = draw_weighted(sums, count, draw_share(random) * sum);
        run->sequence[i] = run->plan.zipf ? chosen : i % count;
    }
    free(sums);
}

void load_allow_descriptors(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted + DESCRIPTORS) {
        limit.rlim_cur = wanted + DESCRIPTORS;
        if (limit.rlim_max < limit.rlim_cur)
            limit.rlim_max = limit.rlim_cur;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            load_stop("%u descriptors: %s", wanted, strerror(errno));
    }
}

static void open_link(struct load_run *run, struct link *link)
{
    char error[ASSAY_CLIENT_ERROR_MAX];
    struct assay_client_options options = {
        .size = sizeof options,
        .done = done,
        .context = link,
        .name = "assay-load",
        .no_reconnect = 1,
        .alive_ms = 60 * 1000,
        .queue_bytes = 4 * 1024 * 1024,
        .ring_bytes = run->plan.transport == LOAD_RING ? run->plan.ring_bytes : 0,
    };
    link->run = run;
    for (int attempt = 0; !link->client && attempt < 1000; attempt++) {
        link->client = assay_client_open(run->plan.socket, &options, error);
        if (!link->client)
            poll(NULL, 0, 5); /* the daemon's backlog is full */
    }
    if (!link->client)
        load_stop("%s", error);
}

struct load_run *load_open(const struct load_plan *plan)
{
    struct load_run *run = calloc(1, sizeof *run);
    if (!run || !(run->links = calloc(plan->connections, sizeof *run->links)))
        load_stop("no memory");
    run->plan = *plan;
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    load_allow_descriptors(plan->connections);
    draw_sequence(run);
    for (unsigned i = 0; i < plan->connections; i++)
        open_link(run, &run->links[i]);
    for (unsigned i = 0; i < plan->connections; i++) {
        struct assay_client *client = run->links[i].client;
        if (assay_client_state(client) == ASSAY_CLIENT_CONNECTING)
            assay_client_poll(client, GREETING_MS);
        if (assay_client_state(client) != ASSAY_CLIENT_READY)
            load_stop("connection %u of %u: %s", i, plan->connections,
                      assay_client_trouble(client));
        if (plan->transport == LOAD_RING && !assay_client_has_ring(client))
            load_stop("the daemon refuses the ring");
        watch(run, &run->links[i], EPOLL_CTL_ADD);
    }
    return run;
}

uint64_t load_open_requests(const struct load_run *run)
{
    return run->open;
}

const struct load_ledger *load_ledger(const struct load_run *run)
{
    return &run->ledger;
}

void load_close(struct load_run **run, struct load_ledger *ledger)
{
    struct load_run *r = *run;
    *run = NULL;
    for (unsigned i = 0; i < r->plan.connections; i++)
        assay_client_close(&r->links[i].client);
    if (r->open)
        load_stop("the client library kept %lu requests to itself", r->open);
    *ledger = r->ledger;
    close(r->epoll);
    free(r->links);
    free(r->entries);
    free(r->sequence);
    free(r);
}

bool load_is_clean(const struct load_ledger *l)
{
    return !l->lost && !l->doubled && !l->wrong && !l->refused;
}

void load_ledger_add(struct load_ledger *sum, const struct load_ledger *ledger)
{
    sum->sent += ledger->sent;
    sum->answered += ledger->answered;
    sum->lost += ledger->lost;
    sum->doubled += ledger->doubled;
    sum->wrong += ledger->wrong;
    sum->refused += ledger->refused;
    if (!*sum->complaint)
        memcpy(sum->complaint, ledger->complaint, sizeof sum->complaint);
}
