/*
 * assay testkey: published keys as a verifier finds them, and whether the private keys fit.
 */
#include "published.h"
#include "sign/key_file.h"
#include "signers.h"
#include "verdict/json.h"

struct testkey
{
    struct flag_texts domains, selectors, key_files;
    const char *key_table;
    struct private_keys keys;
    bool strict;
    struct options shared; /* dns, resolver, json */
};

#define AT(member) offsetof(struct testkey, member)

const struct flag testkey_flags[] = {
    {"domain", 'd', FLAG_TEXTS, "NAME", "the domain that signs (d=)", AT(domains), 0},
    {"selector", 's', FLAG_TEXTS, "NAME", "the name of the key (s=); may stand several times",
     AT(selectors), 0},
    {"key", 'k', FLAG_TEXTS, "FILE", "its private key, to compare with; as often as -s",
     AT(key_files), 0},
    {"key-table", 0, FLAG_TEXT, "TABLE", "test every key of this opendkim KeyTable", AT(key_table),
     0},
    {"strict", 0, FLAG_SET, NULL, "warnings count as problems", AT(strict), 0},
    PRIVATE_KEYS_FLAGS(testkey, keys),
    DNS_FLAGS(testkey, shared),
    {"json", 0, FLAG_SET, NULL, "one JSON object a line", AT(shared.json), 0},
    {0},
};

/* What was found out about one key. */
struct tested
{
    const struct signer *signer;
    struct published published;
    const char *key_fault; /* why the key file is not safe, or was not opened; NULL */
    int key_status;        /* of opening the private key */
    int status;
};

static const char *result_of(const struct tested *tested)
{
    if (tested->status == STATUS_OK)
        return "good";
    return tested->status == STATUS_UNAVAILABLE ? "unanswered" : "problem";
}

static const char *type_word(const struct published *published)
{
    return published->type == KEY_ED25519 ? "ed25519" : published->type == KEY_RSA ? "rsa" : NULL;
}

static void print_for_people(const struct tested *tested)
{
    const struct published *p = &tested->published;
    char name[DNS_NAME_TEXT_MAX];
    printf("%s: %s", dns_name_text(&p->name, name), result_of(tested));
    if (p->has_record && p->bits)
        printf(", %s, %u bits", type_word(p), p->bits);
    if (p->problem)
        printf(", %s", published_text(p->problem));
    if (p->matches)
        printf(", fits %s", tested->signer->label);
    if (p->no_subdomains)
        fputs(", i= in the domain itself only (t=s)", stdout);
    putchar('\n');
    for (uint32_t i = 0; i < p->warning_count; i++)
        printf("    warning: %s\n", published_text(p->warnings[i]));
    if (tested->key_fault)
        printf("    %s: %s\n", tested->signer->label, tested->key_fault);
}

static void write_published(struct jsonw *json, const struct published *p)
{
    jsonw_string(json, "problem", p->problem);
    jsonw_array_open(json, "warnings");
    for (uint32_t i = 0; i < p->warning_count; i++)
        jsonw_string(json, NULL, p->warnings[i]);
    jsonw_array_close(json);
    jsonw_string(json, "type", p->has_record ? type_word(p) : NULL);
    if (p->bits)
        jsonw_uint(json, "bits", p->bits);
    else
        jsonw_null(json, "bits");
    jsonw_bool(json, "testing", p->testing);
    jsonw_bool(json, "no_subdomains", p->no_subdomains);
    jsonw_uint(json, "records", p->records);
    jsonw_uint(json, "ttl", p->ttl);
    if (p->text.n)
        jsonw_span(json, "record", p->text);
    else
        jsonw_null(json, "record");
}

static int print_object(const struct tested *tested)
{
    struct buffer out;
    struct jsonw json;
    const struct published *p = &tested->published;
    buffer_init(&out, MAX_JSON_BYTES);
    jsonw_begin(&json, &out);
    jsonw_object_open(&json, NULL);
    jsonw_int(&json, "v", 1);
    jsonw_name(&json, "name", &p->name);
    jsonw_string(&json, "domain", tested->signer->domain);
    jsonw_string(&json, "selector", tested->signer->selector);
    jsonw_string(&json, "result", result_of(tested));
    write_published(&json, p);
    jsonw_string(&json, "key_file", tested->signer->label);
    jsonw_string(&json, "key_file_fault", tested->key_fault);
    if (p->compared)
        jsonw_bool(&json, "matches", p->matches);
    else
        jsonw_null(&json, "matches");
    jsonw_object_close(&json);
    return print_json(&out);
}

/* complain() has told more; here for those who read the line or the object alone. */
static const char *not_opened(int key_status)
{
    switch (key_status) {
    case STATUS_NO_INPUT:
        return "cannot be read, so it was not compared";
    case STATUS_BAD_INPUT:
        return "is no private key, so it was not compared";
    case STATUS_NO_PERMISSION:
        return "was not opened without its passphrase, so it was not compared";
    default:
        return "was not opened, so it was not compared";
    }
}

/* A loose mode is told as a finding, so the file is read all the same. */
static void open_key(struct testkey *t, struct signer *signer, struct tested *tested)
{
    struct private_keys keys = t->keys;
    if (!signer->label)
        return;
    if (!t->keys.accept_loose)
        tested->key_fault =
            key_file_looseness(signer_has_file(signer) ? signer->label : signer->table);
    keys.accept_loose = true;
    tested->key_status = signer_open(signer, &keys);
    if (tested->key_status)
        tested->key_fault = not_opened(tested->key_status);
    t->keys.passphrase = keys.passphrase; /* it may have been asked for */
    private_keys_end(&keys);
}

/* 1 for what is wrong with the key, 69 for no answer; a private key that cannot be opened has its
 * own status. */
static int judge(const struct testkey *t, const struct tested *tested)
{
    if (tested->key_status)
        return tested->key_status;
    if (tested->published.status == STATUS_OK &&
        (tested->key_fault || (t->strict && tested->published.warning_count)))
        return STATUS_PROBLEM;
    return (int)tested->published.status;
}

static int test_one(struct testkey *t, struct assay_engine *engine, struct signer *signer)
{
    struct arena arena;
    struct tested tested = {.signer = signer};
    arena_init(&arena, MAX_ARENA_BYTES);
    open_key(t, signer, &tested);
    published_look_up(engine, &signer->name, signer->key, &arena, &tested.published);
    tested.status = judge(t, &tested);
    int printed = STATUS_OK;
    if (t->shared.json)
        printed = print_object(&tested);
    else
        print_for_people(&tested);
    private_key_free(&signer->key);
    arena_fini(&arena);
    return printed ? printed : tested.status;
}

/* The exit status for all: a problem before no answer before trouble with a private key. */
static int worse(int a, int b)
{
    static const int order[] = {STATUS_PROBLEM, STATUS_UNAVAILABLE};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a ? a : b;
}

static int read_signers(const struct testkey *t, struct signers *signers)
{
    if (!t->key_table)
        return signers_from_options(signers, &t->domains, &t->selectors, &t->key_files, true);
    if (t->selectors.count || t->key_files.count || t->domains.count > 1) {
        complain("--key-table has selectors and keys: of -d, -s and -k only one -d goes with it");
        return STATUS_USAGE;
    }
    int status = signers_read_tables(signers, t->key_table, NULL);
    if (!status)
        status = signers_from_key_table(signers, t->domains.texts[0]);
    if (!status && signers->count == 0) {
        complain("%s: there is no key in this table", signers->key_label);
        status = STATUS_CONFIG;
    }
    return status;
}

static int test_all(struct testkey *t, struct signers *signers)
{
    int status = read_signers(t, signers);
    if (!status)
        status = private_keys_begin(&t->keys);
    if (status)
        return status;
    struct assay_engine *engine = options_open_engine(&t->shared, &status);
    if (!engine)
        return status;
    for (uint32_t i = 0; i < signers->count; i++)
        status = worse(status, test_one(t, engine, &signers->signers[i]));
    assay_engine_close(&engine);
    return status;
}

int command_testkey(int argc, char **argv)
{
    static struct testkey t; /* large; a process runs one command */
    struct operands operands;
    struct signers signers;
    if (!flags_read(argc, argv, testkey_flags, &t, &operands))
        return STATUS_USAGE;
    if (operands.count) {
        complain("%s: testkey takes options only; `assay help testkey` lists them",
                 operands.texts[0]);
        return STATUS_USAGE;
    }
    if (!options_check_source(&t.shared))
        return STATUS_USAGE;
    signers_init(&signers);
    int status = test_all(&t, &signers);
    signers_free(&signers);
    private_keys_end(&t.keys);
    return status;
}
