/* The record of `assay keygen`: a zone file's line, one string, nsupdate's lines, JSON. */
#include "keygen.h"

static struct txt_record record_of(const struct keygen *k)
{
    return (struct txt_record){k->name_text, k->ttl, buffer_span(&k->record), false};
}

static int print_text(const struct keygen *k)
{
    struct buffer out;
    struct txt_record record = record_of(k);
    bool all = !k->format || strcmp(k->format, "all") == 0;
    buffer_init(&out, 4 * TXT_RECORD_BYTES);
    txt_record_lines(&record, k->format, &out);
    bool failed = out.failed;
    if (failed)
        complain("no memory for the record");
    else if (all && !k->from)
        printf("; private key: %s (mode 0600%s)\n", k->out, k->encrypt ? ", encrypted" : "");
    if (!failed)
        fwrite(out.p, 1, out.n, stdout);
    buffer_fini(&out);
    return failed ? STATUS_SOFTWARE : STATUS_OK;
}

static int print_object(const struct keygen *k)
{
    struct buffer out;
    struct jsonw json;
    struct txt_record record = record_of(k);
    buffer_init(&out, MAX_JSON_BYTES);
    jsonw_begin(&json, &out);
    jsonw_object_open(&json, NULL);
    jsonw_int(&json, "v", 1);
    jsonw_string(&json, "domain", k->domain_text);
    jsonw_string(&json, "selector", k->selector_text);
    jsonw_string(&json, "name", k->name_text);
    jsonw_string(&json, "type", private_key_type(k->key) == KEY_RSA ? "rsa" : "ed25519");
    jsonw_uint(&json, "bits", private_key_bits(k->key));
    jsonw_string(&json, "key_file", k->from ? k->from : k->out);
    jsonw_bool(&json, "made", !k->from);
    jsonw_bool(&json, "encrypted", k->keys.passphrase.known);
    txt_record_json(&record, &json);
    jsonw_object_close(&json);
    return print_json(&out);
}

int keygen_print(const struct keygen *k)
{
    return k->json ? print_object(k) : print_text(k);
}
