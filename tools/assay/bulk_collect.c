/*
 * Finished messages, in the order in which they were finished: output, then journal, so that a run
 * that is killed in between judges a message twice and never loses one.
 */
#include <errno.h>
#include <unistd.h>

#include "bulk.h"

static void write_judged(struct bulk *bulk, const struct bulk_item *item)
{
    bulk_summary_count(&bulk->summary, item);
    if (bulk->options->json)
        fwrite(item->json.p, 1, item->json.n, stdout);
    else if (bulk->options->brief)
        print_row(item->name, &item->row, stdout);
    if (bulk->journal && !bulk->failed)
        bulk_journal_add(bulk->journal, item->name);
}

static void take_item(struct bulk *bulk, const struct bulk_item *item)
{
    switch (item->outcome) {
    case BULK_JUDGED:
        write_judged(bulk, item);
        return;
    case BULK_NO_MESSAGE:
        bulk->summary.no_message++;
        bulk_complain(bulk, STATUS_BAD_INPUT, "%s: this is no message: it has not one header field",
                      item->name);
        return;
    case BULK_CANCELLED:
        return; /* who cancelled it has said why */
    case BULK_LOST:
        bulk->summary.unjudged++;
        bulk_complain(bulk, STATUS_UNAVAILABLE, "%s: not judged: %s", item->name, item->trouble);
        return;
    case BULK_UNSET:
    case BULK_NO_MEMORY:
        break;
    }
    bulk->summary.unjudged++;
    bulk_complain(bulk, STATUS_SOFTWARE, "%s: no memory for the verdict", item->name);
}

static void write_out(struct bulk *bulk)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        bulk->failed = true; /* main() says so */
        if (bulk->journal)
            bulk_journal_forget(bulk->journal);
        return;
    }
    if (!bulk->journal || bulk_journal_flush(bulk->journal, false))
        return;
    bulk->failed = true;
    bulk_complain(bulk, STATUS_SOFTWARE, "%s: %s", bulk->options->journal, strerror(errno));
}

void bulk_collect(struct bulk *bulk)
{
    struct bulk_item *item = bulk_mailbox_take(&bulk->mailbox);
    bool any = item != NULL;
    if (any && (bulk->options->json || bulk->options->brief) && isatty(STDOUT_FILENO))
        bulk_progress_clear(&bulk->progress);
    while (item) {
        struct bulk_item *next = item->next;
        bulk->in_flight--;
        bulk->progress.messages++;
        take_item(bulk, item);
        bulk_item_free(&item);
        item = next;
    }
    if (any)
        write_out(bulk);
    bulk_progress_show(&bulk->progress);
}
