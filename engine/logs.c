/*  logs: what services print, filtered, as Kurtosis' clients expect it, out of the log store.
 *
 *  The driver writes the store; before the history is read it is asked to put in what services have printed so far. Without
 *  a driver what is stored is read.
 *
 *  Every message has an entry for each service that was found, with lines for one of them, and repeats the UUIDs of which
 *  nothing is known. Where some are unknown, a message without lines says so first.
 */
#include "engine/filter.h"
#include "engine/identify.h"
#include "engine/lines.h"
#include "engine/state.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "logs/logs.h"

#include <poll.h>
#include <string.h>

#define SERVICES_MAX 1024u /* of one request */
#define GATHER_MS 5        /* how long lines that follow each other wait for the next ones */

/* A service that was found. */
typedef struct {
    char *uuid; /* lent from step */
    bool runs;  /* so that lines may come */
    bool over;  /* nothing comes any more */
    logs_reader_t *reader;
} found_t;

/* One request under way. */
typedef struct {
    char *enclave_uuid;
    EngineApi__GetServiceLogsResponse
        *step;      /* sent again and again; entries in the order of the request */
    found_t *found; /* as many, in the same order */
    engine_filter_t *filter;
    engine_lines_t lines;
    bool follow, all;
    uint32_t last;
    int64_t since, until; /* of the lines that are wanted */
    int64_t deadline;     /* clock_ns() of until, when following; INT64_MAX for none */
} reading_t;

static void
reading_done(reading_t *self)
{
    for (size_t i = 0; self->found && i < self->step->n_service_logs_by_service_uuid; i++)
        logs_reader_destroy(&self->found[i].reader);
    free(self->enclave_uuid);
    free(self->found);
    engine_filter_destroy(&self->filter);
    engine_lines_done(&self->lines);
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

/* A service as the driver has it, or NULL. */
static const Orchestrator__ServiceInfo *
find_among(const Orchestrator__GetServicesReply *services, const char *uuid)
{
    for (size_t i = 0; i < services->n_services; i++)
        if (!strcmp(services->services[i]->service_uuid, uuid))
            return services->services[i];
    return NULL;
}

static void
add_found(reading_t *self, const char *uuid, bool runs)
{
    EngineApi__GetServiceLogsResponse__ServiceLogsByServiceUuidEntry *entry = MESSAGE_NEW(
        EngineApi__GetServiceLogsResponse__ServiceLogsByServiceUuidEntry,
        engine_api__get_service_logs_response__service_logs_by_service_uuid_entry__init);
    entry->key = strdup(uuid);
    entry->value = MESSAGE_NEW(EngineApi__LogLine, engine_api__log_line__init);
    self->found[self->step->n_service_logs_by_service_uuid] =
        (found_t){.uuid = entry->key, .runs = runs};
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

/* What the driver knows of the enclave's services: nothing of one that is gone. */
static int
ask_services(engine_t *self, actor_call_t *call, const char *enclave_uuid,
             Orchestrator__GetServicesReply **ret_services, err_t **err)
{
    Orchestrator__GetServicesArgs args = ORCHESTRATOR__GET_SERVICES_ARGS__INIT;
    AUTO(err) why = NULL;
    args.enclave_uuid = (char *)enclave_uuid;
    *ret_services = NULL;
    if (uuid_is(enclave_uuid) &&
        engine_ask_driver(self, call, "orchestrator.Orchestrator/GetServices", &args.base,
                          (ProtobufCMessage **)ret_services, &why) < 0 &&
        err_code(why) != ERR_NOT_FOUND) {
        if (err)
            *err = TAKE(why);
        return -1;
    }
    if (!*ret_services)
        *ret_services =
            MESSAGE_NEW(Orchestrator__GetServicesReply, orchestrator__get_services_reply__init);
    return 0;
}

/* Sorts the services asked for into those that are there, or were and have left lines, and those that are not. */
static int
look_up(engine_t *self, actor_call_t *call, const EngineApi__GetServiceLogsArgs *args,
        reading_t *reading, err_t **err)
{
    size_t count = args->n_service_uuid_set;
    if (count > SERVICES_MAX)
        return err_fail(err, ERR_LIMIT, "more than %u services in one request", SERVICES_MAX);
    AUTO_MESSAGE Orchestrator__GetServicesReply *services = NULL;
    if (ask_services(self, call, reading->enclave_uuid, &services, err) < 0)
        return -1;
    EngineApi__GetServiceLogsResponse *step =
        MESSAGE_NEW(EngineApi__GetServiceLogsResponse, engine_api__get_service_logs_response__init);
    reading->step = step;
    step->service_logs_by_service_uuid =
        calloc(count + 1, sizeof *step->service_logs_by_service_uuid);
    step->not_found_service_uuid_set = calloc(count + 1, sizeof *step->not_found_service_uuid_set);
    reading->found = calloc(count + 1, sizeof *reading->found);
    if (!step->service_logs_by_service_uuid || !step->not_found_service_uuid_set || !reading->found)
        abort();
    for (size_t i = 0; i < count; i++) {
        const char *uuid = args->service_uuid_set[i]->key;
        const Orchestrator__ServiceInfo *service = find_among(services, uuid);
        if (service || logs_exists(self->logs, reading->enclave_uuid, uuid))
            add_found(reading, uuid,
                      service &&
                          service->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING);
        else
            add_missing(reading, uuid);
    }
    return 0;
}

/* Has the driver store what is on its way. That it cannot is no reason to show nothing. */
static void
flush(engine_t *self, actor_call_t *call, const reading_t *reading)
{
    Orchestrator__FlushLogsArgs args = ORCHESTRATOR__FLUSH_LOGS_ARGS__INIT;
    size_t count = reading->step->n_service_logs_by_service_uuid;
    AUTO_FREE char **uuids = calloc(count + 1, sizeof(char *));
    if (!uuids)
        abort();
    for (size_t i = 0; i < count; i++)
        uuids[i] = reading->found[i].uuid;
    args.enclave_uuid = reading->enclave_uuid;
    args.service_uuids = uuids;
    args.n_service_uuids = count;
    AUTO(err) err = NULL;
    if (uuid_is(reading->enclave_uuid) &&
        engine_ask_driver(self, call, "orchestrator.Orchestrator/FlushLogs", &args.base, NULL,
                          &err) < 0)
        log_err(LOG_WARN, "logs.not_flushed", err, "enclave=%s", reading->enclave_uuid);
}

/* -------------------------------------------------------------------------------------- reading */

static int
send_step(void *call, const ProtobufCMessage *item, err_t **err)
{
    return actor_call_send(call, item, err);
}

static int
send_lines(reading_t *self, actor_call_t *call, size_t i, err_t **err)
{
    return engine_lines_send(&self->lines, self->step,
                             self->step->service_logs_by_service_uuid[i]->value, send_step, call,
                             err);
}

/* Opens the log of a service and goes to its first line that is wanted: 1; 0 when there is none yet. */
static int
open_reader(engine_t *self, reading_t *reading, found_t *found, bool all, err_t **err)
{
    AUTO(err) why = NULL;
    if (found->reader)
        return 1;
    if (logs_reader_open(self->logs, reading->enclave_uuid, found->uuid, &found->reader, &why) <
        0) {
        if (err_code(why) == ERR_NOT_FOUND)
            return 0;
        if (err)
            *err = TAKE(why);
        return -1;
    }
    logs_reader_between(found->reader, reading->since, reading->until);
    return all || logs_reader_last(found->reader, reading->last, err) == 0 ? 1 : -1;
}

/* Sends all lines of a service that are there. */
static int
pump(engine_t *self, reading_t *reading, actor_call_t *call, size_t i, err_t **err)
{
    logs_line_t line;
    logs_reader_t *reader = reading->found[i].reader;
    int got;
    while ((got = logs_reader_next(reader, &line, err)) > 0) {
        int wanted = engine_filter_matches(reading->filter, line.text, line.size, err);
        if (wanted < 0)
            return -1;
        if (wanted)
            engine_lines_add(&reading->lines, line.time, line.text, line.size);
        if (!engine_lines_full(&reading->lines))
            continue;
        if (send_lines(reading, call, i, err) < 0)
            return -1;
        if (actor_stopping(engine_actor(self)))
            return err_fail(err, ERR_UNAVAILABLE, "the engine stops");
    }
    return got < 0 ? -1 : send_lines(reading, call, i, err);
}

/* Goes through all services once: 1 when lines may come, 0 when nothing more does. watch: NULL when nobody waits for them. */
static int
read_all(engine_t *self, reading_t *reading, actor_call_t *call, logs_watch_t *watch, bool first,
         err_t **err)
{
    int more = 0;
    for (size_t i = 0; i < reading->step->n_service_logs_by_service_uuid; i++) {
        found_t *found = &reading->found[i];
        if (found->over)
            continue;
        if (watch && !found->reader &&
            logs_watch_add(watch, self->logs, reading->enclave_uuid, found->uuid, err) < 0)
            return -1;
        int there = open_reader(self, reading, found, reading->all || !first, err);
        if (there < 0 || (there && pump(self, reading, call, i, err) < 0))
            return -1;
        found->over = !watch || (there ? logs_reader_has_ended(found->reader) || !found->runs ||
                                             logs_reader_is_gone(found->reader)
                                       : !found->runs);
        if (found->over)
            logs_reader_destroy(&found->reader);
        more |= !found->over;
    }
    return more;
}

/* Milliseconds up to a time of clock_ns(), for poll(2). */
static int
left_ms(int64_t deadline)
{
    int64_t left = deadline == INT64_MAX ? -1 : (deadline - clock_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return deadline == INT64_MAX ? -1 : left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Waits for a change, or for the deadline; CANCELLED, or UNAVAILABLE when the engine is to end, which lines without end do not
 * hold up. */
static int
wait_change(engine_t *self, actor_call_t *call, logs_watch_t *watch, int64_t deadline, err_t **err)
{
    struct pollfd fds[] = {{.fd = logs_watch_fd(watch), .events = POLLIN},
                           {.fd = actor_stopping_fd(engine_actor(self)), .events = POLLIN},
                           {.fd = actor_call_cancel_fd(call), .events = POLLIN}};
    while (poll(fds, ARRAY_LEN(fds), left_ms(deadline)) < 0)
        continue;
    /* Changes that follow each other closely are read together; the other two are waited for meanwhile. */
    if (!fds[1].revents && !fds[2].revents)
        poll(fds + 1, ARRAY_LEN(fds) - 1, GATHER_MS);
    logs_watch_drain(watch);
    if (fds[1].revents)
        return err_fail(err, ERR_UNAVAILABLE, "the engine stops");
    return fds[2].revents ? err_fail(err, ERR_CANCELLED, "the caller gave up") : 0;
}

static int
relay(engine_t *self, actor_call_t *call, reading_t *reading, err_t **err)
{
    AUTO(logs_watch) watch = NULL;
    if (reading->follow && logs_watch_new(&watch, err) < 0)
        return -1;
    for (bool first = true;; first = false) {
        int more = read_all(self, reading, call, watch, first, err);
        if (more <= 0)
            return more;
        if (wait_change(self, call, watch, reading->deadline, err) < 0)
            return -1;
        if (clock_ns() >= reading->deadline)
            break;
    }
    flush(self, call, reading);
    return read_all(self, reading, call, NULL, false, err);
}

/* Nanoseconds since 1970; what lies too far away is the last moment that there is. */
static int
read_moment(const Google__Protobuf__Timestamp *moment, const char *which, int64_t *ret_time,
            err_t **err)
{
    const int64_t most = INT64_MAX / NS_PER_SECOND - 1;
    if (moment->nanos < 0 || moment->nanos >= NS_PER_SECOND)
        return err_fail(err, ERR_INVALID, "'%s' has %d nanoseconds: write 0 to 999999999", which,
                        (int)moment->nanos);
    *ret_time = moment->seconds > most    ? INT64_MAX
                : moment->seconds < -most ? INT64_MIN
                                          : moment->seconds * NS_PER_SECOND + moment->nanos;
    return 0;
}

static int
read_times(engine_t *self, const EngineApi__GetServiceLogsArgs *args, reading_t *reading,
           err_t **err)
{
    int64_t now = clock_wall_ns(), kept = now - self->logs_retention_ns;
    reading->since = kept;
    reading->until = reading->deadline = INT64_MAX;
    if ((args->since && read_moment(args->since, "since", &reading->since, err) < 0) ||
        (args->until && read_moment(args->until, "until", &reading->until, err) < 0))
        return -1;
    if (args->since && reading->since >= reading->until)
        return err_fail(err, ERR_INVALID,
                        "the time since which lines are wanted is not before the time "
                        "until which they are");
    if (reading->since < kept)
        reading->since = kept;
    if (reading->until <= now)
        reading->follow = false;
    else if (reading->until != INT64_MAX)
        reading->deadline = clock_ns() + (reading->until - now);
    return 0;
}

/* What the request says beyond services and filters. */
static int
read_args(engine_t *self, const EngineApi__GetServiceLogsArgs *args, reading_t *reading,
          err_t **err)
{
    engine_lines_init(&reading->lines);
    reading->follow =
        args->_follow_logs_case == ENGINE_API__GET_SERVICE_LOGS_ARGS___FOLLOW_LOGS_FOLLOW_LOGS &&
        args->follow_logs;
    reading->all = args->_return_all_logs_case ==
                       ENGINE_API__GET_SERVICE_LOGS_ARGS___RETURN_ALL_LOGS_RETURN_ALL_LOGS &&
                   args->return_all_logs;
    if (args->_num_log_lines_case ==
        ENGINE_API__GET_SERVICE_LOGS_ARGS___NUM_LOG_LINES_NUM_LOG_LINES)
        reading->last = args->num_log_lines;
    return read_times(self, args, reading, err);
}

void
engine_on_logs(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    engine_t *self = state;
    const EngineApi__GetServiceLogsArgs *args = (const EngineApi__GetServiceLogsArgs *)request;
    __attribute__((cleanup(reading_done))) reading_t reading = {0};
    AUTO(err) err = NULL;
    int result = read_args(self, args, &reading, &err);
    if (result == 0)
        result = engine_filter_new(args->conjunctive_filters, args->n_conjunctive_filters,
                                   &reading.filter, &err);
    if (result == 0)
        result = resolve(self, call, args->enclave_identifier, &reading.enclave_uuid, &err);
    if (result == 0)
        result = look_up(self, call, args, &reading, &err);
    if (result == 0 && reading.step->n_not_found_service_uuid_set > 0)
        result = actor_call_send(call, &reading.step->base, &err);
    if (result == 0 && reading.step->n_service_logs_by_service_uuid > 0) {
        flush(self, call, &reading);
        result = relay(self, call, &reading, &err);
    }
    if (result < 0) {
        err_wrap(&err, "cannot read the logs of enclave '%s'", args->enclave_identifier);
        actor_call_fail(&call, &err);
        return;
    }
    actor_call_end(&call);
}
