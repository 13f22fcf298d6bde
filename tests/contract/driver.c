/*  driver: see driver.h. */
#include "tests/contract/driver.h"

#include "actors/actors.h"
#include "base/file.h"
#include "tests/contract/outside.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* The drivers: name, program, how it is looked at from outside. */
static const struct {
    const char *name;
    const char *program;
    char *(*holds)(const char *part);
    char *(*inspect)(const char *container_id);               /* NULL: it cannot */
    char *(*describe)(const Orchestrator__ServiceSpec *spec); /* NULL with inspect */
    void (*forget_container)(const char *container_id);
    bool (*wait_gone)(const char *part);
    void (*forget_image)(const char *image);
    void (*forget_volume)(const char *volume);
} rows[] = {
    {"docker", "kurtosis-docker-driver", docker_holds, docker_inspect, docker_describe,
     docker_forget_container, docker_wait_gone, docker_forget_image, docker_forget_volume},
    {"podman", "kurtosis-docker-driver", docker_holds, docker_inspect, docker_describe,
     docker_forget_container, docker_wait_gone, docker_forget_image, docker_forget_volume},
    {"sim", "kurtosis-sim-driver", sim_holds, NULL, NULL, sim_forget_container, sim_wait_gone,
     sim_forget_image, sim_forget_volume},
};

#define MOUNTS_ELSEWHERE "Podman tells mounts in other words; group files shows that they are there"
#define NO_SCTP "Podman exposes no ports of SCTP"
#define NO_GPUS "Podman gives no GPUs by Docker's API; the driver refuses them"

#define NO_PROCESSES "the simulated driver's containers have no processes"

/* What a driver cannot hold: a test of a group, or without one the group; and why. */
static const struct {
    const char *driver, *group, *test, *why;
} lacks[] = {
    {"podman", "rows", "a_spec_with_nothing_gets_the_defaults_of_kurtosis",
     "Podman calls a process namespace of its own 'private'"},
    {"podman", "rows", "ports_of_all_transports_are_exposed_and_published_as_asked", NO_SCTP},
    {"podman", "rows", "public_ports_may_be_of_sctp", NO_SCTP},
    {"podman", "services", "a_public_port_of_sctp_needs_a_kernel_that_has_it", NO_SCTP},
    {"podman", "rows", "a_public_port_is_the_one_that_was_asked_for",
     "all addresses of the host are none in Podman's words; group services shows the port"},
    {"podman", "rows", "a_bind_mount_is_the_host_s_path", MOUNTS_ELSEWHERE},
    {"podman", "rows", "files_are_a_volume_of_their_own", MOUNTS_ELSEWHERE},
    {"podman", "rows", "a_persistent_directory_is_a_volume_by_its_key", MOUNTS_ELSEWHERE},
    {"podman", "rows", "devices_have_the_same_path_inside", "Podman tells no permissions of them"},
    {"podman", "rows", "resource_limits_are_soft_and_hard", "Podman calls nofile RLIMIT_NOFILE"},
    {"podman", "rows", "a_resource_without_limit_is_minus_one",
     "Podman calls memlock RLIMIT_MEMLOCK"},
    {"podman", "rows", "all_gpus_are_asked_for_with_the_driver_of_nvidia", NO_GPUS},
    {"podman", "rows", "gpus_by_id_win_over_their_count", NO_GPUS},
    {"podman", "logs", "lines_before_a_time_are_left_out",
     "Podman 4 tells the times of lines in whole seconds"},
    {"podman", "logs", "a_long_line_of_a_terminal_is_read_whole",
     "Podman 4 writes times into lines of a terminal that were printed in pieces"},
    {"sim", "enclaves", "an_enclave_with_ipv6_has_addresses_of_both_kinds",
     "the simulated driver's networks are names and addresses, which no container has"},
    {"sim", "rows", NULL, "they read what Docker says of a container"},
    {"sim", "services", "services_find_each_other_by_name", NO_PROCESSES},
    {"sim", "services", "limits_and_switches_reach_the_container", NO_PROCESSES},
    {"sim", "services", "a_service_that_dies_at_once_shows_its_last_lines_and_leaves_nothing",
     NO_PROCESSES},
    {"sim", "services", "a_second_container_of_a_service_is_refused_and_the_first_lives_on",
     NO_PROCESSES},
    {"sim", "services", "a_service_is_stopped_and_started_again", NO_PROCESSES},
    {"sim", "services", "a_service_that_is_started_again_is_reached_at_once", NO_PROCESSES},
    {"sim", "services", "a_service_that_ignores_sigterm_is_killed_after_the_grace", NO_PROCESSES},
    {"sim", "services", "a_replaced_service_keeps_address_ports_and_persistent_files",
     NO_PROCESSES},
    {"sim", "files", NULL, NO_PROCESSES},
    {"sim", "streams", "a_dump_describes_each_container_and_has_its_output", NO_PROCESSES},
    {"sim", "streams", "a_command_gives_its_output_apart_and_its_exit_code", NO_PROCESSES},
    {"sim", "streams", "exit_codes_are_right_many_times", NO_PROCESSES},
    {"sim", "streams", "much_output_arrives_whole", NO_PROCESSES},
    {"sim", "streams", "user_and_directory_are_used", NO_PROCESSES},
    {"sim", "streams", "commands_that_cannot_run_say_why", NO_PROCESSES},
    {"sim", "streams", "a_line_is_run_by_the_shell", NO_PROCESSES},
    {"sim", "streams", "a_command_runs_in_the_container_that_its_service_has_now", NO_PROCESSES},
    {"sim", "streams", "a_caller_who_gives_up_is_let_go_at_once", NO_PROCESSES},
    {"sim", "streams", "a_shell_is_a_terminal_with_a_size", NO_PROCESSES},
    {"sim", "streams", "a_shell_whose_input_ends_ends", NO_PROCESSES},
    {"sim", "streams", "a_shell_without_a_place_is_refused", NO_PROCESSES},
    {"sim", "streams", "a_service_without_a_shell_runs_programs_and_says_what_a_shell_misses",
     NO_PROCESSES},
    {"sim", "logs", "lines_come_in_order_with_their_stream", NO_PROCESSES},
    {"sim", "logs", "error_output_is_told_apart", NO_PROCESSES},
    {"sim", "logs", "followed_logs_end_with_their_containers", NO_PROCESSES},
    {"sim", "logs", "a_long_line_is_read_whole", NO_PROCESSES},
    {"sim", "logs", "a_long_line_of_a_terminal_is_read_whole", NO_PROCESSES},
    {"sim", "logs", "lines_before_a_time_are_left_out", NO_PROCESSES},
    {"sim", "logs", "an_empty_uuid_is_the_api_container", NO_PROCESSES},
    {"sim", "isolation", NULL, "the simulated driver has no networks that carry anything"},
    {"sim", "builds", NULL, "the simulated driver builds no images"},
    {"sim", "flakes", NULL, "the simulated driver builds no images"},
};

/* Volumes of the engine, which stay as long as there is an enclave. */
static const char *const shared_volumes[] = {"kurtosis-engine-bus", "kurtosis-engine-data",
                                             "kurtosis-logs-storage", "kurtosis-package-cache"};

struct driver {
    size_t row;
    char folder[64]; /* of the broker's socket */
    char *address;   /* "driver/<name>" */
    bus_keys_t broker_keys, driver_keys, caller_keys;
    bus_broker_t *broker;
    actor_child_t *child;
    actor_t *caller;
    atomic_int deaths; /* of the driver's process */
    atomic_bool stopping;
    char *shared; /* what existed before of things that runs share */
};

struct stream {
    actor_stream_t *stream;
    err_t *failure; /* of opening */
};

static void
die(const char *what, const err_t *err)
{
    AUTO_FREE char *why = err_string(err);
    fprintf(stderr, "contract: cannot %s: %s\n", what, why);
    exit(1);
}

/* ------------------------------------------------------------------------------------- starting */

static bool
may_join(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE])
{
    driver_t *self = arg;
    const bus_keys_t *keys =
        strcmp(name, self->address) == 0 ? &self->driver_keys : &self->caller_keys;
    return memcmp(public_key, keys->public_key, BUS_KEY_SIZE) == 0;
}

static bool
is_known(void *arg, const uint8_t public_key[BUS_KEY_SIZE])
{
    (void)arg;
    (void)public_key;
    return true;
}

static void
start_broker(driver_t *self, const char *endpoint)
{
    AUTO(err) err = NULL;
    const char *const endpoints[] = {endpoint, NULL};
    bus_broker_config_t config = {.endpoints = endpoints,
                                  .keys = self->broker_keys,
                                  .may_join = may_join,
                                  .is_known = is_known,
                                  .arg = self};
    if (bus_broker_new(&config, &self->broker, &err) < 0)
        die("start a broker", err);
}

static void
on_death(void *arg, int status)
{
    driver_t *self = arg;
    if (atomic_load(&self->stopping))
        return;
    fprintf(stderr, "contract: the driver died, wait status %d\n", status);
    atomic_fetch_add(&self->deaths, 1);
}

static void
start_child(driver_t *self, const char *endpoint)
{
    char broker_key[BUS_KEY_TEXT_SIZE], secret[BUS_KEY_TEXT_SIZE];
    AUTO(err) err = NULL;
    bus_key_to_text(self->broker_keys.public_key, broker_key);
    bus_key_to_text(self->driver_keys.secret_key, secret);
    char *env[] = {str_format("KURTOSIS_BUS_ENDPOINT=%s", endpoint),
                   str_format("KURTOSIS_BUS_BROKER_KEY=%s", broker_key),
                   str_format("KURTOSIS_BUS_SECRET=%s", secret),
                   str_format("KURTOSIS_BUS_NAME=%s", self->address),
                   strdup("KURTOSIS_GRACE_MS=" GRACE_MS),
                   str_format("KURTOSIS_LOGINS=%s/logins", self->folder)};
    const char *const argv[] = {rows[self->row].program, NULL};
    const char *extra[ARRAY_LEN(env) + 1] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(env); i++)
        extra[i] = env[i];
    if (actor_child_new(argv[0], argv, extra, 5000, on_death, self, &self->child, &err) < 0 ||
        bus_broker_wait_peer(self->broker, self->address, 10000, &err) < 0)
        die("start the driver", err);
    for (size_t i = 0; i < ARRAY_LEN(env); i++)
        free(env[i]);
}

static void
start_caller(driver_t *self, const char *endpoint)
{
    AUTO(err) err = NULL;
    actor_config_t config = {.name = "engine",
                             .program = "contract suite",
                             .endpoint = endpoint,
                             .keys = self->caller_keys};
    memcpy(config.broker_key, self->broker_keys.public_key, BUS_KEY_SIZE);
    if (actor_new(&config, &self->caller, &err) < 0)
        die("join the bus", err);
}

driver_t *
driver_start(const char *name)
{
    size_t row = 0;
    while (row < ARRAY_LEN(rows) && strcmp(rows[row].name, name) != 0)
        row++;
    if (row == ARRAY_LEN(rows))
        return NULL;
    driver_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->row = row;
    self->shared = rows[row].holds("kurtosis-engine-");
    self->address = str_format("driver/%s", name);
    strcpy(self->folder, "/tmp/kurtosis-contract-XXXXXX");
    if (!mkdtemp(self->folder))
        die("make a folder for the bus", NULL);
    AUTO_FREE char *outside = str_format("%s/outside", self->folder);
    setenv(OUTSIDE_SIM_SOCKET, outside, 1);
    AUTO_FREE char *endpoint = str_format("ipc://%s/broker", self->folder);
    bus_keys_new(&self->broker_keys);
    bus_keys_new(&self->driver_keys);
    bus_keys_new(&self->caller_keys);
    start_broker(self, endpoint);
    start_child(self, endpoint);
    start_caller(self, endpoint);
    return self;
}

const char *
driver_lacks(const driver_t *self, const char *group, const char *test)
{
    for (size_t i = 0; i < ARRAY_LEN(lacks); i++)
        if (strcmp(lacks[i].driver, rows[self->row].name) == 0 &&
            strcmp(lacks[i].group, group) == 0 &&
            (test && lacks[i].test ? strcmp(lacks[i].test, test) == 0 : test == lacks[i].test))
            return lacks[i].why;
    return NULL;
}

const char *
driver_lacked(const driver_t *self, const char *group, size_t index)
{
    for (size_t i = 0; i < ARRAY_LEN(lacks); i++)
        if (strcmp(lacks[i].driver, rows[self->row].name) == 0 &&
            strcmp(lacks[i].group, group) == 0 && lacks[i].test && index-- == 0)
            return lacks[i].test;
    return NULL;
}

int
driver_deaths(const driver_t *self)
{
    return atomic_load(&self->deaths);
}

void
driver_stop(driver_t **self_p)
{
    driver_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < ARRAY_LEN(shared_volumes); i++)
        if (!strstr(self->shared, shared_volumes[i]))
            rows[self->row].forget_volume(shared_volumes[i]);
    atomic_store(&self->stopping, true);
    actor_destroy(&self->caller);
    actor_child_destroy(&self->child);
    bus_broker_destroy(&self->broker);
    file_remove_tree(self->folder, NULL);
    free(self->address);
    free(self->shared);
    free(self);
    bus_context_term();
}

/* A line of the process' status, in KiB. */
static long
status_of(const driver_t *self, const char *name)
{
    AUTO_FREE char *path = str_format("/proc/%d/status", actor_child_pid(self->child));
    FILE *in = fopen(path, "re");
    char line[200];
    long size = -1;
    while (in && fgets(line, sizeof line, in))
        if (strncmp(line, name, strlen(name)) == 0)
            size = strtol(line + strlen(name), NULL, 10);
    if (in)
        fclose(in);
    return size;
}

long
driver_memory(const driver_t *self)
{
    return status_of(self, "VmRSS:");
}

long
driver_peak(const driver_t *self)
{
    return status_of(self, "VmHWM:");
}

char *
driver_holds(driver_t *self, const char *part)
{
    return rows[self->row].holds(part);
}

char *
driver_inspect(driver_t *self, const char *container_id)
{
    return rows[self->row].inspect(container_id);
}

char *
driver_describe(driver_t *self, const Orchestrator__ServiceSpec *spec)
{
    return rows[self->row].describe(spec);
}

void
driver_forget_container(driver_t *self, const char *container_id)
{
    rows[self->row].forget_container(container_id);
}

bool
driver_wait_gone(driver_t *self, const char *part)
{
    return rows[self->row].wait_gone(part);
}

void
driver_forget_image(driver_t *self, const char *image)
{
    rows[self->row].forget_image(image);
}

/* -------------------------------------------------------------------------------------- calling */

static char *
full_name(const char *method)
{
    return str_format("orchestrator.Orchestrator/%s", method);
}

int
driver_ask(driver_t *self, const char *method, const void *request, void *ret_reply, err_t **err)
{
    AUTO_FREE char *name = full_name(method);
    return actor_ask(self->caller, NULL, self->address, name, request, WAIT_MS, ret_reply, err);
}

stream_t *
driver_open(driver_t *self, const char *method, const void *request)
{
    AUTO_FREE char *name = full_name(method);
    stream_t *stream = calloc(1, sizeof *stream);
    if (!stream)
        abort();
    actor_stream_open(self->caller, NULL, self->address, name, request, &stream->stream,
                      &stream->failure);
    return stream;
}

void
stream_send(stream_t *self, const void *item)
{
    if (self->stream)
        actor_stream_send(self->stream, item, NULL);
}

void
stream_end(stream_t *self)
{
    if (self->stream)
        actor_stream_end(self->stream, NULL);
}

int
stream_recv(stream_t *self, void *ret_item, err_t **err)
{
    if (self->stream)
        return actor_stream_recv(self->stream, WAIT_MS, ret_item, err);
    if (err)
        *err = err_dup(self->failure);
    return -1;
}

void
stream_close(stream_t **self_p)
{
    stream_t *self = TAKE(*self_p);
    if (!self)
        return;
    actor_stream_destroy(&self->stream);
    err_destroy(&self->failure);
    free(self);
}
