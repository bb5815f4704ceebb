/* DS-2, DS-3: only what arrives as it was signed is signed. */
#include "dkim/dkim.h"
#include "sign/sign.h"

/* What makes a verifier refuse the message, or see another one than was signed. */
static const enum mail_anomaly refused[] = {ANOMALY_BOM,         ANOMALY_MBOX_FROM_LINE,
                                            ANOMALY_HDR_NUL,     ANOMALY_HDR_BARE_CR,
                                            ANOMALY_HDR_BARE_LF, ANOMALY_HDR_MALFORMED};

static const char *find_fault(const struct sign_message *message)
{
    if (mail_anomaly_is(&message->anomalies, ANOMALY_BOM)) /* it hides the first field */
        return mail_anomaly_word(ANOMALY_BOM);
    if (!mail_header_is_message(&message->header))
        return "no_message";
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        if (mail_anomaly_is(&message->anomalies, refused[i]))
            return mail_anomaly_word(refused[i]);
    return NULL;
}

const char *sign_message_read(struct sign_message *message, struct span text, struct arena *arena)
{
    *message = (struct sign_message){.arena = arena};
    if (text.n > MAX_MESSAGE_BYTES) {
        limit_hit(&message->hits, LIMIT_MESSAGE_BYTES);
        return limit_word(LIMIT_MESSAGE_BYTES);
    }
    struct mail_reader reader;
    mail_reader_init(&reader, arena, &message->hits, &message->anomalies);
    size_t header_bytes = mail_reader_feed(&reader, text);
    if (!reader.done)
        mail_reader_end(&reader);
    message->header = reader.header;
    message->body = span_skip(text, header_bytes);
    if (reader.refused)
        return reader.refused;
    return arena->failed ? "no_memory" : find_fault(message);
}
