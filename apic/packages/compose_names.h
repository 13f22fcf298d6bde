/*  compose_names: the names by which a package's Compose file is found. */
#ifndef KURTOSIS_APIC_PACKAGES_COMPOSE_NAMES_H
#define KURTOSIS_APIC_PACKAGES_COMPOSE_NAMES_H

#include <stdbool.h>

/* For messages. */
#define PACKAGES_COMPOSE_LIST                                                                      \
    "compose.yml, compose.yaml, docker-compose.yml, docker-compose.yaml, docker_compose.yml, "     \
    "docker_compose.yaml"

/* The first of the names that is in the folder; NULL when there is none. Lent for ever. */
const char *packages_compose_find(const char *folder);
/* Is one of the names somewhere in the path? */
bool packages_compose_named(const char *path);

#endif
