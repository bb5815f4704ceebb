/* Which keys a message was signed with, for the linter. Nothing is verified. */
#include "dkim/choice.h"
#include "dkim/key_record.h"
#include "lint.h"
#include "mail_file.h"
#include "sign/sign.h"

static bool is_known(const struct lint_message *message, const struct dns_name *name)
{
    for (uint32_t i = 0; i < message->key_count; i++)
        if (dns_name_equal(&message->keys[i], name))
            return true;
    return false;
}

static void add_key(const struct mail_field *field, struct sign_message *read,
                    struct lint_message *message)
{
    struct dkim_signature signature;
    dkim_signature_parse(field, DKIM_SIGNATURE, read->arena, &read->hits, NULL, &signature);
    if (signature.key_name.length == 0 || is_known(message, &signature.key_name) ||
        message->key_count == LINT_KEYS_MAX)
        return;
    message->keys[message->key_count++] = signature.key_name;
}

/* The one domain of From; several addresses of it are one (DP-2). */
static void find_from(struct sign_message *read, struct lint_message *message)
{
    struct mail_from from;
    struct dns_name domain;
    mail_from_read(&read->header, read->arena, &read->anomalies, &read->hits, &from);
    if (from.state != MAIL_FROM_OK)
        return;
    for (uint32_t i = 0; i < from.list.count; i++) {
        bool good = dns_name_from_domain(&domain, from.list.addresses[i].domain) == DNS_NAME_OK;
        if (!good || (i > 0 && !dns_name_equal(&domain, &message->from))) {
            message->from = (struct dns_name){0};
            return;
        }
        message->from = domain;
    }
}

static int read_header(const struct mail_file *file, struct arena *arena,
                       struct lint_message *message)
{
    struct sign_message read;
    const char *fault = sign_message_read(&read, buffer_span(&file->crlf), arena);
    if (fault) {
        complain("%s: %s", file->name, sign_reason_text(fault));
        return STATUS_BAD_INPUT;
    }
    const struct dkim_authors nobody = {NULL, 0};
    struct dkim_choice choice;
    if (!dkim_choose(&read.header, nobody, arena, &read.hits, &choice)) {
        complain("%s: no memory", file->name);
        return STATUS_SOFTWARE;
    }
    for (uint32_t i = 0; i < choice.count; i++)
        add_key(choice.fields[i], &read, message);
    find_from(&read, message);
    return STATUS_OK;
}

int lint_message_read(const char *path, struct lint_message *message)
{
    struct mail_file file;
    struct arena arena;
    arena_init(&arena, MAX_ARENA_BYTES);
    int status = mail_file_read(path, &file);
    if (!status)
        status = read_header(&file, &arena, message);
    mail_file_free(&file);
    arena_fini(&arena);
    return status;
}
