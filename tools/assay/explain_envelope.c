/* The envelope: what the options say, and for the rest a guess from Return-Path and Received. */
#include <time.h>

#include "explain_parts.h"

enum
{
    CLOCK_SLACK = 300,
};

static json_t *item(struct explaining *e, json_t *value, const char *source, bool guess)
{
    json_t *object = json_object();
    explain_set(e, object, "value", value);
    explain_set(e, object, "source", explain_word(source));
    explain_set(e, object, "guess", json_boolean(guess));
    return object;
}

/* A NUL-terminated copy for the engine; what holds a NUL was no good guess. */
static const char *keep(struct explaining *e, struct span text)
{
    if (text.n == 0 || text.n > MAX_PATH_BYTES || memchr(text.p, 0, text.n))
        return NULL;
    return arena_string(&e->arena, text);
}

static const struct received *receiving(const struct explaining *e)
{
    return e->receiving < 0 ? NULL : &e->hops[e->receiving].received;
}

static json_t *choose(struct explaining *e, const char *given, const char *guess,
                      const char *source, const char **chosen)
{
    *chosen = given ? given : guess;
    bool guessed = !given && guess;
    return item(e, *chosen ? explain_text_json(e, span_from_string(*chosen)) : json_null(),
                given     ? "option"
                : guessed ? source
                          : NULL,
                guessed);
}

static const char *return_path(struct explaining *e)
{
    const struct mail_field *field = NULL, *at;
    for (at = mail_header_lowest(&e->reader.header, SPAN("Return-Path")); at;
         at = mail_header_above(&e->reader.header, at))
        field = at; /* the topmost: the last host's */
    struct span value = field ? taglist_trim(field->value) : (struct span){NULL, 0};
    return value.n >= 2 && value.p[0] == '<' ? keep(e, value) : NULL;
}

static const char *client_text(struct explaining *e)
{
    char text[IP_TEXT_MAX];
    const struct received *hop = receiving(e);
    return hop ? keep(e, span_from_string(ip_text(&hop->client, text))) : NULL;
}

static void tell(struct explaining *e, json_t *envelope, bool ip, bool helo, bool mail_from)
{
    const char *names[3];
    int count = 0;
    if (ip)
        names[count++] = "the client's address";
    if (helo)
        names[count++] = "its HELO name";
    if (mail_from)
        names[count++] = "the reverse-path";
    if (count == 0) {
        explain_set(e, envelope, "sentence", NULL);
        return;
    }
    explain_sentence(e, envelope, "sentence",
                     "Nobody said what the envelope was: %s%s%s%s%s %s a guess from %s%s%s, and so "
                     "is what SPF and DMARC make of it.",
                     names[0],
                     count == 3   ? ", "
                     : count == 2 ? " and "
                                  : "",
                     count > 1 ? names[1] : "", count == 3 ? " and " : "",
                     count == 3 ? names[2] : "", count > 1 ? "are" : "is",
                     ip || helo ? "the Received fields" : "",
                     (ip || helo) && mail_from ? " and " : "", mail_from ? "Return-Path" : "");
}

/* Signatures may have expired since: what counts is when the message came. */
static void choose_time(struct explaining *e)
{
    int64_t clock = time(NULL);
    const char *source = "clock";
    e->now = clock;
    if (e->options->now) {
        e->now = (int64_t)e->options->now;
        source = "option";
    } else if (e->hop_count && e->hops[0].received.has_time &&
               e->hops[0].received.time <= clock + CLOCK_SLACK) {
        e->now = e->hops[0].received.time;
        source = "received";
    }
    bool guess = source[0] == 'r';
    explain_set(e, e->document, "judged_at", item(e, json_integer(e->now), source, guess));
}

void explain_envelope(struct explaining *e, struct assay_envelope *envelope)
{
    const struct received *hop = receiving(e);
    json_t *object = json_object();
    choose_time(e);
    /* An address that was given says where the message came from; a name is not guessed to it
     * unless a field names this very address. */
    const char *ip = client_text(e), *helo = hop ? keep(e, hop->from) : NULL;
    const char *path = return_path(e);
    explain_set(e, object, "ip", choose(e, e->options->ip, ip, "received", &envelope->client_ip));
    explain_set(e, object, "helo", choose(e, e->options->helo, helo, "received", &envelope->helo));
    explain_set(e, object, "mail_from",
                choose(e, e->options->mail_from, path, "return_path", &envelope->mail_from));
    tell(e, object, !e->options->ip && ip, !e->options->helo && helo,
         !e->options->mail_from && path);
    envelope->rcpt_to = e->options->recipients.texts;
    envelope->rcpt_count = e->options->recipients.count;
    envelope->received_at = e->now;
    explain_set(e, e->document, "envelope", object);
}
