/*  container: what the engine, API and service containers have in common: starting, last lines,
 *  small files. */
#include "docker-driver/api.h"
#include "docker-driver/demux.h"
#include "docker-driver/subnet.h"
#include "docker-driver/tar.h"

#include <string.h>

#define TAIL_BYTES_MAX 16384u /* of the last lines */
#define FILE_MAX 65536u

#define PODMAN_GPU_DRIVER "cdi" /* the only one that it may know */

/* What Docker lets every container do and Podman does not: ping, special files, the audit log. */
static const char *const docker_capabilities[] = {"NET_RAW", "MKNOD", "AUDIT_WRITE"};

/* Podman makes the volumes of a container's mounts, too, but without their labels. */
static int
make_volumes(docker_t *self, const json_t *body, err_t **err)
{
    size_t i;
    json_t *mount;
    json_array_foreach(docker_at(body, "HostConfig", "Mounts", NULL), i, mount)
    {
        json_t *labels = docker_at(mount, "VolumeOptions", "Labels", NULL);
        if (!labels)
            continue;
        json_t *volume =
            json_pack("{s:s, s:O}", "Name", docker_text(mount, "Source"), "Labels", labels);
        AUTO(err) failure = NULL;
        if (docker_post(self, NULL, docker_path("/volumes/create"), volume, NULL, &failure) == 0)
            continue;
        if (err)
            *err = TAKE(failure);
        return err_wrap(err, "cannot make volume '%s'", docker_text(mount, "Source"));
    }
    return 0;
}

/* Podman exposes no ports of SCTP, which would mean nothing anyway; it publishes them. */
static void
hide_sctp(json_t *ports)
{
    void *next;
    const char *port;
    json_t *value;
    json_object_foreach_safe(ports, next, port, value)
    {
        if (str_ends(port, "/sctp"))
            json_object_del(ports, port);
    }
}

/* Podman's network takes "0.0.0.0" by the letter: nobody sends to that. None is all addresses. */
static void
publish_everywhere(json_t *bindings)
{
    const char *port;
    json_t *list, *binding;
    size_t i;
    json_object_foreach(bindings, port, list) json_array_foreach(list, i, binding)
    {
        if (strcmp(docker_text(binding, "HostIp"), "0.0.0.0") == 0)
            json_object_set_new(binding, "HostIp", json_string(""));
    }
}

/* Podman gives a container another hardware address at each start and tells nobody: its neighbours and this host would
 * send to the one before for half a minute. An address of its own IP address stays, as on Docker. */
static int
fix_hardware_addresses(json_t *endpoints, err_t **err)
{
    const char *network;
    json_t *endpoint;
    json_object_foreach(endpoints, network, endpoint)
    {
        const json_t *text = docker_at(endpoint, "IPAMConfig", "IPv4Address", NULL);
        uint32_t ip;
        if (!text)
            continue;
        if (subnet_parse_address(json_string_value(text), &ip, err) < 0)
            return -1;
        json_object_set_new(endpoint, "MacAddress",
                            json_sprintf("02:42:%02x:%02x:%02x:%02x", ip >> 24, ip >> 16 & 0xff,
                                         ip >> 8 & 0xff, ip & 0xff));
    }
    return 0;
}

/* So that what runs on Docker runs on Podman. */
static int
adapt_to_podman(docker_t *self, json_t *body, err_t **err)
{
    hide_sctp(json_object_get(body, "ExposedPorts"));
    json_t *host = json_object_get(body, "HostConfig");
    publish_everywhere(json_object_get(host, "PortBindings"));
    if (fix_hardware_addresses(docker_at(body, "NetworkingConfig", "EndpointsConfig", NULL), err) <
        0)
        return -1;
    const json_t *gpus = json_array_get(json_object_get(host, "DeviceRequests"), 0);
    if (gpus && strcmp(docker_text(gpus, "Driver"), PODMAN_GPU_DRIVER) != 0)
        return err_fail(err, ERR_UNSUPPORTED,
                        "this is Podman, which would start it without the GPUs it asks for: use "
                        "Docker, or name its GPUs as devices");
    json_t *added = json_object_get(host, "CapAdd");
    if (!added) {
        added = json_array();
        json_object_set_new(host, "CapAdd", added);
    }
    for (size_t i = 0; i < ARRAY_LEN(docker_capabilities); i++)
        json_array_append_new(added, json_string(docker_capabilities[i]));
    return make_volumes(self, body, err);
}

int
docker_container_create(docker_t *self, const char *name, json_t *body, json_t **ret_reply,
                        err_t **err)
{
    int podman = docker_is_podman(self, NULL, err);
    if (podman < 0 || (podman && adapt_to_podman(self, body, err) < 0)) {
        json_decref(body);
        return -1;
    }
    return docker_post(self, NULL, docker_path("/containers/create?name=%s", name), body, ret_reply,
                       err);
}

int
docker_container_start(docker_t *self, const docker_call_t *call, const char *network,
                       const char *id, err_t **err)
{
    docker_turn_t *turn = network ? docker_turns_attach(&self->turns, network) : NULL;
    int result = docker_post(self, call, docker_path("/containers/%s/start", id), NULL, NULL, err);
    docker_turns_end(&self->turns, &turn);
    return result;
}

/* ----------------------------------------------------------------------------------- last lines */

static int
tail_piece(void *arg, docker_stream_t stream, bool starts, const char *data, size_t size,
           err_t **err)
{
    str_t *text = arg;
    (void)stream;
    (void)starts;
    (void)err;
    size_t room = TAIL_BYTES_MAX > text->len ? TAIL_BYTES_MAX - text->len : 0;
    str_add_bytes(text, data, size < room ? size : room);
    return 0;
}

void
docker_container_tail(docker_t *self, const docker_call_t *call, const char *id, str_t *ret_text)
{
    AUTO_JSON *container = NULL;
    if (docker_get(self, call, docker_path("/containers/%s/json", id), &container, NULL) < 0)
        return;
    AUTO_FREE char *path =
        docker_path("/containers/%s/logs?stdout=1&stderr=1&tail=%d", id, DOCKER_TAIL_LINES);
    AUTO_REQUEST logs = {.method = "GET", .path = path};
    if (docker_http_do(self->http, &logs, docker_cancel_fd(call), NULL) < 0)
        return;
    docker_demux_t demux;
    docker_demux_init(&demux, json_is_true(docker_at(container, "Config", "Tty", NULL)), tail_piece,
                      ret_text);
    docker_demux_feed(&demux, logs.reply.data, logs.reply.len, NULL);
    docker_demux_done(&demux);
}

/* ---------------------------------------------------------------------------------- small files */

static int
pack_files(const docker_file_t *files, size_t count, str_t *tar, err_t **err)
{
    for (size_t i = 0; i < count; i++) {
        const char *path = files[i].path;
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
            AUTO_FREE char *folder = strndup(path, (size_t)(slash - path) + 1);
            if (tar_add(tar, folder, 0700, NULL, 0, err) < 0)
                return -1;
        }
        if (tar_add(tar, path, 0600, files[i].data, strlen(files[i].data), err) < 0)
            return -1;
    }
    tar_end(tar);
    return 0;
}

typedef struct {
    const char *data;
    size_t left;
} memory_t;

static long
memory_source(void *arg, char *buffer, size_t size, err_t **err)
{
    memory_t *self = arg;
    (void)err;
    size_t part = self->left < size ? self->left : size;
    memcpy(buffer, self->data, part);
    self->data += part;
    self->left -= part;
    return (long)part;
}

int
docker_files_put(docker_t *self, const docker_call_t *call, const char *id, const char *folder,
                 const docker_file_t *files, size_t count, err_t **err)
{
    AUTO_STR tar = STR_EMPTY;
    if (pack_files(files, count, &tar, err) < 0)
        return -1;
    memory_t memory = {.data = tar.data, .left = tar.len};
    AUTO_FREE char *path = docker_path("/containers/%s/archive?path=%s", id, folder);
    AUTO_REQUEST put = {.method = "PUT",
                        .path = path,
                        .content_type = "application/x-tar",
                        .source = memory_source,
                        .arg = &memory};
    if (docker_http_do(self->http, &put, docker_cancel_fd(call), err) < 0)
        return err_wrap(err, "cannot put '%s' into '%s' of container '%s'", files[0].path, folder,
                        id);
    return 0;
}

int
docker_file_get(docker_t *self, const docker_call_t *call, const char *id, const char *path,
                str_t *ret_data, err_t **err)
{
    AUTO_FREE char *url = docker_path("/containers/%s/archive?path=%s", id, path);
    AUTO_REQUEST get = {.method = "GET", .path = url};
    AUTO(err) failure = NULL;
    if (docker_http_do(self->http, &get, docker_cancel_fd(call), &failure) < 0) {
        if (get.status == 404)
            return 0;
        if (err)
            *err = TAKE(failure);
        return err_wrap(err, "cannot read '%s' of container '%s'", path, id);
    }
    const char *data;
    size_t size;
    int found = tar_first_file(get.reply.data, get.reply.len, &data, &size, err);
    if (found > 0 && size > FILE_MAX)
        found = err_fail(err, ERR_LIMIT, "it has %zu bytes, at most %u are read", size, FILE_MAX);
    if (found < 0)
        return err_wrap(err, "cannot read '%s' of container '%s'", path, id);
    if (found)
        str_add_bytes(ret_data, data, size);
    return found;
}
