/*
 * Mail folders in one file, mbox: takes the bytes in any pieces, hands out the messages.
 *
 *   mbox     = *message
 *   message  = "From " *<any octet but LF> LF      the From_ line
 *              *(line)                             each ^>+From␣ had one ">" less before
 *              [empty-line]
 *
 * The rules are those of mbox(5) as qmail has it: every line that begins with "From " begins a
 * message, whatever stands before; one empty line at a message's end belongs to the folder; one ">"
 * goes from each line of one or more ">" and "From " (mboxrd). Lines end in LF or CRLF. Nothing is
 * kept but a few octets of the line's beginning, so a folder, a message and a line may have any
 * size. Every split of the input gives the same messages.
 *
 * BUGS: Content-Length (mboxcl) is not looked at. A writer that quotes "From " but not ">From "
 * (mboxo) has made text that cannot be told back; a signed body with such a line then fails.
 */
#ifndef MAIL_MBOX_H
#define MAIL_MBOX_H

#include "mail/canon.h"

struct mbox_events
{
    void (*begin)(void *context); /* a message begins */
    canon_sink *bytes;            /* of it, any pieces */
    void (*end)(void *context);   /* it was complete */
};

struct mbox
{
    const struct mbox_events *events; /* borrowed */
    void *context;
    enum mbox_place
    {
        MBOX_LINE_START = 0, /* the line may still become a From_ line */
        MBOX_IN_LINE,
        MBOX_IN_FROM_LINE,
    } place;
    enum mbox_held
    {
        MBOX_NO_LINE = 0,
        MBOX_LF_LINE,
        MBOX_CRLF_LINE,
    } held;          /* an empty line that is the folder's, if a From_ line comes next */
    uint8_t matched; /* octets of "From " that this line began with */
    bool quoted;     /* a ">" stood before and is held back */
    bool cr;         /* the line began with a CR, which is held back */
    bool inside;     /* a message has begun */
};

/* True where a file that begins like this is a folder. Five octets decide. */
bool mbox_is_folder(struct span beginning);

void mbox_init(struct mbox *mbox, const struct mbox_events *events, void *context);
/* Octets before the first From_ line belong to no message and are dropped. */
void mbox_feed(struct mbox *mbox, struct span bytes);
/* The folder ends; so does the message that was open. */
void mbox_end(struct mbox *mbox);

#endif
