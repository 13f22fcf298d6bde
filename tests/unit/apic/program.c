/*  program: see program.h. */
#include "tests/unit/apic/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

int
program_setup(void **state)
{
    program_t *self = calloc(1, sizeof *self);
    void *stage;
    stage_setup(&stage);
    self->stage = stage;
    stage_close(self->stage);
    self->client = stage_actor(self->stage, "client/test", NULL, NULL);
    self->errors = str_format("%s/errors", self->stage->folder);
    *state = self;
    return 0;
}

int
program_teardown(void **state)
{
    program_t *self = *state;
    if (self->pid) {
        kill(self->pid, SIGKILL);
        waitpid(self->pid, NULL, 0);
    }
    actor_destroy(&self->client);
    void *stage = self->stage;
    free(self->errors);
    stage_teardown(&stage);
    free(self);
    return 0;
}

static char *
program_path(void)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len < 0 ? 0 : len] = 0;
    *strrchr(path, '/') = 0;
    return str_format("%s/kurtosis-apic", path);
}

void
program_start(program_t *self, const char *uuid)
{
    char broker[BUS_KEY_TEXT_SIZE], secret[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(self->stage->broker_keys.public_key, broker);
    bus_key_to_text(self->stage->keys.secret_key, secret);
    char *env[] = {
        str_format("SERIALIZED_ARGS={\"enclaveUuid\": \"%s\", \"enclaveDataVolume\": \"%s/data\"}",
                   uuid, self->stage->folder),
        str_format("KURTOSIS_BUS_ENDPOINT=%s", self->stage->endpoint),
        str_format("KURTOSIS_BUS_BROKER_KEY=%s", broker),
        str_format("KURTOSIS_BUS_SECRET=%s", secret),
        str_format("OWN_IP_ADDRESS=%s", stage_ip(2)),
        str_format("KURTOSIS_SUBNET=%s", stage_subnet()),
        str_format("KURTOSIS_GATEWAY=%s", stage_ip(1)),
        str_format("TSAN_OPTIONS=%s", getenv("TSAN_OPTIONS") ? getenv("TSAN_OPTIONS") : ""),
        NULL};
    AUTO_FREE char *path = program_path();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 2, self->errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char *argv[] = {path, NULL};
    assert_int_equal(posix_spawn(&self->pid, path, &files, NULL, argv, env), 0);
    posix_spawn_file_actions_destroy(&files);
    for (char **variable = env; *variable; variable++)
        free(*variable);
}

int
program_wait_for_end(program_t *self)
{
    int status = 0;
    assert_int_equal(waitpid(self->pid, &status, 0), self->pid);
    self->pid = 0;
    return status;
}

void
program_until_joined(program_t *self)
{
    err_t *err = NULL;
    if (bus_broker_wait_peer(self->stage->broker, APIC, PATIENCE_MS, &err) < 0)
        fail_msg("%s", support_why(&err));
}

void
program_kill(program_t *self)
{
    kill(self->pid, SIGKILL);
    program_wait_for_end(self);
    stage_until_gone(self->stage); /* else the next one would be taken for this one */
}

bool
program_run(program_t *self, const char *script,
            void (*on_line)(void *arg, const program_line_t *line), void *arg, str_t *ret_errors)
{
    ApiContainerApi__RunStarlarkScriptArgs args = API_CONTAINER_API__RUN_STARLARK_SCRIPT_ARGS__INIT;
    args.serialized_script = (char *)script;
    AUTO(actor_stream) stream = NULL;
    AUTO(err) err = NULL;
    bool is_successful = false;
    int rc = actor_stream_open(self->client, NULL, APIC, SERVICE "RunStarlarkScript", &args.base,
                               &stream, &err);
    while (rc >= 0) {
        AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLine *line = NULL;
        rc = actor_stream_recv(stream, 3 * PATIENCE_MS, (ProtobufCMessage **)&line, &err);
        if (rc <= 0)
            break;
        if (on_line)
            on_line(arg, line);
        if (line->run_response_line_case ==
            API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT)
            is_successful = line->run_finished_event->is_run_successful;
        if (line->run_response_line_case ==
            API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_ERROR)
            str_printf(
                ret_errors, "%s%s%s",
                line->error->error_case == 1 ? line->error->interpretation_error->error_message
                                             : "",
                line->error->error_case == 2 ? line->error->validation_error->error_message : "",
                line->error->error_case == 3 ? line->error->execution_error->error_message : "");
    }
    if (rc < 0)
        str_printf(ret_errors, "%s", err_text(err));
    return is_successful;
}

long
program_memory_kb(const program_t *self, const char *line)
{
    AUTO_FREE char *path = str_format("/proc/%d/status", self->pid);
    FILE *file = fopen(path, "r");
    char text[256];
    long kb = -1;
    while (fgets(text, sizeof text, file))
        if (str_starts(text, line))
            kb = strtol(text + strlen(line), NULL, 10);
    fclose(file);
    return kb;
}
