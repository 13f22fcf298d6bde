/*  Services: started with everything a spec can say, listed, stopped, started again, replaced,
 *  removed. */
#include "tests/contract/world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static Orchestrator__ServicePort
port(const char *id, uint32_t number, const char *protocol)
{
    Orchestrator__ServicePort made = ORCHESTRATOR__SERVICE_PORT__INIT;
    made.id = (char *)id;
    made.number = number;
    made.application_protocol = (char *)protocol;
    made.publish = true;
    return made;
}

static Orchestrator__GetServicesReply *
list(const char *uuid)
{
    Orchestrator__GetServicesArgs args = ORCHESTRATOR__GET_SERVICES_ARGS__INIT;
    Orchestrator__GetServicesReply *reply = NULL;
    char *uuids[] = {(char *)uuid};
    args.enclave_uuid = enclave;
    args.service_uuids = uuids;
    args.n_service_uuids = uuid ? 1 : 0;
    ask("GetServices", &args, &reply);
    return reply;
}

/* Listens on a free port of this host. */
static int
take_port(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 1) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static bool
has_pair(Orchestrator__Pair **pairs, size_t count, const char *name, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i]->name, name) == 0 && strcmp(pairs[i]->value, value) == 0)
            return true;
    return false;
}

static void
a_service_is_listed_as_it_was_made(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "web");
    Orchestrator__ServicePort ports[] = {port("http", 8080, "http"), port("dns", 53, ""),
                                         port("quiet", 9000, "")};
    Orchestrator__ServicePort *port_list[] = {&ports[0], &ports[1], &ports[2]};
    ports[1].transport = ORCHESTRATOR__TRANSPORT__UDP;
    ports[2].publish = false;
    Orchestrator__Pair env = ORCHESTRATOR__PAIR__INIT, label = ORCHESTRATOR__PAIR__INIT;
    Orchestrator__Pair *env_list[] = {&env}, *label_list[] = {&label};
    char *entrypoint[] = {"/bin/sh"}, *cmd[] = {"-c", "trap 'exit 0' TERM; sleep 1000000 & wait"};
    env.name = "ANSWER", env.value = "a=b,42";
    label.name = "team", label.value = "blue";
    spec.ports = port_list, spec.n_ports = 3;
    spec.env = env_list, spec.n_env = 1;
    spec.labels = label_list, spec.n_labels = 1;
    spec.entrypoint = entrypoint, spec.n_entrypoint = 1;
    spec.cmd = cmd, spec.n_cmd = 2;
    Orchestrator__ServiceInfo *made = service_start(&spec);
    assert_int_equal(made->state, ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING);
    assert_string_equal(made->name, "web");

    Orchestrator__GetServicesReply *reply = list(spec.service_uuid);
    assert_int_equal(reply->n_services, 1);
    Orchestrator__ServiceInfo *found = reply->services[0];
    assert_string_equal(found->name, "web");
    assert_string_equal(found->enclave_uuid, enclave);
    assert_string_equal(found->service_uuid, spec.service_uuid);
    assert_string_equal(found->image, IMAGE_BOX);
    assert_string_equal(found->private_ip, spec.private_ip);
    assert_string_equal(found->container_id, made->container_id);
    assert_int_equal(found->n_ports, 3);
    assert_string_equal(found->ports[0]->application_protocol, "http");
    assert_true(found->ports[0]->public_number > 0);
    assert_int_equal(found->ports[1]->transport, ORCHESTRATOR__TRANSPORT__UDP);
    assert_true(found->ports[1]->public_number > 0);
    assert_int_equal(found->ports[2]->public_number, 0);
    assert_string_equal(found->public_ip, "127.0.0.1");
    assert_int_equal(found->n_entrypoint, 1);
    assert_int_equal(found->n_cmd, 2);
    assert_true(has_pair(found->env, found->n_env, "ANSWER", "a=b,42"));
    assert_true(has_pair(found->env, found->n_env, "FROM_IMAGE", "a=b"));
    assert_int_equal(found->n_labels, 1);
    assert_true(has_pair(found->labels, found->n_labels, "team", "blue"));
    orchestrator__get_services_reply__free_unpacked(reply, NULL);
    orchestrator__service_info__free_unpacked(made, NULL);
    service_remove(spec.service_uuid);
}

static void
services_find_each_other_by_name(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec a, b;
    spec_init(&a, "alpha");
    spec_init(&b, "beta");
    orchestrator__service_info__free_unpacked(service_start(&a), NULL);
    orchestrator__service_info__free_unpacked(service_start(&b), NULL);
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(run_in(a.service_uuid, "ping -c 1 -w 10 beta", &out), 0);
    assert_non_null(strstr(out.data, b.private_ip));
    service_remove(a.service_uuid);
    service_remove(b.service_uuid);
}

static void
limits_and_switches_reach_the_container(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "limited");
    Orchestrator__ServiceUser user = ORCHESTRATOR__SERVICE_USER__INIT;
    Orchestrator__Ulimit ulimit = ORCHESTRATOR__ULIMIT__INIT;
    Orchestrator__Ulimit *ulimits[] = {&ulimit};
    char *capabilities[] = {"NET_ADMIN"};
    user.uid = 1234, user.gid = 55, user.has_gid = true;
    ulimit.name = "nofile", ulimit.value = 777;
    spec.user = &user;
    spec.ulimits = ulimits, spec.n_ulimits = 1;
    spec.capabilities = capabilities, spec.n_capabilities = 1;
    spec.max_memory_megabytes = 64;
    spec.max_millicpus = 500;
    spec.shm_megabytes = 3;
    spec.tini_enabled = true;
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(run_in(spec.service_uuid,
                            "echo $(id -u):$(id -g) $(ulimit -n) $(df -m /dev/shm | tail -1) ; ps",
                            &out),
                     0);
    assert_non_null(strstr(out.data, "1234:55 777 shm 3 "));
    assert_non_null(strstr(out.data, "init"));
    service_remove(spec.service_uuid);
}

/* Starts a service that ends at once, which must fail with these words. A driver looks at a new container for a moment
 * only: where the machine is so busy that the end comes after that, the service is started, and is removed again: false. */
static bool
start_to_die(const Orchestrator__ServiceSpec *spec, const char *words)
{
    stream_t *stream = service_open(spec, NULL, 0);
    Orchestrator__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    int got = stream_recv(stream, &info, &err);
    stream_close(&stream);
    if (got < 0) {
        check_error(err, ERR_STATE, words);
        return true;
    }
    print_message("the end came too late to be seen at once\n");
    orchestrator__service_info__free_unpacked(info, NULL);
    service_remove(spec->service_uuid);
    return false;
}

static void
a_service_that_dies_at_once_shows_its_last_lines_and_leaves_nothing(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FilesMount mount = ORCHESTRATOR__FILES_MOUNT__INIT;
    Orchestrator__FilesMount *mounts[] = {&mount};
    Orchestrator__PersistentMount persistent = ORCHESTRATOR__PERSISTENT_MOUNT__INIT;
    Orchestrator__PersistentMount *persistents[] = {&persistent};
    char *cmd[] = {"echo the reason; exit 3"};
    spec_init(&spec, "dying");
    mount.path = "/data";
    persistent.path = "/keep", persistent.key = "dying-keep";
    spec.cmd = cmd, spec.n_cmd = 1;
    spec.files = mounts, spec.n_files = 1;
    spec.persistent = persistents, spec.n_persistent = 1;
    /* A directory of one that was seen to start stays. */
    if (!start_to_die(&spec, "the reason") || !start_to_die(&spec, "exit code 3"))
        skip();
    AUTO_FREE char *left = holds(spec.service_uuid);
    assert_string_equal(left, "");
    AUTO_FREE char *volumes = holds("dying-keep");
    assert_string_equal(volumes, "");
    AUTO_FREE char *files = holds("files-artifact-expansion--");
    AUTO_FREE char *ours = str_format("--%s", enclave);
    assert_null(strstr(files, ours));
}

static void
a_service_that_ends_well_at_once_is_fine(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    char *cmd[] = {"exit 0"};
    spec_init(&spec, "short");
    spec.cmd = cmd, spec.n_cmd = 1;
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    service_remove(spec.service_uuid);
}

static void
a_public_port_of_sctp_needs_a_kernel_that_has_it(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__ServicePort diameter = port("diameter", 3868, "");
    Orchestrator__ServicePort *ports[] = {&diameter};
    AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
    diameter.transport = ORCHESTRATOR__TRANSPORT__SCTP;
    spec_init(&spec, "diameter");
    spec.ports = ports, spec.n_ports = 1;
    if (fd < 0) {
        service_start_fails(&spec, ERR_UNSUPPORTED, "'modprobe sctp'");
        AUTO_FREE char *left = holds(spec.service_uuid);
        assert_string_equal(left, "");
        return;
    }
    Orchestrator__ServiceInfo *info = service_start(&spec);
    assert_int_equal(info->ports[0]->transport, ORCHESTRATOR__TRANSPORT__SCTP);
    assert_true(info->ports[0]->public_number > 0);
    orchestrator__service_info__free_unpacked(info, NULL);
    service_remove(spec.service_uuid);
}

static void
a_port_in_use_is_named_and_leaves_nothing(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__ServicePort http = port("http", 8080, "");
    Orchestrator__ServicePort *ports[] = {&http};
    int fd = take_port(&http.public_number);
    spec_init(&spec, "clash");
    spec.ports = ports, spec.n_ports = 1;
    AUTO_FREE char *words = str_format(
        "port %u of the host, for port 'http' of service 'clash', is in use", http.public_number);
    service_start_fails(&spec, ERR_STATE, words);
    close(fd);
    AUTO_FREE char *left = holds(spec.service_uuid);
    assert_string_equal(left, "");
    Orchestrator__ServiceInfo *info = service_start(&spec);
    assert_int_equal(info->ports[0]->public_number, http.public_number);
    orchestrator__service_info__free_unpacked(info, NULL);
    service_remove(spec.service_uuid);
}

static void
what_cannot_be_is_refused_with_a_reason(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "Wrong");
    service_start_fails(&spec, ERR_INVALID, "service name 'Wrong' is wrong");
    spec_init(&spec, "wrong");
    spec.private_ip = "172.16";
    service_start_fails(&spec, ERR_INVALID, "'172.16' is not an IPv4 address");
    spec_init(&spec, "wrong");
    spec.max_memory_megabytes = 5;
    service_start_fails(&spec, ERR_INVALID, "its memory limit is 5 MB");
    spec_init(&spec, "wrong");
    spec.image = "";
    service_start_fails(&spec, ERR_INVALID, "it has no image");
    spec_init(&spec, "wrong");
    spec.image = IMAGE_ABSENT;
    service_start_fails(&spec, ERR_UNKNOWN, "cannot pull image '" IMAGE_ABSENT "'");
    spec_init(&spec, "wrong");
    spec.enclave_uuid = (char *)new_uuid();
    service_start_fails(&spec, ERR_NOT_FOUND, "there is no enclave");
    spec_init(&spec, "wrong");
    Orchestrator__FilesMount a = ORCHESTRATOR__FILES_MOUNT__INIT,
                             b = ORCHESTRATOR__FILES_MOUNT__INIT;
    Orchestrator__FilesMount *mounts[] = {&a, &b};
    a.path = b.path = "/same";
    spec.files = mounts, spec.n_files = 2;
    service_start_fails(&spec, ERR_INVALID, "mount point '/same' is given twice");
    b.path = "relative";
    service_start_fails(&spec, ERR_INVALID, "'relative' is not an absolute path");
    spec_init(&spec, "wrong");
    char *entrypoint[] = {"/no/such/program"};
    spec.entrypoint = entrypoint, spec.n_entrypoint = 1;
    service_start_fails(&spec, ERR_INVALID, "/no/such/program");
}

static void
a_second_container_of_a_service_is_refused_and_the_first_lives_on(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "once");
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    service_start_fails(&spec, ERR_EXISTS, "there is a container of this service already");
    assert_int_equal(run_in(spec.service_uuid, "true", NULL), 0);
    service_remove(spec.service_uuid);
}

static void
a_service_is_stopped_and_started_again(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__ServicePort http = port("http", 8080, "");
    Orchestrator__ServicePort *ports[] = {&http};
    spec_init(&spec, "resting");
    spec.ports = ports, spec.n_ports = 1;
    Orchestrator__ServiceInfo *first = service_start(&spec);
    uint32_t public_number = first->ports[0]->public_number;
    assert_true(public_number > 0);
    orchestrator__service_info__free_unpacked(first, NULL);
    assert_int_equal(run_in(spec.service_uuid, "echo kept >/tmp/note", NULL), 0);

    Orchestrator__StopServiceArgs stop = ORCHESTRATOR__STOP_SERVICE_ARGS__INIT;
    stop.enclave_uuid = enclave;
    stop.service_uuid = spec.service_uuid;
    stop.grace_seconds = 10;
    ask("StopService", &stop, NULL);
    ask("StopService", &stop, NULL);
    Orchestrator__GetServicesReply *reply = list(spec.service_uuid);
    assert_int_equal(reply->services[0]->state, ORCHESTRATOR__CONTAINER_STATE__CONTAINER_STOPPED);
    assert_int_equal(reply->services[0]->ports[0]->public_number, 0);
    orchestrator__get_services_reply__free_unpacked(reply, NULL);

    Orchestrator__ServiceRef ref = ORCHESTRATOR__SERVICE_REF__INIT;
    Orchestrator__ServiceInfo *info = NULL;
    ref.enclave_uuid = enclave;
    ref.service_uuid = spec.service_uuid;
    ask("RestartService", &ref, &info);
    assert_int_equal(info->state, ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING);
    assert_int_equal(info->ports[0]->public_number, public_number);
    assert_string_equal(info->private_ip, spec.private_ip);
    orchestrator__service_info__free_unpacked(info, NULL);
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(run_in(spec.service_uuid, "cat /tmp/note", &out), 0);
    assert_string_equal(out.data, "kept\n");
    service_remove(spec.service_uuid);
    ask_fails("RestartService", &ref, ERR_NOT_FOUND, "there is no service");
    ask_fails("StopService", &stop, ERR_NOT_FOUND, "there is no service");
    service_remove(spec.service_uuid); /* nothing to do is fine */
}

static void
a_service_that_is_started_again_is_reached_at_once(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec resting, neighbour;
    spec_init(&resting, "resting");
    spec_init(&neighbour, "neighbour");
    orchestrator__service_info__free_unpacked(service_start(&resting), NULL);
    orchestrator__service_info__free_unpacked(service_start(&neighbour), NULL);
    AUTO_FREE char *ping = str_format("ping -c 1 -w 5 %s", resting.private_ip);
    assert_int_equal(run_in(neighbour.service_uuid, ping, NULL), 0);
    Orchestrator__StopServiceArgs stop = ORCHESTRATOR__STOP_SERVICE_ARGS__INIT;
    Orchestrator__ServiceRef ref = ORCHESTRATOR__SERVICE_REF__INIT;
    Orchestrator__ServiceInfo *info = NULL;
    stop.enclave_uuid = ref.enclave_uuid = enclave;
    stop.service_uuid = ref.service_uuid = resting.service_uuid;
    ask("StopService", &stop, NULL);
    ask("RestartService", &ref, &info);
    orchestrator__service_info__free_unpacked(info, NULL);
    assert_int_equal(run_in(neighbour.service_uuid, ping, NULL), 0);
    service_remove(neighbour.service_uuid);
    service_remove(resting.service_uuid);
}

static void
a_service_that_ignores_sigterm_is_killed_after_the_grace(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    char *cmd[] = {"trap '' TERM; while :; do sleep 1; done"};
    spec_init(&spec, "stubborn");
    spec.cmd = cmd, spec.n_cmd = 1;
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    Orchestrator__StopServiceArgs stop = ORCHESTRATOR__STOP_SERVICE_ARGS__INIT;
    stop.enclave_uuid = enclave;
    stop.service_uuid = spec.service_uuid;
    stop.grace_seconds = 1;
    ask("StopService", &stop, NULL);
    Orchestrator__GetServicesReply *reply = list(spec.service_uuid);
    assert_int_equal(reply->services[0]->state, ORCHESTRATOR__CONTAINER_STATE__CONTAINER_STOPPED);
    assert_int_equal(reply->services[0]->exit_code, 137);
    orchestrator__get_services_reply__free_unpacked(reply, NULL);
    service_remove(spec.service_uuid);
}

static void
a_replaced_service_keeps_address_ports_and_persistent_files(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__PersistentMount persistent = ORCHESTRATOR__PERSISTENT_MOUNT__INIT;
    Orchestrator__PersistentMount *persistents[] = {&persistent};
    persistent.path = "/keep", persistent.key = "replaced-keep";
    spec_init(&spec, "replaced");
    spec.persistent = persistents, spec.n_persistent = 1;
    Orchestrator__ServicePort two[] = {port("http", 8080, ""), port("new", 8081, "")};
    Orchestrator__ServicePort *ports[] = {&two[0], &two[1]};
    spec.ports = ports, spec.n_ports = 1;
    Orchestrator__ServiceInfo *first = service_start(&spec);
    assert_int_equal(run_in(spec.service_uuid, "echo old >/keep/note; echo old >/tmp/note", NULL),
                     0);
    spec.replace = true;
    spec.n_ports = 2;
    Orchestrator__ServiceInfo *second = service_start(&spec);
    assert_string_not_equal(first->container_id, second->container_id);
    assert_string_equal(second->private_ip, first->private_ip);
    assert_int_equal(second->ports[0]->public_number, first->ports[0]->public_number);
    assert_true(second->ports[1]->public_number > 0);
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(run_in(spec.service_uuid, "cat /keep/note; cat /tmp/note", &out), 1);
    assert_non_null(strstr(out.data, "old\n"));
    orchestrator__service_info__free_unpacked(first, NULL);
    orchestrator__service_info__free_unpacked(second, NULL);

    /* A start that fails does not take a directory that was there before. */
    char *cmd[] = {"exit 1"};
    spec.cmd = cmd, spec.n_cmd = 1;
    if (!start_to_die(&spec, "ended at once"))
        skip();
    AUTO_FREE char *volumes = holds("replaced-keep");
    assert_string_not_equal(volumes, "");
}

static void
twenty_services_start_at_once(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec specs[20];
    stream_t *streams[20];
    char names[20][16], uuids[20][UUID_LEN + 1], addresses[20][24];
    for (size_t i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "many-%zu", i);
        spec_init(&specs[i], names[i]);
        strcpy(uuids[i], specs[i].service_uuid);
        strcpy(addresses[i], specs[i].private_ip);
        specs[i].service_uuid = uuids[i];
        specs[i].private_ip = addresses[i];
        streams[i] = service_open(&specs[i], NULL, 0);
    }
    for (size_t i = 0; i < 20; i++) {
        Orchestrator__ServiceInfo *info = NULL;
        AUTO(err) err = NULL;
        if (stream_recv(streams[i], &info, &err) != 1)
            fail_msg("StartService failed: %s", err_string(err));
        orchestrator__service_info__free_unpacked(info, NULL);
        stream_close(&streams[i]);
    }
    Orchestrator__GetServicesReply *reply = list(NULL);
    assert_int_equal(reply->n_services, 20);
    assert_string_equal(reply->services[1]->name, "many-1");
    orchestrator__get_services_reply__free_unpacked(reply, NULL);
    for (size_t i = 0; i < 20; i++)
        service_remove(uuids[i]);
}

int
services_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_is_listed_as_it_was_made),
        cmocka_unit_test(services_find_each_other_by_name),
        cmocka_unit_test(limits_and_switches_reach_the_container),
        cmocka_unit_test(a_service_that_dies_at_once_shows_its_last_lines_and_leaves_nothing),
        cmocka_unit_test(a_service_that_ends_well_at_once_is_fine),
        cmocka_unit_test(a_public_port_of_sctp_needs_a_kernel_that_has_it),
        cmocka_unit_test(a_port_in_use_is_named_and_leaves_nothing),
        cmocka_unit_test(what_cannot_be_is_refused_with_a_reason),
        cmocka_unit_test(a_second_container_of_a_service_is_refused_and_the_first_lives_on),
        cmocka_unit_test(a_service_is_stopped_and_started_again),
        cmocka_unit_test(a_service_that_is_started_again_is_reached_at_once),
        cmocka_unit_test(a_service_that_ignores_sigterm_is_killed_after_the_grace),
        cmocka_unit_test(a_replaced_service_keeps_address_ports_and_persistent_files),
        cmocka_unit_test(twenty_services_start_at_once),
    };
    return group_run("services", tests, ARRAY_LEN(tests), NULL, NULL);
}
