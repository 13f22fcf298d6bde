/*  reply: Docker's JSON as messages, whatever it holds. */
#include "docker-driver/api.h"
#include "docker-driver/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static json_t *
json(const char *text)
{
    AUTO_STR fixed = STR_EMPTY; /* single quotes are easier to read in C */
    for (const char *p = text; *p; p++)
        str_add_char(&fixed, *p == '\'' ? '"' : *p);
    json_t *value = json_loads(fixed.data, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static void
enclaves_are_put_together_from_networks_and_containers(void **state)
{
    (void)state;
    AUTO_JSON *networks = json(
        "[{'Name':'kt-b','IPAM':{'Config':[{'Subnet':'172.16.4.0/22','Gateway':'172.16.4.1'}]},"
        "'Labels':{'com.kurtosistech.enclave-id':'bb','com.kurtosistech.enclave-name':'b',"
        "'com.kurtosistech.enclave-production':'true',"
        "'com.kurtosistech.enclave-creation-time':'2024-01-01T00:00:02Z'}},"
        "{'Name':'kt-a','Labels':{'com.kurtosistech.enclave-id':'aa',"
        "'com.kurtosistech.enclave-name':'a','com.kurtosistech.enclave-creation-time':"
        "'2024-01-01T00:00:01Z'}},"
        "{'Name':'other','Labels':{}}]");
    AUTO_JSON *containers =
        json("[{'Id':'1','State':'running','Labels':{'com.kurtosistech.enclave-id':'bb',"
             "'com.kurtosistech.container-type':'api-container','com.kurtosistech.private-ip':'172."
             "16.4.2'}},"
             "{'Id':'2','State':'exited','Labels':{'com.kurtosistech.enclave-id':'bb'}},"
             "{'Id':'3','State':'restarting','Labels':{'com.kurtosistech.enclave-id':'cc'}},"
             "{'Id':'4','State':'running','Labels':{}}]");
    Orchestrator__GetEnclavesReply *reply = docker_reply_enclaves(networks, containers);
    assert_int_equal(reply->n_enclaves, 3);
    Orchestrator__Enclave *orphan = reply->enclaves[0], *empty = reply->enclaves[1],
                          *full = reply->enclaves[2];
    assert_string_equal(orphan->enclave_uuid, "cc"); /* its network is gone */
    assert_int_equal(orphan->containers_running, 1);
    assert_string_equal(empty->name, "a"); /* no container yet */
    assert_int_equal(empty->containers_running + empty->containers_stopped, 0);
    assert_int_equal(empty->api_container_state, ORCHESTRATOR__CONTAINER_STATE__CONTAINER_NONE);
    assert_string_equal(full->subnet, "172.16.4.0/22");
    assert_string_equal(full->gateway, "172.16.4.1");
    assert_true(full->is_production);
    assert_int_equal(full->containers_running, 1);
    assert_int_equal(full->containers_stopped, 1);
    assert_string_equal(full->api_container_id, "1");
    assert_string_equal(full->api_container_ip, "172.16.4.2");
    orchestrator__get_enclaves_reply__free_unpacked(reply, NULL);
}

static void
services_are_read_from_an_inspection(void **state)
{
    (void)state;
    AUTO_JSON *container =
        json("{'Id':'c1','State':{'Status':'running','ExitCode':0},'HostConfig':{'PortBindings':{'"
             "80/tcp':[{}]}},"
             "'NetworkSettings':{'Ports':{'80/"
             "tcp':[{'HostIp':'::','HostPort':'1'},{'HostIp':'0.0.0.0','HostPort':'32768'}],"
             "'53/udp':null}},'Config':{'Image':'nginx','Env':['A=1=2','B=','C'],'Entrypoint':['/"
             "e'],'Cmd':null,"
             "'Labels':{'com.kurtosistech.enclave-id':'e','com.kurtosistech.guid':'g','com."
             "kurtosistech.id':'web',"
             "'com.kurtosistech.private-ip':'172.16.0.4','com.kurtosistech.ports':'http:80/TCP/"
             "http,dns:53/UDP',"
             "'com.kurtosistech.custom.team':'blue'}}}");
    Orchestrator__ServiceInfo *info = docker_reply_service(container);
    assert_string_equal(info->name, "web");
    assert_int_equal(info->state, ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING);
    assert_int_equal(info->n_ports, 2);
    assert_int_equal(info->ports[0]->public_number, 32768);
    assert_true(info->ports[0]->publish);
    assert_false(info->ports[1]->publish);
    assert_string_equal(info->public_ip, "127.0.0.1");
    assert_int_equal(info->n_env, 3);
    assert_string_equal(info->env[0]->value, "1=2");
    assert_string_equal(info->env[2]->name, "C");
    assert_int_equal(info->n_entrypoint, 1);
    assert_int_equal(info->n_cmd, 0);
    assert_string_equal(info->labels[0]->name, "team");
    orchestrator__service_info__free_unpacked(info, NULL);
}

static void
nothing_is_trusted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "[]",
        "{}",
        "7",
        "'x'",
        "[[[]]]",
        "{'Config':7,'State':[],'Labels':'x'}",
        "[{'Labels':7},null,{'Labels':null}]",
        "[{'Labels':{'com.kurtosistech.enclave-id':7}}]",
        "{'Config':{'Labels':{'com.kurtosistech.ports':'nonsense'},'Env':[7]}}",
        "[{'IPAM':{'Config':{}},'Labels':{'com.kurtosistech.enclave-id':'x'}}]",
        "{'Type':'container','Action':'die','Actor':{'Attributes':7},'timeNano':'x'}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO_JSON *value = json(texts[i]);
        orchestrator__get_enclaves_reply__free_unpacked(docker_reply_enclaves(value, value), NULL);
        orchestrator__service_info__free_unpacked(docker_reply_service(value), NULL);
        orchestrator__engine_info__free_unpacked(docker_reply_engine(value), NULL);
        orchestrator__image_info__free_unpacked(docker_reply_image("x", value), NULL);
        Orchestrator__ContainerEvent *event = docker_reply_event(value);
        if (event)
            orchestrator__container_event__free_unpacked(event, NULL);
    }
}

static void
events_that_nobody_asked_for_are_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *action;
    } cases[] = {
        {"{'Type':'container','Action':'start'}", "start"},
        {"{'Type':'container','Action':'remove'}", "destroy"}, /* Podman's words */
        {"{'Type':'container','Action':'died'}", "die"},
        {"{'Type':'container','Action':'exec_died'}", NULL},
        {"{'Type':'network','Action':'remove'}", NULL},
        {"{'Type':'container','Action':'exec_die'}", NULL},
        {"{'Type':'container','Action':'die: x'}", NULL},
        {"{'Type':'network','Action':'destroy'}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_JSON *value = json(cases[i].text);
        Orchestrator__ContainerEvent *event = docker_reply_event(value);
        assert_int_equal(event != NULL, cases[i].action != NULL);
        if (event) {
            assert_string_equal(event->action, cases[i].action);
            orchestrator__container_event__free_unpacked(event, NULL);
        }
    }
}

static void
the_progress_of_a_pull_adds_up(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int result;
        unsigned total, done;
        uint64_t bytes_total, bytes_done;
    } cases[] = {
        {"{'status':'Pulling from library/nginx','id':'latest'}", 0, 0, 0, 0, 0},
        {"{'status':'Pulling fs layer','id':'a'}", 1, 1, 0, 0, 0},
        {"{'status':'Already exists','id':'b'}", 1, 2, 1, 0, 0},
        {"{'status':'Downloading','id':'a','progressDetail':{'current':10,'total':100}}", 1, 2, 1,
         100, 10},
        {"{'status':'Downloading','id':'a','progressDetail':{'current':5,'total':100}}", 1, 2, 1,
         100, 10},
        {"{'status':'Downloading','id':'a','progressDetail':{'current':-5,'total':-1}}", 1, 2, 1,
         100, 10},
        {"{'status':'Extracting','id':'a'}", 0, 2, 1, 100, 10},
        {"{'status':'Pull complete','id':'a'}", 1, 2, 2, 100, 100},
        {"{'status':'Pull complete','id':'a'}", 1, 2, 2, 100, 100},
        {"{'errorDetail':{'message':'manifest unknown'},'error':'manifest unknown'}", -1, 2, 2, 100,
         100},
    };
    docker_progress_t progress = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_JSON *line = json(cases[i].line);
        AUTO(err) err = NULL;
        assert_int_equal(docker_progress_line(&progress, line, &err), cases[i].result);
        assert_int_equal(progress.layers_total, cases[i].total);
        assert_int_equal(progress.layers_done, cases[i].done);
        assert_int_equal(progress.bytes_total, cases[i].bytes_total);
        assert_int_equal(progress.bytes_done, cases[i].bytes_done);
    }
    docker_progress_done(&progress);
}

static int
note(void *arg, const json_t *line, err_t **err)
{
    (void)err;
    AUTO_FREE char *text = docker_json_text(line);
    str_printf(arg, "%s|", text);
    return 0;
}

static void
lines_of_json_are_cut_anywhere(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1}\r\n\n{\"b\":2}\n[3]\n";
    for (size_t step = 1; step < sizeof text; step++) {
        AUTO_STR out = STR_EMPTY;
        docker_json_lines_t lines = {.line = note, .arg = &out};
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            size_t left = sizeof text - 1 - at;
            assert_int_equal(
                docker_json_lines_feed(&lines, text + at, left < step ? left : step, NULL), 0);
        }
        docker_json_lines_done(&lines);
        assert_string_equal(out.data, "{\"a\":1}|{\"b\":2}|[3]|");
    }
    docker_json_lines_t lines = {.line = note};
    AUTO(err) err = NULL;
    assert_true(docker_json_lines_feed(&lines, "{oops}\n", 7, &err) < 0);
    assert_non_null(strstr(err_text(err), "is not JSON"));
    docker_json_lines_done(&lines);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enclaves_are_put_together_from_networks_and_containers),
        cmocka_unit_test(services_are_read_from_an_inspection),
        cmocka_unit_test(nothing_is_trusted),
        cmocka_unit_test(events_that_nobody_asked_for_are_left_out),
        cmocka_unit_test(the_progress_of_a_pull_adds_up),
        cmocka_unit_test(lines_of_json_are_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
