#include "diagnose/search.h"

#include "crypto/verify.h"

struct search search_begin(const struct diagnose_request *request, struct diagnosis *out)
{
    struct search search = {
        .request = request, .out = out, .signature = request->signature->signature};
    search_take_share(&search);
    return search;
}

void search_leave_share(struct search *search)
{
    search->tries_max = MAX_DIAGNOSE_TRIES - MAX_DIAGNOSE_TRIES / 8;
    search->bytes_max = MAX_DIAGNOSE_BYTES - MAX_DIAGNOSE_BYTES / 8;
}

void search_take_share(struct search *search)
{
    search->tries_max = MAX_DIAGNOSE_TRIES;
    search->bytes_max = MAX_DIAGNOSE_BYTES;
    search->over = false;
}

void search_limit(struct search *search, enum limit limit)
{
    if (search->out->limit)
        return;
    limit_hit(search->request->hits, limit);
    search->out->limit = limit_word(limit);
}

static bool end(struct search *search, enum limit limit)
{
    search_limit(search, limit);
    search->over = true;
    return false;
}

bool search_try(struct search *search, uint64_t bytes)
{
    struct diagnosis *out = search->out;
    if (search_is_over(search))
        return false;
    if (out->tries >= search->tries_max)
        return end(search, LIMIT_DIAGNOSE_TRIES);
    if (bytes > search->bytes_max - out->hashed_bytes)
        return end(search, LIMIT_DIAGNOSE_BYTES);
    out->tries++;
    out->hashed_bytes += bytes;
    return true;
}

bool search_verify(struct search *search, uint64_t n)
{
    if (search_is_over(search))
        return false;
    if (n > MAX_DIAGNOSE_VERIFIES - search->out->verifies)
        return end(search, LIMIT_DIAGNOSE_VERIFIES);
    search->out->verifies += n;
    return true;
}

bool search_header_is(struct search *search, const uint8_t digest[SHA256_BYTES])
{
    const struct diagnose_request *request = search->request;
    const struct diagnosis *out = search->out;
    if (out->header.expected_known)
        return memcmp(digest, out->header.expected, SHA256_BYTES) == 0;
    for (size_t i = 0; i < request->key_count; i++) {
        struct verify_job job = {.key = request->keys[i], .signature = search->signature};
        /* A key that has shown to be another one cannot come round. */
        if (public_key_type(job.key) == KEY_RSA || !search_verify(search, 1))
            continue;
        memcpy(job.digest, digest, SHA256_BYTES);
        verify_many(&job, 1);
        if (job.result == VERIFY_PASS)
            return true;
    }
    return false;
}

struct diagnose_finding *search_note(struct search *search, enum diagnose_cause cause, bool proven)
{
    struct diagnosis *out = search->out;
    if (out->count < DIAGNOSE_FINDINGS_MAX)
        out->count++;
    struct diagnose_finding *finding = &out->findings[out->count - 1];
    *finding = (struct diagnose_finding){.cause = cause, .proven = proven, .position = -1};
    return finding;
}
