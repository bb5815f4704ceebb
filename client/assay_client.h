/*
 * libassay-client: asks assayd for verdicts over its Unix socket. Plain C, nothing but libc.
 *
 *   static void done(void *context, const struct assay_client_answer *answer) { ... }
 *
 *   struct assay_client_options options = {.size = sizeof options, .done = done};
 *   struct assay_client *client = assay_client_open("/run/assay/verdict.sock", &options, error);
 *   assay_client_submit(client, &envelope, message, bytes, user, &id);      ... many times
 *   assay_client_poll(client, 1000);                   done() is called for what has been answered
 *   assay_client_close(&client);
 *
 * One rule for answers: each request that was accepted (ASSAY_CLIENT_OK) is answered by exactly one
 * call of done(), from within assay_client_process, _poll or _close and nowhere else. Where the
 * connection broke, that answer is ASSAY_CLIENT_LOST; the library sends nothing twice on its own,
 * since only the caller knows whether asking again is worth it.
 *
 * Flow: the server grants credits, one for each open request. Without a credit, while there is no
 * connection, or when the output queue is full, submitting returns ASSAY_CLIENT_WOULD_BLOCK and
 * nothing has happened: process or poll, then try again. Nothing here queues without bound.
 *
 * An own event loop instead of assay_client_poll: watch assay_client_fd for assay_client_events,
 * at most assay_client_timeout long, then call assay_client_process. All three may change with
 * every call into the library: ask them anew each time.
 *
 * Threads: a client belongs to one thread at a time; any number of clients may live side by side.
 * There is no global state, no signal (SIGPIPE neither), no thread, no blocking but in
 * assay_client_poll.
 *
 * Structs begin with `size`: set it to sizeof, zero the rest, and a program built today goes on
 * working when fields are added at the end. Strings end in NUL; what is passed in is copied or read
 * during the call, never kept. Results are 0 (no verdict) until the server has said otherwise.
 *
 * The protocol is described in engine/front/PROTOCOL.md of the source tree.
 */
#ifndef ASSAY_CLIENT_H
#define ASSAY_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASSAY_CLIENT_API __attribute__((visibility("default")))
#define ASSAY_CLIENT_CHECK __attribute__((warn_unused_result))

enum
{
    ASSAY_CLIENT_ERROR_MAX = 256, /* bytes of an error text, final NUL included */
};

/* What a call says. */
enum assay_client_status
{
    ASSAY_CLIENT_OK = 0,
    ASSAY_CLIENT_WOULD_BLOCK, /* no credit, no connection, the server drains, or the queue is full
                               */
    ASSAY_CLIENT_TOO_LARGE,   /* message over the server's limit, or an envelope over a frame's */
    ASSAY_CLIENT_ENDED,       /* no open request has that id (any more), or its data has ended */
    ASSAY_CLIENT_BAD_CALL,    /* an argument that cannot be, or a call that is not for callbacks */
    ASSAY_CLIENT_NO_MEMORY,
};

/* Result words of RFC 8601, with the numbers of assay.h. Anything unknown is UNSET: no verdict. */
enum assay_client_result
{
    ASSAY_CLIENT_UNSET = 0,
    ASSAY_CLIENT_NONE = 0x11,
    ASSAY_CLIENT_NEUTRAL = 0x12,
    ASSAY_CLIENT_SOFTFAIL = 0x13,
    ASSAY_CLIENT_FAIL = 0x14,
    ASSAY_CLIENT_POLICY = 0x15,
    ASSAY_CLIENT_TEMPERROR = 0x16,
    ASSAY_CLIENT_PERMERROR = 0x17,
    ASSAY_CLIENT_PASS = 0x5a,
};

enum assay_client_disposition
{
    ASSAY_CLIENT_DISPOSE_UNSET = 0,
    ASSAY_CLIENT_DISPOSE_NONE,
    ASSAY_CLIENT_DISPOSE_QUARANTINE,
    ASSAY_CLIENT_DISPOSE_REJECT,
};

/* How a request ended. */
enum assay_client_outcome
{
    ASSAY_CLIENT_VERDICT = 0x61, /* a message was judged: the results are set */
    ASSAY_CLIENT_REPLY = 0x62,   /* a query was answered: `json` */
    ASSAY_CLIENT_REFUSED = 0x63, /* the server said why not: `error`, `word`, `text` */
    ASSAY_CLIENT_LOST = 0x64,    /* the connection ended before an answer: `word`, `text` */
};

/* The server's errors (PROTOCOL.md "Errors"); 0 in answers that are no refusal. */
enum assay_client_error
{
    ASSAY_CLIENT_ERROR_VERSION = 1,
    ASSAY_CLIENT_ERROR_MALFORMED,
    ASSAY_CLIENT_ERROR_TOO_LARGE,
    ASSAY_CLIENT_ERROR_BUSY, /* try again later */
    ASSAY_CLIENT_ERROR_CANCELLED,
    ASSAY_CLIENT_ERROR_GOING_AWAY, /* the server stops; the next one may take it */
    ASSAY_CLIENT_ERROR_FORBIDDEN,
    ASSAY_CLIENT_ERROR_NO_FILE,
    ASSAY_CLIENT_ERROR_INTERNAL,
    ASSAY_CLIENT_ERROR_IDLE,
};

/* All that it points to is the library's and valid during the callback only. */
struct assay_client_answer
{
    size_t size;
    enum assay_client_outcome outcome;
    uint64_t id; /* as submit returned it; never used again by this client */
    void *user;  /* as given to submit */
    enum assay_client_result spf, dkim, arc, dmarc;
    enum assay_client_disposition disposition;
    const char *json; /* the object that was wished for; NULL: none. No final NUL */
    size_t json_bytes;
    const char *results; /* body of an Authentication-Results field; NULL: none. No final NUL */
    size_t results_bytes;
    unsigned error;   /* enum assay_client_error; 0 unless refused */
    const char *word; /* "busy", "going_away" ...; of a loss "connection", "protocol" or "closed";
                         NULL in verdicts and replies */
    const char *text; /* more about it for people, escape it before showing it; NULL: none. No final
                         NUL */
    size_t text_bytes;
};

/* SPF's result before the message has been judged; the verdict follows with the same id. */
struct assay_client_partial
{
    size_t size;
    uint64_t id;
    void *user;
    enum assay_client_result spf;
};

struct assay_client_options
{
    size_t size; /* sizeof(struct assay_client_options) */
    /*
     * Called once for each accepted request. It may submit, feed, cancel and ask; it must not call
     * assay_client_process, _poll or _close (they do nothing there but say BAD_CALL).
     */
    void (*done)(void *context, const struct assay_client_answer *answer);
    void (*partial)(void *context, const struct assay_client_partial *partial); /* may be NULL */
    void *context;
    const char *name; /* of your program, told to the server; NULL: "libassay-client" */
    int no_reconnect; /* not 0: open fails where nobody listens; a lost connection is final */
    unsigned backoff_min_ms; /* first pause before connecting again; 0: 50. It doubles, with ... */
    unsigned backoff_max_ms; /* ... a random part, up to this; 0: 5,000 */
    unsigned alive_ms;   /* silence after which the server is pinged, and as long again until it is
                            given up; 0: 20,000 */
    size_t queue_bytes;  /* output not taken by the server yet, beyond which submitting would block;
                            0: 1 MiB. One message may reach beyond it */
    uint32_t max_open;   /* most open requests, if the server grants more; 0: no own limit */
    uint32_t ring_bytes; /* 0: none. Else: ask for a shared-memory ring of that size each way (64
                            KiB to 16 MiB; 1 MiB is good) instead of the stream, where the server
                            has them; then assay_client_submit_fd says BAD_CALL */
};

enum assay_client_state
{
    ASSAY_CLIENT_CONNECTING = 1, /* connected; the server has not greeted yet */
    ASSAY_CLIENT_READY,
    ASSAY_CLIENT_DRAINING, /* the server stops: it answers what is open and takes no more */
    ASSAY_CLIENT_AWAY,     /* no connection; the next attempt comes by itself */
    ASSAY_CLIENT_GONE,     /* no connection and, by no_reconnect, no further attempt */
};

struct assay_client;

/*
 * Makes a client and tries to connect. NULL with one line in `error` (may be NULL) where `path` or
 * the options cannot be, there is no memory, or, with no_reconnect, nobody listens. Keeps nothing
 * of its arguments but `context`.
 */
ASSAY_CLIENT_API struct assay_client *
assay_client_open(const char *path, const struct assay_client_options *options,
                  char error[ASSAY_CLIENT_ERROR_MAX]) ASSAY_CLIENT_CHECK;

/*
 * Ends it: done() is called with LOST, word "closed", for each open request; the pointer is nulled.
 * NULL inside is fine. From within a callback it does nothing.
 */
ASSAY_CLIENT_API void assay_client_close(struct assay_client **client);

/* --- the loop --- */

/* The socket to watch, or -1 while there is none. Changes when the client connects again. */
ASSAY_CLIENT_API int assay_client_fd(const struct assay_client *client);
/* POLLIN, and POLLOUT while there is something to send. */
ASSAY_CLIENT_API short assay_client_events(const struct assay_client *client);
/* Milliseconds after which assay_client_process is to be called even if nothing happened; -1: no
 * need. */
ASSAY_CLIENT_API int assay_client_timeout(const struct assay_client *client);
/*
 * Sends, receives and connects as far as that goes without waiting, and calls done() for what was
 * answered or lost. Does a bounded amount of work a call. Needs no word on what poll() found.
 */
ASSAY_CLIENT_API enum assay_client_status
assay_client_process(struct assay_client *client) ASSAY_CLIENT_CHECK;
/*
 * Waits until at least one request has been answered, at most `timeout_ms` (-1: without end, 0: not
 * at all), and calls done(). Returns the number of answers. 0: time ran out, the connection has
 * changed its state (assay_client_state tells), the output queue was full and is not any more, a
 * signal came, or the call was made from within a callback.
 */
ASSAY_CLIENT_API unsigned assay_client_poll(struct assay_client *client, int timeout_ms);
/* Sends what is queued, as far as that goes now; process and poll do so as well. Small messages
 * wait for it, so that many go out in one system call. */
ASSAY_CLIENT_API void assay_client_flush(struct assay_client *client);

ASSAY_CLIENT_API enum assay_client_state assay_client_state(const struct assay_client *client);
/* How many requests may be opened now: credits, 0 while not READY or the queue is full. */
ASSAY_CLIENT_API uint32_t assay_client_room(const struct assay_client *client);
/* Requests that wait for their answer. */
ASSAY_CLIENT_API uint32_t assay_client_open_requests(const struct assay_client *client);
/* Why there is no connection, or why the last one ended: one line, "" where none has. Until the
 * next call. */
ASSAY_CLIENT_API const char *assay_client_trouble(const struct assay_client *client);
/* Whether frames go through a shared-memory ring now. */
ASSAY_CLIENT_API int assay_client_has_ring(const struct assay_client *client);
/* Name and version of the server, "" before it greeted; its limit of a message in bytes, or 0. */
ASSAY_CLIENT_API const char *assay_client_server(const struct assay_client *client);
ASSAY_CLIENT_API uint64_t assay_client_message_limit(const struct assay_client *client);

/* --- messages --- */

/* What the answer shall hold beside the result codes; added up in assay_client_envelope.wishes. */
enum assay_client_wish
{
    ASSAY_CLIENT_WISH_PARTIAL = 1, /* SPF early, by partial() */
    ASSAY_CLIENT_WISH_JSON = 2,
    ASSAY_CLIENT_WISH_RESULTS = 4, /* Authentication-Results */
    ASSAY_CLIENT_WISH_LF = 8,      /* read LF line ends as CRLF: for messages out of files */
};

/* What SMTP knew. Strings that are NULL are not known. */
struct assay_client_envelope
{
    size_t size;           /* sizeof(struct assay_client_envelope) */
    const char *client_ip; /* IPv4 or IPv6 text; NULL: SPF is not checked */
    const char *helo;
    const char *mail_from;      /* "a@b", "<a@b>"; "" or "<>" is the null reverse-path */
    const char *const *rcpt_to; /* rcpt_count of them; may be NULL */
    size_t rcpt_count;
    int64_t received_at;     /* seconds since 1970; 0: the server's clock */
    const char *tls_version; /* "TLSv1.3" */
    const char *tls_cipher;
    const char *authserv_id; /* name in Authentication-Results; NULL: the server's */
    uint32_t deadline_ms;    /* time for DNS; 0: the server's, which is also the most */
    uint32_t wishes;         /* enum assay_client_wish, added up */
};

/*
 * Submits a whole message: as it came over the wire, CRLF line ends. `envelope` may be NULL. The
 * bytes are read during the call: what the socket does not take is copied. *id (may be NULL) gets
 * the request's id, never 0.
 */
ASSAY_CLIENT_API enum assay_client_status
assay_client_submit(struct assay_client *client, const struct assay_client_envelope *envelope,
                    const void *message, size_t bytes, void *user, uint64_t *id) ASSAY_CLIENT_CHECK;

/*
 * A message in pieces: begin, data any number of times, end. WOULD_BLOCK from data and end: that
 * piece was not taken, call again later with the same. ENDED: the request has been answered already
 * (refused, lost), done() has been or will be called; stop feeding it. TOO_LARGE from data: nothing
 * of this piece was sent; cancel the request.
 */
ASSAY_CLIENT_API enum assay_client_status
assay_client_begin(struct assay_client *client, const struct assay_client_envelope *envelope,
                   void *user, uint64_t *id) ASSAY_CLIENT_CHECK;
ASSAY_CLIENT_API enum assay_client_status assay_client_data(struct assay_client *client,
                                                            uint64_t id, const void *bytes,
                                                            size_t n) ASSAY_CLIENT_CHECK;
ASSAY_CLIENT_API enum assay_client_status assay_client_end(struct assay_client *client,
                                                           uint64_t id) ASSAY_CLIENT_CHECK;

/*
 * Submits a message by descriptor: a regular file or a memfd, `length` bytes from `offset` (length
 * 0: to its end). A memfd sealed against shrinking and writing is mapped by the server. The
 * descriptor is duplicated: close yours when you like, but leave the content alone until the
 * answer. BAD_CALL where the server does not take descriptors.
 */
ASSAY_CLIENT_API enum assay_client_status
assay_client_submit_fd(struct assay_client *client, const struct assay_client_envelope *envelope,
                       int fd, uint64_t offset, uint64_t length, void *user,
                       uint64_t *id) ASSAY_CLIENT_CHECK;

/*
 * No verdict wanted any more. The request is still answered by one call of done(): REFUSED with
 * ASSAY_CLIENT_ERROR_CANCELLED, or what was faster. Works at any time, also before end.
 */
ASSAY_CLIENT_API enum assay_client_status assay_client_cancel(struct assay_client *client,
                                                              uint64_t id) ASSAY_CLIENT_CHECK;

/* --- queries: answered by REPLY with JSON --- */

/* check_host() for a client and a sender: ip, helo, mail_from, received_at and deadline_ms count.
 */
ASSAY_CLIENT_API enum assay_client_status
assay_client_spf(struct assay_client *client, const struct assay_client_envelope *envelope,
                 void *user, uint64_t *id) ASSAY_CLIENT_CHECK;
/* The DMARC policy that a receiver finds for a domain. */
ASSAY_CLIENT_API enum assay_client_status assay_client_dmarc(struct assay_client *client,
                                                             const char *domain, void *user,
                                                             uint64_t *id) ASSAY_CLIENT_CHECK;
ASSAY_CLIENT_API enum assay_client_status
assay_client_stats(struct assay_client *client, void *user, uint64_t *id) ASSAY_CLIENT_CHECK;
/* Has the server forget a name and all below it; NULL: everything. */
ASSAY_CLIENT_API enum assay_client_status assay_client_forget(struct assay_client *client,
                                                              const char *name, void *user,
                                                              uint64_t *id) ASSAY_CLIENT_CHECK;
ASSAY_CLIENT_API enum assay_client_status assay_client_ping(struct assay_client *client, void *user,
                                                            uint64_t *id) ASSAY_CLIENT_CHECK;
/* Any query: a JSON object as PROTOCOL.md has it, `n` bytes. For what the calls above do not know.
 */
ASSAY_CLIENT_API enum assay_client_status assay_client_query(struct assay_client *client,
                                                             const char *json, size_t n, void *user,
                                                             uint64_t *id) ASSAY_CLIENT_CHECK;

/* --- words: static strings --- */

/* "pass", "none", ...; UNSET and anything unknown give "temperror": an error, never a pass. */
ASSAY_CLIENT_API const char *assay_client_result_word(enum assay_client_result result);
/* "none", "quarantine", "reject"; anything else gives "none". */
ASSAY_CLIENT_API const char *
assay_client_disposition_word(enum assay_client_disposition disposition);
/* The version of the library that runs, e.g. "0.1.0". */
ASSAY_CLIENT_API const char *assay_client_version(void);

#ifdef __cplusplus
}
#endif

#endif
