#include "fake.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct reports reports;

void fake_listen(struct fake *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", fake->path);
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert(bind(fake->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                  listen(fake->listener, 16) == 0,
              "%s: %s", fake->path, strerror(errno));
}

void fake_open(struct fake *fake)
{
    *fake = (struct fake){.folder = "/tmp/assay-client-XXXXXX", .listener = -1, .peer = -1};
    cr_assert(mkdtemp(fake->folder) != NULL);
    snprintf(fake->path, sizeof fake->path, "%s/socket", fake->folder);
    fake_listen(fake);
}

void fake_deafen(struct fake *fake)
{
    close(fake->listener);
    unlink(fake->path);
    fake->listener = -1;
}

void fake_hang_up(struct fake *fake)
{
    if (fake->peer >= 0)
        close(fake->peer);
    fake->peer = -1;
    fake->in_bytes = 0;
}

void fake_close(struct fake *fake)
{
    fake_hang_up(fake);
    if (fake->listener >= 0)
        fake_deafen(fake);
    rmdir(fake->folder);
    for (unsigned i = 0; i < fake->fd_count; i++)
        close(fake->fds[i]);
    free(fake->in);
}

bool fake_has_caller(struct fake *fake)
{
    struct pollfd listener = {fake->listener, POLLIN, 0};
    return poll(&listener, 1, 0) == 1;
}

void fake_accept(struct fake *fake)
{
    fake->peer = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    cr_assert(fake->peer >= 0, "nobody has connected");
}

/* The client's receive queue takes what these tests send. */
void fake_send(struct fake *fake, const void *bytes, size_t n)
{
    ssize_t out = send(fake->peer, bytes, n, MSG_NOSIGNAL);
    cr_assert(out == (ssize_t)n, "sent %zd of %zu: %s", out, n, strerror(errno));
}

void fake_frame(struct fake *fake, enum frame_type type, uint64_t id, const void *payload, size_t n)
{
    uint8_t *bytes = malloc(FRAME_HEADER + n);
    uint8_t *p = frame_put_header(bytes, (uint32_t)n, type, 0, id);
    if (n)
        memcpy(p, payload, n);
    fake_send(fake, bytes, FRAME_HEADER + n);
    free(bytes);
}

void fake_greet(struct fake *fake, uint32_t credit, uint64_t message_limit, uint32_t frame_limit)
{
    uint8_t payload[128] = {FRAME_MAJOR, 7, 0, 0}, limits[16], features[4];
    frame_put32(frame_put32(frame_put64(limits, message_limit), credit), frame_limit);
    frame_put32(features, FEATURE_EARLY_SPF | FEATURE_DESCRIPTORS | 0x80000000);
    uint8_t *p = frame_put_tlv(payload + 4, TAG_PROGRAM, "fake 1", 6);
    p = frame_put_tlv(p, 0xee, "a tag of the future", 19);
    p = frame_put_tlv(p, TAG_LIMITS, limits, sizeof limits);
    p = frame_put_tlv(p, TAG_FEATURES, features, sizeof features);
    fake_frame(fake, FRAME_HELLO, 0, payload, (size_t)(p - payload));
}

void fake_result(struct fake *fake, uint64_t id, const char results[5], const char *json)
{
    uint8_t payload[512] = {0}, *p = payload + 8;
    memcpy(payload, results, 5);
    if (json)
        p = frame_put_tlv(p, TAG_JSON, json, strlen(json));
    fake_frame(fake, FRAME_RESULT, id, payload, (size_t)(p - payload));
}

void fake_error(struct fake *fake, uint64_t id, unsigned code, const char *text)
{
    uint8_t payload[128] = {(uint8_t)(code >> 8), (uint8_t)code};
    memcpy(payload + 2, text, strlen(text));
    fake_frame(fake, FRAME_ERROR, id, payload, 2 + strlen(text));
}

static void keep_descriptors(struct fake *fake, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        cr_assert(c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)) &&
                  fake->fd_count < 8);
        memcpy(&fake->fds[fake->fd_count++], CMSG_DATA(c), sizeof(int));
    }
}

void fake_read(struct fake *fake)
{
    for (;;) {
        if (fake->in_capacity - fake->in_bytes < 65536) {
            fake->in_capacity = fake->in_capacity * 2 + 131072;
            fake->in = realloc(fake->in, fake->in_capacity);
        }
        char control[CMSG_SPACE(sizeof(int))];
        struct iovec part = {fake->in + fake->in_bytes, fake->in_capacity - fake->in_bytes};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        ssize_t n = recvmsg(fake->peer, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n <= 0)
            return;
        keep_descriptors(fake, &message);
        fake->in_bytes += (size_t)n;
    }
}

bool fake_has_frame(struct fake *fake)
{
    fake_read(fake);
    return fake->in_bytes >= FRAME_HEADER && fake->in_bytes >= FRAME_HEADER + frame_get32(fake->in);
}

struct taken fake_take(struct fake *fake)
{
    cr_assert(fake_has_frame(fake), "the client has sent no whole frame");
    struct frame frame = frame_read(fake->in);
    struct taken taken = {frame.length, frame.type, frame.flags, frame.id,
                          malloc(frame.length + 1)};
    cr_assert(frame.length <= FRAME_PAYLOAD_MAX && fake->in[6] == 0 && fake->in[7] == 0);
    memcpy(taken.payload, frame.payload, frame.length);
    taken.payload[frame.length] = '\0';
    fake->in_bytes -= FRAME_HEADER + frame.length;
    memmove(fake->in, fake->in + FRAME_HEADER + frame.length, fake->in_bytes);
    return taken;
}

void taken_free(struct taken *taken)
{
    free(taken->payload);
    *taken = (struct taken){0};
}

static void copy(char *to, size_t room, const char *from, size_t n)
{
    n = n < room ? n : room - 1;
    if (n)
        memcpy(to, from, n);
    to[n] = '\0';
}

static void note_answer(void *context, const struct assay_client_answer *answer)
{
    struct reports *all = context;
    cr_assert(all->count < REPORTS && answer->size == sizeof *answer);
    struct report *r = &all->list[all->count++];
    *r = (struct report){.outcome = answer->outcome,
                         .id = answer->id,
                         .user = answer->user,
                         .spf = answer->spf,
                         .dkim = answer->dkim,
                         .arc = answer->arc,
                         .dmarc = answer->dmarc,
                         .disposition = answer->disposition,
                         .error = answer->error,
                         .json_bytes = answer->json_bytes};
    copy(r->word, sizeof r->word, answer->word, answer->word ? strlen(answer->word) : 0);
    copy(r->text, sizeof r->text, answer->text, answer->text_bytes);
    copy(r->json, sizeof r->json, answer->json, answer->json_bytes);
    copy(r->results, sizeof r->results, answer->results, answer->results_bytes);
}

static void note_partial(void *context, const struct assay_client_partial *partial)
{
    struct reports *all = context;
    all->partial_id = partial->id;
    all->partial_spf = partial->spf;
    all->partials++;
}

struct assay_client *fake_client_with(struct fake *fake, uint32_t credit,
                                      struct assay_client_options options)
{
    char error[ASSAY_CLIENT_ERROR_MAX];
    options.size = sizeof options;
    options.done = options.done ? options.done : note_answer;
    options.partial = options.partial ? options.partial : note_partial;
    options.context = options.context ? options.context : &reports;
    struct assay_client *client = assay_client_open(fake->path, &options, error);
    cr_assert(client != NULL, "%s", error);
    if (credit == 0)
        return client;
    fake_accept(fake);
    struct taken hello = fake_take(fake);
    cr_assert(hello.type == FRAME_HELLO && hello.id == 0);
    taken_free(&hello);
    fake_greet(fake, credit, 50 << 20, 1 << 20);
    turn(client);
    cr_assert(assay_client_state(client) == ASSAY_CLIENT_READY);
    return client;
}

struct assay_client *fake_client(struct fake *fake, uint32_t credit)
{
    return fake_client_with(fake, credit, (struct assay_client_options){0});
}

void turn(struct assay_client *client)
{
    cr_assert(assay_client_process(client) == ASSAY_CLIENT_OK);
}

uint64_t submitted(struct assay_client *client, const char *text)
{
    uint64_t id = 0;
    enum assay_client_status status =
        assay_client_submit(client, NULL, text, strlen(text), NULL, &id);
    cr_assert(status == ASSAY_CLIENT_OK && id != 0, "status %d", status);
    return id;
}

unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}
