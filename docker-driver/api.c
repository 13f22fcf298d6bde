/*  api: see api.h. */
#include "docker-driver/api.h"

#include "base/clock.h"
#include "docker-driver/collect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
docker_new(const char *host, docker_t **ret_docker, err_t **err)
{
    AUTO(docker) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->subnet_lock, NULL);
    pthread_mutex_init(&self->pulls_lock, NULL);
    self->pull_idle_ms = DOCKER_PULL_IDLE_MS;
    pthread_mutex_init(&self->host_ports.lock, NULL);
    docker_seen_init(&self->seen);
    docker_turns_init(&self->turns);
    if (docker_http_new(host, &self->http, err) < 0)
        return -1;
    *ret_docker = TAKE(self);
    return 0;
}

void
docker_destroy(docker_t **self_p)
{
    docker_t *self = TAKE(*self_p);
    if (!self)
        return;
    docker_collector_destroy(&self->collector);
    docker_http_destroy(&self->http);
    pthread_mutex_destroy(&self->subnet_lock);
    pthread_mutex_destroy(&self->pulls_lock);
    pthread_mutex_destroy(&self->host_ports.lock);
    docker_seen_done(&self->seen);
    docker_turns_done(&self->turns);
    free(self);
}

/* ------------------------------------------------------------------------------------- requests */

int
docker_json(const char *text, size_t size, json_t **ret_json, err_t **err)
{
    json_error_t why;
    json_t *json = json_loadb(text, size, JSON_ALLOW_NUL | JSON_DECODE_ANY, &why);
    if (!json)
        return err_fail(err, ERR_UNAVAILABLE,
                        "Docker's reply is not JSON (%s at byte %d): check DOCKER_HOST", why.text,
                        why.position);
    *ret_json = json;
    return 0;
}

char *
docker_json_text(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        abort();
    return text;
}

static int
ask(docker_t *self, const docker_call_t *call, const char *method, char *path, json_t *body,
    json_t **ret_reply, err_t **err)
{
    AUTO_FREE char *own_path = path;
    AUTO_FREE char *text = body ? docker_json_text(body) : NULL;
    json_decref(body);
    AUTO_REQUEST request = {.method = method, .path = own_path, .body = text};
    if (docker_http_do(self->http, &request, docker_cancel_fd(call), err) < 0)
        return -1;
    return ret_reply ? docker_json(request.reply.data, request.reply.len, ret_reply, err) : 0;
}

int
docker_get(docker_t *self, const docker_call_t *call, char *path, json_t **ret_reply, err_t **err)
{
    return ask(self, call, "GET", path, NULL, ret_reply, err);
}

int
docker_post(docker_t *self, const docker_call_t *call, char *path, json_t *body, json_t **ret_reply,
            err_t **err)
{
    return ask(self, call, "POST", path, body, ret_reply, err);
}

int
docker_delete(docker_t *self, const docker_call_t *call, char *path, err_t **err)
{
    return ask(self, call, "DELETE", path, NULL, NULL, err);
}

/* --------------------------------------------------------------------------------- reading JSON */

json_t *
docker_at(const json_t *json, ...)
{
    va_list keys;
    va_start(keys, json);
    for (const char *key; (key = va_arg(keys, const char *));)
        json = json_object_get(json, key);
    va_end(keys);
    return (json_t *)json;
}

char *
docker_since(int64_t wall_ns)
{
    return str_format("%lld.%09lld", (long long)(wall_ns / NS_PER_SECOND),
                      (long long)(wall_ns % NS_PER_SECOND));
}

const char *
docker_text(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

const char *
docker_label(const json_t *object, const char *key)
{
    return docker_text(json_object_get(object, "Labels"), key);
}

int64_t
docker_int(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

/* ------------------------------------------------------------------------------------- look-ups */

char *
docker_filters(const char *filter, ...)
{
    json_t *filters = json_object();
    va_list args;
    va_start(args, filter);
    for (; filter; filter = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        json_t *list = json_object_get(filters, filter);
        if (!list) {
            list = json_array();
            json_object_set_new(filters, filter, list);
        }
        json_array_append_new(list, json_string(value));
    }
    va_end(args);
    char *text = docker_json_text(filters);
    json_decref(filters);
    return text;
}

char *
docker_label_filter(const char *key, const char *value)
{
    return str_format("%s=%s", key, value);
}

char *
docker_containers_path(const char *label, const char *value, const char *type)
{
    AUTO_FREE char *app = docker_label_filter(DOCKER_LABEL_APP, DOCKER_APP);
    AUTO_FREE char *first = value ? docker_label_filter(label, value) : strdup(label);
    AUTO_FREE char *second =
        type ? docker_label_filter(DOCKER_LABEL_CONTAINER_TYPE, type) : strdup(first);
    AUTO_FREE char *filters = docker_filters("label", app, "label", first, "label", second, NULL);
    return docker_path("/containers/json?all=1&filters=%s", filters);
}

char *
docker_networks_path(const char *enclave_uuid)
{
    AUTO_FREE char *app = docker_label_filter(DOCKER_LABEL_APP, DOCKER_APP);
    AUTO_FREE char *label = enclave_uuid ? docker_label_filter(DOCKER_LABEL_ENCLAVE, enclave_uuid)
                                         : strdup(DOCKER_LABEL_ENCLAVE);
    AUTO_FREE char *filters = docker_filters("label", app, "label", label, NULL);
    return docker_path("/networks?filters=%s", filters);
}

char *
docker_volumes_path(const char *label, const char *value)
{
    AUTO_FREE char *app = docker_label_filter(DOCKER_LABEL_APP, DOCKER_APP);
    AUTO_FREE char *first = value ? docker_label_filter(label, value) : strdup(label);
    AUTO_FREE char *filters = docker_filters("label", app, "label", first, NULL);
    return docker_path("/volumes?filters=%s", filters);
}

int
docker_network_find(docker_t *self, const docker_call_t *call, const char *enclave_uuid,
                    json_t **ret_network, err_t **err)
{
    AUTO_JSON *list = NULL;
    if (docker_check_uuid("enclave", enclave_uuid, err) < 0 ||
        docker_get(self, call, docker_networks_path(enclave_uuid), &list, err) < 0)
        return err_wrap(err, "cannot look for the network of enclave '%s'", enclave_uuid);
    json_t *network = json_array_get(list, 0);
    if (!network)
        return err_fail(err, ERR_NOT_FOUND, "there is no enclave '%s': see 'kurtosis enclave ls'",
                        enclave_uuid);
    *ret_network = json_incref(network);
    return 0;
}

static char *
service_path(const char *enclave_uuid, const char *service_uuid)
{
    AUTO_FREE char *enclave = docker_label_filter(DOCKER_LABEL_ENCLAVE, enclave_uuid);
    AUTO_FREE char *service = docker_label_filter(DOCKER_LABEL_GUID, service_uuid);
    AUTO_FREE char *type = docker_label_filter(DOCKER_LABEL_CONTAINER_TYPE, DOCKER_TYPE_SERVICE);
    AUTO_FREE char *filters =
        docker_filters("label", enclave, "label", service, "label", type, NULL);
    return docker_path("/containers/json?all=1&filters=%s", filters);
}

int
docker_service_find(docker_t *self, const docker_call_t *call, const char *enclave_uuid,
                    const char *service_uuid, json_t **ret_container, err_t **err)
{
    AUTO_JSON *list = NULL;
    if (docker_check_uuid("enclave", enclave_uuid, err) < 0 ||
        docker_check_uuid("service", service_uuid, err) < 0 ||
        docker_get(self, call, service_path(enclave_uuid, service_uuid), &list, err) < 0)
        return err_wrap(err, "cannot look for service '%s'", service_uuid);
    json_t *container = json_array_get(list, 0);
    if (!container)
        return err_fail(err, ERR_NOT_FOUND, "there is no service '%s' in enclave '%s'",
                        service_uuid, enclave_uuid);
    *ret_container = json_incref(container);
    return 0;
}

const char *
docker_service_name(const json_t *container)
{
    return docker_label(container, DOCKER_LABEL_ID);
}

/* -------------------------------------------------------------------------------------- waiting */

typedef struct {
    int (*check)(void *arg, err_t **err);
    void *arg;
    bool done;
} await_t;

static int
await_check(void *arg, err_t **err)
{
    await_t *self = arg;
    int result = self->check(self->arg, err);
    self->done = result > 0;
    /* Ends the stream; run's failure is then ours to ignore. */
    return result > 0 ? err_fail(err, ERR_CANCELLED, "seen enough") : result;
}

static int
await_event(void *arg, const char *data, size_t size, err_t **err)
{
    return memchr(data, '\n', size) ? await_check(arg, err) : 0;
}

int
docker_await(docker_t *self, const docker_call_t *call, const char *filters, int timeout_ms,
             int (*check)(void *arg, err_t **err), void *arg, err_t **err)
{
    await_t await = {.check = check, .arg = arg};
    /* From a second back: what happens between the opening of the stream and Docker's own
     * subscription comes too. */
    int64_t since = clock_wall_ns() / NS_PER_SECOND - 1;
    AUTO_FREE char *from = str_format("%lld", (long long)since);
    AUTO_FREE char *path = docker_path("/events?since=%s&filters=%s", from, filters);
    AUTO_REQUEST events = {.method = "GET",
                           .path = path,
                           .timeout_ms = timeout_ms,
                           .opened = await_check,
                           .sink = await_event,
                           .arg = &await};
    int result = docker_http_do(self->http, &events, docker_cancel_fd(call), err);
    if (!await.done)
        return result < 0 ? result : err_fail(err, ERR_UNAVAILABLE, "Docker's event stream ended");
    if (err)
        err_destroy(err);
    return 0;
}
