#include "sign/sign.h"

bool sign_message_read(struct sign_message *message, struct span text, struct arena *arena)
{
    *message = (struct sign_message){.arena = arena};
    struct mail_reader reader;
    mail_reader_init(&reader, arena, &message->hits, &message->anomalies);
    size_t header_bytes = mail_reader_feed(&reader, text);
    if (!reader.done)
        mail_reader_end(&reader);
    message->header = reader.header;
    message->body = span_skip(text, header_bytes);
    return !reader.refused && !arena->failed;
}
