/*
 * Frames and TLVs of the verdict socket (PROTOCOL.md): a codec over byte pieces.
 *
 * The reader allocates nothing and keeps nothing but the 16 bytes of a header; a header is refused
 * as soon as it is complete, before anybody makes room for its payload (security.md J07).
 */
#ifndef FRONT_FRAME_H
#define FRONT_FRAME_H

#include "base/buffer.h"
#include "base/cursor.h"

enum
{
    FRAME_HEADER_BYTES = 16,
    FRAME_MAJOR = 1,
    FRAME_MINOR = 0,
    FRAME_BYTES_MAX = 1024 * 1024,  /* payload of any frame */
    FRAME_CONTROL_MAX = 256 * 1024, /* of REQUEST and QUERY; also a line */
    FRAME_HELLO_MAX = 4 * 1024,
    FRAME_PING_MAX = 64,
    FRAME_FLAG_END = 1,
    FRAME_FLAG_REFUSED = 1, /* of the server's RING */
};

enum frame_type
{
    FRAME_HELLO = 1,
    FRAME_REQUEST,
    FRAME_DATA,
    FRAME_FD,
    FRAME_CANCEL,
    FRAME_QUERY,
    FRAME_PING,
    FRAME_RING,
    FRAME_RESULT = 17,
    FRAME_PARTIAL,
    FRAME_ERROR,
    FRAME_CREDIT,
    FRAME_PONG,
    FRAME_GOAWAY,
};

enum frame_tag
{
    TAG_NAME = 0x01,
    TAG_FEATURES = 0x02,
    TAG_LIMITS = 0x03,
    TAG_CLIENT = 0x10,
    TAG_HELO = 0x11,
    TAG_MAIL_FROM = 0x12,
    TAG_RCPT_TO = 0x13,
    TAG_TLS_VERSION = 0x14,
    TAG_TLS_CIPHER = 0x15,
    TAG_AUTHSERV_ID = 0x16,
    TAG_DEADLINE = 0x17,
    TAG_NOW = 0x18,
    TAG_WISHES = 0x19,
    TAG_JSON = 0x30,
    TAG_RESULTS = 0x31,
};

enum frame_feature
{
    FEATURE_EARLY_SPF = 1,
    FEATURE_DESCRIPTORS = 2,
    FEATURE_LINES = 4,
    FEATURE_RING = 8,
};

enum frame_wish
{
    WISH_PARTIAL = 1,
    WISH_JSON = 2,
    WISH_RESULTS = 4,
    WISH_LF = 8,
};

/* Errors of the protocol; code and word are in PROTOCOL.md. */
#define FRONT_ERRORS(X)                                                                            \
    X(1, VERSION, "version")                                                                       \
    X(2, MALFORMED, "malformed")                                                                   \
    X(3, TOO_LARGE, "too_large")                                                                   \
    X(4, BUSY, "busy")                                                                             \
    X(5, CANCELLED, "cancelled")                                                                   \
    X(6, GOING_AWAY, "going_away")                                                                 \
    X(7, FORBIDDEN, "forbidden")                                                                   \
    X(8, NO_FILE, "no_file")                                                                       \
    X(9, INTERNAL, "internal")                                                                     \
    X(10, IDLE, "idle")

enum front_error
{
    FRONT_OK = 0,
#define FRONT_ERROR_ID(code, name, word) FRONT_##name = (code),
    FRONT_ERRORS(FRONT_ERROR_ID)
#undef FRONT_ERROR_ID
        FRONT_ERROR_END
};

/* "busy" ...; "internal" for what is no error code. Static. */
const char *front_error_word(enum front_error error);

struct frame_header
{
    uint32_t length;
    uint8_t type, flags;
    uint64_t id;
};

enum frame_event
{
    FRAME_MORE,    /* the input is used up */
    FRAME_BEGIN,   /* reader->header is complete and allowed */
    FRAME_PAYLOAD, /* *piece is a part of the payload, borrowed from the input */
    FRAME_END,     /* the payload is complete */
    FRAME_BAD,     /* reader->error says why; framing is lost, the reader is finished */
};

struct frame_reader
{
    uint8_t bytes[FRAME_HEADER_BYTES];
    uint32_t have; /* of the header */
    uint32_t left; /* of the payload */
    bool in_payload;
    enum front_error error;
    const char *why; /* static */
    struct frame_header header;
};

void frame_reader_init(struct frame_reader *reader);
/* Takes bytes off the front of *input and says what they were. Call until FRAME_MORE. */
enum frame_event frame_next(struct frame_reader *reader, struct span *input,
                            struct span *piece) MUST_CHECK;
/*
 * The short way for a frame that lies in `input` as a whole, while none is partial: reader->header
 * and *payload, borrowed from the input, of which nothing is taken. False where there is none, or
 * its header is none that a client may send: frame_next says what there is.
 */
bool frame_whole(struct frame_reader *reader, struct span input, struct span *payload) MUST_CHECK;
/* A frame has begun and is not complete. */
bool frame_is_partial(const struct frame_reader *reader);

/* What a client may send: FRONT_OK, or why not; *why is static. */
enum front_error frame_check(const struct frame_header *header, const char **why) MUST_CHECK;

void frame_header_read(const uint8_t bytes[FRAME_HEADER_BYTES], struct frame_header *header,
                       uint16_t *reserved);
void frame_header_write(const struct frame_header *header, uint8_t bytes[FRAME_HEADER_BYTES]);
/*
 * Appends a header whose length is filled in by frame_close; returns its offset. One frame at a
 * time per buffer.
 */
size_t frame_open(struct buffer *out, enum frame_type type, uint8_t flags, uint64_t id);
/* Fills in the length; over FRAME_BYTES_MAX the buffer fails. */
void frame_close(struct buffer *out, size_t at);

struct tlv
{
    uint8_t tag;
    struct span value;
};

/* The next TLV. False at the end, or with payload->failed where the TLV ends behind the payload. */
bool tlv_next(struct cursor *payload, struct tlv *tlv) MUST_CHECK;
void tlv_write(struct buffer *out, enum frame_tag tag, struct span value);
void tlv_write_u32(struct buffer *out, enum frame_tag tag, uint32_t value);

void put_u16(struct buffer *out, uint16_t value);
void put_u32(struct buffer *out, uint32_t value);
void put_u64(struct buffer *out, uint64_t value);
uint64_t get_u64(const uint8_t *p);
uint32_t get_u32(const uint8_t *p);

#endif
