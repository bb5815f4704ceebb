/*
 * The two tables as data: no file is opened here.
 *
 * BUGS: a key of "%" in a SigningTable of kind "refile" is a pattern like any other.
 */
#include "sign/tables.h"

#include <stdio.h>

#include "base/buffer.h"

enum
{
    EXPANDED_MAX = 8 * 1024,
    LOOKUP_MAX = 2 * 1024, /* user@host */
};

static bool say(char error[DATA_SET_ERROR_MAX], const char *label, uint32_t line, const char *what)
{
    snprintf(error, DATA_SET_ERROR_MAX, "%.150s:%u: %s", label, line, what);
    return false;
}

static bool split(struct span text, struct span *before, struct span *behind)
{
    size_t colon = span_find(text, ':');
    *before = span_trim_wsp(span_slice(text, 0, colon));
    if (colon == text.n)
        return false;
    *behind = span_trim_wsp(span_skip(text, colon + 1));
    return true;
}

static bool read_entry(const struct data_set_row *row, struct key_entry *entry)
{
    struct span rest;
    *entry = (struct key_entry){.name = row->key, .line = row->line};
    return split(row->value, &entry->domain, &rest) && split(rest, &entry->selector, &entry->key) &&
           entry->domain.n && entry->selector.n && entry->key.n;
}

bool key_table_parse(struct span text, enum data_set_kind kind, const char *label,
                     struct arena *arena, struct key_table *table, char error[DATA_SET_ERROR_MAX])
{
    if (!data_set_parse(text, kind, false, label, arena, &table->set, error))
        return false;
    table->entries = ARENA_ARRAY(arena, table->set.count, struct key_entry);
    if (!table->entries)
        return say(error, label, 1, "no memory");
    for (uint32_t i = 0; i < table->set.count; i++)
        if (!read_entry(&table->set.rows[i], &table->entries[i]))
            return say(error, label, table->set.rows[i].line,
                       "expected NAME DOMAIN:SELECTOR:KEY-FILE");
    return true;
}

const struct key_entry *key_table_find(const struct key_table *table, struct span name)
{
    uint32_t from = 0;
    const struct data_set_row *row = data_set_next(&table->set, name, &from);
    return row ? &table->entries[row - table->set.rows] : NULL;
}

bool signing_table_parse(struct span text, enum data_set_kind kind, const char *label,
                         struct arena *arena, struct signing_table *table,
                         char error[DATA_SET_ERROR_MAX])
{
    return data_set_parse(text, kind, true, label, arena, &table->set, error);
}

bool sign_key_is_path(struct span key)
{
    return span_starts_fold(key, SPAN("/")) || span_starts_fold(key, SPAN("./")) ||
           span_starts_fold(key, SPAN("../"));
}

/* Each "%" replaced. p == NULL without memory. */
static struct span replace(struct span text, struct span domain, struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, EXPANDED_MAX);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%')
            buffer_append(&out, domain);
        else
            buffer_append_byte(&out, text.p[i]);
    }
    struct span replaced = {NULL, 0};
    if (!out.failed)
        replaced = arena_copy(arena, buffer_span(&out));
    buffer_fini(&out);
    return replaced;
}

static bool normalize(struct span text, struct arena *arena, struct span *normal)
{
    struct dns_name name;
    char out[DNS_NAME_TEXT_MAX];
    if (dns_name_from_domain(&name, text) != DNS_NAME_OK)
        return false;
    *normal = arena_copy(arena, span_from_string(dns_name_text(&name, out)));
    return normal->p != NULL;
}

bool sign_choice_expand(const struct key_entry *entry, const struct dns_name *domain,
                        struct arena *arena, struct sign_choice *choice)
{
    char text[DNS_NAME_TEXT_MAX] = "";
    struct span author = {NULL, 0};
    if (domain)
        author = span_from_string(dns_name_text(domain, text));
    bool needs_author = span_equal(entry->domain, SPAN("%"));
    choice->entry = entry;
    choice->name = entry->name;
    choice->key = entry->key;
    if (!normalize(needs_author ? author : entry->domain, arena, &choice->domain) ||
        !normalize(entry->selector, arena, &choice->selector))
        return false;
    if (!sign_key_is_path(entry->key) || span_find(entry->key, '%') == entry->key.n)
        return true;
    choice->key = replace(entry->key, author, arena);
    return author.n && choice->key.p;
}

/* The domain of an i= is the signing domain or below it. */
static bool identity_fits(struct span identity, struct span domain)
{
    struct dns_name own, signing;
    size_t at = span_find_last(identity, '@');
    return at < identity.n &&
           dns_name_from_domain(&own, span_skip(identity, at + 1)) == DNS_NAME_OK &&
           dns_name_from_domain(&signing, domain) == DNS_NAME_OK &&
           dns_name_is_at_or_below(&own, &signing);
}

struct choosing
{
    const struct key_table *keys;
    const struct signing_table *signing;
    const struct dns_name *domain;
    struct span domain_text;
    struct arena *arena;
    struct sign_choice *choices;
    int count;
    int wanted;
    struct sign_choice *wrong;
    bool failed;
};

static bool expand_row(const struct choosing *choosing, const struct data_set_row *row,
                       struct sign_choice *choice)
{
    struct span name, identity = {NULL, 0};
    *choice = (struct sign_choice){.line = row->line};
    if (split(row->value, &name, &identity))
        identity = replace(identity, choosing->domain_text, choosing->arena);
    choice->name = span_equal(name, SPAN("%")) ? choosing->domain_text : name;
    const struct key_entry *entry = key_table_find(choosing->keys, choice->name);
    if (!entry || !sign_choice_expand(entry, choosing->domain, choosing->arena, choice))
        return false;
    if (identity.n && identity_fits(identity, choice->domain))
        choice->identity = identity;
    return true;
}

static void take(struct choosing *choosing, const struct data_set_row *row)
{
    struct sign_choice choice;
    if (!expand_row(choosing, row, &choice)) {
        *choosing->wrong = choice;
        choosing->failed = true;
        return;
    }
    choosing->choices[choosing->count++] = choice;
}

static bool is_done(const struct choosing *choosing)
{
    return choosing->failed || choosing->count == choosing->wanted;
}

/* All rows for one key of the lookup. */
static void look_up(struct choosing *choosing, struct span user, struct span host)
{
    struct buffer key;
    uint32_t from = 0;
    const struct data_set_row *row;
    buffer_init(&key, LOOKUP_MAX);
    buffer_append(&key, user);
    buffer_append(&key, host);
    while (!key.failed && !is_done(choosing) &&
           (row = data_set_next(&choosing->signing->set, buffer_span(&key), &from)) != NULL)
        take(choosing, row);
    buffer_fini(&key);
}

/* user@.sub.host, user@.host ... */
static void look_up_parents(struct choosing *choosing, struct span user, struct span host)
{
    for (size_t dot = span_find(host, '.'); dot < host.n && !is_done(choosing);) {
        look_up(choosing, user, span_skip(host, dot));
        dot += 1 + span_find(span_skip(host, dot + 1), '.');
    }
}

static void look_up_file(struct choosing *choosing, struct span user_at)
{
    static const struct span nobody = {NULL, 0};
    struct span host = choosing->domain_text;
    look_up(choosing, user_at, host);
    look_up(choosing, nobody, host);
    look_up_parents(choosing, user_at, host);
    look_up_parents(choosing, nobody, host);
    look_up(choosing, user_at, SPAN("*"));
    look_up(choosing, nobody, SPAN("*"));
}

int sign_tables_choose(const struct key_table *keys, const struct signing_table *signing,
                       struct span local, const struct dns_name *domain, bool all,
                       struct arena *arena, struct sign_choice choices[SIGN_CHOICES_MAX],
                       struct sign_choice *wrong)
{
    char text[DNS_NAME_TEXT_MAX];
    struct choosing choosing = {
        .keys = keys,
        .signing = signing,
        .domain = domain,
        .domain_text = arena_copy(arena, span_from_string(dns_name_text(domain, text))),
        .arena = arena,
        .choices = choices,
        .wanted = all ? SIGN_CHOICES_MAX : 1,
        .wrong = wrong,
    };
    struct buffer user_at;
    *wrong = (struct sign_choice){0};
    buffer_init(&user_at, LOOKUP_MAX);
    buffer_append(&user_at, local);
    buffer_append_byte(&user_at, '@');
    if (signing->set.kind == DATA_SET_REFILE)
        look_up(&choosing, buffer_span(&user_at), choosing.domain_text);
    else
        look_up_file(&choosing, buffer_span(&user_at));
    bool failed = choosing.failed || user_at.failed || arena->failed;
    buffer_fini(&user_at);
    return failed ? -1 : choosing.count;
}
