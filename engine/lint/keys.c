/* The key records of selectors (DV-29 to DV-33). */
#include "lint/parts.h"

static const struct span nothing = {NULL, 0};

/* The record that counts for display: the first that looks like a key. */
static void take_record(struct lint_key *key, struct span text)
{
    struct limit_hits hits = {.set = 0};
    struct dkim_key_record record;
    dkim_key_record_parse(text, &hits, &record);
    if (record.is_key_record && key->text.n == 0) {
        key->text = text;
        key->type = record.type;
        key->bits = record.bits;
        key->reason = record.reason;
    }
    dkim_key_record_fini(&record);
}

static void lint_records(struct lint_key *key, const struct dns_answer *answer,
                         const struct lint_place *place)
{
    key->records = answer->count;
    for (uint32_t i = 0; i < answer->count; i++) {
        struct lint_place record = *place;
        record.text = answer->records[i].text;
        take_record(key, record.text);
        lint_dkim_record(&record);
    }
    if (answer->count > 1 || answer->cut)
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "several_records", nothing,
                               "%u TXT records at one selector: which one counts is undefined "
                               "(RFC 6376 3.6.2.2)",
                               (unsigned)answer->count),
                     "one TXT record; another key goes to another selector");
    if (key->text.n == 0)
        key->reason = "bad_key_record";
}

static void no_key(struct lint_key *key, const struct lint_place *place)
{
    char text[DNS_NAME_TEXT_MAX];
    key->reason = "no_key";
    lint_instead(place,
                 lint_find(place, LINT_ERROR, "no_record", nothing,
                           "there is no key here (%s): signatures with this selector fail",
                           key->outcome == DNS_NXDOMAIN ? "no such name" : "no TXT record"),
                 "%s TXT \"v=DKIM1; k=rsa; p=...\", as `assay keygen` prints it",
                 dns_name_text(&key->name, text));
}

static void look_up(struct lint_run *run, struct lint_key *key)
{
    struct lint_place place = {&run->report->findings, LINT_DKIM, &key->name, nothing};
    const struct dns_answer *answer = lint_ask(run, &key->name, DNS_TXT);
    if (!answer)
        return;
    key->outcome = answer->outcome;
    switch (answer->outcome) {
    case DNS_ANSWER:
        lint_records(key, answer, &place);
        return;
    case DNS_EMPTY:
    case DNS_NXDOMAIN:
        no_key(key, &place);
        return;
    case DNS_UNANSWERED:
    case DNS_TEMPFAIL:
        key->reason = answer->reason;
        lint_dns_failure(&place, nothing, &key->name, answer);
        return;
    }
}

void lint_keys(struct lint_run *run)
{
    struct lint_report *report = run->report;
    const struct lint_request *request = run->request;
    assert(request->key_count <= LINT_KEYS_MAX);
    report->keys = ARENA_ARRAY(run->arena, request->key_count, struct lint_key);
    if (!report->keys)
        return;
    for (uint32_t i = 0; i < request->key_count; i++) {
        struct lint_key *key = &report->keys[report->key_count++];
        key->name = request->keys[i];
        look_up(run, key);
    }
}
