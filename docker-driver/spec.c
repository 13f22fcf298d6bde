/*  spec: see spec.h. */
#include "docker-driver/spec.h"

#include "docker-driver/host_ports.h"
#include "docker-driver/parts.h"
#include "docker-driver/subnet.h"

#include <stdio.h>
#include <string.h>

#define BYTES_PER_MEGABYTE 1000000u
#define BYTES_PER_MEBIBYTE 1048576u
#define NANOS_PER_MILLI 1000000u
#define MILLICPUS_MAX 1000000000u
#define MEGABYTES_MAX 1000000000u
#define SHORT_UUID 12
#define HTTP_PROTOCOL "http"
#define GPU_DRIVER "nvidia"

/* --------------------------------------------------------------------------------------- checks */

static int
check_path(const char *what, const char *path, err_t **err)
{
    if (*path == '/' && path[1] && !strstr(path, "/../") && !str_ends(path, "/.."))
        return 0;
    return err_fail(err, ERR_INVALID, "%s '%.300s' is not an absolute path below '/'", what, path);
}

/* Every mount point is given once. */
static int
check_mounts(const Orchestrator__ServiceSpec *spec, err_t **err)
{
    size_t count = spec->n_files + spec->n_persistent + spec->n_bind_mounts;
    if (count > DOCKER_MOUNTS_MAX)
        return err_fail(err, ERR_LIMIT, "it has %zu mounts: at most %u are allowed", count,
                        DOCKER_MOUNTS_MAX);
    AUTO_FREE const char **paths = calloc(count + 1, sizeof *paths);
    size_t n = 0;
    for (size_t i = 0; i < spec->n_files; i++)
        paths[n++] = spec->files[i]->path;
    for (size_t i = 0; i < spec->n_persistent; i++) {
        if (docker_check_service_name("persistent key", spec->persistent[i]->key, err) < 0)
            return -1;
        paths[n++] = spec->persistent[i]->path;
    }
    for (size_t i = 0; i < spec->n_bind_mounts; i++) {
        if (check_path("host path", spec->bind_mounts[i]->name, err) < 0)
            return -1;
        paths[n++] = spec->bind_mounts[i]->value;
    }
    for (size_t i = 0; i < n; i++) {
        if (check_path("mount point", paths[i], err) < 0)
            return -1;
        for (size_t k = 0; k < i; k++)
            if (strcmp(paths[i], paths[k]) == 0)
                return err_fail(err, ERR_INVALID, "mount point '%s' is given twice", paths[i]);
    }
    return 0;
}

static int
check_pairs(const Orchestrator__ServiceSpec *spec, err_t **err)
{
    for (size_t i = 0; i < spec->n_env; i++)
        if (spec->env[i]->name[0] == '\0' || spec->env[i]->name[0] == '=')
            return err_fail(err, ERR_INVALID, "environment variable '%.100s' has a wrong name",
                            spec->env[i]->name);
    for (size_t i = 0; i < spec->n_labels; i++)
        if (docker_check_label(spec->labels[i]->name, spec->labels[i]->value, err) < 0)
            return -1;
    for (size_t i = 0; i < spec->n_files_to_be_moved; i++)
        if (!*spec->files_to_be_moved[i]->name || !*spec->files_to_be_moved[i]->value)
            return err_fail(err, ERR_INVALID, "a file to be moved has no path");
    return 0;
}

int
docker_spec_check(const Orchestrator__ServiceSpec *spec, err_t **err)
{
    uint32_t address;
    if (docker_check_uuid("enclave", spec->enclave_uuid, err) < 0 ||
        docker_check_uuid("service UUID", spec->service_uuid, err) < 0 ||
        docker_check_service_name("service name", spec->name, err) < 0 ||
        subnet_parse_address(spec->private_ip, &address, err) < 0)
        return -1;
    if (!*spec->image)
        return err_fail(err, ERR_INVALID, "it has no image");
    if (spec->max_memory_megabytes && spec->max_memory_megabytes < DOCKER_MEMORY_MIN_MEGABYTES)
        return err_fail(
            err, ERR_INVALID, "its memory limit is %llu MB: Docker needs at least %d MB",
            (unsigned long long)spec->max_memory_megabytes, DOCKER_MEMORY_MIN_MEGABYTES);
    if (spec->max_memory_megabytes > MEGABYTES_MAX || spec->shm_megabytes > MEGABYTES_MAX ||
        spec->max_millicpus > MILLICPUS_MAX)
        return err_fail(err, ERR_LIMIT, "its memory or CPU limit is absurdly large");
    if (check_mounts(spec, err) < 0)
        return -1;
    return check_pairs(spec, err);
}

/* --------------------------------------------------------------------------------------- pieces */

static json_t *
list_of(char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, docker_string(texts[i]));
    return list;
}

static void
set_list(json_t *object, const char *key, char *const *texts, size_t count)
{
    if (count)
        json_object_set_new(object, key, list_of(texts, count));
}

static void
quote(str_t *out, const char *word)
{
    str_add_char(out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            str_add(out, "'\\''");
        else
            str_add_char(out, *word);
    }
    str_add_char(out, '\'');
}

/* sh -c "mv A B && ... && exec entrypoint cmd". */
static void
set_moving_command(const docker_making_t *making, json_t *body)
{
    const Orchestrator__ServiceSpec *spec = making->spec;
    bool own_entrypoint = spec->n_entrypoint > 0;
    char *const *entrypoint = own_entrypoint ? spec->entrypoint : making->image_entrypoint;
    size_t entrypoint_count = own_entrypoint ? spec->n_entrypoint : making->image_entrypoint_count;
    bool own_cmd = spec->n_cmd > 0 || own_entrypoint;
    char *const *cmd = own_cmd ? spec->cmd : making->image_cmd;
    size_t cmd_count = own_cmd ? spec->n_cmd : making->image_cmd_count;

    AUTO_STR script = STR_EMPTY;
    for (size_t i = 0; i < spec->n_files_to_be_moved; i++) {
        str_add(&script, "mv ");
        quote(&script, spec->files_to_be_moved[i]->name);
        str_add_char(&script, ' ');
        quote(&script, spec->files_to_be_moved[i]->value);
        str_add(&script, " && ");
    }
    str_add(&script, "exec");
    for (size_t i = 0; i < entrypoint_count + cmd_count; i++) {
        str_add_char(&script, ' ');
        quote(&script, i < entrypoint_count ? entrypoint[i] : cmd[i - entrypoint_count]);
    }
    json_object_set_new(body, "Entrypoint", json_pack("[s]", "/bin/sh"));
    json_t *arguments = json_pack("[s]", "-c");
    json_array_append_new(arguments, docker_string(script.data));
    json_object_set_new(body, "Cmd", arguments);
}

static json_t *
env_of(const Orchestrator__ServiceSpec *spec)
{
    json_t *env = json_array();
    for (size_t i = 0; i < spec->n_env; i++) {
        AUTO_FREE char *text = str_format("%s=%s", spec->env[i]->name, spec->env[i]->value);
        json_array_append_new(env, docker_string(text));
    }
    return env;
}

/* The routes that a Traefik beside Kurtosis would serve: TCP ports that speak exactly "http". */
static void
set_routes(json_t *labels, const Orchestrator__ServiceSpec *spec)
{
    for (size_t i = 0; i < spec->n_ports; i++) {
        const Orchestrator__ServicePort *port = spec->ports[i];
        if (port->transport != ORCHESTRATOR__TRANSPORT__TCP ||
            strcmp(port->application_protocol, HTTP_PROTOCOL) != 0)
            continue;
        AUTO_FREE char *route = str_format("%.*s-%.*s-%u", SHORT_UUID, spec->enclave_uuid,
                                           SHORT_UUID, spec->service_uuid, port->number);
        AUTO_FREE char *rule =
            str_format("HostRegexp(`{^name:%u-%.*s-%.*s-?.*$}`)", port->number, SHORT_UUID,
                       spec->service_uuid, SHORT_UUID, spec->enclave_uuid);
        AUTO_FREE char *number = str_format("%u", port->number);
        AUTO_FREE char *rule_key = str_format("traefik.http.routers.%s.rule", route);
        AUTO_FREE char *service_key = str_format("traefik.http.routers.%s.service", route);
        AUTO_FREE char *port_key =
            str_format("traefik.http.services.%s.loadbalancer.server.port", route);
        docker_label_set(labels, DOCKER_LABEL_TRAEFIK, "true");
        docker_label_set(labels, rule_key, rule);
        docker_label_set(labels, service_key, route);
        docker_label_set(labels, port_key, number);
    }
}

static json_t *
labels_of(const docker_making_t *making, const char *ports)
{
    const Orchestrator__ServiceSpec *spec = making->spec;
    const struct {
        const char *key, *value;
    } rows[] = {
        {DOCKER_LABEL_CONTAINER_TYPE, DOCKER_TYPE_SERVICE},
        {DOCKER_LABEL_ENCLAVE_NAME, making->enclave_name},
        {DOCKER_LABEL_ID, spec->name},
        {DOCKER_LABEL_GUID, spec->service_uuid},
        {DOCKER_LABEL_PRIVATE_IP, spec->private_ip},
        {DOCKER_LABEL_PORTS, ports},
        {DOCKER_LABEL_LOG_ENCLAVE_NAME, making->enclave_name},
        {DOCKER_LABEL_LOG_SERVICE, spec->service_uuid},
        {DOCKER_LABEL_LOG_SERVICE_NAME, spec->name},
    };
    json_t *labels = docker_enclave_labels(spec->enclave_uuid);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        docker_label_set(labels, rows[i].key, rows[i].value);
    for (size_t i = 0; i < spec->n_labels; i++) {
        AUTO_FREE char *key = str_format(DOCKER_LABEL_CUSTOM "%s", spec->labels[i]->name);
        docker_label_set(labels, key, spec->labels[i]->value);
    }
    if (making->host_ports) {
        AUTO_FREE char *public_ports = docker_host_ports_label(spec, making->host_ports);
        docker_label_set(labels, DOCKER_LABEL_PUBLIC_PORTS, public_ports);
    }
    set_routes(labels, spec);
    return labels;
}

static json_t *
mounts_of(const docker_making_t *making)
{
    const Orchestrator__ServiceSpec *spec = making->spec;
    json_t *mounts = json_array();
    for (size_t i = 0; i < spec->n_files; i++) {
        AUTO_FREE char *volume = docker_name_files(making->files_guids[i], spec->enclave_uuid);
        json_t *labels = docker_enclave_labels(spec->enclave_uuid);
        docker_label_set(labels, DOCKER_LABEL_VOLUME_TYPE, DOCKER_VOLUME_FILES);
        docker_label_set(labels, DOCKER_LABEL_GUID, making->files_guids[i]);
        docker_label_set(labels, DOCKER_LABEL_OF_SERVICE, spec->service_uuid);
        json_array_append_new(mounts, docker_volume_mount(volume, spec->files[i]->path, labels));
    }
    for (size_t i = 0; i < spec->n_persistent; i++) {
        AUTO_FREE char *volume =
            docker_name_persistent(spec->persistent[i]->key, spec->enclave_uuid);
        json_t *labels = docker_enclave_labels(spec->enclave_uuid);
        docker_label_set(labels, DOCKER_LABEL_VOLUME_TYPE, DOCKER_VOLUME_PERSISTENT);
        docker_label_set(labels, DOCKER_LABEL_GUID, making->maker);
        /* What the image has there is copied into an empty volume: databases expect it. */
        json_t *mount = docker_volume_mount(volume, spec->persistent[i]->path, labels);
        json_object_set_new(json_object_get(mount, "VolumeOptions"), "NoCopy", json_false());
        json_array_append_new(mounts, mount);
    }
    for (size_t i = 0; i < spec->n_bind_mounts; i++)
        json_array_append_new(
            mounts, docker_bind_mount(spec->bind_mounts[i]->name, spec->bind_mounts[i]->value));
    return mounts;
}

static json_t *
devices_of(const Orchestrator__ServiceSpec *spec)
{
    json_t *devices = json_array();
    for (size_t i = 0; i < spec->n_devices; i++)
        json_array_append_new(devices, json_pack("{s:s, s:s, s:s}", "PathOnHost", spec->devices[i],
                                                 "PathInContainer", spec->devices[i],
                                                 "CgroupPermissions", "rwm"));
    return devices;
}

static json_t *
ulimits_of(const Orchestrator__ServiceSpec *spec)
{
    json_t *ulimits = json_array();
    for (size_t i = 0; i < spec->n_ulimits; i++) {
        json_int_t value = spec->ulimits[i]->value;
        json_array_append_new(ulimits, json_pack("{s:s, s:I, s:I}", "Name", spec->ulimits[i]->name,
                                                 "Soft", value, "Hard", value));
    }
    return ulimits;
}

static json_t *
gpu_of(const Orchestrator__GpuRequest *gpu)
{
    json_t *request = json_pack("{s:s, s:[[s]]}", "Driver", *gpu->driver ? gpu->driver : GPU_DRIVER,
                                "Capabilities", "gpu");
    if (gpu->n_device_ids)
        json_object_set_new(request, "DeviceIDs", list_of(gpu->device_ids, gpu->n_device_ids));
    else
        json_object_set_new(request, "Count", json_integer(gpu->count < 0 ? -1 : gpu->count));
    return json_pack("[o]", request);
}

static void
set_ports(json_t *body, json_t *host, const docker_making_t *making)
{
    const Orchestrator__ServiceSpec *spec = making->spec;
    json_t *exposed = json_object();
    json_t *bindings = json_object();
    for (size_t i = 0; i < spec->n_ports; i++) {
        const Orchestrator__ServicePort *port = spec->ports[i];
        char key[32], number[8] = "";
        snprintf(key, sizeof key, "%u/%s", port->number, docker_transport_name(port->transport));
        json_object_set_new(exposed, key, json_object());
        if (!port->publish)
            continue;
        uint32_t wanted = making->host_ports ? making->host_ports[i] : port->public_number;
        if (wanted)
            snprintf(number, sizeof number, "%u", wanted & 0xffff);
        json_object_set_new(bindings, key,
                            json_pack("[{s:s, s:s}]", "HostIp", "0.0.0.0", "HostPort", number));
    }
    json_object_set_new(body, "ExposedPorts", exposed);
    json_object_set_new(host, "PortBindings", bindings);
}

static void
set_limits(json_t *host, const Orchestrator__ServiceSpec *spec)
{
    if (spec->max_millicpus)
        json_object_set_new(host, "NanoCpus",
                            json_integer((json_int_t)(spec->max_millicpus * NANOS_PER_MILLI)));
    if (spec->max_memory_megabytes) {
        json_int_t bytes = (json_int_t)(spec->max_memory_megabytes * BYTES_PER_MEGABYTE);
        json_object_set_new(host, "Memory", json_integer(bytes));
        json_object_set_new(host, "MemorySwap", json_integer(bytes));
    }
    if (spec->shm_megabytes)
        json_object_set_new(host, "ShmSize",
                            json_integer((json_int_t)(spec->shm_megabytes * BYTES_PER_MEBIBYTE)));
    if (spec->n_ulimits)
        json_object_set_new(host, "Ulimits", ulimits_of(spec));
    if (spec->n_devices)
        json_object_set_new(host, "Devices", devices_of(spec));
    if (spec->gpu)
        json_object_set_new(host, "DeviceRequests", gpu_of(spec->gpu));
    set_list(host, "CapAdd", spec->capabilities, spec->n_capabilities);
}

static json_t *
host_of(const docker_making_t *making)
{
    const Orchestrator__ServiceSpec *spec = making->spec;
    json_t *host =
        json_pack("{s:s, s:o, s:{s:s}, s:o}", "NetworkMode", making->network, "Mounts",
                  mounts_of(making), "RestartPolicy", "Name",
                  spec->restart_always ? "always" : "no", "LogConfig", docker_log_config());
    if (spec->tini_enabled)
        json_object_set_new(host, "Init", json_true());
    if (spec->privileged)
        json_object_set_new(host, "Privileged", json_true());
    if (spec->host_pid_namespace)
        json_object_set_new(host, "PidMode", json_string("host"));
    set_limits(host, spec);
    return host;
}

static void
set_user(json_t *body, const Orchestrator__ServiceUser *user)
{
    AUTO_FREE char *text = user->has_gid ? str_format("%llu:%llu", (unsigned long long)user->uid,
                                                      (unsigned long long)user->gid)
                                         : str_format("%llu", (unsigned long long)user->uid);
    json_object_set_new(body, "User", json_string(text));
}

int
docker_spec_body(const docker_making_t *making, json_t **ret_body, err_t **err)
{
    const Orchestrator__ServiceSpec *spec = making->spec;
    AUTO_STR ports = STR_EMPTY;
    if (docker_ports_pack(spec->ports, spec->n_ports, &ports, err) < 0)
        return -1;
    json_t *body = json_object();
    json_t *host = host_of(making);
    json_object_set_new(body, "Image", docker_string(spec->image));
    json_object_set_new(body, "Env", env_of(spec));
    json_object_set_new(body, "Labels", labels_of(making, ports.data));
    json_object_set_new(body, "OpenStdin", json_true());
    if (spec->tty_enabled)
        json_object_set_new(body, "Tty", json_true());
    if (spec->user)
        set_user(body, spec->user);
    if (spec->n_files_to_be_moved) {
        set_moving_command(making, body);
    } else {
        set_list(body, "Entrypoint", spec->entrypoint, spec->n_entrypoint);
        set_list(body, "Cmd", spec->cmd, spec->n_cmd);
    }
    set_ports(body, host, making);
    json_object_set_new(body, "HostConfig", host);
    json_object_set_new(body, "NetworkingConfig",
                        json_pack("{s:{s:{s:{s:s}, s:[s]}}}", "EndpointsConfig", making->network,
                                  "IPAMConfig", "IPv4Address", spec->private_ip, "Aliases",
                                  spec->name));
    *ret_body = body;
    return 0;
}
