/*  api: what the operations of this folder share: the docker_t, short calls, look-ups, reading JSON
 *  without trust. */
#ifndef KURTOSIS_DOCKER_DRIVER_API_H
#define KURTOSIS_DOCKER_DRIVER_API_H

#include "base/str.h"
#include "docker-driver/docker-driver.h"
#include "docker-driver/host_ports.h"
#include "docker-driver/http.h"
#include "docker-driver/labels.h"
#include "docker-driver/refusal.h"
#include "docker-driver/seen.h"
#include "docker-driver/turns.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

struct docker {
    docker_http_t *http;
    bool no_host_net;            /* Docker refuses to mount it into the engine's container */
    bool no_nix;                 /* its host has no /nix */
    pthread_mutex_t subnet_lock; /* held while an enclave's subnet is picked and its network made */
    docker_host_ports_t host_ports;
    docker_seen_t seen;
    docker_turns_t turns;
    pthread_mutex_t pulls_lock;
    struct docker_pull *pulls;          /* images.c; under pulls_lock */
    atomic_int kind;                    /* cluster.c: what listens; 0 while not known */
    int pull_idle_ms;                   /* DOCKER_PULL_IDLE_MS; tests have less patience */
    struct docker_collector *collector; /* collect.h; NULL when logs are not collected */
};

/* ------------------------------------------------------------------------------------- messages */

/* A message of the orchestrator on the heap: MESSAGE_NEW(Enclave, enclave) -> Orchestrator__Enclave
 * *. */
#define MESSAGE_NEW(Type, type)                                                                    \
    ({                                                                                             \
        Orchestrator__##Type *new_ = malloc(sizeof *new_);                                         \
        if (!new_)                                                                                 \
            abort();                                                                               \
        orchestrator__##type##__init(new_);                                                        \
        new_;                                                                                      \
    })
/* Appends to a repeated field: list, its n_ counter, the value. */
#define LIST_ADD(list, count, value)                                                               \
    do {                                                                                           \
        (list) = realloc((list), ((count) + 1) * sizeof *(list));                                  \
        if (!(list))                                                                               \
            abort();                                                                               \
        (list)[(count)++] = (value);                                                               \
    } while (0)
static inline void
message_free_auto(void *p)
{
    ProtobufCMessage *message = *(ProtobufCMessage **)p;
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}
#define AUTO_ITEM __attribute__((cleanup(message_free_auto)))

/* ------------------------------------------------------------------------------------- requests */

static inline int
docker_cancel_fd(const docker_call_t *call)
{
    return call ? call->cancel_fd : -1;
}

/* path: from docker_path; taken (freed). body: taken; NULL for none. ret_reply: yours, json_decref;
 * NULL if not wanted. An answer that should be JSON and is not, is UNAVAILABLE. */
int docker_get(docker_t *self, const docker_call_t *call, char *path, json_t **ret_reply,
               err_t **err);
int docker_post(docker_t *self, const docker_call_t *call, char *path, json_t *body,
                json_t **ret_reply, err_t **err);
int docker_delete(docker_t *self, const docker_call_t *call, char *path, err_t **err);
/* Parses a reply's text. */
int docker_json(const char *text, size_t size, json_t **ret_json, err_t **err);
/* JSON on one line; yours, free(). */
char *docker_json_text(const json_t *json);

static inline void
json_auto(json_t **p)
{
    json_decref(*p);
}
#define AUTO_JSON __attribute__((cleanup(json_auto))) json_t

/* A wall time in nanoseconds as "since" of a query. Yours, free(). */
char *docker_since(int64_t wall_ns);

/* --------------------------------------------------------------------------------- reading JSON */

/* The value at a path of keys that ends with NULL; NULL when any step is missing or no object.
 * Lent. */
json_t *docker_at(const json_t *json, ...) __attribute__((sentinel));
/* Text at one key; "" when missing or no text. Lent. */
const char *docker_text(const json_t *json, const char *key);
/* A label of an object with "Labels"; "" when missing. */
const char *docker_label(const json_t *object, const char *key);
int64_t docker_int(const json_t *json, const char *key);

/* ------------------------------------------------------------------------------------- look-ups */

/* Filters as JSON for a query: pairs of filter ("label", "name", "type"...) and value, ended by
 * NULL; a repeated filter is a list. Yours, free(). */
char *docker_filters(const char *filter, ...) __attribute__((sentinel));
/* "key=value"; yours. */
char *docker_label_filter(const char *key, const char *value);
/* Paths of the usual lists, by enclave; yours. */
char *docker_containers_path(const char *label, const char *value, const char *type);
char *docker_networks_path(const char *enclave_uuid);
char *docker_volumes_path(const char *label, const char *value);

/* The enclave's network as the list has it; NOT_FOUND. *ret_network is yours. */
int docker_network_find(docker_t *self, const docker_call_t *call, const char *enclave_uuid,
                        json_t **ret_network, err_t **err);
/* The service's container as the list has it; NOT_FOUND. *ret_container is yours. */
int docker_service_find(docker_t *self, const docker_call_t *call, const char *enclave_uuid,
                        const char *service_uuid, json_t **ret_container, err_t **err);
/* The service's name, from its container's labels. Lent. */
const char *docker_service_name(const json_t *container);

/* ------------------------------------------------------------------------------------- removing */

/* Removes containers (an array as the list has it) of one enclave or of none, at once, running or not; gone ones are
 * fine, ones that someone else is removing are waited for. */
int docker_containers_remove(docker_t *self, const docker_call_t *call, const json_t *containers,
                             err_t **err);
int docker_container_remove(docker_t *self, const docker_call_t *call, const char *id, err_t **err);
/* Removes the volumes that a list call found, at once; gone ones are fine. */
int docker_volumes_remove(docker_t *self, const docker_call_t *call, const char *label,
                          const char *value, err_t **err);
int docker_volume_remove(docker_t *self, const docker_call_t *call, const char *name, err_t **err);

/* For docker_filters: that something is removed, that a container ends, that a command in one does; as Docker says it, and
 * as Podman does (docker_reply_action). */
#define DOCKER_EVENT_GONE "event", "destroy", "event", "remove"
#define DOCKER_EVENT_END "event", "die", "event", "died"
#define DOCKER_EVENT_EXEC_END "event", "exec_die", "event", "exec_died"
/* Waits for Docker to come to a state: opens its event stream with these filters, then asks check()
 * after it is open and after every event. check: 1 done, 0 not yet, negative fails. TIMEOUT after
 * timeout_ms. */
int docker_await(docker_t *self, const docker_call_t *call, const char *filters, int timeout_ms,
                 int (*check)(void *arg, err_t **err), void *arg, err_t **err);

/* ----------------------------------------------------------------------------------- containers */

/* Makes a container, by POST /containers/create; body is taken. Not cancelled in the middle, so that
 * afterwards it is known whether there is something to take back. */
int docker_container_create(docker_t *self, const char *name, json_t *body, json_t **ret_reply,
                            err_t **err);
/* Starts a container. network: of its enclave, by name; NULL when it is of none. */
int docker_container_start(docker_t *self, const docker_call_t *call, const char *network,
                           const char *id, err_t **err);
/* Adds the last lines of what it printed to *ret_text. */
void docker_container_tail(docker_t *self, const docker_call_t *call, const char *id,
                           str_t *ret_text);
/* Puts one file into a container, whether it runs or not. folder: of the container, must exist.
 * path: under folder, its folders are made with mode 0700; the file gets mode 0600, owner root. */
typedef struct {
    const char *path;
    const char *data;
} docker_file_t;
int docker_files_put(docker_t *self, const docker_call_t *call, const char *id, const char *folder,
                     const docker_file_t *files, size_t count, err_t **err);
/* Reads a regular file of a container: 1 and *ret_data, 0 when there is none. At most 64 KiB. */
int docker_file_get(docker_t *self, const docker_call_t *call, const char *id, const char *path,
                    str_t *ret_data, err_t **err);

/* cluster.c: 1 when it is Podman that speaks Docker's API here, 0 when it is Docker. */
int docker_is_podman(docker_t *self, const docker_call_t *call, err_t **err);
/* images.c: looks at a present image; *ret_info is yours. */
int docker_image_look(docker_t *self, const docker_call_t *call, const char *image,
                      Orchestrator__ImageInfo **ret_info, err_t **err);
/* images.c: makes an image present (mode missing, no progress). */
int docker_image_require(docker_t *self, const docker_call_t *call, const char *image, err_t **err);
/* images.c: loads an archive as 'docker save' writes it, which source gives piece by piece. 1 and the reference of its first
 * image in *ret_image (yours), 0 when that has none, and its id. */
int docker_image_load_from(docker_t *self, const docker_call_t *call,
                           long (*source)(void *arg, char *buffer, size_t size, err_t **err),
                           void *arg, char **ret_image, err_t **err);

#endif
