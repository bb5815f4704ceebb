/* The second half of reading a header (reader.c finds its end): pieces, names, the index. */
#ifndef MAIL_HEADER_INDEX_H
#define MAIL_HEADER_INDEX_H

#include "base/attributes.h"
#include "mail/header.h"

/*
 * Fills `header` from `block` (arena; all lines before the empty one), which has at most `pieces`
 * lines that do not fold onto another. Returns NULL, or the static
 * word of the limit that refused it: `header` is then empty.
 */
const char *mail_header_index(struct mail_header *header, struct span block, uint64_t pieces,
                              struct arena *arena, struct limit_hits *hits,
                              struct mail_anomalies *anomalies) MUST_CHECK;

#endif
