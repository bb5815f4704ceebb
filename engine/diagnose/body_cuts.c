/*
 * Pieces that were put into the body: at its end, at its beginning, in a MIME part, or a whole
 * part. Pieces begin and end at line ends; in HTML also at tags. The body without the piece is
 * hashed; what stands before the piece is hashed once for all pieces that begin behind it.
 */
#include <stdlib.h>

#include "diagnose/body_search.h"

enum
{
    TAIL_LINES = 2048, /* from the end of the body */
    HEAD_LINES = 256,  /* from its beginning */
    PART_LINES = 96,   /* from both ends of a part */
    HTML_TAGS = 96,    /* from both ends of <body> */
    HTML_BYTES = 16 * 1024,
    PARTS_TOGETHER = 3, /* parts that were added at once */
};

static void add(struct body_search *bodies, size_t from, size_t to, enum diagnose_cause cause,
                uint32_t part)
{
    struct cut_list *list = &bodies->list;
    if (from >= to)
        return;
    if (list->count == MAX_DIAGNOSE_CUTS) {
        search_limit(bodies->search, LIMIT_DIAGNOSE_CUTS);
        return;
    }
    list->cuts[list->count++] = (struct cut){from, to, cause, part};
}

/* The beginning of the line that ends before `at`. */
static size_t line_before(struct span body, size_t from, size_t at)
{
    if (at <= from)
        return from;
    size_t lf = span_find_last(span_slice(body, from, at - 1), '\n');
    return lf < at - 1 - from ? from + lf + 1 : from;
}

/* Every beginning of a line in the last `lines` lines, up to `to`. */
static void add_tails(struct body_search *bodies, size_t from, size_t to, unsigned lines,
                      uint32_t part)
{
    size_t at = to;
    for (unsigned i = 0; i < lines && at > from; i++) {
        at = line_before(bodies->body, from, at);
        add(bodies, at, to, CAUSE_FOOTER, part);
    }
}

static void add_heads(struct body_search *bodies, size_t from, size_t to, unsigned lines,
                      uint32_t part)
{
    size_t at = from;
    for (unsigned i = 0; i < lines && at < to; i++) {
        at = mime_line_end(bodies->body, at);
        add(bodies, from, at < to ? at : to, CAUSE_BANNER, part);
    }
}

/* Offset of the first `word` (lower case), or text.n. */
static size_t find_fold(struct span text, struct span word)
{
    for (size_t at = 0; at + word.n <= text.n; at++) {
        at += span_find(span_skip(text, at), word.p[0]);
        if (at + word.n <= text.n && span_equal_fold(span_slice(text, at, at + word.n), word))
            return at;
    }
    return text.n;
}

static void add_html_heads(struct body_search *bodies, size_t from, size_t to, uint32_t part)
{
    struct span body = bodies->body;
    size_t stop = to - from > HTML_BYTES ? from + HTML_BYTES : to;
    size_t at = from;
    for (unsigned i = 0; i < HTML_TAGS && at < stop; i++) {
        at += span_find(span_slice(body, at, stop), '>') + 1;
        if (at <= stop)
            add(bodies, from, at, CAUSE_BANNER, part);
    }
}

static void add_html_tails(struct body_search *bodies, size_t from, size_t to, uint32_t part)
{
    struct span body = bodies->body;
    size_t stop = to - from > HTML_BYTES ? to - HTML_BYTES : from;
    size_t at = to;
    for (unsigned i = 0; i < HTML_TAGS && at > stop; i++) {
        size_t n = span_find_last(span_slice(body, stop, at), '<');
        if (n == at - stop)
            return;
        at = stop + n;
        add(bodies, at, to, CAUSE_FOOTER, part);
    }
}

/* Behind <body ...> and in front of </body>. */
static void add_html(struct body_search *bodies, size_t from, size_t to, uint32_t part)
{
    struct span text = span_slice(bodies->body, from, to);
    size_t open = find_fold(text, SPAN("<body"));
    size_t close = find_fold(text, SPAN("</body"));
    if (open < text.n) {
        open += span_find(span_skip(text, open), '>') + 1;
        if (open < text.n)
            add_html_heads(bodies, from + open, to, part);
    }
    if (close == text.n)
        close = find_fold(text, SPAN("</html"));
    if (close < text.n)
        add_html_tails(bodies, from, from + close, part);
}

static int compare(const void *a, const void *b)
{
    const struct cut *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

static void sort(struct body_search *bodies)
{
    qsort(bodies->list.cuts, bodies->list.count, sizeof(struct cut), compare);
}

void cuts_at_the_end(struct body_search *bodies)
{
    bodies->list.count = 0;
    add_tails(bodies, 0, bodies->body.n, TAIL_LINES, 0);
    sort(bodies);
}

void cuts_at_the_beginning(struct body_search *bodies)
{
    bodies->list.count = 0;
    add_heads(bodies, 0, bodies->body.n, HEAD_LINES, 0);
}

/* One to three neighbours of one multipart; the boundary line goes with the part below it. */
static void add_parts(struct body_search *bodies)
{
    const struct mime *mime = &bodies->mime;
    for (uint32_t i = 0; i < mime->count; i++)
        for (uint32_t n = 1; n <= PARTS_TOGETHER && i + n < mime->count; n++)
            add(bodies, mime->parts[i].line, mime->parts[i + n].line, CAUSE_PART_ADDED, 0);
}

void cuts_of_parts(struct body_search *bodies)
{
    const struct mime *mime = &bodies->mime;
    bodies->list.count = 0;
    add_parts(bodies);
    for (uint32_t i = 0; i < mime->count; i++) {
        const struct mime_part *part = &mime->parts[i];
        if (!part->text || part->content >= part->end)
            continue;
        add_tails(bodies, part->content, part->next, PART_LINES, i + 1);
        add_heads(bodies, part->content, part->end, PART_LINES, i + 1);
        add_html(bodies, part->content, part->end, i + 1);
    }
    if (mime->count == 0)
        add_html(bodies, 0, bodies->body.n, 1);
    sort(bodies);
}

static bool is_signed(const struct body_search *bodies, struct body_probe *probe)
{
    uint8_t hash[SHA256_BYTES];
    const struct dkim_signature *signature = bodies->search->request->signature;
    return body_probe_end(probe, hash) && memcmp(hash, signature->bh, SHA256_BYTES) == 0;
}

/* Hashes what `prefix` has seen and then the rest from `to`. */
static bool rest_matches(struct body_search *bodies, const struct body_probe *prefix, size_t to)
{
    if (!search_try(bodies->search, bodies->body.n - to))
        return false;
    body_probe_copy(prefix, &bodies->probe);
    body_probe_feed(&bodies->probe, span_skip(bodies->body, to));
    return is_signed(bodies, &bodies->probe);
}

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ' ' && text.p[i] != '\t' && text.p[i] != '\r' && text.p[i] != '\n')
            return false;
    return true;
}

/* `received`: offsets are those of the body as it came. */
static void note(struct body_search *bodies, const struct cut *cut, bool received)
{
    struct span text = span_slice(bodies->body, cut->from, cut->to);
    struct diagnose_finding *finding =
        search_note(bodies->search, is_blank(text) ? CAUSE_BLANK_LINES : cut->cause, true);
    finding->in_body = received;
    finding->offset = cut->from;
    finding->bytes = text.n;
    finding->lines = body_lines(text);
    finding->text = arena_copy(bodies->search->request->arena,
                               span_slice(text, 0, text.n < 512 ? text.n : 512));
}

bool cuts_try(struct body_search *bodies, uint64_t bytes, bool received)
{
    const struct cut *best = NULL;
    size_t at = 0;
    uint64_t until = bodies->search->out->hashed_bytes + bytes;
    if (bodies->list.count == 0 || !search_try(bodies->search, bodies->body.n))
        return false;
    body_probe_restart(&bodies->prefix);
    for (uint32_t i = 0; i < bodies->list.count; i++) {
        const struct cut *cut = &bodies->list.cuts[i];
        if (search_is_over(bodies->search) || bodies->search->out->hashed_bytes > until)
            break;
        body_probe_feed(&bodies->prefix, span_slice(bodies->body, at, cut->from));
        at = cut->from;
        if (rest_matches(bodies, &bodies->prefix, cut->to) &&
            (!best || cut->to - cut->from < best->to - best->from))
            best = cut;
    }
    if (best)
        note(bodies, best, received);
    return best != NULL;
}

/* The second cut behind the first: same kind, another part. */
static const struct cut *second_cut(struct body_search *bodies, const struct cut *first)
{
    size_t at = first->to;
    const struct cut *end = bodies->list.cuts + bodies->list.count;
    body_probe_copy(&bodies->prefix, &bodies->middle);
    for (const struct cut *cut = first + 1; cut < end && !search_is_over(bodies->search); cut++) {
        if (cut->cause != first->cause || cut->part == first->part || cut->part == 0 ||
            cut->from < at)
            continue;
        body_probe_feed(&bodies->middle, span_slice(bodies->body, at, cut->from));
        at = cut->from;
        if (rest_matches(bodies, &bodies->middle, cut->to))
            return cut;
    }
    return NULL;
}

bool cuts_try_pairs(struct body_search *bodies)
{
    size_t at = 0;
    body_probe_restart(&bodies->prefix);
    for (uint32_t i = 0; i < bodies->list.count && !search_is_over(bodies->search); i++) {
        const struct cut *first = &bodies->list.cuts[i];
        if (first->part == 0)
            continue;
        body_probe_feed(&bodies->prefix, span_slice(bodies->body, at, first->from));
        at = first->from;
        const struct cut *second = second_cut(bodies, first);
        if (!second)
            continue;
        note(bodies, first, true);
        note(bodies, second, true);
        return true;
    }
    return false;
}
