/*  jq: see jq.h. */
#include "apic/core/jq.h"

#include "apic/core/helper.h"
#include "apic/core/helpers/jq.h"

#include <string.h>

#define INPUT_SHOWN 2000 /* bytes of an input that an error shows */

static int on_output(void *arg, const void *data, size_t size, err_t **err);
static int fail(int exit_status, const str_t *message, const char *program, const char *input,
                size_t input_size, err_t **err);
static void cut_lines(const str_t *text, char ***ret_lines, size_t *ret_count);

int
core_jq(const char *program, const char *input, size_t input_size, int timeout_ms, int cancel_fd,
        char ***ret_outputs, size_t *ret_count, err_t **err)
{
    AUTO_STR work = STR_EMPTY;
    AUTO_STR output = STR_EMPTY;
    AUTO_STR message = STR_EMPTY;
    str_printf(&work, "%zu\n%s", strlen(program), program);
    str_add_bytes(&work, input, input_size);

    helper_t helper = {.name = "jq",
                       .input = work.data,
                       .input_size = work.len,
                       .timeout_ms = timeout_ms,
                       .cancel_fd = cancel_fd,
                       .on_output = on_output,
                       .arg = &output};
    int exit_status = 0;
    int rc = helper_run(&helper, &exit_status, &message, err);
    if (rc < 0)
        return err_wrap(err, "cannot run the jq program '%s'", program);
    if (exit_status != JQ_HELPER_DONE)
        return fail(exit_status, &message, program, input, input_size, err);
    cut_lines(&output, ret_outputs, ret_count);
    return 0;
}

void
core_jq_outputs_free(char **outputs, size_t count)
{
    for (size_t i = 0; outputs && i < count; i++)
        free(outputs[i]);
    free(outputs);
}

static int
on_output(void *arg, const void *data, size_t size, err_t **err)
{
    str_t *output = arg;
    if (output->len + size > JQ_OUTPUT_MAX)
        return err_fail(err, ERR_LIMIT, "its results have more than %u bytes", JQ_OUTPUT_MAX);
    str_add_bytes(output, data, size);
    return 0;
}

static int
fail(int exit_status, const str_t *message, const char *program, const char *input,
     size_t input_size, err_t **err)
{
    size_t len = message->len;
    while (len > 0 && message->data[len - 1] == '\n')
        len--;
    int shown = (int)(input_size < INPUT_SHOWN ? input_size : INPUT_SHOWN);
    switch (exit_status) {
    case JQ_HELPER_BAD_PROGRAM:
        err_fail(err, ERR_INVALID, "%.*s", (int)len, message->data);
        return err_wrap(err, "An error occurred when parsing field extractor '%s'", program);
    case JQ_HELPER_BAD_INPUT:
        err_fail(err, ERR_INVALID, "%.*s", (int)len, message->data);
        return err_wrap(err, "An error occurred when parsing JSON response body:\n'%.*s%s'", shown,
                        input, (size_t)shown < input_size ? "..." : "");
    case JQ_HELPER_NO_MEMORY:
        return err_fail(err, ERR_LIMIT, "the jq program '%s' needs more than %u bytes of memory",
                        program, JQ_MEMORY_MAX);
    default:
        return err_fail(err, ERR_INTERNAL, "the jq program '%s' ended with status %d: %.*s",
                        program, exit_status, (int)len, message->data);
    }
}

static void
cut_lines(const str_t *text, char ***ret_lines, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < text->len; i++)
        count += text->data[i] == '\n';
    char **lines = calloc(count + 1, sizeof *lines);
    if (!lines)
        abort();
    const char *at = text->data;
    for (size_t i = 0; i < count; i++) {
        const char *newline = memchr(at, '\n', (size_t)(text->data + text->len - at));
        lines[i] = strndup(at, (size_t)(newline - at));
        at = newline + 1;
    }
    *ret_lines = lines;
    *ret_count = count;
}
