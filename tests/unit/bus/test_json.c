#include "bus/bus.h"
#include "bus/json_text.h"
#include "bus/schema/api_container.pb-c.h"
#include "bus/schema/bus.pb-c.h"
#include "bus/schema/engine.pb-c.h"
#include "filler.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define EXEC_REPLY &api_container_api__exec_command_response__descriptor
#define EXEC_ARGS &api_container_api__exec_command_args__descriptor
#define FILE_ENTRY &api_container_api__file_artifact_contents_file_description__descriptor
#define TOLERATION &api_container_api__toleration__descriptor
#define ENCLAVES &engine_api__get_enclaves_response__descriptor
#define ENCLAVE &engine_api__enclave_info__descriptor
#define LINE &api_container_api__starlark_run_response_line__descriptor
#define RESULT &api_container_api__starlark_instruction_result__descriptor
#define CHUNK &api_container_api__streamed_data_chunk__descriptor
#define GPU &api_container_api__gpu_config__descriptor
#define RUN &api_container_api__get_starlark_run_response__descriptor
#define LOGS_ARGS &engine_api__get_service_logs_args__descriptor
#define LOG_LINE &engine_api__log_line__descriptor
#define HELLO &bus__hello__descriptor

static int
decode(const ProtobufCMessageDescriptor *type, const char *text, ProtobufCMessage **ret,
       err_t **err)
{
    /* Without a NUL at the end, so that a sanitizer sees a read past it. */
    size_t size = strlen(text);
    AUTO_FREE char *exact = malloc(size ? size : 1);
    memcpy(exact, text, size);
    return bus_json_unpack(type, exact, size, ret, err);
}

static void
both_spellings_of_every_kind_of_value_are_read_and_the_canonical_one_is_written(void **state)
{
    (void)state;
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *in, *out;
    } cases[] = {
        {EXEC_REPLY, "{}", "{}"},
        {EXEC_REPLY, " {\"exitCode\" : -3 , \"log_output\":\"a\"} ",
         "{\"exitCode\":-3,\"logOutput\":\"a\"}"},
        {EXEC_REPLY, "{\"exit_code\":\"7\",\"logOutput\":null,\"other\":[1,{\"a\":null}]}",
         "{\"exitCode\":7}"},
        {EXEC_REPLY, "{\"exitCode\":1e2}", "{\"exitCode\":100}"},
        {EXEC_REPLY, "{\"exitCode\":5.0}", "{\"exitCode\":5}"},
        {EXEC_REPLY, "{\"exitCode\":-2147483648}", "{\"exitCode\":-2147483648}"},
        {EXEC_REPLY, "{\"logOutput\":\"\\u0041\\n\\t\\\"\\\\\\/\\u0001\\u00e4\\ud83d\\ude00\"}",
         "{\"logOutput\":\"A\\n\\t\\\"\\\\/\\u0001\xc3\xa4\xf0\x9f\x98\x80\"}"},
        {EXEC_ARGS, "{\"commandArgs\":[\"a\",\"\",\"b\"]}", "{\"commandArgs\":[\"a\",\"\",\"b\"]}"},
        {EXEC_ARGS, "{\"commandArgs\":[]}", "{}"},
        {FILE_ENTRY, "{\"size\":\"18446744073709551615\"}", "{\"size\":\"18446744073709551615\"}"},
        {FILE_ENTRY, "{\"size\":12}", "{\"size\":\"12\"}"},
        {FILE_ENTRY, "{\"textPreview\":\"\"}", "{\"textPreview\":\"\"}"},
        {TOLERATION, "{\"tolerationSeconds\":\"-9223372036854775808\"}",
         "{\"tolerationSeconds\":\"-9223372036854775808\"}"},
        {TOLERATION, "{\"tolerationSeconds\":9223372036854775807}",
         "{\"tolerationSeconds\":\"9223372036854775807\"}"},
        {GPU, "{\"ulimits\":{\"memlock\":\"-1\",\"nofile\":1024}}",
         "{\"ulimits\":{\"memlock\":\"-1\",\"nofile\":\"1024\"}}"},
        {LOGS_ARGS, "{\"serviceUuidSet\":{\"u1\":true,\"u2\":false},\"numLogLines\":0}",
         "{\"serviceUuidSet\":{\"u1\":true,\"u2\":false},\"numLogLines\":0}"},
        {LOGS_ARGS,
         "{\"conjunctiveFilters\":[{\"operator\":\"LogLineOperator_DOES_CONTAIN_MATCH_REGEX\"},"
         "{\"operator\":1},{\"operator\":77}]}",
         "{\"conjunctiveFilters\":[{\"operator\":\"LogLineOperator_DOES_CONTAIN_MATCH_REGEX\"},"
         "{\"operator\":\"LogLineOperator_DOES_NOT_CONTAIN_TEXT\"},{\"operator\":77}]}"},
        {ENCLAVES,
         "{\"enclaveInfo\":{\"u\":{\"name\":\"x\",\"containersStatus\":\"EnclaveContainersStatus_"
         "RUNNING\"},"
         "\"v\":{}}}",
         "{\"enclaveInfo\":{\"u\":{\"name\":\"x\",\"containersStatus\":\"EnclaveContainersStatus_"
         "RUNNING\"},"
         "\"v\":{}}}"},
        {ENCLAVE, "{\"creationTime\":\"1972-01-01T10:00:20.021Z\"}",
         "{\"creationTime\":\"1972-01-01T10:00:20.021Z\"}"},
        {RESULT, "{\"executionDuration\":\"1.50s\"}", "{\"executionDuration\":\"1.500s\"}"},
        {LINE, "{\"info\":{}}", "{\"info\":{}}"},
        {LINE, "{\"info\":null,\"warning\":{\"warningMessage\":\"w\"}}",
         "{\"warning\":{\"warningMessage\":\"w\"}}"},
        {CHUNK, "{\"data\":\"/+8=\"}", "{\"data\":\"/+8=\"}"},
        {CHUNK, "{\"data\":\"_-8\"}", "{\"data\":\"/+8=\"}"},
        {CHUNK, "{\"data\":\"\"}", "{}"},
        {RUN,
         "{\"experimentalFeatures\":[0,\"NO_INSTRUCTIONS_CACHING\"],\"restartPolicy\":\"ALWAYS\"}",
         "{\"experimentalFeatures\":[\"NO_INSTRUCTIONS_CACHING\",\"NO_INSTRUCTIONS_CACHING\"],"
         "\"restartPolicy\":\"ALWAYS\"}"},
        {&engine_api__get_existing_and_historical_enclave_identifiers_response__descriptor,
         "{\"allIdentifiers\":[{\"enclaveUuid\":\"u\"}]}",
         "{\"allIdentifiers\":[{\"enclaveUuid\":\"u\"}]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_MESSAGE ProtobufCMessage *msg = NULL;
        AUTO(err) err = NULL;
        assert_int_equal(decode(cases[i].type, cases[i].in, &msg, &err), 0);
        AUTO_FREE char *out = bus_json_pack(msg, false);
        assert_string_equal(out, cases[i].out);
    }
}

static void
names_of_the_schema_are_written_on_request(void **state)
{
    (void)state;
    AUTO_MESSAGE ProtobufCMessage *msg = NULL;
    assert_int_equal(
        decode(ENCLAVES, "{\"enclaveInfo\":{\"aB\":{\"apiContainerStatus\":1}}}", &msg, NULL), 0);
    AUTO_FREE char *out = bus_json_pack(msg, true);
    assert_string_equal(out, "{\"enclave_info\":{\"aB\":{\"api_container_status\":"
                             "\"EnclaveAPIContainerStatus_RUNNING\"}}}");
}

static void
wrong_values_are_refused_with_the_path_of_their_field(void **state)
{
    (void)state;
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *text, *error;
    } cases[] = {
        {EXEC_REPLY, "[]", "expected object, got list"},
        {EXEC_REPLY, "null", "expected object, got null"},
        {EXEC_REPLY, "{\"exitCode\":true}", "exit_code: expected integer, got bool"},
        {EXEC_REPLY, "{\"exitCode\":1.5}", "exit_code: expected integer, got 1.5"},
        {EXEC_REPLY, "{\"exitCode\":\"\"}", "exit_code: expected integer, got ''"},
        {EXEC_REPLY, "{\"exitCode\":\"1x\"}", "exit_code: expected integer, got '1x'"},
        {EXEC_REPLY, "{\"exitCode\":\" 1\"}", "exit_code: expected integer, got ' 1'"},
        {EXEC_REPLY, "{\"exitCode\":\"-\"}", "exit_code: expected integer, got '-'"},
        {EXEC_REPLY, "{\"exitCode\":2147483648}",
         "exit_code: expected an integer of -2147483648..2147483647, got 2147483648"},
        {EXEC_REPLY, "{\"exitCode\":1e10}",
         "exit_code: expected an integer of -2147483648..2147483647, got 10000000000"},
        {EXEC_REPLY, "{\"exitCode\":-1e300}", "exit_code: expected integer, got -1e+300"},
        {EXEC_REPLY, "{\"logOutput\":7}", "log_output: expected string, got integer"},
        {EXEC_REPLY, "{\"exitCode\":1,\"exit_code\":2}", "exit_code: the field is there twice"},
        {EXEC_REPLY, "{\"logOutput\":\"\",\"log_output\":\"\"}",
         "log_output: the field is there twice"},
        {FILE_ENTRY, "{\"size\":-1}",
         "size: expected an integer of 0..18446744073709551615, got -1"},
        {FILE_ENTRY, "{\"size\":\"18446744073709551616\"}",
         "size: expected integer, got '18446744073709551616'"},
        {TOLERATION, "{\"tolerationSeconds\":\"-9223372036854775809\"}",
         "toleration_seconds: expected integer, got '-9223372036854775809'"},
        {EXEC_ARGS, "{\"commandArgs\":[\"a\",null]}", "command_args[1]: expected string, got null"},
        {EXEC_ARGS, "{\"commandArgs\":\"a\"}", "command_args: expected list, got string"},
        {ENCLAVES, "{\"enclaveInfo\":[]}", "enclave_info: expected object, got list"},
        {ENCLAVES, "{\"enclaveInfo\":{\"u\":{\"name\":1}}}",
         "enclave_info[\"u\"].name: expected string, got integer"},
        {ENCLAVES, "{\"enclaveInfo\":{\"u\":null}}",
         "enclave_info[\"u\"]: expected object, got null"},
        {ENCLAVE, "{\"mode\":\"LOUD\"}", "mode: 'LOUD' is no value of EnclaveMode"},
        {ENCLAVE, "{\"mode\":[]}", "mode: expected enum, got list"},
        {ENCLAVE, "{\"creationTime\":\"now\"}",
         "creation_time: expected a time, e.g. \"2026-01-31T10:20:30Z\", got 'now'"},
        {RESULT, "{\"executionDuration\":\"1.5\"}",
         "execution_duration: expected a duration, e.g. \"1.5s\", got '1.5'"},
        {RESULT, "{\"executionDuration\":{}}",
         "execution_duration: expected a duration, e.g. \"1.5s\", got object"},
        {LINE, "{\"info\":{},\"warning\":{}}",
         "warning: only one of 'info' and 'warning' can be set"},
        {CHUNK, "{\"data\":\"a\"}", "data: the string is not base64"},
        {CHUNK, "{\"data\":\"ab=c\"}", "data: the string is not base64"},
        {CHUNK, "{\"data\":7}", "data: expected base64, got integer"},
        {LOGS_ARGS, "{\"followLogs\":1}", "follow_logs: expected bool, got integer"},
        {HELLO, "{\"publicKey\":\"?\"}", "public_key: the string is not base64"},
        {EXEC_REPLY, "{\"exitCode\":}", "line 1, column 13: unexpected token near '}'"},
        {EXEC_REPLY, "{} {}", "line 1, column 4: end of file expected near '{'"},
        {EXEC_REPLY, "", "line 1, column 0: unexpected token near end of file"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) err = NULL;
        ProtobufCMessage *msg = NULL;
        assert_true(decode(cases[i].type, cases[i].text, &msg, &err) < 0);
        assert_null(msg);
        assert_int_equal(err_code(err), ERR_INVALID);
        assert_non_null(err_cause(err));
        assert_string_equal(err_text(err_cause(err)), cases[i].error);
    }
}

static void
costly_texts_are_refused_before_they_are_read(void **state)
{
    (void)state;
    struct {
        const char *repeated;
        size_t times;
        const char *before, *after;
        bool is_fine;
    } cases[] = {
        {"[", BUS_DEPTH_MAX - 1, "{\"new\":", "", false}, /* as deep as allowed, but not closed */
        {"[", 1000000, "{\"new\":", "", false},
        {"{\"a\":", 1000000, "", "", false},
        {"0,", BUS_JSON_VALUES_MAX + 1, "{\"new\":[", "0]}", false},
        {"0,", BUS_JSON_VALUES_MAX - 10, "{\"new\":[", "0]}", true},
        {"[,{\\\"", 300000, "{\"new\":\"", "\"}", true}, /* within a string nothing counts */
        {"x", BUS_BODY_MAX, "{\"new\":\"", "\"}", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_STR text = STR_EMPTY;
        AUTO_MESSAGE ProtobufCMessage *msg = NULL;
        AUTO(err) err = NULL;
        str_add(&text, cases[i].before);
        for (size_t j = 0; j < cases[i].times; j++)
            str_add(&text, cases[i].repeated);
        str_add(&text, cases[i].after);
        int result = decode(EXEC_REPLY, text.data, &msg, &err);
        assert_int_equal(result == 0, cases[i].is_fine);
        if (i > 0 && !cases[i].is_fine)
            assert_int_equal(err_code(err), ERR_LIMIT);
    }
}

static void
times_are_read_and_written_over_their_whole_range(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int64_t seconds;
        int32_t nanos;
        const char *out;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, 0, NULL},
        {"2000-02-29T12:34:56.789Z", 951827696, 789000000, NULL},
        {"0001-01-01T00:00:00Z", -62135596800, 0, NULL},
        {"9999-12-31T23:59:59.999999999Z", 253402300799, 999999999, NULL},
        {"1969-12-31T23:59:59.500Z", -1, 500000000, NULL},
        {"2026-01-31T10:20:30.000001Z", 1769854830, 1000, NULL},
        {"1972-01-01T10:00:20+01:30", 63102620, 0, "1972-01-01T08:30:20Z"},
        {"1972-01-01T10:00:20.1-00:01", 63108080, 100000000, "1972-01-01T10:01:20.100Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t seconds;
        int32_t nanos;
        AUTO_STR out = STR_EMPTY;
        assert_true(json_timestamp_get(cases[i].in, &seconds, &nanos));
        assert_int_equal(seconds, cases[i].seconds);
        assert_int_equal(nanos, cases[i].nanos);
        json_timestamp_put(&out, seconds, nanos);
        assert_string_equal(out.data, cases[i].out ? cases[i].out : cases[i].in);
    }
    static const char *const wrong[] = {
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-13-01T00:00:00Z",
        "1970-02-29T00:00:00Z",
        "1970-00-10T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00+1:00",
        "1970-01-01T00:00:00+24:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "1970-01-01t00:00:00z",
        "1970-01-01T00:00:00Zx",
        "12345-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        int64_t seconds;
        int32_t nanos;
        assert_false(json_timestamp_get(wrong[i], &seconds, &nanos));
    }
    AUTO_STR out = STR_EMPTY;
    json_timestamp_put(&out, INT64_MAX, -5);
    str_add(&out, " ");
    json_timestamp_put(&out, INT64_MIN, INT32_MAX);
    assert_string_equal(out.data, "9999-12-31T23:59:59.999999999Z 0001-01-01T00:00:00Z");
}

static void
durations_are_read_and_written_over_their_whole_range(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int64_t seconds;
        int32_t nanos;
        const char *out;
    } cases[] = {
        {"0s", 0, 0, NULL},
        {"1s", 1, 0, NULL},
        {"-1.500s", -1, -500000000, NULL},
        {"-0.000000001s", 0, -1, NULL},
        {"3.000001s", 3, 1000, NULL},
        {"1.5s", 1, 500000000, "1.500s"},
        {"-0s", 0, 0, "0s"},
        {"315576000000s", 315576000000, 0, NULL},
        {"-315576000000s", -315576000000, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t seconds;
        int32_t nanos;
        AUTO_STR out = STR_EMPTY;
        assert_true(json_duration_get(cases[i].in, &seconds, &nanos));
        assert_int_equal(seconds, cases[i].seconds);
        assert_int_equal(nanos, cases[i].nanos);
        json_duration_put(&out, seconds, nanos);
        assert_string_equal(out.data, cases[i].out ? cases[i].out : cases[i].in);
    }
    static const char *const wrong[] = {"",
                                        "s",
                                        "1",
                                        "1.s",
                                        ".5s",
                                        "+1s",
                                        "1ms",
                                        "1 s",
                                        "--1s",
                                        "315576000001s",
                                        "315576000000.1s",
                                        "99999999999999999999999s",
                                        "1.0000000001s"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        int64_t seconds;
        int32_t nanos;
        assert_false(json_duration_get(wrong[i], &seconds, &nanos));
    }
    AUTO_STR out = STR_EMPTY;
    json_duration_put(&out, INT64_MIN, INT32_MIN);
    assert_string_equal(out.data, "-315576000000s");
}

/* Days from year 1 to 9999, through every day of a month and month of a year: each has one text,
 * and that text is it. */
static void
every_date_has_one_text(void **state)
{
    (void)state;
    AUTO_STR before = STR_EMPTY;
    for (int64_t day = -719162; day <= 2932896; day += 17) {
        AUTO_STR text = STR_EMPTY;
        int64_t seconds;
        int32_t nanos;
        json_timestamp_put(&text, day * 86400, 0);
        assert_true(strcmp(before.data, text.data) < 0);
        assert_true(json_timestamp_get(text.data, &seconds, &nanos));
        assert_true(seconds == day * 86400);
        str_clear(&before);
        str_add(&before, text.data);
    }
}

static void
base64_of_any_bytes_comes_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t size = 0; size < ARRAY_LEN(texts); size++) {
        AUTO_STR text = STR_EMPTY;
        json_base64_put(&text, (const uint8_t *)"foobar", size);
        assert_string_equal(text.data, texts[size]);
    }
    uint64_t seed = 3;
    for (size_t size = 0; size < 300; size++) {
        uint8_t bytes[300], back[JSON_BASE64_SPACE(400) + 3];
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)filler_next(&seed);
        AUTO_STR text = STR_EMPTY;
        size_t back_size;
        json_base64_put(&text, bytes, size);
        assert_true(json_base64_get(text.data, text.len, back, &back_size));
        assert_int_equal(back_size, size);
        assert_memory_equal(back, bytes, size);
    }
    static const char *const wrong[] = {
        "A", "AAAAA", "=", "====", "A===", "AA=", "AAA==", "AA==A", "A*AA", "AA AA"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        uint8_t out[16];
        size_t size;
        assert_false(json_base64_get(wrong[i], strlen(wrong[i]), out, &size));
    }
}

static void
text_that_is_no_utf8_is_cleaned_on_the_way_out(void **state)
{
    (void)state;
    ApiContainerApi__ExecCommandResponse reply = API_CONTAINER_API__EXEC_COMMAND_RESPONSE__INIT;
    reply.log_output = "a\xff\"";
    AUTO_FREE char *text = bus_json_pack(&reply.base, false);
    assert_string_equal(text, "{\"logOutput\":\"a\xef\xbf\xbd\\\"\"}");
}

static void
a_text_cut_anywhere_is_refused(void **state)
{
    (void)state;
    size_t count;
    const ProtobufCMessageDescriptor *const *types = bus_messages(&count);
    for (size_t i = 0; i < count; i++) {
        AUTO_MESSAGE ProtobufCMessage *msg = filler_sample(types[i]);
        AUTO_FREE char *text = bus_json_pack(msg, false);
        for (size_t size = 0, len = strlen(text); size<len; size += size> 200 ? 17 : 1) {
            ProtobufCMessage *cut = NULL;
            AUTO_FREE char *start = strndup(text, size);
            assert_true(decode(types[i], start, &cut, NULL) < 0);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            both_spellings_of_every_kind_of_value_are_read_and_the_canonical_one_is_written),
        cmocka_unit_test(names_of_the_schema_are_written_on_request),
        cmocka_unit_test(wrong_values_are_refused_with_the_path_of_their_field),
        cmocka_unit_test(costly_texts_are_refused_before_they_are_read),
        cmocka_unit_test(times_are_read_and_written_over_their_whole_range),
        cmocka_unit_test(durations_are_read_and_written_over_their_whole_range),
        cmocka_unit_test(every_date_has_one_text),
        cmocka_unit_test(base64_of_any_bytes_comes_back),
        cmocka_unit_test(text_that_is_no_utf8_is_cleaned_on_the_way_out),
        cmocka_unit_test(a_text_cut_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
