/*
 * What one task does in a round: it takes a message from the worker's stock, feeds it a slice,
 * lets the judges run, asks what they ask, and ends with its verdict.
 *
 * BUGS: a message that was cancelled while it waits for a name still lets its questions run: the
 * answers go to the cache.
 */
#include <stdlib.h>

#include "engine.h"
#include "run/guest.h"
#include "run/own_time.h"

void task_ready(struct worker *worker, struct task *task)
{
    if (task->ready || task->done)
        return;
    task->ready = true;
    task->next = NULL;
    *worker->ready.last = task;
    worker->ready.last = &task->next;
    worker->ready.count++;
}

/* What the task's message holds now, for the sum that pool_submit looks at. */
static void charge(struct worker *worker, struct task *task)
{
    const struct message *message = task->message;
    uint64_t bytes = 0;
    if (message)
        bytes = sizeof *message + message->arena.held_bytes + message->scratch.capacity;
    if (task->query)
        bytes = sizeof *task->query + task->query->arena.held_bytes;
    COUNT_ADD(worker->arena_bytes, bytes - task->charged_bytes);
    task->charged_bytes = bytes;
}

void task_round_done(struct worker *worker)
{
    if (worker->round_done)
        worker->round_done(worker->round_context);
    worker->round_done = NULL;
}

/* Somebody is told something: at the end of the round he may want to know that this was all. */
static void note_told(struct worker *worker, void (*round_done)(void *), void *context)
{
    if (worker->round_done &&
        (worker->round_done != round_done || worker->round_context != context))
        task_round_done(worker);
    worker->round_done = round_done;
    worker->round_context = context;
}

static void tell_early(struct worker *worker, struct task *task)
{
    const struct task_request *request = &task->request;
    const struct message *message = task->message;
    if (task->early_told || !request->early_spf || !request->early)
        return;
    if (!message->spf_done && message->envelope.client.family != IP_NONE)
        return;
    task->early_told = true;
    note_told(worker, request->round_done, request->round_context);
    request->early(request->context, message);
}

static bool begin(struct worker *worker, struct task *task)
{
    task->message = round_begin_message(&worker->round, worker->pool->config.options,
                                        &task->request.envelope, task->request.without_evidence);
    if (!task->message)
        return false;
    task->answers = &task->message->answers;
    return true;
}

static struct piece *take_first(struct task *task)
{
    struct piece *piece = task->pieces;
    task->pieces = piece->next;
    if (!task->pieces)
        task->last_piece = &task->pieces;
    return piece;
}

static void lend_first(struct task *task)
{
    struct piece *piece = take_first(task);
    piece->next = task->lent;
    task->lent = piece;
}

void task_give_back(struct task *task)
{
    while (task->lent) {
        struct piece *piece = task->lent;
        task->lent = piece->next;
        piece_free(piece);
    }
    task_unqueue(task, task->lent_bytes);
    task->lent_bytes = 0;
}

/* One slice of what has come in; it stays until the round has hashed it. */
static void feed(struct task *task)
{
    size_t left = ROUND_SLICE_BYTES;
    while (task->pieces && left) {
        struct piece *piece = task->pieces;
        size_t n = piece->bytes.n < left ? piece->bytes.n : left;
        bool header_ended = message_feed(task->message, span_slice(piece->bytes, 0, n));
        (void)header_ended; /* questions are found by their count */
        piece->bytes = span_skip(piece->bytes, n);
        left -= n;
        if (piece->bytes.n)
            break;
        lend_first(task);
    }
    task->lent_bytes += ROUND_SLICE_BYTES - left;
}

static void set_deadline(const struct worker *worker, struct task *task, unsigned wanted_ms)
{
    unsigned most = worker->pool->config.timeout_ms;
    task->deadline_ms = worker->round.now_ms + (wanted_ms && wanted_ms < most ? wanted_ms : most);
}

static void end(struct worker *worker, struct task *task)
{
    message_end(task->message);
    if (task->starved)
        task->message->failed = true; /* bytes are missing: temperror, whatever the rest says */
    task->ended = true;
    set_deadline(worker, task, task->request.deadline_ms);
}

void task_wait(struct worker *worker, struct task *task)
{
    if (!task->deadline.place)
        timers_add(&worker->timers, &task->deadline, task->deadline_ms);
    task->waited = true;
    COUNT_ADD(worker->counts.parked, 1);
}

static void to_verify(struct worker *worker, struct task *task)
{
    if (worker == worker->pool->guest && guest_gives_away(worker, task))
        return;
    task->unverified = false;
    worker->verifying[worker->verifying_count++] = task;
}

void task_go_on(struct worker *worker, struct task *task)
{
    for (;;) {
        enum message_step step = message_step(task->message);
        tell_early(worker, task);
        switch (step) {
        case MESSAGE_NEEDS_ANSWERS:
            if (ask_open_questions(worker, task))
                continue;
            task_wait(worker, task);
            return;
        case MESSAGE_NEEDS_HASH:
            worker->hashing[worker->hashing_count++] = task;
            return;
        case MESSAGE_NEEDS_VERIFY:
            to_verify(worker, task);
            return;
        case MESSAGE_DONE:
            task_finish(worker, task, TASK_JUDGED);
            return;
        }
    }
}

/* The message still arrives: the judges go as far as they can. */
static void go_on_early(struct worker *worker, struct task *task)
{
    bool more = task->was_answered;
    do {
        if (more)
            message_advance(task->message);
        tell_early(worker, task);
        more = ask_open_questions(worker, task);
    } while (more);
}

static void run_message(struct worker *worker, struct task *task)
{
    if (!task->message && !begin(worker, task)) {
        task_finish(worker, task, TASK_FAILED);
        return;
    }
    if (task->pieces)
        feed(task);
    if (task->pieces)
        task_ready(worker, task);
    else if (task->closed && !task->ended)
        end(worker, task);
    if (task->ended)
        task_go_on(worker, task);
    else
        go_on_early(worker, task);
}

static bool begin_query(struct worker *worker, struct task *task)
{
    task->query = malloc(sizeof *task->query);
    if (!task->query)
        return false;
    *task->query = (struct query){.hits = {.set = 0}};
    arena_init(&task->query->arena, MAX_ARENA_BYTES);
    dns_answers_init(&task->query->answers, &task->query->arena, &task->query->hits);
    task->query->answers.near = &worker->round.near;
    task->answers = &task->query->answers;
    set_deadline(worker, task, task->query_request.deadline_ms);
    return true;
}

static void run_query(struct worker *worker, struct task *task)
{
    const struct query_request *request = &task->query_request;
    if (!task->query && !begin_query(worker, task)) {
        task_finish(worker, task, TASK_FAILED);
        return;
    }
    struct query *query = task->query;
    do {
        if (request->judge(request->context, &query->answers, &query->arena, &query->hits) ==
            JUDGE_DONE) {
            task_finish(worker, task, TASK_JUDGED);
            return;
        }
    } while (ask_open_questions(worker, task));
    task_wait(worker, task);
}

void task_run(struct worker *worker, struct task *task)
{
    if (task->cancelled || worker->cancel_all) {
        task_finish(worker, task, TASK_CANCELLED);
        return;
    }
    task->was_answered = task->answered;
    task->answered = false;
    if (task->is_query)
        run_query(worker, task);
    else if (task->unverified)
        to_verify(worker, task);
    else
        run_message(worker, task);
}

void task_park(struct worker *worker, struct task *task)
{
    if (task->message)
        message_park(task->message);
    if (task->query)
        dns_answers_park(&task->query->answers);
    charge(worker, task);
}

static void count_hits(struct worker_counts *counts, const struct limit_hits *hits)
{
    for (uint64_t set = hits->set; set; set &= set - 1) {
        int limit = __builtin_ctzll(set);
        COUNT_ADD(counts->limit_hits[limit], hits->n[limit]);
    }
}

static void count_results(struct worker_counts *counts, const struct message *message)
{
    const enum result spf =
        message->verdict.spf_checked ? message->spf.checked.result : RESULT_NONE;
    COUNT_ADD(counts->messages, 1);
    COUNT_ADD(counts->results[0][pool_result_slot(spf)], 1);
    COUNT_ADD(counts->results[1][pool_result_slot(engine_dkim_result(&message->dkim))], 1);
    COUNT_ADD(counts->results[2][pool_result_slot(message->arc.result)], 1);
    COUNT_ADD(counts->results[3][pool_result_slot(message->dmarc.result)], 1);
    COUNT_ADD(counts->results[4][message->dmarc.disposition & 7], 1);
    count_hits(counts, &message->hits);
}

static void count(struct worker *worker, const struct task *task, enum task_outcome outcome)
{
    if (outcome == TASK_JUDGED && task->message)
        count_results(&worker->counts, task->message);
    if (outcome == TASK_JUDGED && task->query)
        count_hits(&worker->counts, &task->query->hits);
    if (outcome == TASK_CANCELLED)
        COUNT_ADD(worker->counts.cancelled, 1);
    if (outcome == TASK_FAILED)
        COUNT_ADD(worker->counts.failed, 1);
}

static void drop_pieces(struct task *task)
{
    while (task->pieces)
        piece_free(take_first(task));
}

static void forget_running(struct worker *worker, const struct task *task)
{
    if (worker->running[task->round_at] == task)
        worker->running[task->round_at] = NULL;
}

/* The request's part is over; what is left of the task waits for its producer. */
static void release(struct worker *worker, struct task *task)
{
    timers_remove(&worker->timers, &task->deadline);
    ask_drop_all(task);
    if (task->message)
        round_end_message(&worker->round, task->message); /* hashes what it was lent */
    task->message = NULL;
    task_give_back(task);
    drop_pieces(task);
    if (task->query)
        arena_fini(&task->query->arena);
    free(task->query);
    task->query = NULL;
    task->answers = NULL;
    charge(worker, task);
    forget_running(worker, task);
}

static void tell(struct worker *worker, const struct task *task, enum task_outcome outcome)
{
    const struct task_request *request = &task->request;
    const struct query_request *query = &task->query_request;
    if (task->is_query)
        note_told(worker, query->round_done, query->round_context);
    else
        note_told(worker, request->round_done, request->round_context);
    if (task->is_query)
        query->done(query->context, outcome);
    else
        request->done(request->context, outcome, outcome == TASK_JUDGED ? task->message : NULL);
}

void task_finish(struct worker *worker, struct task *task, enum task_outcome outcome)
{
    if (outcome == TASK_JUDGED && task->message && task->request.authserv_id.p)
        task->message->verdict.authserv_id = task->request.authserv_id;
    count(worker, task, outcome);
    task->done = true;
    tell(worker, task, outcome);
    if (outcome == TASK_JUDGED)
        own_time_judged(worker, task);
    release(worker, task);
    if (task->closed || worker->cancel_all)
        task_free(worker, task);
    pool_task_ended(worker);
}

static void take_out(struct task *task)
{
    *task->in_link = task->in_next;
    if (task->in_next)
        task->in_next->in_link = task->in_link;
}

void task_leave(struct worker *worker, struct task *task)
{
    assert(!task->ready && !task->open_asks && !task->pieces);
    timers_remove(&worker->timers, &task->deadline);
    task_give_back(task); /* nothing of it is left in the queue */
    task_park(worker, task);
    COUNT_ADD(worker->arena_bytes, -task->charged_bytes);
    task->charged_bytes = 0;
    forget_running(worker, task);
    take_out(task);
}

void task_free(struct worker *worker, struct task *task)
{
    take_out(task);
    task_stock_give(&worker->pool->stock, task);
}
