/* Completion scripts for shells, written from the table of commands. */
#ifndef ASSAY_COMPLETION_H
#define ASSAY_COMPLETION_H

/* `assay completion bash|zsh|fish`; arguments behind the command. Returns the exit status. */
int completion_print(int count, char **arguments);
void completion_print_help(void);

#endif
