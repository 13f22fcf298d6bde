/*  run: Starlark runs, line by line or gathered; see sdk.h. */
#include "sdk/git.h"

#include <string.h>

static const starlark_run_config_t default_config = {
    .main_file = "",
    .main_function = "",
    .params = "{}",
    .parallelism = 4,
    .image_download_mode = API_CONTAINER_API__IMAGE_DOWNLOAD_MODE__missing,
    .resource_check = true,
    .github_auth_token = "",
};

/* The fields that both kinds of run have. */
#define FILL(args, PREFIX, config, features, json, rules)                                          \
    do {                                                                                           \
        (args)->client_repositories = (rules)->prefixes;                                           \
        (args)->n_client_repositories = (rules)->count;                                            \
        SET_OPTIONAL(args, PREFIX, serialized_params, SERIALIZED_PARAMS, (json));                  \
        SET_OPTIONAL(args, PREFIX, dry_run, DRY_RUN, (config)->dry_run);                           \
        SET_OPTIONAL(args, PREFIX, parallelism, PARALLELISM, (config)->parallelism);               \
        SET_OPTIONAL(args, PREFIX, main_function_name, MAIN_FUNCTION_NAME,                         \
                     (char *)(config)->main_function);                                             \
        SET_OPTIONAL(args, PREFIX, image_download_mode, IMAGE_DOWNLOAD_MODE,                       \
                     (config)->image_download_mode);                                               \
        SET_OPTIONAL(args, PREFIX, non_blocking_mode, NON_BLOCKING_MODE, (config)->non_blocking);  \
        SET_OPTIONAL(args, PREFIX, parallel, PARALLEL, (config)->parallel);                        \
        SET_OPTIONAL(args, PREFIX, resource_check, RESOURCE_CHECK, (config)->resource_check);      \
        SET_OPTIONAL(args, PREFIX, allow_privileged_mode, ALLOW_PRIVILEGED_MODE,                   \
                     (config)->privileged);                                                        \
        (args)->experimental_features = (features);                                                \
        (args)->n_experimental_features = (config)->no_instructions_caching;                       \
    } while (0)

/* The run asks for a repository that we have said we fetch. */
static int
bring(enclave_context_t *self, const ApiContainerApi__StarlarkRunResponseLine *line, err_t **err)
{
    return line->run_response_line_case ==
                   API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_REPOSITORY_WANTED
               ? sdk_git_bring(self, line->repository_wanted, err)
               : 0;
}

/* brings: we have started the run, so its questions are for us. */
static int
read_lines(enclave_context_t *self, const char *method, const ProtobufCMessage *args,
           void (*on_pause)(void *arg), bool brings, starlark_line_fn *fn, void *arg, err_t **err)
{
    AUTO(actor_stream) stream = NULL;
    int rc;
    if (actor_stream_open(self->kurtosis->actor, NULL, self->address, method, args, &stream, err) <
        0)
        return -1;
    do {
        AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLines *message = NULL;
        rc = actor_stream_recv(stream, SDK_NO_LIMIT, (ProtobufCMessage **)&message, err);
        for (size_t i = 0; rc > 0 && i < message->n_lines; i++)
            if (fn(arg, message->lines[i], err) < 0 ||
                (brings && bring(self, message->lines[i], err) < 0))
                rc = -1;
        if (on_pause)
            on_pause(arg);
    } while (rc > 0);
    return rc;
}

static int
read_params(const starlark_run_config_t *config, str_t *json, err_t **err)
{
    if (strlen(config->params) > KURTOSIS_PARAMS_MAX)
        return err_fail(err, ERR_LIMIT, "the parameters have more than %u bytes",
                        KURTOSIS_PARAMS_MAX);
    return starlark_params_to_json(config->params, json, err) < 0
               ? err_wrap(err, "the parameters are neither JSON nor YAML")
               : 0;
}

/* rules: what the user's git fetches. */
static int
run_script(enclave_context_t *self, const char *script, const starlark_run_config_t *config,
           const sdk_git_rules_t *rules, starlark_line_fn *fn, void *arg, err_t **err)
{
    AUTO_STR json = STR_EMPTY;
    if (strlen(script) > KURTOSIS_PARAMS_MAX)
        return err_fail(err, ERR_LIMIT, "the script has more than %u bytes", KURTOSIS_PARAMS_MAX);
    if (read_params(config, &json, err) < 0)
        return -1;
    ApiContainerApi__KurtosisFeatureFlag feature =
        API_CONTAINER_API__KURTOSIS_FEATURE_FLAG__NO_INSTRUCTIONS_CACHING;
    ApiContainerApi__RunStarlarkScriptArgs args = API_CONTAINER_API__RUN_STARLARK_SCRIPT_ARGS__INIT;
    args.serialized_script = (char *)script;
    FILL(&args, API_CONTAINER_API__RUN_STARLARK_SCRIPT_ARGS, config, &feature, json.data, rules);
    return read_lines(self, APIC("RunStarlarkScriptInBatches"), &args.base, config->on_pause, true,
                      fn, arg, err);
}

static int
run_package(enclave_context_t *self, const char *id, bool clone,
            const starlark_run_config_t *config, const sdk_git_rules_t *rules, starlark_line_fn *fn,
            void *arg, err_t **err)
{
    AUTO_STR json = STR_EMPTY;
    if (read_params(config, &json, err) < 0)
        return -1;
    ApiContainerApi__KurtosisFeatureFlag feature =
        API_CONTAINER_API__KURTOSIS_FEATURE_FLAG__NO_INSTRUCTIONS_CACHING;
    ApiContainerApi__RunStarlarkPackageArgs args =
        API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS__INIT;
    args.package_id = (char *)id;
    FILL(&args, API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS, config, &feature, json.data, rules);
    SET_OPTIONAL(&args, API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS, clone_package, CLONE_PACKAGE,
                 clone);
    SET_OPTIONAL(&args, API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS, relative_path_to_main_file,
                 RELATIVE_PATH_TO_MAIN_FILE, (char *)config->main_file);
    if (*config->github_auth_token)
        SET_OPTIONAL(&args, API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS, github_auth_token,
                     GITHUB_AUTH_TOKEN, (char *)config->github_auth_token);
    return read_lines(self, APIC("RunStarlarkPackageInBatches"), &args.base, config->on_pause, true,
                      fn, arg, err);
}

static void
read_rules(const starlark_run_config_t *config, sdk_git_rules_t *ret_rules)
{
    if (config->use_git)
        sdk_git_rules_read(ret_rules);
}

int
enclave_context_run_starlark_script(enclave_context_t *self, const char *script,
                                    const starlark_run_config_t *config, starlark_line_fn *fn,
                                    void *arg, err_t **err)
{
    AUTO_GIT_RULES rules = {0};
    config = config ? config : &default_config;
    read_rules(config, &rules);
    return run_script(self, script, config, &rules, fn, arg, err);
}

static int
run_some_package(enclave_context_t *self, const char *id, bool clone,
                 const starlark_run_config_t *config, starlark_line_fn *fn, void *arg, err_t **err)
{
    AUTO_GIT_RULES rules = {0};
    config = config ? config : &default_config;
    read_rules(config, &rules);
    return run_package(self, id, clone, config, &rules, fn, arg, err);
}

int
enclave_context_run_starlark_package(enclave_context_t *self, const char *folder,
                                     const starlark_run_config_t *config, starlark_line_fn *fn,
                                     void *arg, err_t **err)
{
    AUTO_FREE char *id = NULL;
    if (sdk_upload_package(self, folder, &id, err) < 0)
        return -1;
    return run_some_package(self, id, false, config, fn, arg, err);
}

int
enclave_context_run_starlark_remote_package(enclave_context_t *self, const char *package_id,
                                            const starlark_run_config_t *config,
                                            starlark_line_fn *fn, void *arg, err_t **err)
{
    return run_some_package(self, package_id, true, config, fn, arg, err);
}

int
enclave_context_attach_starlark_run(enclave_context_t *self, bool only_new,
                                    void (*on_pause)(void *arg), starlark_line_fn *fn, void *arg,
                                    err_t **err)
{
    ApiContainerApi__AttachStarlarkRunArgs args = API_CONTAINER_API__ATTACH_STARLARK_RUN_ARGS__INIT;
    args.only_new = only_new;
    return read_lines(self, APIC("AttachStarlarkRun"), &args.base, on_pause, false, fn, arg, err);
}

/* ------------------------------------------------------------------------------------- gathered */

starlark_run_result_t *
starlark_run_result_new(void)
{
    starlark_run_result_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->output = STR_EMPTY;
    return self;
}

void
starlark_run_result_destroy(starlark_run_result_t **self_p)
{
    starlark_run_result_t *self = TAKE(*self_p);
    if (!self)
        return;
    str_done(&self->output);
    for (size_t i = 0; i < self->n_instructions; i++)
        protobuf_c_message_free_unpacked(&self->instructions[i]->base, NULL);
    free(self->instructions);
    free(self->interpretation_error);
    free(self->validation_errors);
    free(self->execution_error);
    free(self);
}

static void
add_text(char **text, const char *more)
{
    char *joined = *text ? str_format("%s\n%s", *text, more) : strdup(more);
    free(*text);
    *text = joined;
}

static void
add_error(starlark_run_result_t *self, const ApiContainerApi__StarlarkError *error)
{
    switch (error->error_case) {
    case API_CONTAINER_API__STARLARK_ERROR__ERROR_INTERPRETATION_ERROR:
        add_text(&self->interpretation_error, error->interpretation_error->error_message);
        break;
    case API_CONTAINER_API__STARLARK_ERROR__ERROR_VALIDATION_ERROR:
        add_text(&self->validation_errors, error->validation_error->error_message);
        break;
    case API_CONTAINER_API__STARLARK_ERROR__ERROR_EXECUTION_ERROR:
        add_text(&self->execution_error, error->execution_error->error_message);
        break;
    default:
        break;
    }
}

static void
add_instruction(starlark_run_result_t *self, const ApiContainerApi__StarlarkInstruction *instruction)
{
    const size_t n = self->n_instructions;
    if ((n & (n - 1)) == 0) {
        self->instructions =
            realloc(self->instructions, (n ? n * 2 : 1) * sizeof *self->instructions);
        if (!self->instructions)
            abort();
    }
    self->instructions[self->n_instructions++] =
        (ApiContainerApi__StarlarkInstruction *)bus_message_dup(&instruction->base);
}

static void
add_finish(starlark_run_result_t *self, const ApiContainerApi__StarlarkRunFinishedEvent *event)
{
    self->is_successful = event->is_run_successful;
    bool has_output =
        event->_serialized_output_case ==
        API_CONTAINER_API__STARLARK_RUN_FINISHED_EVENT___SERIALIZED_OUTPUT_SERIALIZED_OUTPUT;
    if (event->is_run_successful && has_output && *event->serialized_output)
        str_printf(&self->output, "%s\n", event->serialized_output);
}

int
starlark_run_result_add(void *result, const ApiContainerApi__StarlarkRunResponseLine *line,
                        err_t **err)
{
    (void)err;
    starlark_run_result_t *self = result;
    switch (line->run_response_line_case) {
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION:
        add_instruction(self, line->instruction);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION_RESULT:
        str_printf(&self->output, "%s\n", line->instruction_result->serialized_instruction_result);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_ERROR:
        add_error(self, line->error);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT:
        add_finish(self, line->run_finished_event);
        break;
    default:
        break;
    }
    return 0;
}

int
starlark_run_result_check(const starlark_run_result_t *self, err_t **err)
{
    if (self->interpretation_error)
        return err_fail(err, ERR_INVALID, "there was an error interpreting Starlark code: %s",
                        self->interpretation_error);
    if (self->validation_errors)
        return err_fail(err, ERR_INVALID, "there was an error validating Starlark code: %s",
                        self->validation_errors);
    if (self->execution_error)
        return err_fail(err, ERR_UNKNOWN, "there was an error executing Starlark code: %s",
                        self->execution_error);
    return 0;
}

static int
finish_blocking(int result, starlark_run_result_t **gathered, starlark_run_result_t **ret_result,
                err_t **err)
{
    if (result < 0 || starlark_run_result_check(*gathered, err) < 0)
        return -1;
    *ret_result = TAKE(*gathered);
    return 0;
}

int
enclave_context_run_starlark_script_blocking(enclave_context_t *self, const char *script,
                                             const starlark_run_config_t *config,
                                             starlark_run_result_t **ret_result, err_t **err)
{
    AUTO(starlark_run_result) gathered = starlark_run_result_new();
    int result = enclave_context_run_starlark_script(self, script, config, starlark_run_result_add,
                                                     gathered, err);
    return finish_blocking(result, &gathered, ret_result, err);
}

int
enclave_context_run_starlark_package_blocking(enclave_context_t *self, const char *folder,
                                              const starlark_run_config_t *config,
                                              starlark_run_result_t **ret_result, err_t **err)
{
    AUTO(starlark_run_result) gathered = starlark_run_result_new();
    int result = enclave_context_run_starlark_package(self, folder, config, starlark_run_result_add,
                                                      gathered, err);
    return finish_blocking(result, &gathered, ret_result, err);
}

int
enclave_context_run_starlark_remote_package_blocking(enclave_context_t *self,
                                                     const char *package_id,
                                                     const starlark_run_config_t *config,
                                                     starlark_run_result_t **ret_result,
                                                     err_t **err)
{
    AUTO(starlark_run_result) gathered = starlark_run_result_new();
    int result = enclave_context_run_starlark_remote_package(
        self, package_id, config, starlark_run_result_add, gathered, err);
    return finish_blocking(result, &gathered, ret_result, err);
}

/* ---------------------------------------------------------------------- what was, what would be */

int
enclave_context_get_starlark_run(enclave_context_t *self,
                                 ApiContainerApi__GetStarlarkRunResponse **ret_run, err_t **err)
{
    return sdk_ask_apic(self, APIC("GetStarlarkRun"), &sdk_empty.base, 0,
                        (ProtobufCMessage **)ret_run, err);
}

static int
ask_plan(enclave_context_t *self, const char *method, const ProtobufCMessage *args, char **ret_yaml,
         err_t **err)
{
    AUTO_MESSAGE ApiContainerApi__PlanYaml *reply = NULL;
    if (sdk_ask_apic(self, method, args, SDK_NO_LIMIT, (ProtobufCMessage **)&reply, err) < 0)
        return -1;
    *ret_yaml = strdup(reply->plan_yaml);
    return 0;
}

/* A plan is asked for without lines, so what only the user's git can fetch must be there before: a
 * dry run fetches it. *ret_is_there: it was needed. */
static int
fetch_before(enclave_context_t *self, const char *script, const char *id, bool clone,
             const starlark_run_config_t *config, bool *ret_is_there, err_t **err)
{
    AUTO_GIT_RULES rules = {0};
    AUTO(starlark_run_result) gathered = NULL;
    read_rules(config, &rules);
    *ret_is_there = rules.count > 0;
    if (!rules.count)
        return 0;
    starlark_run_config_t dry = *config;
    dry.dry_run = true;
    gathered = starlark_run_result_new();
    const int rc =
        script ? run_script(self, script, &dry, &rules, starlark_run_result_add, gathered, err)
               : run_package(self, id, clone, &dry, &rules, starlark_run_result_add, gathered, err);
    if (rc == 0 && gathered->interpretation_error)
        return err_fail(err, ERR_INVALID, "%s", gathered->interpretation_error);
    return rc;
}

int
enclave_context_get_starlark_script_plan_yaml(enclave_context_t *self, const char *script,
                                              const starlark_run_config_t *config, char **ret_yaml,
                                              err_t **err)
{
    config = config ? config : &default_config;
    AUTO_STR json = STR_EMPTY;
    bool is_there;
    if (read_params(config, &json, err) < 0 ||
        fetch_before(self, script, NULL, false, config, &is_there, err) < 0)
        return -1;
    ApiContainerApi__StarlarkScriptPlanYamlArgs args =
        API_CONTAINER_API__STARLARK_SCRIPT_PLAN_YAML_ARGS__INIT;
    args.serialized_script = (char *)script;
    SET_OPTIONAL(&args, API_CONTAINER_API__STARLARK_SCRIPT_PLAN_YAML_ARGS, serialized_params,
                 SERIALIZED_PARAMS, json.data);
    SET_OPTIONAL(&args, API_CONTAINER_API__STARLARK_SCRIPT_PLAN_YAML_ARGS, main_function_name,
                 MAIN_FUNCTION_NAME, (char *)config->main_function);
    SET_OPTIONAL(&args, API_CONTAINER_API__STARLARK_SCRIPT_PLAN_YAML_ARGS, allow_privileged_mode,
                 ALLOW_PRIVILEGED_MODE, config->privileged);
    return ask_plan(self, APIC("GetStarlarkScriptPlanYaml"), &args.base, ret_yaml, err);
}

static int
package_plan(enclave_context_t *self, const char *id, bool is_remote,
             const starlark_run_config_t *config, char **ret_yaml, err_t **err)
{
    AUTO_STR json = STR_EMPTY;
    bool is_there;
    if (read_params(config, &json, err) < 0 ||
        fetch_before(self, NULL, id, is_remote, config, &is_there, err) < 0)
        return -1;
    ApiContainerApi__StarlarkPackagePlanYamlArgs args =
        API_CONTAINER_API__STARLARK_PACKAGE_PLAN_YAML_ARGS__INIT;
    args.package_id = (char *)id;
    args.is_remote = is_remote && !is_there;
    SET_OPTIONAL(&args, API_CONTAINER_API__STARLARK_PACKAGE_PLAN_YAML_ARGS, serialized_params,
                 SERIALIZED_PARAMS, json.data);
    SET_OPTIONAL(&args, API_CONTAINER_API__STARLARK_PACKAGE_PLAN_YAML_ARGS,
                 relative_path_to_main_file, RELATIVE_PATH_TO_MAIN_FILE, (char *)config->main_file);
    SET_OPTIONAL(&args, API_CONTAINER_API__STARLARK_PACKAGE_PLAN_YAML_ARGS, main_function_name,
                 MAIN_FUNCTION_NAME, (char *)config->main_function);
    SET_OPTIONAL(&args, API_CONTAINER_API__STARLARK_PACKAGE_PLAN_YAML_ARGS, allow_privileged_mode,
                 ALLOW_PRIVILEGED_MODE, config->privileged);
    return ask_plan(self, APIC("GetStarlarkPackagePlanYaml"), &args.base, ret_yaml, err);
}

int
enclave_context_get_starlark_package_plan_yaml(enclave_context_t *self, const char *folder,
                                               const starlark_run_config_t *config, char **ret_yaml,
                                               err_t **err)
{
    AUTO_FREE char *id = NULL;
    if (sdk_upload_package(self, folder, &id, err) < 0)
        return -1;
    return package_plan(self, id, false, config ? config : &default_config, ret_yaml, err);
}

int
enclave_context_get_starlark_remote_package_plan_yaml(enclave_context_t *self,
                                                      const char *package_id,
                                                      const starlark_run_config_t *config,
                                                      char **ret_yaml, err_t **err)
{
    return package_plan(self, package_id, true, config ? config : &default_config, ret_yaml, err);
}
