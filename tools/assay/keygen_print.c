/* The record of `assay keygen`: a zone file's line, one string, nsupdate's lines, JSON. */
#include "keygen.h"
#include "verdict/json.h"

enum
{
    LINE_BYTES = 64 * 1024,
};

static void print_span(struct span text)
{
    fwrite(text.p, 1, text.n, stdout);
    putchar('\n');
}

static void print_zone(const struct keygen *k)
{
    printf("%s. %llu IN TXT", k->name_text, (unsigned long long)k->ttl);
    print_span(buffer_span(&k->zone_rdata));
}

static void print_nsupdate(const struct keygen *k)
{
    printf("update add %s. %llu IN TXT", k->name_text, (unsigned long long)k->ttl);
    print_span(buffer_span(&k->zone_rdata));
    puts("send");
}

static void print_text(const struct keygen *k)
{
    const char *format = k->format ? k->format : "all";
    bool all = strcmp(format, "all") == 0;
    if (all && !k->from)
        printf("; private key: %s (mode 0600%s)\n", k->out, k->encrypt ? ", encrypted" : "");
    if (all)
        puts("; for a zone file");
    if (all || strcmp(format, "zone") == 0)
        print_zone(k);
    if (all)
        printf("; for a panel: type TXT, name %s, value:\n", k->name_text);
    if (all || strcmp(format, "string") == 0)
        print_span(buffer_span(&k->record));
    if (all)
        puts("; for nsupdate");
    if (all || strcmp(format, "nsupdate") == 0)
        print_nsupdate(k);
}

static void write_strings(struct jsonw *json, struct span text)
{
    jsonw_array_open(json, "strings");
    do {
        size_t n = text.n < 255 ? text.n : 255;
        jsonw_span(json, NULL, span_slice(text, 0, n));
        text = span_skip(text, n);
    } while (text.n);
    jsonw_array_close(json);
}

/* PREFIX name. TTL IN TXT "..." ... */
static void write_line(struct jsonw *json, const char *key, const char *prefix,
                       const struct keygen *k)
{
    struct buffer line;
    buffer_init(&line, LINE_BYTES);
    buffer_append_string(&line, prefix);
    buffer_append_string(&line, k->name_text);
    buffer_printf(&line, ". %llu IN TXT", (unsigned long long)k->ttl);
    buffer_append(&line, buffer_span(&k->zone_rdata));
    jsonw_span(json, key, buffer_span(&line));
    buffer_fini(&line);
}

static int print_object(const struct keygen *k)
{
    struct buffer out;
    struct jsonw json;
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
    jsonw_uint(&json, "ttl", k->ttl);
    jsonw_span(&json, "record", buffer_span(&k->record));
    write_strings(&json, buffer_span(&k->record));
    write_line(&json, "zone", "", k);
    jsonw_array_open(&json, "nsupdate");
    write_line(&json, NULL, "update add ", k);
    jsonw_string(&json, NULL, "send");
    jsonw_array_close(&json);
    jsonw_object_close(&json);
    return print_json(&out);
}

int keygen_print(const struct keygen *k)
{
    if (k->json)
        return print_object(k);
    print_text(k);
    return STATUS_OK;
}
