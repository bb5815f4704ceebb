/*
 * The body: is it the signed one, and if not, what was done to it. Cheap and frequent changes
 * first: what was appended; then changes of the whole body, and only behind them another canonical
 * form, which many a change of blanks looks like; last what was inserted, which costs a hash of the
 * rest for each place.
 */
#include "diagnose/body_search.h"

uint64_t body_lines(struct span text)
{
    uint64_t lines = text.n && text.p[text.n - 1] != '\n';
    for (size_t at = 0; at < text.n; lines++) {
        at += span_find(span_skip(text, at), '\n');
        if (at == text.n)
            return lines;
        at++;
    }
    return lines;
}

static bool is_signed_hash(const struct search *search, const uint8_t hash[SHA256_BYTES])
{
    return memcmp(hash, search->request->signature->bh, SHA256_BYTES) == 0;
}

bool body_pieces_match(struct body_search *bodies, const struct span *pieces, size_t count)
{
    uint64_t bytes = 0;
    uint8_t hash[SHA256_BYTES];
    for (size_t i = 0; i < count; i++)
        bytes += pieces[i].n;
    if (!search_try(bodies->search, bytes))
        return false;
    body_probe_restart(&bodies->probe);
    for (size_t i = 0; i < count; i++)
        body_probe_feed(&bodies->probe, pieces[i]);
    return body_probe_end(&bodies->probe, hash) && is_signed_hash(bodies->search, hash);
}

/* What the body's hash is, by c= and l=. */
static void measure(struct body_search *bodies)
{
    struct diagnosis *out = bodies->search->out;
    const struct dkim_signature *signature = bodies->search->request->signature;
    if (!search_try(bodies->search, bodies->body.n))
        return;
    body_probe_restart(&bodies->probe);
    body_probe_feed(&bodies->probe, bodies->body);
    out->body.found_known = body_probe_end(&bodies->probe, out->body.found);
    out->body.canonical_bytes = bodies->probe.octets;
    out->body.signed_bytes = signature->has_l && signature->l < bodies->probe.octets
                                 ? signature->l
                                 : bodies->probe.octets;
    bool intact = out->body.found_known && is_signed_hash(bodies->search, out->body.found);
    out->body.state = intact ? DIAGNOSE_INTACT : DIAGNOSE_CHANGED;
}

/* One form and length of the body as it is. */
static bool matches_as(struct body_search *bodies, enum canon canon, uint64_t limit)
{
    uint8_t hash[SHA256_BYTES];
    struct body_probe probe;
    if (!search_try(bodies->search, bodies->body.n))
        return false;
    body_probe_init(&probe, canon, limit);
    body_probe_feed(&probe, bodies->body);
    return body_probe_end(&probe, hash) && is_signed_hash(bodies->search, hash);
}

static const char *canon_word(enum canon canon)
{
    return canon == CANON_RELAXED ? "relaxed" : "simple";
}

static bool try_forms(struct body_search *bodies)
{
    const struct dkim_signature *signature = bodies->search->request->signature;
    enum canon other = signature->body_canon == CANON_RELAXED ? CANON_SIMPLE : CANON_RELAXED;
    if (matches_as(bodies, other, signature->has_l ? signature->l : BODY_WHOLE)) {
        struct diagnose_finding *finding = search_note(bodies->search, CAUSE_BODY_CANON, true);
        finding->before = span_from_string(canon_word(other));
        finding->after = span_from_string(canon_word(signature->body_canon));
        return true;
    }
    if (!signature->has_l || !matches_as(bodies, signature->body_canon, BODY_WHOLE))
        return false;
    search_note(bodies->search, CAUSE_LENGTH_WRONG, true);
    return true;
}

/* The signed body is the content of one part: the rest was put around it. */
static bool try_unwrapping(struct body_search *bodies)
{
    for (uint32_t i = 0; i < bodies->mime.count; i++) {
        const struct mime_part *part = &bodies->mime.parts[i];
        struct span content = span_slice(bodies->body, part->content, part->end);
        if (content.n == 0 || !body_pieces_match(bodies, &content, 1))
            continue;
        struct diagnose_finding *finding = search_note(bodies->search, CAUSE_WRAPPED, true);
        finding->in_body = true;
        finding->offset = part->content;
        finding->bytes = bodies->body.n - content.n;
        finding->lines = body_lines(bodies->body) - body_lines(content);
        return true;
    }
    return false;
}

static bool try_all(struct body_search *bodies)
{
    if (try_unwrapping(bodies))
        return true;
    cuts_at_the_end(bodies);
    if (cuts_try(bodies, MAX_DIAGNOSE_BYTES / 4, true))
        return true;
    if (changes_try(bodies) || try_forms(bodies))
        return true;
    cuts_of_parts(bodies);
    if (cuts_try(bodies, MAX_DIAGNOSE_BYTES / 4, true))
        return true;
    if (bodies->mime.count > 1 && cuts_try_pairs(bodies))
        return true;
    cuts_at_the_beginning(bodies);
    return cuts_try(bodies, MAX_DIAGNOSE_BYTES, true);
}

/* Signed l= octets, and more behind them. */
static void note_tail(struct body_search *bodies)
{
    struct diagnosis *out = bodies->search->out;
    if (out->body.signed_bytes == out->body.canonical_bytes)
        return;
    struct diagnose_finding *finding = search_note(bodies->search, CAUSE_UNSIGNED_TAIL, true);
    finding->in_body = true;
    finding->offset = out->body.signed_bytes;
    finding->bytes = out->body.canonical_bytes - out->body.signed_bytes;
}

static void note_shortness(struct body_search *bodies)
{
    const struct dkim_signature *signature = bodies->search->request->signature;
    struct diagnosis *out = bodies->search->out;
    struct diagnose_finding *finding = search_note(bodies->search, CAUSE_BODY_SHORT, true);
    finding->in_body = true;
    finding->offset = out->body.canonical_bytes;
    finding->bytes = signature->l - out->body.canonical_bytes;
}

/* What no body is in canonical form: nothing, or with "simple" one CRLF (DV-25). */
static bool is_missing(const struct diagnosis *out)
{
    return out->body.canonical_bytes <= 2;
}

static void explain(struct body_search *bodies)
{
    const struct dkim_signature *signature = bodies->search->request->signature;
    struct diagnosis *out = bodies->search->out;
    if (out->body.state == DIAGNOSE_INTACT)
        note_tail(bodies);
    else if (signature->has_l && signature->l > out->body.canonical_bytes)
        note_shortness(bodies);
    else if (out->body.found_known && !try_all(bodies))
        search_note(bodies->search, is_missing(out) ? CAUSE_BODY_MISSING : CAUSE_BODY_UNEXPLAINED,
                    false);
}

static bool open_search(struct body_search *bodies)
{
    const struct diagnose_request *request = bodies->search->request;
    const struct dkim_signature *signature = request->signature;
    uint64_t limit = signature->has_l ? signature->l : BODY_WHOLE;
    body_probe_init(&bodies->prefix, signature->body_canon, limit);
    body_probe_init(&bodies->middle, signature->body_canon, limit);
    body_probe_init(&bodies->probe, signature->body_canon, limit);
    bodies->list.cuts = ARENA_ARRAY(request->arena, MAX_DIAGNOSE_CUTS, struct cut);
    return bodies->list.cuts != NULL;
}

void search_body(struct search *search)
{
    struct body_search bodies = {.search = search, .body = search->request->body};
    search->out->body.raw_bytes = bodies.body.n;
    search->out->body.lines = body_lines(bodies.body);
    if (open_search(&bodies)) {
        mime_read(search->request->header, bodies.body, &bodies.mime);
        measure(&bodies);
        explain(&bodies);
    } else {
        search->failed = true;
    }
}
