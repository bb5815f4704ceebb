/*
 * Tag lists (RFC 6376 3.2) for the linter. The parser ends at the first fault of a strict list; a
 * person wants all of them, so every tag-spec goes through the same parser alone.
 */
#include "lint/finding.h"

static const struct
{
    enum taglist_error error;
    const char *what, *instead;
} faults[] = {
    {TAGLIST_NO_EQUALS, "there is no \"=\" in this tag", "name=value"},
    {TAGLIST_BAD_NAME, "a tag's name is a letter and then letters, digits or \"_\"", NULL},
    {TAGLIST_BAD_VALUE, "a tag's value is printable ASCII without \";\"", NULL},
    {TAGLIST_EMPTY_SPEC, "there is no tag between these two \";\"", "one \";\" between two tags"},
};

static void report(const struct lint_place *place, enum lint_severity severity,
                   enum taglist_error error, struct span spec)
{
    struct span trimmed = taglist_trim(spec);
    struct span part = trimmed.n ? trimmed : spec;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        if (faults[i].error != error)
            continue;
        struct lint_finding *finding =
            lint_find(place, severity, taglist_error_word(error), part, "%s", faults[i].what);
        if (faults[i].instead)
            lint_instead(place, finding, "%s", faults[i].instead);
        if (error == TAGLIST_NO_EQUALS && span_starts_fold(part, SPAN("mailto:")))
            lint_instead(place, finding, "\",\" and not \";\" between the addresses of one tag");
        return;
    }
}

/* One spec; its own parse is a frame of its own, since a list is large. */
static enum taglist_error spec_read(struct span spec, struct span *name)
{
    struct taglist one;
    if (!taglist_parse(spec, TAGLIST_STRICT, &one))
        return one.error;
    *name = one.tags[0].name;
    return TAGLIST_OK;
}

static void lint_spec(const struct lint_place *place, enum lint_severity severity,
                      const struct taglist *list, struct span spec)
{
    struct span name;
    enum taglist_error error = spec_read(spec, &name);
    if (error) {
        report(place, severity, error, spec);
        return;
    }
    const struct tag *first =
        severity == LINT_ERROR ? taglist_find(list, name) : taglist_find_fold(list, name);
    if (!first || first->name.p == name.p)
        return;
    struct lint_finding *finding =
        lint_find(place, LINT_ERROR, taglist_error_word(TAGLIST_DUPLICATE), taglist_trim(spec),
                  severity == LINT_ERROR
                      ? "%.*s= stands twice: receivers refuse the whole record"
                      : "%.*s= stands twice: the first counts here, other receivers differ",
                  SPAN_ARGS(name));
    lint_instead(place, finding, "one %.*s=", SPAN_ARGS(name));
}

void lint_tags(const struct lint_place *place, enum lint_severity severity, struct taglist *list)
{
    struct span text = place->text;
    size_t at = 0;
    if (!taglist_parse(text, TAGLIST_STRICT, list) &&
        !taglist_parse(text, TAGLIST_TOLERANT, list)) {
        (void)lint_find(place, LINT_ERROR, taglist_error_word(list->error), (struct span){NULL, 0},
                        "no receiver reads so many tags or bytes (%d and %d at most)", MAX_TAGS,
                        MAX_TAG_LIST_BYTES);
        return;
    }
    while (at < text.n) {
        size_t end = at + span_find(span_skip(text, at), ';');
        bool last = end >= text.n;
        struct span spec = span_slice(text, at, end);
        if (!last && spec.n == 0) /* nothing to put a caret under but the ";" itself */
            report(place, severity, TAGLIST_EMPTY_SPEC, span_slice(text, end, end + 1));
        else if (!(last && taglist_trim(spec).n == 0))
            lint_spec(place, severity, list, spec);
        at = end + 1;
    }
}

struct span lint_tag_text(const struct lint_place *place, const struct tag *tag)
{
    return taglist_trim(span_slice(place->text, tag->name_at, tag->end));
}

void lint_escaped_semicolons(const struct lint_place *place)
{
    struct span text = place->text;
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] != '\\' || text.p[i + 1] != ';')
            continue;
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "escaped_semicolon", span_slice(text, i, i + 2),
                               "the backslash was published with the record"),
                     "\";\" without a backslash, the string in quotes where the panel wants them");
        return;
    }
}
