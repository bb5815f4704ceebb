/*
 * Frames of the verdict socket: numbers, header, TLVs (engine/front/PROTOCOL.md "Frames").
 */
#ifndef CLIENT_FRAME_H
#define CLIENT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum
{
    FRAME_HEADER = 16,
    FRAME_PAYLOAD_MAX = 1024 * 1024,
    FRAME_REQUEST_MAX = 256 * 1024, /* of REQUEST and QUERY */
    FRAME_TLV_HEADER = 4,
    FRAME_MAJOR = 1,
    FRAME_MINOR = 0,
    FRAME_FLAG_END = 1,
    FRAME_FLAG_REFUSED = 1, /* of RING */
};

enum frame_type
{
    FRAME_HELLO = 1,
    FRAME_REQUEST = 2,
    FRAME_DATA = 3,
    FRAME_FD = 4,
    FRAME_CANCEL = 5,
    FRAME_QUERY = 6,
    FRAME_PING = 7,
    FRAME_RING = 8,
    FRAME_RESULT = 17,
    FRAME_PARTIAL = 18,
    FRAME_ERROR = 19,
    FRAME_CREDIT = 20,
    FRAME_PONG = 21,
    FRAME_GOAWAY = 22,
};

enum frame_tag
{
    TAG_PROGRAM = 0x01,
    TAG_FEATURES = 0x02,
    TAG_LIMITS = 0x03,
    TAG_CLIENT_IP = 0x10,
    TAG_HELO = 0x11,
    TAG_MAIL_FROM = 0x12,
    TAG_RCPT_TO = 0x13,
    TAG_TLS_VERSION = 0x14,
    TAG_TLS_CIPHER = 0x15,
    TAG_AUTHSERV_ID = 0x16,
    TAG_DEADLINE = 0x17,
    TAG_RECEIVED_AT = 0x18,
    TAG_WISHES = 0x19,
    TAG_JSON = 0x30,
    TAG_RESULTS = 0x31,
};

enum frame_feature
{
    FEATURE_EARLY_SPF = 1,
    FEATURE_DESCRIPTORS = 2,
    FEATURE_RING = 8,
};

struct frame
{
    uint32_t length; /* of the payload */
    uint8_t type, flags;
    uint64_t id;
    const uint8_t *payload; /* borrowed from the input buffer */
};

struct frame_tlv
{
    uint8_t tag;
    uint32_t length;
    const uint8_t *value; /* borrowed from the frame */
};

static inline uint32_t frame_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t frame_get64(const uint8_t *p)
{
    return (uint64_t)frame_get32(p) << 32 | frame_get32(p + 4);
}

/* The writers return what stands behind what they wrote. */
static inline uint8_t *frame_put32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
    return p + 4;
}

static inline uint8_t *frame_put64(uint8_t *p, uint64_t value)
{
    return frame_put32(frame_put32(p, (uint32_t)(value >> 32)), (uint32_t)value);
}

static inline uint8_t *frame_put_header(uint8_t *p, uint32_t length, enum frame_type type,
                                        uint8_t flags, uint64_t id)
{
    p = frame_put32(p, length);
    *p++ = (uint8_t)type;
    *p++ = flags;
    *p++ = 0;
    *p++ = 0;
    return frame_put64(p, id);
}

/* `n` is below 2^24. */
static inline uint8_t *frame_put_tlv(uint8_t *p, enum frame_tag tag, const void *value, size_t n)
{
    p = frame_put32(p, (uint32_t)n | (uint32_t)tag << 24);
    if (n)
        memcpy(p, value, n);
    return p + n;
}

/* The header at `p`, 16 bytes. */
static inline struct frame frame_read(const uint8_t *p)
{
    return (struct frame){frame_get32(p), p[4], p[5], frame_get64(p + 8), p + FRAME_HEADER};
}

enum frame_next
{
    FRAME_TLV,    /* *tlv is set, *offset stands behind it */
    FRAME_NO_TLV, /* the payload ended at *offset */
    FRAME_BAD_TLV /* it overruns the payload */
};

static inline enum frame_next frame_next_tlv(const struct frame *frame, uint32_t *offset,
                                             struct frame_tlv *tlv)
{
    uint32_t left = frame->length - *offset;
    const uint8_t *p = frame->payload + *offset;
    if (left == 0)
        return FRAME_NO_TLV;
    if (left < FRAME_TLV_HEADER)
        return FRAME_BAD_TLV;
    *tlv = (struct frame_tlv){p[0], frame_get32(p) & 0xffffff, p + FRAME_TLV_HEADER};
    if (tlv->length > left - FRAME_TLV_HEADER)
        return FRAME_BAD_TLV;
    *offset += FRAME_TLV_HEADER + tlv->length;
    return FRAME_TLV;
}

#endif
