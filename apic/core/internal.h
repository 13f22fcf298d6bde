/*  internal: what the files of this folder share. */
#ifndef KURTOSIS_APIC_CORE_INTERNAL_H
#define KURTOSIS_APIC_CORE_INTERNAL_H

#include "apic/core/core.h"
#include "apic/core/db.h"
#include "apic/core/ip.h"
#include "apic/core/recover.h"
#include "apic/core/watch.h"
#include "base/claims.h"

#include <pthread.h>

struct core {
    char *enclave_uuid, *enclave_name, *enclave_env, *backend_kind, *driver;
    char *git_mirrors, *cache;
    char *git_roots;                           /* a file, or NULL */
    char *store, *repositories, *tokens, *tmp; /* folders */
    bool is_production;
    ip_net_t net;
    uint32_t gateway, own_ip;
    db_t *db;
    claims_t *claims; /* names of services that are being changed */
    watch_t *watch;   /* this and the next: set by core_attach */
    recover_t *recover;
    int stop_fd;              /* readable: core_stop was called */
    pthread_mutex_t packages; /* held while a package's folder is exchanged */
    pthread_mutex_t lock;
    pthread_cond_t attached;
    actor_t *actor; /* NULL until attached; guarded by lock */
};

/* Asks the driver; method without the service's name, e.g. "GetServices". timeout as actor_ask's.
 */
int core_ask(core_t *self, actor_call_t *within, const char *method,
             const ProtobufCMessage *request, int timeout_ms, ProtobufCMessage **ret_reply,
             err_t **err);
int core_stream(core_t *self, actor_call_t *within, const char *method,
                const ProtobufCMessage *request, actor_stream_t **ret_stream, err_t **err);

/* actor_stream_recv that core_stop ends, too. */
int core_recv(core_t *self, actor_call_t *within, actor_stream_t *stream, int timeout_ms,
              ProtobufCMessage **ret_item, err_t **err);

/* Readable when the call is cancelled; for NULL after core_stop. */
int core_cancel_fd(core_t *self, actor_call_t *within);
/* The registered service, or an error that names the identifier. With state: also INVALID unless it
 * was started. */
int core_require_started(core_t *self, const char *identifier, core_service_t **ret_service,
                         err_t **err);
/* Replaces a string field of a message. */
void core_set_text(char **field, const char *value);

/* files.c */
int core_folder_make(const char *path, err_t **err);

/* artifact.c */
int artifacts_open(core_t *self, err_t **err);

#endif
