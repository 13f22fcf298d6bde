/*  seen: see seen.h. */
#include "docker-driver/seen.h"

#include "docker-driver/api.h"

#include <stdio.h>
#include <string.h>

void
docker_seen_init(docker_seen_t *self)
{
    pthread_mutex_init(&self->lock, NULL);
}

void
docker_seen_done(docker_seen_t *self)
{
    json_decref(self->containers);
    json_decref(self->services);
    pthread_mutex_destroy(&self->lock);
}

/* Puts the item (taken) into a table; one that is full begins anew. */
static void
keep(docker_seen_t *self, json_t **table, const char *key, json_t *item)
{
    pthread_mutex_lock(&self->lock);
    if (!*table)
        *table = json_object();
    if (json_object_size(*table) >= DOCKER_SEEN_MAX)
        json_object_clear(*table);
    json_object_set_new(*table, key, item);
    pthread_mutex_unlock(&self->lock);
}

void
docker_seen_add(docker_seen_t *self, const json_t *inspected)
{
    static const char *const config_keys[] = {"Labels", "Entrypoint", "Cmd", "Env", "Image"};
    const json_t *config = json_object_get(inspected, "Config");
    const char *id = docker_text(inspected, "Id");
    if (!*id)
        return;
    json_t *kept = json_object();
    for (size_t i = 0; i < ARRAY_LEN(config_keys); i++) {
        json_t *value = json_object_get(config, config_keys[i]);
        if (value)
            json_object_set_new(kept, config_keys[i], json_deep_copy(value));
    }
    json_t *bindings = json_deep_copy(docker_at(inspected, "HostConfig", "PortBindings", NULL));
    json_t *container = json_pack("{s:s, s:o, s:{s:o*}}", "Id", id, "Config", kept, "HostConfig",
                                  "PortBindings", bindings);
    keep(self, &self->containers, id, container);
}

void
docker_seen_add_service(docker_seen_t *self, const char *enclave_uuid, const char *service_uuid,
                        const json_t *listed)
{
    AUTO_FREE char *key = str_format("%s/%s", enclave_uuid, service_uuid);
    keep(self, &self->services, key,
         json_pack("{s:s, s:o*}", "Id", docker_text(listed, "Id"), "Labels",
                   json_deep_copy(json_object_get(listed, "Labels"))));
}

/* A copy: counts of references are not for several threads. */
static json_t *
copy_of(docker_seen_t *self, json_t *const *table, const char *key)
{
    pthread_mutex_lock(&self->lock);
    json_t *copy = json_deep_copy(json_object_get(*table, key));
    pthread_mutex_unlock(&self->lock);
    return copy;
}

json_t *
docker_seen_find_service(docker_seen_t *self, const char *enclave_uuid, const char *service_uuid)
{
    AUTO_FREE char *key = str_format("%s/%s", enclave_uuid, service_uuid);
    return copy_of(self, &self->services, key);
}

void
docker_seen_forget(docker_seen_t *self, const char *id)
{
    const char *key;
    json_t *service;
    void *next;
    pthread_mutex_lock(&self->lock);
    json_object_del(self->containers, id);
    json_object_foreach_safe(self->services, next, key, service)
    {
        if (strcmp(docker_text(service, "Id"), id) == 0)
            json_object_del(self->services, key);
    }
    pthread_mutex_unlock(&self->lock);
}

/* [{"IP": ..., "PrivatePort": 80, "PublicPort": 20001, "Type": "tcp"}] as {"80/tcp": [{"HostIp": ..., "HostPort": ...}]}. */
static json_t *
ports_of(const json_t *listed)
{
    json_t *ports = json_object(), *port;
    size_t i;
    json_array_foreach(json_object_get(listed, "Ports"), i, port)
    {
        char key[32], number[24];
        if (!json_object_get(port, "PublicPort"))
            continue;
        snprintf(key, sizeof key, "%d/%.8s", (int)docker_int(port, "PrivatePort"),
                 docker_text(port, "Type"));
        snprintf(number, sizeof number, "%d", (int)docker_int(port, "PublicPort"));
        json_t *bindings = json_object_get(ports, key);
        if (!bindings)
            json_object_set_new(ports, key, bindings = json_array());
        json_array_append_new(bindings, json_pack("{s:s, s:s}", "HostIp", docker_text(port, "IP"),
                                                  "HostPort", number));
    }
    return ports;
}

json_t *
docker_seen_find(docker_seen_t *self, const json_t *listed)
{
    if (strcmp(docker_text(listed, "State"), "running") != 0)
        return NULL;
    json_t *container = copy_of(self, &self->containers, docker_text(listed, "Id"));
    if (!container)
        return NULL;
    json_object_set_new(container, "State", json_pack("{s:s}", "Status", "running"));
    json_object_set_new(container, "NetworkSettings",
                        json_pack("{s:o}", "Ports", ports_of(listed)));
    return container;
}
