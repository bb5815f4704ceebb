/*
 * The Public Suffix List behind one door: no other file includes libpsl.
 *
 * A name crosses the border as text and comes back as a number of labels: libpsl answers with a
 * pointer into the text it was given, so nothing it says is ever parsed as a name again. Only names
 * of letters, digits, hyphen and underscore cross; any other byte (a dot or a NUL inside a label,
 * say) would make the text mean another name than the wire form. Names are A-labels here, and
 * libpsl knows every rule in both forms.
 *
 * BUGS
 *   A file that is read but holds no rules is accepted, as libpsl does.
 */
#include "dmarc/psl.h"

#include <libpsl.h>
#include <stdlib.h>

#include "base/chars.h"

struct dmarc_psl
{
    psl_ctx_t *list;              /* owned */
    bool recorded;                /* `pairs` alone answer */
    struct dmarc_psl_pair *pairs; /* owned */
    size_t pair_count;
};

struct dmarc_psl *dmarc_psl_open(const char *path)
{
    struct dmarc_psl *psl = calloc(1, sizeof *psl);
    if (!psl)
        return NULL;
    if (path)
        psl->list = psl_load_file(path);
    if (path && !psl->list)
        dmarc_psl_free(&psl);
    return psl;
}

struct dmarc_psl *dmarc_psl_recorded(const struct dmarc_psl_pair *pairs, size_t count)
{
    struct dmarc_psl *psl = calloc(1, sizeof *psl);
    if (!psl)
        return NULL;
    psl->recorded = true;
    psl->pair_count = count;
    psl->pairs = calloc(count ? count : 1, sizeof *pairs);
    if (!psl->pairs)
        dmarc_psl_free(&psl);
    else if (count)
        memcpy(psl->pairs, pairs, count * sizeof *pairs);
    return psl;
}

static struct dns_name recorded_org(const struct dmarc_psl *psl, const struct dns_name *name)
{
    for (size_t i = 0; i < psl->pair_count; i++)
        if (dns_name_equal(&psl->pairs[i].name, name))
            return psl->pairs[i].org;
    return *name;
}

void dmarc_psl_free(struct dmarc_psl **psl)
{
    if (!*psl)
        return;
    psl_free((*psl)->list);
    free((*psl)->pairs);
    free(*psl);
    *psl = NULL;
}

/* "a.b" for the labels a and b. False where a label has a byte that text cannot carry. */
static bool write_text(const struct dns_name *name, char text[DNS_NAME_MAX + 1])
{
    size_t out = 0;
    for (size_t at = 0; at < name->length && name->wire[at];) {
        size_t end = at + 1 + name->wire[at];
        assert(end < name->length);
        for (at++; at < end; at++) {
            if (!char_is(name->wire[at], CHAR_LDH))
                return false;
            text[out++] = (char)name->wire[at];
        }
        text[out++] = '.';
    }
    if (out == 0)
        return false;
    text[out - 1] = '\0';
    return true;
}

static unsigned count_labels(const char *text)
{
    unsigned labels = 1;
    for (; *text; text++)
        labels += *text == '.';
    return labels;
}

struct dns_name dmarc_psl_org(const struct dmarc_psl *psl, const struct dns_name *name)
{
    char text[DNS_NAME_MAX + 1];
    if (psl && psl->recorded)
        return recorded_org(psl, name);
    const psl_ctx_t *list = psl && psl->list ? psl->list : psl_builtin();
    if (!list || !write_text(name, text))
        return *name;
    const char *org = psl_registrable_domain(list, text);
    if (!org)
        return *name;
    unsigned labels = count_labels(org);
    assert(org >= text && org < text + sizeof text && labels <= name->labels);
    return dns_name_ancestor(name, name->labels - labels);
}
