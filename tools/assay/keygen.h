/* What `assay keygen` knows: options, then what was found out. */
#ifndef ASSAY_KEYGEN_H
#define ASSAY_KEYGEN_H

#include "private_keys.h"
#include "txt_record.h"

struct keygen
{
    const char *domain, *selector, *type, *from, *out, *restrict_to, *note, *format;
    uint64_t bits, ttl;
    bool encrypt, force, no_subdomains, testing, json;
    struct private_keys keys;
    /* found out */
    struct dns_name name; /* selector._domainkey.domain */
    char name_text[DNS_NAME_TEXT_MAX], domain_text[DNS_NAME_TEXT_MAX];
    char selector_text[DNS_NAME_TEXT_MAX];
    char default_out[2 * DNS_NAME_TEXT_MAX];
    enum key_type key_type;
    struct private_key *key; /* owned */
    struct buffer record;    /* the TXT record's text */
};

/* The record in the form that the options ask for. Returns the exit status. */
int keygen_print(const struct keygen *k);

#endif
