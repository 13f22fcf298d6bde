/*  faults: making an enclave and a service while Docker fails at each step in turn: it refuses, or the connection is
 *  cut before or after it did what it was asked. Whatever the step, a call that fails leaves nothing behind. */
#include "base/str.h"
#include "docker-driver/api.h"
#include "docker-driver/reconcile.h"
#include "tests/unit/docker-driver/direct.h"
#include "tests/unit/docker-driver/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ENCLAVE "0123456789abcdef0123456789abcdef"
#define SERVICE "fedcba9876543210fedcba9876543210"
#define WAIT_MS 20000

typedef enum { NO_FAULT, REFUSES, CUT_BEFORE, CUT_AFTER, FAULTS } fault_t;

/* Docker in memory: what exists, by name, with labels. */
typedef struct {
    fake_t *fake;
    docker_t *docker;
    pthread_mutex_t lock; /* guards all below */
    json_t *networks, *containers, *volumes;
    const char *method, *part; /* of the request that the fault is for */
    fault_t fault;
    int faults_left;
    unsigned ids;
    unsigned taken_ports; /* starts that find their host port in use */
} world_t;

/* ------------------------------------------------------------------------------------- the fake */

static void
add(json_t *objects, const char *name, const json_t *labels)
{
    json_object_set_new(objects, name,
                        json_pack("{s:s, s:s, s:s, s:O?}", "Id", name, "Name", name, "State",
                                  "running", "Labels", labels));
}

/* Filters by label, as far as the tests need: a UUID in the query must be in the object's labels. */
static bool
is_wanted(const fake_request_t *request, const json_t *object)
{
    static const char *const uuids[] = {ENCLAVE, SERVICE};
    AUTO_FREE char *labels = json_dumps(json_object_get(object, "Labels"), JSON_ENCODE_ANY);
    for (size_t i = 0; i < ARRAY_LEN(uuids); i++)
        if (strstr(request->path, uuids[i]) && !strstr(labels, uuids[i]))
            return false;
    return true;
}

static void
answer_list(fake_request_t *request, const json_t *objects, const char *under)
{
    AUTO_JSON *list = json_array();
    const char *name;
    json_t *object;
    json_object_foreach((json_t *)objects, name, object)
    {
        if (is_wanted(request, object))
            json_array_append(list, object);
    }
    AUTO_JSON *reply = under ? json_pack("{s:O}", under, list) : json_incref(list);
    AUTO_FREE char *text = docker_json_text(reply);
    fake_json(request, 200, text);
}

static void
make_container(world_t *world, const char *name, const json_t *body)
{
    size_t i;
    json_t *mount;
    add(world->containers, name, json_object_get(body, "Labels"));
    json_t *container = json_object_get(world->containers, name);
    json_object_set(container, "Body", (json_t *)body);
    json_object_set_new(container, "Id", json_sprintf("id-%u", ++world->ids));
    json_array_foreach(docker_at(body, "HostConfig", "Mounts", NULL), i, mount)
    {
        const char *volume = docker_text(mount, "Source");
        if (strcmp(volume, DOCKER_ENGINE_BUS) != 0 && strcmp(volume, DOCKER_PACKAGES) != 0)
            add(world->volumes, volume, docker_at(mount, "VolumeOptions", "Labels", NULL));
    }
}

/* The part of the path after the prefix, up to '/' or '?'. */
static char *
name_in(const fake_request_t *request, const char *prefix, char *ret_name)
{
    const char *at = request->path + strlen(prefix);
    snprintf(ret_name, 300, "%.*s", (int)strcspn(at, "/?"), at);
    return ret_name;
}

static void
answer_start(world_t *world, fake_request_t *request, const char *name)
{
    const json_t *body = docker_at(world->containers, name, "Body", NULL);
    const json_t *bindings = docker_at(body, "HostConfig", "PortBindings", "80/tcp", NULL);
    if (world->taken_ports == 0) {
        fake_json(request, 204, "");
        return;
    }
    world->taken_ports--;
    AUTO_FREE char *text = str_format("{\"message\":\"driver failed programming external "
                                      "connectivity: Bind for 0.0.0.0:%s failed: port is "
                                      "already allocated\"}",
                                      docker_text(json_array_get(bindings, 0), "HostPort"));
    fake_json(request, 500, text);
}

/* The name of a container that is called by its name or id; "" for none. */
static void
find_name(const world_t *world, char *name)
{
    const char *key;
    json_t *container;
    json_object_foreach(world->containers, key, container)
    {
        if (strcmp(key, name) == 0 || strcmp(docker_text(container, "Id"), name) == 0) {
            snprintf(name, 300, "%s", key);
            return;
        }
    }
    *name = '\0';
}

static void
answer_containers(world_t *world, fake_request_t *request)
{
    char name[300];
    bool is_post = strcmp(request->method, "POST") == 0;
    if (str_starts(request->path, "/containers/create?name=")) {
        AUTO_JSON *body = json_loadb(request->body, request->body_size, 0, NULL);
        name_in(request, "/containers/create?name=", name);
        make_container(world, name, body);
        AUTO_FREE char *reply = str_format("{\"Id\":\"id-%u\"}", world->ids);
        fake_json(request, 201, reply);
        return;
    }
    if (str_starts(request->path, "/containers/json")) {
        answer_list(request, world->containers, NULL);
        return;
    }
    find_name(world, name_in(request, "/containers/", name));
    if (!*name) {
        fake_json(request, 404, "{\"message\":\"No such container\"}");
    } else if (strcmp(request->method, "DELETE") == 0) {
        json_object_del(world->containers, name);
        fake_json(request, 204, "");
    } else if (is_post && strstr(request->path, "/rename")) {
        const char *to = strstr(request->path, "name=") + strlen("name=");
        json_object_set(world->containers, to, json_object_get(world->containers, name));
        json_object_del(world->containers, name);
        fake_json(request, 204, "");
    } else if (is_post && strstr(request->path, "/start")) {
        answer_start(world, request, name);
    } else if (is_post) {
        fake_json(request, 200, "{\"StatusCode\":0}");
    } else if (strcmp(request->method, "PUT") == 0) {
        fake_json(request, 200, "");
    } else {
        AUTO_FREE char *text =
            str_format("{\"Id\":\"%s\",\"State\":{\"Status\":\"running\"},\"Config\":{}}",
                       docker_text(json_object_get(world->containers, name), "Id"));
        fake_json(request, 200, text);
    }
}

static void
answer_networks(world_t *world, fake_request_t *request)
{
    char name[300];
    if (strcmp(request->path, "/networks/create") == 0) {
        AUTO_JSON *body = json_loadb(request->body, request->body_size, 0, NULL);
        add(world->networks, docker_text(body, "Name"), json_object_get(body, "Labels"));
        fake_json(request, 201, "{\"Id\":\"net\"}");
    } else if (strcmp(request->method, "DELETE") == 0) {
        bool gone = json_object_del(world->networks, name_in(request, "/networks/", name)) < 0;
        fake_json(request, gone ? 404 : 204, "");
    } else {
        answer_list(request, world->networks, NULL);
    }
}

static void
act(world_t *world, fake_request_t *request)
{
    char name[300];
    if (str_starts(request->path, "/networks")) {
        answer_networks(world, request);
    } else if (str_starts(request->path, "/containers")) {
        answer_containers(world, request);
    } else if (strcmp(request->method, "DELETE") == 0) {
        bool gone = json_object_del(world->volumes, name_in(request, "/volumes/", name)) < 0;
        fake_json(request, gone ? 404 : 204, "");
    } else if (str_starts(request->path, "/volumes/")) {
        const json_t *volume = json_object_get(world->volumes, name_in(request, "/volumes/", name));
        AUTO_FREE char *text =
            volume ? docker_json_text(volume) : strdup("{\"message\":\"no such volume\"}");
        fake_json(request, volume ? 200 : 404, text);
    } else {
        answer_list(request, world->volumes, "Volumes");
    }
}

static void
answer(void *arg, fake_request_t *request)
{
    world_t *world = arg;
    if (fake_ping(request))
        return;
    pthread_mutex_lock(&world->lock);
    bool hit = world->faults_left > 0 && strcmp(request->method, world->method) == 0 &&
               strstr(request->path, world->part);
    fault_t fault = hit ? world->fault : NO_FAULT;
    world->faults_left -= hit;
    if (fault == REFUSES) {
        fake_json(request, 500, "{\"message\":\"it is not my day\"}");
    } else if (fault == CUT_BEFORE) {
        request->close = true;
    } else if (fault == CUT_AFTER) {
        fake_request_t unheard = *request;
        unheard.fd = -1;
        act(world, &unheard);
        request->close = true;
    } else {
        act(world, request);
    }
    pthread_mutex_unlock(&world->lock);
}

static int
setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    pthread_mutex_init(&world->lock, NULL);
    world->networks = json_object();
    world->containers = json_object();
    world->volumes = json_object();
    world->fake = fake_new(answer, world);
    *state = world;
    return docker_new(fake_host(world->fake), &world->docker, NULL);
}

static int
teardown(void **state)
{
    world_t *world = *state;
    docker_destroy(&world->docker);
    fake_destroy(&world->fake);
    json_decref(world->networks);
    json_decref(world->containers);
    json_decref(world->volumes);
    pthread_mutex_destroy(&world->lock);
    free(world);
    return 0;
}

/* -------------------------------------------------------------------------------------- what is done */

static void
set_fault(world_t *world, const char *method, const char *part, fault_t fault)
{
    pthread_mutex_lock(&world->lock);
    world->method = method;
    world->part = part;
    world->fault = fault;
    world->faults_left = fault == NO_FAULT ? 0 : 1;
    pthread_mutex_unlock(&world->lock);
}

static void
restart_driver(world_t *world)
{
    docker_destroy(&world->docker);
    assert_int_equal(docker_new(fake_host(world->fake), &world->docker, NULL), 0);
}

/* "1 network, 1 container, 3 volumes" as "1 1 3". */
static void
check_holds(world_t *world, const char *wanted, const char *when)
{
    char found[40];
    pthread_mutex_lock(&world->lock);
    snprintf(found, sizeof found, "%zu %zu %zu", json_object_size(world->networks),
             json_object_size(world->containers), json_object_size(world->volumes));
    pthread_mutex_unlock(&world->lock);
    if (strcmp(found, wanted) != 0)
        fail_msg("%s: there are %s networks, containers and volumes, expected %s", when, found,
                 wanted);
}

static int
make_enclave(world_t *world, err_t **err)
{
    Orchestrator__CreateEnclaveArgs args = ORCHESTRATOR__CREATE_ENCLAVE_ARGS__INIT;
    Orchestrator__Enclave *enclave = NULL;
    args.enclave_uuid = ENCLAVE;
    args.name = "a";
    args.image = "x:1";
    int result = direct_ask(world->docker, "CreateEnclave", &args, &enclave, err);
    orchestrator__enclave__free_unpacked(enclave, NULL);
    return result;
}

/* A service with a port, files and a persistent directory. */
static int
start_service(world_t *world, err_t **err)
{
    Orchestrator__ServiceSpec spec = ORCHESTRATOR__SERVICE_SPEC__INIT;
    Orchestrator__ServicePort port = ORCHESTRATOR__SERVICE_PORT__INIT, *ports[] = {&port};
    Orchestrator__FilesMount files = ORCHESTRATOR__FILES_MOUNT__INIT, *mounts[] = {&files};
    Orchestrator__PersistentMount keep = ORCHESTRATOR__PERSISTENT_MOUNT__INIT, *keeps[] = {&keep};
    Orchestrator__StartServicePart part = ORCHESTRATOR__START_SERVICE_PART__INIT;
    spec.enclave_uuid = ENCLAVE, spec.service_uuid = SERVICE, spec.name = "web";
    spec.image = "x:1", spec.private_ip = "172.16.0.9";
    port.id = "http", port.number = 80, port.publish = true;
    spec.ports = ports, spec.n_ports = 1;
    files.path = "/data";
    spec.files = mounts, spec.n_files = 1;
    keep.path = "/keep", keep.key = "keep";
    spec.persistent = keeps, spec.n_persistent = 1;
    direct_t *call = direct_open(world->docker, "StartService", NULL);
    part.spec = &spec;
    direct_send(call, &part);
    part.spec = NULL;
    part.data = (ProtobufCBinaryData){.len = 3, .data = (uint8_t *)"tar"};
    part.archive_end = true;
    direct_send(call, &part);
    direct_end(call);
    Orchestrator__ServiceInfo *info = NULL;
    int got = direct_recv(call, WAIT_MS, &info, err);
    orchestrator__service_info__free_unpacked(info, NULL);
    direct_close(&call);
    return got == 1 ? 0 : -1;
}

static void
destroy_enclave(world_t *world)
{
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    ref.enclave_uuid = ENCLAVE;
    assert_int_equal(direct_ask(world->docker, "DestroyEnclave", &ref, NULL, NULL), 0);
}

typedef struct {
    const char *method, *part;
} step_t;

static const char *const fault_names[] = {"", "is refused", "is cut off before it is done",
                                          "is cut off after it is done"};

/* Each step of `make` with each fault: it fails and leaves `empty`, or copes and there is `whole`. */
static void
fail_each(world_t *world, const step_t *steps, size_t count,
          int (*make)(world_t *world, err_t **err), const char *empty, const char *whole,
          void (*unmake)(world_t *world))
{
    for (size_t i = 0; i < count; i++)
        for (fault_t fault = REFUSES; fault < FAULTS; fault++) {
            AUTO(err) err = NULL;
            AUTO_FREE char *when =
                str_format("%s %s %s", steps[i].method, steps[i].part, fault_names[fault]);
            restart_driver(world); /* one that has seen nothing yet */
            set_fault(world, steps[i].method, steps[i].part, fault);
            int result = make(world, &err);
            pthread_mutex_lock(&world->lock);
            int left = world->faults_left;
            pthread_mutex_unlock(&world->lock);
            if (left)
                fail_msg("%s: it did not come to that", when);
            check_holds(world, result < 0 ? empty : whole, when);
            if (result < 0)
                assert_non_null(strstr(err_text(err), "cannot "));
            set_fault(world, "", "", NO_FAULT);
            if (result == 0)
                unmake(world);
            check_holds(world, empty, when);
        }
}

static void
an_enclave_is_made_whole_or_not_at_all(void **state)
{
    static const step_t steps[] = {{"GET", "/networks"},
                                   {"POST", "/networks/create"},
                                   {"POST", "/containers/create"},
                                   {"POST", "/start"}};
    fail_each(*state, steps, ARRAY_LEN(steps), make_enclave, "0 0 0", "1 1 1", destroy_enclave);
}

static void
remove_service(world_t *world)
{
    Orchestrator__ServiceRef ref = ORCHESTRATOR__SERVICE_REF__INIT;
    ref.enclave_uuid = ENCLAVE;
    ref.service_uuid = SERVICE;
    assert_int_equal(direct_ask(world->docker, "RemoveService", &ref, NULL, NULL), 0);
    pthread_mutex_lock(&world->lock);
    json_object_del(world->volumes, "keep--" ENCLAVE); /* stays with the enclave */
    pthread_mutex_unlock(&world->lock);
}

static void
a_service_is_started_whole_or_not_at_all(void **state)
{
    static const step_t steps[] = {
        {"GET", "/networks"}, {"GET", "/containers/json"}, {"POST", "/containers/create"},
        {"PUT", "/archive"},  {"POST", "/start"},          {"POST", "/wait"}};
    world_t *world = *state;
    assert_int_equal(make_enclave(world, NULL), 0);
    fail_each(world, steps, ARRAY_LEN(steps), start_service, "1 1 1", "1 2 3", remove_service);
}

static void
a_host_port_in_use_is_passed_over_and_files_stay(void **state)
{
    world_t *world = *state;
    char first[16], second[16];
    assert_int_equal(make_enclave(world, NULL), 0);
    for (unsigned round = 0; round < 2; round++) {
        world->taken_ports = round * 2;
        assert_int_equal(start_service(world, NULL), 0);
        check_holds(world, "1 2 3", "after the start");
        const json_t *body = docker_at(world->containers, "web--" SERVICE, "Body", NULL);
        const json_t *bindings = docker_at(body, "HostConfig", "PortBindings", "80/tcp", NULL);
        snprintf(round ? second : first, sizeof first, "%s",
                 docker_text(json_array_get(bindings, 0), "HostPort"));
        remove_service(world);
    }
    assert_int_equal(strtol(second, NULL, 10), strtol(first, NULL, 10) + 2);
    assert_int_equal(fake_count(world->fake, "/archive"), 2);

    /* Docker picks when all that were tried are in use; when that fails too, it is an error. */
    AUTO(err) err = NULL;
    world->taken_ports = DOCKER_START_TRIES;
    assert_true(start_service(world, &err) < 0);
    check_holds(world, "1 1 1", "after the failure");
}

static void
a_service_has_the_same_host_port_whenever_it_runs(void **state)
{
    world_t *world = *state;
    char ports[2][16];
    assert_int_equal(make_enclave(world, NULL), 0);
    for (int round = 0; round < 2; round++) {
        restart_driver(world);
        assert_int_equal(start_service(world, NULL), 0);
        const json_t *body = docker_at(world->containers, "web--" SERVICE, "Body", NULL);
        snprintf(ports[round], sizeof ports[round], "%s",
                 docker_text(json_array_get(
                                 docker_at(body, "HostConfig", "PortBindings", "80/tcp", NULL), 0),
                             "HostPort"));
        AUTO_FREE char *label = str_format("http:%s", ports[round]);
        assert_string_equal(docker_label(body, DOCKER_LABEL_PUBLIC_PORTS), label);
        remove_service(world);
    }
    assert_string_equal(ports[0], ports[1]);
}

/* ------------------------------------------------------------------------------ what was seen before */

static Orchestrator__GetServicesReply *
list_services(world_t *world)
{
    Orchestrator__GetServicesArgs args = ORCHESTRATOR__GET_SERVICES_ARGS__INIT;
    Orchestrator__GetServicesReply *reply = NULL;
    args.enclave_uuid = ENCLAVE;
    assert_int_equal(direct_ask(world->docker, "GetServices", &args, &reply, NULL), 0);
    return reply;
}

static void
services_that_run_are_inspected_once(void **state)
{
    world_t *world = *state;
    assert_int_equal(make_enclave(world, NULL), 0);
    assert_int_equal(start_service(world, NULL), 0);
    size_t named = 0;
    for (int i = 0; i < 3; i++) {
        unsigned before = fake_count(world->fake, "/json");
        Orchestrator__GetServicesReply *reply = list_services(world);
        /* The fake lists the API container, too: the second look at either is none. */
        assert_int_equal(fake_count(world->fake, "/json") - before, i ? 1 : 1 + reply->n_services);
        named = reply->n_services;
        orchestrator__get_services_reply__free_unpacked(reply, NULL);
    }
    pthread_mutex_lock(&world->lock);
    json_object_set_new(json_object_get(world->containers, "web--" SERVICE), "State",
                        json_string("exited"));
    pthread_mutex_unlock(&world->lock);
    unsigned before = fake_count(world->fake, "/json");
    Orchestrator__GetServicesReply *reply = list_services(world);
    assert_int_equal(fake_count(world->fake, "/json") - before,
                     2); /* how it ended must be asked for */
    assert_int_equal(reply->n_services, named);
    orchestrator__get_services_reply__free_unpacked(reply, NULL);
}

/* ------------------------------------------------------------------------------ what is left over */

#define GRACE 1000

static int64_t
look(world_t *world, json_t *seen, int64_t now)
{
    int64_t next = 0;
    AUTO(err) err = NULL;
    if (docker_reconcile_look(world->docker, NULL, seen, now, GRACE, &next, &err) < 0)
        fail_msg("%s", err_text(err));
    return next;
}

static void
forget(world_t *world, json_t *objects, const char *name)
{
    pthread_mutex_lock(&world->lock);
    assert_int_equal(json_object_del(objects, name), 0);
    pthread_mutex_unlock(&world->lock);
}

static void
what_is_left_over_goes_after_the_grace_and_nothing_else(void **state)
{
    world_t *world = *state;
    AUTO_JSON *seen = json_object();
    assert_int_equal(make_enclave(world, NULL), 0);
    assert_int_equal(start_service(world, NULL), 0);
    assert_int_equal(look(world, seen, 100), -1);
    check_holds(world, "1 2 3", "while all is well");

    /* Somebody removes the service's container. */
    forget(world, world->containers, "web--" SERVICE);
    assert_int_equal(look(world, seen, 200), 200 + GRACE);
    assert_int_equal(look(world, seen, 199 + GRACE), 200 + GRACE);
    check_holds(world, "1 1 3", "during the grace");
    assert_int_equal(look(world, seen, 200 + GRACE), -1);
    check_holds(world, "1 1 2", "after it"); /* the persistent directory stays with the enclave */

    /* And the rest of the enclave. */
    forget(world, world->containers, "kurtosis-api--" ENCLAVE);
    assert_int_equal(look(world, seen, 5000), -1);
    check_holds(world, "1 0 2", "while there is a network, which can be seen and removed");
    forget(world, world->networks, "kt-a");
    assert_int_equal(look(world, seen, 6000), 6000 + GRACE);
    assert_int_equal(look(world, seen, 6000 + GRACE), -1);
    check_holds(world, "0 0 0", "at the end");
}

static void
what_comes_back_during_the_grace_stays(void **state)
{
    world_t *world = *state;
    AUTO_JSON *seen = json_object();
    assert_int_equal(make_enclave(world, NULL), 0);
    assert_int_equal(start_service(world, NULL), 0);
    pthread_mutex_lock(&world->lock);
    AUTO_JSON *container = json_incref(json_object_get(world->containers, "web--" SERVICE));
    pthread_mutex_unlock(&world->lock);
    forget(world, world->containers, "web--" SERVICE);
    assert_int_equal(look(world, seen, 200), 200 + GRACE);
    pthread_mutex_lock(&world->lock);
    json_object_set(world->containers, "web--" SERVICE, container);
    pthread_mutex_unlock(&world->lock);
    assert_int_equal(look(world, seen, 300), -1);
    forget(world, world->containers, "web--" SERVICE);
    assert_int_equal(look(world, seen, 200 + GRACE), 200 + 2 * GRACE);
    check_holds(world, "1 1 3", "the grace begins anew");
}

int
main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(an_enclave_is_made_whole_or_not_at_all),
        WITH(a_service_is_started_whole_or_not_at_all),
        WITH(a_host_port_in_use_is_passed_over_and_files_stay),
        WITH(a_service_has_the_same_host_port_whenever_it_runs),
        WITH(services_that_run_are_inspected_once),
        WITH(what_is_left_over_goes_after_the_grace_and_nothing_else),
        WITH(what_comes_back_during_the_grace_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
