#include "tests/unit/cli/support.h"

#include "base/file.h"
#include "bus/bus.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "cli/output.h"
#include "cli/package.h"
#include "cli/service_config.h"
#include "cli/starlark.h"
#include "cli/tree.h"

#include <sys/stat.h>

static void
tables_are_padded_by_three_and_the_last_column_is_not(void **state)
{
    (void)state;
    static const char *const header[] = {"UUID", "Name", "Status"};
    out_table_t table;
    AUTO_STR text = STR_EMPTY;
    out_table_init(&table, 3);
    out_table_header(&table, header);
    static const char *const cells[] = {"0123456789ab", "blue",   "RUNNING", "x",
                                        "größer",       "STOPPED"};
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        out_table_add(&table, i == 2 ? OUT_GREEN : OUT_PLAIN, cells[i]);
    out_table_write(&table, false, &text);
    assert_text(text.data, "UUID           Name     Status\n"
                           "0123456789ab   blue     RUNNING\n"
                           "x              größer   STOPPED\n");
    str_clear(&text);
    out_table_write(&table, true, &text);
    assert_non_null(strstr(text.data, "\033[1mUUID\033[0m           \033[1mName\033[0m"));
    assert_non_null(strstr(text.data, "\033[0mblue\033[0m     \033[32mRUNNING\033[0m\n"));
    out_table_done(&table);
}

static void
sizes_and_times_are_for_people(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *wanted;
    } rows[] = {{7, "   7"},
                {1023, "1023"},
                {1536, "1.5K"},
                {3145728, "3.0M"},
                {UINT64_C(1) << 50, "1.0P"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR text = STR_EMPTY;
        out_size(&text, rows[i].bytes);
        assert_text(text.data, rows[i].wanted);
    }
    AUTO_STR time = STR_EMPTY;
    setenv("TZ", "UTC0", 1);
    out_time(&time, 1136214245);
    assert_text(time.data, "Mon, 02 Jan 2006 15:04:05 UTC");
}

static void
errors_lose_positions_and_are_indented(void **state)
{
    (void)state;
    static const struct {
        const char *in, *wanted;
    } rows[] = {
        {"one line", "one line"},
        {"a\n --- at /x/y.go:12 (f.g) ---\nCaused by: b", "a\n  Caused by: b"},
        {"a\n --- at y.c:3 ---\nb", "a\n   --- at y.c:3 ---\n  b"}, /* no function: no position */
        {"a\n--- at C:/y.c:3 (f) ---\n\t--- at y.c: (f)--- \nb", "a\n  b"},
        {"a\n--- at (x): b ---\n--- at y (f: 3) ---", "a\n  --- at (x): b ---\n  --- at y (f: 3) ---"},
        {"a\n--- at y.c:3 (f) --\n--- at ---", "a\n  --- at y.c:3 (f) --\n  --- at ---"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *text = out_clean_error(rows[i].in);
        assert_text(text, rows[i].wanted);
    }
    AUTO(err) err = NULL;
    err_fail(&err, ERR_INVALID, "inner");
    err_wrap(&err, "outer");
    AUTO_FREE char *text = out_error_text(err);
    assert_text(text, "outer\n  Caused by: inner");
}

/* ---- enclave inspect */

static void
services_are_listed_by_name_with_a_row_a_port(void **state)
{
    (void)state;
    static const char json[] =
        "{\"service_info\": {\"web\": {\"service_uuid\": \"0123456789abcdef0123456789abcdef\", "
        "\"name\": \"web\","
        "\"private_ports\": {\"z\": {\"number\": 53, \"transport_protocol\": \"UDP\"}, \"http\": "
        "{\"number\": 80, "
        "\"maybe_application_protocol\": \"http\"}}, \"maybe_public_ip_addr\": \"127.0.0.1\","
        "\"maybe_public_ports\": {\"http\": {\"number\": 32768}}, \"container\": {\"status\": "
        "\"RUNNING\"}},"
        "\"api\": {\"service_uuid\": \"fedcba9876543210fedcba9876543210\", \"name\": \"api\", "
        "\"container\": {}}}}";
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *services = NULL;
    AUTO(err) err = NULL;
    AUTO_STR text = STR_EMPTY;
    assert_done(bus_json_unpack(&api_container_api__get_services_response__descriptor, json,
                                strlen(json), (ProtobufCMessage **)&services, &err),
                err);
    inspect_title(&text, "User Services");
    inspect_services(&text, services, false, false);
    assert_text(text.data,
                "========================================== User Services "
                "==========================================\n"
                "UUID           Name   Ports                                    Status\n"
                "fedcba987654   api    <none>                                   STOPPED\n"
                "0123456789ab   web    http: 80/tcp -> http://127.0.0.1:32768   RUNNING\n"
                "                      z: 53/udp                                \n");
}

static void
port_formats_are_put_together_and_checked(void **state)
{
    (void)state;
    ApiContainerApi__Port port = API_CONTAINER_API__PORT__INIT;
    port.number = 123;
    static const struct {
        const char *format, *application, *wanted, *says;
    } rows[] = {
        {"protocol,ip,number", "http", "http://127.0.0.1:123", NULL},
        {"protocol,ip,number", "", "127.0.0.1:123", NULL},
        {"ip,number", "http", "127.0.0.1:123", NULL},
        {"protocol,number,ip", "http", "http://:123127.0.0.1", NULL},
        {"number", "http", "123", NULL},
        {"ip", "http", "127.0.0.1", NULL},
        {"protocol", "http", "http", NULL},
        {"ip,protocol", "http", NULL, "Found 'ip' before 'protocol'"},
        {"number,ip", "http", NULL, "Found 'number' before 'ip'"},
        {"port", "http", NULL, "Invalid format piece 'port'"},
        {"", "http", NULL, "Invalid format piece ''"},
        {"ip,", "http", NULL, "Invalid format piece ''"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR text = STR_EMPTY;
        AUTO(err) err = NULL;
        port.maybe_application_protocol = (char *)rows[i].application;
        int result = port_format(rows[i].format, &port, &text, &err);
        AUTO_FREE char *why = err_string(err);
        if (rows[i].wanted ? result < 0 || strcmp(text.data, rows[i].wanted)
                           : result >= 0 || !strstr(why, rows[i].says))
            fail_msg("'%s': '%s' %s", rows[i].format, text.data, why);
    }
}

/* ---- files inspect */

static void
artifacts_are_drawn_as_a_tree(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint64_t size;
    } files[] = {{"a/", 0}, {"a/b/c.txt", 10}, {"a-b.txt", 2048}, {"./a/a.txt", 3}, {"z", 1}};
    ApiContainerApi__FileArtifactContentsFileDescription items[5], *list[5];
    for (size_t i = 0; i < 5; i++) {
        api_container_api__file_artifact_contents_file_description__init(&items[i]);
        items[i].path = (char *)files[i].path;
        items[i].size = files[i].size;
        list[i] = &items[i];
    }
    AUTO_STR text = STR_EMPTY;
    tree_write(list, 5, false, &text);
    assert_text(text.data, ".\n"
                           "├── a\n"
                           "│   ├── a.txt [   3]\n"
                           "│   └── b\n"
                           "│       └── c.txt [  10]\n"
                           "├── a-b.txt [2.0K]\n"
                           "└── z [   1]\n");
    str_clear(&text);
    tree_write(list, 0, false, &text);
    assert_text(text.data, ".\n");
}

/* ---- service add */

static void
services_of_flags_become_starlark(void **state)
{
    (void)state;
    service_flags_t flags = {.image = "nginx:1",
                             .cmd = "nginx -g  x",
                             .entrypoint = "/entry",
                             .env = "A=1,B=x=y,,C=",
                             .ports = "http=http:80/tcp,raw=7777/udp",
                             .files = "/etc/a:conf,/all:one|two",
                             .ip_address_placeholder = "IP"};
    AUTO_STR text = STR_EMPTY;
    AUTO(err) err = NULL;
    assert_done(service_config_from_flags(&flags, &text, &err), err);
    assert_text(
        text.data,
        "ServiceConfig(image = \"nginx:1\", ports = {\"http\": PortSpec(number = 80, "
        "transport_protocol = \"TCP\", application_protocol = \"http\", wait = \"30s\"), "
        "\"raw\": PortSpec(number = 7777, transport_protocol = \"UDP\", wait = \"30s\"), }, "
        "env_vars = {\"A\": \"1\", \"B\": \"x=y\", \"C\": \"\", }, files = {\"/etc/a\": \"conf\", "
        "\"/all\": Directory(artifact_names = [\"one\", \"two\", ]), }, entrypoint = [\"/entry\"], "
        "cmd = [\"nginx\", \"-g\", \"\", \"x\"], private_ip_address_placeholder = \"IP\", "
        "tini_enabled = False)");
}

static void
bad_flags_of_a_service_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *env, *ports, *files, *says;
    } rows[] = {
        {"A", "", "", "'A' is no environment variable"},
        {"=1", "", "", "'=1' is no environment variable"},
        {"A=1,A=2", "", "", "the environment variable 'A' is given twice"},
        {"", "http", "", "'http' is no port"},
        {"", "http=0", "", "'http=0' is no port"},
        {"", "http=65536", "", "'http=65536' is no port"},
        {"", "http=80/icmp", "", "'http=80/icmp' is no port"},
        {"", "http=:80", "", "'http=:80' is no port"},
        {"", "a=80,a=81", "", "the port 'a' is given twice"},
        {"", "", "/x", "'/x' are no files"},
        {"", "", ":x", "':x' are no files"},
        {"", "", "/x:a,/x:b", "the path '/x' is given twice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        service_flags_t flags = {.image = "x",
                                 .cmd = "",
                                 .entrypoint = "",
                                 .env = rows[i].env,
                                 .ports = rows[i].ports,
                                 .files = rows[i].files,
                                 .ip_address_placeholder = ""};
        AUTO_STR text = STR_EMPTY;
        AUTO(err) err = NULL;
        int result = service_config_from_flags(&flags, &text, &err);
        AUTO_FREE char *why = err_string(err);
        if (result >= 0 || !strstr(why, rows[i].says))
            fail_msg("%s: %s", rows[i].says, why);
    }
}

static void
services_of_json_become_starlark(void **state)
{
    (void)state;
    static const struct {
        const char *json, *wanted, *says;
    } rows[] = {
        {"{\"image\": \"x\", \"ports\": {\"p\": {\"number\": 1, \"transport\": 2, \"wait\": "
         "\"5s\"}}, "
         "\"files\": {\"/a\": [\"b\"]}, \"user\": {\"uid\": 5}, \"max_cpu\": 100, \"privileged\": "
         "false, "
         "\"env_vars\": {\"K\": \"q\\\"\\n\"}}",
         "ServiceConfig(image = \"x\", ports = {\"p\": PortSpec(number = 1, transport_protocol = "
         "\"UDP\", wait = \"5s\"), }, files = {\"/a\": \"b\", }, user = User(uid = 5), max_cpu = "
         "100, privileged = False, env_vars = {\"K\": \"q\\\"\\n\", })",
         NULL},
        {"{}", NULL, "needs the key 'image'"},
        {"[]", NULL, "it is no JSON object"},
        {"{", NULL, "line 1"},
        {"{\"image\": \"x\", \"imag\": 1}", NULL, "has no key 'imag'"},
        {"{\"image\": \"x\", \"ports\": {\"p\": {\"number\": 0}}}", NULL, "the port 'p' must have"},
        {"{\"image\": \"x\", \"files\": {\"/a\": []}}", NULL, "the files of '/a'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR text = STR_EMPTY;
        AUTO(err) err = NULL;
        int result = service_config_from_json(rows[i].json, &text, &err);
        AUTO_FREE char *why = err_string(err);
        if (rows[i].wanted) {
            assert_done(result, err);
            assert_text(text.data, rows[i].wanted);
        } else if (result >= 0 || !strstr(why, rows[i].says)) {
            fail_msg("%s: %s", rows[i].json, why);
        }
    }
}

static void
services_are_printed_as_json_and_yaml(void **state)
{
    (void)state;
    static const char json[] = "{\"name\": \"web\", \"private_ports\": {\"http\": {\"number\": "
                               "80}}, \"container\": {\"image_name\": \"x:1\","
                               "\"cmd_args\": [\"-f\", \"80\", \"a b\", \"no\", \"-1\", \"/etc\"], "
                               "\"env_vars\": {\"A\": \"it: \\\"x\\\"\"}}}";
    AUTO_MESSAGE ApiContainerApi__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    AUTO_STR yaml = STR_EMPTY;
    AUTO_STR text = STR_EMPTY;
    assert_done(bus_json_unpack(&api_container_api__service_info__descriptor, json, strlen(json),
                                (ProtobufCMessage **)&info, &err),
                err);
    service_config_print(info, true, &yaml);
    assert_text(yaml.data, "image: x:1\nports:\n  http:\n    number: 80\n    transport: 0\ncmd:\n- "
                           "-f\n- \"80\"\n- \"a b\"\n"
                           "- \"no\"\n- \"-1\"\n- /etc\nenv_vars:\n  A: \"it: \\\"x\\\"\"\n");
    service_config_print(info, false, &text);
    assert_true(str_starts(
        text.data,
        "{\n  \"image\": \"x:1\",\n  \"ports\": {\n    \"http\": {\n      \"number\": 80,"));
}

/* ---- run */

static void
what_is_to_be_run_is_told_apart(void **state)
{
    (void)state;
    char folder[] = "/tmp/kurtosis-cli-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    static const char *const files[] = {"main.star", "notes.txt", "pkg/kurtosis.yml",
                                        "compose/compose.yml"};
    static const char *const folders[] = {"pkg", "compose", "empty"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        mkdir(folders[i], 0755);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        FILE *file = fopen(files[i], "w");
        fputs("text", file);
        fclose(file);
    }
    static const struct {
        const char *argument;
        int kind;
        const char *says;
    } rows[] = {
        {"main.star", PACKAGE_SCRIPT, NULL},
        {"pkg", PACKAGE_FOLDER, NULL},
        {"pkg/", PACKAGE_FOLDER, NULL},
        {"pkg/kurtosis.yml", PACKAGE_FOLDER, NULL},
        {"compose", PACKAGE_FOLDER, NULL},
        {"github.com/a/b@1.0", PACKAGE_REMOTE, NULL},
        {"notes.txt", 0, "its name must end in '.star'"},
        {"empty", 0, "is no package"},
        {"missing", 0, "No such file or directory"},
        {"/dev/null", 0, "neither a file nor a directory"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_PACKAGE_SOURCE source = {0};
        AUTO(err) err = NULL;
        int result = package_source_find(rows[i].argument, &source, &err);
        AUTO_FREE char *why = err_string(err);
        if (rows[i].says ? result >= 0 || !strstr(why, rows[i].says)
                         : result < 0 || (int)source.kind != rows[i].kind)
            fail_msg("'%s': %s", rows[i].argument, why);
        if (source.kind == PACKAGE_SCRIPT && !rows[i].says)
            assert_string_equal(source.script.data, "text");
        if (source.kind == PACKAGE_FOLDER && !rows[i].says)
            assert_true(str_starts(source.path, folder));
    }
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

static void
texts_are_quoted_for_starlark_and_json(void **state)
{
    (void)state;
    AUTO_STR text = STR_EMPTY;
    starlark_quote(&text, "a\"b\\c\nd\te\x01 \xc3\xa9 \xff");
    assert_text(text.data, "\"a\\\"b\\\\c\\nd\\u0009e\\u0001 \xc3\xa9 \xef\xbf\xbd\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_padded_by_three_and_the_last_column_is_not),
        cmocka_unit_test(sizes_and_times_are_for_people),
        cmocka_unit_test(errors_lose_positions_and_are_indented),
        cmocka_unit_test(services_are_listed_by_name_with_a_row_a_port),
        cmocka_unit_test(port_formats_are_put_together_and_checked),
        cmocka_unit_test(artifacts_are_drawn_as_a_tree),
        cmocka_unit_test(services_of_flags_become_starlark),
        cmocka_unit_test(bad_flags_of_a_service_are_named),
        cmocka_unit_test(services_of_json_become_starlark),
        cmocka_unit_test(services_are_printed_as_json_and_yaml),
        cmocka_unit_test(what_is_to_be_run_is_told_apart),
        cmocka_unit_test(texts_are_quoted_for_starlark_and_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
