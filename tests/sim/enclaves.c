/*  enclaves: CreateEnclave, GetEnclaves, StopEnclave, ReplaceApiContainer, DestroyEnclave; and volumes. */
#include "base/uuid.h"
#include "docker-driver/api.h"
#include "docker-driver/labels.h"
#include "tests/sim/inside.h"

#include <stdio.h>
#include <string.h>

#define NETWORKS 64u /* of 1024 addresses, in 172.16.0.0/16 */

/* ---------------------------------------------------------------------------------------- volumes */

bool
sim_volume_is(sim_t *self, const char *name)
{
    for (sim_volume_t *at = self->volumes; at; at = at->next)
        if (strcmp(at->name, name) == 0)
            return true;
    return false;
}

void
sim_volume_add(sim_t *self, const char *name, const char *enclave, const char *service)
{
    if (sim_volume_is(self, name))
        return;
    sim_volume_t *made = calloc(1, sizeof *made);
    if (!made)
        abort();
    made->name = strdup(name);
    made->enclave = enclave ? strdup(enclave) : NULL;
    made->service = service ? strdup(service) : NULL;
    made->next = self->volumes;
    self->volumes = made;
}

static bool
is_so(const char *text, const char *wanted)
{
    return !wanted || (text && strcmp(text, wanted) == 0);
}

void
sim_volumes_remove(sim_t *self, const char *name, const char *enclave, const char *service)
{
    for (sim_volume_t **at = &self->volumes; *at;) {
        sim_volume_t *volume = *at;
        if (!is_so(volume->name, name) || !is_so(volume->enclave, enclave) ||
            !is_so(volume->service, service)) {
            at = &volume->next;
            continue;
        }
        *at = volume->next;
        free(volume->name);
        free(volume->enclave);
        free(volume->service);
        free(volume);
    }
}

/* ------------------------------------------------------------------------------------------- lists */

sim_enclave_t *
sim_enclave_find(sim_t *self, const char *uuid)
{
    sim_enclave_t *at = self->enclaves;
    while (at && strcmp(at->about->enclave_uuid, uuid) != 0)
        at = at->next;
    return at;
}

int
sim_enclave_require(sim_t *self, const char *uuid, err_t **err)
{
    if (!self->folder || sim_enclave_find(self, uuid))
        return 0;
    return err_fail(err, ERR_NOT_FOUND, "there is no enclave '%s': see 'kurtosis enclave ls'",
                    uuid);
}

static void
enclave_remove(sim_t *self, const char *uuid)
{
    for (sim_container_t *at = self->containers, *next; at; at = next) {
        next = at->next;
        if (strcmp(at->spec->enclave_uuid, uuid) == 0)
            sim_remove(self, at);
    }
    sim_volumes_remove(self, NULL, uuid, NULL);
    for (sim_enclave_t **at = &self->enclaves; *at; at = &(*at)->next)
        if (strcmp((*at)->about->enclave_uuid, uuid) == 0) {
            sim_enclave_t *found = *at;
            *at = found->next;
            bus_message_destroy(&found->about);
            free(found);
            return;
        }
}

void
sim_enclaves_free(sim_t *self)
{
    while (self->enclaves)
        enclave_remove(self, self->enclaves->about->enclave_uuid);
    sim_volumes_remove(self, NULL, NULL, NULL);
}

/* With its containers as they are now; yours. */
static Orchestrator__Enclave *
enclave_tell(sim_t *self, const sim_enclave_t *enclave)
{
    Orchestrator__Enclave *told = (Orchestrator__Enclave *)bus_message_dup(&enclave->about->base);
    for (const sim_container_t *at = self->containers; at; at = at->next) {
        if (strcmp(at->spec->enclave_uuid, told->enclave_uuid) != 0)
            continue;
        bool runs = at->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING;
        *(runs ? &told->containers_running : &told->containers_stopped) += 1;
        if (*at->spec->service_uuid)
            continue;
        told->api_container_state = at->state;
        told->api_container_id = strdup(at->id);
    }
    return told;
}

/* ----------------------------------------------------------------------------------- the API container */

/* Makes and runs one in the place of another, or of none. */
static int
api_put(sim_t *self, const Orchestrator__Enclave *about, const char *image_name, err_t **err)
{
    sim_image_t *image;
    if (sim_image_require(self, image_name, &image, err) < 0)
        return -1;
    sim_container_t *made = sim_container_new(), *old = sim_find(self, about->enclave_uuid, "");
    Orchestrator__ServiceSpec spec = ORCHESTRATOR__SERVICE_SPEC__INIT;
    char *program[] = {(char *)SIM_API_PROGRAM};
    spec.enclave_uuid = about->enclave_uuid;
    spec.image = image ? image->info->image : (char *)image_name;
    spec.private_ip = about->api_container_ip;
    spec.entrypoint = program;
    spec.n_entrypoint = ARRAY_LEN(program);
    made->spec = (Orchestrator__ServiceSpec *)bus_message_dup(&spec.base);
    if (image && !sim_image_has(image, SIM_API_PROGRAM)) {
        sim_container_free(made);
        return err_fail(err, ERR_INVALID, "image '%s' has no program '%s'", spec.image,
                        SIM_API_PROGRAM);
    }
    if (old)
        sim_remove(self, old);
    sim_add(self, made);
    sim_run(self, made);
    return 0;
}

static int
replace(sim_t *self, const Orchestrator__ReplaceApiContainerArgs *args, err_t **err)
{
    if (docker_check_uuid("enclave", args->enclave_uuid, err) < 0 ||
        sim_enclave_require(self, args->enclave_uuid, err) < 0)
        return -1;
    const sim_enclave_t *enclave = sim_enclave_find(self, args->enclave_uuid);
    return enclave ? api_put(self, enclave->about, args->image, err) : 0;
}

void
sim_on_replace_api(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    AUTO(err) err = NULL;
    pthread_mutex_lock(&self->lock);
    int result = replace(self, (const Orchestrator__ReplaceApiContainerArgs *)request, &err);
    pthread_mutex_unlock(&self->lock);
    sim_answer(&call, result, NULL, &err);
}

/* ------------------------------------------------------------------------------------------ made */

static int
check(sim_t *self, const Orchestrator__CreateEnclaveArgs *args, err_t **err)
{
    if (docker_check_uuid("enclave", args->enclave_uuid, err) < 0 ||
        docker_check_enclave_name(args->name, err) < 0)
        return -1;
    if (!*args->image)
        return err_fail(err, ERR_INVALID, "no image of the API container was given");
    for (const sim_enclave_t *at = self->enclaves; at; at = at->next) {
        if (strcmp(at->about->name, args->name) == 0)
            return err_fail(err, ERR_EXISTS, "there is an enclave of this name already");
        if (strcmp(at->about->enclave_uuid, args->enclave_uuid) == 0)
            return err_fail(err, ERR_EXISTS, "there is an enclave of UUID '%s' already",
                            args->enclave_uuid);
    }
    return 0;
}

/* The lowest that no enclave has; NETWORKS: they all have one. */
static unsigned
free_network(const sim_t *self)
{
    bool is_taken[NETWORKS + 1] = {false};
    unsigned network = 0;
    for (const sim_enclave_t *at = self->enclaves; at; at = at->next)
        is_taken[at->network] = true;
    while (network < NETWORKS && is_taken[network])
        network++;
    return network;
}

static int
create(sim_t *self, const Orchestrator__CreateEnclaveArgs *args, Orchestrator__Enclave **ret_made,
       err_t **err)
{
    if (check(self, args, err) < 0)
        return -1;
    sim_enclave_t *made = calloc(1, sizeof *made);
    if (!made)
        abort();
    made->network = free_network(self);
    if (made->network == NETWORKS) {
        free(made);
        return err_fail(err, ERR_LIMIT, "all %u networks are taken", NETWORKS);
    }
    Orchestrator__Enclave *about = made->about = MESSAGE_NEW(Enclave, enclave);
    about->enclave_uuid = strdup(args->enclave_uuid);
    about->name = strdup(args->name);
    about->creation_time = args->creation_time;
    about->is_production = args->is_production;
    about->subnet = str_format("172.16.%u.0/22", made->network * 4);
    about->gateway = str_format("172.16.%u.1", made->network * 4);
    about->api_container_ip = str_format("172.16.%u.2", made->network * 4);
    made->next = self->enclaves;
    self->enclaves = made;
    sim_volume_add(self, about->enclave_uuid, about->enclave_uuid, NULL);
    if (api_put(self, about, args->image, err) < 0) {
        enclave_remove(self, args->enclave_uuid);
        return -1;
    }
    *ret_made = enclave_tell(self, made);
    return 0;
}

void
sim_on_enclave_create(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__CreateEnclaveArgs *args = (const Orchestrator__CreateEnclaveArgs *)request;
    AUTO(err) err = NULL;
    Orchestrator__Enclave *made = NULL;
    pthread_mutex_lock(&self->lock);
    int result = create(self, args, &made, &err);
    pthread_mutex_unlock(&self->lock);
    if (result < 0)
        err_wrap(&err, "cannot make enclave '%.100s'", args->name);
    sim_answer(&call, result, made, &err);
}

/* ------------------------------------------------------------------------- listed, stopped, removed */

static bool
is_wanted(const Orchestrator__GetEnclavesArgs *args, const char *uuid)
{
    for (size_t i = 0; i < args->n_uuids; i++)
        if (strcmp(args->uuids[i], uuid) == 0)
            return true;
    return args->n_uuids == 0;
}

static int
by_age(const void *a, const void *b)
{
    const Orchestrator__Enclave *first = *(Orchestrator__Enclave *const *)a,
                                *second = *(Orchestrator__Enclave *const *)b;
    if (first->creation_time != second->creation_time)
        return first->creation_time < second->creation_time ? -1 : 1;
    return strcmp(first->name, second->name);
}

void
sim_on_enclaves(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    AUTO(err) err = NULL;
    Orchestrator__GetEnclavesReply *reply = MESSAGE_NEW(GetEnclavesReply, get_enclaves_reply);
    pthread_mutex_lock(&self->lock);
    for (const sim_enclave_t *at = self->enclaves; at; at = at->next)
        if (is_wanted((const Orchestrator__GetEnclavesArgs *)request, at->about->enclave_uuid))
            LIST_ADD(reply->enclaves, reply->n_enclaves, enclave_tell(self, at));
    pthread_mutex_unlock(&self->lock);
    if (reply->n_enclaves)
        qsort(reply->enclaves, reply->n_enclaves, sizeof *reply->enclaves, by_age);
    sim_answer(&call, 0, reply, &err);
}

void
sim_on_enclave_stop(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const char *uuid = ((const Orchestrator__EnclaveRef *)request)->enclave_uuid;
    AUTO(err) err = NULL;
    pthread_mutex_lock(&self->lock);
    int result = docker_check_uuid("enclave", uuid, &err);
    if (result == 0)
        result = sim_enclave_require(self, uuid, &err);
    for (sim_container_t *at = self->containers; at && result == 0; at = at->next)
        if (strcmp(at->spec->enclave_uuid, uuid) == 0 &&
            at->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
            sim_end(self, at, SIM_KILLED);
    pthread_mutex_unlock(&self->lock);
    sim_answer(&call, result, NULL, &err);
}

void
sim_on_enclave_destroy(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const char *uuid = ((const Orchestrator__EnclaveRef *)request)->enclave_uuid;
    AUTO(err) err = NULL;
    int result = docker_check_uuid("enclave", uuid, &err);
    pthread_mutex_lock(&self->lock);
    if (result == 0)
        enclave_remove(self, uuid);
    pthread_mutex_unlock(&self->lock);
    sim_answer(&call, result, NULL, &err);
}
