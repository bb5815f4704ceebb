#include "support/yaml.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

static const yaml_node_t *node_of(struct yaml y)
{
    if (!y.document || y.node <= 0)
        return NULL;
    /* libyaml takes the document as writable but only looks the node up. */
    return yaml_document_get_node((yaml_document_t *)(uintptr_t)y.document, y.node);
}

struct yaml_file yaml_read(const char *path)
{
    struct yaml_file file = {0};
    yaml_parser_t parser;
    FILE *input = fopen(path, "rb");
    cr_assert(input != NULL, "cannot open %s", path);
    cr_assert(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_input_file(&parser, input);
    while (true) {
        yaml_document_t *document = calloc(1, sizeof *document);
        cr_assert(document != NULL);
        cr_assert(yaml_parser_load(&parser, document) == 1, "%s:%zu: %s", path,
                  parser.problem_mark.line + 1, parser.problem ? parser.problem : "no YAML");
        if (!yaml_document_get_root_node(document)) {
            yaml_document_delete(document);
            free(document);
            break;
        }
        file.documents = realloc(file.documents, (file.count + 1) * sizeof *file.documents);
        cr_assert(file.documents != NULL);
        file.documents[file.count++] = (struct yaml){document, 1}; /* node 1 is the root */
    }
    yaml_parser_delete(&parser);
    fclose(input);
    return file;
}

enum yaml_kind yaml_kind(struct yaml y)
{
    const yaml_node_t *node = node_of(y);
    if (!node || node->type == YAML_NO_NODE)
        return YAML_KIND_NONE;
    if (node->type == YAML_SCALAR_NODE)
        return YAML_KIND_SCALAR;
    return node->type == YAML_SEQUENCE_NODE ? YAML_KIND_SEQUENCE : YAML_KIND_MAPPING;
}

size_t yaml_line(struct yaml y)
{
    const yaml_node_t *node = node_of(y);
    return node ? node->start_mark.line + 1 : 0;
}

struct span yaml_text(struct yaml y)
{
    const yaml_node_t *node = node_of(y);
    if (!node || node->type != YAML_SCALAR_NODE)
        return (struct span){NULL, 0};
    return span_of(node->data.scalar.value, node->data.scalar.length);
}

struct span yaml_bytes(struct yaml y)
{
    struct span text = yaml_text(y);
    uint8_t *bytes = malloc(text.n + 1);
    size_t n = 0;
    cr_assert(bytes != NULL);
    for (size_t i = 0; i < text.n; i++) {
        bool two = (text.p[i] == 0xc2 || text.p[i] == 0xc3) && i + 1 < text.n;
        bytes[n++] = two ? (uint8_t)((text.p[i] & 0x03) << 6 | (text.p[i + 1] & 0x3f)) : text.p[i];
        i += two;
    }
    return span_of(bytes, n);
}

size_t yaml_count(struct yaml y)
{
    const yaml_node_t *node = node_of(y);
    if (node && node->type == YAML_SEQUENCE_NODE)
        return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (node && node->type == YAML_MAPPING_NODE)
        return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    return 0;
}

struct yaml yaml_item(struct yaml y, size_t i)
{
    const yaml_node_t *node = node_of(y);
    if (i >= yaml_count(y))
        return (struct yaml){NULL, 0};
    bool sequence = node->type == YAML_SEQUENCE_NODE;
    return (struct yaml){y.document, sequence ? node->data.sequence.items.start[i]
                                              : node->data.mapping.pairs.start[i].value};
}

struct yaml yaml_key(struct yaml y, size_t i)
{
    if (yaml_kind(y) != YAML_KIND_MAPPING || i >= yaml_count(y))
        return (struct yaml){NULL, 0};
    return (struct yaml){y.document, node_of(y)->data.mapping.pairs.start[i].key};
}

struct yaml yaml_get(struct yaml y, const char *key)
{
    for (size_t i = 0; yaml_kind(y) == YAML_KIND_MAPPING && i < yaml_count(y); i++)
        if (span_equal(yaml_text(yaml_key(y, i)), span_from_string(key)))
            return yaml_item(y, i);
    return (struct yaml){NULL, 0};
}
