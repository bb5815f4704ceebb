/*
 * The end of the story: what went wrong, what to do and who has to do it. The advice is the
 * document's own; here stands who it is for.
 */
#include "diagnose/cause.h"
#include "explain_story.h"

enum
{
    ADVICE_TOLD = 8,
};

enum who
{
    WHO_SENDER,    /* who writes and signs the mail of the domain */
    WHO_DNS,       /* who keeps the domain's DNS records */
    WHO_FORWARDER, /* a list, a gateway, a forwarder on the way */
    WHO_RECEIVER,  /* who runs the receiving server */
    WHO_READER,    /* you */
    WHO_COUNT,
};

static const struct
{
    const char *word;
    enum who who;
} people[] = {
    {"forged_results", WHO_RECEIVER},
    {"guessed_envelope", WHO_READER},
    {"multi_from", WHO_READER},
    {"from_malformed", WHO_READER},
    {"from_several_domains", WHO_READER},
    {"from_like_malformed", WHO_READER},
    {"hdr_bare_cr", WHO_READER},
    {"hdr_bare_lf", WHO_READER},
    {"hdr_nul", WHO_READER},
    {"expired", WHO_READER},
    {"negative_delay", WHO_RECEIVER},
    {"future", WHO_RECEIVER},
    {"no_spf", WHO_DNS},
    {"spf_error", WHO_DNS},
    {"spf_fail", WHO_DNS},
    {"no_dmarc", WHO_DNS},
    {"dmarc_policy_none", WHO_DNS},
    {"testing_key", WHO_DNS},
    {"no_key", WHO_DNS},
    {"revoked", WHO_DNS},
    {"short_key", WHO_DNS},
    {"wrong_key", WHO_DNS},
    {"signature_length", WHO_DNS},
    {"signature_wrong", WHO_DNS},
    {"body_canonicalization", WHO_SENDER},
    {"header_canonicalization", WHO_SENDER},
    {"length_wrong", WHO_SENDER},
    {"text_behind_length", WHO_SENDER},
    {"transfer_encoding", WHO_SENDER},
    {"transfer_encoding_field", WHO_SENDER},
    {"trailing_blanks", WHO_SENDER},
    {"blank_lines", WHO_SENDER},
    {"bare_line_ends", WHO_SENDER},
    {"long_lines_broken", WHO_SENDER},
    {"header_refolded", WHO_SENDER},
    {"header_blanks", WHO_SENDER},
    {"field_name_case", WHO_SENDER},
    {"header_order", WHO_SENDER},
    {"other_key", WHO_SENDER},
    {"other_digest", WHO_SENDER},
    {"from_lines_quoted", WHO_READER},
    {"body_missing", WHO_READER},
    {"body_changed", WHO_READER},
    {"header_changed", WHO_READER},
};

static enum who who_is(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(people); i++)
        if (strcmp(word, people[i].word) == 0)
            return people[i].who;
    if (strncmp(word, "key_", 4) == 0 || strncmp(word, "bad_key", 7) == 0)
        return WHO_DNS;
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        if (strcmp(word, diagnose_cause((enum diagnose_cause)cause)->word) == 0)
            return WHO_FORWARDER;
    return WHO_SENDER;
}

static const char *who_text(enum who who)
{
    static const char *const texts[WHO_COUNT] = {
        [WHO_SENDER] = "For whoever runs the sending program",
        [WHO_DNS] = "For whoever keeps the domain's DNS records",
        [WHO_FORWARDER] = "For the list, gateway or forwarder on the way",
        [WHO_RECEIVER] = "For whoever runs the receiving server",
        [WHO_READER] = "For you",
    };
    return texts[who];
}

/* --- what went wrong --- */

static void tell_causes(struct story *story, const json_t *signature)
{
    const json_t *list = explain_member(signature, "diagnosis.causes"), *cause;
    const char *domain = explain_at(signature, "domain");
    size_t i;
    bool arc = strcmp(explain_at(signature, "kind"), "arc") == 0;
    json_array_foreach(list, i, cause)
    {
        story_tell(story, "Why the %s of %s does not hold: %s%s", arc ? "seal" : "signature",
                   *domain ? domain : "an unknown domain", explain_at(cause, "sentence"),
                   json_is_true(explain_member(cause, "proven"))
                       ? " This is certain: with that change undone, it fits."
                       : "");
    }
}

static bool is_well(const struct story *story)
{
    return story_is(story, "verdict.dmarc.result", "pass");
}

static void tell_trouble(struct story *story)
{
    const json_t *list = explain_member(story->e->document, "signatures"), *one;
    size_t i;
    story_tell(story, "%s", story_at(story, "summary"));
    json_array_foreach(list, i, one) tell_causes(story, one);
    if (is_well(story) && json_array_size(explain_member(story->e->document, "advice")) == 0)
        story_tell(story, "Nothing went wrong, and nothing needs to be done.");
}

/* --- what to do --- */

static void tell_advice_for(struct story *story, enum who who, size_t *told)
{
    const json_t *list = explain_member(story->e->document, "advice"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (who_is(explain_at(one, "word")) != who || *told == ADVICE_TOLD)
            continue;
        story_tell(story, "%s: %s", who_text(who), explain_at(one, "sentence"));
        ++*told;
    }
}

static void chapter_advice(struct story *story)
{
    size_t told = 0, all = json_array_size(explain_member(story->e->document, "advice"));
    if (all == 0)
        return;
    story_chapter(story, "What to do, and who has to do it");
    for (int who = 0; who < WHO_COUNT; who++)
        tell_advice_for(story, (enum who)who, &told);
    if (told < all)
        story_tell(story, "%zu more %s in the full explanation, without --story.", all - told,
                   all - told == 1 ? "advice is" : "pieces of advice are");
}

static void tell_reply(struct story *story, const char *reply)
{
    if (*reply)
        story_tell(story, "The sender would read in the bounce:");
    while (*reply) {
        size_t n = strcspn(reply, "\n");
        story_tell(story, "%.*s", (int)n, reply);
        reply += n + (reply[n] == '\n');
    }
}

static void chapter_provider(struct story *story)
{
    const json_t *profile = explain_member(story->e->document, "profile"), *rule;
    char heading[160];
    size_t i;
    if (!json_is_object(profile))
        return;
    snprintf(heading, sizeof heading, "What %.120s would say", explain_at(profile, "title"));
    story_chapter(story, heading);
    story_tell(story, "%s", explain_at(profile, "sentence"));
    json_array_foreach(explain_member(profile, "rules"), i, rule)
    {
        if (strcmp(explain_at(rule, "state"), "not_met") == 0)
            story_tell(story, "Not met: %s %s", explain_at(rule, "title"),
                       explain_at(rule, "advice"));
    }
    tell_reply(story, explain_at(profile, "reply"));
}

void story_end(struct story *story)
{
    story_chapter(story, is_well(story) ? "How it ends" : "What went wrong");
    tell_trouble(story);
    chapter_advice(story);
    chapter_provider(story);
}
