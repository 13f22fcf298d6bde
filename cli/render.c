/*  render: see render.h. */
#include "cli/render.h"

#include "base/clock.h"
#include "base/duration.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *word;
    render_verbosity_t verbosity;
} verbosities[] = {
    {"description", RENDER_DESCRIPTION}, {"brief", RENDER_BRIEF},
    {"detailed", RENDER_DETAILED},       {"executable", RENDER_EXECUTABLE},
    {"output_only", RENDER_OUTPUT_ONLY},
};

render_verbosity_t
render_verbosity(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(verbosities); i++)
        if (!strcasecmp(verbosities[i].word, word))
            return verbosities[i].verbosity;
    return RENDER_DESCRIPTION;
}

/* --------------------------------------------------------------------------------- instructions */

/* Arguments of the original that were not given have neither name nor value. */
static bool
is_set(const ApiContainerApi__StarlarkInstructionArg *arg)
{
    return arg->_arg_name_case != 0 || *arg->serialized_arg_value;
}

static void
add_arg(str_t *out, const ApiContainerApi__StarlarkInstructionArg *arg)
{
    if (arg->_arg_name_case != 0 && *arg->arg_name)
        str_printf(out, "%s=", arg->arg_name);
    str_add(out, arg->serialized_arg_value);
}

static void
add_brief(str_t *out, const ApiContainerApi__StarlarkInstruction *instruction)
{
    str_printf(out, "> %s", instruction->instruction_name);
    for (size_t i = 0; i < instruction->n_arguments; i++)
        if (instruction->arguments[i]->is_representative && is_set(instruction->arguments[i])) {
            str_add_char(out, ' ');
            add_arg(out, instruction->arguments[i]);
        }
}

static void
add_detailed(str_t *out, const ApiContainerApi__StarlarkInstruction *instruction)
{
    str_printf(out, "> %s", instruction->instruction_name);
    for (size_t i = 0; i < instruction->n_arguments; i++)
        if (is_set(instruction->arguments[i])) {
            str_add(out, "\n> \t");
            add_arg(out, instruction->arguments[i]);
        }
}

static void
add_executable(str_t *out, const ApiContainerApi__StarlarkInstruction *instruction)
{
    const ApiContainerApi__StarlarkInstructionPosition *position = instruction->position;
    if (position)
        str_printf(out, "# from %s[%d:%d]\n", position->filename, (int)position->line,
                   (int)position->column);
    render_starlark(out, instruction->executable_instruction);
}

static void
add_instruction(const render_options_t *options,
                const ApiContainerApi__StarlarkInstruction *instruction, bool coloured, str_t *out)
{
    AUTO_STR text = STR_EMPTY;
    if (options->verbosity == RENDER_OUTPUT_ONLY ||
        (instruction->_instruction_id_case && !strcmp(instruction->instruction_name, "print")))
        return;
    switch (options->verbosity) {
    case RENDER_BRIEF:
        add_brief(&text, instruction);
        break;
    case RENDER_DETAILED:
        add_detailed(&text, instruction);
        break;
    case RENDER_EXECUTABLE:
        add_executable(&text, instruction);
        break;
    default:
        str_add(&text, instruction->description);
    }
    str_add_char(out, '\n');
    out_style(out, OUT_CYAN, coloured, text.data);
    str_add_char(out, '\n');
}

/* ---------------------------------------------------------------------------------- other lines */

static void
add_duration(str_t *out, const Google__Protobuf__Duration *duration)
{
    duration_put(out, duration ? duration->seconds * NS_PER_SECOND + duration->nanos : 0);
}

static void
add_result(const render_options_t *options,
           const ApiContainerApi__StarlarkInstructionResult *result, bool coloured, str_t *out)
{
    AUTO_STR text = STR_EMPTY;
    str_add(&text, result->serialized_instruction_result);
    if (options->verbosity == RENDER_DETAILED && result->execution_duration) {
        str_add(&text, " (execution duration: ");
        add_duration(&text, result->execution_duration);
        str_add_char(&text, ')');
    }
    out_style(out, OUT_WHITE, coloured, text.data);
    str_add_char(out, '\n');
}

static void
add_error(const ApiContainerApi__StarlarkError *error, bool coloured, str_t *out)
{
    AUTO_STR text = STR_EMPTY;
    AUTO_FREE char *clean = NULL;
    switch (error->error_case) {
    case API_CONTAINER_API__STARLARK_ERROR__ERROR_INTERPRETATION_ERROR:
        str_printf(&text, "There was an error interpreting Starlark code \n%s",
                   error->interpretation_error->error_message);
        break;
    case API_CONTAINER_API__STARLARK_ERROR__ERROR_VALIDATION_ERROR:
        str_printf(&text, "There was an error validating Starlark code \n%s",
                   error->validation_error->error_message);
        break;
    case API_CONTAINER_API__STARLARK_ERROR__ERROR_EXECUTION_ERROR:
        clean = out_clean_error(error->execution_error->error_message);
        str_printf(&text, "There was an error executing Starlark code \n%s", clean);
        break;
    default:
        return;
    }
    out_style(out, OUT_RED, coloured, text.data);
    str_add_char(out, '\n');
}

static void
add_finish(const render_options_t *options, const ApiContainerApi__StarlarkRunFinishedEvent *event,
           bool coloured, str_t *out)
{
    AUTO_STR text = STR_EMPTY;
    const char *mode = options->is_dry_run ? " in dry-run mode" : "";
    if (!event->is_run_successful) {
        str_printf(&text, "Error encountered running Starlark code%s.", mode);
    } else {
        str_printf(&text, "Starlark code successfully run%s.", mode);
        if (options->verbosity == RENDER_DETAILED && event->total_execution_duration) {
            str_add(&text, " Total instruction execution time: ");
            add_duration(&text, event->total_execution_duration);
            str_add_char(&text, '.');
        }
        if (event->_serialized_output_case != 0 && *event->serialized_output)
            str_printf(&text, " Output was:\n%s", event->serialized_output);
        else
            str_add(&text, " No output was returned.");
    }
    str_add_char(out, '\n');
    out_style(out, event->is_run_successful ? OUT_GREEN : OUT_RED, coloured, text.data);
    str_add_char(out, '\n');
}

static void
add_message(const char *message, out_style_t style, bool coloured, str_t *out)
{
    str_add_char(out, '\n');
    out_style(out, style, coloured, message);
    str_add_char(out, '\n');
}

void
render_line(const render_options_t *options, const ApiContainerApi__StarlarkRunResponseLine *line,
            bool coloured, str_t *out)
{
    switch (line->run_response_line_case) {
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION:
        add_instruction(options, line->instruction, coloured, out);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION_RESULT:
        add_result(options, line->instruction_result, coloured, out);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_ERROR:
        add_error(line->error, coloured, out);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT:
        add_finish(options, line->run_finished_event, coloured, out);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_WARNING:
        add_message(line->warning->warning_message, OUT_YELLOW, coloured, out);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INFO:
        add_message(line->info->info_message, OUT_CYAN, coloured, out);
        break;
    default:
        break;
    }
}
