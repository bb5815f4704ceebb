/*
 * A thin reader over libyaml for test corpora: every document of a file as a tree of mappings,
 * sequences and scalars. Scalars are spans (NUL bytes stay); aliases are resolved; merge keys are
 * not. Nothing is ever freed: tests are short.
 */
#ifndef SUPPORT_YAML_H
#define SUPPORT_YAML_H

#include "base/span.h"

enum yaml_kind
{
    YAML_KIND_NONE = 0, /* absent: every call below takes it and answers "nothing" */
    YAML_KIND_SCALAR,
    YAML_KIND_SEQUENCE,
    YAML_KIND_MAPPING,
};

/* A node, by value. Cleared: absent. */
struct yaml
{
    const struct yaml_document_s *document;
    int node;
};

/* A file's documents; malloc'd. Fails the running test where the file is no YAML. */
struct yaml_file
{
    struct yaml *documents; /* root nodes */
    size_t count;
};
struct yaml_file yaml_read(const char *path);

enum yaml_kind yaml_kind(struct yaml y);
/* The 1-based line where the node begins, for messages. */
size_t yaml_line(struct yaml y);
/* A scalar's text in UTF-8, folding and escapes resolved; an empty span for all else. */
struct span yaml_text(struct yaml y);
/* The same with U+0080 to U+00FF as single bytes: "\xEF" is then the byte EF. malloc'd. */
struct span yaml_bytes(struct yaml y);

/* Items of a sequence or pairs of a mapping. */
size_t yaml_count(struct yaml y);
/* Item `i` of a sequence, value `i` of a mapping; absent past the end. */
struct yaml yaml_item(struct yaml y, size_t i);
/* Key `i` of a mapping, in the file's order. */
struct yaml yaml_key(struct yaml y, size_t i);
/* The value of a mapping's first key that equals `key`; absent where there is none. */
struct yaml yaml_get(struct yaml y, const char *key);

#endif
