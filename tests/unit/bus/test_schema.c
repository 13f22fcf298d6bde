/*  The schema as a whole: every message through every encoding, and against the golden files.
 *
 *  tests/unit/bus/golden/<package>.txt has for each message its sample (filler.h) as msgpack and as
 * JSON: what is written today must be written tomorrow. After a wanted change of the schema write
 * them anew, and look at what changed:  KURTOSIS_GOLDEN=write build/bin/test_bus_schema
 */
#include "bus/bus.h"
#include "bus/codec.h"
#include "filler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 40 /* random messages of each type */

/* struct -> msgpack -> struct -> JSON -> struct -> protobuf -> struct, equal at each step. */
static void
assert_round_trip(const ProtobufCMessage *msg, bool proto_names)
{
    const ProtobufCMessageDescriptor *type = msg->descriptor;
    AUTO_MESSAGE ProtobufCMessage *from_msgpack = NULL, *from_json = NULL, *from_protobuf = NULL;
    AUTO_STR bytes = STR_EMPTY;
    AUTO(err) err = NULL;

    bus_msgpack_pack(msg, &bytes);
    if (bus_msgpack_unpack(type, bytes.data, bytes.len, &from_msgpack, &err) < 0)
        fail_msg("%s", err_text(err_cause(err)));
    assert_true(filler_equal(msg, from_msgpack));

    AUTO_FREE char *text = bus_json_pack(from_msgpack, proto_names);
    if (bus_json_unpack(type, text, strlen(text), &from_json, &err) < 0)
        fail_msg("%s: %s", text, err_text(err_cause(err)));
    assert_true(filler_equal(msg, from_json));

    from_protobuf = bus_message_dup(from_json);
    assert_true(filler_equal(msg, from_protobuf));
    AUTO_STR again = STR_EMPTY;
    bus_msgpack_pack(from_protobuf, &again);
    assert_int_equal(again.len, bytes.len);
    assert_memory_equal(again.data, bytes.data, bytes.len);
}

static void
every_message_survives_all_three_encodings(void **state)
{
    (void)state;
    uint64_t seed = 20;
    size_t count;
    const ProtobufCMessageDescriptor *const *types = bus_messages(&count);
    for (size_t i = 0; i < count; i++) {
        AUTO_MESSAGE ProtobufCMessage *sample = filler_sample(types[i]);
        assert_round_trip(sample, true);
        for (int round = 0; round < ROUNDS; round++) {
            AUTO_MESSAGE ProtobufCMessage *msg = filler_random(types[i], &seed);
            assert_round_trip(msg, round % 2);
        }
    }
}

/* ------------------------------------------------------------------------------------- what codecs
 * need */

static unsigned
depth_of(const ProtobufCMessageDescriptor *type, unsigned limit)
{
    unsigned deepest = 1;
    assert_true(limit > 0); /* a message inside itself has no end */
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        unsigned depth = field->label == PROTOBUF_C_LABEL_REPEATED ? 2 : 1;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            depth += depth_of(field->descriptor, limit - 1) - codec_is_map(field);
        if (depth > deepest)
            deepest = depth;
    }
    return deepest;
}

static void
every_field_is_one_of_proto3_and_no_message_is_too_deep(void **state)
{
    (void)state;
    size_t count;
    const ProtobufCMessageDescriptor *const *types = bus_messages(&count);
    assert_true(count > 100);
    for (size_t i = 0; i < count; i++) {
        assert_true(depth_of(types[i], BUS_DEPTH_MAX) <= BUS_DEPTH_MAX);
        for (unsigned j = 0; j < types[i]->n_fields; j++) {
            ProtobufCLabel label = types[i]->fields[j].label;
            assert_true(label == PROTOBUF_C_LABEL_NONE || label == PROTOBUF_C_LABEL_REPEATED);
        }
    }
}

/* --------------------------------------------------------------------------------------- golden
 * files */

static void
write_golden(FILE *out, const ProtobufCMessageDescriptor *type)
{
    AUTO_MESSAGE ProtobufCMessage *sample = filler_sample(type);
    AUTO_STR bytes = STR_EMPTY;
    AUTO_FREE char *text = bus_json_pack(sample, false);
    bus_msgpack_pack(sample, &bytes);
    fprintf(out, "%s\n", type->name);
    for (size_t i = 0; i < bytes.len; i++)
        fprintf(out, "%02x%s", (unsigned char)bytes.data[i],
                i + 1 == bytes.len ? "\n"
                : i % 48 == 47     ? "\n"
                                   : "");
    fprintf(out, "%s\n\n", text);
}

/* All messages of a package, in the order of their names. */
static char *
golden_text(const char *package)
{
    char *text = NULL;
    size_t size, count;
    FILE *out = open_memstream(&text, &size);
    const ProtobufCMessageDescriptor *const *types = bus_messages(&count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(types[i]->package_name, package))
            write_golden(out, types[i]);
    fclose(out);
    return text;
}

static char *
file_text(const char *path)
{
    AUTO_STR text = STR_EMPTY;
    FILE *in = fopen(path, "r");
    char piece[4096];
    for (size_t size; in && (size = fread(piece, 1, sizeof piece, in)) > 0;)
        str_add_bytes(&text, piece, size);
    if (in)
        fclose(in);
    return str_take(&text);
}

static void
every_message_is_written_as_its_golden_file_says(void **state)
{
    (void)state;
    static const char *const packages[] = {"api_container_api", "bus", "engine_api",
                                           "google.protobuf", "orchestrator"};
    const char *mode = getenv("KURTOSIS_GOLDEN");
    for (size_t i = 0; i < ARRAY_LEN(packages); i++) {
        AUTO_FREE char *path = str_format("tests/unit/bus/golden/%s.txt", packages[i]);
        AUTO_FREE char *now = golden_text(packages[i]);
        if (mode && !strcmp(mode, "write")) {
            FILE *out = fopen(path, "w");
            assert_non_null(out);
            fputs(now, out);
            fclose(out);
        }
        AUTO_FREE char *golden = file_text(path);
        if (strcmp(golden, now) != 0) {
            size_t at = 0;
            while (golden[at] && golden[at] == now[at])
                at++;
            while (at > 0 && strncmp(now + at, "\n\n", 2) != 0)
                at--;
            fail_msg("'%s' differs at '%.60s'; if that is wanted: KURTOSIS_GOLDEN=write "
                     "build/bin/test_bus_schema",
                     path, now + at + (at ? 2 : 0));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_survives_all_three_encodings),
        cmocka_unit_test(every_field_is_one_of_proto3_and_no_message_is_too_deep),
        cmocka_unit_test(every_message_is_written_as_its_golden_file_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
