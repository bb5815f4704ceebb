/*
 * assay explain --profile: the rules of a provider, one after the other, and the reply that the
 * first one asks for which is not met. Adds "profile" to the document.
 */
#include "explain_parts.h"
#include "base/chars.h"
#include "profile_look.h"

enum
{
    REPLY_COLUMNS = 76, /* of a reply's line, as large servers break it */
    STATUS_MAX = 16,    /* "550 5.7.26" */
};

/* What decides: the first required rule with a reply that is not met, for everybody and for bulk
 * senders. */
struct deciding
{
    const struct profile_rule *all, *bulk;
    bool all_retry, bulk_retry; /* the DNS did not tell: put off, not refused */
    unsigned lacking;           /* required, not met, without a reply */
    unsigned undecided;         /* required, with a reply, and unknown for want of facts */
};

/* --- replies --- */

static void append_value(struct buffer *out, const char *value)
{
    for (const char *p = *value ? value : "unknown"; *p; p++)
        buffer_append_byte(out, (uint8_t)*p < 0x20 || *p == 0x7f ? '?' : (uint8_t)*p);
}

static const char *macro_value(const struct explaining *e, const char *at, size_t *n)
{
    static const struct
    {
        const char *macro, *path;
    } macros[] = {{"{from_domain}", "verdict.dmarc.from_domain"},
                  {"{spf_domain}", "verdict.spf.domain"},
                  {"{mail_from}", "envelope.mail_from.value"},
                  {"{ip}", "verdict.client"}};
    for (size_t i = 0; i < COUNT_OF(macros); i++) {
        *n = strlen(macros[i].macro);
        if (strncmp(at, macros[i].macro, *n) == 0)
            return explain_at(e->document, macros[i].path);
    }
    *n = 1; /* the reader has refused others */
    return "{";
}

static void expand(const struct explaining *e, const char *text, struct buffer *out)
{
    while (*text) {
        size_t plain = strcspn(text, "{"), n = 0;
        buffer_append(out, span_of(text, plain));
        text += plain;
        if (*text)
            append_value(out, macro_value(e, text, &n));
        text += n;
    }
}

/* "550 5.7.26" in front of the text; without a status the code alone. */
static size_t status_length(struct span reply)
{
    size_t n = 4;
    while (n < reply.n && (char_is_digit(reply.p[n]) || reply.p[n] == '.'))
        n++;
    bool status = n > 4 && n < reply.n && reply.p[n] == ' ' && n < STATUS_MAX &&
                  memchr(reply.p + 4, '.', n - 4);
    return status ? n : 3;
}

/* As SMTP writes a reply of several lines (RFC 5321 4.2.1): "550-5.7.26 ...", the last "550 5.7.26
 * ...". */
static void fold_reply(struct span reply, struct buffer *out)
{
    size_t n = status_length(reply);
    struct span status = span_slice(reply, 0, n), text = span_trim_wsp(span_skip(reply, n));
    do {
        size_t room = REPLY_COLUMNS - n - 1, end = text.n;
        if (text.n > room) {
            end = span_find_last(span_slice(text, 0, room), ' ');
            end = end < room ? end : span_find(text, ' '); /* a long word stands alone */
        }
        buffer_append(out, span_slice(status, 0, 3));
        buffer_append_byte(out, end < text.n ? '-' : ' ');
        if (n > 3)
            buffer_append(out, span_skip(status, 4));
        if (n > 3)
            buffer_append_byte(out, ' ');
        buffer_append(out, span_slice(text, 0, end));
        text = span_trim_wsp(span_skip(text, end));
        if (text.n)
            buffer_append_byte(out, '\n');
    } while (text.n);
}

static json_t *reply_json(struct explaining *e, const char *reply)
{
    struct buffer whole, folded;
    if (!reply)
        return json_null();
    buffer_init(&whole, 8 * PROFILE_TEXT_MAX);
    buffer_init(&folded, 16 * PROFILE_TEXT_MAX);
    expand(e, reply, &whole);
    if (!whole.failed)
        fold_reply(buffer_span(&whole), &folded);
    bool failed = whole.failed || folded.failed;
    json_t *json = failed ? NULL : json_stringn((const char *)folded.p, folded.n);
    e->failed = e->failed || !json;
    buffer_fini(&whole);
    buffer_fini(&folded);
    return json;
}

/* --- one rule --- */

static const char *state_word(enum profile_state state)
{
    switch (state) {
    case PROFILE_MET:
        return "met";
    case PROFILE_NOT_MET:
        return "not_met";
    case PROFILE_NOT_APPLICABLE:
        return "not_applicable";
    case PROFILE_UNSET:
    case PROFILE_UNKNOWN:
        break;
    }
    return "unknown";
}

static bool is_required(const struct profile_rule *rule)
{
    return strcmp(rule->level, "required") == 0;
}

static void weigh(const struct profile_rule *rule, enum profile_state state, bool trouble,
                  struct deciding *deciding)
{
    bool bulk = strcmp(rule->who, "bulk") == 0;
    bool retry = state == PROFILE_UNKNOWN && trouble && rule->retry;
    bool refuses = (state == PROFILE_NOT_MET && rule->reply) || retry;
    if (!is_required(rule) || state == PROFILE_MET || state == PROFILE_NOT_APPLICABLE)
        return;
    if (refuses && !*(bulk ? &deciding->bulk : &deciding->all)) {
        *(bulk ? &deciding->bulk : &deciding->all) = rule;
        *(bulk ? &deciding->bulk_retry : &deciding->all_retry) = retry;
    }
    deciding->lacking += state == PROFILE_NOT_MET && !rule->reply;
    deciding->undecided += state == PROFILE_UNKNOWN && !retry && rule->reply;
}

static json_t *judge_rule(struct profile_judging *judging, const struct profile_rule *rule,
                          struct deciding *deciding)
{
    struct explaining *e = judging->e;
    json_t *object = json_object();
    judging->trouble = false;
    enum profile_state state = rule->check->look(judging, rule->argument);
    weigh(rule, state, judging->trouble, deciding);
    const char *reply = state == PROFILE_NOT_MET                       ? rule->reply
                        : state == PROFILE_UNKNOWN && judging->trouble ? rule->retry
                                                                       : NULL;
    explain_set(e, object, "rule", json_string(rule->name));
    explain_set(e, object, "who", json_string(rule->who));
    explain_set(e, object, "level", json_string(rule->level));
    explain_set(e, object, "state", json_string(state_word(state)));
    explain_set(e, object, "title", json_string(rule->title));
    explain_sentence(e, object, "sentence", "%s%s%s", judging->said, rule->note ? " " : "",
                     rule->note ? rule->note : "");
    explain_set(e, object, "reply", reply_json(e, reply));
    explain_set(e, object, "advice", explain_word(state == PROFILE_NOT_MET ? rule->advice : NULL));
    return object;
}

/* --- all of them --- */

static const char *outcome_word(const struct deciding *deciding, bool later)
{
    if (deciding->all)
        return later ? "deferred" : "refused";
    if (deciding->bulk)
        return later ? "deferred_if_bulk" : "refused_if_bulk";
    if (deciding->lacking)
        return "lacking";
    return deciding->undecided ? "undecided" : "nothing_against";
}

static void tell(struct explaining *e, json_t *object, const struct profile *profile,
                 const struct deciding *deciding, bool later)
{
    const struct profile_rule *rule = deciding->all ? deciding->all : deciding->bulk;
    const char *title = profile->title;
    size_t n = rule ? strlen(rule->title) : 0;
    int length = (int)(n && rule->title[n - 1] == '.' ? n - 1 : n);
    if (rule)
        explain_sentence(e, object, "sentence", "%s %s%s this message%s: the rule \"%.*s\" %s.",
                         title,
                         deciding->all ? "would " : "may take it from a small sender, but would ",
                         later ? "put off" : "refuse",
                         deciding->all ? "" : " if a bulk sender sent it", length, rule->title,
                         (deciding->all ? deciding->all_retry : deciding->bulk_retry)
                             ? "could not be checked, since the DNS gave no answer"
                             : "is not met");
    else if (deciding->lacking)
        explain_sentence(
            e, object, "sentence",
            "Nothing shows that %s would refuse this message, but it does not meet all "
            "that %s demands.",
            title, title);
    else if (deciding->undecided)
        explain_sentence(
            e, object, "sentence",
            "Nothing shows that %s would refuse this message, but not every rule could "
            "be checked: give --ip, --helo and --mail-from.",
            title);
    else
        explain_sentence(e, object, "sentence",
                         "The message meets every rule of %s that a message can show.", title);
}

/* The DNS questions that the rules asked, as verdict.dns has them. */
static json_t *questions(struct profile_judging *judging)
{
    json_t *list = json_array();
    char name[DNS_NAME_TEXT_MAX];
    for (const struct dns_question *q = judging->answers.first; q; q = q->next) {
        json_t *object = json_object();
        explain_set(judging->e, object, "name", json_string(dns_name_text(&q->name, name)));
        explain_set(judging->e, object, "type", json_string(dns_type_text(q->type)));
        explain_set(judging->e, object, "outcome",
                    json_string(dns_outcome_word(q->answer.outcome)));
        explain_set(judging->e, object, "records", json_integer(q->answer.count));
        explain_append(judging->e, list, object);
    }
    return list;
}

static void put_decision(struct explaining *e, json_t *object, const struct profile *profile,
                         const struct deciding *deciding)
{
    const struct profile_rule *rule = deciding->all ? deciding->all : deciding->bulk;
    bool retry = deciding->all ? deciding->all_retry : deciding->bulk_retry;
    const char *reply = !rule ? NULL : retry ? rule->retry : rule->reply;
    bool later = reply && reply[0] == '4';
    explain_set(e, object, "outcome", json_string(outcome_word(deciding, later)));
    tell(e, object, profile, deciding, later);
    explain_set(e, object, "rule", explain_word(rule ? rule->name : NULL));
    explain_set(e, object, "reply", reply_json(e, reply));
}

void explain_profile(struct explaining *e)
{
    const struct profile *profile = e->profile;
    if (!profile) {
        explain_set(e, e->document, "profile", NULL);
        return;
    }
    struct profile_judging judging = {.e = e};
    struct deciding deciding = {0};
    json_t *object = json_object(), *rules = json_array();
    dns_answers_init(&judging.answers, &e->arena, &judging.hits);
    for (size_t i = 0; i < profile->count; i++)
        explain_append(e, rules, judge_rule(&judging, &profile->rules[i], &deciding));
    explain_set(e, object, "name", explain_text_json(e, span_from_string(profile->name)));
    explain_set(e, object, "title", json_string(profile->title));
    explain_set(e, object, "as_of", explain_word(profile->as_of));
    explain_set(e, object, "source", explain_word(profile->source));
    explain_set(e, object, "bulk", explain_word(profile->bulk));
    put_decision(e, object, profile, &deciding);
    explain_set(e, object, "rules", rules);
    explain_set(e, object, "dns", questions(&judging));
    explain_set(e, e->document, "profile", object);
}
