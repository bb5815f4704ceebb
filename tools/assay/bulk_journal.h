/*
 * The journal of --resume: which messages are done, so that a later run goes on where one ended,
 * however it ended.
 *
 *   journal = "assay bulk journal 1" LF *(name LF)
 *
 * A name is what the message is called in the output ("mail/a.eml", "folder.mbox#3"), with "%" and
 * control octets as %XX. A message's line is written after its result was handed to the operating
 * system: a run that is killed in between judges those few messages again, it never loses one. A
 * last line without LF was cut when a run was killed; it does not count and is taken away.
 *
 * Lines go to the operating system with each batch of results and to the disk about once a second
 * (fdatasync) and at the end; one that is gone after a power failure is a message judged twice.
 *
 * In memory a name is a keyed 128-bit hash: 32 bytes at most for each.
 *
 * BUGS: a name is all that is known of a message: one whose file has changed is not judged again,
 * one whose file has another name (a flag in a maildir) is.
 */
#ifndef ASSAY_BULK_JOURNAL_H
#define ASSAY_BULK_JOURNAL_H

#include "base/buffer.h"

struct bulk_journal;

enum
{
    BULK_JOURNAL_ERROR_MAX = 256,
};

/* Opens or makes it, and reads it. NULL with one line in `error`: it cannot be read or written, is
 * something else, or another run has it. */
struct bulk_journal *bulk_journal_open(const char *path,
                                       char error[BULK_JOURNAL_ERROR_MAX]) MUST_CHECK;
bool bulk_journal_has(const struct bulk_journal *journal, const char *name);
/* Notes a message; it is written by the next flush. */
void bulk_journal_add(struct bulk_journal *journal, const char *name);
/* Takes back what was noted and not flushed: its results were not written. */
void bulk_journal_forget(struct bulk_journal *journal);
/* Writes what was noted; to the disk where the last time is a second ago or `sync`. False with
 * errno. */
bool bulk_journal_flush(struct bulk_journal *journal, bool sync) MUST_CHECK;
/* Flushes first where it can; nulls. NULL inside is fine. */
void bulk_journal_close(struct bulk_journal **journal);

#endif
