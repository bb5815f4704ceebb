/* Reason words of the judges in sentences. What is not here is shown as the word it is. */
#include "explain_parts.h"

static const struct
{
    const char *word, *sentence;
} reasons[] = {
    /* keys */
    {"no_key", "The domain publishes no key under this selector."},
    {"revoked", "The domain has withdrawn this key (its p= is empty)."},
    {"key_too_small",
     "The published key is shorter than 1024 bits, which nobody accepts any more."},
    {"key_too_large", "The published key is larger than 8192 bits."},
    {"key_type_mismatch", "The published key is of another kind than a= says."},
    {"key_hash", "The key record does not allow SHA-256 (h=)."},
    {"key_service", "The key record is not for mail (s=)."},
    {"subdomain_forbidden", "The key may not sign for subdomains (t=s), and i= is in one."},
    {"bad_key_record", "What stands under this selector is no key record."},
    {"bad_key_data", "The key record's p= is no base64."},
    {"key_bad_encoding", "The key record's p= holds no public key."},
    {"unknown_key_type", "The key is of a kind that nobody knows (k=)."},
    {"unknown_key_version", "The key record's v= is not DKIM1."},
    {"too_many_keys", "There are too many key records under this selector."},
    /* DNS */
    {"timeout", "The DNS did not answer in time; another try may succeed."},
    {"servfail", "The domain's name servers are in trouble; another try may succeed."},
    {"refused", "The name server refused to answer."},
    {"bogus", "The DNS answer failed validation (DNSSEC)."},
    {"dns_timeout", "The DNS did not answer in time; another try may succeed."},
    {"dns_servfail", "The domain's name servers are in trouble; another try may succeed."},
    {"dns_bogus", "The DNS answer failed validation (DNSSEC)."},
    {"dns_refused", "The name server refused to answer."},
    /* the signature field */
    {"rsa_sha1", "It was made with SHA-1, which is broken: no verifier may accept it (RFC 8301)."},
    {"unknown_algorithm", "It was made with an algorithm that nobody knows (a=)."},
    {"expired", "It had expired when the message was received (x=)."},
    {"future", "It says that it was made in the future (t=)."},
    {"duplicate_tag", "A tag stands twice in it, which makes all of it invalid."},
    {"bad_signature_data", "Its b= is no base64: it was damaged on the way, or badly made."},
    {"bad_body_hash", "Its bh= is no base64."},
    {"bad_body_hash_length", "Its bh= is not as long as a SHA-256."},
    {"from_not_signed", "Its h= does not cover From, which it must."},
    {"identity_outside_domain", "Its i= is not within d=."},
    {"unknown_canonicalization", "Its c= names a form that nobody knows."},
    {"bad_domain", "Its d= is no domain."},
    {"bad_selector", "Its s= is no selector."},
    {"missing_tag_v", "It has no v=."},
    {"missing_tag_b", "It has no b=."},
    {"missing_tag_bh", "It has no bh=."},
    {"missing_tag_d", "It has no d=."},
    {"missing_tag_s", "It has no s=."},
    {"missing_tag_h", "It has no h=."},
    {"missing_tag_a", "It has no a=."},
    {"unknown_version", "Its v= is not 1."},
    /* verifying */
    {"body_hash", "The body is not the one that was signed."},
    {"signature", "The signature does not fit the signed header fields."},
    {"length_beyond_body", "It covers more octets than the body has (l=)."},
    {"unsigned_body",
     "It covers only the beginning of the body (l=): what follows is nobody's word."},
    {"signature_skipped", "There are too many signatures in the message; this one was not tried."},
    {"message_malformed", "The header has octets that no message may have, so nothing may pass."},
    {"verify_error", "It could not be verified for want of memory or a library's fault."},
    {"too_many_tags", "It has more tags than any signature needs."},
    /* SPF */
    {"no_record", "The domain publishes no SPF record."},
    {"no_match", "No mechanism of the record names this client."},
    {"no_such_domain", "The domain does not exist."},
    {"multiple_records", "The domain publishes several SPF records, which is an error."},
    {"too_many_lookups", "The record needs more than 10 DNS lookups, which is an error."},
    {"too_many_void_lookups",
     "More than 2 lookups of the record found nothing, which is an error."},
    {"include_no_record", "The record includes a domain without an SPF record."},
    {"unknown_mechanism", "The record has a mechanism that does not exist."},
    {"mail_from_malformed", "The reverse-path is no address."},
    /* DMARC */
    {"no_from", "The message has no From field."},
    {"multi_from",
     "The message has several From fields: a reader may see another than was judged."},
    {"from_malformed", "The From field cannot be read without doubt."},
    {"from_several_domains", "From names several domains."},
    {"from_no_domain", "From has an address without a domain."},
    {"not_aligned", "Neither SPF nor DKIM passes for the domain in From."},
    {"alignment_dns_error", "The DNS did not tell whether the domains belong together."},
    {"dkim_temperror", "A key could not be fetched; another try may succeed."},
    {"spf_temperror", "SPF could not be checked to its end; another try may succeed."},
    /* ARC */
    {"cv_fail", "The last sealer found the chain broken already (cv=fail)."},
    {"ams_body_hash", "The body was changed after the newest seal."},
    {"ams_signature", "The header was changed after the newest seal."},
    {"ams_key", "The key of the newest message signature is not to be had."},
    {"seal_key", "The key of a seal is not to be had."},
    {"seal_signature", "A seal does not fit the sets it covers."},
    {"missing_set", "A set is missing in the chain."},
    {"bad_cv", "A seal has a cv= that its place does not allow."},
};

const char *explain_reason(const char *reason)
{
    for (size_t i = 0; reason && i < COUNT_OF(reasons); i++)
        if (strcmp(reasons[i].word, reason) == 0)
            return reasons[i].sentence;
    if (reason && dns_reason_find(span_from_string(reason)))
        return "The DNS did not tell; another try may succeed.";
    return NULL;
}
