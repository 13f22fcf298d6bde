/*  help: what a command is for, read off the table. */
#ifndef KURTOSIS_CLI_HELP_H
#define KURTOSIS_CLI_HELP_H

#include "cli/command.h"

void cli_help(const cli_command_t *command, str_t *out);

/* `kurtosis help [command]`, `kurtosis completion SHELL`, and what the completion scripts call. */
int cli_run_help(const cli_call_t *call, err_t **err);
int cli_run_completion(const cli_call_t *call, err_t **err);
int cli_run_complete(const cli_call_t *call, err_t **err);

#endif
