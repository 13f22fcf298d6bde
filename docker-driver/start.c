/*  start: StartService. Makes a service's container, fills its volumes, starts it, and takes
 *  everything back when a step fails.
 *
 *    1  the spec arrives as the first part of the stream and is checked
 *    2  the enclave's network is looked up; with replace the old container is removed
 *    3  the container is made; this makes its volumes too
 *    4  for each archive in the stream: it is put into the volume of its mount (Docker unpacks it)
 *    5  the container is started; one that dies at once with a status other than 0 is an error
 *       with its last lines
 */
#include "base/clock.h"
#include "base/uuid.h"
#include "docker-driver/api.h"
#include "docker-driver/auth.h"
#include "docker-driver/collect.h"
#include "docker-driver/reply.h"
#include "docker-driver/services.h"
#include "docker-driver/spec.h"

#include <string.h>

typedef struct {
    docker_t *docker;
    const docker_call_t *call;
    Orchestrator__StartServicePart *first; /* owns the spec */
    Orchestrator__ServiceSpec *spec;
    char *network, *enclave_name, *image;
    char **files_guids;
    char maker[UUID_LEN + 1];
    char *ports_before;                  /* label of the container that is replaced */
    uint32_t *host_ports;                /* one per port */
    Orchestrator__ImageInfo *image_info; /* only with files to be moved */
    char *id;                            /* of the container, once it is made */
    bool begun; /* a container of this name may exist, and did not before */

    /* The archive that is being put. */
    Orchestrator__StartServicePart *part; /* the present piece, or NULL */
    size_t used;                          /* bytes of it */
    uint32_t mount;
    bool ended;
} starting_t;

static int take_spec(starting_t *self, err_t **err);
static int prepare(starting_t *self, err_t **err);
static int make_container(starting_t *self, err_t **err);
static int fill(starting_t *self, err_t **err);
static int start(starting_t *self, Orchestrator__ServiceInfo **ret_info, err_t **err);
static void undo(starting_t *self, err_t **err);
static void starting_done(starting_t *self);

int
docker_service_start(docker_t *self, const docker_call_t *call,
                     Orchestrator__ServiceInfo **ret_reply, err_t **err)
{
    starting_t starting = {.docker = self, .call = call};
    if (take_spec(&starting, err) < 0) {
        err_wrap(err, "cannot start service '%.100s'", starting.spec ? starting.spec->name : "");
        starting_done(&starting);
        return -1;
    }
    int result = prepare(&starting, err);
    if (result == 0)
        result = make_container(&starting, err);
    if (result == 0)
        result = fill(&starting, err);
    if (result == 0)
        result = start(&starting, ret_reply, err);
    if (result < 0) {
        err_wrap(err, "cannot start service '%s'", starting.spec->name);
        undo(&starting, err);
    }
    starting_done(&starting);
    return result;
}

static void
starting_done(starting_t *self)
{
    for (size_t i = 0; self->spec && self->files_guids && i < self->spec->n_files; i++)
        free(self->files_guids[i]);
    free(self->files_guids);
    free(self->ports_before);
    free(self->host_ports);
    free(self->network);
    free(self->enclave_name);
    free(self->image);
    free(self->id);
    orchestrator__image_info__free_unpacked(self->image_info, NULL);
    orchestrator__start_service_part__free_unpacked(self->part, NULL);
    orchestrator__start_service_part__free_unpacked(self->first, NULL);
}

/* ----------------------------------------------------------------------- the spec and its place */

static int
take_spec(starting_t *self, err_t **err)
{
    int got = self->call->recv(self->call->arg, (ProtobufCMessage **)&self->first, err);
    if (got < 0)
        return -1;
    if (got == 0 || !self->first->spec)
        return err_fail(err, ERR_INVALID,
                        "the first part of the stream must hold the service's spec");
    self->spec = self->first->spec;
    docker_reference_t reference = {0};
    if (docker_spec_check(self->spec, err) < 0 ||
        docker_reference_parse(self->spec->image, &reference, err) < 0)
        return -1;
    self->image = docker_reference_full(&reference);
    docker_reference_done(&reference);
    free(self->spec->image);
    self->spec->image = strdup(self->image);
    return 0;
}

static int
prepare(starting_t *self, err_t **err)
{
    AUTO_JSON *network = NULL;
    if (docker_network_find(self->docker, self->call, self->spec->enclave_uuid, &network, err) < 0)
        return -1;
    self->network = strdup(docker_text(network, "Name"));
    self->enclave_name = strdup(docker_label(network, DOCKER_LABEL_ENCLAVE_NAME));
    self->files_guids = calloc(self->spec->n_files + 1, sizeof *self->files_guids);
    if (!self->files_guids)
        abort();
    for (size_t i = 0; i < self->spec->n_files; i++) {
        self->files_guids[i] = malloc(UUID_LEN + 1);
        uuid_new(self->files_guids[i]);
    }
    uuid_new(self->maker);
    if (self->spec->n_files_to_be_moved) {
        if (docker_image_require(self->docker, self->call, self->image, err) < 0 ||
            docker_image_look(self->docker, self->call, self->image, &self->image_info, err) < 0)
            return -1;
    }
    self->host_ports = calloc(self->spec->n_ports + 1, sizeof *self->host_ports);
    if (!self->host_ports)
        abort();
    if (self->spec->replace &&
        docker_service_remove_all(self->docker, self->call, self->spec->enclave_uuid,
                                  self->spec->service_uuid, &self->ports_before, err) < 0)
        return -1;
    return docker_host_ports_choose(self->docker, self->call, self->enclave_name, self->spec,
                                    self->ports_before, self->host_ports, err);
}

/* -------------------------------------------------------------------------------- the container */

static int
create(starting_t *self, err_t **err)
{
    docker_making_t making = {.spec = self->spec,
                              .network = self->network,
                              .enclave_name = self->enclave_name,
                              .files_guids = self->files_guids,
                              .host_ports = self->host_ports,
                              .maker = self->maker};
    if (self->image_info) {
        making.image_entrypoint = self->image_info->entrypoint;
        making.image_entrypoint_count = self->image_info->n_entrypoint;
        making.image_cmd = self->image_info->cmd;
        making.image_cmd_count = self->image_info->n_cmd;
    }
    AUTO_FREE char *name = docker_name_service(self->spec->name, self->spec->service_uuid);
    json_t *body = NULL;
    AUTO_JSON *reply = NULL;
    if (docker_spec_body(&making, &body, err) < 0)
        return -1;
    self->begun = true;
    /* Not cancelled in the middle, so that afterwards it is known whether there is something to
     * take back. */
    if (docker_container_create(self->docker, name, body, &reply, err) < 0)
        return -1;
    self->id = strdup(docker_text(reply, "Id"));
    return 0;
}

static int
make_container(starting_t *self, err_t **err)
{
    AUTO(err) failure = NULL;
    if (create(self, &failure) == 0)
        return 0;
    if (docker_reason(failure) == DOCKER_NO_IMAGE) {
        if (docker_image_require(self->docker, self->call, self->image, err) < 0)
            return -1;
        err_destroy(&failure);
        if (create(self, &failure) == 0)
            return 0;
    }
    bool taken = docker_reason(failure) == DOCKER_NAME_TAKEN;
    if (taken)
        self->begun = false; /* it is someone else's */
    if (err)
        *err = TAKE(failure);
    return taken ? err_wrap(err, "there is a container of this service already")
                 : err_wrap(err, "cannot make its container of image '%s'", self->image);
}

/* ------------------------------------------------------------------------------------ its files */

/* Gets the next piece: 1, 0 at the end of the stream. */
static int
next_part(starting_t *self, err_t **err)
{
    orchestrator__start_service_part__free_unpacked(self->part, NULL);
    self->part = NULL;
    self->used = 0;
    int got = self->call->recv(self->call->arg, (ProtobufCMessage **)&self->part, err);
    if (got > 0 && self->part->spec)
        return err_fail(err, ERR_INVALID, "only the first part of the stream may hold a spec");
    return got;
}

static long
archive_source(void *arg, char *buffer, size_t size, err_t **err)
{
    starting_t *self = arg;
    while (self->used == self->part->data.len) {
        if (self->part->archive_end) {
            self->ended = true;
            return 0;
        }
        int got = next_part(self, err);
        if (got < 0)
            return -1;
        if (got == 0)
            return err_fail(err, ERR_INVALID, "the stream ended in the middle of an archive");
        if (self->part->mount_index != self->mount)
            return err_fail(err, ERR_INVALID,
                            "a piece for another mount came in the middle of an archive");
    }
    size_t left = self->part->data.len - self->used;
    size_t piece = left < size ? left : size;
    memcpy(buffer, self->part->data.data + self->used, piece);
    self->used += piece;
    return (long)piece;
}

static int
put_archive(starting_t *self, err_t **err)
{
    self->mount = self->part->mount_index;
    self->ended = false;
    if (self->mount >= self->spec->n_files)
        return err_fail(err, ERR_INVALID, "a piece is for mount %u, and there are %zu", self->mount,
                        self->spec->n_files);
    const char *mount = self->spec->files[self->mount]->path;
    if (self->part->archive_end && self->part->data.len == 0)
        return 0;
    AUTO_FREE char *path = docker_path("/containers/%s/archive?path=%s", self->id, mount);
    AUTO_REQUEST put = {.method = "PUT",
                        .path = path,
                        .content_type = "application/x-tar",
                        .timeout_ms = -1,
                        .source = archive_source,
                        .arg = self};
    if (docker_http_do(self->docker->http, &put, docker_cancel_fd(self->call), err) < 0)
        return err_wrap(err, "cannot put files into '%s'", mount);
    if (!self->ended) /* Docker had read enough before the last piece came */
        while (!self->part->archive_end) {
            int got = next_part(self, err);
            if (got <= 0)
                return got < 0 ? -1
                               : err_fail(err, ERR_INVALID,
                                          "the stream ended in the middle of an archive");
        }
    return 0;
}

static int
fill(starting_t *self, err_t **err)
{
    for (int got; (got = next_part(self, err));)
        if (got < 0 || put_archive(self, err) < 0)
            return -1;
    return 0;
}

/* ---------------------------------------------------------------------------------------- start */

/* The index of the port that is published at this number of the host; n_ports when there is none. */
static size_t
port_at(const starting_t *self, unsigned number)
{
    size_t i = 0;
    while (i < self->spec->n_ports && (!number || self->host_ports[i] != number))
        i++;
    return i;
}

/* Makes the container anew with another port of the host in place of one that someone else uses. Its volumes are
 * always in use by one of the two, so they stay. */
static int
make_with_other_port(starting_t *self, size_t port, bool last_try, err_t **err)
{
    AUTO_FREE char *old_id = self->id;
    AUTO_FREE char *old_name = str_format("%s--old", self->id);
    self->id = NULL;
    self->host_ports[port] =
        last_try ? 0 : docker_host_ports_instead(self->docker, self->host_ports[port]);
    int result = docker_post(self->docker, NULL,
                             docker_path("/containers/%s/rename?name=%s", old_id, old_name), NULL,
                             NULL, err);
    if (result == 0)
        result = make_container(self, err);
    if (docker_container_remove(self->docker, NULL, old_id, result < 0 ? NULL : err) < 0)
        return -1;
    return result;
}

static int
start_container(starting_t *self, err_t **err)
{
    const Orchestrator__ServiceSpec *spec = self->spec;
    for (int tries = 1;; tries++) {
        AUTO(err) failure = NULL;
        if (docker_container_start(self->docker, self->call, self->network, self->id, &failure) ==
            0)
            return 0;
        bool is_port = docker_reason(failure) == DOCKER_PORT_TAKEN;
        unsigned number = docker_taken_port(failure);
        size_t port = is_port ? port_at(self, number) : spec->n_ports;
        if (port < spec->n_ports && !spec->ports[port]->public_number &&
            tries < DOCKER_START_TRIES) {
            if (make_with_other_port(self, port, tries == DOCKER_START_TRIES - 1, err) < 0)
                return -1;
            continue;
        }
        if (err)
            *err = TAKE(failure);
        if (port < spec->n_ports)
            return err_wrap(err, "port %u of the host, for port '%s' of service '%s', is in use",
                            number, spec->ports[port]->id, spec->name);
        return err_wrap(err, "cannot start its container");
    }
}

static int
start(starting_t *self, Orchestrator__ServiceInfo **ret_info, err_t **err)
{
    if (start_container(self, err) < 0)
        return -1;
    return docker_service_settled(self->docker, self->call, self->id, ret_info, err);
}

/* ----------------------------------------------------------------------------------------- undo */

/* A persistent directory's volume goes only if this container made it: its label then has our
 * random id. */
static int
remove_persistent(starting_t *self, const char *key, err_t **err)
{
    AUTO_FREE char *name = docker_name_persistent(key, self->spec->enclave_uuid);
    AUTO_JSON *volume = NULL;
    if (docker_get(self->docker, NULL, docker_path("/volumes/%s", name), &volume, NULL) < 0 ||
        strcmp(docker_label(volume, DOCKER_LABEL_GUID), self->maker) != 0)
        return 0;
    AUTO(err) failure = NULL;
    if (docker_volume_remove(self->docker, NULL, name, &failure) < 0 &&
        docker_reason(failure) != DOCKER_IN_USE) {
        if (err)
            *err = TAKE(failure);
        return -1;
    }
    return 0;
}

static int
remove_all(starting_t *self, err_t **err)
{
    AUTO_FREE char *name = docker_name_service(self->spec->name, self->spec->service_uuid);
    AUTO_JSON *list = json_pack("[{s:s, s:{s:s}, s:{s:s}}]", "Id", self->id ? self->id : name,
                                "HostConfig", "NetworkMode", self->network, "Labels",
                                DOCKER_LABEL_ENCLAVE, self->spec->enclave_uuid);
    if (self->id)
        docker_logs_drain(self->docker, self->id);
    if (docker_containers_remove(self->docker, NULL, list, err) < 0)
        return -1;
    for (size_t i = 0; i < self->spec->n_files; i++) {
        AUTO_FREE char *volume = docker_name_files(self->files_guids[i], self->spec->enclave_uuid);
        if (docker_volume_remove(self->docker, NULL, volume, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < self->spec->n_persistent; i++)
        if (remove_persistent(self, self->spec->persistent[i]->key, err) < 0)
            return -1;
    return 0;
}

static void
undo(starting_t *self, err_t **err)
{
    if (self->host_ports) {
        AUTO_FREE char *ports = docker_host_ports_label(self->spec, self->host_ports);
        docker_host_ports_release(self->docker, ports);
    }
    if (!self->begun)
        return;
    AUTO(err) failure = NULL;
    if (remove_all(self, &failure) == 0)
        return;
    AUTO_FREE char *why = err_string(failure);
    err_wrap(err,
             "what was made of service '%s' could not be removed (%s): it goes with the enclave",
             self->spec->name, why);
}
