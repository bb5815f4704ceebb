/*
 * The attacks of the project's attack table as whole messages. attack.test is the attacker's own
 * domain, with SPF for 192.0.2.66 and a key; victim.test publishes p=reject. A row says what is
 * sent and what must come of it.
 */
#ifndef E2E_ATTACK_H
#define E2E_ATTACK_H

#include <jansson.h>

#include "e2e/harness.h"

enum attack_signer
{
    UNSIGNED,
    BY_ATTACKER, /* d=attack.test; s=a, over the header as it stands */
    BY_VICTIM,   /* d=victim.test; s=v */
};

struct attack
{
    const char *row, *what;
    struct span header; /* fields, CRLF at their ends */
    struct span on_top; /* put above after signing */
    enum attack_signer signer;
    const char *mail_from;          /* NULL: a@attack.test */
    const char *helo;               /* NULL: attack.test */
    const char *zone;               /* further lines of the zone; NULL */
    const char *spf, *dkim, *dmarc; /* results that must be; NULL: any but a pass of DMARC */
    const char *has;                /* a text that the JSON must have; NULL */
    const char *lacks;              /* and one that it must not have; NULL */
};

#define SPAN_OF(literal)                                                                           \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }
#define FROM_ATTACKER "From: a@attack.test\r\n"
#define FROM_VICTIM "From: admin@victim.test\r\n"
#define SUBJECT "Subject: hello\r\n"

/* The zone that every attack has, and `more`. Good until the end of the process. */
struct assay_engine *attack_engine(const char *more);
/* Header and "body\r\n" signed; malloc'd. `tags` of further sign options: l= where limit >= 0. */
struct span attack_signed(struct span header, struct span body, enum attack_signer signer,
                          int64_t limit);
/* By the attacker, c=simple/simple. */
struct span attack_signed_simple(struct span header, struct span body);
/* Judges with the attacker's envelope (or the one given). The JSON is released with json_decref. */
json_t *attack_judge(struct assay_engine *engine, struct span mail, const char *mail_from,
                     const char *helo);
/* Runs the rows; every failure names row and case. */
void attack_run(const struct attack *attacks, size_t count);

/* For attacks that no row of texts can say. `path` as in tests/support/tool.h. */
const char *attack_text(const json_t *verdict, const char *path);
void attack_expect(const char *row, const json_t *verdict, const char *path, const char *want);
/* None of the four says pass. */
void attack_expect_no_pass(const char *row, const json_t *verdict);
bool attack_has(const json_t *verdict, const char *text);

/* The public half of a signer's key as a TXT record's text; static. */
const char *attack_key_record(enum attack_signer signer);

#endif
