/*
 * The parts of a MIME body, as far as a diagnosis wants them: where the boundary lines are and what
 * stands between them (RFC 2046 5.1). No tree: a part ends at the next boundary line, whose ever it
 * is. Boundaries are taken from every boundary= parameter in the header and the body, so that no
 * nesting has to be followed.
 *
 * BUGS: continued parameters (RFC 2231) are not read.
 */
#ifndef DIAGNOSE_MIME_H
#define DIAGNOSE_MIME_H

#include "base/limit.h"
#include "mail/header.h"

enum
{
    MIME_BOUNDARIES_MAX = 16,
};

enum mime_encoding
{
    MIME_IDENTITY, /* 7bit, 8bit, binary, or nothing said */
    MIME_QUOTED_PRINTABLE,
    MIME_BASE64,
};

/* Between two boundary lines; a body without any is one part without fields of its own. */
struct mime_part
{
    size_t line;       /* offset of the boundary line above it */
    size_t fields;     /* its fields begin here */
    size_t content;    /* behind the empty line */
    size_t end;        /* of its content: before the CRLF that belongs to the next boundary line */
    size_t next;       /* offset of the next boundary line, or the body's size */
    uint32_t boundary; /* index: parts of one multipart have the same */
    bool text;         /* text/..., or nothing said */
    enum mime_encoding encoding;
    struct span type;           /* value of Content-Type, empty where there is none */
    struct span encoding_value; /* of Content-Transfer-Encoding; borrowed, as all spans here */
};

struct mime
{
    struct mime_part parts[MAX_DIAGNOSE_PARTS];
    uint32_t count; /* 0: not multipart */
    struct span boundaries[MIME_BOUNDARIES_MAX];
    uint32_t boundary_count;
    bool cut;                    /* there are more boundary lines than MAX_DIAGNOSE_PARTS */
    enum mime_encoding encoding; /* of the whole body */
};

void mime_read(const struct mail_header *header, struct span body, struct mime *mime);
enum mime_encoding mime_encoding_read(struct span value);
/* Value of the field `name` among `fields` (lines with their ends), without blanks around it. */
struct span mime_field(struct span fields, struct span name);

/* The line at `at`: its end, LF included. */
size_t mime_line_end(struct span body, size_t at);

#endif
