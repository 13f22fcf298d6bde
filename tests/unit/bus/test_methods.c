#include "bus/bus.h"
#include "bus/schema/api_container.pb-c.h"
#include "bus/schema/engine.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
a_method_has_its_messages_and_its_streams(void **state)
{
    (void)state;
    static const struct {
        const char *name, *shortname, *request, *response;
        bool client_streams, server_streams;
    } cases[] = {
        {"engine_api.EngineService/CreateEnclave", "CreateEnclave", "engine_api.CreateEnclaveArgs",
         "engine_api.CreateEnclaveResponse", false, false},
        {"engine_api.EngineService/GetEngineInfo", "GetEngineInfo", "google.protobuf.Empty",
         "engine_api.GetEngineInfoResponse", false, false},
        {"engine_api.EngineService/GetServiceLogs", "GetServiceLogs",
         "engine_api.GetServiceLogsArgs", "engine_api.GetServiceLogsResponse", false, true},
        {"api_container_api.ApiContainerService/UploadFilesArtifact", "UploadFilesArtifact",
         "api_container_api.StreamedDataChunk", "api_container_api.UploadFilesArtifactResponse",
         true, false},
        {"orchestrator.Orchestrator/Shell", "Shell", "orchestrator.ShellInput",
         "orchestrator.ExecOutput", true, true},
        {"bus.Broker/ListPeers", "ListPeers", "bus.ListPeersArgs", "bus.ListPeersReply", false,
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const bus_method_t *method = bus_method_find(cases[i].name);
        assert_non_null(method);
        assert_string_equal(method->name, cases[i].name);
        assert_string_equal(method->shortname, cases[i].shortname);
        assert_string_equal(method->request->name, cases[i].request);
        assert_string_equal(method->response->name, cases[i].response);
        assert_int_equal(method->client_streams, cases[i].client_streams);
        assert_int_equal(method->server_streams, cases[i].server_streams);
    }
}

static void
unknown_names_find_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"", "CreateEnclave", "engine_api.EngineService/", "zzz.Z/Z",
                                        "engine_api.EngineService/CreateEnclaveX"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_null(bus_method_find(names[i]));
        assert_null(bus_message_find(names[i]));
    }
}

static void
tables_are_sorted_and_every_entry_is_found(void **state)
{
    (void)state;
    size_t count;
    const bus_method_t *methods = bus_methods(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || strcmp(methods[i - 1].name, methods[i].name) < 0);
        assert_ptr_equal(bus_method_find(methods[i].name), &methods[i]);
        assert_true(strlen(methods[i].name) <= BUS_NAME_MAX);
    }
    const ProtobufCMessageDescriptor *const *messages = bus_messages(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || strcmp(messages[i - 1]->name, messages[i]->name) < 0);
        assert_ptr_equal(bus_message_find(messages[i]->name), messages[i]);
    }
}

/* The clients of this service are other people's: what they call must be there. */
static void
every_method_of_a_public_service_is_in_the_table(void **state)
{
    (void)state;
    static const ProtobufCServiceDescriptor *const services[] = {
        &engine_api__engine_service__descriptor,
        &api_container_api__api_container_service__descriptor};
    static const unsigned counts[] = {9, 23};
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        assert_int_equal(services[i]->n_methods, counts[i]);
        for (unsigned j = 0; j < services[i]->n_methods; j++) {
            AUTO_FREE char *name =
                str_format("%s/%s", services[i]->name, services[i]->methods[j].name);
            const bus_method_t *method = bus_method_find(name);
            assert_non_null(method);
            assert_ptr_equal(method->request, services[i]->methods[j].input);
            assert_ptr_equal(method->response, services[i]->methods[j].output);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_method_has_its_messages_and_its_streams),
        cmocka_unit_test(unknown_names_find_nothing),
        cmocka_unit_test(tables_are_sorted_and_every_entry_is_found),
        cmocka_unit_test(every_method_of_a_public_service_is_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
