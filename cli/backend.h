/*  backend: the orchestrator, where no engine can be asked: the driver as a child on a private bus.
 *
 *  The CLI runs a broker in a folder of its own, is called "engine" there, and sends the driver the
 * same messages as the engine does. All of it ends with backend_destroy, or with the process.
 */
#ifndef KURTOSIS_CLI_BACKEND_H
#define KURTOSIS_CLI_BACKEND_H

#include "actors/actors.h"
#include "bus/schema/orchestrator.pb-c.h"

#define BACKEND_DRIVER "driver/docker"
#define BACKEND_PROGRAM "kurtosis-docker-driver"
#define BACKEND_START_MS 10000

typedef struct backend backend_t;

/* Starts all of it. NOT_FOUND when there is no driver program beside ours or in PATH. */
int backend_new(backend_t **ret_backend, err_t **err);
void backend_destroy(backend_t **self_p);
AUTO_FOR(backend)

/* Asks the driver for an operation of orchestrator.Orchestrator by its short name. */
int backend_ask(backend_t *self, const char *method, const ProtobufCMessage *request,
                ProtobufCMessage **ret_reply, err_t **err);
/* Loads an image from a docker-archive file. */
int backend_load_image(backend_t *self, const char *path, err_t **err);

/* Makes an image present. */
int backend_fetch_image(backend_t *self, const Orchestrator__FetchImageArgs *args, err_t **err);

/* The driver's program: beside this one, else in PATH; NULL when nowhere. Yours, free(). */
char *backend_program(void);
/* The folder in which this program lies; yours, free(). */
char *backend_program_folder(void);

#endif
