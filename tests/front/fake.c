#include "fake.h"

#include <stdlib.h>
#include <unistd.h>

/* As the pool does: the texts are copied. */
static void keep(struct task *task, struct span *text)
{
    if (text->n)
        *text = arena_copy(&task->arena, *text);
}

static struct task *submit(void *context, const struct task_request *request)
{
    struct fake *fake = context;
    if (fake->busy)
        return NULL;
    struct task *task = calloc(1, sizeof *task);
    cr_assert(task != NULL);
    arena_init(&task->arena, 1 << 20);
    task->request = *request;
    keep(task, &task->request.envelope.helo);
    keep(task, &task->request.envelope.mail_from);
    keep(task, &task->request.authserv_id);
    task->queued = fake->queued_now;
    buffer_init(&task->bytes, (size_t)1 << 30);
    task->next = fake->tasks;
    fake->tasks = task;
    fake->submitted++;
    return task;
}

static void feed(struct task *task, struct chunk *chunk, struct span bytes)
{
    cr_assert(!task->ended && !task->cancelled, "fed behind its end");
    cr_assert(bytes.p >= chunk->bytes && span_end(bytes) <= chunk->bytes + chunk->capacity,
              "bytes outside their chunk");
    buffer_append(&task->bytes, bytes);
}

static void end(struct task *task)
{
    cr_assert(!task->ended && !task->cancelled, "ended twice");
    task->ended = true;
}

static void finish(struct task *task, enum task_outcome outcome, const struct message *message)
{
    cr_assert(!task->done, "answered twice");
    task->done = true;
    task->request.done(task->request.context, outcome, message);
}

static void cancel(struct task *task)
{
    cr_assert(!task->ended && !task->cancelled, "cancelled behind its end");
    task->cancelled = true;
    if (!task->done)
        finish(task, TASK_CANCELLED, NULL);
}

static uint64_t queued(const struct task *task)
{
    cr_assert(!task->ended && !task->cancelled, "asked behind its end");
    return task->queued;
}

static void share(struct task *task)
{
    cr_assert(!task->ended && !task->cancelled, "shared behind its end");
}

static bool query(void *context, const struct query_request *request)
{
    struct fake *fake = context;
    struct arena arena;
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    struct dns_error error;
    if (fake->busy)
        return false;
    fake->queries++;
    struct dns_source *source = dns_zone_parse(SPAN(""), "zone", &error);
    cr_assert(source != NULL);
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    while (request->judge(request->context, &answers, &arena, &hits) == JUDGE_WAITING)
        dns_source_resolve(source, &answers, INT64_MAX);
    request->done(request->context, TASK_JUDGED);
    arena_fini(&arena);
    dns_source_free(&source);
    return true;
}

static size_t flush(void *context, const struct dns_name *name)
{
    struct fake *fake = context;
    fake->flushed_all = name == NULL;
    return fake->flushed;
}

void fake_connect(struct fake *fake, struct connection *connection)
{
    struct peer peer = {.pid = 1, .uid = 1000, .may_control = false};
    connection_init(connection, &fake->front, &peer);
}

void fake_open(struct fake *fake)
{
    *fake = (struct fake){.flushed = 3};
    fake->options.authserv_id = SPAN("mx.example");
    fake->options.spf_void_limit = MAX_SPF_VOID_LOOKUPS;
    fake->front.limits = front_limits_default;
    fake->front.options = &fake->options;
    fake->front.timeout_ms = 25000;
    fake->front.now_ms = 1000000;
    fake->front.backend = (struct front_backend){
        .context = fake,
        .submit = submit,
        .feed = feed,
        .end = end,
        .cancel = cancel,
        .queued = queued,
        .share = share,
        .query = query,
        .flush = flush,
    };
    cr_assert(front_init(&fake->front));
    buffer_init(&fake->output, (size_t)1 << 30);
    fake_connect(fake, &fake->connection);
}

static void free_tasks(struct fake *fake)
{
    while (fake->tasks) {
        struct task *task = fake->tasks;
        fake->tasks = task->next;
        cr_assert(task->done && (task->ended || task->cancelled), "a task was left behind");
        buffer_fini(&task->bytes);
        arena_fini(&task->arena);
        free(task);
    }
}

void fake_close(struct fake *fake)
{
    connection_fini(&fake->connection);
    buffer_fini(&fake->output);
    for (struct task *task = fake->tasks; task; task = task->next)
        if (!task->done)
            finish(task, TASK_CANCELLED, NULL);
    front_collect(&fake->front);
    free_tasks(fake);
    front_fini(&fake->front); /* asserts that all requests have come home */
}

static void input(struct fake *fake, struct span bytes)
{
    struct chunk *chunk = chunk_new((uint32_t)bytes.n);
    cr_assert(chunk != NULL);
    memcpy(chunk->bytes, bytes.p, bytes.n);
    connection_input(&fake->connection, chunk, span_of(chunk->bytes, bytes.n));
    chunk_unref(&chunk);
}

void fake_input(struct fake *fake, struct span bytes)
{
    if (bytes.n && connection_wants_input(&fake->connection))
        input(fake, bytes);
}

void fake_input_pieces(struct fake *fake, struct span bytes, size_t piece)
{
    while (bytes.n && connection_wants_input(&fake->connection)) {
        size_t n = bytes.n < piece ? bytes.n : piece;
        input(fake, span_slice(bytes, 0, n));
        bytes = span_skip(bytes, n);
    }
}

void fake_send(struct fake *fake, struct buffer *bytes)
{
    cr_assert(!bytes->failed);
    fake_input(fake, buffer_span(bytes));
    buffer_reset(bytes);
}

struct task *fake_task(const struct fake *fake, unsigned nth)
{
    struct task *task = fake->tasks;
    cr_assert(nth < fake->submitted, "only %u tasks", fake->submitted);
    for (unsigned i = fake->submitted - 1; i > nth; i--)
        task = task->next;
    return task;
}

void fake_judge(struct fake *fake, struct task *task)
{
    static struct message message; /* large */
    struct dns_error error;
    struct dns_source *source = dns_zone_parse(SPAN("a.example TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
                                                    "a.example A 192.0.2.1\n"),
                                               "zone", &error);
    cr_assert(source != NULL, "%s", error.text);
    cr_assert(task->ended, "the message is not complete");
    message_init(&message, &fake->options, &task->request.envelope, NULL);
    message_feed(&message, buffer_span(&task->bytes));
    message_end(&message);
    while (message_step(&message) != MESSAGE_DONE)
        dns_source_resolve(source, &message.answers, INT64_MAX);
    if (task->request.early_spf)
        task->request.early(task->request.context, &message);
    finish(task, TASK_JUDGED, &message);
    message_fini(&message);
    dns_source_free(&source);
    front_collect(&fake->front);
}

void fake_judge_all(struct fake *fake)
{
    for (unsigned i = 0; i < fake->submitted; i++)
        if (fake_task(fake, i)->ended && !fake_task(fake, i)->done)
            fake_judge(fake, fake_task(fake, i));
    front_collect(&fake->front);
}

struct span fake_output(struct fake *fake)
{
    enum
    {
        PIECES = 4096,
    };
    static struct iovec pieces[PIECES];
    size_t count = connection_output(&fake->connection, pieces, PIECES);
    cr_assert(count < PIECES);
    buffer_reset(&fake->output);
    for (size_t i = 0; i < count; i++)
        buffer_append(&fake->output, span_of(pieces[i].iov_base, pieces[i].iov_len));
    cr_assert(!fake->output.failed);
    return buffer_span(&fake->output);
}

unsigned fake_error(struct fake *fake, uint64_t id)
{
    struct talk_frame frame;
    struct span output = fake_output(fake);
    while (talk_next(&output, &frame))
        if (frame.type == FRAME_ERROR && frame.id == id)
            return talk_error_code(&frame);
    return 0;
}

void fake_sent_all(struct fake *fake)
{
    connection_sent(&fake->connection, fake_output(fake).n);
    connection_resume(&fake->connection);
}

void fake_pass_ms(struct fake *fake, int64_t ms)
{
    fake->front.now_ms += ms;
    connection_tick(&fake->connection);
    front_collect(&fake->front);
}
