/*  dump: Dump. What Docker says about each container, without our secrets, and all that it printed. */
#include "docker-driver/api.h"
#include "docker-driver/demux.h"

#include <string.h>

static const char *const secrets[] = {"KURTOSIS_BUS_SECRET=", "KURTOSIS_GITHUB_TOKEN="};

typedef struct {
    const docker_call_t *call;
    const char *container; /* name of the present one */
    docker_demux_t demux;
} dump_t;

static int
tell(dump_t *self, bool is_log, const char *data, size_t size, err_t **err)
{
    Orchestrator__DumpPart part = ORCHESTRATOR__DUMP_PART__INIT;
    part.container = (char *)self->container;
    part.is_log = is_log;
    do {
        size_t piece = size < DOCKER_CHUNK_MAX ? size : DOCKER_CHUNK_MAX;
        part.data = (ProtobufCBinaryData){.len = piece, .data = (uint8_t *)data};
        if (self->call->send(self->call->arg, &part.base, err) < 0)
            return -1;
        data += piece;
        size -= piece;
    } while (size > 0);
    return 0;
}

/* Keys are for who uses them, not for who reads a dump. */
static void
redact(json_t *container)
{
    json_t *env = docker_at(container, "Config", "Env", NULL);
    size_t i;
    json_t *value;
    json_array_foreach(env, i, value)
    {
        const char *text = json_string_value(value);
        for (size_t k = 0; text && k < ARRAY_LEN(secrets); k++)
            if (str_starts(text, secrets[k])) {
                AUTO_FREE char *hidden = str_format("%s***", secrets[k]);
                json_array_set_new(env, i, json_string(hidden));
                break;
            }
    }
}

static int
on_piece(void *arg, docker_stream_t stream, bool starts, const char *data, size_t size, err_t **err)
{
    (void)stream;
    (void)starts;
    return size ? tell(arg, true, data, size, err) : 0;
}

static int
on_bytes(void *arg, const char *data, size_t size, err_t **err)
{
    return docker_demux_feed(&((dump_t *)arg)->demux, data, size, err);
}

static int
dump_logs(docker_t *self, dump_t *dump, const char *id, bool tty, err_t **err)
{
    AUTO_FREE char *path = docker_path("/containers/%s/logs?stdout=1&stderr=1", id);
    AUTO_REQUEST logs = {
        .method = "GET", .path = path, .timeout_ms = -1, .sink = on_bytes, .arg = dump};
    docker_demux_init(&dump->demux, tty, on_piece, dump);
    int result = docker_http_do(self->http, &logs, docker_cancel_fd(dump->call), err);
    docker_demux_done(&dump->demux);
    return result;
}

/* One that has gone meanwhile is left out. */
static int
dump_container(docker_t *self, dump_t *dump, const char *id, err_t **err)
{
    AUTO_JSON *container = NULL;
    AUTO(err) why = NULL;
    if (docker_get(self, dump->call, docker_path("/containers/%s/json", id), &container, &why) <
        0) {
        if (err_code(why) == ERR_NOT_FOUND)
            return 0;
        if (err)
            *err = TAKE(why);
        return -1;
    }
    redact(container);
    AUTO_FREE char *name = strdup(docker_text(container, "Name"));
    AUTO_FREE char *text = json_dumps(container, JSON_INDENT(2));
    dump->container = name + (*name == '/');
    if (tell(dump, false, text, strlen(text), err) < 0 || tell(dump, true, "", 0, err) < 0)
        return -1;
    return dump_logs(self, dump, id, json_is_true(docker_at(container, "Config", "Tty", NULL)),
                     err);
}

int
docker_dump(docker_t *self, const docker_call_t *call, const Orchestrator__DumpArgs *request,
            err_t **err)
{
    bool of_engine = !*request->enclave_uuid;
    dump_t dump = {.call = call};
    AUTO_JSON *list = NULL;
    if ((!of_engine && docker_check_uuid("enclave", request->enclave_uuid, err) < 0) ||
        docker_get(
            self, call,
            of_engine
                ? docker_containers_path(DOCKER_LABEL_CONTAINER_TYPE, DOCKER_TYPE_ENGINE, NULL)
                : docker_containers_path(DOCKER_LABEL_ENCLAVE, request->enclave_uuid, NULL),
            &list, err) < 0)
        return err_wrap(err, "cannot list containers to dump");
    size_t i;
    json_t *container;
    json_array_foreach(list, i, container)
    {
        if (dump_container(self, &dump, docker_text(container, "Id"), err) < 0)
            return err_wrap(err, "cannot dump container '%s'", docker_text(container, "Id"));
    }
    return 0;
}
