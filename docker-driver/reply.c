/*  reply: see reply.h. */
#include "docker-driver/reply.h"

#include "base/moment.h"
#include "docker-driver/api.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES (1024u * 1024)
#define LAYERS_MAX 1000u /* layers of an image that are counted */

/* The events that callers hear of. Docker names an exec'ed command's events "exec_die" etc.: those
 * are left out. */
static const char *const actions[] = {"start", "die", "oom", "destroy"};

static void
strings(const json_t *list, char ***ret_list, size_t *ret_count)
{
    size_t i;
    json_t *value;
    json_array_foreach((json_t *)list, i, value) if (json_is_string(value))
        LIST_ADD(*ret_list, *ret_count, strdup(json_string_value(value)));
}

/* --------------------------------------------------------------------------------------- images */

Orchestrator__ImageInfo *
docker_reply_image(const char *image, const json_t *reply)
{
    Orchestrator__ImageInfo *info = MESSAGE_NEW(ImageInfo, image_info);
    info->image = strdup(image);
    info->id = strdup(docker_text(reply, "Id"));
    info->architecture = strdup(docker_text(reply, "Architecture"));
    int64_t size = docker_int(reply, "Size");
    info->size = size > 0 ? (uint64_t)size : 0;
    strings(docker_at(reply, "Config", "Entrypoint", NULL), &info->entrypoint, &info->n_entrypoint);
    strings(docker_at(reply, "Config", "Cmd", NULL), &info->cmd, &info->n_cmd);
    return info;
}

/* A layer's [total, done, finished]. */
static json_t *
layer_require(docker_progress_t *self, const char *id)
{
    if (!self->layers)
        self->layers = json_object();
    json_t *layer = json_object_get(self->layers, id);
    if (!layer && self->layers_total < LAYERS_MAX) {
        layer = json_pack("[I,I,b]", (json_int_t)0, (json_int_t)0, 0);
        json_object_set_new(self->layers, id, layer);
        self->layers_total++;
    }
    return layer;
}

static void
layer_bytes(docker_progress_t *self, json_t *layer, int64_t total, int64_t done)
{
    int64_t old_total = json_integer_value(json_array_get(layer, 0));
    int64_t old_done = json_integer_value(json_array_get(layer, 1));
    if (total < old_total || total < 0 || total > INT64_MAX / 2)
        total = old_total;
    if (done < old_done)
        done = old_done;
    if (done > total)
        done = total;
    self->bytes_total += (uint64_t)(total - old_total);
    self->bytes_done += (uint64_t)(done - old_done);
    json_array_set_new(layer, 0, json_integer(total));
    json_array_set_new(layer, 1, json_integer(done));
}

int
docker_progress_line(docker_progress_t *self, const json_t *line, err_t **err)
{
    const char *message = docker_text(json_object_get(line, "errorDetail"), "message");
    if (!*message)
        message = docker_text(line, "error");
    if (*message)
        return docker_refusal_text(500, message, err);
    const char *id = docker_text(line, "id");
    const char *status = docker_text(line, "status");
    bool begins = strcmp(status, "Pulling fs layer") == 0;
    bool ends = strcmp(status, "Pull complete") == 0 || strcmp(status, "Already exists") == 0;
    bool loads = strcmp(status, "Downloading") == 0;
    if (!*id || (!begins && !ends && !loads))
        return 0;
    json_t *layer = layer_require(self, id);
    if (!layer)
        return 0;
    const json_t *detail = json_object_get(line, "progressDetail");
    if (loads)
        layer_bytes(self, layer, docker_int(detail, "total"), docker_int(detail, "current"));
    if (ends && !json_is_true(json_array_get(layer, 2))) {
        layer_bytes(self, layer, 0, INT64_MAX);
        json_array_set_new(layer, 2, json_true());
        self->layers_done++;
    }
    return 1;
}

void
docker_progress_done(docker_progress_t *self)
{
    json_decref(self->layers);
    *self = (docker_progress_t){0};
}

/* ------------------------------------------------------------------------- engines and enclaves */

Orchestrator__ContainerState
docker_reply_state(const char *state)
{
    if (strcmp(state, "running") == 0 || strcmp(state, "restarting") == 0)
        return ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING;
    return ORCHESTRATOR__CONTAINER_STATE__CONTAINER_STOPPED;
}

static uint32_t
port_of(const json_t *ports, int number)
{
    size_t i;
    json_t *port;
    json_array_foreach((json_t *)ports, i, port)
    {
        int64_t found = docker_int(port, "PublicPort");
        if (docker_int(port, "PrivatePort") == number && found > 0 && found <= 65535)
            return (uint32_t)found;
    }
    return 0;
}

/* As it was given: Podman says where an image without a registry is. */
static const char *
image_name(const char *image)
{
    static const char here[] = "localhost/";
    return str_starts(image, here) ? image + sizeof here - 1 : image;
}

Orchestrator__EngineInfo *
docker_reply_engine(const json_t *container)
{
    Orchestrator__EngineInfo *info = MESSAGE_NEW(EngineInfo, engine_info);
    info->guid = strdup(docker_label(container, DOCKER_LABEL_ID));
    info->version = strdup(docker_label(container, DOCKER_LABEL_ENGINE_VERSION));
    info->container_id = strdup(docker_text(container, "Id"));
    info->public_key = strdup(docker_label(container, DOCKER_LABEL_ENGINE_KEY));
    info->image = strdup(image_name(docker_text(container, "Image")));
    info->is_running = docker_reply_state(docker_text(container, "State")) ==
                       ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING;
    if (info->is_running)
        info->bus_port = port_of(json_object_get(container, "Ports"), DOCKER_BUS_PORT);
    return info;
}

static Orchestrator__Enclave *
enclave_of(const json_t *network)
{
    Orchestrator__Enclave *enclave = MESSAGE_NEW(Enclave, enclave);
    const json_t *configs = docker_at(network, "IPAM", "Config", NULL);
    const json_t *config = json_array_get(configs, 0);
    if (strchr(docker_text(config, "Subnet"), ':')) /* the order is Docker's */
        config = json_array_get(configs, 1);
    const char *created = docker_label(network, DOCKER_LABEL_CREATED);
    enclave->enclave_uuid = strdup(docker_label(network, DOCKER_LABEL_ENCLAVE));
    enclave->name = strdup(docker_label(network, DOCKER_LABEL_ENCLAVE_NAME));
    enclave->is_production = strcmp(docker_label(network, DOCKER_LABEL_PRODUCTION), "true") == 0;
    enclave->subnet = strdup(docker_text(config, "Subnet"));
    enclave->gateway = strdup(docker_text(config, "Gateway"));
    enclave->api_container_id = strdup("");
    enclave->api_container_ip = strdup("");
    if (!moment_parse(created, strlen(created), &enclave->creation_time))
        enclave->creation_time = 0;
    return enclave;
}

static Orchestrator__Enclave *
enclave_find(Orchestrator__GetEnclavesReply *reply, const char *uuid)
{
    for (size_t i = 0; i < reply->n_enclaves; i++)
        if (strcmp(reply->enclaves[i]->enclave_uuid, uuid) == 0)
            return reply->enclaves[i];
    return NULL;
}

/* An enclave whose network is gone and whose containers are not (a half-done removal) is still
 * listed. */
static Orchestrator__Enclave *
enclave_require(Orchestrator__GetEnclavesReply *reply, const json_t *container)
{
    const char *uuid = docker_label(container, DOCKER_LABEL_ENCLAVE);
    Orchestrator__Enclave *enclave = enclave_find(reply, uuid);
    if (!enclave && *uuid) {
        enclave = enclave_of(container);
        LIST_ADD(reply->enclaves, reply->n_enclaves, enclave);
    }
    return enclave;
}

static void
enclave_count(Orchestrator__Enclave *enclave, const json_t *container)
{
    Orchestrator__ContainerState state = docker_reply_state(docker_text(container, "State"));
    if (state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
        enclave->containers_running++;
    else
        enclave->containers_stopped++;
    if (strcmp(docker_label(container, DOCKER_LABEL_CONTAINER_TYPE), DOCKER_TYPE_API) != 0)
        return;
    enclave->api_container_state = state;
    free(enclave->api_container_id);
    free(enclave->api_container_ip);
    enclave->api_container_id = strdup(docker_text(container, "Id"));
    enclave->api_container_ip = strdup(docker_label(container, DOCKER_LABEL_PRIVATE_IP));
}

static int
by_time(const void *a, const void *b)
{
    const Orchestrator__Enclave *left = *(Orchestrator__Enclave *const *)a;
    const Orchestrator__Enclave *right = *(Orchestrator__Enclave *const *)b;
    if (left->creation_time != right->creation_time)
        return left->creation_time < right->creation_time ? -1 : 1;
    return strcmp(left->name, right->name);
}

Orchestrator__GetEnclavesReply *
docker_reply_enclaves(const json_t *networks, const json_t *containers)
{
    Orchestrator__GetEnclavesReply *reply = MESSAGE_NEW(GetEnclavesReply, get_enclaves_reply);
    size_t i;
    json_t *object;
    json_array_foreach((json_t *)networks, i, object)
    {
        const char *uuid = docker_label(object, DOCKER_LABEL_ENCLAVE);
        if (*uuid && !enclave_find(reply, uuid))
            LIST_ADD(reply->enclaves, reply->n_enclaves, enclave_of(object));
    }
    json_array_foreach((json_t *)containers, i, object)
    {
        Orchestrator__Enclave *enclave = enclave_require(reply, object);
        if (enclave)
            enclave_count(enclave, object);
    }
    if (reply->n_enclaves)
        qsort(reply->enclaves, reply->n_enclaves, sizeof(Orchestrator__Enclave *), by_time);
    return reply;
}

/* ------------------------------------------------------------------------------------- services */

static Orchestrator__Pair *
pair_new(const char *name, size_t name_size, const char *value)
{
    Orchestrator__Pair *pair = MESSAGE_NEW(Pair, pair);
    pair->name = strndup(name, name_size);
    pair->value = strdup(value);
    return pair;
}

static void
add_env(Orchestrator__ServiceInfo *info, const json_t *list)
{
    size_t i;
    json_t *value;
    json_array_foreach((json_t *)list, i, value)
    {
        const char *text = json_string_value(value);
        if (!text)
            continue;
        size_t name = strcspn(text, "=");
        LIST_ADD(info->env, info->n_env, pair_new(text, name, text[name] ? text + name + 1 : ""));
    }
}

static void
add_labels(Orchestrator__ServiceInfo *info, const json_t *labels)
{
    const char *key;
    json_t *value;
    size_t prefix = strlen(DOCKER_LABEL_CUSTOM);
    json_object_foreach((json_t *)labels, key, value)
    {
        if (str_starts(key, DOCKER_LABEL_CUSTOM) && json_is_string(value))
            LIST_ADD(info->labels, info->n_labels,
                     pair_new(key + prefix, strlen(key + prefix), json_string_value(value)));
    }
}

/* The host port of the first IPv4 binding; 0 for none. */
static uint32_t
host_port(const json_t *bindings)
{
    size_t i;
    json_t *binding;
    json_array_foreach((json_t *)bindings, i, binding)
    {
        unsigned port = 0;
        if (strchr(docker_text(binding, "HostIp"), ':'))
            continue;
        if (sscanf(docker_text(binding, "HostPort"), "%5u", &port) == 1 && port <= 65535)
            return port;
    }
    return 0;
}

static void
add_ports(Orchestrator__ServiceInfo *info, const json_t *container, const char *label)
{
    if (!*label || docker_ports_unpack(label, &info->ports, &info->n_ports, NULL) < 0)
        return;
    const json_t *bound = docker_at(container, "NetworkSettings", "Ports", NULL);
    const json_t *wanted = docker_at(container, "HostConfig", "PortBindings", NULL);
    for (size_t i = 0; i < info->n_ports; i++) {
        Orchestrator__ServicePort *port = info->ports[i];
        char key[32];
        snprintf(key, sizeof key, "%u/%s", port->number, docker_transport_name(port->transport));
        port->publish = json_array_size(json_object_get(wanted, key)) > 0;
        /* Podman also tells those of a container that does not run. */
        port->public_number = info->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING
                                  ? host_port(json_object_get(bound, key))
                                  : 0;
        if (port->public_number && !*info->public_ip) {
            free(info->public_ip);
            info->public_ip = strdup("127.0.0.1");
        }
    }
}

Orchestrator__ServiceInfo *
docker_reply_service(const json_t *container)
{
    Orchestrator__ServiceInfo *info = MESSAGE_NEW(ServiceInfo, service_info);
    const json_t *config = json_object_get(container, "Config");
    const json_t *state = json_object_get(container, "State");
    info->enclave_uuid = strdup(docker_label(config, DOCKER_LABEL_ENCLAVE));
    info->service_uuid = strdup(docker_label(config, DOCKER_LABEL_GUID));
    info->name = strdup(docker_label(config, DOCKER_LABEL_ID));
    info->container_id = strdup(docker_text(container, "Id"));
    info->state = docker_reply_state(docker_text(state, "Status"));
    info->exit_code = (int32_t)docker_int(state, "ExitCode");
    info->out_of_memory = json_is_true(json_object_get(state, "OOMKilled"));
    info->image = strdup(image_name(docker_text(config, "Image")));
    info->private_ip = strdup(docker_label(config, DOCKER_LABEL_PRIVATE_IP));
    info->public_ip = strdup("");
    strings(json_object_get(config, "Entrypoint"), &info->entrypoint, &info->n_entrypoint);
    strings(json_object_get(config, "Cmd"), &info->cmd, &info->n_cmd);
    add_env(info, json_object_get(config, "Env"));
    add_labels(info, json_object_get(config, "Labels"));
    add_ports(info, container, docker_label(config, DOCKER_LABEL_PORTS));
    return info;
}

/* --------------------------------------------------------------------------------------- events */

const char *
docker_reply_action(const json_t *event)
{
    static const struct {
        const char *podman, *docker;
    } words[] = {{"remove", "destroy"}, {"died", "die"}, {"exec_died", "exec_die"}};
    const char *action = docker_text(event, "Action");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(action, words[i].podman) == 0)
            return words[i].docker;
    return action;
}

Orchestrator__ContainerEvent *
docker_reply_event(const json_t *event)
{
    const char *action = docker_reply_action(event);
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(actions) && !known; i++)
        known = strcmp(action, actions[i]) == 0;
    if (!known || strcmp(docker_text(event, "Type"), "container") != 0)
        return NULL;
    const json_t *attributes = docker_at(event, "Actor", "Attributes", NULL);
    bool is_service =
        strcmp(docker_text(attributes, DOCKER_LABEL_CONTAINER_TYPE), DOCKER_TYPE_SERVICE) == 0;
    Orchestrator__ContainerEvent *found = MESSAGE_NEW(ContainerEvent, container_event);
    found->enclave_uuid = strdup(docker_text(attributes, DOCKER_LABEL_ENCLAVE));
    found->service_uuid = strdup(is_service ? docker_text(attributes, DOCKER_LABEL_GUID) : "");
    found->action = strdup(action);
    found->exit_code = (int32_t)strtol(docker_text(attributes, "exitCode"), NULL, 10);
    found->timestamp = docker_int(event, "timeNano");
    return found;
}

int
docker_json_lines_feed(docker_json_lines_t *self, const char *data, size_t size, err_t **err)
{
    while (size) {
        const char *newline = memchr(data, '\n', size);
        size_t part = newline ? (size_t)(newline - data) : size;
        if (part > LINE_MAX_BYTES - self->text.len)
            return err_fail(err, ERR_LIMIT, "a line of Docker's stream has more than %u bytes",
                            LINE_MAX_BYTES);
        str_add_bytes(&self->text, data, part);
        if (!newline)
            return 0;
        data += part + 1;
        size -= part + 1;
        AUTO_JSON *json = NULL;
        bool blank = self->text.len == strspn(self->text.len ? self->text.data : "", " \r\t");
        if (!blank && docker_json(self->text.data, self->text.len, &json, err) < 0)
            return -1;
        str_clear(&self->text);
        if (!blank && self->line(self->arg, json, err) < 0)
            return -1;
    }
    return 0;
}

void
docker_json_lines_done(docker_json_lines_t *self)
{
    str_done(&self->text);
}
