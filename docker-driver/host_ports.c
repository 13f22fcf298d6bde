/*  host_ports: see host_ports.h. */
#include "docker-driver/host_ports.h"

#include "docker-driver/api.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- the bits */

static bool
is_ours(uint32_t number)
{
    return number >= DOCKER_HOST_PORTS_FIRST &&
           number < DOCKER_HOST_PORTS_FIRST + DOCKER_HOST_PORTS_COUNT;
}

static bool
is_taken(const docker_host_ports_t *self, uint32_t number)
{
    uint32_t bit = number - DOCKER_HOST_PORTS_FIRST;
    return self->taken[bit / 8] & (1u << bit % 8);
}

static void
set_taken(docker_host_ports_t *self, uint32_t number, bool taken)
{
    if (!is_ours(number))
        return;
    uint32_t bit = number - DOCKER_HOST_PORTS_FIRST;
    if (taken)
        self->taken[bit / 8] |= (uint8_t)(1u << bit % 8);
    else
        self->taken[bit / 8] &= (uint8_t) ~(1u << bit % 8);
}

/* The first free one from here on, round and round; taken from now on. 0: there is none. */
static uint32_t
take_from(docker_host_ports_t *self, uint32_t offset)
{
    for (uint32_t i = 0; i < DOCKER_HOST_PORTS_COUNT; i++) {
        uint32_t number = DOCKER_HOST_PORTS_FIRST + (offset + i) % DOCKER_HOST_PORTS_COUNT;
        if (is_taken(self, number))
            continue;
        set_taken(self, number, true);
        return number;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------ the labels */

/* Sets each number of a label. */
static void
set_all(docker_host_ports_t *self, const char *label, bool taken)
{
    for (const char *at = label; (at = strchr(at, ':')); at++) {
        unsigned number = 0;
        if (sscanf(at + 1, "%5u", &number) == 1)
            set_taken(self, number, taken);
    }
}

/* The number that a label gives to a port; 0 for none. */
static uint32_t
number_of(const char *label, const char *id)
{
    size_t size = strlen(id);
    for (const char *at = label; at && *at; at = strchr(at, ','), at += at != NULL) {
        unsigned number = 0;
        if (strncmp(at, id, size) == 0 && at[size] == ':' &&
            sscanf(at + size + 1, "%5u", &number) == 1)
            return number <= 65535 ? number : 0;
    }
    return 0;
}

char *
docker_host_ports_label(const Orchestrator__ServiceSpec *spec, const uint32_t *numbers)
{
    str_t text = STR_EMPTY;
    for (size_t i = 0; i < spec->n_ports; i++)
        if (numbers[i])
            str_printf(&text, "%s%s:%u", text.len ? "," : "", spec->ports[i]->id, numbers[i]);
    return str_take(&text);
}

/* What containers have, stopped ones by their label, others by what they publish. */
static int
load_locked(docker_t *self, const docker_call_t *call, err_t **err)
{
    docker_host_ports_t *ports = &self->host_ports;
    AUTO_JSON *list = NULL;
    if (ports->is_loaded)
        return 0;
    if (docker_get(self, call, docker_path("/containers/json?all=1"), &list, err) < 0)
        return err_wrap(err, "cannot see which ports of the host are in use");
    size_t i, k;
    json_t *container, *port;
    json_array_foreach(list, i, container)
    {
        set_all(ports, docker_label(container, DOCKER_LABEL_PUBLIC_PORTS), true);
        json_array_foreach(json_object_get(container, "Ports"), k, port)
            set_taken(ports, (uint32_t)docker_int(port, "PublicPort"), true);
    }
    ports->is_loaded = true;
    return 0;
}

/* --------------------------------------------------------------------------------------- choosing */

/* FNV-1a. */
static uint32_t
hash(uint32_t seed, const char *text)
{
    for (; *text; text++)
        seed = (seed ^ (uint8_t)*text) * 16777619u;
    return (seed ^ '/') * 16777619u;
}

static uint32_t
choose_locked(docker_host_ports_t *self, const char *enclave_name,
              const Orchestrator__ServiceSpec *spec, const Orchestrator__ServicePort *port,
              const char *before)
{
    uint32_t had = before ? number_of(before, port->id) : 0;
    if (had && !(is_ours(had) && is_taken(self, had))) {
        set_taken(self, had, true);
        return had;
    }
    return take_from(self, hash(hash(hash(2166136261u, enclave_name), spec->name), port->id) %
                               DOCKER_HOST_PORTS_COUNT);
}

int
docker_host_ports_choose(docker_t *self, const docker_call_t *call, const char *enclave_name,
                         const Orchestrator__ServiceSpec *spec, const char *before,
                         uint32_t *ret_numbers, err_t **err)
{
    bool any = false;
    for (size_t i = 0; i < spec->n_ports; i++) {
        ret_numbers[i] = spec->ports[i]->publish ? spec->ports[i]->public_number : 0;
        any |= spec->ports[i]->publish;
    }
    if (!any)
        return 0;
    pthread_mutex_lock(&self->host_ports.lock);
    int result = load_locked(self, call, err);
    for (size_t i = 0; result == 0 && i < spec->n_ports; i++)
        set_taken(&self->host_ports, ret_numbers[i], true);
    for (size_t i = 0; result == 0 && i < spec->n_ports; i++) {
        if (!spec->ports[i]->publish || ret_numbers[i])
            continue;
        ret_numbers[i] =
            choose_locked(&self->host_ports, enclave_name, spec, spec->ports[i], before);
        if (!ret_numbers[i]) { /* what others removed is looked for next time; Docker picks now */
            memset(self->host_ports.taken, 0, sizeof self->host_ports.taken);
            self->host_ports.is_loaded = false;
            break;
        }
    }
    pthread_mutex_unlock(&self->host_ports.lock);
    return result;
}

uint32_t
docker_host_ports_instead(docker_t *self, uint32_t number)
{
    pthread_mutex_lock(&self->host_ports.lock);
    uint32_t other =
        is_ours(number) ? take_from(&self->host_ports, number - DOCKER_HOST_PORTS_FIRST) : 0;
    pthread_mutex_unlock(&self->host_ports.lock);
    return other;
}

void
docker_host_ports_release(docker_t *self, const char *label)
{
    pthread_mutex_lock(&self->host_ports.lock);
    set_all(&self->host_ports, label, false);
    pthread_mutex_unlock(&self->host_ports.lock);
}
