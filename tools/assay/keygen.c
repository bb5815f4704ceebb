/*
 * assay keygen: a key pair for DKIM or ARC, and the record that publishes it.
 *
 * The private key goes to a file of mode 0600 that appears whole or not at all; the record goes to
 * standard output in the forms that people need.
 */
#include <sys/stat.h>

#include "keygen.h"
#include "output_file.h"
#include "sign/key_file.h"
#include "sign/publish.h"

enum
{
    DEFAULT_BITS = 2048, /* DS-1, RFC 8301 3.2 */
    TEXT_BYTES = 64 * 1024,
};

#define AT(member) offsetof(struct keygen, member)

const struct flag keygen_flags[] = {
    {"domain", 'd', FLAG_TEXT, "NAME", "the domain that signs (d=)", AT(domain), 0},
    {"selector", 's', FLAG_TEXT, "NAME", "the name of this key (s=)", AT(selector), 0},
    {"type", 't', FLAG_WORD, "rsa|ed25519", "default rsa", AT(type), 0},
    {"bits", 'b', FLAG_NUMBER, "N", "size of an RSA key, 1024 to 8192; default 2048", AT(bits),
     MAX_RSA_BITS_MAX},
    {"out", 'o', FLAG_TEXT, "FILE",
     "the private key's file, mode 0600;\ndefault: SELECTOR._domainkey.DOMAIN.pem", AT(out), 0},
    {"force", 'f', FLAG_SET, NULL, "replace a file that is there", AT(force), 0},
    {"encrypt", 0, FLAG_SET, NULL,
     "encrypt the private key; asks for the passphrase twice\nunless one of the next two gives it",
     AT(encrypt), 0},
    PRIVATE_KEYS_FLAGS(keygen, keys),
    {"from", 0, FLAG_TEXT, "FILE", "make no key: print the record of this private key", AT(from),
     0},
    {"restrict", 0, FLAG_WORD, "email", "the key is for mail alone (s=email)", AT(restrict_to), 0},
    {"no-subdomains", 0, FLAG_SET, NULL, "i= must be in the domain itself (t=s)", AT(no_subdomains),
     0},
    {"testing", 0, FLAG_SET, NULL, "receivers shall treat mail as not signed (t=y)", AT(testing),
     0},
    {"note", 0, FLAG_TEXT, "TEXT", "a note for people in the record (n=)", AT(note), 0},
    {"ttl", 0, FLAG_DURATION, "TIME", "of the record; default 1h", AT(ttl), INT32_MAX},
    {"format", 0, FLAG_WORD, TXT_FORMATS, "default all", AT(format), 0},
    {"json", 0, FLAG_SET, NULL, "one JSON object", AT(json), 0},
    {0},
};

static bool read_name(const char *option, const char *text, struct dns_name *name, char *out)
{
    enum dns_name_error wrong =
        text ? dns_name_from_domain(name, span_from_string(text)) : DNS_NAME_EMPTY;
    if (!wrong) {
        dns_name_text(name, out);
        return true;
    }
    if (text)
        complain("%s: \"%s\" is no domain name: %s", option, text, dns_name_error_word(wrong));
    else
        complain("keygen wants a domain (-d) and a selector (-s); `assay help keygen` tells");
    return false;
}

static bool check_note(const struct keygen *k)
{
    if (!k->note || strlen(k->note) <= PUBLISH_NOTE_MAX)
        return true;
    complain("--note: more than %d bytes", PUBLISH_NOTE_MAX);
    return false;
}

static bool check_combination(const struct keygen *k)
{
    const char *made = k->out ? "--out" : k->type ? "--type" : k->bits ? "--bits" : NULL;
    made = k->encrypt ? "--encrypt" : made;
    if (k->from && made) {
        complain("--from makes no key: %s does not go with it", made);
        return false;
    }
    if (k->out && (*k->out == '\0' || strcmp(k->out, "-") == 0)) {
        complain("--out: \"%s\" is no file: standard output has the record", k->out);
        return false;
    }
    if (k->bits && k->key_type != KEY_RSA) {
        complain("--bits: an Ed25519 key has one size");
        return false;
    }
    if (k->bits && k->bits < MAX_RSA_BITS_MIN) {
        complain("--bits: verifiers refuse RSA keys below 1024 bits (RFC 8301)");
        return false;
    }
    return true;
}

static bool settle(struct keygen *k)
{
    struct dns_name domain, selector;
    if (!read_name("--domain", k->domain, &domain, k->domain_text) ||
        !read_name("--selector", k->selector, &selector, k->selector_text) || !check_note(k))
        return false;
    k->key_type = k->type && strcmp(k->type, "ed25519") == 0 ? KEY_ED25519 : KEY_RSA;
    k->ttl = k->ttl ? k->ttl : TXT_RECORD_TTL;
    if (domain.labels < 2) {
        complain("--domain: \"%s\": a signing domain has two labels at least", k->domain);
        return false;
    }
    if (!publish_name(&selector, &domain, &k->name)) {
        complain("selector and domain are too long together: a name has 253 bytes at most");
        return false;
    }
    dns_name_text(&k->name, k->name_text);
    snprintf(k->default_out, sizeof k->default_out, "%s.pem", k->name_text);
    return check_combination(k);
}

static void advise(const struct keygen *k)
{
    unsigned bits = private_key_bits(k->key);
    if (private_key_type(k->key) != KEY_RSA)
        return;
    if (bits < DEFAULT_BITS)
        complain("note: RFC 8301 recommends 2048 bits, this key has %u", bits);
    if (bits > 4096)
        complain("note: verifiers need not accept more than 4096 bits (RFC 8301), this key has %u",
                 bits);
}

static int get_passphrase(struct keygen *k)
{
    if (!k->encrypt || k->keys.passphrase.known)
        return STATUS_OK;
    return passphrase_ask("Passphrase for the new key: ", "The same again: ", &k->keys.passphrase);
}

static int write_key(struct keygen *k)
{
    struct buffer pem;
    buffer_init(&pem, TEXT_BYTES);
    int status = STATUS_SOFTWARE;
    if (!buffer_reserve(&pem, TEXT_BYTES) ||
        !private_key_to_pem(k->key, passphrase_text(&k->keys.passphrase), &pem))
        complain("the key could not be written as PEM");
    else
        status = output_file_write(k->out, buffer_span(&pem), true, k->force);
    key_file_wipe(&pem);
    return status;
}

static int make_key(struct keygen *k)
{
    struct stat there;
    if (!k->out)
        k->out = k->default_out;
    if (!k->force && lstat(k->out, &there) == 0) {
        complain("%s: is there already; --force replaces it", k->out);
        return STATUS_CANNOT_CREATE;
    }
    int status = get_passphrase(k);
    if (status)
        return status;
    k->key = private_key_generate(k->key_type, k->bits ? (unsigned)k->bits : DEFAULT_BITS);
    if (k->key)
        return STATUS_OK;
    complain("no key could be made");
    return STATUS_SOFTWARE;
}

static int make_record(struct keygen *k)
{
    struct publish_options options = {
        .only_email = k->restrict_to != NULL,
        .no_subdomains = k->no_subdomains,
        .testing = k->testing,
        .note = span_from_string(k->note),
    };
    const char *fault = publish_record(k->key, &options, &k->record);
    if (!fault)
        return STATUS_OK;
    complain("the record cannot be made: %s", fault);
    return STATUS_SOFTWARE;
}

static int generate(struct keygen *k)
{
    int status = private_keys_begin(&k->keys);
    if (status)
        return status;
    k->encrypt |= !k->from && k->keys.passphrase.known;
    status = k->from ? private_keys_open(&k->keys, k->from, &k->key) : make_key(k);
    if (!status)
        status = make_record(k);
    if (!status && !k->from)
        status = write_key(k);
    if (status)
        return status;
    advise(k);
    return keygen_print(k);
}

int command_keygen(int argc, char **argv)
{
    static struct keygen k; /* large; a process runs one command */
    struct operands operands = {0};
    if (!flags_read(argc, argv, keygen_flags, &k, &operands))
        return STATUS_USAGE;
    if (operands.count) {
        complain("%s: keygen takes options only; `assay help keygen` lists them",
                 operands.texts[0]);
        return STATUS_USAGE;
    }
    if (!settle(&k))
        return STATUS_USAGE;
    buffer_init(&k.record, TEXT_BYTES);
    int status = generate(&k);
    private_key_free(&k.key);
    private_keys_end(&k.keys);
    buffer_fini(&k.record);
    return status;
}
