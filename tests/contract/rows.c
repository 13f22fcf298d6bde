/*  Rows: every field of a ServiceSpec, one test each, read back from the orchestrator's own description of the
 *  container. Only drivers whose containers can be described (driver_inspect) have this group.
 *
 *  One service with everything is started for all rows that any machine can start; what a machine may not have or
 *  permit (GPUs, all privileges) is made as the driver would make it, looked at, and never started. */
#include "tests/contract/world.h"

#include <jansson.h>
#include <stdio.h>

#define WANTS_MAX 8
#define ROWS_MAX 64

/* A path of keys and indices, separated by blanks, and the JSON that must be there; "+JSON" is an item that an array
 * must have. */
typedef struct {
    const char *path, *json;
} want_t;

typedef enum { ROW_TOGETHER, ROW_ALONE, ROW_MADE } row_kind_t;

typedef struct {
    row_kind_t kind; /* in the one service with everything; in one of its own; not started */
    const char *test;
    void (*set)(Orchestrator__ServiceSpec *spec);
    want_t wants[WANTS_MAX];
} row_t;

/* --------------------------------------------------------------------------------- what is asked */

static Orchestrator__ServicePort ports[4];
static Orchestrator__ServicePort *port_list[] = {&ports[0], &ports[1], &ports[2], &ports[3]};

static void
set_port(size_t i, const char *id, uint32_t number, Orchestrator__Transport transport, bool publish)
{
    orchestrator__service_port__init(&ports[i]);
    ports[i].id = (char *)id;
    ports[i].number = number;
    ports[i].transport = transport;
    ports[i].publish = publish;
}

static void
set_ports(Orchestrator__ServiceSpec *spec)
{
    set_port(0, "web", 80, ORCHESTRATOR__TRANSPORT__TCP, true);
    set_port(1, "dns", 53, ORCHESTRATOR__TRANSPORT__UDP, true);
    set_port(2, "hidden", 54, ORCHESTRATOR__TRANSPORT__UDP, false);
    set_port(3, "diameter", 3868, ORCHESTRATOR__TRANSPORT__SCTP, false);
    ports[0].application_protocol = (char *)"http";
    spec->ports = port_list;
    spec->n_ports = 4;
}

static void
set_public_port(Orchestrator__ServiceSpec *spec)
{
    set_port(0, "web", 8123, ORCHESTRATOR__TRANSPORT__TCP, true);
    ports[0].public_number = 18123;
    spec->ports = port_list;
    spec->n_ports = 1;
}

static void
set_public_sctp(Orchestrator__ServiceSpec *spec)
{
    set_port(0, "diameter", 3868, ORCHESTRATOR__TRANSPORT__SCTP, true);
    set_port(1, "other", 3869, ORCHESTRATOR__TRANSPORT__SCTP, true);
    ports[0].public_number = 13868;
    spec->ports = port_list;
    spec->n_ports = 2;
}

static void
set_words(Orchestrator__ServiceSpec *spec)
{
    static char *entrypoint[] = {"/bin/sh", "-c"},
                *cmd[] = {"trap 'exit 0' TERM; sleep 1000000 & wait", "two words"};
    spec->entrypoint = entrypoint, spec->n_entrypoint = 2;
    spec->cmd = cmd, spec->n_cmd = 2;
}

/* Two pairs that stay; the second may be NULL. */
typedef struct {
    Orchestrator__Pair pairs[2], *list[2];
} pairs_t;

static size_t
set_pairs(pairs_t *self, const char *name, const char *value, const char *other_name,
          const char *other_value)
{
    for (size_t i = 0; i < 2; i++) {
        orchestrator__pair__init(&self->pairs[i]);
        self->list[i] = &self->pairs[i];
    }
    self->pairs[0].name = (char *)name, self->pairs[0].value = (char *)value;
    self->pairs[1].name = (char *)other_name, self->pairs[1].value = (char *)other_value;
    return other_name ? 2 : 1;
}

static void
set_env(Orchestrator__ServiceSpec *spec)
{
    static pairs_t env;
    spec->n_env = set_pairs(&env, "ANSWER", "a=b,\"42\"\n\xc3\xa4", "EMPTY", "");
    spec->env = env.list;
}

static void
set_labels(Orchestrator__ServiceSpec *spec)
{
    static pairs_t labels;
    spec->n_labels = set_pairs(&labels, "team", "Blue Team", "a.b-c_d", "");
    spec->labels = labels.list;
}

static void
set_binds(Orchestrator__ServiceSpec *spec)
{
    static pairs_t binds;
    spec->n_bind_mounts = set_pairs(&binds, "/var/run/docker.sock", "/docker.sock", NULL, NULL);
    spec->bind_mounts = binds.list;
}

static void
set_moves(Orchestrator__ServiceSpec *spec)
{
    static pairs_t moves;
    static char *entrypoint[] = {"/bin/app"}, *cmd[] = {"it's", "here"};
    spec->n_files_to_be_moved = set_pairs(&moves, "/a b", "/c", "/d", "/e");
    spec->files_to_be_moved = moves.list;
    spec->entrypoint = entrypoint, spec->n_entrypoint = 1;
    spec->cmd = cmd, spec->n_cmd = 2;
}

static void
set_gpu(Orchestrator__ServiceSpec *spec)
{
    static Orchestrator__GpuRequest gpu;
    orchestrator__gpu_request__init(&gpu);
    gpu.count = -1;
    spec->gpu = &gpu;
}

static void
set_gpu_devices(Orchestrator__ServiceSpec *spec)
{
    static char *ids[] = {"GPU-1", "3"};
    set_gpu(spec);
    spec->gpu->count = 2;
    spec->gpu->driver = (char *)"amd";
    spec->gpu->device_ids = ids, spec->gpu->n_device_ids = 2;
}

static void
set_files(Orchestrator__ServiceSpec *spec)
{
    static Orchestrator__FilesMount mount;
    static Orchestrator__FilesMount *list[] = {&mount};
    orchestrator__files_mount__init(&mount);
    mount.path = (char *)"/etc/app";
    spec->files = list, spec->n_files = 1;
}

static void
set_persistent(Orchestrator__ServiceSpec *spec)
{
    static Orchestrator__PersistentMount mount;
    static Orchestrator__PersistentMount *list[] = {&mount};
    orchestrator__persistent_mount__init(&mount);
    mount.path = (char *)"/var/lib/app";
    mount.key = (char *)"app-data";
    spec->persistent = list, spec->n_persistent = 1;
}

static void
set_limits(Orchestrator__ServiceSpec *spec)
{
    spec->max_millicpus = 250;
    spec->max_memory_megabytes = 32;
}

static void
set_user(Orchestrator__ServiceSpec *spec)
{
    static Orchestrator__ServiceUser user;
    orchestrator__service_user__init(&user);
    user.uid = 1000, user.gid = 0, user.has_gid = true;
    spec->user = &user;
}

static void
set_user_alone(Orchestrator__ServiceSpec *spec)
{
    set_user(spec);
    spec->user->has_gid = false;
}

static void
set_tini(Orchestrator__ServiceSpec *spec)
{
    spec->tini_enabled = true;
}

static void
set_tty(Orchestrator__ServiceSpec *spec)
{
    spec->tty_enabled = true;
}

static void
set_devices(Orchestrator__ServiceSpec *spec)
{
    static char *devices[] = {"/dev/full"};
    spec->devices = devices, spec->n_devices = 1;
}

static void
set_capabilities(Orchestrator__ServiceSpec *spec)
{
    static char *capabilities[] = {"NET_ADMIN", "SYS_PTRACE"};
    spec->capabilities = capabilities, spec->n_capabilities = 2;
}

static void
set_privileged(Orchestrator__ServiceSpec *spec)
{
    spec->privileged = true;
}

static void
set_host_pid(Orchestrator__ServiceSpec *spec)
{
    spec->host_pid_namespace = true;
}

static void
set_shm(Orchestrator__ServiceSpec *spec)
{
    spec->shm_megabytes = 3;
}

static void
set_ulimits(Orchestrator__ServiceSpec *spec)
{
    static Orchestrator__Ulimit nofile, core;
    static Orchestrator__Ulimit *list[] = {&nofile, &core};
    orchestrator__ulimit__init(&nofile);
    orchestrator__ulimit__init(&core);
    nofile.name = (char *)"nofile", nofile.value = 777;
    core.name = (char *)"core", core.value = 0;
    spec->ulimits = list, spec->n_ulimits = 2;
}

static void
set_no_ulimit(Orchestrator__ServiceSpec *spec)
{
    set_ulimits(spec);
    spec->ulimits[0]->name = (char *)"memlock";
    spec->ulimits[0]->value = -1;
}

static void
set_restart(Orchestrator__ServiceSpec *spec)
{
    spec->restart_always = true;
}

static void
set_nothing(Orchestrator__ServiceSpec *spec)
{
    (void)spec;
}

/* ------------------------------------------------------------------------------------- the table */

static const row_t rows[] = {
    {ROW_ALONE,
     "a_spec_with_nothing_gets_the_defaults_of_kurtosis",
     set_nothing,
     {{"HostConfig RestartPolicy Name", "\"no\""},
      {"HostConfig PidMode", "\"\""},
      {"HostConfig Privileged", "false"},
      {"HostConfig Memory", "0"},
      {"Config OpenStdin", "true"},
      {"Config Tty", "false"},
      {"Config User", "\"\""},
      {"Config Labels com.kurtosistech.container-type", "\"user-service\""}}},
    {ROW_TOGETHER,
     "ports_of_all_transports_are_exposed_and_published_as_asked",
     set_ports,
     {{"Config ExposedPorts",
       "{\"80/tcp\": {}, \"53/udp\": {}, \"54/udp\": {}, \"3868/sctp\": {}}"},
      {"HostConfig PortBindings 80/tcp 0 HostIp", "\"0.0.0.0\""},
      {"HostConfig PortBindings 53/udp 0 HostIp", "\"0.0.0.0\""},
      {"HostConfig PortBindings 54/udp", NULL},
      {"HostConfig PortBindings 3868/sctp", NULL},
      {"Config Labels com.kurtosistech.ports",
       "\"web:80/TCP/http,dns:53/UDP,hidden:54/UDP,diameter:3868/SCTP\""},
      {"Config Labels traefik.enable", "\"true\""}}},
    {ROW_ALONE,
     "a_public_port_is_the_one_that_was_asked_for",
     set_public_port,
     {{"HostConfig PortBindings 8123/tcp", "[{\"HostIp\": \"0.0.0.0\", \"HostPort\": \"18123\"}]"},
      {"NetworkSettings Ports 8123/tcp 0 HostPort", "\"18123\""},
      {"Config Labels traefik.enable", NULL}}},
    {ROW_MADE, /* to start, it needs SCTP in the kernel of the host */
     "public_ports_may_be_of_sctp",
     set_public_sctp,
     {{"Config ExposedPorts", "{\"3868/sctp\": {}, \"3869/sctp\": {}}"},
      {"HostConfig PortBindings 3868/sctp", "[{\"HostIp\": \"0.0.0.0\", \"HostPort\": \"13868\"}]"},
      {"HostConfig PortBindings 3869/sctp 0 HostIp", "\"0.0.0.0\""},
      {"Config Labels com.kurtosistech.ports", "\"diameter:3868/SCTP,other:3869/SCTP\""}}},
    {ROW_TOGETHER,
     "entrypoint_and_cmd_are_kept_word_by_word",
     set_words,
     {{"Config Entrypoint", "[\"/bin/sh\", \"-c\"]"},
      {"Config Cmd", "[\"trap 'exit 0' TERM; sleep 1000000 & wait\", \"two words\"]"}}},
    {ROW_TOGETHER,
     "environment_keeps_every_byte",
     set_env,
     {{"Config Env", "+\"ANSWER=a=b,\\\"42\\\"\\n\\u00e4\""},
      {"Config Env", "+\"EMPTY=\""},
      {"Config Env", "+\"FROM_IMAGE=a=b\""}}},
    {ROW_TOGETHER,
     "labels_of_the_user_have_their_prefix",
     set_labels,
     {{"Config Labels com.kurtosistech.custom.team", "\"Blue Team\""},
      {"Config Labels com.kurtosistech.custom.a.b-c_d", "\"\""},
      {"Config Labels com.kurtosistech.app-id", "\"kurtosis\""}}},
    {ROW_TOGETHER,
     "a_bind_mount_is_the_host_s_path",
     set_binds,
     {{"HostConfig Mounts 2 Type", "\"bind\""},
      {"HostConfig Mounts 2 Source", "\"/var/run/docker.sock\""},
      {"HostConfig Mounts 2 Target", "\"/docker.sock\""}}},
    {ROW_TOGETHER,
     "files_are_a_volume_of_their_own",
     set_files,
     {{"HostConfig Mounts 0 Type", "\"volume\""},
      {"HostConfig Mounts 0 Target", "\"/etc/app\""},
      {"HostConfig Mounts 0 VolumeOptions Labels com.kurtosistech.volume-type",
       "\"files-artifacts-expansion\""}}},
    {ROW_TOGETHER,
     "a_persistent_directory_is_a_volume_by_its_key",
     set_persistent,
     {{"HostConfig Mounts 1 Type", "\"volume\""},
      {"HostConfig Mounts 1 Target", "\"/var/lib/app\""},
      {"HostConfig Mounts 1 VolumeOptions Labels com.kurtosistech.volume-type",
       "\"persistent-directory\""}}},
    {ROW_TOGETHER,
     "limits_of_processors_and_memory_are_set_and_there_is_no_swap",
     set_limits,
     {{"HostConfig NanoCpus", "250000000"},
      {"HostConfig Memory", "32000000"},
      {"HostConfig MemorySwap", "32000000"}}},
    {ROW_TOGETHER,
     "the_user_is_numbers_of_user_and_group",
     set_user,
     {{"Config User", "\"1000:0\""}}},
    {ROW_MADE, "a_user_without_group_is_one_number", set_user_alone, {{"Config User", "\"1000\""}}},
    {ROW_TOGETHER, "tini_is_an_init_process", set_tini, {{"HostConfig Init", "true"}}},
    {ROW_TOGETHER,
     "a_terminal_is_given",
     set_tty,
     {{"Config Tty", "true"}, {"Config OpenStdin", "true"}}},
    {ROW_TOGETHER,
     "devices_have_the_same_path_inside",
     set_devices,
     {{"HostConfig Devices", "[{\"PathOnHost\": \"/dev/full\", \"PathInContainer\": \"/dev/full\", "
                             "\"CgroupPermissions\": \"rwm\"}]"}}},
    {ROW_TOGETHER,
     "capabilities_are_added",
     set_capabilities,
     {{"HostConfig CapAdd", "+\"NET_ADMIN\""},
      {"HostConfig CapAdd", "+\"SYS_PTRACE\""},
      {"HostConfig Privileged", "false"}}},
    {ROW_MADE,
     "a_privileged_service_is_privileged",
     set_privileged,
     {{"HostConfig Privileged", "true"}}},
    /* Not with tini: Podman has none in the host's namespace. */
    {ROW_MADE, "the_host_s_processes_are_seen", set_host_pid, {{"HostConfig PidMode", "\"host\""}}},
    {ROW_TOGETHER, "shared_memory_has_its_size", set_shm, {{"HostConfig ShmSize", "3145728"}}},
    {ROW_TOGETHER,
     "resource_limits_are_soft_and_hard",
     set_ulimits,
     {{"HostConfig Ulimits", "+{\"Name\": \"nofile\", \"Soft\": 777, \"Hard\": 777}"},
      {"HostConfig Ulimits", "+{\"Name\": \"core\", \"Soft\": 0, \"Hard\": 0}"}}},
    {ROW_TOGETHER,
     "services_of_production_enclaves_come_back",
     set_restart,
     {{"HostConfig RestartPolicy Name", "\"always\""}}},
    {ROW_MADE,
     "a_resource_without_limit_is_minus_one",
     set_no_ulimit,
     {{"HostConfig Ulimits", "+{\"Name\": \"memlock\", \"Soft\": -1, \"Hard\": -1}"}}},
    {ROW_MADE,
     "all_gpus_are_asked_for_with_the_driver_of_nvidia",
     set_gpu,
     {{"HostConfig DeviceRequests 0 Driver", "\"nvidia\""},
      {"HostConfig DeviceRequests 0 Count", "-1"},
      {"HostConfig DeviceRequests 0 DeviceIDs", "null"},
      {"HostConfig DeviceRequests 0 Capabilities", "[[\"gpu\"]]"},
      {"HostConfig DeviceRequests 1", NULL}}},
    {ROW_MADE,
     "gpus_by_id_win_over_their_count",
     set_gpu_devices,
     {{"HostConfig DeviceRequests 0 Driver", "\"amd\""},
      {"HostConfig DeviceRequests 0 Count", "0"},
      {"HostConfig DeviceRequests 0 DeviceIDs", "[\"GPU-1\", \"3\"]"},
      {"HostConfig DeviceRequests 0 Capabilities", "[[\"gpu\"]]"}}},
    {ROW_MADE,
     "files_are_moved_before_the_entrypoint_runs",
     set_moves,
     {{"Config Entrypoint", "[\"/bin/sh\"]"},
      {"Config Cmd",
       "[\"-c\", \"mv '/a b' '/c' && mv '/d' '/e' && exec '/bin/app' 'it'\\\\''s' 'here'\"]"}}},
};

/* --------------------------------------------------------------------------------------- reading */

static const json_t *
look(const json_t *json, const char *path)
{
    AUTO_FREE char *copy = strdup(path);
    char *save = NULL;
    for (char *key = strtok_r(copy, " ", &save); key; key = strtok_r(NULL, " ", &save))
        json = json_is_array(json) ? json_array_get(json, (size_t)strtoul(key, NULL, 10))
                                   : json_object_get(json, key);
    return json;
}

static bool
has_item(const json_t *array, const json_t *wanted)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)array, i,
                       item) if (json_equal(item, (json_t *)wanted)) return true;
    return false;
}

static void
check(const json_t *container, const want_t *want)
{
    const json_t *found = look(container, want->path);
    bool is_item = want->json && *want->json == '+';
    json_error_t why;
    json_t *wanted = want->json ? json_loads(want->json + is_item, JSON_DECODE_ANY, &why) : NULL;
    if (want->json && !wanted)
        fail_msg("'%s' is no JSON: %s", want->json, why.text);
    bool fine = !want->json ? !found
                : is_item   ? has_item(found, wanted)
                            : json_equal((json_t *)found, wanted);
    json_decref(wanted);
    if (!fine) {
        AUTO_FREE char *text = json_dumps(found, JSON_ENCODE_ANY | JSON_SORT_KEYS);
        fail_msg("%s is %s, expected %s", want->path, text ? text : "not there",
                 want->json ? want->json : "nothing");
    }
}

/* What the orchestrator says about a container of this spec; it is gone afterwards, but for the one of all rows. */
static json_t *
describe(const row_t *row, Orchestrator__ServiceSpec *spec)
{
    if (row->kind == ROW_MADE) {
        AUTO_FREE char *text = driver_describe(driver, spec);
        return json_loads(text, 0, NULL);
    }
    Orchestrator__ServiceInfo *info = service_start(spec);
    AUTO_FREE char *text = driver_inspect(driver, info->container_id);
    orchestrator__service_info__free_unpacked(info, NULL);
    service_remove(spec->service_uuid);
    return json_loads(text, 0, NULL);
}

static json_t *together;

static int
start_together(void **state)
{
    (void)state;
    static const row_t row = {.kind = ROW_TOGETHER};
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "everything");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].kind == ROW_TOGETHER)
            rows[i].set(&spec);
    together = describe(&row, &spec);
    return together ? 0 : -1;
}

static int
forget_together(void **state)
{
    (void)state;
    json_decref(together);
    return 0;
}

static void
row_is_true(void **state)
{
    const row_t *row = *state;
    json_t *container = json_incref(together);
    if (row->kind != ROW_TOGETHER) {
        Orchestrator__ServiceSpec spec;
        json_decref(container);
        spec_init(&spec, "alone");
        row->set(&spec);
        container = describe(row, &spec);
    }
    assert_non_null(container);
    for (size_t i = 0; i < WANTS_MAX && row->wants[i].path; i++)
        check(container, &row->wants[i]);
    json_decref(container);
}

int
rows_group(void)
{
    struct CMUnitTest tests[ROWS_MAX];
    memset(tests, 0, sizeof tests);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].test, .test_func = row_is_true, .initial_state = (void *)&rows[i]};
    return group_run("rows", tests, ARRAY_LEN(rows), start_together, forget_together);
}
