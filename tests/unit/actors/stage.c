/*  stage: see stage.h. */
#include "tests/unit/actors/stage.h"

#include "base/file.h"

#include <pthread.h>
#include <stdio.h>

static bool
may_join(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE])
{
    stage_t *self = arg;
    (void)name;
    return memcmp(public_key, self->keys.public_key, BUS_KEY_SIZE) == 0;
}

void
stage_start(stage_t *self)
{
    const char *endpoints[] = {self->ipc, "inproc://stage", NULL};
    bus_broker_config_t config = {
        .endpoints = endpoints, .keys = self->broker_keys, .may_join = may_join, .arg = self};
    AUTO(err) error = NULL;
    assert_done(bus_broker_new(&config, &self->broker, &error), error);
}

void
stage_stop(stage_t *self)
{
    bus_broker_destroy(&self->broker);
}

int
stage_setup(void **state)
{
    stage_t *self = calloc(1, sizeof *self);
    strcpy(self->folder, "/tmp/kurtosis-actors-XXXXXX");
    if (!mkdtemp(self->folder))
        return -1;
    snprintf(self->ipc, sizeof self->ipc, "ipc://%s/broker", self->folder);
    bus_keys_new(&self->broker_keys);
    bus_keys_new(&self->keys);
    stage_start(self);
    *state = self;
    return 0;
}

int
stage_teardown(void **state)
{
    stage_t *self = *state;
    stage_stop(self);
    file_remove_tree(self->folder, NULL);
    free(self);
    bus_context_term(); /* hangs if an actor was forgotten */
    return 0;
}

actor_config_t
stage_config(stage_t *self, const char *name, const actor_method_t *methods, void *state)
{
    actor_config_t config = {.name = name,
                             .program = "test",
                             .endpoint = self->ipc,
                             .keys = self->keys,
                             .methods = methods,
                             .state = state,
                             .connect_timeout_ms = PATIENCE_MS};
    memcpy(config.broker_key, self->broker_keys.public_key, BUS_KEY_SIZE);
    return config;
}

actor_t *
stage_actor(stage_t *self, const char *name, const actor_method_t *methods, void *state)
{
    actor_config_t config = stage_config(self, name, methods, state);
    actor_t *actor = NULL;
    AUTO(err) error = NULL;
    assert_done(actor_new(&config, &actor, &error), error);
    return actor;
}

void
counter_add(counter_t *self, int more)
{
    pthread_mutex_lock(&self->lock);
    self->value += more;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void
counter_wait(counter_t *self, int least)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    int late = 0;
    pthread_mutex_lock(&self->lock);
    while (self->value < least && !late)
        late = pthread_cond_timedwait(&self->changed, &self->lock, &until);
    int value = self->value;
    pthread_mutex_unlock(&self->lock);
    if (value < least)
        fail_msg("waited for %d, got %d", least, value);
}

int
counter_get(counter_t *self)
{
    pthread_mutex_lock(&self->lock);
    int value = self->value;
    pthread_mutex_unlock(&self->lock);
    return value;
}

int
ask_services(actor_t *actor, actor_call_t *within, const char *uuid, int timeout_ms, err_t **err)
{
    Orchestrator__GetServicesArgs args = ORCHESTRATOR__GET_SERVICES_ARGS__INIT;
    args.enclave_uuid = (char *)uuid;
    return actor_ask(actor, within, DRIVER, METHOD("GetServices"), &args.base, timeout_ms, NULL,
                     err);
}
