/*  logins: from Docker's configuration and the helper programs it names. */
#include "base/file.h"
#include "docker-driver/api.h"
#include "docker-driver/credential.h"
#include "docker-driver/logins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];

static void
write_file(const char *name, const char *text)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    chmod(path, 0755);
}

static int
set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/logins-XXXXXX");
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *path = str_format("%s:%s", folder, getenv("PATH"));
    setenv("PATH", path, 1);
    setenv("DOCKER_CONFIG", folder, 1);
    unsetenv(LOGINS_FILE);
    write_file(
        "docker-credential-store",
        "#!/bin/sh\n"
        "case $1 in\n"
        "list) echo '{\"https://a.io\":\"u\",\"https://index.docker.io/v1/\":\"hub\"}' ;;\n"
        "get)\n"
        "  read -r server\n"
        "  case $server in\n"
        "  https://index.docker.io/v1/) echo '{\"Username\":\"<token>\",\"Secret\":\"tok\"}' ;;\n"
        "  https://a.io) echo '{\"Username\":\"me\",\"Secret\":\"of a\"}' ;;\n"
        "  *) echo 'credentials not found in native keychain'; exit 1 ;;\n"
        "  esac ;;\n"
        "esac\n");
    write_file("docker-credential-broken", "#!/bin/sh\necho 'the keychain is locked'\nexit 1\n");
    write_file("docker-credential-odd", "#!/bin/sh\necho 'secret-that-is-no-json'\n");
    write_file("docker-credential-endless", "#!/bin/sh\nyes secret\n");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

static void
expect(const char *host, const char *json)
{
    AUTO_JSON *login = docker_login_find(host);
    AUTO_FREE char *text =
        login ? json_dumps(login, JSON_COMPACT | JSON_SORT_KEYS) : strdup("none");
    assert_string_equal(text, json);
}

static void
hosts_are_one_however_they_are_written(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"https://index.docker.io/v1/", "docker.io"},
                                          {"registry-1.docker.io", "docker.io"},
                                          {"https://reg.io:5000/v2/", "reg.io:5000"},
                                          {"http://reg.io/", "reg.io"},
                                          {"reg.io", "reg.io"},
                                          {"127.0.0.1:5000", "127.0.0.1:5000"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *host = docker_login_host(rows[i][0]);
        assert_string_equal(host, rows[i][1]);
    }
}

static void
a_login_comes_from_a_helper_or_the_file(void **state)
{
    (void)state;
    write_file("config.json", "{\"auths\":{\"b.io\":{\"auth\":\"bWU6cGE6c3M=\"},\"a.io\":{}},"
                              "\"credsStore\":\"store\"}");
    expect("a.io", "{\"password\":\"of a\",\"serveraddress\":\"a.io\",\"username\":\"me\"}");
    expect("docker.io", "{\"identitytoken\":\"tok\",\"serveraddress\":\"docker.io\"}");
    expect("b.io", "{\"password\":\"pa:ss\",\"serveraddress\":\"b.io\",\"username\":\"me\"}");
    expect("c.io", "none");
    write_file("config.json", "{\"credHelpers\":{\"a.io\":\"store\"}}");
    expect("a.io", "{\"password\":\"of a\",\"serveraddress\":\"a.io\",\"username\":\"me\"}");
    expect("docker.io", "none");
    write_file("config.json", "this is no JSON");
    expect("a.io", "none");
}

static void
all_logins_are_found_and_problems_are_told(void **state)
{
    (void)state;
    write_file("config.json", "{\"auths\":{\"b.io\":{\"username\":\"x\",\"password\":\"y\"}},"
                              "\"credsStore\":\"store\",\"credHelpers\":{\"c.io\":\"broken\","
                              "\"d.io\":\"absent\",\"e.io\":\"odd\",\"f.io\":\"../odd\"}}");
    AUTO_STR problems = STR_EMPTY;
    AUTO_JSON *logins = docker_logins_all(&problems);
    AUTO_FREE char *text = json_dumps(logins, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(
        text, "{\"a.io\":{\"password\":\"of a\",\"serveraddress\":\"a.io\",\"username\":\"me\"},"
              "\"b.io\":{\"password\":\"y\",\"serveraddress\":\"b.io\",\"username\":\"x\"},"
              "\"docker.io\":{\"identitytoken\":\"tok\",\"serveraddress\":\"docker.io\"}}");
    assert_non_null(strstr(problems.data,
                           "'c.io': 'docker-credential-broken get' failed (exit code "
                           "1): the keychain is locked"));
    assert_non_null(strstr(problems.data, "cannot run 'docker-credential-absent'"));
    assert_non_null(strstr(problems.data, "'docker-credential-odd get' does not answer"));
    assert_non_null(strstr(problems.data, "'../odd' is no name of a credential helper"));
    assert_null(strstr(problems.data, "secret"));
}

static void
a_helper_that_prints_without_end_is_ended(void **state)
{
    (void)state;
    json_t *reply = NULL;
    AUTO(err) err = NULL;
    assert_int_equal(docker_credential_run("endless", "get", "a.io", &reply, &err), -1);
    assert_int_equal(err_code(err), ERR_LIMIT);
    AUTO_FREE char *text = err_string(err);
    assert_null(strstr(text, "secret"));
}

static void
given_logins_are_kept_in_a_file_of_the_drivers_own(void **state)
{
    (void)state;
    Orchestrator__RegistryLogin login = ORCHESTRATOR__REGISTRY_LOGIN__INIT;
    Orchestrator__RegistryLogin *list[] = {&login};
    Orchestrator__SetRegistryLoginsArgs args = ORCHESTRATOR__SET_REGISTRY_LOGINS_ARGS__INIT;
    AUTO(err) err = NULL;
    login.registry = (char *)"a.io", login.username = (char *)"given", login.password = (char *)"p";
    args.logins = list, args.n_logins = 1;
    assert_int_equal(docker_registry_logins_set(NULL, NULL, &args, &err), -1);
    assert_int_equal(err_code(err), ERR_STATE);
    AUTO_FREE char *path = str_format("%s/own.json", folder);
    setenv(LOGINS_FILE, path, 1);
    expect("a.io", "none");
    assert_int_equal(docker_registry_logins_set(NULL, NULL, &args, NULL), 0);
    expect("a.io", "{\"password\":\"p\",\"serveraddress\":\"a.io\",\"username\":\"given\"}");
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    /* Nothing in it runs a program. */
    write_file("own.json", "{\"credsStore\":\"store\"}");
    expect("a.io", "none");
    args.n_logins = 0;
    assert_int_equal(docker_registry_logins_set(NULL, NULL, &args, NULL), 0);
    expect("a.io", "none");
    unsetenv(LOGINS_FILE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_one_however_they_are_written),
        cmocka_unit_test(a_login_comes_from_a_helper_or_the_file),
        cmocka_unit_test(all_logins_are_found_and_problems_are_told),
        cmocka_unit_test(a_helper_that_prints_without_end_is_ended),
        cmocka_unit_test(given_logins_are_kept_in_a_file_of_the_drivers_own),
    };
    return cmocka_run_group_tests_name("logins", tests, set_up, tear_down);
}
