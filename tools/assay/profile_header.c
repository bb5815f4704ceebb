/* Checks of a profile that look at header fields. */
#include "profile_look.h"

static const struct mail_field *field(const struct profile_judging *judging, const char *name)
{
    return mail_header_lowest(&judging->e->reader.header, span_from_string(name));
}

static struct span value_of(const struct mail_field *at)
{
    return at ? taglist_trim(at->value) : (struct span){NULL, 0};
}

static bool has_anomaly(const struct profile_judging *judging, const char *word)
{
    const json_t *list = explain_member(judging->e->document, "verdict.anomalies"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (strcmp(json_string_value(one), word) == 0)
            return true;
    }
    return false;
}

struct oddity
{
    const char *word, *sentence;
};

static enum profile_state none_of(struct profile_judging *judging, const struct oddity *oddities,
                                  size_t count, const char *fine)
{
    for (size_t i = 0; i < count; i++)
        if (has_anomaly(judging, oddities[i].word))
            return profile_say(judging, PROFILE_NOT_MET, "%s", oddities[i].sentence);
    return profile_say(judging, PROFILE_MET, "%s", fine);
}

enum profile_state profile_from_field(struct profile_judging *judging, const char *argument)
{
    static const struct oddity oddities[] = {
        {"no_from", "There is no From field."},
        {"multi_from", "There are several From fields."},
        {"from_like_malformed", "A field looks like From and is written as no From field may be."},
        {"from_malformed", "The From field does not hold an address that can be read."},
        {"from_several_domains", "From has addresses of several domains."},
        {"from_several_addresses", "From has several addresses."},
    };
    (void)argument;
    if (!*explain_at(judging->e->document, "verdict.dmarc.from_domain") &&
        !has_anomaly(judging, "no_from") && !has_anomaly(judging, "multi_from"))
        return profile_say(judging, PROFILE_NOT_MET, "%s", oddities[3].sentence);
    return none_of(judging, oddities, COUNT_OF(oddities), "From has one address.");
}

enum profile_state profile_single_fields(struct profile_judging *judging, const char *argument)
{
    static const struct oddity oddities[] = {
        {"hdr_duplicate", "A field stands twice that may stand once."},
        {"multi_from", "There are several From fields."},
    };
    (void)argument;
    return none_of(judging, oddities, COUNT_OF(oddities), "None of them stands twice.");
}

enum profile_state profile_message_format(struct profile_judging *judging, const char *argument)
{
    static const struct oddity oddities[] = {
        {"hdr_nul", "The header has a NUL octet."},
        {"hdr_bare_lf", "The header has a line end without a CR."},
        {"hdr_bare_cr", "The header has a CR that ends no line."},
        {"hdr_malformed", "A line of the header is no field."},
        {"hdr_odd_name", "A field has a name with octets that no name may have."},
        {"space_before_colon", "A field's name has blanks behind it."},
        {"body_nul", "The body has a NUL octet."},
        {"body_bare_lf", "The body has a line end without a CR."},
        {"body_bare_cr", "The body has a CR that ends no line."},
        {"too_large", "The header is larger than anybody takes it."},
    };
    (void)argument;
    if (!field(judging, "Date"))
        return profile_say(judging, PROFILE_NOT_MET, "There is no Date field.");
    return none_of(judging, oddities, COUNT_OF(oddities),
                   "Lines and fields are as they should be.");
}

enum profile_state profile_message_id(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    struct span id = value_of(field(judging, "Message-ID"));
    if (id.n == 0)
        return profile_say(judging, PROFILE_NOT_MET, "There is no Message-ID.");
    bool form = id.n > 4 && id.p[0] == '<' && id.p[id.n - 1] == '>' && memchr(id.p, '@', id.n) &&
                !memchr(id.p, ' ', id.n);
    return form ? profile_say(judging, PROFILE_MET, "There is one.")
                : profile_say(judging, PROFILE_NOT_MET,
                              "The Message-ID does not have the form <unique@domain>.");
}

/* --- unsubscribing (RFC 2369 3.2, RFC 8058) --- */

/* List-Unsubscribe holds "<SCHEME:...>". */
static bool has_uri(const struct profile_judging *judging, const char *scheme)
{
    struct span value = value_of(field(judging, "List-Unsubscribe"));
    for (size_t at; (at = span_find(value, '<')) < value.n;) {
        value = taglist_trim(span_skip(value, at + 1));
        if (span_starts_fold(value, span_from_string(scheme)))
            return true;
    }
    return false;
}

static bool has_one_click(const struct profile_judging *judging)
{
    return span_equal_fold(value_of(field(judging, "List-Unsubscribe-Post")),
                           SPAN("List-Unsubscribe=One-Click"));
}

enum profile_state profile_list_unsubscribe(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    if (!field(judging, "List-Unsubscribe"))
        return profile_say(judging, PROFILE_NOT_MET, "There is no List-Unsubscribe field.");
    if (has_uri(judging, "https:") || has_uri(judging, "mailto:"))
        return profile_say(judging, PROFILE_MET, "List-Unsubscribe says how.");
    return profile_say(judging, PROFILE_NOT_MET,
                       "List-Unsubscribe has neither an https nor a mailto address in <>.");
}

enum profile_state profile_one_click(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    if (!field(judging, "List-Unsubscribe"))
        return profile_say(judging, PROFILE_NOT_MET, "There is no List-Unsubscribe field.");
    if (!has_uri(judging, "https:"))
        return profile_say(judging, PROFILE_NOT_MET,
                           "List-Unsubscribe has no https address in <>.");
    if (!field(judging, "List-Unsubscribe-Post"))
        return profile_say(judging, PROFILE_NOT_MET, "There is no List-Unsubscribe-Post field.");
    if (!has_one_click(judging))
        return profile_say(judging, PROFILE_NOT_MET,
                           "List-Unsubscribe-Post is not \"List-Unsubscribe=One-Click\".");
    return profile_say(judging, PROFILE_MET, "Both fields are there.");
}

static bool covers(const json_t *signature, const char *name)
{
    const json_t *list = explain_member(signature, "signed_fields"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (strcasecmp(json_string_value(one), name) == 0)
            return true;
    }
    return false;
}

enum profile_state profile_one_click_signed(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    const json_t *list = explain_member(judging->e->document, "verdict.dkim"), *one;
    size_t i;
    bool passes = false;
    if (!field(judging, "List-Unsubscribe") || !field(judging, "List-Unsubscribe-Post"))
        return profile_say(judging, PROFILE_NOT_APPLICABLE, "The fields are not both there.");
    json_array_foreach(list, i, one)
    {
        if (strcmp(explain_at(one, "result"), "pass") != 0)
            continue;
        passes = true;
        if (covers(one, "list-unsubscribe") && covers(one, "list-unsubscribe-post"))
            return profile_say(judging, PROFILE_MET, "The signature of %.255s covers them.",
                               explain_at(one, "domain"));
    }
    return profile_say(judging, PROFILE_NOT_MET, "%s",
                       passes ? "No signature that passes covers both." : "No signature passes.");
}

/* --- the way --- */

static bool looks_forwarded(const struct profile_judging *judging)
{
    static const char *const names[] = {"List-Id",     "List-Post",       "Resent-From",
                                        "Resent-Date", "X-Forwarded-For", "X-Forwarded-To",
                                        "X-BeenThere"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (field(judging, names[i]))
            return true;
    return false;
}

enum profile_state profile_arc_if_forwarded(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    const json_t *document = judging->e->document;
    const char *result = explain_at(document, "verdict.arc.result");
    if (strcmp(result, "pass") == 0)
        return profile_say(judging, PROFILE_MET, "%s", explain_at(document, "lights.arc.sentence"));
    if (json_is_true(explain_member(document, "verdict.arc.temporary")))
        return profile_trouble(judging, "A seal's key could not be fetched.");
    if (strcmp(result, "none") != 0)
        return profile_say(judging, PROFILE_NOT_MET, "%s",
                           explain_at(document, "lights.arc.sentence"));
    if (!looks_forwarded(judging))
        return profile_say(judging, PROFILE_NOT_APPLICABLE,
                           "Nothing says that the message was forwarded.");
    return profile_say(judging, PROFILE_NOT_MET, "It was forwarded, and nobody has sealed it.");
}

enum profile_state profile_tls(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    const json_t *hops = explain_member(judging->e->document, "hops"), *hop;
    size_t i;
    json_array_foreach(hops, i, hop)
    {
        const json_t *tls = explain_member(hop, "tls");
        if (!json_is_true(explain_member(hop, "receiving")) || !json_is_boolean(tls))
            continue;
        return json_is_true(tls)
                   ? profile_say(judging, PROFILE_MET, "The receiving host says so.")
                   : profile_say(judging, PROFILE_NOT_MET,
                                 "The receiving host says that it came in clear text.");
    }
    return profile_say(judging, PROFILE_UNKNOWN,
                       "No Received field of the receiving host says whether it did.");
}
