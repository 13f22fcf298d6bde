/*  starlark: see starlark.h. */
#include "cli/starlark.h"

#include "base/utf8.h"

#include <string.h>

void
starlark_quote(str_t *out, const char *text)
{
    AUTO_STR clean = STR_EMPTY;
    utf8_clean(&clean, text, strlen(text));
    str_add_char(out, '"');
    for (const char *at = clean.data; *at; at++) {
        if (*at == '"' || *at == '\\')
            str_printf(out, "\\%c", *at);
        else if (*at == '\n')
            str_add(out, "\\n");
        else if ((unsigned char)*at < 0x20 || *at == 0x7f)
            str_printf(out, "\\u%04x", (unsigned char)*at);
        else
            str_add_char(out, *at);
    }
    str_add_char(out, '"');
}

int
starlark_run_once(enclave_context_t *enclave, const char *script, const char *params,
                  bool privileged, char **ret_output, err_t **err)
{
    starlark_run_config_t config = STARLARK_RUN_CONFIG_DEFAULT;
    AUTO(starlark_run_result) result = NULL;
    config.params = params;
    config.privileged = privileged;
    if (enclave_context_run_starlark_script_blocking(enclave, script, &config, &result, err) < 0)
        return -1;
    if (ret_output)
        *ret_output = str_take(&result->output);
    return 0;
}

/* A script of one instruction whose arguments are the run's parameters. */
static int
run_instruction(enclave_context_t *enclave, const char *instruction, const char *params,
                char **ret_output, err_t **err)
{
    AUTO_FREE char *script = str_format("def run(plan, args):\n    plan.%s\n", instruction);
    return starlark_run_once(enclave, script, params, false, ret_output, err);
}

static int
run_on_service(enclave_context_t *enclave, const char *instruction, const char *service,
               err_t **err)
{
    AUTO_FREE char *call = str_format("%s(name = args[\"service_name\"])", instruction);
    AUTO_STR params = STR_EMPTY;
    str_add(&params, "{\"service_name\": ");
    starlark_quote(&params, service);
    str_add_char(&params, '}');
    return run_instruction(enclave, call, params.data, NULL, err);
}

int
starlark_start_service(enclave_context_t *enclave, const char *service, err_t **err)
{
    return run_on_service(enclave, "start_service", service, err);
}

int
starlark_stop_service(enclave_context_t *enclave, const char *service, err_t **err)
{
    return run_on_service(enclave, "stop_service", service, err);
}

int
starlark_remove_service(enclave_context_t *enclave, const char *service, err_t **err)
{
    return run_on_service(enclave, "remove_service", service, err);
}

int
starlark_store_service_files(enclave_context_t *enclave, const char *service, const char *path,
                             const char *name, char **ret_output, err_t **err)
{
    AUTO_STR params = STR_EMPTY;
    str_add(&params, "{\"service_name\": ");
    starlark_quote(&params, service);
    str_add(&params, ", \"src\": ");
    starlark_quote(&params, path);
    str_add(&params, ", \"name\": ");
    starlark_quote(&params, name);
    str_add_char(&params, '}');
    const char *instruction =
        *name ? "store_service_files(service_name = args[\"service_name\"], src = args[\"src\"], "
                "name = args[\"name\"])"
              : "store_service_files(service_name = args[\"service_name\"], src = args[\"src\"])";
    return run_instruction(enclave, instruction, params.data, ret_output, err);
}

int
starlark_render_template(enclave_context_t *enclave, const char *text, const char *data,
                         const char *destination, const char *name, char **ret_output, err_t **err)
{
    AUTO_STR script = STR_EMPTY;
    str_add(&script, "def run(plan):\n    plan.render_templates(config = {");
    starlark_quote(&script, destination);
    str_add(&script, ": struct(template = ");
    starlark_quote(&script, text);
    str_add(&script, ", data = json.decode(");
    starlark_quote(&script, data);
    str_add(&script, "))}");
    if (*name) {
        str_add(&script, ", name = ");
        starlark_quote(&script, name);
    }
    str_add(&script, ")\n");
    return starlark_run_once(enclave, script.data, "{}", false, ret_output, err);
}
