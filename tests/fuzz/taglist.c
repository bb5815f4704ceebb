/* Tag lists: names, values and offsets fit the text; what is good strictly is good tolerantly. */
#include "base/taglist.h"
#include "fuzz/support/fuzz.h"

static void check_tags(struct span text, const struct taglist *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct tag *tag = &list->tags[i];
        FUZZ_CHECK(tag->name.n && fuzz_inside(tag->name, text) && fuzz_inside(tag->value, text));
        FUZZ_CHECK(tag->name_at < tag->begin && tag->begin <= tag->end && tag->end <= text.n);
        FUZZ_CHECK(text.p[tag->begin - 1] == '=' &&
                   (tag->end == text.n || text.p[tag->end] == ';'));
        FUZZ_CHECK(span_equal(taglist_trim(span_slice(text, tag->begin, tag->end)), tag->value));
    }
}

FUZZ_TARGET(taglist)
{
    struct taglist strict, tolerant;
    struct span text = span_of(data, size);
    bool good = taglist_parse(text, TAGLIST_STRICT, &strict);
    bool usable = taglist_parse(text, TAGLIST_TOLERANT, &tolerant);
    FUZZ_CHECK(good == (strict.error == TAGLIST_OK));
    if (good)
        check_tags(text, &strict);
    if (usable)
        check_tags(text, &tolerant);
    for (uint32_t i = 0; good && i < strict.count; i++)
        FUZZ_CHECK(taglist_find(&strict, strict.tags[i].name) == &strict.tags[i]);
    for (uint32_t i = 0; usable && i < tolerant.count; i++)
        FUZZ_CHECK(taglist_find_fold(&tolerant, tolerant.tags[i].name) == &tolerant.tags[i]);
    return 0;
}
