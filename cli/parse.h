/*  parse: a command line by the table, with the rules of the POSIX and GNU conventions that
 * Kurtosis' users know.
 *
 *  --x v, --x=v, -n v, -nv, -n=v, grouped letters, -- ends flags; flags and arguments may be mixed.
 * A boolean takes a value only after '='.
 */
#ifndef KURTOSIS_CLI_PARSE_H
#define KURTOSIS_CLI_PARSE_H

#include "cli/command.h"

/* Parses argv (without the program's name) into *ret_call; values is the caller's, for count of
 * them. Arguments are counted unless --help is among them. INVALID with a text to print, NOT_FOUND
 * for an unknown command. */
int cli_parse(char **argv, size_t argc, const char **values, cli_call_t *ret_call, err_t **err);

/* The command that argv begins with, and how many of its words lead there (flags in between are
 * skipped; their places are in the bit set at ret_words, up to 64). */
const cli_command_t *cli_parse_command(char **argv, size_t argc, uint64_t *ret_words);

/* "kurtosis enclave rm [flags] enclaves..." */
void cli_usage_line(const cli_command_t *command, str_t *out);
/* Whole words that look like word, one a line after "Did you mean this?"; nothing when there is
 * none. */
void cli_suggest_command(const cli_command_t *group, const char *word, str_t *out);

#endif
