/*
 * assay completion SHELL: the script that the shell's completion folder wants, from the table of
 * commands and their options. `make` writes them, `make install` installs them; the command itself
 * is not listed.
 *
 * What is completed: commands, options, an option's words, file names. In names, words and helps
 * there is nothing that is special to a shell but what quote() takes care of.
 */
#include "completion.h"

#include "flags.h"

/* What the value of an option, or an operand, may be. */
struct values
{
    struct span words; /* with "|" between them; empty */
    bool files;
};

static bool is_file(struct span word)
{
    return span_equal(word, SPAN("FILE")) || span_equal(word, SPAN("TABLE")) ||
           span_equal(word, SPAN("PATH")) || span_equal(word, SPAN("DIR"));
}

static struct values values_of_flag(const struct flag *flag)
{
    struct span argument = span_from_string(flag->argument);
    if (flag->kind == FLAG_WORD)
        return (struct values){argument, false};
    return (struct values){SPAN(""), is_file(argument)};
}

/* FILE is the last part of an operand that has words besides. */
static struct values values_of_operand(const struct command *command)
{
    struct span all = span_from_string(command->operand);
    size_t bar = span_find_last(all, '|');
    struct span last = bar < all.n ? span_skip(all, bar + 1) : all;
    if (!is_file(last))
        return (struct values){all, false};
    return (struct values){span_slice(all, 0, bar < all.n ? bar : 0), true};
}

static void put_words(struct span words)
{
    struct span word;
    for (bool first = true; flag_word_next(&words, &word); first = false)
        printf("%s%.*s", first ? "" : " ", (int)word.n, (const char *)word.p);
}

static void put_commands(void)
{
    for (const struct command *command = commands; command->name; command++)
        printf("%s%s", command == commands ? "" : " ", command->name);
}

/* The first line of a help in single quotes; `special` are further characters to put a backslash
 * before. */
static void quote(const char *help, const char *special, const char *apostrophe)
{
    for (; *help && *help != '\n'; help++) {
        if (*help == '\'') {
            fputs(apostrophe, stdout);
            continue;
        }
        if (strchr(special, *help))
            putchar('\\');
        putchar(*help);
    }
}

/* --- bash --- */

static const char bash_head[] =
    "# bash completion for assay, written by `assay completion bash`\n\n"
    "# The options of a command.\n"
    "_assay_options()\n{\n    case $1 in\n";

static const char bash_values[] =
    "    esac\n}\n\n"
    "# What the value of a command's option may be: words, FILE, or NONE for what cannot be\n"
    "# completed; nothing for what is no option with a value.\n"
    "_assay_value()\n{\n    case \"$1 $2\" in\n";

static const char bash_operands[] = "    esac\n}\n\n"
                                    "_assay_operand()\n{\n    case $1 in\n";

static const char bash_tail[] =
    "    esac\n}\n\n"
    "_assay_reply()\n{\n"
    "    local words=$1 current=$2\n"
    "    [[ $words == *FILE* ]] && compopt -o filenames 2>/dev/null\n"
    "    [[ $words == *FILE* ]] && mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "    words=${words/FILE/}\n"
    "    mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -W \"${words/NONE/}\" -- "
    "\"$current\")\n"
    "}\n\n"
    "_assay()\n{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} before=$((COMP_CWORD - "
    "1)) value\n"
    "    COMPREPLY=()\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        _assay_reply \"$_assay_commands help --version\" \"$current\"\n"
    "        return\n"
    "    fi\n"
    "    if [[ $command == help ]]; then\n"
    "        ((COMP_CWORD > 2)) || _assay_reply \"$_assay_commands\" \"$current\"\n"
    "        return\n"
    "    fi\n"
    "    # bash cuts --option=value into three words.\n"
    "    if [[ $current == = ]]; then\n"
    "        current=\n"
    "    elif [[ ${COMP_WORDS[before]} == = ]]; then\n"
    "        before=$((before - 1))\n"
    "    fi\n"
    "    value=$(_assay_value \"$command\" \"${COMP_WORDS[before]}\")\n"
    "    if [[ $value ]]; then\n"
    "        _assay_reply \"$value\" \"$current\"\n"
    "    elif [[ $current == -* ]]; then\n"
    "        _assay_reply \"$(_assay_options \"$command\")\" \"$current\"\n"
    "    else\n"
    "        _assay_reply \"$(_assay_operand \"$command\")\" \"$current\"\n"
    "    fi\n"
    "}\n\n"
    "complete -F _assay assay\n";

static void bash_put_options(const struct command *command)
{
    printf("    %s) echo '", command->name);
    for (const struct flag *flag = command->flags; flag->name; flag++)
        printf("--%s ", flag->name);
    puts("--help' ;;");
}

static void bash_put_values(const struct command *command)
{
    for (const struct flag *flag = command->flags; flag->name; flag++) {
        struct values values = values_of_flag(flag);
        if (flag->kind == FLAG_SET)
            continue;
        printf("    '%s --%s'", command->name, flag->name);
        if (flag->letter)
            printf(" | '%s -%c'", command->name, flag->letter);
        fputs(") echo '", stdout);
        put_words(values.words.n ? values.words : values.files ? SPAN("FILE") : SPAN("NONE"));
        puts("' ;;");
    }
}

static void bash_put_operand(const struct command *command)
{
    struct values values = values_of_operand(command);
    if (values.words.n == 0 && !values.files)
        return;
    printf("    %s) echo '", command->name);
    put_words(values.words);
    printf("%s' ;;\n", values.files ? " FILE" : "");
}

static void for_each_command(void (*put)(const struct command *command))
{
    for (const struct command *command = commands; command->name; command++)
        put(command);
}

static void print_bash(void)
{
    fputs(bash_head, stdout);
    for_each_command(bash_put_options);
    fputs(bash_values, stdout);
    for_each_command(bash_put_values);
    fputs(bash_operands, stdout);
    for_each_command(bash_put_operand);
    fputs(bash_tail, stdout);
    fputs("_assay_commands='", stdout);
    put_commands();
    puts("'");
}

/* --- zsh --- */

static void zsh_quote(const char *help, const char *special)
{
    quote(help, special, "'\\''");
}

static void zsh_put_value(const char *name, struct values values)
{
    printf(":%s:", name);
    if (values.words.n && !values.files) {
        putchar('(');
        put_words(values.words);
        putchar(')');
    } else if (values.words.n) {
        fputs("{ compadd -- ", stdout);
        put_words(values.words);
        fputs("; _files }", stdout);
    } else {
        fputs(values.files ? "_files" : " ", stdout);
    }
}

/* '(-t --type)-t+[help]:word:(a b)' '(-t --type)--type=[help]:word:(a b)' */
static void zsh_put_spelling(const struct flag *flag, bool letter)
{
    bool value = flag->kind != FLAG_SET;
    fputs(" \\\n            '", stdout);
    if (flag->kind == FLAG_TEXTS)
        putchar('*');
    else if (flag->letter)
        printf("(-%c --%s)", flag->letter, flag->name);
    if (letter)
        printf("-%c%s[", flag->letter, value ? "+" : "");
    else
        printf("--%s%s[", flag->name, value ? "=" : "");
    zsh_quote(flag->help, "[]\\");
    putchar(']');
    if (value)
        zsh_put_value(flag->kind == FLAG_WORD ? flag->name : flag->argument, values_of_flag(flag));
    putchar('\'');
}

static void zsh_put_command(const struct command *command)
{
    struct values operand = values_of_operand(command);
    printf("    %s)\n        _arguments -S", command->name);
    for (const struct flag *flag = command->flags; flag->name; flag++) {
        if (flag->letter)
            zsh_put_spelling(flag, true);
        zsh_put_spelling(flag, false);
    }
    fputs(" \\\n            '--help[all options of this command]'", stdout);
    if (operand.words.n || operand.files) {
        fputs(" \\\n            '*", stdout);
        zsh_put_value("operand", operand);
        putchar('\'');
    }
    puts("\n        ;;");
}

static void zsh_put_summary(const struct command *command)
{
    printf("        '%s:", command->name);
    zsh_quote(command->summary, "\\");
    puts("'");
}

static void print_zsh(void)
{
    fputs("#compdef assay\n# zsh completion for assay, written by `assay completion zsh`\n\n"
          "_assay_commands()\n{\n    local -a commands=(\n",
          stdout);
    for_each_command(zsh_put_summary);
    fputs("    )\n    _describe -t commands command commands\n}\n\n"
          "_assay()\n{\n"
          "    if ((CURRENT == 2)); then\n"
          "        _assay_commands\n"
          "        compadd -- help --version\n"
          "        return\n"
          "    fi\n"
          "    shift words\n    ((CURRENT--))\n"
          "    case $words[1] in\n"
          "    help) ((CURRENT > 2)) || _assay_commands ;;\n",
          stdout);
    for_each_command(zsh_put_command);
    fputs("    esac\n}\n\n"
          "if [[ $funcstack[1] == _assay ]]; then\n    _assay \"$@\"\nelse\n"
          "    compdef _assay assay\nfi\n",
          stdout);
}

/* --- fish --- */

static void fish_quote(const char *help)
{
    quote(help, "\\", "\\'");
}

static void fish_put_option(const struct command *command, const struct flag *flag)
{
    struct values values = values_of_flag(flag);
    printf("complete -c assay -n '__assay_command %s' -l %s", command->name, flag->name);
    if (flag->letter)
        printf(" -s %c", flag->letter);
    if (flag->kind != FLAG_SET)
        fputs(values.files ? " -r -F" : " -x", stdout);
    if (values.words.n) {
        fputs(" -a '", stdout);
        put_words(values.words);
        putchar('\'');
    }
    fputs(" -d '", stdout);
    fish_quote(flag->help);
    puts("'");
}

static void fish_put_command(const struct command *command)
{
    struct values operand = values_of_operand(command);
    printf("complete -c assay -n __assay_no_command -a %s -d '", command->name);
    fish_quote(command->summary);
    puts("'");
    for (const struct flag *flag = command->flags; flag->name; flag++)
        fish_put_option(command, flag);
    printf("complete -c assay -n '__assay_command %s' -l help -d 'all options of this command'\n",
           command->name);
    if (operand.words.n) {
        printf("complete -c assay -n '__assay_command %s' -a '", command->name);
        put_words(operand.words);
        puts("'");
    }
    if (operand.files)
        printf("complete -c assay -n '__assay_command %s' -F\n", command->name);
}

static void print_fish(void)
{
    fputs("# fish completion for assay, written by `assay completion fish`\n\n"
          "function __assay_no_command\n    test (count (commandline -opc)) -eq 1\nend\n\n"
          "function __assay_command\n    set -l words (commandline -opc)\n"
          "    test (count $words) -gt 1; and test $words[2] = $argv[1]\nend\n\n"
          "complete -c assay -f\n"
          "complete -c assay -n __assay_no_command -a help -d 'all commands, or all options of "
          "one'\n"
          "complete -c assay -n __assay_no_command -l version -d 'name and version'\n"
          "complete -c assay -n '__assay_command help' -a '",
          stdout);
    put_commands();
    puts("'");
    for_each_command(fish_put_command);
}

int completion_print(int count, char **arguments)
{
    static const struct
    {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; count == 1 && i < COUNT_OF(shells); i++) {
        if (strcmp(arguments[0], shells[i].name) != 0)
            continue;
        shells[i].print();
        return STATUS_OK;
    }
    complain("completion wants one of bash, zsh, fish");
    return STATUS_USAGE;
}

void completion_print_help(void)
{
    fputs("usage: assay completion bash|zsh|fish\n\n"
          "Prints a script that completes commands, options and their values. `make install` puts\n"
          "it in place; without that: source <(assay completion bash), likewise in zsh, and\n"
          "assay completion fish | source.\n",
          stdout);
}
