/*  command: see command.h. */
#include "cli/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const cli_command_t *
cli_command_find(const char *path)
{
    for (size_t i = 0; i < cli_commands_count; i++)
        if (!strcmp(cli_commands[i].path, path))
            return &cli_commands[i];
    return NULL;
}

bool
cli_command_is_below(const cli_command_t *child, const cli_command_t *parent)
{
    size_t len = strlen(parent->path);
    const char *rest = child->path + len + (len > 0);
    return child != parent && !strncmp(child->path, parent->path, len) &&
           (len == 0 || child->path[len] == ' ') && *rest && !strchr(rest, ' ');
}

const char *
cli_command_name(const cli_command_t *self)
{
    const char *space = strrchr(self->path, ' ');
    return space ? space + 1 : self->path;
}

const cli_flag_t *
cli_command_flag(const cli_command_t *self, size_t i)
{
    size_t own = 0;
    while (self->flags[own].name)
        own++;
    if (i < own)
        return &self->flags[i];
    for (size_t global = 0; cli_global_flags[global].name; global++)
        if (global == i - own)
            return &cli_global_flags[global];
    return NULL;
}

/* The place of a flag that the command has. */
static size_t
place_of(const cli_call_t *call, const char *flag)
{
    const cli_flag_t *self;
    for (size_t i = 0; (self = cli_command_flag(call->command, i)); i++)
        if (!strcmp(self->name, flag))
            return i;
    assert(!"the command has no such flag");
    return 0;
}

const char *
cli_text(const cli_call_t *call, const char *flag)
{
    size_t i = place_of(call, flag);
    return call->flags[i] ? call->flags[i] : cli_command_flag(call->command, i)->fallback;
}

bool
cli_given(const cli_call_t *call, const char *flag)
{
    return call->flags[place_of(call, flag)] != NULL;
}

bool
cli_bool(const cli_call_t *call, const char *flag)
{
    return !strcmp(cli_text(call, flag), "true");
}

uint32_t
cli_number(const cli_call_t *call, const char *flag)
{
    return (uint32_t)strtoul(cli_text(call, flag), NULL, 10);
}

const char *
cli_arg(const cli_call_t *call, const char *name)
{
    const cli_arg_t *args = call->command->args;
    for (size_t i = 0; args[i].name; i++)
        if (!strcmp(args[i].name, name))
            return i < call->count ? call->values[i] : args[i].fallback;
    assert(!"the command has no such argument");
    return "";
}

const char *const *
cli_args(const cli_call_t *call, size_t *ret_count)
{
    size_t before = 0;
    while (call->command->args[before].name && !call->command->args[before].greedy)
        before++;
    *ret_count = call->count > before ? call->count - before : 0;
    return call->values + before;
}
