/* Body first, since its hash may stand in for a damaged bh=; then the key, then the header. */
#include "diagnose/search.h"

/* What is said of the key comes first, then the header, then the body. */
static bool comes_before(const struct diagnose_finding *a, const struct diagnose_finding *b)
{
    static const int order[] = {
        [PART_KEY] = 0, [PART_SIGNATURE] = 1, [PART_BODY] = 2, [PART_HEADER] = 3};
    return order[diagnose_cause(a->cause)->part] < order[diagnose_cause(b->cause)->part];
}

static void sort(struct diagnosis *out)
{
    for (uint32_t i = 1; i < out->count; i++) {
        struct diagnose_finding one = out->findings[i];
        uint32_t k = i;
        for (; k > 0 && comes_before(&one, &out->findings[k - 1]); k--)
            out->findings[k] = out->findings[k - 1];
        out->findings[k] = one;
    }
}

/* With bh= replaced, what was said of the body does not hold. */
static void drop_body_findings(struct diagnosis *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < out->count; i++)
        if (diagnose_cause(out->findings[i].cause)->part != PART_BODY)
            out->findings[kept++] = out->findings[i];
    out->count = kept;
}

static bool has_finding(const struct diagnosis *out, enum diagnose_part part, bool proven)
{
    for (uint32_t i = 0; i < out->count; i++)
        if (diagnose_cause(out->findings[i].cause)->part == part &&
            (out->findings[i].proven || !proven))
            return true;
    return false;
}

static bool is_explained(const struct diagnosis *out)
{
    bool body = out->body.state == DIAGNOSE_INTACT || has_finding(out, PART_BODY, true);
    bool header = out->header.state == DIAGNOSE_INTACT || has_finding(out, PART_HEADER, true) ||
                  has_finding(out, PART_SIGNATURE, true) || out->key == DIAGNOSE_KEY_NONE;
    return body && (header || has_finding(out, PART_KEY, false));
}

bool diagnose(const struct diagnose_request *request, struct diagnosis *out)
{
    *out = (struct diagnosis){.count = 0};
    struct search search = search_begin(request, out);
    search_leave_share(&search);
    search_body(&search);
    search_take_share(&search);
    uint32_t of_body = out->count;
    bool changed = out->body.state == DIAGNOSE_CHANGED;
    search_key(&search);
    search_header(&search);
    if (of_body && changed && out->body.state == DIAGNOSE_INTACT)
        drop_body_findings(out);
    sort(out);
    out->explained = is_explained(out);
    if (search.failed)
        search_limit(&search, LIMIT_ARENA_BYTES);
    return !search.failed;
}
