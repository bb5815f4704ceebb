/*
 * The SPF judge: which identity is checked, and what the checks came to as a verdict (RFC 7208
 * sections 2.3, 2.4 and 4.3).
 *
 * The MAIL FROM identity is the verdict whenever there is a MAIL FROM, usable or not: a HELO that
 * passes says nothing about it (security.md A01, A02). HELO is the verdict for the null
 * reverse-path, and where no MAIL FROM was given.
 *
 * The HELO check beside MAIL FROM has its own counts and its own small budget of DNS questions
 * (MAX_SPF_HELO_QUESTIONS), so a HELO domain cannot use up what the verdict needs.
 *
 * BUGS: no local policy before or after the record (RFC 7208 Appendix D), no trusted forwarders.
 */
#include "spf/spf.h"

#include "spf/run.h"
#include "spf/shared.h"

struct identity
{
    enum spf_scope scope;
    struct span local;
    struct span domain_text;
    struct dns_name domain; /* where reason is NULL */
    const char *reason;     /* why there is nothing to check; static */
    bool besides;           /* HELO checked beside MAIL FROM: not the verdict */
};

/* A check's result, where the verdict has it, with what has to be copied once it is final. */
struct outcome
{
    struct spf_check *check;
    struct span way[MAX_SPF_DEPTH + 1];
    uint32_t way_count;
    uint8_t explanation[MAX_SPF_EXPLANATION_BYTES];
    uint32_t explanation_bytes;
    uint32_t questions;      /* asked */
    int64_t shared_until_ms; /* as spf_run's; 0 where nothing was asked */
    bool taken;              /* another message's result: there is nothing to copy */
};

/* What both checks work with. */
struct judging
{
    const struct spf_request *request;
    struct dns_answers *answers;
    struct arena *arena;
    struct limit_hits *hits;
    struct ip client; /* SP-5, E11: never IPv4-mapped */
};

/* SP-3, SP-4, E12: NULL, or why this is no domain to ask about; *name is then as it was, or
 * cleared. */
static const char *domain_read(struct span text, struct dns_name *name, struct limit_hits *hits)
{
    struct ip ip;
    if (text.n == 0)
        return "no_domain";
    if (text.n > MAX_PATH_BYTES) {
        limit_hit(hits, LIMIT_PATH_BYTES);
        return limit_word(LIMIT_PATH_BYTES);
    }
    if (text.p[0] == '[')
        return "address_literal";
    if (ip_parse_v4(text, &ip))
        return "address_as_domain";
    enum dns_name_error error = dns_name_from_domain(name, text);
    if (error)
        return dns_name_error_word(error);
    if (name->labels >= 2)
        return NULL;
    name->length = name->labels = 0;
    return "single_label_domain";
}

/* No name yet: its bytes mean nothing while length is 0. */
static void identity_begin(struct identity *id, enum spf_scope scope, const char *reason)
{
    id->scope = scope;
    id->reason = reason;
    id->local = (struct span){NULL, 0};
    id->domain_text = (struct span){NULL, 0};
    id->domain.length = id->domain.labels = 0;
    id->besides = false;
}

static void helo_identity(const struct spf_request *request, struct limit_hits *hits,
                          struct identity *id)
{
    identity_begin(id, SPF_SCOPE_HELO, NULL);
    id->domain_text = request->helo;
    id->reason = domain_read(request->helo, &id->domain, hits);
}

/* The identity whose result is the verdict. */
static void checked_identity(const struct spf_request *request, struct limit_hits *hits,
                             struct identity *id)
{
    static const struct mail_path absent = {.kind = MAIL_PATH_ABSENT};
    const struct mail_path *path = request->path ? request->path : &absent;
    if (path->kind == MAIL_PATH_NULL || path->kind == MAIL_PATH_ABSENT) { /* SP-2 */
        helo_identity(request, hits, id);
        return;
    }
    identity_begin(id, SPF_SCOPE_MFROM, "mail_from_malformed");
    if (path->kind == MAIL_PATH_MALFORMED) /* A02 */
        return;
    id->local = path->local;
    id->domain_text = path->domain;
    id->reason = domain_read(path->domain, &id->domain, hits);
}

static bool is_ascii(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 0x80)
            return false;
    return true;
}

static void outcome_take(struct outcome *outcome, const struct spf_run *run)
{
    struct spf_check *check = outcome->check;
    check->result = run->result;
    check->reason = run->reason;
    check->prefix = run->prefix;
    check->lookups = run->lookups;
    check->voids = run->voids;
    check->record = run->frames[0].record.text;
    check->uses_local_part = run->uses_local_part;
    for (uint32_t i = 0; i < run->way; i++)
        outcome->way[i] = run->frames[i].step;
    outcome->way_count = run->way;
    outcome->shared_until_ms = run->shared_until_ms;
    outcome->explanation_bytes = (uint32_t)sizeof run->explanation - run->explanation_begin;
    memcpy(outcome->explanation, run->explanation + run->explanation_begin,
           outcome->explanation_bytes);
}

static uint32_t question_budget(const struct identity *id)
{
    return id->besides ? MAX_SPF_HELO_QUESTIONS : UINT32_MAX;
}

/* Nobody is told the explanation of a HELO that is not the verdict. */
static bool wants_explanation(const struct judging *judging, const struct identity *id)
{
    return !id->besides && judging->request->want_explanation;
}

static struct spf_shared_id shared_id(const struct judging *judging, const struct identity *id)
{
    return (struct spf_shared_id){
        .domain = &id->domain,
        .client = &judging->client,
        .void_limit = judging->request->void_limit,
        .besides = id->besides,
    };
}

/* Another message's result (SP-36). */
static bool outcome_share(const struct judging *judging, const struct identity *id,
                          struct outcome *outcome)
{
    struct result_cache *results = judging->answers->results.spf;
    if (!results)
        return false;
    struct spf_shared_id shared = shared_id(judging, id);
    outcome->taken = spf_shared_take(results, &shared, wants_explanation(judging, id),
                                     judging->arena, outcome->check, &outcome->questions);
    return outcome->taken;
}

static enum judge identity_check(const struct judging *judging, const struct identity *id,
                                 struct outcome *outcome)
{
    struct spf_run run;
    if (outcome_share(judging, id, outcome))
        return JUDGE_DONE;
    spf_run_begin(&run, &id->domain);
    run.request = judging->request;
    run.answers = judging->answers;
    run.arena = judging->arena;
    run.hits = judging->hits;
    run.client = judging->client;
    run.local = id->local.n ? id->local : SPAN("postmaster");
    run.local_ascii = is_ascii(run.local);
    run.sender = &id->domain;
    run.questions_left = question_budget(id);
    run.want_explanation = wants_explanation(judging, id);
    run.prefix = -1;
    run.shared_until_ms = INT64_MAX;
    run.explanation_begin = MAX_SPF_EXPLANATION_BYTES;
    if (spf_check_host(&run) == JUDGE_WAITING)
        return JUDGE_WAITING;
    outcome_take(outcome, &run);
    outcome->questions = question_budget(id) - run.questions_left;
    return JUDGE_DONE;
}

/* All but the bytes of the name. */
static void check_clear(struct spf_check *check)
{
    memset(check, 0, offsetof(struct spf_check, domain));
    check->domain.length = check->domain.labels = 0;
}

void spf_judgement_init(struct spf_judgement *judgement)
{
    check_clear(&judgement->checked);
    check_clear(&judgement->helo);
    judgement->mail_from_malformed = false;
    judgement->spared = 0;
}

static void outcome_begin(struct outcome *outcome, const struct identity *id,
                          struct spf_check *check)
{
    check_clear(check);
    check->result = RESULT_NONE;
    check->reason = id->reason;
    check->scope = id->scope;
    check->domain_text = id->domain_text;
    check->prefix = -1;
    dns_name_copy(&check->domain, &id->domain);
    outcome->check = check;
    outcome->way_count = 0;
    outcome->explanation_bytes = 0;
    outcome->questions = 0;
    outcome->shared_until_ms = 0;
    outcome->taken = false;
}

/* The steps with a space between; false without memory. */
static bool path_join(const struct outcome *outcome, struct arena *arena, struct span *path)
{
    size_t n = 0;
    size_t room = 0;
    for (uint32_t i = 0; i < outcome->way_count; i++)
        room += outcome->way[i].n + 1;
    uint8_t *text = arena_alloc(arena, room);
    if (!text)
        return false;
    for (uint32_t i = 0; i < outcome->way_count; i++) {
        struct span step = outcome->way[i];
        if (step.n == 0) /* an error before the first term of that record */
            continue;
        if (n)
            text[n++] = ' ';
        memcpy(text + n, step.p, step.n);
        n += step.n;
    }
    *path = span_of(text, n);
    return true;
}

static void no_memory(struct spf_check *check)
{
    check->path = check->explanation = check->record = check->mechanism = (struct span){NULL, 0};
    check->result = RESULT_TEMPERROR;
    check->reason = "no_memory";
}

static void outcome_publish(const struct outcome *outcome, struct arena *arena)
{
    struct span explanation = span_of(outcome->explanation, outcome->explanation_bytes);
    struct spf_check *check = outcome->check;
    if (outcome->taken)
        return;
    if (outcome->way_count)
        check->mechanism = outcome->way[0];
    if (explanation.n)
        check->explanation = arena_copy(arena, explanation);
    if (path_join(outcome, arena, &check->path) && (!explanation.n || check->explanation.p))
        return;
    no_memory(check);
}

/* For other messages, where no limit was met in either check. */
static void outcome_keep(const struct judging *judging, const struct identity *id,
                         const struct outcome *outcome)
{
    struct result_cache *results = judging->answers->results.spf;
    if (!results || !outcome->shared_until_ms || limit_over(judging->hits))
        return;
    struct spf_shared_id shared = shared_id(judging, id);
    spf_shared_keep(results, &shared, wants_explanation(judging, id), outcome->check,
                    outcome->questions, outcome->shared_until_ms);
}

static uint32_t spared(const struct outcome *outcome)
{
    return outcome->taken ? outcome->questions : 0;
}

enum judge spf_judge(const struct spf_request *request, struct dns_answers *answers,
                     struct arena *arena, struct limit_hits *hits, struct spf_judgement *judgement)
{
    struct limit_hits counted;
    const struct judging judging = {request, answers, arena, &counted, ip_unmap(request->client)};
    struct outcome checked;
    struct outcome helo;
    struct identity id;
    struct identity helo_id;
    bool waiting = false;
    limit_hits_begin(&counted);
    checked_identity(request, &counted, &id);
    if (id.scope == SPF_SCOPE_HELO)
        identity_begin(&helo_id, SPF_SCOPE_NONE, "is_checked");
    else
        helo_identity(request, &counted, &helo_id);
    helo_id.besides = true;
    if (request->client.family == IP_NONE)
        id.reason = helo_id.reason = "no_client_address";
    outcome_begin(&checked, &id, &judgement->checked);
    outcome_begin(&helo, &helo_id, &judgement->helo);
    judgement->mail_from_malformed = false;
    judgement->spared = 0;

    if (!id.reason)
        waiting |= identity_check(&judging, &id, &checked) != JUDGE_DONE;
    if (!helo_id.reason)
        waiting |= identity_check(&judging, &helo_id, &helo) != JUDGE_DONE;
    if (waiting || helo_id.reason)
        check_clear(&judgement->helo);
    if (waiting) {
        check_clear(&judgement->checked);
        return JUDGE_WAITING;
    }
    outcome_publish(&checked, arena);
    outcome_keep(&judging, &id, &checked);
    if (!helo_id.reason) {
        outcome_publish(&helo, arena);
        outcome_keep(&judging, &helo_id, &helo);
    }
    judgement->mail_from_malformed = request->path && request->path->kind == MAIL_PATH_MALFORMED;
    judgement->spared = spared(&checked) + spared(&helo);
    limit_hits_add(hits, &counted);
    return JUDGE_DONE;
}

/* `mechanism` is a part of `record`. */
static void check_keep(struct spf_check *check, struct arena *arena)
{
    if (check->record.n == 0)
        return;
    struct span copy = arena_copy(arena, check->record);
    if (!copy.p) {
        no_memory(check);
        return;
    }
    size_t at = check->mechanism.n ? (size_t)(check->mechanism.p - check->record.p) : 0;
    assert(at + check->mechanism.n <= copy.n);
    check->mechanism = span_slice(copy, at, at + check->mechanism.n);
    check->record = copy;
}

void spf_judgement_keep(struct spf_judgement *judgement, struct arena *arena)
{
    check_keep(&judgement->checked, arena);
    check_keep(&judgement->helo, arena);
}

const char *spf_scope_word(enum spf_scope scope)
{
    switch (scope) {
    case SPF_SCOPE_MFROM:
        return "mfrom";
    case SPF_SCOPE_HELO:
        return "helo";
    case SPF_SCOPE_NONE:
        break;
    }
    return "none";
}
