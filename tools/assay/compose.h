/* What the files of `assay record` share. */
#ifndef ASSAY_COMPOSE_H
#define ASSAY_COMPOSE_H

#include "private_keys.h"
#include "txt_record.h"

enum compose_kind
{
    COMPOSE_DKIM = 1,
    COMPOSE_SPF = 2,
    COMPOSE_DMARC = 4,
    COMPOSE_REPORT = 8,
};

enum
{
    COMPOSE_REPORTS_MAX = 2 * MAX_OPTION_VALUES, /* rua and ruf */
    COMPOSE_WARNINGS_MAX = 64,
    COMPOSE_ANSWERS_MAX = 32,
};

/* What a receiver of reports in another organization has to publish (RFC 9990 4). */
#define COMPOSE_REPORT_TEXT "v=DMARC1"
struct compose_report
{
    struct dns_name host;
    char name[DNS_NAME_TEXT_MAX];
};

struct compose
{
    enum compose_kind kind;
    const char *domain, *format, *out;
    uint64_t ttl;
    bool json;
    /* dmarc */
    const char *p, *sp, *np, *psd, *t, *adkim, *aspf, *fo, *pct, *rf, *ri;
    struct flag_texts rua, ruf; /* rua also of report */
    /* spf */
    struct flag_texts ip4, ip6, a, mx, include, exists;
    const char *redirect, *exp, *all;
    /* dkim */
    const char *selector, *from, *restrict_to, *note;
    bool no_subdomains, testing, revoke;
    struct private_keys keys;
    /* report */
    const char *to;
    bool any;

    /* found out */
    struct dns_name domain_name, selector_name, to_name;
    enum key_type key_type;
    struct buffer key; /* what p= holds before base64 */
    struct dns_name name;
    char name_text[DNS_NAME_TEXT_MAX];
    struct buffer text; /* of the TXT record */
    unsigned lookups;   /* spf: what can be known without the DNS */
    struct compose_report reports[COMPOSE_REPORTS_MAX];
    size_t report_count;
    char *warnings[COMPOSE_WARNINGS_MAX]; /* owned */
    size_t warning_count;
    char *answers[COMPOSE_ANSWERS_MAX]; /* owned: what options borrow from a dialogue */
    size_t answer_count;
};

/*
 * One value of an option is checked before it is used, the same on the command line and in a
 * dialogue. Each returns the exit status, after saying what is wrong.
 */
int compose_check_domain(struct compose *c, const char *option, const char *text);
int compose_check_selector(struct compose *c, const char *option, const char *text);
int compose_check_key(struct compose *c, const char *option, const char *text);
int compose_check_note(struct compose *c, const char *option, const char *text);
int compose_check_spf(struct compose *c, const char *option, const char *text);
int compose_check_uris(struct compose *c, const char *option, const char *text);
int compose_check_to(struct compose *c, const char *option, const char *text);

/* Each fills name and text, of checked values, and has read the text with the engine's parser.
 * Returns the exit status, after saying what is wrong. */
int compose_make_dkim(struct compose *c);
int compose_make_spf(struct compose *c);
int compose_make_dmarc(struct compose *c);
int compose_make_report(struct compose *c);

/* Takes a kind by its word; false where there is none of that name. */
bool compose_take_kind(struct compose *c, const char *word) MUST_CHECK;
const char *compose_kind_word(enum compose_kind kind);

/* Asks for what the record needs, at the terminal; kind 0: for the kind too. Returns the exit
 * status: 65 where the person left. */
int compose_ask(struct compose *c);
/* Checks one value of an option. Returns the exit status, after saying what is wrong. */
int compose_check(struct compose *c, const char *option, const char *text);

/* Prints the record in the form that was asked for. Returns the exit status. */
int compose_print(const struct compose *c);

/* For stderr and the JSON; it ends nothing. */
void compose_warn(struct compose *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* name_text from name. */
void compose_set_name(struct compose *c, const struct dns_name *name);
/* The host behind a report URI in A-labels. */
bool compose_uri_host(struct span host, struct dns_name *name) MUST_CHECK;

#endif
