/*  logins: to registries, as Docker's configuration of the user says.
 *
 *  On the user's machine that is $DOCKER_CONFIG/config.json, else ~/.docker/config.json: "auths",
 *  and the programs docker-credential-<name> that "credHelpers" and "credsStore" name, which are run
 *  only here. A driver elsewhere (in the engine's container) has a file of its own, which
 *  KURTOSIS_LOGINS names: SetRegistryLogins writes it (mode 0600) with what the user's side found.
 *  Passwords go nowhere else: into no log, no error, no argument of a program.
 *
 *  A login is JSON {"username", "password"} or {"identitytoken"}, with "serveraddress".
 */
#ifndef KURTOSIS_DOCKER_DRIVER_LOGINS_H
#define KURTOSIS_DOCKER_DRIVER_LOGINS_H

#include "base/err.h"
#include "base/str.h"

#include <jansson.h>

#define LOGINS_FILE "KURTOSIS_LOGINS"   /* environment: path of the driver's own file */
#define LOGINS_MAX 1000u                /* logins */
#define LOGINS_CONFIG_MAX (1024 * 1024) /* bytes of a configuration file */
#define LOGINS_HELPER_MS 10000          /* for a helper program to answer */
#define LOGINS_HELPER_MAX 65536u        /* bytes of its answer */

/* A login, of a token where there is one. Yours, json_decref. */
json_t *docker_login_new(const char *host, const char *username, const char *password,
                         const char *token);
/* The login for a registry host ("docker.io" for Docker Hub); NULL when there is none: an anonymous
 * pull. Yours, json_decref. Waits for a helper program where one is configured. */
json_t *docker_login_find(const char *host);
/* The same, given the text of a configuration, without helpers; for tests. */
json_t *docker_login_in(const char *config, const char *host);

/* All logins by host, of which each is asked of its helper. What went wrong is appended to problems
 * (NULL: nobody wants to know), a sentence a line. Yours, json_decref. */
json_t *docker_logins_all(str_t *problems);

/* Puts them into the driver's own file; STATE where there is none. */
int docker_logins_keep(const json_t *logins, err_t **err);

/* The host as "serveraddress" and keys of ours have it: "https://index.docker.io/v1/" is "docker.io",
 * "https://reg.io/v2/" is "reg.io". Yours, free(). */
char *docker_login_host(const char *spelling);

#endif
