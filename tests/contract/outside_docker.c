/*  outside_docker: see outside.h. Asks Docker itself. */
#include "docker-driver/api.h"
#include "docker-driver/spec.h"
#include "tests/contract/outside.h"

#include <stdio.h>
#include <string.h>

static void
add_names(docker_t *docker, const char *path, const char *under, const char *kind, const char *part,
          json_t *lines)
{
    AUTO_JSON *reply = NULL;
    AUTO(err) err = NULL;
    if (docker_get(docker, NULL, strdup(path), &reply, &err) < 0) {
        AUTO_FREE char *why = err_string(err);
        fprintf(stderr, "contract: cannot look at Docker: %s\n", why);
        exit(1);
    }
    size_t i;
    json_t *object;
    json_array_foreach(under ? json_object_get(reply, under) : reply, i, object)
    {
        const char *name = docker_text(object, "Name");
        if (!*name)
            name = json_string_value(json_array_get(json_object_get(object, "Names"), 0));
        if (!name || !strstr(name, part))
            continue;
        AUTO_FREE char *line = str_format("%s %s", kind, *name == '/' ? name + 1 : name);
        json_object_set_new(lines, line, json_null());
    }
}

char *
docker_holds(const char *part)
{
    AUTO(docker) docker = NULL;
    if (docker_new(NULL, &docker, NULL) < 0)
        abort();
    AUTO_JSON *lines = json_object();
    add_names(docker, "/containers/json?all=1", NULL, "container", part, lines);
    add_names(docker, "/networks", NULL, "network", part, lines);
    add_names(docker, "/volumes", "Volumes", "volume", part, lines);
    str_t text = STR_EMPTY;
    const char *line;
    json_t *value;
    json_object_foreach(lines, line, value) str_printf(&text, "%s\n", line);
    return str_take(&text);
}

char *
docker_inspect(const char *container_id)
{
    AUTO(docker) docker = NULL;
    AUTO_JSON *reply = NULL;
    if (docker_new(NULL, &docker, NULL) < 0 ||
        docker_get(docker, NULL, docker_path("/containers/%s/json", container_id), &reply, NULL) <
            0)
        return strdup("null");
    return docker_json_text(reply);
}

static void
stop(const char *what, const err_t *err)
{
    AUTO_FREE char *why = err_string(err);
    fprintf(stderr, "contract: cannot %s: %s\n", what, why);
    exit(1);
}

char *
docker_describe(const Orchestrator__ServiceSpec *spec)
{
    AUTO(docker) docker = NULL;
    AUTO_JSON *network = NULL;
    AUTO_JSON *reply = NULL;
    AUTO(err) err = NULL;
    json_t *body = NULL;
    if (docker_new(NULL, &docker, &err) < 0 ||
        docker_network_find(docker, NULL, spec->enclave_uuid, &network, &err) < 0)
        stop("find the enclave", err);
    docker_making_t making = {.spec = spec,
                              .network = docker_text(network, "Name"),
                              .enclave_name = docker_label(network, DOCKER_LABEL_ENCLAVE_NAME)};
    if (docker_spec_body(&making, &body, &err) < 0 ||
        docker_post(docker, NULL, docker_path("/containers/create?name=%s", spec->service_uuid),
                    body, &reply, &err) < 0)
        stop("make a container", err);
    char *text = docker_inspect(docker_text(reply, "Id"));
    docker_container_remove(docker, NULL, docker_text(reply, "Id"), NULL);
    return text;
}

void
docker_forget_container(const char *container_id)
{
    AUTO(docker) docker = NULL;
    AUTO(err) err = NULL;
    if (docker_new(NULL, &docker, &err) < 0 ||
        docker_container_remove(docker, NULL, container_id, &err) < 0)
        stop("remove a container", err);
}

static int
is_gone(void *arg, err_t **err)
{
    (void)err;
    AUTO_FREE char *left = docker_holds(arg);
    return strstr(left, "volume ") == NULL;
}

bool
docker_wait_gone(const char *part)
{
    AUTO(docker) docker = NULL;
    AUTO_FREE char *filters = docker_filters("type", "volume", DOCKER_EVENT_GONE, NULL);
    return docker_new(NULL, &docker, NULL) == 0 &&
           docker_await(docker, NULL, filters, DOCKER_AWAIT_MS, is_gone, (void *)part, NULL) == 0;
}

void
docker_forget_image(const char *image)
{
    AUTO(docker) docker = NULL;
    if (docker_new(NULL, &docker, NULL) == 0)
        docker_delete(docker, NULL, docker_path("/images/%s?force=1", image), NULL);
}

void
docker_forget_volume(const char *volume)
{
    AUTO(docker) docker = NULL;
    if (docker_new(NULL, &docker, NULL) == 0)
        docker_volume_remove(docker, NULL, volume, NULL);
}
