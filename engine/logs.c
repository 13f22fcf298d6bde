/*  logs: what services print, filtered, as Kurtosis' clients expect it.
 *
 *  Every message has an entry for each service that was found, with lines for one of them, and
 * repeats the UUIDs of which nothing is known. Where some are unknown, a message without lines says
 * so first.
 */
#include "engine/filter.h"
#include "engine/identify.h"
#include "engine/state.h"

#include "base/clock.h"

#include <poll.h>
#include <string.h>

#define SERVICES_MAX 1024u /* of one request */

/* One request under way. */
typedef struct {
    char *enclave_uuid;
    EngineApi__GetServiceLogsResponse
        *step;    /* sent again and again; entries in the order of the request */
    char **found; /* UUIDs; lent from step */
    engine_filter_t *filter;
} reading_t;

static void
reading_done(reading_t *self)
{
    free(self->enclave_uuid);
    free(self->found);
    engine_filter_destroy(&self->filter);
    bus_message_destroy(&self->step);
}

/* A destroyed enclave's identifier resolves to nothing; then it is taken as it stands. */
static int
resolve(engine_t *self, actor_call_t *call, const char *identifier, char **ret_uuid, err_t **err)
{
    AUTO_MESSAGE Orchestrator__GetEnclavesReply *enclaves = NULL;
    if (engine_list(self, call, &enclaves, err) < 0)
        return -1;
    const Orchestrator__Enclave *enclave;
    AUTO(err) why = NULL;
    if (engine_identify(enclaves->enclaves, enclaves->n_enclaves, identifier, &enclave, &why) < 0) {
        if (err_code(why) != ERR_NOT_FOUND) {
            if (err)
                *err = TAKE(why);
            return -1;
        }
        *ret_uuid = strdup(identifier);
        return 0;
    }
    *ret_uuid = strdup(enclave->enclave_uuid);
    return 0;
}

static bool
is_among(const Orchestrator__GetServicesReply *services, const char *uuid)
{
    for (size_t i = 0; i < services->n_services; i++)
        if (!strcmp(services->services[i]->service_uuid, uuid))
            return true;
    return false;
}

static void
add_found(reading_t *self, const char *uuid)
{
    EngineApi__GetServiceLogsResponse__ServiceLogsByServiceUuidEntry *entry = MESSAGE_NEW(
        EngineApi__GetServiceLogsResponse__ServiceLogsByServiceUuidEntry,
        engine_api__get_service_logs_response__service_logs_by_service_uuid_entry__init);
    entry->key = strdup(uuid);
    entry->value = MESSAGE_NEW(EngineApi__LogLine, engine_api__log_line__init);
    self->found[self->step->n_service_logs_by_service_uuid] = entry->key;
    self->step->service_logs_by_service_uuid[self->step->n_service_logs_by_service_uuid++] = entry;
}

static void
add_missing(reading_t *self, const char *uuid)
{
    EngineApi__GetServiceLogsResponse__NotFoundServiceUuidSetEntry *entry =
        MESSAGE_NEW(EngineApi__GetServiceLogsResponse__NotFoundServiceUuidSetEntry,
                    engine_api__get_service_logs_response__not_found_service_uuid_set_entry__init);
    entry->key = strdup(uuid);
    entry->value = true;
    self->step->not_found_service_uuid_set[self->step->n_not_found_service_uuid_set++] = entry;
}

/* Sorts the services asked for into those that are there and those that are not. */
static int
look_up(engine_t *self, actor_call_t *call, const EngineApi__GetServiceLogsArgs *args,
        reading_t *reading, err_t **err)
{
    size_t count = args->n_service_uuid_set;
    if (count > SERVICES_MAX)
        return err_fail(err, ERR_LIMIT, "more than %u services in one request", SERVICES_MAX);
    Orchestrator__GetServicesArgs services_args = ORCHESTRATOR__GET_SERVICES_ARGS__INIT;
    services_args.enclave_uuid = reading->enclave_uuid;
    AUTO_MESSAGE Orchestrator__GetServicesReply *services = NULL;
    AUTO(err) why = NULL;
    if (engine_ask_driver(self, call, "orchestrator.Orchestrator/GetServices", &services_args.base,
                          (ProtobufCMessage **)&services, &why) < 0) {
        if (err_code(why) != ERR_NOT_FOUND) {
            if (err)
                *err = TAKE(why);
            return -1;
        }
        services =
            MESSAGE_NEW(Orchestrator__GetServicesReply, orchestrator__get_services_reply__init);
    }
    EngineApi__GetServiceLogsResponse *step =
        MESSAGE_NEW(EngineApi__GetServiceLogsResponse, engine_api__get_service_logs_response__init);
    reading->step = step;
    step->service_logs_by_service_uuid =
        calloc(count + 1, sizeof *step->service_logs_by_service_uuid);
    step->not_found_service_uuid_set = calloc(count + 1, sizeof *step->not_found_service_uuid_set);
    reading->found = calloc(count + 1, sizeof *reading->found);
    if (!step->service_logs_by_service_uuid || !step->not_found_service_uuid_set || !reading->found)
        abort();
    for (size_t i = 0; i < count; i++)
        if (is_among(services, args->service_uuid_set[i]->key))
            add_found(reading, args->service_uuid_set[i]->key);
        else
            add_missing(reading, args->service_uuid_set[i]->key);
    return 0;
}

static EngineApi__LogLine *
entry_of(const reading_t *self, const char *uuid)
{
    for (size_t i = 0; i < self->step->n_service_logs_by_service_uuid; i++)
        if (!strcmp(self->found[i], uuid))
            return self->step->service_logs_by_service_uuid[i]->value;
    return NULL;
}

/* Sends one line in its entry of the step, which is empty again afterwards. */
static int
send_line(reading_t *self, actor_call_t *call, const Orchestrator__ServiceLogLine *line,
          err_t **err)
{
    EngineApi__LogLine *entry = entry_of(self, line->service_uuid);
    int wanted = engine_filter_matches(self->filter, line->line.data, line->line.len, err);
    if (wanted <= 0 || !entry)
        return wanted < 0 ? -1 : 0;
    AUTO_STR text = STR_EMPTY;
    engine_text_clean(&text, line->line.data, line->line.len);
    char *lines[] = {text.data};
    Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    timestamp.seconds = line->timestamp / NS_PER_SECOND;
    timestamp.nanos = (int32_t)(line->timestamp % NS_PER_SECOND);
    entry->line = lines;
    entry->n_line = 1;
    entry->timestamp = &timestamp;
    int result = actor_call_send(call, &self->step->base, err);
    entry->line = NULL;
    entry->n_line = 0;
    entry->timestamp = NULL;
    return result;
}

/* Waits for the next line; true when the engine is to end, which lines without end do not hold up.
 */
static bool
is_stopping(engine_t *self, actor_stream_t *stream)
{
    struct pollfd fds[] = {{.fd = actor_stream_recv_fd(stream), .events = POLLIN},
                           {.fd = actor_stopping_fd(engine_actor(self)), .events = POLLIN}};
    while (poll(fds, ARRAY_LEN(fds), -1) < 0)
        continue;
    return fds[1].revents != 0;
}

static int
relay(engine_t *self, actor_call_t *call, const EngineApi__GetServiceLogsArgs *args,
      reading_t *reading, err_t **err)
{
    Orchestrator__GetLogsArgs logs = ORCHESTRATOR__GET_LOGS_ARGS__INIT;
    logs.enclave_uuid = reading->enclave_uuid;
    logs.service_uuids = reading->found;
    logs.n_service_uuids = reading->step->n_service_logs_by_service_uuid;
    logs.follow =
        args->_follow_logs_case == ENGINE_API__GET_SERVICE_LOGS_ARGS___FOLLOW_LOGS_FOLLOW_LOGS &&
        args->follow_logs;
    logs.all_lines = args->_return_all_logs_case ==
                         ENGINE_API__GET_SERVICE_LOGS_ARGS___RETURN_ALL_LOGS_RETURN_ALL_LOGS &&
                     args->return_all_logs;
    if (args->_num_log_lines_case ==
        ENGINE_API__GET_SERVICE_LOGS_ARGS___NUM_LOG_LINES_NUM_LOG_LINES)
        logs.last_lines = args->num_log_lines;
    AUTO(actor_stream) stream = NULL;
    if (actor_stream_open(engine_actor(self), call, self->driver,
                          "orchestrator.Orchestrator/GetLogs", &logs.base, &stream, err) < 0)
        return -1;
    for (;;) {
        AUTO_MESSAGE Orchestrator__ServiceLogLine *line = NULL;
        if (is_stopping(self, stream))
            return err_fail(err, ERR_UNAVAILABLE, "the engine stops");
        int got = actor_stream_recv(stream, -1, (ProtobufCMessage **)&line, err);
        if (got <= 0)
            return got;
        if (send_line(reading, call, line, err) < 0)
            return -1;
    }
}

void
engine_on_logs(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    engine_t *self = state;
    const EngineApi__GetServiceLogsArgs *args = (const EngineApi__GetServiceLogsArgs *)request;
    __attribute__((cleanup(reading_done))) reading_t reading = {0};
    AUTO(err) err = NULL;
    int result = engine_filter_new(args->conjunctive_filters, args->n_conjunctive_filters,
                                   &reading.filter, &err);
    if (result == 0)
        result = resolve(self, call, args->enclave_identifier, &reading.enclave_uuid, &err);
    if (result == 0)
        result = look_up(self, call, args, &reading, &err);
    if (result == 0 && reading.step->n_not_found_service_uuid_set > 0)
        result = actor_call_send(call, &reading.step->base, &err);
    if (result == 0 && reading.step->n_service_logs_by_service_uuid > 0)
        result = relay(self, call, args, &reading, &err);
    if (result < 0) {
        err_wrap(&err, "cannot read the logs of enclave '%s'", args->enclave_identifier);
        actor_call_fail(&call, &err);
        return;
    }
    actor_call_end(&call);
}
