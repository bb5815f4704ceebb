/* Frames of the verdict socket as a client builds and reads them. */
#ifndef SUPPORT_TALK_H
#define SUPPORT_TALK_H

#include "front/frame.h"

struct talk_frame
{
    uint8_t type, flags;
    uint64_t id;
    struct span payload; /* borrowed */
};

struct talk_envelope
{
    const char *ip, *helo, *mail_from, *authserv_id;
    int64_t now;     /* 0: none */
    uint32_t wishes; /* 0: none */
};

void talk_frame(struct buffer *out, uint8_t type, uint8_t flags, uint64_t id, struct span payload);
void talk_hello(struct buffer *out);
void talk_request(struct buffer *out, uint64_t id, const struct talk_envelope *envelope);
/* The whole message in frames of at most `piece` bytes. */
void talk_message(struct buffer *out, uint64_t id, struct span message, size_t piece);
/* HELLO, REQUEST, DATA with END: a whole conversation. */
void talk_conversation(struct buffer *out, const struct talk_envelope *envelope,
                       struct span message);

/* Takes the next whole frame off the front of *input; false where there is none. */
bool talk_next(struct span *input, struct talk_frame *frame);
/* The first frame of that type (and id, unless 0), or false. */
bool talk_find(struct span output, uint8_t type, uint64_t id, struct talk_frame *frame);
unsigned talk_count(struct span output, uint8_t type, uint64_t id);
/* The code of an ERROR frame; 0 where it is none. */
unsigned talk_error_code(const struct talk_frame *frame);
/* The value of a TLV of a RESULT, behind its eight bytes; p == NULL: not there. */
struct span talk_tlv(const struct talk_frame *result, uint8_t tag);

#endif
