/*
 * Deterministic sets of signed messages for the benchmark: the same bytes on every machine and in
 * every run, since text comes from a fixed seed and keys from bench/keys.
 *
 * Domain N is dN.example; each has an SPF record with one include (a pass is met in it), a DMARC
 * record (p=reject), and keys under the selectors rsa2048, rsa1024 and ed25519. Bodies are of four
 * kinds in turn: prose, sloppy text (double and trailing blanks, tabs), indented html, base64.
 * Signatures are relaxed/relaxed.
 *
 * Every message has the verdict that it must get, and who measures checks it: a benchmark that
 * judged wrongly has measured nothing.
 */
#ifndef BENCH_MAIL_SET_H
#define BENCH_MAIL_SET_H

#include "base/buffer.h"
#include "base/result.h"
#include "crypto/sign.h"

enum
{
    MAIL_SET_RSA2048_KEYS = 8,
    MAIL_SET_RSA1024_KEYS = 4,
    MAIL_SET_ED25519_KEYS = 2,
    MAIL_SET_DOMAINS = 64,
    MAIL_SET_NOW = 1767225660, /* receive time of all: past, for peers that look at the clock */
    MAIL_SET_ARC_MAX = 3,
};

enum mail_set_fault
{
    MAIL_SET_INTACT,
    MAIL_SET_BODY_CHANGED,      /* one bit of the body: fails before any signature is looked at */
    MAIL_SET_SIGNATURE_CHANGED, /* one digit of b=: fails in the public-key operation */
};

struct mail_set_kind
{
    const char *name; /* "10k" */
    size_t body_bytes;
    unsigned messages;
    unsigned signatures; /* DKIM: 1, or 2 with the same key sizes and another domain */
    unsigned arc_sets;
    bool ed25519;     /* instead of RSA */
    unsigned rsa1024; /* per cent of domains with the short key */
    unsigned bad;     /* per cent with a fault, the two in turn */
    bool mixed;       /* sizes, signatures and ARC as in real mail (kernels.md 13) */
};

struct mail_set_message
{
    uint8_t *text; /* owned */
    size_t bytes, header_bytes;
    unsigned domain;
    enum mail_set_fault fault;
    unsigned signatures, arc_sets;
    enum result dkim, arc; /* SPF and DMARC pass for all: SPF is in order and aligned */
    char mail_from[40];
};

struct mail_set
{
    const struct mail_set_kind *kind;  /* borrowed */
    struct mail_set_message *messages; /* owned */
    unsigned count;
    uint64_t bytes; /* of all messages */
};

/* "2k", "10k", ... ; NULL where there is none of that name. */
const struct mail_set_kind *mail_set_find(const char *name);
extern const struct mail_set_kind mail_set_kinds[];
extern const unsigned mail_set_kind_count;

/*
 * Makes a set. Ends the program with a line on stderr where keys are not found under `keys`
 * ("bench/keys"), or without memory.
 */
void mail_set_make(struct mail_set *set, const struct mail_set_kind *kind, const char *keys);
void mail_set_free(struct mail_set *set);
/* Writes it for other programs: NNNN.eml, zone.txt, and index.tsv with file, MAIL FROM and DKIM
 * result of each (peers/common.py). */
void mail_set_write(const struct mail_set *set, const char *folder, const char *keys);
/* The zone that holds for all sets, as text for --dns. */
void mail_set_zone(struct buffer *out, const char *keys);

/* The key that a message of domain `n` of such a set is signed with. Static. */
const struct private_key *mail_set_key(const struct mail_set_kind *kind, unsigned n,
                                       const char *keys);

#define MAIL_SET_CLIENT "192.0.2.25"
#define MAIL_SET_HELO "mail.sender.example"
#define MAIL_SET_RECIPIENT "ada@receiver.example"

#endif
