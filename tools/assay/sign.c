/*
 * assay sign: DKIM signatures on top of a message. Nothing is printed unless all of them are made.
 */
#include "mail/address.h"
#include "output_file.h"
#include "signing.h"
#include "verdict/json.h"

struct sign
{
    struct flag_texts domains, selectors, key_files;
    const char *key_table, *signing_table, *identity;
    bool all_matches;
    uint64_t expires_in;
    struct signing_options signing;
    struct options shared; /* dns, resolver, json */
};

#define AT(member) offsetof(struct sign, member)

const struct flag sign_flags[] = {
    {"domain", 'd', FLAG_TEXTS, "NAME", "the domain that signs (d=)", AT(domains), 0},
    {"selector", 's', FLAG_TEXTS, "NAME", "the name of the key (s=)", AT(selectors), 0},
    {"key", 'k', FLAG_TEXTS, "FILE", "its private key in PEM form", AT(key_files), 0},
    {"key-table", 0, FLAG_TEXT, "TABLE", "opendkim's KeyTable, with ...", AT(key_table), 0},
    {"signing-table", 0, FLAG_TEXT, "TABLE", "... its SigningTable, in place of -d, -s and -k",
     AT(signing_table), 0},
    {"all-matches", 0, FLAG_SET, NULL,
     "every row of the SigningTable that fits signs, not\nonly the first (MultipleSignatures)",
     AT(all_matches), 0},
    {"identity", 'i', FLAG_TEXT, "ADDR", "i=: user@domain or @domain, within the signing domain",
     AT(identity), 0},
    {"expires-in", 0, FLAG_DURATION, "TIME",
     "x=: 3600, 12h, 7d ... after the signing; default: "
     "never",
     AT(expires_in), UINT64_C(99999999999)},
    SIGNING_FLAGS(sign, signing),
    DNS_FLAGS(sign, shared),
    {"json", 0, FLAG_SET, NULL, "one JSON object with the fields, not the message", AT(shared.json),
     0},
    {0},
};

/* The first address of From: who the SigningTable is asked for. */
static int read_author(struct signing *signing, struct span *local, struct dns_name *domain)
{
    struct mail_from from;
    struct sign_message *message = &signing->message;
    mail_from_read(&message->header, &signing->arena, &message->anomalies, &message->hits, &from);
    const char *fault = from.reason ? from.reason : "from_malformed";
    if (from.state == MAIL_FROM_OK && from.list.count) {
        *local = from.list.addresses[0].local;
        if (dns_name_from_domain(domain, from.list.addresses[0].domain) == DNS_NAME_OK)
            return STATUS_OK;
        fault = "bad_domain";
    }
    complain("%s: no author can be read from From, so no row of the SigningTable: %s",
             signing->file.name, fault);
    return STATUS_BAD_INPUT;
}

static int choose_by_tables(const struct sign *s, struct signing *signing, struct signers *signers)
{
    struct span local;
    struct dns_name domain;
    char text[DNS_NAME_TEXT_MAX];
    int status = signers_read_tables(signers, s->key_table, s->signing_table);
    if (!status)
        status = read_author(signing, &local, &domain);
    if (status)
        return status;
    status = signers_for_author(signers, local, &domain, s->all_matches);
    if (status == STATUS_PROBLEM)
        complain("%s: not signed: no row of the SigningTable is for an author of %s",
                 signing->file.name, dns_name_text(&domain, text));
    return status;
}

static int choose_signers(const struct sign *s, struct signing *signing, struct signers *signers)
{
    bool tables = s->key_table || s->signing_table;
    bool names = s->domains.count || s->selectors.count || s->key_files.count;
    if (tables && (names || !s->key_table || !s->signing_table)) {
        complain("--key-table and --signing-table go together, and without -d, -s and -k");
        return STATUS_USAGE;
    }
    int status =
        tables ? choose_by_tables(s, signing, signers)
               : signers_from_options(signers, &s->domains, &s->selectors, &s->key_files, false);
    for (uint32_t i = 0; !status && s->identity && i < signers->count; i++)
        signers->signers[i].identity = span_from_string(s->identity);
    return status;
}

static int sign_with(struct sign *s, struct signing *signing, struct signer *signer)
{
    struct sign_options options;
    int status = signing_open_key(&s->signing, &s->shared, signer);
    if (!status)
        status = signing_fill(&s->signing, signer, &options);
    if (status)
        return status;
    if (s->expires_in)
        options.x = options.t + (int64_t)s->expires_in;
    const char *fault = sign_dkim(&signing->message, &options, &signing->fields);
    return fault ? signing_refused(signing, fault) : STATUS_OK;
}

static int write_object(const struct signing *signing, const struct signers *signers,
                        const char *out_path)
{
    struct buffer out;
    struct jsonw json;
    buffer_init(&out, 2 * MAX_JSON_BYTES);
    jsonw_begin(&json, &out);
    jsonw_object_open(&json, NULL);
    jsonw_int(&json, "v", 1);
    jsonw_string(&json, "file", signing->file.name);
    jsonw_array_open(&json, "signatures");
    for (uint32_t i = 0; i < signers->count; i++) {
        const struct signer *signer = &signers->signers[i];
        jsonw_object_open(&json, NULL);
        jsonw_string(&json, "domain", signer->domain);
        jsonw_string(&json, "selector", signer->selector);
        jsonw_string(&json, "algorithm",
                     private_key_type(signer->key) == KEY_RSA ? "rsa-sha256" : "ed25519-sha256");
        jsonw_uint(&json, "key_bits", private_key_bits(signer->key));
        jsonw_object_close(&json);
    }
    jsonw_array_close(&json);
    jsonw_span(&json, "fields", buffer_span(&signing->fields));
    jsonw_object_close(&json);
    return output_json(out_path, &out);
}

static int sign_message(struct sign *s, const struct operands *operands, struct signing *signing,
                        struct signers *signers)
{
    int status = signing_read(signing, operands);
    if (!status)
        status = private_keys_begin(&s->signing.keys);
    if (!status)
        status = choose_signers(s, signing, signers);
    for (uint32_t i = 0; !status && i < signers->count; i++)
        status = sign_with(s, signing, &signers->signers[i]);
    if (status)
        return status;
    if (s->shared.json)
        return write_object(signing, signers, s->signing.out);
    return mail_file_write(&signing->file, buffer_span(&signing->fields), s->signing.header_only,
                           s->signing.out);
}

int command_sign(int argc, char **argv)
{
    static struct sign s; /* large; a process runs one command */
    struct operands operands;
    struct signing signing;
    struct signers signers;
    if (!flags_read(argc, argv, sign_flags, &s, &operands) || !options_check_source(&s.shared))
        return STATUS_USAGE;
    signing_init(&signing);
    signers_init(&signers);
    int status = sign_message(&s, &operands, &signing, &signers);
    signers_free(&signers);
    signing_free(&signing);
    private_keys_end(&s.signing.keys);
    return status;
}
