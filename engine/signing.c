/* The signing calls of assay.h: keys, DKIM signatures, ARC sets. */
#include "signing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sign/key_file.h"
#include "sign/publish.h"

void signing_say(char *error, const char *format, ...)
{
    va_list args;
    if (!error)
        return;
    va_start(args, format);
    vsnprintf(error, ASSAY_ERROR_MAX, format, args);
    va_end(args);
}

void signing_copy_sized(void *to, size_t to_size, const void *from, size_t from_size)
{
    memset(to, 0, to_size);
    if (from)
        memcpy(to, from, from_size < to_size ? from_size : to_size);
}

/* NUL-terminated, the caller's. NULL without memory. */
static char *text_of(struct span s)
{
    char *text = malloc(s.n + 1);
    if (!text)
        return NULL;
    if (s.n)
        memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return text;
}

void assay_text_free(char **text)
{
    free(*text);
    *text = NULL;
}

/* Keys ----------------------------------------------------------------------------------------- */

static struct assay_key *wrap(struct private_key *private, char *error)
{
    struct assay_key *key = calloc(1, sizeof *key);
    if (key) {
        key->key = private;
        return key;
    }
    private_key_free(&private);
    signing_say(error, "no memory");
    return NULL;
}

struct assay_key *assay_key_read(const void *pem, size_t n, const char *passphrase,
                                 char error[ASSAY_ERROR_MAX])
{
    const char *word;
    struct private_key *private = private_key_from_pem(span_of(pem, n), passphrase, &word);
    if (private)
        return wrap(private, error);
    bool locked = strcmp(word, "wrong_passphrase") == 0;
    signing_say(error, "%s",
                locked && passphrase ? "the passphrase is not that of this key"
                : locked             ? "the key is encrypted and no passphrase was given"
                                     : "this is no RSA or Ed25519 private key in PEM form");
    return NULL;
}

struct assay_key *assay_key_open(const char *path, const char *passphrase, int accept_loose_mode,
                                 char error[ASSAY_ERROR_MAX])
{
    struct private_key *private;
    char wrong[KEY_FILE_ERROR_MAX] = "";
    if (key_file_read(path, passphrase, accept_loose_mode != 0, &private, wrong) == KEY_FILE_OK)
        return wrap(private, error);
    signing_say(error, "%s", wrong);
    return NULL;
}

void assay_key_free(struct assay_key **key)
{
    if (!*key)
        return;
    private_key_free(&(*key)->key);
    free(*key);
    *key = NULL;
}

const char *assay_key_algorithm(const struct assay_key *key)
{
    return private_key_type(key->key) == KEY_RSA ? "rsa-sha256" : "ed25519-sha256";
}

unsigned assay_key_bits(const struct assay_key *key)
{
    return private_key_bits(key->key);
}

char *assay_key_record(const struct assay_key *key)
{
    struct buffer record;
    struct publish_options options = {0};
    buffer_init(&record, SIGNED_FIELDS_BYTES);
    const char *fault = publish_record(key->key, &options, &record);
    char *text = fault ? NULL : text_of(buffer_span(&record));
    buffer_fini(&record);
    return text;
}

/* Signing -------------------------------------------------------------------------------------- */

bool signing_work_begin(struct signing_work *work, const void *message, size_t n, char *error)
{
    *work = (struct signing_work){.error = error};
    arena_init(&work->arena, MAX_ARENA_BYTES);
    buffer_init(&work->fields, SIGNED_FIELDS_BYTES);
    const char *fault = sign_message_read(&work->message, span_of(message, n), &work->arena);
    if (fault)
        signing_say(error, "%s", sign_reason_text(fault));
    return fault == NULL;
}

char *signing_work_end(struct signing_work *work, bool ok)
{
    char *text = ok ? text_of(buffer_span(&work->fields)) : NULL;
    if (ok && !text)
        signing_say(work->error, "no memory");
    arena_fini(&work->arena);
    buffer_fini(&work->fields);
    return text;
}

static bool read_name(struct signing_work *work, const char *what, const char *text,
                      struct span *normal)
{
    struct dns_name name;
    char out[DNS_NAME_TEXT_MAX];
    if (!text || dns_name_from_domain(&name, span_from_string(text)) != DNS_NAME_OK) {
        signing_say(work->error, "%s: \"%.100s\" is no domain name", what, text ? text : "");
        return false;
    }
    *normal = arena_copy(&work->arena, span_from_string(dns_name_text(&name, out)));
    if (!normal->p)
        signing_say(work->error, "no memory");
    return normal->p != NULL;
}

bool signing_options_from(struct signing_work *work, const struct assay_signer *signer,
                          const struct private_key *key, struct sign_options *options)
{
    *options = (struct sign_options){
        .identity = span_from_string(signer->identity),
        .key = key,
        .header_canon = signer->simple_header ? CANON_SIMPLE : CANON_RELAXED,
        .body_canon = signer->simple_body ? CANON_SIMPLE : CANON_RELAXED,
        .names = span_from_string(signer->headers),
        .t = signer->signed_at ? signer->signed_at : time(NULL),
        .x = signer->expires_at,
    };
    return read_name(work, "domain", signer->domain, &options->domain) &&
           read_name(work, "selector", signer->selector, &options->selector);
}

bool signing_work_sign(struct signing_work *work, const struct sign_options *options)
{
    const char *fault = sign_dkim(&work->message, options, &work->fields);
    if (fault)
        signing_say(work->error, "%s", sign_reason_text(fault));
    return fault == NULL;
}

static bool sign_as(struct signing_work *work, const struct assay_signer *caller)
{
    struct assay_signer signer;
    struct sign_options options;
    signing_copy_sized(&signer, sizeof signer, caller, caller->size);
    if (!signer.key) {
        signing_say(work->error, "a signer without a key");
        return false;
    }
    return signing_options_from(work, &signer, signer.key->key, &options) &&
           signing_work_sign(work, &options);
}

char *assay_sign(const void *message, size_t n, const struct assay_signer *const *signers,
                 size_t count, char error[ASSAY_ERROR_MAX])
{
    struct signing_work work;
    if (count == 0 || count > SIGNERS_MAX) {
        signing_say(error, "%zu signers: there may be 1 to %d", count, SIGNERS_MAX);
        return NULL;
    }
    bool ok = signing_work_begin(&work, message, n, error);
    for (size_t i = 0; ok && i < count; i++)
        ok = sign_as(&work, signers[i]);
    return signing_work_end(&work, ok);
}

/* Sealing -------------------------------------------------------------------------------------- */

static bool read_cv(const char *text, enum seal_cv *cv)
{
    for (enum seal_cv word = SEAL_CV_NONE; text && word <= SEAL_CV_FAIL; word++) {
        if (strcmp(text, seal_cv_word(word)) != 0)
            continue;
        *cv = word;
        return true;
    }
    return false;
}

static bool seal_as(struct signing_work *work, const struct assay_sealer *sealer)
{
    struct assay_signer signer;
    struct seal_options options = {.results = span_from_string(sealer->results)};
    signing_copy_sized(&signer, sizeof signer, sealer->signer,
                       sealer->signer ? sealer->signer->size : 0);
    if (!signer.key || !read_cv(sealer->cv, &options.cv)) {
        signing_say(work->error, "%s",
                    signer.key ? "cv is none of none, pass, fail" : "a sealer without a key");
        return false;
    }
    if (!signing_options_from(work, &signer, signer.key->key, &options.sign))
        return false;
    options.sign.x = 0;
    const char *fault = sign_arc(&work->message, &options, &work->fields);
    if (fault)
        signing_say(work->error, "%s", sign_reason_text(fault));
    return fault == NULL;
}

char *assay_seal(const void *message, size_t n, const struct assay_sealer *sealer,
                 char error[ASSAY_ERROR_MAX])
{
    struct signing_work work;
    struct assay_sealer copy;
    signing_copy_sized(&copy, sizeof copy, sealer, sealer ? sealer->size : 0);
    bool ok = signing_work_begin(&work, message, n, error) && seal_as(&work, &copy);
    return signing_work_end(&work, ok);
}
