/*
 * libassay: verifies DKIM, SPF, DMARC (RFC 9989) and ARC of one message and says why.
 *
 *   struct assay_engine *engine = assay_engine_open(&config, error);
 *   struct assay_message *message = assay_message_begin(engine, &envelope, error);
 *   assay_message_feed(message, bytes, n);                 ... any number of times, any pieces
 *   if (assay_message_end(message) == ASSAY_OK)
 *       puts(assay_message_results(message));              the Authentication-Results field body
 *   assay_message_free(&message);
 *   assay_engine_close(&engine);
 *
 * Threads: an engine and its messages belong to one thread at a time; open one engine per thread.
 * Open engines before other threads start (libunbound's rule). Nothing here uses signals, changes
 * the locale or writes to a descriptor that is not its own.
 *
 * Strings are NUL-terminated and copied where nothing else is said. Structs begin with `size`: set
 * it to sizeof, zero the rest, and a program built today goes on working when fields are added at
 * the end.
 *
 * No error becomes a pass: every result is ASSAY_RESULT_UNSET (0) until the message was judged.
 */
#ifndef ASSAY_H
#define ASSAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASSAY_API __attribute__((visibility("default")))
#define ASSAY_CHECK __attribute__((warn_unused_result))

/* The version of the library that runs, e.g. "0.1.0". Static. */
ASSAY_API const char *assay_version(void);

enum assay_status
{
    ASSAY_OK = 0,
    ASSAY_TOO_LARGE,  /* over the message limit of 50 MiB: fed on, but DKIM and ARC will not pass */
    ASSAY_NO_MESSAGE, /* the input has not one header field; the verdict is there all the same */
    ASSAY_BAD_CALL,   /* wrong order of calls: feed after end, results before end */
    ASSAY_NO_MEMORY,
};

/* Result words of RFC 8601. The numbers are part of the interface and not small on purpose. */
enum assay_result
{
    ASSAY_RESULT_UNSET = 0,
    ASSAY_RESULT_NONE = 0x11,
    ASSAY_RESULT_NEUTRAL = 0x12,
    ASSAY_RESULT_SOFTFAIL = 0x13,
    ASSAY_RESULT_FAIL = 0x14,
    ASSAY_RESULT_POLICY = 0x15,
    ASSAY_RESULT_TEMPERROR = 0x16,
    ASSAY_RESULT_PERMERROR = 0x17,
    ASSAY_RESULT_PASS = 0x5a,
};

enum assay_disposition
{
    ASSAY_DISPOSITION_UNSET = 0,
    ASSAY_DISPOSITION_NONE,
    ASSAY_DISPOSITION_QUARANTINE,
    ASSAY_DISPOSITION_REJECT,
};

enum assay_dmarc_mode
{
    ASSAY_DMARC_TREE_WALK = 0, /* RFC 9989 */
    ASSAY_DMARC_PSL,           /* Organizational Domain by the Public Suffix List */
    ASSAY_DMARC_COMPARE,       /* tree walk decides, differences are reported */
};

enum
{
    ASSAY_ERROR_MAX = 256, /* bytes of an error text, final NUL included */
};

struct assay_config
{
    size_t size;             /* sizeof(struct assay_config) */
    const char *authserv_id; /* NULL: the host's name */
    const char *zone_file;   /* answers from a zone file instead of the network; NULL: network */
    const char *resolver;    /* "ADDR" or "ADDR@PORT"; NULL: those of /etc/resolv.conf */
    int reject; /* not 0: DMARC p=reject rejects; default it quarantines (RFC 9989 8) */
    enum assay_dmarc_mode dmarc_mode;
    const char *psl_file;         /* Public Suffix List for the PSL modes; NULL: libpsl's own */
    const char *const *psd_names; /* treated as if they published psd=y; NULL-terminated, or NULL */
    const char *const
        *trusted_sealers;         /* ARC d= whose word counts; NULL-terminated, or NULL: none */
    int dkim_allow_unsigned_body; /* not 0: l= that leaves octets unsigned may pass */
    int dkim_trust_testing_keys;  /* not 0: keys with t=y count for DMARC */
    int spf_explanation;          /* not 0: fetch exp= texts when SPF fails */
    unsigned spf_void_limit;      /* 0: the default of 2 */
    unsigned timeout_ms;          /* time for all DNS of one message; 0: 25,000 */
};

struct assay_engine;
struct assay_message;

/*
 * Opens an engine. NULL with one line in `error` (may be NULL) where the configuration is wrong:
 * zone file with a bad line ("zone.txt:3:9: ..."), resolver that is no address, name that is none.
 * `config` may be NULL: everything by default. The engine keeps nothing of `config`.
 */
ASSAY_API struct assay_engine *assay_engine_open(const struct assay_config *config,
                                                 char error[ASSAY_ERROR_MAX]) ASSAY_CHECK;
/* Closes it and nulls the pointer; its messages must have been freed. NULL inside is fine. */
ASSAY_API void assay_engine_close(struct assay_engine **engine);

/* How often a limit was reached since the engine was opened; `limit` counts from 0, *name is its
 * static name. Returns 0 behind the last limit. */
ASSAY_API int assay_engine_limit(const struct assay_engine *engine, unsigned limit,
                                 const char **name, uint64_t *hits);

struct assay_envelope
{
    size_t size;           /* sizeof(struct assay_envelope) */
    const char *client_ip; /* IPv4 or IPv6 text; NULL: not known, SPF is not checked */
    const char *helo;      /* HELO or EHLO argument; NULL: not known */
    const char *mail_from; /* "a@b", "<a@b>", "<>" for the null reverse-path; NULL: not known */
    const char *const *rcpt_to; /* all recipients, rcpt_count of them; may be NULL */
    size_t rcpt_count;          /* at most 1,000 */
    int64_t received_at;        /* seconds since the epoch; 0: now */
    const char *tls_version;    /* "TLSv1.3"; NULL: clear text or not known */
    const char *tls_cipher;
};

/*
 * Begins a message. `envelope` may be NULL. NULL with one line in `error` where client_ip is no
 * address, there are too many recipients, or there is no memory.
 */
ASSAY_API struct assay_message *assay_message_begin(struct assay_engine *engine,
                                                    const struct assay_envelope *envelope,
                                                    char error[ASSAY_ERROR_MAX]) ASSAY_CHECK;
/*
 * Feeds bytes as they came over the wire after dot-unstuffing: CRLF line ends, not decoded. `bytes`
 * is read during the call only. Does not block.
 */
ASSAY_API enum assay_status assay_message_feed(struct assay_message *message, const void *bytes,
                                               size_t n) ASSAY_CHECK;
/*
 * No more bytes: asks the DNS what is still to be asked and judges. Blocks up to timeout_ms; what
 * has no answer by then is temperror. ASSAY_OK, ASSAY_NO_MESSAGE and ASSAY_TOO_LARGE leave a
 * verdict.
 */
ASSAY_API enum assay_status assay_message_end(struct assay_message *message) ASSAY_CHECK;
/* Frees it in any state (that is also how a message is given up) and nulls the pointer. */
ASSAY_API void assay_message_free(struct assay_message **message);

/*
 * The verdict, after assay_message_end. Before it: UNSET, NULL. Strings live as long as the
 * message.
 */
ASSAY_API enum assay_result assay_message_spf(const struct assay_message *message);
/* The best DKIM result (pass before all), NONE where there is no signature. */
ASSAY_API enum assay_result assay_message_dkim(const struct assay_message *message);
ASSAY_API enum assay_result assay_message_arc(const struct assay_message *message);
ASSAY_API enum assay_result assay_message_dmarc(const struct assay_message *message);
ASSAY_API enum assay_disposition assay_message_disposition(const struct assay_message *message);
/* The body of an Authentication-Results field, one line (RFC 8601). */
ASSAY_API const char *assay_message_results(struct assay_message *message);
/* The whole field, folded, ending in CRLF: prepend it above all other trace fields. */
ASSAY_API const char *assay_message_results_field(struct assay_message *message);
/* Everything, with its evidence, as one JSON object on one line. */
ASSAY_API const char *assay_message_json(struct assay_message *message);

/* "pass", "none", ...: static. Anything unknown gives "temperror". */
ASSAY_API const char *assay_result_word(enum assay_result result);
/* "none", "quarantine", "reject"; UNSET gives "none". */
ASSAY_API const char *assay_disposition_word(enum assay_disposition disposition);

#ifdef __cplusplus
}
#endif

#endif
