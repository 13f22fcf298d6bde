/*  refusal: Docker's words become errors that say what to do. */
#include "docker-driver/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void
known_refusals_say_what_to_do(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        docker_reason_t reason;
        err_code_t code;
        const char *says;
    } cases[] = {
        {404, "{\"message\":\"No such image: a:1\"}", DOCKER_NO_IMAGE, ERR_NOT_FOUND,
         "pull it first"},
        {404, "{\"message\":\"network kt-x not found\"}", DOCKER_NO_NETWORK, ERR_NOT_FOUND,
         "network kt-x not found"},
        {500,
         "{\"message\":\"driver failed programming external connectivity on endpoint x (ab): Bind "
         "for 0.0.0.0:8080 failed: "
         "port is already allocated\"}",
         DOCKER_PORT_TAKEN, ERR_STATE, "publish another port"},
        {500,
         "{\"message\":\"driver failed: Error starting userland proxy: listen tcp4 0.0.0.0:81: "
         "bind: address already in use\"}",
         DOCKER_PORT_TAKEN, ERR_STATE, "publish another port"},
        {500,
         "{\"message\":\"driver failed programming external connectivity on endpoint x (ab): Error "
         "starting userland proxy: protocol not supported\"}",
         DOCKER_OTHER, ERR_UNSUPPORTED, "modprobe sctp"},
        {403, "{\"message\":\"Address already in use\"}", DOCKER_ADDRESS_TAKEN, ERR_STATE,
         "another container has this address"},
        {403, "{\"message\":\"Pool overlaps with other one on this address space\"}",
         DOCKER_POOL_OVERLAP, ERR_STATE, "covers"},
        {409, "{\"message\":\"network with name kt-a already exists\"}", DOCKER_NETWORK_TAKEN,
         ERR_EXISTS, "already exists"},
        {409,
         "{\"message\":\"Conflict. The container name \\\"/x\\\" is already in use by container "
         "\\\"1\\\". You have to remove\"}",
         DOCKER_NAME_TAKEN, ERR_EXISTS, "already in use"},
        {409, "{\"message\":\"removal of container 1 is already in progress\"}",
         DOCKER_BEING_REMOVED, ERR_STATE, "in progress"},
        {403, "{\"message\":\"error while removing network: network x has active endpoints\"}",
         DOCKER_ENDPOINTS, ERR_STATE, "disconnect"},
        {409, "{\"message\":\"Container 1 is not running\"}", DOCKER_NOT_RUNNING, ERR_STATE,
         "start it first"},
        {500, "{\"message\":\"write /x: no space left on device\"}", DOCKER_NO_SPACE, ERR_LIMIT,
         "docker system prune"},
        {500, "{\"message\":\"something new\"}", DOCKER_OTHER, ERR_UNKNOWN,
         "Docker says 'something new'"},
        {503, "no JSON here\nsecond line", DOCKER_OTHER, ERR_UNAVAILABLE,
         "Docker says 'no JSON here'"},
        {500, "", DOCKER_OTHER, ERR_UNKNOWN, "Docker answered 500 without saying why"},
        {401, "[]", DOCKER_OTHER, ERR_DENIED, "'[]'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) err = NULL;
        assert_int_equal(docker_refusal(cases[i].status, cases[i].body, &err), -1);
        assert_int_equal(err_code(err), cases[i].code);
        assert_non_null(strstr(err_text(err), cases[i].says));
        err_wrap(&err, "cannot do it");
        assert_int_equal(docker_reason(err), cases[i].reason);
    }
    assert_int_equal(docker_reason(NULL), DOCKER_OTHER);
}

static void
the_port_in_use_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned port;
    } cases[] = {
        {"cannot listen on the TCP port: listen tcp4 :41061: bind: address already in use", 41061},
        {"Bind for 0.0.0.0:8080 failed: port is already allocated", 8080},
        {"listen tcp4 127.0.0.1:9720: bind: address already in use", 9720},
        {"listen tcp6 [::]:53: bind: address already in use", 53},
        {"Bind for 0.0.0.0:99999 failed: port is already allocated", 0},
        {"port is already allocated", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) err = NULL;
        docker_refusal_text(500, cases[i].text, &err);
        assert_int_equal(docker_taken_port(err), cases[i].port);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_refusals_say_what_to_do),
        cmocka_unit_test(the_port_in_use_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
