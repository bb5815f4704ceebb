/*
 * The configuration file, read by libconfuse: `key = value`, lists in braces, # comments. Every
 * error names file and line.
 */
#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "settings.h"

enum
{
    KEY_MAX = 32,
    OPTIONS_MAX = 64,
};

/* libconfuse's callbacks have no context of ours; the file is read by one thread. */
static struct
{
    struct settings *settings;
    char *error;
    bool said;
} reading;

static char keys[OPTIONS_MAX][KEY_MAX];

static void take_error(cfg_t *cfg, const char *format, va_list args) PRINTF_LIKE(2, 0);
static void take_error(cfg_t *cfg, const char *format, va_list args)
{
    char text[SETTINGS_ERROR_MAX / 2];
    if (reading.said)
        return; /* the first error is the one to repair */
    reading.said = true;
    vsnprintf(text, sizeof text, format, args);
    snprintf(reading.error, SETTINGS_ERROR_MAX, "%.100s:%d: %s",
             cfg && cfg->filename ? cfg->filename : "configuration", cfg ? cfg->line : 0, text);
}

static const struct setting *find_setting(const char *key)
{
    for (size_t i = 0; settings_table[i].name; i++)
        if (strcmp(keys[i], key) == 0)
            return &settings_table[i];
    return NULL;
}

static bool take_values(const struct setting *setting, cfg_opt_t *option, char *why)
{
    struct settings *settings = reading.settings;
    if (setting->kind == SETTING_FLAG)
        return setting_set(setting, settings, cfg_opt_getnbool(option, 0) ? "true" : "false", why);
    if (!setting_is_list(setting))
        return setting_set(setting, settings, cfg_opt_getnstr(option, 0), why);
    setting_clear_list(setting, settings);
    for (unsigned i = 0; i < cfg_opt_size(option); i++)
        if (!setting_set(setting, settings, cfg_opt_getnstr(option, i), why))
            return false;
    return true;
}

/* Called behind each option, when its line is known. */
static int validate(cfg_t *cfg, cfg_opt_t *option)
{
    char why[SETTINGS_ERROR_MAX] = "";
    const struct setting *setting = find_setting(option->name);
    if (setting && take_values(setting, option, why))
        return 0;
    cfg_error(cfg, "%s: %s", option->name, why);
    return -1;
}

static void make_key(char key[KEY_MAX], const char *name)
{
    snprintf(key, KEY_MAX, "%s", name);
    for (char *c = key; *c; c++)
        if (*c == '-')
            *c = '_';
}

static cfg_opt_t option_of(const struct setting *setting, const char *key)
{
    cfg_opt_t text = CFG_STR(key, NULL, CFGF_NODEFAULT);
    cfg_opt_t flag = CFG_BOOL(key, cfg_false, CFGF_NODEFAULT);
    cfg_opt_t list = CFG_STR_LIST(key, NULL, CFGF_NODEFAULT);
    if (setting->kind == SETTING_FLAG)
        return flag;
    return setting_is_list(setting) ? list : text;
}

static bool parse(cfg_t *cfg, const char *path)
{
    for (size_t i = 0; settings_table[i].name; i++)
        if (!settings_table[i].command_line_only)
            cfg_set_validate_func(cfg, keys[i], validate);
    cfg_set_error_function(cfg, take_error);
    int result = cfg_parse(cfg, path);
    if (result == CFG_FILE_ERROR)
        snprintf(reading.error, SETTINGS_ERROR_MAX, "%.200s: %s", path, strerror(errno));
    return result == CFG_SUCCESS && !reading.said;
}

bool settings_read_file(struct settings *settings, const char *path, char error[SETTINGS_ERROR_MAX])
{
    static cfg_opt_t options[OPTIONS_MAX];
    cfg_opt_t last = CFG_END();
    size_t n = 0;
    for (size_t i = 0; settings_table[i].name; i++) {
        assert(n + 1 < OPTIONS_MAX);
        make_key(keys[i], settings_table[i].name);
        if (!settings_table[i].command_line_only)
            options[n++] = option_of(&settings_table[i], keys[i]);
    }
    options[n] = last;
    reading.settings = settings;
    reading.error = error;
    reading.said = false;
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    if (!cfg) {
        snprintf(error, SETTINGS_ERROR_MAX, "no memory for the configuration");
        return false;
    }
    bool good = parse(cfg, path);
    cfg_free(cfg);
    return good;
}
