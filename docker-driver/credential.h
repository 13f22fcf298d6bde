/*  credential: runs one of the user's programs docker-credential-<name>, as Docker does: the verb is
 *  its argument, the server goes into its standard input, JSON comes out. */
#ifndef KURTOSIS_DOCKER_DRIVER_CREDENTIAL_H
#define KURTOSIS_DOCKER_DRIVER_CREDENTIAL_H

#include "base/err.h"

#include <jansson.h>

/* 1 and *ret_reply (yours), 0 when the program says that it has nothing. INVALID for a name that is
 * no name, NOT_FOUND when there is no such program, TIMEOUT, and whatever the program complains of.
 * Its answer is in no error. */
int docker_credential_run(const char *name, const char *verb, const char *server,
                          json_t **ret_reply, err_t **err);

#endif
