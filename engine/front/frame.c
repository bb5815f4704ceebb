#include "front/frame.h"

const char *front_error_word(enum front_error error)
{
    switch (error) {
#define FRONT_ERROR_WORD(code, name, word)                                                         \
    case FRONT_##name:                                                                             \
        return word;
        FRONT_ERRORS(FRONT_ERROR_WORD)
#undef FRONT_ERROR_WORD
    case FRONT_OK:
    case FRONT_ERROR_END:
        break;
    }
    return "internal";
}

uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t get_u64(const uint8_t *p)
{
    return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

static void set_u32(uint8_t *p, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void set_u64(uint8_t *p, uint64_t value)
{
    set_u32(p, (uint32_t)(value >> 32));
    set_u32(p + 4, (uint32_t)value);
}

void put_u16(struct buffer *out, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    buffer_append(out, span_of(bytes, sizeof bytes));
}

void put_u32(struct buffer *out, uint32_t value)
{
    uint8_t bytes[4];
    set_u32(bytes, value);
    buffer_append(out, span_of(bytes, sizeof bytes));
}

void put_u64(struct buffer *out, uint64_t value)
{
    uint8_t bytes[8];
    set_u64(bytes, value);
    buffer_append(out, span_of(bytes, sizeof bytes));
}

void frame_header_read(const uint8_t bytes[FRAME_HEADER_BYTES], struct frame_header *header,
                       uint16_t *reserved)
{
    header->length = get_u32(bytes);
    header->type = bytes[4];
    header->flags = bytes[5];
    *reserved = (uint16_t)(bytes[6] << 8 | bytes[7]);
    header->id = get_u64(bytes + 8);
}

void frame_header_write(const struct frame_header *header, uint8_t bytes[FRAME_HEADER_BYTES])
{
    set_u32(bytes, header->length);
    bytes[4] = header->type;
    bytes[5] = header->flags;
    bytes[6] = bytes[7] = 0;
    set_u64(bytes + 8, header->id);
}

/* The frames of a client by type: which lengths they may have, and whether they speak of an id. */
static const struct frame_rule
{
    enum
    {
        NO_SUCH_FRAME,
        ID_ZERO,
        ID_REQUEST,
        ID_ANY
    } id;
    uint32_t least, most;
} rules[] = {
    [FRAME_HELLO] = {ID_ZERO, 4, FRAME_HELLO_MAX},
    [FRAME_REQUEST] = {ID_REQUEST, 0, FRAME_CONTROL_MAX},
    [FRAME_DATA] = {ID_REQUEST, 0, FRAME_BYTES_MAX},
    [FRAME_FD] = {ID_REQUEST, 16, 16},
    [FRAME_CANCEL] = {ID_REQUEST, 0, 0},
    [FRAME_QUERY] = {ID_REQUEST, 0, FRAME_CONTROL_MAX},
    [FRAME_PING] = {ID_ANY, 0, FRAME_PING_MAX},
    [FRAME_RING] = {ID_ZERO, 0, 0},
};

static const struct frame_rule *find_rule(uint8_t type)
{
    return &rules[type < COUNT_OF(rules) ? type : 0];
}

static enum front_error refuse(const char **why, enum front_error error, const char *text)
{
    *why = text;
    return error;
}

enum front_error frame_check(const struct frame_header *header, const char **why)
{
    const struct frame_rule *rule = find_rule(header->type);
    if (header->length > FRAME_BYTES_MAX)
        return refuse(why, FRONT_TOO_LARGE, "frame over 1 MiB");
    if (rule->id == NO_SUCH_FRAME)
        return refuse(why, FRONT_MALFORMED, "unknown frame type");
    if (header->length > rule->most)
        return refuse(why, FRONT_TOO_LARGE, "frame too long for its type");
    if (header->length < rule->least)
        return refuse(why, FRONT_MALFORMED, "frame too short for its type");
    if (rule->id == ID_ZERO && header->id != 0)
        return refuse(why, FRONT_MALFORMED, "HELLO speaks of the connection: id 0");
    if (rule->id == ID_REQUEST && header->id == 0)
        return refuse(why, FRONT_MALFORMED, "id 0 is no request");
    return FRONT_OK;
}

void frame_reader_init(struct frame_reader *reader)
{
    *reader = (struct frame_reader){.error = FRONT_OK};
}

bool frame_is_partial(const struct frame_reader *reader)
{
    return reader->in_payload || reader->have != 0;
}

static struct span take(struct span *input, size_t n)
{
    struct span taken = span_slice(*input, 0, n < input->n ? n : input->n);
    *input = span_skip(*input, taken.n);
    return taken;
}

/* The header is complete: is it one a client may send? */
static enum frame_event begin(struct frame_reader *reader)
{
    uint16_t reserved = 0;
    frame_header_read(reader->bytes, &reader->header, &reserved);
    reader->error = frame_check(&reader->header, &reader->why);
    if (reader->error == FRONT_OK && reserved != 0)
        reader->error = refuse(&reader->why, FRONT_MALFORMED, "reserved bytes are not 0");
    if (reader->error != FRONT_OK)
        return FRAME_BAD;
    reader->have = 0;
    reader->in_payload = true;
    reader->left = reader->header.length;
    return FRAME_BEGIN;
}

enum frame_event frame_next(struct frame_reader *reader, struct span *input, struct span *piece)
{
    if (reader->error != FRONT_OK)
        return FRAME_BAD;
    if (reader->in_payload && reader->left == 0) {
        reader->in_payload = false;
        return FRAME_END;
    }
    if (input->n == 0)
        return FRAME_MORE;
    if (reader->in_payload) {
        *piece = take(input, reader->left);
        reader->left -= (uint32_t)piece->n;
        return FRAME_PAYLOAD;
    }
    struct span part = take(input, FRAME_HEADER_BYTES - reader->have);
    memcpy(reader->bytes + reader->have, part.p, part.n);
    reader->have += (uint32_t)part.n;
    return reader->have == FRAME_HEADER_BYTES ? begin(reader) : FRAME_MORE;
}

bool frame_whole(struct frame_reader *reader, struct span input, struct span *payload)
{
    struct frame_header *header = &reader->header;
    uint16_t reserved;
    const char *why;
    if (reader->in_payload || reader->have || reader->error != FRONT_OK ||
        input.n < FRAME_HEADER_BYTES)
        return false;
    frame_header_read(input.p, header, &reserved);
    if (header->length > input.n - FRAME_HEADER_BYTES || reserved != 0 ||
        frame_check(header, &why) != FRONT_OK)
        return false;
    *payload = span_of(input.p + FRAME_HEADER_BYTES, header->length);
    return true;
}

size_t frame_open(struct buffer *out, enum frame_type type, uint8_t flags, uint64_t id)
{
    struct frame_header header = {.type = (uint8_t)type, .flags = flags, .id = id};
    uint8_t bytes[FRAME_HEADER_BYTES];
    size_t at = out->n;
    frame_header_write(&header, bytes);
    buffer_append(out, span_of(bytes, sizeof bytes));
    return at;
}

void frame_close(struct buffer *out, size_t at)
{
    if (out->failed)
        return;
    size_t length = out->n - at - FRAME_HEADER_BYTES;
    if (length > FRAME_BYTES_MAX) {
        out->failed = true;
        return;
    }
    set_u32(out->p + at, (uint32_t)length);
}

/* TLV = tag (1) length (3) value */
bool tlv_next(struct cursor *payload, struct tlv *tlv)
{
    enum
    {
        HEAD_BYTES = 4,
    };
    size_t left = cursor_left(payload);
    if (payload->failed || left == 0)
        return false;
    uint32_t head = left < HEAD_BYTES ? 0 : get_u32(payload->p);
    uint32_t length = head & 0xffffff;
    if (left < HEAD_BYTES || length > left - HEAD_BYTES) {
        payload->failed = true;
        return false;
    }
    tlv->tag = (uint8_t)(head >> 24);
    tlv->value = span_of(payload->p + HEAD_BYTES, length);
    payload->p += HEAD_BYTES + length;
    return true;
}

void tlv_write(struct buffer *out, enum frame_tag tag, struct span value)
{
    if (value.n > 0xffffff) {
        out->failed = true;
        return;
    }
    put_u32(out, (uint32_t)tag << 24 | (uint32_t)value.n);
    buffer_append(out, value);
}

void tlv_write_u32(struct buffer *out, enum frame_tag tag, uint32_t value)
{
    put_u32(out, (uint32_t)tag << 24 | 4);
    put_u32(out, value);
}
