/*
 * Questions of tasks to the resolvers, and their answers back.
 *
 * A question that was handed over cannot be taken back (dns/resolvers.h): a task that ends before
 * its answers leaves them behind (ask->task = NULL), and they are freed when they come. The answer
 * comes through the inbox of the worker, which the question holds; once the worker has gone, the
 * inbox is closed and the answering thread frees the question.
 *
 * An answer is lent to the message, not copied: the ask keeps it until the message ends.
 */
#include <stdlib.h>

#include "run/worker.h"

static struct ask *ask_of_question(struct resolver_question *question)
{
    return (struct ask *)(void *)((char *)question - offsetof(struct ask, question));
}

static void ask_free(struct ask *ask)
{
    dns_shared_unref(&ask->question.answer);
    free(ask);
}

/* On a resolver's thread, or on our own inside resolvers_ask. */
static void answered(struct resolver_question *question)
{
    struct ask *ask = ask_of_question(question);
    struct inbox *inbox = ask->inbox;
    if (!inbox_push(inbox, &ask->event))
        ask_free(ask);
    inbox_unref(&inbox);
}

static struct ask *ask_new(struct worker *worker, const struct dns_name *name, enum dns_type type)
{
    struct ask *ask = malloc(sizeof *ask);
    if (!ask)
        return NULL;
    *ask = (struct ask){
        .event = {.kind = EVENT_ANSWER},
        .question = {.name = *name, .type = type, .answered = answered},
        .inbox = inbox_ref(worker->inbox),
    };
    return ask;
}

static void link_to_task(struct ask *ask, struct task *task)
{
    ask->task = task;
    ask->next = task->asks;
    ask->link = &task->asks;
    if (ask->next)
        ask->next->link = &ask->next;
    task->asks = ask;
}

static void fail(struct task *task, struct dns_question *question, const char *reason)
{
    const struct dns_answer failed = {.outcome = DNS_TEMPFAIL, .reason = reason};
    dns_answers_put(task->answers, question, &failed);
}

/* False without memory: the question has failed. */
static bool ask_one(struct worker *worker, struct task *task, struct dns_question *question)
{
    struct ask *ask = ask_new(worker, &question->name, question->type);
    if (!ask) {
        fail(task, question, "no_memory");
        return false;
    }
    link_to_task(ask, task);
    ask->asked = question;
    ask->question.follow = question->renew; /* the refresh itself has been asked for by near.c */
    ask->question.deadline_ms = task->deadline_ms
                                    ? task->deadline_ms
                                    : worker->round.now_ms + worker->pool->config.timeout_ms;
    question->in_flight = true;
    task->open_asks++;
    resolvers_ask(worker->pool->config.resolvers, &ask->question);
    return true;
}

static bool is_open(const struct dns_question *question)
{
    return question->answer.outcome == DNS_UNANSWERED && !question->in_flight;
}

bool ask_open_questions(struct worker *worker, struct task *task)
{
    struct dns_answers *answers = task->answers;
    bool failed = false;
    if (task->expired && answers->waiting) {
        ask_expire(task);
        return true;
    }
    if (answers->waiting == task->open_asks)
        return false;
    for (struct dns_question *q = answers->first; q; q = q->next)
        if (is_open(q) && task->open_asks < MAX_DNS_AT_ONCE)
            failed |= !ask_one(worker, task, q);
    return failed;
}

void ask_refresh(void *context, const struct dns_name *name, enum dns_type type)
{
    struct worker *worker = context;
    struct ask *ask = ask_new(worker, name, type);
    if (!ask)
        return; /* the cache lets another reader try in a while */
    ask->question.refresh = true;
    ask->question.deadline_ms = worker->round.now_ms + worker->pool->config.timeout_ms;
    resolvers_ask(worker->pool->config.resolvers, &ask->question);
}

void ask_take_answer(struct worker *worker, struct ask *ask)
{
    struct task *task = ask->task;
    if (!task) {
        ask_free(ask);
        return;
    }
    ask->taken = true;
    struct dns_answer answer = ask->question.answer->answer;
    answer.age = ask->question.age; /* an older one where the network failed */
    dns_answers_lend(task->answers, ask->asked, &answer);
    task->open_asks--;
    task->answered = true;
    task_ready(worker, task);
}

void ask_expire(struct task *task)
{
    for (struct ask *ask = task->asks, *next; ask; ask = next) {
        next = ask->next;
        if (ask->taken)
            continue;
        *ask->link = next;
        if (next)
            next->link = ask->link;
        ask->task = NULL;
    }
    task->open_asks = 0;
    for (struct dns_question *q = task->answers->first; q; q = q->next)
        if (q->answer.outcome == DNS_UNANSWERED)
            fail(task, q, "timeout");
}

void ask_drop_all(struct task *task)
{
    for (struct ask *ask = task->asks, *next; ask; ask = next) {
        next = ask->next;
        ask->task = NULL;
        if (ask->taken)
            ask_free(ask);
    }
    task->asks = NULL;
    task->open_asks = 0;
}
