#include "signing.h"

#include <time.h>

#include "published.h"

enum
{
    FIELDS_BYTES = 2 * 1024 * 1024,
};

void signing_init(struct signing *signing)
{
    *signing = (struct signing){0};
    arena_init(&signing->arena, MAX_ARENA_BYTES);
    buffer_init(&signing->fields, FIELDS_BYTES);
}

void signing_free(struct signing *signing)
{
    mail_file_free(&signing->file);
    arena_fini(&signing->arena);
    buffer_fini(&signing->fields);
}

/* A body that the way may still change is told, not refused: the sender's software makes it. */
static void advise_on_body(const struct signing *signing)
{
    struct simd_octets octets = {0};
    mail_octets_count(&octets, signing->message.body);
    if (mail_octets_bare_cr(&octets) || mail_octets_bare_lf(&octets))
        complain("note: %s: the body has a CR or LF alone, which mail servers may change on the "
                 "way",
                 signing->file.name);
}

int signing_read(struct signing *signing, const struct operands *operands)
{
    if (operands->count > 1) {
        complain("%s: one message at a time", operands->texts[1]);
        return STATUS_USAGE;
    }
    int status = mail_file_read(operands->count ? operands->texts[0] : NULL, &signing->file);
    if (status)
        return status;
    const char *fault =
        sign_message_read(&signing->message, buffer_span(&signing->file.crlf), &signing->arena);
    if (fault)
        return signing_refused(signing, fault);
    advise_on_body(signing);
    return STATUS_OK;
}

static bool read_canon(const char *text, size_t n, enum canon *canon)
{
    struct span word = span_of(text, n);
    *canon = span_equal(word, SPAN("relaxed")) ? CANON_RELAXED : CANON_SIMPLE;
    return *canon == CANON_RELAXED || span_equal(word, SPAN("simple"));
}

/* c= of RFC 6376 3.5: one word alone is that of the header, the body's is then simple. */
static bool read_canons(const char *text, struct sign_options *out)
{
    out->header_canon = CANON_RELAXED;
    out->body_canon = CANON_RELAXED;
    if (!text)
        return true;
    size_t slash = strcspn(text, "/");
    const char *body = text[slash] ? text + slash + 1 : "simple";
    if (read_canon(text, slash, &out->header_canon) &&
        read_canon(body, strlen(body), &out->body_canon))
        return true;
    complain("-c: \"%s\" is no canonicalization: relaxed or simple, a slash, relaxed or simple",
             text);
    return false;
}

int signing_fill(const struct signing_options *options, const struct signer *signer,
                 struct sign_options *out)
{
    *out = (struct sign_options){
        .domain = span_from_string(signer->domain),
        .selector = span_from_string(signer->selector),
        .identity = signer->identity,
        .key = signer->key,
        .names = span_from_string(options->headers),
        .t = options->now ? (int64_t)options->now : (int64_t)time(NULL),
    };
    return read_canons(options->canon, out) ? STATUS_OK : STATUS_USAGE;
}

static int check_published(const struct options *shared, const struct signer *signer)
{
    int status = STATUS_OK;
    char name[DNS_NAME_TEXT_MAX];
    struct published published;
    struct arena arena;
    struct assay_engine *engine = options_open_engine(shared, &status);
    if (!engine)
        return status;
    arena_init(&arena, MAX_ARENA_BYTES);
    published_look_up(engine, &signer->name, signer->key, &arena, &published);
    dns_name_text(&signer->name, name);
    if (published.status)
        complain("%s: not signed: %s", name, published_text(published.problem));
    else if (published.testing)
        complain("note: %s: %s", name, published_text("testing"));
    arena_fini(&arena);
    assay_engine_close(&engine);
    return (int)published.status;
}

int signing_open_key(struct signing_options *options, const struct options *shared,
                     struct signer *signer)
{
    int status = signer_open(signer, &options->keys);
    if (status || !options->check)
        return status;
    return check_published(shared, signer);
}

/* Where not the message is to blame. */
static const struct
{
    const char *word;
    enum exit_status status;
} statuses[] = {
    {"no_memory", STATUS_SOFTWARE},       {"arena_full", STATUS_SOFTWARE},
    {"cannot_hash", STATUS_SOFTWARE},     {"cannot_sign", STATUS_SOFTWARE},
    {"bad_names", STATUS_USAGE},          {"from_not_signed", STATUS_USAGE},
    {"chain_field_signed", STATUS_USAGE}, {"expiration_before_signing", STATUS_USAGE},
    {"bad_identity", STATUS_USAGE},       {"identity_outside_domain", STATUS_USAGE},
    {"bad_results", STATUS_USAGE},        {"chain_is_broken", STATUS_USAGE},
    {"no_chain", STATUS_USAGE},           {"chain_is_there", STATUS_USAGE},
    {"chain_failed", STATUS_PROBLEM},     {"too_many_arc_sets", STATUS_PROBLEM},
};

int signing_refused(const struct signing *signing, const char *reason)
{
    complain("%s: %s", signing->file.name, sign_reason_text(reason));
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (strcmp(statuses[i].word, reason) == 0)
            return (int)statuses[i].status;
    return STATUS_BAD_INPUT;
}
