/*  api_container: see api_container.h; ReplaceApiContainer.
 *
 *  The old container is stopped and kept, under another name, until the new one runs: when that
 *  fails it gets its name back and is started again. A driver that is killed in between leaves the
 *  old one under its other name, and what is asked again begins with that one.
 */
#include "docker-driver/api_container.h"

#include "docker-driver/parts.h"

#include <string.h>

#define API_PROGRAM "/usr/bin/kurtosis-apic"
#define OLD "--old" /* after the name of a container that is being replaced */
#define STOP_SECONDS 10
#define OWN_KEY "KURTOSIS_BUS_SECRET" /* every API container of ours has one in its environment */

/* ---------------------------------------------------------------------------------------- the body */

static void
add_env(json_t *env, const docker_api_container_t *self)
{
    AUTO_JSON *arguments = json_pack(
        "{s:s, s:s, s:i, s:s, s:s, s:s, s:{}, s:s, s:b, s:s, s:b, s:b, s:s, s:s}", "version",
        self->version, "logLevel", self->log_level, "grpcListenPortNum", 7443, "enclaveUuid",
        self->enclave_uuid, "enclaveDataVolume", DOCKER_DATA_DIR, "kurtosisBackendType", "docker",
        "kurtosisBackendConfig", "enclaveEnvVars", "{}", "isProductionEnclave", self->is_production,
        "metricsUserID", "", "didUserAcceptSendingMetrics", 0, "is_ci", 0, "cloud_user_id", "",
        "cloud_instance_id", "");
    AUTO_FREE char *text = docker_json_text(arguments);
    docker_env_add(env, "SERIALIZED_ARGS", text);
    docker_env_add(env, "OWN_IP_ADDRESS", self->ip);
    docker_env_add(env, "KURTOSIS_SUBNET", self->subnet);
    docker_env_add(env, "KURTOSIS_GATEWAY", self->gateway);
    docker_env_add(env, "KURTOSIS_PACKAGE_CACHE", DOCKER_PACKAGES_DIR);
    docker_env_add(env, "KURTOSIS_BUS_ENDPOINT", "ipc://" DOCKER_BUS_DIR "/broker");
}

json_t *
docker_api_container_body(const docker_api_container_t *self)
{
    json_t *labels = docker_enclave_labels(self->enclave_uuid);
    docker_label_set(labels, DOCKER_LABEL_CONTAINER_TYPE, DOCKER_TYPE_API);
    docker_label_set(labels, DOCKER_LABEL_ENCLAVE_NAME, self->enclave_name);
    docker_label_set(labels, DOCKER_LABEL_PRIVATE_IP, self->ip);
    json_t *data_labels = docker_enclave_labels(self->enclave_uuid);
    docker_label_set(data_labels, DOCKER_LABEL_VOLUME_TYPE, DOCKER_VOLUME_ENCLAVE);

    json_t *env = json_array();
    for (size_t i = 0; i < self->n_env; i++)
        json_array_append_new(env, docker_string(self->env[i]));
    add_env(env, self);
    json_t *mounts = json_array();
    json_array_append_new(mounts,
                          docker_volume_mount(self->enclave_uuid, DOCKER_DATA_DIR, data_labels));
    json_array_append_new(mounts, docker_bus_mount());
    json_array_append_new(
        mounts, docker_shared_mount(DOCKER_PACKAGES, DOCKER_PACKAGES_DIR, DOCKER_VOLUME_PACKAGES));
    return json_pack("{s:s, s:[s], s:o, s:o, s:{s:s, s:o, s:{s:s}, s:o}, s:{s:{s:{s:{s:s}}}}}",
                     "Image", self->image, "Entrypoint", API_PROGRAM, "Env", env, "Labels", labels,
                     "HostConfig", "NetworkMode", self->network, "Mounts", mounts, "RestartPolicy",
                     "Name", DOCKER_COMES_BACK, "LogConfig", docker_log_config(),
                     "NetworkingConfig", "EndpointsConfig", self->network, "IPAMConfig",
                     "IPv4Address", self->ip);
}

/* ----------------------------------------------------------------------------- ReplaceApiContainer */

typedef struct {
    docker_t *docker;
    const docker_call_t *call;
    const Orchestrator__ReplaceApiContainerArgs *args;
    json_t *network; /* as the list has it */
    json_t *old;     /* inspected */
    char *name;      /* of the new one */
    char *old_name;  /* of the old one, while the new one is made */
} replacing_t;

static bool
has_name(const json_t *container, const char *name)
{
    const char *own = json_string_value(json_array_get(json_object_get(container, "Names"), 0));
    return own && strcmp(own + (*own == '/'), name) == 0;
}

/* Finds the old one; what an earlier attempt left beside it is removed. */
static int
find_old(replacing_t *self, err_t **err)
{
    const char *uuid = self->args->enclave_uuid;
    AUTO_JSON *list = NULL;
    if (docker_get(self->docker, self->call,
                   docker_containers_path(DOCKER_LABEL_ENCLAVE, uuid, DOCKER_TYPE_API), &list,
                   err) < 0)
        return -1;
    size_t i;
    json_t *container, *old = json_array_get(list, 0);
    if (!old)
        return err_fail(err, ERR_NOT_FOUND, "the enclave has no API container");
    json_array_foreach(list, i, container)
    {
        if (has_name(container, self->old_name))
            old = container;
    }
    json_array_foreach(list, i, container)
    {
        if (container != old && docker_container_remove(self->docker, self->call,
                                                        docker_text(container, "Id"), err) < 0)
            return -1;
    }
    return docker_get(self->docker, self->call,
                      docker_path("/containers/%s/json", docker_text(old, "Id")), &self->old, err);
}

static bool
old_has_name(const replacing_t *self, const char *name)
{
    const char *now = docker_text(self->old, "Name");
    return strcmp(now + (*now == '/'), name) == 0;
}

static int
rename_old(replacing_t *self, const char *name, err_t **err)
{
    if (old_has_name(self, name))
        return 0;
    if (docker_post(
            self->docker, NULL,
            docker_path("/containers/%s/rename?name=%s", docker_text(self->old, "Id"), name), NULL,
            NULL, err) < 0)
        return -1;
    AUTO_FREE char *with_slash = str_format("/%s", name);
    json_object_set_new(self->old, "Name", json_string(with_slash));
    return 0;
}

/* The value of a variable in the old one's environment; "" when it has none. Lent. */
static const char *
old_env(const replacing_t *self, const char *name)
{
    size_t i, size = strlen(name);
    json_t *entry;
    json_array_foreach(docker_at(self->old, "Config", "Env", NULL), i, entry)
    {
        const char *text = json_string_value(entry);
        if (text && strncmp(text, name, size) == 0 && text[size] == '=')
            return text + size + 1;
    }
    return "";
}

/* As an enclave's first, with what only the old one knows: keys, and whatever else it was given. */
static json_t *
new_body(const replacing_t *self)
{
    const Orchestrator__ReplaceApiContainerArgs *args = self->args;
    const docker_api_container_t container = {
        .enclave_uuid = args->enclave_uuid,
        .enclave_name = docker_label(self->network, DOCKER_LABEL_ENCLAVE_NAME),
        .image = args->image,
        .version = args->version,
        .log_level = args->log_level,
        .is_production = strcmp(docker_label(self->network, DOCKER_LABEL_PRODUCTION), "true") == 0,
        .network = docker_text(self->network, "Name"),
        .ip = old_env(self, "OWN_IP_ADDRESS"),
        .subnet = old_env(self, "KURTOSIS_SUBNET"),
        .gateway = old_env(self, "KURTOSIS_GATEWAY"),
        .env = args->env,
        .n_env = args->n_env};
    json_t *body = docker_api_container_body(&container);
    size_t i;
    json_t *entry;
    json_array_foreach(docker_at(self->old, "Config", "Env", NULL), i, entry)
    {
        const char *text = json_string_value(entry);
        size_t size = text ? strcspn(text, "=") : 0;
        if (!size || !text[size])
            continue;
        AUTO_FREE char *name = strndup(text, size);
        docker_env_add(json_object_get(body, "Env"), name, text + size + 1);
    }
    return body;
}

/* From here on nothing is cancelled in the middle: the enclave would have no API container. */
static int
stop_old(replacing_t *self, err_t **err)
{
    AUTO_FREE char *path =
        docker_path("/containers/%s/stop?t=%d", docker_text(self->old, "Id"), STOP_SECONDS);
    AUTO_REQUEST stop = {.method = "POST", .path = path, .timeout_ms = -1};
    return docker_http_do(self->docker->http, &stop, docker_cancel_fd(NULL), err);
}

static int
start_new(replacing_t *self, err_t **err)
{
    AUTO_JSON *reply = NULL;
    if (docker_container_create(self->docker, self->name, new_body(self), &reply, err) < 0)
        return err_wrap(err, "cannot make the API container of image '%s'", self->args->image);
    if (docker_container_start(self->docker, NULL, docker_text(self->network, "Name"),
                               docker_text(reply, "Id"), err) < 0)
        return err_wrap(err, "cannot start the API container '%s'", self->name);
    return 0;
}

static void
take_back(replacing_t *self, err_t **err)
{
    AUTO(err) why = NULL;
    bool may_have_new = old_has_name(self, self->old_name);
    if ((!may_have_new || docker_container_remove(self->docker, NULL, self->name, &why) == 0) &&
        rename_old(self, self->name, &why) == 0 &&
        docker_container_start(self->docker, NULL, docker_text(self->network, "Name"),
                               docker_text(self->old, "Id"), &why) == 0)
        return;
    AUTO_FREE char *text = err_string(why);
    err_wrap(err, "the one it had could not be started again (%s)", text);
}

static int
replace(replacing_t *self, err_t **err)
{
    Orchestrator__ImageInfo *image = NULL;
    if (docker_network_find(self->docker, self->call, self->args->enclave_uuid, &self->network,
                            err) < 0 ||
        docker_image_look(self->docker, self->call, self->args->image, &image, err) < 0)
        return -1;
    orchestrator__image_info__free_unpacked(image, NULL);
    if (find_old(self, err) < 0)
        return -1;
    if (!*old_env(self, OWN_KEY))
        return err_fail(
            err, ERR_STATE,
            "it is of another Kurtosis, and nothing here can take its place: remove the "
            "enclave with 'kurtosis enclave rm -f %s'",
            docker_label(self->network, DOCKER_LABEL_ENCLAVE_NAME));
    if (stop_old(self, err) < 0)
        return -1;
    if (rename_old(self, self->old_name, err) < 0 || start_new(self, err) < 0) {
        take_back(self, err);
        return -1;
    }
    return docker_container_remove(self->docker, NULL, docker_text(self->old, "Id"), err);
}

int
docker_api_container_replace(docker_t *self, const docker_call_t *call,
                             const Orchestrator__ReplaceApiContainerArgs *request, err_t **err)
{
    if (docker_check_uuid("enclave", request->enclave_uuid, err) < 0)
        return err_wrap(err, "cannot replace an API container");
    replacing_t replacing = {.docker = self, .call = call, .args = request};
    replacing.name = docker_name_api(request->enclave_uuid);
    replacing.old_name = str_format("%s" OLD, replacing.name);
    int result = replace(&replacing, err);
    if (result < 0)
        err_wrap(err, "cannot replace the API container of enclave '%s'", request->enclave_uuid);
    json_decref(replacing.network);
    json_decref(replacing.old);
    free(replacing.name);
    free(replacing.old_name);
    return result;
}
