/*  sim: see sim.h. */
#include "base/clock.h"
#include "base/uuid.h"
#include "docker-driver/labels.h"
#include "tests/sim/inside.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

int
sim_start(const sim_config_t *config, sim_t **ret_sim, err_t **err)
{
    AUTO(sim) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    self->folder = config->folder ? strdup(config->folder) : NULL;
    actor_config_t joining = {.name = config->name,
                              .program = "sim",
                              .endpoint = config->endpoint,
                              .keys = config->keys,
                              .methods = sim_methods,
                              .state = self,
                              .workers_max = 64};
    memcpy(joining.broker_key, config->broker_key, BUS_KEY_SIZE);
    if (actor_new(&joining, &self->actor, err) < 0 ||
        (config->outside && sim_outside_serve(self, config->outside, err) < 0))
        return -1;
    actor_set_drain(self->actor, 100);
    *ret_sim = TAKE(self);
    return 0;
}

int
sim_new(const char *endpoint, const uint8_t broker_key[BUS_KEY_SIZE], const bus_keys_t *keys,
        sim_t **ret_sim, err_t **err)
{
    sim_config_t config = {.name = "driver/docker", .endpoint = endpoint, .keys = *keys};
    memcpy(config.broker_key, broker_key, BUS_KEY_SIZE);
    return sim_start(&config, ret_sim, err);
}

void
sim_destroy(sim_t **self_p)
{
    sim_t *self = TAKE(*self_p);
    if (!self)
        return;
    actor_destroy(&self->actor);
    sim_enclaves_free(self);
    while (self->containers)
        sim_remove(self, self->containers);
    sim_images_free(self);
    sim_engines_free(self);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self->folder);
    free(self);
}

/* --------------------------------------------------------------------------------------- what
 * tests do */

bool
sim_look(sim_t *self, const char *name, void (*fn)(void *arg, const sim_container_t *container),
         void *arg)
{
    pthread_mutex_lock(&self->lock);
    sim_container_t *container = sim_find_name(self, name);
    if (container && fn)
        fn(arg, container);
    pthread_mutex_unlock(&self->lock);
    return container != NULL;
}

size_t
sim_count(sim_t *self)
{
    size_t count = 0;
    pthread_mutex_lock(&self->lock);
    for (sim_container_t *container = self->containers; container; container = container->next)
        count++;
    pthread_mutex_unlock(&self->lock);
    return count;
}

void
sim_kill(sim_t *self, const char *name, int exit_code)
{
    pthread_mutex_lock(&self->lock);
    sim_container_t *container = sim_find_name(self, name);
    if (container)
        sim_end(self, container, exit_code);
    pthread_mutex_unlock(&self->lock);
}

void
sim_forget(sim_t *self, const char *name)
{
    pthread_mutex_lock(&self->lock);
    sim_container_t *container = sim_find_name(self, name);
    if (container)
        sim_remove(self, container);
    pthread_mutex_unlock(&self->lock);
}

void
sim_intrude(sim_t *self, const char *enclave_uuid, const char *service_uuid, const char *name)
{
    Orchestrator__ServiceSpec spec = ORCHESTRATOR__SERVICE_SPEC__INIT;
    spec.enclave_uuid = (char *)enclave_uuid;
    spec.service_uuid = (char *)service_uuid;
    spec.name = (char *)name;
    spec.image = (char *)"silent";
    sim_container_t *container = sim_container_new();
    container->spec = (Orchestrator__ServiceSpec *)bus_message_dup(&spec.base);
    pthread_mutex_lock(&self->lock);
    sim_add(self, container);
    sim_run(self, container);
    pthread_mutex_unlock(&self->lock);
}

void
sim_hold(sim_t *self, unsigned count)
{
    pthread_mutex_lock(&self->lock);
    self->hold = count;
    self->most = 0;
    pthread_mutex_unlock(&self->lock);
}

unsigned
sim_most(sim_t *self)
{
    pthread_mutex_lock(&self->lock);
    unsigned most = self->most;
    pthread_mutex_unlock(&self->lock);
    return most;
}

void
sim_hang(sim_t *self, bool hang)
{
    pthread_mutex_lock(&self->lock);
    self->hang = hang;
    pthread_mutex_unlock(&self->lock);
}

unsigned
sim_hanging(sim_t *self)
{
    pthread_mutex_lock(&self->lock);
    const unsigned hanging = self->hanging;
    pthread_mutex_unlock(&self->lock);
    return hanging;
}

void
sim_refuse_removal(sim_t *self, bool refuse)
{
    pthread_mutex_lock(&self->lock);
    self->refuse_removal = refuse;
    pthread_mutex_unlock(&self->lock);
}

/* ----------------------------------------------------------------------------------- containers */

sim_container_t *
sim_container_new(void)
{
    sim_container_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    uuid_new(self->id);
    for (size_t i = 0; i < SIM_MOUNTS_MAX; i++)
        self->mounts[i].data = STR_EMPTY;
    for (size_t i = 0; i < SIM_PORTS_MAX; i++)
        self->listeners[i] = self->published[i] = -1;
    return self;
}

static void
close_all(int fds[SIM_PORTS_MAX])
{
    for (size_t i = 0; i < SIM_PORTS_MAX; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

void
sim_container_free(sim_container_t *self)
{
    close_all(self->listeners);
    close_all(self->published);
    for (size_t i = 0; i < SIM_MOUNTS_MAX; i++)
        str_done(&self->mounts[i].data);
    bus_message_destroy(&self->spec);
    free(self);
}

char *
sim_container_name(const sim_container_t *self)
{
    return *self->spec->service_uuid
               ? docker_name_service(self->spec->name, self->spec->service_uuid)
               : docker_name_api(self->spec->enclave_uuid);
}

sim_container_t *
sim_find(sim_t *self, const char *enclave_uuid, const char *service_uuid)
{
    for (sim_container_t *container = self->containers; container; container = container->next)
        if (strcmp(container->spec->service_uuid, service_uuid) == 0 &&
            strcmp(container->spec->enclave_uuid, enclave_uuid) == 0)
            return container;
    return NULL;
}

int
sim_require(sim_t *self, const char *enclave_uuid, const char *service_uuid,
            sim_container_t **ret_container, err_t **err)
{
    *ret_container = sim_find(self, enclave_uuid, service_uuid);
    return *ret_container ? 0
                          : err_fail(err, ERR_NOT_FOUND, "there is no service '%s' in enclave '%s'",
                                     service_uuid, enclave_uuid);
}

sim_container_t *
sim_find_name(sim_t *self, const char *name)
{
    for (sim_container_t *container = self->containers; container; container = container->next)
        if (strcmp(container->spec->name, name) == 0)
            return container;
    return NULL;
}

void
sim_add(sim_t *self, sim_container_t *container)
{
    container->next = self->containers;
    self->containers = container;
}

void
sim_remove(sim_t *self, sim_container_t *container)
{
    if (container->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
        sim_end(self, container, SIM_KILLED);
    sim_event(self, container, "destroy");
    sim_container_t **at = &self->containers;
    while (*at != container)
        at = &(*at)->next;
    *at = container->next;
    if (*container->spec->service_uuid)
        sim_volumes_remove(self, NULL, container->spec->enclave_uuid,
                           container->spec->service_uuid);
    sim_container_free(container);
}

int
sim_listen_at(const char *ip, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (inet_pton(AF_INET, ip, &address.sin_addr) == 1 &&
        bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0)
        return fd;
    close(fd);
    return -1;
}

void
sim_run(sim_t *self, sim_container_t *container)
{
    const Orchestrator__ServiceSpec *spec = container->spec;
    container->state = ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING;
    container->starts++;
    for (size_t i = 0; strcmp(spec->image, "listen") == 0 && i < spec->n_ports && i < SIM_PORTS_MAX;
         i++)
        if (spec->ports[i]->transport == ORCHESTRATOR__TRANSPORT__TCP)
            container->listeners[i] = sim_listen_at(spec->private_ip, spec->ports[i]->number);
    sim_event(self, container, "start");
    if (strcmp(spec->image, "dies") == 0)
        sim_end(self, container, 7);
}

void
sim_end(sim_t *self, sim_container_t *container, int exit_code)
{
    container->state = ORCHESTRATOR__CONTAINER_STATE__CONTAINER_STOPPED;
    container->exit_code = exit_code;
    close_all(container->listeners);
    close_all(container->published);
    sim_event(self, container, "die");
}

void
sim_event(sim_t *self, const sim_container_t *container, const char *action)
{
    for (watcher_t *watcher = self->watchers; watcher; watcher = watcher->next) {
        if (strcmp(watcher->enclave, container->spec->enclave_uuid) != 0)
            continue;
        Orchestrator__ContainerEvent event = ORCHESTRATOR__CONTAINER_EVENT__INIT;
        event.enclave_uuid = container->spec->enclave_uuid;
        event.service_uuid = container->spec->service_uuid;
        event.action = (char *)action;
        event.exit_code = container->exit_code;
        event.timestamp = clock_wall_ns();
        if (watcher->count < ARRAY_LEN(watcher->events))
            watcher->events[watcher->count++] =
                (Orchestrator__ContainerEvent *)bus_message_dup(&event.base);
        eventfd_write(watcher->fd, 1);
    }
}
