/* The four lights, and in one sentence what they come to. */
#include "explain_parts.h"

static void light(struct explaining *e, json_t *lights, const char *name, const char *colour,
                  const json_t *facts, const char *domain, json_t *aligned, json_t *object)
{
    explain_set(e, object, "colour", json_string(colour));
    explain_set(e, object, "result", json_string(explain_at(facts, "result")));
    explain_set(e, object, "domain", *domain ? json_string(domain) : json_null());
    explain_set(e, object, "aligned", aligned);
    const char *reason = explain_at(facts, "reason");
    explain_set(e, object, "reason", *reason ? json_string(reason) : json_null());
    explain_set(e, lights, name, object);
}

static bool is(const json_t *facts, const char *result)
{
    return strcmp(explain_at(facts, "result"), result) == 0;
}

/* " because ..." */
static const char *because(const json_t *facts)
{
    const char *word = explain_at(facts, "reason");
    const char *sentence = explain_reason(word);
    return sentence ? sentence : word;
}

/* --- SPF --- */

static const char *spf_colour(const json_t *spf, bool aligned)
{
    if (is(spf, "pass"))
        return aligned ? "green" : "yellow";
    if (is(spf, "none"))
        return "grey";
    return is(spf, "fail") || is(spf, "permerror") ? "red" : "yellow";
}

static void spf_sentence(struct explaining *e, const json_t *spf, bool aligned, json_t *object)
{
    const char *domain = explain_at(spf, "domain");
    const char *client = explain_at(e->document, "verdict.client");
    if (!*client)
        explain_sentence(e, object, "sentence",
                         "Not checked: the address of the sending server is not known (--ip).");
    else if (is(spf, "pass"))
        explain_sentence(e, object, "sentence", "%s may send for %s (%s)%s.", client, domain,
                         explain_at(spf, "mechanism"),
                         aligned ? "" : ", which is not the domain in From");
    else if (is(spf, "fail"))
        explain_sentence(e, object, "sentence", "%s does not allow %s to send for it.", domain,
                         client);
    else if (is(spf, "softfail"))
        explain_sentence(e, object, "sentence",
                         "%s says that %s should probably not send for it (~all).", domain, client);
    else if (is(spf, "neutral"))
        explain_sentence(e, object, "sentence",
                         "%s does not want to say whether %s may send for it.", domain, client);
    else
        explain_sentence(e, object, "sentence", "%s%s%s", *domain ? domain : "",
                         *domain ? ": " : "", because(spf));
}

static void spf_light(struct explaining *e, json_t *lights)
{
    const json_t *spf = explain_member(e->document, "verdict.spf");
    bool aligned = json_is_true(explain_member(e->document, "verdict.dmarc.alignment.spf"));
    json_t *object = json_object();
    spf_sentence(e, spf, aligned, object);
    light(e, lights, "spf", spf_colour(spf, aligned), spf, explain_at(spf, "domain"),
          is(spf, "pass") ? json_boolean(aligned) : json_null(), object);
}

/* --- DKIM --- */

static int dkim_worth(const json_t *signature)
{
    static const char *const order[] = {"none", "neutral", "permerror",
                                        "fail", "policy",  "temperror"};
    if (is(signature, "pass"))
        return json_is_true(explain_member(signature, "aligned")) ? 11 : 10;
    for (size_t i = 0; i < COUNT_OF(order); i++)
        if (is(signature, order[i]))
            return (int)i;
    return 0;
}

/* The signature that speaks for the message: an aligned pass, any pass, then the nearest to it. */
static const json_t *best_signature(const json_t *verdict)
{
    const json_t *list = explain_member(verdict, "dkim"), *signature, *best = NULL;
    size_t i;
    json_array_foreach(list, i, signature)
    {
        if (!best || dkim_worth(signature) > dkim_worth(best))
            best = signature;
    }
    return best;
}

static void dkim_light(struct explaining *e, json_t *lights)
{
    const json_t *verdict = explain_member(e->document, "verdict");
    const json_t *best = best_signature(verdict);
    json_t *object = json_object(), *none = NULL;
    const char *domain = explain_at(best, "domain");
    bool pass = best && is(best, "pass");
    bool aligned = json_is_true(explain_member(best, "aligned"));
    const char *colour = "red";
    if (!best) {
        const char *refused = explain_at(verdict, "dkim_refused");
        none = json_pack("{s:s}", "result", *refused ? "permerror" : "none");
        best = none;
        colour = *refused ? "red" : "grey";
        explain_sentence(e, object, "sentence", "%s%s",
                         *refused ? "No signature was looked at: " : "The message is not signed.",
                         refused);
    } else if (pass) {
        bool testing = json_is_true(explain_member(best, "testing"));
        colour = aligned ? "green" : "yellow";
        explain_sentence(e, object, "sentence", "Signed by %s, and unchanged since%s%s.", domain,
                         aligned ? "" : "; that is not the domain in From",
                         testing ? "; the key is marked as a test (t=y), so it does not count"
                                 : "");
    } else {
        colour = is(best, "temperror") || is(best, "policy") ? "yellow" : "red";
        explain_sentence(e, object, "sentence", "The signature of %s does not hold. %s",
                         *domain ? domain : "an unknown domain", because(best));
    }
    light(e, lights, "dkim", colour, best, domain, pass ? json_boolean(aligned) : json_null(),
          object);
    json_decref(none);
}

/* --- DMARC --- */

static void dmarc_light(struct explaining *e, json_t *lights)
{
    const json_t *dmarc = explain_member(e->document, "verdict.dmarc");
    json_t *object = json_object();
    const char *domain = explain_at(dmarc, "from_domain"), *by = explain_at(dmarc, "aligned_by");
    const char *policy = explain_at(dmarc, "policy");
    const char *colour = "grey";
    bool pass = is(dmarc, "pass"), judged = pass || is(dmarc, "fail");
    if (pass) {
        colour = "green";
        explain_sentence(e, object, "sentence", "The message is from %s, proven by %s.", domain,
                         strcmp(by, "both") == 0   ? "SPF and DKIM"
                         : strcmp(by, "dkim") == 0 ? "DKIM"
                                                   : "SPF");
    } else if (is(dmarc, "fail")) {
        colour = "red";
        explain_sentence(e, object, "sentence",
                         "Nothing proves that the message is from %s, whose policy for that is %s.",
                         domain, *policy ? policy : "none");
    } else if (is(dmarc, "none")) {
        explain_sentence(e, object, "sentence", "%s publishes no DMARC policy.",
                         *domain ? domain : "The domain in From");
    } else {
        colour = is(dmarc, "temperror") ? "yellow" : "red";
        explain_sentence(e, object, "sentence", "DMARC could not be judged. %s", because(dmarc));
    }
    light(e, lights, "dmarc", colour, dmarc, domain, judged ? json_boolean(pass) : json_null(),
          object);
}

/* --- ARC --- */

static void arc_light(struct explaining *e, json_t *lights)
{
    const json_t *arc = explain_member(e->document, "verdict.arc");
    const json_t *sealers = explain_member(arc, "sealers");
    size_t count = json_array_size(sealers);
    const char *domain = explain_at(json_array_get(sealers, count ? count - 1 : 0), "domain");
    json_t *object = json_object();
    const char *colour = "grey";
    if (is(arc, "pass")) {
        colour = "green";
        explain_sentence(e, object, "sentence",
                         "%s has sealed what it saw%s, and the message is unchanged since.", domain,
                         count > 1 ? ", as forwarders before it have" : "");
    } else if (is(arc, "fail")) {
        colour = "red";
        explain_sentence(e, object, "sentence", "The chain of seals is broken. %s", because(arc));
    } else {
        domain = "";
        explain_sentence(e, object, "sentence", "No forwarder has sealed the message.");
    }
    light(e, lights, "arc", colour, arc, domain, json_null(), object);
}

static void summarize(struct explaining *e)
{
    const json_t *dmarc = explain_member(e->document, "verdict.dmarc");
    const char *disposition = explain_at(dmarc, "disposition");
    const char *sentence = explain_at(e->document, "lights.dmarc.sentence");
    const char *guess = explain_at(e->document, "envelope.sentence");
    bool acts = *disposition && strcmp(disposition, "none") != 0;
    explain_sentence(e, e->document, "summary", "%s%s%s%s%s", sentence,
                     acts ? " A receiver that follows the policy will " : "",
                     !acts                                ? ""
                     : strcmp(disposition, "reject") == 0 ? "reject it."
                                                          : "treat it as suspicious (quarantine).",
                     *guess ? " " : "", *guess ? "The envelope is a guess." : "");
}

void explain_lights(struct explaining *e)
{
    json_t *lights = json_object();
    spf_light(e, lights);
    dkim_light(e, lights);
    dmarc_light(e, lights);
    arc_light(e, lights);
    explain_set(e, e->document, "lights", lights);
    summarize(e);
}
