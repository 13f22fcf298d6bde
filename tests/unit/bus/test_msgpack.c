#include "bus/bus.h"
#include "bus/codec.h"
#include "bus/schema/api_container.pb-c.h"
#include "bus/schema/engine.pb-c.h"
#include "filler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack.h>

#define EXEC_REPLY &api_container_api__exec_command_response__descriptor
#define EXEC_ARGS &api_container_api__exec_command_args__descriptor
#define FILE_ENTRY &api_container_api__file_artifact_contents_file_description__descriptor
#define TOLERATION &api_container_api__toleration__descriptor
#define ENCLAVES &engine_api__get_enclaves_response__descriptor
#define LINE &api_container_api__starlark_run_response_line__descriptor
#define CHUNK &api_container_api__streamed_data_chunk__descriptor
#define SERVICE &api_container_api__service_info__descriptor

/* Bytes with NULs in them, as the initialiser of two fields. */
#define BYTES(literal) literal, sizeof(literal) - 1

static int
decode(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
       ProtobufCMessage **ret, err_t **err)
{
    /* Exactly as many bytes as there are, so that a sanitizer sees a read past the end. */
    AUTO_FREE uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, bytes, size);
    return bus_msgpack_unpack(type, exact, size, ret, err);
}

static void
assert_refused(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
               err_code_t code, const char *text)
{
    AUTO(err) err = NULL;
    ProtobufCMessage *msg = NULL;
    assert_true(decode(type, bytes, size, &msg, &err) < 0);
    assert_null(msg);
    assert_int_equal(err_code(err), code);
    assert_non_null(err_cause(err));
    assert_string_equal(err_text(err_cause(err)), text);
}

/* -------------------------------------------------------------------------------------- writing */

static void
a_message_is_a_map_of_the_fields_that_are_set(void **state)
{
    (void)state;
    ApiContainerApi__ExecCommandResponse reply = API_CONTAINER_API__EXEC_COMMAND_RESPONSE__INIT;
    AUTO_STR out = STR_EMPTY;
    bus_msgpack_pack(&reply.base, &out);
    assert_int_equal(out.len, 1);
    assert_memory_equal(out.data, "\x80", 1);

    str_clear(&out);
    reply.exit_code = -1;
    reply.log_output = "hi";
    bus_msgpack_pack(&reply.base, &out);
    static const char expected[] = "\x82\xa9"
                                   "exit_code\xff\xaalog_output\xa2hi";
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.data, expected, out.len);
}

static void
a_member_of_a_oneof_is_written_even_when_it_is_zero(void **state)
{
    (void)state;
    EngineApi__CleanArgs args = ENGINE_API__CLEAN_ARGS__INIT;
    AUTO_STR out = STR_EMPTY;
    args._should_clean_all_case = ENGINE_API__CLEAN_ARGS___SHOULD_CLEAN_ALL_SHOULD_CLEAN_ALL;
    bus_msgpack_pack(&args.base, &out);
    static const char expected[] = "\x81\xb0should_clean_all\xc2";
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.data, expected, out.len);
}

static void
a_map_is_a_map(void **state)
{
    (void)state;
    EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry entry =
        ENGINE_API__GET_SERVICE_LOGS_ARGS__SERVICE_UUID_SET_ENTRY__INIT;
    EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry *list[] = {&entry};
    EngineApi__GetServiceLogsArgs args = ENGINE_API__GET_SERVICE_LOGS_ARGS__INIT;
    AUTO_STR out = STR_EMPTY;
    entry.key = "u1";
    entry.value = 1;
    args.n_service_uuid_set = 1;
    args.service_uuid_set = list;
    bus_msgpack_pack(&args.base, &out);
    static const char expected[] = "\x81\xb0service_uuid_set\x81\xa2u1\xc3";
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.data, expected, out.len);
}

static void
text_that_is_no_utf8_is_cleaned_on_the_way_out(void **state)
{
    (void)state;
    ApiContainerApi__ExecCommandResponse reply = API_CONTAINER_API__EXEC_COMMAND_RESPONSE__INIT;
    AUTO_STR out = STR_EMPTY;
    AUTO_MESSAGE ProtobufCMessage *msg = NULL;
    reply.log_output = "a\xff"
                       "b";
    bus_msgpack_pack(&reply.base, &out);
    assert_int_equal(bus_msgpack_unpack(EXEC_REPLY, out.data, out.len, &msg, NULL), 0);
    assert_string_equal(((ApiContainerApi__ExecCommandResponse *)msg)->log_output, "a\xef\xbf\xbd"
                                                                                   "b");
}

static void
msgpack_c_reads_what_is_written(void **state)
{
    (void)state;
    size_t count;
    const ProtobufCMessageDescriptor *const *types = bus_messages(&count);
    for (size_t i = 0; i < count; i++) {
        AUTO_MESSAGE ProtobufCMessage *msg = filler_sample(types[i]);
        AUTO_STR out = STR_EMPTY;
        bus_msgpack_pack(msg, &out);
        msgpack_unpacked object;
        msgpack_unpacked_init(&object);
        size_t used = 0;
        assert_int_equal(msgpack_unpack_next(&object, out.data, out.len, &used),
                         MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(used, out.len);
        assert_int_equal(object.data.type, MSGPACK_OBJECT_MAP);
        msgpack_unpacked_destroy(&object);
    }
}

/* -------------------------------------------------------------------------------------- reading */

static void
integers_are_read_in_every_width(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        int64_t value;
    } cases[] = {
        {BYTES("\x81\xb2toleration_seconds\x00"), 0},
        {BYTES("\x81\xb2toleration_seconds\x7f"), 127},
        {BYTES("\x81\xb2toleration_seconds\xff"), -1},
        {BYTES("\x81\xb2toleration_seconds\xe0"), -32},
        {BYTES("\x81\xb2toleration_seconds\xcc\xff"), 255},
        {BYTES("\x81\xb2toleration_seconds\xcd\xff\xff"), 65535},
        {BYTES("\x81\xb2toleration_seconds\xce\xff\xff\xff\xff"), UINT32_MAX},
        {BYTES("\x81\xb2toleration_seconds\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX},
        {BYTES("\x81\xb2toleration_seconds\xd0\x80"), -128},
        {BYTES("\x81\xb2toleration_seconds\xd0\x05"), 5},
        {BYTES("\x81\xb2toleration_seconds\xd1\x80\x00"), INT16_MIN},
        {BYTES("\x81\xb2toleration_seconds\xd2\x80\x00\x00\x00"), INT32_MIN},
        {BYTES("\x81\xb2toleration_seconds\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN},
        {BYTES("\x81\xb2toleration_seconds\xd3\x00\x00\x00\x00\x00\x00\x00\x07"), 7},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_MESSAGE ProtobufCMessage *msg = NULL;
        assert_int_equal(decode(TOLERATION, cases[i].bytes, cases[i].size, &msg, NULL), 0);
        assert_int_equal(((ApiContainerApi__Toleration *)msg)->toleration_seconds, cases[i].value);
    }
    AUTO_MESSAGE ProtobufCMessage *msg = NULL;
    static const char largest[] = "\x81\xa4size\xcf\xff\xff\xff\xff\xff\xff\xff\xff";
    assert_int_equal(decode(FILE_ENTRY, largest, sizeof largest - 1, &msg, NULL), 0);
    assert_true(((ApiContainerApi__FileArtifactContentsFileDescription *)msg)->size == UINT64_MAX);
}

static void
what_is_not_known_or_nil_passes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {BYTES("\x82\xa3new\x07\xa9"
               "exit_code\x05")},
        {BYTES("\x82\xa3new\x82\xa1"
               "a\x93\x01\x02\xc0\xa1"
               "b\xc4\x02\xff\xfe\xa9"
               "exit_code\x05")},
        {BYTES("\x82\xa3new\xd4\x01\x02\xa9"
               "exit_code\x05")},
        {BYTES("\x82\xa3new\xc7\x03\x01"
               "abc\xa9"
               "exit_code\x05")},
        {BYTES("\x82\xa3new\xca\x3f\x80\x00\x00\xa9"
               "exit_code\x05")},
        {BYTES("\x82\xa0\xc2\xa9"
               "exit_code\x05")},
        {BYTES("\x82\xaalog_output\xc0\xa9"
               "exit_code\x05")},
        {BYTES("\x82\xa9"
               "exit_code\x05\xab"
               "exit_code\x00x\x07")},
        {BYTES("\xde\x00\x01\xd9\x09"
               "exit_code\x05")},
        {BYTES("\xdf\x00\x00\x00\x01\xda\x00\x09"
               "exit_code\x05")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_MESSAGE ProtobufCMessage *msg = NULL;
        assert_int_equal(decode(EXEC_REPLY, cases[i].bytes, cases[i].size, &msg, NULL), 0);
        assert_int_equal(((ApiContainerApi__ExecCommandResponse *)msg)->exit_code, 5);
    }
}

static void
a_wrong_type_is_refused_with_the_path_of_its_field(void **state)
{
    (void)state;
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {EXEC_REPLY, BYTES("\x07"), "expected map, got integer"},
        {EXEC_REPLY, BYTES("\xc0"), "expected map, got nil"},
        {EXEC_REPLY, BYTES("\x81\x07\x07"), "expected the name of a field, got integer"},
        {EXEC_REPLY,
         BYTES("\x81\xa9"
               "exit_code\xa1x"),
         "exit_code: expected integer, got string"},
        {EXEC_REPLY,
         BYTES("\x81\xa9"
               "exit_code\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
         "exit_code: expected integer, got float"},
        {EXEC_REPLY,
         BYTES("\x81\xa9"
               "exit_code\xce\x80\x00\x00\x00"),
         "exit_code: expected an integer of -2147483648..2147483647, got 2147483648"},
        {EXEC_REPLY,
         BYTES("\x81\xa9"
               "exit_code\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"),
         "exit_code: expected an integer of -2147483648..2147483647, got -2147483649"},
        {FILE_ENTRY, BYTES("\x81\xa4size\xff"),
         "size: expected an integer of 0..18446744073709551615, got -1"},
        {TOLERATION, BYTES("\x81\xb2toleration_seconds\xcf\x80\x00\x00\x00\x00\x00\x00\x00"),
         "toleration_seconds: expected an integer of -9223372036854775808..9223372036854775807, "
         "got "
         "9223372036854775808"},
        {EXEC_REPLY, BYTES("\x81\xaalog_output\xc4\x01x"),
         "log_output: expected string, got bytes"},
        {CHUNK,
         BYTES("\x81\xa4"
               "data\xa1x"),
         "data: expected bytes, got string"},
        {CHUNK, BYTES("\x81\xa8metadata\x81\xa4name\x07"),
         "metadata.name: expected string, got integer"},
        {CHUNK, BYTES("\x81\xa8metadata\x90"), "metadata: expected map, got list"},
        {EXEC_ARGS,
         BYTES("\x81\xac"
               "command_args\xa1x"),
         "command_args: expected list, got string"},
        {EXEC_ARGS,
         BYTES("\x81\xac"
               "command_args\x92\xa1x\xc2"),
         "command_args[1]: expected string, got bool"},
        {EXEC_ARGS,
         BYTES("\x81\xac"
               "command_args\x91\xc0"),
         "command_args[0]: expected string, got nil"},
        {ENCLAVES,
         BYTES("\x81\xac"
               "enclave_info\x90"),
         "enclave_info: expected map, got list"},
        {ENCLAVES,
         BYTES("\x81\xac"
               "enclave_info\x81\x05\x80"),
         "enclave_info.key: expected string, got integer"},
        {ENCLAVES,
         BYTES("\x81\xac"
               "enclave_info\x81\xa1x\xc3"),
         "enclave_info[\"x\"]: expected map, got bool"},
        {ENCLAVES,
         BYTES("\x81\xac"
               "enclave_info\x81\xa1x\x81\xa4name\x07"),
         "enclave_info[\"x\"].name: expected string, got integer"},
        {ENCLAVES,
         BYTES("\x81\xac"
               "enclave_info\x81\xa1x\x81\xb1"
               "containers_status\xa1x"),
         "enclave_info[\"x\"].containers_status: expected enum, got string"},
        {SERVICE, BYTES("\x81\xadprivate_ports\x81\xa1p\x81\xa6number\xff"),
         "private_ports[\"p\"].number: expected an integer of 0..4294967295, got -1"},
        {SERVICE, BYTES("\x81\xactini_enabled\x01"), "tini_enabled: expected bool, got integer"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_refused(cases[i].type, cases[i].bytes, cases[i].size, ERR_INVALID, cases[i].text);
}

static void
malformed_bytes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {EXEC_REPLY, BYTES(""), "the message is cut off after 0 bytes"},
        {EXEC_REPLY, BYTES("\xc1"), "byte 0xc1 begins nothing"},
        {EXEC_REPLY, BYTES("\x80\x80"), "1 bytes follow the message"},
        {EXEC_REPLY, BYTES("\x81"), "1 elements are claimed and 0 bytes are left"},
        {EXEC_REPLY,
         BYTES("\x81\xa9"
               "exit"),
         "the message is cut off after 6 bytes"},
        {EXEC_REPLY,
         BYTES("\x81\xa9"
               "exit_code\xce\x00"),
         "exit_code: the message is cut off after 13 bytes"},
        {EXEC_REPLY, BYTES("\xdf\xff\xff\xff\xff"),
         "4294967295 elements are claimed and 0 bytes are left"},
        {EXEC_REPLY,
         BYTES("\x81\xaalog_output\xdb\xff\xff\xff\xff"
               "a"),
         "log_output: the message is cut off after 18 bytes"},
        {EXEC_REPLY,
         BYTES("\x81\xa3new\xdd\xff\xff\xff\xff"
               "a"),
         "4294967295 elements are claimed and 1 bytes are left"},
        {EXEC_ARGS,
         BYTES("\x81\xac"
               "command_args\xdd\xff\xff\xff\xff\xa0"),
         "command_args: 4294967295 elements are claimed and 1 bytes are left"},
        {ENCLAVES,
         BYTES("\x81\xac"
               "enclave_info\x82\xa0\x80\xa0"),
         "enclave_info: 2 elements are claimed and 3 bytes are left"},
        {EXEC_REPLY,
         BYTES("\x81\xaalog_output\xa3"
               "a\x00"
               "b"),
         "log_output: the string has a NUL byte"},
        {EXEC_REPLY,
         BYTES("\x81\xaalog_output\xa2"
               "a\xff"),
         "log_output: the string is not UTF-8"},
        {ENCLAVES,
         BYTES("\x81\xac"
               "enclave_info\x81\xa2\xc0\x80\x80"),
         "enclave_info.key: the string is not UTF-8"},
        {EXEC_REPLY,
         BYTES("\x82\xa9"
               "exit_code\x05\xa9"
               "exit_code\x06"),
         "exit_code: the field is there twice"},
        {EXEC_REPLY,
         BYTES("\x82\xaalog_output\xa1"
               "a\xaalog_output\xa1"
               "b"),
         "log_output: the field is there twice"},
        {EXEC_REPLY, BYTES("\x82\xaalog_output\xa0\xaalog_output\xa0"),
         "log_output: the field is there twice"},
        {EXEC_ARGS,
         BYTES("\x82\xac"
               "command_args\x91\xa1"
               "a\xac"
               "command_args\x91\xa1"
               "b"),
         "command_args: the field is there twice"},
        {LINE, BYTES("\x82\xa4info\x80\xa7warning\x80"),
         "warning: only one of 'info' and 'warning' can be set"},
        {LINE, BYTES("\x82\xa4info\x80\xa4info\x80"), "info: the field is there twice"},
        {CHUNK, BYTES("\x82\xa8metadata\x80\xa8metadata\x80"),
         "metadata: the field is there twice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_refused(cases[i].type, cases[i].bytes, cases[i].size, ERR_INVALID, cases[i].text);
}

static void
nesting_is_allowed_up_to_the_limit_and_not_beyond(void **state)
{
    (void)state;
    for (unsigned depth = BUS_DEPTH_MAX - 2; depth < BUS_DEPTH_MAX + 3; depth++) {
        /* The message itself is the first level. */
        AUTO_STR bytes = STR_EMPTY;
        str_add(&bytes, "\x81\xa3new");
        for (unsigned i = 1; i < depth; i++)
            str_add(&bytes, i % 2 ? "\x91" : "\x81\xa0");
        str_add(&bytes, "\x07");
        AUTO_MESSAGE ProtobufCMessage *msg = NULL;
        if (depth <= BUS_DEPTH_MAX)
            assert_int_equal(decode(EXEC_REPLY, bytes.data, bytes.len, &msg, NULL), 0);
        else
            assert_refused(EXEC_REPLY, bytes.data, bytes.len, ERR_LIMIT,
                           "the message is nested deeper than 32");
    }
    AUTO_STR deep = STR_EMPTY;
    str_add(&deep, "\x81\xa3new");
    for (int i = 0; i < 1000000; i++)
        str_add_char(&deep, '\x91');
    str_add_char(&deep, '\xc0');
    assert_refused(EXEC_REPLY, deep.data, deep.len, ERR_LIMIT,
                   "the message is nested deeper than 32");
}

static void
a_message_cannot_ask_for_more_memory_than_the_limit(void **state)
{
    (void)state;
    /* Each byte asks for a struct with a few hundred bytes. */
    AUTO_STR bytes = STR_EMPTY;
    str_add_bytes(&bytes,
                  "\x81\xbe"
                  "removed_enclave_name_and_uuids\xdd\x00\xf0\x00\x00",
                  37);
    for (int i = 0; i < 0xf00000; i++)
        str_add_char(&bytes, '\x80');
    AUTO(err) err = NULL;
    ProtobufCMessage *msg = NULL;
    assert_true(decode(&engine_api__clean_response__descriptor, bytes.data, bytes.len, &msg, &err) <
                0);
    assert_int_equal(err_code(err), ERR_LIMIT);

    AUTO_STR large = STR_EMPTY;
    str_reserve(&large, BUS_BODY_MAX + 1);
    memset(large.data, 0xc0, BUS_BODY_MAX + 1);
    AUTO(err) size_err = NULL;
    assert_true(bus_msgpack_unpack(EXEC_REPLY, large.data, BUS_BODY_MAX + 1, &msg, &size_err) < 0);
    assert_int_equal(err_code(size_err), ERR_LIMIT);
    assert_null(msg);
}

/* -------------------------------------------------------------------------------- every message
 * type */

static void
a_message_cut_anywhere_is_refused(void **state)
{
    (void)state;
    size_t count;
    const ProtobufCMessageDescriptor *const *types = bus_messages(&count);
    for (size_t i = 0; i < count; i++) {
        AUTO_MESSAGE ProtobufCMessage *msg = filler_sample(types[i]);
        AUTO_STR out = STR_EMPTY;
        bus_msgpack_pack(msg, &out);
        for (size_t size = 0; size < out.len; size++) {
            AUTO(err) err = NULL;
            ProtobufCMessage *cut = NULL;
            assert_true(decode(types[i], out.data, size, &cut, &err) < 0);
            assert_int_equal(err_code(err), ERR_INVALID);
        }
    }
}

static void
changed_bytes_are_read_or_refused_and_never_more(void **state)
{
    (void)state;
    uint64_t seed = 5;
    size_t count;
    const ProtobufCMessageDescriptor *const *types = bus_messages(&count);
    for (size_t i = 0; i < count; i++) {
        AUTO_MESSAGE ProtobufCMessage *msg = filler_sample(types[i]);
        AUTO_STR out = STR_EMPTY;
        bus_msgpack_pack(msg, &out);
        for (size_t at = 0; at < out.len; at++) {
            char before = out.data[at];
            out.data[at] = (char)filler_next(&seed);
            AUTO_MESSAGE ProtobufCMessage *changed = NULL;
            if (decode(types[i], out.data, out.len, &changed, NULL) == 0) {
                AUTO_STR again = STR_EMPTY;
                bus_msgpack_pack(changed, &again);
                AUTO_MESSAGE ProtobufCMessage *back = NULL;
                assert_int_equal(decode(types[i], again.data, again.len, &back, NULL), 0);
                assert_true(filler_equal(changed, back));
            }
            out.data[at] = before;
        }
    }
}

/* --------------------------------------------------------------------------------------- errors */

static void
an_error_chain_crosses_as_a_message(void **state)
{
    (void)state;
    AUTO(err) err = NULL;
    err_fail(&err, ERR_NOT_FOUND, "no network '%s'", "kt-x");
    err_wrap(&err, "cannot open enclave '%s'", "x");
    AUTO_STR bytes = STR_EMPTY;
    bus_err_pack(err, &bytes);
    AUTO(err) back = bus_err_unpack(bytes.data, bytes.len);
    AUTO_FREE char *text = err_string(back);
    assert_string_equal(text, "cannot open enclave 'x': no network 'kt-x'");
    assert_int_equal(err_code(back), ERR_NOT_FOUND);
    assert_int_equal(err_code(err_cause(back)), ERR_NOT_FOUND);
}

static void
bytes_that_are_no_error_chain_still_make_an_error(void **state)
{
    (void)state;
    AUTO(err) garbage = bus_err_unpack("\xff\xff", 2);
    assert_string_equal(err_text(garbage), "the other side failed, and its error cannot be read");
    AUTO(err) nothing = bus_err_unpack("\x80", 1);
    assert_string_equal(err_text(nothing), "the other side failed and did not say why");

    AUTO(err) long_chain = NULL;
    for (int i = 0; i < 50; i++)
        err_wrap(&long_chain, "link %d", i);
    AUTO_STR bytes = STR_EMPTY;
    bus_err_pack(long_chain, &bytes);
    AUTO(err) back = bus_err_unpack(bytes.data, bytes.len);
    int links = 0;
    for (const err_t *link = back; link; link = err_cause(link))
        links++;
    assert_int_equal(links, 32);
    assert_string_equal(err_text(back), "link 49");
}

static void
copies_are_deep(void **state)
{
    (void)state;
    AUTO_MESSAGE ProtobufCMessage *msg = filler_sample(SERVICE);
    AUTO_MESSAGE ProtobufCMessage *copy = bus_message_dup(msg);
    assert_true(filler_equal(msg, copy));
    bus_message_destroy(&msg);
    assert_null(msg);
    assert_string_equal(((ApiContainerApi__ServiceInfo *)copy)->name, "name");
    bus_message_destroy(&msg);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_a_map_of_the_fields_that_are_set),
        cmocka_unit_test(a_member_of_a_oneof_is_written_even_when_it_is_zero),
        cmocka_unit_test(a_map_is_a_map),
        cmocka_unit_test(text_that_is_no_utf8_is_cleaned_on_the_way_out),
        cmocka_unit_test(msgpack_c_reads_what_is_written),
        cmocka_unit_test(integers_are_read_in_every_width),
        cmocka_unit_test(what_is_not_known_or_nil_passes),
        cmocka_unit_test(a_wrong_type_is_refused_with_the_path_of_its_field),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(nesting_is_allowed_up_to_the_limit_and_not_beyond),
        cmocka_unit_test(a_message_cannot_ask_for_more_memory_than_the_limit),
        cmocka_unit_test(a_message_cut_anywhere_is_refused),
        cmocka_unit_test(changed_bytes_are_read_or_refused_and_never_more),
        cmocka_unit_test(an_error_chain_crosses_as_a_message),
        cmocka_unit_test(bytes_that_are_no_error_chain_still_make_an_error),
        cmocka_unit_test(copies_are_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
