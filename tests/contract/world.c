/*  world: see world.h. */
#include "tests/contract/world.h"

#include "base/clock.h"

#include <assert.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#define CHUNK 262144u
#define TESTS_MAX 64     /* of a group */
#define FIRST_ADDRESS 10 /* of the enclave's network, for services */

driver_t *driver;
char enclave[UUID_LEN + 1];

static char tag[9];
static int next_address = FIRST_ADDRESS;
static const char *tools_folder;
static char network_prefix[16]; /* "172.16.4." */

extern char **environ;

/* ------------------------------------------------------------------------------------ the world */

static void
stop(const char *what, const err_t *err)
{
    AUTO_FREE char *why = err_string(err);
    fprintf(stderr, "contract: cannot %s: %s\n", what, why);
    exit(1);
}

void
image_load(const char *name, const char *const *programs)
{
    AUTO_FREE char *script = str_format("%s/image.sh", tools_folder);
    char path[] = "/tmp/kurtosis-contract-image-XXXXXX";
    close(mkstemp(path));
    char *argv[8] = {script, path, (char *)name};
    for (size_t i = 0; programs && programs[i]; i++)
        argv[3 + i] = (char *)programs[i];
    pid_t pid;
    int status = -1;
    if (posix_spawn(&pid, script, NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) < 0 ||
        status != 0)
        stop("make an image (is busybox-static installed?)", NULL);

    stream_t *stream = driver_open(driver, "LoadImage", NULL);
    FILE *in = fopen(path, "re");
    static uint8_t buffer[CHUNK];
    for (size_t size; in && (size = fread(buffer, 1, sizeof buffer, in));) {
        Orchestrator__ImageChunk chunk = ORCHESTRATOR__IMAGE_CHUNK__INIT;
        chunk.data.data = buffer;
        chunk.data.len = size;
        stream_send(stream, &chunk);
    }
    stream_end(stream);
    fclose(in);
    unlink(path);
    AUTO(err) err = NULL;
    Orchestrator__ImageInfo *info = NULL;
    if (stream_recv(stream, &info, &err) != 1)
        stop("load an image", err);
    orchestrator__image_info__free_unpacked(info, NULL);
    stream_close(&stream);
}

void
world_start(const char *name, const char *tools)
{
    static const char *const programs[] = {"/usr/bin/kurtosis-engine", "/usr/bin/kurtosis-apic",
                                           NULL};
    char random[UUID_LEN + 1];
    uuid_new(random);
    memcpy(tag, random, sizeof tag - 1);
    tools_folder = tools;
    driver = driver_start(name);
    if (!driver) {
        fprintf(stderr, "contract: there is no driver '%s'\n", name);
        exit(1);
    }
    image_load(IMAGE_BOX, NULL);
    image_load(IMAGE_ENGINE, programs);
    strcpy(enclave, new_uuid());
    Orchestrator__Enclave *made = enclave_make(enclave, enclave_name("main"));
    const char *dot = strrchr(made->subnet, '.');
    snprintf(network_prefix, sizeof network_prefix, "%.*s", (int)(dot - made->subnet) + 1,
             made->subnet);
    orchestrator__enclave__free_unpacked(made, NULL);
}

int
world_stop(void)
{
    enclave_destroy(enclave);
    driver_forget_image(driver, IMAGE_BOX);
    driver_forget_image(driver, IMAGE_ENGINE);
    AUTO_FREE char *left = holds(NULL);
    int deaths = driver_deaths(driver);
    driver_stop(&driver);
    if (*left)
        fprintf(stderr, "contract: left behind:\n%s", left);
    return deaths + (*left ? 1 : 0);
}

static bool
has_test(const struct CMUnitTest *tests, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(tests[i].name, name) == 0)
            return true;
    return false;
}

int
group_run(const char *group, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
          CMFixtureFunction teardown)
{
    const char *why = driver_lacks(driver, group, NULL), *name;
    if (why) {
        printf("[  LACKED  ] %s: %s\n", group, why);
        return 0;
    }
    struct CMUnitTest held[TESTS_MAX];
    size_t n = 0;
    assert(count <= TESTS_MAX);
    for (size_t i = 0; i < count; i++) {
        why = driver_lacks(driver, group, tests[i].name);
        if (why)
            printf("[  LACKED  ] %s: %s: %s\n", group, tests[i].name, why);
        else
            held[n++] = tests[i];
    }
    int failed = 0;
    for (size_t i = 0; (name = driver_lacked(driver, group, i)); i++)
        if (!has_test(tests, count, name)) {
            fprintf(stderr, "contract: '%s' is no test of group '%s'\n", name, group);
            failed++;
        }
    return failed + _cmocka_run_group_tests(group, held, n, setup, teardown);
}

const char *
new_uuid(void)
{
    static char uuids[8][UUID_LEN + 1];
    static unsigned next;
    char *uuid = uuids[next++ % ARRAY_LEN(uuids)];
    uuid_new(uuid);
    memcpy(uuid, tag, sizeof tag - 1);
    return uuid;
}

const char *
enclave_name(const char *what)
{
    static char names[4][64];
    static unsigned next;
    char *name = names[next++ % ARRAY_LEN(names)];
    snprintf(name, sizeof names[0], "ct-%s-%s", tag, what);
    return name;
}

char *
holds(const char *part)
{
    return driver_holds(driver, part ? part : tag);
}

/* --------------------------------------------------------------------------------------- asking */

void
ask(const char *method, const void *request, void *ret_reply)
{
    AUTO(err) err = NULL;
    if (driver_ask(driver, method, request, ret_reply, &err) < 0)
        fail_msg("%s failed: %s", method, err_string(err));
}

void
check_error(err_t *err, err_code_t code, const char *words)
{
    AUTO_FREE char *text = err_string(err);
    if (err_code(err) != code || !strstr(text, words))
        fail_msg("expected %s with '%s', got %s: %s", err_code_name(code), words,
                 err_code_name(err_code(err)), text);
}

void
ask_fails(const char *method, const void *request, err_code_t code, const char *words)
{
    AUTO(err) err = NULL;
    ProtobufCMessage *reply = NULL;
    if (driver_ask(driver, method, request, &reply, &err) == 0)
        fail_msg("%s did not fail", method);
    check_error(err, code, words);
}

/* ------------------------------------------------------------------------------------- enclaves */

Orchestrator__Enclave *
enclave_make(const char *uuid, const char *name)
{
    Orchestrator__CreateEnclaveArgs args = ORCHESTRATOR__CREATE_ENCLAVE_ARGS__INIT;
    Orchestrator__Enclave *made = NULL;
    args.enclave_uuid = (char *)uuid;
    args.name = (char *)name;
    args.creation_time = clock_wall_ns();
    args.image = IMAGE_ENGINE;
    args.version = "1.20.0";
    args.log_level = "info";
    char *env[] = {"KURTOSIS_BUS_SECRET=none"}; /* as each of ours has one */
    args.env = env;
    args.n_env = ARRAY_LEN(env);
    ask("CreateEnclave", &args, &made);
    return made;
}

void
enclave_destroy(const char *uuid)
{
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    ref.enclave_uuid = (char *)uuid;
    ask("DestroyEnclave", &ref, NULL);
}

/* ------------------------------------------------------------------------------------- services */

void
spec_init(Orchestrator__ServiceSpec *spec, const char *name)
{
    static char addresses[16][24];
    orchestrator__service_spec__init(spec);
    char *address = addresses[next_address % (int)ARRAY_LEN(addresses)];
    snprintf(address, sizeof addresses[0], "%s%d", network_prefix, next_address++);
    spec->enclave_uuid = enclave;
    spec->service_uuid = (char *)new_uuid();
    spec->name = (char *)name;
    spec->image = IMAGE_BOX;
    spec->private_ip = address;
}

stream_t *
service_open(const Orchestrator__ServiceSpec *spec, const archive_t *archives, size_t count)
{
    stream_t *stream = driver_open(driver, "StartService", NULL);
    Orchestrator__StartServicePart first = ORCHESTRATOR__START_SERVICE_PART__INIT;
    first.spec = (Orchestrator__ServiceSpec *)spec;
    stream_send(stream, &first);
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < archives[i].tar->len; at += CHUNK) {
            Orchestrator__StartServicePart part = ORCHESTRATOR__START_SERVICE_PART__INIT;
            size_t left = archives[i].tar->len - at;
            part.mount_index = archives[i].mount;
            part.data.data = (uint8_t *)archives[i].tar->data + at;
            part.data.len = left < CHUNK ? left : CHUNK;
            part.archive_end = left <= CHUNK;
            stream_send(stream, &part);
        }
    stream_end(stream);
    return stream;
}

Orchestrator__ServiceInfo *
service_start(const Orchestrator__ServiceSpec *spec)
{
    stream_t *stream = service_open(spec, NULL, 0);
    Orchestrator__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    if (stream_recv(stream, &info, &err) != 1)
        fail_msg("StartService failed: %s", err_string(err));
    stream_close(&stream);
    return info;
}

void
service_start_fails(const Orchestrator__ServiceSpec *spec, err_code_t code, const char *words)
{
    stream_t *stream = service_open(spec, NULL, 0);
    Orchestrator__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    assert_true(stream_recv(stream, &info, &err) < 0);
    stream_close(&stream);
    check_error(err, code, words);
}

void
service_remove(const char *uuid)
{
    Orchestrator__ServiceRef ref = ORCHESTRATOR__SERVICE_REF__INIT;
    ref.enclave_uuid = enclave;
    ref.service_uuid = (char *)uuid;
    ask("RemoveService", &ref, NULL);
}

int
run_in(const char *service_uuid, const char *script, str_t *ret_out)
{
    return run_at(enclave, service_uuid, script, ret_out);
}

int
run_at(const char *enclave_uuid, const char *service_uuid, const char *script, str_t *ret_out)
{
    Orchestrator__ExecArgs args = ORCHESTRATOR__EXEC_ARGS__INIT;
    char *command[] = {"sh", "-c", (char *)script};
    args.enclave_uuid = (char *)enclave_uuid;
    args.service_uuid = (char *)service_uuid;
    args.command = command;
    args.n_command = ARRAY_LEN(command);
    stream_t *stream = driver_open(driver, "Exec", &args);
    int code = -1, got;
    AUTO(err) err = NULL;
    Orchestrator__ExecOutput *output = NULL;
    while ((got = stream_recv(stream, &output, &err)) == 1) {
        if (output->is_end)
            code = output->exit_code;
        else if (ret_out)
            str_add_bytes(ret_out, output->data.data, output->data.len);
        orchestrator__exec_output__free_unpacked(output, NULL);
    }
    stream_close(&stream);
    if (got < 0)
        fail_msg("Exec failed: %s", err_string(err));
    return code;
}
