/*
 * assay replay: the verdicts of capsules, judged again offline, and whether they are what was
 * recorded. Standard output is that of `assay check` for the same messages; what was changed and
 * what differs is told on stderr, or with --changes as JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer_read.h"
#include "capsule.h"
#include "flags.h"
#include "show.h"

enum
{
    READ_BYTES = 256 * 1024,
    SHOWN_DIFFERENCES = 8,
    SHOWN_VALUE_BYTES = 60,
};

struct replay
{
    bool json, brief, changes;
    const char *path;
    size_t number; /* of the capsule in its file */
};

#define AT(member) offsetof(struct replay, member)

const struct flag replay_flags[] = {
    {"json", 0, FLAG_SET, NULL, "one JSON object a line, as check --json printed it", AT(json), 0},
    {"brief", 0, FLAG_SET, NULL, "one table row for each message", AT(brief), 0},
    {"changes", 0, FLAG_SET, NULL,
     "one JSON object a line: same, changed, differs, not_recorded,\nversion, recorded_by",
     AT(changes), 0},
    {0},
};

/* What came of one capsule. */
struct comparison
{
    const struct capsule *capsule;
    const struct dns_answers *answers;
    const char *json; /* the verdict now */
    struct capsule_differences differences;
};

/* For people ------------------------------------------------------------------------------------
 */

static void append_value(struct buffer *out, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    struct span shown = span_from_string(text ? text : "nothing");
    bool cut = shown.n > SHOWN_VALUE_BYTES;
    buffer_append(out, span_slice(shown, 0, cut ? SHOWN_VALUE_BYTES : shown.n));
    buffer_append_string(out, cut ? "..." : "");
    free(text);
}

static void append_differences(struct buffer *out, const struct capsule_differences *differences)
{
    for (size_t i = 0; i < differences->count && i < SHOWN_DIFFERENCES; i++) {
        const struct capsule_difference *one = &differences->list[i];
        buffer_printf(out, "%s%s was ", i ? "; " : "", one->path);
        append_value(out, one->was);
        buffer_append_string(out, ", is ");
        append_value(out, one->is);
    }
    if (differences->count > SHOWN_DIFFERENCES)
        buffer_printf(out, "; and %zu more", differences->count - SHOWN_DIFFERENCES);
}

static void append_changed(struct buffer *out, unsigned changed)
{
    const char *comma = "";
    for (enum capsule_section which = 0; which < CAPSULE_SECTIONS; which++) {
        if (!(changed >> which & 1))
            continue;
        buffer_printf(out, "%s%s", comma, capsule_section_word(which));
        comma = ", ";
    }
}

static bool is_not_recorded(const struct dns_question *question)
{
    return question->answer.reason && strcmp(question->answer.reason, capsule_not_recorded) == 0;
}

static size_t append_not_recorded(struct buffer *out, const struct dns_answers *answers)
{
    char name[DNS_NAME_TEXT_MAX];
    size_t count = 0;
    for (const struct dns_question *q = answers->first; q; q = q->next) {
        if (!is_not_recorded(q))
            continue;
        if (count < SHOWN_DIFFERENCES)
            buffer_printf(out, "%s%s %s", count ? ", " : "", dns_name_text(&q->name, name),
                          dns_type_text(q->type));
        count++;
    }
    if (count > SHOWN_DIFFERENCES)
        buffer_printf(out, " and %zu more", count - SHOWN_DIFFERENCES);
    return count;
}

static void tell(const struct replay *replay, const char *what, const struct buffer *text)
{
    complain("%s: capsule %zu: %s%.*s", replay->path, replay->number, what, (int)text->n,
             text->failed ? "" : (const char *)text->p);
}

/* Other versions may judge in another way: that is said first. */
static void tell_all(const struct replay *replay, const struct comparison *comparison)
{
    const struct capsule *capsule = comparison->capsule;
    struct buffer text;
    buffer_init(&text, MAX_JSON_BYTES);
    buffer_printf(&text, "%.40s, this is %s", capsule->version, assay_version());
    if (strcmp(capsule->version, assay_version()) != 0)
        tell(replay, "recorded by assay ", &text);
    buffer_reset(&text);
    append_changed(&text, capsule->changed);
    if (capsule->changed)
        tell(replay, "changed since it was recorded: ", &text);
    buffer_reset(&text);
    if (append_not_recorded(&text, comparison->answers))
        tell(replay, "asked and not recorded: ", &text);
    buffer_reset(&text);
    append_differences(&text, &comparison->differences);
    if (comparison->differences.count)
        tell(replay, "the verdict differs: ", &text);
    buffer_fini(&text);
}

static void print_verdict(const struct replay *replay, struct assay_message *message,
                          const json_t *verdict, const struct comparison *comparison)
{
    char *file = NULL;
    struct span name = comparison->capsule->file;
    if (asprintf(&file, "%.*s", (int)name.n, name.p ? (const char *)name.p : "") < 0)
        file = NULL;
    if (replay->json)
        puts(comparison->json);
    else if (replay->brief)
        print_verdict_row(file ? file : "", &assay_message_internal(message)->verdict, stdout);
    else
        show_verdict(file ? file : "", verdict, stdout);
    if (!replay->json && !replay->brief)
        printf("  replay  %s\n", comparison->differences.count ? "differs from what was recorded"
                                                               : "the same as recorded");
    free(file);
}

/* For programs ----------------------------------------------------------------------------------
 */

static json_t *changed_words(unsigned changed)
{
    json_t *words = json_array();
    for (enum capsule_section which = 0; which < CAPSULE_SECTIONS; which++)
        if (changed >> which & 1)
            json_array_append_new(words, json_string(capsule_section_word(which)));
    return words;
}

static json_t *difference_objects(const struct capsule_differences *differences)
{
    json_t *list = json_array();
    for (size_t i = 0; i < differences->count && i < CAPSULE_DIFFERENCES_MAX; i++) {
        const struct capsule_difference *one = &differences->list[i];
        json_array_append_new(list, json_pack("{s:s, s:O?, s:O?}", "path", one->path, "was",
                                              one->was, "is", one->is));
    }
    return list;
}

static json_t *not_recorded_objects(const struct dns_answers *answers)
{
    char name[DNS_NAME_TEXT_MAX];
    json_t *list = json_array();
    for (const struct dns_question *q = answers->first; q; q = q->next)
        if (is_not_recorded(q))
            json_array_append_new(list,
                                  json_pack("{s:s, s:s}", "name", dns_name_text(&q->name, name),
                                            "type", dns_type_text(q->type)));
    return list;
}

static int print_changes(const struct replay *replay, const struct comparison *comparison)
{
    const struct capsule *capsule = comparison->capsule;
    const json_t *envelope = json_object_get(capsule->root, "envelope");
    json_t *object = json_pack(
        "{s:i, s:s, s:I, s:O?, s:b, s:o, s:o, s:I, s:o, s:s, s:s}", "v", 1, "capsule", replay->path,
        "number", (json_int_t)replay->number, "file", json_object_get(envelope, "file"), "same",
        comparison->differences.count == 0, "changed", changed_words(capsule->changed), "differs",
        difference_objects(&comparison->differences), "difference_count",
        (json_int_t)comparison->differences.count, "not_recorded",
        not_recorded_objects(comparison->answers), "recorded_by", capsule->version, "version",
        assay_version());
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(object);
    if (!text) {
        complain("no memory");
        return STATUS_SOFTWARE;
    }
    puts(text);
    free(text);
    return STATUS_OK;
}

/* One capsule -----------------------------------------------------------------------------------
 */

static int print(const struct replay *replay, struct assay_message *message, const json_t *verdict,
                 const struct comparison *comparison)
{
    if (replay->changes)
        return print_changes(replay, comparison);
    print_verdict(replay, message, verdict, comparison);
    tell_all(replay, comparison);
    return STATUS_OK;
}

static int compare(const struct replay *replay, const struct capsule *capsule,
                   struct assay_message *message)
{
    static struct comparison comparison; /* large */
    comparison.capsule = capsule;
    comparison.answers = &assay_message_internal(message)->answers;
    comparison.json = assay_message_json(message);
    json_t *verdict = json_loads(comparison.json, JSON_ALLOW_NUL, NULL);
    if (!verdict) {
        complain("no memory for the verdict");
        return STATUS_SOFTWARE;
    }
    capsule_compare(capsule->verdict, verdict, &comparison.differences);
    int status = print(replay, message, verdict, &comparison);
    json_decref(verdict);
    if (status)
        return status;
    return comparison.differences.count ? STATUS_PROBLEM : STATUS_OK;
}

static int judge(const struct replay *replay, const struct capsule *capsule, char *error)
{
    struct capsule_replay judged;
    int status = STATUS_BAD_INPUT;
    if (capsule_judge(capsule, &judged, error))
        status = compare(replay, capsule, judged.message);
    capsule_replay_free(&judged);
    return status;
}

static int replay_object(const struct replay *replay, struct span object)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct capsule capsule;
    int status = STATUS_BAD_INPUT;
    if (capsule_read(object, &capsule, error))
        status = judge(replay, &capsule, error);
    if (*error)
        complain("%s: capsule %zu: %s", replay->path, replay->number, error);
    capsule_free(&capsule);
    return status;
}

static int replay_text(struct replay *replay, struct span text)
{
    char error[ASSAY_ERROR_MAX];
    int status = STATUS_OK;
    struct span object;
    for (replay->number = 1;; replay->number++) {
        if (!capsule_cut(&text, &object, error)) {
            complain("%s: capsule %zu: %s", replay->path, replay->number, error);
            return STATUS_BAD_INPUT;
        }
        if (object.n == 0)
            break;
        int one = replay_object(replay, object);
        status = one > status ? one : status;
    }
    if (replay->number > 1)
        return status;
    complain("%s: this is no capsule: it is empty", replay->path);
    return STATUS_BAD_INPUT;
}

/* A plain file says beforehand. */
static bool is_too_large(int fd)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
           facts.st_size > CAPSULE_FILE_BYTES_MAX;
}

/* False with errno. */
static bool read_all(int fd, struct buffer *text)
{
    if (!is_too_large(fd))
        return buffer_read(text, fd, CAPSULE_FILE_BYTES_MAX, READ_BYTES);
    errno = EFBIG;
    return false;
}

static int replay_file(struct replay *replay, const char *path)
{
    struct buffer text;
    int status = STATUS_OK;
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    replay->path = standard_input ? "standard input" : path;
    buffer_init(&text, (size_t)CAPSULE_FILE_BYTES_MAX + 1);
    bool readable = fd >= 0 && read_all(fd, &text);
    if (!readable) {
        status = errno == EFBIG ? STATUS_BAD_INPUT : STATUS_NO_INPUT;
        complain("%s: %s", replay->path, strerror(errno));
    }
    if (fd >= 0 && !standard_input)
        close(fd);
    if (readable)
        status = replay_text(replay, buffer_span(&text));
    buffer_fini(&text);
    return status;
}

int command_replay(int argc, char **argv)
{
    char dash[] = "-";
    char *standard_input[] = {dash};
    struct replay replay = {.json = false};
    struct operands operands;
    int status = STATUS_OK;
    if (!flags_read(argc, argv, replay_flags, &replay, &operands))
        return STATUS_USAGE;
    if (operands.count == 0)
        operands = (struct operands){standard_input, 1};
    if (replay.brief && !replay.json && !replay.changes)
        print_row_heading(stdout);
    for (int i = 0; i < operands.count; i++) {
        int one = replay_file(&replay, operands.texts[i]);
        status = one > status ? one : status;
    }
    return status;
}
