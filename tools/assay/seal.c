/*
 * assay seal: an ARC set on top of a message (RFC 8617 5.1).
 *
 * What the set says is what was found on arrival (AS-3, AS-4): given by --cv and --results, or
 * found now, by judging the message as it came in.
 */
#include <time.h>

#include "output_file.h"
#include "signing.h"
#include "verdict/json.h"

struct seal
{
    struct flag_texts domains, selectors, key_files;
    const char *cv, *results;
    struct signing_options signing;
    struct options shared; /* envelope, dns, resolver, authserv_id, json */
};

#define AT(member) offsetof(struct seal, member)

const struct flag seal_flags[] = {
    {"domain", 'd', FLAG_TEXTS, "NAME", "the domain that seals (d=)", AT(domains), 0},
    {"selector", 's', FLAG_TEXTS, "NAME", "the name of the key (s=)", AT(selectors), 0},
    {"key", 'k', FLAG_TEXTS, "FILE", "its private key in PEM form; RSA of 2048 bits or more",
     AT(key_files), 0},
    {"cv", 0, FLAG_WORD, "none|pass|fail", "the chain on arrival; default: look now", AT(cv), 0},
    {"results", 0, FLAG_TEXT, "TEXT",
     "results on arrival: \"mx.example; arc=none; dkim=pass ...\"\ndefault: our verdict now",
     AT(results), 0},
    {"authserv-id", 0, FLAG_TEXT, "ID", "name in the results; default: the host's",
     AT(shared.authserv_id), 0},
    {"ip", 0, FLAG_ADDRESS, "ADDR", "address of the SMTP client", AT(shared.ip), 0},
    {"helo", 0, FLAG_TEXT, "NAME", "argument of HELO or EHLO", AT(shared.helo), 0},
    {"mail-from", 0, FLAG_TEXT, "ADDR", "reverse-path; '<>' for the null reverse-path",
     AT(shared.mail_from), 0},
    SIGNING_FLAGS(seal, signing),
    DNS_FLAGS(seal, shared),
    {"json", 0, FLAG_SET, NULL, "one JSON object with the fields, not the message", AT(shared.json),
     0},
    {0},
};

/* What was found on arrival. */
struct arrival
{
    enum seal_cv cv;
    struct buffer results;
};

static bool read_cv(const char *text, enum seal_cv *cv)
{
    for (enum seal_cv word = SEAL_CV_NONE; word <= SEAL_CV_FAIL; word++) {
        if (strcmp(text, seal_cv_word(word)) != 0)
            continue;
        *cv = word;
        return true;
    }
    complain("--cv: \"%s\" is none of none, pass, fail", text);
    return false;
}

static enum seal_cv cv_of(enum result result)
{
    if (result == RESULT_NONE)
        return SEAL_CV_NONE;
    return result == RESULT_PASS ? SEAL_CV_PASS : SEAL_CV_FAIL;
}

/* The payload of our Authentication-Results field, folded as it is. */
static bool write_results(const struct verdict *verdict, struct buffer *out)
{
    struct buffer field;
    buffer_init(&field, MAX_JSON_BYTES);
    verdict_write_results_field(verdict, &field);
    size_t name = span_find(buffer_span(&field), ':') + 1;
    if (!field.failed && name <= field.n)
        buffer_append(out, span_skip(buffer_span(&field), name));
    bool ok = !field.failed && !out->failed;
    buffer_fini(&field);
    return ok;
}

/* A chain that fails for want of an answer would be sealed as broken for ever. */
static int take_verdict(const struct seal *s, const struct signing *signing,
                        struct assay_message *message, struct arrival *arrival)
{
    const struct verdict *verdict = &assay_message_internal(message)->verdict;
    enum seal_cv cv = cv_of(verdict->arc->result);
    if (verdict->arc->temporary) {
        complain("%s: not sealed: the DNS gave no answer about the chain's keys",
                 signing->file.name);
        return STATUS_UNAVAILABLE;
    }
    if (s->cv && arrival->cv != cv) {
        complain("%s: --cv says %s and the message now says %s: give --results as found on arrival",
                 signing->file.name, seal_cv_word(arrival->cv), seal_cv_word(cv));
        return STATUS_USAGE;
    }
    arrival->cv = cv;
    if (s->results || write_results(verdict, &arrival->results))
        return STATUS_OK;
    complain("no memory");
    return STATUS_SOFTWARE;
}

static int judge_with(const struct seal *s, struct assay_engine *engine, struct signing *signing,
                      struct arrival *arrival)
{
    struct assay_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = s->shared.ip,
        .helo = s->shared.helo,
        .mail_from = s->shared.mail_from,
        .received_at = (int64_t)s->signing.now,
    };
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_message *message = assay_message_begin(engine, &envelope, error);
    if (!message) {
        complain("%s", error);
        return STATUS_USAGE;
    }
    struct span bytes = buffer_span(&signing->file.crlf);
    enum assay_status fed = assay_message_feed(message, bytes.p, bytes.n);
    enum assay_status ended = assay_message_end(message);
    int status = STATUS_SOFTWARE;
    if (fed == ASSAY_OK && ended == ASSAY_OK)
        status = take_verdict(s, signing, message, arrival);
    else
        complain("%s: could not be judged", signing->file.name);
    assay_message_free(&message);
    return status;
}

static int find_arrival(const struct seal *s, struct signing *signing, struct arrival *arrival)
{
    int status = STATUS_OK;
    if (s->cv && !read_cv(s->cv, &arrival->cv))
        return STATUS_USAGE;
    buffer_append(&arrival->results, span_from_string(s->results));
    if (s->cv && s->results)
        return STATUS_OK;
    struct assay_engine *engine = options_open_engine(&s->shared, &status);
    if (!engine)
        return status;
    status = judge_with(s, engine, signing, arrival);
    assay_engine_close(&engine);
    return status;
}

/* AS-9 */
static void advise(const struct signer *signer)
{
    if (private_key_type(signer->key) != KEY_RSA)
        complain("note: %s: hardly a verifier reads ARC sets sealed with Ed25519", signer->label);
    else if (private_key_bits(signer->key) < 2048)
        complain("note: %s: seals want RSA keys of 2048 bits or more", signer->label);
}

static int write_object(const struct signing *signing, const struct signer *signer,
                        const struct arrival *arrival, const char *out_path)
{
    struct buffer out;
    struct jsonw json;
    buffer_init(&out, 2 * MAX_JSON_BYTES);
    jsonw_begin(&json, &out);
    jsonw_object_open(&json, NULL);
    jsonw_int(&json, "v", 1);
    jsonw_string(&json, "file", signing->file.name);
    jsonw_string(&json, "domain", signer->domain);
    jsonw_string(&json, "selector", signer->selector);
    jsonw_string(&json, "cv", seal_cv_word(arrival->cv));
    jsonw_span(&json, "fields", buffer_span(&signing->fields));
    jsonw_object_close(&json);
    return output_json(out_path, &out);
}

static int seal_with(struct seal *s, struct signing *signing, struct signer *signer,
                     struct arrival *arrival)
{
    struct seal_options options;
    int status = signing_open_key(&s->signing, &s->shared, signer);
    if (!status)
        status = signing_fill(&s->signing, signer, &options.sign);
    if (!status)
        status = find_arrival(s, signing, arrival);
    if (status)
        return status;
    advise(signer);
    options.cv = arrival->cv;
    options.results = buffer_span(&arrival->results);
    const char *fault = sign_arc(&signing->message, &options, &signing->fields);
    if (fault)
        return signing_refused(signing, fault);
    if (s->shared.json)
        return write_object(signing, signer, arrival, s->signing.out);
    return mail_file_write(&signing->file, buffer_span(&signing->fields), s->signing.header_only,
                           s->signing.out);
}

static int seal_message(struct seal *s, const struct operands *operands, struct signing *signing,
                        struct signers *signers)
{
    struct arrival arrival = {0};
    int status = signing_read(signing, operands);
    if (!status)
        status = private_keys_begin(&s->signing.keys);
    if (!status)
        status = signers_from_options(signers, &s->domains, &s->selectors, &s->key_files, false);
    if (!status && signers->count != 1) {
        complain("one key seals: -s and -k stand once");
        status = STATUS_USAGE;
    }
    buffer_init(&arrival.results, MAX_JSON_BYTES);
    if (!status)
        status = seal_with(s, signing, &signers->signers[0], &arrival);
    buffer_fini(&arrival.results);
    return status;
}

int command_seal(int argc, char **argv)
{
    static struct seal s; /* large; a process runs one command */
    struct operands operands;
    struct signing signing;
    struct signers signers;
    if (!flags_read(argc, argv, seal_flags, &s, &operands) || !options_check_source(&s.shared))
        return STATUS_USAGE;
    signing_init(&signing);
    signers_init(&signers);
    int status = seal_message(&s, &operands, &signing, &signers);
    signers_free(&signers);
    signing_free(&signing);
    private_keys_end(&s.signing.keys);
    return status;
}
