/*  compose_names: see compose_names.h. */
#include "apic/packages/compose_names.h"

#include "apic/packages/path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const names[] = {"compose.yml",        "compose.yaml",
                                    "docker-compose.yml", "docker-compose.yaml",
                                    "docker_compose.yml", "docker_compose.yaml"};

const char *
packages_compose_find(const char *folder)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = packages_path_join(folder, names[i]);
        struct stat status;
        const bool is_there = stat(path, &status) == 0;
        free(path);
        if (is_there)
            return names[i];
    }
    return NULL;
}

bool
packages_compose_named(const char *path)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(path, names[i]))
            return true;
    return false;
}
