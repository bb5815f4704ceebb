/* assay help: what the table of commands says, for people. */
#include "completion.h"
#include "flags.h"

void help_print_commands(FILE *out)
{
    fputs("usage: assay COMMAND [options]\n", out);
    for (const struct command *command = commands; command->name; command++) {
        if (command->heading)
            fprintf(out, "\n%s\n", command->heading);
        fprintf(out, "  %-8s %s\n", command->name, command->summary);
    }
    fputs("\nassay help COMMAND          its options; a manual page is assay-COMMAND(1)\n"
          "assay completion SHELL      what bash, zsh or fish complete commands with\n"
          "assay --version\n",
          out);
}

static void print_command(const struct command *command)
{
    printf("usage: assay %s %s\n\n%s\n\n", command->name, command->synopsis, command->summary);
    flags_print(command->flags, stdout);
    printf("\n%s", command->help);
}

int help_print(const char *name)
{
    if (!name) {
        help_print_commands(stdout);
        return STATUS_OK;
    }
    const struct command *command = command_find(name);
    if (!command && strcmp(name, "completion") == 0) {
        completion_print_help();
        return STATUS_OK;
    }
    if (!command) {
        complain("no command \"%s\"; `assay help` lists them", name);
        return STATUS_USAGE;
    }
    print_command(command);
    return STATUS_OK;
}
