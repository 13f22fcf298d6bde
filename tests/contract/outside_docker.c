/*  outside_docker: see outside.h. Asks Docker itself. */
#include "docker-driver/api.h"
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
