/*  compose: turns a Docker Compose file into a Starlark script that does what the file says.
 *
 *      def run(plan):
 *          plan.upload_files(src = "./conf", name = "api--volume0")
 *          plan.add_service(name = "api", config = ServiceConfig(...))
 *
 *  What Kurtosis cannot do is left out, each with a warning.
 */
#ifndef KURTOSIS_APIC_COMPOSE_H
#define KURTOSIS_APIC_COMPOSE_H

#include "base/err.h"
#include "base/str.h"

#define COMPOSE_FILE_MAX (1024u * 1024)     /* bytes of a Compose file, and of an env file */
#define COMPOSE_NODES_MAX 20000u            /* values of a file, those of aliases each time */
#define COMPOSE_DEPTH_MAX 64u               /* levels of a file */
#define COMPOSE_TEXT_MAX (8u * 1024 * 1024) /* bytes of all values after ${...} was replaced */
#define COMPOSE_PORTS_MAX 65535u            /* ports of a service */

typedef void compose_warn_fn(void *arg, const char *text);

/* Reads folder/file, with the .env and the env files of that folder, and appends the script. warn
 * may be NULL. */
int compose_transpile(const char *folder, const char *file, compose_warn_fn *warn, void *arg,
                      str_t *out, err_t **err);

#endif
