/*
 * The verdict: what the four judges said, put together, with its evidence. Writers for it:
 * Authentication-Results (RFC 8601) and the JSON of design.md. Pure; borrows everything.
 */
#ifndef VERDICT_VERDICT_H
#define VERDICT_VERDICT_H

#include "arc/arc.h"
#include "dkim/dkim.h"
#include "dmarc/dmarc.h"
#include "mail/address.h"
#include "spf/spf.h"

struct verdict
{
    struct span authserv_id; /* checked: a token or a quoted-string's content (AR-6) */
    struct span file;        /* for JSON; p == NULL: "file" is null */
    struct ip client;
    bool spf_checked;                /* false: no client address, SPF is none "no_client_address" */
    const struct mail_path *path;    /* MAIL FROM, for its local part (AR-11); may be NULL */
    const struct spf_judgement *spf; /* NULL, here and below: the method was not run */
    const struct dkim_judgement *dkim;
    const struct arc_judgement *arc;
    const struct dmarc_judgement *dmarc;
    const struct mail_from *from;
    const struct mail_anomalies *anomalies;
    const struct dns_answers *answers;
    struct limit_hits *hits; /* may be NULL; a cut Authentication-Results is counted here */
};

/*
 * Appends the field body, e.g. "mx.example.net; spf=pass smtp.mailfrom=a.example; dkim=...": one
 * line without CR or LF. Every value that comes from the message or the DNS is quoted where it is
 * no token, cleaned of CR, LF, NUL and 8-bit bytes, and cut to a bound (AR-8, security.md J04). At
 * most MAX_AR_FIELD_BYTES: resinfos that no longer fit are left out behind a comment, dmarc never
 * is.
 */
void verdict_write_results(const struct verdict *verdict, struct buffer *out);
/* The same as a header field, folded at 78 where possible, never over 998, ending in CRLF. */
void verdict_write_results_field(const struct verdict *verdict, struct buffer *out);

/* Appends the JSON object of design.md, one line without the newline. */
void verdict_write_json(const struct verdict *verdict, struct buffer *out);
/* The objects that `assay spf --json` and `assay dmarc --json` print. */
void verdict_write_spf_json(const struct spf_judgement *spf, struct buffer *out);
void verdict_write_discovery_json(const struct dmarc_discovery *discovery, struct buffer *out);

#endif
