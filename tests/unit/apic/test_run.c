/*  run: scripts through the public API, over a broker, with a driver in memory behind. */
#include "apic/api/api.h"
#include "archive/archive.h"
#include "bus/schema/api_container.pb-c.h"
#include "tests/unit/apic_core/stage.h"

#include <google/protobuf/empty.pb-c.h>

#define SERVICE "api_container_api.ApiContainerService/"
#define APIC "apic/" SUPPORT_ENCLAVE

typedef struct {
    stage_t *stage;
    api_t api;
    actor_t *client;
} run_stage_t;

static int
setup(void **state)
{
    run_stage_t *self = calloc(1, sizeof *self);
    void *stage;
    stage_setup(&stage);
    self->stage = stage;
    stage_close(self->stage);
    core_config_t config = stage_config(self->stage->folder);
    assert_int_equal(core_new(&config, &self->stage->core, NULL), 0);
    self->api.core = self->stage->core;
    assert_int_equal(run_new(self->stage->core, &self->api.run, NULL), 0);
    self->stage->apic = stage_actor(self->stage, APIC, api_methods(), &self->api);
    assert_int_equal(core_attach(self->stage->core, self->stage->apic, NULL), 0);
    self->client = stage_actor(self->stage, "client/test", NULL, NULL);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    run_stage_t *self = *state;
    actor_destroy(&self->client);
    core_stop(self->stage->core);
    run_stop(self->api.run);
    actor_destroy(&self->stage->apic);
    run_destroy(&self->api.run);
    void *stage = self->stage;
    stage_teardown(&stage);
    free(self);
    return 0;
}

static actor_stream_t *
start_mode(run_stage_t *self, const char *script, bool dry)
{
    ApiContainerApi__RunStarlarkScriptArgs args = API_CONTAINER_API__RUN_STARLARK_SCRIPT_ARGS__INIT;
    actor_stream_t *stream = NULL;
    args._dry_run_case = API_CONTAINER_API__RUN_STARLARK_SCRIPT_ARGS___DRY_RUN_DRY_RUN;
    args.dry_run = dry;
    AUTO(err) err = NULL;
    args.serialized_script = (char *)script;
    if (actor_stream_open(self->client, NULL, APIC, SERVICE "RunStarlarkScript", &args.base,
                          &stream, &err) < 0)
        fail_msg("%s", err_text(err));
    return stream;
}

static actor_stream_t *
start(run_stage_t *self, const char *script)
{
    return start_mode(self, script, false);
}

/* The next line; NULL at the end. */
static ApiContainerApi__StarlarkRunResponseLine *
next(actor_stream_t *stream)
{
    ProtobufCMessage *item = NULL;
    AUTO(err) err = NULL;
    const int rc = actor_stream_recv(stream, 20000, &item, &err);
    if (rc < 0)
        fail_msg("%s", err_text(err));
    return (ApiContainerApi__StarlarkRunResponseLine *)item;
}

/* Reads to the end: results and errors, a line each; whether it was successful. */
static char *
read_all(actor_stream_t *stream)
{
    str_t out = STR_EMPTY;
    ApiContainerApi__StarlarkRunResponseLine *line;
    while ((line = next(stream))) {
        if (line->run_response_line_case ==
            API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION_RESULT)
            str_printf(&out, "%s\n", line->instruction_result->serialized_instruction_result);
        if (line->run_response_line_case ==
            API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT)
            str_printf(&out, "%s\n", line->run_finished_event->is_run_successful ? "yes" : "no");
        if (line->run_response_line_case ==
                API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_ERROR &&
            line->error->error_case ==
                API_CONTAINER_API__STARLARK_ERROR__ERROR_INTERPRETATION_ERROR)
            str_printf(&out, "%s\n", line->error->interpretation_error->error_message);
        if (line->run_response_line_case ==
                API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INFO &&
            str_starts(line->info->info_message, "Another run is under way"))
            str_add(&out, "(another run is under way)\n");
        bus_message_destroy(&line);
    }
    return str_take(&out);
}

static char *
run(run_stage_t *self, const char *script)
{
    AUTO(actor_stream) stream = start(self, script);
    return read_all(stream);
}

static void
a_script_adds_a_service_and_uses_it(void **state)
{
    run_stage_t *self = *state;
    AUTO_FREE char *said = run(
        self, "def run(plan, args):\n"
              "    s = plan.add_service(service_name = \"one\", config = ServiceConfig(\n"
              "        image = \"image\", env_vars = {\"A\": \"KURTOSIS_IP_ADDR_PLACEHOLDER\"}))\n"
              "    plan.print(s.ip_address + \" \" + s.hostname)\n");
    assert_non_null(strstr(said, "Service 'one' added with service UUID '"));
    AUTO_FREE char *printed = str_format("\n%s one\nyes\n", stage_ip(3));
    assert_non_null(strstr(said, printed));
    AUTO(core_service) service = NULL;
    assert_int_equal(core_service_find(self->stage->core, "one", &service, NULL), 0);
}

static void
the_last_run_that_was_not_dry_is_remembered(void **state)
{
    run_stage_t *self = *state;
    static const char script[] = "def run(plan):\n    plan.print(1)\n";
    AUTO_FREE char *said = run(self, script);
    assert_string_equal(said, "1\nyes\n");
    AUTO(actor_stream) stream = start_mode(self, "def run(plan):\n    nothing()\n", true);
    AUTO_FREE char *dry = read_all(stream);
    assert_non_null(strstr(dry, "\nno\n"));
    Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    assert_int_equal(
        actor_ask(self->client, NULL, APIC, SERVICE "GetStarlarkRun", &empty.base, 0, &reply, NULL),
        0);
    const ApiContainerApi__GetStarlarkRunResponse *last =
        (const ApiContainerApi__GetStarlarkRunResponse *)reply;
    assert_string_equal(last->serialized_script, script);
    assert_string_equal(last->package_id, "DEFAULT_PACKAGE_ID_FOR_SCRIPT");
    assert_int_equal(last->parallelism, 4);
}

static void
a_plan_is_shown_without_being_run(void **state)
{
    run_stage_t *self = *state;
    static const char method[] = SERVICE "GetStarlarkScriptPlanYaml";
    ApiContainerApi__StarlarkScriptPlanYamlArgs args =
        API_CONTAINER_API__STARLARK_SCRIPT_PLAN_YAML_ARGS__INIT;
    args.serialized_script =
        (char *)"def run(plan):\n    plan.add_service(\"a\", ServiceConfig(\"b\"))\n";
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    assert_int_equal(actor_ask(self->client, NULL, APIC, method, &args.base, 0, &reply, NULL), 0);
    const char *yaml = ((ApiContainerApi__PlanYaml *)reply)->plan_yaml;
    assert_non_null(strstr(yaml, "\n  shortDescriptor: add_service(a)\n"));
    size_t count;
    core_service_t **services = core_services_all(self->stage->core, &count);
    core_services_free(services, count);
    assert_int_equal(count, 0);

    args.serialized_script = (char *)"def walk(plan):\n    pass\n";
    AUTO(err) err = NULL;
    AUTO_MESSAGE ProtobufCMessage *none = NULL;
    assert_true(actor_ask(self->client, NULL, APIC, method, &args.base, 0, &none, &err) < 0);
    assert_int_equal(err_code(err), ERR_INVALID);
    AUTO_FREE char *why = err_lines(err);
    assert_non_null(strstr(why, "No 'run' function found in the script"));
}

static void
a_run_goes_on_when_its_client_goes_away(void **state)
{
    run_stage_t *self = *state;
    AUTO(actor_stream)
    stream = start(self, "def run(plan):\n"
                         "    for i in range(2000):\n        plan.print(i)\n"
                         "    plan.add_service(\"last\", ServiceConfig(image = \"image\"))\n");
    /* with its first instruction it has the enclave, which the next run could be given before */
    for (bool has_begun = false; !has_begun;) {
        AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLine *line = next(stream);
        assert_non_null(line);
        has_begun = line->run_response_line_case ==
                    API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION;
    }
    actor_stream_destroy(&stream);
    /* the next run waits for the one that is under way, if it still is */
    AUTO_FREE char *said = run(self, "def run(plan):\n    plan.get_service(\"last\")\n");
    assert_non_null(strstr(said, "Fetched service 'last'\nyes\n"));
}

/* Reads until an instruction of this name begins. */
static void
read_until(actor_stream_t *stream, const char *instruction)
{
    for (;;) {
        AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLine *line = next(stream);
        assert_non_null(line);
        if (line->run_response_line_case ==
                API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION &&
            !strcmp(line->instruction->instruction_name, instruction))
            return;
    }
}

static actor_stream_t *
attach(run_stage_t *self, bool only_new)
{
    ApiContainerApi__AttachStarlarkRunArgs args = API_CONTAINER_API__ATTACH_STARLARK_RUN_ARGS__INIT;
    actor_stream_t *stream = NULL;
    args.only_new = only_new;
    assert_int_equal(actor_stream_open(self->client, NULL, APIC, SERVICE "AttachStarlarkRun",
                                       &args.base, &stream, NULL),
                     0);
    return stream;
}

static void
write_attached(str_t *out, const ApiContainerApi__StarlarkRunResponseLine *line)
{
    switch (line->run_response_line_case) {
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INFO:
        if (str_starts(line->info->info_message, "This "))
            str_printf(out, "%.*s\n", (int)strcspn(line->info->info_message, ","),
                       line->info->info_message);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION_RESULT:
        str_printf(out, "%s\n", line->instruction_result->serialized_instruction_result);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT:
        str_printf(out, "%s\n", line->run_finished_event->is_run_successful ? "yes" : "no");
        break;
    default:
        break;
    }
}

/* Everything an attached client is sent: which run it is, results, how it ended. */
static char *
read_attached(actor_stream_t *stream)
{
    str_t out = STR_EMPTY;
    for (;;) {
        AUTO(err) err = NULL;
        AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLines *batch = NULL;
        if (actor_stream_recv(stream, 20000, (ProtobufCMessage **)&batch, &err) <= 0) {
            if (err)
                str_printf(&out, "error: %s\n", err_text(err));
            return str_take(&out);
        }
        assert_true(batch->n_lines > 0);
        for (size_t i = 0; i < batch->n_lines; i++)
            write_attached(&out, batch->lines[i]);
    }
}

#define HANGS                                                                                      \
    "def run(plan):\n"                                                                             \
    "    plan.add_service(\"s\", ServiceConfig(image = \"image\"))\n"                              \
    "    plan.print(\"early\")\n"                                                                  \
    "    plan.exec(\"s\", ExecRecipe(command = [\"hang\"]))\n"

static void
another_client_can_attach_to_a_run_whose_client_has_gone(void **state)
{
    run_stage_t *self = *state;
    AUTO(actor_stream) stream = start(self, HANGS);
    read_until(stream, "exec");
    actor_stream_destroy(&stream);
    AUTO(actor_stream) all = attach(self, false);
    AUTO(actor_stream) rest = attach(self, true);
    /* both are there when the run ends */
    AUTO_MESSAGE ProtobufCMessage *one = NULL, *other = NULL;
    assert_int_equal(actor_stream_recv(all, 20000, &one, NULL), 1);
    assert_int_equal(actor_stream_recv(rest, 20000, &other, NULL), 1);
    run_stop(self->api.run);
    AUTO_FREE char *said = read_attached(all), *later = read_attached(rest);
    assert_true(str_starts(said, "Service 's' added"));
    assert_non_null(strstr(said, "\nearly\nno\n"));
    assert_string_equal(later, "no\n");
}

static void
a_run_that_waits_for_another_says_so(void **state)
{
    run_stage_t *self = *state;
    AUTO(actor_stream) first = start(self, HANGS);
    read_until(first, "exec");
    AUTO(actor_stream) second = start(self, "def run(plan):\n    plan.print(1)\n");
    for (bool is_said = false; !is_said;) {
        AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLine *line = next(second);
        assert_non_null(line);
        is_said = line->run_response_line_case ==
                      API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INFO &&
                  str_starts(line->info->info_message, "Another run is under way");
    }
}

static void
the_last_run_can_be_seen_when_it_has_ended(void **state)
{
    run_stage_t *self = *state;
    AUTO(actor_stream) none = attach(self, false);
    AUTO_FREE char *nothing = read_attached(none);
    assert_true(str_starts(nothing, "error: nothing has been run in this enclave"));
    AUTO_FREE char *first = run(self, "def run(plan):\n    plan.print(1)\n");
    AUTO_FREE char *second = run(self, "def run(plan):\n    plan.print(2)\n");
    assert_string_equal(first, "1\nyes\n");
    assert_string_equal(second, "2\nyes\n");
    AUTO(actor_stream) stream = attach(self, false);
    AUTO_FREE char *said = read_attached(stream);
    assert_true(str_starts(said, "This was the run of a script\n"));
    assert_non_null(strstr(said, "\n2\nyes\n"));
}

static void
so_many_clients_may_be_attached_at_once(void **state)
{
    run_stage_t *self = *state;
    actor_stream_t *streams[RUN_READERS_MAX];
    AUTO(actor_stream) stream = start(self, HANGS);
    read_until(stream, "exec");
    for (size_t i = 0; i < RUN_READERS_MAX; i++) {
        AUTO_MESSAGE ProtobufCMessage *about = NULL;
        streams[i] = attach(self, false);
        assert_int_equal(actor_stream_recv(streams[i], 20000, &about, NULL), 1);
    }
    AUTO(actor_stream) more = attach(self, false);
    AUTO_FREE char *said = read_attached(more);
    assert_true(str_starts(said, "error: 8 clients are attached"));
    for (size_t i = 0; i < RUN_READERS_MAX; i++)
        actor_stream_destroy(&streams[i]);
}

/* Reads a run to its end: its errors. next() fails the test when nothing comes for a while. */
static char *
errors_of(actor_stream_t *stream)
{
    str_t out = STR_EMPTY;
    ApiContainerApi__StarlarkRunResponseLine *line;
    while ((line = next(stream))) {
        if (line->run_response_line_case ==
            API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_ERROR)
            str_printf(&out, "%s\n", line->error->execution_error->error_message);
        bus_message_destroy(&line);
    }
    return str_take(&out);
}

static void
a_failure_ends_what_runs_beside_it(void **state)
{
    run_stage_t *self = *state;
    ApiContainerApi__RunStarlarkScriptArgs args = API_CONTAINER_API__RUN_STARLARK_SCRIPT_ARGS__INIT;
    args.serialized_script =
        (char *)"def run(plan):\n"
                "    plan.add_services({n: ServiceConfig(\"image\") for n in [\"a\", \"b\"]})\n"
                "    plan.exec(\"a\", ExecRecipe(command = [\"hang\"]))\n"
                "    plan.exec(\"b\", ExecRecipe(command = [\"fail\", \"3\"]))\n";
    args._parallel_case = API_CONTAINER_API__RUN_STARLARK_SCRIPT_ARGS___PARALLEL_PARALLEL;
    args.parallel = true;
    AUTO(actor_stream) stream = NULL;
    assert_int_equal(actor_stream_open(self->client, NULL, APIC, SERVICE "RunStarlarkScript",
                                       &args.base, &stream, NULL),
                     0);
    AUTO_FREE char *errors = errors_of(stream);
    assert_non_null(strstr(errors, "exit code '3'"));
    AUTO_FREE char *said = run(self, "def run(plan):\n    plan.print(\"fine\")\n");
    assert_string_equal(said, "fine\nyes\n");
}

static void
a_service_that_fails_ends_the_wait_for_others_of_its_batch(void **state)
{
    run_stage_t *self = *state;
    AUTO(actor_stream)
    stream = start(self, "def run(plan):\n"
                         "    plan.add_services({\n"
                         "        \"a\": ServiceConfig(\"silent\", ports = {\n"
                         "            \"p\": PortSpec(1, wait = \"1h\")}),\n"
                         "        \"b\": ServiceConfig(\"refused\"),\n"
                         "    })\n");
    AUTO_FREE char *errors = errors_of(stream);
    assert_non_null(strstr(errors, "start service 'b'"));
    assert_null(strstr(errors, "start service 'a'"));
    assert_int_equal(sim_count(self->stage->sim), 0);
}

static void
thousands_of_lines_arrive_in_order(void **state)
{
    run_stage_t *self = *state;
    AUTO_FREE char *said =
        run(self, "def run(plan):\n    for i in range(3000):\n        plan.print(i)\n");
    AUTO_STR expected = STR_EMPTY;
    for (int i = 0; i < 3000; i++)
        str_printf(&expected, "%d\n", i);
    str_add(&expected, "yes\n");
    assert_string_equal(said, expected.data);
}

/* Older clients send the package in the request itself. */
static void
a_package_can_come_with_the_request(void **state)
{
    run_stage_t *self = *state;
    AUTO_FREE char *folder = str_format("%s/package", self->stage->folder),
                   *archive = str_format("%s.tgz", folder);
    AUTO_FREE char *command = str_format(
        "mkdir %s && echo 'name: github.com/me/there' >%s/kurtosis.yml && "
        "printf 'def run(plan):\\n    plan.print(\"from the request\")\\n' >%s/main.star && "
        "tar -C %s -czf %s .",
        folder, folder, folder, folder, archive);
    assert_int_equal(system(command), 0);
    char bytes[65536];
    FILE *file = fopen(archive, "r");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ApiContainerApi__RunStarlarkPackageArgs args =
        API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS__INIT;
    args.package_id = (char *)"github.com/me/there";
    args.starlark_package_content_case =
        API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS__STARLARK_PACKAGE_CONTENT_LOCAL;
    args.local = (ProtobufCBinaryData){.len = size, .data = (uint8_t *)bytes};
    AUTO(actor_stream) stream = NULL;
    assert_int_equal(actor_stream_open(self->client, NULL, APIC, SERVICE "RunStarlarkPackage",
                                       &args.base, &stream, NULL),
                     0);
    AUTO_FREE char *said = read_all(stream);
    assert_string_equal(said, "from the request\nyes\n");
}

static void
a_stop_ends_a_run_that_waits(void **state)
{
    run_stage_t *self = *state;
    AUTO(actor_stream)
    stream = start(
        self, "def run(plan):\n"
              "    plan.add_service(\"s\", ServiceConfig(image = \"image\"))\n"
              "    plan.wait(\"s\", ExecRecipe(command = [\"fail\", \"1\"]), \"code\", \"==\", 0,"
              " interval = \"1m\", timeout = \"1h\")\n");
    for (;;) {
        AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLine *line = next(stream);
        assert_non_null(line);
        if (line->run_response_line_case ==
                API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION &&
            !strcmp(line->instruction->instruction_name, "wait"))
            break;
    }
    /* teardown stops the run, which would otherwise wait for an hour */
}

/* ---- repositories that the client fetches itself */

/* Starts a run that imports github.com/me/lib, which the client has said it brings, and reads up to
 * the line that asks for it; *ret_id is yours. */
static actor_stream_t *
start_wanting(run_stage_t *self, char **ret_id)
{
    ApiContainerApi__RunStarlarkScriptArgs args = API_CONTAINER_API__RUN_STARLARK_SCRIPT_ARGS__INIT;
    char *prefix = (char *)"https://github.com/me/";
    actor_stream_t *stream = NULL;
    args.serialized_script = (char *)"lib = import_module(\"github.com/me/lib/x.star@1.0\")\n"
                                     "def run(plan):\n    plan.print(lib.TEXT)\n";
    args.client_repositories = &prefix;
    args.n_client_repositories = 1;
    assert_int_equal(actor_stream_open(self->client, NULL, APIC, SERVICE "RunStarlarkScript",
                                       &args.base, &stream, NULL),
                     0);
    for (;;) {
        AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLine *line = next(stream);
        assert_non_null(line);
        if (line->run_response_line_case !=
            API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_REPOSITORY_WANTED)
            continue;
        assert_string_equal(line->repository_wanted->url, "https://github.com/me/lib.git");
        assert_string_equal(line->repository_wanted->version, "1.0");
        *ret_id = strdup(line->repository_wanted->id);
        return stream;
    }
}

/* Sends an archive with some files as the repository. */
static int
provide(run_stage_t *self, const char *id, err_t **err)
{
    static const char manifest[] = "name: github.com/me/lib\n", module[] = "TEXT = \"brought\"\n";
    const archive_file_t files[] = {{"kurtosis.yml", manifest, sizeof manifest - 1},
                                    {"x.star", module, sizeof module - 1}};
    AUTO_FREE char *path = str_format("%s/brought.tgz", self->stage->folder);
    unlink(path);
    assert_int_equal(archive_tgz_pack_files(files, 2, path, NULL, NULL), 0);
    char bytes[4096];
    FILE *file = fopen(path, "re");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);

    AUTO(actor_stream) stream = NULL;
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    ApiContainerApi__DataChunkMetadata metadata = API_CONTAINER_API__DATA_CHUNK_METADATA__INIT;
    ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
    metadata.name = (char *)id;
    chunk.metadata = &metadata;
    chunk.data = (ProtobufCBinaryData){size, (uint8_t *)bytes};
    if (actor_stream_open(self->client, NULL, APIC, SERVICE "ProvideRepository", NULL, &stream,
                          err) < 0 ||
        actor_stream_send(stream, &chunk.base, err) < 0 || actor_stream_end(stream, err) < 0)
        return -1;
    return actor_stream_recv(stream, 20000, &reply, err);
}

static void
a_run_asks_its_client_for_a_repository(void **state)
{
    run_stage_t *self = *state;
    AUTO_FREE char *id = NULL;
    AUTO(err) err = NULL;
    AUTO(actor_stream) stream = start_wanting(self, &id);
    assert_int_equal(provide(self, id, NULL), 1);
    AUTO_FREE char *said = read_all(stream);
    assert_string_equal(said, "brought\nyes\n");
    /* nobody waits for it any more */
    assert_true(provide(self, id, &err) < 0);
    assert_int_equal(err_code(err), ERR_NOT_FOUND);
}

static void
a_client_that_cannot_bring_a_repository_says_why(void **state)
{
    run_stage_t *self = *state;
    AUTO_FREE char *id = NULL;
    AUTO(actor_stream) stream = start_wanting(self, &id);
    ApiContainerApi__RefuseRepositoryArgs args = API_CONTAINER_API__REFUSE_REPOSITORY_ARGS__INIT;
    args.id = id;
    args.reason = (char *)"no such host";
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    assert_int_equal(actor_ask(self->client, NULL, APIC, SERVICE "RefuseRepository", &args.base, 0,
                               &reply, NULL),
                     0);
    AUTO_FREE char *said = read_all(stream);
    assert_non_null(strstr(said, "the client's git cannot fetch 'https://github.com/me/lib.git'"));
    assert_non_null(strstr(said, "no such host"));
    assert_non_null(strstr(said, "\nno\n"));
}

static void
a_run_does_not_wait_for_a_repository_of_a_client_that_has_gone(void **state)
{
    run_stage_t *self = *state;
    AUTO_FREE char *id = NULL;
    AUTO(actor_stream) stream = start_wanting(self, &id);
    actor_stream_destroy(&stream);
    /* it would hold the enclave */
    AUTO_FREE char *said = run(self, "def run(plan):\n    plan.print(1)\n");
    assert_true(str_ends(said, "1\nyes\n"));
}

static void
a_stop_ends_a_run_that_waits_for_a_repository(void **state)
{
    AUTO_FREE char *id = NULL;
    AUTO(actor_stream) stream = start_wanting(*state, &id);
    /* teardown stops the run, which would otherwise wait for its client */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_script_adds_a_service_and_uses_it, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_run_that_was_not_dry_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_is_shown_without_being_run, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_goes_on_when_its_client_goes_away, setup, teardown),
        cmocka_unit_test_setup_teardown(another_client_can_attach_to_a_run_whose_client_has_gone,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_that_waits_for_another_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_run_can_be_seen_when_it_has_ended, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(so_many_clients_may_be_attached_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_ends_what_runs_beside_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_service_that_fails_ends_the_wait_for_others_of_its_batch,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(thousands_of_lines_arrive_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_package_can_come_with_the_request, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_ends_a_run_that_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_asks_its_client_for_a_repository, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_that_cannot_bring_a_repository_says_why, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_run_does_not_wait_for_a_repository_of_a_client_that_has_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_ends_a_run_that_waits_for_a_repository, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
