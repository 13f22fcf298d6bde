/*  labels: names, checks and the port label. */
#include "docker-driver/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static Orchestrator__ServicePort
port(const char *id, uint32_t number, Orchestrator__Transport transport, const char *protocol)
{
    Orchestrator__ServicePort made = ORCHESTRATOR__SERVICE_PORT__INIT;
    made.id = (char *)id;
    made.number = number;
    made.transport = transport;
    made.application_protocol = (char *)protocol;
    return made;
}

static void
ports_are_written_as_kurtosis_writes_them(void **state)
{
    (void)state;
    Orchestrator__ServicePort ports[] = {
        port("web", 80, ORCHESTRATOR__TRANSPORT__TCP, "http"),
        port("dns", 53, ORCHESTRATOR__TRANSPORT__UDP, ""),
        port("sig", 2905, ORCHESTRATOR__TRANSPORT__SCTP, ""),
    };
    Orchestrator__ServicePort *list[] = {&ports[0], &ports[1], &ports[2]};
    AUTO_STR text = STR_EMPTY;
    assert_int_equal(docker_ports_pack(list, 3, &text, NULL), 0);
    assert_string_equal(text.data, "web:80/TCP/http,dns:53/UDP,sig:2905/SCTP");

    Orchestrator__ServicePort **back = NULL;
    size_t count = 0;
    assert_int_equal(docker_ports_unpack(text.data, &back, &count, NULL), 0);
    assert_int_equal(count, 3);
    assert_string_equal(back[0]->application_protocol, "http");
    assert_int_equal(back[1]->transport, ORCHESTRATOR__TRANSPORT__UDP);
    assert_int_equal(back[2]->number, 2905);
    docker_ports_free(back, count);
}

static void
ports_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const struct {
        Orchestrator__ServicePort a, b;
        const char *says;
    } cases[] = {
        {port("a:b", 80, 0, ""), port("b", 81, 0, ""), "port id 'a:b' is wrong"},
        {port("", 80, 0, ""), port("b", 81, 0, ""), "port id '' is wrong"},
        {port("a", 0, 0, ""), port("b", 81, 0, ""), "number 0"},
        {port("a", 65536, 0, ""), port("b", 81, 0, ""), "number 65536"},
        {port("a", 80, 0, "ht tp"), port("b", 81, 0, ""), "application protocol 'ht tp'"},
        {port("a", 80, 0, ""), port("a", 81, 0, ""), "'a' is given twice"},
        {port("a", 80, 0, "http"), port("b", 80, 0, ""), "'a' and 'b' are both 80/TCP"},
        {port("a", 80, 7, ""), port("b", 81, 0, ""), "unknown transport"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Orchestrator__ServicePort a = cases[i].a, b = cases[i].b;
        Orchestrator__ServicePort *list[] = {&a, &b};
        AUTO_STR text = STR_EMPTY;
        AUTO(err) err = NULL;
        assert_true(docker_ports_pack(list, 2, &text, &err) < 0);
        assert_int_equal(err_code(err), ERR_INVALID);
        assert_non_null(strstr(err_text(err), cases[i].says));
    }
}

static void
a_number_serves_two_transports(void **state)
{
    (void)state;
    Orchestrator__ServicePort a = port("tcp", 53, ORCHESTRATOR__TRANSPORT__TCP, "");
    Orchestrator__ServicePort b = port("udp", 53, ORCHESTRATOR__TRANSPORT__UDP, "");
    Orchestrator__ServicePort *list[] = {&a, &b};
    AUTO_STR text = STR_EMPTY;
    assert_int_equal(docker_ports_pack(list, 2, &text, NULL), 0);
}

static void
labels_of_older_versions_are_read(void **state)
{
    (void)state;
    Orchestrator__ServicePort **ports = NULL;
    size_t count = 0;
    assert_int_equal(docker_ports_unpack("grpc.9710-TCP_web.80-TCP-http", &ports, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_string_equal(ports[0]->id, "grpc");
    assert_int_equal(ports[1]->number, 80);
    assert_string_equal(ports[1]->application_protocol, "http");
    docker_ports_free(ports, count);
}

static void
what_is_no_port_label_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"a",        "a:80",        "a:80/",   "a:x/TCP",
                                        "a:0/TCP",  "a:70000/TCP", ":80/TCP", "a:80/ICMP",
                                        "a:-1/TCP", "a:80/TCP,b"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        Orchestrator__ServicePort **ports = NULL;
        size_t count = 0;
        AUTO(err) err = NULL;
        assert_true(docker_ports_unpack(texts[i], &ports, &count, &err) < 0);
        assert_non_null(strstr(err_text(err), texts[i]));
    }
}

static void
names_are_checked(void **state)
{
    (void)state;
    char longest[62], service[65];
    memset(longest, 'a', sizeof longest);
    memset(service, 'a', sizeof service);
    longest[60] = service[63] = '\0';
    assert_int_equal(docker_check_enclave_name(longest, NULL), 0);
    assert_int_equal(docker_check_enclave_name("Blue-Lake-7", NULL), 0);
    assert_int_equal(docker_check_service_name("service name", service, NULL), 0);
    longest[60] = 'a', longest[61] = '\0', service[63] = 'a', service[64] = '\0';
    static const char *const services[] = {"", "-a", "a-", "9a", "A", "a_b", "a.b"};
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        assert_true(docker_check_service_name("service name", services[i], NULL) < 0);
    assert_true(docker_check_service_name("service name", service, NULL) < 0);
    assert_true(docker_check_enclave_name(longest, NULL) < 0);
    assert_true(docker_check_enclave_name("", NULL) < 0);
    assert_true(docker_check_enclave_name("a b", NULL) < 0);
    assert_true(docker_check_uuid("enclave", "0123", NULL) < 0);
    assert_true(docker_check_label("Key", "v", NULL) < 0);
    assert_int_equal(docker_check_label("my.key-1_x", "any value", NULL), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_are_written_as_kurtosis_writes_them),
        cmocka_unit_test(ports_that_cannot_be_are_refused),
        cmocka_unit_test(a_number_serves_two_transports),
        cmocka_unit_test(labels_of_older_versions_are_read),
        cmocka_unit_test(what_is_no_port_label_is_refused),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
