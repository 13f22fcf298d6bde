/*  Enclaves: made, listed, stopped, removed; what half-made ones look like. */
#include "tests/contract/world.h"

#include <stdio.h>

static Orchestrator__GetEnclavesReply *
list(const char *uuid)
{
    Orchestrator__GetEnclavesArgs args = ORCHESTRATOR__GET_ENCLAVES_ARGS__INIT;
    Orchestrator__GetEnclavesReply *reply = NULL;
    char *uuids[] = {(char *)uuid};
    args.uuids = uuids;
    args.n_uuids = uuid ? 1 : 0;
    ask("GetEnclaves", &args, &reply);
    return reply;
}

static Orchestrator__Enclave *
find(Orchestrator__GetEnclavesReply *reply, const char *uuid)
{
    for (size_t i = 0; i < reply->n_enclaves; i++)
        if (strcmp(reply->enclaves[i]->enclave_uuid, uuid) == 0)
            return reply->enclaves[i];
    return NULL;
}

static void
an_enclave_is_listed_as_it_was_made(void **state)
{
    (void)state;
    char uuid[UUID_LEN + 1];
    strcpy(uuid, new_uuid());
    Orchestrator__Enclave *made = enclave_make(uuid, enclave_name("listed"));
    assert_string_equal(made->enclave_uuid, uuid);
    assert_int_equal(made->api_container_state, ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING);
    assert_true(*made->subnet && *made->gateway && *made->api_container_ip &&
                *made->api_container_id);

    Orchestrator__GetEnclavesReply *reply = list(NULL);
    Orchestrator__Enclave *found = find(reply, uuid);
    assert_non_null(found);
    assert_non_null(find(reply, enclave));
    assert_string_equal(found->name, made->name);
    assert_int_equal(found->creation_time, made->creation_time);
    assert_string_equal(found->subnet, made->subnet);
    assert_string_equal(found->gateway, made->gateway);
    assert_string_equal(found->api_container_ip, made->api_container_ip);
    assert_string_equal(found->api_container_id, made->api_container_id);
    assert_int_equal(found->containers_running, 1);
    assert_int_equal(found->containers_stopped, 0);
    assert_false(found->is_production);
    orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);

    reply = list(uuid);
    assert_int_equal(reply->n_enclaves, 1);
    orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);
    orchestrator__enclave__free_unpacked(made, NULL);
    enclave_destroy(uuid);
    reply = list(uuid);
    assert_int_equal(reply->n_enclaves, 0);
    orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);
    AUTO_FREE char *left = holds(uuid);
    assert_string_equal(left, "");
}

static void
names_are_those_that_kurtosis_users_know(void **state)
{
    (void)state;
    AUTO_FREE char *names = holds(enclave);
    AUTO_FREE char *api = str_format("container kurtosis-api--%s\n", enclave);
    AUTO_FREE char *volume = str_format("volume %s\n", enclave);
    assert_non_null(strstr(names, api));
    assert_non_null(strstr(names, volume));
    AUTO_FREE char *network = str_format("kt-%s", enclave_name("main"));
    AUTO_FREE char *networks = holds(network);
    assert_non_null(strstr(networks, network));
}

static void
a_taken_name_or_uuid_is_refused_and_harms_nobody(void **state)
{
    (void)state;
    Orchestrator__CreateEnclaveArgs args = ORCHESTRATOR__CREATE_ENCLAVE_ARGS__INIT;
    args.image = IMAGE_ENGINE;
    args.enclave_uuid = (char *)new_uuid();
    args.name = (char *)enclave_name("main");
    ask_fails("CreateEnclave", &args, ERR_EXISTS, "there is an enclave of this name already");
    args.enclave_uuid = enclave;
    args.name = (char *)enclave_name("other");
    ask_fails("CreateEnclave", &args, ERR_EXISTS, "already");
    Orchestrator__GetEnclavesReply *reply = list(enclave);
    assert_int_equal(reply->n_enclaves, 1);
    assert_int_equal(reply->enclaves[0]->api_container_state,
                     ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING);
    orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);
}

static void
an_enclave_that_cannot_start_leaves_nothing(void **state)
{
    (void)state;
    const struct {
        const char *image; /* absent; and present, but without the API container's program */
        err_code_t code;
        const char *words;
    } cases[] = {
        {IMAGE_ABSENT, ERR_NOT_FOUND, IMAGE_ABSENT},
        {IMAGE_BOX, ERR_UNKNOWN, "kurtosis-apic"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Orchestrator__CreateEnclaveArgs args = ORCHESTRATOR__CREATE_ENCLAVE_ARGS__INIT;
        args.enclave_uuid = (char *)new_uuid();
        args.name = (char *)enclave_name("broken");
        args.image = (char *)cases[i].image;
        AUTO(err) err = NULL;
        assert_true(driver_ask(driver, "CreateEnclave", &args, NULL, &err) < 0);
        AUTO_FREE char *text = err_string(err);
        assert_non_null(strstr(text, cases[i].words));
        assert_non_null(strstr(text, "cannot make enclave"));
        AUTO_FREE char *left = holds(args.enclave_uuid);
        assert_string_equal(left, "");
        AUTO_FREE char *network = holds(args.name);
        assert_string_equal(network, "");
    }
}

static void
wrong_arguments_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *uuid, *name, *image, *words;
    } cases[] = {
        {"", "a", IMAGE_ENGINE, "is not a UUID"},
        {"0123", "a", IMAGE_ENGINE, "'0123' is not a UUID"},
        {"0123456789abcdef0123456789abcdef", "", IMAGE_ENGINE, "enclave name '' is wrong"},
        {"0123456789abcdef0123456789abcdef", "a/b", IMAGE_ENGINE, "enclave name 'a/b' is wrong"},
        {"0123456789abcdef0123456789abcdef", "a", "", "no image"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Orchestrator__CreateEnclaveArgs args = ORCHESTRATOR__CREATE_ENCLAVE_ARGS__INIT;
        args.enclave_uuid = (char *)cases[i].uuid;
        args.name = (char *)cases[i].name;
        args.image = (char *)cases[i].image;
        ask_fails("CreateEnclave", &args, ERR_INVALID, cases[i].words);
    }
}

static void
enclaves_made_at_once_have_subnets_of_their_own(void **state)
{
    (void)state;
    char uuids[3][UUID_LEN + 1];
    Orchestrator__Enclave *made[3];
    for (size_t i = 0; i < 3; i++) {
        strcpy(uuids[i], new_uuid());
        AUTO_FREE char *what = str_format("net%zu", i);
        made[i] = enclave_make(uuids[i], enclave_name(what));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(made[i]->subnet, made[k]->subnet);
    }
    for (size_t i = 0; i < 3; i++) {
        orchestrator__enclave__free_unpacked(made[i], NULL);
        enclave_destroy(uuids[i]);
    }
}

static void
a_stopped_enclave_stays_listed(void **state)
{
    (void)state;
    char uuid[UUID_LEN + 1];
    strcpy(uuid, new_uuid());
    orchestrator__enclave__free_unpacked(enclave_make(uuid, enclave_name("stopped")), NULL);
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    ref.enclave_uuid = uuid;
    ask("StopEnclave", &ref, NULL);
    Orchestrator__GetEnclavesReply *reply = list(uuid);
    assert_int_equal(reply->n_enclaves, 1);
    assert_int_equal(reply->enclaves[0]->containers_running, 0);
    assert_int_equal(reply->enclaves[0]->containers_stopped, 1);
    assert_int_equal(reply->enclaves[0]->api_container_state,
                     ORCHESTRATOR__CONTAINER_STATE__CONTAINER_STOPPED);
    orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);
    ask("StopEnclave", &ref, NULL); /* again is fine */
    enclave_destroy(uuid);
    enclave_destroy(uuid); /* and so is this */
    ask_fails("StopEnclave", &ref, ERR_NOT_FOUND, uuid);
}

static void
another_api_container_has_the_place_of_the_old_one_which_stays_where_it_cannot_start(void **state)
{
    (void)state;
    const struct {
        const char *uuid, *image; /* NULL: the enclave's; a box has no API container's program */
        const char *words;
    } wrong[] = {
        {"nonsense", IMAGE_ENGINE, "'nonsense' is not a UUID"},
        {"0123456789abcdef0123456789abcdef", IMAGE_ENGINE, "there is no enclave"},
        {NULL, IMAGE_ABSENT, IMAGE_ABSENT},
        {NULL, IMAGE_BOX, "kurtosis-apic"},
    };
    char uuid[UUID_LEN + 1];
    strcpy(uuid, new_uuid());
    Orchestrator__Enclave *made = enclave_make(uuid, enclave_name("renewed"));
    Orchestrator__ReplaceApiContainerArgs args = ORCHESTRATOR__REPLACE_API_CONTAINER_ARGS__INIT;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        args.enclave_uuid = wrong[i].uuid ? (char *)wrong[i].uuid : uuid;
        args.image = (char *)wrong[i].image;
        AUTO(err) err = NULL;
        assert_true(driver_ask(driver, "ReplaceApiContainer", &args, NULL, &err) < 0);
        AUTO_FREE char *text = err_string(err);
        if (!strstr(text, wrong[i].words))
            fail_msg("the error of row %zu is: %s", i, text);
        Orchestrator__GetEnclavesReply *reply = list(uuid);
        assert_string_equal(reply->enclaves[0]->api_container_id, made->api_container_id);
        assert_int_equal(reply->enclaves[0]->api_container_state,
                         ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING);
        orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);
    }
    args.enclave_uuid = uuid;
    args.image = (char *)IMAGE_ENGINE;
    args.version = (char *)"1.20.0";
    ask("ReplaceApiContainer", &args, NULL);
    Orchestrator__GetEnclavesReply *reply = list(uuid);
    assert_string_not_equal(reply->enclaves[0]->api_container_id, made->api_container_id);
    assert_string_equal(reply->enclaves[0]->api_container_ip, made->api_container_ip);
    assert_int_equal(reply->enclaves[0]->containers_running, 1);
    assert_int_equal(reply->enclaves[0]->containers_stopped, 0);
    orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);
    orchestrator__enclave__free_unpacked(made, NULL);
    enclave_destroy(uuid);
}

static void
an_enclave_with_ipv6_has_addresses_of_both_kinds(void **state)
{
    (void)state;
    Orchestrator__CreateEnclaveArgs args = ORCHESTRATOR__CREATE_ENCLAVE_ARGS__INIT;
    Orchestrator__Enclave *made = NULL;
    Orchestrator__ServiceSpec spec;
    char uuid[UUID_LEN + 1], ip[24];
    strcpy(uuid, new_uuid());
    args.enclave_uuid = uuid;
    args.name = (char *)enclave_name("six");
    args.image = IMAGE_ENGINE;
    args.ipv6 = true;
    ask("CreateEnclave", &args, &made);
    const char *dot = strrchr(made->subnet, '.');
    snprintf(ip, sizeof ip, "%.*s9", (int)(dot - made->subnet) + 1, made->subnet);
    orchestrator__enclave__free_unpacked(made, NULL);

    Orchestrator__GetEnclavesArgs get = ORCHESTRATOR__GET_ENCLAVES_ARGS__INIT;
    Orchestrator__GetEnclavesReply *reply = NULL;
    char *uuids[] = {uuid};
    get.uuids = uuids, get.n_uuids = 1;
    ask("GetEnclaves", &get, &reply);
    assert_int_equal(reply->n_enclaves, 1);
    assert_null(strchr(reply->enclaves[0]->subnet, ':'));
    orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);

    spec_init(&spec, "both");
    spec.enclave_uuid = uuid;
    spec.private_ip = ip;
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    Orchestrator__ExecArgs exec = ORCHESTRATOR__EXEC_ARGS__INIT;
    Orchestrator__ExecOutput *output = NULL;
    AUTO_STR out = STR_EMPTY;
    char *command[] = {"ip", "addr", "show", "eth0"};
    exec.enclave_uuid = uuid, exec.service_uuid = spec.service_uuid;
    exec.command = command, exec.n_command = 4;
    stream_t *stream = driver_open(driver, "Exec", &exec);
    while (stream_recv(stream, &output, NULL) == 1) {
        str_add_bytes(&out, output->data.data, output->data.len);
        orchestrator__exec_output__free_unpacked(output, NULL);
    }
    stream_close(&stream);
    enclave_destroy(uuid);
    assert_non_null(strstr(out.data, ip));
    assert_non_null(strstr(out.data, "inet6 fd"));
}

#define MANY 12u

/* Starts services side by side in an enclave of its own. */
static void
make_full(char uuid[UUID_LEN + 1], const char *name)
{
    strcpy(uuid, new_uuid());
    Orchestrator__Enclave *made = enclave_make(uuid, enclave_name(name));
    int prefix = (int)(strrchr(made->subnet, '.') - made->subnet) + 1;
    Orchestrator__ServiceSpec specs[MANY];
    stream_t *streams[MANY];
    char ips[MANY][24], uuids[MANY][UUID_LEN + 1];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(ips[i], sizeof ips[i], "%.*s%zu", prefix, made->subnet, i + 9);
        spec_init(&specs[i], "one");
        specs[i].enclave_uuid = uuid;
        specs[i].service_uuid = strcpy(uuids[i], new_uuid());
        specs[i].private_ip = ips[i];
        streams[i] = service_open(&specs[i], NULL, 0);
    }
    for (size_t i = 0; i < MANY; i++) {
        Orchestrator__ServiceInfo *info = NULL;
        AUTO(err) err = NULL;
        if (stream_recv(streams[i], &info, &err) != 1)
            fail_msg("StartService failed: %s", err_string(err));
        orchestrator__service_info__free_unpacked(info, NULL);
        stream_close(&streams[i]);
    }
    orchestrator__enclave__free_unpacked(made, NULL);
}

static void
an_enclave_of_many_services_goes_whole_whether_they_run_or_not(void **state)
{
    (void)state;
    for (int is_stopped = 0; is_stopped < 2; is_stopped++) {
        char uuid[UUID_LEN + 1];
        const char *name = is_stopped ? "full-stopped" : "full";
        make_full(uuid, name);
        Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
        ref.enclave_uuid = uuid;
        if (is_stopped)
            ask("StopEnclave", &ref, NULL);
        Orchestrator__GetEnclavesReply *reply = list(uuid);
        assert_int_equal(reply->enclaves[0]->containers_running, is_stopped ? 0 : MANY + 1);
        orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);
        enclave_destroy(uuid);
        AUTO_FREE char *left = holds(uuid);
        assert_string_equal(left, "");
        AUTO_FREE char *network = holds(enclave_name(name));
        assert_string_equal(network, "");
    }
}

int
enclaves_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_enclave_with_ipv6_has_addresses_of_both_kinds),
        cmocka_unit_test(
            another_api_container_has_the_place_of_the_old_one_which_stays_where_it_cannot_start),
        cmocka_unit_test(an_enclave_is_listed_as_it_was_made),
        cmocka_unit_test(names_are_those_that_kurtosis_users_know),
        cmocka_unit_test(a_taken_name_or_uuid_is_refused_and_harms_nobody),
        cmocka_unit_test(an_enclave_that_cannot_start_leaves_nothing),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(enclaves_made_at_once_have_subnets_of_their_own),
        cmocka_unit_test(a_stopped_enclave_stays_listed),
        cmocka_unit_test(an_enclave_of_many_services_goes_whole_whether_they_run_or_not),
    };
    return group_run("enclaves", tests, ARRAY_LEN(tests), NULL, NULL);
}
