/*  lines: makes the lines of a run. Texts of commands can hold anything; lines hold well-formed
 * text without zero bytes. */
#include "apic/run/lines.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "bus/bus.h"

#include <stdlib.h>
#include <string.h>

static char *
clean(const char *text, size_t size)
{
    str_t out = STR_EMPTY;
    while (size) { /* zero bytes go between the pieces */
        const size_t piece = strnlen(text, size);
        utf8_clean(&out, text, piece);
        if (piece < size)
            utf8_put(&out, UTF8_BAD);
        const size_t step = piece < size ? piece + 1 : piece;
        size -= step;
        text += step;
    }
    return str_take(&out);
}

static char *
clean_text(const char *text)
{
    return clean(text, strlen(text));
}

static Google__Protobuf__Duration *
duration(int64_t ns)
{
    Google__Protobuf__Duration *made = malloc(sizeof(*made));
    google__protobuf__duration__init(made);
    made->seconds = ns / NS_PER_SECOND;
    made->nanos = (int32_t)(ns % NS_PER_SECOND);
    return made;
}

static run_line_t *
line_new(ApiContainerApi__StarlarkRunResponseLine__RunResponseLineCase which)
{
    run_line_t *line = malloc(sizeof(*line));
    api_container_api__starlark_run_response_line__init(line);
    line->run_response_line_case = which;
    return line;
}

#define LINE(which)                                                                                \
    line_new(API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_##which)

void
run_lines_progress(const run_lines_t *self, const char *const *texts, size_t step, size_t total,
                   const char *id)
{
    run_line_t *line = LINE(PROGRESS_INFO);
    ApiContainerApi__StarlarkRunProgress *progress = malloc(sizeof(*progress));
    api_container_api__starlark_run_progress__init(progress);
    size_t count = 0;
    while (texts[count])
        count++;
    progress->current_step_info = calloc(count ? count : 1, sizeof(char *));
    for (; progress->n_current_step_info < count; progress->n_current_step_info++)
        progress->current_step_info[progress->n_current_step_info] =
            clean_text(texts[progress->n_current_step_info]);
    progress->current_step_number = (uint32_t)step;
    progress->total_steps = (uint32_t)total;
    if (id) {
        progress->_instruction_id_case =
            API_CONTAINER_API__STARLARK_RUN_PROGRESS___INSTRUCTION_ID_INSTRUCTION_ID;
        progress->instruction_id = strdup(id);
    }
    line->progress_info = progress;
    self->sink(self->arg, line);
}

static ApiContainerApi__StarlarkInstructionArg *
argument_new(const plan_argument_t *from)
{
    ApiContainerApi__StarlarkInstructionArg *argument = malloc(sizeof(*argument));
    api_container_api__starlark_instruction_arg__init(argument);
    argument->serialized_arg_value = clean_text(from->text);
    argument->_arg_name_case = API_CONTAINER_API__STARLARK_INSTRUCTION_ARG___ARG_NAME_ARG_NAME;
    argument->arg_name = strdup(from->name);
    argument->is_representative = from->shown;
    return argument;
}

void
run_lines_instruction(const run_lines_t *self, const plan_step_t *step, const char *id)
{
    run_line_t *line = LINE(INSTRUCTION);
    ApiContainerApi__StarlarkInstruction *instruction = malloc(sizeof(*instruction));
    api_container_api__starlark_instruction__init(instruction);
    instruction->position = malloc(sizeof(*instruction->position));
    api_container_api__starlark_instruction_position__init(instruction->position);
    instruction->position->filename = clean_text(step->file);
    instruction->position->line = (int32_t)step->line;
    instruction->position->column = (int32_t)step->column;
    instruction->instruction_name = strdup(step->kind->table.name);
    instruction->arguments = calloc(step->n_arguments + 1, sizeof(*instruction->arguments));
    for (size_t i = 0; i < step->n_arguments; i++)
        instruction->arguments[instruction->n_arguments++] = argument_new(&step->arguments[i]);
    instruction->executable_instruction = clean_text(step->text);
    instruction->is_skipped = step->is_skipped;
    instruction->description = clean_text(step->description);
    if (id) {
        instruction->_instruction_id_case =
            API_CONTAINER_API__STARLARK_INSTRUCTION___INSTRUCTION_ID_INSTRUCTION_ID;
        instruction->instruction_id = strdup(id);
    }
    line->instruction = instruction;
    self->sink(self->arg, line);
}

void
run_lines_result(const run_lines_t *self, const str_t *result, int64_t duration_ns, const char *id)
{
    run_line_t *line = LINE(INSTRUCTION_RESULT);
    ApiContainerApi__StarlarkInstructionResult *made = malloc(sizeof(*made));
    api_container_api__starlark_instruction_result__init(made);
    const size_t size = utf8_cut(result->data, result->len, PLAN_RESULT_MAX);
    char *text = clean(result->data, size);
    made->serialized_instruction_result =
        size < result->len ? str_format("%s...", text) : strdup(text);
    free(text);
    made->execution_duration = duration(duration_ns);
    if (id) {
        made->_instruction_id_case =
            API_CONTAINER_API__STARLARK_INSTRUCTION_RESULT___INSTRUCTION_ID_INSTRUCTION_ID;
        made->instruction_id = strdup(id);
    }
    line->instruction_result = made;
    self->sink(self->arg, line);
}

void
run_lines_error(const run_lines_t *self, run_phase_t phase, const char *text)
{
    run_line_t *line = LINE(ERROR);
    ApiContainerApi__StarlarkError *error = line->error = malloc(sizeof(*error));
    api_container_api__starlark_error__init(error);
    switch (phase) {
    case RUN_INTERPRETATION:
        error->error_case = API_CONTAINER_API__STARLARK_ERROR__ERROR_INTERPRETATION_ERROR;
        error->interpretation_error = malloc(sizeof(*error->interpretation_error));
        api_container_api__starlark_interpretation_error__init(error->interpretation_error);
        error->interpretation_error->error_message = clean_text(text);
        break;
    case RUN_VALIDATION:
        error->error_case = API_CONTAINER_API__STARLARK_ERROR__ERROR_VALIDATION_ERROR;
        error->validation_error = malloc(sizeof(*error->validation_error));
        api_container_api__starlark_validation_error__init(error->validation_error);
        error->validation_error->error_message = clean_text(text);
        break;
    case RUN_EXECUTION:
        error->error_case = API_CONTAINER_API__STARLARK_ERROR__ERROR_EXECUTION_ERROR;
        error->execution_error = malloc(sizeof(*error->execution_error));
        api_container_api__starlark_execution_error__init(error->execution_error);
        error->execution_error->error_message = clean_text(text);
        break;
    }
    self->sink(self->arg, line);
}

void
run_lines_finished(const run_lines_t *self, bool successful, const char *output,
                   int64_t duration_ns)
{
    run_line_t *line = LINE(RUN_FINISHED_EVENT);
    ApiContainerApi__StarlarkRunFinishedEvent *event = malloc(sizeof(*event));
    api_container_api__starlark_run_finished_event__init(event);
    event->is_run_successful = successful;
    if (output && output[0]) {
        event->_serialized_output_case =
            API_CONTAINER_API__STARLARK_RUN_FINISHED_EVENT___SERIALIZED_OUTPUT_SERIALIZED_OUTPUT;
        event->serialized_output = clean_text(output);
    }
    event->total_execution_duration = duration(duration_ns);
    line->run_finished_event = event;
    self->sink(self->arg, line);
}

void
run_lines_warning(const run_lines_t *self, const char *text)
{
    run_line_t *line = LINE(WARNING);
    line->warning = malloc(sizeof(*line->warning));
    api_container_api__starlark_warning__init(line->warning);
    line->warning->warning_message = clean_text(text);
    self->sink(self->arg, line);
}

void
run_lines_wanted(const run_lines_t *self, const char *id, const char *url, const char *version)
{
    run_line_t *line = LINE(REPOSITORY_WANTED);
    line->repository_wanted = malloc(sizeof(*line->repository_wanted));
    api_container_api__starlark_repository_wanted__init(line->repository_wanted);
    line->repository_wanted->id = strdup(id);
    line->repository_wanted->url = clean_text(url);
    line->repository_wanted->version = clean_text(version);
    self->sink(self->arg, line);
}

void
run_lines_info(const run_lines_t *self, const char *text)
{
    run_line_t *line = LINE(INFO);
    line->info = malloc(sizeof(*line->info));
    api_container_api__starlark_info__init(line->info);
    line->info->info_message = clean_text(text);
    self->sink(self->arg, line);
}

void
run_lines_pack(void *str, run_line_t *line)
{
    bus_msgpack_pack(&line->base, str);
    protobuf_c_message_free_unpacked(&line->base, NULL);
}
