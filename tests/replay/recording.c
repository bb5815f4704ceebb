#include "recording.h"

#include <stdio.h>
#include "base/attributes.h"

void call_add(struct call *call, const char *argument)
{
    cr_assert(call->n + 1 < ARGUMENTS_MAX);
    call->argv[call->n++] = argument;
    call->argv[call->n] = NULL;
}

void call_add_all(struct call *call, const char *const *arguments)
{
    for (; *arguments; arguments++)
        call_add(call, *arguments);
}

struct outcome call_run(const struct call *call)
{
    return assay(SPAN(""), call->argv);
}

const char *temporary_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % COUNT_OF(paths)];
    snprintf(path, sizeof paths[0], "%s/%s", temporary_folder(), name);
    return path;
}

/* Takes the lines out that the human form has besides: what came of each comparison. */
static size_t strip_comparisons(char *text)
{
    static const char line[] = "  replay  the same as recorded\n";
    size_t found = 0;
    for (char *at; (at = strstr(text, line)) != NULL; found++)
        memmove(at, at + sizeof line - 1, strlen(at + sizeof line - 1) + 1);
    return found;
}

static void expect_output(const struct outcome *recorded, const struct outcome *replayed,
                          const char *output, const char *what)
{
    size_t said = strip_comparisons(replayed->out);
    cr_expect((said > 0) == (output == NULL), "%s: said %zu times", what, said);
    cr_expect(*recorded->out != '\0');
    cr_expect_str_eq(replayed->out, recorded->out, "%s", what);
    cr_expect(replayed->status == 0 && *replayed->err == '\0', "%s: %d %s", what, replayed->status,
              replayed->err);
}

void expect_same(const struct call *check, const char *path)
{
    static const struct
    {
        const char *form, *output;
    } ways[] = {{NULL, "--json"}, {"--with-body", "--json"}, {NULL, NULL}, {NULL, "--brief"}};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct call recording = *check, replaying = {.n = 0};
        CALL(&recording, "--record", path);
        CALL(&replaying, "replay", path);
        if (ways[i].form)
            call_add(&recording, ways[i].form);
        if (ways[i].output) {
            call_add(&recording, ways[i].output);
            call_add(&replaying, ways[i].output);
        }
        struct outcome recorded = call_run(&recording), replayed = call_run(&replaying);
        cr_assert(recorded.status == 0, "%s: %d %s", path, recorded.status, recorded.err);
        expect_output(&recorded, &replayed, ways[i].output, check->argv[check->n - 1]);
    }
}

void record_sample(const char *path, const char *form)
{
    struct call call = {.n = 0};
    CALL(&call, "check", "--dns", "share/samples/zone.txt", "--ip", "192.0.2.10", "--helo",
         "mx.shop.example", "--mail-from", "orders@shop.example", "--now", "1792972860",
         "--authserv-id", "mx.example.net", "--record", path, "share/samples/pass.eml");
    if (form)
        call_add(&call, form);
    struct outcome o = call_run(&call);
    cr_assert(o.status == 0 && *o.err == '\0', "%d %s", o.status, o.err);
}

json_t *capsule_load(const char *path)
{
    json_error_t error;
    json_t *capsule = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    cr_assert(capsule != NULL, "%s:%d: %s", path, error.line, error.text);
    return capsule;
}

void capsule_store(const json_t *capsule, const char *path, size_t indent)
{
    cr_assert(json_dump_file(capsule, path, JSON_INDENT(indent)) == 0, "%s", path);
}
