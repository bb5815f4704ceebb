#include "bulk_summary.h"

STATIC_ASSERT((RESULT_PASS & (SUMMARY_RESULTS - 1)) == 10); /* no other result has these bits */

void bulk_summary_init(struct bulk_summary *summary)
{
    *summary = (struct bulk_summary){.messages = 0};
    bulk_top_init(&summary->failing);
}

void bulk_summary_fini(struct bulk_summary *summary)
{
    bulk_top_fini(&summary->failing);
}

static void count_bits(uint64_t bits, uint64_t *counts)
{
    for (; bits; bits &= bits - 1)
        counts[__builtin_ctzll(bits)]++;
}

void bulk_summary_count(struct bulk_summary *summary, const struct bulk_item *item)
{
    const struct verdict_row *row = &item->row;
    const enum result results[SUMMARY_PROTOCOLS] = {row->spf, row->dkim, row->arc, row->dmarc};
    summary->messages++;
    summary->bytes += item->bytes;
    for (unsigned i = 0; i < SUMMARY_PROTOCOLS; i++)
        summary->results[i][(unsigned)results[i] & (SUMMARY_RESULTS - 1)]++;
    summary->dispositions[(unsigned)row->disposition & (SUMMARY_DISPOSITIONS - 1)]++;
    count_bits(item->anomalies, summary->anomalies);
    count_bits(item->limits, summary->limits);
    if (row->dmarc == RESULT_FAIL && item->author.length)
        bulk_top_add(&summary->failing, &item->author);
    summary->reachability.questions += item->reachability.questions;
    summary->reachability.unanswered += item->reachability.unanswered;
}
