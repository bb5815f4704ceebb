/*
 * assay explain --story: what was checked in this very message, told to somebody who hears of SPF,
 * DKIM, DMARC and ARC for the first time. Adds "story" to the document, made from the rest of it.
 *
 * A chapter is a heading and paragraphs. Each chapter stands for itself and has words for every
 * result and for every fact that may be missing. explain_story_end.c has what follows from it.
 */
#include <time.h>

#include "explain_story.h"

enum
{
    SIGNATURES_TOLD = 3,
};

void story_chapter(struct story *story, const char *heading)
{
    json_t *chapter = json_object();
    story->paragraphs = json_array();
    explain_set(story->e, chapter, "heading", json_string(heading));
    explain_set(story->e, chapter, "paragraphs", story->paragraphs);
    explain_append(story->e, story->chapters, chapter);
}

void story_tell(struct story *story, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    json_t *holder = json_object();
    explain_sentence(story->e, holder, "text", "%s", n < 0 ? "" : text);
    explain_append(story->e, story->paragraphs, json_incref(json_object_get(holder, "text")));
    json_decref(holder);
    story->e->failed = story->e->failed || n < 0;
    if (n >= 0)
        free(text);
}

const char *story_at(const struct story *story, const char *path)
{
    return explain_at(story->e->document, path);
}

bool story_is(const struct story *story, const char *path, const char *word)
{
    return strcmp(story_at(story, path), word) == 0;
}

bool story_guessed(const struct story *story, const char *path)
{
    return json_is_true(explain_member(explain_member(story->e->document, path), "guess"));
}

static const char *from_domain(const struct story *story)
{
    return story_at(story, "verdict.dmarc.from_domain");
}

/* --- how it came --- */

static void tell_time(struct story *story)
{
    char text[64];
    struct tm parts;
    time_t when = (time_t)json_integer_value(explain_member(story->e->document, "judged_at.value"));
    if (story_is(story, "judged_at.source", "clock") || !gmtime_r(&when, &parts) ||
        !strftime(text, sizeof text, "%e %B %Y at %H:%M UTC", &parts))
        return;
    story_tell(story, "The message was received on %s.", text + (text[0] == ' '));
}

static void tell_client(struct story *story)
{
    const char *ip = story_at(story, "verdict.client");
    const char *helo = story_at(story, "envelope.helo.value");
    if (!*ip) {
        story_tell(story, "Which server handed it over is not known: nobody said so, and the "
                          "message's own fields do not tell it in a way that could be believed. "
                          "That leaves one of the questions below open.");
        return;
    }
    story_tell(story, "%s %s handed it over%s%s%s.%s",
               story_guessed(story, "envelope.ip")
                   ? "As far as the receiving host has noted it in the message, the server"
                   : "The server",
               ip, *helo ? ", saying that its name is " : "", helo,
               *helo ? ", which it may choose as it likes" : " and did not say its name",
               " Its address is the one thing here that it cannot easily lie about.");
}

static void tell_names(struct story *story)
{
    const char *path = story_at(story, "envelope.mail_from.value");
    const char *from = story_at(story, "message.from");
    if (!*path)
        story_tell(story, "Mail has two senders, like a letter: one on the envelope and one on the "
                          "letter itself. What stood on the envelope is not known here.");
    else if (strcmp(path, "<>") == 0)
        story_tell(story, "Mail has two senders, like a letter: one on the envelope and one on the "
                          "letter itself. The envelope named nobody, as reports about "
                          "undeliverable mail do, so that nobody answers them.");
    else
        story_tell(story,
                   "Mail has two senders, like a letter: one on the envelope and one on the "
                   "letter itself. The envelope said %s; errors go back there, and readers "
                   "never see it.",
                   path);
    if (!*from)
        story_tell(story, "On the letter itself there is no sender at all: the From line is "
                          "missing.");
    else if (!*from_domain(story))
        story_tell(story,
                   "On the letter itself, the From line says: %s. That is not one address "
                   "which every program would read in the same way.",
                   from);
    else
        story_tell(story,
                   "On the letter itself, the From line says: %s. This is what a reader "
                   "sees, and anybody can write anything there. Whether it is really from "
                   "%s is what all the rest is about.",
                   from, from_domain(story));
}

/* --- SPF --- */

static void tell_spf_pass(struct story *story, const char *ip, const char *domain)
{
    const char *mechanism = story_at(story, "verdict.spf.mechanism");
    bool aligned = json_is_true(explain_member(story->e->document, "lights.spf.aligned"));
    story_tell(story,
               "%s publishes a list of the servers that may send its mail. %s is on it%s%s%s, "
               "so SPF passes.",
               domain, ip, *mechanism ? ", by the entry \"" : "", mechanism,
               *mechanism ? "\"" : "");
    if (aligned)
        story_tell(story, "%s belongs to the name in From, so this is a proof that counts.",
                   domain);
    else
        story_tell(story,
                   "But %s is not the name in From. This proves who runs the server, and "
                   "nothing about the name that the reader sees.",
                   domain);
}

static void tell_spf_fail(struct story *story, const char *ip, const char *domain)
{
    bool soft = story_is(story, "verdict.spf.result", "softfail");
    story_tell(story,
               "%s publishes a list of the servers that may send its mail. %s is not on it, "
               "and the list %s. SPF %s.",
               domain, ip,
               soft ? "ends by saying that others probably should not send (\"~all\")"
                    : "says that such a server must not send",
               soft ? "fails softly" : "fails");
    if (story_is(story, "lights.dkim.result", "pass"))
        story_tell(story, "That need not mean forgery: a forwarder hands mail on from its own "
                          "server, which is on nobody's list. The next question does not depend on "
                          "the server.");
}

static void tell_spf_rest(struct story *story, const char *domain)
{
    const char *sentence = explain_reason(story_at(story, "verdict.spf.reason"));
    if (story_is(story, "verdict.spf.result", "neutral"))
        story_tell(story,
                   "%s publishes a list of servers and says of this one neither yes nor no. "
                   "That proves nothing.",
                   domain);
    else if (story_is(story, "verdict.spf.result", "temperror"))
        story_tell(story,
                   "The list of %s could not be fetched just now. %s The question stays "
                   "open; the receiving server would ask again later.",
                   domain, sentence ? sentence : "The DNS did not answer.");
    else if (story_is(story, "verdict.spf.result", "permerror"))
        story_tell(story,
                   "%s publishes a list that cannot be used. %s As long as it is so, it "
                   "proves nothing for anybody.",
                   domain, sentence ? sentence : "It has an error.");
    else
        story_tell(story, "%s publishes no list of servers. Without one SPF has nothing to say.",
                   *domain ? domain : "The sender");
}

static void chapter_spf(struct story *story)
{
    const char *ip = story_at(story, "verdict.client");
    const char *domain = story_at(story, "verdict.spf.domain");
    story_chapter(story, "May this server send for the name on the envelope? (SPF)");
    if (!*ip)
        story_tell(story, "SPF compares the server's address with a list that the domain on the "
                          "envelope publishes. Without the address it cannot be asked.");
    else if (!*domain)
        story_tell(story, "SPF asks the domain on the envelope for the list of its servers. Here "
                          "the envelope names no domain that could be asked.");
    else if (story_is(story, "verdict.spf.result", "pass"))
        tell_spf_pass(story, ip, domain);
    else if (story_is(story, "verdict.spf.result", "fail") ||
             story_is(story, "verdict.spf.result", "softfail"))
        tell_spf_fail(story, ip, domain);
    else
        tell_spf_rest(story, domain);
}

/* --- DKIM --- */

static void tell_signature(struct story *story, const json_t *signature)
{
    const char *domain = explain_at(signature, "domain");
    const char *selector = explain_at(signature, "selector");
    const char *result = explain_at(signature, "result");
    bool aligned = json_is_true(explain_member(signature, "aligned"));
    if (strcmp(result, "pass") == 0)
        story_tell(story,
                   "%s has signed it. The key to check that is in the DNS, under %s; the "
                   "signature fits, so what it covers is exactly what %s has sent.%s",
                   domain, selector, domain,
                   aligned ? " The name fits that in From: a proof that counts."
                           : " But that is not the name in From, so it proves nothing about it.");
    else
        story_tell(story, "There is a signature of %s%s%s, and it does not count. %s",
                   *domain ? domain : "somebody without a readable name",
                   *selector ? ", with the key " : "", selector, explain_at(signature, "sentence"));
}

static void chapter_dkim(struct story *story)
{
    const json_t *list = explain_member(story->e->document, "signatures"), *one;
    const char *refused = story_at(story, "verdict.dkim_refused");
    size_t i, told = 0, left = 0;
    story_chapter(story, "Has somebody signed it, and is it still as it was signed? (DKIM)");
    json_array_foreach(list, i, one)
    {
        if (strcmp(explain_at(one, "kind"), "dkim") != 0)
            continue;
        if (told == SIGNATURES_TOLD) {
            left++;
            continue;
        }
        tell_signature(story, one);
        told++;
    }
    if (left)
        story_tell(story, "%zu more %s not told here.", left,
                   left == 1 ? "signature is" : "signatures are");
    if (told)
        return;
    if (*refused)
        story_tell(story,
                   "The signatures were not looked at: %s. A message built like this one is "
                   "too odd for its signatures to mean anything.",
                   refused);
    else
        story_tell(story, "Nobody has signed the message. Whatever happened to it on its way, "
                          "nothing here would show it.");
}

/* --- DMARC --- */

static const char *policy_meaning(const char *policy)
{
    if (strcmp(policy, "reject") == 0)
        return "refuse it (p=reject)";
    if (strcmp(policy, "quarantine") == 0)
        return "treat it with suspicion, in the spam folder for instance (p=quarantine)";
    return "do nothing special, only to report it (p=none)";
}

static void tell_policy(struct story *story)
{
    const char *policy = story_at(story, "verdict.dmarc.policy");
    const char *domain = story_at(story, "verdict.dmarc.policy_domain");
    const char *disposition = story_at(story, "verdict.dmarc.disposition");
    if (!*policy)
        return;
    story_tell(story, "%s has said beforehand what should happen then: %s.",
               *domain ? domain : from_domain(story), policy_meaning(policy));
    if (strcmp(policy, "reject") == 0 && strcmp(disposition, "quarantine") == 0)
        story_tell(story, "Many receivers do not refuse at once but put such mail into the spam "
                          "folder, since mailing lists break signatures of honest mail; the result "
                          "here is quarantine.");
}

static void tell_dmarc_pass(struct story *story)
{
    const char *by = story_at(story, "verdict.dmarc.aligned_by");
    story_tell(story,
               "Yes. %s for %s, the name in From. DMARC passes: the message really comes "
               "from there.",
               strcmp(by, "both") == 0   ? "SPF and DKIM both speak"
               : strcmp(by, "dkim") == 0 ? "The signature speaks"
                                         : "The list of servers speaks",
               from_domain(story));
    story_tell(story, "That says who sent it, not whether it is wanted: spammers have domains of "
                      "their own, and those pass as well.");
}

static void tell_dmarc_fail(struct story *story)
{
    bool something = story_is(story, "verdict.spf.result", "pass") ||
                     story_is(story, "lights.dkim.result", "pass");
    story_tell(story, "No. %s DMARC fails%s.",
               something
                   ? "Something was proven above, but for another name than the one in From."
                   : "Neither the list of servers nor a signature speaks for the name in From.",
               *story_at(story, "verdict.client")
                   ? ""
                   : ", as far as can be told without the sending server's address");
    tell_policy(story);
}

static void tell_dmarc_error(struct story *story)
{
    const char *reason = explain_reason(story_at(story, "verdict.dmarc.reason"));
    if (story_is(story, "verdict.dmarc.result", "temperror"))
        story_tell(story, "That could not be found out just now. %s Later it may look different.",
                   reason ? reason : "The DNS did not answer.");
    else
        story_tell(story,
                   "There is no way to tell. %s Receivers are right to distrust such a "
                   "message.",
                   reason ? reason : "From does not name one sender without doubt.");
}

static void chapter_dmarc(struct story *story)
{
    story_chapter(story, "Does any of that prove the name in From? (DMARC)");
    if (story_is(story, "verdict.dmarc.result", "pass"))
        tell_dmarc_pass(story);
    else if (story_is(story, "verdict.dmarc.result", "fail"))
        tell_dmarc_fail(story);
    else if (story_is(story, "verdict.dmarc.result", "none"))
        story_tell(
            story,
            "%s does not ask that its name be protected: it publishes no DMARC "
            "policy. %s",
            *from_domain(story) ? from_domain(story) : "The domain in From",
            json_is_true(explain_member(story->e->document, "verdict.dmarc.alignment.spf")) ||
                    json_is_true(explain_member(story->e->document, "verdict.dmarc.alignment.dkim"))
                ? "What was proven above does fit its name, though."
                : "And nothing above proves the name, so anybody may have written it.");
    else
        tell_dmarc_error(story);
}

/* --- ARC --- */

static void chapter_arc(struct story *story)
{
    const json_t *sealers = explain_member(story->e->document, "verdict.arc.sealers");
    size_t count = json_array_size(sealers);
    const char *last = explain_at(json_array_get(sealers, count ? count - 1 : 0), "domain");
    const char *reason = explain_reason(story_at(story, "verdict.arc.reason"));
    last = *last ? last : "a forwarder";
    story_chapter(story, "Has a forwarder vouched for it? (ARC)");
    if (story_is(story, "verdict.arc.result", "pass"))
        story_tell(story,
                   "Yes: %s. The newest seal is that of %s, and the message is as it was "
                   "then. What the seal says was true when it passed by, if one trusts %s; "
                   "a seal alone proves nothing.",
                   count > 1 ? "several have, one after the other" : "one has", last, last);
    else if (story_is(story, "verdict.arc.result", "fail"))
        story_tell(story,
                   "Somebody has, but the chain of seals does not hold. %s Nothing in it "
                   "may be believed.",
                   reason ? reason : "One of them does not fit.");
    else
        story_tell(story, "No. Forwarders and mailing lists can note what they found before they "
                          "changed a message, and seal the note; here nobody has, and a message "
                          "that comes straight from its sender needs none.");
}

void explain_story(struct explaining *e)
{
    struct story story = {.e = e};
    if (!e->options->story) {
        explain_set(e, e->document, "story", NULL);
        return;
    }
    story.chapters = json_array();
    story_chapter(&story, "A message arrives");
    tell_time(&story);
    tell_client(&story);
    tell_names(&story);
    chapter_spf(&story);
    chapter_dkim(&story);
    chapter_dmarc(&story);
    chapter_arc(&story);
    story_end(&story);
    explain_set(e, e->document, "story", story.chapters);
}
