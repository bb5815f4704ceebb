/*
 * The mail of the load generator: a pool of messages of made-up domains, with the verdict that each
 * must get, and the zone that makes it so.
 *
 * Domain N is dN.example. Its zone has an SPF record, a DMARC record (p=reject) and one DKIM key
 * under s1._domainkey. Key pairs are few and shared by all domains (69 % RSA-2048, 31 % RSA-1024,
 * as in real mail), since making them is slow; to the daemon every name is a key of its own.
 */
#ifndef BENCH_LOAD_MAIL_H
#define BENCH_LOAD_MAIL_H

#include "base/buffer.h"
#include "client/assay_client.h"

enum load_kind
{
    LOAD_SIGNED, /* DKIM, SPF and DMARC pass */
    LOAD_PLAIN,  /* no signature; SPF passes, and DMARC by it */
    LOAD_FORGED, /* the body was changed and the client is a stranger: all fail */
    LOAD_KINDS,
};

struct load_message
{
    uint8_t *text; /* owned */
    size_t bytes, header_bytes;
    unsigned domain;
    enum load_kind kind;
    char mail_from[48];
};

struct load_expectation
{
    enum assay_client_result spf, dkim, arc, dmarc;
    enum assay_client_disposition disposition;
};

struct load_mail_options
{
    unsigned messages, domains;
    unsigned first_domain; /* their numbers begin there */
    size_t bytes;          /* of a message, about; 0: sizes as in real mail (13 KB to 1.6 MB) */
    unsigned percent[LOAD_KINDS]; /* adds up to 100 */
    unsigned signatures;          /* of a signed message; 0: one */
};

struct load_mail
{
    struct load_message *messages; /* owned */
    unsigned count;
    uint64_t bytes, header_bytes; /* of all */
    struct buffer zone;           /* text of a zone file */
};

/* Ends the program with a line on stderr where it fails: there is no memory, or signing fails. */
void load_mail_make(struct load_mail *mail, const struct load_mail_options *options);
void load_mail_free(struct load_mail *mail);

/* What the daemon must say about a message of that kind. */
const struct load_expectation *load_expected(enum load_kind kind);
/* The client's address for a message of that kind. Static. */
const char *load_client_ip(enum load_kind kind);

#endif
