/*
 * The calls of assay.h for opendkim's tables.
 *
 * A key is opened at its first use. Keys are found again by the path, or by the base64, that the
 * table has for them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mail/address.h"
#include "sign/key_file.h"
#include "sign/tables.h"
#include "signing.h"

enum
{
    TABLES_ARENA_BYTES = 256 * 1024 * 1024,
    KEY_BUCKETS = 1024,
};

struct opened_key
{
    struct span source;      /* arena */
    struct private_key *key; /* owned */
    struct opened_key *next;
};

struct assay_tables
{
    struct arena arena;
    struct buffer key_text, signing_text;
    struct key_table keys;
    struct signing_table signing;
    char *passphrase; /* owned; NULL: none */
    bool accept_loose, all;
    const char *loose; /* static: why the KeyTable's file is no place for a key; NULL */
    struct opened_key *opened[KEY_BUCKETS]; /* arena */
};

static bool read_text(const char *spec, enum data_set_kind *kind, const char **path,
                      struct buffer *text, char *error)
{
    char wrong[DATA_SET_ERROR_MAX] = "";
    if (!spec)
        signing_say(error, "key_table and signing_table are wanted");
    else if (data_set_spec(spec, kind, path, wrong) && !data_set_read(*path, text, wrong))
        return true;
    else
        signing_say(error, "%s", wrong);
    return false;
}

static bool read_tables(struct assay_tables *tables, const struct assay_tables_config *config,
                        char *error)
{
    char wrong[DATA_SET_ERROR_MAX] = "";
    enum data_set_kind kind;
    const char *path;
    if (!read_text(config->key_table, &kind, &path, &tables->key_text, error))
        return false;
    if (!tables->accept_loose)
        tables->loose = key_file_looseness(path);
    bool ok = key_table_parse(buffer_span(&tables->key_text), kind, path, &tables->arena,
                              &tables->keys, wrong);
    if (ok && !read_text(config->signing_table, &kind, &path, &tables->signing_text, error))
        return false;
    ok = ok && signing_table_parse(buffer_span(&tables->signing_text), kind, path, &tables->arena,
                                   &tables->signing, wrong);
    if (!ok)
        signing_say(error, "%s", wrong);
    return ok;
}

static bool keep_passphrase(struct assay_tables *tables, const char *passphrase, char *error)
{
    if (!passphrase)
        return true;
    tables->passphrase = strdup(passphrase);
    if (!tables->passphrase)
        signing_say(error, "no memory");
    return tables->passphrase != NULL;
}

struct assay_tables *assay_tables_open(const struct assay_tables_config *config,
                                       char error[ASSAY_ERROR_MAX])
{
    struct assay_tables_config copy;
    signing_copy_sized(&copy, sizeof copy, config, config ? config->size : 0);
    struct assay_tables *tables = calloc(1, sizeof *tables);
    if (!tables) {
        signing_say(error, "no memory");
        return NULL;
    }
    arena_init(&tables->arena, TABLES_ARENA_BYTES);
    tables->accept_loose = copy.accept_loose_modes != 0;
    tables->all = copy.all_matches != 0;
    if (!read_tables(tables, &copy, error) || !keep_passphrase(tables, copy.passphrase, error))
        assay_tables_close(&tables);
    return tables;
}

void assay_tables_close(struct assay_tables **tables)
{
    struct assay_tables *t = *tables;
    *tables = NULL;
    if (!t)
        return;
    for (size_t i = 0; i < KEY_BUCKETS; i++)
        for (struct opened_key *key = t->opened[i]; key; key = key->next)
            private_key_free(&key->key);
    if (t->passphrase)
        explicit_bzero(t->passphrase, strlen(t->passphrase));
    free(t->passphrase);
    key_file_wipe(&t->key_text); /* may hold keys */
    buffer_fini(&t->signing_text);
    arena_fini(&t->arena);
    free(t);
}

/* Keys ----------------------------------------------------------------------------------------- */

static struct private_key *open_path(const struct assay_tables *tables, const char *path,
                                     char *error)
{
    struct private_key *key;
    char wrong[KEY_FILE_ERROR_MAX] = "";
    if (key_file_read(path, tables->passphrase, tables->accept_loose, &key, wrong) != KEY_FILE_OK)
        signing_say(error, "%s", wrong);
    return key;
}

static struct private_key *decode(const struct assay_tables *tables, struct span base64,
                                  char *error)
{
    if (tables->loose) {
        signing_say(error, "the KeyTable has a key in it, and %s", tables->loose);
        return NULL;
    }
    struct private_key *key = key_file_decode(base64);
    if (!key)
        signing_say(error, "a key in the KeyTable is neither a path nor a private key in base64");
    return key;
}

static bool keep_key(struct assay_tables *tables, struct opened_key **bucket, struct span source,
                     struct private_key *key)
{
    struct opened_key *opened = ARENA_NEW(&tables->arena, struct opened_key);
    if (!opened)
        return false;
    *opened = (struct opened_key){arena_copy(&tables->arena, source), key, *bucket};
    if (!opened->source.p)
        return false;
    *bucket = opened;
    return true;
}

/* The key of a choice, opened now or before. NULL with the error set. What cannot be opened leaves
 * nothing behind: with "%" in a path the author's domain, anybody's word, is part of it. */
static struct private_key *find_key(struct assay_tables *tables, struct signing_work *work,
                                    struct span source)
{
    struct opened_key **bucket = &tables->opened[dns_name_hash(source, 0) % KEY_BUCKETS];
    for (struct opened_key *key = *bucket; key; key = key->next)
        if (span_equal(key->source, source))
            return key->key;
    const char *text = arena_string(&work->arena, source);
    struct private_key *key = NULL;
    if (!text)
        signing_say(work->error, "no memory");
    else if (sign_key_is_path(source))
        key = open_path(tables, text, work->error);
    else
        key = decode(tables, source, work->error);
    if (key && !keep_key(tables, bucket, source, key)) {
        signing_say(work->error, "no memory");
        private_key_free(&key);
    }
    return key;
}

/* Signing -------------------------------------------------------------------------------------- */

static bool read_author(struct signing_work *work, struct span *local, struct dns_name *domain)
{
    struct mail_from from;
    struct sign_message *message = &work->message;
    mail_from_read(&message->header, &work->arena, &message->anomalies, &message->hits, &from);
    if (from.state == MAIL_FROM_OK && from.list.count) {
        *local = from.list.addresses[0].local;
        if (dns_name_from_domain(domain, from.list.addresses[0].domain) == DNS_NAME_OK)
            return true;
    }
    signing_say(work->error, "no author can be read from From");
    return false;
}

static bool sign_choice(struct assay_tables *tables, struct signing_work *work,
                        const struct sign_choice *choice, const struct assay_signer *how)
{
    struct sign_options options;
    struct assay_signer signer = *how;
    signer.domain = arena_string(&work->arena, choice->domain);
    signer.selector = arena_string(&work->arena, choice->selector);
    struct private_key *key = find_key(tables, work, choice->key);
    if (!key || !signing_options_from(work, &signer, key, &options))
        return false;
    if (!signer.identity)
        options.identity = choice->identity;
    return signing_work_sign(work, &options);
}

static bool say_wrong(struct signing_work *work, const struct sign_choice *wrong)
{
    if (wrong->entry)
        signing_say(work->error, "KeyTable line %u: domain or selector is no name",
                    wrong->entry->line);
    else if (wrong->line)
        signing_say(work->error, "SigningTable line %u: its key is not in the KeyTable",
                    wrong->line);
    else
        signing_say(work->error, "no memory");
    return false;
}

static bool sign_all(struct assay_tables *tables, struct signing_work *work,
                     const struct assay_signer *how)
{
    struct span local;
    struct dns_name domain;
    struct sign_choice choices[SIGN_CHOICES_MAX], wrong;
    if (!read_author(work, &local, &domain))
        return false;
    int count = sign_tables_choose(&tables->keys, &tables->signing, local, &domain, tables->all,
                                   &work->arena, choices, &wrong);
    if (count < 0)
        return say_wrong(work, &wrong);
    for (int i = 0; i < count; i++)
        if (!sign_choice(tables, work, &choices[i], how))
            return false;
    return true;
}

char *assay_tables_sign(struct assay_tables *tables, const void *message, size_t n,
                        const struct assay_signer *how, char error[ASSAY_ERROR_MAX])
{
    struct signing_work work;
    struct assay_signer copy;
    signing_copy_sized(&copy, sizeof copy, how, how ? how->size : 0);
    bool ok = signing_work_begin(&work, message, n, error) && sign_all(tables, &work, &copy);
    return signing_work_end(&work, ok);
}
