/*
 * One resinfo of Authentication-Results (RFC 8601 section 2.2), put together from pieces between
 * which a line may be folded:
 *
 *   resinfo    = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
 *   methodspec = [CFWS] method [CFWS] "=" [CFWS] result
 *   reasonspec = "reason" [CFWS] "=" [CFWS] value
 *   propspec   = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue
 *   pvalue     = [CFWS] ( ( value / [ [ local-part ] "@" ] domain-name ) ) [CFWS]
 *   value      = token / quoted-string               ; RFC 2045 section 5.1
 *
 * Methods, results, ptypes and properties are constants of ours. A value may be anybody's: it is
 * cut to RESINFO_VALUE_MAX bytes, cleaned and quoted here, and nowhere else (AR-8, security.md A04,
 * A05, J04).
 */
#ifndef VERDICT_RESINFO_H
#define VERDICT_RESINFO_H

#include "base/buffer.h"

enum
{
    RESINFO_VALUE_MAX = 256, /* bytes of a value before it is quoted; a longer one ends in "..." */
    RESINFO_QUOTED_MAX = 2 * RESINFO_VALUE_MAX + 2,
    RESINFO_PIECE_MAX = RESINFO_QUOTED_MAX + 32, /* with "ptype.property=" */
    RESINFO_PIECES = 8,                          /* method, reason, six properties */
    /* Text of all pieces: at most four values of full length (reason, d, i, s), the rest short. */
    RESINFO_TEXT_MAX = 4 * RESINFO_PIECE_MAX + 4 * 96,
    RESINFO_LINE = 78, /* RFC 5322 2.1.1: SHOULD; 998 is the MUST */
};

struct resinfo
{
    uint32_t count;
    uint16_t ends[RESINFO_PIECES]; /* where each piece ends in text */
    uint16_t n;
    uint8_t text[RESINFO_TEXT_MAX];
};

/* Starts over with "method=result". Both are constants: Keywords of RFC 5321. */
void resinfo_begin(struct resinfo *info, const char *method, const char *result);
/* `reason="..."`; nothing for NULL. Comes before the properties. */
void resinfo_reason(struct resinfo *info, const char *reason);
/* `name=value`, e.g. "header.d"; nothing for an empty value. */
void resinfo_property(struct resinfo *info, const char *name, struct span value);

/*
 * The field body as it grows. With `fold` each resinfo begins a line and pieces that do not fit
 * into 78 columns go to the next one, always at a single SP between pieces: unfolded, the text is
 * the same as without. `out` NULL only counts.
 */
struct resinfo_line
{
    struct buffer *out;
    bool fold;
    size_t column;
    size_t total; /* bytes written or counted */
};

/* Bytes as they are; the caller's own constants. */
void resinfo_line_text(struct resinfo_line *line, struct span text);
/* A value alone: authserv-id. */
void resinfo_line_value(struct resinfo_line *line, struct span value);
/* A constant behind a SP or a fold: a comment, "none". */
void resinfo_line_piece(struct resinfo_line *line, struct span piece);
void resinfo_line_add(struct resinfo_line *line, const struct resinfo *info);
/* Bytes that resinfo_line_add takes when it folds: never less than without folding. */
size_t resinfo_cost(const struct resinfo *info);

#endif
