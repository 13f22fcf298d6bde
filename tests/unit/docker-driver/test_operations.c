/*  operations: what they do when Docker does not do as it is told. What they do on a real Docker is
 *  in tests/contract. */
#include "docker-driver/api.h"
#include "docker-driver/parts.h"
#include "tests/unit/docker-driver/direct.h"
#include "tests/unit/docker-driver/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#define UUID "0123456789abcdef0123456789abcdef"
#define WAIT_MS 30000

typedef struct {
    fake_t *fake;
    docker_t *docker;
    sem_t go;            /* a test lets the fake go on */
    atomic_int overlaps; /* networks that are refused */
    atomic_bool is_pulled;
    atomic_bool is_removed; /* the container */
    atomic_uint attached;   /* a bit for each of the containers "attached0"... */
    atomic_int wrong;       /* a container was removed while it was attached */
    atomic_bool has_foreign,
        has_lost; /* endpoints of the network: a container's, and of one that Docker lost */
} world_t;

/* ------------------------------------------------------------------------------------- the fake */

static void
answer_pull(world_t *world, fake_request_t *request)
{
    fake_stream(request);
    fake_piece(request, "{\"status\":\"Pulling fs layer\",\"id\":\"a\"}\r\n");
    if (strstr(request->path, "broken")) {
        fake_piece(request, "{\"errorDetail\":{\"message\":\"manifest "
                            "unknown\"},\"error\":\"manifest unknown\"}\r\n");
        fake_stream_end(request);
        return;
    }
    if (strstr(request->path, "intel") && !strstr(request->path, "amd64")) {
        fake_piece(request, "{\"error\":\"no matching manifest for linux/arm64/v8 in the manifest "
                            "list entries\"}\r\n");
        fake_stream_end(request);
        return;
    }
    if (strstr(request->path, "endless")) {
        fake_wait_gone(request);
        return;
    }
    sem_wait(&world->go);
    world->is_pulled = true;
    fake_piece(request, "{\"status\":\"Pull complete\",\"id\":\"a\"}\r\n");
    fake_stream_end(request);
}

static void
disconnect(world_t *world, fake_request_t *request)
{
    AUTO_JSON *body = json_loadb(request->body, request->body_size, 0, NULL);
    const char *who = json_string_value(json_object_get(body, "Container"));
    if (str_starts(who, "attached")) {
        atomic_fetch_and(&world->attached, ~(1u << (who[8] - '0')));
        fake_json(request, 200, "");
        return;
    }
    atomic_bool *endpoint = strcmp(who, "foreign") == 0 ? &world->has_foreign
                            : strcmp(who, "lost") == 0  ? &world->has_lost
                                                        : NULL;
    if (!endpoint) {
        fake_json(request, 404, "{\"message\":\"No such container\"}");
        return;
    }
    *endpoint = false;
    fake_json(request, 200, "");
}

static void
answer_networks(world_t *world, fake_request_t *request)
{
    if (strcmp(request->path, "/networks/create") == 0) {
        if (world->overlaps-- > 0)
            fake_json(request, 403,
                      "{\"message\":\"Pool overlaps with other one on this address space\"}");
        else
            fake_json(request, 201, "{\"Id\":\"net\"}");
    } else if (strcmp(request->method, "DELETE") == 0) {
        if (world->has_foreign || world->has_lost)
            fake_json(request, 403, "{\"message\":\"network has active endpoints\"}");
        else
            fake_json(request, 200, "");
    } else if (strcmp(request->path, "/networks/net") == 0) {
        fake_json(
            request, 200,
            "{\"Containers\":{\"foreign\":{\"Name\":\"foreign\"},\"ep-1\":{\"Name\":\"lost\"}}}");
    } else if (strstr(request->path, "disconnect")) {
        disconnect(world, request);
    } else if (strstr(request->path, "filters")) {
        fake_json(request, 200, "[{\"Id\":\"net\",\"Name\":\"kt-a\",\"Labels\":{}}]");
    } else {
        fake_json(request, 200,
                  "[{\"Name\":\"bridge\",\"IPAM\":{\"Config\":[{\"Subnet\":\"172.16.0.0/22\"}]}}]");
    }
}

static void
answer_containers(world_t *world, fake_request_t *request)
{
    if (strstr(request->path, "/containers/create")) {
        fake_json(request, 201, "{\"Id\":\"api\"}");
    } else if (strstr(request->path, "/start")) {
        fake_json(request, 204, "");
    } else if (str_starts(request->path, "/containers/attached")) {
        if (atomic_load(&world->attached) & (1u << (request->path[20] - '0')))
            world->wrong++;
        fake_json(request, 204, "");
    } else if (strcmp(request->method, "DELETE") == 0) {
        fake_json(request, 409,
                  "{\"message\":\"removal of container busy is already in progress\"}");
    } else if (strcmp(request->path, "/containers/busy/json") == 0) {
        if (world->is_removed)
            fake_json(request, 404, "{\"message\":\"No such container: busy\"}");
        else
            fake_json(request, 200, "{}");
    } else {
        fake_json(request, 200, world->is_removed ? "[]" : "[{\"Id\":\"busy\",\"Labels\":{}}]");
    }
}

/* Docker's event stream: lasts until the test stops the fake, or one event after it says go. */
static void
answer_events(world_t *world, fake_request_t *request)
{
    fake_stream(request);
    if (strstr(request->path, "busy")) {
        sem_wait(&world->go);
        world->is_removed = true;
        fake_piece(request, "{\"Type\":\"container\",\"Action\":\"destroy\"}\n");
    }
    fake_wait_gone(request);
}

static void
answer(void *arg, fake_request_t *request)
{
    world_t *world = arg;
    if (fake_ping(request))
        return;
    if (strstr(request->path, "/images/create")) {
        answer_pull(world, request);
    } else if (strstr(request->path, "/images/")) {
        if (world->is_pulled)
            fake_json(request, 200, "{\"Id\":\"sha256:1\",\"Config\":{}}");
        else
            fake_json(request, 404, "{\"message\":\"No such image: x:1\"}");
    } else if (strstr(request->path, "/networks")) {
        answer_networks(world, request);
    } else if (strstr(request->path, "/events")) {
        answer_events(world, request);
    } else if (strstr(request->path, "/volumes")) {
        fake_json(request, 200, "{\"Volumes\":null}");
    } else {
        answer_containers(world, request);
    }
}

static int
setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    sem_init(&world->go, 0, 0);
    world->fake = fake_new(answer, world);
    *state = world;
    setenv(DOCKER_HOST_NET_ENV, "/nonexistent", 1); /* this machine's routes are not the test's */
    return docker_new(fake_host(world->fake), &world->docker, NULL);
}

static int
teardown(void **state)
{
    world_t *world = *state;
    docker_destroy(&world->docker);
    fake_destroy(&world->fake);
    sem_destroy(&world->go);
    free(world);
    return 0;
}

static void
check_error(err_t *err, err_code_t code, const char *words)
{
    AUTO_FREE char *text = err_string(err);
    if (err_code(err) != code || !strstr(text, words))
        fail_msg("%s: %s", err_code_name(err_code(err)), text);
}

/* ---------------------------------------------------------------------------------------- pulls */

static direct_t *
fetch(world_t *world, const char *image)
{
    Orchestrator__FetchImageArgs args = ORCHESTRATOR__FETCH_IMAGE_ARGS__INIT;
    args.image = (char *)image;
    args.mode = ORCHESTRATOR__FETCH_MODE__FETCH_MISSING;
    return direct_open(world->docker, "FetchImage", &args);
}

static void
take_progress(direct_t *call)
{
    Orchestrator__FetchImageProgress *progress = NULL;
    assert_int_equal(direct_recv(call, WAIT_MS, &progress, NULL), 1);
    assert_int_equal(progress->origin, ORCHESTRATOR__FETCH_ORIGIN__FETCH_IN_PROGRESS);
    assert_int_equal(progress->layers_total, 1);
    orchestrator__fetch_image_progress__free_unpacked(progress, NULL);
}

/* Takes all messages: the last one's origin, or -1 when it failed. */
static int
take_end(direct_t *call, err_t **err)
{
    Orchestrator__FetchImageProgress *progress = NULL;
    int origin = -1, got;
    while ((got = direct_recv(call, WAIT_MS, &progress, err)) == 1) {
        origin = progress->origin;
        orchestrator__fetch_image_progress__free_unpacked(progress, NULL);
    }
    return got < 0 ? -1 : origin;
}

static void
callers_who_want_the_same_image_share_one_pull(void **state)
{
    world_t *world = *state;
    direct_t *first = fetch(world, "x:1");
    take_progress(first);
    direct_t *second = fetch(world, "x:1");
    /* Two looks by the first, one by the second: it found no image, whether it joins in time or not. */
    assert_true(fake_wait(world->fake, "/images/x:1/json", 3));
    sem_post(&world->go);
    assert_int_equal(take_end(first, NULL), ORCHESTRATOR__FETCH_ORIGIN__FETCH_REMOTE);
    int origin = take_end(second, NULL);
    assert_true(origin == ORCHESTRATOR__FETCH_ORIGIN__FETCH_REMOTE ||
                origin == ORCHESTRATOR__FETCH_ORIGIN__FETCH_LOCAL);
    assert_int_equal(fake_count(world->fake, "/images/create"), 1);
    direct_close(&first);
    direct_close(&second);
}

static void
when_the_first_caller_gives_up_another_pulls_on(void **state)
{
    world_t *world = *state;
    direct_t *first = fetch(world, "endless:1");
    take_progress(first);
    direct_t *second = fetch(world, "endless:1");
    assert_true(fake_wait(world->fake, "/images/endless:1/json", 3));
    direct_close(&first);
    assert_true(fake_wait(world->fake, "/images/create", 2));
    take_progress(second);
    direct_cancel(second);
    AUTO(err) err = NULL;
    assert_int_equal(take_end(second, &err), -1);
    check_error(err, ERR_CANCELLED, "cannot pull image 'endless:1'");
    direct_close(&second);
}

static void
a_pull_that_does_not_go_on_ends(void **state)
{
    world_t *world = *state;
    world->docker->pull_idle_ms = 100;
    direct_t *call = fetch(world, "endless:1");
    AUTO(err) err = NULL;
    assert_int_equal(take_end(call, &err), -1);
    check_error(err, ERR_TIMEOUT, "its registry does not go on");
    direct_close(&call);
}

static void
a_pull_that_fails_in_its_stream_says_why(void **state)
{
    world_t *world = *state;
    direct_t *call = fetch(world, "broken:1");
    AUTO(err) err = NULL;
    assert_int_equal(take_end(call, &err), -1);
    check_error(err, ERR_NOT_FOUND, "the registry has no such tag");
    direct_close(&call);
}

static void
an_image_that_there_is_for_intel_alone_is_pulled_for_that(void **state)
{
    world_t *world = *state;
    direct_t *call = fetch(world, "intel:1");
    sem_post(&world->go);
    assert_int_equal(take_end(call, NULL), ORCHESTRATOR__FETCH_ORIGIN__FETCH_REMOTE);
    assert_int_equal(fake_count(world->fake, "/images/create"), 2);
    direct_close(&call);
}

/* ------------------------------------------------------------------------------------- enclaves */

static void
a_subnet_that_docker_does_not_want_is_passed_over(void **state)
{
    world_t *world = *state;
    Orchestrator__CreateEnclaveArgs args = ORCHESTRATOR__CREATE_ENCLAVE_ARGS__INIT;
    Orchestrator__Enclave *enclave = NULL;
    args.enclave_uuid = UUID;
    args.name = "a";
    args.image = "x:1";
    world->overlaps = 2;
    assert_int_equal(direct_ask(world->docker, "CreateEnclave", &args, &enclave, NULL), 0);
    assert_string_equal(enclave->subnet, "172.16.12.0/22");
    assert_string_equal(enclave->api_container_ip, "172.16.12.2");
    orchestrator__enclave__free_unpacked(enclave, NULL);

    world->overlaps = DOCKER_OVERLAP_TRIES;
    world->is_removed = true;
    AUTO(err) err = NULL;
    assert_true(direct_ask(world->docker, "CreateEnclave", &args, &enclave, &err) < 0);
    check_error(err, ERR_STATE, "Pool overlaps");
}

static void
a_network_is_freed_of_foreign_containers_and_of_those_that_docker_lost(void **state)
{
    world_t *world = *state;
    world->has_foreign = world->has_lost = true;
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    ref.enclave_uuid = UUID;
    sem_post(&world->go); /* for the container that is being removed */
    assert_int_equal(direct_ask(world->docker, "DestroyEnclave", &ref, NULL, NULL), 0);
    assert_true(fake_count(world->fake, "/events") == 1);

    assert_false(world->has_foreign);
    assert_false(world->has_lost);
}

static void
a_container_that_is_being_removed_is_waited_for(void **state)
{
    world_t *world = *state;
    AUTO_JSON *containers = json_pack("[{s:s}]", "Id", "busy");
    sem_post(&world->go);
    assert_int_equal(docker_containers_remove(world->docker, NULL, containers, NULL), 0);
    assert_int_equal(fake_count(world->fake, "/events"), 1);
}

static void
containers_that_run_are_taken_off_their_network_before_they_are_removed(void **state)
{
    world_t *world = *state;
    AUTO_JSON *containers = json_array();
    for (int i = 0; i < 6; i++) {
        AUTO_FREE char *id = str_format("attached%d", i);
        json_array_append_new(containers,
                              json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "Id", id, "State",
                                        i < 4 ? "running" : "exited", "HostConfig", "NetworkMode",
                                        "kt-a", "Labels", DOCKER_LABEL_ENCLAVE, UUID));
    }
    world->attached = 0xf; /* the four that run */
    assert_int_equal(docker_containers_remove(world->docker, NULL, containers, NULL), 0);
    assert_int_equal(world->attached, 0);
    assert_int_equal(world->wrong, 0);
    assert_int_equal(fake_count(world->fake, "/networks/kt-a/disconnect"), 4);
    assert_int_equal(fake_count(world->fake, "/containers/attached"), 6);
}

static void
a_watch_survives_the_daemon(void **state)
{
    world_t *world = *state;
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    Orchestrator__ContainerEvent *event = NULL;
    ref.enclave_uuid = UUID;
    direct_t *call = direct_open(world->docker, "WatchEnclave", &ref);
    assert_int_equal(direct_recv(call, WAIT_MS, &event, NULL), 1);
    assert_string_equal(event->action, "ready");
    orchestrator__container_event__free_unpacked(event, NULL);
    for (int i = 0; i < 2; i++) {
        fake_stop(world->fake);
        fake_start(world->fake);
        assert_int_equal(direct_recv(call, WAIT_MS, &event, NULL), 1);
        assert_string_equal(event->action, "resync");
        orchestrator__container_event__free_unpacked(event, NULL);
    }
    direct_cancel(call);
    AUTO(err) err = NULL;
    assert_true(direct_recv(call, WAIT_MS, &event, &err) < 0);
    assert_int_equal(err_code(err), ERR_CANCELLED);
    direct_close(&call);
}

static void
without_a_daemon_every_operation_says_so(void **state)
{
    (void)state;
    docker_t *docker = NULL;
    assert_int_equal(docker_new("unix:///no/such/docker.sock", &docker, NULL), 0);
    Orchestrator__Empty nothing = ORCHESTRATOR__EMPTY__INIT;
    Orchestrator__GetEnclavesArgs enclaves = ORCHESTRATOR__GET_ENCLAVES_ARGS__INIT;
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    Orchestrator__GetClusterInfoArgs cluster = ORCHESTRATOR__GET_CLUSTER_INFO_ARGS__INIT;
    ref.enclave_uuid = UUID;
    const struct {
        const char *method;
        const void *request;
    } cases[] = {{"GetEngines", &nothing},
                 {"GetEnclaves", &enclaves},
                 {"DestroyEnclave", &ref},
                 {"GetClusterInfo", &cluster}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) err = NULL;
        ProtobufCMessage *reply = NULL;
        assert_true(direct_ask(docker, cases[i].method, cases[i].request, &reply, &err) < 0);
        check_error(err, ERR_UNAVAILABLE, "is it running?");
    }
    direct_t *call = direct_open(docker, "WatchEnclave", &ref);
    Orchestrator__ContainerEvent *event = NULL;
    AUTO(err) err = NULL;
    assert_true(direct_recv(call, WAIT_MS, &event, &err) < 0);
    check_error(err, ERR_UNAVAILABLE, "is it running?");
    direct_close(&call);
    docker_destroy(&docker);
}

int
main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(callers_who_want_the_same_image_share_one_pull),
        WITH(when_the_first_caller_gives_up_another_pulls_on),
        WITH(a_pull_that_does_not_go_on_ends),
        WITH(a_pull_that_fails_in_its_stream_says_why),
        WITH(an_image_that_there_is_for_intel_alone_is_pulled_for_that),
        WITH(a_subnet_that_docker_does_not_want_is_passed_over),
        WITH(a_network_is_freed_of_foreign_containers_and_of_those_that_docker_lost),
        WITH(a_container_that_is_being_removed_is_waited_for),
        WITH(containers_that_run_are_taken_off_their_network_before_they_are_removed),
        WITH(a_watch_survives_the_daemon),
        cmocka_unit_test(without_a_daemon_every_operation_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
