/*
 * Capsules: anybody's JSON is refused with a line or judged; what was judged can be recorded, and
 * the record replays to the same verdict, with nothing changed.
 */
#include "fuzz/support/fuzz.h"
#include "tools/assay/capsule.h"

enum
{
    CAPSULES_MAX = 3, /* of one input */
};

/* A reason that is a replay's own is in no zone file. */
static bool is_recordable(const struct message *message)
{
    for (const struct dns_question *q = message->answers.first; q; q = q->next)
        if (q->answer.reason && !dns_reason_find(span_from_string(q->answer.reason)))
            return false;
    return !message->body.failed;
}

static void check_record(const struct capsule *capsule, struct capsule_replay *judged)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct capsule again;
    struct capsule_replay rejudged;
    struct buffer out;
    struct span object, rest;
    const struct capsule_record record = {
        .engine = &judged->engine,
        .message = judged->message,
        .file = capsule->file,
        .header = capsule->header,
        .body = capsule->body,
    };
    buffer_init(&out, CAPSULE_BYTES_MAX);
    FUZZ_CHECK(capsule_write(&record, &out));
    rest = buffer_span(&out);
    FUZZ_CHECK(capsule_cut(&rest, &object, error) && object.n);
    FUZZ_CHECK(capsule_read(object, &again, error) && again.changed == 0);
    FUZZ_CHECK(capsule_judge(&again, &rejudged, error));
    FUZZ_CHECK(strcmp(assay_message_json(judged->message), assay_message_json(rejudged.message)) ==
               0);
    capsule_replay_free(&rejudged);
    capsule_free(&again);
    buffer_fini(&out);
}

static void check_differences(const struct capsule *capsule, struct assay_message *message)
{
    static struct capsule_differences differences;
    json_t *verdict = json_loads(assay_message_json(message), JSON_ALLOW_NUL, NULL);
    FUZZ_CHECK(verdict != NULL);
    capsule_compare(capsule->verdict, verdict, &differences);
    FUZZ_CHECK((differences.count == 0) == (json_equal(capsule->verdict, verdict) == 1));
    capsule_compare(verdict, verdict, &differences);
    FUZZ_CHECK(differences.count == 0);
    json_decref(verdict);
}

static void check_judged(const struct capsule *capsule)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct capsule_replay judged;
    bool ok = capsule_judge(capsule, &judged, error);
    FUZZ_CHECK(ok == (*error == '\0'));
    if (ok)
        check_differences(capsule, judged.message);
    if (ok && is_recordable(assay_message_internal(judged.message)))
        check_record(capsule, &judged);
    capsule_replay_free(&judged);
}

FUZZ_TARGET(capsule)
{
    struct span rest = span_of(data, size), object;
    for (unsigned i = 0; i < CAPSULES_MAX; i++) {
        char error[ASSAY_ERROR_MAX] = "";
        struct capsule capsule;
        bool cut = capsule_cut(&rest, &object, error);
        FUZZ_CHECK(cut == (*error == '\0'));
        if (!cut || object.n == 0)
            break;
        bool read = capsule_read(object, &capsule, error);
        FUZZ_CHECK(read == (*error == '\0'));
        if (read)
            check_judged(&capsule);
        capsule_free(&capsule);
    }
    return 0;
}
