/*  session: what a command that needs the engine opens: the engine, and often one enclave of it. */
#ifndef KURTOSIS_CLI_SESSION_H
#define KURTOSIS_CLI_SESSION_H

#include "sdk/sdk.h"

typedef struct {
    kurtosis_context_t *kurtosis;
    enclave_context_t *enclave; /* NULL unless asked for */
} session_t;

/* Connects, starting the engine where none runs. */
int session_open(session_t *self, err_t **err);
/* Connects and finds an enclave that runs. */
int session_open_enclave(session_t *self, const char *enclave, err_t **err);
void session_done(session_t *self);
#define AUTO_SESSION __attribute__((cleanup(session_done))) session_t

#endif
