/*  inside: what the files of this folder share. */
#ifndef KURTOSIS_TESTS_SIM_INSIDE_H
#define KURTOSIS_TESTS_SIM_INSIDE_H

#include "tests/sim/sim.h"

#include <pthread.h>

#define SIM_VERSION "1"
#define SIM_ARCHITECTURE "amd64"
#define SIM_API_PROGRAM "/usr/bin/kurtosis-apic"
#define SIM_KILLED 137     /* exit code after SIGKILL */
#define SIM_TERMINATED 143 /* after SIGTERM */

/* Who follows the events; lives on its handler's stack. */
typedef struct watcher {
    int fd;              /* readable: there are events */
    const char *enclave; /* whose */
    Orchestrator__ContainerEvent *events[256];
    size_t count;
    struct watcher *next;
} watcher_t;

typedef struct sim_image {
    Orchestrator__ImageInfo *info;
    char **env; /* "NAME=value" */
    size_t env_count;
    char **layers; /* paths of tars */
    char *root;    /* folder where they are unpacked */
    size_t layer_count;
    struct sim_image *next;
} sim_image_t;

typedef struct sim_enclave {
    Orchestrator__Enclave *about; /* without its containers */
    unsigned network;             /* 172.16.(4 * network).0/22 */
    struct sim_enclave *next;
} sim_enclave_t;

typedef struct sim_volume {
    char *name;
    char *enclave, *service; /* UUIDs; service NULL: not one of a service's files */
    struct sim_volume *next;
} sim_volume_t;

typedef struct sim_engine {
    Orchestrator__EngineInfo *info;
    int fd; /* listens there; -1: it does not run */
    struct sim_engine *next;
} sim_engine_t;

struct sim {
    actor_t *actor;
    char *folder;         /* of images and containers; NULL: containers are entries alone */
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    sim_container_t *containers;
    sim_image_t *images;
    sim_enclave_t *enclaves;
    sim_volume_t *volumes;
    sim_engine_t *engines;
    char engine_key[BUS_KEY_TEXT_SIZE];
    watcher_t *watchers;
    unsigned starting, most, hold, loads;
    bool refuse_removal, hang;
    unsigned hanging;
};

extern const actor_method_t sim_methods[];
extern actor_handler_fn sim_on_load, sim_on_inspect, sim_on_fetch, sim_on_logins, sim_on_prune;
extern actor_handler_fn sim_on_engine_create, sim_on_engines, sim_on_engine_stop, sim_on_authorize;
extern actor_handler_fn sim_on_enclave_create, sim_on_enclaves, sim_on_enclave_stop,
    sim_on_replace_api, sim_on_enclave_destroy;
extern actor_handler_fn sim_on_start, sim_on_services, sim_on_stop, sim_on_restart, sim_on_remove;

/* Ends a call: with the reply (taken; NULL is Empty), or where result is negative with *err. */
void sim_answer(actor_call_t **call_p, int result, void *reply, err_t **err);

/* All below with the lock held. */

/* service_uuid "": the API container. */
sim_container_t *sim_find(sim_t *self, const char *enclave_uuid, const char *service_uuid);
/* NOT_FOUND, as a driver says it. */
int sim_require(sim_t *self, const char *enclave_uuid, const char *service_uuid,
                sim_container_t **ret_container, err_t **err);
sim_container_t *sim_find_name(sim_t *self, const char *name);
sim_container_t *sim_container_new(void);
void sim_container_free(sim_container_t *self);
char *sim_container_name(const sim_container_t *self);
void sim_add(sim_t *self, sim_container_t *container);
void sim_remove(sim_t *self, sim_container_t *container);
void sim_run(sim_t *self, sim_container_t *container);
void sim_end(sim_t *self, sim_container_t *container, int exit_code);
void sim_event(sim_t *self, const sim_container_t *container, const char *action);

/* NOT_FOUND for an image that is not there. *ret_image is NULL where all are (see sim.h). */
/* Into a folder that is not there yet; and whether a path is in it. Also without the lock, as long as it is there. */
int sim_image_unpack(const sim_image_t *image, const char *folder, err_t **err);
bool sim_image_has(const sim_image_t *image, const char *path);
int sim_image_require(sim_t *self, const char *image, sim_image_t **ret_image, err_t **err);
void sim_image_forget(sim_t *self, const char *image);
void sim_images_free(sim_t *self);

sim_enclave_t *sim_enclave_find(sim_t *self, const char *uuid);
/* NOT_FOUND where it is not; fine for any UUID where enclaves are not made (see sim.h). */
int sim_enclave_require(sim_t *self, const char *uuid, err_t **err);
void sim_enclaves_free(sim_t *self);

/* Fine when there is one of this name. All but the name may be NULL. */
void sim_volume_add(sim_t *self, const char *name, const char *enclave, const char *service);
bool sim_volume_is(sim_t *self, const char *name);
/* By name, or with name NULL all of the enclave, or of the service's files; NULL: whatever it is. */
void sim_volumes_remove(sim_t *self, const char *name, const char *enclave, const char *service);

void sim_engines_free(sim_t *self);

/* Listens on a port of all addresses of this host; -1 when it is in use. */
int sim_listen_at(const char *ip, unsigned port);

/* outside.c: answers who looks from outside at this path, until the actor stops. Without the lock. */
int sim_outside_serve(sim_t *self, const char *path, err_t **err);

#endif
