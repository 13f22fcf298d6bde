/*  logs: GetLogs and FlushLogs. GetLogs reads Docker's own log streams of one or more services, all on one thread; lines
 *  are sent as they are read, in order within a service. FlushLogs waits for the collector (collect.h). */
#include "base/clock.h"
#include "docker-driver/collect.h"
#include "docker-driver/demux.h"
#include "docker-driver/entries.h"

#include <stdio.h>
#include <string.h>

/* One service's stream. */
typedef struct {
    const docker_call_t *call;
    char *uuid;
    char *id; /* of the container */
    docker_demux_t demux;
    docker_lines_t lines;
} source_t;

static int
send_line(void *arg, docker_stream_t stream, int64_t time, const char *line, size_t size,
          err_t **err)
{
    const source_t *self = arg;
    Orchestrator__ServiceLogLine message = ORCHESTRATOR__SERVICE_LOG_LINE__INIT;
    if (size && line[size - 1] == '\r')
        size--; /* terminals end lines so */
    message.service_uuid = self->uuid;
    message.line.data = (uint8_t *)line;
    message.line.len = size;
    message.timestamp = time;
    message.stream = stream == DOCKER_ERR ? ORCHESTRATOR__OUTPUT_STREAM__STDERR
                                          : ORCHESTRATOR__OUTPUT_STREAM__STDOUT;
    return self->call->send(self->call->arg, &message.base, err);
}

static int
on_bytes(void *arg, const char *data, size_t size, err_t **err)
{
    return docker_demux_feed(&((source_t *)arg)->demux, data, size, err);
}

/* Id or name of the container of a service, or of the API container where the UUID is empty. */
static int
container_of(docker_t *self, const docker_call_t *call, const char *enclave_uuid,
             const char *service_uuid, char **ret_id, err_t **err)
{
    if (!*service_uuid) {
        if (docker_check_uuid("enclave", enclave_uuid, err) < 0)
            return -1;
        *ret_id = docker_name_api(enclave_uuid);
        return 0;
    }
    AUTO_JSON *listed = NULL;
    if (docker_service_find(self, call, enclave_uuid, service_uuid, &listed, err) < 0)
        return -1;
    *ret_id = strdup(docker_text(listed, "Id"));
    return 0;
}

/* Finds the containers and whether they have terminals. */
static int
sources_find(docker_t *self, const docker_call_t *call, const Orchestrator__GetLogsArgs *args,
             source_t *sources, err_t **err)
{
    for (size_t i = 0; i < args->n_service_uuids; i++) {
        AUTO_JSON *container = NULL;
        source_t *source = &sources[i];
        if (container_of(self, call, args->enclave_uuid, args->service_uuids[i], &source->id, err) <
            0)
            return -1;
        source->call = call;
        source->uuid = strdup(args->service_uuids[i]);
        if (docker_get(self, call, docker_path("/containers/%s/json", source->id), &container,
                       err) < 0)
            return -1;
        bool tty = json_is_true(docker_at(container, "Config", "Tty", NULL));
        docker_lines_init(&source->lines, tty, send_line, source);
        docker_demux_init(&source->demux, tty, docker_lines_piece, &source->lines);
    }
    return 0;
}

static char *
logs_path(const source_t *source, const Orchestrator__GetLogsArgs *args)
{
    char tail[16] = "all";
    AUTO_FREE char *since = args->since > 0 ? docker_since(args->since) : strdup("0");
    if (!args->all_lines)
        snprintf(tail, sizeof tail, "%u", args->last_lines);
    return docker_path(
        "/containers/%s/logs?stdout=1&stderr=1&timestamps=1&follow=%d&tail=%s&since=%s", source->id,
        args->follow ? 1 : 0, tail, since);
}

static int
check_args(const Orchestrator__GetLogsArgs *args, err_t **err)
{
    if (args->n_service_uuids == 0)
        return err_fail(err, ERR_INVALID, "no service was named");
    size_t most = args->follow ? DOCKER_FOLLOW_MAX : DOCKER_LOGS_MAX;
    if (args->n_service_uuids > most)
        return err_fail(err, ERR_LIMIT, "%zu services were named: at most %zu are read at once",
                        args->n_service_uuids, most);
    return args->since < 0 ? err_fail(err, ERR_INVALID, "the time to begin at is before 1970") : 0;
}

static int
stream(docker_t *self, const docker_call_t *call, const Orchestrator__GetLogsArgs *args,
       source_t *sources, err_t **err)
{
    size_t count = args->n_service_uuids;
    docker_request_t *requests = calloc(count, sizeof *requests);
    if (!requests)
        abort();
    for (size_t i = 0; i < count; i++)
        requests[i] = (docker_request_t){.method = "GET",
                                         .path = logs_path(&sources[i], args),
                                         .timeout_ms = -1,
                                         .unlimited = args->follow,
                                         .sink = on_bytes,
                                         .arg = &sources[i]};
    int result = docker_http_run(self->http, requests, count, docker_cancel_fd(call), err);
    for (size_t i = 0; i < count; i++) {
        if (result == 0)
            result = docker_demux_end(&sources[i].demux, err);
        if (result == 0)
            result = docker_lines_end(&sources[i].lines, err);
        free((char *)requests[i].path);
        docker_request_done(&requests[i]);
    }
    free(requests);
    return result;
}

int
docker_logs_get(docker_t *self, const docker_call_t *call, const Orchestrator__GetLogsArgs *request,
                err_t **err)
{
    if (check_args(request, err) < 0)
        return err_wrap(err, "cannot read logs");
    source_t *sources = calloc(request->n_service_uuids, sizeof *sources);
    if (!sources)
        abort();
    int result = sources_find(self, call, request, sources, err);
    if (result == 0)
        result = stream(self, call, request, sources, err);
    for (size_t i = 0; i < request->n_service_uuids; i++) {
        docker_lines_done(&sources[i].lines);
        docker_demux_done(&sources[i].demux);
        free(sources[i].uuid);
        free(sources[i].id);
    }
    free(sources);
    return result < 0
               ? err_wrap(err, "cannot read the logs of enclave '%.100s'", request->enclave_uuid)
               : 0;
}

/* ------------------------------------------------------------------------------------ FlushLogs */

static int
newest_of(void *arg, docker_stream_t stream, int64_t time, const char *line, size_t size,
          err_t **err)
{
    (void)stream, (void)line, (void)size, (void)err;
    int64_t *newest = arg;
    *newest = time > *newest ? time : *newest;
    return 0;
}

/* When the last line in an answer with tail=1 was printed; INT64_MIN when there is none. With a terminal there are no frames. */
static int64_t
last_time(const docker_request_t *answer)
{
    int64_t newest = INT64_MIN;
    for (int tty = 0; tty < 2 && newest == INT64_MIN; tty++) {
        docker_entries_t entries;
        docker_entries_init(&entries, tty, newest_of, &newest);
        if (docker_entries_feed(&entries, answer->reply.data, answer->reply.len, NULL) == 0)
            docker_entries_end(&entries, NULL);
        docker_entries_done(&entries);
    }
    return newest;
}

/* The containers of these services; gone ones are left out. */
static json_t *
containers_of(docker_t *self, const docker_call_t *call, const Orchestrator__FlushLogsArgs *args,
              err_t **err)
{
    AUTO_JSON *all = NULL;
    if (docker_get(
            self, call,
            docker_containers_path(DOCKER_LABEL_ENCLAVE, args->enclave_uuid, DOCKER_TYPE_SERVICE),
            &all, err) < 0)
        return NULL;
    json_t *found = json_array();
    size_t i;
    json_t *container;
    json_array_foreach(all, i, container)
    {
        bool wanted = false;
        for (size_t k = 0; k < args->n_service_uuids && !wanted; k++)
            wanted =
                strcmp(args->service_uuids[k], docker_label(container, DOCKER_LABEL_GUID)) == 0;
        if (wanted)
            json_array_append(found, container);
    }
    return found;
}

int
docker_logs_flush(docker_t *self, const docker_call_t *call,
                  const Orchestrator__FlushLogsArgs *request, err_t **err)
{
    if (docker_check_uuid("enclave", request->enclave_uuid, err) < 0)
        return err_wrap(err, "cannot wait for logs");
    if (request->n_service_uuids > DOCKER_LOGS_MAX)
        return err_fail(err, ERR_LIMIT,
                        "%zu services were named: at most %u are waited for at once",
                        request->n_service_uuids, DOCKER_LOGS_MAX);
    AUTO_JSON *found = self->collector ? containers_of(self, call, request, err) : json_array();
    if (!found)
        return err_wrap(err, "cannot wait for the logs of enclave '%s'", request->enclave_uuid);
    size_t count = json_array_size(found);
    docker_request_t *requests = calloc(count + 1, sizeof *requests);
    if (!requests)
        abort();
    for (size_t i = 0; i < count; i++) {
        requests[i].method = "GET";
        requests[i].path = docker_path("/containers/%s/logs?stdout=1&stderr=1&timestamps=1&tail=1",
                                       docker_text(json_array_get(found, i), "Id"));
    }
    int64_t asked = clock_ns();
    docker_http_run(self->http, requests, count, docker_cancel_fd(call), NULL);
    int64_t deadline = clock_ns() + DOCKER_COLLECT_FLUSH_MS * NS_PER_MS;
    for (size_t i = 0; i < count; i++) {
        const json_t *container = json_array_get(found, i);
        bool runs = strcmp(docker_text(container, "State"), "running") == 0;
        if (!requests[i].failure)
            docker_collector_await(self->collector, docker_text(container, "Id"), runs,
                                   last_time(&requests[i]), asked, deadline);
        free((char *)requests[i].path);
        docker_request_done(&requests[i]);
    }
    free(requests);
    return 0;
}
