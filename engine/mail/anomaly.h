/*
 * What is odd about a message (security.md 1.1, 1.2): facts for the verdict, in a fixed list.
 * Some of them make a message unable to pass (mail_anomalies_forbid_pass); the rest are told.
 */
#ifndef MAIL_ANOMALY_H
#define MAIL_ANOMALY_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define MAIL_ANOMALY_TABLE(X) \
    /* name                 word                     no pass   meaning */ \
    X(MULTI_FROM,           "multi_from",            false) /* several From-like fields A07-A10: dmarc permerror */ \
    X(NO_FROM,              "no_from",               false) /* A11: dmarc permerror */ \
    X(FROM_MALFORMED,       "from_malformed",        false) /* does not match the grammar A12-A16 */ \
    X(FROM_SEVERAL_DOMAINS, "from_several_domains",  false) /* A12 */ \
    X(FROM_SEVERAL_ADDRESSES, "from_several_addresses", false) /* one domain, several addresses */ \
    X(FROM_ENCODED_ADDRESS, "from_encoded_address",  false) /* encoded-word that decodes to text with "@" A13 */ \
    X(FROM_DISPLAY_ADDRESS, "from_display_address",  false) /* display name with an "@" of another domain A18 */ \
    X(FROM_NON_ASCII,       "from_non_ascii",        false) /* 8-bit bytes in the address A17 */ \
    X(FROM_ROUTE,           "from_route",            false) /* obsolete route A14 */ \
    X(FROM_LIKE_MALFORMED,  "from_like_malformed",   false) /* " From:", "From\r\n :" counted as From A08, A10 */ \
    X(SPACE_BEFORE_COLON,   "space_before_colon",    false) /* A09 */ \
    X(HDR_MALFORMED,        "hdr_malformed",         false) /* line without colon, leading blank A08, B06 */ \
    X(HDR_ODD_NAME,         "hdr_odd_name",          false) /* empty, 8-bit or control bytes in a name B07 */ \
    X(HDR_NAME_TOO_LONG,    "hdr_name_too_long",     false) /* B07 */ \
    X(HDR_BARE_CR,          "hdr_bare_cr",           true)  /* B02 */ \
    X(HDR_BARE_LF,          "hdr_bare_lf",           true)  /* B02 */ \
    X(HDR_NUL,              "hdr_nul",               true)  /* B03 */ \
    X(HDR_DUPLICATE,        "hdr_duplicate",         false) /* a singleton of RFC 5322 3.6 twice C03, DV-46 */ \
    X(HDR_NO_END,           "hdr_no_end",            false) /* no empty line: B06 */ \
    X(HDR_8BIT,             "hdr_8bit",              false) \
    X(MBOX_FROM_LINE,       "mbox_from_line",        false) /* B13 */ \
    X(BOM,                  "bom",                   false) /* B13 */ \
    X(BODY_BARE_CR,         "body_bare_cr",          false) /* B01: told, never repaired */ \
    X(BODY_BARE_LF,         "body_bare_lf",          false) /* B01 */ \
    X(BODY_NUL,             "body_nul",              false) /* B03 */ \
    X(BODY_NO_FINAL_CRLF,   "body_no_final_crlf",    false) /* B08 */ \
    X(TOO_LARGE,            "too_large",             true)  /* B10: a limit of the header block */ \
    X(PATH_MALFORMED,       "path_malformed",        false) /* MAIL FROM is neither <> nor a path A02, A05 */ \
    X(PATH_ROUTE,           "path_route",            false) /* A06 */
/* clang-format on */

enum mail_anomaly
{
#define MAIL_ANOMALY_ID(name, word, no_pass) ANOMALY_##name,
    MAIL_ANOMALY_TABLE(MAIL_ANOMALY_ID)
#undef MAIL_ANOMALY_ID
        ANOMALY_COUNT
};

struct mail_anomalies
{
    uint64_t set;                  /* bit per enum mail_anomaly */
    uint32_t times[ANOMALY_COUNT]; /* e.g. how many bare LF */
};

static inline void mail_anomaly_note(struct mail_anomalies *anomalies, enum mail_anomaly which)
{
    anomalies->set |= UINT64_C(1) << which;
    if (anomalies->times[which] < UINT32_MAX)
        anomalies->times[which]++;
}

/* Notes it `n` times at once; n may be 0, then nothing is noted. */
static inline void mail_anomaly_note_times(struct mail_anomalies *anomalies,
                                           enum mail_anomaly which, uint64_t n)
{
    if (n == 0)
        return;
    uint64_t times = n > UINT32_MAX ? UINT32_MAX : anomalies->times[which] + n;
    anomalies->set |= UINT64_C(1) << which;
    anomalies->times[which] = times > UINT32_MAX ? UINT32_MAX : (uint32_t)times;
}

static inline bool mail_anomaly_is(const struct mail_anomalies *anomalies, enum mail_anomaly which)
{
    return anomalies->set >> which & 1;
}

/* The stable word, e.g. "multi_from". Static. */
const char *mail_anomaly_word(enum mail_anomaly which);
/* An anomaly of the "no pass" column is there: DKIM, ARC and DMARC must not pass (B02, B03, B10).
 */
bool mail_anomalies_forbid_pass(const struct mail_anomalies *anomalies);

#endif
