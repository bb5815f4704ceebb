/* assay record dkim: the TXT record of a key that is there already, or of one that is given up. */
#include "dkim/key_record.h"
#include "compose.h"
#include "sign/key_file.h"
#include "sign/publish.h"

int compose_check_selector(struct compose *c, const char *option, const char *text)
{
    enum dns_name_error wrong = dns_name_from_domain(&c->selector_name, span_from_string(text));
    if (!wrong)
        return STATUS_OK;
    complain("--%s: \"%s\" is no selector: %s", option, text, dns_name_error_word(wrong));
    return STATUS_USAGE;
}

int compose_check_note(struct compose *c, const char *option, const char *text)
{
    (void)c;
    if (strlen(text) <= PUBLISH_NOTE_MAX)
        return STATUS_OK;
    complain("--%s: more than %d bytes", option, PUBLISH_NOTE_MAX);
    return STATUS_USAGE;
}

static bool is_public(struct span pem)
{
    static const char mark[] = "PUBLIC KEY-----";
    return pem.n && memmem(pem.p, pem.n, mark, sizeof mark - 1);
}

static int read_public(struct compose *c, const char *path, struct span pem)
{
    const char *word = NULL;
    buffer_reset(&c->key);
    if (public_key_pem(pem, &c->key_type, &c->key, &word))
        return STATUS_OK;
    complain("%s: %s", path,
             strcmp(word, "unsupported_key") == 0
                 ? "the key is neither RSA of 1024 to 8192 bits nor Ed25519"
                 : "this is no public key in PEM form");
    return STATUS_BAD_INPUT;
}

static int read_private(struct compose *c, const char *path)
{
    struct private_key *key = NULL;
    buffer_reset(&c->key);
    int status = private_keys_begin(&c->keys);
    if (!status)
        status = private_keys_open(&c->keys, path, &key);
    if (!status && !private_key_public(key, &c->key)) {
        complain("no memory for the key");
        status = STATUS_SOFTWARE;
    }
    if (!status)
        c->key_type = private_key_type(key);
    private_key_free(&key);
    private_keys_end(&c->keys);
    return status;
}

int compose_check_key(struct compose *c, const char *option, const char *text)
{
    struct buffer pem;
    char error[KEY_FILE_ERROR_MAX];
    (void)option;
    enum key_file_status read = key_file_bytes(text, KEY_FILE_BYTES_MAX, &pem, error);
    if (read) {
        complain("%s", error);
        return read == KEY_FILE_UNREADABLE ? STATUS_NO_INPUT : STATUS_SOFTWARE;
    }
    bool public = is_public(buffer_span(&pem));
    int status = public ? read_public(c, text, buffer_span(&pem)) : STATUS_OK;
    key_file_wipe(&pem);
    return public ? status : read_private(c, text);
}

static int write_text(struct compose *c)
{
    struct publish_options options = {
        .only_email = c->restrict_to != NULL,
        .no_subdomains = c->no_subdomains,
        .testing = c->testing,
        .note = span_from_string(c->note),
    };
    const char *fault = publish_public(c->key_type, buffer_span(&c->key), &options, &c->text);
    if (!fault)
        return STATUS_OK;
    complain("the record cannot be made: %s", fault);
    return STATUS_SOFTWARE;
}

/* What was written must be what verifiers call revoked (DV-33). */
static int write_revoked(struct compose *c)
{
    struct limit_hits hits = {.set = 0};
    struct dkim_key_record parsed;
    buffer_append_string(&c->text, PUBLISH_REVOKED);
    dkim_key_record_parse(buffer_span(&c->text), &hits, &parsed);
    bool revoked = parsed.reason && strcmp(parsed.reason, "revoked") == 0;
    dkim_key_record_fini(&parsed);
    if (revoked)
        return STATUS_OK;
    complain("no memory for the record");
    return STATUS_SOFTWARE;
}

static const char *idle_with_revoke(const struct compose *c)
{
    if (c->from)
        return "--from";
    if (c->restrict_to)
        return "--restrict";
    if (c->note)
        return "--note";
    if (c->testing)
        return "--testing";
    return c->no_subdomains ? "--no-subdomains" : NULL;
}

int compose_make_dkim(struct compose *c)
{
    struct dns_name name;
    const char *idle = c->revoke ? idle_with_revoke(c) : NULL;
    if (idle) {
        complain("--revoke and %s exclude each other: the record of a revoked key is empty", idle);
        return STATUS_USAGE;
    }
    if (!c->revoke && !c->from) {
        complain("record dkim wants a key (--from FILE) or --revoke; `assay keygen` makes one");
        return STATUS_USAGE;
    }
    if (!publish_name(&c->selector_name, &c->domain_name, &name)) {
        complain("selector and domain are too long together: a name has 253 bytes at most");
        return STATUS_USAGE;
    }
    compose_set_name(c, &name);
    return c->revoke ? write_revoked(c) : write_text(c);
}
