/* What to do about it: one rule a function, most urgent first. */
#include <stdarg.h>

#include "explain_parts.h"

enum
{
    GOOD_RSA_BITS = 2048,
    ADVICE_MAX = 64,
};

struct advising
{
    struct explaining *e;
    json_t *lists[3]; /* by enum level */
};

enum level
{
    LEVEL_ERROR,
    LEVEL_WARNING,
    LEVEL_NOTE,
};

static bool is(const json_t *object, const char *path, const char *word)
{
    return strcmp(explain_at(object, path), word) == 0;
}

/* Once for each sentence. */
static bool is_told(const json_t *list, const char *sentence)
{
    const json_t *advice;
    size_t i;
    json_array_foreach(list, i, advice)
    {
        if (is(advice, "sentence", sentence))
            return true;
    }
    return false;
}

/* What a cause has led to already. */
static bool is_told_of_length(const struct advising *a)
{
    static const char *const words[] = {"length_wrong", "body_shorter_than_signed",
                                        "text_behind_length"};
    const json_t *advice;
    size_t i;
    for (size_t k = 0; k < COUNT_OF(words); k++)
        json_array_foreach(a->lists[LEVEL_WARNING], i, advice)
        {
            if (is(advice, "word", words[k]))
                return true;
        }
    return false;
}

static void advise(struct advising *a, enum level level, const char *word, const char *format, ...)
    PRINTF_LIKE(4, 5);

static void advise(struct advising *a, enum level level, const char *word, const char *format, ...)
{
    static const char *const levels[] = {"error", "warning", "note"};
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (json_array_size(a->lists[level]) == ADVICE_MAX || is_told(a->lists[level], text))
        return;
    json_t *object = json_object();
    explain_set(a->e, object, "word", json_string(word));
    explain_set(a->e, object, "level", json_string(levels[level]));
    explain_sentence(a->e, object, "sentence", "%s", text);
    explain_append(a->e, a->lists[level], object);
}

static bool proven_by_dkim(const json_t *document)
{
    return is(document, "lights.dkim.colour", "green");
}

static void advise_odd_message(struct advising *a, const json_t *document)
{
    static const char *const dangerous[] = {
        "multi_from",  "from_malformed", "from_several_domains", "hdr_bare_cr",
        "hdr_bare_lf", "hdr_nul",        "from_like_malformed"};
    const json_t *list = explain_member(document, "verdict.anomalies"), *word;
    size_t i;
    json_array_foreach(list, i, word)
    {
        for (size_t k = 0; k < COUNT_OF(dangerous); k++)
            if (strcmp(json_string_value(word), dangerous[k]) == 0)
                advise(a, LEVEL_ERROR, dangerous[k],
                       "The message is built as honest programs do not build it (%s): do not trust "
                       "the sender that your mail program shows.",
                       dangerous[k]);
    }
}

static void advise_forged(struct advising *a, const json_t *document)
{
    const json_t *list = explain_member(document, "authentication_results"), *field;
    size_t i;
    json_array_foreach(list, i, field)
    {
        if (json_is_true(explain_member(field, "forged")))
            advise(a, LEVEL_ERROR, "forged_results",
                   "An Authentication-Results field bears the name %s but came with the message: "
                   "that host should remove such fields from incoming mail (RFC 8601 5).",
                   explain_at(field, "authserv_id"));
    }
}

static void advise_causes(struct advising *a, const json_t *document, const json_t *signature)
{
    const json_t *causes = explain_member(signature, "diagnosis.causes"), *cause;
    size_t i;
    enum level level =
        proven_by_dkim(document) || is(signature, "kind", "arc") ? LEVEL_NOTE : LEVEL_WARNING;
    json_array_foreach(causes, i, cause)
    {
        advise(a, level, explain_at(cause, "cause"), "%s", explain_at(cause, "advice"));
    }
}

static void advise_key(struct advising *a, const json_t *signature)
{
    const char *reason = explain_at(signature, "reason");
    const char *domain = explain_at(signature, "domain");
    const char *selector = explain_at(signature, "selector");
    json_int_t bits = json_integer_value(explain_member(signature, "key_bits"));
    if (strcmp(reason, "no_key") == 0 || strcmp(reason, "revoked") == 0 ||
        strncmp(reason, "key_", 4) == 0 || strncmp(reason, "bad_key", 7) == 0)
        advise(
            a, LEVEL_ERROR, reason,
            "%s should publish the key %s._domainkey.%s and keep it there as long as mail may be "
            "on its way (assay testkey -d %s -s %s).",
            domain, selector, domain, domain, selector);
    if (strcmp(reason, "rsa_sha1") == 0)
        advise(a, LEVEL_ERROR, reason, "%s should sign with rsa-sha256.", domain);
    if (strcmp(reason, "expired") == 0)
        advise(a, LEVEL_WARNING, reason,
               "Give the time of receipt with --now if the message is an old one.");
    if (is(signature, "algorithm", "rsa-sha256") && bits > 0 && bits < GOOD_RSA_BITS)
        advise(a, LEVEL_NOTE, "short_key", "%s should use a key of 2048 bits; this one has %lld.",
               domain, bits);
}

static void advise_signatures(struct advising *a, const json_t *document)
{
    const json_t *list = explain_member(document, "signatures"), *signature;
    size_t i;
    json_array_foreach(list, i, signature)
    {
        advise_causes(a, document, signature);
        if (is(signature, "kind", "dkim"))
            advise_key(a, signature);
    }
}

static void advise_coverage(struct advising *a, const json_t *document)
{
    const json_t *list = explain_member(document, "verdict.dkim"), *signature;
    size_t i;
    json_array_foreach(list, i, signature)
    {
        const char *domain = explain_at(signature, "domain");
        if (json_is_integer(explain_member(signature, "length")) && !is_told_of_length(a))
            advise(a, LEVEL_WARNING, "length_tag",
                   "%s should sign without l=: anybody can append to such a message.", domain);
        if (json_is_true(explain_member(signature, "testing")))
            advise(
                a, LEVEL_WARNING, "testing_key",
                "%s should take t=y out of its key record: verifiers treat its mail as unsigned.",
                domain);
        if (is(signature, "result", "pass") &&
            json_array_size(explain_member(signature, "unsigned_fields")))
            advise(
                a, LEVEL_NOTE, "unsigned_fields",
                "The signature of %s does not cover %s, which anybody may have changed.", domain,
                json_string_value(json_array_get(explain_member(signature, "unsigned_fields"), 0)));
    }
}

static void advise_spf(struct advising *a, const json_t *document)
{
    const json_t *spf = explain_member(document, "verdict.spf");
    const char *domain = explain_at(spf, "domain"),
               *client = explain_at(document, "verdict.client");
    enum level level = proven_by_dkim(document) ? LEVEL_NOTE : LEVEL_WARNING;
    if (is(spf, "result", "permerror"))
        advise(a, level, "spf_error", "%s should repair its SPF record (assay lint %s).", domain,
               domain);
    else if (is(spf, "result", "none") && is(spf, "reason", "no_record"))
        advise(a, level, "no_spf", "%s should publish an SPF record.", domain);
    else if (is(spf, "result", "fail") || is(spf, "result", "softfail"))
        advise(
            a, level, "spf_fail",
            "If %s is a server of %s, its SPF record lacks it; if it forwards mail, only DKIM can "
            "prove the sender.",
            client, domain);
}

static void advise_dmarc(struct advising *a, const json_t *document)
{
    const json_t *dmarc = explain_member(document, "verdict.dmarc");
    const char *domain = explain_at(dmarc, "from_domain");
    bool any =
        is(document, "verdict.spf.result", "pass") || is(document, "lights.dkim.result", "pass");
    if (is(dmarc, "result", "fail") && any)
        advise(a, LEVEL_ERROR, "not_aligned",
               "What passes is for another domain than %s: the sender should sign with d=%s.",
               domain, domain);
    if (is(document, "lights.dkim.result", "none"))
        advise(a, LEVEL_WARNING, "no_dkim", "%s should sign its mail with DKIM.",
               *domain ? domain : "The sender");
    if (is(dmarc, "result", "none") && *domain)
        advise(a, LEVEL_NOTE, "no_dmarc", "%s should publish a DMARC record.", domain);
    if (is(dmarc, "result", "pass") && is(dmarc, "policy", "none"))
        advise(a, LEVEL_NOTE, "dmarc_policy_none",
               "%s publishes p=none: forged mail in its name is not acted on.", domain);
}

static void advise_way(struct advising *a, const json_t *document)
{
    const json_t *list = explain_member(document, "hops"), *hop, *anomaly;
    size_t i, k;
    json_array_foreach(list, i, hop)
    {
        json_array_foreach(explain_member(hop, "anomalies"), k, anomaly)
        {
            if (is(anomaly, "word", "negative_delay") || is(anomaly, "word", "future"))
                advise(a, LEVEL_NOTE, explain_at(anomaly, "word"), "Hop %lld: %s",
                       json_integer_value(explain_member(hop, "number")),
                       explain_at(anomaly, "sentence"));
        }
    }
    if (*explain_at(document, "envelope.sentence"))
        advise(a, LEVEL_NOTE, "guessed_envelope",
               "Give --ip, --helo and --mail-from if you know them: then SPF is no guess.");
}

void explain_advice(struct explaining *e)
{
    struct advising a = {e, {json_array(), json_array(), json_array()}};
    advise_odd_message(&a, e->document);
    advise_forged(&a, e->document);
    advise_signatures(&a, e->document);
    advise_coverage(&a, e->document);
    advise_spf(&a, e->document);
    advise_dmarc(&a, e->document);
    advise_way(&a, e->document);
    for (size_t i = 1; i < COUNT_OF(a.lists); i++) {
        if (json_array_extend(a.lists[0], a.lists[i]) != 0)
            e->failed = true;
        json_decref(a.lists[i]);
    }
    explain_set(e, e->document, "advice", a.lists[0]);
}
