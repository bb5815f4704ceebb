/*
 * A new ARC set, RFC 8617 section 5.1: AAR, then AMS over the message, then AS over the sets so far
 * and the new one (AV-9); for cv=fail over the new one alone (AS-7). The sets so far are read and
 * all is hashed by the verifier's own code.
 */
#include "arc/chain.h"
#include "arc/seal_hash.h"
#include "sign/dkim_field.h"
#include "sign/results.h"

static const char *const cv_words[] = {
    [SEAL_CV_NONE] = "none",
    [SEAL_CV_PASS] = "pass",
    [SEAL_CV_FAIL] = "fail",
};

const char *seal_cv_word(enum seal_cv cv)
{
    return cv_words[cv];
}

/* May a set with this cv= be put on the chain that is there? */
static const char *check_chain(const struct arc_judgement *chain, enum seal_cv cv)
{
    static const char too_many[] = "too_many_arc_sets";
    bool none = chain->result == RESULT_NONE;
    if (chain->temporary || chain->arena->failed)
        return "no_memory";
    if (chain->reason && strcmp(chain->reason, "cv_fail") == 0)
        return "chain_failed"; /* AS-1 */
    if (chain->count >= MAX_ARC_SETS || (chain->reason && strcmp(chain->reason, too_many) == 0))
        return too_many; /* AS-2 */
    if (cv == SEAL_CV_NONE)
        return none ? NULL : "chain_is_there";
    if (none)
        return "no_chain";
    return cv == SEAL_CV_PASS && !arc_is_open(chain) ? "chain_is_broken" : NULL;
}

/* What the new seal signs: for cv=fail as if the new set were the only one (AS-7). */
static bool hash_sets(const struct arc_judgement *chain, enum seal_cv cv, const struct arc_set *set,
                      uint8_t out[SHA256_BYTES])
{
    struct buffer scratch;
    struct arc_seal_hash hash;
    uint32_t below = cv == SEAL_CV_FAIL ? 0 : chain->count;
    buffer_init(&scratch, SIGN_SCRATCH_BYTES);
    bool ok = true;
    arc_seal_hash_init(&hash, &scratch);
    for (uint32_t i = 0; ok && i < below; i++)
        ok = arc_seal_hash_next(&hash, &chain->sets[i], out);
    ok = ok && arc_seal_hash_next(&hash, set, out);
    buffer_fini(&scratch);
    return ok;
}

static const char *hash_seal(const struct arc_judgement *chain, const struct seal_options *options,
                             struct span aar, struct span ams, struct span seal,
                             uint8_t out[SHA256_BYTES])
{
    struct limit_hits hits = {.set = 0};
    struct mail_field fields[] = {sign_field_of(aar), sign_field_of(ams), sign_field_of(seal)};
    struct arc_set set = {.aar = &fields[0], .ams = {.field = &fields[1]}};
    dkim_signature_parse(&fields[2], DKIM_ARC_SEAL, chain->arena, &hits, NULL, &set.seal);
    if (set.seal.result != RESULT_UNSET)
        return set.seal.reason;
    return hash_sets(chain, options->cv, &set, out) ? NULL : "cannot_hash";
}

static void append_seal_tags(const struct arc_judgement *chain, const struct seal_options *options,
                             struct buffer *out)
{
    buffer_printf(out, "ARC-Seal: i=%u; a=%s; cv=%s;\r\n\td=", chain->count + 1,
                  sign_algorithm(options->sign.key), seal_cv_word(options->cv));
    buffer_append(out, options->sign.domain);
    buffer_append_string(out, "; s=");
    buffer_append(out, options->sign.selector);
    if (options->sign.t)
        buffer_printf(out, "; t=%lld", (long long)options->sign.t);
    buffer_append_string(out, ";\r\n\tb=");
}

static const char *sign_seal(const struct arc_judgement *chain, const struct seal_options *options,
                             struct span aar, struct span ams, struct buffer *out)
{
    uint8_t digest[SHA256_BYTES];
    struct buffer draft, signature;
    buffer_init(&draft, SIGN_FIELD_BYTES);
    buffer_init(&signature, SIGN_FIELD_BYTES);
    append_seal_tags(chain, options, &draft);
    size_t tags = draft.n;
    buffer_append_string(&draft, "AAAA\r\n"); /* as in sign_field */
    const char *fault = draft.failed ? "no_memory" : NULL;
    if (!fault)
        fault = hash_seal(chain, options, aar, ams, buffer_span(&draft), digest);
    if (!fault && !private_key_sign(options->sign.key, digest, &signature))
        fault = "cannot_sign";
    if (!fault) {
        buffer_append(out, span_slice(buffer_span(&draft), 0, tags));
        sign_append_b(buffer_span(&signature), out);
    }
    buffer_fini(&draft);
    buffer_fini(&signature);
    return fault;
}

static const char *sign_ams(struct sign_message *message, const struct seal_options *options,
                            uint32_t instance, struct buffer *out)
{
    struct buffer prefix;
    buffer_init(&prefix, SIGN_FIELD_BYTES);
    buffer_printf(&prefix, "ARC-Message-Signature: i=%u; ", instance);
    const char *fault =
        sign_append_tags(message, &options->sign, DKIM_ARC_MESSAGE_SIGNATURE, &prefix);
    if (!fault)
        fault = sign_field(&message->header, buffer_span(&prefix), DKIM_ARC_MESSAGE_SIGNATURE,
                           options->sign.key, message->arena, out);
    buffer_fini(&prefix);
    return fault;
}

static const char *sign_set(struct sign_message *message, const struct seal_options *options,
                            const struct arc_judgement *chain, struct buffer *out)
{
    struct buffer aar, ams;
    buffer_init(&aar, SIGN_FIELD_BYTES);
    buffer_init(&ams, SIGN_FIELD_BYTES);
    buffer_printf(&aar, "ARC-Authentication-Results: i=%u; ", chain->count + 1);
    const char *fault = sign_results_append(options->results, &aar);
    if (!fault)
        fault = sign_ams(message, options, chain->count + 1, &ams);
    if (!fault)
        fault = sign_seal(chain, options, buffer_span(&aar), buffer_span(&ams), out);
    buffer_append(out, buffer_span(&ams));
    buffer_append(out, buffer_span(&aar));
    buffer_fini(&aar);
    buffer_fini(&ams);
    return fault ? fault : out->failed ? "no_memory" : NULL;
}

const char *sign_arc(struct sign_message *message, const struct seal_options *options,
                     struct buffer *out)
{
    struct arc_judgement chain = {.arena = message->arena, .hits = &message->hits};
    if (!arc_chain_read(&chain, &message->header))
        return "no_memory";
    const char *fault = check_chain(&chain, options->cv);
    return fault ? fault : sign_set(message, options, &chain, out);
}
