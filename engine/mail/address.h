/*
 * Addresses: the From field by the grammar of RFC 5322 3.4 with its obsolete forms (4.4), and the
 * reverse-path of RFC 5321 4.1.2. The whole text must match; no best effort, no search for "@"
 * (DP-5, security.md A12-A18). Iterative: depth of comments is counted, not recursed.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/arena.h"
#include "mail/header.h"

struct mail_address
{
    struct span local;  /* arena or borrowed: without comments and folding; quoted strings
                           unquoted */
    struct span domain; /* arena or borrowed: as written without comments and folding; may be
                           U-labels or end in one dot; a literal keeps its brackets */
    bool literal;       /* [192.0.2.1] */
    bool non_ascii;     /* 8-bit octets in it (A17) */
};

enum mail_address_error
{
    MAIL_ADDRESS_OK = 0,
    MAIL_ADDRESS_EMPTY,     /* no address at all, or only an empty group */
    MAIL_ADDRESS_MALFORMED, /* does not match the grammar */
    MAIL_ADDRESS_NO_DOMAIN, /* an element without "@domain" (A12) */
    MAIL_ADDRESS_TOO_MANY,  /* over MAX_FROM_ADDRESSES */
    MAIL_ADDRESS_TOO_DEEP,  /* over MAX_COMMENT_DEPTH */
    MAIL_ADDRESS_NO_MEMORY,
};

struct mail_address_list
{
    const struct mail_address *addresses; /* arena; NULL where count is 0 */
    uint32_t count;                       /* at most MAX_FROM_ADDRESSES */
    enum mail_address_error error;
    uint32_t error_at; /* offset in the value */
};

/*
 * Parses a From value (all behind the colon), which addresses may borrow. On error `count` is 0.
 * Notes ANOMALY_FROM_ROUTE, FROM_NON_ASCII, FROM_DISPLAY_ADDRESS, FROM_ENCODED_ADDRESS,
 * FROM_MALFORMED as it meets them.
 *
 * Accepted beyond the grammar: 8-bit octets in display names and comments (RFC 6532 and older raw
 * mail), in addresses too but flagged; one dot at the end of a domain (DP-4). Not accepted: NUL,
 * bare CR and LF anywhere, control characters in a local part.
 */
void mail_address_list_parse(struct span value, struct arena *arena,
                             struct mail_anomalies *anomalies, struct limit_hits *hits,
                             struct mail_address_list *list);

enum mail_from_state
{
    MAIL_FROM_UNSET = 0,
    MAIL_FROM_OK,      /* one field, at least one address, all with a domain */
    MAIL_FROM_MISSING, /* no From-like field (A11) */
    MAIL_FROM_SEVERAL, /* several From-like fields (A07-A10) */
    MAIL_FROM_BAD,     /* one field that does not parse (A12-A16) */
};

struct mail_from
{
    enum mail_from_state state;
    const char *
        reason; /* static word for anything but OK: "no_from", "multi_from", "from_malformed" ... */
    struct mail_address_list
        list; /* when OK; domains may differ: the DMARC judge compares A-labels */
};

/* "from_no_domain", ...: the stable word of an error. Static; NULL for MAIL_ADDRESS_OK. */
const char *mail_address_error_word(enum mail_address_error error);

/*
 * Finds and parses the From field; counts From-like fields as A07-A11 say: every field or piece
 * that begins with "From", any case, and a colon, with blanks, folds or control characters before
 * or behind the name, or a BOM before it. One that is malformed that way is never parsed.
 *
 * Also notes MULTI_FROM, NO_FROM, FROM_LIKE_MALFORMED, FROM_SEVERAL_ADDRESSES and
 * FROM_SEVERAL_DOMAINS (by text without case).
 */
void mail_from_read(const struct mail_header *header, struct arena *arena,
                    struct mail_anomalies *anomalies, struct limit_hits *hits,
                    struct mail_from *from);

enum mail_path_kind
{
    MAIL_PATH_ABSENT = 0, /* the caller gave none */
    MAIL_PATH_NULL,       /* <> */
    MAIL_PATH_ADDRESS,
    MAIL_PATH_MALFORMED, /* A02, A05: no SPF identifier */
};

struct mail_path
{
    enum mail_path_kind kind;
    const char *reason; /* static word when MALFORMED: "path_malformed", "path_too_long", and
                           "arena_full" without memory */
    struct span text;   /* borrowed: as given, for display */
    struct span local;  /* arena or borrowed: without quotes; empty for ADDRESS only where it was
                           written "" */
    struct span domain; /* borrowed: as written; may be U-labels or end in one dot; a literal keeps
                           its brackets */
    bool route;         /* a source route stood before it and was dropped (A06) */
};

/*
 * Reverse-path: "<>", "<local@domain>", "<@a,@b:local@domain>", or the same without the angle
 * brackets; `text` with p == NULL is ABSENT, any other empty one is "<>". Split at the last
 * unquoted
 * "@". The domain must be dot-separated LDH labels, UTF-8, or an address literal, the local part
 * quoted strings, atext, dots, "@" and 8-bit octets; anything else is MALFORMED. ESMTP parameters
 * do not belong to it.
 */
void mail_path_parse(struct span text, struct arena *arena, struct mail_anomalies *anomalies,
                     struct limit_hits *hits, struct mail_path *path);

/* How many of the envelope's recipients To and Cc name (C12); few of many is a list, or a replay.
 */
struct mail_recipients
{
    uint32_t count;
    uint32_t named; /* where known */
    bool known;     /* false: no recipients, or To or Cc cannot be read */
};

void mail_recipients_read(const struct mail_header *header, const struct span *recipients,
                          uint32_t count, struct arena *arena, struct mail_recipients *found);

#endif
