#include "mail/mbox.h"

static const char from_line[] = "From ";

enum
{
    FROM_OCTETS = sizeof from_line - 1,
};

bool mbox_is_folder(struct span beginning)
{
    return beginning.n >= FROM_OCTETS && memcmp(beginning.p, from_line, FROM_OCTETS) == 0;
}

void mbox_init(struct mbox *mbox, const struct mbox_events *events, void *context)
{
    *mbox = (struct mbox){.events = events, .context = context};
}

static void emit(struct mbox *mbox, struct span bytes)
{
    if (mbox->inside && bytes.n)
        mbox->events->bytes(mbox->context, bytes);
}

/* The empty line that was held back is the message's own: something else came behind it. */
static void emit_empty_line(struct mbox *mbox)
{
    if (mbox->held == MBOX_CRLF_LINE)
        emit(mbox, SPAN("\r\n"));
    else if (mbox->held == MBOX_LF_LINE)
        emit(mbox, SPAN("\n"));
    mbox->held = MBOX_NO_LINE;
}

/* Everything held back is text; the line goes on. */
static void become_text(struct mbox *mbox)
{
    emit_empty_line(mbox);
    if (mbox->quoted)
        emit(mbox, SPAN(">"));
    if (mbox->cr)
        emit(mbox, SPAN("\r"));
    emit(mbox, span_of(from_line, mbox->matched));
    mbox->quoted = mbox->cr = false;
    mbox->matched = 0;
    mbox->place = MBOX_IN_LINE;
}

static void end_message(struct mbox *mbox)
{
    mbox->held = MBOX_NO_LINE;
    if (mbox->inside)
        mbox->events->end(mbox->context);
    mbox->inside = false;
}

/* "From " is complete: a new message, or with ">" before it a quoted line, which loses that one. */
static void take_from(struct mbox *mbox)
{
    if (mbox->quoted) {
        mbox->quoted = false;
        become_text(mbox);
        return;
    }
    end_message(mbox);
    mbox->matched = 0;
    mbox->inside = true;
    mbox->place = MBOX_IN_FROM_LINE;
    mbox->events->begin(mbox->context);
}

/* LF at a line's start, behind a CR or not: an empty line. */
static void take_empty_line(struct mbox *mbox)
{
    emit_empty_line(mbox);
    mbox->held = mbox->cr ? MBOX_CRLF_LINE : MBOX_LF_LINE;
    mbox->cr = false;
}

/* One octet at a line's start; false where it is text and was not taken. */
static bool take_at_start(struct mbox *mbox, uint8_t c)
{
    if (c == (uint8_t)from_line[mbox->matched] && !mbox->cr) {
        if (++mbox->matched == FROM_OCTETS)
            take_from(mbox);
        return true;
    }
    if (mbox->matched || (mbox->cr && c != '\n'))
        return false;
    if (c == '>') {
        if (mbox->quoted) { /* which of them goes is all the same */
            emit_empty_line(mbox);
            emit(mbox, SPAN(">"));
        }
        mbox->quoted = true;
        return true;
    }
    if (mbox->quoted || (c != '\n' && c != '\r'))
        return false;
    if (c == '\n')
        take_empty_line(mbox);
    else
        mbox->cr = true;
    return true;
}

/* Is there anything that makes the line which begins here more than text? */
static bool starts_plainly(uint8_t c)
{
    return c != 'F' && c != '>' && c != '\n' && c != '\r';
}

/* Offset behind the last of the lines that are surely text, from `at` on: one piece for the sink.
 */
static size_t text_end(struct span bytes, size_t at)
{
    for (;;) {
        size_t lf = at + span_find(span_skip(bytes, at), '\n');
        if (lf >= bytes.n)
            return bytes.n;
        at = lf + 1;
        if (at == bytes.n || !starts_plainly(bytes.p[at]))
            return at;
    }
}

void mbox_feed(struct mbox *mbox, struct span bytes)
{
    while (bytes.n) {
        size_t taken = 0;
        switch (mbox->place) {
        case MBOX_LINE_START:
            taken = take_at_start(mbox, bytes.p[0]);
            if (!taken)
                become_text(mbox);
            break;
        case MBOX_IN_LINE:
            taken = text_end(bytes, 0);
            emit(mbox, span_slice(bytes, 0, taken));
            if (bytes.p[taken - 1] == '\n')
                mbox->place = MBOX_LINE_START;
            break;
        case MBOX_IN_FROM_LINE:
            taken = span_find(bytes, '\n');
            if (taken < bytes.n) {
                taken++;
                mbox->place = MBOX_LINE_START;
            }
            break;
        }
        bytes = span_skip(bytes, taken);
    }
}

void mbox_end(struct mbox *mbox)
{
    if (mbox->place == MBOX_LINE_START && (mbox->matched || mbox->quoted || mbox->cr))
        become_text(mbox);
    end_message(mbox);
}
