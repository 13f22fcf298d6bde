/*  program: kurtosis-apic as a process of its own: its environment, its end, its memory. */
#include "archive/archive.h"
#include "bus/schema/api_container.pb-c.h"
#include "tests/unit/apic/program.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define LONG_MEMORY_MAX_KB 14336 /* resident, after plans of 20000 instructions */
#define MEMORY_MAX_KB 12288      /* resident, after typical work */

static void
it_joins_serves_and_ends_when_it_is_told_to(void **state)
{
    program_t *self = *state;
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    ApiContainerApi__GetServicesArgs args = API_CONTAINER_API__GET_SERVICES_ARGS__INIT;
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *reply = NULL;
    err_t *err = NULL;
    if (actor_ask(self->client, NULL, APIC, SERVICE "GetServices", &args.base, PATIENCE_MS,
                  (ProtobufCMessage **)&reply, &err) < 0)
        fail_msg("%s", support_why(&err));
    assert_int_equal(reply->n_service_info, 0);
    kill(self->pid, SIGTERM);
    int status = program_wait_for_end(self);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_wrong_environment_is_one_line_and_exit_code_1(void **state)
{
    program_t *self = *state;
    program_start(self, "not-a-uuid");
    int status = program_wait_for_end(self);
    assert_int_equal(WEXITSTATUS(status), 1);
    char text[2048] = "";
    FILE *file = fopen(self->errors, "r");
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_non_null(strstr(text, "SERIALIZED_ARGS is wrong"));
    assert_non_null(strstr(text, "'not-a-uuid'"));
    assert_ptr_equal(strchr(text, '\n'), text + size - 1);
}

/* An artifact on its way in, in chunks of the largest size. */
static void
upload(program_t *self, const char *name)
{
    AUTO_FREE char *path = str_format("%s/%s.tgz", self->stage->folder, name);
    size_t size = 5000000;
    AUTO_FREE char *data = malloc(size);
    unsigned number = 1;
    for (size_t i = 0; i < size; i++)
        data[i] = (char)((number = number * 1103515245 + 12345) >> 16);
    archive_file_t file = {"x", data, size};
    assert_int_equal(archive_tgz_pack_files(&file, 1, path, NULL, NULL), 0);

    AUTO(actor_stream) stream = NULL;
    ProtobufCMessage *reply = NULL;
    err_t *err = NULL;
    char hash[ARCHIVE_SHA1_SIZE] = "";
    int fd = open(path, O_RDONLY);
    int rc = actor_stream_open(self->client, NULL, APIC, SERVICE "UploadFilesArtifact", NULL,
                               &stream, &err);
    AUTO_FREE uint8_t *part = malloc(BUS_CHUNK_MAX);
    for (ssize_t got; rc == 0 && (got = read(fd, part, BUS_CHUNK_MAX)) > 0;) {
        ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
        ApiContainerApi__DataChunkMetadata metadata = API_CONTAINER_API__DATA_CHUNK_METADATA__INIT;
        metadata.name = (char *)name;
        chunk.metadata = &metadata;
        chunk.data = (ProtobufCBinaryData){.len = (size_t)got, .data = part};
        chunk.previous_chunk_hash = hash;
        rc = actor_stream_send(stream, &chunk.base, &err);
        archive_sha1(part, (size_t)got, hash);
    }
    close(fd);
    if (rc == 0)
        rc = actor_stream_end(stream, &err);
    if (rc == 0)
        rc = actor_stream_recv(stream, PATIENCE_MS, &reply, &err);
    if (rc < 0)
        fail_msg("%s", support_why(&err));
    bus_message_destroy(&reply);
}

/* Three services, one after the other, with a rendered file, ports that are waited for, a command
 * and checks. */
static const char typical[] =
    "def run(plan):\n"
    "    files = plan.render_templates(name='conf', config={'x.conf': struct(template='{{.a}}\\n' "
    "* 100, data={'a': 1})})\n"
    "    for name in ['db', 'api', 'web']:\n"
    "        plan.add_service(name=name, config=ServiceConfig(image='listen', files={'/conf': "
    "files},\n"
    "            env_vars={'SELF': 'KURTOSIS_IP_ADDR_PLACEHOLDER'},\n"
    "            ports={'http': PortSpec(number=18080, wait='10s', "
    "application_protocol='http')}))\n"
    "    result = plan.exec(service_name='db', recipe=ExecRecipe(command=['echo', 'hello']))\n"
    "    plan.verify(value=result['output'], assertion='==', target_value='hello\\n')\n"
    "    plan.add_services(configs={'s%d' % i: ServiceConfig(image='silent') for i in range(20)})\n"
    "    plan.print('done')\n";

static void
its_memory_stays_small_after_typical_work(void **state)
{
    program_t *self = *state;
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    for (int i = 0; i < 4; i++) {
        AUTO_FREE char *name = str_format("a%d", i);
        upload(self, name);
    }
    long before = program_memory_kb(self, "VmRSS:");
    AUTO_STR errors = STR_EMPTY;
    for (int i = 0; i < 3; i++)
        if (!program_run(self, typical, NULL, NULL, &errors))
            fail_msg("%s", errors.data);
    assert_int_equal(sim_count(self->stage->sim), 23);
    long kb = program_memory_kb(self, "VmRSS:");
    print_message("resident: %ld kB before the first run, %ld kB after the third\n", before, kb);
    assert_true(kb > 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(kb < MEMORY_MAX_KB);
#endif
}

static void
its_memory_comes_back_after_a_long_plan(void **state)
{
    program_t *self = *state;
    AUTO_STR errors = STR_EMPTY;
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    for (int i = 0; i < 2; i++)
        if (!program_run(self,
                         "def run(plan):\n    for i in range(20000):\n        plan.print(i)\n",
                         NULL, NULL, &errors))
            fail_msg("%s", errors.data);
    /* The run's last line is out before the run is freed, which nothing tells: look until it is, 5 s at most. */
    long kb = program_memory_kb(self, "VmRSS:");
    for (int looks = 0; kb >= LONG_MEMORY_MAX_KB && looks < 500; looks++) {
        poll(NULL, 0, 10);
        kb = program_memory_kb(self, "VmRSS:");
    }
    print_message("resident: %ld kB after 20000 instructions\n", kb);
    assert_true(kb > 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(kb < LONG_MEMORY_MAX_KB);
#endif
}

/* ---------------------------------------------------------------------------------------- kills */

typedef struct {
    program_t *program;
    const char *script;
} running_t;

static void *
run_until_it_ends(void *arg)
{
    running_t *self = arg;
    AUTO_STR errors = STR_EMPTY;
    program_run(self->program, self->script, NULL, NULL, &errors);
    return NULL;
}

static size_t
services_shown(program_t *self)
{
    ApiContainerApi__GetServicesArgs args = API_CONTAINER_API__GET_SERVICES_ARGS__INIT;
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *reply = NULL;
    err_t *err = NULL;
    if (actor_ask(self->client, NULL, APIC, SERVICE "GetServices", &args.base, PATIENCE_MS,
                  (ProtobufCMessage **)&reply, &err) < 0)
        fail_msg("%s", support_why(&err));
    return reply->n_service_info;
}

/* Killed in the middle of runs, sooner and later; after each restart the containers are the
 * services that are shown, and at last the whole run succeeds. */
static void
after_a_kill_at_any_moment_the_enclave_is_what_is_shown_and_the_next_run_succeeds(void **state)
{
    program_t *self = *state;
    static const int moments_ms[] = {3, 10, 20, 35, 60, 100};
    for (size_t i = 0; i < ARRAY_LEN(moments_ms); i++) {
        program_start(self, SUPPORT_ENCLAVE);
        program_until_joined(self);
        running_t running = {.program = self, .script = typical};
        pthread_t thread;
        pthread_create(&thread, NULL, run_until_it_ends, &running);
        struct timespec pause = {.tv_nsec = moments_ms[i] * 1000000L};
        nanosleep(&pause, NULL);
        kill(self->pid, SIGKILL);
        program_wait_for_end(self);
        pthread_join(thread, NULL);
        stage_until_gone(self->stage); /* else the next one would be taken for this one */
    }
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    size_t shown = services_shown(self);
    for (int tries = 0; tries < 2000 && sim_count(self->stage->sim) != shown; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_int_equal(sim_count(self->stage->sim), shown);
    AUTO_STR errors = STR_EMPTY;
    if (!program_run(self, typical, NULL, NULL, &errors))
        fail_msg("%s", errors.data);
    assert_int_equal(sim_count(self->stage->sim), 23);
    assert_int_equal(services_shown(self), 23);
}

static void
told_to_end_in_the_middle_of_a_run_it_undoes_what_waits_and_ends(void **state)
{
    program_t *self = *state;
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    running_t running = {.program = self,
                         .script =
                             "def run(plan):\n"
                             "    plan.add_service(name='a', config=ServiceConfig(image='silent',\n"
                             "        ports={'http': PortSpec(number=18080, wait='10m')}))\n"};
    pthread_t thread;
    pthread_create(&thread, NULL, run_until_it_ends, &running);
    while (!sim_look(self->stage->sim, "a", NULL, NULL))
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    kill(self->pid, SIGTERM);
    int status = program_wait_for_end(self);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    pthread_join(thread, NULL);
    assert_int_equal(sim_count(self->stage->sim), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)

int
main(void)
{
    actor_process_init();
    const struct CMUnitTest tests[] = {
        T(it_joins_serves_and_ends_when_it_is_told_to),
        T(a_wrong_environment_is_one_line_and_exit_code_1),
        T(its_memory_stays_small_after_typical_work),
        T(its_memory_comes_back_after_a_long_plan),
        T(after_a_kill_at_any_moment_the_enclave_is_what_is_shown_and_the_next_run_succeeds),
        T(told_to_end_in_the_middle_of_a_run_it_undoes_what_waits_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
