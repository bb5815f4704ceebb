/*
 * The table of checks, and those that go by the judges' results. What the judges could not find out
 * for want of the client's address or of the DNS is unknown here, never "not met".
 */
#include "profile_look.h"

#include <stdarg.h>

#include "base/number.h"

enum profile_state profile_say(struct profile_judging *judging, enum profile_state state,
                               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(judging->said, sizeof judging->said, format, args);
    va_end(args);
    return state;
}

enum profile_state profile_trouble(struct profile_judging *judging, const char *sentence)
{
    judging->trouble = true;
    return profile_say(judging, PROFILE_UNKNOWN, "%s", sentence);
}

static const char *at(const struct profile_judging *judging, const char *path)
{
    return explain_at(judging->e->document, path);
}

static bool is(const struct profile_judging *judging, const char *path, const char *word)
{
    return strcmp(at(judging, path), word) == 0;
}

static bool has_client(const struct profile_judging *judging)
{
    return *at(judging, "verdict.client") != '\0';
}

/* --- SPF --- */

static enum profile_state spf_pass(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    const char *sentence = at(judging, "lights.spf.sentence");
    if (is(judging, "verdict.spf.result", "pass"))
        return profile_say(judging, PROFILE_MET, "%s", sentence);
    if (!has_client(judging))
        return profile_say(judging, PROFILE_UNKNOWN, "%s", sentence);
    if (is(judging, "verdict.spf.result", "temperror"))
        return profile_trouble(judging, sentence);
    return profile_say(judging, PROFILE_NOT_MET, "%s", sentence);
}

static enum profile_state dkim_pass(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    const char *sentence = at(judging, "lights.dkim.sentence");
    if (is(judging, "lights.dkim.result", "pass"))
        return profile_say(judging, PROFILE_MET, "%s", sentence);
    if (is(judging, "lights.dkim.result", "temperror"))
        return profile_trouble(judging, sentence);
    return profile_say(judging, PROFILE_NOT_MET, "%s", sentence);
}

static enum profile_state spf_or_dkim(struct profile_judging *judging, const char *argument)
{
    enum profile_state dkim = dkim_pass(judging, argument);
    if (dkim == PROFILE_MET)
        return dkim;
    enum profile_state spf = spf_pass(judging, argument);
    if (spf == PROFILE_MET)
        return spf;
    bool unknown = dkim == PROFILE_UNKNOWN || spf == PROFILE_UNKNOWN;
    return profile_say(judging, unknown ? PROFILE_UNKNOWN : PROFILE_NOT_MET, "%s %s",
                       at(judging, "lights.spf.sentence"), at(judging, "lights.dkim.sentence"));
}

static enum profile_state spf_not_fail(struct profile_judging *judging, const char *argument)
{
    if (!has_client(judging))
        return spf_pass(judging, argument);
    if (!is(judging, "verdict.spf.result", "fail"))
        return profile_say(judging, PROFILE_MET, "It does not.");
    if (*argument && is(judging, "lights.dkim.result", "pass"))
        return profile_say(judging, PROFILE_MET, "It does, but DKIM passes.");
    return profile_say(judging, PROFILE_NOT_MET, "%s", at(judging, "lights.spf.sentence"));
}

static enum profile_state spf_record(struct profile_judging *judging, const char *argument)
{
    if (!has_client(judging))
        return spf_pass(judging, argument);
    if (is(judging, "verdict.spf.result", "permerror") ||
        is(judging, "verdict.spf.result", "temperror"))
        return spf_pass(judging, argument);
    if (!*at(judging, "verdict.spf.record"))
        return profile_say(judging, PROFILE_NOT_APPLICABLE, "There is no SPF record.");
    return profile_say(judging, PROFILE_MET, "It can.");
}

/* --- DKIM --- */

static enum profile_state dkim_key_bits(struct profile_judging *judging, const char *argument)
{
    const json_t *list = explain_member(judging->e->document, "verdict.dkim"), *one;
    uint64_t wanted = 0, best = 0;
    size_t i;
    bool small = false;
    if (!number_parse(span_from_string(argument), 6, &wanted))
        wanted = 0; /* the reader has looked */
    json_array_foreach(list, i, one)
    {
        json_int_t bits = json_integer_value(explain_member(one, "key_bits"));
        if (bits > 0 && strcmp(explain_at(one, "algorithm"), "ed25519-sha256") == 0)
            return profile_say(judging, PROFILE_MET, "It is an Ed25519 key.");
        small = small || strcmp(explain_at(one, "reason"), "key_too_small") == 0;
        best = bits > 0 && (uint64_t)bits > best ? (uint64_t)bits : best;
    }
    if (best >= wanted && best > 0)
        return profile_say(judging, PROFILE_MET, "It has %llu.", (unsigned long long)best);
    if (best > 0)
        return profile_say(judging, PROFILE_NOT_MET, "It has %llu.", (unsigned long long)best);
    if (small)
        return profile_say(judging, PROFILE_NOT_MET, "It is too small to be looked at.");
    return profile_say(judging, PROFILE_NOT_APPLICABLE, "No signature with a key was found.");
}

/* --- DMARC --- */

static enum profile_state dmarc_record(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    const char *domain = at(judging, "verdict.dmarc.policy_domain");
    if (*at(judging, "verdict.dmarc.published"))
        return profile_say(judging, PROFILE_MET, "%.255s publishes p=%s.", domain,
                           at(judging, "verdict.dmarc.published"));
    if (is(judging, "verdict.dmarc.result", "temperror"))
        return profile_trouble(judging, "The DNS did not tell.");
    if (!*at(judging, "verdict.dmarc.from_domain"))
        return profile_say(judging, PROFILE_UNKNOWN, "No domain can be read from From.");
    return profile_say(judging, PROFILE_NOT_MET, "%.255s publishes none.",
                       at(judging, "verdict.dmarc.from_domain"));
}

/* SPF was not asked, so DMARC may yet pass by it. */
static bool may_pass_yet(const struct profile_judging *judging)
{
    return !has_client(judging);
}

static enum profile_state aligned(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    const json_t *alignment = explain_member(judging->e->document, "verdict.dmarc.alignment");
    bool spf = json_is_true(explain_member(alignment, "spf"));
    bool dkim = json_is_true(explain_member(alignment, "dkim"));
    if (spf || dkim)
        return profile_say(judging, PROFILE_MET, "It is that of %s.",
                           spf && dkim ? "both"
                           : spf       ? "SPF"
                                       : "DKIM");
    if (is(judging, "verdict.dmarc.result", "temperror"))
        return profile_trouble(judging, "The DNS did not tell.");
    if (may_pass_yet(judging))
        return profile_say(judging, PROFILE_UNKNOWN,
                           "DKIM does not show it, and SPF was not "
                           "checked: the sending server is not known "
                           "(--ip).");
    return profile_say(judging, PROFILE_NOT_MET, "Nothing passes for %.255s.",
                       *at(judging, "verdict.dmarc.from_domain")
                           ? at(judging, "verdict.dmarc.from_domain")
                           : "the domain in From");
}

static enum profile_state dmarc_pass(struct profile_judging *judging, const char *argument)
{
    if (is(judging, "verdict.dmarc.result", "pass"))
        return profile_say(judging, PROFILE_MET, "%s", at(judging, "lights.dmarc.sentence"));
    enum profile_state state = aligned(judging, argument);
    if (state == PROFILE_MET) /* and yet no pass: no record, or the message forbids it */
        return profile_say(judging, PROFILE_NOT_MET, "%s", at(judging, "lights.dmarc.sentence"));
    return state;
}

static enum profile_state dmarc_policy(struct profile_judging *judging, const char *argument)
{
    const char *policy = at(judging, "verdict.dmarc.policy");
    bool against = strcmp(policy, argument) == 0 || strcmp(policy, "reject") == 0;
    if (is(judging, "verdict.dmarc.result", "temperror"))
        return profile_trouble(judging, "The DNS did not tell.");
    if (!is(judging, "verdict.dmarc.result", "fail") || !against)
        return profile_say(judging, PROFILE_MET, "%s",
                           is(judging, "verdict.dmarc.result", "pass") ? "DMARC passes."
                                                                       : "It does not.");
    if (may_pass_yet(judging))
        return profile_say(judging, PROFILE_UNKNOWN,
                           "It asks for that where DMARC fails; SPF, "
                           "which might yet prove the sender, was not "
                           "checked (--ip).");
    return profile_say(judging, PROFILE_NOT_MET, "%s", at(judging, "lights.dmarc.sentence"));
}

/* --- From --- */

static bool is_one_of(const char *domains, const char *domain)
{
    size_t n = strlen(domain);
    for (const char *p = domains; n && *p; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");
        if (length == n && strncasecmp(p, domain, n) == 0)
            return true;
        p += length;
    }
    return false;
}

static enum profile_state not_in_the_name_of(struct profile_judging *judging, const char *argument)
{
    const char *domain = at(judging, "verdict.dmarc.from_domain");
    if (!*domain)
        return profile_say(judging, PROFILE_UNKNOWN, "No domain can be read from From.");
    if (!is_one_of(argument, domain))
        return profile_say(judging, PROFILE_MET, "From is of %.255s.", domain);
    if (is(judging, "verdict.dmarc.result", "pass"))
        return profile_say(judging, PROFILE_MET, "From is of %.255s, and it is proven.", domain);
    if (may_pass_yet(judging))
        return profile_say(judging, PROFILE_UNKNOWN,
                           "From is of %.255s, and SPF was not checked "
                           "(--ip).",
                           domain);
    return profile_say(judging, PROFILE_NOT_MET, "From is of %.255s, and nothing proves it.",
                       domain);
}

static enum profile_state unknowable(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    return profile_say(judging, PROFILE_UNKNOWN, "A message does not tell.");
}

static const struct profile_check checks[] = {
    {"spf_or_dkim", ARGUMENT_NONE, NULL, spf_or_dkim},
    {"spf_pass", ARGUMENT_NONE, NULL, spf_pass},
    {"spf_not_fail", ARGUMENT_OPTIONAL, "unless_dkim", spf_not_fail},
    {"spf_record", ARGUMENT_NONE, NULL, spf_record},
    {"dkim_pass", ARGUMENT_NONE, NULL, dkim_pass},
    {"dkim_key_bits", ARGUMENT_NUMBER, NULL, dkim_key_bits},
    {"dmarc_record", ARGUMENT_NONE, NULL, dmarc_record},
    {"dmarc_pass", ARGUMENT_NONE, NULL, dmarc_pass},
    {"dmarc_policy", ARGUMENT_WORD, "reject|quarantine", dmarc_policy},
    {"aligned", ARGUMENT_NONE, NULL, aligned},
    {"reverse_dns", ARGUMENT_NONE, NULL, profile_reverse_dns},
    {"tls", ARGUMENT_NONE, NULL, profile_tls},
    {"from_field", ARGUMENT_NONE, NULL, profile_from_field},
    {"single_fields", ARGUMENT_NONE, NULL, profile_single_fields},
    {"message_format", ARGUMENT_NONE, NULL, profile_message_format},
    {"message_id", ARGUMENT_NONE, NULL, profile_message_id},
    {"domain_exists", ARGUMENT_NONE, NULL, profile_domain_exists},
    {"list_unsubscribe", ARGUMENT_NONE, NULL, profile_list_unsubscribe},
    {"one_click", ARGUMENT_NONE, NULL, profile_one_click},
    {"one_click_signed", ARGUMENT_NONE, NULL, profile_one_click_signed},
    {"arc_if_forwarded", ARGUMENT_NONE, NULL, profile_arc_if_forwarded},
    {"not_in_the_name_of", ARGUMENT_DOMAINS, NULL, not_in_the_name_of},
    {"unknowable", ARGUMENT_NONE, NULL, unknowable},
};

const struct profile_check *profile_check_find(struct span name)
{
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        if (span_equal(name, span_from_string(checks[i].name)))
            return &checks[i];
    return NULL;
}
