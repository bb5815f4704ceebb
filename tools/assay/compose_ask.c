/*
 * The dialogue of `assay record`: one question for each option that people need, with the reason
 * for it and a default. An answer goes the way of the option's value, and is asked for again where
 * that refuses it. Questions are on stderr, so that standard output is the record alone; ctrl-D
 * and ctrl-C leave with nothing on it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "compose.h"

struct question
{
    unsigned kinds;
    const char *option;
    const char *ask;
    const char *why;
    const char *preset; /* for an empty answer; "": the option is left out; NULL: one is needed */
    bool (*wanted)(const struct compose *c); /* NULL: always */
    bool unsaid; /* the preset is what receivers take where the tag is absent: left out */
};

static bool enforces(const struct compose *c)
{
    return c->p && strcmp(c->p, "none") != 0;
}

static bool has_ruf(const struct compose *c)
{
    return c->ruf.count > 0;
}

static bool has_no_redirect(const struct compose *c)
{
    return !c->redirect;
}

/* clang-format off */
static const struct question questions[] = {
    {COMPOSE_DKIM | COMPOSE_SPF | COMPOSE_DMARC, "domain", "Which domain is the record for?",
     "What stands behind the @ of its mail, e.g. example.org.", NULL, NULL, false},
    {COMPOSE_REPORT, "domain", "Which domain are the reports about?",
     "The domain whose DMARC record names your address.", NULL, NULL, false},

    {COMPOSE_DMARC, "p", "What shall receivers do with mail that fails? none, quarantine or reject",
     "Begin with none and read the reports: they show who sends in your name.", "none", NULL, false},
    {COMPOSE_DMARC, "t", "Only test that? y or n",
     "With y receivers apply one level less, and report all the same.", "n", enforces, true},
    {COMPOSE_DMARC, "sp", "And for subdomains? none, quarantine, reject, or nothing: the same",
     "Something else where a subdomain is not ready yet.", "", NULL, false},
    {COMPOSE_DMARC, "np", "For subdomains that do not exist? none, quarantine, reject, or nothing",
     "Nobody sends from those but forgers; reject hurts no mail of yours.", "", NULL, false},
    {COMPOSE_DMARC, "rua", "Where shall aggregate reports go? Mail addresses, or nothing",
     "Once a day, from each large receiver: what passed, what failed, from where.", "", NULL, false},
    {COMPOSE_DMARC, "ruf", "Where shall failure reports go? Mail addresses, or nothing",
     "One for a message that failed; few receivers send them.", "", NULL, false},
    {COMPOSE_DMARC, "fo", "Which failures? 0: nothing aligned, 1: anything, d: DKIM, s: SPF",
     "1 tells more, and comes more often.", "0", has_ruf, true},
    {COMPOSE_DMARC, "adkim", "DKIM alignment: r (relaxed) or s (strict)",
     "Relaxed takes signatures of a subdomain or the parent, too.", "r", NULL, true},
    {COMPOSE_DMARC, "aspf", "SPF alignment: r (relaxed) or s (strict)",
     "Relaxed takes return addresses of a subdomain, as most mailers use.", "r", NULL, true},

    {COMPOSE_SPF, "mx", "Do the hosts that receive its mail send, too? @: yes, nothing: no",
     "One lookup. @ is the domain itself, another name its MX hosts.", "", NULL, false},
    {COMPOSE_SPF, "ip4", "Which IPv4 addresses or networks send? With blanks between, or nothing",
     "E.g. 192.0.2.1 198.51.100.0/24; they cost receivers nothing.", "", NULL, false},
    {COMPOSE_SPF, "ip6", "Which IPv6 addresses or networks send?",
     "E.g. 2001:db8::/48.", "", NULL, false},
    {COMPOSE_SPF, "a", "Which hosts send, by name?",
     "E.g. www.example.org; one lookup each. @ is the domain itself.", "", NULL, false},
    {COMPOSE_SPF, "include", "Whose services send for it?",
     "The name that the service tells, e.g. _spf.example.net; its lookups count, too.", "", NULL, false},
    {COMPOSE_SPF, "all", "And everybody else? fail, softfail, neutral or pass",
     "softfail leaves it to DMARC; fail makes some refuse forwarded mail at once.", "softfail",
     has_no_redirect, false},

    {COMPOSE_DKIM, "selector", "Which selector?",
     "The name of the key, as the signing server has it, e.g. s2026.", NULL, NULL, false},
    {COMPOSE_DKIM, "from", "Which file is the key in?",
     "Private or public, PEM; only the public half gets into the record.", NULL, NULL, false},
    {COMPOSE_DKIM, "testing", "Shall receivers treat its mail as not signed? y or n",
     "For a trial: t=y.", "n", NULL, false},
    {COMPOSE_DKIM, "no-subdomains", "Shall it sign for the domain alone, not for subdomains? y or n",
     "For an identity (i=) below the domain: t=s forbids it.", "n", NULL, false},

    {COMPOSE_REPORT, "to", "Which domain receives them?",
     "Your own: the one behind the @ of the report address.", NULL, NULL, false},
};
/* clang-format on */

enum answer
{
    ANSWERED,
    AGAIN,
    LEFT, /* the input has ended */
};

/* A line without blanks at its ends, malloc'd. NULL at the end. */
static char *read_line(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n = getline(&line, &capacity, stdin);
    if (n < 0 || memchr(line, '\0', (size_t)n)) {
        free(line);
        return NULL;
    }
    struct span text = span_of(line, strcspn(line, "\r\n"));
    text = span_trim_wsp(text);
    char *answer = strndup((const char *)text.p, text.n);
    free(line);
    return answer;
}

static const struct flag *find_flag(const char *name)
{
    const struct flag *flag = record_flags;
    while (strcmp(flag->name, name) != 0)
        flag++;
    return flag;
}

/* Several values have blanks or commas between them; the texts stay, argv's do, too. */
static bool take_values(struct compose *c, const struct flag *flag, char *text)
{
    struct flag_texts *texts = (void *)((char *)c + flag->offset);
    size_t before = texts->count;
    for (char *rest = text, *word; (word = strtok_r(rest, " ,\t", &rest));) {
        if (flags_set(record_flags, flag->name, word, c) &&
            compose_check(c, flag->name, word) == STATUS_OK)
            continue;
        texts->count = before;
        return false;
    }
    return true;
}

static bool take_yes_or_no(struct compose *c, const struct flag *flag, const char *text)
{
    if (strcmp(text, "y") == 0 || strcmp(text, "yes") == 0)
        return flags_set(record_flags, flag->name, NULL, c);
    if (strcmp(text, "n") == 0 || strcmp(text, "no") == 0)
        return true;
    complain("y or n is wanted");
    return false;
}

static bool take(struct compose *c, const char *option, char *text)
{
    const struct flag *flag = find_flag(option);
    if (flag->kind == FLAG_SET)
        return take_yes_or_no(c, flag, text);
    if (flag->kind == FLAG_TEXTS)
        return take_values(c, flag, text);
    return compose_check(c, option, text) == STATUS_OK && flags_set(record_flags, option, text, c);
}

static void put_question(const struct question *question)
{
    fprintf(stderr, "\n%s\n  (%s)\n", question->ask, question->why);
    if (question->preset && *question->preset)
        fprintf(stderr, "%s [%s]: ", question->option, question->preset);
    else
        fprintf(stderr, "%s: ", question->option);
}

static enum answer ask_once(struct compose *c, const struct question *question)
{
    put_question(question);
    char *text = read_line();
    if (!text)
        return LEFT;
    if (!*text && question->preset) {
        free(text);
        text = strdup(question->unsaid ? "" : question->preset);
    }
    if (text && !*text && question->preset) {
        free(text);
        return ANSWERED;
    }
    if (text && !*text) {
        complain("an answer is needed here; ctrl-D leaves");
    } else if (text && take(c, question->option, text)) {
        c->answers[c->answer_count++] = text; /* the options borrow it */
        return ANSWERED;
    }
    free(text);
    return AGAIN;
}

static_assert(COUNT_OF(questions) <= COMPOSE_ANSWERS_MAX, "each question has one answer");

static enum answer ask_kind(struct compose *c)
{
    fputs("\nWhich record? dkim, spf, dmarc or report\n"
          "  (dkim: a key; spf: who may send; dmarc: what happens to the rest, and reports;\n"
          "  report: that reports about somebody else's domain may come to yours)\nkind: ",
          stderr);
    char *text = read_line();
    bool known = text && compose_take_kind(c, text);
    bool left = !text;
    free(text);
    if (left)
        return LEFT;
    if (known)
        return ANSWERED;
    complain("one of dkim, spf, dmarc, report is wanted");
    return AGAIN;
}

static bool ask(struct compose *c, const struct question *question)
{
    enum answer answer = AGAIN;
    while (answer == AGAIN)
        answer = question ? ask_once(c, question) : ask_kind(c);
    return answer == ANSWERED;
}

int compose_ask(struct compose *c)
{
    bool answered = c->kind || ask(c, NULL);
    for (size_t i = 0; answered && i < COUNT_OF(questions); i++) {
        const struct question *question = &questions[i];
        if ((question->kinds & c->kind) && (!question->wanted || question->wanted(c)))
            answered = ask(c, question);
    }
    fputc('\n', stderr);
    return answered ? STATUS_OK : STATUS_BAD_INPUT;
}
