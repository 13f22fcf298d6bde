/*  engine: CreateEngine, GetEngines, StopEngine, AuthorizeUser. An engine is an entry that listens on its port. */
#include "base/uuid.h"
#include "docker-driver/api.h"
#include "docker-driver/labels.h"
#include "tests/sim/inside.h"

#include <string.h>

/* The volumes of engines; the first is where its key lies. */
static const char *const volumes[] = {DOCKER_ENGINE_DATA, DOCKER_ENGINE_BUS, DOCKER_ENGINE_LOGS,
                                      DOCKER_PACKAGES};

static sim_engine_t **
find(sim_t *self, const char *guid)
{
    sim_engine_t **at = &self->engines;
    while (*at && strcmp((*at)->info->guid, guid) != 0)
        at = &(*at)->next;
    return at;
}

static void
engine_free(sim_engine_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    bus_message_destroy(&self->info);
    free(self);
}

void
sim_engines_free(sim_t *self)
{
    while (self->engines) {
        sim_engine_t *next = self->engines->next;
        engine_free(self->engines);
        self->engines = next;
    }
}

static int
check(sim_t *self, const Orchestrator__CreateEngineArgs *args, err_t **err)
{
    uint8_t key[BUS_KEY_SIZE];
    sim_image_t *image;
    if (docker_check_uuid("engine", args->guid, err) < 0)
        return -1;
    if (args->bus_port < 1 || args->bus_port > 65535)
        return err_fail(err, ERR_INVALID, "bus port %u is outside 1 to 65535", args->bus_port);
    if (bus_key_from_text(args->user_public_key, key, err) < 0)
        return err_wrap(err, "the user's public key is wrong");
    if (*find(self, args->guid))
        return err_fail(err, ERR_EXISTS, "there is an engine '%s' already", args->guid);
    return sim_image_require(self, args->image, &image, err);
}

/* The key is that of the data, as long as there are data. */
static void
make_volumes(sim_t *self)
{
    if (!sim_volume_is(self, DOCKER_ENGINE_DATA)) {
        bus_keys_t keys;
        bus_keys_new(&keys);
        bus_key_to_text(keys.public_key, self->engine_key);
        bus_keys_wipe(&keys);
    }
    for (size_t i = 0; i < ARRAY_LEN(volumes); i++)
        sim_volume_add(self, volumes[i], NULL, NULL);
}

static int
create(sim_t *self, const Orchestrator__CreateEngineArgs *args, Orchestrator__EngineInfo **ret_info,
       err_t **err)
{
    if (check(self, args, err) < 0)
        return -1;
    int fd = sim_listen_at("0.0.0.0", args->bus_port);
    if (fd < 0)
        return err_fail(err, ERR_STATE,
                        "cannot start the engine: port %u of the host is in use (another engine?)",
                        args->bus_port);
    make_volumes(self);
    sim_engine_t *made = calloc(1, sizeof *made);
    if (!made)
        abort();
    char id[UUID_LEN + 1];
    uuid_new(id);
    Orchestrator__EngineInfo *info = made->info = MESSAGE_NEW(EngineInfo, engine_info);
    info->guid = strdup(args->guid);
    info->version = strdup(args->version);
    info->container_id = strdup(id);
    info->is_running = true;
    info->bus_port = args->bus_port;
    info->public_key = strdup(self->engine_key);
    info->image = strdup(args->image);
    made->fd = fd;
    made->next = self->engines;
    self->engines = made;
    *ret_info = (Orchestrator__EngineInfo *)bus_message_dup(&info->base);
    return 0;
}

void
sim_on_engine_create(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__CreateEngineArgs *args = (const Orchestrator__CreateEngineArgs *)request;
    AUTO(err) err = NULL;
    Orchestrator__EngineInfo *info = NULL;
    pthread_mutex_lock(&self->lock);
    int result = create(self, args, &info, &err);
    pthread_mutex_unlock(&self->lock);
    if (result < 0)
        err_wrap(&err, "cannot make engine '%.100s'", args->guid);
    sim_answer(&call, result, info, &err);
}

static int
running_first(const void *a, const void *b)
{
    const Orchestrator__EngineInfo *first = *(Orchestrator__EngineInfo *const *)a,
                                   *second = *(Orchestrator__EngineInfo *const *)b;
    return (int)second->is_running - (int)first->is_running;
}

void
sim_on_engines(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    sim_t *self = state;
    AUTO(err) err = NULL;
    Orchestrator__GetEnginesReply *reply = MESSAGE_NEW(GetEnginesReply, get_engines_reply);
    pthread_mutex_lock(&self->lock);
    for (const sim_engine_t *at = self->engines; at; at = at->next)
        LIST_ADD(reply->engines, reply->n_engines,
                 (Orchestrator__EngineInfo *)bus_message_dup(&at->info->base));
    pthread_mutex_unlock(&self->lock);
    if (reply->n_engines)
        qsort(reply->engines, reply->n_engines, sizeof *reply->engines, running_first);
    sim_answer(&call, 0, reply, &err);
}

static int
no_engine(const char *guid, err_t **err)
{
    return err_fail(err, ERR_NOT_FOUND, "there is no engine '%s': see 'kurtosis engine status'",
                    guid);
}

static int
stop(sim_t *self, const Orchestrator__StopEngineArgs *args, err_t **err)
{
    sim_engine_t **at = find(self, args->guid), *engine = *at;
    if (!engine)
        return no_engine(args->guid, err);
    if (engine->fd >= 0)
        close(engine->fd);
    engine->fd = -1;
    engine->info->is_running = false;
    engine->info->bus_port = 0;
    if (!args->remove)
        return 0;
    *at = engine->next;
    engine_free(engine);
    for (size_t i = 0; i < ARRAY_LEN(volumes) && !self->engines && !self->enclaves; i++)
        sim_volumes_remove(self, volumes[i], NULL, NULL);
    return 0;
}

void
sim_on_engine_stop(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    AUTO(err) err = NULL;
    pthread_mutex_lock(&self->lock);
    int result = stop(self, (const Orchestrator__StopEngineArgs *)request, &err);
    pthread_mutex_unlock(&self->lock);
    sim_answer(&call, result, NULL, &err);
}

void
sim_on_authorize(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__AuthorizeUserArgs *args = (const Orchestrator__AuthorizeUserArgs *)request;
    AUTO(err) err = NULL;
    uint8_t key[BUS_KEY_SIZE];
    pthread_mutex_lock(&self->lock);
    int result = bus_key_from_text(args->user_public_key, key, &err) < 0
                     ? err_wrap(&err, "the user's public key is wrong")
                 : *find(self, args->guid) ? 0
                                           : no_engine(args->guid, &err);
    pthread_mutex_unlock(&self->lock);
    sim_answer(&call, result, NULL, &err);
}
