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
    struct span
        authserv_id;  /* verdict_authserv_id_usable; else it is cleaned when written (AR-6) */
    struct span file; /* for JSON; p == NULL: "file" is null */
    struct ip client;
    bool spf_checked;                /* false: no client address, SPF is none "no_client_address" */
    const struct mail_path *path;    /* MAIL FROM, for its local part (AR-11); may be NULL */
    const struct spf_judgement *spf; /* NULL, here and below: the method was not run */
    const struct dkim_judgement *dkim;
    const struct arc_judgement *arc;
    const struct dmarc_judgement *dmarc;
    const struct mail_from *from;
    struct mail_recipients recipients; /* told in the JSON (C12) */
    const struct mail_anomalies *anomalies;
    const struct dns_answers *answers;
    struct limit_hits *hits; /* may be NULL; a cut Authentication-Results is counted here */
};

/* 1 to 256 printable ASCII characters: what may be configured as authserv-id (AR-6). */
bool verdict_authserv_id_usable(struct span id) MUST_CHECK;

/*
 * Appends the field body, e.g. "mx.example.net; spf=pass smtp.mailfrom=a.example; dkim=...": one
 * line without CR or LF. Every value that comes from the message or the DNS is quoted where it is
 * no token, cleaned of CR, LF, NUL and 8-bit bytes, and cut to a bound (AR-8, security.md J04).
 * At most MAX_AR_FIELD_BYTES as a field: signatures that no longer fit, those that do not pass
 * first, are left out behind the comment "(more results left out)"; dmarc never is.
 *
 * A method that was not run (NULL) has no resinfo; with none run it is "authserv-id; none" (AR-7).
 * Without a client address spf is none, if another method was run.
 */
void verdict_write_results(const struct verdict *verdict, struct buffer *out);
/*
 * The same as a header field, ending in CRLF: each result on a line of its own, folded at 78 where
 * possible, never over 998. Unfolded it is "Authentication-Results: " and the text above.
 */
void verdict_write_results_field(const struct verdict *verdict, struct buffer *out);

/*
 * Appends one JSON object, one line without the newline. Keys and words are the contract of the
 * command line, in its order; behind them, in each object, stand these:
 *
 *   verdict   client            address or null
 *             from              [{local, domain}]: author addresses, where From could be read
 *             recipients        {count, named}: of the envelope, and how many of them To and Cc
 *                               name; named is null where that is not known
 *             dkim_total        signature fields in the message, also those not looked at
 *             dkim_refused      why none was looked at ("header_too_large" ...), or null
 *             limits            {"SPF_LOOKUPS": times ...}: limits that were hit
 *   spf       reason            word or null
 *             identity          the domain as given, or null
 *             path              the way to the match, or null
 *             prefix            bits of the matching network, or null
 *             record            text or null
 *             uses_local_part   bool
 *             mail_from_malformed  bool
 *             helo              null, or the HELO identity judged besides: an object as spf is, up
 *                               to uses_local_part
 *   dkim[]    skipped, usable_for_dmarc  bool
 *             body_hash_matches bool, null where no body hash was compared
 *             length, signed_at, expires   l=, t=, x= or null
 *             fingerprint       32 hexadecimal digits that stand for b=, or null: equal for every
 *                               copy of a message, however many recipients it is sent to (C12)
 *             signed_fields     [names of h=]
 *             unsigned_fields   [critical fields that are there and not covered]
 *             reason_at         offset of the fault in the field's value, or null
 *   arc       fault_instance, trusted_sealer  number or null
 *             temporary         bool: failed through DNS trouble
 *             results_in_message_signature  bool
 *   sealers[] instance, domain, selector, algorithm, key_bits, result (of the seal; null where it
 *             was not needed), cv, reason, trusted,
 *             message_signature {result, domain, selector, algorithm, key_bits}
 *   dmarc     aligned_by        "spf", "dkim", "both" or null (A20)
 *             alignment_mode    {spf, dkim}: "relaxed" or "strict"
 *             override          word or null
 *             exists            of the author domain: bool, or null where nobody asked
 *             record            text or null
 *             published         policy before t, or null; policy_tag: "p", "sp", "np" or null
 *             discovery_method  "treewalk" or "psl"
 *             psl_org_domain    name or null; psl_differs: bool; psl_difference: word or null
 *   dns[]     ttl, records      numbers
 *             reason            word for "tempfail", else null
 */
void verdict_write_json(const struct verdict *verdict, struct buffer *out);
/* The object that `assay spf --json` prints: as "spf" above. NULL: no client address. */
void verdict_write_spf_json(const struct spf_judgement *spf, struct buffer *out);
/*
 * The object that `assay dmarc --json` prints: from_domain, exists, org_domain, policy_domain,
 * policy, record, tags {p sp np psd t adkim aspf rua ruf fo: strings after defaults, or null},
 * walk [{name, outcome, record, reason}], reason; behind them result ("none", "temperror" ...;
 * null where a policy was found), published, policy_tag, discovery_method, psl_org_domain,
 * psl_differs, psl_difference, ignored_tags.
 */
void verdict_write_discovery_json(const struct dmarc_discovery *discovery, struct buffer *out);

#endif
