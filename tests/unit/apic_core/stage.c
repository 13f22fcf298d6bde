/*  stage: see stage.h. */
#include "tests/unit/apic_core/stage.h"

#include <sys/socket.h>
#include <sys/un.h>

#define FIRST_NETWORK 0x7f100000u /* 127.16.0.0 */
#define NETWORKS 0x8000u

/* A name in the namespace of sockets that have no file is held until the process ends, and is as wide as loopback. */
static bool
hold_network(unsigned number)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int size =
        snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "kurtosis-test-network-%u", number);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (bind(fd, (struct sockaddr *)&name,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) == 0)
        return true;
    close(fd);
    return false;
}

static uint32_t
network(void)
{
    static uint32_t ip;
    for (unsigned number = (unsigned)getpid() % NETWORKS; !ip; number = (number + 1) % NETWORKS)
        if (hold_network(number))
            ip = FIRST_NETWORK + (number << 8);
    return ip;
}

const char *
stage_ip(unsigned host)
{
    static char texts[256][IP_TEXT_SIZE];
    assert_true(host < ARRAY_LEN(texts));
    ip_text(network() + host, texts[host]);
    return texts[host];
}

const char *
stage_subnet(void)
{
    static char text[IP_TEXT_SIZE + 3];
    snprintf(text, sizeof text, "%s/24", stage_ip(0));
    return text;
}

core_config_t
stage_config(const char *folder)
{
    core_config_t config = support_config(folder);
    config.subnet = stage_subnet();
    config.gateway = stage_ip(1);
    config.own_ip = stage_ip(2);
    return config;
}

static bool
may_join(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE])
{
    stage_t *self = arg;
    (void)name;
    return memcmp(public_key, self->keys.public_key, BUS_KEY_SIZE) == 0;
}

static void
on_peer(void *arg, const char *name, bool joined)
{
    stage_t *self = arg;
    if (bus_role_of(name) != BUS_ROLE_APIC)
        return;
    pthread_mutex_lock(&self->lock);
    self->apics += joined ? 1 : -1;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void
stage_until_gone(stage_t *self)
{
    pthread_mutex_lock(&self->lock);
    while (self->apics > 0)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

int
stage_setup(void **state)
{
    stage_t *self = calloc(1, sizeof *self);
    self->folder = support_folder();
    self->endpoint = str_format("ipc://%s/broker", self->folder);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    bus_keys_new(&self->broker_keys);
    bus_keys_new(&self->keys);
    const char *endpoints[] = {self->endpoint, NULL};
    bus_broker_config_t config = {.endpoints = endpoints,
                                  .keys = self->broker_keys,
                                  .may_join = may_join,
                                  .on_peer = on_peer,
                                  .arg = self};
    err_t *err = NULL;
    if (bus_broker_new(&config, &self->broker, &err) < 0)
        fail_msg("%s", support_why(&err));
    stage_sim(self);
    stage_open(self, NULL, NULL);
    *state = self;
    return 0;
}

int
stage_teardown(void **state)
{
    stage_t *self = *state;
    stage_close(self);
    sim_destroy(&self->sim);
    bus_broker_destroy(&self->broker);
    bus_context_term();
    support_folder_drop(self->folder);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self->endpoint);
    free(self);
    return 0;
}

void
stage_sim(stage_t *self)
{
    err_t *err = NULL;
    if (sim_new(self->endpoint, self->broker_keys.public_key, &self->keys, &self->sim, &err) < 0)
        fail_msg("%s", support_why(&err));
}

actor_t *
stage_actor(stage_t *self, const char *name, const actor_method_t *methods, void *state)
{
    actor_config_t config = {.name = name,
                             .program = "test",
                             .endpoint = self->endpoint,
                             .keys = self->keys,
                             .methods = methods,
                             .state = state};
    memcpy(config.broker_key, self->broker_keys.public_key, BUS_KEY_SIZE);
    actor_t *actor = NULL;
    err_t *err = NULL;
    if (actor_new(&config, &actor, &err) < 0)
        fail_msg("%s", support_why(&err));
    actor_set_drain(actor, 500);
    return actor;
}

void
stage_open(stage_t *self, const actor_method_t *methods, void *state)
{
    core_config_t config = stage_config(self->folder);
    err_t *err = NULL;
    if (core_new(&config, &self->core, &err) < 0)
        fail_msg("%s", support_why(&err));
    self->apic = stage_actor(self, "apic/" SUPPORT_ENCLAVE, methods, state);
    if (core_attach(self->core, self->apic, &err) < 0)
        fail_msg("%s", support_why(&err));
}

void
stage_close(stage_t *self)
{
    actor_destroy(&self->apic);
    core_destroy(&self->core);
}

int
stage_start(stage_t *self, core_service_config_t **configs, size_t count, unsigned parallelism,
            err_t **err)
{
    core_service_t **services = calloc(count, sizeof *services);
    int rc =
        core_services_start(self->core, NULL, configs, count, parallelism, services, NULL, err);
    core_services_free(services, rc < 0 ? 0 : count);
    for (size_t i = 0; i < count; i++)
        core_service_config_destroy(&configs[i]);
    return rc;
}

void
stage_started(stage_t *self, core_service_config_t **configs, size_t count, unsigned parallelism)
{
    err_t *err = NULL;
    if (stage_start(self, configs, count, parallelism, &err) < 0)
        fail_msg("%s", support_why(&err));
}
