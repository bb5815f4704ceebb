/*
 * Values of settings from text, each kind with its own reader.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "settings.h"

static bool say(char *error, const char *text, const char *what)
{
    snprintf(error, SETTINGS_ERROR_MAX, "\"%.100s\" %s", text, what);
    return false;
}

static void *field(const struct setting *setting, struct settings *settings)
{
    return (char *)settings + setting->offset;
}

static bool keep_text(char **at, const char *text, char *error)
{
    char *copy = strdup(text);
    if (!copy)
        return say(error, text, "finds no memory");
    free(*at);
    *at = copy;
    return true;
}

static bool read_flag(bool *flag, const char *text, char *error)
{
    *flag = strcmp(text, "true") == 0;
    return *flag || strcmp(text, "false") == 0 || say(error, text, "is neither true nor false");
}

static bool out_of_range(const struct setting *setting, const char *text, char *error)
{
    snprintf(error, SETTINGS_ERROR_MAX, "\"%.100s\" is no number from %llu to %llu", text,
             (unsigned long long)setting->least, (unsigned long long)setting->most);
    return false;
}

/* number [ "K" / "M" / "G" ] ; the suffix where `suffixed` */
static bool read_number(const struct setting *setting, const char *text, bool suffixed,
                        uint64_t *number, char *error)
{
    static const char letters[] = "KMG";
    struct span digits = span_from_string(text);
    const char *letter = suffixed && digits.n ? strchr(letters, digits.p[digits.n - 1]) : NULL;
    unsigned shift = letter && *letter ? 10 * (unsigned)(letter - letters + 1) : 0;
    digits.n -= shift != 0;
    if (!number_parse(digits, 15, number) || *number > UINT64_MAX >> shift)
        return out_of_range(setting, text, error);
    *number <<= shift;
    return (*number >= setting->least && *number <= setting->most) ||
           out_of_range(setting, text, error);
}

static bool read_mode(uint32_t *mode, const char *text, char *error)
{
    char *end;
    unsigned long value = strtoul(text, &end, 8);
    if (!char_is_digit((uint8_t)text[0]) || *end || value > 0777)
        return say(error, text, "is no octal mode");
    *mode = (uint32_t)value;
    return true;
}

static bool read_uid(const char *text, uid_t *uid, gid_t *gid, char *error)
{
    uint64_t number;
    const struct passwd *user = getpwnam(text);
    if (user) {
        *uid = user->pw_uid;
        *gid = user->pw_gid;
        return true;
    }
    *gid = (gid_t)-1;
    if (!number_parse(span_from_string(text), 10, &number) || number >= UINT32_MAX)
        return say(error, text, "is no user");
    *uid = (uid_t)number;
    return true;
}

static bool read_user(struct settings *settings, const char *text, char *error)
{
    gid_t gid;
    if (!read_uid(text, &settings->user, &gid, error))
        return false;
    if (settings->group == (gid_t)-1)
        settings->group = gid;
    return keep_text(&settings->user_name, text, error);
}

static bool read_group(gid_t *gid, const char *text, char *error)
{
    uint64_t number;
    const struct group *group = getgrnam(text);
    if (!group && (!number_parse(span_from_string(text), 10, &number) || number >= UINT32_MAX))
        return say(error, text, "is no group");
    *gid = group ? group->gr_gid : (gid_t)number;
    return true;
}

static bool add_text(struct text_list *list, const char *text, char *error)
{
    if (list->count == SETTINGS_LIST_MAX)
        return say(error, text, "is one too many");
    if (!keep_text(&list->texts[list->count], text, error))
        return false;
    list->count++;
    return true;
}

static bool add_uid(uid_t *uids, uint32_t *count, const char *text, char *error)
{
    gid_t gid;
    if (*count == PEER_MAX_UIDS)
        return say(error, text, "is one too many");
    if (!read_uid(text, &uids[*count], &gid, error))
        return false;
    ++*count;
    return true;
}

static bool read_dmarc_mode(enum assay_dmarc_mode *mode, const char *text, char *error)
{
    static const char *const words[] = {"treewalk", "psl", "compare"};
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(text, words[i]) != 0)
            continue;
        *mode = (enum assay_dmarc_mode)i;
        return true;
    }
    return say(error, text, "is none of treewalk, psl, compare");
}

bool setting_is_list(const struct setting *setting)
{
    return setting->kind == SETTING_LIST || setting->kind == SETTING_UIDS;
}

void setting_clear_list(const struct setting *setting, struct settings *settings)
{
    struct text_list *list = field(setting, settings);
    uint32_t *count = (uint32_t *)(void *)((char *)settings + setting->count_offset);
    if (setting->kind == SETTING_LIST)
        for (uint32_t i = 0; i < list->count; i++) {
            free(list->texts[i]);
            list->texts[i] = NULL;
        }
    *count = 0;
}

static bool set_number(const struct setting *setting, struct settings *settings, const char *text,
                       char *error)
{
    uint64_t number;
    bool bytes = setting->kind == SETTING_BYTES;
    if (!read_number(setting, text, bytes, &number, error))
        return false;
    if (bytes)
        *(uint64_t *)field(setting, settings) = number;
    else
        *(uint32_t *)field(setting, settings) = (uint32_t)number;
    return true;
}

bool setting_set(const struct setting *setting, struct settings *settings, const char *text,
                 char error[SETTINGS_ERROR_MAX])
{
    void *at = field(setting, settings);
    switch (setting->kind) {
    case SETTING_TEXT:
        return keep_text(at, text, error);
    case SETTING_FLAG:
        return read_flag(at, text, error);
    case SETTING_NUMBER:
    case SETTING_BYTES:
        return set_number(setting, settings, text, error);
    case SETTING_LIST:
        return add_text(at, text, error);
    case SETTING_UIDS:
        return add_uid(at, (uint32_t *)(void *)((char *)settings + setting->count_offset), text,
                       error);
    case SETTING_USER:
        return read_user(settings, text, error);
    case SETTING_GROUP:
        return read_group(at, text, error);
    case SETTING_MODE:
        return read_mode(at, text, error);
    case SETTING_LEVEL:
        return log_level_find(text, at) ||
               say(error, text, "is none of error, warning, notice, info, debug");
    case SETTING_DMARC_MODE:
        return read_dmarc_mode(at, text, error);
    }
    return false;
}
