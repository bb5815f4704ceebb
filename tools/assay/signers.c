#include "signers.h"

#include "sign/key_file.h"
#include "sign/publish.h"

enum
{
    ARENA_BYTES = 256 * 1024 * 1024, /* a KeyTable of a large host */
};

void signers_init(struct signers *signers)
{
    *signers = (struct signers){0};
    arena_init(&signers->arena, ARENA_BYTES);
    buffer_init(&signers->key_text, 0);
    buffer_init(&signers->signing_text, 0);
}

void signers_free(struct signers *signers)
{
    for (uint32_t i = 0; i < signers->count; i++)
        private_key_free(&signers->signers[i].key);
    key_file_wipe(&signers->key_text); /* may hold keys */
    buffer_fini(&signers->signing_text);
    arena_fini(&signers->arena);
}

static int no_memory(void)
{
    complain("no memory");
    return STATUS_SOFTWARE;
}

static bool make_room(struct signers *signers, uint32_t count)
{
    signers->signers = ARENA_ARRAY(&signers->arena, count, struct signer);
    return signers->signers != NULL;
}

/* Command line --------------------------------------------------------------------------------- */

static int set_name(struct signers *signers, const char *what, const char *text,
                    struct dns_name *name, const char **normal)
{
    char out[DNS_NAME_TEXT_MAX];
    enum dns_name_error wrong = dns_name_from_domain(name, span_from_string(text));
    if (wrong) {
        complain("%s: \"%s\" is no domain name: %s", what, text, dns_name_error_word(wrong));
        return STATUS_USAGE;
    }
    *normal = arena_string(&signers->arena, span_from_string(dns_name_text(name, out)));
    return *normal ? STATUS_OK : no_memory();
}

static int set_names(struct signers *signers, struct signer *signer, const char *domain,
                     const char *selector)
{
    struct dns_name domain_name, selector_name;
    int status = set_name(signers, "-d", domain, &domain_name, &signer->domain);
    if (!status)
        status = set_name(signers, "-s", selector, &selector_name, &signer->selector);
    if (status)
        return status;
    if (domain_name.labels < 2) {
        complain("-d: \"%s\": a signing domain has two labels at least", domain);
        return STATUS_USAGE;
    }
    if (publish_name(&selector_name, &domain_name, &signer->name))
        return STATUS_OK;
    complain("selector and domain are too long together: a name has 253 bytes at most");
    return STATUS_USAGE;
}

static bool counts_fit(const struct flag_texts *domains, const struct flag_texts *selectors,
                       const struct flag_texts *keys, bool keys_optional)
{
    if (selectors->count == 0 || domains->count == 0)
        complain("a domain (-d) and a selector (-s) are wanted");
    else if (domains->count != 1 && domains->count != selectors->count)
        complain("-d stands once, or as often as -s");
    else if (keys->count != selectors->count && !(keys_optional && keys->count == 0))
        complain("each selector (-s) wants its private key (-k)");
    else
        return true;
    return false;
}

int signers_from_options(struct signers *signers, const struct flag_texts *domains,
                         const struct flag_texts *selectors, const struct flag_texts *keys,
                         bool keys_optional)
{
    if (!counts_fit(domains, selectors, keys, keys_optional))
        return STATUS_USAGE;
    if (!make_room(signers, (uint32_t)selectors->count))
        return no_memory();
    for (size_t i = 0; i < selectors->count; i++) {
        struct signer *signer = &signers->signers[i];
        const char *domain = domains->texts[domains->count == 1 ? 0 : i];
        int status = set_names(signers, signer, domain, selectors->texts[i]);
        if (status)
            return status;
        signer->key_source = span_from_string(keys->texts[i]);
        signer->label = keys->texts[i];
        signers->count++;
    }
    return STATUS_OK;
}

/* Tables --------------------------------------------------------------------------------------- */

static int read_table(const char *spec, struct buffer *text, enum data_set_kind *kind,
                      const char **path)
{
    char error[DATA_SET_ERROR_MAX];
    if (!data_set_spec(spec, kind, path, error)) {
        complain("%s", error);
        return STATUS_USAGE;
    }
    enum key_file_status status = data_set_read(*path, text, error);
    if (!status)
        return STATUS_OK;
    complain("%s", error);
    return status == KEY_FILE_NO_MEMORY ? STATUS_SOFTWARE : STATUS_NO_INPUT;
}

static int bad_table(const char *error)
{
    complain("%s", error);
    return STATUS_CONFIG;
}

int signers_read_tables(struct signers *signers, const char *keys, const char *signing)
{
    char error[DATA_SET_ERROR_MAX];
    enum data_set_kind kind;
    const char *path;
    int status = read_table(keys, &signers->key_text, &kind, &signers->key_label);
    if (status)
        return status;
    if (!key_table_parse(buffer_span(&signers->key_text), kind, signers->key_label, &signers->arena,
                         &signers->key_table, error))
        return bad_table(error);
    if (!signing)
        return STATUS_OK;
    status = read_table(signing, &signers->signing_text, &kind, &path);
    if (status)
        return status;
    if (!signing_table_parse(buffer_span(&signers->signing_text), kind, path, &signers->arena,
                             &signers->signing_table, error))
        return bad_table(error);
    return STATUS_OK;
}

static const char *label_of(struct signers *signers, const struct sign_choice *choice)
{
    if (sign_key_is_path(choice->key))
        return arena_string(&signers->arena, choice->key);
    struct buffer label;
    buffer_init(&label, 4096);
    buffer_printf(&label, "%.200s:%u: %.*s", signers->key_label, choice->entry->line,
                  (int)(choice->name.n < 200 ? choice->name.n : 200), (const char *)choice->name.p);
    const char *text = arena_string(&signers->arena, buffer_span(&label));
    buffer_fini(&label);
    return text;
}

static int take_choice(struct signers *signers, const struct sign_choice *choice)
{
    struct signer *signer = &signers->signers[signers->count];
    struct arena *arena = &signers->arena;
    const char *domain = arena_string(arena, choice->domain);
    const char *selector = arena_string(arena, choice->selector);
    if (!domain || !selector)
        return no_memory();
    int status = set_names(signers, signer, domain, selector);
    if (status)
        return status;
    signer->identity = choice->identity;
    signer->key_source = choice->key;
    signer->label = label_of(signers, choice);
    signer->table = signers->key_label;
    if (!signer->label)
        return no_memory();
    signers->count++;
    return STATUS_OK;
}

static int bad_entry(const struct signers *signers, const struct key_entry *entry)
{
    complain("%s:%u: domain \"%.*s\" or selector \"%.*s\" is no name, or the author's domain is "
             "wanted for it (%%)",
             signers->key_label, entry->line, (int)entry->domain.n, (const char *)entry->domain.p,
             (int)entry->selector.n, (const char *)entry->selector.p);
    return STATUS_CONFIG;
}

int signers_from_key_table(struct signers *signers, const char *author)
{
    const struct key_table *table = &signers->key_table;
    struct dns_name domain;
    if (author && dns_name_from_domain(&domain, span_from_string(author)) != DNS_NAME_OK) {
        complain("-d: \"%s\" is no domain name", author);
        return STATUS_USAGE;
    }
    if (!make_room(signers, table->set.count))
        return no_memory();
    for (uint32_t i = 0; i < table->set.count; i++) {
        struct sign_choice choice = {0};
        if (!sign_choice_expand(&table->entries[i], author ? &domain : NULL, &signers->arena,
                                &choice))
            return bad_entry(signers, &table->entries[i]);
        int status = take_choice(signers, &choice);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static int bad_choice(const struct signers *signers, const struct sign_choice *wrong)
{
    if (wrong->entry)
        return bad_entry(signers, wrong->entry);
    if (wrong->line == 0)
        return no_memory();
    complain("%s: no key \"%.*s\", which line %u of the SigningTable names", signers->key_label,
             (int)wrong->name.n, (const char *)wrong->name.p, wrong->line);
    return STATUS_CONFIG;
}

int signers_for_author(struct signers *signers, struct span local, const struct dns_name *domain,
                       bool all)
{
    struct sign_choice choices[SIGN_CHOICES_MAX], wrong;
    int count = sign_tables_choose(&signers->key_table, &signers->signing_table, local, domain, all,
                                   &signers->arena, choices, &wrong);
    if (count < 0)
        return bad_choice(signers, &wrong);
    if (!make_room(signers, (uint32_t)count))
        return no_memory();
    for (int i = 0; i < count; i++) {
        int status = take_choice(signers, &choices[i]);
        if (status)
            return status;
    }
    return count ? STATUS_OK : STATUS_PROBLEM;
}

bool signer_has_file(const struct signer *signer)
{
    return !signer->table || sign_key_is_path(signer->key_source);
}

int signer_open(struct signer *signer, struct private_keys *keys)
{
    if (signer_has_file(signer))
        return private_keys_open(keys, signer->label, &signer->key);
    return private_keys_decode(keys, signer->key_source, signer->label, signer->table,
                               &signer->key);
}
