/*  help: see help.h. */
#include "cli/help.h"

#include "cli/output.h"
#include "cli/parse.h"

#include <stdio.h>
#include <string.h>

static void
add_commands(const cli_command_t *group, str_t *out)
{
    size_t widest = 0;
    for (size_t i = 0; i < cli_commands_count; i++)
        if (cli_command_is_below(&cli_commands[i], group) &&
            strlen(cli_command_name(&cli_commands[i])) > widest)
            widest = strlen(cli_command_name(&cli_commands[i]));
    str_add(out, "\nAvailable Commands:\n");
    for (size_t i = 0; i < cli_commands_count; i++) {
        const cli_command_t *child = &cli_commands[i];
        if (!child->hidden && cli_command_is_below(child, group))
            str_printf(out, "  %-*s %s\n", (int)widest + 1, cli_command_name(child),
                       child->summary);
    }
}

static void
add_flag(const cli_flag_t *flag, str_t *out)
{
    static const char *const kinds[] = {
        [CLI_BOOL] = "", [CLI_TEXT] = " string", [CLI_NUMBER] = " uint32"};
    AUTO_FREE char *name = str_format("--%s%s", flag->name, kinds[flag->kind]);
    if (flag->letter)
        str_printf(out, "  -%c, %-34s %s", flag->letter, name, flag->help);
    else
        str_printf(out, "      %-34s %s", name, flag->help);
    bool is_zero =
        !*flag->fallback || !strcmp(flag->fallback, "false") || !strcmp(flag->fallback, "0");
    if (!is_zero)
        str_printf(out, flag->kind == CLI_TEXT ? " (default \"%s\")" : " (default %s)",
                   flag->fallback);
    str_add_char(out, '\n');
}

static void
add_flags(const cli_command_t *command, str_t *out)
{
    if (command->flags[0].name)
        str_add(out, "\nFlags:\n");
    for (const cli_flag_t *flag = command->flags; flag->name; flag++)
        add_flag(flag, out);
    str_add(out, "\nGlobal Flags:\n");
    for (const cli_flag_t *flag = cli_global_flags; flag->name; flag++)
        add_flag(flag, out);
}

void
cli_help(const cli_command_t *command, str_t *out)
{
    str_printf(out, "%s\n", command->details ? command->details : command->summary);
    str_add(out, "\nUsage:\n  ");
    if (command->run)
        cli_usage_line(command, out);
    else
        str_printf(out, CLI_PROGRAM "%s%s [command]", *command->path ? " " : "", command->path);
    str_add_char(out, '\n');
    if (!command->run)
        add_commands(command, out);
    add_flags(command, out);
    if (!command->run)
        str_printf(out,
                   "\nUse \"" CLI_PROGRAM
                   "%s%s [command] --help\" for more information about a command.\n",
                   *command->path ? " " : "", command->path);
}

int
cli_run_help(const cli_call_t *call, err_t **err)
{
    AUTO_STR path = STR_EMPTY;
    for (size_t i = 0; i < call->count; i++)
        str_printf(&path, "%s%s", i ? " " : "", call->values[i]);
    const cli_command_t *command = cli_command_find(path.data);
    if (!command)
        return err_fail(err, ERR_NOT_FOUND,
                        "there is no command '%s'; '" CLI_PROGRAM " --help' lists them", path.data);
    AUTO_STR text = STR_EMPTY;
    cli_help(command, &text);
    out_text(text.data);
    return 0;
}
