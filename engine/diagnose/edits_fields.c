/*
 * Fields that were added: the names of h= then choose other instances, or one that should not be
 * there (oversigned names). Fields of one name in another order.
 */
#include "diagnose/header_edits.h"

enum
{
    INSTANCES_MAX = 16, /* of one name that are looked at */
};

struct instances
{
    const struct mail_field *fields[INSTANCES_MAX]; /* lowest first */
    uint32_t count;
};

static void find_instances(const struct header_edits *edits, struct span name,
                           struct instances *instances)
{
    instances->count = 0;
    for (uint32_t n = 0; n < INSTANCES_MAX; n++) {
        const struct mail_field *field = header_text_instance(edits->search, name, n);
        if (!field)
            return;
        instances->fields[instances->count++] = field;
    }
}

/* The pieces named `name` choose from `chosen`; those that read otherwise become the edit. */
static void add_choice(struct header_edits *edits, struct span name, const struct instances *chosen,
                       struct header_edit *edit)
{
    uint32_t next = 0, count = 0;
    struct header_change *changes =
        ARENA_ARRAY(edits->search->request->arena, INSTANCES_MAX + 1, struct header_change);
    if (!changes) {
        edits->search->failed = true;
        return;
    }
    for (uint32_t i = 0; i + 1 < edits->text->count && count <= INSTANCES_MAX; i++) {
        const struct header_piece *piece = &edits->text->pieces[i];
        if (!span_equal_fold(piece->name, name))
            continue;
        struct span canonical = {NULL, 0};
        if (next < chosen->count)
            canonical = header_text_field(edits->search, edits->text->canon, chosen->fields[next]);
        next++;
        if (!span_equal(canonical, piece->canonical))
            changes[count++] = (struct header_change){i, canonical};
    }
    edit->changes = changes;
    edit->change_count = count;
    if (count)
        edit_add(edits, edit);
}

/* One field that was not there. */
static void add_absences(struct header_edits *edits, struct span name,
                         const struct instances *instances)
{
    for (uint32_t out = 0; out < instances->count; out++) {
        const struct mail_field *field = instances->fields[out];
        struct instances chosen = {.count = 0};
        for (uint32_t i = 0; i < instances->count; i++)
            if (i != out)
                chosen.fields[chosen.count++] = instances->fields[i];
        struct header_edit edit = {
            .cause = CAUSE_FIELD_ADDED,
            .field = field->name,
            .position = (int32_t)field->position,
            .after = span_trim_wsp(field->value),
            .frequent = !span_equal_fold(name, SPAN("from")) || instances->count > 1,
        };
        add_choice(edits, name, &chosen, &edit);
    }
}

static void add_reverse(struct header_edits *edits, struct span name,
                        const struct instances *instances)
{
    struct instances chosen = {.count = instances->count};
    for (uint32_t i = 0; i < instances->count; i++)
        chosen.fields[i] = instances->fields[instances->count - 1 - i];
    struct header_edit edit = {.cause = CAUSE_HEADER_ORDER, .field = name, .position = -1};
    if (instances->count > 1)
        add_choice(edits, name, &chosen, &edit);
}

void edits_of_fields(struct header_edits *edits)
{
    for (uint32_t i = 0; i + 1 < edits->text->count; i++) {
        struct span name = edits->text->pieces[i].name;
        struct instances instances;
        if (edit_find(edits, name) != (int)i)
            continue;
        find_instances(edits, name, &instances);
        add_absences(edits, name, &instances);
        add_reverse(edits, name, &instances);
    }
}
