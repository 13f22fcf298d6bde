#include "transcript.h"

#include "apic/packages/file.h"
#include "apic/run/map.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define YAML_UUIDS_MAX 1024   /* different ones in one plan */
#define GOLDEN_MAX (4u << 20) /* bytes of an expectation */

typedef struct {
    str_t text;
    bool with_progress, with_arguments;
} writer_t;

void
enclave_init(enclave_t *self, const char *repositories)
{
    world_memory_t *memory = world_memory_new(repositories);
    enclave_init_world(self, world_memory_world(memory));
    self->memory = memory;
}

void
enclave_init_world(enclave_t *self, const run_world_t *world)
{
    *self = (enclave_t){.world = world};
    pthread_mutex_init(&self->lock, NULL);
    assert_int_equal(run_store_new(world, &self->store, NULL), 0);
}

void
enclave_done(enclave_t *self)
{
    run_store_destroy(&self->store);
    world_memory_destroy(&self->memory);
    pthread_mutex_destroy(&self->lock);
}

static void
write_instruction(writer_t *self, const ApiContainerApi__StarlarkInstruction *instruction)
{
    str_t *out = &self->text;
    const bool is_script =
        !strcmp(instruction->position->filename, "DEFAULT_PACKAGE_ID_FOR_SCRIPT");
    str_printf(out, "%s[%d:%d] %s: %s%s\n  %s\n", is_script ? "" : instruction->position->filename,
               instruction->position->line, instruction->position->column,
               instruction->instruction_name, instruction->description,
               instruction->is_skipped ? " (skipped)" : "", instruction->executable_instruction);
    for (size_t i = 0; self->with_arguments && i < instruction->n_arguments; i++)
        str_printf(out, "  - %s%s: %s\n", instruction->arguments[i]->arg_name,
                   instruction->arguments[i]->is_representative ? "*" : "",
                   instruction->arguments[i]->serialized_arg_value);
}

static void
write_error(str_t *out, const ApiContainerApi__StarlarkError *error)
{
    if (error->error_case == API_CONTAINER_API__STARLARK_ERROR__ERROR_INTERPRETATION_ERROR)
        str_printf(out, "interpretation error: %s\n", error->interpretation_error->error_message);
    if (error->error_case == API_CONTAINER_API__STARLARK_ERROR__ERROR_VALIDATION_ERROR)
        str_printf(out, "validation error: %s\n", error->validation_error->error_message);
    if (error->error_case == API_CONTAINER_API__STARLARK_ERROR__ERROR_EXECUTION_ERROR)
        str_printf(out, "execution error: %s\n", error->execution_error->error_message);
}

static void
on_line(void *arg, run_line_t *line)
{
    writer_t *self = arg;
    str_t *out = &self->text;
    switch (line->run_response_line_case) {
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION:
        write_instruction(self, line->instruction);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_ERROR:
        write_error(out, line->error);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_PROGRESS_INFO:
        if (!self->with_progress)
            break;
        str_printf(out, "progress %u/%u %s:", line->progress_info->current_step_number,
                   line->progress_info->total_steps,
                   line->progress_info->_instruction_id_case ? line->progress_info->instruction_id
                                                             : "-");
        for (size_t i = 0; i < line->progress_info->n_current_step_info; i++)
            str_printf(out, "%s%s", i ? " | " : " ", line->progress_info->current_step_info[i]);
        str_add_char(out, '\n');
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION_RESULT:
        str_printf(out, "  = %s\n", line->instruction_result->serialized_instruction_result);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT:
        str_printf(out, "finished: %s%s%s\n",
                   line->run_finished_event->is_run_successful ? "true" : "false",
                   line->run_finished_event->_serialized_output_case ? " " : "",
                   line->run_finished_event->_serialized_output_case
                       ? line->run_finished_event->serialized_output
                       : "");
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_WARNING:
        str_printf(out, "warning: %s\n", line->warning->warning_message);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INFO:
        if (self->with_progress || !strstr(line->info->info_message, "GitHub"))
            str_printf(out, "info: %s\n", line->info->info_message);
        break;
    default:
        str_add(out, "?\n");
    }
    protobuf_c_message_free_unpacked(&line->base, NULL);
}

static size_t
hex_run(const char *text)
{
    size_t n = 0;
    while ((text[n] >= '0' && text[n] <= '9') || (text[n] >= 'a' && text[n] <= 'f'))
        n++;
    return n;
}

/* "task-" and the UUID with hyphens that a task without a name has: its length. */
static size_t
task_run(const char *text)
{
    size_t n = 0;
    if (strncmp(text, "task-", 5) != 0)
        return 0;
    while (isxdigit((unsigned char)text[5 + n]) || text[5 + n] == '-')
        n++;
    return n == 36 ? 41 : 0;
}

static char *
normalise(const char *text)
{
    run_map_t seen = {0};
    str_t out = STR_EMPTY;
    for (const char *at = text; *at;) {
        const size_t hex = hex_run(at), task = task_run(at);
        if (hex == 32) {
            AUTO_FREE char *uuid = strndup(at, 32);
            if (at > text && at[-1] == ':') {
                if (!run_map_get(&seen, uuid))
                    run_map_put(&seen, uuid, (void *)(seen.count + 1));
                str_printf(&out, "REF%zu", (size_t)run_map_get(&seen, uuid));
            } else {
                str_add(&out, "UUID");
            }
            at += 32;
        } else if (task) {
            str_add(&out, "TASK");
            at += task;
        } else if (strncmp(at, " tries (", 8) == 0 && strchr(at, ' ')) {
            str_add(&out, " tries (TIME");
            at = strstr(at, " in total");
        } else {
            str_add_char(&out, *at++);
        }
    }
    run_map_done(&seen, NULL);
    return str_take(&out);
}

static void
running(void *arg, star_t *star)
{
    (void)arg;
    (void)star;
}

static bool
stopped(void *arg)
{
    (void)arg;
    return false;
}

static bool
sleep_for(void *arg, int64_t ms)
{
    (void)arg;
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
    return false;
}

char *
transcript(enclave_t *self, run_request_t request, bool with_progress)
{
    writer_t writer = {STR_EMPTY, with_progress, self->with_arguments};
    const run_lines_t lines = {on_line, &writer};
    const run_enclave_t enclave = {
        .world = self->world,
        .store = self->store,
        .lock = &self->lock,
        .running = running,
        .stopped = stopped,
        .sleep = sleep_for,
    };
    if (!request.parallelism)
        request.parallelism = 4;
    request.params = request.params ? request.params : "";
    request.main_file = request.main_file ? request.main_file : "";
    request.main_function = request.main_function ? request.main_function : "";
    run_phases(&enclave, &request, &lines);
    char *text = normalise(writer.text.data);
    str_done(&writer.text);
    return text;
}

char *
transcript_of(enclave_t *self, const char *script)
{
    return transcript(self, (run_request_t){.script = script}, false);
}

/* Replaces what is 32 hexadecimal digits by U1, U2, ... without the quotes that those need which
 * would read as a number. */
static char *
number_uuids(const char *text)
{
    char *seen[YAML_UUIDS_MAX];
    size_t n_seen = 0;
    str_t out = STR_EMPTY;
    while (*text) {
        const size_t task = task_run(text);
        size_t size = strspn(text, "0123456789abcdef");
        size_t i = 0;
        if (task) {
            str_add(&out, "TASK");
            text += task;
            continue;
        }
        if (size != UUID_LEN) {
            str_add_bytes(&out, text, size ? size : 1);
            text += size ? size : 1;
            continue;
        }
        while (i < n_seen && strncmp(seen[i], text, UUID_LEN) != 0)
            i++;
        if (i == n_seen) {
            assert_true(n_seen < ARRAY_LEN(seen));
            seen[n_seen++] = strndup(text, UUID_LEN);
        }
        if (out.len && out.data[out.len - 1] == '"' && text[size] == '"') {
            out.data[--out.len] = '\0';
            size++;
        }
        str_printf(&out, "U%zu", i + 1);
        text += size;
    }
    for (size_t i = 0; i < n_seen; i++)
        free(seen[i]);
    return str_take(&out);
}

char *
transcript_yaml(enclave_t *self, run_request_t request)
{
    AUTO(err) err = NULL;
    AUTO_FREE char *yaml = NULL;
    const run_enclave_t enclave = {
        .world = self->world, .store = self->store, .lock = &self->lock, .running = running};
    request.params = request.params ? request.params : "";
    request.main_file = request.main_file ? request.main_file : "";
    request.main_function = request.main_function ? request.main_function : "";
    return run_plan_yaml(&enclave, &request, &yaml, &err) == 0 ? number_uuids(yaml)
                                                               : err_lines(err);
}

void
put_file(const char *folder, const char *path, const char *text)
{
    AUTO_FREE char *whole = str_format("%s/%s", folder, path);
    for (char *at = whole + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(whole, 0755);
        *at = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

bool
golden_same(const char *path, const char *said, str_t *ret_expected)
{
    const char *mode = getenv("KURTOSIS_GOLDEN");
    if (mode && !strcmp(mode, "write")) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(said, file);
        fclose(file);
        return true;
    }
    return packages_file_read(path, GOLDEN_MAX, ret_expected, NULL) == 0 &&
           !strcmp(ret_expected->data, said);
}
