/*  parts: see parts.h. */
#include "docker-driver/parts.h"

#include <string.h>

json_t *
docker_string(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    AUTO_FREE char *ascii = strdup(text);
    for (char *p = ascii; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    return json_string(ascii);
}

json_t *
docker_labels(void)
{
    return json_pack("{s:s}", DOCKER_LABEL_APP, DOCKER_APP);
}

json_t *
docker_enclave_labels(const char *enclave_uuid)
{
    json_t *labels = docker_labels();
    docker_label_set(labels, DOCKER_LABEL_ENCLAVE, enclave_uuid);
    docker_label_set(labels, DOCKER_LABEL_LOG_ENCLAVE, enclave_uuid);
    return labels;
}

void
docker_label_set(json_t *labels, const char *key, const char *value)
{
    json_object_set_new_nocheck(labels, key, docker_string(value));
}

void
docker_env_add(json_t *env, const char *name, const char *value)
{
    size_t i, size = strlen(name);
    json_t *entry;
    json_array_foreach(env, i, entry)
    {
        const char *text = json_string_value(entry);
        if (text && strncmp(text, name, size) == 0 && text[size] == '=')
            return;
    }
    AUTO_FREE char *text = str_format("%s=%s", name, value);
    json_array_append_new(env, docker_string(text));
}

json_t *
docker_volume_mount(const char *volume, const char *target, json_t *labels)
{
    return json_pack("{s:s, s:s, s:s, s:{s:b, s:o}}", "Type", "volume", "Source", volume, "Target",
                     target, "VolumeOptions", "NoCopy", 1, "Labels", labels);
}

json_t *
docker_shared_mount(const char *volume, const char *target, const char *type)
{
    json_t *labels = docker_labels();
    docker_label_set(labels, DOCKER_LABEL_VOLUME_TYPE, type);
    return docker_volume_mount(volume, target, labels);
}

json_t *
docker_bus_mount(void)
{
    return docker_shared_mount(DOCKER_ENGINE_BUS, DOCKER_BUS_DIR, DOCKER_VOLUME_BUS);
}

json_t *
docker_bind_mount(const char *source, const char *target)
{
    json_t *mount = json_pack("{s:s}", "Type", "bind");
    json_object_set_new(mount, "Source", docker_string(source));
    json_object_set_new(mount, "Target", docker_string(target));
    return mount;
}

json_t *
docker_log_config(void)
{
    return json_pack("{s:s, s:{s:s, s:s}}", "Type", "json-file", "Config", "max-size",
                     DOCKER_LOG_SIZE, "max-file", DOCKER_LOG_FILES);
}
