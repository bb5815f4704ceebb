/* The second half of reading a header (reader.c finds its end): pieces, names, the index. */
#ifndef MAIL_HEADER_INDEX_H
#define MAIL_HEADER_INDEX_H

#include "base/attributes.h"
#include "mail/header.h"

struct header_pieces /* borrowed */
{
    uint64_t lines; /* that begin in the header and are no folds, the empty one among them */
    struct simd_piece
        *list; /* their places (simd/text.h, header_end), or NULL: not known together */
};

/*
 * Fills `header` from `block` (arena; all lines before the empty one). Writes names to the list.
 * Returns NULL, or the static word of the limit that refused it: `header` is then empty.
 */
const char *mail_header_index(struct mail_header *header, struct span block,
                              const struct header_pieces *pieces, struct arena *arena,
                              struct limit_hits *hits, struct mail_anomalies *anomalies) MUST_CHECK;

#endif
