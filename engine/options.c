/*
 * From assay_config to what the judges go by. The library, the daemon and `assay bulk` read their
 * settings here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "engine.h"

enum
{
    HOST_NAME_BYTES = 256,
};

/* Where to. */
struct opening
{
    struct message_options *options;
    struct dmarc_psl **psl;
    struct arena *arena;
};

void engine_say(char error[ASSAY_ERROR_MAX], const char *format, ...)
{
    va_list args;
    if (!error)
        return;
    va_start(args, format);
    vsnprintf(error, ASSAY_ERROR_MAX, format, args);
    va_end(args);
}

static bool open_authserv_id(struct opening *to, const char *wanted, char *error)
{
    char host[HOST_NAME_BYTES] = "localhost";
    if (wanted && !verdict_authserv_id_usable(span_from_string(wanted))) {
        engine_say(error, "authserv-id: expected 1 to 256 printable characters");
        return false;
    }
    if (!wanted && gethostname(host, sizeof host - 1) != 0)
        snprintf(host, sizeof host, "localhost");
    to->options->authserv_id = arena_copy(to->arena, span_from_string(wanted ? wanted : host));
    to->options->receiver = to->options->authserv_id;
    if (!to->options->authserv_id.p)
        engine_say(error, "no memory");
    return to->options->authserv_id.p != NULL;
}

/* NULL-terminated texts to names; false with `error` where one is no name. */
static bool open_names(struct opening *to, const char *const *texts, const char *what,
                       const struct dns_name **names, uint32_t *count, char *error)
{
    uint32_t n = 0;
    while (texts && texts[n])
        n++;
    struct dns_name *list = ARENA_ARRAY(to->arena, n, struct dns_name);
    if (!list) {
        engine_say(error, "no memory for %s", what);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        enum dns_name_error wrong = dns_name_from_domain(&list[i], span_from_string(texts[i]));
        if (wrong) {
            engine_say(error, "%s: \"%.100s\" is no domain name: %s", what, texts[i],
                       dns_name_error_word(wrong));
            return false;
        }
    }
    *names = n ? list : NULL;
    *count = n;
    return true;
}

static bool open_dmarc(struct opening *to, const struct assay_config *config, char *error)
{
    struct dmarc_options *dmarc = &to->options->dmarc;
    dmarc->mode = (enum dmarc_mode)config->dmarc_mode;
    dmarc->reject = config->reject != 0;
    if (!open_names(to, config->psd_names, "psd names", &dmarc->psd_names, &dmarc->psd_count,
                    error))
        return false;
    if (dmarc->mode == DMARC_TREE_WALK)
        return true;
    *to->psl = dmarc_psl_open(config->psl_file);
    dmarc->psl = *to->psl;
    if (!*to->psl)
        engine_say(error, "%.200s: cannot read the public suffix list",
                   config->psl_file ? config->psl_file : "(built in)");
    return *to->psl != NULL;
}

bool engine_options_open(struct message_options *options, struct dmarc_psl **psl,
                         struct arena *arena, const struct assay_config *config,
                         char error[ASSAY_ERROR_MAX])
{
    struct opening to = {options, psl, arena};
    options->dkim_allow_unsigned_body = config->dkim_allow_unsigned_body != 0;
    options->dkim_testing_as_unsigned = config->dkim_trust_testing_keys == 0;
    options->spf_explanation = config->spf_explanation != 0;
    options->spf_void_limit =
        config->spf_void_limit ? config->spf_void_limit : MAX_SPF_VOID_LOOKUPS;
    return open_authserv_id(&to, config->authserv_id, error) &&
           open_names(&to, config->trusted_sealers, "trusted sealers", &options->trusted_sealers,
                      &options->trusted_count, error) &&
           open_dmarc(&to, config, error);
}
