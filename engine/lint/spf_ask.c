/* What the terms of an SPF tree find in the DNS. */
#include "lint/spf_walk.h"

#include "spf/macro.h"

static const struct span nothing = {NULL, 0};

static bool is_void(const struct dns_answer *answer)
{
    return answer->outcome == DNS_NXDOMAIN || answer->outcome == DNS_EMPTY;
}

static bool is_answer(const struct dns_answer *answer)
{
    return answer && answer->outcome == DNS_ANSWER;
}

static void failure(struct lint_spf_walk *walk, struct lint_spf_row *row,
                    const struct dns_name *name, const struct dns_answer *answer)
{
    struct lint_place place = lint_spf_place(walk);
    row->state = "dns_failure";
    lint_dns_failure(&place, row->text, name, answer);
}

/* The answer, or NULL where it is missing or a failure, which is then told. */
static const struct dns_answer *ask(struct lint_spf_walk *walk, struct lint_spf_row *row,
                                    const struct dns_name *name, enum dns_type type)
{
    const struct dns_answer *answer = lint_ask(walk->run, name, type);
    if (!answer || answer->outcome != DNS_TEMPFAIL)
        return answer;
    failure(walk, row, name, answer);
    return NULL;
}

/* SP-7: what there is of texts that almost are records. */
static void near_misses(struct lint_spf_walk *walk, const struct lint_spf_row *row,
                        const struct dns_answer *answer)
{
    struct lint_place place = {&walk->run->report->findings, LINT_SPF, &row->target, nothing};
    for (uint32_t i = 0; is_answer(answer) && i < answer->count; i++)
        lint_near_miss(&place, answer->records[i].text);
}

/* SP-17, SP-18, SP-4 */
static void no_record(struct lint_spf_walk *walk, struct lint_spf_row *row,
                      const struct dns_answer *answer)
{
    char text[DNS_NAME_TEXT_MAX];
    struct lint_place place = lint_spf_place(walk);
    bool root = walk->depth == 0, no_name = answer && answer->outcome == DNS_NXDOMAIN;
    bool redirect = !root && walk->frames[walk->depth - 1].redirected;
    row->state = "no_record";
    near_misses(walk, row, answer);
    dns_name_text(&row->target, text);
    const char *code = root ? "no_record" : redirect ? "redirect_no_record" : "include_no_record";
    struct lint_finding *finding = lint_find(&place, LINT_ERROR, code, row->text, "%s %s%s", text,
                                             no_name ? "does not exist" : "has no SPF record",
                                             root ? "" : ": permerror for all mail");
    if (root)
        lint_instead(&place, finding,
                     "%s TXT \"v=spf1 ... -all\"; for a name that sends no mail "
                     "\"v=spf1 -all\"",
                     text);
    else
        lint_instead(&place, finding, "a name with an SPF record, or leave it out");
}

static void several(struct lint_spf_walk *walk, struct lint_spf_row *row)
{
    struct lint_place place = {&walk->run->report->findings, LINT_SPF, &row->target, nothing};
    row->state = "several_records";
    lint_instead(&place,
                 lint_find(&place, LINT_ERROR, "several_records", nothing,
                           "there are several SPF records at this name: permerror for all mail"),
                 "one record with the terms of all");
}

static void too_many_texts(struct lint_spf_walk *walk, struct lint_spf_row *row)
{
    struct lint_place place = {&walk->run->report->findings, LINT_SPF, &row->target, nothing};
    row->state = "bad_record";
    lint_instead(&place,
                 lint_find(&place, LINT_ERROR, limit_word(LIMIT_DNS_TEXT_BYTES), nothing,
                           "there are more TXT records at this name than anybody reads: permerror"),
                 "remove TXT records that nobody reads any more");
}

/* RFC 7208 3.4: all TXT records of the name travel together. */
static void check_answer_size(struct lint_spf_walk *walk, const struct lint_spf_row *row,
                              const struct dns_answer *answer)
{
    struct lint_place place = {&walk->run->report->findings, LINT_SPF, &row->target, nothing};
    size_t bytes = lint_question_bytes(&row->target);
    bool alone = false;
    for (uint32_t i = 0; i < answer->count; i++) {
        struct span text = answer->records[i].text;
        size_t record = lint_text_bytes(text);
        bytes += record;
        /* the record's own finding */
        alone |= spf_is_record(text) && lint_question_bytes(&row->target) + record > 512;
    }
    if (bytes <= 512 || alone)
        return;
    lint_instead(&place,
                 lint_find(&place, LINT_WARNING, "answer_over_512", nothing,
                           "the %u TXT records of this name take %zu octets together: over 512 "
                           "they need EDNS or TCP, which some firewalls stop (RFC 7208 3.4)",
                           (unsigned)answer->count, bytes),
                 "remove TXT records that nobody reads any more");
}

bool lint_spf_record_find(struct lint_spf_walk *walk, struct lint_spf_row *row, bool included,
                          struct spf_found *found)
{
    struct limit_hits hits = {.set = 0};
    const struct dns_answer *answer = NULL;
    if (row->target.labels >= 2) { /* SP-4: else nobody asks */
        answer = ask(walk, row, &row->target, DNS_TXT);
        if (!answer)
            return false;
    }
    if (!is_answer(answer)) {
        no_record(walk, row, answer);
        return false;
    }
    if (answer->cut) { /* F09, as the judge has it */
        too_many_texts(walk, row);
        return false;
    }
    spf_answer_read(answer, &hits, found);
    if (found->count == 0) {
        no_record(walk, row, answer);
        return false;
    }
    if (found->count > 1) {
        several(walk, row);
        return false;
    }
    check_answer_size(walk, row, answer);
    if (!found->reason)
        return true;
    struct lint_place place = {&walk->run->report->findings, LINT_SPF, &row->target,
                               found->record.text};
    row->state = "bad_record";
    row->record = found->record.text;
    lint_spf_record(&place, included);
    return false;
}

void lint_spf_explanation(struct lint_spf_walk *walk, const struct lint_spf_frame *frame)
{
    static const struct spf_macro_values none;
    struct span spec = frame->record.exp;
    struct dns_name name;
    struct lint_place place = lint_spf_place(walk);
    if (spec.n == 0 || span_find(spec, '%') < spec.n || !spf_macro_name(spec, &none, &name))
        return;
    const struct dns_answer *answer = lint_ask(walk->run, &name, DNS_TXT);
    if (!answer || (is_answer(answer) && answer->count == 1 &&
                    spf_macro_check(answer->records[0].text, SPF_MACRO_EXPLANATION)))
        return;
    lint_instead(&place,
                 lint_find(&place, LINT_WARNING, "exp_unusable", spec,
                           "there is not exactly one good text at this name: receivers give none"),
                 "one TXT record there, or no exp=");
}

/* --- mechanisms --- */

static void nothing_found(struct lint_spf_walk *walk, struct lint_spf_row *row, const char *missing)
{
    char text[DNS_NAME_TEXT_MAX];
    struct lint_place place = lint_spf_place(walk);
    row->state = "void";
    lint_instead(&place,
                 lint_find(&place, LINT_WARNING, "void_lookup", row->text,
                           "%s has no %s: a void lookup, of which %u are allowed",
                           dns_name_text(&row->target, text), missing,
                           (unsigned)walk->run->request->void_limit),
                 "leave it out, or a name that has one");
}

static void check_addresses(struct lint_spf_walk *walk, struct lint_spf_row *row)
{
    const struct dns_answer *a = ask(walk, row, &row->target, DNS_A);
    const struct dns_answer *aaaa = ask(walk, row, &row->target, DNS_AAAA);
    if (!a || !aaaa)
        return;
    lint_spf_count_void(walk, row, is_void(a), is_void(aaaa));
    if (is_void(a) && is_void(aaaa))
        nothing_found(walk, row, "address");
}

/* Hosts of an mx that have an address of the type, failures among them as the judge has it. */
static uint32_t hosts_found(struct lint_spf_walk *walk, struct lint_spf_row *row,
                            const struct dns_answer *hosts, enum dns_type type, bool *waiting)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < hosts->count; i++) {
        const struct dns_name *name = &hosts->records[i].name;
        if (name->labels == 0) /* null MX */
            continue;
        const struct dns_answer *answer = lint_ask(walk->run, name, type);
        *waiting |= !answer;
        found += answer && !is_void(answer);
        if (answer && answer->outcome == DNS_TEMPFAIL)
            failure(walk, row, name, answer);
    }
    return found;
}

static void check_mx(struct lint_spf_walk *walk, struct lint_spf_row *row)
{
    const struct dns_answer *hosts = ask(walk, row, &row->target, DNS_MX);
    struct lint_place place = lint_spf_place(walk);
    bool waiting = false;
    if (!hosts)
        return;
    if (is_void(hosts)) {
        lint_spf_count_void(walk, row, true, true);
        nothing_found(walk, row, "MX");
        return;
    }
    if (hosts->count > MAX_SPF_MX_NAMES || hosts->cut) {
        row->state = limit_word(LIMIT_SPF_MX_NAMES);
        lint_instead(&place,
                     lint_find(&place, LINT_ERROR, limit_word(LIMIT_SPF_MX_NAMES), row->text,
                               "over %d MX hosts: permerror (RFC 7208 4.6.4)", MAX_SPF_MX_NAMES),
                     "ip4: and ip6: of the hosts");
        return;
    }
    bool none4 = hosts_found(walk, row, hosts, DNS_A, &waiting) == 0;
    bool none6 = hosts_found(walk, row, hosts, DNS_AAAA, &waiting) == 0;
    if (waiting)
        return;
    lint_spf_count_void(walk, row, none4, none6);
    if (none4 && none6)
        nothing_found(walk, row, "MX host with an address");
}

static void check_exists(struct lint_spf_walk *walk, struct lint_spf_row *row)
{
    const struct dns_answer *answer = ask(walk, row, &row->target, DNS_A);
    if (!answer || !is_void(answer))
        return;
    lint_spf_count_void(walk, row, true, true);
    nothing_found(walk, row, "address");
}

void lint_spf_mechanism(struct lint_spf_walk *walk, struct lint_spf_row *row,
                        const struct spf_term *term)
{
    if (term->mechanism == SPF_A)
        check_addresses(walk, row);
    else if (term->mechanism == SPF_MX)
        check_mx(walk, row);
    else if (term->mechanism == SPF_EXISTS)
        check_exists(walk, row);
}
