/*
 * The limits table of the engine (security.md section 2): one row per limit.
 *
 * A limit is checked before the work it bounds. Reaching it gives the error named in the last
 * column, never a silent cut and never a pass, and counts one hit (struct limit_hits), which the
 * engine adds up for its counters. `limit_word` is also the stable reason in verdicts.
 */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

#include <stdint.h>

/* clang-format off */
#define LIMIT_TABLE(X) \
    /* name               value            word of the error */ \
    X(MESSAGE_BYTES,      50 * 1024 * 1024, "message_too_large")   /* whole message */ \
    X(HEADER_BYTES,       256 * 1024,       "header_too_large")    /* header block */ \
    X(FIELD_BYTES,        100 * 1024,       "field_too_large")     /* one header field */ \
    X(FIELD_COUNT,        1000,             "too_many_fields") \
    X(FIELD_NAME_BYTES,   256,              "field_name_too_long") /* hashed, not indexed */ \
    X(FROM_ADDRESSES,     64,               "too_many_addresses") \
    X(COMMENT_DEPTH,      32,               "comment_too_deep") \
    X(PATH_BYTES,         1024,             "path_too_long")       /* reverse-path, HELO */ \
    X(RECIPIENTS,         1000,             "too_many_recipients") \
    X(SIGNATURES_PARSED,  32,               "too_many_signatures") /* rest is counted only */ \
    X(SIGNATURES_VERIFIED, 10,              "signature_skipped")   /* aligned ones first */ \
    X(SIGNATURE_KEYS,     4,                "too_many_keys")       /* key records tried each */ \
    X(BODY_HASHES,        16,               "too_many_body_hashes") /* distinct (c, l) */ \
    X(TAG_LIST_BYTES,     16 * 1024,        "tag_list_too_long") \
    X(TAGS,               64,               "too_many_tags") \
    X(H_ITEMS,            256,              "too_many_h_items") \
    X(B_CHARS,            2048,             "b_too_long")          /* base64 characters of b= */ \
    X(P_CHARS,            2048,             "p_too_long")          /* base64 characters of p= */ \
    X(L_DIGITS,           76,               "l_too_long") \
    X(TIME_DIGITS,        12,               "time_too_long")       /* t=, x= */ \
    X(TIME_SKEW_SECONDS,  300,              "time_skew")           /* t= in the future */ \
    X(RSA_BITS_MIN,       1024,             "key_size") \
    X(RSA_BITS_MAX,       8192,             "key_size") \
    X(KEY_RECORD_BYTES,   4 * 1024,         "key_record_too_long") \
    X(DMARC_RECORD_BYTES, 4 * 1024,         "dmarc_record_too_long") \
    X(SPF_RECORD_BYTES,   16 * 1024,        "spf_record_too_long") \
    X(SPF_TERMS,          256,              "too_many_terms")      /* parsed, one record */ \
    X(SPF_LOOKUPS,        10,               "too_many_lookups")    /* RFC 7208 4.6.4 */ \
    X(SPF_VOID_LOOKUPS,   2,                "too_many_void_lookups") /* default; RFC 7208 4.6.4 */ \
    X(SPF_MX_NAMES,       10,               "too_many_mx_names")   /* RFC 7208 4.6.4 */ \
    X(SPF_PTR_NAMES,      10,               "too_many_ptr_names")  /* rest ignored, no error */ \
    X(SPF_DEPTH,          10,               "nesting_too_deep")    /* include and redirect */ \
    X(SPF_HELO_QUESTIONS, 20,               "too_many_questions")  /* HELO beside MAIL FROM */ \
    X(SPF_EXPLANATION_BYTES, 512,           "explanation_too_long") \
    X(DMARC_WALK,         8,                "walk_too_long")       /* RFC 9989 4.10 */ \
    X(DNS_TEXT_BYTES,     64 * 1024,        "dns_answer_too_large") /* all rdata of an answer */ \
    X(DNS_RECORDS,        64,               "dns_too_many_records") \
    X(DNS_CNAMES,         8,                "cname_chain_too_long") \
    X(DNS_QUESTIONS,      60,               "too_many_questions")  /* SPF, DKIM, DMARC */ \
    X(DNS_QUESTIONS_ARC,  40,               "too_many_questions")  /* more, for ARC alone */ \
    X(DNS_AT_ONCE,        16,               "dns_at_once")         /* one message, in flight */ \
    X(ARC_SETS,           50,               "too_many_arc_sets")   /* RFC 8617 4.2.1 */ \
    X(AR_FIELD_BYTES,     4 * 1024,         "results_too_long")    /* Authentication-Results */ \
    X(DIAGNOSE_TRIES,     50 * 1000,        "diagnose_tries")      /* one signature's diagnosis */ \
    X(DIAGNOSE_BYTES,     128 * 1024 * 1024, "diagnose_bytes")     /* hashed on the way */ \
    X(DIAGNOSE_VERIFIES,  1000,             "diagnose_verifies")   /* public-key operations */ \
    X(DIAGNOSE_CUTS,      4096,             "diagnose_cuts")       /* pieces of body left out */ \
    X(DIAGNOSE_PARTS,     64,               "diagnose_parts")      /* MIME boundary lines */ \
    X(DIAGNOSE_EDITS,     400,              "diagnose_edits")      /* changes of header fields */ \
    X(ARENA_BYTES,        8 * 1024 * 1024,  "arena_full")          /* memory of one message */
/* clang-format on */

enum limit
{
#define LIMIT_ID(name, value, word) LIMIT_##name,
    LIMIT_TABLE(LIMIT_ID)
#undef LIMIT_ID
        LIMIT_COUNT
};

/* The limits as compile-time constants: MAX_HEADER_BYTES, MAX_ARC_SETS ... */
enum limit_value
{
#define LIMIT_VALUE(name, value, word) MAX_##name = (value),
    LIMIT_TABLE(LIMIT_VALUE)
#undef LIMIT_VALUE
};

/*
 * Hits of one message, by enum limit. Hardly ever is there one, so a run's own hits are begun with
 * one word (limit_hits_begin): n[] is then to be read only where `set` has its bit. Where all was
 * zero at the beginning, as in a message's, n[] may be read anywhere.
 */
struct limit_hits
{
    uint32_t n[LIMIT_COUNT];
    uint64_t set; /* bit per enum limit */
};

/* None, in memory that holds anything. */
static inline void limit_hits_begin(struct limit_hits *hits)
{
    hits->set = 0;
}

static inline uint32_t limit_hits_of(const struct limit_hits *hits, enum limit limit)
{
    return hits->set >> limit & 1 ? hits->n[limit] : 0;
}

static inline void limit_hit(struct limit_hits *hits, enum limit limit)
{
    hits->n[limit] = limit_hits_of(hits, limit) + 1;
    hits->set |= UINT64_C(1) << limit;
}

/*
 * For what is parsed once and used for many messages: 1 + the limit that `hits` names first, 0 for
 * none, and the same counted for a message that uses it.
 */
static inline unsigned limit_over(const struct limit_hits *hits)
{
    return hits->set ? (unsigned)__builtin_ctzll(hits->set) + 1 : 0;
}
/* A run's hits to its message's, when it is the last run: one that waited counts nothing. */
void limit_hits_add(struct limit_hits *total, const struct limit_hits *hits);
static inline void limit_hit_over(struct limit_hits *hits, unsigned over)
{
    if (over)
        limit_hit(hits, (enum limit)(over - 1));
}

/* The stable snake_case error word, e.g. "too_many_lookups". Static. */
const char *limit_word(enum limit limit);
/* The row's name, e.g. "SPF_LOOKUPS": what the counter is called. Static. */
const char *limit_name(enum limit limit);

#endif
