/*  auth: image references and registry credentials. */
#include "docker-driver/api.h"
#include "docker-driver/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

static void
references_come_apart(void **state)
{
    (void)state;
    static const struct {
        const char *image, *host, *name, *tag, *full;
    } cases[] = {
        {"nginx", "docker.io", "nginx", "latest", "nginx:latest"},
        {"nginx:1.25", "docker.io", "nginx", "1.25", "nginx:1.25"},
        {"team/app", "docker.io", "team/app", "latest", "team/app:latest"},
        {"localhost/app:1", "localhost", "localhost/app", "1", "localhost/app:1"},
        {"127.0.0.1:5000/app", "127.0.0.1:5000", "127.0.0.1:5000/app", "latest",
         "127.0.0.1:5000/app:latest"},
        {"reg.example.com:5000/a/b:v2", "reg.example.com:5000", "reg.example.com:5000/a/b", "v2",
         "reg.example.com:5000/a/b:v2"},
        {"nginx@sha256:abcd", "docker.io", "nginx@sha256:abcd", "", "nginx@sha256:abcd"},
        {"nginx:1@sha256:abcd", "docker.io", "nginx:1@sha256:abcd", "", "nginx:1@sha256:abcd"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        docker_reference_t reference = {0};
        assert_int_equal(docker_reference_parse(cases[i].image, &reference, NULL), 0);
        assert_string_equal(reference.host, cases[i].host);
        assert_string_equal(reference.name, cases[i].name);
        assert_string_equal(reference.tag, cases[i].tag);
        AUTO_FREE char *full = docker_reference_full(&reference);
        assert_string_equal(full, cases[i].full);
        docker_reference_done(&reference);
    }
}

static void
what_is_no_reference_is_refused(void **state)
{
    (void)state;
    static const char *const images[] = {"",     "a b",   "nginx:", "/nginx",      "a//b",
                                         "../x", "x?y=1", "nginx/", "ngin\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        docker_reference_t reference = {0};
        AUTO(err) err = NULL;
        assert_true(docker_reference_parse(images[i], &reference, &err) < 0);
        assert_int_equal(err_code(err), ERR_INVALID);
    }
}

/* The JSON in a header. */
static json_t *
decoded(const char *header)
{
    char text[2000] = "";
    size_t size = 0;
    assert_non_null(header);
    assert_int_equal(sodium_base642bin((unsigned char *)text, sizeof text, header, strlen(header),
                                       NULL, &size, NULL, sodium_base64_VARIANT_URLSAFE),
                     0);
    return json_loadb(text, size, 0, NULL);
}

static void
credentials_are_found_however_the_host_is_written(void **state)
{
    (void)state;
    /* "bWU6cGE6c3M=" is "me:pa:ss". */
    static const struct {
        const char *config, *host, *username, *password; /* NULL: none */
    } cases[] = {
        {"{\"auths\":{\"reg.io\":{\"auth\":\"bWU6cGE6c3M=\"}}}", "reg.io", "me", "pa:ss"},
        {"{\"auths\":{\"https://reg.io\":{\"auth\":\"bWU6cGE6c3M=\"}}}", "reg.io", "me", "pa:ss"},
        {"{\"auths\":{\"https://reg.io:5000/v2/\":{\"auth\":\"bWU6cGE6c3M=\"}}}", "reg.io:5000",
         "me", "pa:ss"},
        {"{\"auths\":{\"https://index.docker.io/v1/\":{\"username\":\"u\",\"password\":\"p\"}}}",
         "docker.io", "u", "p"},
        {"{\"auths\":{\"reg.io\":{\"auth\":\"!!\"}}}", "reg.io", NULL, NULL},
        {"{\"auths\":{\"reg.io\":{}}}", "reg.io", NULL, NULL},
        {"{\"auths\":{\"other.io\":{\"auth\":\"bWU6cGE6c3M=\"}}}", "reg.io", NULL, NULL},
        {"{\"auths\":7}", "reg.io", NULL, NULL},
        {"not json", "reg.io", NULL, NULL},
        {"", "reg.io", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *header = docker_auth_from_config(cases[i].config, cases[i].host);
        if (!cases[i].username) {
            assert_null(header);
            continue;
        }
        AUTO_JSON *auth = decoded(header);
        assert_string_equal(docker_text(auth, "username"), cases[i].username);
        assert_string_equal(docker_text(auth, "password"), cases[i].password);
        assert_string_equal(docker_text(auth, "serveraddress"), cases[i].host);
    }
}

static void
given_credentials_win(void **state)
{
    (void)state;
    AUTO_FREE char *header = docker_auth_header("reg.io", "me", "secret");
    AUTO_JSON *auth = decoded(header);
    assert_string_equal(docker_text(auth, "password"), "secret");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_come_apart),
        cmocka_unit_test(what_is_no_reference_is_refused),
        cmocka_unit_test(credentials_are_found_however_the_host_is_written),
        cmocka_unit_test(given_credentials_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
