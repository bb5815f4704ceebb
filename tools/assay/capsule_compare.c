/*
 * Where two verdicts differ. Descends where both have an object or an array, so no deeper than our
 * own verdict goes, whatever the other one is.
 *
 * Limits: CAPSULE_DIFFERENCES_MAX places are kept, the rest is counted; a path is cut.
 */
#include <stdarg.h>
#include <stdio.h>

#include "capsule.h"

struct place
{
    struct capsule_differences *found;
    char path[CAPSULE_PATH_MAX];
    size_t n;
};

static void compare(struct place *place, const json_t *was, const json_t *is);

static void note(const struct place *place, const json_t *was, const json_t *is)
{
    struct capsule_differences *found = place->found;
    if (found->count < CAPSULE_DIFFERENCES_MAX) {
        struct capsule_difference *difference = &found->list[found->count];
        difference->was = was;
        difference->is = is;
        memcpy(difference->path, place->path, sizeof place->path);
    }
    found->count++;
}

/* Compares below `format`; the place is as before afterwards. */
static void PRINTF_LIKE(4, 5)
    compare_at(struct place *place, const json_t *was, const json_t *is, const char *format, ...)
{
    size_t n = place->n;
    va_list args;
    va_start(args, format);
    int more = vsnprintf(place->path + n, sizeof place->path - n, format, args);
    va_end(args);
    place->n = n + (size_t)more < sizeof place->path ? n + (size_t)more : sizeof place->path - 1;
    compare(place, was, is);
    place->n = n;
    place->path[n] = '\0';
}

static void compare_objects(struct place *place, const json_t *was, const json_t *is)
{
    const char *key;
    const json_t *value;
    const char *dot = place->n ? "." : "";
    json_object_foreach((json_t *)(uintptr_t)is, key, value)
        compare_at(place, json_object_get(was, key), value, "%s%s", dot, key);
    json_object_foreach((json_t *)(uintptr_t)was, key, value)
    {
        if (!json_object_get(is, key))
            compare_at(place, value, NULL, "%s%s", dot, key);
    }
}

static void compare_arrays(struct place *place, const json_t *was, const json_t *is)
{
    size_t n =
        json_array_size(was) > json_array_size(is) ? json_array_size(was) : json_array_size(is);
    for (size_t i = 0; i < n; i++)
        compare_at(place, json_array_get(was, i), json_array_get(is, i), "[%zu]", i);
}

static void compare(struct place *place, const json_t *was, const json_t *is)
{
    if (json_is_object(was) && json_is_object(is))
        compare_objects(place, was, is);
    else if (json_is_array(was) && json_is_array(is))
        compare_arrays(place, was, is);
    else if (!was || !is || !json_equal(was, is))
        note(place, was, is);
}

void capsule_compare(const json_t *was, const json_t *is, struct capsule_differences *differences)
{
    struct place place = {.found = differences};
    differences->count = 0;
    compare(&place, was, is);
}
