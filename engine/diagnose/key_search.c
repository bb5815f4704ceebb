/*
 * The key: did it make this signature? With RSA the signature tells, whatever became of the header.
 * Where no key of the selector fits: keys of other selectors that stand at hand, and a b= whose
 * plus signs became blanks on the way.
 */
#include "base/base64.h"
#include "crypto/recover.h"
#include "crypto/verify.h"
#include "diagnose/search.h"
#include "dkim/header_hash.h"

enum
{
    DIGEST_WORDS = 3,
};

static const char *digest_word(enum recovered recovered)
{
    if (recovered == RECOVERED_SHA1)
        return "sha1";
    return recovered == RECOVERED_SHA512 ? "sha512" : "another digest";
}

/* True where a signature came out. */
static bool read_with(struct search *search, const struct public_key *key, struct span signature,
                      bool *wrong_length)
{
    struct diagnosis *out = search->out;
    uint8_t digest[SHA256_BYTES];
    if (public_key_type(key) != KEY_RSA || !search_verify(search, 1))
        return false;
    enum recovered recovered = rsa_recover(key, signature, digest);
    *wrong_length = *wrong_length || recovered == RECOVERED_BAD_LENGTH;
    switch (recovered) {
    case RECOVERED_SHA256:
        memcpy(out->header.expected, digest, SHA256_BYTES);
        out->header.expected_known = true;
        return true;
    case RECOVERED_SHA1:
    case RECOVERED_SHA512:
    case RECOVERED_OTHER:
        out->key = DIAGNOSE_KEY_RIGHT;
        struct diagnose_finding *finding = search_note(search, CAUSE_OTHER_DIGEST, true);
        finding->before = span_from_string(digest_word(recovered));
        finding->after = SPAN("sha256");
        return true;
    case RECOVERED_NOTHING:
    case RECOVERED_BAD_LENGTH:
    case RECOVERED_ERROR:
        break;
    }
    return false;
}

static bool try_own(struct search *search, bool *wrong_length)
{
    const struct diagnose_request *request = search->request;
    for (size_t i = 0; i < request->key_count; i++) {
        if (!read_with(search, request->keys[i], search->signature, wrong_length))
            continue;
        search->out->key = DIAGNOSE_KEY_RIGHT;
        return true;
    }
    return false;
}

/* An Ed25519 key does not give its digest away: only the header as it stands can be tried. */
static bool fits_header(struct search *search, const struct public_key *key)
{
    struct buffer scratch;
    struct verify_job job = {.key = key, .signature = search->signature};
    const struct diagnose_request *request = search->request;
    if (public_key_type(key) == KEY_RSA || !search_verify(search, 1))
        return false;
    buffer_init(&scratch, 2 * MAX_HEADER_BYTES);
    if (dkim_header_hash(request->header, request->signature, request->arena, &scratch, job.digest))
        verify_many(&job, 1);
    buffer_fini(&scratch);
    if (job.result == VERIFY_PASS) {
        memcpy(search->out->header.expected, job.digest, SHA256_BYTES);
        search->out->header.expected_known = true;
    }
    return job.result == VERIFY_PASS;
}

static bool try_others(struct search *search)
{
    const struct diagnose_request *request = search->request;
    bool ignored = false;
    for (size_t i = 0; i < request->other_count; i++) {
        const struct diagnose_key *other = &request->others[i];
        if (!fits_header(search, other->key) &&
            !read_with(search, other->key, search->signature, &ignored))
            continue;
        struct diagnose_finding *finding = search_note(search, CAUSE_OTHER_KEY, true);
        finding->domain = other->domain;
        finding->selector = other->selector;
        search->out->key = DIAGNOSE_KEY_WRONG;
        return true;
    }
    return false;
}

/* Blanks between two characters of one line: no fold, so they may have been plus signs. */
static void replace_blanks(struct span text, uint8_t *plus)
{
    for (size_t at = 0; at < text.n;) {
        size_t end = at;
        while (end < text.n && text.p[end] == ' ')
            end++;
        bool inside = at > 0 && end < text.n && text.p[at - 1] > ' ' && text.p[end] > ' ';
        for (; at < end; at++)
            plus[at] = inside ? '+' : ' ';
        if (at < text.n)
            plus[at] = text.p[at];
        at++;
    }
}

static struct span with_plus_signs(struct search *search)
{
    struct span text = search->request->signature->b_text;
    struct arena *arena = search->request->arena;
    uint8_t *plus = arena_alloc(arena, text.n + 1);
    uint8_t *out = arena_alloc(arena, BASE64_DECODED_MAX(text.n));
    size_t n = 0;
    if (!plus || !out)
        return (struct span){NULL, 0};
    replace_blanks(text, plus);
    bool ok = base64_decode(span_of(plus, text.n), out, BASE64_DECODED_MAX(text.n), &n);
    return ok ? span_of(out, n) : (struct span){NULL, 0};
}

static bool try_repairing(struct search *search)
{
    bool ignored = false;
    struct span signature = with_plus_signs(search);
    if (!signature.n || span_equal(signature, search->signature))
        return false;
    search->signature = signature;
    for (size_t i = 0; i < search->request->key_count; i++) {
        const struct public_key *key = search->request->keys[i];
        if (!fits_header(search, key) && !read_with(search, key, signature, &ignored))
            continue;
        struct diagnose_finding *finding = search_note(search, CAUSE_B_DAMAGED, true);
        finding->before = SPAN("+");
        finding->after = SPAN("blanks");
        search->out->key = DIAGNOSE_KEY_RIGHT;
        return true;
    }
    search->signature = search->request->signature->signature;
    return false;
}

static bool all_rsa(const struct diagnose_request *request)
{
    for (size_t i = 0; i < request->key_count; i++)
        if (public_key_type(request->keys[i]) != KEY_RSA)
            return false;
    return request->key_count > 0;
}

static bool own_fits(struct search *search)
{
    for (size_t i = 0; i < search->request->key_count; i++)
        if (fits_header(search, search->request->keys[i]))
            return true;
    return false;
}

void search_key(struct search *search)
{
    bool wrong_length = false;
    if (search->request->key_count == 0)
        search->out->key = DIAGNOSE_KEY_NONE;
    if (try_own(search, &wrong_length))
        return;
    if (own_fits(search)) {
        search->out->key = DIAGNOSE_KEY_RIGHT;
        return;
    }
    if (try_repairing(search) || try_others(search) || !all_rsa(search->request) ||
        search_is_over(search))
        return;
    search->out->key = DIAGNOSE_KEY_WRONG;
    search_note(search, wrong_length ? CAUSE_KEY_SIZE : CAUSE_WRONG_KEY, false);
}
