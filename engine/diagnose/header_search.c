/*
 * The header: are the signed fields those that are there, and if not, which changes bring them
 * back. One change, two, then one of each of several fields among those that lists and gateways
 * make together.
 */
#include "diagnose/header_edits.h"

enum
{
    GROUPS_MAX = 8,
    GROUP_EDITS_MAX = 8,
};

struct header_search
{
    struct search *search;
    struct header_text text;
    struct header_edits edits;
    struct span *now; /* arena: the pieces as they are tried */
    struct buffer scratch;
};

/* The digest of the pieces as they stand in `now`. */
static bool digest_now(struct header_search *header, uint8_t digest[SHA256_BYTES])
{
    buffer_reset(&header->scratch);
    for (uint32_t i = 0; i < header->text.count; i++)
        buffer_append(&header->scratch, header->now[i]);
    if (header->scratch.failed || !search_try(header->search, header->scratch.n))
        return false;
    sha256_of(buffer_span(&header->scratch), digest);
    return true;
}

static void restore(struct header_search *header, const struct header_edit *edit)
{
    for (uint32_t i = 0; i < edit->change_count; i++)
        header->now[edit->changes[i].piece] = header->text.pieces[edit->changes[i].piece].canonical;
}

static void apply(struct header_search *header, const struct header_edit *edit)
{
    for (uint32_t i = 0; i < edit->change_count; i++)
        header->now[edit->changes[i].piece] = edit->changes[i].canonical;
}

static bool is_signed_now(struct header_search *header)
{
    uint8_t digest[SHA256_BYTES];
    return digest_now(header, digest) && search_header_is(header->search, digest);
}

static bool fits(struct header_search *header, const struct header_edit *const *edits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        apply(header, edits[i]);
    bool fitting = is_signed_now(header);
    for (size_t i = 0; i < count; i++)
        restore(header, edits[i]);
    return fitting;
}

static void note(struct header_search *header, const struct header_edit *edit)
{
    struct diagnose_finding *finding = search_note(header->search, edit->cause, true);
    finding->field = edit->field;
    finding->position = edit->position;
    finding->before = edit->before;
    finding->after = edit->after;
    if (edit->cause == CAUSE_BH_DAMAGED) /* the body is the signed one after all */
        header->search->out->body.state = DIAGNOSE_INTACT;
}

static void note_all(struct header_search *header, const struct header_edit *const *edits,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        note(header, edits[i]);
}

static bool share_pieces(const struct header_edit *a, const struct header_edit *b)
{
    for (uint32_t i = 0; i < a->change_count; i++)
        for (uint32_t k = 0; k < b->change_count; k++)
            if (a->changes[i].piece == b->changes[k].piece)
                return true;
    return false;
}

static bool over(const struct header_search *header)
{
    return search_is_over(header->search);
}

static bool try_single(struct header_search *header)
{
    for (uint32_t i = 0; i < header->edits.count && !over(header); i++) {
        const struct header_edit *edit = &header->edits.edits[i];
        if (!fits(header, &edit, 1))
            continue;
        note(header, edit);
        return true;
    }
    return false;
}

static bool try_pairs(struct header_search *header, bool frequent)
{
    for (uint32_t i = 0; i < header->edits.count && !over(header); i++) {
        for (uint32_t k = 0; k < i && !over(header); k++) {
            const struct header_edit *both[] = {&header->edits.edits[k], &header->edits.edits[i]};
            bool is_frequent = both[0]->frequent && both[1]->frequent;
            if (is_frequent != frequent || share_pieces(both[0], both[1]) || !fits(header, both, 2))
                continue;
            note_all(header, both, 2);
            return true;
        }
    }
    return false;
}

/* Frequent changes by the piece they begin with. */
struct groups
{
    const struct header_edit *edits[GROUPS_MAX][GROUP_EDITS_MAX];
    uint32_t counts[GROUPS_MAX];
    uint32_t chosen[GROUPS_MAX]; /* 0: none of this group, else 1 + its index */
    uint32_t count;
};

static void group(struct groups *groups, const struct header_edit *edit)
{
    for (uint32_t i = 0; i < groups->count; i++) {
        if (!share_pieces(groups->edits[i][0], edit))
            continue;
        if (groups->counts[i] < GROUP_EDITS_MAX)
            groups->edits[i][groups->counts[i]++] = edit;
        return;
    }
    if (groups->count < GROUPS_MAX) {
        groups->edits[groups->count][0] = edit;
        groups->counts[groups->count++] = 1;
    }
}

/* Counts the choices up like an odometer; false behind the last. */
static bool next_choice(struct groups *groups)
{
    for (uint32_t i = 0; i < groups->count; i++) {
        if (groups->chosen[i]++ < groups->counts[i])
            return true;
        groups->chosen[i] = 0;
    }
    return false;
}

static bool try_many(struct header_search *header)
{
    struct groups groups = {.count = 0};
    for (uint32_t i = 0; i < header->edits.count; i++)
        if (header->edits.edits[i].frequent)
            group(&groups, &header->edits.edits[i]);
    while (next_choice(&groups) && !over(header)) {
        const struct header_edit *chosen[GROUPS_MAX];
        size_t count = 0;
        for (uint32_t i = 0; i < groups.count; i++)
            if (groups.chosen[i])
                chosen[count++] = groups.edits[i][groups.chosen[i] - 1];
        if (count < 3 || !fits(header, chosen, count))
            continue;
        note_all(header, chosen, count);
        return true;
    }
    return false;
}

static void fill_now(struct header_search *header)
{
    for (uint32_t i = 0; i < header->text.count; i++)
        header->now[i] = header->text.pieces[i].canonical;
}

static bool try_other_form(struct header_search *header)
{
    enum canon canon = header->text.canon;
    enum canon other = canon == CANON_SIMPLE ? CANON_RELAXED : CANON_SIMPLE;
    struct header_text text = header->text;
    if (!header_text_read(header->search, other, &header->text))
        return false;
    fill_now(header);
    bool fitting = is_signed_now(header);
    header->text = text;
    fill_now(header);
    if (!fitting)
        return false;
    struct diagnose_finding *finding = search_note(header->search, CAUSE_HEADER_CANON, true);
    finding->before = other == CANON_SIMPLE ? SPAN("simple") : SPAN("relaxed");
    finding->after = other == CANON_SIMPLE ? SPAN("relaxed") : SPAN("simple");
    return true;
}

/* By frequency, so that pairs are soon found. */
static void collect_edits(struct header_search *header)
{
    edits_of_lists(&header->edits);
    edits_of_fields(&header->edits);
    edits_of_self(&header->edits);
    edits_of_form(&header->edits);
}

static bool try_edits(struct header_search *header)
{
    return try_single(header) || try_pairs(header, true) || try_many(header) ||
           try_pairs(header, false);
}

static void describe(struct header_search *header)
{
    struct diagnosis *out = header->search->out;
    for (uint32_t i = 0; i < header->text.count; i++) {
        const struct header_piece *piece = &header->text.pieces[i];
        out->header.fields += piece->field != NULL;
        out->header.canonical_bytes += piece->canonical.n;
        if (!piece->field && out->header.missing_count < DIAGNOSE_MISSING_MAX)
            out->header.missing[out->header.missing_count++] = piece->name;
    }
    out->header.found_known = digest_now(header, out->header.found);
}

/* Without a key to compare with there is nothing to be found out. */
static bool can_judge(const struct search *search)
{
    const struct diagnose_request *request = search->request;
    if (search->out->header.expected_known)
        return true;
    for (size_t i = 0; i < request->key_count; i++)
        if (public_key_type(request->keys[i]) != KEY_RSA)
            return true;
    return false;
}

static void explain(struct header_search *header)
{
    struct diagnosis *out = header->search->out;
    bool known = out->header.expected_known;
    if (!out->header.found_known || !can_judge(header->search))
        return;
    if (search_header_is(header->search, out->header.found)) {
        out->header.state = DIAGNOSE_INTACT;
        out->key = out->key == DIAGNOSE_KEY_WRONG ? out->key : DIAGNOSE_KEY_RIGHT;
        return;
    }
    out->header.state = known ? DIAGNOSE_CHANGED : DIAGNOSE_UNKNOWN;
    if (!try_other_form(header)) {
        collect_edits(header);
        if (!try_edits(header)) {
            search_note(header->search,
                        known ? CAUSE_HEADER_UNEXPLAINED : CAUSE_SIGNATURE_UNEXPLAINED, false);
            return;
        }
    }
    out->header.state = DIAGNOSE_CHANGED;
    if (out->key == DIAGNOSE_KEY_UNKNOWN)
        out->key = DIAGNOSE_KEY_RIGHT;
}

void search_header(struct search *search)
{
    struct header_search header = {.search = search};
    struct arena *arena = search->request->arena;
    buffer_init(&header.scratch, 4 * MAX_HEADER_BYTES);
    header.edits = (struct header_edits){
        .search = search,
        .text = &header.text,
        .edits = ARENA_ARRAY(arena, MAX_DIAGNOSE_EDITS, struct header_edit),
    };
    bool ready = header.edits.edits &&
                 header_text_read(search, search->request->signature->header_canon, &header.text);
    header.now = ready ? ARENA_ARRAY(arena, header.text.count, struct span) : NULL;
    if (header.now) {
        fill_now(&header);
        describe(&header);
        explain(&header);
    } else {
        search->failed = true;
    }
    buffer_fini(&header.scratch);
}
