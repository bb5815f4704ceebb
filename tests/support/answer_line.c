#include <stdio.h>

#include "base/buffer.h"
#include "support/answer_line.h"

static void append_record(struct buffer *b, const struct dns_record *record, enum dns_type type)
{
    char name[DNS_NAME_TEXT_MAX], ip[IP_TEXT_MAX];
    buffer_append_string(b, " [");
    if (type == DNS_TXT)
        buffer_append(b, record->text);
    else if (type == DNS_A || type == DNS_AAAA)
        buffer_append_string(b, ip_text(&record->address, ip));
    else if (type == DNS_MX)
        buffer_printf(b, "%u %s", record->preference, dns_name_text(&record->name, name));
    else
        buffer_append_string(b, dns_name_text(&record->name, name));
    buffer_append_string(b, "]");
}

const char *answer_line(const struct dns_answer *answer, enum dns_type type)
{
    static struct buffer b;
    if (!b.p)
        buffer_init(&b, 1 << 20);
    buffer_reset(&b);
    buffer_append_string(&b, dns_outcome_word(answer->outcome));
    if (answer->reason)
        buffer_printf(&b, " %s", answer->reason);
    for (uint32_t i = 0; i < answer->count; i++)
        append_record(&b, &answer->records[i], type);
    if (answer->cut)
        buffer_append_string(&b, " cut");
    buffer_append_byte(&b, '\0');
    return (const char *)b.p;
}
