/*  parse: see parse.h. */
#include "cli/parse.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FAR 3 /* letters to change at which a word is no likely misspelling */

/* ------------------------------------------------------------------------------------- likeness */

/* Letters to insert, remove or change to make one word of the other, capped. */
static size_t
distance(const char *one, const char *other)
{
    size_t a = strlen(one), b = strlen(other);
    size_t row[64];
    if (a >= ARRAY_LEN(row) || b >= ARRAY_LEN(row))
        return FAR;
    for (size_t j = 0; j <= b; j++)
        row[j] = j;
    for (size_t i = 1; i <= a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b; j++) {
            size_t change = diagonal + (one[i - 1] != other[j - 1]);
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = least < change ? least : change;
        }
    }
    return row[b];
}

static bool
is_like(const char *word, const char *candidate)
{
    size_t changes = distance(word, candidate);
    return (changes < FAR && changes < strlen(candidate)) ||
           (strlen(word) > 1 && str_starts(candidate, word));
}

void
cli_suggest_command(const cli_command_t *group, const char *word, str_t *out)
{
    bool any = false;
    for (size_t i = 0; i < cli_commands_count; i++) {
        const cli_command_t *child = &cli_commands[i];
        if (child->hidden || !cli_command_is_below(child, group) ||
            !is_like(word, cli_command_name(child)))
            continue;
        str_printf(out, "%s\n\t%s", any ? "" : "\n\nDid you mean this?", cli_command_name(child));
        any = true;
    }
}

static void
suggest_flag(const cli_command_t *command, const char *word, str_t *out)
{
    const cli_flag_t *flag;
    for (size_t i = 0; (flag = cli_command_flag(command, i)); i++)
        if (is_like(word, flag->name)) {
            str_printf(out, "; did you mean '--%s'?", flag->name);
            return;
        }
}

/* ---------------------------------------------------------------------------------- the command */

/* May flags of any command of this name take a value? Decides whether the next word is one. */
static bool
takes_value(const char *word)
{
    const char *name = word + strspn(word, "-");
    if (strchr(word, '='))
        return false;
    for (size_t i = 0; cli_global_flags[i].name; i++)
        if (!strcmp(cli_global_flags[i].name, name))
            return cli_global_flags[i].kind != CLI_BOOL;
    return false;
}

const cli_command_t *
cli_parse_command(char **argv, size_t argc, uint64_t *ret_words)
{
    const cli_command_t *command = cli_command_find("");
    *ret_words = 0;
    for (size_t i = 0; i < argc && i < 64 && !command->run; i++) {
        if (!strcmp(argv[i], "--"))
            break;
        if (*argv[i] == '-') {
            i += takes_value(argv[i]);
            continue;
        }
        AUTO_FREE char *path =
            str_format("%s%s%s", command->path, *command->path ? " " : "", argv[i]);
        const cli_command_t *child = cli_command_find(path);
        if (!child)
            break;
        command = child;
        *ret_words |= UINT64_C(1) << i;
    }
    return command;
}

/* ---------------------------------------------------------------------------------------- flags */

typedef struct {
    char **argv;
    size_t argc, at;
    cli_call_t *call;
    err_t **err;
} parser_t;

/* A flag's place, or -1. */
static int
find_flag(const cli_command_t *command, const char *name, size_t len, char letter)
{
    const cli_flag_t *flag;
    for (int i = 0; (flag = cli_command_flag(command, (size_t)i)); i++)
        if (letter ? flag->letter == letter
                   : strlen(flag->name) == len && !strncmp(flag->name, name, len))
            return i;
    return -1;
}

static void
show_flag(const cli_flag_t *flag, str_t *out)
{
    if (flag->letter)
        str_printf(out, "-%c, ", flag->letter);
    str_printf(out, "--%s", flag->name);
}

static const char *
read_bool(const char *value)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (!strcmp(value, yes[i]))
            return "true";
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (!strcmp(value, no[i]))
            return "false";
    return NULL;
}

static bool
is_number(const char *value)
{
    size_t len = strlen(value);
    return len > 0 && len <= 10 && strspn(value, "0123456789") == len &&
           strtoull(value, NULL, 10) <= UINT32_MAX;
}

static int
bad_value(parser_t *self, const cli_flag_t *flag, const char *value, const char *wanted)
{
    AUTO_STR name = STR_EMPTY;
    show_flag(flag, &name);
    return err_fail(self->err, ERR_INVALID, "invalid argument '%s' for '%s' flag: %s", value,
                    name.data, wanted);
}

static int
check_choice(parser_t *self, const cli_flag_t *flag, const char *value)
{
    AUTO_STR wanted = STR_EMPTY;
    str_add(&wanted, "it must be one of");
    for (size_t i = 0; flag->choices[i]; i++) {
        if (!strcasecmp(flag->choices[i], value))
            return 0;
        str_printf(&wanted, "%s '%s'", i ? "," : "", flag->choices[i]);
    }
    return bad_value(self, flag, value, wanted.data);
}

static int
set_flag(parser_t *self, int place, const char *value)
{
    const cli_flag_t *flag = cli_command_flag(self->call->command, (size_t)place);
    if (flag->kind == CLI_BOOL) {
        const char *truth = read_bool(value);
        if (!truth)
            return bad_value(self, flag, value, "it must be 'true' or 'false'");
        value = truth;
    } else if (flag->kind == CLI_NUMBER && !is_number(value)) {
        return bad_value(self, flag, value, "it must be a whole number from 0 to 4294967295");
    } else if (flag->choices && check_choice(self, flag, value) < 0) {
        return -1;
    }
    self->call->flags[place] = value;
    if (!strcmp(flag->name, "help") && !strcmp(value, "true"))
        self->call->help = true;
    return 0;
}

/* The word after a flag that needs a value. */
static int
next_value(parser_t *self, int place, const char *shown)
{
    if (self->at + 1 >= self->argc)
        return err_fail(self->err, ERR_INVALID, "flag needs an argument: %s", shown);
    return set_flag(self, place, self->argv[++self->at]);
}

static int
parse_long(parser_t *self, const char *word)
{
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    int place = find_flag(self->call->command, name, len, 0);
    if (place < 0) {
        AUTO_STR hint = STR_EMPTY;
        AUTO_FREE char *typed = strndup(name, len);
        suggest_flag(self->call->command, typed, &hint);
        return err_fail(self->err, ERR_INVALID, "unknown flag: --%s%s", typed, hint.data);
    }
    if (equals)
        return set_flag(self, place, equals + 1);
    if (cli_command_flag(self->call->command, (size_t)place)->kind == CLI_BOOL)
        return set_flag(self, place, "true");
    return next_value(self, place, word);
}

static int
parse_letters(parser_t *self, const char *word)
{
    for (const char *at = word + 1; *at; at++) {
        int place = find_flag(self->call->command, NULL, 0, *at);
        if (place < 0)
            return err_fail(self->err, ERR_INVALID, "unknown shorthand flag: '%c' in %s", *at,
                            word);
        bool is_bool = cli_command_flag(self->call->command, (size_t)place)->kind == CLI_BOOL;
        if (at[1] == '=')
            return set_flag(self, place, at + 2);
        if (is_bool) {
            if (set_flag(self, place, "true") < 0)
                return -1;
            continue;
        }
        if (at[1])
            return set_flag(self, place, at + 1);
        AUTO_FREE char *shown = str_format("'%c' in %s", *at, word);
        return next_value(self, place, shown);
    }
    return 0;
}

/* ------------------------------------------------------------------------------------ arguments */

void
cli_usage_line(const cli_command_t *command, str_t *out)
{
    str_printf(out, CLI_PROGRAM "%s%s [flags]", *command->path ? " " : "", command->path);
    for (const cli_arg_t *arg = command->args; arg->name; arg++)
        str_printf(out, arg->fallback ? " [%s%s]" : " %s%s", arg->name, arg->greedy ? "..." : "");
}

static int
check_arguments(const cli_call_t *call, err_t **err)
{
    size_t least = 0, most = 0;
    bool greedy = false;
    for (const cli_arg_t *arg = call->command->args; arg->name; arg++) {
        least += !arg->fallback;
        most++;
        greedy = greedy || arg->greedy;
    }
    if (call->count >= least && (greedy || call->count <= most))
        return 0;
    AUTO_STR usage = STR_EMPTY;
    cli_usage_line(call->command, &usage);
    if (greedy)
        return err_fail(err, ERR_INVALID,
                        "requires at least %zu arg(s), only received %zu\nUsage: %s", least,
                        call->count, usage.data);
    return err_fail(err, ERR_INVALID,
                    "this command accepts between %zu and %zu arg(s), received %zu.\nUsage: "
                    "%s\nRun '" CLI_PROGRAM " %s --help' for more usage details.",
                    least, most, call->count, usage.data, call->command->path);
}

static int
take_word(parser_t *self)
{
    if (self->call->count == CLI_VALUES_MAX)
        return err_fail(self->err, ERR_LIMIT, "more than %u arguments", CLI_VALUES_MAX);
    self->call->values[self->call->count++] = self->argv[self->at];
    return 0;
}

static int
unknown_command(const cli_call_t *call, err_t **err)
{
    AUTO_STR hint = STR_EMPTY;
    cli_suggest_command(call->command, call->values[0], &hint);
    return err_fail(err, ERR_NOT_FOUND, "unknown command '%s' for '" CLI_PROGRAM "%s%s'%s",
                    call->values[0], *call->command->path ? " " : "", call->command->path,
                    hint.data);
}

int
cli_parse(char **argv, size_t argc, const char **values, cli_call_t *ret_call, err_t **err)
{
    uint64_t words;
    *ret_call = (cli_call_t){.command = cli_parse_command(argv, argc, &words), .values = values};
    parser_t self = {.argv = argv, .argc = argc, .call = ret_call, .err = err};
    for (bool only_words = false; self.at < argc; self.at++) {
        const char *word = argv[self.at];
        int result = 0;
        if (self.at < 64 && words >> self.at & 1)
            continue;
        if (!only_words && !strcmp(word, "--"))
            only_words = true;
        else if (only_words || *word != '-' || !word[1])
            result = take_word(&self);
        else
            result = word[1] == '-' ? parse_long(&self, word) : parse_letters(&self, word);
        if (result < 0)
            return result;
    }
    if (ret_call->help)
        return 0;
    if (!ret_call->command->run && ret_call->count > 0)
        return unknown_command(ret_call, err);
    return ret_call->command->run ? check_arguments(ret_call, err) : 0;
}
