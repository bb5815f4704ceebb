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
/*
 * The instruction set that the library's fast paths use: "scalar", "neon", "sse", "avx2" or
 * "avx512", chosen once from the processor; ASSAY_KERNEL in the environment takes another. Static.
 */
ASSAY_API const char *assay_kernel(void);
/* NULL, or why ASSAY_KERNEL was not followed: it names no level, or one that this machine lacks.
 * Static. */
ASSAY_API const char *assay_kernel_problem(void);

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

/*
 * Signing ---------------------------------------------------------------------------------------
 *
 *   struct assay_key *key = assay_key_open("s1.pem", NULL, 0, error);
 *   struct assay_signer signer = {.size = sizeof signer, .domain = "a.example",
 *                                 .selector = "s1", .key = key};
 *   const struct assay_signer *signers[] = {&signer};
 *   char *fields = assay_sign(message, n, signers, 1, error);
 *   ... send fields, then the message ...
 *   assay_text_free(&fields);
 *   assay_key_free(&key);
 *
 * These calls need no engine, ask no DNS, and open no file but those they are given. A message is
 * whole and has CRLF line ends: what is signed is what is sent (RFC 6376 5.3). They refuse a
 * message that verifiers would not read as it stands: no header field, a bare CR or LF or a NUL in
 * the header, a header line that is no field, more than 50 MiB.
 *
 * Calls that return NULL leave one line in `error` (may be NULL).
 */

/* A private key, RSA of 1024 to 8192 bits or Ed25519. One thread at a time may use it. */
struct assay_key;

/*
 * Reads a key from PEM text (PKCS#8 or PKCS#1). `passphrase` may be NULL; an encrypted key is then
 * refused: nothing is ever asked at a terminal. The key keeps neither.
 */
ASSAY_API struct assay_key *assay_key_read(const void *pem, size_t n, const char *passphrase,
                                           char error[ASSAY_ERROR_MAX]) ASSAY_CHECK;
/*
 * The same from a file. One that others may read or write, or that lies below a directory in which
 * everybody may rename, is refused unless accept_loose_mode is not 0.
 */
ASSAY_API struct assay_key *assay_key_open(const char *path, const char *passphrase,
                                           int accept_loose_mode,
                                           char error[ASSAY_ERROR_MAX]) ASSAY_CHECK;
/* Frees it and nulls the pointer; NULL inside is fine. */
ASSAY_API void assay_key_free(struct assay_key **key);
/* "rsa-sha256" or "ed25519-sha256": what a= says. Static. */
ASSAY_API const char *assay_key_algorithm(const struct assay_key *key);
/* Bits of the modulus; 256 for Ed25519. */
ASSAY_API unsigned assay_key_bits(const struct assay_key *key);
/* The text of the TXT record that publishes it, "v=DKIM1; k=rsa; p=...". NULL without memory.
 * Release it with assay_text_free. */
ASSAY_API char *assay_key_record(const struct assay_key *key) ASSAY_CHECK;

struct assay_signer
{
    size_t size;          /* sizeof(struct assay_signer) */
    const char *domain;   /* d=; U-labels become A-labels */
    const char *selector; /* s= */
    const char *identity; /* i=, "user@domain" or "@domain" within d=; NULL: not written */
    const struct assay_key *key;
    int simple_header; /* not 0: simple canonicalization; default relaxed */
    int simple_body;
    const char *headers; /* h=, "from:to:subject"; NULL: the fields of RFC 6376 5.4.1, each once
                            more than it is there, so that none can be added (8.15) */
    int64_t signed_at;   /* t=, seconds since the epoch; 0: now */
    int64_t expires_at;  /* x=; 0: never */
};

/*
 * Signs with each of `count` (1 to 16) signers. Returns the DKIM-Signature fields one after the
 * other, in the signers' order, each ending in CRLF: they go in front of the message. None of them
 * signs another. Release the text with assay_text_free.
 *
 * NULL where the message has not exactly one From field, or a signer's domain, selector, identity
 * or headers are not what they should be. What is returned can be verified, or it is not returned:
 * every field is read back before it is signed.
 */
ASSAY_API char *assay_sign(const void *message, size_t n, const struct assay_signer *const *signers,
                           size_t count, char error[ASSAY_ERROR_MAX]) ASSAY_CHECK;

struct assay_sealer
{
    size_t size;                       /* sizeof(struct assay_sealer) */
    const struct assay_signer *signer; /* identity and expires_at are not used */
    const char *cv;      /* "none", "pass" or "fail": the chain's state when the message arrived, as
                            assay_message_arc() of that time has it (RFC 8617 5.1) */
    const char *results; /* the results of that time, as assay_message_results() has them */
};

/*
 * Seals: returns ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results of the next
 * instance, in this order, to go in front of the message after all changes to it and all its DKIM
 * signing. Release with assay_text_free.
 *
 * NULL where nothing may be sealed: the newest ARC-Seal says cv=fail, there are 50 sets, cv does
 * not fit the sets that are there, `results` is no text of such a field.
 */
ASSAY_API char *assay_seal(const void *message, size_t n, const struct assay_sealer *sealer,
                           char error[ASSAY_ERROR_MAX]) ASSAY_CHECK;

/*
 * KeyTable and SigningTable as opendkim.conf(5) has them: "file:PATH", "refile:PATH" or a path. The
 * first address of From chooses; "*" stands for any text in a refile's patterns, "%" for the
 * author's domain. Keys are opened when they are first wanted and kept.
 */
struct assay_tables_config
{
    size_t size; /* sizeof(struct assay_tables_config) */
    const char *key_table;
    const char *signing_table;
    const char *passphrase; /* of encrypted keys; NULL: such keys are refused */
    int accept_loose_modes; /* as in assay_key_open */
    int all_matches;        /* not 0: every row that fits signs; default the first (opendkim's
                               MultipleSignatures) */
};

struct assay_tables;

/* Reads both tables. One thread at a time may use them. NULL where a file cannot be read or has a
 * bad line: "keytable:3: ...". Keeps nothing of `config`. */
ASSAY_API struct assay_tables *assay_tables_open(const struct assay_tables_config *config,
                                                 char error[ASSAY_ERROR_MAX]) ASSAY_CHECK;
/* Closes them, wipes the keys and nulls the pointer; NULL inside is fine. */
ASSAY_API void assay_tables_close(struct assay_tables **tables);
/*
 * As assay_sign, with the signers that the tables choose for the author. `how` gives everything but
 * domain, selector, key and, unless it is set, identity; it may be NULL. "" where no row fits.
 */
ASSAY_API char *assay_tables_sign(struct assay_tables *tables, const void *message, size_t n,
                                  const struct assay_signer *how,
                                  char error[ASSAY_ERROR_MAX]) ASSAY_CHECK;

/* Frees a text that one of the calls above returned and nulls the pointer; NULL inside is fine. */
ASSAY_API void assay_text_free(char **text);

#ifdef __cplusplus
}
#endif

#endif
