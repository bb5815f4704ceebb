#include "verdict/json_object.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static json_t *load(const struct buffer *out)
{
    json_error_t error;
    cr_assert(!out->failed);
    cr_assert(span_find(buffer_span(out), '\n') == out->n, "one line");
    json_t *root =
        json_loadb((const char *)out->p, out->n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    cr_assert(root != NULL, "%s at %d: %.*s", error.text, error.position, (int)out->n,
              (const char *)out->p);
    cr_assert(json_is_object(root));
    return root;
}

json_t *json_verdict(struct sample *sample)
{
    struct buffer out;
    buffer_init(&out, 16 << 20);
    verdict_write_json(&sample->verdict, &out);
    json_t *root = load(&out);
    buffer_fini(&out);
    return root;
}

json_t *json_spf(const struct spf_judgement *spf)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    verdict_write_spf_json(spf, &out);
    json_t *root = load(&out);
    buffer_fini(&out);
    return root;
}

json_t *json_discovery(const struct dmarc_discovery *discovery)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    verdict_write_discovery_json(discovery, &out);
    json_t *root = load(&out);
    buffer_fini(&out);
    return root;
}

json_t *json_require(json_t *root, const char *path)
{
    char part[64];
    const char *rest = path;
    while (*rest) {
        size_t n = strcspn(rest, ".");
        cr_assert(n < sizeof part);
        memcpy(part, rest, n);
        part[n] = '\0';
        root = json_is_array(root) ? json_array_get(root, strtoul(part, NULL, 10))
                                   : json_object_get(root, part);
        cr_assert(root != NULL, "nothing at %s of %s", part, path);
        rest += n + (rest[n] == '.');
    }
    return root;
}

void json_expect(json_t *root, const char *path, const char *want)
{
    json_t *value = json_require(root, path);
    json_t *wanted = json_loads(want, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    cr_assert(wanted != NULL, "the test's own %s", want);
    char *got = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    cr_expect(json_equal(value, wanted), "%s: got %s, want %s", path, got, want);
    free(got);
    json_decref(wanted);
}
