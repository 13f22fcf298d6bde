/*  engine: CreateEngine, GetEngines, StopEngine, AuthorizeUser.
 *
 *  The engine's keys: its key pair is a file in its data volume, and its public key a label of its
 *  container, so that whoever may use Docker learns the key to trust. A label cannot be changed
 *  later: the pair is made here, before the container, and put into the volume of the created
 *  container; if the volume has one already the container is made again with the label of that one.
 */
#include "base/uuid.h"
#include "bus/bus.h"
#include "docker-driver/api.h"
#include "docker-driver/nix.h"
#include "docker-driver/parts.h"
#include "docker-driver/reply.h"
#include "logs/logs.h"

#include <stdio.h>
#include <string.h>

#define ENGINE_PROGRAM "/usr/bin/kurtosis-engine"
#define KEY_FILE "keys/engine.key"
#define USERS_FOLDER "keys/users"
#define SOCKET_IN_CONTAINER "/var/run/docker.sock"

/* ----------------------------------------------------------------------------------------- keys */

/* "keys/users/<hex of the key>.pub" and its content, a line of Z85. */
typedef struct {
    char path[sizeof USERS_FOLDER + 2 * BUS_KEY_SIZE + 8];
    char text[BUS_KEY_TEXT_SIZE + 1];
} user_file_t;

static int
user_file(const char *public_key, user_file_t *ret_file, err_t **err)
{
    uint8_t key[BUS_KEY_SIZE];
    if (bus_key_from_text(public_key, key, err) < 0)
        return err_wrap(err, "the user's public key is wrong");
    int len = snprintf(ret_file->path, sizeof ret_file->path, "%s/", USERS_FOLDER);
    for (size_t i = 0; i < sizeof key; i++)
        len += snprintf(ret_file->path + len, sizeof ret_file->path - (size_t)len, "%02x", key[i]);
    snprintf(ret_file->path + len, sizeof ret_file->path - (size_t)len, ".pub");
    snprintf(ret_file->text, sizeof ret_file->text, "%.*s\n", BUS_KEY_TEXT_SIZE - 1, public_key);
    return 0;
}

static void
key_texts(const bus_keys_t *keys, char ret_public[BUS_KEY_TEXT_SIZE],
          char ret_secret[BUS_KEY_TEXT_SIZE])
{
    bus_key_to_text(keys->public_key, ret_public);
    bus_key_to_text(keys->secret_key, ret_secret);
}

/* --------------------------------------------------------------------------------- CreateEngine */

static json_t *
engine_env(const Orchestrator__CreateEngineArgs *args, const char *socket)
{
    AUTO_JSON *arguments = json_pack(
        "{s:i, s:s, s:s, s:s, s:b, s:s, s:{}, s:b, s:i, s:s, s:b, s:s, s:s, s:n, s:b, s:s, s:s, "
        "s:[], s:[]}",
        "grpcListenPortNum", 9710, "logLevelStr", args->log_level, "imageVersionTag", args->version,
        "metricsUserId", "none", "didUserAcceptSendingMetrics", 0, "kurtosisBackendType", "docker",
        "kurtosisBackendConfig", "onBastionHost", 0, "poolSize", 0, "enclaveEnvVars", "{}", "is_ci",
        0, "cloud_user_id", "", "cloud_instance_id", "", "allowed_cors_origins",
        "restart_api_containers", 0, "domain", "", "logRetentionPeriod",
        *args->log_retention ? args->log_retention : "168h", "logsCollectorFilters",
        "logsCollectorParsers");
    if (args->log_quota)
        json_object_set_new(arguments, "logQuotaBytes", json_integer((json_int_t)args->log_quota));
    json_t *sinks = json_array();
    for (size_t i = 0; i < args->n_log_sinks; i++)
        json_array_append_new(sinks, docker_string(args->log_sinks[i]));
    json_object_set_new(arguments, "logSinks", sinks);
    AUTO_FREE char *text = docker_json_text(arguments);
    json_t *env = json_array();
    for (size_t i = 0; i < args->n_env; i++)
        json_array_append_new(env, docker_string(args->env[i]));
    docker_env_add(env, "SERIALIZED_ARGS", text);
    docker_env_add(env, "HOST_DOCKER_SOCKET", socket);
    docker_env_add(env, DOCKER_HOST_NET_ENV, DOCKER_HOST_NET_DIR);
    return env;
}

/* The socket as the Docker host sees it. */
static const char *
host_socket(const docker_t *self)
{
    const char *socket = docker_http_socket(self->http);
    /* In the home folder is Docker Desktop's, which its virtual machine sees at the usual place. */
    return socket && !strstr(socket, "/.docker/") ? socket : SOCKET_IN_CONTAINER;
}

static json_t *
engine_mounts(const docker_t *self)
{
    json_t *mounts = json_array();
    json_array_append_new(
        mounts, docker_shared_mount(DOCKER_ENGINE_DATA, DOCKER_DATA_DIR, DOCKER_VOLUME_ENGINE));
    json_array_append_new(mounts, docker_bus_mount());
    json_array_append_new(
        mounts, docker_shared_mount(DOCKER_ENGINE_LOGS, DOCKER_LOGS_DIR, DOCKER_VOLUME_LOGS));
    json_array_append_new(mounts, docker_bind_mount(host_socket(self), SOCKET_IN_CONTAINER));
    if (!self->no_host_net) {
        json_t *mount = docker_bind_mount(DOCKER_HOST_NET_SOURCE, DOCKER_HOST_NET_DIR);
        json_object_set_new(mount, "ReadOnly", json_true());
        json_array_append_new(mounts, mount);
    }
    if (!self->no_nix)
        json_array_append_new(mounts, docker_bind_mount(NIX_FOLDER, NIX_FOLDER));
    return mounts;
}

static json_t *
engine_body(const docker_t *self, const Orchestrator__CreateEngineArgs *args,
            const char *public_key)
{
    char inside[16], outside[16], ports[32];
    snprintf(inside, sizeof inside, "%d/tcp", DOCKER_BUS_PORT);
    snprintf(outside, sizeof outside, "%u", args->bus_port);
    snprintf(ports, sizeof ports, "bus:%d/TCP", DOCKER_BUS_PORT);
    json_t *labels = docker_labels();
    docker_label_set(labels, DOCKER_LABEL_CONTAINER_TYPE, DOCKER_TYPE_ENGINE);
    docker_label_set(labels, DOCKER_LABEL_ID, args->guid);
    docker_label_set(labels, DOCKER_LABEL_PORTS, ports);
    docker_label_set(labels, DOCKER_LABEL_ENGINE_KEY, public_key);
    docker_label_set(labels, DOCKER_LABEL_ENGINE_VERSION, args->version);
    return json_pack("{s:s, s:[s], s:o, s:o, s:{s:{}}, s:{s:o, s:{s:[{s:s, s:s}]}, s:{s:s}, s:o}}",
                     "Image", args->image, "Entrypoint", ENGINE_PROGRAM, "Env",
                     engine_env(args, host_socket(self)), "Labels", labels, "ExposedPorts", inside,
                     "HostConfig", "Mounts", engine_mounts(self), "PortBindings", inside, "HostIp",
                     "127.0.0.1", "HostPort", outside, "RestartPolicy", "Name", DOCKER_COMES_BACK,
                     "LogConfig", docker_log_config());
}

static int
make_container(docker_t *self, const Orchestrator__CreateEngineArgs *args, const char *public_key,
               char **ret_id, err_t **err)
{
    /* Not cancelled in the middle, so that afterwards it is known whether there is something to
     * take back. */
    AUTO_FREE char *name = docker_name_engine(args->guid);
    AUTO_JSON *reply = NULL;
    if (docker_container_create(self, name, engine_body(self, args, public_key), &reply, err) < 0)
        return err_wrap(err, "cannot make the engine container of image '%s'", args->image);
    *ret_id = strdup(docker_text(reply, "Id"));
    return 0;
}

/* The public key of the pair in the container's data volume: 1, or 0 when there is none. */
static int
read_key(docker_t *self, const docker_call_t *call, const char *id,
         char ret_public[BUS_KEY_TEXT_SIZE], err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    int found = docker_file_get(self, call, id, DOCKER_DATA_DIR "/" KEY_FILE, &text, err);
    if (found <= 0)
        return found;
    uint8_t key[BUS_KEY_SIZE];
    size_t size = strcspn(text.data, "\n");
    snprintf(ret_public, BUS_KEY_TEXT_SIZE, "%.*s", (int)(size < BUS_KEY_TEXT_SIZE ? size : 0),
             text.data);
    if (bus_key_from_text(ret_public, key, err) < 0)
        return err_wrap(
            err, "the key file '%s' in volume '%s' is broken: remove the volume to start anew",
            KEY_FILE, DOCKER_ENGINE_DATA);
    return 1;
}

/* Makes the container, with the label that fits the key pair in its data volume. */
static int
make_keyed(docker_t *self, const docker_call_t *call, const Orchestrator__CreateEngineArgs *args,
           const user_file_t *user, char ret_public[BUS_KEY_TEXT_SIZE], char **ret_id, err_t **err)
{
    char secret[BUS_KEY_TEXT_SIZE], kept[BUS_KEY_TEXT_SIZE];
    bus_keys_t keys;
    bus_keys_new(&keys);
    key_texts(&keys, ret_public, secret);
    bus_keys_wipe(&keys);
    AUTO_FREE char *pair = str_format("%s\n%s\n", ret_public, secret);
    explicit_bzero(secret, sizeof secret);

    docker_file_t files[] = {{user->path, user->text}, {KEY_FILE, pair}};
    size_t count = 2;
    int result = make_container(self, args, ret_public, ret_id, err);
    int found = result < 0 ? -1 : read_key(self, call, *ret_id, kept, err);
    if (found > 0) {
        count = 1;
        memcpy(ret_public, kept, sizeof kept);
        result = docker_container_remove(self, call, *ret_id, err);
        free(TAKE(*ret_id));
        if (result == 0)
            result = make_container(self, args, ret_public, ret_id, err);
    }
    if (found >= 0 && result == 0)
        result = docker_files_put(self, call, *ret_id, DOCKER_DATA_DIR, files, count, err);
    explicit_bzero(pair, strlen(pair));
    return found < 0 ? -1 : result;
}

static int
check_args(const Orchestrator__CreateEngineArgs *args, err_t **err)
{
    if (docker_check_uuid("engine", args->guid, err) < 0)
        return -1;
    if (args->bus_port < 1 || args->bus_port > 65535)
        return err_fail(err, ERR_INVALID, "bus port %u is outside 1 to 65535", args->bus_port);
    if (args->n_log_sinks > LOGS_SINKS_MAX)
        return err_fail(err, ERR_LIMIT, "%zu log sinks were given: there may be %u",
                        args->n_log_sinks, LOGS_SINKS_MAX);
    for (size_t i = 0; i < args->n_log_sinks; i++)
        if (logs_sink_check(args->log_sinks[i], err) < 0)
            return -1;
    return *args->image ? 0 : err_fail(err, ERR_INVALID, "no image of the engine was given");
}

/* Whether the data volume was there before. */
static int
has_data(docker_t *self, const docker_call_t *call, err_t **err)
{
    AUTO(err) failure = NULL;
    if (docker_get(self, call, docker_path("/volumes/%s", DOCKER_ENGINE_DATA), NULL, &failure) == 0)
        return 1;
    if (err_code(failure) == ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = TAKE(failure);
    return -1;
}

static void
undo(docker_t *self, const Orchestrator__CreateEngineArgs *args, bool had_data)
{
    AUTO_FREE char *name = docker_name_engine(args->guid);
    docker_container_remove(self, NULL, name, NULL);
    if (had_data)
        return;
    docker_volume_remove(self, NULL, DOCKER_ENGINE_DATA, NULL);
    docker_volume_remove(self, NULL, DOCKER_ENGINE_BUS, NULL);
    docker_volume_remove(self, NULL, DOCKER_ENGINE_LOGS, NULL);
    docker_volume_remove(self, NULL, DOCKER_PACKAGES, NULL);
}

static int
start(docker_t *self, const docker_call_t *call, const Orchestrator__CreateEngineArgs *args,
      const char *id, err_t **err)
{
    AUTO(err) failure = NULL;
    if (docker_container_start(self, call, NULL, id, &failure) == 0)
        return 0;
    bool port = docker_reason(failure) == DOCKER_PORT_TAKEN;
    if (err)
        *err = TAKE(failure);
    return port ? err_wrap(
                      err,
                      "cannot start the engine: port %u of the host is in use (another engine?)",
                      args->bus_port)
                : err_wrap(err, "cannot start the engine container");
}

/* Whether the failure is about a mount that the engine can do without, which is then left out: not every Docker lets a
 * container see the host's routes (rootless, remote, in a virtual machine), and few hosts have Nix. */
static bool
leave_out(docker_t *self, const err_t *failure)
{
    AUTO_FREE char *text = err_string(failure);
    bool *left_out = strstr(text, DOCKER_HOST_NET_SOURCE) || strstr(text, DOCKER_HOST_NET_DIR)
                         ? &self->no_host_net
                     : strstr(text, ": " NIX_FOLDER) || strstr(text, "statfs " NIX_FOLDER)
                         ? &self->no_nix
                         : NULL;
    if (!left_out || *left_out)
        return false;
    *left_out = true;
    return true;
}

int
docker_engine_create(docker_t *self, const docker_call_t *call,
                     const Orchestrator__CreateEngineArgs *request,
                     Orchestrator__EngineInfo **ret_reply, err_t **err)
{
    user_file_t user;
    char public_key[BUS_KEY_TEXT_SIZE] = "";
    AUTO_FREE char *id = NULL;
    if (check_args(request, err) < 0 || user_file(request->user_public_key, &user, err) < 0)
        return err_wrap(err, "cannot make engine '%.100s'", request->guid);
    int had_data = has_data(self, call, err);
    int podman = had_data < 0 ? -1 : docker_is_podman(self, call, err);
    if (podman < 0)
        return err_wrap(err, "cannot make engine '%s'", request->guid);
    if (podman && access(NIX_FOLDER, F_OK) < 0)
        self->no_nix = true; /* Podman would make it */
    if (make_keyed(self, call, request, &user, public_key, &id, err) < 0 ||
        start(self, call, request, id, err) < 0) {
        bool taken = err && docker_reason(*err) == DOCKER_NAME_TAKEN;
        if (!taken)
            undo(self, request, had_data);
        if (err && leave_out(self, *err)) {
            err_destroy(err);
            return docker_engine_create(self, call, request, ret_reply, err);
        }
        return err_wrap(err, "cannot make engine '%s'", request->guid);
    }
    Orchestrator__EngineInfo *info = MESSAGE_NEW(EngineInfo, engine_info);
    info->guid = strdup(request->guid);
    info->version = strdup(request->version);
    info->container_id = TAKE(id);
    info->is_running = true;
    info->bus_port = request->bus_port;
    info->public_key = strdup(public_key);
    info->image = strdup(request->image);
    *ret_reply = info;
    return 0;
}

/* -------------------------------------------------------- GetEngines, StopEngine, AuthorizeUser */

static int
list(docker_t *self, const docker_call_t *call, json_t **ret_containers, err_t **err)
{
    AUTO_FREE char *type = docker_label_filter(DOCKER_LABEL_CONTAINER_TYPE, DOCKER_TYPE_ENGINE);
    AUTO_FREE char *filters = docker_filters("label", type, NULL);
    if (docker_get(self, call, docker_path("/containers/json?all=1&filters=%s", filters),
                   ret_containers, err) < 0)
        return err_wrap(err, "cannot list engines");
    return 0;
}

int
docker_engines_get(docker_t *self, const docker_call_t *call, const Orchestrator__Empty *request,
                   Orchestrator__GetEnginesReply **ret_reply, err_t **err)
{
    (void)request;
    AUTO_JSON *containers = NULL;
    if (list(self, call, &containers, err) < 0)
        return -1;
    Orchestrator__GetEnginesReply *reply = MESSAGE_NEW(GetEnginesReply, get_engines_reply);
    for (int running = 1; running >= 0; running--) {
        size_t i;
        json_t *container;
        json_array_foreach(containers, i, container)
        {
            Orchestrator__EngineInfo *info = docker_reply_engine(container);
            if (info->is_running == running)
                LIST_ADD(reply->engines, reply->n_engines, info);
            else
                orchestrator__engine_info__free_unpacked(info, NULL);
        }
    }
    *ret_reply = reply;
    return 0;
}

static int
find(docker_t *self, const docker_call_t *call, const char *guid, char **ret_id, err_t **err)
{
    AUTO_JSON *containers = NULL;
    if (docker_check_uuid("engine", guid, err) < 0 || list(self, call, &containers, err) < 0)
        return -1;
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        if (strcmp(docker_label(container, DOCKER_LABEL_ID), guid) == 0) {
            *ret_id = strdup(docker_text(container, "Id"));
            return 0;
        }
    }
    return err_fail(err, ERR_NOT_FOUND, "there is no engine '%s': see 'kurtosis engine status'",
                    guid);
}

/* Removes the engine's volumes when neither an enclave nor another engine needs them. */
static int
remove_volumes(docker_t *self, const docker_call_t *call, err_t **err)
{
    AUTO_JSON *networks = NULL;
    AUTO_JSON *engines = NULL;
    AUTO_JSON *containers = NULL;
    if (docker_get(self, call, docker_networks_path(NULL), &networks, err) < 0 ||
        list(self, call, &engines, err) < 0 ||
        docker_get(self, call, docker_containers_path(DOCKER_LABEL_ENCLAVE, NULL, NULL),
                   &containers, err) < 0)
        return err_wrap(err, "cannot see whether an enclave is left");
    if (json_array_size(networks) || json_array_size(engines) || json_array_size(containers))
        return 0;
    if (docker_volume_remove(self, call, DOCKER_ENGINE_DATA, err) < 0 ||
        docker_volume_remove(self, call, DOCKER_ENGINE_LOGS, err) < 0 ||
        docker_volume_remove(self, call, DOCKER_PACKAGES, err) < 0)
        return -1;
    return docker_volume_remove(self, call, DOCKER_ENGINE_BUS, err);
}

int
docker_engine_stop(docker_t *self, const docker_call_t *call,
                   const Orchestrator__StopEngineArgs *request, err_t **err)
{
    AUTO_FREE char *id = NULL;
    if (find(self, call, request->guid, &id, err) < 0)
        return err_wrap(err, "cannot stop engine '%.100s'", request->guid);
    /* First the restart policy: an engine that was stopped does not come back with the daemon. */
    json_t *policy = json_pack("{s:{s:s}}", "RestartPolicy", "Name", "no");
    AUTO(err) failure = NULL;
    if (docker_post(self, call, docker_path("/containers/%s/update", id), policy, NULL, &failure) <
            0 &&
        !(err_code(failure) == ERR_NOT_FOUND && docker_is_podman(self, call, NULL) > 0)) {
        /* Podman before 4.5 has no such request, and starts nothing that was stopped. */
        if (err)
            *err = TAKE(failure);
        return err_wrap(err, "cannot change the restart policy of engine '%s'", request->guid);
    }
    AUTO_FREE char *path =
        docker_path("/containers/%s/stop?t=%d", id, (int)(request->grace_seconds & 0xffff));
    AUTO_REQUEST stop = {.method = "POST", .path = path, .timeout_ms = -1};
    if (docker_http_do(self->http, &stop, docker_cancel_fd(call), err) < 0)
        return err_wrap(err, "cannot stop engine '%s'", request->guid);
    if (!request->remove)
        return 0;
    if (docker_container_remove(self, call, id, err) < 0 || remove_volumes(self, call, err) < 0)
        return err_wrap(err, "cannot remove engine '%s'", request->guid);
    return 0;
}

int
docker_engine_authorize(docker_t *self, const docker_call_t *call,
                        const Orchestrator__AuthorizeUserArgs *request, err_t **err)
{
    AUTO_FREE char *id = NULL;
    user_file_t user;
    if (user_file(request->user_public_key, &user, err) < 0 ||
        find(self, call, request->guid, &id, err) < 0)
        return err_wrap(err, "cannot let the user use engine '%.100s'", request->guid);
    docker_file_t file = {user.path, user.text};
    if (docker_files_put(self, call, id, DOCKER_DATA_DIR, &file, 1, err) < 0)
        return err_wrap(err, "cannot let the user use engine '%s'", request->guid);
    return 0;
}
