/*  command: what a command is. One table (commands.c) of them feeds the parser, help, completion
 * and the tests. */
#ifndef KURTOSIS_CLI_COMMAND_H
#define KURTOSIS_CLI_COMMAND_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define CLI_PROGRAM "kurtosis"
#define CLI_ARGS_MAX 16u     /* positional arguments that a command declares */
#define CLI_FLAGS_MAX 32u    /* flags of one command, the global ones included */
#define CLI_VALUES_MAX 4096u /* positional arguments given */

typedef enum { CLI_BOOL, CLI_TEXT, CLI_NUMBER } cli_kind_t;

typedef struct {
    const char *name; /* "full-uuids" */
    char letter;      /* 'n' for -n; 0 for none */
    cli_kind_t kind;
    const char *fallback; /* value when it is not given: "false", "", "200" */
    const char *help;
    const char *const
        *choices; /* what a text may be, whatever its case; NULL for anything. Ends with NULL. */
} cli_flag_t;

/* What an argument names: decides completion. */
typedef enum {
    CLI_ARG_TEXT,
    CLI_ARG_ENCLAVE,
    CLI_ARG_SERVICE,      /* of the enclave given before */
    CLI_ARG_PAST_SERVICE, /* also removed ones */
    CLI_ARG_ARTIFACT,     /* of the enclave given before */
    CLI_ARG_PORT,         /* of the service given before */
    CLI_ARG_PATH,
    CLI_ARG_COMMAND, /* words of this table */
} cli_what_t;

typedef struct {
    const char *name;
    cli_what_t what;
    const char *fallback; /* not NULL: may be left out */
    bool greedy;          /* takes all that is left */
} cli_arg_t;

typedef struct cli_command cli_command_t;

/* A command line, parsed. Everything is lent from argv and the table. */
typedef struct {
    const cli_command_t *command;
    const char **values; /* positional arguments as given; count of them */
    size_t count;
    const char *flags[CLI_FLAGS_MAX]; /* by place in cli_command_flag; NULL where not given */
    bool help;
} cli_call_t;

/* Result of a command: 0, negative with *err, or CLI_FAILED when the user has been told already. */
enum { CLI_FAILED = 1 };
typedef int(cli_run_fn)(const cli_call_t *call, err_t **err);

struct cli_command {
    const char *path;    /* "enclave ls"; groups have no run */
    const char *summary; /* one line */
    const char *details; /* more, for its own help; may be NULL */
    cli_run_fn *run;
    bool hidden;
    cli_arg_t args[CLI_ARGS_MAX];    /* ends with {0} */
    cli_flag_t flags[CLI_FLAGS_MAX]; /* ends with {0} */
};

/* The table, sorted by path; the root has the path "". */
extern const cli_command_t cli_commands[];
extern const size_t cli_commands_count;
extern const cli_flag_t cli_global_flags[];

const cli_command_t *cli_command_find(const char *path);
/* Is child directly below parent? */
bool cli_command_is_below(const cli_command_t *child, const cli_command_t *parent);
/* The last word of the path; lent. */
const char *cli_command_name(const cli_command_t *self);
/* Flag number i: the command's own, then the global ones; NULL past the end. */
const cli_flag_t *cli_command_flag(const cli_command_t *self, size_t i);

/* The value of a flag or argument that the command has, given or by default. Lent. */
const char *cli_text(const cli_call_t *call, const char *flag);
/* Whether a flag is on the command line. */
bool cli_given(const cli_call_t *call, const char *flag);
bool cli_bool(const cli_call_t *call, const char *flag);
uint32_t cli_number(const cli_call_t *call, const char *flag);
const char *cli_arg(const cli_call_t *call, const char *name);
/* The values of the greedy argument; *ret_count of them. Lent. */
const char *const *cli_args(const cli_call_t *call, size_t *ret_count);

#endif
