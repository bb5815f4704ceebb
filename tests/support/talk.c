#include "support/talk.h"

void talk_frame(struct buffer *out, uint8_t type, uint8_t flags, uint64_t id, struct span payload)
{
    struct frame_header header = {(uint32_t)payload.n, type, flags, id};
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_header_write(&header, bytes);
    buffer_append(out, span_of(bytes, sizeof bytes));
    buffer_append(out, payload);
}

void talk_hello(struct buffer *out)
{
    static const uint8_t version[] = {1, 0, 0, 0, TAG_NAME, 0, 0, 4, 't', 'e', 's', 't'};
    talk_frame(out, FRAME_HELLO, 0, 0, span_of(version, sizeof version));
}

static void text_tlv(struct buffer *out, enum frame_tag tag, const char *text)
{
    if (text)
        tlv_write(out, tag, span_from_string(text));
}

void talk_request(struct buffer *out, uint64_t id, const struct talk_envelope *envelope)
{
    size_t at = frame_open(out, FRAME_REQUEST, 0, id);
    text_tlv(out, TAG_CLIENT, envelope->ip);
    text_tlv(out, TAG_HELO, envelope->helo);
    text_tlv(out, TAG_MAIL_FROM, envelope->mail_from);
    text_tlv(out, TAG_AUTHSERV_ID, envelope->authserv_id);
    if (envelope->now) {
        put_u32(out, (uint32_t)TAG_NOW << 24 | 8);
        put_u64(out, (uint64_t)envelope->now);
    }
    if (envelope->wishes)
        tlv_write_u32(out, TAG_WISHES, envelope->wishes);
    frame_close(out, at);
}

void talk_message(struct buffer *out, uint64_t id, struct span message, size_t piece)
{
    while (message.n > piece) {
        talk_frame(out, FRAME_DATA, 0, id, span_slice(message, 0, piece));
        message = span_skip(message, piece);
    }
    talk_frame(out, FRAME_DATA, FRAME_FLAG_END, id, message);
}

void talk_conversation(struct buffer *out, const struct talk_envelope *envelope,
                       struct span message)
{
    talk_hello(out);
    talk_request(out, 1, envelope);
    talk_message(out, 1, message, FRAME_BYTES_MAX);
}

bool talk_next(struct span *input, struct talk_frame *frame)
{
    struct frame_header header;
    uint16_t reserved;
    if (input->n < FRAME_HEADER_BYTES)
        return false;
    frame_header_read(input->p, &header, &reserved);
    if (input->n - FRAME_HEADER_BYTES < header.length)
        return false;
    *frame = (struct talk_frame){
        .type = header.type,
        .flags = header.flags,
        .id = header.id,
        .payload = span_of(input->p + FRAME_HEADER_BYTES, header.length),
    };
    *input = span_skip(*input, FRAME_HEADER_BYTES + header.length);
    return true;
}

bool talk_find(struct span output, uint8_t type, uint64_t id, struct talk_frame *frame)
{
    while (talk_next(&output, frame))
        if (frame->type == type && (id == 0 || frame->id == id))
            return true;
    return false;
}

unsigned talk_count(struct span output, uint8_t type, uint64_t id)
{
    struct talk_frame frame;
    unsigned n = 0;
    while (talk_next(&output, &frame))
        n += frame.type == type && (id == 0 || frame.id == id);
    return n;
}

unsigned talk_error_code(const struct talk_frame *frame)
{
    if (frame->type != FRAME_ERROR || frame->payload.n < 2)
        return 0;
    return (unsigned)(frame->payload.p[0] << 8 | frame->payload.p[1]);
}

struct span talk_tlv(const struct talk_frame *result, uint8_t tag)
{
    struct cursor cursor = cursor_of(span_skip(result->payload, 8));
    struct tlv tlv;
    while (tlv_next(&cursor, &tlv))
        if (tlv.tag == tag)
            return tlv.value;
    return (struct span){NULL, 0};
}
