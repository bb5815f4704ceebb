/*
 * Writes zone-file text (format: zone_text.c).
 *
 * Answers are final: CNAMEs have been followed and records stand at the name that was asked. So
 * every question gets its own line, also one that found nothing ("!empty", "!nxdomain"): the other
 * lines could say otherwise, e.g. a name below it that exists.
 *
 * BUGS: a TEMPFAIL reason outside dns_reason_find() is written as it is, and reading refuses it.
 */
#include "dns/zone_write.h"

#include "base/chars.h"

/* Presentation form in which no character means anything to the reader of zone files. */
static void write_name(struct buffer *out, const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    for (const char *p = dns_name_text(name, text); *p; p++) {
        if (memchr("\"();@$!", *p, 7))
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)*p);
    }
}

static void write_string(struct buffer *out, struct span s)
{
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c != ' ' && !char_is(c, CHAR_VCHAR)) {
            buffer_printf(out, "\\%03u", c);
            continue;
        }
        if (c == '"' || c == '\\')
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, c);
    }
    buffer_append_byte(out, '"');
}

void dns_zone_write_text(struct buffer *out, struct span text)
{
    do {
        size_t n = text.n < 255 ? text.n : 255;
        buffer_append_byte(out, ' ');
        write_string(out, span_slice(text, 0, n));
        text = span_skip(text, n);
    } while (text.n);
}

static void write_rdata(struct buffer *out, const struct dns_record *record, enum dns_type type)
{
    char ip[IP_TEXT_MAX];
    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        buffer_printf(out, " %s", ip_text(&record->address, ip));
        return;
    case DNS_TXT:
        dns_zone_write_text(out, record->text);
        return;
    case DNS_MX:
        buffer_printf(out, " %u ", record->preference);
        write_name(out, &record->name);
        return;
    case DNS_PTR:
    case DNS_CNAME:
        buffer_append_byte(out, ' ');
        write_name(out, &record->name);
        return;
    }
}

static void write_head(struct buffer *out, const struct dns_question *question)
{
    write_name(out, &question->name);
    buffer_printf(out, " %u %s", question->answer.ttl, dns_type_text(question->type));
}

static void write_note(struct buffer *out, const struct dns_question *question, const char *note)
{
    write_head(out, question);
    buffer_printf(out, " !%s\n", note);
}

static void write_question(struct buffer *out, const struct dns_question *question)
{
    const struct dns_answer *answer = &question->answer;
    if (answer->outcome == DNS_TEMPFAIL)
        write_note(out, question, answer->reason);
    else if (answer->outcome != DNS_ANSWER)
        write_note(out, question, dns_outcome_word(answer->outcome));
    for (uint32_t i = 0; i < answer->count; i++) {
        write_head(out, question);
        write_rdata(out, &answer->records[i], question->type);
        buffer_append_byte(out, '\n');
    }
    if (answer->cut)
        write_note(out, question, "cut");
    if (answer->age) {
        write_head(out, question);
        buffer_printf(out, " !age %u\n", answer->age);
    }
}

bool dns_zone_write(const struct dns_answers *answers, struct buffer *out)
{
    for (const struct dns_question *q = answers->first; q && !out->failed; q = q->next)
        if (q->answer.outcome)
            write_question(out, q);
    return !out->failed;
}
